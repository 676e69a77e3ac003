//go:build !race

package hooks_test

const askEvery = 1
