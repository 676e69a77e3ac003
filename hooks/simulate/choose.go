package simulate

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/workflow"
)

// choose picks the next act. More than half of the time it is one that leads on
// to the run's goal, as a person would go who reads what the page says is still
// missing; else anything by anybody.
func (r *run) choose() (*Act, error) {
	if r.seen == nil {
		return r.opening(), nil
	}
	switch n := r.dice.n(100); {
	case n < 60:
		a, err := r.onward()
		if err != nil || a != nil {
			return a, err
		}
	case n < 64:
		return &Act{Who: "system", Do: doPass}, nil
	case n < 67:
		return &Act{Who: "system", Do: doClock, Hours: one(r.dice, []int{1, 5, 24, 24, 72, 24 * 7, 24 * 21})}, nil
	case n < 70:
		return r.raw(), nil
	case n < 71:
		return r.record(), nil
	}
	a := r.anything()
	if often(r.dice, 4) {
		a.Fault = one(r.dice, []string{"audit", "event"})
	}
	return a, nil
}

// opening opens the request, now and then by somebody who may not.
func (r *run) opening() *Act {
	p := one(r.dice, r.staff())
	if often(r.dice, 10) {
		p = r.anybody()
	}
	a := &Act{Who: p.name, Do: doOpen, Title: "A request", Status: one(r.dice, []string{"2025-11", "2025-12"})}
	for i := range r.def.Sections {
		s := &r.def.Sections[i]
		if key := r.template(s); key != "" && often(r.dice, 80) {
			a.Section, a.Template = s.Key, key
			for n := range r.dice.n(3) {
				a.Items = append(a.Items, fmt.Sprintf("Thing %d", n))
			}
		}
	}
	return a
}

// aim is the step to take now: the goal, or the next on the way to it.
func (r *run) aim() *workflow.Transition {
	out := r.def.From(r.seen.state)
	if len(out) == 0 {
		return nil
	}
	r.tries++
	reached := r.goal != nil && slices.ContainsFunc(r.seen.steps, func(s taken) bool { return s.Key == r.goal.Key })
	if r.goal == nil || reached || r.tries > 60 {
		r.goal, r.tries = &r.def.Transitions[r.dice.n(len(r.def.Transitions))], 0
	}
	if slices.Contains(r.goal.From, r.seen.state) {
		return r.goal
	}
	if often(r.dice, 15) {
		return one(r.dice, out)
	}
	if t := r.towards(r.goal.From); t != nil {
		return t
	}
	return one(r.dice, out)
}

// towards finds the first step of a shortest way to one of some states; of
// several, any.
func (r *run) towards(states []string) *workflow.Transition {
	far := map[string]int{}
	todo := slices.Clone(states)
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for i := range r.def.Transitions {
			t := &r.def.Transitions[i]
			if t.To != at {
				continue
			}
			for _, from := range t.From {
				if _, known := far[from]; !known && !slices.Contains(states, from) {
					far[from] = far[at] + 1
					todo = append(todo, from)
				}
			}
		}
	}
	var best []*workflow.Transition
	for _, t := range r.def.From(r.seen.state) {
		n, known := far[t.To]
		if slices.Contains(states, t.To) {
			n, known = 0, true
		}
		if mine, ok := far[r.seen.state]; known && ok && n < mine {
			best = append(best, t)
		}
	}
	return one(r.dice, best)
}

// onward takes the step that leads on, or cures what stands in its way.
func (r *run) onward() (*Act, error) {
	t := r.aim()
	if t == nil {
		return nil, nil
	}
	who := r.those(func(p *person) bool {
		if p.system {
			return t.AlsoAutomatic || slices.Contains(t.By, "system")
		}
		return !p.super && !p.stranger && p.acts(t.By)
	})
	var blocked []problem.Blocker
	for range 4 {
		p := one(r.dice, who)
		if p == nil {
			return nil, nil
		}
		actions, err := r.actions(p)
		if code(err) != "" {
			continue // he does not see it
		}
		if err != nil {
			return nil, err
		}
		for _, action := range actions {
			if action.Key != t.Key {
				continue
			}
			if action.Allowed && often(r.dice, 30) {
				return r.nearly(t, p, who), nil
			}
			if action.Allowed {
				return r.ready(t, p), nil
			}
			blocked = action.Blockers
		}
		if len(blocked) > 0 && blocked[0].Code != problem.SamePerson {
			break
		}
	}
	if len(blocked) == 0 {
		return nil, nil
	}
	return r.cure(t, one(r.dice, blocked)), nil
}

