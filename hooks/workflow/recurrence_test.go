package workflow

import (
	"strings"
	"testing"
	"time"
)

func TestTurns(t *testing.T) {
	dublin, err := time.LoadLocation("Europe/Dublin")
	if err != nil {
		t.Fatal(err)
	}
	monthly := Recurrence{Every: "month", Create: "1st business day", Period: "previous_month", Due: "10th business day"}
	for _, c := range []struct {
		name       string
		r          Recurrence
		since, now string
		want       string
	}{
		{"over a year's end: the first of January is a holiday", monthly, "2026-12-01 00:00", "2027-02-28 00:00", "2026-11 1 Dec 09:00 due 14 Dec 17:30, 2026-12 4 Jan 09:00 due 15 Jan 17:30, 2027-01 2 Feb 09:00 due 15 Feb 17:30"},
		{"nothing from before it was published", monthly, "2026-12-01 09:01", "2026-12-31 00:00", ""},
		{"and not ahead of its time", monthly, "2026-12-01 00:00", "2026-12-01 08:59", ""},
		{"but at it", monthly, "2026-12-01 00:00", "2026-12-01 09:00", "2026-11 1 Dec 09:00 due 14 Dec 17:30"},
		{"each quarter, for the one that begins", Recurrence{Every: "quarter", Create: "15th day"}, "2026-10-01 00:00", "2027-01-31 00:00", "2026-Q4 15 Oct 09:00, 2027-Q1 15 Jan 09:00"},
		{"each year, on the last business day, for the next", Recurrence{Every: "year", Create: "last business day", Period: "next_year"}, "2026-01-01 00:00", "2027-01-31 00:00", "2027 31 Dec 09:00"},
		{"each week, from Monday", Recurrence{Every: "week", Create: "1st business day", Period: "previous_week"}, "2026-12-21 00:00", "2027-01-11 23:00", "2026-W51 21 Dec 09:00, 2026-W52 28 Dec 09:00, 2026-W53 4 Jan 09:00, 2027-W01 11 Jan 09:00"},
	} {
		r := c.r
		def := &Compiled{Definition: &Definition{Recurrence: &r}, Calendar: NewCalendar(CalendarSpec{Timezone: "Europe/Dublin", Hours: "mon-fri 09:00-17:30", Holidays: "ie"}, FirmCalendar{})}
		turns, err := def.Turns(at(t, c.since, dublin), at(t, c.now, dublin))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []string
		for _, turn := range turns {
			line := turn.Period + " " + turn.At.In(dublin).Format("2 Jan 15:04")
			if !turn.Due.IsZero() {
				line += " due " + turn.Due.In(dublin).Format("2 Jan 15:04")
			}
			got = append(got, line)
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %s, want %s", c.name, strings.Join(got, ", "), c.want)
		}
	}
}

func TestItemDue(t *testing.T) {
	def := nudgesDefinition(t)
	f := entered(def, "waiting", at(t, "2026-12-01 10:00", def.Calendar.Zone()))
	for due, want := range map[string]string{"": "", "3rd business day": "2026-12-03 17:00:00.000Z", "last business day": "2026-12-31 17:00:00.000Z", "5bd": "2026-12-08 17:00:00.000Z", "4bh": "2026-12-01 14:00:00.000Z"} {
		if got := def.itemDue(f, &ItemSpec{Due: due}); got != want {
			t.Errorf("%q is due %s, want %s", due, got, want)
		}
	}
}

func TestRecurrence_words(t *testing.T) {
	for _, wrong := range []Recurrence{
		{Every: "fortnight", Create: "1st day"}, {Every: "month", Create: "first day"}, {Every: "month", Create: "1st day", Due: "soon"}, {Every: "month", Create: "1st day", Period: "previous_year"},
	} {
		if _, err := wrong.rule(); err == nil {
			t.Errorf("%+v makes sense", wrong)
		}
	}
}

