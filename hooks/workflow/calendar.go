package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	austria "github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/ecb"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// The lists of holidays that a calendar may name.
var holidays = map[string][]*cal.Holiday{
	"at": austria.Holidays, "be": be.Holidays, "ca": ca.Holidays, "ch": ch.Holidays, "cz": cz.Holidays, "de": de.Holidays, "dk": dk.Holidays, "ecb": ecb.Holidays,
	"es": es.Holidays, "fr": fr.Holidays, "gb-eng": gb.Holidays, "ie": ie.Holidays, "it": it.Holidays, "nl": nl.Holidays, "no": no.Holidays, "nz": nz.Holidays,
	"pl": pl.Holidays, "se": se.Holidays, "us-federal": us.Holidays, "za": za.Holidays,
}

// Calendar is business time in one zone: days with hours, less the holidays.
type Calendar struct {
	zone  *time.Location
	hours [7]span // by weekday; nothing on a day off
	quiet span    // when clients are not written to; it may reach over midnight
	codes []string
	off   map[string]bool // further days without work, as 2006-01-02
	years *sync.Map       // year → *[366]bool: which days are worked
}

// span is a part of a day, as time since midnight.
type span struct{ from, to time.Duration }

func (s span) empty() bool { return s.from == s.to }

// FirmCalendar is the firm's own business time, that workflows may refer to.
type FirmCalendar struct {
	Timezone string
	Hours    string
	Holidays []string
	Closed   []string // days such as 2026-12-24
}

// firmWord in a definition's calendar means what the firm has.
const firmWord = "firm"

// ordinary are the hours where nobody says otherwise.
const ordinary = "mon-fri 09:00-17:00"

// NewCalendar makes the calendar of a definition. What is left out, or called
// "firm", is the firm's. A word that makes no sense is what the checker refuses;
// here it counts as left out.
func NewCalendar(spec CalendarSpec, firm FirmCalendar) Calendar {
	c := Calendar{zone: time.UTC, years: &sync.Map{}, off: map[string]bool{}}
	for _, name := range []string{firm.Timezone, spec.Timezone} {
		if zone, err := time.LoadLocation(name); err == nil && name != "" && name != firmWord {
			c.zone = zone
		}
	}
	for _, text := range []string{ordinary, firm.Hours, spec.Hours} {
		if hours, err := parseHours(text); err == nil && text != "" {
			c.hours = hours
		}
	}
	for _, code := range holidayCodes(spec.Holidays) {
		if code != firmWord {
			c.codes = append(c.codes, code)
			continue
		}
		c.codes = append(c.codes, firm.Holidays...)
		for _, day := range firm.Closed {
			c.off[day] = true
		}
	}
	if quiet, err := parseSpan(spec.ClientQuietHours); err == nil {
		c.quiet = quiet
	}
	return c
}

func holidayCodes(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

var (
	clockPattern = regexp.MustCompile(`^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$`)
	hoursPattern = regexp.MustCompile(`^(?:([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+)?(\S+\s*-\s*\S+)$`)
	weekdays     = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// parseSpan reads "20:00-08:00"; nothing for an empty text.
func parseSpan(text string) (span, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return span{}, nil
	}
	m := clockPattern.FindStringSubmatch(text)
	if m == nil {
		return span{}, fmt.Errorf("%q is not a span such as 09:00-17:30", text)
	}
	var parts [4]time.Duration
	for i, digits := range m[1:] {
		n, err := strconv.Atoi(digits)
		if err != nil {
			return span{}, fmt.Errorf("read %q: %w", text, err)
		}
		parts[i] = time.Duration(n)
	}
	s := span{parts[0]*time.Hour + parts[1]*time.Minute, parts[2]*time.Hour + parts[3]*time.Minute}
	if parts[1] > 59 || parts[3] > 59 || s.from > 24*time.Hour || s.to > 24*time.Hour {
		return span{}, fmt.Errorf("%q goes beyond a day", text)
	}
	return s, nil
}

// parseHours reads "mon-thu 09:00-17:00, fri 09:00-15:00". Without days, Monday
// to Friday is meant. A range of days may reach over the weekend.
func parseHours(text string) (hours [7]span, err error) {
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		m := hoursPattern.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return hours, fmt.Errorf("%q is not a line such as mon-fri 09:00-17:30", strings.TrimSpace(part))
		}
		s, err := parseSpan(m[3])
		if err != nil {
			return hours, err
		}
		if s.to <= s.from {
			return hours, fmt.Errorf("%q ends before it begins", m[3])
		}
		first, last := "mon", "fri"
		if m[1] != "" {
			first, last = m[1], m[1]
		}
		if m[2] != "" {
			last = m[2]
		}
		from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if from < 0 || to < 0 {
			return hours, fmt.Errorf("the days of %q are written mon, tue, wed, thu, fri, sat, sun", strings.TrimSpace(part))
		}
		for day := from; ; day = (day + 1) % 7 {
			hours[day] = s
			if day == to {
				break
			}
		}
	}
	return hours, nil
}

