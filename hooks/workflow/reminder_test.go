package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	ana  = Receiver{ID: "ana", Kind: "user", Name: "Ana", Sees: true}
	ravi = Receiver{ID: "ravi", Kind: "user", Name: "Ravi", Timezone: "Asia/Kolkata", Sees: true}
	tom  = Receiver{ID: "tom", Kind: "staff", Name: "Tom", Sees: true}
)

// crowd lets names stand for people.
func crowd(people map[string][]Receiver) Crowd {
	return func(name string) []Receiver { return slices.Clone(people[name]) }
}

// toldAs tells what was decided: "reminder occurrence person status".
func toldAs(due []Told) []string {
	list := []string{}
	for _, d := range due {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", d.Reminder, d.Occurrence[strings.Index(d.Occurrence, "/")+1:], d.Person, d.Status)))
	}
	return list
}

// only keeps one reminder of the nudges.
func only(t testing.TB, key string) *Compiled {
	t.Helper()
	def := nudgesDefinition(t)
	def.Reminders = slices.DeleteFunc(def.Reminders, func(r Reminder) bool { return r.Key != key })
	return def
}

// waiting is a request in its first state since Monday 16 November 2026, 11:00,
// with one required item missing.
func waiting(t testing.TB, def *Compiled, now string) *Facts {
	t.Helper()
	f := entered(def, "waiting", time.Date(2026, 11, 16, 11, 0, 0, 0, def.Calendar.Zone()))
	f.Items = []*Item{{ID: "i1", Section: "papers", Key: "proof", Kind: "file", Title: "Proof", Status: Missing, EnteredStatus: Missing, Required: true, Active: true}}
	moment, err := time.ParseInLocation("2006-01-02 15:04:05", now, def.Calendar.Zone())
	if err != nil {
		t.Fatal(err)
	}
	f.Now = moment
	return f
}

