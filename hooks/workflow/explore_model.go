package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// model is a definition as the walk sees it.
type model struct {
	def        *Compiled
	stateIndex map[string]int

	classes  [][]string     // statuses that nothing in the definition tells apart
	classOf  map[string]int // status → class
	open     int            // classes that a provider may change
	gap      int            // classes that are missing or sent back
	groups   []*itemGroup
	moves    [][][]itemMove // state, group
	vetoRead bool

	jobs    []*Integration
	parents [][]int

	locks []string // states that unlock items

	watched         []string      // steps that four-eyes guards name
	classesOfPeople []string      // roles whose people matter to such guards
	judges          [][]judgeMove // by state: which classes may decide on items

	steps []step
	exits [][]exit // by state

	labels    []edgeLabel
	jobLabels [][2]int32 // of each job: done, dead
	before    map[string]map[string]bool

	groupLive, vetoLive, jobLive, didLive [][]bool // part, state
	judgeLive                             []bool
}

// itemGroup is a set of items with equal rights everywhere.
type itemGroup struct {
	sections     []string
	items        int // 0: any number
	required     bool
	mayBeEmpty   bool
	provider     int // byClient or byStaff
	providerRole string
	reviewers    []string
	veto         []string
	quorum       bool // enough people can exist to accept
	allowNone    bool
	lock         int // index of the state that unlocks, -1 for none
	members      []string
	acknowledge  bool
	places       map[string]bool // section and item keys, as effects name them
	kept         []int           // class → the one that stands for it
	harmless     int             // a class that is not kept beside others, as a set
}

// itemMove is what can happen to one item in a state.
type itemMove struct {
	from, to int // classes; from -1: an item is added
	label    int32
	veto     int // 1: opens one, -1: may close one
	provides bool
}

// judgeMove says that a class of people may decide on items in a state.
type judgeMove struct {
	class int
	label int32
}

// edgeLabel says what an edge is.
type edgeLabel struct {
	by     int
	step   int // -1: not a step
	group  int // -1: not an item
	move   itemMove
	job    int // -1: not a job
	dead   bool
	who    string
	judges bool
}

// step is a transition with its guards and effects in the model's terms.
type step struct {
	*Transition
	index   int
	to      int
	clauses []clause
	jobs    []jobClause
	eyes    []int // watched steps
	noVeto  bool
	opaque  bool // conditions that the model does not know
	facts   []literal
	ops     []operation
	publish [][]int // of each document to be published: groups that may carry it
	places  int     // number of (clause, group) pairs
	noted   bool
	starts  []int
	watch   int // its own place among the watched, -1
	decides bool
}

// clause is an items guard: all (or any) of the groups' items have an allowed
// status.
type clause struct {
	any     bool
	groups  []int
	allowed int
	guard   int // index in the definition
	place   int // of the first group in stepSeen.some
}

// jobClause is a jobs guard.
type jobClause struct {
	any   bool
	jobs  []int
	value int
	guard int
}

// exit is a step out of a state with who may take it there.
type exit struct {
	step  int
	by    int
	label int32
}

// The values of a job.
const (
	jobNone = iota
	jobRunning
	jobDone
	jobDead
)

func newModel(c *Compiled) *model {
	m := &model{def: c, stateIndex: map[string]int{}}
	for i := range c.States {
		m.stateIndex[c.States[i].Key] = i
	}
	m.classify()
	m.findLocks()
	m.group()
	for i := range c.Integrations {
		m.jobs = append(m.jobs, &c.Integrations[i])
	}
	for _, j := range m.jobs {
		m.parents = append(m.parents, m.jobIndexes(j.DependsOn))
	}
	for j := range m.jobs {
		done := m.label(edgeLabel{by: byJob, step: -1, group: -1, job: j})
		m.jobLabels = append(m.jobLabels, [2]int32{done, m.label(edgeLabel{by: byJob, step: -1, group: -1, job: j, dead: true})})
	}
	m.watch()
	for i := range c.Transitions {
		m.steps = append(m.steps, m.step(i))
	}
	m.findExits()
	m.findMoves()
	m.fold()
	m.liveness()
	return m
}