// Zone is the calendar's time zone.
func (c Calendar) Zone() *time.Location { return c.zone }

// IsWorkday says whether the day of t, in the calendar's zone, is one.
func (c Calendar) IsWorkday(t time.Time) bool { return c.works(t.In(c.zone).Date()) }

// works says whether a day of the calendar is worked. A year is worked out once.
func (c Calendar) works(year int, month time.Month, day int) bool {
	return c.worked(time.Date(year, month, day, 12, 0, 0, 0, time.UTC))
}

// worked says the same of a date at noon in UTC, where days are all alike.
func (c Calendar) worked(date time.Time) bool {
	known, ok := c.years.Load(date.Year())
	if !ok {
		known, _ = c.years.LoadOrStore(date.Year(), c.year(date.Year()))
	}
	return known.(*[366]bool)[date.YearDay()-1]
}

func (c Calendar) year(year int) *[366]bool {
	list := &cal.Calendar{}
	for _, code := range c.codes {
		list.AddHoliday(holidays[code]...)
	}
	var worked [366]bool
	for date := time.Date(year, time.January, 1, 12, 0, 0, 0, time.UTC); date.Year() == year; date = date.AddDate(0, 0, 1) {
		_, observed, _ := list.IsHoliday(date)
		worked[date.YearDay()-1] = !c.hours[date.Weekday()].empty() && !observed && !c.off[date.Format(time.DateOnly)]
	}
	return &worked
}

// open are the business hours of the day of t; false on a day without.
func (c Calendar) open(t time.Time) (from, to time.Time, ok bool) {
	local := t.In(c.zone)
	if !c.works(local.Date()) {
		return from, to, false
	}
	s := c.hours[local.Weekday()]
	return c.clock(t, s.from), c.clock(t, s.to), true
}

// clock is a time of day on the day of t: what clocks on the wall show, also on
// the day when they are changed.
func (c Calendar) clock(t time.Time, since time.Duration) time.Time {
	y, m, d := t.In(c.zone).Date()
	return time.Date(y, m, d, int(since/time.Hour), int(since%time.Hour/time.Minute), 0, 0, c.zone)
}

// dayAfter is the midnight that ends the day of t.
func (c Calendar) dayAfter(t time.Time) time.Time {
	y, m, d := t.In(c.zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, c.zone)
}

// aCentury bounds every search for a day with work: a calendar may have none.
const aCentury = 36525

// AddBusinessDays moves t by n working days, back if n is negative, keeping the
// time of day.
func (c Calendar) AddBusinessDays(t time.Time, n int) time.Time {
	const day = 24 * time.Hour
	local, step := t.In(c.zone), day
	if n < 0 {
		n, step = -n, -day
	}
	y, m, d := local.Date()
	date := time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
	for days := 0; n > 0 && days < aCentury; days++ {
		if date = date.Add(step); c.worked(date) {
			n--
		}
	}
	y, m, d = date.Date()
	return time.Date(y, m, d, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), c.zone)
}

// BusinessDays counts the working days after the day of from, up to the day of to.
func (c Calendar) BusinessDays(from, to time.Time) int {
	n := 0
	for day := c.dayAfter(from); !day.After(to); day = c.dayAfter(day) {
		if c.works(day.Date()) {
			n++
		}
	}
	return n
}

