package workflow

import (
	"encoding/json"
	"fmt"
	"slices"

	"gatehouse/hooks/problem"
)

// Condition decides whether a field, item or section applies: a field compared
// with values, a fact such as feed_connected, or an expression.
type Condition struct {
	Field    string
	Is       any
	In       []any
	Contains any
	Fact     string
	FactIs   bool
	Expr     string

	compiled *expression
}

type conditionJSON struct {
	Field    string `json:"field,omitempty"`
	Is       any    `json:"is,omitempty"`
	In       []any  `json:"in,omitempty"`
	Contains any    `json:"contains,omitempty"`
	Expr     string `json:"expr,omitempty"`
}

// facts are the conditions that have a name of their own.
var facts = []string{"feed_connected"}

// UnmarshalJSON reads an object, or a text as an expression.
func (c *Condition) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		c.Expr = text
		return nil
	}
	var named map[string]any
	if err := json.Unmarshal(b, &named); err != nil {
		return err
	}
	if len(named) == 1 {
		for name, value := range named {
			if is, ok := value.(bool); ok && slices.Contains(facts, name) {
				c.Fact, c.FactIs = name, is
				return nil
			}
		}
	}
	var plain conditionJSON
	if err := strict(b, &plain); err != nil {
		return err
	}
	c.Field, c.Is, c.In, c.Contains, c.Expr = plain.Field, plain.Is, plain.In, plain.Contains, plain.Expr
	return nil
}

// MarshalJSON writes the form that was read.
func (c Condition) MarshalJSON() ([]byte, error) {
	if c.Fact != "" {
		return json.Marshal(map[string]bool{c.Fact: c.FactIs})
	}
	return json.Marshal(conditionJSON{c.Field, c.Is, c.In, c.Contains, c.Expr})
}

// holds says whether the condition is true. A condition that cannot be worked
// out (a value of an unexpected type) does not hold.
func (c *Condition) holds(f *Facts) bool {
	switch {
	case c == nil:
		return true
	case c.Fact != "":
		return f.Known[c.Fact] == c.FactIs
	case c.Expr != "":
		return c.compiled.holds(f)
	}
	return compare(f.Data[c.Field], c.Is, c.In, c.Contains)
}

func compare(value, is any, in []any, contains any) bool {
	switch {
	case in != nil:
		return slices.ContainsFunc(in, func(x any) bool { return same(value, x) })
	case contains != nil:
		list, ok := value.([]any)
		return ok && slices.ContainsFunc(list, func(x any) bool { return same(x, contains) })
	}
	return same(value, is)
}

// same compares as people do: a missing bool is false, 3 equals 3.0.
func same(a, b any) bool {
	if a == nil {
		if no, ok := b.(bool); ok {
			return !no
		}
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// unmet is the blocker of an expression that does not hold. The expression itself
// is for those who write workflows: people read its message, in their language.
func (g *Guard) unmet(f *Facts, locale string) []problem.Blocker {
	if g.compiled.holds(f) {
		return nil
	}
	message := "This is not possible at the moment. It depends on other details of the request."
	if !g.Message.IsZero() {
		message = g.Message.In(locale)
	}
	return []problem.Blocker{{Code: problem.Condition, Message: message}}
}
