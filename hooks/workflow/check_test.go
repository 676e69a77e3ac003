package workflow

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// flow is a sound definition with something of everything; the cases break one
// thing each.
const flow = `schema: gatehouse/workflow/v1
key: flow
version: 1
title: Flow
subject: {collection: organizations, one_live_request_per: [organization, period]}
numbering: "F-{yyyy}-{seq:4}"
initial: draft
recurrence: {every: month, create: "1st business day", period: previous_month, due: "10th business day", carry_forward: [accounts]}
roles: {client: [client_admin, client_member, counsel], staff: [clerk, officer, partner]}
calendar: {timezone: Europe/Dublin, hours: "mon-fri 09:00-17:30", holidays: ie, client_quiet_hours: "20:00-08:00"}
fields:
  - {key: kind, type: choice, options: [small, large], required_before: send}
  - {key: accounts, type: list}
  - {key: tags, type: multi_choice, options: [red, green]}
  - {key: round, type: number, default: 1, written_by: workflow}
  - {key: urgent, type: bool}
  - {key: why, type: text, when: {field: urgent, is: true}}
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: clerk
    items:
      - {key: id, title: Identity, kind: file, files: {min: 1, max: 2}, metadata: [{key: ends, type: date, must_be: after_today}]}
      - {key: bill, title: "Bill of {each}", kind: file, for_each: accounts}
  - key: plan
    title: Plan
    provider: staff
    provider_role: officer
    reviewer: client_admin
    items:
      - {key: drawing, title: Drawing, kind: file, review: {quorum: {role: client_admin, count: 2}, veto: [counsel]}}
states:
  - {key: draft, label: Draft, client_label: null, client_visible: false, category: open, turn: staff, owner: clerk}
  - {key: ask, label: Ask, client_label: Please send, category: waiting, turn: client, owner: client_admin, sla: {business_days: 5, clock: client}, can: {provide: [papers]}}
  - {key: look, label: Look, client_label: We look, category: review, turn: staff, owner: clerk, can: {review: [papers], provide: [plan]}}
  - {key: hold, label: Hold, client_label: We look, category: review, turn: staff, owner: officer, restricted_to: [officer, partner], tipping_off_safe: true}
  - {key: vote, label: Vote, client_label: Please decide, category: waiting, turn: client, owner: client_admin, can: {review: [plan]}}
  - {key: redo, label: Redo, client_label: We change it, category: open, turn: staff, owner: officer, can: {provide: [plan], only_status: [rejected]}}
  - {key: run, label: Run, client_label: Almost done, category: open, turn: system, owner: clerk}
  - {key: stuck, label: Stuck, client_label: Almost done, category: blocked, turn: staff, owner: clerk}
  - {key: done, label: Done, client_label: Done, category: done, outcome: success, turn: nobody}
  - {key: void, label: Void, client_label: Closed, category: done, outcome: void, turn: nobody, terminal: true}
transitions:
  - {key: invite, label: Invite, from: [draft], to: ask, by: [clerk]}
  - {key: send, label: Send, from: [ask], to: look, by: [client_admin, client_member], guard: [{items: {sections: [papers], required: true, status_in: [provided, accepted, waived]}}, {fields_complete: send}]}
  - {key: back, label: Back, from: [look], to: ask, by: [clerk], guard: [{any_item: {sections: [papers], status_in: [rejected]}}], requires: [client_comment_per_rejected_item]}
  - {key: raise, label: Raise, from: [look], to: hold, by: [clerk, officer], requires: [internal_note]}
  - {key: clear, label: Clear, from: [hold], to: look, by: [officer, partner], requires: [internal_note], guard: [{not_same_person_as: raise}]}
  - {key: show, label: Show, from: [look, redo], to: vote, by: [officer], guard: [{items: {sections: [plan], required: true, status_in: [provided, accepted, waived]}}, {items: {sections: [papers], required: true, status_in: [accepted, waived]}}]}
  - {key: object, label: Object, from: [vote], to: redo, by: [client_admin, counsel], guard: [{any_item: {sections: [plan], status_in: [rejected]}}], effects: [{increment: round}]}
  - {key: agree, label: Agree, from: [vote], to: run, by: [client_admin], guard: [{items: {sections: [plan], required: true, status_in: [accepted, waived]}}, {no_veto_open: counsel}], effects: [{job: crm.tell}, {job: ledger.book}]}
  - {key: booked, label: Booked, from: [run, stuck], to: done, by: [system], guard: [{jobs: {names: [crm.tell, ledger.book], status: done}}]}
  - {key: failed, label: Failed, from: [run], to: stuck, by: [system], guard: [{any_job: {names: [crm.tell, ledger.book], status: dead}}]}
  - {key: retry, label: Retry, from: [stuck], to: run, by: [clerk], effects: [{retry_jobs: dead}]}
  - {key: by_hand, label: By hand, from: [stuck], to: done, by: [partner], requires: [internal_note]}
  - {key: drop, label: Drop, from: [draft, ask, look], to: void, by: [partner], requires: [internal_note]}
reminders:
  - {key: nudge, when_state: [ask, vote], schedule: {business_days_after_entry: [2]}, to: client_admin, stop_when: [state_left], max: 3}
notifications:
  - {event: request.send, to: clerk, channel: email, timing: now, dedupe: "{request}/{entry}", why: "You are the clerk."}
integrations:
  - {job: crm.tell, system: crm, idempotency_key: "t/{request}/{revision}", retries: {max: 3, backoff: "30s..6h"}, alert_after: 1, on_dead: failed}
  - {job: ledger.book, system: accounting, depends_on: crm.tell, idempotency_key: "b/{request}/{revision}", on_dead: failed}
ai:
  - {task: read, on: file.added, section: papers, suggests: [date], confirm_by: clerk}
reports: {targets: {ask: 5bd, end_to_end: 20bd}, split_clock: [client, firm]}
`

