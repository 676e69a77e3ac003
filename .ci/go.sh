#!/usr/bin/env bash
# Runs the Go tests: in random order, and with the race detector where there is a C compiler. With "watched" or
# "unwatched" only that half of them.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh

# SQLite is C turned into Go, with memory of its own, and password hashing is slow
# on purpose: watching them would take ten times as long and tell us nothing.
foreign=(-gcflags=modernc.org/...=-race=false -gcflags=golang.org/x/crypto/...=-race=false)

# One thing after the other in these: there is nothing to watch. And of who sees what, a part is watched, the whole
# is asked here: everybody, every rule without one of its clauses, every random world.
unraced=(./hooks/simulate ./hooks/demo)
mapfile -t raced < <(go list "${packages[@]}" | grep -v -e '/hooks/simulate$' -e '/hooks/demo$')

watched() {
  CGO_ENABLED=1 go test -race "${foreign[@]}" -shuffle=on -timeout 20m "${raced[@]}"
}
unwatched() {
  CGO_ENABLED=0 go test -shuffle=on -timeout 20m "${unraced[@]}"
  CGO_ENABLED=0 go test -timeout 20m -v -run '^(TestMatrix|TestExplain_agrees)' ./hooks | grep -v '^=== '
}

if ! command -v cc >/dev/null && ! command -v gcc >/dev/null; then
  [ "${1:-}" = unwatched ] && exit
  skip "race detector: there is no C compiler here (make install); the Go tests run without it"
  CGO_ENABLED=0 go test -shuffle=on -timeout 20m "${packages[@]}"
  exit
fi
case "${1:-all}" in
  all) watched && unwatched ;;
  watched) watched ;;
  unwatched) unwatched ;;
esac