// NextWorkday is the day of t, or the first working day after it, at the same
// time of day.
func (c Calendar) NextWorkday(t time.Time) time.Time {
	if c.IsWorkday(t) {
		return t.In(c.zone)
	}
	return c.AddBusinessDays(t, 1)
}

// opening is when business begins on the day of t; midnight on a day without.
func (c Calendar) opening(t time.Time) time.Duration { return c.hours[t.In(c.zone).Weekday()].from }

// EndOfBusinessDay is the closing hour on the day of t; on a day without, that of
// an ordinary one.
func (c Calendar) EndOfBusinessDay(t time.Time) time.Time {
	day := t.In(c.zone).Weekday()
	s := c.hours[day]
	for n := 1; s.empty() && n < 7; n++ {
		s = c.hours[(int(day)+7-n)%7]
	}
	return c.clock(t, s.to)
}

// AddBusinessHours moves t by n working hours.
func (c Calendar) AddBusinessHours(t time.Time, n int) time.Time {
	return c.AddBusinessTime(t, time.Duration(n)*time.Hour)
}

// AddBusinessTime moves t by a span of working time. The hours of a day are what
// really passes between opening and closing, also when clocks are changed.
func (c Calendar) AddBusinessTime(t time.Time, left time.Duration) time.Time {
	for days := 0; left > 0 && days < aCentury; days++ {
		from, to, ok := c.open(t)
		if ok && t.Before(to) {
			if t.Before(from) {
				t = from
			}
			if rest := to.Sub(t); left <= rest {
				return t.Add(left)
			}
			left -= to.Sub(t)
		}
		t = c.dayAfter(t)
	}
	return t
}

// BusinessTime is the working time between two moments; none if they are not in
// this order.
func (c Calendar) BusinessTime(from, to time.Time) time.Duration {
	var sum time.Duration
	for from.Before(to) {
		next := c.dayAfter(from)
		if opens, shuts, ok := c.open(from); ok {
			sum += max(0, earlier(shuts, to).Sub(later(opens, from)))
		}
		from = next
	}
	return sum
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

var nthDay = regexp.MustCompile(`^(?:(\d{1,2})(?:st|nd|rd|th)|(last)) (business )?day$`)

// ordinal is a day of a period: "3rd business day", "last business day", "15th day".
type ordinal struct {
	n        int // from 1; 0 is the last
	business bool
}

func parseOrdinal(text string) (ordinal, error) {
	m := nthDay.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return ordinal{}, fmt.Errorf("%q is not a day such as 3rd business day", text)
	}
	n, _ := strconv.Atoi(m[1]) // digits, or nothing for the last
	if n == 0 && m[2] == "" {
		return ordinal{}, fmt.Errorf("%q: days are counted from the 1st", text)
	}
	return ordinal{n, m[3] != ""}, nil
}

// dayOf is the day of a period that the ordinal names. A period that has not so
// many days ends with it.
func (c Calendar) dayOf(o ordinal, first, after time.Time) time.Time {
	last, n := first, 0
	for day := first; day.Before(after); day = c.dayAfter(day) {
		if o.business && !c.works(day.Date()) {
			continue
		}
		last = day
		if n++; n == o.n {
			break
		}
	}
	return last
}

var durationPattern = regexp.MustCompile(`^(\d{1,4})(bd|bh|d|h)$`)

// AddText moves t by a text such as "5bd" (to the closing hour of the fifth
// business day) or "8bh"; "3d" and "12h" count every day and hour.
func (c Calendar) AddText(t time.Time, text string) (time.Time, error) {
	m := durationPattern.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return t, fmt.Errorf("%q is not a span such as 5bd or 8bh", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return t, fmt.Errorf("read %q: %w", text, err)
	}
	switch m[2] {
	case "h":
		return t.Add(time.Duration(n) * time.Hour), nil
	case "bh":
		return c.AddBusinessHours(t, n), nil
	case "d":
		return c.EndOfBusinessDay(t.In(c.zone).AddDate(0, 0, n)), nil
	}
	return c.EndOfBusinessDay(c.AddBusinessDays(t, n)), nil
}
