#!/usr/bin/env bash
# Lints the Go code with the linters that .golangci.yml names.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh

if [ ! -x .tools/bin/golangci-lint ]; then
  skip "lint: golangci-lint is not installed (make install); go vet runs alone"
  go vet "${packages[@]}"
  exit
fi
.tools/bin/golangci-lint run "${packages[@]}"
