#!/usr/bin/env bash
# Lints and tests the staff console: plain ES modules, no build.
set -euo pipefail
cd "$(dirname "$0")/../ui/console"
. ../../.ci/say.sh

if ! node_ready; then
  cd ../..
  skip "staff console: its checks need Node 20.19 or newer with npm"
  exit
fi
npm run --silent lint
npm run --silent test
