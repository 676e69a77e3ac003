package drawing

// layOut gives every box and every step its place: the state that a request
// starts in on top, each other state below all that lead to it. Steps back, and
// reopenings, go upwards.
func layOut(p *Picture) {
	g := newGraph(p)
	g.order()
	g.spread()
	g.stack()
	g.trace()
}

// node is a box, a sign, or the place where a line passes a layer. Boxes are on
// the even layers, signs on the odd ones between them.
type node struct {
	layer, at int // at: the place on the layer, from the start
	w, h      int
	x, y      float64 // the middle; the upper edge
	box       int     // index of the state; -1 for a sign or a line
	sign      *Sign
	up, down  []*node
}

// bundle is the steps of one transition that come to the same state from the
// same direction: they share a line.
type bundle struct {
	steps []int // indexes of the picture's steps
	line  []*node
	from  int // layer of the first of the line
	back  bool
}

type graph struct {
	p       *Picture
	boxes   map[string]*node
	bundles []*bundle
	layers  [][]*node
	tops    []float64 // upper edge of each layer
	heights []float64
}

func newGraph(p *Picture) *graph {
	g := &graph{p: p, boxes: map[string]*node{}}
	levels := levelsOf(p)
	for i, s := range p.States {
		n := &node{layer: 2 * levels[s.Key], w: s.W, h: s.H, box: i}
		g.boxes[s.Key] = n
		g.put(n)
	}
	for _, steps := range bundled(p, levels) {
		g.bundles = append(g.bundles, g.bundle(steps))
	}
	return g
}

func (g *graph) put(n *node) {
	for len(g.layers) <= n.layer {
		g.layers = append(g.layers, nil)
	}
	g.layers[n.layer] = append(g.layers[n.layer], n)
}

// drawn says whether a step leads from one box to another.
func drawn(levels map[string]int, s Step) bool {
	_, from := levels[s.From]
	_, to := levels[s.To]
	return from && to && s.From != s.To
}

// bundled groups the steps that share a line.
func bundled(p *Picture, levels map[string]int) [][]int {
	type which struct {
		key, to string
		back    bool
	}
	var list [][]int
	found := map[which]int{}
	for i, s := range p.Steps {
		if !drawn(levels, s) {
			continue
		}
		w := which{s.Key, s.To, levels[s.From] >= levels[s.To]}
		n, ok := found[w]
		if !ok {
			n = len(list)
			found[w], list = n, append(list, nil)
		}
		list[n] = append(list[n], i)
	}
	return list
}

// bundle lays a line from the farthest box that a bundle comes from to the box
// it leads to; nearer boxes join it on the way. The sign stands beside the end.
func (g *graph) bundle(steps []int) *bundle {
	first := g.p.Steps[steps[0]]
	to := g.boxes[first.To]
	b := &bundle{steps: steps, back: g.boxes[first.From].layer >= to.layer}
	last := to.layer - 1
	if b.back {
		b.from, last = to.layer+1, to.layer+1
	} else {
		b.from = last
	}
	for _, i := range steps {
		from := g.boxes[g.p.Steps[i].From].layer
		if b.back {
			last = max(last, from-1)
		} else {
			b.from = min(b.from, from+1)
		}
	}
	for layer := b.from; layer <= last; layer++ {
		n := &node{layer: layer, w: 8, box: -1}
		g.put(n)
		if len(b.line) > 0 {
			join(b.line[len(b.line)-1], n)
		}
		b.line = append(b.line, n)
	}
	g.sign(b, first)
	for _, i := range steps {
		from := g.boxes[g.p.Steps[i].From]
		switch {
		case !b.back:
			join(from, b.line[from.layer+1-b.from])
		case from.layer == to.layer:
			join(from, b.line[0])
		default:
			join(b.line[from.layer-1-b.from], from)
		}
	}
	if b.back {
		join(to, b.line[0])
	} else {
		join(b.line[len(b.line)-1], to)
	}
	return b
}

func (g *graph) sign(b *bundle, s Step) {
	n := b.line[len(b.line)-1]
	if b.back {
		n = b.line[0]
	}
	lines := wrap(s.Label, signLetters)
	if s.By != "" {
		lines = append(lines, wrap(s.By, signLetters)...)
	}
	n.sign = &Sign{Lines: lines, H: signHeight*len(lines) + signPadding}
	for _, line := range lines {
		n.sign.W = max(n.sign.W, letterWidth*len([]rune(line))+2*signPadding)
	}
	n.w, n.h = n.sign.W, n.sign.H
}

func join(upper, lower *node) {
	upper.down, lower.up = append(upper.down, lower), append(lower.up, upper)
}

// levelsOf puts each state below all that lead to it, steps back aside.
func levelsOf(p *Picture) map[string]int {
	forward, order := forwardOf(p)
	levels := make(map[string]int, len(order))
	for _, key := range order {
		levels[key] = max(levels[key], 0)
		for _, to := range forward[key] {
			levels[to] = max(levels[to], levels[key]+1)
		}
	}
	return levels
}

// forwardOf gives the steps that go on, by state, and the states in an order in
// which each comes after all that lead to it. A step from an end to what is not
// one is a reopening, whatever else leads there.
func forwardOf(p *Picture) (map[string][]string, []string) {
	states := map[string]Box{}
	for _, s := range p.States {
		states[s.Key] = s
	}
	out := map[string][]string{}
	for _, s := range p.Steps {
		from, to := states[s.From], states[s.To]
		reopens := from.Category == "done" && to.Category != "done"
		if from.Key != "" && to.Key != "" && from.Key != to.Key && !reopens {
			out[s.From] = append(out[s.From], s.To)
		}
	}
	forward, finished := map[string][]string{}, []string{}
	const open, done = 1, 2
	seen := map[string]int{}
	var visit func(key string)
	visit = func(key string) {
		seen[key] = open
		for _, to := range out[key] {
			if seen[to] == 0 {
				visit(to)
			}
			if seen[to] == done {
				forward[key] = append(forward[key], to)
			}
		}
		seen[key] = done
		finished = append(finished, key)
	}
	for _, initial := range []bool{true, false} {
		for _, s := range p.States {
			if s.Initial == initial && seen[s.Key] == 0 {
				visit(s.Key)
			}
		}
	}
	for i, j := 0, len(finished)-1; i < j; i, j = i+1, j-1 {
		finished[i], finished[j] = finished[j], finished[i]
	}
	return forward, finished
}
