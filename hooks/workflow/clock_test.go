package workflow

import (
	"reflect"
	"testing"
	"time"

	"gatehouse/hooks/schema"
)

// history is a request of the nudges that was opened on Monday 16 November 2026
// at nine and has taken the steps.
func history(t *testing.T, def *Compiled, now string, steps ...[3]string) *Facts {
	t.Helper()
	zone := def.Calendar.Zone()
	opened := at(t, "2026-11-16 09:00", zone)
	f := &Facts{Now: at(t, now, zone), Opened: opened, State: "waiting", StateSince: opened, Entry: 1, Data: map[string]any{}}
	for n, s := range steps {
		when := at(t, s[2], zone)
		f.Steps = append(f.Steps, Step{Key: s[0], From: f.State, To: s[1], Revision: n + 1, At: when})
		f.State, f.StateSince = s[1], when
	}
	return f
}

func hold(t *testing.T, def *Compiled, from, until, ended string) Pause {
	t.Helper()
	p := Pause{Started: at(t, from, def.Calendar.Zone()), Until: at(t, until, def.Calendar.Zone())}
	if ended != "" {
		p.Ended = at(t, ended, def.Calendar.Zone())
	}
	return p
}

func TestClocks(t *testing.T) {
	def := nudgesDefinition(t)
	const hour = int64(3600)
	submit, back := [3]string{"submit", "working", "2026-11-17 10:00"}, [3]string{"back", "waiting", "2026-11-17 14:00"}
	for _, c := range []struct {
		name, now            string
		steps                [][3]string
		pauses               []Pause
		client, firm, system int64
		running              string
	}{
		{"the client's runs from the opening", "2026-11-16 12:00", nil, nil, 3 * hour, 0, 0, "client"},
		{"not at night", "2026-11-17 08:00", nil, nil, 8 * hour, 0, 0, "client"},
		{"then the firm's", "2026-11-17 12:00", [][3]string{submit}, nil, 9 * hour, 2 * hour, 0, "firm"},
		{"and the client's again", "2026-11-17 16:00", [][3]string{submit, back}, nil, 11 * hour, 4 * hour, 0, "client"},
		{"the portal's", "2026-11-18 12:00", [][3]string{submit, {"run", "machine", "2026-11-18 09:00"}}, nil, 9 * hour, 7 * hour, 3 * hour, "system"},
		{"none when it is finished", "2026-11-20 12:00", [][3]string{submit, {"finish", "done", "2026-11-17 11:00"}}, nil, 9 * hour, hour, 0, ""},
		{"a hold stops it", "2026-11-16 15:00", nil, []Pause{hold(t, def, "2026-11-16 11:00", "2026-11-18 00:00", "")}, 2 * hour, 0, 0, ""},
		{"which goes on after it", "2026-11-18 10:00", nil, []Pause{hold(t, def, "2026-11-16 11:00", "2026-11-18 00:00", "")}, 3 * hour, 0, 0, "client"},
		{"also when it ended early", "2026-11-16 15:00", nil, []Pause{hold(t, def, "2026-11-16 11:00", "2026-11-18 00:00", "2026-11-16 13:00")}, 4 * hour, 0, 0, "client"},
		{"a hold over a step is taken from both", "2026-11-17 16:00", [][3]string{submit}, []Pause{hold(t, def, "2026-11-17 09:00", "2026-11-17 12:00", "")}, 8 * hour, 4 * hour, 0, "firm"},
	} {
		f := history(t, def, c.now, c.steps...)
		f.Pauses = c.pauses
		k := def.Clocks(f)
		if k.ClientSeconds != c.client || k.FirmSeconds != c.firm || k.SystemSeconds != c.system || k.Running != c.running {
			t.Errorf("%s: client %d, firm %d, system %d, running %q", c.name, k.ClientSeconds, k.FirmSeconds, k.SystemSeconds, k.Running)
		}
		var sum int64
		for _, v := range k.Visits {
			sum += v.Seconds
		}
		if sum != c.client+c.firm+c.system || len(k.Visits) != len(c.steps)+1 {
			t.Errorf("%s: the visits %+v do not add up", c.name, k.Visits)
		}
		if again := def.Clocks(f); !reflect.DeepEqual(k, again) {
			t.Errorf("%s: replayed, the clocks differ", c.name)
		}
	}
}

// The targets may change; what has passed does not.
func TestClocks_survivesAnotherTarget(t *testing.T) {
	def, other := nudgesDefinition(t), nudgesDefinition(t)
	other.State("waiting").SLA.BusinessDays = 20
	f := history(t, def, "2026-11-17 16:00", [3]string{"submit", "working", "2026-11-17 10:00"}, [3]string{"back", "waiting", "2026-11-17 14:00"})
	if a, b := def.Clocks(f), other.Clocks(f); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v and %+v", a, b)
	}
	if a, b := def.Sla(f), other.Sla(f); a.Due == b.Due || a.Percent <= b.Percent {
		t.Errorf("the limit is another one: %+v, %+v", a, b)
	}
}

