#!/usr/bin/env bash
# Runs the Go tests: in random order, and with the race detector where there is a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh

if command -v cc >/dev/null || command -v gcc >/dev/null; then
  CGO_ENABLED=1 go test -race -shuffle=on -timeout 15m "${packages[@]}"
else
  skip "race detector: there is no C compiler here (make install); the Go tests run without it"
  CGO_ENABLED=0 go test -shuffle=on -timeout 15m "${packages[@]}"
fi
