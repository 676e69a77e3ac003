package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// The second walker: it shares no code with the checker's model. It plays a
// definition with a handful of real items, one by one, each with its own status
// and the status it had on entry, real jobs and two people to each role, and
// looks at every situation that comes of it. It knows no sets, no folding, no
// forgetting. What it finds is certainly bad; it sees fewer items at once.

const bruteItems, bruteJobs, bruteEyes = 8, 6, 4

// situation is one moment of a request.
type situation struct {
	state   int8
	entered uint64 // states that were entered
	items   [bruteItems]bruteItem
	jobs    [bruteJobs]int8 // 0 never started, 1 running, 2 done, 3 dead
	did     [bruteEyes]int8 // who did the last of each step that a guard names
}

type bruteItem struct {
	status, onEntry bruteStatus
	excused, veto   bool
}

// bruteStatus is an item status by its place in the list; 0: not there.
type bruteStatus int8

func statusOf(name string) bruteStatus { return bruteStatus(1 + slices.Index(statuses, name)) }

func (s bruteStatus) String() string { return statuses[s-1] }

var (
	isMissing  = statusOf(Missing)
	isProvided = statusOf(Provided)
	isAccepted = statusOf(Accepted)
	isRejected = statusOf(Rejected)
	isWaived   = statusOf(Waived)
	isNone     = statusOf(NotApplicable)
)

type bruteEdge struct {
	to   int
	by   string // client staff system timer job
	step string // empty: an act on an item, or a job
}

type brute struct {
	def    *Compiled
	specs  []*ItemSpec
	homes  []*Section
	watch  []string
	seen   map[situation]int
	list   []situation
	edges  [][]bruteEdge
	taken  map[string]bool
	waives bruteStatus // what waiving comes to: accepted where no list tells the two apart
	gap    []string    // successes with something missing
}

// judge says what is certainly wrong with a definition.
func judge(def *Compiled) (faults []string, complete bool) {
	b := &brute{def: def, seen: map[situation]int{}, taken: map[string]bool{}}
	if def.State(def.Initial) == nil || len(def.States) > 60 || len(def.Sections) > bruteItems || len(def.Integrations) > bruteJobs {
		return nil, false
	}
	b.waives = isWaived
	if !b.tellsWaivedApart() {
		b.waives = isAccepted
	}
	b.chooseItems()
	b.chooseEyes()
	b.begin()
	for at := 0; at < len(b.list); at++ {
		b.edges = append(b.edges, nil)
		b.play(at)
		if len(b.list) > 40_000 {
			return nil, false
		}
	}
	return b.faults(), true
}

// tellsWaivedApart says whether some list has one of accepted and waived only.
func (b *brute) tellsWaivedApart() bool {
	apart := func(list []string) bool { return slices.Contains(list, Accepted) != slices.Contains(list, Waived) }
	for _, t := range b.def.Transitions {
		for _, g := range t.Guard {
			if g.Items != nil && apart(g.Items.StatusIn) || g.AnyItem != nil && apart(g.AnyItem.StatusIn) {
				return true
			}
		}
		for _, e := range t.Effects {
			if e.SetItems != nil && (e.SetItems.Accepted != "" || e.SetItems.Waived != "") {
				return true
			}
		}
	}
	return false
}

// chooseItems takes one item from each section, a required one if there is one;
// of items that wait for a state or have a review of their own one each.
func (b *brute) chooseItems() {
	for si := range b.def.Sections {
		s := &b.def.Sections[si]
		had := map[string]bool{}
		asks := slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return i.IsRequired() })
		for ii := range s.Items {
			i := &s.Items[ii]
			sort := fmt.Sprint(i.LockedUntilState, i.Review != nil)
			if had[sort] || asks && !i.IsRequired() || len(b.specs) == bruteItems {
				continue
			}
			had[sort] = true
			b.specs, b.homes = append(b.specs, i), append(b.homes, s)
		}
	}
}

