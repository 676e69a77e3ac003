package workflow

import (
	"fmt"
	"strings"

	"gatehouse/hooks/workflow/drawing"
)

// Picture draws the workflow.
func (c *Compiled) Picture() drawing.Picture { return c.picture(0) }

// picture draws the workflow with room for so many more lines in each box.
func (c *Compiled) picture(more int) drawing.Picture {
	boxes, steps := []drawing.Box{}, []drawing.Step{}
	for i := range c.States {
		s := &c.States[i]
		if c.State(s.Key) != s {
			continue // the checker refuses a second state of the same key
		}
		b := drawing.Box{
			Key: s.Key, Label: s.Label.String(), Category: s.Category, Turn: s.Turn, Outcome: s.Outcome, Tone: toneOf(s), Tag: tagOf(s),
			Initial: s.Key == c.Initial, Terminal: len(c.From(s.Key)) == 0,
		}
		if s.Visible() {
			b.ClientLabel = clientLabel(s).String()
		}
		boxes = append(boxes, b)
	}
	for i := range c.Transitions {
		t := &c.Transitions[i]
		for _, from := range t.From {
			steps = append(steps, drawing.Step{Key: t.Key, Label: t.Label.String(), From: from, To: t.To, By: c.byWords(t), Sides: c.Sides(t), Automatic: t.Automatic()})
		}
	}
	return drawing.Make(boxes, steps, more)
}

// toneOf is the tone of a state for staff: who acts, and how it ended.
func toneOf(s *State) string {
	switch {
	case s.Category == "done" && s.Outcome == "success":
		return "ok"
	case s.Category == "done" && s.Outcome == "void":
		return "bad"
	case s.Category == "done":
		return "todo"
	case s.Category == "blocked":
		return "block"
	case !s.Visible():
		return "todo"
	case s.Turn == "client":
		return "need"
	}
	return "us"
}

// tagOf says the same in words, since a tone alone tells many people nothing.
func tagOf(s *State) string {
	switch {
	case s.Category == "done" && s.Outcome == "success":
		return "Done"
	case s.Category == "done" && s.Outcome == "void":
		return "Closed"
	case s.Category == "done":
		return "Archived"
	case s.Category == "blocked":
		return "Blocked"
	}
	word := map[string]string{"client": "With client", "system": "System"}[s.Turn]
	if word == "" {
		word = "With us"
	}
	if !s.Visible() {
		word += " · hidden"
	}
	return word
}

// byWords says who takes a step: "client", "handler or partner", "by itself
// after 60 days".
func (c *Compiled) byWords(t *Transition) string {
	var words []string
	client := false
	for _, name := range t.By {
		switch name {
		case "system":
		case "client_admin", "client_member", "client_viewer", "client_delegate":
			if !client {
				words, client = append(words, "client"), true
			}
		default:
			words = append(words, strings.ToLower(human(name)))
		}
	}
	if t.Automatic() {
		words = append(words, "by itself"+afterWords(t.After))
	}
	return either(words)
}

func afterWords(a *After) string {
	switch {
	case a == nil:
		return ""
	case a.BusinessDaysInState > 0:
		return " after " + things(a.BusinessDaysInState, "working day", "working days")
	}
	return " after " + things(a.DaysInState, "day", "days")
}

func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return fmt.Sprintf("%s or %s", strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
}
