package workflow

import (
	"fmt"
	"math/bits"
	"slices"
)

// fold puts classes of statuses together that make no difference for a group:
// no guard on it tells them apart, and what can happen to an item of the one can
// happen to an item of the other (a bisimulation of single items). A class that
// no guard can object to is not kept beside others either: what can happen to
// such an item can happen to one of the others too.
func (m *model) fold() {
	for g, group := range m.groups {
		group.kept = m.kept(g)
		group.harmless = m.harmless(g)
		for s := range m.moves {
			var moves []itemMove
			for _, move := range m.moves[s][g] {
				if move.from >= 0 {
					move.from = group.kept[move.from]
				}
				move.to = group.kept[move.to]
				same := func(x itemMove) bool {
					return x.from == move.from && x.to == move.to && x.veto == move.veto && x.provides == move.provides && m.labels[x.label].by == m.labels[move.label].by
				}
				idle := move.from == move.to && (move.veto == 0 || !m.vetoRead || len(group.veto) == 0)
				if !idle && !slices.ContainsFunc(moves, same) {
					moves = append(moves, move)
				}
			}
			m.moves[s][g] = moves
		}
	}
}

// kept gives for each class the one that stands for it.
func (m *model) kept(g int) []int {
	group, n := m.groups[g], len(m.classes)
	mark := make([]string, n)
	for class := range n {
		bit := 1 << class
		told := []bool{group.required && m.gap&bit != 0}
		if len(group.veto) > 0 {
			told = append(told, m.open&bit != 0)
		}
		for i := range m.steps {
			for _, c := range m.steps[i].clauses {
				if slices.Contains(c.groups, g) {
					told = append(told, c.allowed&bit != 0)
				}
			}
		}
		mark[class] = fmt.Sprint(told)
	}
	for {
		next := make([]string, n)
		for class := range n {
			next[class] = mark[class] + "|" + m.futures(g, class, mark)
		}
		if distinct(next) == distinct(mark) {
			break
		}
		mark = next
	}
	kept := make([]int, n)
	for class := range n {
		kept[class] = slices.Index(mark, mark[class])
	}
	return kept
}

// futures says where moves and effects take an item of a class, in marks.
func (m *model) futures(g, class int, mark []string) string {
	var list []string
	add := func(text string) {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for s := range m.moves {
		for _, move := range m.moves[s][g] {
			if move.from == class && mark[move.to] != mark[class] {
				add(fmt.Sprint(s, m.labels[move.label].by, move.veto, move.provides, mark[move.to]))
			}
		}
	}
	for i := range m.steps {
		for n, op := range m.steps[i].ops {
			if op.to != nil && slices.Contains(op.groups, g) && mark[op.to[class]] != mark[class] {
				add(fmt.Sprint("step", i, n, mark[op.to[class]]))
			}
		}
	}
	slices.Sort(list)
	return fmt.Sprint(list)
}

func distinct(marks []string) int {
	seen := map[string]bool{}
	for _, s := range marks {
		seen[s] = true
	}
	return len(seen)
}

// harmless is the class that every guard on the group lets pass and none looks
// for, as a set; empty if there is none.
func (m *model) harmless(g int) int {
	class := m.classOf[Accepted]
	bit := 1 << m.groups[g].kept[class]
	for i := range m.steps {
		s := &m.steps[i]
		for _, c := range s.clauses {
			if slices.Contains(c.groups, g) && (c.any == (c.allowed&(1<<class) != 0)) {
				return 0
			}
		}
		for _, op := range s.ops {
			if op.to != nil && slices.Contains(op.groups, g) && op.to[class] != class {
				return 0
			}
		}
	}
	return bit
}

// put sets the statuses that are present in a group.
func (w *walk) put(c *configuration, g, set int) {
	group, folded := w.groups[g], 0
	for rest := set; rest != 0; rest &= rest - 1 {
		folded |= 1 << group.kept[bits.TrailingZeros(uint(rest))]
	}
	if folded != group.harmless {
		folded &^= group.harmless
	}
	c.set(w.groupSlot[g], folded)
}
