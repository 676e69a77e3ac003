package workflow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// shippedDefinition reads a definition of the library; it must have no faults.
func shippedDefinition(t testing.TB, file string) *Compiled {
	t.Helper()
	source, err := LibraryFile(file)
	if err != nil {
		t.Fatal(err)
	}
	def, findings := CheckSource(source)
	if def == nil || hasErrors(findings) {
		t.Fatalf("%s: %+v", file, findings)
	}
	return def
}

// oddSteps is a workflow of the constructs that the shipped ones do not use.
const oddSteps = `
schema: gatehouse/workflow/v1
key: odd
version: 1
title: Odd steps
subject: {collection: organizations}
initial: draft
roles: {client: [client_admin, client_approver], staff: [handler, partner]}
calendar: {timezone: Europe/London, holidays: gb-eng}
fields:
  - {key: size, type: choice, options: [small, large], label: "Size of the firm"}
  - {key: round_no, type: number}
  - {key: rounds_included, type: number}
  - {key: services, type: multi_choice, options: [vat, payroll]}
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items: [{key: proof, title: Proof, kind: file}, {key: extra, title: Extra, kind: file, required: false}]
  - key: finals
    title: Final files
    provider: staff
    reviewer: handler
    items: [{key: report, title: Report, kind: file}]
states:
  - {key: draft, label: Draft, client_label: Draft, category: open, turn: staff, can: {provide: [finals], review: [papers]}}
  - {key: done, label: Done, client_label: Done, category: done, turn: nobody}
transitions:
  - {key: expr, label: By expression, from: [draft], to: done, by: [handler], guard: ['data.size == "large" && organization.code == "BLU" && items.proof == "accepted" && request.entry == 1']}
  - {key: nonsense, label: Of another type, from: [draft], to: done, by: [handler], guard: ['data.size > 3']}
  - {key: field_is, label: Field is, from: [draft], to: done, by: [handler], guard: [{field: size, is: large}]}
  - {key: field_in, label: Field in, from: [draft], to: done, by: [handler], guard: [{field: size, in: [large, huge]}]}
  - {key: contains, label: List contains, from: [draft], to: done, by: [handler], guard: [{field: services, contains: vat}]}
  - {key: publish, label: Hand over, from: [draft], to: done, by: [handler], effects: [{publish_file: finals}]}
  - {key: next_round, label: Next round, from: [draft], to: done, by: [handler], guard: [{rounds_left: true}]}
  - {key: extra_round, label: Extra round, from: [draft], to: done, by: [handler], guard: [{rounds_left: false}]}
  - {key: erase, label: Erase, from: [draft], to: done, by: [handler], guard: [{no_legal_hold: true}]}
  - {key: settle, label: Settle, from: [draft], to: done, by: [handler], guard: [{no_veto_open: client_approver}]}
  - {key: letter, label: Letter, from: [draft], to: done, by: [handler], requires: [client_template]}
  - {key: pick, label: Pick papers, from: [draft], to: done, by: [handler], effects: [{set_items: {section: papers, chosen: rejected}}]}
  - {key: later, label: After two working days, from: [draft], to: done, by: [handler, system], after: {business_days_in_state: 2}}
  - {key: any_required, label: Any required, from: [draft], to: done, by: [handler], guard: [{any_item: {sections: [papers], required: true, status_in: [missing]}}]}
  - {key: approve, label: Approve, from: [draft], to: done, by: [client_approver]}
  - {key: robot, label: By itself, from: [draft], to: done, by: [system]}
  - {key: eyes, label: Four eyes, from: [draft], to: done, by: [handler, client_approver], guard: [{not_same_person_as: approve}]}
`

func oddDefinition(t testing.TB) *Compiled {
	t.Helper()
	def, findings := Parse([]byte(oddSteps))
	if def == nil {
		t.Fatalf("%+v", findings)
	}
	return def
}

// The people of the tables.
func staffWho(id string, duties ...string) Who {
	roles := map[string]bool{}
	for _, d := range duties {
		roles[d] = true
	}
	return Who{Actor: schema.Actor{Kind: schema.ActorStaff, ID: id, Name: id}, Standing: access.Standing{Roles: roles}}
}