// classify puts statuses together that no list and no effect tells apart.
func (m *model) classify() {
	lists, maps := [][]string{}, []*SetItems{}
	for i := range m.def.States {
		if list := m.def.States[i].Can.OnlyStatus; len(list) > 0 {
			lists = append(lists, list)
		}
	}
	expires := false
	for i := range m.def.Transitions {
		t := &m.def.Transitions[i]
		for _, g := range t.Guard {
			for _, items := range []*ItemsGuard{g.Items, g.AnyItem} {
				if items != nil {
					lists = append(lists, items.StatusIn)
				}
			}
		}
		for _, e := range t.Effects {
			if s := e.SetItems; s != nil {
				maps = append(maps, s)
				expires = expires || slices.Contains(s.targets(), Expired)
			}
		}
	}
	m.classOf = map[string]int{}
	byMark := map[string]int{}
	for _, status := range statuses {
		if status == Expired && !expires {
			continue
		}
		mark := map[string]string{Waived: Accepted, NotApplicable: Accepted, MoreNeeded: Rejected, Expired: Rejected}[status]
		if mark == "" {
			mark = status
		}
		told := make([]bool, 0, len(lists))
		for _, list := range lists {
			told = append(told, inList(list, status))
		}
		became := make([]string, 0, len(maps))
		for _, s := range maps {
			became = append(became, s.mapped(status))
		}
		mark += fmt.Sprint(told, became)
		class, ok := byMark[mark]
		if !ok {
			class = len(m.classes)
			byMark[mark] = class
			m.classes = append(m.classes, nil)
		}
		m.classes[class] = append(m.classes[class], status)
		m.classOf[status] = class
		if status == Missing || sentBack(status) {
			m.gap |= 1 << class
		}
		if status == Missing || status == Provided || sentBack(status) {
			m.open |= 1 << class
		}
	}
}

// mapped is the status that the effect gives an item that has one now; empty
// where it leaves it.
func (s *SetItems) mapped(status string) string {
	to := map[string]string{Missing: s.Missing, Provided: s.Provided, Accepted: s.Accepted, Rejected: s.Rejected, Waived: s.Waived, NotApplicable: s.NotApplicable}[status]
	if to == "" && sentBack(status) {
		to = s.Rejected
	}
	return to
}

func (s *SetItems) targets() []string {
	return []string{s.Chosen, s.Missing, s.Provided, s.Accepted, s.Rejected, s.Waived, s.NotApplicable}
}

// allowed are the classes that a list of statuses means.
func (m *model) allowed(list []string) int {
	set := 0
	for class, members := range m.classes {
		if inList(list, members[0]) {
			set |= 1 << class
		}
	}
	return set
}

func (m *model) findLocks() {
	for _, s := range m.def.Sections {
		for _, i := range s.Items {
			if i.LockedUntilState != "" && !slices.Contains(m.locks, i.LockedUntilState) {
				m.locks = append(m.locks, i.LockedUntilState)
			}
		}
	}
}

// group puts items together that have the same rights in every state and mean
// the same to every guard and effect.
func (m *model) group() {
	byMark := map[string]*itemGroup{}
	acknowledged := map[string]bool{}
	named := map[string]bool{}
	for i := range m.def.Transitions {
		for _, e := range m.def.Transitions[i].Effects {
			for _, name := range e.places() {
				named[name] = true
			}
			if e.PublishFile != "" {
				acknowledged[e.PublishFile] = true
			}
		}
	}
	for si := range m.def.Sections {
		s := &m.def.Sections[si]
		rights := m.sectionMark(s, named)
		for ii := range s.Items {
			i := &s.Items[ii]
			g := &itemGroup{required: i.IsRequired(), provider: byClient, providerRole: s.ProviderRole, allowNone: i.AllowNone != "", lock: slices.Index(m.locks, i.LockedUntilState), quorum: true, places: map[string]bool{}}
			if s.provider() == "staff" {
				g.provider = byStaff
			}
			for _, role := range m.def.reviewers(s, i) {
				if role != "" {
					g.reviewers = append(g.reviewers, role)
				}
			}
			if r := i.Review; r != nil {
				g.veto = r.Veto
				g.quorum = r.Quorum == nil || r.Quorum.Count <= 2*len(peopleOf(r.Quorum.Role))
			}
			g.acknowledge = i.Kind == "acknowledge" && (acknowledged[s.Key] || acknowledged[i.Key])
			mark := fmt.Sprint(rights, g.required, g.provider, g.providerRole, m.sidesOf(g.reviewers), m.restrictedMark(g.reviewers), g.veto, g.quorum, g.allowNone, g.lock, g.acknowledge)
			if named[i.Key] {
				mark += i.Key
			}
			varies := i.Template || i.When != nil || i.SkipIf != nil || i.ForEach != "" || s.When != nil || s.ForEach != ""
			many := i.Template || i.ForEach != "" || s.ForEach != ""
			have := byMark[mark]
			if have == nil {
				have = g
				have.mayBeEmpty, have.items = varies, 1
				byMark[mark] = have
				m.groups = append(m.groups, have)
			} else {
				have.mayBeEmpty = have.mayBeEmpty && varies
				have.reviewers = union(have.reviewers, g.reviewers)
				if have.items > 0 {
					have.items++
				}
			}
			if many {
				have.items = 0
			}
			if !slices.Contains(have.sections, s.Key) {
				have.sections = append(have.sections, s.Key)
			}
			have.members = append(have.members, s.Key+"."+i.Key)
			have.places[s.Key], have.places[i.Key] = true, true
		}
	}
}

