package workflow

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"gatehouse/hooks/schema"
)

// Compiled is a definition with what deciding needs at hand: lookups by key,
// compiled expressions, and the forms and texts that it names.
type Compiled struct {
	*Definition

	ID       string // of the workflows record; empty for a file
	Calendar Calendar
	Forms    map[string]*Form
	Texts    map[string]*LegalText

	states      map[string]*State
	transitions map[string]*Transition
	sections    map[string]*Section
	fields      map[string]*Field
	lines       map[string][2]int
	words       map[string]group
	place       func(path string, at int) (line, column int) // where an expression's character stands in the source
	problems    []misplaced
}

// Compile indexes a definition. It never fails on a wrong reference, which the
// checker reports; expressions that do not compile are kept as findings.
func Compile(def *Definition) (*Compiled, error) {
	c := &Compiled{
		Definition: def, Forms: map[string]*Form{}, Texts: map[string]*LegalText{},
		states: map[string]*State{}, transitions: map[string]*Transition{}, sections: map[string]*Section{}, fields: map[string]*Field{},
	}
	for i := range def.Fields {
		c.fields[def.Fields[i].Key] = &def.Fields[i]
	}
	for i := range def.Sections {
		c.sections[def.Sections[i].Key] = &def.Sections[i]
	}
	for i := range def.States {
		c.states[def.States[i].Key] = &def.States[i]
	}
	for i := range def.Transitions {
		t := &def.Transitions[i]
		c.transitions[t.Key] = t
		for _, from := range t.From {
			if s := c.states[from]; s != nil {
				s.transitionsFrom = append(s.transitionsFrom, i)
			}
		}
	}
	c.words = c.vocabulary()
	c.conditions()
	c.Calendar = NewCalendar(def.Calendar, nil)
	return c, nil
}

// conditions compiles every condition and keeps what is wrong with them.
func (c *Compiled) conditions() {
	for i := range c.Fields {
		c.condition(c.Fields[i].When, fmt.Sprintf("fields[%d].when", i))
	}
	for i := range c.Sections {
		s := &c.Sections[i]
		c.condition(s.When, fmt.Sprintf("sections[%d].when", i))
		for j := range s.Items {
			c.condition(s.Items[j].When, fmt.Sprintf("sections[%d].items[%d].when", i, j))
			c.condition(s.Items[j].SkipIf, fmt.Sprintf("sections[%d].items[%d].skip_if", i, j))
		}
	}
	if c.Recurrence != nil {
		c.condition(c.Recurrence.SkipIf, "recurrence.skip_if")
	}
	for i := range c.Transitions {
		for j := range c.Transitions[i].Guard {
			g, path := &c.Transitions[i].Guard[j], fmt.Sprintf("transitions[%d].guard[%d]", i, j)
			if g.Expr != "" {
				g.compiled = c.compile(g.Expr, path, false)
			} else {
				c.comparison(g.Field, g.Is, g.In, g.Contains, path)
			}
		}
	}
}

func (c *Compiled) condition(cond *Condition, path string) {
	switch {
	case cond == nil:
	case cond.Expr != "":
		cond.compiled = c.compile(cond.Expr, path, true)
	default:
		c.comparison(cond.Field, cond.Is, cond.In, cond.Contains, path)
	}
}

func (c *Compiled) compile(source, path string, applies bool) *expression {
	compiled, misfits := c.compileExpression(source, applies)
	for _, m := range misfits {
		c.problems = append(c.problems, misplaced{path, m.at, "The condition does not make sense: " + m.message})
	}
	return compiled
}

// misplaced is what is wrong with a condition: at which path, and at which
// character of its expression (-1: the condition as a whole).
type misplaced struct {
	path    string
	at      int
	message string
}

// State finds a state; nil if there is none.
func (c *Compiled) State(key string) *State { return c.states[key] }

// Transition finds a transition; nil if there is none.
func (c *Compiled) Transition(key string) *Transition { return c.transitions[key] }

// Section finds a section; nil if there is none.
func (c *Compiled) Section(key string) *Section { return c.sections[key] }