// actions are the steps that a person's page offers.
func (r *run) actions(p *person) (list []workflow.Action, err error) {
	err = r.app.RunInTransaction(func(tx core.App) (err error) {
		list, err = r.engine.Actions(tx, r.request, p.actor)
		return err
	})
	return list, err
}

// ready is a step with everything that its form asks for.
func (r *run) ready(t *workflow.Transition, p *person) *Act {
	if p.system {
		return &Act{Who: p.name, Do: doPass}
	}
	a := &Act{Who: p.name, Do: doStep, Step: t.Key, Expect: often(r.dice, 50), Comments: map[string]string{}}
	if often(r.dice, 15) {
		a.Key = fmt.Sprintf("-key-%d", len(r.acts))
	}
	asks := slices.Clone([]string(t.Requires))
	section := ""
	for _, e := range t.Effects {
		if e.SetItems != nil && e.SetItems.Chosen != "" {
			asks, section = append(asks, "choose_items"), e.SetItems.Section
		}
	}
	for _, ask := range asks {
		switch ask {
		case "internal_note":
			a.Note = staffWord + " because"
		case "client_comment":
			a.Comment = "Because"
		case "external_reference", "client_template":
			a.Ref = "R-1"
		case "choose_items":
			for _, i := range r.seen.applicable() {
				if (section == "" || i.Section == section) && !slices.Contains(a.Items, i.place()) && (len(a.Items) == 0 || often(r.dice, 30)) {
					a.Items = append(a.Items, i.place())
				}
			}
		}
	}
	for _, i := range r.seen.applicable() {
		if listed([]string{workflow.Rejected}, i.Status) || slices.Contains(a.Items, i.place()) {
			a.Comments[i.place()] = r.heldWord() + " " + i.place()
		}
	}
	return a
}

// nearly is a step that everything is ready for, but for one thing: another
// person, or something that its form asks for. Nothing else stands between it and
// a refusal.
func (r *run) nearly(t *workflow.Transition, p *person, who []*person) *Act {
	switch r.dice.n(3) {
	case 0:
		p = one(r.dice, who)
	case 1:
		p = r.anybody()
	default:
		a := r.ready(t, p)
		a.Note, a.Comment, a.Ref, a.Comments = "", "", "", nil
		return a
	}
	return r.ready(t, p)
}

// cure does something about one thing that stands in the way of a step.
func (r *run) cure(t *workflow.Transition, b problem.Blocker) *Act {
	var item *thing
	for _, i := range r.seen.items {
		if i.ID == b.Item {
			item = i
		}
	}
	switch b.Code {
	case problem.ItemMissing, problem.ItemOpen, problem.VetoOpen:
		if item != nil {
			return r.settle(item)
		}
	case problem.NoItem:
		return r.spoil(t)
	case problem.FieldMissing:
		if f := r.def.Field(b.Field); f != nil {
			return r.write(f, r.fieldValue(f))
		}
	case problem.Condition:
		if f := r.def.Field(b.Field); f != nil {
			for _, g := range t.Guard {
				if g.Field == b.Field && g.Is != nil {
					return r.write(f, g.Is)
				}
			}
			return r.write(f, r.fieldValue(f))
		}
	case problem.Rounds:
		if f := r.def.Field("rounds_included"); f != nil {
			return r.write(f, float64(one(r.dice, []int{0, 9})))
		}
	case problem.TooEarly:
		return &Act{Who: "system", Do: doClock, Hours: 24 * (1 + r.dice.n(30))}
	case problem.JobsOpen:
		return r.outcome(t)
	case problem.NothingToPublish:
		for _, e := range t.Effects {
			if a := r.attach(e.PublishFile); a != nil {
				return a
			}
		}
	}
	return nil
}

// settle brings an item further: given by who may give it, or decided on by who
// may decide.
func (r *run) settle(i *thing) *Act {
	if listed([]string{workflow.Missing, workflow.Rejected}, i.Status) {
		if p := one(r.dice, r.those(func(p *person) bool { return !p.super && r.mayProvide(p, i, r.seen) == "" })); p != nil {
			return r.gift(p, i)
		}
	}
	p := one(r.dice, r.those(func(p *person) bool { return !p.super && r.mayReview(p, i, r.seen) == "" }))
	if p == nil {
		return nil
	}
	a := &Act{Who: p.name, Do: doReview, Item: i.place(), Status: workflow.Accepted}
	if !listed([]string{workflow.Provided, workflow.Waived, workflow.Accepted}, i.Status) || often(r.dice, 8) {
		a.Status, a.Comment = workflow.Waived, r.heldWord()
	}
	return a
}