// places are the sections and items that an effect names.
func (e *Effect) places() []string {
	list := []string{}
	for _, name := range []string{e.PublishFile, e.WithdrawFile, e.Waive, e.Invalidate, e.FreezeVersion} {
		if name != "" {
			list = append(list, name)
		}
	}
	if s := e.SetItems; s != nil {
		if s.Section != "" {
			list = append(list, s.Section)
		}
		if s.Item != "" {
			list = append(list, s.Item)
		}
	}
	return list
}

// sectionMark is the same for sections that states, guards and effects treat
// alike.
func (m *model) sectionMark(s *Section, named map[string]bool) string {
	var b strings.Builder
	for i := range m.def.States {
		can := &m.def.States[i].Can
		fmt.Fprint(&b, slices.Contains(can.Provide, s.Key), slices.Contains(can.Review, s.Key), s.Dynamic && slices.Contains(can.Add, s.Key))
	}
	for i := range m.def.Transitions {
		for _, g := range m.def.Transitions[i].Guard {
			for _, items := range []*ItemsGuard{g.Items, g.AnyItem} {
				if items != nil {
					fmt.Fprint(&b, slices.Contains(items.Sections, s.Key))
				}
			}
		}
	}
	if named[s.Key] {
		b.WriteString(s.Key)
	}
	return b.String()
}

func (m *model) sidesOf(roles []string) int {
	sides := 0
	for _, role := range roles {
		if m.def.IsClientRole(role) {
			sides |= byClient
		} else {
			sides |= byStaff
		}
	}
	return sides
}