// chooseEyes watches people only where more than one four-eyes guard meets:
// with two people to each role a single one always leaves somebody.
func (b *brute) chooseEyes() {
	for _, t := range b.def.Transitions {
		var named []string
		for _, g := range t.Guard {
			if g.NotSamePersonAs != "" {
				named = append(named, g.NotSamePersonAs)
			}
		}
		if len(named) > 1 {
			for _, name := range named {
				if !slices.Contains(b.watch, name) && len(b.watch) < bruteEyes {
					b.watch = append(b.watch, name)
				}
			}
		}
	}
}

func (b *brute) begin() {
	starts := []situation{{state: b.index(b.def.Initial)}}
	for n, spec := range b.specs {
		home := b.homes[n]
		maybe := spec.Template || spec.When != nil || spec.SkipIf != nil || spec.ForEach != "" || home.When != nil || home.ForEach != ""
		for k := range starts {
			if maybe {
				starts = append(starts, starts[k])
			}
			starts[k].items[n] = bruteItem{status: isMissing, onEntry: isMissing}
		}
	}
	for _, s := range starts {
		s.entered |= 1 << s.state
		b.add(-1, s, bruteEdge{})
	}
}

func (b *brute) index(state string) int8 {
	return int8(slices.IndexFunc(b.def.States, func(s State) bool { return s.Key == state }))
}

func (b *brute) add(from int, s situation, e bruteEdge) {
	if len(b.def.States[s.state].Can.OnlyStatus) == 0 {
		for n := range s.items { // nothing here asks for it, and the next entry writes it anew
			if s.items[n].status != 0 {
				s.items[n].onEntry = isMissing
			}
		}
	}
	s.entered &= b.unlocking()
	if b.def.States[s.state].Terminal {
		s = situation{state: s.state}
	}
	at, ok := b.seen[s]
	if !ok {
		at = len(b.list)
		b.seen[s] = at
		b.list = append(b.list, s)
	}
	if from >= 0 && from != at {
		e.to = at
		b.edges[from] = append(b.edges[from], e)
	}
}

func (b *brute) unlocking() uint64 {
	var mask uint64
	for _, spec := range b.specs {
		if i := b.index(spec.LockedUntilState); i >= 0 {
			mask |= 1 << i
		}
	}
	return mask
}

func (b *brute) play(at int) {
	s := b.list[at]
	state := &b.def.States[s.state]
	for n := range b.specs {
		b.playItem(at, s, state, n)
	}
	for j, job := range b.def.Integrations {
		if s.jobs[j] != 1 {
			continue
		}
		ready, doomed := true, false
		for _, name := range job.DependsOn {
			p := slices.IndexFunc(b.def.Integrations, func(x Integration) bool { return x.Job == name })
			ready, doomed = ready && s.jobs[p] == 2, doomed || s.jobs[p] == 3
		}
		for _, outcome := range []int8{2, 3} {
			if ready || doomed && outcome == 3 {
				next := s
				next.jobs[j] = outcome
				b.add(at, next, bruteEdge{by: "job"})
			}
		}
	}
	for i := range b.def.Transitions {
		if t := &b.def.Transitions[i]; slices.Contains(t.From, state.Key) && b.def.State(t.To) != nil {
			b.playStep(at, s, state, t)
		}
	}
}

func (b *brute) side(role string) string {
	if b.def.IsClientRole(role) {
		return "client"
	}
	return "staff"
}

func (b *brute) here(role string, state *State) bool {
	if b.side(role) == "client" {
		return state.Visible() && !state.TippingOffSafe
	}
	return len(state.RestrictedTo) == 0 || slices.Contains(state.RestrictedTo, role)
}

