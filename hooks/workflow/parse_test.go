package workflow

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sample is a sound definition; the cases break one thing each.
const sample = `schema: gatehouse/workflow/v1
key: sample
version: 1
title: Sample
subject: {collection: organizations}
initial: draft
roles: {client: [client_admin], staff: [handler]}
fields:
  - {key: size, type: choice, options: [small, large], required_before: submit}
  - {key: owners, type: people_list}
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items:
      - {key: proof, title: Proof, kind: file, files: {min: 1, max: 2}}
      - {key: deed, title: Deed, kind: file, when: {field: size, is: large}}
states:
  - {key: draft, label: Draft, client_label: null, category: open, turn: staff, owner: handler, client_visible: false}
  - {key: collecting, label: Collecting, client_label: Please send, category: waiting, turn: client, owner: client_admin, can: {provide: [papers]}}
  - {key: done, label: Done, client_label: All done, category: done, turn: nobody, terminal: true}
transitions:
  - {key: send, label: Send, from: [draft], to: collecting, by: [handler]}
  - {key: submit, label: Submit, from: [collecting], to: done, by: [client_admin], guard: [{items: {sections: [papers], required: true, status_in: [provided]}}, {fields_complete: submit}], effects: [{job: crm.tell}]}
reminders:
  - {key: nudge, when_state: [collecting], schedule: {business_days_after_entry: [2]}, to: client_admin, stop_when: [state_left], max: 3}
notifications:
  - {event: request.send, to: client_admin, channel: email, timing: now, dedupe: "{request}", why: "You are asked."}
integrations:
  - {job: crm.tell, system: crm, idempotency_key: "sample/{request}"}
`

func TestCheck_sampleIsSound(t *testing.T) {
	if def, findings := CheckSource([]byte(sample)); def == nil || len(findings) > 0 {
		t.Fatalf("%+v", findings)
	}
}

func TestCheck_shippedDefinitionsAreSound(t *testing.T) {
	files, err := library.ReadDir("library")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, f := range files {
		source, err := LibraryFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(source, []byte("schema: ")) {
			continue // forms and texts
		}
		read++
		if def, findings := CheckSource(source); def == nil || hasErrors(findings) {
			t.Errorf("%s: %+v", f.Name(), findings)
		}
	}
	if read < 4 {
		t.Fatalf("only %d definitions in the library", read)
	}
}

