#!/usr/bin/env bash
# Rewrites the golden files: in every package that has some, the tests run with -update.
set -euo pipefail
cd "$(dirname "$0")/.."

grep -rl --include='*_test.go' '"update"' hooks | xargs -r -n1 dirname | sort -u |
  while read -r package; do
    go test "./$package" -update
  done
