package simulate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"gatehouse/hooks/workflow"
)

// Statistics say what the runs have met. Everything adds up, so that runs may
// be counted in any order.
type Statistics struct {
	Runs        int                  `json:"runs"`
	Acts        int                  `json:"acts"`
	Done        int                  `json:"done"`        // acts that were carried out
	Refused     int                  `json:"refused"`     // and refused
	States      map[string]int       `json:"states"`      // how often each was entered
	Transitions map[string]int       `json:"transitions"` // and each taken
	Ends        map[string]*Ending   `json:"ends"`        // by the state that the run ended in
	Refusals    map[string]int       `json:"refusals"`    // by code
	Items       map[string]int       `json:"items"`       // by status, when it was given
	Jobs        map[string]int       `json:"jobs"`        // by name and outcome
	By          map[string]*Attempts `json:"by"`          // by kind of act
}

// Ending is how runs came to an end: how many, by how many different ways, the
// shortest of them and the sum of their lengths.
type Ending struct {
	Runs     int      `json:"runs"`
	Steps    int      `json:"steps"`
	Shortest []string `json:"shortest"`
	Ways     int      `json:"ways"`

	ways map[string]bool
}

// Attempts count acts of a kind.
type Attempts struct {
	Done    int `json:"done"`
	Refused int `json:"refused"`
}

func newStatistics(def *workflow.Compiled) *Statistics {
	s := &Statistics{
		States: map[string]int{}, Transitions: map[string]int{}, Ends: map[string]*Ending{}, Refusals: map[string]int{},
		Items: map[string]int{}, Jobs: map[string]int{}, By: map[string]*Attempts{},
	}
	for i := range def.States {
		s.States[def.States[i].Key] = 0
	}
	for i := range def.Transitions {
		s.Transitions[def.Transitions[i].Key] = 0
	}
	return s
}

// count counts an act and its answer.
func (s *Statistics) count(a *Act, err error) {
	s.Acts++
	if s.By[a.Do] == nil {
		s.By[a.Do] = &Attempts{}
	}
	if err != nil {
		s.Refused++
		s.By[a.Do].Refused++
		s.Refusals[code(err)]++
		return
	}
	s.Done++
	s.By[a.Do].Done++
	if a.Do == doJob {
		s.Jobs[a.Job+" "+a.Status]++
	}
}

// moved counts what an act changed.
func (s *Statistics) moved(before, after *picture) {
	if after == nil || before == after {
		return
	}
	steps := 0
	if before == nil {
		s.States[after.state]++
	} else {
		steps = len(before.steps)
	}
	for _, t := range after.steps[steps:] {
		s.States[t.To]++
		s.Transitions[t.Key]++
	}
	for _, i := range after.items {
		if was := before.at(i.place()); was == nil || was.Status != i.Status {
			s.Items[i.Status]++
		}
	}
	for name, status := range after.jobs {
		if before == nil || before.jobs[name] == "" {
			s.Jobs[name+" "+status]++
		}
	}
}

// end counts a finished run.
func (s *Statistics) end(r *run) {
	s.Runs++
	if r.seen == nil {
		return
	}
	keys := make([]string, 0, len(r.seen.steps))
	for _, t := range r.seen.steps {
		keys = append(keys, t.Key)
	}
	one := &Ending{Runs: 1, Steps: len(keys), Shortest: keys, ways: map[string]bool{strings.Join(keys, " "): true}}
	s.Ends[r.seen.state] = one
}

// add adds the statistics of other runs.
func (s *Statistics) add(o *Statistics) {
	s.Runs, s.Acts, s.Done, s.Refused = s.Runs+o.Runs, s.Acts+o.Acts, s.Done+o.Done, s.Refused+o.Refused
	for into, from := range map[*map[string]int]map[string]int{&s.States: o.States, &s.Transitions: o.Transitions, &s.Refusals: o.Refusals, &s.Items: o.Items, &s.Jobs: o.Jobs} {
		for key, n := range from {
			(*into)[key] += n
		}
	}
	for key, n := range o.By {
		if s.By[key] == nil {
			s.By[key] = &Attempts{}
		}
		s.By[key].Done += n.Done
		s.By[key].Refused += n.Refused
	}
	for key, e := range o.Ends {
		mine := s.Ends[key]
		if mine == nil {
			mine = &Ending{Shortest: e.Shortest, ways: map[string]bool{}}
			s.Ends[key] = mine
		}
		mine.Runs, mine.Steps = mine.Runs+e.Runs, mine.Steps+e.Steps
		if len(e.Shortest) < len(mine.Shortest) {
			mine.Shortest = e.Shortest
		}
		maps.Copy(mine.ways, e.ways)
		mine.Ways = len(mine.ways)
	}
}

// Never lists the states and the transitions that no run has met.
func (s *Statistics) Never() (states, transitions []string) {
	never := func(counts map[string]int) []string {
		list := []string{}
		for _, key := range slices.Sorted(maps.Keys(counts)) {
			if counts[key] == 0 {
				list = append(list, key)
			}
		}
		return list
	}
	return never(s.States), never(s.Transitions)
}

// print writes the statistics for people: tables, the most frequent first.
func (s *Statistics) print(w io.Writer, def *workflow.Compiled) error {
	p := &printer{w: w}
	p.line("%s version %d: %d runs, %d acts, %d done, %d refused", def.Key, def.Version, s.Runs, s.Acts, s.Done, s.Refused)
	p.table("States entered", s.States)
	p.table("Transitions taken", s.Transitions)
	p.line("\nWhere the runs ended")
	for _, key := range slices.Sorted(maps.Keys(s.Ends)) {
		e := s.Ends[key]
		what := ""
		if state := def.State(key); state != nil && state.Category == "done" {
			what = " (an end)"
		}
		p.line("  %7d  %s%s: %d ways, %.1f steps on average, shortest %d: %s", e.Runs, key, what, e.Ways, float64(e.Steps)/float64(e.Runs), len(e.Shortest), strings.Join(e.Shortest, ", "))
	}
	p.table("Refusals by code", s.Refusals)
	p.table("Items by status", s.Items)
	p.table("Jobs by outcome", s.Jobs)
	p.line("\nActs by kind")
	for _, key := range slices.Sorted(maps.Keys(s.By)) {
		p.line("  %7d done, %7d refused  %s", s.By[key].Done, s.By[key].Refused, key)
	}
	states, transitions := s.Never()
	p.line("\nNever met: %s", orNothing(append(prefixed("state ", states), prefixed("transition ", transitions)...)))
	return p.err
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, prefix+s)
	}
	return out
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) table(title string, counts map[string]int) {
	p.line("\n%s", title)
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, key := range keys {
		p.line("  %7d  %s", counts[key], key)
	}
}
