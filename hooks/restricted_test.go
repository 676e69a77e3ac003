package hooks_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// A restricted request is there for its participants and the staff, and for
// nobody else by any door: list, count, view, expand, filter, search, files,
// messages, home, timeline (FEATURES 2.1, erpnext#21759: the list was filtered,
// open-by-id was not).
func TestRestricted_byEveryDoor(t *testing.T) {
	s := gatetest.New(t)
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	opened := s.Ask(t, s.Sam, "POST", "/api/portal/requests", map[string]any{
		"workflow": "simple_request", "organization": s.Bluebell.Id, "title": "Salary of the CANARY", "visibility": "restricted", "participants": []string{mo.Id},
		"items": []map[string]any{{"section": "things", "template": "question", "title": "CANARY question"}, {"section": "things", "template": "file", "title": "CANARY file"}},
	})
	want(t, opened, 200)
	id, _ := opened.Body["id"].(string)
	s.Move(t, s.Sam, id, "send")
	item := s.Item(t, id, "CANARY file").Id
	document := mustBe(t, s.Send(t, mo, map[string]string{"item": item}, "CANARY.pdf", gatetest.PDF("x")))
	message := mustBe(t, s.Ask(t, mo, "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "CANARY words"}))
	s.Deliver(t)

	view := s.Ask(t, mo, "GET", "/api/portal/requests/"+id, nil)
	if want(t, view, 200); view.Body["seen_by"] != "Only you see this." {
		t.Errorf("seen by: %v", view.Body["seen_by"])
	}
	paths := []string{
		"/api/portal/requests/" + id, "/api/portal/requests/" + id + "/timeline", "/api/portal/requests/" + id + "/actions", "/api/portal/requests/" + id + "/people",
		"/api/portal/home", "/api/portal/requests", "/api/portal/requests?q=CANARY", "/api/portal/team?organization=" + s.Bluebell.Id, "/api/portal/delegations",
		"/api/collections/client_requests/records", "/api/collections/client_requests/records/" + id + "?expand=organization",
		"/api/collections/client_requests/records?filter=" + url.QueryEscape(`title ~ "CANARY"`),
		"/api/collections/client_items/records?expand=request", "/api/collections/client_history/records?expand=request",
		"/api/collections/client_items/records?filter=" + url.QueryEscape(`request.title ~ "CANARY"`),
		"/api/collections/messages/records?expand=request", "/api/collections/messages/records/" + message,
		"/api/collections/documents/records?expand=request,item", "/api/collections/documents/records/" + document,
		"/api/collections/requests/records/" + id, "/api/collections/items/records?filter=" + url.QueryEscape(`request = "`+id+`"`),
		"/api/collections/organizations/records/" + s.Bluebell.Id + "?expand=client_requests_via_organization,messages_via_organization",
		"/api/collections/organizations/records?filter=" + url.QueryEscape(`client_requests_via_organization.title ?~ "CANARY"`),
	}
	for _, who := range []*core.Record{s.Anna, s.Vera, s.Ben, s.Cleo} {
		for _, path := range paths {
			a := s.Ask(t, who, "GET", path, nil)
			if strings.Contains(string(a.Raw), "CANARY") || strings.Contains(string(a.Raw), id) {
				t.Errorf("%s learns of it from %s: %s", who.GetString("name"), path, a.Raw)
			}
		}
		// Probing a filter through the organization finds nothing either.
		probe := s.Ask(t, who, "GET", "/api/collections/organizations/records?filter="+url.QueryEscape(`client_requests_via_organization.title ?~ "CANARY"`), nil)
		if n, _ := probe.Body["totalItems"].(float64); n != 0 {
			t.Errorf("%s finds the organization by a hidden title: %s", who.GetString("name"), probe.Raw)
		}
		for _, a := range []gatetest.Answer{
			s.Ask(t, who, "PATCH", "/api/portal/requests/"+id+"/people", map[string]any{"participants": []string{who.Id}}),
			s.Ask(t, who, "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "Hello"}),
			s.Send(t, who, map[string]string{"item": item}, "a.pdf", gatetest.PDF("a")),
		} {
			if a.Status != 404 {
				t.Errorf("%s: %d %s", who.GetString("name"), a.Status, a.Raw)
			}
		}
		var n int
		if err := s.DB().NewQuery(`SELECT COUNT(*) FROM notifications WHERE user = {:u} AND request = {:r}`).Bind(dbx.Params{"u": who.Id, "r": id}).Row(&n); err != nil || n != 0 {
			t.Errorf("%s is told of it %d times (%v)", who.GetString("name"), n, err)
		}
	}
	want(t, s.Ask(t, s.Sam, "GET", "/api/portal/requests/"+id, nil), 200)
}

// Who takes part changes at once, by staff, and by an admin who takes part; ids
// of other people are answered like ids of nobody.
func TestRestricted_whoTakesPart(t *testing.T) {
	s := gatetest.New(t)
	mo, nell := somebody(t, s, "Mo", s.Bluebell, "member"), somebody(t, s, "Nell", s.Bluebell, "member")
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	people := "/api/portal/requests/" + id + "/people"
	set := func(who *core.Record, body map[string]any, status int) gatetest.Answer {
		t.Helper()
		a := s.Ask(t, who, "PATCH", people, body)
		want(t, a, status)
		return a
	}
	seen := func(who *core.Record, status int) {
		t.Helper()
		want(t, s.Ask(t, who, "GET", "/api/portal/requests/"+id, nil), status)
	}
	set(s.Sam, map[string]any{"visibility": "restricted"}, 400)
	set(s.Ines, map[string]any{"visibility": "restricted", "participants": []string{mo.Id}}, 400)
	set(s.Anna, map[string]any{"visibility": "restricted", "participants": []string{s.Anna.Id}}, 400)
	foreign := set(s.Sam, map[string]any{"visibility": "restricted", "participants": []string{s.Cleo.Id}}, 400)
	nobody := set(s.Sam, map[string]any{"visibility": "restricted", "participants": []string{"000000000000000"}}, 400)
	if foreign.Body["message"] != nobody.Body["message"] || len(foreign.Raw) != len(nobody.Raw) {
		t.Errorf("%s\n%s", foreign.Raw, nobody.Raw)
	}
	set(s.Sam, map[string]any{"visibility": "restricted", "participants": []string{mo.Id, s.Anna.Id}}, 200)
	seen(mo, 200)
	seen(nell, 404)
	view := s.Ask(t, mo, "GET", "/api/portal/requests/"+id, nil)
	if view.Body["seen_by"] != "Only you and 1 other see this." {
		t.Errorf("seen by %v", view.Body["seen_by"])
	}
	set(mo, map[string]any{"participants": []string{mo.Id, nell.Id}}, 400)
	set(s.Anna, map[string]any{"visibility": "organization"}, 400)
	set(s.Anna, map[string]any{"participants": []string{s.Anna.Id, s.Cleo.Id}}, 400)
	set(s.Anna, map[string]any{"participants": []string{s.Anna.Id, nell.Id}}, 200)
	seen(mo, 404)
	seen(nell, 200)
	set(s.Anna, map[string]any{"participants": []string{}}, 400)
	// By the record API, as staff's editor writes.
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/collections/requests/records/"+id, map[string]any{"participants": []string{s.Anna.Id}}), 200)
	seen(nell, 404)
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/collections/requests/records/"+id, map[string]any{"visibility": "organization"}), 200)
	seen(nell, 200)
	seen(mo, 200)
}

// Fields that staff keep to themselves are not in the client's rows: not in a
// list, a view, an expansion, a filter, a sort, a batch or the text of an error
// (FEATURES 2.1, pocketbase#1349).
func TestHidden_staffFieldsByEveryDoor(t *testing.T) {
	s := gatetest.New(t)
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Bluebell.Id, Title: "Papers", Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	s.Move(t, s.Sam, id, "send")
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/portal/requests/"+id, map[string]any{"tags": []string{"CANARY"}, "priority": "urgent"}), 200)
	want(t, s.Ask(t, s.Sam, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "CANARY note"}), 200)
	for _, path := range []string{
		"/api/portal/requests/" + id, "/api/portal/requests/" + id + "/timeline", "/api/portal/home",
		"/api/collections/client_requests/records/" + id + "?expand=internal_notes_via_request,requests_via_id",
		"/api/collections/messages/records?expand=request,request.internal_notes_via_request",
		"/api/collections/documents/records?expand=request,item",
		"/api/collections/requests/records?filter=" + url.QueryEscape(`tags ~ "CANARY"`),
		"/api/collections/internal_notes/records?filter=" + url.QueryEscape(`body ~ "CANARY"`), // zammad#1404
		"/api/collections/internal_notes/records?sort=body",
		"/api/collections/client_requests/records?filter=" + url.QueryEscape(`internal_notes_via_request.body ?~ "CANARY"`),
		"/api/collections/client_requests/records?sort=priority", "/api/collections/client_requests/records?fields=*,tags,priority,scope",
		"/api/collections/messages/records?filter=" + url.QueryEscape(`request.tags ~ "CANARY"`),
		"/api/collections/documents/records?filter=" + url.QueryEscape(`request.priority = "urgent"`),
		"/api/collections/documents/records?sort=request.priority",
	} {
		a := s.Ask(t, s.Anna, "GET", path, nil)
		if strings.Contains(string(a.Raw), "CANARY note") || strings.Contains(string(a.Raw), `"CANARY"`) || strings.Contains(string(a.Raw), "urgent") {
			t.Errorf("%s tells: %s", path, a.Raw)
		}
		if n, _ := a.Body["totalItems"].(float64); n > 0 && strings.Contains(path, "filter=") {
			t.Errorf("%s finds %v", path, n)
		}
	}
	for _, body := range []map[string]any{{"priority": "low"}, {"tags": []string{"x"}}, {"visibility": "restricted"}, {"scope": s.Kestrel.Id}} {
		a := s.Ask(t, s.Anna, "PATCH", "/api/collections/requests/records/"+id, body)
		if a.Status != 404 || strings.Contains(string(a.Raw), "urgent") {
			t.Errorf("%v: %d %s", body, a.Status, a.Raw)
		}
	}
}

// Somebody in several organizations chooses among them; what one shows is never
// that of another, and an id of a foreign one shows nothing.
func TestSwitcher_oneOrganizationAtATime(t *testing.T) {
	s := gatetest.New(t)
	s.Add(t, "memberships", map[string]any{"user": s.Vera.Id, "organization": s.Kestrel.Id, "role": "member", "status": "active"})
	here := s.Simple(t)
	there := s.Open(t, s.Sol, workflow.NewRequest{Workflow: "simple_request", Organization: s.Kestrel.Id, Title: "Elsewhere", Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	for _, id := range []string{here, there} {
		s.Move(t, s.Sam, id, "send")
	}
	for _, path := range []string{"/api/portal/home", "/api/portal/requests"} {
		for organization, shows := range map[string][2]bool{"": {true, true}, s.Bluebell.Id: {true, false}, s.Kestrel.Id: {false, true}, "000000000000000": {false, false}} {
			a := s.Ask(t, s.Vera, "GET", path+"?organization="+organization, nil)
			if got := [2]bool{strings.Contains(string(a.Raw), here), strings.Contains(string(a.Raw), there)}; got != shows {
				t.Errorf("%s of %q shows %v: %s", path, organization, got, a.Raw)
			}
		}
		if a := s.Ask(t, s.Anna, "GET", path+"?organization="+s.Kestrel.Id, nil); strings.Contains(string(a.Raw), there) {
			t.Errorf("%s shows Anna a foreign organization", path)
		}
	}
	// A viewer here and a member there: the right of one is not that of the other (NOTES A3.2).
	want(t, s.Ask(t, s.Vera, "PATCH", "/api/portal/items/"+s.Item(t, here, "Any loans?").Id, map[string]any{"answers": map[string]any{"text": "x"}}), 400)
	want(t, s.Ask(t, s.Vera, "PATCH", "/api/portal/items/"+s.Item(t, there, "Why?").Id, map[string]any{"answers": map[string]any{"text": "x"}}), 200)
	me := s.Ask(t, s.Vera, "GET", "/api/portal/me", nil)
	if list, _ := me.Body["organizations"].([]any); len(list) != 2 {
		t.Errorf("%s", me.Raw)
	}
}
