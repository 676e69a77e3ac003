package hooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

const taxReference = "GB-555-1234567"

// onboarding opens the KYC workflow for an organization.
func onboarding(t *testing.T, s *gatetest.Stage, org *core.Record) string {
	t.Helper()
	return s.Open(t, s.Sam, workflow.NewRequest{Workflow: "acct_onboarding_kyc", Organization: org.Id, Title: "Welcome"})
}

// kycData is a complete answer of Anna's to the fields.
func kycData() map[string]any {
	return map[string]any{
		"entity_type": "limited_company", "legal_name": "Bluebell Bakery Ltd", "registration_no": "01234567", "tax_reference": taxReference,
		"year_end": "03-31", "beneficial_owners": []any{map[string]any{"id": "ada", "name": "Ada Hill"}}, "is_pep": false,
	}
}

// kycAnswers gives every open item of Anna's.
func kycAnswers(t *testing.T, s *gatetest.Stage, id string) {
	t.Helper()
	answers := map[string]map[string]any{
		"ownership_chart": {"structure": "Ada owns all of it."}, "previous_accountant": {"none_before": true}, "authority_to_act": {"accepted": true}, "pep_details": {"text": "None."},
	}
	day := func(years, months int) string { return s.Clock.Now().AddDate(years, months, 0).Format("2006-01-02") }
	metadata := map[string]map[string]any{"photo_id": {"document_expiry": day(3, 0)}, "address_proof": {"issued_on": day(0, -1)}}
	for _, i := range openItems(t, s, id) {
		switch key := i.GetString("key"); i.GetString("kind") {
		case "file":
			s.Clock.Move(time.Second)
			s.Upload(t, s.Anna, i.Id, key+".pdf", metadata[key])
		default:
			s.Answer(t, s.Anna, i.Id, answers[key])
		}
	}
}

