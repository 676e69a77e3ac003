// Package simulate walks a workflow at random: legal and illegal acts by random
// people, through the real engine with all its hooks and walls, on a portal that
// is nowhere but in memory. After each act it checks what must always hold.
//
//	simulate.go    Simulate, Walk, Try: many runs, in parallel, the same for the same seed
//	world.go       the portal in memory, copied for every few hundred runs
//	cast.go        who acts
//	run.go         one walk
//	choose.go wild.go values.go dice.go  which act comes next
//	act.go         what an act is, and how it is carried out
//	picture.go     the request as the database holds it, read past the engine
//	check.go       what must hold after every act
//	oracle.go      who may do what, by code of its own
//	statistics.go  what the runs have met
//	shrink.go      the shortest list of acts that shows a fault
package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/workflow"
)

// Options say how much to walk.
type Options struct {
	Runs     int
	Steps    int // acts of a run, at most
	Seed     uint64
	Acts     int // stop after about so many acts; 0 for all runs
	Replays  int // how often to play a violation again to make it shorter
	Progress io.Writer
}

// Found is a violation with how to see it again.
type Found struct { //nolint:errname // likewise
	Violation
	Seed uint64 `json:"seed"`
	Run  int    `json:"run"`
	Acts []Act  `json:"acts"`
}

// Result is the outcome of Simulate. Findings are those of the checker; a
// definition that it refuses is not walked.
type Result struct {
	Definition *workflow.Compiled `json:"-"`
	Findings   []workflow.Finding `json:"-"`
	Statistics *Statistics        `json:"statistics"`
	Found      *Found             `json:"violation,omitempty"`
}

// perWorld is how many runs share a world. It is part of what is the same for
// the same seed: the chain of the trail is verified once for each.
const perWorld = 50

// Simulate walks a definition.
func Simulate(rig Rig, source []byte, o Options) (*Result, error) {
	s, findings, err := Prepare(rig, source, source)
	if s == nil || err != nil {
		return &Result{Findings: findings}, err
	}
	out, err := s.Walk(o)
	return out, errors.Join(err, s.Close())
}

// Try is one walk with somebody else's choices, for a fuzz test: what they break,
// nil if nothing.
func (s *Ground) Try(choices []byte, steps int) (*Found, error) {
	w, err := s.grow()
	if err != nil {
		return nil, err
	}
	defer w.close()
	run := 0
	if len(choices) > 0 {
		run = int(choices[0])
	}
	r, err := s.begin(w, run, &given{choices})
	if err != nil {
		return nil, err
	}
	if found, err := found(0, r, r.walk(steps)); found != nil || err != nil {
		return found, err
	}
	return found(0, r, w.verify())
}

// batch are the runs of one world.
type batch struct {
	first, last int
	stats       *Statistics
	found       *Found
	err         error
	done        chan struct{}
}

// Walk spreads the runs over the processors. Worlds are taken in order and
// counted in order, so that the outcome does not depend on who was faster.
func (s *Ground) Walk(o Options) (*Result, error) {
	out := &Result{Definition: s.def, Statistics: newStatistics(s.def)}
	return out, s.walkAll(o, out)
}

func (s *Ground) walkAll(o Options, out *Result) error {
	var batches []*batch
	for first := 0; first < o.Runs; first += perWorld {
		batches = append(batches, &batch{first: first, last: min(first+perWorld, o.Runs), done: make(chan struct{})})
	}
	work, quit := make(chan *batch), make(chan struct{})
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(batches)) {
		workers.Go(func() {
			for b := range work {
				b.stats = newStatistics(s.def)
				b.found, b.err = s.walkWorld(o, b, quit)
				close(b.done)
			}
		})
	}
	go func() {
		defer close(work)
		for _, b := range batches {
			select {
			case work <- b:
			case <-quit:
				return
			}
		}
	}()
	defer workers.Wait()
	defer close(quit)
	for _, b := range batches {
		<-b.done
		if b.err != nil {
			return b.err
		}
		out.Statistics.add(b.stats)
		if o.Progress != nil {
			if _, err := fmt.Fprintf(o.Progress, "\r%d of %d runs, %d acts", b.last, o.Runs, out.Statistics.Acts); err != nil {
				return err
			}
		}
		if b.found != nil {
			b.found.Acts = s.shrink(b.found.Acts, b.found.Rule, o.Replays)
			out.Found = b.found
			break
		}
		if o.Acts > 0 && out.Statistics.Acts >= o.Acts {
			break
		}
	}
	if o.Progress != nil {
		_, err := fmt.Fprintln(o.Progress)
		return err
	}
	return nil
}

