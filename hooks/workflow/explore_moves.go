package workflow

import (
	"math/bits"
	"slices"
)

// operation is one effect in the model's terms, on sets of statuses.
type operation struct {
	groups []int
	chosen int   // class that chosen items get, -1
	to     []int // class by class, nil
	all    int   // class that every item gets, -1
	reset  bool  // acknowledgements may go back to missing
	job    int   // started, -1
	retry  int   // value of jobs that are started again, -1
}

func (s *step) effect(m *model, e *Effect) {
	op := operation{chosen: -1, all: -1, job: -1, retry: -1}
	everything := make([]int, len(m.groups))
	for i := range everything {
		everything[i] = i
	}
	switch {
	case e.Job != "":
		for _, j := range m.jobIndexes([]string{e.Job}) {
			op.job = j
			s.starts = append(s.starts, j)
		}
	case e.RetryJobs != "":
		op.retry = jobDead
	case e.SetItems != nil:
		s.decides = true
		op.groups = everything
		if x := e.SetItems; x.Item != "" {
			op.groups = m.groupsNamed(x.Item)
		} else if x.Section != "" {
			op.groups = m.groupsNamed(x.Section)
		}
		for _, members := range m.classes {
			to := e.SetItems.mapped(members[0])
			class, known := m.classOf[to]
			if !known {
				class = m.classOf[members[0]]
			}
			op.to = append(op.to, class)
		}
		if class, known := m.classOf[e.SetItems.Chosen]; known {
			op.chosen = class
		}
	case e.Waive != "":
		s.decides = true
		op.groups, op.all = m.groupsNamed(e.Waive), m.classOf[Waived]
	case e.Invalidate != "":
		s.decides = true
		op.groups, op.all = m.groupsNamed(e.Invalidate), m.classOf[Missing]
	case e.PublishFile != "":
		s.publish = append(s.publish, m.groupsNamed(e.PublishFile))
		for _, g := range m.groupsNamed(e.PublishFile) {
			if m.groups[g].acknowledge {
				op.groups = append(op.groups, g)
			}
		}
		op.reset = true
	default:
		return
	}
	s.ops = append(s.ops, op)
}

// next adds every edge out of a configuration.
func (w *walk) next(at int32) {
	c := w.configs[at]
	s := c.get(w.stateSlot)
	for g := range w.groups {
		if w.groupSlot[g].mask != 0 && w.groupLive[g][s] {
			w.nextItems(at, c, s, g)
		}
	}
	for j := range w.jobs {
		if w.jobLive[j][s] && c.get(w.jobSlot[j]) == jobRunning {
			w.nextJob(at, c, j)
		}
	}
	if w.judgeLive[s] {
		for _, r := range w.judges[s] {
			had := c.get(w.judgeSlot[r.class])
			for person := 1; person <= 2; person++ {
				for _, set := range []int{had | person, person} {
					with := c
					if set == person {
						for k := range w.judgeSlot {
							with.set(w.judgeSlot[k], 0) // this person decided on everything anew
						}
					}
					with.set(w.judgeSlot[r.class], set)
					w.reach(with, at, r.label)
				}
			}
		}
	}
	for _, x := range w.exits[s] {
		w.nextStep(at, c, s, x)
	}
}

// nextItems moves one item of a group.
func (w *walk) nextItems(at int32, c configuration, s, g int) {
	set := c.get(w.groupSlot[g])
	n := w.groups[g].items
	spare := n == 0 || n > bits.OnesCount(uint(set))
	for _, move := range w.moves[s][g] {
		bit := 1 << move.to
		if move.from < 0 {
			if set&bit == 0 && spare {
				w.moved(at, c, g, set|bit, move)
			}
			continue
		}
		if set&(1<<move.from) == 0 || move.provides && w.locked(c, g) {
			continue
		}
		w.moved(at, c, g, set&^(1<<move.from)|bit, move)
		if spare && set&bit == 0 || set&bit != 0 {
			w.moved(at, c, g, set|bit, move)
		}
	}
}

func (w *walk) locked(c configuration, g int) bool {
	l := w.groups[g].lock
	return l >= 0 && c.get(w.lockSlot[l]) == 0
}

func (w *walk) moved(at int32, c configuration, g, set int, move itemMove) {
	veto := c.get(w.vetoSlot[g])
	w.put(&c, g, set)
	switch {
	case move.veto > 0:
		c.set(w.vetoSlot[g], 1)
	case move.veto < 0 && veto == 1:
		open := c
		c.set(w.vetoSlot[g], 0)
		if set&w.open != 0 {
			w.reach(open, at, move.label)
		}
	}
	w.reach(c, at, move.label)
}

// nextJob lets a running job end: well, unless it waits for another, or dead.
// A child of a dead job is dead.
func (w *walk) nextJob(at int32, c configuration, j int) {
	ready, doomed := true, false
	for _, p := range w.parents[j] {
		v := c.get(w.jobSlot[p])
		ready, doomed = ready && v == jobDone, doomed || v == jobDead
	}
	if ready {
		done := c
		done.set(w.jobSlot[j], jobDone)
		w.reach(done, at, w.jobLabels[j][0])
	}
	if ready || doomed {
		dead := c
		dead.set(w.jobSlot[j], jobDead)
		w.reach(dead, at, w.jobLabels[j][1])
	}
}

