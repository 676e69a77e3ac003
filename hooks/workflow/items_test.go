package workflow

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// listed is a workflow whose items repeat and depend on data.
const listed = `
schema: gatehouse/workflow/v1
key: listed
version: 1
title: Lists
subject: {collection: organizations}
initial: collecting
roles: {client: [client_admin], staff: [handler]}
fields:
  - {key: bank_accounts, type: list}
  - {key: owners, type: people_list}
  - {key: vat, type: bool}
  - {key: services, type: multi_choice, options: [payroll, vat]}
sections:
  - key: banks
    title: Banks
    provider: client
    for_each: bank_accounts
    items:
      - {key: statement, title: "Statement of {account}", kind: file}
      - {key: letter, title: Letter, kind: file}
      - {key: signer, title: "{each} signs", kind: acknowledge, for_each: owners}
  - key: tax
    title: Tax
    provider: client
    when: {field: vat, is: true}
    items: [{key: return, title: Return, kind: file}]
  - key: pay
    title: Pay
    provider: client
    items:
      - {key: payroll, title: Payroll, kind: file, when: {field: services, contains: payroll}}
      - {key: sales, title: Sales, kind: file, skip_if: {feed_connected: true}}
      - {key: big, title: Big, kind: file, when: "len(data.bank_accounts ?? []) > 1"}
      - {key: optional, title: Optional, kind: file, required: false}
  - key: extra
    title: Extra
    provider: client
    dynamic: true
    items: [{key: file, template: true, title: "{title}", kind: file}]
states:
  - {key: collecting, label: Collecting, client_label: Collecting, category: waiting, turn: client, can: {provide: [banks, tax, pay, extra]}}
  - {key: done, label: Done, client_label: Done, category: done, turn: nobody}
transitions:
  - {key: finish, label: Finish, from: [collecting], to: done, by: [client_admin]}
`

