package workflow

import (
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// What was accepted rests on other items where its definition reads them: it is
// asked for, or repeated, because of what they say. Opening one of those again
// does not take an acceptance back, since a guard counts statuses and nothing
// else; it leaves a note for staff, who confirm or decide anew.

// lookAgainMark keeps the title of the item that was opened after an acceptance
// that rests on it.
const lookAgainMark = "_look_again"

// restsOn says whether the definition of an item reads another one: its status,
// the counts of its section, or the field that it fills.
func (c *Compiled) restsOn(i, other *Item) bool {
	s, spec, from := c.sections[i.Section], c.Spec(i.Section, i.Key), c.Spec(other.Section, other.Key)
	if s == nil || spec == nil || i == other {
		return false
	}
	return slices.ContainsFunc(readNames(s, spec), func(name string) bool {
		group, key, _ := strings.Cut(name, ".")
		switch group {
		case "items":
			return key == other.Key
		case "sections":
			section, _, _ := strings.Cut(key, ".")
			return section == other.Section
		case "data", "given":
			return from != nil && from.Fills != "" && key == from.Fills
		}
		return false
	})
}

// readNames are the facts that say whether an item of a section is asked for, and
// how often, by the names that expressions know them by.
func readNames(s *Section, spec *ItemSpec) []string {
	var names []string
	for _, c := range []*Condition{s.When, spec.When, spec.SkipIf} {
		switch {
		case c == nil:
		case c.compiled != nil:
			names = slices.AppendSeq(names, maps.Keys(c.compiled.reads))
		case c.Field != "":
			names = append(names, "data."+c.Field)
		}
	}
	for _, list := range []string{s.ForEach, spec.ForEach} {
		if list != "" {
			names = append(names, "data."+list)
		}
	}
	return names
}

// lookAgainWhy says that an acceptance is older than what it rests on; for staff.
func (i *Item) lookAgainWhy() string {
	title, _ := i.Answers[lookAgainMark].(string)
	if title == "" {
		return ""
	}
	return "This was accepted before " + title + " was opened again."
}

// confirm says that what was accepted is still right, although something that it
// rests on was opened again: whoever may decide on it may say so, in any state.
func (e *Engine) confirm(tx core.App, l *live, i *Item) error {
	roles := l.def.reviewers(l.def.Section(i.Section), l.def.Spec(i.Section, i.Key))
	if l.who = l.who.as(roles); l.clientSide() || !l.who.acts(roles) {
		why := "Only " + l.def.roleWords(roles, l.def.IsClientRole(roles[0])) + " decides on this."
		return problem.New(problem.NotYours, why).With(i.ID, problem.NotYours, why)
	}
	opened, _ := i.Answers[lookAgainMark].(string)
	if opened == "" {
		return problem.New(problem.ItemLocked, "There is nothing here to look at again.").With(i.ID, problem.ItemLocked, "Nothing to confirm.")
	}
	delete(i.Answers, lookAgainMark)
	if err := e.saveItems(tx, l, []*Item{i}); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	return e.tell(tx, l, "review", schema.Items, i.ID, map[string]any{"confirmed": opened}, "item.confirmed", map[string]any{"item": i.ID, "key": i.Key, "title": i.Title, "opened": opened})
}