// restrictedMark tells reviewers apart where some state is for some duties only.
func (m *model) restrictedMark(roles []string) string {
	for i := range m.def.States {
		if len(m.def.States[i].RestrictedTo) > 0 && len(m.def.States[i].Can.Review) > 0 {
			return strings.Join(roles, ",")
		}
	}
	return ""
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

func (m *model) jobIndexes(names []string) []int {
	var list []int
	for _, name := range names {
		if i := slices.IndexFunc(m.def.Integrations, func(x Integration) bool { return x.Job == name }); i >= 0 {
			list = append(list, i)
		}
	}
	return list
}

// peopleOf are the classes of people who have a role: an admin may do what a
// member may, and a delegate acts for one of them.
func peopleOf(role string) []string {
	switch role {
	case "client_member", "client_delegate":
		return []string{"client_admin", "client_member"}
	case "client_viewer":
		return []string{"client_admin", "client_member", "client_viewer"}
	case "system":
		return nil
	}
	return []string{role}
}

// watch finds the steps that four-eyes guards name and whose people matter.
func (m *model) watch() {
	for i := range m.def.Transitions {
		t := &m.def.Transitions[i]
		for _, g := range t.Guard {
			if g.NotSamePersonAs == "" {
				continue
			}
			if m.def.Transition(g.NotSamePersonAs) != nil && !slices.Contains(m.watched, g.NotSamePersonAs) {
				m.watched = append(m.watched, g.NotSamePersonAs)
			}
			for _, role := range t.By {
				m.classesOfPeople = union(m.classesOfPeople, peopleOf(role))
			}
		}
	}
}

// label keeps what an edge is and gives it a number.
func (m *model) label(l edgeLabel) int32 {
	m.labels = append(m.labels, l)
	return int32(len(m.labels) - 1)
}

// groupsNamed are the groups that an effect means by a section's or item's name.
func (m *model) groupsNamed(name string) []int {
	var list []int
	for i, g := range m.groups {
		if g.places[name] {
			list = append(list, i)
		}
	}
	return list
}

func (m *model) step(index int) step {
	t := &m.def.Transitions[index]
	to, known := m.stateIndex[t.To]
	if !known {
		to = -1
	}
	s := step{Transition: t, index: index, to: to, noted: slices.Contains(t.Requires, "internal_note"), watch: slices.Index(m.watched, t.Key)}
	for i := range t.Guard {
		g := &t.Guard[i]
		switch {
		case g.Items != nil:
			s.clause(m, g.Items, false, i)
		case g.AnyItem != nil:
			s.clause(m, g.AnyItem, true, i)
		case g.Jobs != nil:
			s.jobs = append(s.jobs, jobClause{jobs: m.jobIndexes(g.Jobs.Names), value: jobValue(g.Jobs.Status), guard: i})
		case g.AnyJob != nil:
			s.jobs = append(s.jobs, jobClause{any: true, jobs: m.jobIndexes(g.AnyJob.Names), value: jobValue(g.AnyJob.Status), guard: i})
		case g.NotSamePersonAs != "":
			if d := slices.Index(m.watched, g.NotSamePersonAs); d >= 0 {
				s.eyes = append(s.eyes, d)
			}
		case len(g.NoVetoOpen) > 0:
			s.noVeto, m.vetoRead = true, true
		case g.FieldsComplete != "", g.NoLegalHold != nil:
			s.opaque = true
		default:
			if l, ok := m.literal(g); ok {
				s.facts = append(s.facts, l)
			}
			s.opaque = true
		}
	}
	for i := range t.Effects {
		s.effect(m, &t.Effects[i])
	}
	return s
}

func jobValue(status string) int {
	if status == "dead" {
		return jobDead
	}
	return jobDone // skipped counts as done
}

func (s *step) clause(m *model, g *ItemsGuard, anyItem bool, guard int) {
	c := clause{any: anyItem, allowed: m.allowed(g.StatusIn), guard: guard, place: s.places}
	for i, group := range m.groups {
		if (!g.Required || group.required) && slices.ContainsFunc(group.sections, func(key string) bool { return slices.Contains(g.Sections, key) }) {
			c.groups = append(c.groups, i)
		}
	}
	s.places += len(c.groups)
	s.clauses = append(s.clauses, c)
}

// exits lists for each state the steps out of it with who may take them there.
func (m *model) findExits() {
	m.exits = make([][]exit, len(m.def.States))
	for i := range m.steps {
		s := &m.steps[i]
		if s.to < 0 {
			continue
		}
		for _, from := range s.From {
			at, known := m.stateIndex[from]
			if !known || at == s.to {
				continue
			}
			if by := m.mayTake(s.Transition, &m.def.States[at]); by != 0 {
				m.exits[at] = append(m.exits[at], exit{step: i, by: by, label: m.label(edgeLabel{by: by, step: i, group: -1, job: -1})})
			}
		}
	}
}

// mayTake says which sides can take a step in a state: clients where they see
// it, staff whom the state does not shut out.
func (m *model) mayTake(t *Transition, s *State) int {
	by := 0
	for _, role := range t.By {
		switch {
		case role == "system":
		case m.def.IsClientRole(role):
			if s.Visible() && !s.TippingOffSafe {
				by |= byClient
			}
		case m.present(role, s):
			by |= byStaff
		}
	}
	if t.Automatic() && len(m.def.asks(t)) == 0 {
		if t.After != nil {
			by |= byTime
		} else {
			by |= bySystem
		}
	}
	return by
}

// present says whether staff with a duty see the true state.
func (m *model) present(role string, s *State) bool {
	return len(s.RestrictedTo) == 0 || slices.Contains(s.RestrictedTo, role)
}

// findMoves lists what can happen to the items of each group in each state.
func (m *model) findMoves() {
	m.moves, m.judges = make([][][]itemMove, len(m.def.States)), make([][]judgeMove, len(m.def.States))
	for i := range m.def.States {
		m.moves[i] = make([][]itemMove, len(m.groups))
		for g := range m.groups {
			m.moves[i][g] = m.movesOf(&m.def.States[i], g)
		}
		m.judges[i] = m.judgesOf(&m.def.States[i])
	}
}

func (m *model) movesOf(s *State, g int) []itemMove {
	group := m.groups[g]
	listed := func(names []string) bool {
		return slices.ContainsFunc(group.sections, func(key string) bool { return slices.Contains(names, key) })
	}
	var list []itemMove
	add := func(by int, who string, move itemMove) {
		if move.from == move.to {
			return
		}
		move.label = m.label(edgeLabel{by: by, step: -1, group: g, move: move, job: -1, who: who})
		list = append(list, move)
	}
	class := m.classOf
	if listed(s.Can.Add) && slices.ContainsFunc(group.members, m.isTemplate) {
		add(byStaff, "staff", itemMove{from: -1, to: class[Missing]})
	}
	if listed(s.Can.Provide) && m.mayProvideIn(group, s) {
		who := map[int]string{byClient: "the client", byStaff: firstOf(group.providerRole, "staff")}[group.provider]
		for from, members := range m.classes {
			if m.open&(1<<from) == 0 || len(s.Can.OnlyStatus) > 0 && !inList(s.Can.OnlyStatus, members[0]) {
				continue
			}
			add(group.provider, who, itemMove{from: from, to: class[Provided], provides: true})
			if group.allowNone {
				add(group.provider, who, itemMove{from: from, to: class[NotApplicable], provides: true})
			}
			if from == class[Provided] {
				add(group.provider, who, itemMove{from: from, to: class[Missing], provides: true})
			}
		}
		if group.mayBeEmpty && (len(s.Can.OnlyStatus) == 0 || inList(s.Can.OnlyStatus, Missing)) && !slices.ContainsFunc(group.members, m.isTemplate) {
			add(group.provider, who, itemMove{from: -1, to: class[Missing], provides: true})
		}
	}
	if !listed(s.Can.Review) {
		return list
	}
	for _, role := range group.reviewers {
		by := m.sidesOf([]string{role})
		if by == byStaff && !m.present(role, s) || by == byClient && (!s.Visible() || s.TippingOffSafe) {
			continue
		}
		vetoes := slices.Contains(group.veto, role)
		for from, members := range m.classes {
			if group.quorum && (members[0] == Provided || slices.Contains(members, Provided) || slices.Contains(members, NotApplicable)) {
				add(by, role, itemMove{from: from, to: class[Accepted], veto: -1})
			}
			for _, to := range []string{Rejected, MoreNeeded} {
				if to == Rejected || class[MoreNeeded] != class[Rejected] {
					add(by, role, itemMove{from: from, to: class[to], veto: b2i(vetoes)})
				}
			}
			add(by, role, itemMove{from: from, to: class[Waived], veto: -1})
		}
	}
	return list
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (m *model) isTemplate(member string) bool {
	section, item, _ := strings.Cut(member, ".")
	s := m.def.Section(section)
	spec := m.def.Spec(section, item)
	return s != nil && s.Dynamic && spec != nil && spec.Template
}

// mayProvideIn says whether anybody of the group's provider can act in a state.
func (m *model) mayProvideIn(g *itemGroup, s *State) bool {
	if g.provider == byClient {
		return s.Visible() && !s.TippingOffSafe
	}
	return g.providerRole == "" || m.present(g.providerRole, s)
}

// judgesOf are the classes of people, among those that matter to four-eyes
// guards, who may decide on items in a state.
func (m *model) judgesOf(s *State) []judgeMove {
	var list []judgeMove
	for k, class := range m.classesOfPeople {
		may := slices.ContainsFunc(m.groups, func(g *itemGroup) bool {
			return slices.ContainsFunc(g.sections, func(key string) bool { return slices.Contains(s.Can.Review, key) }) &&
				slices.ContainsFunc(g.reviewers, func(role string) bool {
					return slices.Contains(peopleOf(role), class) && (m.def.IsClientRole(role) || m.present(role, s))
				})
		})
		if may {
			list = append(list, judgeMove{class: k, label: m.label(edgeLabel{by: m.sidesOf([]string{class}), step: -1, group: -1, job: -1, who: class, judges: true})})
		}
	}
	return list
}