// nextStep takes a step if its guards let it, by everybody who can.
func (w *walk) nextStep(at int32, c configuration, s int, x exit) {
	step, seen := &w.steps[x.step], &w.seen[x.step]
	var blocked uint64
	for i := range step.clauses {
		if !w.itemsHold(c, &step.clauses[i], seen) {
			blocked |= 1 << min(step.clauses[i].guard, 60)
		}
	}
	for _, j := range step.jobs {
		if !w.jobsHold(c, j) {
			blocked |= 1 << min(j.guard, 60)
			w.notStarted(at, c, j, seen)
		}
	}
	if step.noVeto {
		for g := range w.groups {
			if c.get(w.vetoSlot[g]) != 0 {
				blocked |= 1 << 61
			}
		}
	}
	if !w.effectsPossible(c, step) {
		blocked |= 1 << 62
	}
	people := w.actors(c, s, x, step)
	if len(people) == 0 {
		blocked |= 1 << 63
	}
	if blocked != 0 {
		if !seen.taken && bits.OnesCount64(blocked) < bits.OnesCount64(seen.blocked) {
			seen.blocked, seen.nearest = blocked, at
		}
		return
	}
	seen.taken, seen.from[s] = true, true
	for _, person := range people {
		w.carry(at, c, x, step, person)
	}
}

func (w *walk) itemsHold(c configuration, k *clause, seen *stepSeen) bool {
	holds := !k.any
	for i, g := range k.groups {
		if w.groupSlot[g].mask == 0 {
			if k.any {
				holds = true
			}
			continue
		}
		set := c.get(w.groupSlot[g])
		if k.any {
			holds = holds || set&k.allowed != 0
			continue
		}
		ok := set&^k.allowed == 0
		if set != 0 {
			mark := &seen.some[k.place+i]
			mark[0], mark[1] = true, mark[1] || ok
		}
		holds = holds && ok
	}
	return holds
}

func (w *walk) jobsHold(c configuration, k jobClause) bool {
	is := func(j int) bool { return c.get(w.jobSlot[j]) == k.value }
	if k.any {
		return slices.ContainsFunc(k.jobs, is)
	}
	for _, j := range k.jobs {
		if !is(j) {
			return false
		}
	}
	return true
}

// notStarted remembers a step that waits for a job that nobody has started.
func (w *walk) notStarted(at int32, c configuration, k jobClause, seen *stepSeen) {
	started := func(j int) bool { return c.get(w.jobSlot[j]) != jobNone }
	if k.any && slices.ContainsFunc(k.jobs, started) {
		return
	}
	for _, j := range k.jobs {
		if started(j) {
			continue
		}
		if _, known := seen.unready[j]; !known {
			seen.unready[j] = at
		}
	}
}

// effectsPossible: there must be an item to choose, and one that carries the
// file to hand over.
func (w *walk) effectsPossible(c configuration, step *step) bool {
	there := func(groups []int, classes int) bool {
		return slices.ContainsFunc(groups, func(g int) bool { return w.groupSlot[g].mask == 0 || c.get(w.groupSlot[g])&classes != 0 })
	}
	for _, op := range step.ops {
		if op.chosen >= 0 && !there(op.groups, -1) {
			return false
		}
	}
	for _, groups := range step.publish {
		if !there(groups, -1) {
			return false
		}
	}
	return true
}

// actors are the people who may take the step now, told apart only where the
// model remembers who they were: 0 where that does not matter, 1 for somebody
// who is in no four-eyes guard.
func (w *walk) actors(c configuration, s int, x exit, step *step) []int {
	remembered := step.watch >= 0 && w.didLive[step.watch][step.to] || step.decides && w.judgeLive[step.to]
	if len(step.eyes) == 0 && !remembered {
		return []int{0}
	}
	state := &w.def.States[s]
	var people []int
	other := x.by&(bySystem|byTime) != 0
	for _, role := range step.By {
		if client := w.def.IsClientRole(role); role == "system" || client && x.by&byClient == 0 || !client && !w.present(role, state) {
			continue
		}
		for _, class := range peopleOf(role) {
			k := slices.Index(w.classesOfPeople, class)
			if k < 0 {
				other = true
				continue
			}
			for n := range 2 {
				if person := 2 + 2*k + n; !slices.Contains(people, person) && !w.sameEyes(c, step, k, n) {
					people = append(people, person)
				}
			}
		}
	}
	if other {
		people = append(people, 1)
	}
	if !remembered && len(people) > 0 {
		return []int{0}
	}
	return people
}