func TestCheck_brokenDefinitions(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string
		code     string
		line     int
		says     string
	}{
		// form
		{"an unknown key names the nearest one", "initial: draft", "initail: draft", "unknown_key", 6, `Did you mean "initial"?`},
		{"an unknown key of a state", "turn: nobody, terminal", "turn: nobody, terminall", "unknown_key", 22, `Did you mean "terminal"?`},
		{"an unknown key of an item, deep inside", "files: {min: 1, max: 2}", "files: {min: 1, maxx: 2}", "unknown_key", 17, `Did you mean "max"?`},
		{"an unknown key of a condition", "when: {field: size, is: large}", "when: {feild: size, is: large}", "unknown_key", 18, `Did you mean "field"?`},
		{"an unknown key of a guard", "{fields_complete: submit}", "{field_complete: submit}", "unknown_key", 25, `Did you mean "fields_complete"?`},
		{"an unknown key without a near one", "title: Sample", "zzzzzzzz: Sample", "unknown_key", 4, `"zzzzzzzz" is not known here.`},
		{"a key given twice", "title: Sample", "title: Sample\ntitle: Other", "duplicate_key", 5, `"title" is given twice`},
		{"a key given twice in one line", "{key: send, label: Send,", "{key: send, label: Send, label: Sent,", "duplicate_key", 24, `"label"`},
		{"an alias", "initial: draft", "initial: &x draft\nnote: *x", "alias", 7, "Aliases"},
		{"a merge", "roles: {client: [client_admin], staff: [handler]}", "roles: {<<: {client: [client_admin]}, staff: [handler]}", "bad_key", 7, "plain word"},
		{"a hidden character", "label: Send,", "label: \"Se\u200bnd\",", "hidden_character", 24, "cannot be seen"},
		{"a text that runs backwards", "title: Papers", "title: \"Pap\u202eers\"", "hidden_character", 13, "cannot be seen"},
		{"a number that is none", "version: 1", "version: .nan", "wrong_type", 3, "number"},
		{"a list where a text belongs", "title: Sample", "title: [Sample]", "wrong_type", 4, "text is expected"},
		{"no mapping at all", sample, "- one\n- two\n", "not_a_definition", 1, "mapping"},
		{"the next version of the language", "schema: gatehouse/workflow/v1", "schema: gatehouse/workflow/v2", "schema", 1, Schema},
		{"no YAML", "states:", "states: [", "not_yaml", 20, "not YAML"},
		{"tabs as indentation", "    title: Papers", "\ttitle: Papers", "not_yaml", 13, "spaces, not with tabs"},

		// head
		{"another language", "gatehouse/workflow/v1", "gatehouse/workflow/v9", "schema", 1, Schema},
		{"a key with capitals", "key: sample", "key: Sample", "bad_key", 2, "small letters"},
		{"version zero", "version: 1", "version: 0", "out_of_range", 3, "less than 1"},
		{"no title", "title: Sample", "title: ' '", "title", 4, "title"},
		{"an initial state that is not there", "initial: draft", "initial: drift", "unknown_name", 6, `Did you mean "draft"?`},

		// names
		{"a type of field that is not known", "type: people_list", "type: peoples_list", "unknown_name", 10, `Did you mean "people_list"?`},
		{"two fields of one name", "key: owners", "key: size", "duplicate_key", 10, "twice"},
		{"a field with a blank in its name", "key: owners", "key: the owners", "bad_key", 10, "small letters"},
		{"two items of one name", "key: deed", "key: proof", "duplicate_key", 18, "twice"},
		{"a kind that is not known", "title: Deed, kind: file", "title: Deed, kind: flie", "unknown_name", 18, `Did you mean "file"?`},
		{"a condition on what is not a field", "field: size, is", "field: sise, is", "unknown_name", 18, "not a field"},
		{"more files needed than allowed", "{min: 1, max: 2}", "{min: 3, max: 2}", "files", 17, "More files"},
		{"a provider that is neither side", "provider: client", "provider: clients", "unknown_name", 14, `Did you mean "client"?`},
		{"two states of one name", "{key: collecting, label: Collecting", "{key: draft, label: Collecting", "duplicate_key", 21, "twice"},
		{"a category that is not known", "category: waiting", "category: wating", "unknown_name", 21, `Did you mean "waiting"?`},
		{"a turn that is not known", "turn: nobody", "turn: noone", "unknown_name", 22, "turn"},
		{"rights on a section that is not there", "can: {provide: [papers]}", "can: {provide: [paper]}", "unknown_name", 21, `Did you mean "papers"?`},
		{"rights by a status that is not known", "can: {provide: [papers]}", "can: {provide: [papers], only_status: [reject]}", "unknown_name", 21, "status"},
		{"a visible state without words for the client", "client_label: Please send, ", "", "client_label", 21, "client_label"},
		{"two steps of one name", "{key: submit, label: Submit", "{key: send, label: Submit", "duplicate_key", 25, "twice"},
		{"a step from nowhere", "from: [collecting], to: done", "from: [collectin], to: done", "unknown_name", 25, `Did you mean "collecting"?`},
		{"a step to nowhere", "to: collecting", "to: collect", "unknown_name", 24, "state"},
		{"a step from a state to itself", "from: [collecting], to: done", "from: [collecting, done], to: done", "to_itself", 25, "itself"},
		{"a step out of a terminal state", "from: [draft], to: collecting", "from: [draft, done], to: collecting", "leaves_terminal", 24, "terminal"},
		{"a step that nobody may take", "to: collecting, by: [handler]", "to: collecting, by: []", "nobody", 24, "Nobody"},
		{"a step by a role that is not listed", "to: collecting, by: [handler]", "to: collecting, by: [handlre]", "unknown_name", 24, `Did you mean "handler"?`},
		{"a step by a model", "to: collecting, by: [handler]", "to: collecting, by: [ai]", "ai_acts", 24, "proposes"},
		{"a requirement that is not known", "to: collecting, by: [handler]", "to: collecting, by: [handler], requires: [internal_notes]", "unknown_name", 24, `Did you mean "internal_note"?`},
		{"a guard on a section that is not there", "sections: [papers], required", "sections: [papier], required", "unknown_name", 25, "section"},
		{"a guard on a status that is not known", "status_in: [provided]", "status_in: [given]", "unknown_name", 25, "status"},
		{"a guard on fields that nobody names", "{fields_complete: submit}", "{fields_complete: approve}", "unknown_name", 25, "required_before"},
		{"four eyes on a step that is not there", "{fields_complete: submit}", "{not_same_person_as: sends}", "unknown_name", 25, "not a transition"},
		{"a guard on a job that is not there", "{fields_complete: submit}", "{jobs: {names: [crm.told], status: done}}", "unknown_name", 25, `Did you mean "crm.tell"?`},
		{"a guard on an outcome that jobs do not have", "{fields_complete: submit}", "{jobs: {names: [crm.tell], status: finished}}", "unknown_name", 25, "outcome"},
		{"an expression that does not compile", "{fields_complete: submit}", `"data.size =="`, "bad_condition", 25, "make sense"},
		{"an expression that is no yes or no", "{fields_complete: submit}", `"data"`, "bad_condition", 25, "make sense"},
		{"an expression that reaches outside", "{fields_complete: submit}", `"env.HOME == 1"`, "bad_condition", 25, "make sense"},
		{"a job that is not there", "to: collecting, by: [handler]", "to: collecting, by: [handler], effects: [{job: crm.tel}]", "unknown_name", 24, `Did you mean "crm.tell"?`},
		{"counting what is not a field", "to: collecting, by: [handler]", "to: collecting, by: [handler], effects: [{increment: round}]", "unknown_name", 24, "not a field"},
		{"handing over what is neither section nor item", "to: collecting, by: [handler]", "to: collecting, by: [handler], effects: [{publish_file: final}]", "unknown_name", 24, "neither"},

		// paths
		{"a state that nobody reaches", "transitions:", "  - {key: lost, label: Lost, client_label: Lost, category: done, turn: nobody}\ntransitions:", "unreachable", 23, "lost"},
		{"a state without a way to an end", "from: [collecting], to: done", "from: [draft], to: done", "no_end", 21, "collecting"},
		{"a workflow without an end", "category: done, turn: nobody, terminal: true", "category: review, turn: staff", "no_end", 20, "category: done"},

		// notices
		{"a notice of a step that is not there", "event: request.send,", "event: request.sent,", "unknown_name", 29, "not a transition"},
		{"a notice for nobody", "to: client_admin, channel: email", "to: [], channel: email", "notice", 29, "recipient"},
		{"a notice without a reason", `, why: "You are asked."`, "", "notice", 29, "reason"},
		{"a reminder that never stops", ", stop_when: [state_left]", "", "reminder", 27, "stop"},
		{"a reminder in a state that is not there", "when_state: [collecting]", "when_state: [colecting]", "unknown_name", 27, `Did you mean "collecting"?`},
		{"a job without an idempotency key", `, idempotency_key: "sample/{request}"`, "", "idempotency", 31, "idempotency_key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(sample, c.old) {
				t.Fatalf("the sample does not hold %q", c.old)
			}
			_, findings := CheckSource([]byte(strings.Replace(sample, c.old, c.new, 1)))
			found := slices.ContainsFunc(findings, func(f Finding) bool {
				return f.Level == "error" && f.Code == c.code && f.Line == c.line && strings.Contains(f.Message, c.says)
			})
			if !found {
				t.Errorf("want %s in line %d saying %q, got %s", c.code, c.line, c.says, lines(findings))
			}
		})
	}
}

