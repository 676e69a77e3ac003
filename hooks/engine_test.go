package hooks_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// publish publishes a definition that a test brings along.
func publish(t testing.TB, s *gatetest.Stage, source string) {
	t.Helper()
	out, err := s.House.Engine.Import(s.App(), []byte(source), true, false)
	if err != nil || !out.OK() {
		t.Fatalf("%v %+v", err, out.Findings)
	}
}

// walled uses the steps that the shipped workflows do not have.
const walled = `
schema: gatehouse/workflow/v1
key: walled
version: 1
title: Matter with a conflict
subject: {collection: organizations}
initial: open
roles: {client: [client_admin], staff: [handler]}
fields:
  - {key: conflicted, type: text, label: Who must not see it, visibility: staff}
sections: []
states:
  - {key: open, label: Open, client_label: Open, category: review, turn: staff, owner: handler}
  - {key: walled, label: Walled, client_label: Open, category: review, turn: staff, owner: handler}
  - {key: done, label: Done, client_label: Done, category: done, outcome: void, turn: nobody, terminal: true}
transitions:
  - {key: wall_off, label: Keep it from somebody, from: [open], to: walled, by: [handler], requires: [internal_note], effects: [{apply_wall: conflicted}]}
  - {key: write, label: Send a text, from: [walled], to: done, by: [handler], requires: [client_template], effects: [{send_template: true}]}
`

func TestEffects_aWallTakesTheRequestOutOfSight(t *testing.T) {
	s := gatetest.New(t)
	publish(t, s, walled)
	kim := newStaff(t, s, "Kim", "handler")
	s.Clock.Move(time.Minute)
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "walled", Organization: s.Bluebell.Id})
	want(t, s.Ask(t, kim, "GET", request(id), nil), 200)
	wall := map[string]any{"transition": "wall_off", "internal_note": "Kim knows the other side"}
	equalLists(t, "somebody has to be named", blocked(t, s, s.Sam, id, wall), []string{"field_missing conflicted"})
	set := func(who string) {
		t.Helper()
		want(t, s.Ask(t, s.Sam, "PATCH", request(id), map[string]any{"data": map[string]any{"conflicted": who}}), 200)
	}
	set("Nobody Known")
	if a := s.Ask(t, s.Sam, "POST", request(id, "/transition"), wall); a.Status != 400 || a.Code("conflicted") != "field_invalid" {
		t.Fatalf("a wall against nobody: %s", a.Raw)
	}
	isIn(t, s, id, "open")
	set("kim@example.com")
	step(t, s, s.Sam, id, "wall_off", wall, "walled")
	want(t, s.Ask(t, kim, "GET", request(id), nil), 404)
	want(t, s.Ask(t, kim, "GET", "/api/collections/requests/records/"+id, nil), 404)
	want(t, s.Ask(t, s.Anna, "GET", request(id), nil), 200)
	want(t, s.Ask(t, s.Ines, "GET", request(id), nil), 200)

	equalLists(t, "a text has to be chosen", blocked(t, s, s.Sam, id, map[string]any{"transition": "write"}), []string{"template_required client_template"})
	if a := s.Ask(t, s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "write", "client_template": "no_such_text"}); a.Status != 400 || a.Code("client_template") != "template_required" {
		t.Fatalf("a text that is not there: %s", a.Raw)
	}
	step(t, s, s.Sam, id, "write", map[string]any{"client_template": "engagement_v7"}, "done")
	sent := s.Ask(t, s.Anna, "GET", "/api/collections/messages/records", nil)
	if want(t, sent, 200); !bytes.Contains(sent.Raw, []byte("Thank you for choosing us")) {
		t.Errorf("the text was not sent: %s", sent.Raw)
	}
}

