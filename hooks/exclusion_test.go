package hooks_test

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Whoever is kept away from a request finds it nowhere, from the next call on;
// lifting gives it back.
func TestExclusion_hidesEverything(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	mustBe(t, s.Ask(t, s.Sam, "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "Good morning"}))
	document := mustBe(t, s.Send(t, s.Anna, map[string]string{"item": s.Item(t, id, "Bank statement").Id}, "more.pdf", gatetest.PDF("more")))
	paths := []string{
		"/api/portal/home", "/api/portal/requests", "/api/portal/requests?show=all", "/api/collections/client_requests/records", "/api/collections/client_items/records",
		"/api/collections/client_history/records", "/api/collections/messages/records", "/api/collections/documents/records", "/api/collections/notifications/records",
		"/api/collections/requests/records", "/api/collections/delegations/records",
	}
	finds := func(who *core.Record) (found []string) {
		t.Helper()
		for _, path := range paths {
			a := s.Ask(t, who, "GET", path, nil)
			if a.Status == 200 && (strings.Contains(string(a.Raw), id) || strings.Contains(string(a.Raw), document)) {
				found = append(found, path)
			}
		}
		for _, path := range []string{"", "/timeline", "/actions", "/people"} {
			if s.Ask(t, who, "GET", "/api/portal/requests/"+id+path, nil).Status == 200 {
				found = append(found, "request"+path)
			}
		}
		if s.Ask(t, who, "GET", fileURL(t, s, document, who), nil).Status == 200 {
			found = append(found, "file")
		}
		watchers, err := access.Watchers(s.App(), clientScope(t, s, id), []string{who.Id}, s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		if len(watchers) > 0 {
			found = append(found, "mails and live updates")
		}
		return found
	}
	before := finds(s.Vera)
	if len(before) < 9 {
		t.Fatalf("Vera finds it only in %v", before)
	}
	exclusions := "/api/portal/requests/" + id + "/exclusions"
	want(t, s.Ask(t, s.Sam, "POST", exclusions, map[string]any{"user": s.Vera.Id, "reason": "It is about her."}), 200)
	if found := finds(s.Vera); len(found) > 0 {
		t.Errorf("Vera still finds it in %v", found)
	}
	if found := finds(s.Anna); !slices.Contains(found, "file") || !slices.Contains(found, "request/timeline") {
		t.Errorf("Anna finds it only in %v", found)
	}
	if a := s.Ask(t, s.Anna, "GET", "/api/portal/requests/"+id+"/timeline", nil); strings.Contains(string(a.Raw), "about her") {
		t.Errorf("the client's timeline tells: %s", a.Raw)
	}
	a := s.Ask(t, s.Mia, "GET", "/api/portal/access/explain?collection=requests&record="+id+"&principal="+s.Vera.Id, nil)
	if want(t, a, 200); !strings.Contains(string(a.Raw), "is excluded from") || !strings.Contains(string(a.Raw), "It is about her.") || a.Body["see"] != false {
		t.Errorf("%s", a.Raw)
	}
	var trail int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE request = {:id} AND change LIKE '%It is about her%'`, id, &trail)
	if trail != 1 {
		t.Errorf("%d entries on the trail", trail)
	}
	want(t, s.Ask(t, s.Vera, "DELETE", exclusions+"/"+s.Vera.Id, nil), 404)
	want(t, s.Ask(t, s.Sam, "DELETE", exclusions+"/"+s.Vera.Id, nil), 200)
	want(t, s.Ask(t, s.Sam, "DELETE", exclusions+"/"+s.Vera.Id, nil), 404)
	if after := finds(s.Vera); !slices.Equal(after, before) {
		t.Errorf("afterwards Vera finds %v, before %v", after, before)
	}
}

func clientScope(t *testing.T, s *gatetest.Stage, id string) (scope string) {
	t.Helper()
	scan(t, s.App(), `SELECT scope FROM client_requests WHERE id = {:id}`, id, &scope)
	return scope
}

func TestExclusion_whoMay(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	exclusions := "/api/portal/requests/" + id + "/exclusions"
	vera := map[string]any{"user": s.Vera.Id, "reason": "It is about her."}
	want(t, s.Ask(t, s.Vera, "POST", exclusions, map[string]any{"user": s.Anna.Id, "reason": "No."}), 400) // no admin
	want(t, s.Ask(t, s.Ines, "POST", exclusions, vera), 400)                                               // staff who only look
	want(t, s.Ask(t, s.Cleo, "POST", exclusions, vera), 404)
	want(t, s.Ask(t, s.Anna, "POST", exclusions, map[string]any{"user": s.Vera.Id, "reason": " "}), 400)
	want(t, s.Ask(t, s.Anna, "POST", exclusions, map[string]any{"user": s.Cleo.Id, "reason": "No."}), 400)
	want(t, s.Ask(t, s.Anna, "POST", exclusions, map[string]any{"user": s.Anna.Id, "reason": "No."}), 400) // the last admin stays
	want(t, s.Ask(t, s.Anna, "POST", exclusions, vera), 200)
	want(t, s.Ask(t, s.Anna, "POST", exclusions, vera), 400) // already
	// The admin reads who and why; a member nothing of it.
	nora := s.Add(t, "users", map[string]any{"name": "Nora", "email": "nora@example.com", "password": gatetest.Password})
	s.Add(t, "memberships", map[string]any{"user": nora.Id, "organization": s.Bluebell.Id, "role": "member"})
	for who, knows := range map[*core.Record]bool{s.Anna: true, s.Sam: true, nora: false} {
		a := s.Ask(t, who, "GET", "/api/portal/requests/"+id+"/people", nil)
		if want(t, a, 200); strings.Contains(string(a.Raw), "about her") != knows || a.Body["can_exclude"] != knows {
			t.Errorf("%s reads %s", who.GetString("name"), a.Raw)
		}
	}
	// Not named as a participant, before it is lifted.
	people := map[string]any{"visibility": "restricted", "participants": []string{s.Anna.Id, s.Vera.Id}}
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/portal/requests/"+id+"/people", people), 400)
	want(t, s.Ask(t, s.Anna, "DELETE", exclusions+"/"+s.Vera.Id, nil), 200)
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/portal/requests/"+id+"/people", people), 200)
	want(t, s.Ask(t, s.Sam, "POST", exclusions, vera), 200)
	want(t, s.Ask(t, s.Vera, "GET", "/api/portal/requests/"+id, nil), 404)
	want(t, s.Ask(t, s.Sam, "POST", exclusions, map[string]any{"user": s.Anna.Id, "reason": "No."}), 400) // the last participant
}

// An office's admin keeps nobody of the parent away, and two admins not each other.
func TestExclusion_ofAdmins(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	nora := s.Add(t, "users", map[string]any{"name": "Nora", "email": "nora@example.com", "password": gatetest.Password})
	s.Add(t, "memberships", map[string]any{"user": nora.Id, "organization": s.Bluebell.Id, "role": "admin"})
	exclusions := "/api/portal/requests/" + id + "/exclusions"
	want(t, s.Ask(t, nora, "POST", exclusions, map[string]any{"user": s.Anna.Id, "reason": "Related"}), 200)
	want(t, s.Ask(t, s.Anna, "POST", exclusions, map[string]any{"user": nora.Id, "reason": "Related"}), 404)

	office := s.Add(t, "organizations", map[string]any{"name": "Office", "parent": s.Bluebell.Id})
	otto := s.Add(t, "users", map[string]any{"name": "Otto", "email": "otto@example.com", "password": gatetest.Password})
	s.Add(t, "memberships", map[string]any{"user": otto.Id, "organization": office.Id, "role": "admin"})
	a := s.Ask(t, s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": office.Id, "items": []map[string]any{{"section": "things", "template": "question", "title": "Loans?"}}})
	below := mustBe(t, a)
	s.Move(t, s.Sam, below, "send")
	exclusions = "/api/portal/requests/" + below + "/exclusions"
	want(t, s.Ask(t, otto, "POST", exclusions, map[string]any{"user": nora.Id, "reason": "Related"}), 400)
	want(t, s.Ask(t, nora, "POST", exclusions, map[string]any{"user": otto.Id, "reason": "Related"}), 200)
}

// What somebody lends goes along: of the organization, and of the one request.
func TestExclusion_takesAlongWhatIsLent(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	now := s.Clock.Now()
	lend := func(fields map[string]any) {
		t.Helper()
		fields["from"], fields["to"] = s.Anna.Id, s.Cleo.Id
		fields["organization"], fields["starts"], fields["ends"] = s.Bluebell.Id, schema.Stamp(now.Add(-time.Hour)), schema.Stamp(now.AddDate(0, 0, 9))
		s.Add(t, "delegations", fields)
	}
	path := "/api/portal/requests/" + id
	for _, fields := range []map[string]any{{}, {"request": id}} {
		lend(fields)
		want(t, s.Ask(t, s.Cleo, "GET", path, nil), 200)
		want(t, s.Ask(t, s.Sam, "POST", path+"/exclusions", map[string]any{"user": s.Anna.Id, "reason": "Related"}), 200)
		want(t, s.Ask(t, s.Cleo, "GET", path, nil), 404)
		want(t, s.Ask(t, s.Sam, "DELETE", path+"/exclusions/"+s.Anna.Id, nil), 200)
		want(t, s.Ask(t, s.Cleo, "GET", path, nil), 200)
	}
}

// Whoever is kept away, or not named, gets at the request by no other door: what
// colleagues lend or say, a colleague's leaving, looking as the client, files to
// use again, mail that waited.
func TestExclusion_byEveryOtherDoor(t *testing.T) {
	s := gatetest.New(t)
	nora := somebody(t, s, "Nora", s.Bluebell, "admin")
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	open := func() string {
		id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Bluebell.Id, Title: "About CANARY", Items: []workflow.NewItem{
			{Section: "things", Template: "file", Title: "CANARY file"}, {Section: "things", Template: "question", Title: "Question"},
		}})
		s.Move(t, s.Sam, id, "send")
		return id
	}
	kept, named := open(), open()
	other := s.Simple(t)
	s.Move(t, s.Sam, other, "send")
	document := s.Upload(t, mo, s.Item(t, kept, "CANARY file").Id, "CANARY.pdf", nil)
	s.Deliver(t)
	mustBe(t, s.Ask(t, s.Sam, "POST", records("messages"), map[string]any{"request": kept, "body": "CANARY words"}))
	s.Deliver(t) // mail to Nora waits
	want(t, s.Ask(t, s.Sam, "PATCH", request(named, "/people"), map[string]any{"visibility": "restricted", "participants": []string{mo.Id}}), 200)
	want(t, s.Ask(t, s.Sam, "POST", request(kept, "/exclusions"), map[string]any{"user": nora.Id, "reason": "CANARY reason"}), 200)
	for _, id := range []string{kept, named} {
		if err := schema.Insert(s.TestApp, schema.RequestPeople, dbx.Params{"id": schema.NewID(), "request": id, "duty": "client_approver", "person": mo.Id, "scope": schema.StaffScope(id)}); err != nil {
			t.Fatal(err)
		}
	}
	silent := func(what string, a gatetest.Answer) {
		t.Helper()
		if text := string(a.Raw); strings.Contains(text, "CANARY") || what != "delegations" && (strings.Contains(text, kept) || strings.Contains(text, named)) {
			t.Errorf("%s tells: %s", what, a.Raw)
		}
	}

	now := s.Clock.Now()
	for _, from := range []*core.Record{mo, s.Anna} {
		a := s.Ask(t, from, "POST", "/api/portal/delegations", map[string]any{"to": nora.Id, "organization": s.Bluebell.Id, "request": kept, "ends": schema.Stamp(now.AddDate(0, 1, 0)), "reason": "See the CANARY"})
		want(t, a, 200)
	}
	for _, path := range []string{"/api/portal/delegations", "/api/portal/delegations?organization=" + s.Bluebell.Id} {
		silent("delegations", s.Ask(t, nora, "GET", path, nil))
	}
	want(t, s.Ask(t, nora, "GET", request(kept), nil), 404)
	want(t, s.Ask(t, nora, "PATCH", request(kept, "/people"), map[string]any{"participants": []string{nora.Id}}), 404)
	want(t, s.Ask(t, nora, "POST", "/api/portal/delegations", map[string]any{"to": s.Vera.Id, "organization": s.Bluebell.Id, "request": kept, "ends": schema.Stamp(now.AddDate(0, 1, 0))}), 404)
	reuse := "/api/portal/items/" + s.Item(t, other, "Bank statement").Id
	silent("using a file again", s.Ask(t, nora, "POST", reuse+"/reuse", map[string]any{"document": document.Id}))
	silent("the other request", s.Ask(t, nora, "GET", request(other), nil))
	silent("search", s.Ask(t, nora, "GET", "/api/portal/requests?show=all&q=CANARY", nil))
	viewed := asView(t, s, viewAs(t, s, s.Sam, nora), "GET", "/api/portal/requests?show=all", "")
	if strings.Contains(viewed.Body.String(), kept) || viewed.Code != 200 {
		t.Errorf("looking as her: %d %s", viewed.Code, viewed.Body)
	}

	// She takes over nothing of it when a colleague leaves, nor learns of it.
	a := s.Ask(t, nora, "POST", "/api/portal/team/"+membership(t, s, mo, s.Bluebell)+"/remove", map[string]any{"hand_over": nora.Id})
	want(t, a, 200)
	silent("a colleague's leaving", a)
	for _, id := range []string{kept, named} {
		want(t, s.Ask(t, nora, "GET", request(id), nil), 404)
		var approvers int
		if scan(t, s.App(), `SELECT COUNT(*) FROM request_people WHERE request = {:id} AND duty = 'client_approver'`, id, &approvers); approvers != 0 {
			t.Errorf("somebody approves on %s", id)
		}
	}
	for _, text := range mailsTo(t, s, nora) {
		if strings.Contains(text, "CANARY") {
			t.Errorf("mail to her: %s", text)
		}
	}
}

// mailsTo are the mails that somebody is sent from now on.
func mailsTo(t *testing.T, s *gatetest.Stage, who *core.Record) []string {
	t.Helper()
	before := s.TestMailer.TotalSend()
	s.Clock.Move(24 * time.Hour)
	s.Deliver(t)
	if err := s.House.Mailer.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range s.TestMailer.Messages()[before:] {
		if slices.ContainsFunc(m.To, func(to mail.Address) bool { return to.Address == who.Email() }) {
			list = append(list, m.Subject+"\n"+m.HTML)
		}
	}
	return list
}