func clientWho(id string, roles ...string) Who {
	w := staffWho(id, roles...)
	w.Actor.Kind = schema.ActorUser
	return w
}

var (
	sam     = staffWho("sam", "handler")
	ruth    = staffWho("ruth", "compliance")
	pat     = staffWho("pat", "partner")
	mia     = staffWho("mia")
	anna    = clientWho("anna", "client_admin", "client_member", "client_viewer")
	milo    = clientWho("max", "client_member", "client_viewer")
	vera    = clientWho("vera", "client_viewer")
	gwen    = clientWho("gwen", "client_approver", "client_viewer")
	sol     = Who{Actor: schema.Actor{Kind: schema.ActorSuperuser, ID: "sol"}, Superuser: true}
	robot   = Who{Actor: schema.System(), System: true}
	shown   = Who{Actor: schema.Actor{Kind: schema.ActorStaff, ID: "sam"}, Standing: access.Standing{Roles: map[string]bool{}}, Shown: true}
	dora    = delegate("dora", "anna")
	morning = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC) // a Friday
)

func delegate(id, giver string) Who {
	w := clientWho(id, "client_delegate", "client_viewer")
	w.Standing.OnBehalfOf, w.Standing.GiverName, w.Actor.OnBehalfOf = giver, giver, giver
	return w
}

// change is what a case makes different.
type change func(f *Facts)

func status(key, is string) change {
	return func(f *Facts) {
		for _, i := range f.Items {
			if i.Key == key {
				i.Status = is
			}
		}
	}
}

func all(is string) change {
	return func(f *Facts) {
		for _, i := range f.Items {
			i.Status = is
		}
	}
}

func data(key string, value any) change {
	return func(f *Facts) {
		if value == nil {
			delete(f.Data, key)
			return
		}
		f.Data[key] = value
	}
}

func did(key, from, to, actor string, behalf ...string) change {
	return func(f *Facts) {
		s := Step{Key: key, From: from, To: to, Actor: actor, Revision: len(f.Steps) + 1, At: f.Now}
		if len(behalf) > 0 {
			s.OnBehalfOf = behalf[0]
		}
		f.Steps = append(f.Steps, s)
	}
}

func reviewedBy(who string) change {
	return func(f *Facts) {
		for _, i := range f.Items {
			i.Reviewer = who
		}
	}
}

func since(d time.Duration) change { return func(f *Facts) { f.StateSince = f.Now.Add(-d) } }

func job(name, is string) change {
	return func(f *Facts) { f.Jobs[name] = JobState{Name: name, Status: is} }
}

func factsIn(def *Compiled, state string, first map[string]any) *Facts {
	f := &Facts{
		Now: morning, ID: "req", Title: "Papers", State: state, Entry: 1, StateSince: morning, Data: map[string]any{}, OrgCode: "BLU", OrgName: "Bluebell",
		Systems: map[string]bool{}, Known: map[string]bool{}, Jobs: map[string]JobState{}, People: map[string]string{}, Members: map[string]int{"client_admin": 1},
	}
	for key, value := range first {
		f.Data[key] = value
	}
	def.sync(f)
	for _, i := range f.Items {
		i.ID = strings.Trim(i.Key+"-"+i.Instance, "-")
	}
	return f
}

// simpleFacts are those of a request with a file, a question and a confirmation.
func simpleFacts(def *Compiled, state string) *Facts {
	f := factsIn(def, state, nil)
	for n, key := range []string{"file", "question", "confirm"} {
		f.Items = append(f.Items, &Item{ID: key, Section: "things", Key: key, Instance: "1", Position: n, Kind: def.Spec("things", key).Kind, Title: human(key), Status: Missing, EnteredStatus: Missing, Required: true, Active: true, Answers: map[string]any{}})
	}
	return f
}

var kycComplete = map[string]any{
	"entity_type": "limited_company", "legal_name": "Bluebell Ltd", "registration_no": "1", "tax_reference": "••••1234", "year_end": "03-31",
	"beneficial_owners": []any{map[string]any{"id": "ada", "name": "Ada"}}, "is_pep": false, "risk_rating": "low", "risk_note": "Known",
}

