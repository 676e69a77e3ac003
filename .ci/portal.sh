#!/usr/bin/env bash
# Checks, lints and tests the client portal, then builds it beside pb_public and
# compares the two byte by byte: what is embedded is what the source says.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/say.sh

if ! node_ready; then
  skip "client portal: its checks need Node 20.19 or newer with npm"
  exit
fi
[ -d ui/portal/node_modules ] || fail "The packages of ui/portal are not installed. Run: make install"

built="$(mktemp -d)"
trap 'rm -rf "$built"' EXIT

cd ui/portal
npm run --silent check
npm run --silent lint
npm run --silent test
npx --no-install vite build --logLevel warn --outDir "$built" --emptyOutDir
cd ../..
if ! diff -rq "$built" pb_public; then
  fail "pb_public is not what ui/portal builds. Run 'make ui' and commit the result."
fi