func TestRemind(t *testing.T) {
	both := map[string][]Receiver{"client_member": {ana, ravi}, "handler": {tom}, "owner": {ana}, "client_approver": {ana}}
	one := map[string][]Receiver{"client_member": {ana}, "handler": {tom}, "owner": {tom}, "client_approver": {ana}}
	told := func(reminder, occurrence, person, status, created string) Told {
		at, err := time.Parse("2006-01-02 15:04", created)
		if err != nil {
			t.Fatal(err)
		}
		return Told{Reminder: reminder, Entry: 1, Occurrence: "waiting/" + occurrence, Person: person, Status: status, Created: at}
	}
	first := told("entry", "business_days_after_entry/1", "ana", Fired, "2026-11-17 09:00")
	for _, c := range []struct {
		name, reminder, now string
		people              map[string][]Receiver
		told                []Told
		with                func(*Facts)
		want                []string
		next                string
	}{
		{"nothing a second before nine", "entry", "2026-11-17 08:59:59", one, nil, nil, nil, "17 Nov 09:00"},
		{"at nine", "entry", "2026-11-17 09:00:00", one, nil, nil, []string{"entry business_days_after_entry/1 ana fired"}, "19 Nov 09:00"},
		{"once", "entry", "2026-11-17 09:00:30", one, []Told{first}, nil, nil, "19 Nov 09:00"},
		{"the next on its day", "entry", "2026-11-19 09:00:00", one, []Told{first}, nil, []string{"entry business_days_after_entry/3 ana fired"}, ""},
		{"each at nine on the own clock", "entry", "2026-11-17 04:00:00", both, nil, nil, []string{"entry business_days_after_entry/1 ravi fired"}, "17 Nov 09:00"},
		{"what one has had, another has not", "entry", "2026-11-17 09:00:00", both, []Told{told("entry", "business_days_after_entry/1", "ravi", Fired, "2026-11-17 03:30")}, nil, []string{"entry business_days_after_entry/1 ana fired"}, "19 Nov 03:30"},
		{"of two that were missed the last stands for both", "entry", "2026-11-19 11:00:00", one, nil, nil, []string{"entry business_days_after_entry/1 ana collapsed", "entry business_days_after_entry/3 ana fired"}, ""},
		{"back on a Saturday, it waits for Monday", "entry", "2026-11-21 11:00:00", one, nil, nil, nil, "23 Nov 09:00"},
		{"back in the night, it waits for the morning", "entry", "2026-11-17 23:00:00", one, nil, nil, nil, "18 Nov 09:00"},
		{"back before nine, it waits for nine", "entry", "2026-11-18 08:30:00", one, nil, nil, nil, "18 Nov 09:00"},
		{"no more than the most", "entry", "2026-11-19 09:00:00", one, []Told{first, told("entry", "business_days_after_entry/0", "ana", Fired, "2026-11-16 09:00")}, nil, []string{"entry business_days_after_entry/3 ana skipped"}, ""},
		{"one mail a day", "entry", "2026-11-17 09:00:00", map[string][]Receiver{"client_member": {{ID: "ana", Kind: "user", Sees: true, Mailed: time.Date(2026, 11, 17, 8, 0, 0, 0, time.UTC)}}}, nil, nil, nil, "18 Nov 09:00"},
		{"a mail of yesterday is no matter", "entry", "2026-11-17 09:00:00", map[string][]Receiver{"client_member": {{ID: "ana", Kind: "user", Sees: true, Mailed: time.Date(2026, 11, 16, 23, 0, 0, 0, time.UTC)}}}, nil, nil, []string{"entry business_days_after_entry/1 ana fired"}, "19 Nov 09:00"},
		{"not when everything is there", "entry", "2026-11-17 09:00:00", one, nil, func(f *Facts) { f.Items[0].Status = Provided }, []string{"entry business_days_after_entry/1 ana skipped"}, "19 Nov 09:00"},
		{"not to whom may not see it", "entry", "2026-11-17 09:00:00", map[string][]Receiver{"client_member": {{ID: "ana", Kind: "user"}}}, nil, nil, []string{"entry business_days_after_entry/1 ana skipped"}, "19 Nov 09:00"},
		{"and when nobody is there it says so", "entry", "2026-11-17 09:00:00", nil, nil, nil, []string{"entry business_days_after_entry/1  skipped"}, "19 Nov 09:00"},
		{"somebody who came later is not told of the past", "entry", "2026-11-18 10:00:00", map[string][]Receiver{"client_member": {ana, {ID: "new", Kind: "user", Sees: true}}}, []Told{first}, nil, nil, "19 Nov 09:00"},
		{"nothing on hold", "entry", "2026-11-17 09:00:00", one, nil, func(f *Facts) { f.Pauses = []Pause{{Started: f.StateSince, Until: f.Now.Add(time.Hour)}} }, nil, ""},
		{"a hold moves what counts from the entry", "entry", "2026-11-18 09:00:00", one, nil, func(f *Facts) { f.Pauses = []Pause{{Started: f.StateSince, Until: f.StateSince.AddDate(0, 0, 1)}} }, []string{"entry business_days_after_entry/1 ana fired"}, "20 Nov 09:00"},
		{"what was due on hold is not made good", "due", "2026-11-20 09:00:00", one, nil, func(f *Facts) {
			f.Due, f.DueSet = "2026-11-20 17:00:00.000Z", true
			f.Pauses = []Pause{{Started: f.StateSince, Until: f.Now.Add(-12 * time.Hour)}}
		}, []string{"due business_days_before_due/2/2026-11-18 ana skipped", "due business_days_before_due/0/2026-11-20 ana fired"}, "23 Nov 09:00"},
		{"a due date that moved is reminded of anew", "due", "2026-11-26 09:00:00", one, []Told{told("due", "business_days_before_due/2/2026-11-19", "ana", Fired, "2026-11-19 09:00")}, func(f *Facts) { f.Due, f.DueSet = "2026-11-30 17:00:00.000Z", true }, []string{"due business_days_before_due/2/2026-11-26 ana fired"}, "30 Nov 09:00"},
		{"a part of the time limit, at its business moment", "sla", "2026-11-19 10:00:00", one, nil, nil, []string{"sla sla_percent/50 tom fired"}, "23 Nov 17:00"},
		{"a person who is meant twice is told once", "sla", "2026-11-24 10:00:00", one, nil, nil, []string{"sla sla_percent/50 tom collapsed", "sla sla_percent/100 tom fired"}, ""},
		{"who has not decided is asked", "decide", "2026-11-18 09:00:00", one, nil, func(f *Facts) {
			f.Items = append(f.Items, &Item{Section: "art", Key: "logo", Status: Provided, Active: true})
		}, []string{"decide business_days_after_entry/2 ana fired"}, ""},
		{"who has decided is not", "decide", "2026-11-18 09:00:00", one, nil, func(f *Facts) {
			f.Items = append(f.Items, &Item{Section: "art", Key: "logo", Status: Provided, Reviewer: "ana", Active: true})
		}, []string{"decide business_days_after_entry/2  skipped"}, ""},
	} {
		def := only(t, c.reminder)
		f := waiting(t, def, c.now)
		if c.with != nil {
			c.with(f)
		}
		due, next := def.Remind(f, crowd(c.people), c.told)
		if got := toldAs(due); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		shown := ""
		if !next.IsZero() {
			shown = next.In(def.Calendar.Zone()).Format("2 Jan 15:04")
		}
		if shown != c.next {
			t.Errorf("%s: looked at again %q, want %q", c.name, shown, c.next)
		}
		for _, d := range due {
			if d.Why == "" || d.At.After(f.Now) {
				t.Errorf("%s: %+v says not why, or is ahead of its time", c.name, d)
			}
		}
	}
}

