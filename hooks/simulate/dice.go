package simulate

import "math/rand/v2"

// dice are what the walker chooses by: pseudo-random numbers, or the bytes of a
// fuzz test.
type dice interface {
	n(sides int) int
	spent() bool
}

// rolled are dice of a seed: the same seed and run, the same walk.
type rolled struct{ *rand.Rand }

func roll(seed uint64, run int) dice { return rolled{rand.New(rand.NewPCG(seed, uint64(run)))} }

func (r rolled) n(sides int) int { return r.IntN(sides) }
func (r rolled) spent() bool     { return false }

// given are the bytes of somebody else, until there are none.
type given struct{ rest []byte }

func (g *given) n(sides int) int {
	v := 0
	for range 1 + (sides-1)/256 {
		if len(g.rest) == 0 {
			return v % sides
		}
		v, g.rest = v<<8|int(g.rest[0]), g.rest[1:]
	}
	return v % sides
}

func (g *given) spent() bool { return len(g.rest) == 0 }

// one picks an element; the zero value of an empty list.
func one[T any](d dice, list []T) T {
	var none T
	if len(list) == 0 {
		return none
	}
	return list[d.n(len(list))]
}

// often is true so many times in a hundred.
func often(d dice, percent int) bool { return d.n(100) < percent }
