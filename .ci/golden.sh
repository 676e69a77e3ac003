#!/usr/bin/env bash
# Rewrites the golden files: in every package that has some, the tests run with -update.
set -euo pipefail
cd "$(dirname "$0")/.."

find . -name node_modules -prune -o -name '*.golden*' -path '*/testdata/*' -printf '%h\n' | sed 's#/testdata.*##' | sort -u |
  while read -r package; do
    go test "$package" -update
  done
