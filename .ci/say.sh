# What the scripts beside this one share; to be sourced.

# The skipped parts of this run, one line each; test.sh shows them again at the end.
skipped=test-results/skipped

step() { printf '\n=== %s\n' "$*"; }

# skip says loudly what does not run, and why.
skip() {
  printf '\n!!! SKIPPED: %s\n\n' "$*" >&2
  mkdir -p "$(dirname "$skipped")"
  printf '%s\n' "$*" >>"$skipped"
}

fail() {
  printf '\nFAILED: %s\n' "$*" >&2
  exit 1
}

# node_ready tells whether there is a Node that the front ends can be built with.
node_ready() {
  command -v npm >/dev/null && command -v node >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

# browser prints the path of a Chromium, or fails.
browser() {
  if [ -n "${CHROME_PATH:-}" ]; then
    echo "$CHROME_PATH"
    return
  fi
  local name
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    command -v "$name" && return
  done
  return 1
}

# Our own Go packages. Not ./...: packages of npm bring Go files along.
packages=(. ./hooks/... ./pb_migrations/...)
