package workflow

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// SelfStep is a step that the portal will take by itself: At a moment, or, where
// At is empty, once what it waits for has come.
type SelfStep struct {
	At    string `json:"at"`
	Label string `json:"label"` // of the state that it leads to
	Waits string `json:"waits"` // beside time; for staff only
}

// selfSteps tells what the portal will do by itself from here. A client is told
// of what time alone brings and he will be shown, and of nothing in a workflow
// with states that he must not learn of: a date that moved would tell.
func (l *live) selfSteps() []SelfStep {
	list := []SelfStep{}
	if !l.clientSide() {
		for _, t := range l.def.From(l.facts.State) {
			if t.Automatic() {
				list = append(list, SelfStep{At: l.selfAt(t), Label: l.def.State(t.To).Label.In(l.locale()), Waits: l.def.waitsFor(l.facts, t)})
			}
		}
		return list
	}
	if l.shown.State != l.facts.State || slices.ContainsFunc(l.def.States, func(s State) bool { return s.TippingOffSafe }) {
		return list
	}
	for _, t := range l.def.From(l.facts.State) {
		to := l.def.State(t.To)
		if t.Automatic() && t.After != nil && len(t.Guard) == 0 && to.Visible() {
			list = append(list, SelfStep{At: l.selfAt(t), Label: clientLabel(to).In(l.locale())})
		}
	}
	return list
}

func (l *live) selfAt(t *Transition) string {
	if t.After == nil {
		return ""
	}
	return schema.Stamp(later(l.def.afterTime(t, l.facts), l.facts.Now))
}

// nameThem puts names on who gave and who decided, in one statement.
func nameThem(app core.App, v *View) error {
	var ids []string
	each := func(do func(*ByAt)) {
		for s := range v.Sections {
			for n := range v.Sections[s].Items {
				for _, one := range []*ByAt{v.Sections[s].Items[n].Given, v.Sections[s].Items[n].Decided} {
					if one != nil && one.id != "" {
						do(one)
					}
				}
			}
		}
	}
	each(func(b *ByAt) { ids = append(ids, b.id) })
	if len(ids) == 0 {
		return nil
	}
	var people []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	err := app.DB().NewQuery(`SELECT id, name FROM users WHERE id IN (SELECT value FROM json_each({:ids})) UNION ALL SELECT id, name FROM staff WHERE id IN (SELECT value FROM json_each({:ids}))`).
		Bind(dbx.Params{"ids": schema.JSON(ids)}).All(&people)
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	names := map[string]string{}
	for _, p := range people {
		names[p.ID] = p.Name
	}
	each(func(b *ByAt) { b.Name = names[b.id] })
	return nil
}