// Field finds a field; nil if there is none.
func (c *Compiled) Field(key string) *Field { return c.fields[key] }

// Spec finds what the definition says of an item; nil if there is nothing.
func (c *Compiled) Spec(section, key string) *ItemSpec {
	s := c.sections[section]
	if s == nil {
		return nil
	}
	for i := range s.Items {
		if s.Items[i].Key == key {
			return &s.Items[i]
		}
	}
	return nil
}

// From lists the transitions out of a state.
func (c *Compiled) From(state string) []*Transition {
	s := c.states[state]
	if s == nil {
		return nil
	}
	list := make([]*Transition, 0, len(s.transitionsFrom))
	for _, i := range s.transitionsFrom {
		list = append(list, &c.Transitions[i])
	}
	return list
}

// Job finds what the definition says of a job; nil if there is nothing.
func (c *Compiled) Job(name string) *Integration {
	for i := range c.Integrations {
		if c.Integrations[i].Job == name {
			return &c.Integrations[i]
		}
	}
	return nil
}

// IsClientRole says whether a name under "by" is one of the client's side.
func (c *Compiled) IsClientRole(name string) bool {
	switch name {
	case "client_admin", "client_member", "client_viewer", "client_delegate":
		return true
	}
	for _, role := range c.Roles.Client {
		if role == name {
			return true
		}
	}
	return false
}

// Sides says which sides may take the transition: client, staff, system.
func (c *Compiled) Sides(t *Transition) []string {
	var client, staff bool
	for _, name := range t.By {
		switch {
		case name == "system":
		case c.IsClientRole(name):
			client = true
		default:
			staff = true
		}
	}
	sides := make([]string, 0, 3)
	if client {
		sides = append(sides, "client")
	}
	if staff {
		sides = append(sides, "staff")
	}
	if t.Automatic() {
		sides = append(sides, "system")
	}
	return sides
}

// Form is a list of questions that an item of kind form asks.
type Form struct {
	Key       string     `json:"key"`
	Version   int        `json:"version"`
	Title     string     `json:"title"`
	Questions []Question `json:"questions"`
}

// Question is one question of a form. Types are those of fields.
type Question struct {
	Key      string   `json:"key"`
	Label    string   `json:"label"`
	Type     string   `json:"type"`
	Help     string   `json:"help,omitempty"`
	Required bool     `json:"required,omitempty"`
	Options  []string `json:"options,omitempty"`
}

// LegalText is a text that an acknowledgement refers to.
type LegalText struct {
	Key     string `json:"key"`
	Version int    `json:"version"`
	Title   string `json:"title"`
	Body    string `json:"body"`
}

var versioned = regexp.MustCompile(`^(.+)_v(\d+)$`)

// splitVersion reads "ownership_v1" as key and version; version 0 means the
// newest.
func splitVersion(name string) (string, int) {
	m := versioned.FindStringSubmatch(name)
	if m == nil {
		return name, 0
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return name, 0
	}
	return m[1], n
}

// afterTime is the earliest time for a transition with an "after", given when
// the state was entered.
func (c *Compiled) afterTime(t *Transition, entered time.Time) time.Time {
	switch {
	case t.After == nil:
		return entered
	case t.After.BusinessDaysInState > 0:
		return c.Calendar.AddBusinessDays(entered, t.After.BusinessDaysInState)
	}
	return entered.In(c.Calendar.zone).AddDate(0, 0, t.After.DaysInState)
}

// slaDue is when a state's time is up; the zero time if it has no limit.
func (c *Compiled) slaDue(s *State, entered time.Time) time.Time {
	switch {
	case s == nil || s.SLA == nil:
		return time.Time{}
	case s.SLA.BusinessDays > 0:
		return c.Calendar.EndOfBusinessDay(c.Calendar.AddBusinessDays(entered, s.SLA.BusinessDays))
	case s.SLA.BusinessHours > 0:
		return c.Calendar.AddBusinessHours(entered, s.SLA.BusinessHours)
	}
	return time.Time{}
}

func stampOrEmpty(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return schema.Stamp(t)
}
