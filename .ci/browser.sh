#!/usr/bin/env bash
# Runs the stories of ui/test against ./gatehouse. Without a browser only those
# over HTTP run, and that is said loudly.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh

if ! node_ready; then
  skip "browser tests, cheats and README check: they need Node 20.19 or newer with npm"
  exit
fi
[ -x gatehouse ] || fail "There is no ./gatehouse. Run: make build"
[ -d ui/test/node_modules ] || fail "The packages of ui/test are not installed. Run: make install"

if CHROME_PATH="$(browser)"; then
  export CHROME_PATH
else
  skip "browser stories: there is no Chromium here (make install, or set CHROME_PATH)"
  unset CHROME_PATH
fi
cd ui/test
# One file at a time: the stories share two cores with a server and a browser.
node --test --test-concurrency=1 --test-reporter=spec ./*.test.mjs