func TestDecide(t *testing.T) {
	simple, kyc, odd := shippedDefinition(t, "simple-request.yaml"), shippedDefinition(t, "accounting-onboarding-kyc.yaml"), oddDefinition(t)
	no := []string(nil)
	note, say := &Input{InternalNote: "Because"}, &Input{ClientComment: "Because"}
	for _, c := range []struct {
		name  string
		def   *Compiled
		state string
		with  []change
		key   string
		who   Who
		input *Input
		want  []string // "code about", sorted; none is allowed
	}{
		// who
		{"the handler sends a request", simple, "draft", nil, "send", sam, &Input{}, no},
		{"staff with another duty do not", simple, "draft", nil, "send", ruth, &Input{}, []string{"not_yours"}},
		{"staff without a duty do not", simple, "draft", nil, "send", mia, &Input{}, []string{"not_yours"}},
		{"a client may not even know of it", simple, "draft", nil, "send", anna, &Input{}, []string{"unknown_transition"}},
		{"an admin submits", simple, "waiting_for_client", []change{all(Provided)}, "submit", anna, &Input{}, no},
		{"a member submits", simple, "waiting_for_client", []change{all(Provided)}, "submit", milo, &Input{}, no},
		{"a delegate submits", simple, "waiting_for_client", []change{all(Provided)}, "submit", dora, &Input{}, no},
		{"a viewer does not, and is told who may", simple, "waiting_for_client", []change{all(Provided)}, "submit", vera, &Input{}, []string{"not_yours"}},
		{"a delegate does not take back what the definition leaves to members", simple, "submitted", nil, "take_back", dora, &Input{}, []string{"not_yours"}},
		{"a member does not submit an onboarding", kyc, "collecting", []change{all(Provided)}, "submit", milo, &Input{}, []string{"not_yours"}},
		{"an admin does", kyc, "collecting", []change{all(Provided)}, "submit", anna, &Input{}, no},
		{"the handler does not submit for the client", simple, "waiting_for_client", []change{all(Provided)}, "submit", sam, &Input{}, []string{"not_yours"}},
		{"a duty of a client counts as a role", odd, "draft", nil, "approve", gwen, &Input{}, no},
		{"an admin without the duty does not stand in for it", odd, "draft", nil, "approve", anna, &Input{}, []string{"not_yours"}},
		{"a superuser passes by", simple, "draft", nil, "send", sol, &Input{}, no},
		{"a superuser passes no guard", simple, "waiting_for_client", nil, "submit", sol, &Input{}, []string{"item_missing confirm", "item_missing file", "item_missing question"}},
		{"a superuser brings what is required", simple, "in_review", nil, "reject", sol, &Input{}, []string{"comment_required client_comment"}},
		{"a superuser passes by also where the portal acts by itself, yet not past its jobs", kyc, "provisioning", nil, "provisioned", sol, &Input{}, []string{"jobs_open", "jobs_open"}},
		{"the system does not do what people do", simple, "draft", nil, "send", robot, nil, []string{"not_yours"}},
		{"staff who see the client's face know the client's steps only", kyc, "compliance_hold", nil, "release", shown, &Input{}, []string{"unknown_transition"}},
		{"and take none of them", simple, "waiting_for_client", []change{all(Provided)}, "submit", shown, &Input{}, []string{"not_yours"}},

		// from where
		{"an unknown step", simple, "draft", nil, "fly", sam, &Input{}, []string{"unknown_transition"}},
		{"a step of another state", simple, "draft", nil, "approve", sam, &Input{}, []string{"unknown_transition"}},
		{"no step leads out of the end", simple, "archived", nil, "reopen", sam, note, []string{"unknown_transition"}},

		// items
		{"nothing to ask for", simple, "draft", []change{all(Waived)}, "send", sam, &Input{}, []string{"no_item"}},
		{"one missing item blocks, and is named", simple, "waiting_for_client", []change{all(Provided), status("file", Missing)}, "submit", anna, &Input{}, []string{"item_missing file"}},
		{"an item that was sent back is missing", simple, "waiting_for_client", []change{all(Provided), status("file", Rejected)}, "submit", anna, &Input{}, []string{"item_missing file"}},
		{"more is needed counts as sent back", simple, "waiting_for_client", []change{all(Provided), status("file", MoreNeeded)}, "submit", anna, &Input{}, []string{"item_missing file"}},
		{"an expired one too", simple, "waiting_for_client", []change{all(Provided), status("file", Expired)}, "submit", anna, &Input{}, []string{"item_missing file"}},
		{"not applicable counts as waived", simple, "waiting_for_client", []change{all(Provided), status("file", NotApplicable)}, "submit", anna, &Input{}, no},
		{"what is not required does not block", simple, "waiting_for_client", []change{all(Provided), status("file", Missing), func(f *Facts) { f.Items[0].Required = false }}, "submit", anna, &Input{}, no},
		{"what does not apply does not block", simple, "waiting_for_client", []change{all(Provided), status("file", Missing), func(f *Facts) { f.Items[0].Active = false }}, "submit", anna, &Input{}, no},
		{"approving needs a decision on each", simple, "in_review", []change{all(Accepted), status("question", Provided)}, "approve", sam, &Input{}, []string{"item_open question"}},
		{"asking again needs something sent back", simple, "in_review", []change{all(Accepted)}, "ask_again", sam, &Input{}, []string{"no_item"}},
		{"any item is judged among the required ones where it says so", odd, "draft", []change{status("proof", Accepted)}, "any_required", sam, &Input{}, []string{"no_item"}},

		// fields
		{"a field of the client that is missing is named", kyc, "collecting", []change{all(Provided), data("year_end", nil)}, "submit", anna, &Input{}, []string{"field_missing year_end"}},
		{"a field whose condition does not hold is not asked for", kyc, "collecting", []change{all(Provided), data("registration_no", nil), data("entity_type", "sole_trader")}, "submit", anna, &Input{}, no},
		{"no is an answer", kyc, "collecting", []change{all(Provided), data("is_pep", false)}, "submit", anna, &Input{}, no},
		{"an empty list is none", kyc, "collecting", []change{all(Provided), data("beneficial_owners", []any{})}, "submit", anna, &Input{}, []string{"field_missing beneficial_owners"}},
		{"a client is not told of fields that staff fill in", kyc, "collecting", []change{all(Provided), data("risk_rating", nil)}, "submit", anna, &Input{}, no},

		// everything at once
		{
			"every blocker, not the first", kyc, "in_review",
			[]change{all(Accepted), status("last_accounts", Provided), status("authority_to_act", Missing), data("risk_note", nil), did("start_review", "submitted", "in_review", "pat")},
			"accept_client", pat, &Input{},
			[]string{"field_missing risk_note", "item_missing authority_to_act", "item_open last_accounts", "same_person"},
		},
		{"also for somebody who may not", kyc, "in_review", []change{all(Accepted), data("risk_note", nil)}, "accept_client", sam, &Input{}, []string{"field_missing risk_note", "not_yours"}},

		// four eyes
		{"who started the review does not accept", kyc, "in_review", []change{all(Accepted), did("start_review", "submitted", "in_review", "pat")}, "accept_client", pat, &Input{}, []string{"same_person"}},
		{"another person does", kyc, "in_review", []change{all(Accepted), did("start_review", "submitted", "in_review", "sam")}, "accept_client", pat, &Input{}, no},
		{"the last time counts", kyc, "in_review", []change{all(Accepted), did("start_review", "submitted", "in_review", "pat"), did("start_review", "submitted", "in_review", "sam")}, "accept_client", pat, &Input{}, no},
		{"if it never ran, those who decided on the items are meant", kyc, "in_review", []change{all(Accepted), reviewedBy("pat")}, "accept_client", pat, &Input{}, []string{"same_person"}},
		{"whoever made the program that decided is one of them", kyc, "in_review", []change{all(Accepted), reviewedBy("crm"), func(f *Facts) { f.Items[0].ReviewerFor = "pat" }}, "accept_client", pat, &Input{}, []string{"same_person"}},
		{"if it ran, those who decided are not meant", kyc, "in_review", []change{all(Accepted), reviewedBy("pat"), did("start_review", "submitted", "in_review", "sam")}, "accept_client", pat, &Input{}, no},
		{"who was acted for counts as well", odd, "draft", []change{did("approve", "draft", "done", "dora", "gwen")}, "eyes", gwen, &Input{}, []string{"same_person"}},
		{"and so does whom one acts for", odd, "draft", []change{did("approve", "draft", "done", "gwen")}, "eyes", delegateWith("dora", "gwen", "client_approver"), &Input{}, []string{"same_person"}},
		{"a stranger to the step is free", odd, "draft", []change{did("approve", "draft", "done", "gwen")}, "eyes", sam, &Input{}, no},
		{"what came before the request was in its first state again does not count", odd, "draft", []change{did("approve", "draft", "done", "sam"), did("back", "done", "draft", "mia")}, "eyes", sam, &Input{}, no},

		// time
		{"too early for people", simple, "approved", []change{since(59 * 24 * time.Hour)}, "archive", sam, &Input{}, []string{"too_early"}},
		{"too early for the system", simple, "approved", []change{since(59 * 24 * time.Hour)}, "archive", robot, nil, []string{"too_early"}},
		{"in time for people", simple, "approved", []change{since(60 * 24 * time.Hour)}, "archive", sam, &Input{}, no},
		{"in time for the system", simple, "approved", []change{since(60 * 24 * time.Hour)}, "archive", robot, nil, no},
		{"also automatic adds the system, it does not free people", kyc, "approved", []change{since(24 * time.Hour)}, "archive", sam, &Input{}, []string{"too_early"}},
		{"also automatic lets the system act", kyc, "approved", []change{since(31 * 24 * time.Hour)}, "archive", robot, nil, no},
		{"working days do not count the weekend", odd, "draft", []change{func(f *Facts) { f.Now = morning.AddDate(0, 0, 3) }}, "later", sam, &Input{}, []string{"too_early"}},
		{"two working days after a Friday is a Tuesday", odd, "draft", []change{func(f *Facts) { f.Now = morning.AddDate(0, 0, 4) }}, "later", sam, &Input{}, no},

		// effects that must be possible
		{"nobody to invite", kyc, "draft", []change{func(f *Facts) { f.Members = nil }}, "invite", sam, &Input{}, []string{"nobody_invited"}},
		{"somebody to invite", kyc, "draft", nil, "invite", sam, &Input{}, no},
		{"nothing to hand over", odd, "draft", nil, "publish", sam, &Input{}, []string{"nothing_to_publish"}},
		{"a file to hand over", odd, "draft", []change{func(f *Facts) { f.Items[2].Files.Staff, f.Items[2].Files.Ready = 1, 1 }}, "publish", sam, &Input{}, no},

		// what the form brings
		{"an internal note is required", kyc, "in_review", nil, "escalate", sam, &Input{}, []string{"note_required internal_note"}},
		{"blanks are no note", kyc, "in_review", nil, "escalate", sam, &Input{InternalNote: " \n"}, []string{"note_required internal_note"}},
		{"with a note", kyc, "in_review", nil, "escalate", sam, note, no},
		{"looking at a step asks for nothing yet", kyc, "in_review", nil, "escalate", sam, nil, no},
		{"words to the client are required", simple, "in_review", nil, "reject", sam, &Input{}, []string{"comment_required client_comment"}},
		{"with words", simple, "in_review", nil, "reject", sam, say, no},
		{"two things are required", kyc, "sync_blocked", nil, "finish_manually", pat, &Input{}, []string{"note_required internal_note", "reference_required external_reference"}},
		{"a text of the library is required", odd, "draft", nil, "letter", sam, &Input{}, []string{"template_required client_template"}},
		{"each sent back item needs its words", simple, "in_review", []change{all(Rejected), func(f *Facts) { f.Items[1].Comment = "Blurred" }}, "ask_again", sam, &Input{Comments: map[string]string{"file": "Page 2"}}, []string{"comment_required confirm"}},
		{"items must be chosen", kyc, "approved", nil, "reopen", sam, &Input{}, []string{"items_required items"}},
		{"a chosen item must be one of the request", kyc, "approved", nil, "reopen", sam, &Input{Items: []string{"nope"}}, []string{"unknown_item items"}},
		{"a chosen item must apply", kyc, "approved", []change{func(f *Facts) { f.item("last_accounts").Active = false }}, "reopen", sam, &Input{Items: []string{"last_accounts"}, Comments: map[string]string{"last_accounts": "x"}}, []string{"unknown_item items"}},
		{"every reopened item needs its words", kyc, "approved", nil, "reopen", sam, &Input{Items: []string{"last_accounts", "authority_to_act"}, Comments: map[string]string{"last_accounts": "Once more"}}, []string{"comment_required authority_to_act"}},
		{"chosen items of the wrong section", odd, "draft", nil, "pick", sam, &Input{Items: []string{"report"}}, []string{"unknown_item items"}},
		{"a choice in an effect asks for one", odd, "draft", nil, "pick", sam, &Input{}, []string{"items_required items"}},
		{"chosen items of the right section", odd, "draft", nil, "pick", sam, &Input{Items: []string{"proof"}}, no},

		// conditions
		{"an expression that holds", odd, "draft", []change{data("size", "large"), status("proof", Accepted)}, "expr", sam, &Input{}, no},
		{"an expression that does not", odd, "draft", []change{data("size", "small"), status("proof", Accepted)}, "expr", sam, &Input{}, []string{"condition"}},
		{"an expression about what is not there does not hold", odd, "draft", nil, "nonsense", sam, &Input{}, []string{"condition"}},
		{"a field that is", odd, "draft", []change{data("size", "large")}, "field_is", sam, &Input{}, no},
		{"a field that is not", odd, "draft", nil, "field_is", sam, &Input{}, []string{"condition size"}},
		{"a field among others", odd, "draft", []change{data("size", "small")}, "field_in", sam, &Input{}, []string{"condition size"}},
		{"a list that contains", odd, "draft", []change{data("services", []any{"payroll", "vat"})}, "contains", sam, &Input{}, no},
		{"a list that does not", odd, "draft", []change{data("services", []any{"payroll"})}, "contains", sam, &Input{}, []string{"condition services"}},
		{"rounds are left", odd, "draft", []change{data("round_no", 1.0), data("rounds_included", 2.0)}, "next_round", sam, &Input{}, no},
		{"the last round that is included is no round left", odd, "draft", []change{data("round_no", 2.0), data("rounds_included", 2.0)}, "next_round", sam, &Input{}, []string{"rounds"}},
		{"an extra round only after them", odd, "draft", []change{data("round_no", 1.0), data("rounds_included", 2.0)}, "extra_round", sam, &Input{}, []string{"rounds"}},
		{"an extra round after the last one", odd, "draft", []change{data("round_no", 2.0), data("rounds_included", 2.0)}, "extra_round", sam, &Input{}, no},
		{"a legal hold", odd, "draft", []change{func(f *Facts) { f.LegalHold = true }}, "erase", sam, &Input{}, []string{"legal_hold"}},
		{"an open veto", odd, "draft", []change{func(f *Facts) {
			f.Items[0].Votes = map[string]Vote{"gwen": {Name: "Gwen", Role: "client_approver", Status: Rejected, Veto: true}}
		}}, "settle", sam, &Input{}, []string{"veto_open proof"}},

		// jobs
		{"a job that nobody started", kyc, "provisioning", nil, "provisioned", robot, nil, []string{"jobs_open", "jobs_open"}},
		{"a skipped job counts as done", kyc, "provisioning", []change{job("crm.upsert_company", "skipped"), job("ledger.create_contact", "done")}, "provisioned", robot, nil, no},
		{"a running job does not", kyc, "provisioning", []change{job("crm.upsert_company", "running"), job("ledger.create_contact", "done")}, "provisioned", robot, nil, []string{"jobs_open"}},
		{"a dead job leads to a person", kyc, "provisioning", []change{job("crm.upsert_company", "done"), job("ledger.create_contact", "dead")}, "provisioning_failed", robot, nil, no},
		{"a skipped job is not dead", kyc, "provisioning", []change{job("crm.upsert_company", "skipped"), job("ledger.create_contact", "skipped")}, "provisioning_failed", robot, nil, []string{"jobs_open"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsIn(c.def, c.state, kycComplete)
			if c.def == simple {
				f = simpleFacts(c.def, c.state)
			}
			for _, change := range c.with {
				change(f)
			}
			before := schema.JSON(f)
			v := c.def.Decide(f, c.key, c.who, c.input)
			var got []string
			for _, b := range v.Blockers {
				if b.Message == "" {
					t.Errorf("blocker %s has no words", b.Code)
				}
				got = append(got, strings.TrimSpace(string(b.Code)+" "+b.Item+b.Field))
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) || v.Allowed != (len(c.want) == 0) {
				t.Errorf("allowed %t, blockers %q, want %q", v.Allowed, got, c.want)
			}
			if schema.JSON(f) != before {
				t.Error("deciding changed the facts")
			}
			if unknown := slices.Contains(c.want, string(problem.UnknownTransition)); unknown != (v.Transition == nil) {
				t.Errorf("transition %v", v.Transition)
			}
		})
	}
}