func (b *brute) playItem(at int, s situation, state *State, n int) {
	spec, home, item := b.specs[n], b.homes[n], s.items[n]
	become := func(by string, status bruteStatus, veto bool) {
		next := s
		next.items[n] = bruteItem{status: status, onEntry: item.onEntry, veto: veto}
		b.add(at, next, bruteEdge{by: by})
	}
	if item.status == 0 {
		if spec.Template && home.Dynamic && slices.Contains(state.Can.Add, home.Key) {
			next := s
			next.items[n] = bruteItem{status: isMissing, onEntry: isMissing}
			b.add(at, next, bruteEdge{by: "staff"})
		}
		return
	}
	lock := b.index(spec.LockedUntilState)
	giver := home.provider()
	role := firstOf(home.ProviderRole, map[string]string{"client": "client_admin", "staff": "\x00"}[giver])
	opens := slices.Contains(state.Can.Provide, home.Key) && (role == "\x00" || b.here(role, state)) && (lock < 0 || s.entered&(1<<lock) != 0) &&
		(len(state.Can.OnlyStatus) == 0 || inList(state.Can.OnlyStatus, item.onEntry.String()))
	switch item.status {
	case isMissing, isRejected, isProvided, isNone:
		if opens {
			become(giver, isProvided, item.veto)
			if spec.AllowNone != "" {
				become(giver, isNone, item.veto)
			}
			if item.status == isProvided {
				become(giver, isMissing, item.veto)
			}
		}
	}
	if !slices.Contains(state.Can.Review, home.Key) {
		return
	}
	deciders := []string{home.Reviewer}
	var vetoes []string
	enough := true
	if spec.Reviewer != "" {
		deciders = []string{spec.Reviewer}
	}
	if r := spec.Review; r != nil && r.Quorum != nil {
		deciders, vetoes = append([]string{r.Quorum.Role}, r.Veto...), r.Veto
		people := map[string]int{"client_member": 4, "client_delegate": 4, "client_viewer": 6}[r.Quorum.Role]
		enough = r.Quorum.Count <= max(2, people)
	}
	for _, role := range deciders {
		if role == "" || !b.here(role, state) {
			continue
		}
		if item.status == isProvided && enough {
			become(b.side(role), isAccepted, false)
		}
		become(b.side(role), isRejected, item.veto || slices.Contains(vetoes, role))
		become(b.side(role), b.waives, false)
	}
}

// playStep takes a transition in every way that is possible.
func (b *brute) playStep(at int, s situation, state *State, t *Transition) {
	if !b.allowed(s, t) {
		return
	}
	asks := len(b.def.asks(t)) > 0
	sides := map[string]bool{}
	for _, role := range t.By {
		if role != "system" && b.here(role, state) {
			sides[b.side(role)] = true
		}
	}
	if t.Automatic() && !asks {
		sides[map[bool]string{true: "timer", false: "system"}[t.After != nil]] = true
	}
	people := b.people(s, t, state)
	if len(sides) == 0 || len(people) == 0 {
		return
	}
	b.taken[t.Key] = true
	for _, person := range people {
		for _, next := range b.after(s, t, person) {
			for side := range sides {
				b.add(at, next, bruteEdge{by: side, step: t.Key})
			}
		}
	}
}

// people are those who may take the step: numbers that tell two of each role
// apart; a single 0 where nobody is watched.
func (b *brute) people(s situation, t *Transition, state *State) []int8 {
	if len(b.watch) == 0 {
		return []int8{0}
	}
	roles := append([]string{"client_admin", "client_member", "client_viewer"}, b.def.allRolesOf()...)
	var list []int8
	for _, role := range t.By {
		if role == "system" {
			list = append(list, 100)
			continue
		}
		if !b.here(role, state) {
			continue
		}
		holders := []string{role}
		switch role {
		case "client_member", "client_delegate":
			holders = []string{"client_admin", "client_member"}
		case "client_viewer":
			holders = []string{"client_admin", "client_member", "client_viewer"}
		}
		for _, holder := range holders {
			for n := range 2 {
				person := int8(1 + 2*slices.Index(roles, holder) + n)
				barred := slices.ContainsFunc(t.Guard, func(g Guard) bool {
					w := slices.Index(b.watch, g.NotSamePersonAs)
					return w >= 0 && s.did[w] == person
				})
				if !barred && !slices.Contains(list, person) {
					list = append(list, person)
				}
			}
		}
	}
	return list
}

