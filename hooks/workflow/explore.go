package workflow

// The checker's model. explore*.go walk through every configuration that a
// request of a definition can be in, and judge each:
//
//	explore.go        what a configuration is; the walk, breadth first
//	explore_model.go  from a definition to the model: groups, jobs, people
//	explore_facts.go  conditions on fields
//	explore_fold.go   statuses that make no difference
//	explore_live.go   what can still be read where
//	explore_moves.go  what can happen in a configuration
//	explore_rules.go  what must hold (C1 to C6, jobs, four eyes, circles)
//	explore_words.go  paths and reasons in words
//
// A configuration is a state and, packed into bits beside it:
//
//   - for each group of items with equal rights the SET of statuses that are
//     present. For items that do not know of each other and guards that say
//     "all" or "any" this loses nothing once there are enough items; for a
//     group of n items no set larger than n is walked.
//   - for each job none, running, done (skipped counts as done) or dead;
//   - which states that unlock items were entered, which vetoes are open;
//   - who did the last of each step that a four-eyes guard names, and who
//     decided on items. Every class has two people; a delegate is the giver.
//
// What cannot be read any more in a state is forgotten there, and people of one
// class are told apart only by being the same or not: both keep the walk small
// and lose nothing.
//
// Fields, expressions, time and what happens outside are not in it. Where a
// rule asks "can this be reached?" to forbid something (C6), they are taken as
// possible: more is walked than can happen, so nothing bad is missed. Where a
// rule asks "is there a way on?" (C3, C4, C5), they are taken as possible too:
// what is refused has no way on whatever the fields say, so nothing good is
// refused. The exception are conditions with few values that the side whose
// turn it is cannot influence (a choice, a yes or no, rounds left): there every
// value must leave a way on.
//
// If the walk grows past its bound the groups are walked a few at a time, then
// one by one, with the guards on the others taken as possible; a definition
// whose single groups are too many configurations is refused as too large to
// prove.

// configuration is a configuration, packed; two equal ones are one.
type configuration [2]uint64

// slot is where a part of a configuration lies.
type slot struct {
	word, shift uint8
	mask        uint64 // 0: not part of this walk
}

func (c *configuration) get(s slot) int { return int(c[s.word] >> s.shift & s.mask) }

func (c *configuration) set(s slot, v int) {
	c[s.word] = c[s.word]&^(s.mask<<s.shift) | uint64(v)&s.mask<<s.shift
}

// Bounds of a walk. A definition of 40 states and 60 items stays far below.
const (
	maxConfigs = 60_000
	maxEdges   = 1_500_000
	maxWork    = 6_000_000 // edges of all walks together
)

// Who takes an edge: bits, since more than one may.
const (
	byClient = 1 << iota
	byStaff
	bySystem // at once
	byTime   // the system, when time has come
	byJob    // a system outside: a job is done or dead
)

// edge leads from one configuration to another by a label of the model.
type edge struct {
	to    int32
	label int32
}

// walk is the graph of all configurations that can be reached.
type walk struct {
	*model
	forgive bool // a noted override settles what is missing or sent back
	layout

	configs []configuration
	index   map[configuration]int32
	parent  []int32 // of each but the first, on a shortest path
	via     []int32 // the label that led there
	first   []int32 // where the edges of each begin
	edges   []edge
	full    bool // a bound was met

	met       []bool // by state
	backFirst []int32
	back      []edge

	seen []stepSeen // by step
	bad  []badSuccess
}

// stepSeen is what the walk saw of a step.
type stepSeen struct {
	taken   bool
	from    map[int]bool  // states where it was possible
	blocked uint64        // the guards in the way where the fewest were
	nearest int32         // and the configuration
	some    [][2]bool     // of each clause and group: seen with items, seen satisfied
	unready map[int]int32 // job → first configuration in which nobody had started it
}

// badSuccess is an edge to success with something missing or sent back.
type badSuccess struct {
	from  int32
	step  int
	group int
}

// explore walks the model with the given groups.
func (m *model) explore(groups []int, forgive bool) *walk {
	w := &walk{model: m, forgive: forgive, index: map[configuration]int32{}, seen: make([]stepSeen, len(m.steps))}
	for i := range w.seen {
		w.seen[i] = stepSeen{from: map[int]bool{}, blocked: ^uint64(0), some: make([][2]bool, m.steps[i].places), unready: map[int]int32{}}
	}
	if w.full = !w.lay(groups); w.full {
		return w
	}
	for _, c := range w.starts() {
		w.reach(c, -1, -1)
	}
	for at := 0; at < len(w.configs); at++ {
		w.first = append(w.first, int32(len(w.edges)))
		w.next(int32(at))
		if len(w.configs) > maxConfigs || len(w.edges) > maxEdges {
			w.full = true
			return w
		}
	}
	w.first = append(w.first, int32(len(w.edges)))
	return w
}