func delegateWith(id, giver string, roles ...string) Who {
	w := delegate(id, giver)
	for _, r := range roles {
		w.Standing.Roles[r] = true
	}
	return w
}

// Whatever a client asks for, the answer does not tell whether a step exists on
// the other side of the table.
func TestDecide_clientsLearnNothingOfStaffSteps(t *testing.T) {
	kyc := shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	for _, s := range kyc.States {
		f := factsIn(kyc, s.Key, kycComplete)
		invented := kyc.Decide(f, "no_such_step", anna, &Input{})
		for _, step := range kyc.Transitions {
			if slices.Contains(kyc.Sides(&step), "client") {
				continue
			}
			v := kyc.Decide(f, step.Key, anna, &Input{})
			if v.Allowed || v.Transition != nil || len(v.Blockers) != 1 || strings.Replace(v.Blockers[0].Message, step.Key, "no_such_step", 1) != invented.Blockers[0].Message {
				t.Errorf("in %s Anna learns of %s: %+v", s.Key, step.Key, v.Blockers)
			}
		}
	}
}

func TestDecide_wordsNameWhoMay(t *testing.T) {
	simple, kyc := shippedDefinition(t, "simple-request.yaml"), shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	for _, c := range []struct {
		def        *Compiled
		state, key string
		who        Who
		want       string
	}{
		{simple, "waiting_for_client", "submit", vera, "An admin, a member or a delegate can do this for Bluebell, not you."},
		{kyc, "engagement", "sign", milo, "An admin can do this for Bluebell, not you."},
		{simple, "draft", "send", ruth, "Only the handler can do this."},
		{kyc, "in_review", "ask_corrections", pat, "Only the handler or the compliance can do this."},
		{simple, "waiting_for_client", "submit", sam, "The client does this."},
		{kyc, "provisioning", "provisioned", sam, "The portal does this by itself when everything is there."},
	} {
		v := c.def.Decide(factsIn(c.def, c.state, kycComplete), c.key, c.who, nil)
		if len(v.Blockers) == 0 || v.Blockers[0].Message != c.want {
			t.Errorf("%s by %s: %+v, want %q", c.key, c.who.Actor.ID, v.Blockers, c.want)
		}
	}
}

// BenchmarkDecide_60Items decides on the step with the most guards.
func BenchmarkDecide_60Items(b *testing.B) {
	kyc := shippedDefinition(b, "accounting-onboarding-kyc.yaml")
	owners := make([]any, 0, 28)
	for range 28 {
		id := schema.NewID()
		owners = append(owners, map[string]any{"id": id, "name": id})
	}
	f := factsIn(kyc, "in_review", kycComplete)
	f.Data["beneficial_owners"] = owners
	kyc.sync(f)
	all(Accepted)(f)
	if n := len(f.applicable()); n < 60 {
		b.Fatalf("%d items", n)
	}
	did("start_review", "submitted", "in_review", "sam")(f)
	b.ReportAllocs()
	for b.Loop() {
		if v := kyc.Decide(f, "accept_client", pat, &Input{}); !v.Allowed {
			b.Fatal(v.Blockers)
		}
	}
}
