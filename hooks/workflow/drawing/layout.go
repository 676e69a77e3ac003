package drawing

import (
	"cmp"
	"math"
	"slices"
)

const (
	sweeps   = 24
	boxGap   = 28.0
	lineGap  = 14.0
	layerGap = 16.0
	edge     = 20.0
)

// order sorts each layer so that few lines cross: by the mean place of what a
// node is joined to, down and up again; the best that was seen is kept. After
// Sugiyama, Tagawa and Toda (1981).
func (g *graph) order() {
	g.number()
	best, fewest := g.orders(), g.crossings()
	for n := range sweeps {
		for l := range g.layers {
			if n%2 == 0 {
				sortBy(g.layers[l], func(v *node) []*node { return v.up })
			} else {
				sortBy(g.layers[len(g.layers)-1-l], func(v *node) []*node { return v.down })
			}
			g.number()
		}
		if c := g.crossings(); c < fewest {
			best, fewest = g.orders(), c
		}
	}
	for l := range g.layers {
		g.layers[l] = best[l]
	}
	g.number()
}

func (g *graph) number() {
	for _, layer := range g.layers {
		for at, n := range layer {
			n.at = at
		}
	}
}

func (g *graph) orders() [][]*node {
	list := make([][]*node, len(g.layers))
	for l, layer := range g.layers {
		list[l] = slices.Clone(layer)
	}
	return list
}

func sortBy(layer []*node, neighbours func(*node) []*node) {
	mean := make(map[*node]float64, len(layer))
	for _, n := range layer {
		mean[n] = float64(n.at)
		if near := neighbours(n); len(near) > 0 {
			sum := 0
			for _, m := range near {
				sum += m.at
			}
			mean[n] = float64(sum) / float64(len(near))
		}
	}
	slices.SortStableFunc(layer, func(a, b *node) int { return cmp.Compare(mean[a], mean[b]) })
}

// crossings counts the pairs of lines that cross between two layers.
func (g *graph) crossings() int {
	count := 0
	for _, layer := range g.layers {
		var ends [][2]int
		for _, n := range layer {
			for _, m := range n.down {
				ends = append(ends, [2]int{n.at, m.at})
			}
		}
		for i, a := range ends {
			for _, b := range ends[:i] {
				if (a[0]-b[0])*(a[1]-b[1]) < 0 {
					count++
				}
			}
		}
	}
	return count
}

// spread gives each node its place from side to side: as near as its layer
// leaves room to the middle of what it is joined to.
func (g *graph) spread() {
	for _, layer := range g.layers {
		x := 0.0
		for i, n := range layer {
			if i > 0 {
				x += apart(layer[i-1], n)
			}
			n.x = x
		}
	}
	for n := range sweeps {
		for l := range g.layers {
			if n%2 == 0 {
				settle(g.layers[l], func(v *node) []*node { return v.up })
			} else {
				settle(g.layers[len(g.layers)-1-l], func(v *node) []*node { return v.down })
			}
		}
	}
	left := math.Inf(1)
	for _, layer := range g.layers {
		for _, n := range layer {
			left = min(left, n.x-float64(n.w)/2)
		}
	}
	for _, layer := range g.layers {
		for _, n := range layer {
			n.x = math.Round(n.x - left + edge)
			g.p.Width = max(g.p.Width, int(n.x)+(n.w+1)/2+int(edge))
		}
	}
}

// apart is how far the middles of two neighbours must be from each other.
func apart(a, b *node) float64 {
	gap := lineGap
	if a.h > 0 && b.h > 0 {
		gap = boxGap
	}
	return float64(a.w+b.w)/2 + gap
}

