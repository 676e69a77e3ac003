package workflow

import (
	"strings"
	"testing"
)

// What an item rests on is what its definition reads of another one: by its
// status, by the counts of its section, by the field that it fills.
func TestRestsOn(t *testing.T) {
	const items = `    items:
      - {key: source, title: Source, kind: form, form: f, fills: owners, retention: client_file}
      - {key: other, title: Other, kind: long_text, retention: client_file}
      - {key: it, title: It, kind: long_text, retention: client_file, %}`
	for reads, want := range map[string]string{
		`when: "items.source == 'accepted'"`:               "source",
		`skip_if: "items.other == 'waived'"`:               "other",
		`when: "sections.papers.accepted > 0"`:             "source other",
		`when: "len(data.owners) > 1"`:                     "source",
		`when: "given.owners && items.other != 'missing'"`: "source other",
		`when: {field: owners, contains: Ann}`:             "source",
		`when: {field: size, is: large}`:                   "",
		`for_each: owners`:                                 "source",
		`required: false`:                                  "",
	} {
		source := strings.Replace(restsFlow, "#items", strings.Replace(items, "%", reads, 1), 1)
		def, findings := CheckSource([]byte(source))
		if def == nil {
			t.Fatal(lines(findings))
		}
		for _, f := range findings {
			if strings.Contains(f.Path, "sections") && f.Level == "error" {
				t.Errorf("%s: %s", reads, f.Message)
			}
		}
		item := func(key string) *Item { return &Item{Section: "papers", Key: key} }
		var rests []string
		for _, key := range []string{"source", "other"} {
			if def.restsOn(item("it"), item(key)) {
				rests = append(rests, key)
			}
		}
		if got := strings.Join(rests, " "); got != want {
			t.Errorf("%s rests on %q, want %q", reads, got, want)
		}
	}
}

const restsFlow = `schema: gatehouse/workflow/v1
key: rests
version: 1
title: Rests
subject: {collection: organizations}
numbering: "RES-{yyyy}-{seq:4}"
initial: asked
roles: {client: [client_admin], staff: [handler]}
calendar: {timezone: firm, hours: "mon-fri 09:00-17:00", holidays: firm}
fields:
  - {key: owners, label: Owners, type: list, owner: portal}
  - {key: size, label: Size, type: choice, options: [small, large], owner: portal}
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
#items
states:
  - {key: asked, label: Asked, client_label: Your turn, category: waiting, turn: client, owner: client_admin, can: {provide: [papers]}}
  - {key: finished, label: Finished, client_label: Finished, category: done, outcome: success, turn: nobody, owner: handler, terminal: true, can: {}}
transitions:
  - {key: give, label: Give, from: [asked], to: finished, by: [client_admin]}
reminders: []
notifications: []
integrations: []
ai: []
reports: {targets: {end_to_end: 12bd}, split_clock: [client, firm, system]}
`