// Two people at one thing: what somebody else wrote is never overwritten unseen.
func TestConflict_valueByValue(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	item := "/api/portal/items/" + s.Item(t, id, "Any loans?").Id
	ben := newMember(t, s, "Bea")
	write := func(who, text, was string) gatetest.Answer {
		t.Helper()
		person := s.Anna
		if who == "Bea" {
			person = ben
		}
		return s.Ask(t, person, "PATCH", item, map[string]any{"answers": map[string]any{"text": text}, "was": map[string]any{"text": was}})
	}
	want(t, write("Anna", "None", ""), 200)
	clash := write("Bea", "Two", "")
	if want(t, clash, 409); !strings.HasPrefix(clash.Body["message"].(string), "Anna changed this") {
		t.Fatalf("%s", clash.Raw)
	}
	both := clash.Body["data"].(map[string]any)["conflict"].(map[string]any)["text"].(map[string]any)
	if both["mine"] != "Two" || both["theirs"] != "None" || both["by"] != "Anna" || both["at"] == "" {
		t.Fatalf("both values and who: %v", both)
	}
	want(t, write("Bea", "Two", "None"), 200)  // now that it was seen
	want(t, write("Anna", "Two", "None"), 200) // the same wish twice is no conflict
	if kept := s.Item(t, id, "Any loans?").GetString("answers"); !strings.Contains(kept, "Two") {
		t.Errorf("stored: %s", kept)
	}

	// A stale picture of the whole request: who changed what, for each side.
	revision := func(who string) int {
		t.Helper()
		person := s.Anna
		if who == "Sam" {
			person = s.Sam
		}
		a := s.Ask(t, person, "GET", request(id), nil)
		want(t, a, 200)
		return int(a.Body["revision"].(float64))
	}
	before := revision("Anna")
	want(t, write("Bea", "Three", "Two"), 200)
	stale := s.Ask(t, s.Anna, "POST", request(id, "/transition"), map[string]any{"transition": "submit", "expected_revision": before})
	if want(t, stale, 409); stale.Body["data"].(map[string]any)["changed_by"] != "Bea" {
		t.Errorf("who was faster: %s", stale.Raw)
	}
	mine := revision("Sam")
	want(t, s.Ask(t, s.Sam, "PATCH", request(id), map[string]any{"priority": "high", "assignee": s.Sam.Id, "note": "Please look at the loans"}), 200)
	stale = s.Ask(t, s.Sam, "PATCH", request(id), map[string]any{"title": "Other", "expected_revision": mine})
	if want(t, stale, 409); stale.Body["data"].(map[string]any)["changed_by"] != "Sam" {
		t.Errorf("who was faster: %s", stale.Raw)
	}
	var note string
	if scan(t, s.App(), `SELECT body FROM internal_notes WHERE request = {:id}`, id, &note); note != "Please look at the loans" {
		t.Errorf("the hand-over note: %q", note)
	}
}

func TestReveal_everyLookIsOnTheTrail(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	look := func(field string) map[string]any { return map[string]any{"field": field} }
	want(t, s.Ask(t, s.Anna, "POST", request(id, "/reveal"), look("tax_reference")), 403)
	want(t, s.Ask(t, s.Ines, "POST", request(id, "/reveal"), look("tax_reference")), 400)
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/reveal"), look("legal_name")), 400)
	a := s.Ask(t, s.Sam, "POST", request(id, "/reveal"), look("tax_reference"))
	if want(t, a, 200); a.Body["value"] != taxReference {
		t.Fatalf("%s", a.Raw)
	}
	var seen int
	if scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE request = {:id} AND action = 'preview' AND actor_name = 'Sam'`, id, &seen); seen != 1 {
		t.Errorf("%d looks on the trail", seen)
	}
	var leaked int
	if scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE request = {:id} AND change LIKE '%555-1234567%'`, id, &leaked); leaked != 0 {
		t.Error("the trail holds the whole value")
	}
}

// What was accepted because of an item that is opened again says so to staff,
// blocks nothing, and is confirmed or decided anew.
func TestReopen_whatRestedOnItIsLookedAtAgain(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	acceptAll(t, s, id)
	want(t, s.Ask(t, s.Ruth, "PATCH", request(id), map[string]any{"data": map[string]any{"risk_rating": "low", "risk_note": "Fine"}}), 200)
	s.Move(t, s.Pat, id, "accept_client")
	s.Answer(t, s.Anna, itemAt(t, s, id, "engagement_letter", "").Id, map[string]any{"accepted": true})
	s.Move(t, s.Anna, id, "sign")
	s.Deliver(t)
	owners := itemAt(t, s, id, "ownership_chart", "").Id
	s.Move(t, s.Sam, id, "reopen", workflow.Input{Items: []string{owners}, Comments: map[string]string{owners: "Who is the third owner?"}})
	marked := func(who *core.Record) (ids []string) {
		t.Helper()
		for _, section := range s.Ask(t, who, "GET", request(id), nil).Body["sections"].([]any) {
			for _, i := range section.(map[string]any)["items"].([]any) {
				m := i.(map[string]any)
				if m["look_again"] == "" {
					continue
				}
				if m["look_again"] != "This was accepted before Who owns 25% or more was opened again." || m["status"] != "accepted" || section.(map[string]any)["key"] != "identity" {
					t.Errorf("%v", m)
				}
				ids = append(ids, m["id"].(string))
			}
		}
		return ids
	}
	ids := marked(s.Ruth)
	if all := lines(t, s, `SELECT id FROM items WHERE request = {:id} AND section = 'identity' AND active = 1 AND status = 'accepted'`, dbx.Params{"id": id}); len(ids) < 2 || len(ids) != len(all) {
		t.Fatalf("%d of %d things about the owners are marked", len(ids), len(all))
	}
	if told := marked(s.Anna); len(told) > 0 {
		t.Errorf("the client is told of %v", told)
	}
	patch := func(who *core.Record, status int) {
		t.Helper()
		want(t, s.Ask(t, who, "PATCH", "/api/portal/items/"+ids[0], map[string]any{"confirmed": true}), status)
	}
	for _, who := range []*core.Record{s.Anna, s.Sam, s.Ines} { // Ruth decides on identity
		patch(who, 400)
	}
	patch(s.Ruth, 200)
	patch(s.Ruth, 400) // once
	if left := marked(s.Ruth); len(left) != len(ids)-1 {
		t.Errorf("%d of %d are left after one was confirmed", len(left), len(ids))
	}
	trail := s.Ask(t, s.Ruth, "GET", request(id, "/timeline?perPage=100"), nil)
	if !strings.Contains(toJSON(trail.Body["items"]), `after \"Who owns 25% or more\" was opened again`) {
		t.Errorf("the timeline does not tell: %s", trail.Raw)
	}
}

