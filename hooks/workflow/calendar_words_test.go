package workflow

import (
	"testing"
	"time"
)

func TestCalendar_hours(t *testing.T) {
	for _, c := range []struct {
		hours, from string
		add         time.Duration
		want        string
	}{
		{"mon-thu 09:00-17:00, fri 09:00-15:00", "2026-11-20 14:00", 2 * time.Hour, "2026-11-23 10:00"},
		{"sun-thu 08:00-16:00", "2026-11-19 15:00", 2 * time.Hour, "2026-11-22 09:00"},
		{"sat-mon 10:00-12:00", "2026-11-20 09:00", 5 * time.Hour, "2026-11-23 11:00"},
		{"09:00-17:00", "2026-11-20 16:30", time.Hour, "2026-11-23 09:30"},
		{"wed 10:00-11:00", "2026-11-16 00:00", 90 * time.Minute, "2026-11-25 10:30"},
		{"MON-FRI 9:00-17:30", "2026-11-16 17:00", time.Hour, "2026-11-17 09:30"},
	} {
		calendar := NewCalendar(CalendarSpec{Timezone: "Europe/London", Hours: c.hours}, FirmCalendar{})
		from := at(t, c.from, calendar.Zone())
		if got := calendar.AddBusinessTime(from, c.add); !got.Equal(at(t, c.want, calendar.Zone())) {
			t.Errorf("%s: %s and %s is %s, want %s", c.hours, c.from, c.add, got.Format("2006-01-02 15:04"), c.want)
		}
		if got := calendar.BusinessTime(from, at(t, c.want, calendar.Zone())); got != c.add {
			t.Errorf("%s: the business time from %s to %s is %s, want %s", c.hours, c.from, c.want, got, c.add)
		}
	}
	for _, wrong := range []string{"always", "mon-fri", "mon-fry 09:00-17:00", "mon 17:00-09:00", "mon 09:00-25:00", "mon 09:00-17:99", "mon 09:00-09:00", "mon 09:00", ","} {
		if _, err := parseHours(wrong); err == nil {
			t.Errorf("%q is no line of hours", wrong)
		}
	}
}