func (c *Compiled) allRolesOf() []string {
	return append(slices.Clone([]string(c.Roles.Client)), c.Roles.Staff...)
}

func (b *brute) allowed(s situation, t *Transition) bool {
	for _, g := range t.Guard {
		switch {
		case g.Items != nil:
			for n, i := range s.items {
				if i.status != 0 && slices.Contains(g.Items.Sections, b.homes[n].Key) && (!g.Items.Required || b.specs[n].IsRequired()) && !inList(g.Items.StatusIn, i.status.String()) {
					return false
				}
			}
		case g.AnyItem != nil:
			found := false
			for n, i := range s.items {
				found = found || i.status != 0 && slices.Contains(g.AnyItem.Sections, b.homes[n].Key) && (!g.AnyItem.Required || b.specs[n].IsRequired()) && inList(g.AnyItem.StatusIn, i.status.String())
			}
			if !found {
				return false
			}
		case g.Jobs != nil:
			for _, name := range g.Jobs.Names {
				if !b.jobIs(s, name, g.Jobs.Status) {
					return false
				}
			}
		case g.AnyJob != nil:
			if !slices.ContainsFunc(g.AnyJob.Names, func(name string) bool { return b.jobIs(s, name, g.AnyJob.Status) }) {
				return false
			}
		case len(g.NoVetoOpen) > 0:
			if slices.ContainsFunc(s.items[:], func(i bruteItem) bool { return i.veto }) {
				return false
			}
		}
	}
	for _, e := range t.Effects {
		if e.PublishFile != "" && !b.somewhere(s, e.PublishFile) || e.SetItems != nil && e.SetItems.Chosen != "" && !b.somewhere(s, firstOf(e.SetItems.Item, e.SetItems.Section)) {
			return false
		}
	}
	return true
}

func (b *brute) jobIs(s situation, name, status string) bool {
	j := slices.IndexFunc(b.def.Integrations, func(x Integration) bool { return x.Job == name })
	return j >= 0 && s.jobs[j] == map[string]int8{"done": 2, "skipped": 2, "dead": 3}[status]
}

func (b *brute) means(n int, name string) bool {
	return name == "" || b.specs[n].Key == name || b.homes[n].Key == name
}

func (b *brute) somewhere(s situation, name string) bool {
	for n, i := range s.items {
		if i.status != 0 && b.means(n, name) {
			return true
		}
	}
	return false
}

// after are the situations that a step can lead to.
func (b *brute) after(s situation, t *Transition, person int8) []situation {
	noted := slices.Contains(t.Requires, "internal_note")
	s.state = b.index(t.To)
	s.entered |= 1 << s.state
	if w := slices.Index(b.watch, t.Key); w >= 0 {
		s.did[w] = person
	}
	if t.To == b.def.Initial {
		s.did = [bruteEyes]int8{}
	}
	if noted {
		for n := range s.items {
			if i := &s.items[n]; i.status == isMissing || i.status == isRejected {
				i.excused = true
			}
		}
	}
	list := []situation{s}
	for _, e := range t.Effects {
		list = b.effect(list, &e)
	}
	for i := range list {
		for n := range list[i].items {
			item := &list[i].items[n]
			if item.status == 0 {
				continue
			}
			item.onEntry = item.status
			gap := item.status == isMissing || item.status == isRejected
			if gap && b.specs[n].IsRequired() && !item.excused && !noted && b.def.States[list[i].state].Outcome == "success" {
				b.gap = append(b.gap, t.Key)
			}
		}
	}
	return list
}

