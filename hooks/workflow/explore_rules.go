package workflow

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// explore walks the model and reports what breaks a rule.
func (k *checker) explore() {
	m := newModel(k.Compiled)
	if len(m.def.States) == 0 || m.def.State(m.def.Initial) == nil {
		return
	}
	plain, ok := m.walks(false)
	forgiving := plain
	if ok && slices.ContainsFunc(m.steps, func(s step) bool { return s.noted }) {
		forgiving, ok = m.walks(true)
	}
	if !ok {
		k.fault("states", "too_large_to_prove", "This definition has more configurations than can be looked at, so nothing can be said about it. Give sections the same rights in more states, or split the workflow.")
		return
	}
	k.reachedStates(plain)
	k.takenSteps(plain)
	for _, w := range plain {
		w.reverse()
		stuck := k.ends(w)
		k.turnsHonest(w, stuck)
		k.guardsMet(w)
		k.circles(w)
	}
	for _, w := range forgiving {
		k.successes(w)
	}
}

// walks explores all groups at once or, where that is too much, a few at a time,
// and in the end each alone.
func (m *model) walks(forgive bool) ([]*walk, bool) {
	const few = 4
	all := make([]int, len(m.groups))
	for i := range all {
		all[i] = i
	}
	var done []*walk
	work := 0
	for queue := [][]int{all}; len(queue) > 0; queue = queue[1:] {
		part := queue[0]
		w := m.explore(part, forgive)
		if work += len(w.edges); work > maxWork {
			return nil, false
		}
		switch {
		case !w.full:
			done = append(done, w)
		case len(part) > few:
			queue = append(queue, slices.Collect(slices.Chunk(part, few))...)
		case len(part) > 1:
			queue = append(queue, slices.Collect(slices.Chunk(part, 1))...)
		default:
			return nil, false
		}
	}
	return done, true
}

// reached says whether a state is met in every walk.
func reached(walks []*walk, state int) bool {
	return !slices.ContainsFunc(walks, func(w *walk) bool { return !w.met[state] })
}

func (k *checker) reachedStates(walks []*walk) {
	for _, w := range walks {
		w.met = make([]bool, len(k.States))
		for i := range w.configs {
			w.met[w.state(int32(i))] = true
		}
	}
	for i := range k.States {
		if !reached(walks, i) && k.onPath[k.States[i].Key] {
			k.fault(fmt.Sprintf("states[%d]", i), "unreachable", fmt.Sprintf("No request can ever come to %q: every step that leads there needs something that cannot be.", k.States[i].Key))
		}
	}
}

// takenSteps reports steps that can never be taken, with what stands in the way
// where they come nearest.
func (k *checker) takenSteps(walks []*walk) {
	m := walks[0].model
	for i := range m.steps {
		s := &m.steps[i]
		path := fmt.Sprintf("transitions[%d]", i)
		able, visited := false, false
		for at := range k.States {
			from := &k.States[at]
			if !slices.Contains(s.From, from.Key) || s.to < 0 || !reached(walks, at) {
				continue
			}
			visited = true
			open := slices.ContainsFunc(m.exits[at], func(x exit) bool { return x.step == i })
			able = able || open
			if field := m.fillable(s.Transition, from, firstSide(m, s)); field != "" {
				k.warn(fmt.Sprintf("%s.guard[%d]", path, fieldsGuard(s.Transition)), "field_never_filled", fmt.Sprintf("Step %q from %q needs the field %q, which can only be given when the request is opened: let the side whose turn it is provide a section in a state before.", s.Key, from.Key, field))
			}
			if !open && len(s.From) > 1 {
				k.add("warning", path+".from", "nobody_there", fmt.Sprintf("From %q nobody of %s can take step %q: %s.", from.Key, strings.Join(s.By, ", "), s.Key, m.shutOut(from)))
			}
		}
		if !visited {
			continue
		}
		if !able {
			k.fault(path+".by", "never_happens", fmt.Sprintf("Step %q can never be taken: %s.", s.Key, m.shutOut(k.State(s.From[0]))))
			continue
		}
		for _, w := range walks {
			if seen := &w.seen[i]; !seen.taken && seen.blocked != ^uint64(0) {
				k.neverTaken(w, i, path)
				break
			}
		}
	}
}

func firstSide(m *model, s *step) string {
	for _, role := range s.By {
		if role != "system" {
			if m.def.IsClientRole(role) {
				return "client"
			}
			return "staff"
		}
	}
	return "system"
}

func fieldsGuard(t *Transition) int {
	return max(0, slices.IndexFunc(t.Guard, func(g Guard) bool { return g.FieldsComplete != "" }))
}

