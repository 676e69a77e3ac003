package workflow

import (
	"fmt"
	"slices"
)

// literal is a condition on something with few values: it holds for some of
// them.
type literal struct {
	name  string
	field *Field // nil: rounds left
	of    int    // how many values there are
	holds uint64 // for which
}

// literal reads a guard as one; false for conditions with values without end.
func (m *model) literal(g *Guard) (literal, bool) {
	if g.RoundsLeft != nil {
		return literal{name: "rounds left", of: 2, holds: map[bool]uint64{false: 1, true: 2}[*g.RoundsLeft]}, true
	}
	f := m.def.Field(g.Field)
	if f == nil || f.When != nil {
		return literal{}, false
	}
	values := f.values()
	if len(values) == 0 || len(values) > 60 || g.Contains != nil {
		return literal{}, false
	}
	l := literal{name: f.Key, field: f, of: len(values)}
	for i, v := range values {
		if compare(v, g.Is, g.In, nil) {
			l.holds |= 1 << i
		}
	}
	return l, true
}

// values are what a field can hold, if that is a short list; nil stands for
// nothing where it may be left open.
func (f *Field) values() []any {
	switch f.Type {
	case "bool":
		return []any{false, true}
	case "choice":
		var values []any
		for _, o := range f.Options {
			values = append(values, o)
		}
		if f.RequiredBefore == "" && f.Default == nil && len(values) > 0 {
			values = append(values, nil)
		}
		return values
	}
	return nil
}

// mayFill says whether a side can write a field in a state, as the engine does
// while no other system has taken the field over.
func (m *model) mayFill(f *Field, s *State, side string) bool {
	switch {
	case f.WrittenBy != "" || s.Category == "done":
		return false
	case f.Staff():
		return side == "staff"
	case side == "client" && (!s.Visible() || s.TippingOffSafe):
		return false
	}
	return s.Turn == side && m.def.providesHere(s, side)
}

// fillable names a field that a fields_complete guard asks for and that nobody
// can have filled in by the time the request is in a state; empty if there is
// none.
func (m *model) fillable(t *Transition, s *State, side string) string {
	for i := range t.Guard {
		if t.Guard[i].FieldsComplete == "" {
			continue
		}
		for j := range m.def.Fields {
			f := &m.def.Fields[j]
			if f.RequiredBefore != t.Guard[i].FieldsComplete || side == "client" && f.Staff() || f.WrittenBy != "" || f.Default != nil || f.Type == "bool" || m.filledByItem(f.Key) {
				continue
			}
			if !m.filledBefore(f, s) {
				return f.Key
			}
		}
	}
	return ""
}

// filledByItem says whether an item's form, or the request before, fills the
// field.
func (m *model) filledByItem(key string) bool {
	if r := m.def.Recurrence; r != nil && slices.Contains(r.CarryForward, key) {
		return true
	}
	if slices.Contains(m.def.Subject.OneLiveRequestPer, key) {
		return true
	}
	return slices.ContainsFunc(m.def.Sections, func(s Section) bool {
		return slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return i.Fills == key })
	})
}

// filledBefore says whether some state that leads to s, or s itself, lets
// somebody write the field.
func (m *model) filledBefore(f *Field, s *State) bool {
	before := m.leadingTo(s.Key)
	for i := range m.def.States {
		at := &m.def.States[i]
		if before[at.Key] && (m.mayFill(f, at, "client") || m.mayFill(f, at, "staff")) {
			return true
		}
	}
	return false
}

// leadingTo are the states from which a state can be reached, itself included.
func (m *model) leadingTo(state string) map[string]bool {
	if found, ok := m.before[state]; ok {
		return found
	}
	if m.before == nil {
		m.before = map[string]map[string]bool{}
	}
	backward := map[string][]string{}
	for i := range m.def.Transitions {
		t := &m.def.Transitions[i]
		for _, from := range t.From {
			backward[t.To] = append(backward[t.To], from)
		}
	}
	m.before[state] = closure(backward, state)
	return m.before[state]
}

// worlds are the combinations of values that the side whose turn it is cannot
// influence in a state: for each the exits that are possible in it. A single
// world allows every exit.
func (m *model) worlds(at int) []map[int]bool {
	s := &m.def.States[at]
	var names []string
	sizes := map[string]int{}
	for _, x := range m.exits[at] {
		for _, l := range m.steps[x.step].facts {
			if m.controls(l, s) || slices.Contains(names, l.name) {
				continue
			}
			names = append(names, l.name)
			sizes[l.name] = l.of
		}
	}
	total := 1
	for _, name := range names {
		if total *= sizes[name]; total > 256 {
			return []map[int]bool{nil}
		}
	}
	seen := map[string]bool{}
	var list []map[int]bool
	for n := range total {
		value, rest := map[string]int{}, n
		for _, name := range names {
			value[name], rest = rest%sizes[name], rest/sizes[name]
		}
		possible := map[int]bool{}
		for _, x := range m.exits[at] {
			possible[x.step] = !slices.ContainsFunc(m.steps[x.step].facts, func(l literal) bool {
				v, fixed := value[l.name]
				return fixed && l.holds&(1<<v) == 0
			})
		}
		if mark := fmt.Sprint(possible); !seen[mark] {
			seen[mark] = true
			list = append(list, possible)
		}
	}
	return list
}

// controls says whether the side whose turn it is can bring about a condition.
func (m *model) controls(l literal, s *State) bool {
	if l.field == nil {
		f := m.def.Field("rounds_included")
		return s.Turn == "staff" && f != nil && m.mayFill(f, s, "staff")
	}
	return s.Turn != "system" && !l.field.Immutable && m.mayFill(l.field, s, s.Turn)
}
