package workflow

import "slices"

// liveness works out in which states each part of a configuration can still be
// read: by a guard, an effect or a rule, in the state or in one that follows.
func (m *model) liveness() {
	n := len(m.def.States)
	success := func(s *step) bool { return m.def.States[s.to].Outcome == "success" && !s.noted }
	for g := range m.groups {
		m.groupLive = append(m.groupLive, m.flowBack(n, func(s *step) bool { return s.reads(g) || m.groups[g].required && success(s) }, nil))
		m.vetoLive = append(m.vetoLive, m.flowBack(n, func(s *step) bool { return s.noVeto }, nil))
	}
	for j := range m.jobs {
		m.jobLive = append(m.jobLive, m.flowBack(n, func(s *step) bool { return s.waitsFor(j) }, func(s *step) bool { return slices.Contains(s.starts, j) }))
	}
	for range m.jobs { // a job that waits for another needs to know of it
		for j, parents := range m.parents {
			for _, p := range parents {
				for s := range n {
					m.jobLive[p][s] = m.jobLive[p][s] || m.jobLive[j][s]
				}
			}
		}
	}
	m.judgeLive = make([]bool, n)
	for d := range m.watched {
		ends := func(s *step) bool { return s.watch == d || m.def.States[s.to].Key == m.def.Initial }
		m.didLive = append(m.didLive, m.flowBack(n, func(s *step) bool { return slices.Contains(s.eyes, d) }, ends))
		notYet := m.notYet(n, d)
		reads := make([]bool, n)
		for changed := true; changed; {
			changed = false
			for at := range n {
				for _, x := range m.exits[at] {
					s := &m.steps[x.step]
					if !reads[at] && notYet[at] && (slices.Contains(s.eyes, d) || s.watch != d && reads[s.to]) {
						reads[at], changed = true, true
					}
				}
			}
		}
		for at := range n {
			m.judgeLive[at] = m.judgeLive[at] || reads[at]
		}
	}
}

// flowBack marks the states from which something is read before it is written
// anew.
func (m *model) flowBack(n int, reads, writes func(*step) bool) []bool {
	live := make([]bool, n)
	for changed := true; changed; {
		changed = false
		for at := range n {
			if live[at] {
				continue
			}
			for _, x := range m.exits[at] {
				s := &m.steps[x.step]
				if reads(s) || live[s.to] && (writes == nil || !writes(s)) {
					live[at], changed = true, true
					break
				}
			}
		}
	}
	return live
}

// notYet marks the states in which a watched step need not have been taken
// since the request was last in its initial state.
func (m *model) notYet(n, d int) []bool {
	marked := make([]bool, n)
	marked[m.stateIndex[m.def.Initial]] = true
	for changed := true; changed; {
		changed = false
		for at := range n {
			for _, x := range m.exits[at] {
				if s := &m.steps[x.step]; marked[at] && s.watch != d && !marked[s.to] {
					marked[s.to], changed = true, true
				}
			}
		}
	}
	return marked
}

func (s *step) reads(g int) bool {
	return slices.ContainsFunc(s.clauses, func(c clause) bool { return slices.Contains(c.groups, g) }) ||
		slices.ContainsFunc(s.ops, func(op operation) bool { return op.chosen >= 0 && slices.Contains(op.groups, g) }) ||
		slices.ContainsFunc(s.publish, func(groups []int) bool { return slices.Contains(groups, g) })
}

func (s *step) waitsFor(j int) bool {
	return slices.ContainsFunc(s.jobs, func(c jobClause) bool { return slices.Contains(c.jobs, j) })
}