func TestItems_followTheData(t *testing.T) {
	def, findings := CheckSource([]byte(listed))
	if def == nil || hasErrors(findings) {
		t.Fatal(lines(findings))
	}
	person := func(id, name string) any { return map[string]any{"id": id, "name": name} }
	for _, c := range []struct {
		name  string
		data  map[string]any
		known map[string]bool
		want  []string
	}{
		{"nothing is known", nil, nil, []string{"sales", "optional"}},
		{"one account", map[string]any{"bank_accounts": []any{"Main"}}, nil, []string{"statement[main] Statement of Main", "letter[main] Letter: Main", "sales", "optional"}},
		{
			"two accounts",
			map[string]any{"bank_accounts": []any{"Main", "Euro"}},
			nil,
			[]string{"statement[main] Statement of Main", "letter[main] Letter: Main", "statement[euro] Statement of Euro", "letter[euro] Letter: Euro", "sales", "big", "optional"},
		},
		{
			"a list in a list",
			map[string]any{"bank_accounts": []any{map[string]any{"id": "a1", "label": "Main"}}, "owners": []any{person("p1", "Ada"), person("p2", "Bo")}},
			nil,
			[]string{"statement[a1] Statement of Main", "letter[a1] Letter: Main", "signer[a1/p1] Ada signs", "signer[a1/p2] Bo signs", "sales", "optional"},
		},
		{"owners without accounts", map[string]any{"owners": []any{person("p1", "Ada")}}, nil, []string{"sales", "optional"}},
		{"a section that applies", map[string]any{"vat": true}, nil, []string{"return", "sales", "optional"}},
		{"a section that does not", map[string]any{"vat": false}, nil, []string{"sales", "optional"}},
		{"a service among others", map[string]any{"services": []any{"vat", "payroll"}}, nil, []string{"payroll", "sales", "optional"}},
		{"a feed makes an item needless", nil, map[string]bool{"feed_connected": true}, []string{"optional"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &Facts{Data: c.data, Known: c.known}
			if f.Data == nil {
				f.Data = map[string]any{}
			}
			def.sync(f)
			var got []string
			for _, i := range f.applicable() {
				words := i.Key
				if i.Instance != "" {
					words += "[" + i.Instance + "] " + i.Title
				}
				got = append(got, words)
			}
			if strings.Join(got, ", ") != strings.Join(c.want, ", ") {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Items come and go without losing what was given.
func TestItems_syncKeepsAnswers(t *testing.T) {
	def, _ := CheckSource([]byte(listed))
	f := &Facts{Data: map[string]any{"bank_accounts": []any{"Main", "Euro"}}}
	added := def.sync(f)
	if len(added) != 7 {
		t.Fatalf("%d added", len(added))
	}
	if again := def.sync(f); len(again) != 0 {
		t.Fatal("nothing changed, and yet something did")
	}
	ids := map[string]bool{}
	for _, i := range f.Items {
		if i.ID == "" || ids[i.ID] {
			t.Fatalf("id %q", i.ID)
		}
		ids[i.ID] = true
	}
	euro := f.Items[2]
	if euro.Instance != "euro" {
		t.Fatalf("%+v", euro)
	}
	euro.Answers["text"], euro.Status = "IBAN", Provided
	added1 := &Item{ID: "mine", Section: "extra", Key: "file", Instance: "1", Position: 7, Kind: "file", Title: "My own", Status: Missing, Active: true}
	f.Items = append(f.Items, added1)

	f.Data["bank_accounts"] = []any{"Main"}
	if changed := def.sync(f); len(changed) == 0 || changed[0].ID == "" || euro.Active || euro.Answers["text"] != "IBAN" {
		t.Fatalf("gone: %d changed, %+v", len(changed), euro)
	}
	if !added1.Active {
		t.Error("an item that was added by hand went away")
	}
	f.Data["bank_accounts"] = []any{"Euro", "Main"}
	if changed := def.sync(f); len(changed) == 0 || !euro.Active || euro.Status != Provided || euro.Position != 0 {
		t.Fatalf("back: %d changed, %+v", len(changed), euro)
	}
	if f.Items[0] != euro {
		t.Error("the order of the list is the order of the items")
	}
}

func TestItems_complete(t *testing.T) {
	def := shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	def.Forms["ownership_v1"] = &Form{Questions: []Question{{Key: "structure", Required: true}, {Key: "changes", Type: "bool"}}}
	ready := func(metadata map[string]any) Files {
		return Files{Ready: 1, Fresh: 1, Metadata: []map[string]any{metadata}}
	}
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name         string
		section, key string
		item         Item
		done         bool
		says         string
	}{
		{"no file", "books", "last_accounts", Item{}, false, ""},
		{"a file", "books", "last_accounts", Item{Files: ready(nil)}, true, ""},
		{"a file that is being checked", "books", "last_accounts", Item{Files: Files{Scanning: 1}}, false, "We are checking the file. You can go on, we will tell you."},
		{"only the old file after it was sent back", "books", "last_accounts", Item{EnteredStatus: MoreNeeded, Files: Files{Ready: 1}}, false, ""},
		{"a new file after it was sent back", "books", "last_accounts", Item{EnteredStatus: MoreNeeded, Files: Files{Ready: 2, Fresh: 1}}, true, ""},
		{"a passport without its date", "identity", "photo_id", Item{Files: ready(nil)}, false, "Add this: document expiry."},
		{"a passport that is valid", "identity", "photo_id", Item{Files: ready(map[string]any{"document_expiry": "2030-01-01"})}, true, ""},
		{"a passport with its date on the item", "identity", "photo_id", Item{Files: ready(nil), Answers: map[string]any{"document_expiry": "2030-01-01"}}, true, ""},
		{"an expired passport is there, with a warning", "identity", "photo_id", Item{Files: ready(map[string]any{"document_expiry": "2026-01-01"})}, true, "Document expiry was in the past when this came. We may ask for a newer one."},
		{"a date that is none", "identity", "photo_id", Item{Files: ready(map[string]any{"document_expiry": "soon"})}, true, "Document expiry: a date such as 2026-03-31 is expected."},
		{"a fresh bill", "identity", "address_proof", Item{Files: ready(map[string]any{"issued_on": "2026-10-01"})}, true, ""},
		{"an old bill", "identity", "address_proof", Item{Files: ready(map[string]any{"issued_on": "2026-08-01"})}, true, "This was older than 3 months when it came. We may ask for a newer one."},
		{"a form with its required answer", "entity", "ownership_chart", Item{Answers: map[string]any{"structure": "One owner"}}, true, ""},
		{"a form without it", "entity", "ownership_chart", Item{Answers: map[string]any{"changes": true}}, false, ""},
		{"an empty form", "entity", "ownership_chart", Item{Answers: map[string]any{"structure": " "}}, false, ""},
		{"a form that the library does not have takes any answer", "books", "previous_accountant", Item{Answers: map[string]any{"name": "Other & Co"}}, true, ""},
		{"a text", "entity", "pep_details", Item{Answers: map[string]any{"text": "A cousin"}}, true, ""},
		{"an empty text", "entity", "pep_details", Item{Answers: map[string]any{"text": ""}}, false, ""},
		{"an acceptance", "books", "authority_to_act", Item{Answers: map[string]any{"accepted": true}}, true, ""},
		{"no acceptance", "books", "authority_to_act", Item{Answers: map[string]any{"accepted": false}}, false, ""},
		{"none where there is no none", "books", "last_accounts", Item{Answers: map[string]any{"none": true}}, false, ""},
		{"an item that the definition does not know", "books", "unheard_of", Item{Files: ready(nil)}, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := c.item
			i.Section, i.Key = c.section, c.key
			if spec := def.Spec(c.section, c.key); spec != nil {
				i.Kind = spec.Kind
			}
			if i.Answers == nil {
				i.Answers = map[string]any{}
			}
			if done, says := def.complete(&i, now); done != c.done || says != c.says {
				t.Errorf("complete %t %q", done, says)
			}
		})
	}
}

func TestItems_settle(t *testing.T) {
	def := shippedDefinition(t, "simple-request.yaml")
	for _, c := range []struct {
		name            string
		status, entered string
		answers         map[string]any
		want            string
	}{
		{"an answer makes it provided", Missing, Missing, map[string]any{"text": "x"}, Provided},
		{"an answer taken back makes it missing", Provided, Missing, nil, Missing},
		{"what was sent back and is answered is provided", Rejected, Rejected, map[string]any{"text": "x"}, Provided},
		{"what was sent back and loses its answer is still sent back", Provided, Rejected, nil, Rejected},
		{"more needed stays more needed", Provided, MoreNeeded, nil, MoreNeeded},
		{"what is accepted stays", Accepted, Provided, nil, Accepted},
		{"what is waived stays", Waived, Missing, map[string]any{"text": "x"}, Waived},
		{"no is no text", Missing, Missing, map[string]any{"text": ""}, Missing},
		{"a choice is an answer", Missing, Missing, map[string]any{"choice": "red"}, Provided},
		{"zero is an answer", Missing, Missing, map[string]any{"number": 0.0}, Provided},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := &Item{Section: "things", Key: "question", Kind: "answer", Status: c.status, EnteredStatus: c.entered, Answers: c.answers}
			if i.Answers == nil {
				i.Answers = map[string]any{}
			}
			if def.settle(i, time.Now()); i.Status != c.want {
				t.Errorf("became %s", i.Status)
			}
		})
	}
}

// What is said of a file's dates speaks of the moment when it came, so that the
// client's row does not become untrue while nobody changes it.
func TestComplete_saysOfAFileWhatWasTrueWhenItCame(t *testing.T) {
	def := shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	i := Item{Section: "identity", Key: "address_proof", Kind: "file", Files: Files{Ready: 1, Fresh: 1, Metadata: []map[string]any{{"issued_on": "2026-08-01"}}, Newest: time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)}}
	for _, now := range []time.Time{i.Files.Newest, i.Files.Newest.AddDate(0, 6, 0)} {
		if ok, why := def.complete(&i, now); !ok || why != "" {
			t.Errorf("at %s: %t %q", now, ok, why)
		}
	}
	i.Files.Newest = i.Files.Newest.AddDate(0, 6, 0)
	if _, why := def.complete(&i, i.Files.Newest); !strings.HasPrefix(why, "This was older than 3 months when it came.") {
		t.Errorf("%q", why)
	}
}