func TestCalendar_businessTime(t *testing.T) {
	for _, c := range []struct {
		name, zone, hours, from, to string
		want                        time.Duration
	}{
		{"a working day", "Europe/London", "", "2026-11-18 00:00", "2026-11-19 00:00", 8 * time.Hour},
		{"a part of one", "Europe/London", "", "2026-11-18 10:00", "2026-11-18 11:30", 90 * time.Minute},
		{"before opening", "Europe/London", "", "2026-11-18 05:00", "2026-11-18 08:00", 0},
		{"after closing", "Europe/London", "", "2026-11-18 18:00", "2026-11-18 23:00", 0},
		{"over a weekend", "Europe/London", "", "2026-11-20 16:00", "2026-11-23 10:00", 2 * time.Hour},
		{"backwards", "Europe/London", "", "2026-11-23 10:00", "2026-11-20 16:00", 0},
		{"over the end of a year", "Europe/London", "", "2026-12-31 16:00", "2027-01-04 10:00", 2 * time.Hour},
		{"a fortnight in which clocks go back", "Europe/London", "", "2026-10-19 00:00", "2026-11-02 00:00", 80 * time.Hour},
		{"half past the hour in Kolkata", "Asia/Kolkata", "mon-sat 09:30-18:00", "2026-11-18 09:00", "2026-11-18 10:00", 30 * time.Minute},
		{"open through the night on which an hour is left out", "Europe/London", "sun 00:00-06:00", "2026-03-29 00:00", "2026-03-30 00:00", 5 * time.Hour},
		{"open through the night on which an hour comes twice", "Europe/London", "sun 00:00-06:00", "2026-10-25 00:00", "2026-10-26 00:00", 7 * time.Hour},
	} {
		calendar := NewCalendar(CalendarSpec{Timezone: c.zone, Hours: c.hours, Holidays: "gb-eng"}, FirmCalendar{})
		if got := calendar.BusinessTime(at(t, c.from, calendar.Zone()), at(t, c.to, calendar.Zone())); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestCalendar_firmsOwn(t *testing.T) {
	firm := FirmCalendar{Timezone: "America/New_York", Hours: "mon-thu 08:00-16:00", Holidays: []string{"us-federal"}, Closed: []string{"2026-12-24"}}
	own := NewCalendar(CalendarSpec{Timezone: "firm", Hours: "firm", Holidays: "firm"}, firm)
	for day, want := range map[string]bool{"2026-11-25 12:00": true, "2026-11-26 12:00": false, "2026-11-27 12:00": false, "2026-12-24 12:00": false, "2026-12-23 12:00": true} {
		if got := own.IsWorkday(at(t, day, own.Zone())); got != want {
			t.Errorf("%s is a working day of the firm: %t", day, got)
		}
	}
	if got := own.EndOfBusinessDay(at(t, "2026-11-25 09:00", own.Zone())).Format("15:04 MST"); got != "16:00 EST" {
		t.Errorf("the firm closes at %s", got)
	}
	if got := own.EndOfBusinessDay(at(t, "2026-11-27 09:00", own.Zone())).Format("15:04"); got != "16:00" {
		t.Errorf("on a day off an ordinary closing hour is meant, not %s", got)
	}
	both := NewCalendar(CalendarSpec{Timezone: "Europe/Dublin", Holidays: "ie, firm"}, firm)
	if both.IsWorkday(at(t, "2026-03-17 12:00", both.Zone())) || both.IsWorkday(at(t, "2026-11-26 12:00", both.Zone())) || both.IsWorkday(at(t, "2026-12-24 12:00", both.Zone())) {
		t.Error("several lists count together")
	}
	if never := NewCalendar(CalendarSpec{}, FirmCalendar{Closed: []string{"2026-12-24"}}); !never.IsWorkday(at(t, "2026-12-24 12:00", time.UTC)) {
		t.Error("a workflow that does not name the firm's holidays does not have them")
	}
}

func TestCalendar_daysBack(t *testing.T) {
	c := NewCalendar(CalendarSpec{Timezone: "Europe/London", Holidays: "gb-eng"}, FirmCalendar{})
	for _, x := range []struct {
		from string
		n    int
		want string
	}{{"2026-11-23 10:00", -1, "2026-11-20 10:00"}, {"2026-12-29 10:00", -1, "2026-12-24 10:00"}, {"2027-01-05 10:00", -3, "2026-12-30 10:00"}, {"2026-11-22 10:00", -1, "2026-11-20 10:00"}} {
		if got := c.AddBusinessDays(at(t, x.from, c.Zone()), x.n); !got.Equal(at(t, x.want, c.Zone())) {
			t.Errorf("%d business days from %s is %s", x.n, x.from, got)
		}
	}
	if n := c.BusinessDays(at(t, "2026-12-24 10:00", c.Zone()), at(t, "2027-01-04 09:00", c.Zone())); n != 4 {
		t.Errorf("%d business days over Christmas", n)
	}
}

func TestCalendar_spansAndDays(t *testing.T) {
	c := NewCalendar(CalendarSpec{Timezone: "Europe/Dublin", Holidays: "ie"}, FirmCalendar{})
	for text, want := range map[string]string{"5bd": "2026-11-25 17:00", "1bd": "2026-11-19 17:00", "8bh": "2026-11-19 10:00", "30bh": "2026-11-23 16:00", "3d": "2026-11-21 17:00", "12h": "2026-11-18 22:00"} {
		got, err := c.AddText(at(t, "2026-11-18 10:00", c.Zone()), text)
		if err != nil || !got.Equal(at(t, want, c.Zone())) {
			t.Errorf("%s: %s %v", text, got, err)
		}
	}
	for _, wrong := range []string{"", "5", "bd", "5 bd", "-1bd", "5w"} {
		if _, err := c.AddText(time.Time{}, wrong); err == nil {
			t.Errorf("%q is no span", wrong)
		}
	}
	month := time.Date(2027, 1, 1, 0, 0, 0, 0, c.Zone())
	for text, want := range map[string]string{"1st business day": "4 Jan", "3rd business day": "6 Jan", "10th business day": "15 Jan", "last business day": "29 Jan", "1st day": "1 Jan", "15th day": "15 Jan", "last day": "31 Jan", "40th business day": "29 Jan"} {
		o, err := parseOrdinal(text)
		if got := c.dayOf(o, month, month.AddDate(0, 1, 0)).Format("2 Jan"); err != nil || got != want {
			t.Errorf("the %s is %s, want %s (%v)", text, got, want, err)
		}
	}
	for _, wrong := range []string{"", "first day", "0th day", "1 business day", "business day"} {
		if _, err := parseOrdinal(wrong); err == nil {
			t.Errorf("%q is no day", wrong)
		}
	}
}

func BenchmarkCalendar_tenDays(b *testing.B) {
	c := NewCalendar(CalendarSpec{Timezone: "Europe/London", Holidays: "gb-eng"}, FirmCalendar{})
	from := time.Date(2026, 12, 21, 10, 0, 0, 0, time.UTC)
	for b.Loop() {
		c.AddBusinessDays(from, 10)
	}
}