func TestCheck_flowIsSound(t *testing.T) {
	def, findings := CheckSource([]byte(flow))
	if def == nil || hasErrors(findings) {
		t.Fatal(lines(findings))
	}
	for _, f := range findings {
		if f.Code != "turn_untold" {
			t.Errorf("%s: %s", f.Code, f.Message)
		}
	}
}

func TestCheck_faults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		old, new string
		code     string
		line     int
		says     string
	}{
		{"one live request per nothing known", "[organization, period]}", "[organization, perod]}", "unknown_name", 5, "Did you mean \"period\"?"},
		{"a number with an unknown placeholder", "{seq:4}", "{sequence}", "unknown_placeholder", 6, "{sequence}"},
		{"a number that two requests share", "F-{yyyy}-{seq:4}", "F-{yyyy}", "numbering", 6, "same number"},
		{"a rhythm that is not known", "every: month", "every: fortnight", "unknown_name", 8, "rhythm"},
		{"a day that is none", "create: \"1st business day\"", "create: \"first day\"", "recurrence", 8, "1st business day"},
		{"a period of another rhythm", "previous_month", "previous_quarter", "unknown_name", 8, "period"},
		{"carried forward, but not a field", "carry_forward: [accounts]", "carry_forward: [acounts]", "unknown_name", 8, "Did you mean \"accounts\"?"},
		{"a role with a reserved name", "counsel], staff", "submitter, counsel], staff", "reserved_name", 9, "meaning of its own"},
		{"a client role among staff", "[clerk, officer, partner]}\ncal", "[clerk, officer, partner, client_viewer]}\ncal", "reserved_name", 9, "client's side"},
		{"a model with a role", "[clerk, officer, partner]}\ncal", "[clerk, officer, partner, ai]}\ncal", "ai_acts", 9, "proposes"},
		{"a role that nobody names", "[clerk, officer, partner]}\ncal", "[clerk, officer, partner, intern]}\ncal", "unused", 9, "intern"},
		{"a zone that is none", "Europe/Dublin", "Europe/Dubin", "calendar", 10, "time zone"},
		{"hours that end before they begin", "09:00-17:30", "17:30-09:00", "calendar", 10, "when you work"},
		{"quiet hours that are none", "20:00-08:00", "20-08", "calendar", 10, "quiet"},
		{"a choice without options", "options: [small, large], ", "", "options", 12, "what can be chosen"},
		{"an option given twice", "[small, large]", "[small, small]", "duplicate_key", 12, "twice"},
		{"a default that cannot be", "default: 1", "default: one", "default", 15, "number"},
		{"a condition on a value that is no option", "{key: why, type: text, when: {field: urgent, is: true}}", "{key: why, type: text, when: {field: kind, is: huge}}", "condition", 17, "not among the options"},
		{"a condition that compares a yes or no with a text", "is: true}}", "is: maybe}}", "condition", 17, "true or false"},
		{"a condition that looks into what is no list", "{field: urgent, is: true}", "{field: kind, contains: small}", "condition", 17, "looks into a list"},
		{"a condition that equals a list", "{field: urgent, is: true}", "{field: tags, is: red}", "condition", 17, "contains"},
		{"a condition with two comparisons", "{field: urgent, is: true}", "{field: urgent, is: true, in: [true]}", "condition", 17, "exactly one"},
		{"conditions in a circle", "{key: urgent, type: bool}", "{key: urgent, type: bool, when: {field: why, is: x}}", "cyclic_condition", 16, "depends on itself"},
		{"required before what nothing asks", "{key: urgent, type: bool}", "{key: urgent, type: bool, required_before: later}", "never_asked", 16, "later"},
		{"a repeated item for what is no list", "for_each: accounts", "for_each: kind", "not_a_list", 25, "kind"},
		{"a check of a field that is not there", "for_each: accounts", "for_each: accounts, check: {period_covers: period_}", "unknown_name", 25, "period_"},
		{"a check that is not known", "for_each: accounts", "for_each: accounts, check: {covers: kind}", "unknown_name", 25, "period_covers"},
		{"a provider's role of the other side", "provider_role: officer", "provider_role: counsel", "wrong_side", 29, "other side"},
		{"a reviewer that is no role", "reviewer: clerk", "reviewer: clark", "unknown_name", 22, "Did you mean \"clerk\"?"},
		{"a template outside a dynamic section", "kind: file, files:", "kind: file, template: true, files:", "template", 24, "dynamic"},
		{"a rule for a date that is not known", "must_be: after_today", "must_be: after_tomorrow", "unknown_name", 24, "Use one of: after_today"},
		{"a quorum that cannot come together", "count: 2", "count: 3", "quorum", 32, "only 2 people"},
		{"a veto of nobody", "veto: [counsel]", "veto: [council]", "unknown_name", 32, "Did you mean \"counsel\"?"},
		{"a section that nobody can provide", "can: {provide: [papers]}", "can: {}", "never_provided", 19, "papers"},
		{"items of a kind that take no files", "kind: file, files:", "kind: long_text, files:", "files", 24, "takes no files"},
		{"an owner that is no role", "owner: officer, can", "owner: offices, can", "unknown_name", 39, "Did you mean \"officer\"?"},
		{"nobody's turn before the end", "category: open, turn: staff, owner: officer", "category: open, turn: nobody, owner: officer", "wrong_turn", 39, "no end"},
		{"somebody's turn after the end", "outcome: success, turn: nobody", "outcome: success, turn: staff", "wrong_turn", 42, "turn: nobody"},
		{"the client's turn where the client sees nothing", "client_visible: false, category: open, turn: staff", "client_visible: false, category: open, turn: client", "wrong_turn", 34, "does not see"},
		{"an outcome before the end", "category: blocked, turn", "category: blocked, outcome: success, turn", "outcome", 41, "no end"},
		{"an outcome that is not known", "outcome: void, turn", "outcome: lost, turn", "unknown_name", 43, "outcome"},
		{"a terminal state that is no end", "category: blocked, turn", "category: blocked, terminal: true, turn", "terminal", 41, "no end"},
		{"items added to a list that does not grow", "can: {review: [plan]}", "can: {review: [plan], add: [plan]}", "not_dynamic", 38, "dynamic"},
		{"a review without a reviewer", "    reviewer: clerk\n", "", "no_reviewer", 35, "by whom"},
		{"a limit that is none", "sla: {business_days: 5,", "sla: {business_days: 0,", "out_of_range", 35, "less than 1"},
		{"a state restricted to clients", "restricted_to: [officer, partner]", "restricted_to: [officer, counsel]", "wrong_side", 37, "counsel"},
		{"a step without a label", "label: Invite, ", "", "label", 45, "button"},
		{"a step with an empty guard", "{fields_complete: send}]", "{items: {sections: [], status_in: [provided]}}]", "empty_guard", 46, "sections"},
		{"a guard that asks for two things", "{no_veto_open: counsel}", "{no_veto_open: counsel, not_same_person_as: send}", "one_thing", 52, "exactly one"},
		{"an effect that does two things", "{retry_jobs: dead}", "{retry_jobs: dead, increment: round}", "one_thing", 55, "exactly one"},
		{"rounds without fields to count", "{no_veto_open: counsel}", "{rounds_left: true}", "rounds", 52, "rounds_included"},
		{"a veto guard for somebody without a veto", "{no_veto_open: counsel}", "{no_veto_open: client_admin}", "no_veto", 52, "veto"},
		{"counting what is no number", "{increment: round}", "{increment: kind}", "not_a_number", 51, "number"},
		{"handing over what carries no file", "{retry_jobs: dead}", "{publish_file: papers}", "no_file", 55, "carries a file"},
		{"a clock that is not known", "{retry_jobs: dead}", "{start_clock: clients}", "unknown_name", 55, "Did you mean \"client\"?"},
		{"a system that is to write a note", "by: [system], guard: [{jobs", "by: [system], requires: [internal_note], guard: [{jobs", "system_cannot", 53, "internal_note"},
		{"a step after no time", "by: [partner], requires: [internal_note]}\nreminders", "by: [partner], after: {days_in_state: 0}}\nreminders", "out_of_range", 57, "less than 1"},
		{"a reminder without a bound", "stop_when: [state_left], max: 3", "stop_when: [state_left]", "reminder", 59, "max"},
		{"a reminder for a reason that is not known", "stop_when: [state_left]", "stop_when: [state_gone]", "unknown_name", 59, "state_gone"},
		{"a reminder at no time", "business_days_after_entry: [2]", "business_days_after_start: [2]", "schedule", 59, "not a word for when"},
		{"a reminder after the end", "when_state: [ask, vote]", "when_state: [ask, vote, done]", "reminder_in_end", 59, "end"},
		{"a reminder for somebody who is not known", "to: client_admin, stop_when", "to: everybody, stop_when", "unknown_name", 59, "recipient"},
		{"a notification of a state that is not there", "event: request.send", "event: request.entered.asked", "unknown_name", 61, "state"},
		{"a notification of a fact that is not known", "event: request.send", "event: item.lost", "unknown_name", 61, "event"},
		{"a notification by a way that is not known", "channel: email", "channel: pigeon", "unknown_name", 61, "channel"},
		{"a notification with a placeholder that nothing fills", "{request}/{entry}", "{request}/{entri}", "unknown_placeholder", 61, "Did you mean \"entry\"?"},
		{"a job that waits for itself", "{job: crm.tell, system: crm,", "{job: crm.tell, depends_on: ledger.book, system: crm,", "cyclic_jobs", 63, "waits for itself"},
		{"a job with one key for all", "t/{request}/{revision}", "t/{revision}", "idempotency", 63, "every request"},
		{"a job with a time that is none", "30s..6h", "30..6h", "duration", 63, "30s..6h"},
		{"a job whose end nothing follows", "depends_on: crm.tell, idempotency_key: \"b/{request}/{revision}\", on_dead: failed", "depends_on: crm.tell, idempotency_key: \"b/{request}/{revision}\", on_dead: retry", "on_dead", 64, "add system"},
		{"a model that acts", "suggests: [date]", "suggests: [accept_item]", "ai_acts", 66, "never does"},
		{"a model that nobody confirms", ", confirm_by: clerk", "", "ai_acts", 66, "without a person"},
		{"a target for a state that is not there", "targets: {ask: 5bd", "targets: {asked: 5bd", "unknown_name", 67, "Did you mean \"ask\"?"},
		{"a target that is no time", "ask: 5bd", "ask: 5 days", "target", 67, "5bd"},
		{"a hidden state entered where the client can act", "from: [look], to: hold", "from: [look, ask], to: hold", "tipping_off", 48, "would notice"},
		{"a hidden state with another label", "category: review, turn: staff, owner: officer, rest", "category: review, turn: staff, owner: officer, client_label_: x, rest", "unknown_key", 37, "client_label"},
		{"a hidden state with other words for the client", "label: Hold, client_label: We look", "label: Hold, client_label: On hold", "tipping_off", 48, "same client_label"},
		{"a hidden state that the client is told of", "event: request.send, to: clerk", "event: request.raise, to: client_admin", "tipping_off", 61, "must not learn"},
		{"a hidden state with a word to the client", "by: [clerk, officer], requires: [internal_note]", "by: [clerk, officer], requires: [client_comment]", "tipping_off", 48, "no trace"},
		{"a hidden state that asks for papers", "tipping_off_safe: true}", "tipping_off_safe: true, can: {provide: [papers]}}", "tipping_off", 37, "must not notice"},
		{"a step by the client out of a hidden state", "by: [officer, partner], requires", "by: [officer, counsel], requires", "tipping_off", 49, "cannot be the client's"},
		{"a state that guards cut off", "{any_item: {sections: [papers], status_in: [rejected]}}", "{any_item: {sections: [plan], status_in: [rejected]}}", "never_happens", 47, "back needs an item"},
		{"the client cannot send what was sent back", "can: {provide: [papers]}}", "can: {provide: [papers], only_status: [missing]}}", "wrong_turn", 35, "client cannot move"},
		{"papers that nobody can accept", "can: {review: [papers], provide: [plan]}", "can: {provide: [plan]}", "never_happens", 47, "provided"},
		{"the other side's turn", "turn: client, owner: client_admin, sla", "turn: system, owner: client_admin, sla", "wrong_turn", 35, "no automatic step"},
		{"success with something missing", "guard: [{items: {sections: [plan], required: true, status_in: [provided, accepted, waived]}}, {items: {sections: [papers], required: true, status_in: [accepted, waived]}}]", "guard: [{items: {sections: [plan], required: true, status_in: [provided, accepted, waived]}}]", "success_with_gap", 53, "papers"},
		{"success with something sent back", "{items: {sections: [plan], required: true, status_in: [accepted, waived]}}, {no_veto_open: counsel}", "{no_veto_open: counsel}", "success_with_gap", 53, "plan"},
		{"a job that nobody started", "effects: [{job: crm.tell}, {job: ledger.book}]", "effects: [{job: crm.tell}]", "job_not_started", 53, "ledger.book"},
		{"a child without its parent", "effects: [{job: crm.tell}, {job: ledger.book}]", "effects: [{job: ledger.book}]", "job_not_started", 53, "crm.tell"},
		{"no way on when a job is dead", "{any_job: {names: [crm.tell, ledger.book], status: dead}}", "{any_job: {names: [crm.tell], status: dead}}", "dead_job", 40, "ledger.book"},
		{"an item that nobody can put right", "only_status: [rejected]}}", "only_status: [missing]}}", "item_stuck", 39, "plan"},
		{"a step that the portal forestalls", "to: run, by: [clerk], effects", "to: run, by: [clerk, system], effects", "forestalled", 56, "by_hand"},
		{"steps in a circle", "guard: [{any_job: {names: [crm.tell, ledger.book], status: dead}}]}\n", "guard: [{any_job: {names: [crm.tell, ledger.book], status: dead}}]}\n  - {key: spin, label: Spin, from: [stuck], to: run, by: [system]}\n", "circle", 54, "follow each other"},
		{"shut out of a restricted state", "by: [officer, partner], requires: [internal_note], guard: [{not_same_person_as: raise}]", "by: [clerk], requires: [internal_note], guard: [{not_same_person_as: raise}]", "never_happens", 49, "officer, partner only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(flow, c.old) {
				t.Fatalf("flow does not hold %q", c.old)
			}
			_, findings := CheckSource([]byte(strings.Replace(flow, c.old, c.new, 1)))
			found := slices.ContainsFunc(findings, func(f Finding) bool {
				return f.Code == c.code && f.Line == c.line && strings.Contains(f.Message, c.says) && f.Column > 0
			})
			if !found {
				t.Errorf("want %s in line %d saying %q, got %s", c.code, c.line, c.says, lines(findings))
			}
		})
	}
}