// reach adds a configuration, or finds it.
func (w *walk) reach(c configuration, from, label int32) {
	w.forget(&c)
	at, ok := w.index[c]
	if !ok {
		at = int32(len(w.configs))
		w.index[c] = at
		w.configs = append(w.configs, c)
		w.parent, w.via = append(w.parent, from), append(w.via, label)
	}
	if from >= 0 && at != from {
		w.edges = append(w.edges, edge{at, label})
	}
}

// from lists the edges out of a configuration.
func (w *walk) from(at int32) []edge { return w.edges[w.first[at]:w.first[at+1]] }

func (w *walk) state(at int32) int { return w.configs[at].get(w.stateSlot) }

// layout says where the parts of a configuration lie in a walk.
type layout struct {
	stateSlot slot
	groupSlot []slot
	vetoSlot  []slot // by group
	jobSlot   []slot
	lockSlot  []slot
	didSlot   []slot // by watched step: 0 nobody, 1 somebody who does not matter, else a person
	judgeSlot []slot // by class: which of its two people decided on items
	bits      int
}

func (l *layout) take(width int) slot {
	if l.bits%64+width > 64 {
		l.bits += 64 - l.bits%64
	}
	s := slot{word: uint8(l.bits / 64 % 2), shift: uint8(l.bits % 64), mask: 1<<width - 1}
	l.bits += width
	return s
}

// lay gives each part of the model its place; false if they do not fit.
func (w *walk) lay(groups []int) bool {
	w.stateSlot = w.take(16)
	w.groupSlot, w.vetoSlot = make([]slot, len(w.groups)), make([]slot, len(w.groups))
	for _, g := range groups {
		w.groupSlot[g] = w.take(len(w.classes))
		if w.vetoRead && len(w.groups[g].veto) > 0 {
			w.vetoSlot[g] = w.take(1)
		}
	}
	for range w.jobs {
		w.jobSlot = append(w.jobSlot, w.take(2))
	}
	for range w.locks {
		w.lockSlot = append(w.lockSlot, w.take(1))
	}
	for range w.watched {
		w.didSlot = append(w.didSlot, w.take(6))
	}
	for range w.classesOfPeople {
		w.judgeSlot = append(w.judgeSlot, w.take(2))
	}
	return w.bits <= 128 && len(w.def.States) < 1<<16 && len(w.classesOfPeople) < 30
}

// starts are the configurations of a request that was just opened. Groups whose
// items all depend on something may be empty.
func (w *walk) starts() []configuration {
	var c configuration
	c.set(w.stateSlot, w.stateIndex[w.def.Initial])
	for l, state := range w.locks {
		if state == w.def.Initial {
			c.set(w.lockSlot[l], 1)
		}
	}
	list := []configuration{c}
	for g, group := range w.groups {
		if w.groupSlot[g].mask == 0 {
			continue
		}
		for i := range list {
			with := list[i]
			w.put(&with, g, 1<<w.classOf[Missing])
			if group.mayBeEmpty {
				list = append(list, with)
			} else {
				list[i] = with
			}
		}
		if len(list) > maxConfigs {
			break // reach will say so
		}
	}
	return list
}

// forget drops what cannot be read any more, and names people of one class in
// the order in which they appear.
func (w *walk) forget(c *configuration) {
	s := c.get(w.stateSlot)
	for g := range w.groups {
		if !w.groupLive[g][s] {
			c.set(w.groupSlot[g], 0)
		}
		if !w.vetoLive[g][s] {
			c.set(w.vetoSlot[g], 0)
		}
	}
	for j := range w.jobs {
		if !w.jobLive[j][s] {
			c.set(w.jobSlot[j], 0)
		}
	}
	for d := range w.watched {
		if !w.didLive[d][s] {
			c.set(w.didSlot[d], 0)
		}
	}
	for k := range w.judgeSlot {
		if !w.judgeLive[s] {
			c.set(w.judgeSlot[k], 0)
		}
	}
	w.nameInOrder(c)
}

// nameInOrder swaps the two people of a class where the second comes first.
func (w *walk) nameInOrder(c *configuration) {
	for k := range w.judgeSlot {
		first := 0
		for _, s := range w.didSlot {
			if v := c.get(s); v >= 2 && (v-2)/2 == k {
				first = (v-2)%2 + 1
				break
			}
		}
		judges := c.get(w.judgeSlot[k])
		if first == 1 || first == 0 && judges != 2 {
			continue
		}
		for _, s := range w.didSlot {
			if v := c.get(s); v >= 2 && (v-2)/2 == k {
				c.set(s, 2+2*k+(1-(v-2)%2))
			}
		}
		c.set(w.judgeSlot[k], judges>>1|judges&1<<1)
	}
}