// shutOut says why nobody can act in a state.
func (m *model) shutOut(s *State) string {
	switch {
	case s == nil:
		return "nobody is there"
	case len(s.RestrictedTo) > 0:
		return fmt.Sprintf("the state is for %s only", strings.Join(s.RestrictedTo, ", "))
	case s.TippingOffSafe:
		return "the client must not notice that state"
	case !s.Visible():
		return "the client does not see that state"
	}
	return "nobody who may take it can act there"
}

func (k *checker) neverTaken(w *walk, i int, path string) {
	s, seen := &w.steps[i], &w.seen[i]
	code := "never_happens"
	if seen.blocked == 1<<63 {
		code = "four_eyes"
		path = fmt.Sprintf("%s.guard[%d]", path, max(0, slices.IndexFunc(s.Guard, func(g Guard) bool { return g.NotSamePersonAs != "" })))
	} else if n := bits.TrailingZeros64(seen.blocked); n < len(s.Guard) {
		path = fmt.Sprintf("%s.guard[%d]", path, n)
	}
	reason := ""
	at := seen.nearest
	for _, x := range w.exits[w.state(at)] {
		if x.step == i {
			reason = w.why(at, x)
		}
	}
	k.told(w, at, path, code, fmt.Sprintf("Step %q can never be taken: %s. %s", s.Key, reason, w.path(at)))
}

// reverse turns the edges round, for the rules that look backward.
func (w *walk) reverse() {
	w.backFirst = make([]int32, len(w.configs)+1)
	for _, e := range w.edges {
		w.backFirst[e.to+1]++
	}
	for i := range w.configs {
		w.backFirst[i+1] += w.backFirst[i]
	}
	w.back = make([]edge, len(w.edges))
	next := slices.Clone(w.backFirst)
	for at := range w.configs {
		for _, e := range w.from(int32(at)) {
			w.back[next[e.to]] = edge{int32(at), e.label}
			next[e.to]++
		}
	}
}

func (w *walk) into(at int32) []edge { return w.back[w.backFirst[at]:w.backFirst[at+1]] }