// settle moves the nodes of a layer to the mean of their neighbours, keeping
// their order and distances, so that the squares of what is missing are least:
// isotonic regression by pooling adjacent violators. Lines weigh more, which
// keeps them straight.
func settle(layer []*node, neighbours func(*node) []*node) {
	type pool struct {
		sum, weight float64
		n           int
	}
	var pools []pool
	offset := 0.0
	offsets := make([]float64, len(layer))
	for i, v := range layer {
		if i > 0 {
			offset += apart(layer[i-1], v)
		}
		offsets[i] = offset
		wanted, weight := v.x, 0.2
		if near := neighbours(v); len(near) > 0 {
			wanted, weight = 0, 1
			for _, m := range near {
				wanted += m.x / float64(len(near))
			}
			if v.box < 0 {
				weight = 3
			}
		}
		pools = append(pools, pool{(wanted - offset) * weight, weight, 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/a.weight <= b.sum/b.weight {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + b.sum, a.weight + b.weight, a.n + b.n})
		}
	}
	i := 0
	for _, p := range pools {
		for range p.n {
			layer[i].x = p.sum/p.weight + offsets[i]
			i++
		}
	}
}

// stack gives each layer its height, and boxes and signs their places.
func (g *graph) stack() {
	y := edge
	for _, layer := range g.layers {
		height := 0.0
		for _, n := range layer {
			height = max(height, float64(n.h))
		}
		g.tops, g.heights = append(g.tops, y), append(g.heights, height)
		for _, n := range layer {
			n.y = y + math.Round((height-float64(n.h))/2)
			x := int(n.x) - n.w/2
			if n.box >= 0 {
				b := &g.p.States[n.box]
				b.X, b.Y = x, int(n.y)
			} else if n.sign != nil {
				n.sign.X, n.sign.Y = x, int(n.y)
			}
		}
		y += height + layerGap
	}
	g.p.Height = int(y - layerGap + edge)
}

// trace writes down the line of every step: from port to port along its bundle.
func (g *graph) trace() {
	for _, b := range g.bundles {
		for at, i := range b.steps {
			s := &g.p.Steps[i]
			from, to := g.boxes[s.From], g.boxes[s.To]
			if at == 0 {
				s.Sign = b.end().sign
			}
			if !b.back {
				line := b.line[from.layer+1-b.from:]
				s.Points = append(s.Points, port(from, line[0], true))
				for _, n := range line {
					s.Points = append(s.Points, g.upper(n), g.lower(n))
				}
				s.Points = append(s.Points, port(to, line[len(line)-1], false))
				continue
			}
			line := b.line[:max(from.layer-b.from, 1)]
			s.Points = append(s.Points, port(from, line[len(line)-1], from.layer == to.layer))
			for _, n := range slices.Backward(line) {
				if from.layer == to.layer {
					s.Points = append(s.Points, middle(n)) // down to the sign, and up again
					break
				}
				s.Points = append(s.Points, g.lower(n), g.upper(n))
			}
			s.Points = append(s.Points, port(to, line[0], true))
		}
	}
}

// end is the node of a bundle beside the box it leads to: the one with the sign.
func (b *bundle) end() *node {
	if b.back {
		return b.line[0]
	}
	return b.line[len(b.line)-1]
}

func (g *graph) upper(n *node) [2]int { return [2]int{int(n.x), int(g.tops[n.layer])} }

func (g *graph) lower(n *node) [2]int {
	return [2]int{int(n.x), int(g.tops[n.layer] + g.heights[n.layer])}
}

func middle(n *node) [2]int { return [2]int{int(n.x), int(n.y) + n.h/2} }

// port is where the line to a node leaves a box: lines lie beside each other on
// its edge in the order of where they go.
func port(box, to *node, below bool) [2]int {
	side, y := box.up, box.y
	if below {
		side, y = box.down, box.y+float64(box.h)
	}
	sorted := slices.Clone(side)
	slices.SortStableFunc(sorted, func(a, b *node) int { return cmp.Compare(a.x, b.x) })
	at := slices.Index(sorted, to)
	step := min(30, float64(box.w-32)/float64(max(len(sorted)-1, 1)))
	return [2]int{int(math.Round(box.x + step*(float64(at)-float64(len(sorted)-1)/2))), int(y)}
}
