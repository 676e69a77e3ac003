package workflow

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse/hooks/schema"
)

// schedule says when a reminder is due, read from a definition's words.
type schedule struct {
	afterEntry, beforeDue, afterDue []int // business days
	hoursAfterEntry                 []int // business hours
	slaPercent                      []int
	beforeField                     string
	beforeFieldDays                 []int
}

// schedule reads the words. All that can be read is, whatever stands beside it.
func (r *Reminder) schedule() (s schedule, err error) {
	for word, value := range r.Schedule {
		list, wrong := numbers(value), error(nil)
		switch word {
		case "business_days_after_entry":
			s.afterEntry = list
		case "business_days_before_due":
			s.beforeDue = list
		case "business_days_after_due":
			s.afterDue = list
		case "business_hours_after_entry", "business_hours":
			s.hoursAfterEntry = list
		case "sla_percent":
			s.slaPercent = list
		case "business_days_before":
			m, _ := value.(map[string]any)
			s.beforeField, _ = m["field"].(string)
			list = numbers(m["days"])
			s.beforeFieldDays = list
		default:
			words := []string{"business_days_after_entry", "business_days_before_due", "business_days_after_due", "business_days_before", "business_hours_after_entry", "sla_percent"}
			wrong = fmt.Errorf("%q is not a word for when.%s", word, didYouMean(word, words))
		}
		if wrong == nil && len(list) == 0 {
			wrong = fmt.Errorf("%s needs whole numbers from 0, such as [1, 3]", word)
		}
		if err == nil {
			err = wrong
		}
	}
	return s, err
}

