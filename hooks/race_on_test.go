//go:build race

package hooks_test

// The race detector makes everything several times slower: of what only asks the
// same questions of many people and worlds, it watches a part. The whole runs
// without it (.ci/go.sh).
const askEvery = 8
