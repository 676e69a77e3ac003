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

# behind starts a part that needs nothing but the processor beside the ones that come, on what they leave of it; join
# waits for it and shows what it said.
behind() {
  local name="$1" from=$SECONDS
  shift
  mkdir -p test-results
  { nice -n 19 "$@" && echo "--- $name: $((SECONDS - from)) s, beside others"; } >"test-results/$name.log" 2>&1 &
  others+=("$name:$!")
}
join() {
  local other
  for other in "${others[@]}"; do
    step "${other%:*}"
    wait "${other##*:}" || { cat "test-results/${other%:*}.log"; fail "${other%:*}"; }
    cat "test-results/${other%:*}.log"
  done
}
others=()
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

part "Install what the tests need" .ci/install.sh
part "Lint" make --no-print-directory lint
part "Client portal" make --no-print-directory test-portal
part "Staff console" make --no-print-directory test-console
part "Go tests, watched for races" .ci/go.sh watched
part "Compile" make --no-print-directory build
behind "Random walks through the workflows" .ci/simulate.sh
behind "Go tests, unwatched" .ci/go.sh unwatched
part "Stories in the browser and over HTTP" .ci/browser.sh
join

step "All passed in $((SECONDS - began)) s"
if [ -s "$skipped" ]; then
  echo
  echo "!!! But these did NOT run:"
  sed 's/^/!!!   /' "$skipped"
fi
