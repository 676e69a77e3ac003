package workflow

import (
	"strings"
	"testing"
	"time"
)

// moments are the times at which a reminder reaches a person, on his own clock.
func moments(def *Compiled, f *Facts, key string, p Receiver) string {
	var list []string
	for _, r := range def.remindersOf(f.State) {
		if r.Key != key {
			continue
		}
		for _, o := range def.occurrences(f, r) {
			list = append(list, def.at(o, p).In(def.zoneOf(p)).Format("Mon 2 Jan 15:04"))
		}
	}
	return strings.Join(list, ", ")
}

// entered are the facts of a request that has entered a state.
func entered(def *Compiled, state string, at time.Time) *Facts {
	f := &Facts{Now: at, State: state, Entry: 1, StateSince: at, Opened: at, Data: map[string]any{"go_live": "2027-01-20"}}
	f.Due = stampOrEmpty(def.slaDue(def.State(state), f))
	return f
}

// Every reminder of every shipped definition, for a state entered on Monday
// 14 December 2026 at eleven: before Christmas, so that holidays count.
func TestOccurrences_shipped(t *testing.T) {
	seen := map[string]int{}
	for _, c := range []struct{ file, reminder, state, want string }{
		{"simple-request.yaml", "client_nudge", "waiting_for_client", "Thu 17 Dec 09:00, Tue 22 Dec 09:00, Fri 25 Dec 09:00"},
		{"simple-request.yaml", "gone_quiet", "waiting_for_client", "Wed 30 Dec 09:00"},
		{"simple-request.yaml", "review_sla", "draft", "Wed 16 Dec 17:00"},
		{"simple-request.yaml", "review_sla", "submitted", "Tue 15 Dec 17:00"},
		{"simple-request.yaml", "review_sla", "in_review", "Thu 17 Dec 17:00"},
		{"accounting-onboarding-kyc.yaml", "collect_nudge", "collecting", "Wed 16 Dec 09:00, Mon 21 Dec 09:00, Thu 24 Dec 09:00"},
		{"accounting-onboarding-kyc.yaml", "fix_nudge", "fixing", "Wed 16 Dec 09:00, Fri 18 Dec 09:00"},
		{"accounting-onboarding-kyc.yaml", "sign_nudge", "engagement", "Tue 15 Dec 09:00, Thu 17 Dec 09:00, Mon 21 Dec 09:00"},
		{"accounting-onboarding-kyc.yaml", "stalled_handover", "collecting", "Thu 31 Dec 09:00"},
		{"accounting-onboarding-kyc.yaml", "stalled_handover", "fixing", "Thu 31 Dec 09:00"},
		{"accounting-onboarding-kyc.yaml", "stalled_handover", "engagement", "Thu 31 Dec 09:00"},
		{"accounting-onboarding-kyc.yaml", "review_sla", "submitted", "Tue 15 Dec 14:30, Tue 15 Dec 17:30"},
		{"accounting-onboarding-kyc.yaml", "review_sla", "in_review", "Thu 17 Dec 11:06, Thu 17 Dec 17:30"},
		{"accounting-onboarding-kyc.yaml", "review_sla", "compliance_hold", "Fri 18 Dec 16:12, Mon 21 Dec 17:30"},
		{"accounting-onboarding-kyc.yaml", "review_sla", "sync_blocked", "Tue 15 Dec 14:30, Tue 15 Dec 17:30"},
		{"accounting-monthly-close.yaml", "month_open_nudge", "collecting", "Thu 17 Dec 09:00, Mon 21 Dec 09:00, Thu 17 Dec 09:00, Mon 21 Dec 09:00"},
		{"accounting-monthly-close.yaml", "question_nudge", "queries_out", "Tue 15 Dec 09:00, Wed 16 Dec 09:00, Thu 17 Dec 09:00"},
		{"accounting-monthly-close.yaml", "signoff_nudge", "client_signoff", "Tue 15 Dec 09:00, Thu 17 Dec 09:00"},
		{"accounting-monthly-close.yaml", "late_month", "collecting", "Tue 22 Dec 09:00"},
		{"accounting-monthly-close.yaml", "late_month", "queries_out", "Fri 18 Dec 09:00"},
		{"agency-creative-approval.yaml", "brief_nudge", "briefing", "Wed 16 Dec 09:00, Fri 18 Dec 09:00"},
		{"agency-creative-approval.yaml", "brief_nudge", "brief_fix", "Wed 16 Dec 09:00, Fri 18 Dec 09:00"},
		{"agency-creative-approval.yaml", "review_nudge", "client_review", "Tue 15 Dec 09:00, Wed 16 Dec 09:00, Tue 12 Jan 09:00"},
		{"agency-creative-approval.yaml", "change_nudge", "change_order", "Tue 15 Dec 09:00, Wed 16 Dec 09:00"},
		{"agency-creative-approval.yaml", "studio_sla", "brief_review", "Tue 15 Dec 14:54, Tue 15 Dec 18:00"},
		{"agency-creative-approval.yaml", "studio_sla", "designing", "Fri 18 Dec 16:36, Mon 21 Dec 18:00"},
		{"agency-creative-approval.yaml", "studio_sla", "internal_check", "Tue 15 Dec 14:54, Tue 15 Dec 18:00"},
		{"agency-creative-approval.yaml", "studio_sla", "revising", "Thu 17 Dec 11:30, Thu 17 Dec 18:00"},
		{"agency-creative-approval.yaml", "studio_sla", "finalising", "Wed 16 Dec 13:12, Wed 16 Dec 18:00"},
	} {
		def := shippedDefinition(t, c.file)
		f := entered(def, c.state, time.Date(2026, 12, 14, 11, 0, 0, 0, def.Calendar.Zone()))
		if got := moments(def, f, c.reminder, Receiver{Kind: "user"}); got != c.want {
			t.Errorf("%s %s in %s: %s, want %s", c.file, c.reminder, c.state, got, c.want)
		}
		seen[c.file+c.reminder]++
	}
	for _, file := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
		for _, r := range shippedDefinition(t, file).Reminders {
			if seen[file+r.Key] != len(r.WhenState) {
				t.Errorf("%s: %s is not in the table for each of its states", file, r.Key)
			}
		}
	}
}