func TestSla(t *testing.T) {
	def := nudgesDefinition(t)
	for _, c := range []struct {
		name, now, due string
		percent        int
		paused         bool
		pauses         []Pause
	}{
		{"at the beginning", "2026-11-16 09:00", "2026-11-23 17:00", 0, false, nil},
		{"half of it", "2026-11-18 16:00", "2026-11-23 17:00", 50, false, nil},
		{"all of it", "2026-11-23 17:00", "2026-11-23 17:00", 100, false, nil},
		{"and more", "2026-11-24 17:00", "2026-11-23 17:00", 117, false, nil},
		{"a hold of two business days moves it by two", "2026-11-18 16:00", "2026-11-25 17:00", 15, false, []Pause{hold(t, def, "2026-11-16 12:00", "2026-11-18 12:00", "")}},
		{"one over a weekend by one", "2026-11-23 16:00", "2026-11-24 17:00", 81, false, []Pause{hold(t, def, "2026-11-20 12:00", "2026-11-23 12:00", "")}},
		{"on hold it stands", "2026-11-17 16:00", "2026-11-25 17:00", 6, true, []Pause{hold(t, def, "2026-11-16 12:00", "2026-11-18 12:00", "")}},
		{"what ended early moves it by what it lasted", "2026-11-18 16:00", "2026-11-24 17:00", 32, false, []Pause{hold(t, def, "2026-11-16 12:00", "2026-12-18 12:00", "2026-11-17 12:00")}},
		{"a hold after it was due moves nothing", "2026-11-26 17:00", "2026-11-23 17:00", 117, false, []Pause{hold(t, def, "2026-11-24 17:00", "2026-11-26 17:00", "")}},
	} {
		f := history(t, def, c.now)
		f.Pauses = c.pauses
		s := def.Sla(f)
		if want := schema.Stamp(at(t, c.due, def.Calendar.Zone())); s.Due != want || s.Percent != c.percent || s.Paused != c.paused {
			t.Errorf("%s: %+v, want %s %d", c.name, s, want, c.percent)
		}
	}
	f := history(t, def, "2026-11-17 12:00", [3]string{"submit", "working", "2026-11-16 15:00"}, [3]string{"run", "machine", "2026-11-17 10:00"})
	if s := def.Sla(f); s != nil {
		t.Errorf("a state without a limit has %+v", s)
	}
}

func TestAfterTime_holds(t *testing.T) {
	def := nudgesDefinition(t)
	f := history(t, def, "2026-11-17 12:00", [3]string{"submit", "working", "2026-11-16 15:00"}, [3]string{"run", "machine", "2026-11-17 10:00"})
	step := def.Transition("ran")
	for _, c := range []struct {
		name   string
		pauses []Pause
		want   string
	}{
		{"two business days", nil, "2026-11-19 10:00"},
		{"and a hold of one more", []Pause{hold(t, def, "2026-11-17 12:00", "2026-11-18 12:00", "")}, "2026-11-20 10:00"},
		{"and of two holds", []Pause{hold(t, def, "2026-11-17 12:00", "2026-11-18 12:00", ""), hold(t, def, "2026-11-19 12:00", "2026-11-20 12:00", "")}, "2026-11-23 10:00"},
		{"a hold from before the state counts from its entry", []Pause{hold(t, def, "2026-11-16 12:00", "2026-11-18 12:00", "")}, "2026-11-20 10:00"},
		{"one that was over before it counts not", []Pause{hold(t, def, "2026-11-16 12:00", "2026-11-16 13:00", "")}, "2026-11-19 10:00"},
	} {
		f.Pauses = c.pauses
		if got := def.afterTime(step, f); !got.Equal(at(t, c.want, def.Calendar.Zone())) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	days := &Transition{After: &After{DaysInState: 3}}
	f.Pauses = []Pause{hold(t, def, "2026-11-17 12:00", "2026-11-18 13:00", "")}
	if got := def.afterTime(days, f); !got.Equal(at(t, "2026-11-21 11:00", def.Calendar.Zone())) {
		t.Errorf("days are moved by all of the hold: %s", got)
	}
}

func TestWakeAt_holds(t *testing.T) {
	def := nudgesDefinition(t)
	f := history(t, def, "2026-11-17 12:00", [3]string{"submit", "working", "2026-11-16 15:00"}, [3]string{"run", "machine", "2026-11-17 10:00"})
	if got := def.wakeAt(f); got != "2026-11-19 10:00:00.000Z" {
		t.Errorf("the step is looked at %s", got)
	}
	f.Pauses = []Pause{hold(t, def, "2026-11-17 11:00", "2026-11-18 12:00", "")}
	if got := def.wakeAt(f); got != "2026-11-18 12:00:00.000Z" {
		t.Errorf("on hold, its end is looked at: %s", got)
	}
}

func BenchmarkClocks_aYearOfTwentyVisits(b *testing.B) {
	def := nudgesDefinition(b)
	f := entered(def, "waiting", time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	for n := range 20 {
		f.Steps = append(f.Steps, Step{To: []string{"working", "waiting"}[n%2], At: f.Opened.AddDate(0, 0, 18*n)})
	}
	f.Now = f.Opened.AddDate(1, 0, 0)
	for b.Loop() {
		def.Clocks(f)
	}
}
