package workflow

import "fmt"

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