// Whatever the clock does, each occurrence reaches each person once: it is run
// minute by minute, then by leaps, back and ahead, and over again.
func TestRemind_once(t *testing.T) {
	def := nudgesDefinition(t)
	people := crowd(map[string][]Receiver{"client_member": {ana, ravi}, "handler": {tom}, "owner": {tom}, "client_approver": {ana}})
	f := waiting(t, def, "2026-11-16 11:00:00")
	var told []Told
	tick := func(now time.Time) {
		f.Now = now
		due, _ := def.Remind(f, people, told)
		told = append(told, due...)
	}
	begin := f.Now
	for minute := 0; minute < 14*24*60; minute += 7 {
		tick(begin.Add(time.Duration(minute) * time.Minute))
		tick(begin.Add(time.Duration(minute) * time.Minute))
	}
	calm := len(told)
	for _, leap := range []time.Duration{-240 * time.Hour, 72 * time.Hour, 8760 * time.Hour, -8760 * time.Hour, 0} {
		tick(begin.Add(14*24*time.Hour + leap))
	}
	if len(told) != calm {
		t.Errorf("%d more after the clock leapt: %v", len(told)-calm, toldAs(told[calm:]))
	}
	seen := map[string]bool{}
	for _, d := range told {
		key := d.Reminder + d.Occurrence + d.Person
		if seen[key] {
			t.Errorf("%s twice", key)
		}
		seen[key] = true
		if d.Client && d.Status == Fired {
			zone := def.zoneOf(ana)
			if d.Person == "ravi" {
				zone = def.zoneOf(ravi)
			}
			if hour := d.Created.In(zone).Hour(); hour < 8 || hour >= 20 || !def.Calendar.works(d.Created.In(zone).Date()) {
				t.Errorf("%s is told at %s", d.Person, d.Created.In(zone))
			}
		}
	}
	if calm < 15 {
		t.Errorf("only %d: %v", calm, toldAs(told))
	}
}

func TestRemind_clientsHearNothingOfAHold(t *testing.T) {
	def := only(t, "sla")
	f := entered(def, "hold", time.Date(2026, 11, 16, 11, 0, 0, 0, def.Calendar.Zone()))
	f.Now = f.Now.AddDate(0, 0, 8)
	due, _ := def.Remind(f, crowd(map[string][]Receiver{"owner": {ana}, "handler": {tom}}), nil)
	for _, d := range due {
		if d.Person == "ana" && d.Status != Skipped {
			t.Errorf("%+v", d)
		}
	}
	if len(due) != 4 {
		t.Errorf("%v", toldAs(due))
	}
}