func (b *brute) effect(list []situation, e *Effect) []situation {
	put := func(s *situation, n int, status bruteStatus) {
		s.items[n] = bruteItem{status: status, onEntry: s.items[n].onEntry, veto: s.items[n].veto}
	}
	var out []situation
	for _, s := range list {
		switch {
		case e.Job != "":
			s.jobs[slices.IndexFunc(b.def.Integrations, func(x Integration) bool { return x.Job == e.Job })] = 1
		case e.RetryJobs != "":
			for j := range s.jobs {
				if s.jobs[j] == 3 {
					s.jobs[j] = 1
				}
			}
		case e.Waive != "" || e.Invalidate != "":
			for n := range b.specs {
				if s.items[n].status != 0 && b.means(n, e.Waive+e.Invalidate) {
					put(&s, n, map[bool]bruteStatus{true: b.waives, false: isMissing}[e.Waive != ""])
				}
			}
		case e.SetItems != nil:
			x := e.SetItems
			for n := range b.specs {
				to := map[string]string{Missing: x.Missing, Provided: x.Provided, Accepted: x.Accepted, Rejected: x.Rejected, Waived: x.Waived, NotApplicable: x.NotApplicable}[s.statusName(n)]
				if to != "" && b.means(n, firstOf(x.Item, x.Section)) {
					put(&s, n, statusOf(to))
				}
			}
			if x.Chosen != "" { // every single item, and all of them
				all := s
				for n := range b.specs {
					if s.items[n].status != 0 && b.means(n, firstOf(x.Item, x.Section)) {
						one := s
						put(&one, n, statusOf(x.Chosen))
						put(&all, n, statusOf(x.Chosen))
						out = append(out, one)
					}
				}
				s = all
			}
		}
		out = append(out, s)
	}
	return out
}

func (s *situation) statusName(n int) string {
	if s.items[n].status == 0 {
		return ""
	}
	return s.items[n].status.String()
}

// faults judges what was seen by the rules.
func (b *brute) faults() []string {
	var faults []string
	say := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(faults, text) {
			faults = append(faults, text)
		}
	}
	met := map[int8]bool{}
	for _, s := range b.list {
		met[s.state] = true
	}
	for i := range b.def.States {
		if !met[int8(i)] {
			say("unreachable %s", b.def.States[i].Key)
		}
	}
	for _, t := range b.def.Transitions {
		if !b.taken[t.Key] {
			say("never %s", t.Key)
		}
	}
	ends := b.canReach(func(at int) bool { return b.def.States[b.list[at].state].Category == "done" }, func(int, bruteEdge) bool { return true })
	for at, ok := range ends {
		if !ok {
			say("no end from %s", b.def.States[b.list[at].state].Key)
		}
	}
	moves := b.canReach(b.movesOn, func(from int, e bruteEdge) bool {
		return e.step == "" && e.by == b.def.States[b.list[from].state].Turn
	})
	for at, ok := range moves {
		if !ok {
			say("wrong turn in %s", b.def.States[b.list[at].state].Key)
		}
	}
	for _, step := range b.gap {
		say("success with a gap by %s", step)
	}
	slices.Sort(faults)
	return faults
}

// movesOn says whether the side whose turn it is can leave at once, or need not.
func (b *brute) movesOn(at int) bool {
	state := &b.def.States[b.list[at].state]
	if state.Category == "done" || !state.ExternalAction.IsZero() {
		return true
	}
	return slices.ContainsFunc(b.edges[at], func(e bruteEdge) bool {
		if state.Turn == "system" {
			return e.by == "job" || e.step != "" && (e.by == "system" || e.by == "timer")
		}
		return e.step != "" && (e.by == state.Turn || e.by == "system")
	})
}

// canReach goes round until nothing changes: an item of work for every edge.
func (b *brute) canReach(goal func(int) bool, along func(int, bruteEdge) bool) []bool {
	into := make([][]int, len(b.list))
	good := make([]bool, len(b.list))
	var work []int
	for at := range b.list {
		for _, e := range b.edges[at] {
			if along(at, e) {
				into[e.to] = append(into[e.to], at)
			}
		}
		if goal(at) {
			good[at], work = true, append(work, at)
		}
	}
	for len(work) > 0 {
		at := work[len(work)-1]
		work = work[:len(work)-1]
		for _, from := range into[at] {
			if !good[from] {
				good[from], work = true, append(work, from)
			}
		}
	}
	return good
}

func joined(list []string) string { return strings.Join(list, "; ") }