// nudges is a workflow with one reminder of each word.
const nudges = `
schema: gatehouse/workflow/v1
key: nudges
version: 1
title: Nudges
subject: {collection: organizations}
initial: waiting
roles: {client: [client_admin, client_member, client_approver], staff: [handler]}
calendar: {timezone: Europe/London, hours: "mon-thu 09:00-17:00, fri 09:00-15:00", holidays: gb-eng, client_quiet_hours: "20:00-08:00"}
fields:
  - {key: day, type: date}
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items: [{key: proof, title: Proof, kind: file}, {key: note, title: Note, kind: answer}]
  - key: art
    title: Art
    provider: staff
    reviewer: client_approver
    items: [{key: logo, title: Logo, kind: file}]
states:
  - {key: waiting, label: Waiting, client_label: Waiting, category: waiting, turn: client, owner: client_member, sla: {business_days: 5}, can: {provide: [papers], review: [art]}}
  - {key: working, label: Working, client_label: With us, category: review, turn: staff, owner: handler, sla: {business_hours: 4}, can: {review: [papers]}}
  - {key: machine, label: Machine, client_label: With us, category: review, turn: system, owner: handler, can: {}}
  - {key: hold, label: Hold, client_label: With us, category: review, turn: staff, owner: handler, sla: {business_days: 5}, tipping_off_safe: true, can: {}}
  - {key: done, label: Done, client_label: Done, category: done, outcome: success, turn: nobody, can: {}}
transitions:
  - {key: submit, label: Send, from: [waiting], to: working, by: [client_member]}
  - {key: back, label: Back, from: [working], to: waiting, by: [handler]}
  - {key: run, label: Run, from: [working], to: machine, by: [handler]}
  - {key: ran, label: Ran, from: [machine], to: working, by: [system], after: {business_days_in_state: 2}}
  - {key: stop, label: Stop, from: [working], to: hold, by: [handler]}
  - {key: go, label: Go on, from: [hold], to: working, by: [handler]}
  - {key: finish, label: Finish, from: [working], to: done, by: [handler]}
  - {key: again, label: Again, from: [done], to: working, by: [handler]}
reminders:
  - {key: entry, when_state: [waiting], schedule: {business_days_after_entry: [0, 1, 3]}, to: client_member, stop_when: [state_left, all_required_provided], combine: one_email_per_person_per_day, lists: outstanding_items, max: 2}
  - {key: due, when_state: [waiting], schedule: {business_days_before_due: [2, 0], business_days_after_due: 1}, to: client_member, stop_when: [state_left]}
  - {key: day, when_state: [waiting], schedule: {business_days_before: {field: day, days: [5, 0]}}, to: client_member, stop_when: [state_left]}
  - {key: hours, when_state: [waiting], schedule: {business_hours_after_entry: [4, 12]}, to: client_member, stop_when: [state_left]}
  - {key: sla, when_state: [waiting, hold], schedule: {sla_percent: [50, 100]}, to: [owner, handler], channel: in_app, stop_when: [state_left]}
  - {key: decide, when_state: [waiting], schedule: {business_days_after_entry: [2]}, to: approvers_who_have_not_decided, stop_when: [state_left, person_decided]}
`