func TestStoppedBy(t *testing.T) {
	def := nudgesDefinition(t)
	f := waiting(t, def, "2026-11-17 09:00:00")
	f.Items = append(f.Items, &Item{Section: "papers", Key: "note", Kind: "answer", Title: "Note", Status: Missing, EnteredStatus: Missing, Required: false, Active: true})
	for _, c := range []struct {
		status string
		stops  string
	}{
		{Missing, "no_rejected_items"}, {Rejected, ""}, {MoreNeeded, ""}, {Expired, ""}, {Provided, "all_required_provided all_answered no_rejected_items"}, {Waived, "all_required_provided all_answered no_rejected_items"},
	} {
		f.Items[0].Status = c.status
		var stops []string
		for _, word := range []string{"all_required_provided", "all_answered", "no_rejected_items"} {
			if def.stoppedBy(f, word, "ana") != "" {
				stops = append(stops, word)
			}
		}
		if strings.Join(stops, " ") != c.stops {
			t.Errorf("with a %s item: %v", c.status, stops)
		}
	}
}

func TestRemindAt(t *testing.T) {
	def := only(t, "entry")
	f := waiting(t, def, "2026-11-16 11:00:00")
	if got := def.remindAt(f, ""); got != "2026-11-15 19:00:00.000Z" {
		t.Errorf("first looked at %s: when a day begins in the east", got)
	}
	f.RemindAt = "2026-11-15 10:00:00.000Z"
	if got := def.remindAt(f, "waiting"); got != f.RemindAt {
		t.Errorf("what has not been looked at yet stays: %s", got)
	}
	if got := def.remindAt(f, "working"); got == f.RemindAt {
		t.Error("of another state it does not")
	}
	f.Pauses = []Pause{{Started: f.StateSince, Until: f.Now.Add(time.Hour)}}
	if got := def.remindAt(f, "waiting"); got != "" {
		t.Errorf("on hold nothing is looked at: %s", got)
	}
	f.State, f.Pauses = "working", nil
	if got := def.remindAt(f, "waiting"); got != "" {
		t.Errorf("a state without reminders is not looked at: %s", got)
	}
}

func BenchmarkRemindAt(b *testing.B) {
	def := nudgesDefinition(b)
	f := waiting(b, def, "2026-11-17 08:00:00")
	def.remindAt(f, "")
	for b.Loop() {
		def.remindAt(f, "")
	}
}

// Of an item that several people decide on, each one's own vote counts, whoever
// came last.
func TestRemind_eachApproverByTheOwnVote(t *testing.T) {
	people := map[string][]Receiver{"client_approver": {ana, ravi}}
	for _, c := range []struct {
		name  string
		votes map[string]Vote
		last  string
		want  []string
	}{
		{"nobody has voted", nil, "", []string{"ana", "ravi"}},
		{"one has, and came last", map[string]Vote{"ana": {Status: Accepted}}, "ana", []string{"ravi"}},
		{"one has, though another came after", map[string]Vote{"ana": {Status: Accepted}, "leo": {Status: Accepted}}, "leo", []string{"ravi"}},
		{"both have", map[string]Vote{"ana": {Status: Accepted}, "ravi": {Status: Accepted}}, "ravi", []string{}},
		{"a veto against an earlier version asks again", map[string]Vote{"ana": {Status: Rejected, Veto: true, Old: true}, "ravi": {Status: Accepted}}, "ravi", []string{"ana"}},
	} {
		def := only(t, "decide")
		def.Spec("art", "logo").Review = &Review{Quorum: &Quorum{Count: 3, Role: "client_approver"}}
		f := waiting(t, def, "2026-11-18 09:00:00")
		f.Items = append(f.Items, &Item{Section: "art", Key: "logo", Status: Provided, Reviewer: c.last, Votes: c.votes, Active: true})
		got := []string{}
		for _, p := range def.people(f, def.remindersOf("waiting")[0], crowd(people)) {
			got = append(got, p.ID)
			if why := def.stoppedBy(f, "person_decided", p.ID); why != "" {
				t.Errorf("%s: %s is not asked: %s", c.name, p.ID, why)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q is asked, not %q", c.name, got, c.want)
		}
	}
}
