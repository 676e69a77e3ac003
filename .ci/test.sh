#!/usr/bin/env bash
# Everything that must hold before a change goes in, cheapest first.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh
rm -rf test-results

began=$SECONDS
part() {
  local name="$1" from=$SECONDS
  shift
  step "$name"
  "$@" || fail "$name"
  echo "--- $name: $((SECONDS - from)) s"
}

part "Install what the tests need" .ci/install.sh
part "Lint" make --no-print-directory lint
part "Client portal" make --no-print-directory test-portal
part "Staff console" make --no-print-directory test-console
part "Go tests" make --no-print-directory test-go
part "Random walks through the workflows" make --no-print-directory simulate
part "Stories in the browser and over HTTP" make --no-print-directory test-browser

step "All passed in $((SECONDS - began)) s"
if [ -s "$skipped" ]; then
  echo
  echo "!!! But these did NOT run:"
  sed 's/^/!!!   /' "$skipped"
fi