// The path that shows a fault is the shortest, in words and step by step.
func TestCheck_showsThePath(t *testing.T) {
	broken := strings.Replace(flow, "can: {provide: [papers]}}", "can: {provide: [papers], only_status: [missing]}}", 1)
	_, findings := CheckSource([]byte(broken))
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Code == "wrong_turn" })
	if i < 0 {
		t.Fatal(lines(findings))
	}
	f := findings[i]
	const path = "Path: draft –invite→ ask (an item of papers provided) –send→ look (an item of papers rejected) –back→ ask. There send needs every item of papers to be "
	if !strings.Contains(f.Message, path) {
		t.Error(f.Message)
	}
	want := []TraceStep{
		{State: "draft", Step: "invite", By: "clerk"},
		{State: "ask", By: "the client", Note: "an item of papers provided"},
		{State: "ask", Step: "send", By: "client_admin, client_member"},
		{State: "look", By: "clerk", Note: "an item of papers rejected"},
		{State: "look", Step: "back", By: "clerk"},
		{State: "ask"},
	}
	if !slices.Equal(f.Trace, want) {
		t.Errorf("%+v", f.Trace)
	}
	encoded, err := json.Marshal(f)
	if err != nil || !strings.Contains(string(encoded), `"trace":[{"state":"draft","step":"invite","by":"clerk"}`) {
		t.Errorf("%s %v", encoded, err)
	}
}