func TestCarried(t *testing.T) {
	def := &Compiled{Definition: &Definition{Recurrence: &Recurrence{CarryForward: Names{"accounts", "notes"}, SkipIf: &Condition{Field: "dormant", Is: true}}}}
	organization := map[string]any{"accounts": "from the organization", "dormant": true, "other": 1}
	for _, c := range []struct {
		name     string
		previous map[string]any
		accounts any
		skips    bool
	}{
		{"without a previous request, what the organization has", nil, "from the organization", true},
		{"else the previous request's", map[string]any{"accounts": "from before"}, "from before", false},
		{"also what it had not", map[string]any{"notes": "n"}, nil, false},
		{"which can say that there is nothing to do", map[string]any{"dormant": true}, nil, true},
	} {
		data := def.carried(c.previous, organization)
		if data["accounts"] != c.accounts || data["other"] != nil || def.skips(c.previous, organization) != c.skips {
			t.Errorf("%s: %v, skips %t", c.name, data, def.skips(c.previous, organization))
		}
	}
}

func TestCheck_words(t *testing.T) {
	for _, c := range []struct{ was, is, code string }{
		{"timezone: Europe/London", "timezone: Europe/Lundon", "calendar"},
		{"holidays: gb-eng", "holidays: gb-eng-x", "calendar"},
		{`"mon-thu 09:00-17:00, fri 09:00-15:00"`, `"mon-thu 17:00-09:00"`, "calendar"},
		{`client_quiet_hours: "20:00-08:00"`, `client_quiet_hours: "at night"`, "calendar"},
		{"business_days_after_entry: [0, 1, 3]", "business_days_after_entree: [0, 1, 3]", "schedule"},
		{"business_days_after_entry: [0, 1, 3]", "business_days_after_entry: [soon]", "schedule"},
		{"business_days_after_entry: [0, 1, 3]", "business_days_after_entry: [-1]", "schedule"},
		{"{field: day, days: [5, 0]}", "{field: date, days: [5, 0]}", "unknown_name"},
		{"{field: day, days: [5, 0]}", "{field: day}", "schedule"},
		{"stop_when: [state_left, all_required_provided]", "stop_when: [state_lost]", "unknown_name"},
		{"channel: in_app", "channel: pigeon", "unknown_name"},
		{"lists: outstanding_items", "lists: all_items", "unknown_name"},
		{"combine: one_email_per_person_per_day", "combine: never", "unknown_name"},
		{"initial: waiting", "initial: waiting\nrecurrence: {every: fortnight, create: 1st day}", "unknown_name"},
		{"initial: waiting", "initial: waiting\nrecurrence: {every: month, create: 1st day, carry_forward: [nothing]}", "unknown_name"},
		{"{key: note, title: Note, kind: answer}", "{key: note, title: Note, kind: answer, due: soon}", "duration"},
		{"initial: waiting", "initial: waiting\nreports: {targets: {waiting: 5 days}}", "target"},
	} {
		if !strings.Contains(nudges, c.was) {
			t.Fatalf("%q is not in the definition", c.was)
		}
		_, findings := CheckSource([]byte(strings.Replace(nudges, c.was, c.is, 1)))
		found := false
		for _, f := range findings {
			found = found || (f.Code == c.code && f.Line > 0)
		}
		if !found {
			t.Errorf("%s: %+v", c.is, findings)
		}
	}
}

// Opened by hand, a request of a recurring workflow has a period all the same.
func TestPeriodOf(t *testing.T) {
	monthly := &Compiled{Definition: &Definition{Recurrence: &Recurrence{Every: "month", Create: "1st business day", Period: "previous_month"}}, Calendar: NewCalendar(CalendarSpec{Timezone: "Europe/Dublin", Hours: "mon-fri 09:00-17:30", Holidays: "ie"}, FirmCalendar{})}
	once := &Compiled{Definition: &Definition{}}
	now := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		def    *Compiled
		in     NewRequest
		wanted string
	}{
		{"the recurrence's own", monthly, NewRequest{}, "2026-10"},
		{"named", monthly, NewRequest{Period: "2026-07"}, "2026-07"},
		{"named among the data", monthly, NewRequest{Data: map[string]any{"period": "2026-08"}}, "2026-08"},
		{"not recurring", once, NewRequest{}, ""},
	} {
		if got := c.def.periodOf(c.in, now); got != c.wanted {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
