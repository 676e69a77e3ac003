package workflow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Definitions of very different shapes, all of them sound: the checker refuses
// none, and the second walker finds nothing in them either.
func TestCheck_soundDefinitions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/sound/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d sound definitions, %v", len(files), err)
	}
	sources := map[string][]byte{"40 states and 60 items": large()}
	for _, file := range files {
		if sources[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def, findings := CheckSource(source)
			if def == nil || hasErrors(findings) {
				t.Fatal(lines(findings))
			}
			if bad, _ := judge(def); len(bad) > 0 {
				t.Errorf("the second walker finds: %s", joined(bad))
			}
		})
	}
}

// large is a definition of 40 states and 60 items: twelve stages, each with its
// own section that is asked for, looked at and mended, one after the other, and
// a look back over all of them at the end.
func large() []byte {
	const stages = 12
	var sections, states, steps, all strings.Builder
	for n := range stages {
		fmt.Fprintf(&sections, "  - key: part%d\n    title: Part %d\n    provider: client\n    reviewer: clerk\n    items:\n", n, n)
		for i := range 5 {
			fmt.Fprintf(&sections, "      - {key: paper%d_%d, title: Paper, kind: file, required: %t}\n", n, i, i < 4)
		}
		fmt.Fprintf(&states, `  - {key: ask%[1]d, label: Ask, client_label: Please send, category: waiting, turn: client, owner: client_admin, can: {provide: [part%[1]d]}}
  - {key: look%[1]d, label: Look, client_label: We look, category: review, turn: staff, owner: clerk, can: {review: [part%[1]d]}}
  - {key: mend%[1]d, label: Mend, client_label: Please mend, category: waiting, turn: client, owner: client_admin, can: {provide: [part%[1]d], only_status: [missing, rejected]}}
`, n)
		next := fmt.Sprintf("ask%d", n+1)
		if n == stages-1 {
			next = "sum_up"
		}
		fmt.Fprintf(&steps, `  - {key: send%[1]d, label: Send, from: [ask%[1]d, mend%[1]d], to: look%[1]d, by: [client_admin], guard: [{items: {sections: [part%[1]d], required: true, status_in: [provided, accepted, waived]}}]}
  - {key: back%[1]d, label: Back, from: [look%[1]d], to: mend%[1]d, by: [clerk], guard: [{any_item: {sections: [part%[1]d], status_in: [rejected]}}]}
  - {key: good%[1]d, label: Good, from: [look%[1]d], to: %[2]s, by: [clerk], guard: [{items: {sections: [part%[1]d], required: true, status_in: [accepted, waived]}}]}
`, n, next)
		fmt.Fprintf(&all, "part%d, ", n)
	}
	return fmt.Appendf(nil, `schema: gatehouse/workflow/v1
key: large
version: 1
title: Large
subject: {collection: organizations}
initial: ask0
roles: {client: [client_admin], staff: [clerk, partner]}
fields: []
sections:
%sstates:
%s  - {key: sum_up, label: Sum up, client_label: We sum up, category: review, turn: staff, owner: partner}
  - {key: done, label: Done, client_label: Done, category: done, outcome: success, turn: nobody}
  - {key: dropped, label: Dropped, client_label: Closed, category: done, outcome: void, turn: nobody}
  - {key: stored, label: Stored, client_label: Stored, category: done, turn: nobody, terminal: true}
transitions:
%s  - {key: finish, label: Finish, from: [sum_up], to: done, by: [partner], guard: [{items: {sections: [%s], required: true, status_in: [accepted, waived]}}]}
  - {key: redo, label: Redo, from: [sum_up, done], to: mend0, by: [partner], requires: [internal_note], effects: [{set_items: {chosen: rejected, section: part0}}]}
  - {key: drop, label: Drop, from: [ask0, ask3, look7, sum_up], to: dropped, by: [partner], requires: [client_comment]}
  - {key: store, label: Store, from: [done, dropped], to: stored, by: [system], after: {days_in_state: 30}}
`, sections.String(), states.String(), steps.String(), strings.TrimSuffix(all.String(), ", "))
}

func BenchmarkCheck_40states60items(b *testing.B) { benchmarkCheck(b, large()) }

func BenchmarkCheck_shipped(b *testing.B) {
	for _, name := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
		b.Run(name, func(b *testing.B) { benchmarkCheck(b, libraryFile(b, name)) })
	}
}

func benchmarkCheck(b *testing.B, source []byte) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if def, findings := CheckSource(source); def == nil || hasErrors(findings) {
			b.Fatal(lines(findings))
		}
	}
}
