package workflow

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/us"
)

// Calendar is business time in one zone: working days from Monday to Friday
// without holidays, between two hours.
type Calendar struct {
	zone     *time.Location
	business *cal.BusinessCalendar
	from, to time.Duration // since midnight
}

var holidays = map[string][]*cal.Holiday{
	"gb-eng": gb.Holidays, "ie": ie.Holidays, "us-federal": us.Holidays,
}

var hoursPattern = regexp.MustCompile(`(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})`)

// NewCalendar makes the calendar of a definition. "firm" as zone or holidays
// means the firm's own; firm may be nil for UTC without holidays.
func NewCalendar(spec CalendarSpec, firm *Calendar) Calendar {
	c := Calendar{zone: time.UTC, business: cal.NewBusinessCalendar(), from: 9 * time.Hour, to: 17 * time.Hour}
	if firm != nil {
		c.zone = firm.zone
	}
	if zone, err := time.LoadLocation(spec.Timezone); err == nil && spec.Timezone != "" {
		c.zone = zone
	}
	for code := range strings.SplitSeq(spec.Holidays, ",") {
		if list, ok := holidays[strings.TrimSpace(code)]; ok {
			c.business.AddHoliday(list...)
		}
	}
	if m := hoursPattern.FindStringSubmatch(spec.Hours); m != nil {
		c.from, c.to = clock(m[1], m[2]), clock(m[3], m[4])
	}
	return c
}

func clock(hour, minute string) time.Duration {
	h, _ := strconv.Atoi(hour)   // the pattern lets only digits through
	m, _ := strconv.Atoi(minute) // likewise
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
}

// Zone is the calendar's time zone.
func (c Calendar) Zone() *time.Location { return c.zone }

// IsWorkday says whether the day of t, in the calendar's zone, is one.
func (c Calendar) IsWorkday(t time.Time) bool { return c.business.IsWorkday(t.In(c.zone)) }

// AddBusinessDays moves t by n working days, keeping the time of day.
func (c Calendar) AddBusinessDays(t time.Time, n int) time.Time {
	local := t.In(c.zone)
	for n > 0 {
		local = local.AddDate(0, 0, 1)
		if c.business.IsWorkday(local) {
			n--
		}
	}
	return local
}

// EndOfBusinessDay is the closing hour on the day of t.
func (c Calendar) EndOfBusinessDay(t time.Time) time.Time { return c.at(t, c.to) }

func (c Calendar) at(t time.Time, since time.Duration) time.Time {
	y, m, d := t.In(c.zone).Date()
	return time.Date(y, m, d, int(since/time.Hour), int(since%time.Hour/time.Minute), 0, 0, c.zone)
}

// AddBusinessHours moves t by n working hours.
func (c Calendar) AddBusinessHours(t time.Time, n int) time.Time {
	left := time.Duration(n) * time.Hour
	for {
		open, shut := c.at(t, c.from), c.at(t, c.to)
		if c.IsWorkday(t) && t.Before(shut) {
			if t.Before(open) {
				t = open
			}
			if rest := shut.Sub(t); left <= rest {
				return t.Add(left)
			}
			left -= shut.Sub(t)
		}
		y, m, d := t.In(c.zone).Date()
		t = time.Date(y, m, d+1, 0, 0, 0, 0, c.zone)
	}
}