// With two people to each role, three steps that no two may do alike are one
// too many for a single role.
func TestCheck_fourEyesRunOut(t *testing.T) {
	source, err := os.ReadFile("testdata/sound/four_eyes_chain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("by: [clerk, cashier]", "by: [clerk]", "by: [cashier, clerk]", "by: [clerk]", "to: paid, by: [director]", "to: paid, by: [clerk]").Replace(string(source))
	def, findings := CheckSource([]byte(text))
	if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Level == "error" && f.Code == "four_eyes" && f.Line == 19 }) {
		t.Error(lines(findings))
	}
	if bad, _ := judge(def); !slices.Contains(bad, "never pay") {
		t.Errorf("the second walker finds: %s", joined(bad))
	}
	for _, by := range []string{"[clerk, cashier]", "[director]"} {
		_, findings := CheckSource([]byte(strings.Replace(text, "to: paid, by: [clerk]", "to: paid, by: "+by, 1)))
		if slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == "four_eyes" }) {
			t.Error(by, lines(findings))
		}
	}
}

// Where nobody took the step that a four-eyes guard names, the people who
// decided on the items are meant: both of a role may have.
func TestCheck_fourEyesOfReviewers(t *testing.T) {
	const source = `schema: gatehouse/workflow/v1
key: reviewers
version: 1
title: Reviewers
subject: {collection: organizations}
initial: look
roles: {client: [], staff: [clerk, writer]}
fields: []
sections:
  - {key: papers, title: Papers, provider: staff, provider_role: writer, reviewer: clerk, items: [{key: a, title: A, kind: file}, {key: b, title: B, kind: file}]}
states:
  - {key: look, label: Look, client_label: null, client_visible: false, category: review, turn: staff, owner: clerk, can: {provide: [papers], review: [papers]}}
  - {key: looked, label: Looked, client_label: null, client_visible: false, category: review, turn: staff, owner: clerk}
  - {key: done, label: Done, client_label: null, client_visible: false, category: done, turn: nobody}
transitions:
  - {key: begin, label: Begin, from: [looked], to: look, by: [writer]}
  - {key: go, label: Go, from: [look], to: looked, by: [writer], guard: [{items: {sections: [papers], required: true, status_in: [accepted]}}]}
  - {key: end, label: End, from: [looked], to: done, by: [clerk], guard: [{not_same_person_as: begin}]}
`
	if _, findings := CheckSource([]byte(source)); hasErrors(findings) {
		t.Error(lines(findings)) // the writer can begin again
	}
	stuck := strings.Replace(source, "  - {key: begin, label: Begin, from: [looked], to: look, by: [writer]}\n", "  - {key: begin, label: Begin, from: [look], to: done, by: [writer]}\n", 1)
	_, findings := CheckSource([]byte(stuck))
	if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == "four_eyes" && f.Line == 13 }) {
		t.Error(lines(findings))
	}
}