// backward marks what leads to the marked configurations by allowed edges.
func (w *walk) backward(marked []bool, allowed func(from int32, label int32) bool) {
	var queue []int32
	for at, is := range marked {
		if is {
			queue = append(queue, int32(at))
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, e := range w.into(queue[0]) {
			if !marked[e.to] && allowed(e.to, e.label) {
				marked[e.to] = true
				queue = append(queue, e.to)
			}
		}
	}
}

// ends reports configurations from which no end can be reached (C3, C5), and
// returns the states that it spoke of.
func (k *checker) ends(w *walk) map[int]bool {
	ending := make([]bool, len(w.configs))
	for at := range w.configs {
		ending[at] = k.States[w.state(int32(at))].Category == "done"
	}
	w.backward(ending, func(int32, int32) bool { return true })
	told := map[int]bool{}
	first, leads := map[int]int32{}, map[int]bool{}
	var order []int
	for i := range w.configs {
		at := int32(i)
		s := w.state(at)
		if ending[at] || !k.canEnd[k.States[s].Key] {
			continue
		}
		if !told[s] {
			told[s], first[s], order = true, at, append(order, s)
		}
		leads[s] = leads[s] || slices.ContainsFunc(w.from(at), func(e edge) bool { return w.state(e.to) != s })
	}
	// Where one stuck state leads to another, the last one shows the fault.
	last := slices.DeleteFunc(slices.Clone(order), func(s int) bool { return leads[s] })
	if len(last) == 0 && len(order) > 0 {
		last = order[:1]
	}
	for _, s := range last {
		k.stuck(w, s, first[s])
	}
	return told
}

// stuck reports a configuration from which no end can be reached.
func (k *checker) stuck(w *walk, s int, at int32) {
	if k.States[s].Turn == "system" {
		if path, code, message := w.waitsForJob(s, at); code != "" {
			k.told(w, at, path, code, message)
			return
		}
	}
	code, what := "no_end", "no end can be reached"
	if g := w.gapIn(at); g >= 0 {
		code, what = "item_stuck", fmt.Sprintf("an item of %s is %s, and nobody can put that right, waive it or close over it", w.groupWords(g), w.gapWord(at, g))
	}
	if w.onlyEyes(at) {
		code, what = "four_eyes", "nobody is left who may go on"
	}
	k.told(w, at, fmt.Sprintf("states[%d]", s), code, fmt.Sprintf("In %q a request can get stuck: %s. %s %s", k.States[s].Key, what, w.path(at), w.blockers(at, 0)))
}

// gapIn is a group with something missing or sent back that stands in the way;
// -1 if none.
func (w *walk) gapIn(at int32) int {
	for _, x := range w.exits[w.state(at)] {
		s := &w.steps[x.step]
		for i := range s.clauses {
			for _, g := range s.clauses[i].groups {
				if !s.clauses[i].any && w.configs[at].get(w.groupSlot[g])&w.gap&^s.clauses[i].allowed != 0 {
					return g
				}
			}
		}
	}
	return -1
}

// onlyEyes says whether four eyes alone stand in the way of some step.
func (w *walk) onlyEyes(at int32) bool {
	for _, x := range w.exits[w.state(at)] {
		s := &w.steps[x.step]
		if len(s.eyes) > 0 && len(w.actors(w.configs[at], w.state(at), x, s)) == 0 && w.blockedBy(at, x) == nil {
			return true
		}
	}
	return false
}

// turnsHonest reports states where the side whose turn it is cannot move the
// request on by its own acts (C4), and jobs that leave the system stuck.
func (k *checker) turnsHonest(w *walk, told map[int]bool) {
	byState := make([][]int32, len(k.States))
	for at := range w.configs {
		s := w.state(int32(at))
		byState[s] = append(byState[s], int32(at))
	}
	good := make([]bool, len(w.configs))
	for s := range k.States {
		state := &k.States[s]
		if state.Category == "done" || !state.ExternalAction.IsZero() || told[s] {
			continue
		}
		own, acts := 0, 0
		switch state.Turn {
		case "client":
			own, acts = byClient|bySystem, byClient
		case "staff":
			own, acts = byStaff|bySystem, byStaff
		case "system":
			own = bySystem | byTime
		default:
			continue
		}
		for _, world := range w.worlds(s) {
			if k.turnHonest(w, s, byState[s], good, own, acts, world) {
				break
			}
		}
	}
}

// turnHonest looks at one state in one world; true if it reported something.
func (k *checker) turnHonest(w *walk, s int, configs []int32, good []bool, own, acts int, world map[int]bool) bool {
	var queue []int32
	for _, at := range configs {
		good[at] = false
		for _, e := range w.from(at) {
			l := &w.labels[e.label]
			leaves := l.step >= 0 && l.by&own != 0 && (world == nil || world[l.step])
			waits := k.States[s].Turn == "system" && l.by == byJob
			if leaves || waits {
				good[at] = true
				queue = append(queue, at)
				break
			}
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, e := range w.into(queue[0]) {
			if l := &w.labels[e.label]; l.step < 0 && l.by&acts != 0 && !good[e.to] {
				good[e.to] = true
				queue = append(queue, e.to)
			}
		}
	}
	for _, at := range configs {
		if !good[at] {
			k.wrongTurn(w, s, at, own)
			return true
		}
	}
	return false
}

func (k *checker) wrongTurn(w *walk, s int, at int32, own int) {
	state := &k.States[s]
	path, code := fmt.Sprintf("states[%d].turn", s), "wrong_turn"
	message := fmt.Sprintf("It is the %s's turn in %q, but the %s cannot move the request on there. %s %s Give that side a step or the right to items, name another turn, or say external_action.", state.Turn, state.Key, state.Turn, w.path(at), w.blockers(at, own))
	if state.Turn == "system" {
		message = fmt.Sprintf("The system is to move the request on in %q, but no automatic step is possible. %s %s Add an automatic step for this case, name another turn, or say external_action.", state.Key, w.path(at), w.blockers(at, own))
		if p, c, m := w.waitsForJob(s, at); c != "" {
			path, code, message = p, c, m
		}
	}
	k.told(w, at, path, code, message)
}

// waitsForJob says for which job the automatic steps out of a state wait in
// vain; the code is empty if it is not for a job.
func (w *walk) waitsForJob(s int, at int32) (path, code, message string) {
	state := w.def.States[s].Key
	for _, x := range w.exits[s] {
		if x.by&(bySystem|byTime) == 0 {
			continue
		}
		for _, j := range w.model.steps[x.step].jobs {
			switch name, value := w.jobIn(at, j); {
			case value == jobNone && code == "":
				path, code = fmt.Sprintf("transitions[%d].guard[%d]", x.step, j.guard), "job_not_started"
				message = fmt.Sprintf("Step %q waits in %q for job %q, which nobody has started by then. %s Start it by an effect of a step that leads there.", w.model.steps[x.step].Key, state, name, w.path(at))
			case value == jobDead:
				return fmt.Sprintf("states[%d]", s), "dead_job", fmt.Sprintf("When job %q is dead, nothing leads on from %q. %s Add an automatic step with the guard any_job: {names: [%s], status: dead}.", name, state, w.path(at), name)
			}
		}
	}
	return path, code, message
}

// jobIn is the first job of a guard that does not have the wanted outcome.
func (w *walk) jobIn(at int32, k jobClause) (string, int) {
	if w.jobsHold(w.configs[at], k) {
		return "", jobDone
	}
	name, value := "", jobDone
	for _, j := range k.jobs {
		if v := w.configs[at].get(w.jobSlot[j]); v != k.value && (value == jobDone || v == jobDead) {
			name, value = w.jobs[j].Job, v
		}
	}
	return name, value
}

// guardsMet reports item guards that a section's items can never satisfy, while
// the step is possible only because the section may be empty.
func (k *checker) guardsMet(w *walk) {
	for i := range w.steps {
		s := &w.steps[i]
		if !w.seen[i].taken {
			continue
		}
		for _, c := range s.clauses {
			for n, g := range c.groups {
				if some := w.seen[i].some[c.place+n]; some[0] && !some[1] {
					k.fault(fmt.Sprintf("transitions[%d].guard[%d]", i, c.guard), "guard_never_met", fmt.Sprintf("Step %q needs every item of %s to be %s, but nobody can bring one there before: the step is possible only while there is no such item.", s.Key, w.groupWords(g), w.classWords(c.allowed)))
				}
			}
		}
	}
}

// circles reports automatic steps that follow each other for ever.
func (k *checker) circles(w *walk) {
	const onPath, left = 1, 2
	mark := make([]uint8, len(w.configs))
	type frame struct {
		at   int32
		next int
	}
	for start := range w.configs {
		if mark[start] != 0 {
			continue
		}
		stack := []frame{{at: int32(start)}}
		mark[start] = onPath
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			edges := w.from(top.at)
			if top.next == len(edges) {
				mark[top.at] = left
				stack = stack[:len(stack)-1]
				continue
			}
			e := edges[top.next]
			top.next++
			l := &w.labels[e.label]
			if l.step < 0 || l.by&bySystem == 0 {
				continue
			}
			switch mark[e.to] {
			case 0:
				mark[e.to] = onPath
				stack = append(stack, frame{at: e.to})
			case onPath:
				var steps []int
				for i := len(stack) - 1; i >= 0; i-- {
					steps = append(steps, w.labels[edgesAt(w, stack[i].at, stack[i].next-1)].step)
					if stack[i].at == e.to {
						break
					}
				}
				slices.Reverse(steps)
				if k.circle(w, e.to, steps) {
					return
				}
			}
		}
	}
}

func edgesAt(w *walk, at int32, n int) int32 { return w.from(at)[n].label }

// circle reports one, unless its conditions exclude each other.
func (k *checker) circle(w *walk, at int32, steps []int) bool {
	holds := map[string]uint64{}
	names := make([]string, 0, len(steps))
	opaque := false
	for _, i := range steps {
		s := &w.steps[i]
		names = append(names, s.Key)
		for _, l := range s.facts {
			if _, ok := holds[l.name]; !ok {
				holds[l.name] = ^uint64(0)
			}
			holds[l.name] &= l.holds
		}
		opaque = opaque || s.opaque
	}
	for _, set := range holds {
		if set == 0 {
			return false
		}
	}
	level := "error"
	if opaque {
		level = "warning"
	}
	k.add(level, fmt.Sprintf("transitions[%d]", steps[0]), "circle", fmt.Sprintf("The automatic steps %s follow each other in a circle without waiting for anything. %s Give one of them a guard, an after or a person.", strings.Join(names, ", "), w.path(at)))
	k.findings[len(k.findings)-1].Trace = w.trace(at)
	return true
}

// successes reports steps to success with something missing or sent back (C6).
func (k *checker) successes(w *walk) {
	byStep := map[int][]badSuccess{}
	for _, b := range w.bad {
		byStep[b.step] = append(byStep[b.step], b)
	}
	for _, i := range slices.Sorted(maps.Keys(byStep)) {
		s, b := &w.steps[i], byStep[i][0]
		var sections []string
		for _, x := range byStep[i] {
			sections = append(sections, w.groupWords(x.group))
		}
		k.told(w, b.from, fmt.Sprintf("transitions[%d]", i), "success_with_gap", fmt.Sprintf(
			"Step %q leads to success in %q although a required item of %s can be missing or sent back then. %s Guard it with items, or require an internal_note if somebody may decide so.",
			s.Key, s.To, strings.Join(sections, ", "), w.path(b.from)))
	}
}

// told adds an error with the path that shows it.
func (k *checker) told(w *walk, at int32, path, code, message string) {
	if slices.ContainsFunc(k.findings, func(f Finding) bool { return f.Path == path && f.Code == code }) {
		return
	}
	k.fault(path, code, strings.TrimSpace(message))
	k.findings[len(k.findings)-1].Trace = w.trace(at)
}
