#!/usr/bin/env bash
# Installs what the tests need, where it is missing: a C compiler for the race
# detector, Chromium for the stories in a browser, the front ends' packages, and
# the linter. May be run again at any time; what cannot be installed is said
# loudly, and the tests that need it are skipped as loudly.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh
export GOTOOLCHAIN=auto
export GOFLAGS="${GOFLAGS:--buildvcs=false}"

command -v go >/dev/null || fail "There is no go command. Get Go 1.21 or newer from https://go.dev/dl/."

# Debian's packages.
wanted=()
command -v cc >/dev/null || command -v gcc >/dev/null || wanted+=(gcc libc6-dev)
browser >/dev/null || wanted+=(chromium fonts-liberation)
if [ ${#wanted[@]} -gt 0 ]; then
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo -n)
  if ! command -v apt-get >/dev/null; then
    echo "!!! There is no apt-get here. Install these by hand: ${wanted[*]}" >&2
  elif [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    echo "!!! Installing needs root. Run this yourself: sudo apt-get install -y ${wanted[*]}" >&2
  else
    step "Installing ${wanted[*]}"
    {
      "${root[@]}" apt-get -qq update &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${wanted[@]}" >/dev/null
    } || echo "!!! Not installed: ${wanted[*]}" >&2
  fi
fi

# The packages of the front ends, as their lock files name them.
if node_ready; then
  for part in ui/portal ui/console ui/test; do
    [ -f "$part/package-lock.json" ] || continue
    [ "$part/package-lock.json" -nt "$part/node_modules/.package-lock.json" ] || continue
    step "Installing the packages of $part"
    (cd "$part" && npm ci --no-audit --no-fund --loglevel=error)
  done
fi

# The linter, compiled with the Go version of go.mod: one compiled with an older
# Go refuses newer code. Kept in the user's cache, so that all clones share it.
version=v2.15.0
toolchain="$(go env GOVERSION)"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse/golangci-lint-$version-$toolchain"
if [ ! -x "$cache/golangci-lint" ]; then
  step "Compiling golangci-lint $version (about a minute, once)"
  (cd / && CGO_ENABLED=0 GOTOOLCHAIN="$toolchain" GOBIN="$cache" \
    go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version" 2>&1 | { grep -v '^go: downloading' || true; }) ||
    echo "!!! golangci-lint could not be compiled." >&2
fi
if [ -x "$cache/golangci-lint" ]; then
  mkdir -p .tools/bin
  ln -sf "$cache/golangci-lint" .tools/bin/golangci-lint
fi