// openItems are the required items of the client that are not there.
func openItems(t *testing.T, s *gatetest.Stage, id string) []*core.Record {
	t.Helper()
	items, err := s.FindRecordsByFilter("items", "request = {:id} && active = true && required = true && section != 'engagement' && (status = 'missing' || status = 'rejected')", "position", 0, 0, dbx.Params{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// acceptAll decides on every provided item, each by who may.
func acceptAll(t *testing.T, s *gatetest.Stage, id string) {
	t.Helper()
	items, err := s.FindRecordsByFilter("items", "request = {:id} && active = true && status = 'provided'", "position", 0, 0, dbx.Params{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		who := s.Sam
		if i.GetString("section") == "identity" || i.GetString("key") == "pep_details" {
			who = s.Ruth
		}
		if i.GetString("section") != "engagement" {
			s.Decide(t, who, i.Id, "accepted", "")
		}
	}
}

// inReview brings a request of Bluebell's into review by Sam, complete.
func inReview(t *testing.T, s *gatetest.Stage) string {
	t.Helper()
	id := onboarding(t, s, s.Bluebell)
	for _, do := range []func(){
		func() { s.Move(t, s.Sam, id, "invite") },
		func() { want(t, s.Ask(t, s.Anna, "PATCH", request(id), map[string]any{"data": kycData()}), 200) },
		func() { kycAnswers(t, s, id) },
		func() { s.Move(t, s.Anna, id, "submit") },
		func() { s.Move(t, s.Sam, id, "start_review") },
	} {
		s.Clock.Move(time.Second) // no two things happen at once
		do()
	}
	return id
}

// blocked asks for a step that must be refused, and gives the codes with what
// they are about.
func blocked(t *testing.T, s *gatetest.Stage, who *core.Record, id string, body map[string]any) []string {
	t.Helper()
	a := s.Ask(t, who, "POST", request(id, "/transition"), body)
	want(t, a, 400)
	var list []string
	for _, b := range a.Body["blockers"].([]any) {
		m := b.(map[string]any)
		about, _ := m["field"].(string)
		if item, _ := m["item"].(string); item != "" {
			r, err := s.FindRecordById("items", item)
			if err != nil {
				t.Fatal(err)
			}
			about = r.GetString("key")
		}
		list = append(list, strings.TrimSpace(m["code"].(string)+" "+about))
	}
	return list
}

func equalLists(t *testing.T, what string, got, wanted []string) {
	t.Helper()
	if !slices.Equal(got, wanted) {
		t.Fatalf("%s:\n got  %q\n want %q", what, got, wanted)
	}
}

// shownItems lists what a person is shown: key and title, in order.
func shownItems(t *testing.T, view gatetest.Answer) []string {
	t.Helper()
	var list []string
	for _, section := range view.Body["sections"].([]any) {
		for _, i := range section.(map[string]any)["items"].([]any) {
			m := i.(map[string]any)
			list = append(list, m["key"].(string)+"/"+m["instance"].(string)+" "+m["title"].(string))
		}
	}
	return list
}

func itemAt(t *testing.T, s *gatetest.Stage, id, key, instance string) *core.Record {
	t.Helper()
	r, err := s.FindFirstRecordByFilter("items", "request = {:r} && key = {:k} && instance = {:i}", dbx.Params{"r": id, "k": key, "i": instance})
	if err != nil {
		t.Fatal(key, instance, err)
	}
	return r
}

func TestKYC_invitingNeedsSomebodyToInvite(t *testing.T) {
	s := gatetest.New(t)
	heron := s.Add(t, "organizations", map[string]any{"name": "Heron Books", "code": "HER"})
	id := onboarding(t, s, heron)
	equalLists(t, "nobody is there", blocked(t, s, s.Sam, id, map[string]any{"transition": "invite"}), []string{"nobody_invited"})
	invite := func(email, role string) {
		t.Helper()
		want(t, s.Ask(t, s.Mia, "POST", "/api/portal/invitations", map[string]any{"email": email, "organization": heron.Id, "role": role}), 200)
	}
	invite("vic@example.com", "viewer")
	equalLists(t, "a viewer on the way is no admin", blocked(t, s, s.Sam, id, map[string]any{"transition": "invite"}), []string{"nobody_invited"})
	invite("hal@example.com", "admin")
	step(t, s, s.Sam, id, "invite", nil, "collecting")
	if second := s.Ask(t, s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "acct_onboarding_kyc", "organization": heron.Id}); second.Status != 400 || second.Code("organization") != "open_request" {
		t.Fatalf("a second live onboarding was opened: %s", second.Raw)
	}
}

func TestKYC_itemsFollowTheData(t *testing.T) {
	s := gatetest.New(t)
	id := onboarding(t, s, s.Bluebell)
	want(t, s.Ask(t, s.Anna, "GET", request(id), nil), 404)
	s.Move(t, s.Sam, id, "invite")
	look := func() gatetest.Answer {
		t.Helper()
		a := s.Ask(t, s.Anna, "GET", request(id), nil)
		want(t, a, 200)
		return a
	}
	patch := func(data map[string]any) gatetest.Answer {
		t.Helper()
		a := s.Ask(t, s.Anna, "PATCH", request(id), map[string]any{"data": data})
		want(t, a, 200)
		return a
	}
	books := []string{"last_accounts/ Last filed accounts", "trial_balance/ Latest trial balance", "previous_accountant/ Previous accountant contact", "authority_to_act/ Authority for us to act with the tax office"}
	if v := look(); v.Body["label"] != "We need some things from you" || v.Body["turn"] != "client" {
		t.Fatalf("Anna is shown %v %v", v.Body["label"], v.Body["turn"])
	}
	equalLists(t, "before anything is known, only what everybody gives", shownItems(t, look()), books)

	patch(map[string]any{"entity_type": "limited_company"})
	company := []string{"incorporation_cert/ Certificate of incorporation", "ownership_chart/ Who owns 25% or more"}
	equalLists(t, "a company shows its papers", shownItems(t, look()), slices.Concat(company, books))
	patch(map[string]any{"entity_type": "trust", "is_pep": true})
	trust := []string{"ownership_chart/ Who owns 25% or more", "trust_deed/ Trust deed", "pep_details/ Details of the exposed position"}
	equalLists(t, "a trust with an exposed person shows others", shownItems(t, look()), slices.Concat(trust, books))
	chart := itemAt(t, s, id, "ownership_chart", "").Id
	want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/items/"+chart, map[string]any{"answers": map[string]any{"structure": "Half and half"}}), 200)
	patch(map[string]any{"entity_type": "sole_trader", "is_pep": false})
	equalLists(t, "a sole trader gives none of them", shownItems(t, look()), books)
	patch(map[string]any{"entity_type": "limited_company"})
	if back := itemAt(t, s, id, "ownership_chart", ""); back.Id != chart || back.GetString("status") != "provided" || !strings.Contains(back.GetString("answers"), "Half and half") {
		t.Fatalf("the form came back empty: %v", back.PublicExport())
	}

	people := patch(map[string]any{"beneficial_owners": []any{map[string]any{"name": "Ada Hill"}, map[string]any{"name": "Bo Hill"}}})
	owners := fieldValue(people, "beneficial_owners").([]any)
	ada, bo := owners[0].(map[string]any), owners[1].(map[string]any)
	if ada["id"] == "" || ada["id"] == bo["id"] {
		t.Fatalf("people need ids of their own: %v", owners)
	}
	adaID, boID := ada["id"].(string), bo["id"].(string)
	equalLists(t, "each owner has an id and a proof of address", shownItems(t, look())[:4], []string{
		"photo_id/" + adaID + " Passport or driving licence: Ada Hill", "address_proof/" + adaID + " Proof of home address: Ada Hill",
		"photo_id/" + boID + " Passport or driving licence: Bo Hill", "address_proof/" + boID + " Proof of home address: Bo Hill",
	})
	passport := itemAt(t, s, id, "photo_id", boID)
	s.Upload(t, s.Anna, passport.Id, "bo.pdf", map[string]any{"document_expiry": "2040-01-01"})

	patch(map[string]any{"beneficial_owners": []any{map[string]any{"id": adaID, "name": "Ada Hill-Stone"}}})
	equalLists(t, "a new name keeps the item, a person who left takes his away", shownItems(t, look())[:3], []string{
		"photo_id/" + adaID + " Passport or driving licence: Ada Hill-Stone", "address_proof/" + adaID + " Proof of home address: Ada Hill-Stone", company[0],
	})
	patch(map[string]any{"beneficial_owners": []any{map[string]any{"id": boID, "name": "Bo Hill"}, map[string]any{"id": adaID, "name": "Ada Hill-Stone"}}})
	again := clientItem(t, s, s.Anna, id, "Passport or driving licence: Bo Hill")
	if again["id"] != passport.Id || again["status"] != "provided" || len(again["documents"].([]any)) != 1 {
		t.Fatalf("Bo came back without the passport: %v", again)
	}
	if first := shownItems(t, look())[0]; first != "photo_id/"+boID+" Passport or driving licence: Bo Hill" {
		t.Errorf("the order of the list is the order of the items, but %q is first", first)
	}
}

func fieldValue(view gatetest.Answer, key string) any {
	for _, f := range view.Body["fields"].([]any) {
		if m := f.(map[string]any); m["key"] == key {
			return m["value"]
		}
	}
	return nil
}

// A masked value is whole in one place only, whatever is written of it.
func TestKYC_maskedFieldIsWholeInOnePlaceOnly(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	s.Deliver(t)
	var tables []string
	if err := s.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'table'`).Column(&tables); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		rows, err := s.DB().NewQuery("SELECT * FROM [[" + table + "]]").Rows()
		if err != nil {
			t.Fatal(table, err)
		}
		found := 0
		for rows.Next() {
			row := dbx.NullStringMap{}
			if err := rows.ScanMap(row); err != nil {
				t.Fatal(table, err)
			}
			for _, v := range row {
				if strings.Contains(v.String, taxReference) {
					found++
				}
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if wanted := map[bool]int{true: 1}[table == "field_secrets"]; found != wanted {
			t.Errorf("%s holds the whole value %d times, not %d", table, found, wanted)
		}
	}
	for _, who := range []*core.Record{s.Anna, s.Sam, s.Ruth, s.Pat} {
		v := s.Ask(t, who, "GET", request(id), nil)
		if got := fieldValue(v, "tax_reference"); got != strings.Repeat("•", len(taxReference)-4)+"4567" || bytes.Contains(v.Raw, []byte(taxReference)) {
			t.Errorf("%s is shown %v", who.GetString("name"), got)
		}
		want(t, s.Ask(t, who, "GET", "/api/collections/field_secrets/records", nil), 403)
	}
	// What the page shows is the mask: sending it back is no change.
	step(t, s, s.Anna, reopenedFor(t, s, id), "submit", nil, "submitted")
	var whole string
	scan(t, s.App(), `SELECT value FROM field_secrets WHERE request = {:id}`, id, &whole)
	if whole != taxReference {
		t.Errorf("saving the page again turned the value into %q", whole)
	}
}

// reopenedFor sends one item back and lets Anna repair it, saving the whole page
// on her way.
func reopenedFor(t *testing.T, s *gatetest.Stage, id string) string {
	t.Helper()
	deed := itemAt(t, s, id, "last_accounts", "")
	s.Decide(t, s.Sam, deed.Id, "rejected", "Of the wrong year")
	s.Move(t, s.Sam, id, "ask_corrections")
	view := s.Ask(t, s.Anna, "GET", request(id), nil)
	want(t, s.Ask(t, s.Anna, "PATCH", request(id), map[string]any{"data": map[string]any{"tax_reference": fieldValue(view, "tax_reference"), "year_end": "04-05"}}), 200)
	s.Upload(t, s.Anna, deed.Id, "right-year.pdf", nil)
	return id
}

func TestStory_onboardingWithoutAnyConnection(t *testing.T) {
	s := gatetest.New(t)
	id := onboarding(t, s, s.Bluebell)
	s.Move(t, s.Sam, id, "invite")
	equalLists(t, "everything that is missing is a blocker", blocked(t, s, s.Anna, id, map[string]any{"transition": "submit"}), []string{
		"item_missing last_accounts", "item_missing previous_accountant", "item_missing authority_to_act",
		"field_missing entity_type", "field_missing tax_reference", "field_missing year_end", "field_missing beneficial_owners", "field_missing is_pep",
	})
	want(t, s.Ask(t, s.Anna, "PATCH", request(id), map[string]any{"data": kycData()}), 200)
	want(t, s.Ask(t, s.Anna, "PATCH", request(id), map[string]any{"data": map[string]any{"risk_rating": "low"}}), 400)
	kycAnswers(t, s, id)
	equalLists(t, "a viewer does not send", blocked(t, s, s.Vera, id, map[string]any{"transition": "submit"}), []string{"not_yours"})
	step(t, s, s.Anna, id, "submit", nil, "submitted")
	step(t, s, s.Anna, id, "recall", nil, "collecting")
	step(t, s, s.Anna, id, "submit", nil, "submitted")
	step(t, s, s.Sam, id, "start_review", nil, "in_review")
	equalLists(t, "after the review has started nothing is taken back", blocked(t, s, s.Anna, id, map[string]any{"transition": "recall"}), []string{"unknown_transition"})

	passport := itemAt(t, s, id, "photo_id", "ada")
	notHis := s.Ask(t, s.Sam, "PATCH", "/api/portal/items/"+passport.Id, map[string]any{"status": "accepted"})
	if want(t, notHis, 400); notHis.Code(passport.Id) != "not_yours" {
		t.Fatalf("the handler decided for compliance: %s", notHis.Raw)
	}
	s.Decide(t, s.Ruth, passport.Id, "rejected", "The photo is blurred")
	if shown := clientItem(t, s, s.Anna, id, passport.GetString("title")); shown["status"] != "provided" {
		t.Fatalf("the decision is out too early: %v", shown["status"])
	}
	step(t, s, s.Ruth, id, "ask_corrections", nil, "fixing")
	if shown := clientItem(t, s, s.Anna, id, passport.GetString("title")); shown["status"] != "rejected" || shown["editable"] != true || shown["comment"] != "The photo is blurred" {
		t.Fatalf("what is sent back: %v", shown)
	}
	if other := clientItem(t, s, s.Anna, id, "Last filed accounts"); other["editable"] != false || other["why"] != "You sent this already. We only need the other items now." {
		t.Fatalf("only what was sent back is open: %v", other)
	}
	kycAnswers(t, s, id)
	step(t, s, s.Anna, id, "submit", nil, "submitted")
	step(t, s, s.Sam, id, "start_review", nil, "in_review")

	equalLists(t, "a hold needs a reason", blocked(t, s, s.Sam, id, map[string]any{"transition": "escalate"}), []string{"note_required internal_note"})
	step(t, s, s.Ruth, id, "escalate", map[string]any{"internal_note": "Name on a list"}, "compliance_hold")
	equalLists(t, "who escalates does not release", blocked(t, s, s.Ruth, id, map[string]any{"transition": "release", "internal_note": "Fine"}), []string{"same_person"})
	step(t, s, s.Pat, id, "release", map[string]any{"internal_note": "Another person of that name"}, "in_review")

	blockers := blocked(t, s, s.Pat, id, map[string]any{"transition": "accept_client"})
	if !slices.Contains(blockers, "item_open photo_id") || !slices.Contains(blockers, "field_missing risk_rating") || !slices.Contains(blockers, "field_missing risk_note") {
		t.Fatalf("what stands in the way: %q", blockers)
	}
	acceptAll(t, s, id)
	want(t, s.Ask(t, s.Ruth, "PATCH", request(id), map[string]any{"data": map[string]any{"risk_rating": "low", "risk_note": "Known for years"}}), 200)
	equalLists(t, "only the partner accepts", blocked(t, s, s.Sam, id, map[string]any{"transition": "accept_client"}), []string{"not_yours", "same_person"})
	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); bytes.Contains(seen.Raw, []byte("engagement_letter")) || bytes.Contains(seen.Raw, []byte("risk")) {
		t.Fatalf("Anna sees what is not hers, or not yet: %s", seen.Raw)
	}
	step(t, s, s.Pat, id, "accept_client", nil, "engagement")

	letter := clientItem(t, s, s.Anna, id, "Read and accept the engagement letter")
	if letter["editable"] != true || !strings.Contains(fmt.Sprint(letter["ask"]), "Thank you for choosing us") {
		t.Fatalf("the letter cannot be read and accepted: %v", letter)
	}
	equalLists(t, "the letter comes first", blocked(t, s, s.Anna, id, map[string]any{"transition": "sign"}), []string{"item_missing engagement_letter"})
	signed := s.Ask(t, s.Anna, "PATCH", "/api/portal/items/"+letter["id"].(string), map[string]any{"answers": map[string]any{"accepted": true}})
	if want(t, signed, 200); bytes.Contains(signed.Raw, []byte("text_sha256")) {
		t.Fatal("the record of the acceptance is not for the page")
	}
	if kept := itemAt(t, s, id, "engagement_letter", "").GetString("answers"); !strings.Contains(kept, `"text_sha256"`) || !strings.Contains(kept, `"name":"Anna"`) || !strings.Contains(kept, `"ip"`) {
		t.Fatalf("the acceptance is not on record: %s", kept)
	}
	step(t, s, s.Anna, id, "sign", nil, "provisioning")
	s.Deliver(t)
	view := s.Ask(t, s.Sam, "GET", request(id), nil)
	if view.Body["state"] != "approved" {
		t.Fatalf("without any connection it stays in %v", view.Body["state"])
	}
	for _, j := range view.Body["jobs"].([]any) {
		if job := j.(map[string]any); job["status"] != "skipped" || !strings.HasPrefix(job["last_error"].(string), "No ") {
			t.Errorf("job %v", job)
		}
	}

	// One thing turns out to be wrong.
	accounts := itemAt(t, s, id, "last_accounts", "").Id
	equalLists(t, "a reopening names its items", blocked(t, s, s.Sam, id, map[string]any{"transition": "reopen"}), []string{"items_required items"})
	equalLists(t, "and says why, for each", blocked(t, s, s.Sam, id, map[string]any{"transition": "reopen", "items": []string{accounts}}), []string{"comment_required last_accounts"})
	step(t, s, s.Sam, id, "reopen", map[string]any{"items": []string{accounts}, "comments": map[string]any{accounts: "The last page is missing"}}, "fixing")
	if back := clientItem(t, s, s.Anna, id, "Last filed accounts"); back["editable"] != true || back["comment"] != "The last page is missing" {
		t.Fatalf("the reopened item: %v", back)
	}
	for _, done := range []string{passport.GetString("title"), "Authority for us to act with the tax office"} {
		if other := clientItem(t, s, s.Anna, id, done); other["editable"] != false || other["status"] != "accepted" {
			t.Fatalf("a reopening of one item touched another: %v", other)
		}
	}
	equalLists(t, "the old copy does not count", blocked(t, s, s.Anna, id, map[string]any{"transition": "submit"}), []string{"item_missing last_accounts"})
	s.Upload(t, s.Anna, accounts, "whole.pdf", nil)
	step(t, s, s.Anna, id, "submit", nil, "submitted")
	step(t, s, s.Sam, id, "start_review", nil, "in_review")
	s.Decide(t, s.Sam, accounts, "accepted", "")
	step(t, s, s.Pat, id, "accept_client", nil, "engagement")
	step(t, s, s.Anna, id, "sign", nil, "provisioning")
	s.Deliver(t)
	equalLists(t, "an archive has its time, also for people", blocked(t, s, s.Sam, id, map[string]any{"transition": "archive"}), []string{"too_early"})
	s.Clock.Move(31 * 24 * time.Hour)
	pass(t, s)
	trail(t, s, id, 20)
	var state string
	if scan(t, s.App(), `SELECT state FROM requests WHERE id = {:id}`, id, &state); state != "archived" {
		t.Fatalf("after a month it is %s", state)
	}
}

// pass does what the clock does every minute.
func pass(t *testing.T, s *gatetest.Stage) {
	t.Helper()
	due, err := s.House.Engine.Due(s.App())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range due {
		if err := s.House.Engine.Pass(context.Background(), id); err != nil {
			t.Fatal(err)
		}
	}
	s.Deliver(t)
}

// newStaff hires somebody.
func newStaff(t *testing.T, s *gatetest.Stage, name string, duties ...string) *core.Record {
	t.Helper()
	r := s.Add(t, "staff", map[string]any{"email": name + "@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "verified": true, "name": name, "role": "operator", "duties": duties, "active": true})
	return r
}

// Every step of both shipped workflows can be taken, by somebody, in some story.
func TestShippedWorkflows_everyStepIsWalked(t *testing.T) {
	s := gatetest.New(t)
	quinn := newStaff(t, s, "Quinn", "partner")
	note := workflow.Input{InternalNote: "Because"}
	say := workflow.Input{ClientComment: "Because"}

	simple := func() string {
		id := s.Simple(t)
		s.Move(t, s.Sam, id, "send")
		s.AllProvided(t, id)
		s.Move(t, s.Anna, id, "submit")
		return id
	}
	one := simple()
	s.Move(t, s.Anna, one, "take_back")
	s.Move(t, s.Anna, one, "submit")
	s.Move(t, s.Sam, one, "start_review")
	s.Decide(t, s.Sam, s.Item(t, one, "Any loans?").Id, "more_needed", "Also the old ones")
	s.Move(t, s.Sam, one, "ask_again")
	s.Answer(t, s.Anna, s.Item(t, one, "Any loans?").Id, map[string]any{"text": "None at all"})
	s.Move(t, s.Anna, one, "submit")
	s.Move(t, s.Sam, one, "start_review")
	for _, title := range []string{"Bank statement", "Any loans?", "All is complete"} {
		s.Decide(t, s.Sam, s.Item(t, one, title).Id, "accepted", "")
	}
	s.Move(t, s.Sam, one, "approve")
	s.Move(t, s.Sam, one, "reopen", note)
	s.Move(t, s.Sam, one, "reject", say)
	if err := s.Try(s.Sam, one, "archive"); err == nil {
		t.Fatal("archived before its time")
	}
	s.Clock.Move(61 * 24 * time.Hour)
	s.Move(t, s.Sam, one, "archive")

	two := inReview(t, s)
	s.Decide(t, s.Sam, itemAt(t, s, two, "last_accounts", "").Id, "rejected", "Of the wrong year")
	s.Move(t, s.Sam, two, "ask_corrections")
	kycAnswers(t, s, two)
	s.Move(t, s.Anna, two, "submit")
	s.Move(t, s.Sam, two, "start_review")
	s.Move(t, s.Sam, two, "escalate", note)
	s.Move(t, s.Ruth, two, "release", note)
	acceptAll(t, s, two)
	want(t, s.Ask(t, s.Ruth, "PATCH", request(two), map[string]any{"data": map[string]any{"risk_rating": "low", "risk_note": "Fine"}}), 200)
	s.Move(t, s.Pat, two, "accept_client")
	s.Answer(t, s.Anna, itemAt(t, s, two, "engagement_letter", "").Id, map[string]any{"accepted": true})
	dead := func() {
		t.Helper()
		// No connection is there to fail: what one would leave behind.
		if _, err := s.DB().NewQuery(`UPDATE jobs SET status = 'dead', last_error = 'Refused' WHERE request = {:id} AND name = 'ledger.create_contact'`).Bind(dbx.Params{"id": two}).Execute(); err != nil {
			t.Fatal(err)
		}
		s.Deliver(t)
		isIn(t, s, two, "sync_blocked")
	}
	s.Move(t, s.Anna, two, "sign")
	dead()
	s.Move(t, s.Sam, two, "retry_setup")
	dead()
	if err := s.Try(s.Pat, two, "finish_manually", note); err == nil {
		t.Fatal("done by hand without a reference")
	}
	s.Move(t, s.Pat, two, "finish_manually", workflow.Input{InternalNote: "By hand", ExternalReference: "L-100"})
	s.Move(t, s.Sam, two, "reopen", workflow.Input{Items: []string{itemAt(t, s, two, "last_accounts", "").Id}, Comments: map[string]string{itemAt(t, s, two, "last_accounts", "").Id: "Once more"}})
	s.Move(t, s.Pat, two, "decline", note)
	if err := s.Try(s.Pat, two, "reconsider", note); err == nil {
		t.Fatal("who declined reconsidered alone")
	}
	s.Move(t, quinn, two, "reconsider", note)
	s.Move(t, s.Pat, two, "decline", note)
	s.Clock.Move(31 * 24 * time.Hour)
	pass(t, s)
	isIn(t, s, two, "archived")

	three := inReview(t, s)
	acceptAll(t, s, three)
	want(t, s.Ask(t, s.Ruth, "PATCH", request(three), map[string]any{"data": map[string]any{"risk_rating": "low", "risk_note": "Fine"}}), 200)
	s.Move(t, s.Pat, three, "accept_client")
	s.Answer(t, s.Anna, itemAt(t, s, three, "engagement_letter", "").Id, map[string]any{"accepted": true})
	s.Move(t, s.Anna, three, "sign")
	s.Deliver(t)
	isIn(t, s, three, "approved")
	four := onboarding(t, s, s.Leeds)
	s.Move(t, s.Sam, four, "invite")
	if err := s.Try(s.Ben, four, "submit"); err == nil {
		t.Fatal("a member without the role sent the onboarding")
	}
	want(t, s.Ask(t, s.Anna, "PATCH", request(four), map[string]any{"data": kycData()}), 200)
	kycAnswers(t, s, four)
	s.Move(t, s.Anna, four, "submit") // an admin above
	s.Move(t, s.Anna, four, "recall")

	everyStepWalked(t, s, "simple_request")
	everyStepWalked(t, s, "acct_onboarding_kyc")
}

func isIn(t *testing.T, s *gatetest.Stage, id, state string) {
	t.Helper()
	var is string
	if scan(t, s.App(), `SELECT state FROM requests WHERE id = {:id}`, id, &is); is != state {
		t.Fatalf("it is in %s, not %s", is, state)
	}
}

func definitionOf(t testing.TB, s *gatetest.Stage, key string) *workflow.Compiled {
	t.Helper()
	var id string
	if err := s.DB().NewQuery(`SELECT id FROM workflows WHERE key = {:key} ORDER BY version DESC LIMIT 1`).Bind(dbx.Params{"key": key}).Row(&id); err != nil {
		t.Fatal(err)
	}
	def, err := s.House.Engine.Definition(s.App(), id)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// everything is all that a person can get out of the portal about a request:
// lists in several orders, single records, own endpoints, notices and mails, and
// the answers to acts that are not allowed.
func everything(t *testing.T, s *gatetest.Stage, who *core.Record, id string) map[string]string {
	t.Helper()
	seen := map[string]string{}
	get := func(path string) {
		a := s.Ask(t, who, "GET", path, nil)
		seen["GET "+path] = plainly(a)
	}
	try := func(method, path string, body map[string]any) {
		a := s.Ask(t, who, method, path, body)
		if a.Status < 400 {
			t.Errorf("%s %s by %s was to be refused: %s", method, path, who.GetString("name"), a.Raw)
		}
		seen[method+" "+path+" "+toJSON(body)] = plainly(a)
	}
	for collection, sorts := range map[string][]string{
		"client_requests": {"-created", "-updated", "due", "state_since", "-revision", "label"}, "client_items": {"position", "-updated", "status", "label"},
		"client_history": {"-at,id", "created,id"}, "messages": {"-created", "-updated"}, "documents": {"-created,id", "-updated,id", "title,id"}, "notifications": {"-created,id"},
		"requests": {"-updated", "-revision"}, "items": {"-updated"}, "transitions": {"-at"}, "internal_notes": {"-created"}, "request_people": {"created"}, "audit_log": {"-seq"}, "jobs": {"created"},
		"organizations": {"-updated"}, "memberships": {"-updated"},
	} {
		for _, sort := range sorts {
			get("/api/collections/" + collection + "/records?perPage=200&sort=" + sort)
		}
		get("/api/collections/" + collection + "/records?skipTotal=1")
		get("/api/collections/" + collection + "/records/" + id)
	}
	for _, filter := range []string{"state='compliance_hold'", "label~'hold'", "revision>3"} {
		get("/api/collections/client_requests/records?filter=" + strings.NewReplacer("'", "%27", "=", "%3D", "~", "%7E", ">", "%3E").Replace(filter))
	}
	for _, path := range []string{request(id), request(id, "/actions"), request(id, "/timeline?perPage=100"), "/api/portal/home", "/api/portal/requests?show=with_us", "/api/portal/requests?show=needs_you", "/api/portal/me"} {
		get(path)
	}
	passport, accounts := itemAt(t, s, id, "photo_id", "ada").Id, itemAt(t, s, id, "last_accounts", "").Id
	for _, key := range []string{"submit", "recall", "sign", "release", "escalate", "ask_corrections", "accept_client", "decline", "fly"} {
		try("POST", request(id, "/transition"), map[string]any{"transition": key, "internal_note": "x", "client_comment": "x"})
	}
	try("POST", request(id, "/transition"), map[string]any{"transition": "submit", "expected_revision": 1})
	try("PATCH", request(id), map[string]any{"data": map[string]any{"legal_name": "Other"}})
	try("PATCH", request(id), map[string]any{"data": map[string]any{"risk_rating": "high"}})
	try("PATCH", request(id), map[string]any{"title": "Other"})
	try("PATCH", request(id), map[string]any{"data": map[string]any{"year_end": "01-01"}, "expected_revision": 2})
	try("PATCH", "/api/portal/items/"+passport, map[string]any{"answers": map[string]any{"text": "x"}})
	try("PATCH", "/api/portal/items/"+passport, map[string]any{"status": "accepted"})
	try("POST", request(id, "/items"), map[string]any{"section": "books", "template": "last_accounts", "title": "x"})
	try("DELETE", "/api/portal/items/"+accounts, nil)
	try("PATCH", "/api/collections/requests/records/"+id, map[string]any{"state": "in_review"})
	try("PATCH", "/api/collections/items/records/"+accounts, map[string]any{"status": "accepted"})
	try("POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "x"})
	try("POST", "/api/collections/messages/records", map[string]any{"request": id, "body": ""})
	locked := s.Send(t, who, map[string]string{"item": accounts}, "late.pdf", gatetest.PDF("late"))
	seen["upload to a closed item"] = plainly(locked)

	for table, where := range map[string]string{"mails": `[[to]] = {:email}`, "notifications": `[[user]] = {:who}`} {
		var rows []dbx.NullStringMap
		if err := s.DB().NewQuery("SELECT * FROM " + table + " WHERE " + where + " ORDER BY rowid").Bind(bindFor(where, who)).All(&rows); err != nil {
			t.Fatal(table, err)
		}
		seen["rows of "+table] = toJSON(rows)
	}
	return seen
}

// plainly is an answer with its members in order: the router writes objects in
// any order.
func plainly(a gatetest.Answer) string {
	if a.List != nil {
		return fmt.Sprint(a.Status, " ", toJSON(a.List))
	}
	return fmt.Sprint(a.Status, " ", toJSON(a.Body))
}

func bindFor(where string, who *core.Record) dbx.Params {
	if strings.Contains(where, "{:email}") {
		return dbx.Params{"email": who.Email()}
	}
	return dbx.Params{"who": who.Id}
}

func TestHold_leavesNoTraceForTheClient(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	s.Decide(t, s.Sam, itemAt(t, s, id, "last_accounts", "").Id, "rejected", "Of the wrong year") // decided, not out
	want(t, s.Ask(t, s.Sam, "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "We are at it."}), 200)
	s.Deliver(t)
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/home", nil), 200) // notes her visit, at most once a minute
	before := everything(t, s, s.Anna, id)
	if len(before) < 70 || !strings.Contains(before["GET "+request(id)], "We are checking your documents") || !strings.Contains(before["rows of mails"], "anna@example.com") {
		t.Fatalf("the net has holes: %d answers", len(before))
	}
	same := func(when string) {
		t.Helper()
		s.Deliver(t)
		s.Clock.Move(5 * time.Second)
		after := everything(t, s, s.Anna, id)
		for _, what := range slices.Sorted(maps.Keys(before)) {
			if before[what] != after[what] {
				t.Errorf("%s Anna can tell by %s: %s", when, what, difference(before[what], after[what]))
			}
		}
	}
	same("while nothing happens,")
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "Name on a list"})
	same("after the escalation")
	want(t, s.Ask(t, s.Ruth, "PATCH", request(id), map[string]any{"assignee": s.Ruth.Id, "priority": "urgent", "tags": []string{"list"}, "data": map[string]any{"risk_rating": "high", "risk_note": "On a list"}}), 200)
	want(t, s.Ask(t, s.Ruth, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "Asked the register."}), 200)
	want(t, s.Ask(t, s.Ruth, "PATCH", request(id), map[string]any{"due": "2039-01-01"}), 200)
	same("after work inside the hold")
	s.Clock.Move(10 * time.Second)
	s.Move(t, s.Ruth, id, "release", workflow.Input{InternalNote: "Another person"})
	same("after the release")
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "Once more"})
	s.Move(t, s.Ruth, id, "release", workflow.Input{InternalNote: "No"})
	same("after a second hold")
	if face, err := s.House.Engine.Rebuild(s.App(), id); err != nil || face.State != "in_review" {
		t.Fatalf("rebuilt: %+v %v", face, err)
	}
}

// Two firms with the same story, one with a hold: afterwards nothing tells them
// apart, not even when the next thing happens.
func TestHold_twinRequestLooksTheSame(t *testing.T) {
	held, plain := gatetest.New(t), gatetest.New(t)
	plain.Clock.Move(held.Clock.Now().Sub(plain.Clock.Now()))
	start := held.Clock.Now()
	ids := map[*gatetest.Stage]string{}
	for _, s := range []*gatetest.Stage{held, plain} {
		ids[s] = inReview(t, s)
		s.Decide(t, s.Sam, itemAt(t, s, ids[s], "last_accounts", "").Id, "rejected", "Of the wrong year")
		s.Deliver(t)
		s.Clock.Move(time.Hour)
	}
	held.Move(t, held.Sam, ids[held], "escalate", workflow.Input{InternalNote: "Name on a list"})
	held.Deliver(t)
	for _, s := range []*gatetest.Stage{held, plain} {
		s.Clock.Move(26 * time.Hour)
	}
	compare := func(when string) {
		t.Helper()
		a, b := everything(t, held, held.Anna, ids[held]), everything(t, plain, plain.Anna, ids[plain])
		x, y := normal(a, start), normal(b, start)
		for _, what := range slices.Sorted(maps.Keys(x)) {
			if x[what] != y[what] {
				t.Errorf("%s they differ in %s: %s", when, what, difference(x[what], y[what]))
			}
		}
		if len(x) != len(y) {
			t.Errorf("%s there are %d and %d answers", when, len(x), len(y))
		}
	}
	compare("in the hold")
	held.Move(t, held.Ruth, ids[held], "release", workflow.Input{InternalNote: "Another person"})
	for _, s := range []*gatetest.Stage{held, plain} {
		s.Deliver(t)
		s.Clock.Move(time.Hour)
	}
	compare("after the release")
	for _, s := range []*gatetest.Stage{held, plain} {
		s.Move(t, s.Sam, ids[s], "ask_corrections")
		s.Deliver(t)
	}
	for _, s := range []*gatetest.Stage{held, plain} {
		if v := s.Ask(t, s.Anna, "GET", request(ids[s]), nil); v.Body["state"] != "fixing" {
			t.Fatalf("corrections: %s", v.Raw)
		}
	}
	views := map[string]string{}
	for name, s := range map[string]*gatetest.Stage{"held": held, "plain": plain} {
		a := map[string]string{}
		for _, path := range []string{request(ids[s]), request(ids[s], "/timeline?perPage=100"), "/api/portal/home", "/api/collections/client_requests/records", "/api/collections/client_items/records?sort=position", "/api/collections/client_history/records"} {
			a[path] = plainly(s.Ask(t, s.Anna, "GET", path, nil))
		}
		all := normal(a, start)
		views[name] = toJSON(all)
	}
	if views["held"] != views["plain"] {
		t.Errorf("after the next step they differ: %s", difference(views["held"], views["plain"]))
	}
}

// difference shows two texts around the first place where they differ.
func difference(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	around := func(s string) string { return s[max(0, n-150):min(len(s), n+150)] }
	return fmt.Sprintf("\n %q\n %q", around(a), around(b))
}

var (
	idPattern   = regexp.MustCompile(`\b(?:[a-z0-9]{15}|r[0-9a-f]{14})\b`)
	filePattern = regexp.MustCompile(`_[A-Za-z0-9]{10}\.pdf`)
	timePattern = regexp.MustCompile(`20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{3}Z`)
	hashPattern = regexp.MustCompile(`(?:<|\\u003c)[a-z0-9]+@[a-z0-9.]+(?:>|\\u003e)`)
	linkPattern = regexp.MustCompile(`[A-Za-z0-9_-]{40,}`)
)

// normal replaces what differs between any two portals: ids, names of stored
// files, and times that the real clock wrote. Times of the stage's clock stay,
// as the distance from its start.
func normal(answers map[string]string, start time.Time) map[string]string {
	out := map[string]string{}
	for what, text := range answers {
		text = timePattern.ReplaceAllStringFunc(text, func(x string) string {
			at := schema.Time(strings.Replace(x, "T", " ", 1))
			if at.Before(start) {
				return "<real>"
			}
			return at.Sub(start).String()
		})
		text = filePattern.ReplaceAllString(text, "_x.pdf")
		text = hashPattern.ReplaceAllString(text, "<message>")
		text = linkPattern.ReplaceAllString(text, "<long>")
		text = idPattern.ReplaceAllString(text, "<id>")
		// Lists whose order hangs on ids are compared as sets.
		if status, body, ok := strings.Cut(text, " "); ok && len(status) == 3 {
			text = status + " " + sorted(body)
		} else {
			text = sorted(text)
		}
		out[idPattern.ReplaceAllString(what, "<id>")+"#"+fmt.Sprint(len(text) > 0)] += text
	}
	return out
}

var tellTale = regexp.MustCompile(`.{0,300}(SECRETREASON|[Cc]ompliance.hold|[Ee]scalate).{0,300}`)

// sorted writes JSON with every list in order.
func sorted(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return toJSON(inOrder(v))
}

func inOrder(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for key, value := range x {
			x[key] = inOrder(value)
		}
	case []any:
		for n := range x {
			x[n] = inOrder(x[n])
		}
		slices.SortFunc(x, func(a, b any) int { return strings.Compare(toJSON(a), toJSON(b)) })
	}
	return v
}

// Staff without the duty see in the hold what the client sees, and no more.
func TestHold_staffWithoutTheDuty(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	want(t, s.Ask(t, s.Sam, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "Mine."}), 200)
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "SECRETREASON"})
	s.Deliver(t)
	item := itemAt(t, s, id, "last_accounts", "").Id
	for _, who := range []*core.Record{s.Sam, s.Mia, s.Ines} {
		t.Run(who.GetString("name"), func(t *testing.T) {
			view := s.Ask(t, who, "GET", request(id), nil)
			want(t, view, 200)
			if view.Body["side"] != "client" || view.Body["state"] != "in_review" || view.Body["label"] != "We are checking your documents" || view.Body["read_only"] == "" || len(view.Body["actions"].([]any)) != 0 {
				t.Errorf("is shown %s", view.Raw)
			}
			want(t, s.Ask(t, who, "GET", "/api/collections/requests/records/"+id, nil), 404)
			want(t, s.Ask(t, who, "PATCH", "/api/collections/requests/records/"+id, map[string]any{"title": "x"}), 404)
			want(t, s.Ask(t, who, "GET", "/api/collections/items/records/"+item, nil), 404)
			for _, list := range []string{"requests?filter=(id='" + id + "')", "items?filter=(request='" + id + "')", "transitions?filter=(request='" + id + "')", "internal_notes?filter=(request='" + id + "')", "request_people?filter=(request='" + id + "')", "jobs?filter=(request='" + id + "')"} {
				name, filter, _ := strings.Cut(list, "?")
				a := s.Ask(t, who, "GET", "/api/collections/"+name+"/records?"+strings.NewReplacer("=(", "=%28", "'", "%27", ")", "%29").Replace(filter), nil)
				if want(t, a, 200); a.Body["totalItems"] != 0.0 {
					t.Errorf("lists %s: %s", name, a.Raw)
				}
			}
			for _, path := range []string{"/api/collections/audit_log/records?perPage=200", "/api/collections/notifications/records?perPage=200", "/api/portal/queue?view=all", request(id, "/timeline"), "/api/portal/home", "/api/portal/clients/" + s.Bluebell.Id} {
				if told := tellTale.Find(s.Ask(t, who, "GET", path, nil).Raw); told != nil {
					t.Errorf("%s tells of the hold: %s", path, told)
				}
			}
			for _, key := range []string{"release", "decline", "ask_corrections", "accept_client"} {
				equalLists(t, "may not "+key, blocked(t, s, who, id, map[string]any{"transition": key, "internal_note": "x"}), []string{"unknown_transition"})
			}
			want(t, s.Ask(t, who, "PATCH", request(id), map[string]any{"title": "x"}), 400)
			want(t, s.Ask(t, who, "PATCH", request(id), map[string]any{"data": map[string]any{"risk_rating": "low"}}), 400)
			want(t, s.Ask(t, who, "PATCH", "/api/portal/items/"+item, map[string]any{"status": "accepted"}), 400)
			want(t, s.Ask(t, who, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "x"}), 404)
		})
	}
	for _, who := range []*core.Record{s.Ruth, s.Pat} {
		truth := s.Ask(t, who, "GET", request(id), nil)
		if truth.Body["state"] != "compliance_hold" || truth.Body["side"] != "staff" || truth.Body["client_sees"].(map[string]any)["state"] != "in_review" {
			t.Errorf("%s does not see the truth: %s", who.GetString("name"), truth.Raw)
		}
		want(t, s.Ask(t, who, "GET", "/api/collections/requests/records/"+id, nil), 200)
	}
	s.Move(t, s.Pat, id, "release", workflow.Input{InternalNote: "Fine"})
	if back := s.Ask(t, s.Sam, "GET", request(id), nil); back.Body["side"] != "staff" || back.Body["state"] != "in_review" {
		t.Errorf("after the release Sam is shown %s", back.Raw)
	}
	want(t, s.Ask(t, s.Sam, "GET", "/api/collections/items/records/"+item, nil), 200)
}