// What was acknowledged before something was opened again says so.
func TestReopen_laterAcknowledgementsAreMarked(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	acceptAll(t, s, id)
	want(t, s.Ask(t, s.Ruth, "PATCH", request(id), map[string]any{"data": map[string]any{"risk_rating": "low", "risk_note": "Fine"}}), 200)
	s.Move(t, s.Pat, id, "accept_client")
	s.Clock.Move(time.Second)
	s.Answer(t, s.Anna, itemAt(t, s, id, "engagement_letter", "").Id, map[string]any{"accepted": true})
	s.Move(t, s.Anna, id, "sign")
	s.Deliver(t)
	accounts := itemAt(t, s, id, "last_accounts", "").Id
	s.Move(t, s.Sam, id, "reopen", workflow.Input{Items: []string{accounts}, Comments: map[string]string{accounts: "A page is missing"}})
	letter := clientItem(t, s, s.Anna, id, "Read and accept the engagement letter")
	if letter["stale"] != true || letter["why"] != "This was accepted before Last filed accounts was opened again." || letter["status"] != "provided" {
		t.Errorf("the letter: %v %v %v", letter["stale"], letter["why"], letter["status"])
	}
	if other := clientItem(t, s, s.Anna, id, "Authority for us to act with the tax office"); other["stale"] != false {
		t.Errorf("an earlier one is marked: %v", other)
	}
}

// Things that are added while the client has the turn come in one mail.
func TestAddedItems_oneMailForAll(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.Deliver(t)
	for _, title := range []string{"Invoice 7", "Invoice 8"} {
		s.Clock.Move(time.Minute)
		want(t, s.Ask(t, s.Sam, "POST", request(id, "/items"), map[string]any{"section": "things", "template": "file", "title": title}), 200)
	}
	s.Deliver(t)
	s.Clock.Move(2 * time.Hour)
	if err := s.House.Post.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mails []string
	err := s.DB().NewQuery(`SELECT text FROM mails WHERE "to" = 'anna@example.com' ORDER BY created, id`).Column(&mails)
	if err != nil {
		t.Fatal(err)
	}
	if len(mails) != 2 || !strings.Contains(mails[1], "2 ") {
		b, _ := json.MarshalIndent(mails, "", " ")
		t.Fatalf("one mail for the request, one for both things, got %s", b)
	}
	var waiting int
	err = s.DB().NewQuery(`SELECT COUNT(*) FROM notifications WHERE request = {:id} AND rule LIKE 'item.added%' AND mail = ''`).Bind(dbx.Params{"id": id}).Row(&waiting)
	if err != nil || waiting != 0 {
		t.Errorf("%d still wait (%v)", waiting, err)
	}
}

// A legal hold on one of its files holds the step that asks for none.
func TestGuard_legalHoldOnAFile(t *testing.T) {
	s := gatetest.New(t)
	publish(t, s, strings.NewReplacer("key: walled\nversion", "key: held\nversion", "effects: [{apply_wall: conflicted}]", "guard: [{no_legal_hold: true}]").Replace(walled))
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "held", Organization: s.Bluebell.Id})
	want(t, s.Send(t, s.Sam, map[string]string{"request": id, "organization": s.Bluebell.Id}, "deed.pdf", gatetest.PDF("deed")), 200)
	hold := func(on bool) {
		t.Helper()
		if _, err := s.DB().NewQuery(`UPDATE documents SET hold = {:on} WHERE request = {:id}`).Bind(dbx.Params{"on": on, "id": id}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	hold(true)
	equalLists(t, "a hold lies on it", blocked(t, s, s.Sam, id, map[string]any{"transition": "wall_off", "internal_note": "Why"}), []string{"legal_hold"})
	hold(false)
	step(t, s, s.Sam, id, "wall_off", map[string]any{"internal_note": "Why"}, "walled")
}
