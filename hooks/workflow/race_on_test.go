//go:build race

package workflow

// The race detector makes everything several times slower, and there is nothing
// to find in pure code that a part of it would not show.
const plantEvery = 12