// spoil gives a step the item that it asks for: one sent back, or a new one.
func (r *run) spoil(t *workflow.Transition) *Act {
	for _, g := range t.Guard {
		if g.AnyItem == nil {
			continue
		}
		if slices.Contains(g.AnyItem.StatusIn, workflow.Missing) && often(r.dice, 50) {
			if a := r.add(g.AnyItem.Sections); a != nil {
				return a
			}
		}
		var acts []*Act
		for _, i := range r.seen.applicable() {
			if !slices.Contains(g.AnyItem.Sections, i.Section) {
				continue
			}
			if p := one(r.dice, r.those(func(p *person) bool { return !p.super && r.mayReview(p, i, r.seen) == "" })); p != nil {
				acts = append(acts, &Act{Who: p.name, Do: doReview, Item: i.place(), Status: one(r.dice, []string{workflow.Rejected, workflow.MoreNeeded}), Comment: r.heldWord()})
			}
		}
		return one(r.dice, acts)
	}
	return nil
}

// heldWord is a comment that a client may read only when the decision is out.
func (r *run) heldWord() string { return fmt.Sprintf("Please look again %d-%d", r.number, len(r.acts)) }

// add adds an item to one of the sections.
func (r *run) add(sections []string) *Act {
	state := r.def.State(r.seen.state)
	for _, key := range sections {
		s := r.def.Section(key)
		if s == nil || !s.Dynamic || !slices.Contains(state.Can.Add, key) {
			continue
		}
		if p := one(r.dice, r.those(func(p *person) bool { return !p.client() && len(p.roles) > 0 })); p != nil {
			return &Act{Who: p.name, Do: doAdd, Section: key, Template: r.template(s), Title: fmt.Sprintf("Thing %d", len(r.acts))}
		}
	}
	return nil
}

// template is a kind of item that may be added to a section; "" if there is none.
func (r *run) template(s *workflow.Section) string {
	var keys []string
	for i := range s.Items {
		if s.Items[i].Template {
			keys = append(keys, s.Items[i].Key)
		}
	}
	return one(r.dice, keys)
}

// write writes a field, by somebody who may if there is one.
func (r *run) write(f *workflow.Field, value any) *Act {
	p := one(r.dice, r.those(func(p *person) bool { return !p.super && r.mayWrite(p, f, r.seen) == "" }))
	if p == nil {
		return nil
	}
	return &Act{Who: p.name, Do: doData, Data: map[string]any{f.Key: value}}
}

// outcome lets a job that a step waits for come out as it wants, mostly.
func (r *run) outcome(t *workflow.Transition) *Act {
	for _, g := range t.Guard {
		want := g.Jobs
		if want == nil {
			want = g.AnyJob
		}
		if want == nil {
			continue
		}
		a := &Act{Who: "system", Do: doJob, Job: one(r.dice, []string(want.Names)), Status: want.Status}
		if often(r.dice, 20) {
			a.Status = one(r.dice, []string{"done", "dead", "skipped"})
		}
		return a
	}
	return nil
}

// attach gives an item, or one of a section, a file of the firm's.
func (r *run) attach(name string) *Act {
	for _, i := range r.seen.applicable() {
		if name == "" || (i.Key != name && i.Section != name) {
			continue
		}
		if p := one(r.dice, r.those(func(p *person) bool { return !p.super && !p.client() && r.mayProvide(p, i, r.seen) == "" })); p != nil {
			return &Act{Who: p.name, Do: doUpload, Item: i.place(), Metadata: map[string]any{}}
		}
	}
	return nil
}

// those are the people of whom something is true.
func (r *run) those(is func(p *person) bool) []*person {
	var list []*person
	for _, p := range r.people.all {
		if is(p) {
			list = append(list, p)
		}
	}
	return list
}

func (r *run) staff() []*person {
	return r.those(func(p *person) bool { return !p.client() && !p.super && !p.system && p.actor.Role != "viewer" })
}

func (r *run) anybody() *person { return one(r.dice, r.people.all) }