// Every code that the checker gives is in the table, and every one in the table
// can be given.
func TestCheck_codesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, c := range FindingCodes() {
		if documented[c.Code] || c.Means == "" {
			t.Errorf("%s is there twice or without words", c.Code)
		}
		documented[c.Code] = true
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	call := regexp.MustCompile(`(?:fault|warn|told)\([^"\n]*(?:"[^"]*"[^"\n]*)*?, "([a-z_]+)", |code(?:, what)? (?::?=|=) "([a-z_]+)"|, code = [^\n]*?, "([a-z_]+)"|"([a-z_]+)", fmt\.Sprintf|Code: "([a-z_]+)"`)
	for _, file := range files {
		if name := file.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && (strings.HasPrefix(name, "check") || strings.HasPrefix(name, "explore") || name == "parse.go" || name == "fit.go" || name == "compiled.go" || name == "publish.go") {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllStringSubmatch(string(source), -1) {
				used[firstOf(m[1:]...)] = true
			}
			for code := range documented {
				if strings.Contains(string(source), fmt.Sprintf("%q", code)) && name != "check_codes.go" {
					used[code] = true
				}
			}
		}
	}
	for code := range used {
		if !documented[code] {
			t.Errorf("%s is not in the table of codes", code)
		}
	}
	for code := range documented {
		if !used[code] {
			t.Errorf("nothing gives %s", code)
		}
	}
}