// numbers reads one whole number or a list of them; nothing for anything else.
func numbers(value any) []int {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	out := make([]int, 0, len(list))
	for _, v := range list {
		n, err := strconv.Atoi(fmt.Sprint(v))
		if err != nil || n < 0 || n > 10_000 {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// occurrence is one time at which a reminder is due: on a day, at nine in the
// morning where the receiver lives, or at a moment of business time. Key is what
// it is remembered under, in the present entry of the state.
type occurrence struct {
	key    string
	day    time.Time // noon of the day, in the calendar's zone
	moment time.Time
	after  int // percent of the time limit, for the words
}

// nine is the hour at which people are reminded.
const nine = 9 * time.Hour

// occurrences are the times at which a reminder is due while the request stays
// where it is, worked out from the facts as they are now.
func (c *Compiled) occurrences(f *Facts, r *Reminder) []occurrence {
	var list []occurrence
	on := func(word string, n int, day time.Time, dated bool) {
		o := occurrence{key: fmt.Sprintf("%s/%s/%d", f.State, word, n), day: c.Calendar.clock(day, 12*time.Hour)}
		if dated {
			// Once more for another date, when what it counts from has moved.
			o.key += "/" + o.day.Format(time.DateOnly)
		}
		list = append(list, o)
	}
	for _, n := range r.when.afterEntry {
		on("business_days_after_entry", n, c.Calendar.NextWorkday(c.afterBusinessDays(f, n)), false)
	}
	if due := schema.Time(f.Due); !due.IsZero() {
		for _, n := range r.when.beforeDue {
			on("business_days_before_due", n, c.before(due, n), true)
		}
		for _, n := range r.when.afterDue {
			on("business_days_after_due", n, c.Calendar.NextWorkday(c.Calendar.AddBusinessDays(due, n)), true)
		}
	}
	if day, ok := c.dateOf(f, r.when.beforeField); ok {
		for _, n := range r.when.beforeFieldDays {
			on("business_days_before/"+r.when.beforeField, n, c.before(day, n), true)
		}
	}
	for _, n := range r.when.hoursAfterEntry {
		list = append(list, occurrence{key: fmt.Sprintf("%s/business_hours_after_entry/%d", f.State, n), moment: c.afterBusinessTime(f, time.Duration(n)*time.Hour)})
	}
	for _, n := range r.when.slaPercent {
		if at := c.slaMoment(f, n); !at.IsZero() {
			list = append(list, occurrence{key: fmt.Sprintf("%s/sla_percent/%d", f.State, n), moment: at, after: n})
		}
	}
	return list
}

// itemDue is when an item is due: a day of the month in which the request was
// opened ("3rd business day"), or a span from its opening ("5bd"). Empty if the
// definition does not say.
func (c *Compiled) itemDue(f *Facts, spec *ItemSpec) string {
	at, err := c.dueText(f.Opened, spec.Due)
	if spec.Due == "" || err != nil {
		return ""
	}
	return schema.Stamp(at)
}

func (c *Compiled) dueText(opened time.Time, text string) (time.Time, error) {
	if at, err := c.Calendar.AddText(opened, text); err == nil {
		return at, nil
	}
	o, err := parseOrdinal(text)
	if err != nil {
		return opened, err
	}
	month := rule{every: "month"}
	first := month.begin(opened.In(c.Calendar.zone))
	return c.Calendar.EndOfBusinessDay(c.Calendar.dayOf(o, first, month.add(first, 1))), nil
}

// before is the n-th business day before a day; before one without work, the
// last that has.
func (c *Compiled) before(day time.Time, n int) time.Time {
	if n == 0 && !c.Calendar.IsWorkday(day) {
		n = 1
	}
	return c.Calendar.AddBusinessDays(day, -n)
}

// dateOf reads a field that holds a date.
func (c *Compiled) dateOf(f *Facts, field string) (time.Time, bool) {
	text, _ := f.Data[field].(string)
	day, err := time.ParseInLocation(time.DateOnly, text, c.Calendar.zone)
	return day, err == nil && field != ""
}

// at is when an occurrence reaches a person.
func (c *Compiled) at(o occurrence, p Receiver) time.Time {
	if !o.moment.IsZero() {
		return c.polite(o.moment, p, 0)
	}
	y, m, d := o.day.Date()
	return c.polite(time.Date(y, m, d, int(nine/time.Hour), 0, 0, 0, c.zoneOf(p)), p, nine)
}

// polite is the first moment from t at which a person may be written to: on a
// working day of the calendar, from an hour on, and to a client never in the
// quiet hours. Days and hours are those on the person's own clock.
func (c *Compiled) polite(t time.Time, p Receiver, from time.Duration) time.Time {
	zone := c.zoneOf(p)
	for range aCentury {
		local := t.In(zone)
		y, m, d := local.Date()
		clock := func(since time.Duration, days int) time.Time {
			return time.Date(y, m, d+days, int(since/time.Hour), int(since%time.Hour/time.Minute), 0, 0, zone)
		}
		quiet := c.Calendar.quiet
		switch begins, ends := clock(quiet.from, 0), clock(quiet.to, 0); {
		case !c.Calendar.works(y, m, d):
			t = clock(max(from, nine), 1)
		case local.Before(clock(from, 0)):
			t = clock(from, 0)
		case !p.client() || quiet.empty():
			return t
		case quiet.from < quiet.to && !local.Before(begins) && local.Before(ends):
			t = ends
		case quiet.from > quiet.to && local.Before(ends):
			t = ends
		case quiet.from > quiet.to && !local.Before(begins):
			t = clock(quiet.to, 1)
		default:
			return t
		}
	}
	return t
}

// zoneOf is the person's time zone, else the workflow's, which is the firm's
// where it names none.
func (c *Compiled) zoneOf(p Receiver) *time.Location {
	if p.Timezone != "" {
		if zone, err := time.LoadLocation(p.Timezone); err == nil {
			return zone
		}
	}
	return c.Calendar.zone
}

// easternmost is where a day begins first.
var easternmost = time.FixedZone("", 14*60*60)

// earliest is before any person's own moment of an occurrence.
func (o occurrence) earliest() time.Time {
	if !o.moment.IsZero() {
		return o.moment
	}
	y, m, d := o.day.Date()
	return time.Date(y, m, d, int(nine/time.Hour), 0, 0, 0, easternmost)
}

// window is longer than the time from the earliest moment of an occurrence
// anywhere until it has been looked at everywhere.
const window = 48 * time.Hour

// remindAt is when the reminders of a saved request have to be looked at: it
// says when to look, never what is due. from is the state before.
func (c *Compiled) remindAt(f *Facts, from string) string {
	if _, held := f.paused(f.Now); held {
		return "" // looked at when the hold is over
	}
	first := ""
	if from == f.State {
		first = f.RemindAt
	}
	for _, r := range c.remindersOf(f.State) {
		for _, o := range c.occurrences(f, r) {
			at := o.earliest()
			if stamp := schema.Stamp(at); at.After(f.Now.Add(-window)) && (first == "" || stamp < first) {
				first = stamp
			}
		}
	}
	return first
}

// remindersOf are the reminders of a state.
func (c *Compiled) remindersOf(state string) []*Reminder {
	var list []*Reminder
	for i := range c.Reminders {
		if slices.Contains(c.Reminders[i].WhenState, state) {
			list = append(list, &c.Reminders[i])
		}
	}
	return list
}
