package simulate

import (
	"errors"
	"maps"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/workflow"
)

// run is one walk: one request of one organization, from its opening on.
type run struct {
	*world
	def       *workflow.Compiled
	reachable map[string]bool
	dice      dice
	number    int

	organization string
	request      string
	seen         *picture // as it is after the last act; nil before the request is open
	mark         int64    // version of the database after the last act
	events       int64    // the last event, and the last entry on the trail, that were looked at
	trail        int64
	answers      map[string][]byte // first answers by idempotency key
	repeated     bool              // the act was one that had been done already
	changes      int               // how many acts have changed something
	moved        bool              // time has gone by since the request was opened
	failing      bool              // a seam is made to fail now

	goal  *workflow.Transition // what this run is after
	tries int                  // how long already
	acts  []Act
	stats *Statistics
}

// begin founds the organization of a run.
func (s *Ground) begin(w *world, number int, d dice) (*run, error) {
	r := &run{world: w, def: s.def, reachable: reach(s.def), dice: d, number: number, answers: map[string][]byte{}, stats: newStatistics(s.def)}
	// In two runs of three every system is connected; else jobs are skipped.
	connection := ""
	if number%3 > 0 {
		connection = "simulated"
	}
	w.engine.Connected = func(core.App, string) (string, error) { return connection, nil }
	var err error
	if r.organization, err = w.found(number); err != nil {
		return nil, err
	}
	if r.events, err = end(w.app, "events"); err != nil {
		return nil, err
	}
	if r.trail, err = end(w.app, "audit_log"); err != nil {
		return nil, err
	}
	if r.mark, err = w.version(); err != nil {
		return nil, err
	}
	if n := len(s.def.Transitions); n > 0 {
		r.goal = &s.def.Transitions[number%n]
	}
	return r, nil
}

// afterwards is how many acts are tried on a request that has come to its end.
const afterwards = 6

// walk takes up to most acts of the walker's choice, and stops at the first
// violation.
func (r *run) walk(most int) error {
	late := 0
	for len(r.acts) < most && late < afterwards && !r.dice.spent() {
		act, err := r.choose()
		if err != nil {
			return err
		}
		if err := r.act(act); err != nil {
			return err
		}
		if r.seen != nil && r.def.State(r.seen.state) != nil && r.def.State(r.seen.state).Terminal {
			late++
		}
	}
	r.stats.end(r)
	if r.seen == nil {
		return nil
	}
	return r.checkFace(r.seen)
}

// replay takes the given acts.
func (r *run) replay(acts []Act) error {
	for n := range acts {
		if err := r.act(&acts[n]); err != nil {
			return err
		}
	}
	return nil
}

// act lets one act happen and checks everything.
func (r *run) act(a *Act) error {
	r.acts = append(r.acts, *a)
	if r.seen == nil && a.Do != doOpen && a.Do != doClock {
		return nil // of a shortened list: there is nothing yet to act on
	}
	p, before := r.people.byName[a.Who], r.seen
	if p == nil {
		return errors.New("nobody is called " + a.Who)
	}
	r.repeated = false
	err := r.faulty(a, func() error { return r.perform(a) })
	var v *Violation
	if errors.As(err, &v) {
		return v
	}
	r.stats.count(a, err)
	if err := r.check(a, p, before, err); err != nil {
		return err
	}
	r.stats.moved(before, r.seen)
	return nil
}

// faulty lets a seam of the engine fail during an act, if the act says so: what
// the seam belongs to must then not have happened either.
func (r *run) faulty(a *Act, do func() error) error {
	if a.Fault == "" {
		return do()
	}
	auditSeam, eventSeam := r.engine.Audit, r.engine.Emit
	r.failing = true
	defer func() { r.engine.Audit, r.engine.Emit, r.failing = auditSeam, eventSeam, false }()
	switch a.Fault {
	case "audit":
		r.engine.Audit = func(core.App, workflow.Change) error { return errFault }
	case "event":
		r.engine.Emit = func(core.App, workflow.Fact) error { return errFault }
	}
	return do()
}

// clone is the list of acts so far.
func clone(acts []Act) []Act {
	list := make([]Act, len(acts))
	for n, a := range acts {
		list[n] = a
		list[n].Comments, list[n].Answers, list[n].Data = maps.Clone(a.Comments), maps.Clone(a.Answers), maps.Clone(a.Data)
	}
	return list
}
