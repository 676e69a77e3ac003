package workflow

import (
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// Colleagues are the active members of staff who may work requests.
func Colleagues(app core.App) ([]access.StaffMember, error) { return colleagues(app) }

// Lacks names the duties of which one is needed to go on from a state that waits
// for staff, and that none of the colleagues has; empty if somebody can go on.
func (c *Compiled) Lacks(state string, staff []access.StaffMember) []string {
	s := c.states[state]
	if s == nil || s.Turn != "staff" || s.Category == "done" {
		return nil
	}
	var duties []string
	for _, t := range c.From(state) {
		if t.Automatic() || slices.ContainsFunc(t.By, c.IsClientRole) {
			return nil
		}
		duties = append(duties, c.staffRoles(t)...)
	}
	slices.Sort(duties)
	duties = slices.Compact(duties)
	if len(duties) == 0 || len(having(staff, duties)) > 0 {
		return nil
	}
	return duties
}

// DutyWords names duties in a sentence: "the handler or the partner".
func (c *Compiled) DutyWords(duties []string) string { return c.roleWords(duties, false) }

// Hopeless is an item that nobody can put right where its request is.
type Hopeless struct{ Item, Title string }

// Hopeless finds, of the requests that the actor sees, those that cannot take any
// step since an item stands in the way of each that nobody may give, accept or
// waive there.
func (e *Engine) Hopeless(app core.App, ids []string, actor schema.Actor) (map[string]Hopeless, error) {
	found := map[string]Hopeless{}
	if len(ids) == 0 {
		return found, nil
	}
	requests, err := e.loadMany(app, ids, actor)
	if err != nil {
		return nil, err
	}
	for id, l := range requests {
		if i := l.def.hopeless(l.facts); i != nil && !l.who.Shown {
			found[id] = Hopeless{i.ID, i.Title}
		}
	}
	return found, nil
}

func (c *Compiled) hopeless(f *Facts) *Item {
	var worst *Item
	for _, t := range c.From(f.State) {
		i := c.inTheWay(f, t)
		if i == nil {
			return nil
		}
		worst = i
	}
	return worst
}

// inTheWay is an item that a step waits for and that nobody can put right now.
func (c *Compiled) inTheWay(f *Facts, t *Transition) *Item {
	state := c.states[f.State]
	for _, b := range c.Decide(f, t.Key, Who{Superuser: true}, nil).Blockers {
		i := f.item(b.Item)
		if i == nil || slices.Contains(state.Can.Review, i.Section) {
			continue
		}
		if open, _ := c.open(f, i); !open {
			return i
		}
	}
	return nil
}
