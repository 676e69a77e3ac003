#!/usr/bin/env bash
# Runs the Go tests: in random order, and with the race detector where there is a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh

# SQLite is C turned into Go, with memory of its own, and password hashing is slow
# on purpose: watching them would take ten times as long and tell us nothing.
unwatched=(-gcflags=modernc.org/...=-race=false -gcflags=golang.org/x/crypto/...=-race=false)

# One thing after the other in these: there is nothing to watch. And of who sees what, a part is watched, the whole
# is asked here: everybody, every rule without one of its clauses, every random world.
unraced=(./hooks/simulate ./hooks/demo)
mapfile -t raced < <(go list "${packages[@]}" | grep -v -e '/hooks/simulate$' -e '/hooks/demo$')

if command -v cc >/dev/null || command -v gcc >/dev/null; then
  CGO_ENABLED=1 go test -race "${unwatched[@]}" -shuffle=on -timeout 20m "${raced[@]}"
  CGO_ENABLED=0 go test -shuffle=on -timeout 15m "${unraced[@]}" &
  others=$!
  CGO_ENABLED=0 go test -timeout 15m -v -run '^(TestMatrix|TestExplain_agrees)' ./hooks | grep -v '^=== '
  wait "$others"
else
  skip "race detector: there is no C compiler here (make install); the Go tests run without it"
  CGO_ENABLED=0 go test -shuffle=on -timeout 20m "${packages[@]}"
fi