func nudgesDefinition(t testing.TB) *Compiled {
	t.Helper()
	def, findings := Parse([]byte(nudges)) // the checker would ask for more than these tables need
	if def == nil || hasErrors(findings) {
		t.Fatalf("%+v", findings)
	}
	return def
}

func TestOccurrences_words(t *testing.T) {
	def := nudgesDefinition(t)
	monday := time.Date(2026, 11, 16, 11, 0, 0, 0, def.Calendar.Zone())
	client, staff := Receiver{Kind: "user"}, Receiver{Kind: "staff"}
	in := func(zone string) Receiver { return Receiver{Kind: "user", Timezone: zone} }
	for _, c := range []struct {
		name, reminder, state string
		at                    time.Time
		with                  func(*Facts)
		who                   Receiver
		want                  string
	}{
		{"on the day of entry at nine, and days after", "entry", "waiting", monday, nil, client, "Mon 16 Nov 09:00, Tue 17 Nov 09:00, Thu 19 Nov 09:00"},
		{"at nine where the person lives: half an hour beside the hour", "entry", "waiting", monday, nil, in("Asia/Kolkata"), "Mon 16 Nov 09:00, Tue 17 Nov 09:00, Thu 19 Nov 09:00"},
		{"a zone that is not known is the workflow's", "entry", "waiting", monday, nil, in("Mars/Phobos"), "Mon 16 Nov 09:00, Tue 17 Nov 09:00, Thu 19 Nov 09:00"},
		{"entered on a Sunday, counted from Monday", "entry", "waiting", monday.AddDate(0, 0, -1), nil, client, "Mon 16 Nov 09:00, Mon 16 Nov 09:00, Wed 18 Nov 09:00"},
		{"over the weekend on which clocks go back", "entry", "waiting", monday.AddDate(0, 0, -24), nil, client, "Fri 23 Oct 09:00, Mon 26 Oct 09:00, Wed 28 Oct 09:00"},
		{"over Christmas and the year's end", "entry", "waiting", monday.AddDate(0, 0, 38), nil, client, "Thu 24 Dec 09:00, Tue 29 Dec 09:00, Thu 31 Dec 09:00"},
		{"before and after the due date", "due", "waiting", monday, nil, client, "Thu 19 Nov 09:00, Mon 23 Nov 09:00, Tue 24 Nov 09:00"},
		{"by the due date that a person chose, on a Saturday", "due", "waiting", monday, func(f *Facts) { f.Due, f.DueSet = "2026-11-28 15:00:00.000Z", true }, client, "Thu 26 Nov 09:00, Fri 27 Nov 09:00, Mon 30 Nov 09:00"},
		{"none without a due date", "due", "waiting", monday, func(f *Facts) { f.Due = "" }, client, ""},
		{"before a day of the data", "day", "waiting", monday, func(f *Facts) { f.Data["day"] = "2026-12-29" }, client, "Fri 18 Dec 09:00, Tue 29 Dec 09:00"},
		{"none while the day is not known", "day", "waiting", monday, nil, client, ""},
		{"by business hours, to the minute", "hours", "waiting", monday, nil, client, "Mon 16 Nov 15:00, Tue 17 Nov 15:00"},
		{"on a Friday that ends at three", "hours", "waiting", monday.AddDate(0, 0, 4), nil, client, "Fri 20 Nov 15:00, Mon 23 Nov 17:00"},
		{"a moment in the person's night waits for the end of quiet hours", "hours", "waiting", monday, nil, in("America/Los_Angeles"), "Mon 16 Nov 08:00, Tue 17 Nov 08:00"},
		{"staff have no quiet hours", "hours", "waiting", monday, nil, Receiver{Kind: "staff", Timezone: "America/Los_Angeles"}, "Mon 16 Nov 07:00, Tue 17 Nov 07:00"},
		{"half of five business days, and all of it", "sla", "waiting", monday, nil, staff, "Wed 18 Nov 17:00, Mon 23 Nov 17:00"},
	} {
		f := entered(def, c.state, c.at)
		if c.with != nil {
			c.with(f)
		}
		if got := moments(def, f, c.reminder, c.who); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	f := entered(def, "waiting", monday)
	kolkata := in("Asia/Kolkata")
	if got := def.at(def.occurrences(f, def.remindersOf("waiting")[0])[1], kolkata).UTC().Format("2 Jan 15:04"); got != "17 Nov 03:30" {
		t.Errorf("nine in Kolkata is %s UTC", got)
	}
}

func TestPolite(t *testing.T) {
	def := nudgesDefinition(t)
	zone := def.Calendar.Zone()
	for _, c := range []struct {
		name, at string
		who      Receiver
		from     time.Duration
		want     string
	}{
		{"in the day", "2026-11-16 12:00", Receiver{Kind: "user"}, nine, "Mon 16 Nov 12:00"},
		{"before nine", "2026-11-16 08:30", Receiver{Kind: "user"}, nine, "Mon 16 Nov 09:00"},
		{"before nine, where any hour will do", "2026-11-16 08:30", Receiver{Kind: "user"}, 0, "Mon 16 Nov 08:30"},
		{"in the night", "2026-11-16 03:00", Receiver{Kind: "user"}, 0, "Mon 16 Nov 08:00"},
		{"late in the evening", "2026-11-16 21:00", Receiver{Kind: "user"}, nine, "Tue 17 Nov 09:00"},
		{"late in the evening before a weekend", "2026-11-20 21:00", Receiver{Kind: "user"}, nine, "Mon 23 Nov 09:00"},
		{"late in the evening for staff", "2026-11-16 21:00", Receiver{Kind: "staff"}, nine, "Mon 16 Nov 21:00"},
		{"on a Saturday", "2026-11-21 12:00", Receiver{Kind: "staff"}, nine, "Mon 23 Nov 09:00"},
		{"at Christmas", "2026-12-25 12:00", Receiver{Kind: "user"}, nine, "Tue 29 Dec 09:00"},
		{"on the day when clocks go back", "2026-10-25 12:00", Receiver{Kind: "user"}, nine, "Mon 26 Oct 09:00"},
	} {
		if got := def.polite(at(t, c.at, zone), c.who, c.from).In(zone).Format("Mon 2 Jan 15:04"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
