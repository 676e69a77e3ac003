package demo

import (
	"fmt"
	"math"
	"time"

	"gatehouse/hooks/workflow"
)

// A moment is a point in business time: 0 is the opening of the last business
// day, -3.5 the middle of the fourth day before it. What people do happens at
// moments; 1 is never reached, as it is now.
type moment = float64

// The business day, in hours.
const opening, closing = 9, 17

// days counts business days back from now.
type days struct {
	calendar workflow.Calendar
	anchor   time.Time // some time on the last business day
	end      time.Time // of what may have happened on it
}

// newDays takes today as the last business day once it is well under way, else
// the business day before.
func newDays(now time.Time, zone string) days {
	d := days{calendar: workflow.NewCalendar(workflow.CalendarSpec{Timezone: zone, Holidays: "gb-eng"}, workflow.FirmCalendar{})}
	const wellUnderWay = 2 * time.Hour
	local := now.In(d.calendar.Zone())
	if d.calendar.IsWorkday(local) && local.Sub(hour(local, opening)) >= wellUnderWay {
		d.anchor, d.end = local, hour(local, closing)
		if local.Before(d.end) {
			d.end = local.Add(-time.Minute)
		}
		return d
	}
	d.anchor = d.before(local)
	d.end = hour(d.anchor, closing)
	return d
}

func hour(t time.Time, h int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), h, 0, 0, 0, t.Location())
}

func (d days) before(t time.Time) time.Time {
	for t = t.AddDate(0, 0, -1); !d.calendar.IsWorkday(t); {
		t = t.AddDate(0, 0, -1)
	}
	return t
}

// at is the time of a moment.
func (d days) at(m moment) time.Time {
	whole := math.Floor(m)
	day, end := d.anchor, d.end
	for n := 0; n < int(-whole); n++ {
		day = d.before(day)
	}
	if whole < 0 {
		end = hour(day, closing)
	}
	start := hour(day, opening)
	return start.Add(time.Duration((m - whole) * float64(end.Sub(start)))).Truncate(time.Second)
}

// after is the closing of the business day n days after the last one.
func (d days) after(n int) time.Time {
	return d.calendar.EndOfBusinessDay(d.calendar.AddBusinessDays(d.anchor, n))
}

// day is a moment's day as people write it, for due dates.
func (d days) day(n int) string {
	if n < 0 {
		return d.at(float64(n)).Format("2006-01-02")
	}
	return d.after(n).Format("2006-01-02")
}

// past refuses moments that nobody has lived yet.
func past(m moment) error {
	if m >= 1 {
		return fmt.Errorf("moment %.2f lies in the future", m)
	}
	return nil
}