// sameEyes says whether a person did what the step must not be done by the same
// person as; if nobody did, whether the person decided on items.
func (w *walk) sameEyes(c configuration, step *step, class, n int) bool {
	for _, d := range step.eyes {
		did := c.get(w.didSlot[d])
		if did == 2+2*class+n || did == 0 && c.get(w.judgeSlot[class])&(1<<n) != 0 {
			return true
		}
	}
	return false
}

// carry carries a step out.
func (w *walk) carry(at int32, c configuration, x exit, step *step, person int) {
	c.set(w.stateSlot, step.to)
	if step.watch >= 0 {
		c.set(w.didSlot[step.watch], max(1, person))
	}
	if w.def.States[step.to].Key == w.def.Initial {
		for _, d := range w.didSlot {
			c.set(d, 0)
		}
	}
	if step.decides && person >= 2 {
		k := (person - 2) / 2
		c.set(w.judgeSlot[k], c.get(w.judgeSlot[k])|1<<((person-2)%2))
	}
	for l, state := range w.locks {
		if state == w.def.States[step.to].Key {
			c.set(w.lockSlot[l], 1)
		}
	}
	if w.forgive && step.noted {
		w.settleGaps(&c)
	}
	results := []configuration{c}
	for i := range step.ops {
		results = w.apply(results, &step.ops[i])
	}
	success := w.def.States[step.to].Outcome == "success" && !step.noted
	for _, r := range results {
		if success {
			w.judgeSuccess(at, r, x.step)
		}
		w.reach(r, at, x.label)
	}
}

// settleGaps counts what is missing or sent back as settled: somebody decided,
// with a note, to go on without.
func (w *walk) settleGaps(c *configuration) {
	for g := range w.groups {
		set := c.get(w.groupSlot[g])
		if w.groups[g].required && set&w.gap != 0 {
			w.put(c, g, set&^w.gap|1<<w.classOf[Accepted])
			c.set(w.vetoSlot[g], 0)
		}
	}
}

func (w *walk) judgeSuccess(at int32, c configuration, step int) {
	for g, group := range w.groups {
		if group.required && c.get(w.groupSlot[g])&w.gap != 0 {
			known := slices.ContainsFunc(w.bad, func(b badSuccess) bool { return b.step == step && b.group == g })
			if !known {
				w.bad = append(w.bad, badSuccess{at, step, g})
			}
		}
	}
}

// apply does one effect; where somebody chooses, every choice.
func (w *walk) apply(list []configuration, op *operation) []configuration {
	switch {
	case op.job >= 0:
		for i := range list {
			list[i].set(w.jobSlot[op.job], jobRunning)
		}
	case op.retry >= 0:
		for i := range list {
			for _, s := range w.jobSlot {
				if list[i].get(s) == op.retry {
					list[i].set(s, jobRunning)
				}
			}
		}
	case op.all >= 0:
		for i := range list {
			for _, g := range op.groups {
				if list[i].get(w.groupSlot[g]) != 0 {
					w.put(&list[i], g, 1<<op.all)
				}
			}
		}
	case op.reset:
		for _, g := range op.groups {
			list = w.reset(list, g)
		}
	default:
		list = w.choose(list, op)
	}
	return list
}

func (w *walk) reset(list []configuration, g int) []configuration {
	for _, c := range list {
		if set := c.get(w.groupSlot[g]); set != 0 && set != 1<<w.classOf[Missing] {
			w.put(&c, g, 1<<w.classOf[Missing])
			list = append(list, c)
		}
	}
	return list
}

// maxChoices bounds what a choice of items unfolds to; beyond it one group at a
// time is chosen from.
const maxChoices = 256

// choose maps statuses and, where items are chosen, gives at least one of them
// the chosen status.
func (w *walk) choose(list []configuration, op *operation) []configuration {
	for i := range list {
		for _, g := range op.groups {
			set, mapped := list[i].get(w.groupSlot[g]), 0
			for class, to := range op.to {
				if set&(1<<class) != 0 {
					mapped |= 1 << to
				}
			}
			w.put(&list[i], g, mapped)
		}
	}
	if op.chosen < 0 {
		return list
	}
	var out []configuration
	for _, c := range list {
		untouched, grown := []configuration{c}, []configuration{}
		free := slices.ContainsFunc(op.groups, func(g int) bool { return w.groupSlot[g].mask == 0 })
		for _, g := range op.groups {
			base := slices.Clone(untouched)
			if len(grown) < maxChoices {
				base = append(base, grown...)
			}
			for _, b := range base {
				set := b.get(w.groupSlot[g])
				for drop := set; set != 0; drop = (drop - 1) & set {
					after := set&^drop | 1<<op.chosen
					if n := w.groups[g].items; n == 0 || bits.OnesCount(uint(after)) <= n {
						with := b
						w.put(&with, g, after)
						grown = append(grown, with)
					}
					if drop == 0 {
						break
					}
				}
			}
		}
		if free {
			grown = append(grown, c)
		}
		slices.SortFunc(grown, func(a, b configuration) int {
			return 2*cmpU(a[0], b[0]) + cmpU(a[1], b[1])
		})
		out = append(out, slices.Compact(grown)...)
	}
	return out
}

func cmpU(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
