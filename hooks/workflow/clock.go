package workflow

import (
	"math"
	"time"

	"gatehouse/hooks/schema"
)

// Service clocks: how much business time each side has had, replayed from the
// history. The same history gives the same clocks, whatever the targets are now.

// Pause is a time in which a request was on hold.
type Pause struct {
	Started, Until time.Time
	Ended          time.Time // zero while it lasts
}

// end is when the hold was over, or will be.
func (p Pause) end() time.Time {
	if p.Ended.IsZero() {
		return p.Until
	}
	return earlier(p.Ended, p.Until)
}

// paused is the hold that lasts at a moment; false if there is none.
func (f *Facts) paused(at time.Time) (Pause, bool) {
	for _, p := range f.Pauses {
		if !at.Before(p.Started) && at.Before(p.end()) {
			return p, true
		}
	}
	return Pause{}, false
}

// Visit is one stay in a state: whose turn it was, and the business time that
// it took, holds not counted.
type Visit struct {
	State   string    `json:"state"`
	Entry   int       `json:"entry"`
	Side    string    `json:"side"` // client firm system, or nothing when nobody has to act
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Seconds int64     `json:"seconds"`
}

// Clocks are the three service clocks of a request. Running is the one that
// runs now; none on hold, outside of business hours it is the one that goes on.
type Clocks struct {
	ClientSeconds int64   `json:"client_seconds"`
	FirmSeconds   int64   `json:"firm_seconds"`
	SystemSeconds int64   `json:"system_seconds"`
	Running       string  `json:"running"`
	Visits        []Visit `json:"visits"`
}

// sides are the clocks' names of the turns.
var sides = map[string]string{"client": "client", "staff": "firm", "system": "system"}

// Clocks replays the clocks of a request as of facts.Now.
func (c *Compiled) Clocks(f *Facts) Clocks {
	k := Clocks{Visits: []Visit{}}
	state, from, seen := c.Initial, f.Opened, map[string]int{}
	visit := func(to time.Time) {
		seen[state]++
		v := Visit{State: state, Entry: seen[state], From: from, To: to}
		if s := c.states[state]; s != nil {
			v.Side = sides[s.Turn]
		}
		if v.Side != "" {
			v.Seconds = int64(c.worked(f, from, to) / time.Second)
		}
		switch v.Side {
		case "client":
			k.ClientSeconds += v.Seconds
		case "firm":
			k.FirmSeconds += v.Seconds
		case "system":
			k.SystemSeconds += v.Seconds
		}
		k.Visits = append(k.Visits, v)
	}
	for _, step := range f.Steps {
		visit(step.At)
		state, from = step.To, step.At
	}
	visit(later(f.Now, from))
	if _, held := f.paused(f.Now); !held {
		k.Running = k.Visits[len(k.Visits)-1].Side
	}
	return k
}

// worked is the business time between two moments without the holds in it.
func (c *Compiled) worked(f *Facts, from, to time.Time) time.Duration {
	sum := c.Calendar.BusinessTime(from, to)
	for _, p := range f.Pauses {
		sum -= c.Calendar.BusinessTime(later(from, p.Started), earlier(to, p.end()))
	}
	return sum
}

// Sla is how far a state's time limit has been used up.
type Sla struct {
	Due     string `json:"due"`
	Percent int    `json:"percent"`
	Paused  bool   `json:"paused"`
}

// Sla says how the present state's time limit stands; nil if it has none.
func (c *Compiled) Sla(f *Facts) *Sla {
	due := c.slaDue(c.states[f.State], f)
	if due.IsZero() {
		return nil
	}
	_, held := f.paused(f.Now)
	s := &Sla{Due: schema.Stamp(due), Paused: held}
	if whole := c.worked(f, f.StateSince, due); whole > 0 {
		s.Percent = int(math.Floor(100 * float64(c.worked(f, f.StateSince, later(f.Now, f.StateSince))) / float64(whole)))
	}
	return s
}

// slaMoment is when so many percent of the state's time limit are used up; the
// zero time if it has none.
func (c *Compiled) slaMoment(f *Facts, percent int) time.Time {
	due := c.slaDue(c.states[f.State], f)
	if due.IsZero() {
		return due
	}
	return c.afterBusinessTime(f, c.worked(f, f.StateSince, due)*time.Duration(percent)/100)
}

// slaDue is when a state's time is up, holds added; the zero time if it has no
// limit.
func (c *Compiled) slaDue(s *State, f *Facts) time.Time {
	switch {
	case s == nil || s.SLA == nil:
		return time.Time{}
	case s.SLA.BusinessDays > 0:
		return c.Calendar.EndOfBusinessDay(c.afterBusinessDays(f, s.SLA.BusinessDays))
	case s.SLA.BusinessHours > 0:
		return c.afterBusinessTime(f, time.Duration(s.SLA.BusinessHours)*time.Hour)
	}
	return time.Time{}
}

// afterTime is the earliest time for a transition with an "after", holds added.
func (c *Compiled) afterTime(t *Transition, f *Facts) time.Time {
	switch {
	case t.After == nil:
		return f.StateSince
	case t.After.BusinessDaysInState > 0:
		return c.afterBusinessDays(f, t.After.BusinessDaysInState)
	}
	at := f.StateSince.In(c.Calendar.zone).AddDate(0, 0, t.After.DaysInState)
	return f.shift(at, func(at, from, to time.Time) time.Time { return at.Add(to.Sub(from)) })
}

// afterBusinessDays is the n-th business day after the state was entered.
func (c *Compiled) afterBusinessDays(f *Facts, n int) time.Time {
	at := c.Calendar.AddBusinessDays(f.StateSince, n)
	return f.shift(at, func(at, from, to time.Time) time.Time {
		// A hold that ends at midnight ends with the day before.
		return c.Calendar.AddBusinessDays(at, c.Calendar.BusinessDays(from, to.Add(-time.Nanosecond)))
	})
}

// afterBusinessTime is when so much business time has passed in the state.
func (c *Compiled) afterBusinessTime(f *Facts, d time.Duration) time.Time {
	at := c.Calendar.AddBusinessTime(f.StateSince, d)
	return f.shift(at, func(at, from, to time.Time) time.Time {
		return c.Calendar.AddBusinessTime(at, c.Calendar.BusinessTime(from, to))
	})
}

// shift moves a moment of the present state by every hold that began before it.
func (f *Facts) shift(at time.Time, by func(at, from, to time.Time) time.Time) time.Time {
	for _, p := range f.Pauses {
		from, to := later(p.Started, f.StateSince), p.end()
		if from.Before(to) && from.Before(at) {
			at = by(at, from, to)
		}
	}
	return at
}