// Definitions that try to use up the checker end soon, with an answer.
func TestCheck_boundsItsWork(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"many sections that all matter to the end": hostile(40, 3, false),
		"many states and steps between all":        hostile(3, 60, true),
		"both":                                     hostile(30, 40, true),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def, findings := CheckSource([]byte(source))
			if def == nil {
				t.Fatal(lines(findings))
			}
			if len(findings) > 2000 {
				t.Errorf("%d findings", len(findings))
			}
		})
	}
}

// hostile has sections with rights of their own in every state and, on request,
// steps from every state to every other.
func hostile(sections, states int, dense bool) string {
	var b strings.Builder
	b.WriteString("schema: gatehouse/workflow/v1\nkey: hostile\nversion: 1\ntitle: Hostile\nsubject: {collection: organizations}\ninitial: s0\nroles: {client: [client_admin], staff: [clerk]}\nfields: []\nsections:\n")
	var names []string
	for n := range sections {
		fmt.Fprintf(&b, "  - {key: part%d, title: Part, provider: staff, reviewer: clerk, items: [{key: a%d, title: A, kind: file}, {key: b%d, title: B, kind: file}, {key: c%d, title: C, kind: file}]}\n", n, n, n, n)
		names = append(names, fmt.Sprintf("part%d", n))
	}
	b.WriteString("states:\n")
	for s := range states {
		var may []string
		for n := range names {
			if (n*7+s*3)%5 < 3 {
				may = append(may, names[n])
			}
		}
		fmt.Fprintf(&b, "  - {key: s%d, label: S, client_label: S, category: open, turn: staff, owner: clerk, can: {provide: [%s], review: [%s]}}\n", s, strings.Join(names, ", "), strings.Join(may, ", "))
	}
	b.WriteString("  - {key: done, label: Done, client_label: Done, category: done, outcome: success, turn: nobody}\ntransitions:\n")
	for s := range states {
		for to := range states {
			if s != to && (dense || to == s+1) {
				fmt.Fprintf(&b, "  - {key: t%d_%d, label: T, from: [s%d], to: s%d, by: [clerk]}\n", s, to, s, to)
			}
		}
		fmt.Fprintf(&b, "  - {key: end%d, label: End, from: [s%d], to: done, by: [clerk], guard: [{items: {sections: [%s], required: true, status_in: [accepted, waived]}}]}\n", s, s, strings.Join(names, ", "))
	}
	return b.String()
}
