//go:build !race

package workflow

const plantEvery = 1
