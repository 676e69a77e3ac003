package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyGuard is a step with every kind of guard and two expressions.
const everyGuard = `
  - key: everything
    label: Everything
    from: [draft]
    to: done
    by: [handler]
    after: {days_in_state: 1}
    guard:
      - {items: {sections: [papers], required: true, status_in: [accepted, waived]}}
      - {any_item: {sections: [papers], status_in: [accepted]}}
      - {jobs: {names: [crm.tell], status: done}}
      - {any_job: {names: [crm.tell], status: done}}
      - {not_same_person_as: finish}
      - {fields_complete: finish}
      - {rounds_left: true}
      - {no_legal_hold: true}
      - {no_veto_open: client_admin}
      - {field: size, is: large}
      - {field: services, contains: vat}
      - 'data.people > 2 and items.item_7 == "accepted" and sections.papers.rejected == 0 and given.name'
      - {expr: 'time.business and request.business_days_in_state >= 3 and any(data.services, # == "vat")', message: Not now.}
integrations:
  - {job: crm.tell, system: crm, idempotency_key: "x"}
`

// manyItems is a request of 60 items for which everything may be done.
func manyItems(b *testing.B) (*Compiled, *Facts) {
	b.Helper()
	var items strings.Builder
	for n := range 60 {
		fmt.Fprintf(&items, "      - {key: item_%d, title: Item %d, kind: file}\n", n, n)
	}
	source := strings.Replace(asked, "      - {key: proof, title: Proof, kind: file}\n      - {key: extra, title: Extra, kind: file, required: false}\n", items.String(), 1)
	source = strings.Replace(source, "{key: name, type: text}", "{key: name, type: text, required_before: finish}\n  - {key: round_no, type: number}\n  - {key: rounds_included, type: number}", 1)
	def, findings := CheckSource([]byte(strings.TrimSuffix(source, "\n") + everyGuard))
	if def == nil || hasErrors(findings) {
		b.Fatal(lines(findings))
	}
	f := factsIn(def, "draft", askedFacts().Data)
	f.Data["rounds_included"], f.StateSince = 2.0, morning.AddDate(0, 0, -7)
	f.Jobs["crm.tell"] = JobState{Name: "crm.tell", Status: "done"}
	for _, i := range f.Items {
		i.Status, i.Reviewer = Accepted, "ruth"
	}
	for n := range 20 {
		f.Steps = append(f.Steps, Step{Key: "finish", From: "draft", To: "done", Actor: "ruth", At: morning.Add(time.Duration(n) * time.Minute)})
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