// walkWorld walks the runs of one world and then verifies what belongs to all of
// them: the chain of the trail, the outbox, the rights.
func (s *Ground) walkWorld(o Options, b *batch, quit <-chan struct{}) (*Found, error) {
	w, err := s.grow()
	if err != nil {
		return nil, err
	}
	defer w.close()
	var last *run
	for n := b.first; n < b.last; n++ {
		select {
		case <-quit:
			return nil, nil // nobody counts these runs any more
		default:
		}
		r, err := s.begin(w, n, roll(o.Seed, n))
		if err != nil {
			return nil, err
		}
		err = r.walk(o.Steps)
		b.stats.add(r.stats)
		if found, err := found(o.Seed, r, err); found != nil || err != nil {
			return found, err
		}
		last = r
	}
	return found(o.Seed, last, w.verify())
}

func found(seed uint64, r *run, err error) (*Found, error) {
	var v *Violation
	if errors.As(err, &v) {
		return &Found{Violation: *v, Seed: seed, Run: r.number, Acts: clone(r.acts)}, nil
	}
	return nil, err
}

// verify checks what belongs to the whole world.
func (w *world) verify() error {
	report, err := audit.Verify(w.app)
	if err != nil {
		return err
	}
	if report.Bad != 0 {
		return &Violation{"audit_chain", fmt.Sprintf("entry %d: %s", report.Bad, report.Why)}
	}
	var gaps int
	if err := w.app.DB().NewQuery(`SELECT COALESCE(MAX(seq), 0) - COUNT(*) FROM events`).Row(&gaps); err != nil {
		return fmt.Errorf("count events: %w", err)
	}
	if gaps != 0 {
		return &Violation{"outbox", fmt.Sprintf("%d events are missing", gaps)}
	}
	return w.sameAccess()
}

// errBack takes a transaction back.
var errBack = errors.New("take it back")

// sameAccess compares who may see what with what the sources say, and leaves it
// as it was.
func (w *world) sameAccess() error {
	const rights = `SELECT COALESCE(group_concat(line, char(10)), '') FROM (SELECT principal || ' ' || scope || ' ' || since || ' ' || until || ' ' || source || ' ' || source_id AS line FROM access ORDER BY line)`
	var kept, rebuilt string
	if err := w.app.DB().NewQuery(rights).Row(&kept); err != nil {
		return fmt.Errorf("read access: %w", err)
	}
	err := w.app.RunInTransaction(func(tx core.App) error {
		if err := access.Rebuild(tx, w.now); err != nil {
			return err
		}
		if err := tx.DB().NewQuery(rights).Row(&rebuilt); err != nil {
			return fmt.Errorf("read access: %w", err)
		}
		return errBack
	})
	if !errors.Is(err, errBack) {
		return err
	}
	if kept != rebuilt {
		return &Violation{"access", "who may see what is not what its sources say"}
	}
	return nil
}

// Print writes the outcome for people, or as one JSON object.
func (r *Result) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		states, transitions := r.Statistics.Never()
		return json.NewEncoder(w).Encode(struct {
			Workflow         string   `json:"workflow"`
			Version          int      `json:"version"`
			OK               bool     `json:"ok"`
			NeverStates      []string `json:"never_states"`
			NeverTransitions []string `json:"never_transitions"`
			*Result
		}{r.Definition.Key, r.Definition.Version, r.Found == nil, states, transitions, r})
	}
	if err := r.Statistics.print(w, r.Definition); err != nil || r.Found == nil {
		return err
	}
	p := &printer{w: w}
	p.line("\nVIOLATION in run %d of seed %d: %s\nThe shortest list of acts that was found:", r.Found.Run, r.Found.Seed, r.Found.Error())
	for _, a := range r.Found.Acts {
		line, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("write act: %w", err)
		}
		p.line("%s", line)
	}
	return p.err
}
