package workflow

import (
	"fmt"
	"slices"
)

// paths finds states that no step leads to, and states from which no steps lead
// to an end, whatever guards may say.
func (k *checker) paths() {
	if k.State(k.Initial) == nil {
		return
	}
	forward, backward := map[string][]string{}, map[string][]string{}
	for _, t := range k.Transitions {
		for _, from := range t.From {
			forward[from] = append(forward[from], t.To)
			backward[t.To] = append(backward[t.To], from)
		}
	}
	var ends []string
	for _, s := range k.States {
		if s.Category == "done" {
			ends = append(ends, s.Key)
		}
	}
	if len(ends) == 0 {
		k.fault("states", "no_end", "No state is an end: give at least one state category: done.")
	}
	k.onPath, k.canEnd = closure(forward, k.Initial), closure(backward, ends...)
	for i, s := range k.States {
		path := fmt.Sprintf("states[%d]", i)
		switch {
		case !k.onPath[s.Key]:
			k.fault(path, "unreachable", fmt.Sprintf("No way leads from the initial state to %q: add a step to it, or take it away.", s.Key))
		case !k.canEnd[s.Key]:
			k.fault(path, "no_end", fmt.Sprintf("From %q no end can be reached: add a step that leads on.", s.Key))
		}
	}
}

// forestalled warns of steps that an automatic one without guard, which is taken
// as soon as a request comes to the state, leaves no time for anywhere.
func (k *checker) forestalled() {
	first := map[string]string{}
	for _, t := range k.Transitions {
		if t.Automatic() && t.After == nil && len(t.Guard) == 0 && len(k.asks(&t)) == 0 {
			for _, from := range t.From {
				if first[from] == "" {
					first[from] = t.Key
				}
			}
		}
	}
	for i, t := range k.Transitions {
		late := func(from string) bool { return first[from] != "" && first[from] != t.Key }
		if len(t.From) > 0 && !slices.ContainsFunc(t.From, func(from string) bool { return !late(from) }) {
			k.warn(fmt.Sprintf("transitions[%d]", i), "forestalled", fmt.Sprintf("Step %q is never taken in practice: the portal takes %q as soon as a request comes to %q. Give that a guard or an after.", t.Key, first[t.From[0]], t.From[0]))
		}
	}
}

func closure(edges map[string][]string, from ...string) map[string]bool {
	seen := map[string]bool{}
	for queue := from; len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		queue = append(queue, edges[queue[0]]...)
	}
	return seen
}
