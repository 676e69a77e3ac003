package workflow

import (
	"fmt"
	"time"
)

// Recurrence: for which periods a request is opened, when, and with which due
// date. It follows from the definition and the calendar alone.

// rule is a recurrence as read.
type rule struct {
	every       string
	create, due ordinal
	hasDue      bool
	ahead       int // of the period: -1 previous, 0 this, 1 next
}

// rule reads the words of a recurrence.
func (r *Recurrence) rule() (out rule, err error) {
	out.every = r.Every
	switch r.Every {
	case "week", "month", "quarter", "year":
	default:
		return out, fmt.Errorf("every: %q is not one of week, month, quarter, year", r.Every)
	}
	if out.create, err = parseOrdinal(r.Create); err != nil {
		return out, fmt.Errorf("create: %w", err)
	}
	if out.hasDue = r.Due != ""; out.hasDue {
		if out.due, err = parseOrdinal(r.Due); err != nil {
			return out, fmt.Errorf("due: %w", err)
		}
	}
	switch r.Period {
	case "previous_" + r.Every:
		out.ahead = -1
	case "", r.Every, "this_" + r.Every:
	case "next_" + r.Every:
		out.ahead = 1
	default:
		return out, fmt.Errorf("period: %q is not one of previous_%s, this_%s, next_%s", r.Period, r.Every, r.Every, r.Every)
	}
	return out, nil
}

// Turn is one time at which a recurrence opens requests.
type Turn struct {
	Period string    // 2026-10, 2026-Q4, 2026, 2026-W48
	Words  string    // October 2026
	At     time.Time // when the request is opened
	Due    time.Time // the zero time if the state's own limit holds
}

// Turns lists the times of a recurrence from since up to now, oldest first.
func (c *Compiled) Turns(since, now time.Time) ([]Turn, error) {
	if c.Recurrence == nil {
		return nil, nil
	}
	r, err := c.Recurrence.rule()
	if err != nil {
		return nil, err
	}
	var turns []Turn
	for first := r.begin(since.In(c.Calendar.zone)); !first.After(now); first = r.add(first, 1) {
		t := c.turn(r, first)
		if !t.At.Before(since) && !t.At.After(now) {
			turns = append(turns, t)
		}
	}
	return turns, nil
}

// periodOf is the period of a request that is opened at now: the one that is
// named, by itself or among the data, else the one that the recurrence would open
// for today. A request of a recurring workflow is never without one, since its
// number and its data speak of it.
func (c *Compiled) periodOf(in NewRequest, now time.Time) string {
	if in.Period != "" {
		return in.Period
	}
	if named, ok := in.Data["period"].(string); ok && named != "" {
		return named
	}
	if c.Recurrence == nil {
		return ""
	}
	r, err := c.Recurrence.rule()
	if err != nil {
		return "" // the checker has refused such a definition
	}
	return c.turn(r, r.begin(now.In(c.Calendar.zone))).Period
}

// turn is the time of a recurrence in the cycle that begins at first: when the
// firm opens on the day that the rule names.
func (c *Compiled) turn(r rule, first time.Time) Turn {
	after := r.add(first, 1)
	day := c.Calendar.dayOf(r.create, first, after)
	t := Turn{At: c.Calendar.clock(day, c.Calendar.opening(day))}
	t.Period, t.Words = r.name(r.add(first, r.ahead))
	if r.hasDue {
		t.Due = c.Calendar.EndOfBusinessDay(c.Calendar.dayOf(r.due, first, after))
	}
	return t
}

// begin is the first midnight of the cycle that a moment lies in.
func (r rule) begin(t time.Time) time.Time {
	y, m, d := t.Date()
	switch r.every {
	case "week":
		d -= (int(t.Weekday()) + 6) % 7 // weeks begin on Monday (ISO 8601)
	case "month":
		d = 1
	case "quarter":
		m, d = (m-1)/3*3+1, 1
	default:
		m, d = time.January, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// add moves the beginning of a cycle by n cycles.
func (r rule) add(first time.Time, n int) time.Time {
	switch r.every {
	case "week":
		return first.AddDate(0, 0, 7*n)
	case "month":
		return first.AddDate(0, n, 0)
	case "quarter":
		return first.AddDate(0, 3*n, 0)
	}
	return first.AddDate(n, 0, 0)
}

// name is how a period is written, for programs and for people.
func (r rule) name(first time.Time) (period, words string) {
	switch r.every {
	case "week":
		year, week := first.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week), fmt.Sprintf("week %d of %d", week, year)
	case "month":
		return first.Format("2006-01"), first.Format("January 2006")
	case "quarter":
		quarter := (int(first.Month())-1)/3 + 1
		return fmt.Sprintf("%d-Q%d", first.Year(), quarter), fmt.Sprintf("quarter %d of %d", quarter, first.Year())
	}
	return first.Format("2006"), first.Format("2006")
}

// carried are the values that the next request takes over: of the previous
// request, else of what the organization has.
func (c *Compiled) carried(previous, organization map[string]any) map[string]any {
	data := map[string]any{}
	for _, key := range c.Recurrence.CarryForward {
		if value, ok := previous[key]; ok && value != nil {
			data[key] = value
		} else if value, ok := organization[key]; ok && value != nil && previous == nil {
			data[key] = value
		}
	}
	return data
}

// skips says whether the period is left out: by the data of the previous request,
// else by what the organization has.
func (c *Compiled) skips(previous, organization map[string]any) bool {
	data := previous
	if data == nil {
		data = organization
	}
	return c.Recurrence.SkipIf != nil && c.Recurrence.SkipIf.holds(&Facts{Data: data, OrgData: organization})
}
