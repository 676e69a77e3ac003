package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyGuard is a workflow of 60 items with a step that has every kind of guard
// and two expressions; %s stands for the items.
const everyGuard = `schema: gatehouse/workflow/v1
key: every_guard
version: 1
title: Every guard
subject: {collection: organizations}
initial: draft
roles: {client: [client_admin], staff: [handler, partner]}
calendar: {timezone: Europe/London, hours: "mon-fri 09:00-17:30", holidays: gb-eng}
fields:
  - {key: name, type: text, required_before: finish}
  - {key: people, type: number}
  - {key: size, type: choice, options: [small, large]}
  - {key: services, type: multi_choice, options: [vat, payroll]}
  - {key: round_no, type: number}
  - {key: rounds_included, type: number}
sections:
  - key: papers
    title: Papers
    provider: staff
    reviewer: handler
    items:
%s
states:
  - {key: draft, label: Draft, client_label: Draft, category: open, turn: staff, owner: handler, can: {provide: [papers], review: [papers]}}
  - {key: told, label: Told, client_label: Told, category: review, turn: staff, owner: handler, can: {provide: [papers], review: [papers]}}
  - {key: done, label: Done, client_label: Done, category: done, turn: nobody, terminal: true}
transitions:
  - {key: tell, label: Tell, from: [draft], to: told, by: [handler, partner], effects: [{job: crm.tell}]}
  - {key: back, label: Back, from: [told], to: draft, by: [handler, partner]}
  - {key: finish, label: Finish, from: [draft, told], to: done, by: [handler, partner], requires: [internal_note]}
  - key: everything
    label: Everything
    from: [told]
    to: done
    by: [handler, partner]
    after: {days_in_state: 1}
    guard:
      - {items: {sections: [papers], required: true, status_in: [accepted, waived]}}
      - {any_item: {sections: [papers], status_in: [accepted]}}
      - {jobs: {names: [crm.tell], status: done}}
      - {not_same_person_as: tell}
      - {fields_complete: finish}
      - {rounds_left: true}
      - {no_legal_hold: true}
      - {no_veto_open: client_admin}
      - {field: size, is: large}
      - {field: services, contains: vat}
      - 'data.people > 2 and items.item_7 == "accepted" and sections.papers.rejected == 0 and given.name'
      - {expr: 'time.business and request.business_days_in_state >= 3 and any(data.services, # == "vat")', message: Not now.}
integrations:
  - {job: crm.tell, system: crm, idempotency_key: "{request}:{entry}"}
`

// manyItems is a request of everyGuard for which everything may be done.
func manyItems(b *testing.B) (*Compiled, *Facts) {
	b.Helper()
	var items strings.Builder
	for n := range 60 {
		review := ""
		if n == 0 {
			review = ", review: {veto: [client_admin]}"
		}
		fmt.Fprintf(&items, "      - {key: item_%d, title: Item %d, kind: file%s}\n", n, n, review)
	}
	def, findings := CheckSource(fmt.Appendf(nil, everyGuard, items.String()))
	if def == nil || hasErrors(findings) {
		b.Fatal(lines(findings))
	}
	f := factsIn(def, "told", map[string]any{"name": "Ann", "people": 3.0, "size": "large", "services": []any{"vat"}, "round_no": 0.0, "rounds_included": 2.0})
	f.StateSince = morning.AddDate(0, 0, -7)
	f.Jobs["crm.tell"] = JobState{Name: "crm.tell", Status: "done"}
	for _, i := range f.Items {
		i.Status, i.Reviewer = Accepted, "ruth"
	}
	for n := range 20 {
		f.Steps = append(f.Steps, Step{Key: "tell", From: "draft", To: "told", Actor: "ruth", At: morning.Add(time.Duration(n) * time.Minute)})
	}
	return def, f
}

// BenchmarkDecide_everyGuard asks for one step with every kind of guard, of which
// two are expressions, on a request of 60 items and 20 steps.
func BenchmarkDecide_everyGuard(b *testing.B) {
	def, f := manyItems(b)
	if v := def.Decide(f, "everything", sam, &Input{}); !v.Allowed {
		b.Fatalf("%+v", v.Blockers)
	}
	b.ReportAllocs()
	for b.Loop() {
		def.Decide(f, "everything", sam, &Input{})
	}
}

// BenchmarkParse_largestShipped reads and compiles the largest shipped definition.
func BenchmarkParse_largestShipped(b *testing.B) {
	source, err := LibraryFile("accounting-monthly-close.yaml")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if def, findings := Parse(source); def == nil || slices.ContainsFunc(findings, func(f Finding) bool { return f.Level == "error" }) {
			b.Fatal(lines(findings))
		}
	}
}
