package notify

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/hooks/schema"
)

// remindedOf are the facts of a reminder that fired in a state.
func remindedOf(t *testing.T, key, state string, receivers []Reminded, change ...func(*Facts)) Facts {
	t.Helper()
	f := facts(t, "reminder."+key, Person{Kind: schema.ActorSystem}, Payload{State: state, Entry: 1, Receivers: receivers}, change...)
	if f.Request.State == "" {
		f.Request.State = state
	}
	f.Script.Reminders = []Reminder{
		{Key: "nudge", Combine: "one_email_per_person_per_day"},
		{Key: "quiet", Channel: names{"task"}, Text: "Call {organization}."},
		{Key: "sla", Channel: names{"in_app", "email"}},
	}
	return f
}

func TestPlan_reminders(t *testing.T) {
	to := func(id, role string) []Reminded {
		return []Reminded{{ID: id, Role: role, Occurrence: "waiting/business_days_after_entry/3"}}
	}
	for _, c := range []struct {
		name, key, state string
		receivers        []Reminded
		change           func(*Facts)
		want             []string
	}{
		{"a client by mail", "nudge", "waiting", to("ana", "client_member"), nil, []string{"ana email reminder"}},
		{"staff by task", "quiet", "waiting", to("priya", "handler"), nil, []string{"priya task escalation"}},
		{"by every channel", "sla", "submitted", to("priya", "owner"), nil, []string{"priya in_app escalation", "priya email escalation"}},
		{"not when the request has moved on", "nudge", "waiting", to("ana", "client_member"), func(f *Facts) { f.Request.State, f.Request.Entry = "submitted", 1 }, []string{"ana email reminder - The request has moved on."}},
		{"not when it came back another time", "nudge", "waiting", to("ana", "client_member"), func(f *Facts) { f.Request.State, f.Request.Entry = "waiting", 2 }, []string{"ana email reminder - The request has moved on."}},
		{"not to whom may not see it", "nudge", "waiting", to("cleo", "last_uploader"), nil, []string{"cleo email reminder - " + noSight}},
		{"not without an address", "nudge", "waiting", to("ana", "client_member"), func(f *Facts) { f.Clients = slices.Clone(f.Clients); f.Clients[0].Email = "" }, []string{"ana email reminder - " + noEmail}},
		{"somebody who is gone is left out", "nudge", "waiting", to("gone", "client_member"), nil, []string{}},
		{"a client hears nothing in a hidden state", "nudge", "screening", to("ana", "client_member"), nil, []string{}},
		{"nor when the request is in one by now", "nudge", "waiting", to("ana", "client_member"), func(f *Facts) { f.Request.State, f.Request.Entry = "screening", 1 }, []string{}},
		{"staff do", "sla", "screening", to("ruth", "owner"), nil, []string{"ruth in_app escalation", "ruth email escalation"}},
		{"a reminder that the definition has not", "other", "waiting", to("ana", "client_member"), nil, []string{}},
	} {
		change := []func(*Facts){}
		if c.change != nil {
			change = append(change, c.change)
		}
		plan := Plan(remindedOf(t, c.key, c.state, c.receivers, change...))
		if got := short(plan); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, n := range plan {
			if n.Why == "" || !strings.Contains(n.Dedupe, "/1/waiting/business_days_after_entry/3/"+n.Person.ID+"/"+n.Channel) {
				t.Errorf("%s: %+v", c.name, n)
			}
			if n.Digest != (c.key == "nudge") && n.Suppressed == "" {
				t.Errorf("%s: combined with others: %t", c.name, n.Digest)
			}
		}
	}
}

func TestEscalated(t *testing.T) {
	for occurrence, want := range map[string]string{
		"submitted/sla_percent/80": "80 % of the time for this is used.", "submitted/sla_percent/100": "The time for this is up.",
		"waiting/business_days_after_due/1/2026-12-10": "This is late: it was due 1 business day ago.", "waiting/business_days_after_entry/11": "This has waited for 11 business days.",
		"waiting/business_days_before/go_live/5/2026-12-10": "This waits.", "odd": "This waits.",
	} {
		f := remindedOf(t, "sla", "submitted", []Reminded{{ID: "priya", Role: "owner", Occurrence: occurrence}})
		if got := f.escalated(priya); got != want {
			t.Errorf("%s: %s", occurrence, got)
		}
	}
	f := remindedOf(t, "quiet", "waiting", []Reminded{{ID: "priya", Role: "handler"}})
	if got := f.escalated(priya); got != "Call Bluebell Bakery Ltd." {
		t.Error(got)
	}
}

func TestReminderWhy(t *testing.T) {
	p := planner{Facts: remindedOf(t, "nudge", "waiting", nil)}
	for _, c := range []struct {
		role   string
		person Person
		want   string
	}{
		{"client_member", ana, "You get this because your side has the turn on Year-end papers."},
		{"last_uploader", ana, "You get this because you sent what needs another look."},
		{"owner", priya, "You get this because the turn on Year-end papers is yours."},
		{"account_manager", priya, "You get this because you are the account manager on Year-end papers."},
		{"admin", helen, "You get this because you are an owner of this portal."},
	} {
		if got := because(p.reminderWhy(c.role, c.person)); got != c.want {
			t.Errorf("%s: %s", c.role, got)
		}
	}
}