func lines(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "\n  %s line %d: %s", f.Code, f.Line, f.Message)
	}
	return b.String()
}

// Sources that try to use up the server.
func TestParse_boundsWhatItReads(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a: &a [x, x, x, x, x, x, x, x, x]\n")
	for n := 'b'; n < 'm'; n++ {
		fmt.Fprintf(&bomb, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", n, n, n-1, n-1, n-1, n-1, n-1, n-1, n-1, n-1, n-1)
	}
	for name, source := range map[string]string{
		"aliases that unfold without end": bomb.String(),
		"two megabytes":                   "title: " + strings.Repeat("x", 2<<20),
		"a deep nest":                     "note: " + strings.Repeat("[", 200) + strings.Repeat("]", 200),
		"a great many values":             "note: [" + strings.Repeat("1,", 60_000) + "1]",
		"nothing":                         "",
		"only a comment":                  "# nothing here\n",
		"binary":                          "\x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			def, findings := Parse([]byte(source))
			if def != nil || len(findings) == 0 {
				t.Fatalf("was read: %+v", findings)
			}
			if len(findings) > 200 {
				t.Errorf("%d findings", len(findings))
			}
		})
	}
}

// YAML reads a comma in an unquoted text as the end of it; what was meant is
// plain, so it is joined again.
func TestParse_joinsUnquotedCommas(t *testing.T) {
	for old, want := range map[string]string{
		"title: Deed, kind":                            "Deed",
		"title: Deeds, maps and plans, kind":           "Deeds, maps and plans",
		"title: Deeds, old maps, and new plans, kind":  "Deeds, old maps, and new plans",
		`title: "Deeds, quoted", kind`:                 "Deeds, quoted",
		"title: 2024 papers, or later ones, kind":      "2024 papers, or later ones",
		"title: Deeds (signed), two copies each, kind": "Deeds (signed), two copies each",
	} {
		def, findings := Parse([]byte(strings.Replace(sample, "title: Deed, kind", old, 1)))
		if def == nil {
			t.Errorf("%s: %s", old, lines(findings))
			continue
		}
		if got := def.Spec("papers", "deed").Title.String(); got != want {
			t.Errorf("%s was read as %q", old, got)
		}
	}
}

// What is stored says the same as what was read.
func TestParse_storedAndReadAgain(t *testing.T) {
	for _, name := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
		source, err := LibraryFile(name)
		if err != nil {
			t.Fatal(err)
		}
		def, findings := Parse(source)
		if def == nil {
			t.Fatalf("%s: %s", name, lines(findings))
		}
		first := jsonOf(t, def.Definition)
		again, err := Decode([]byte(first))
		if err != nil {
			t.Fatal(name, err)
		}
		if second := jsonOf(t, again.Definition); first != second {
			t.Errorf("%s changes when it is stored", name)
		}
	}
}
