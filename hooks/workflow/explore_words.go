package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// TraceStep is one step of the path that shows a finding: in which state, which
// step or act, by whom.
type TraceStep struct {
	State string `json:"state"`
	Step  string `json:"step,omitempty"`
	By    string `json:"by,omitempty"`
	Note  string `json:"note,omitempty"`
}

// trace is the shortest path to a configuration.
func (w *walk) trace(at int32) []TraceStep {
	list := []TraceStep{{State: w.def.States[w.state(at)].Key}}
	for p := w.parent[at]; p >= 0; at, p = p, w.parent[p] {
		l := &w.labels[w.via[at]]
		step := TraceStep{State: w.def.States[w.state(p)].Key, By: l.who}
		switch {
		case l.step >= 0:
			t := &w.def.Transitions[l.step]
			step.Step, step.By = t.Key, strings.Join(t.By, ", ")
		default:
			step.Note = w.act(l)
		}
		list = append(list, step)
	}
	slices.Reverse(list)
	return list
}

// act says in words what happens on an edge that is no step.
func (w *walk) act(l *edgeLabel) string {
	switch {
	case l.job >= 0 && l.dead:
		return "job " + w.jobs[l.job].Job + " dead"
	case l.job >= 0:
		return "job " + w.jobs[l.job].Job + " done"
	case l.judges:
		return "items decided on"
	case l.move.from < 0:
		return "an item of " + w.groupWords(l.group) + " added"
	}
	return "an item of " + w.groupWords(l.group) + " " + w.classes[l.move.to][0]
}

// path is a trace in one line.
func (w *walk) path(at int32) string {
	var b strings.Builder
	b.WriteString("Path: ")
	trace := w.trace(at)
	for i, s := range trace {
		switch {
		case i == len(trace)-1 && (i == 0 || trace[i-1].Step != ""):
			b.WriteString(s.State)
		case i == len(trace)-1:
		case s.Step != "" && (i == 0 || trace[i-1].Step != ""):
			fmt.Fprintf(&b, "%s –%s→ ", s.State, s.Step)
		case s.Step != "":
			fmt.Fprintf(&b, " –%s→ ", s.Step)
		case i == 0 || trace[i-1].Step != "":
			fmt.Fprintf(&b, "%s (%s)", s.State, s.Note)
		default:
			fmt.Fprintf(&b, " (%s)", s.Note)
		}
	}
	b.WriteString(".")
	return b.String()
}

// blockers says why the steps out of a configuration are not possible: all, or
// those of one side.
func (w *walk) blockers(at int32, own int) string {
	var reasons []string
	for _, x := range w.exits[w.state(at)] {
		if own != 0 && x.by&own == 0 {
			continue
		}
		if why := w.why(at, x); why != "" && len(reasons) < 3 {
			reasons = append(reasons, why)
		}
	}
	switch {
	case len(reasons) > 0:
		return "There " + strings.Join(reasons, "; ") + "."
	case own != 0 && !slices.ContainsFunc(w.exits[w.state(at)], func(x exit) bool { return x.by&own != 0 }):
		return "No step of that side leads out."
	}
	return ""
}

// why says what stands in the way of a step; empty if nothing does.
func (w *walk) why(at int32, x exit) string {
	if why := w.blockedBy(at, x); why != nil {
		return *why
	}
	s := &w.steps[x.step]
	if len(s.eyes) > 0 && len(w.actors(w.configs[at], w.state(at), x, s)) == 0 {
		var names []string
		for _, d := range s.eyes {
			names = append(names, w.watched[d])
		}
		return fmt.Sprintf("%s needs somebody who did not do %s, and with two people to each role nobody is left", s.Key, strings.Join(names, ", "))
	}
	return ""
}

// blockedBy is the first guard but four eyes that does not hold, in words.
func (w *walk) blockedBy(at int32, x exit) *string {
	s, c := &w.steps[x.step], w.configs[at]
	say := func(format string, args ...any) *string {
		text := s.Key + " " + fmt.Sprintf(format, args...)
		return &text
	}
	for i := range s.clauses {
		k := &s.clauses[i]
		seen := stepSeen{some: make([][2]bool, s.places)}
		if w.itemsHold(c, k, &seen) {
			continue
		}
		if k.any {
			return say("needs an item that is %s", w.classWords(k.allowed))
		}
		for _, g := range k.groups {
			if wrong := c.get(w.groupSlot[g]) &^ k.allowed; wrong != 0 {
				return say("needs every item of %s to be %s, and one is %s", w.groupWords(g), w.classWords(k.allowed), w.oneClass(wrong))
			}
		}
	}
	for _, k := range s.jobs {
		if !w.jobsHold(c, k) {
			name, value := w.jobIn(at, k)
			return say("waits for job %s, which %s", name, []string{"nobody has started", "has not ended", "is done", "is dead"}[value])
		}
	}
	if s.noVeto && slices.ContainsFunc(w.vetoSlot, func(v slot) bool { return c.get(v) != 0 }) {
		return say("waits for an open veto")
	}
	if !w.effectsPossible(c, s) {
		return say("has no item to act on")
	}
	return nil
}

// groupWords names the sections of a group.
func (w *walk) groupWords(g int) string {
	group := w.groups[g]
	if len(group.sections) == 1 && len(group.members) == 1 {
		return group.members[0]
	}
	return strings.Join(group.sections, ", ")
}

func (w *walk) gapWord(at int32, g int) string {
	return w.oneClass(w.configs[at].get(w.groupSlot[g]) & w.gap)
}

// oneClass names one of the classes of a set: the worst.
func (w *walk) oneClass(set int) string {
	for _, status := range []string{Rejected, MoreNeeded, Missing, Expired, Provided, Accepted, Waived, NotApplicable} {
		if class, ok := w.classOf[status]; ok && set&(1<<class) != 0 {
			return status
		}
	}
	return ""
}

func (w *walk) classWords(set int) string {
	var words []string
	for class, members := range w.classes {
		if set&(1<<class) != 0 {
			words = append(words, members...)
		}
	}
	return strings.Join(words, " or ")
}
