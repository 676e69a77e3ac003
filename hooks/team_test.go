package hooks_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// somebody is a new person of the client's side, a member where role is given.
func somebody(t *testing.T, s *gatetest.Stage, name string, organization *core.Record, role string, duties ...string) *core.Record {
	t.Helper()
	u := s.Add(t, "users", map[string]any{"email": name + "@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": name, "verified": true})
	if role != "" {
		s.Add(t, "memberships", map[string]any{"user": u.Id, "organization": organization.Id, "role": role, "status": "active", "duties": duties})
	}
	return u
}

func membership(t *testing.T, s *gatetest.Stage, who, where *core.Record) string {
	t.Helper()
	m, err := s.FindFirstRecordByFilter("memberships", "user = {:u} && organization = {:o}", dbx.Params{"u": who.Id, "o": where.Id})
	if err != nil {
		t.Fatal(err)
	}
	return m.Id
}

func codeOf(a gatetest.Answer, field string) string {
	data, _ := a.Body["data"].(map[string]any)
	f, _ := data[field].(map[string]any)
	c, _ := f["code"].(string)
	return c
}

func role(t *testing.T, s *gatetest.Stage, membership string) string {
	t.Helper()
	m, err := s.FindRecordById("memberships", membership)
	if err != nil {
		return "gone"
	}
	return m.GetString("role") + " " + m.GetString("status")
}

// A client's admin looks after the own people and those below; nobody else of the
// client does, and nobody reaches another organization.
func TestTeam_whoLooksAfterIt(t *testing.T) {
	s := gatetest.New(t)
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	m, ben := membership(t, s, mo, s.Bluebell), membership(t, s, s.Ben, s.Leeds)
	for _, x := range []struct {
		name   string
		who    *core.Record
		path   string
		status int
	}{
		{"the admin", s.Anna, "team/" + m, 200},
		{"the admin, for a person of the office below", s.Anna, "team/" + ben, 200},
		{"a viewer", s.Vera, "team/" + m, 400},
		{"a member", mo, "team/" + m, 400},
		{"a member of the office below, above", s.Ben, "team/" + m, 404},
		{"an admin of another client", s.Cleo, "team/" + m, 404},
		{"nobody's membership", s.Anna, "team/nope", 404},
		{"a manager", s.Mia, "team/" + m, 200},
		{"staff below manager", s.Sam, "team/" + m, 400},
	} {
		if a := s.Ask(t, x.who, "PATCH", "/api/portal/"+x.path, map[string]any{"role": "viewer"}); a.Status != x.status {
			t.Errorf("%s: %d %s", x.name, a.Status, a.Raw)
		}
	}
	// What is not there and what is not one's own are the same, to the letter.
	a, b := s.Ask(t, s.Cleo, "PATCH", "/api/portal/team/"+m, map[string]any{"role": "viewer"}), s.Ask(t, s.Cleo, "PATCH", "/api/portal/team/nope", map[string]any{"role": "viewer"})
	if a.Body["message"] != b.Body["message"] || len(a.Raw) != len(b.Raw) {
		t.Errorf("%s\n%s", a.Raw, b.Raw)
	}
	page := s.Ask(t, s.Vera, "GET", "/api/portal/team?organization="+s.Bluebell.Id, nil)
	want(t, page, 200)
	if page.Body["can_manage"] != false || strings.Contains(string(page.Raw), "@example.com") {
		t.Errorf("a viewer is told more than names and roles: %s", page.Raw)
	}
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/team?organization="+s.Bluebell.Id, nil), 404)
	below := s.Ask(t, s.Ben, "GET", "/api/portal/team?organization="+s.Leeds.Id, nil)
	if want(t, below, 200); strings.Contains(string(below.Raw), "Bluebell") || strings.Contains(string(below.Raw), "Anna") || below.Body["above"] != 3.0 {
		t.Errorf("an office is told of the organization above it: %s", below.Raw)
	}
}

// Role escalation: by the record API, in a batch, with other ids in the body.
// The update rule sees only the old row (NOTES A3.2).
func TestTeam_nobodyRaisesOneself(t *testing.T) {
	s := gatetest.New(t)
	s.Settings().Batch.Enabled = true
	if err := s.Save(s.Settings()); err != nil {
		t.Fatal(err)
	}
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	m, vera := membership(t, s, mo, s.Bluebell), membership(t, s, s.Vera, s.Bluebell)
	anna := membership(t, s, s.Anna, s.Bluebell)
	base := "/api/collections/memberships/records"
	for _, x := range []struct {
		name   string
		who    *core.Record
		method string
		path   string
		body   map[string]any
	}{
		{"a member makes oneself an admin", mo, "PATCH", base + "/" + m, map[string]any{"role": "admin"}},
		{"a viewer makes oneself a member", s.Vera, "PATCH", base + "/" + vera, map[string]any{"role": "member"}},
		{"a member makes a new membership", mo, "POST", base, map[string]any{"user": mo.Id, "organization": s.Kestrel.Id, "role": "admin"}},
		{"an admin makes a new membership elsewhere", s.Anna, "POST", base, map[string]any{"user": s.Anna.Id, "organization": s.Kestrel.Id, "role": "admin"}},
		{"an admin moves a membership to another client", s.Anna, "PATCH", base + "/" + m, map[string]any{"organization": s.Kestrel.Id}},
		{"an admin gives a membership to another person", s.Anna, "PATCH", base + "/" + m, map[string]any{"user": s.Cleo.Id}},
		{"an admin moves it to the office below", s.Anna, "PATCH", base + "/" + m, map[string]any{"organization": s.Leeds.Id}},
		{"an admin gives a duty that one does not have", s.Anna, "PATCH", base + "/" + m, map[string]any{"duties": []string{"client_approver"}}},
		{"a role as a duty", s.Anna, "PATCH", base + "/" + m, map[string]any{"duties": []string{"client_admin"}}},
		{"a member of the office below", s.Ben, "PATCH", base + "/" + m, map[string]any{"role": "admin"}},
		{"another client's admin", s.Cleo, "PATCH", base + "/" + m, map[string]any{"role": "viewer"}},
		{"another client's admin deletes", s.Cleo, "DELETE", base + "/" + m, nil},
		{"a member deletes", mo, "DELETE", base + "/" + anna, nil},
		{"nested ids", mo, "PATCH", "/api/collections/users/records/" + mo.Id, map[string]any{"memberships_via_user": []any{map[string]any{"role": "admin"}}}},
		{"an organization of a member", mo, "PATCH", "/api/collections/organizations/records/" + s.Bluebell.Id, map[string]any{"parent": s.Kestrel.Id}},
		{"an organization of an admin", s.Anna, "PATCH", "/api/collections/organizations/records/" + s.Leeds.Id, map[string]any{"parent": s.Kestrel.Id}},
	} {
		a := s.Ask(t, x.who, x.method, x.path, x.body)
		if a.Status < 400 || a.Status > 404 {
			t.Errorf("%s: %d %s", x.name, a.Status, a.Raw)
		}
		batch := s.Ask(t, x.who, "POST", "/api/batch", map[string]any{"requests": []map[string]any{{"method": x.method, "url": x.path, "body": x.body}}})
		if batch.Status != 400 {
			t.Errorf("%s, in a batch: %d %s", x.name, batch.Status, batch.Raw)
		}
	}
	for id, was := range map[string]string{m: "member active", vera: "viewer active", anna: "admin active"} {
		if now := role(t, s, id); now != was {
			t.Errorf("%s became %s", was, now)
		}
	}
	// What an admin may, the record API does too.
	want(t, s.Ask(t, s.Anna, "PATCH", base+"/"+m, map[string]any{"role": "admin"}), 200)
	want(t, s.Ask(t, s.Anna, "DELETE", base+"/"+vera, nil), 204)
	if now := role(t, s, m); now != "admin active" {
		t.Errorf("became %s", now)
	}
}

// The last admin stays: not by oneself, not by a colleague, not in a batch that
// takes both, not when two admins lower each other at the same moment.
func TestTeam_lastAdminStays(t *testing.T) {
	s := gatetest.New(t)
	s.Settings().Batch.Enabled = true
	if err := s.Save(s.Settings()); err != nil {
		t.Fatal(err)
	}
	anna := membership(t, s, s.Anna, s.Bluebell)
	for _, body := range []map[string]any{{"role": "member"}, {"status": "suspended"}} {
		a := s.Ask(t, s.Anna, "PATCH", "/api/portal/team/"+anna, body)
		if want(t, a, 400); codeOf(a, "role") != "last_admin" {
			t.Errorf("%v: %s", body, a.Raw)
		}
		want(t, s.Ask(t, s.Anna, "PATCH", "/api/collections/memberships/records/"+anna, body), 400)
	}
	want(t, s.Ask(t, s.Anna, "DELETE", "/api/collections/memberships/records/"+anna, nil), 400)
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/team/"+anna+"/remove", map[string]any{}), 400)
	// Staff are warned first.
	a := s.Ask(t, s.Mia, "PATCH", "/api/portal/team/"+anna, map[string]any{"role": "member"})
	if want(t, a, 400); codeOf(a, "role") != "last_admin" {
		t.Error(string(a.Raw))
	}

	cora := somebody(t, s, "Cora", s.Bluebell, "admin")
	other := membership(t, s, cora, s.Bluebell)
	both := []map[string]any{
		{"method": "PATCH", "url": "/api/collections/memberships/records/" + other, "body": map[string]any{"role": "viewer"}},
		{"method": "PATCH", "url": "/api/collections/memberships/records/" + anna, "body": map[string]any{"role": "viewer"}},
	}
	want(t, s.Ask(t, s.Anna, "POST", "/api/batch", map[string]any{"requests": both}), 400)

	s.Handler(t)
	for round := range 5 {
		var done sync.WaitGroup
		for _, x := range []struct {
			who *core.Record
			m   string
		}{{s.Anna, other}, {cora, anna}} {
			done.Go(func() { s.Ask(t, x.who, "PATCH", "/api/portal/team/"+x.m, map[string]any{"role": "member"}) })
		}
		done.Wait()
		var admins int
		if err := s.DB().NewQuery(`SELECT COUNT(*) FROM memberships WHERE organization = {:o} AND role = 'admin' AND status = 'active'`).Bind(dbx.Params{"o": s.Bluebell.Id}).Row(&admins); err != nil {
			t.Fatal(err)
		}
		if admins != 1 {
			t.Fatalf("round %d: %d admins are left", round, admins)
		}
		for _, m := range []string{anna, other} {
			want(t, s.Ask(t, s.Sol, "PATCH", "/api/collections/memberships/records/"+m, map[string]any{"role": "admin"}), 200)
		}
	}
	// An admin of the organization above is one for the office.
	office := somebody(t, s, "Otto", s.Leeds, "admin")
	want(t, s.Ask(t, office, "PATCH", "/api/portal/team/"+membership(t, s, office, s.Leeds), map[string]any{"role": "member"}), 200)
}

// Clients invite where they look after the people, and at most with what they
// have; the invited person names who invited.
func TestTeam_clientsInvite(t *testing.T) {
	s := gatetest.New(t)
	invite := func(who *core.Record, body map[string]any) gatetest.Answer {
		t.Helper()
		return s.Ask(t, who, "POST", "/api/portal/invitations", body)
	}
	a := invite(s.Anna, map[string]any{"email": "nora@example.com", "organization": s.Leeds.Id, "role": "admin"})
	if want(t, a, 200); a.Body["invited_by_name"] != "Anna" {
		t.Error(string(a.Raw))
	}
	id, _ := a.Body["id"].(string)
	for _, x := range []struct {
		name   string
		who    *core.Record
		body   map[string]any
		status int
	}{
		{"elsewhere", s.Anna, map[string]any{"email": "x@example.com", "organization": s.Kestrel.Id}, 404},
		{"above", s.Ben, map[string]any{"email": "x@example.com", "organization": s.Bluebell.Id}, 404},
		{"by a viewer", s.Vera, map[string]any{"email": "x@example.com", "organization": s.Bluebell.Id, "role": "viewer"}, 400},
		{"by a member", s.Ben, map[string]any{"email": "x@example.com", "organization": s.Leeds.Id, "role": "viewer"}, 400},
		{"with a duty that one does not have", s.Anna, map[string]any{"email": "x@example.com", "organization": s.Bluebell.Id, "duties": []string{"client_approver"}}, 400},
		{"with a role as a duty", s.Anna, map[string]any{"email": "x@example.com", "organization": s.Bluebell.Id, "role": "viewer", "duties": []string{"client_admin"}}, 400},
	} {
		if a := invite(x.who, x.body); a.Status != x.status {
			t.Errorf("%s: %d %s", x.name, a.Status, a.Raw)
		}
	}
	want(t, s.Ask(t, s.Cleo, "POST", "/api/portal/invitations/"+id+"/revoke", nil), 404)
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/invitations/"+id+"/link", nil), 403)
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/invitations/"+id+"/resend", nil), 200)
	s.Deliver(t)
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/invitations/"+id+"/revoke", nil), 200)
	team := s.Ask(t, s.Anna, "GET", "/api/portal/team?organization="+s.Leeds.Id, nil)
	if !strings.Contains(string(team.Raw), `"status":"revoked"`) {
		t.Errorf("a withdrawn invitation is hidden: %s", team.Raw)
	}
	if text := mailText(t, s, "nora@example.com"); !strings.Contains(text, "Anna at") {
		t.Errorf("the mail does not name Anna: %s", text)
	}
}

func mailText(t *testing.T, s *gatetest.Stage, to string) string {
	t.Helper()
	var text string
	if err := s.DB().NewQuery(`SELECT text FROM mails WHERE "to" = {:to} ORDER BY created DESC LIMIT 1`).Bind(dbx.Params{"to": to}).Row(&text); err != nil {
		t.Fatal("mail to", to, err)
	}
	return text
}

// Where an organization is suspended its people look, and every door says why
// they cannot act; where it is archived they see nothing any more. Both hold for
// everything below, and both are taken back.
func TestOrganization_suspendedAndArchived(t *testing.T) {
	s := gatetest.New(t)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	office := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Leeds.Id, Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	s.Move(t, s.Sam, office, "send")
	item := s.Item(t, office, "Why?").Id
	set := func(status string) {
		t.Helper()
		want(t, s.Ask(t, s.Mia, "PATCH", "/api/collections/organizations/records/"+s.Bluebell.Id, map[string]any{"status": status}), 200)
	}
	set("suspended")
	view := s.Ask(t, s.Ben, "GET", "/api/portal/requests/"+office, nil)
	if want(t, view, 200); !strings.Contains(fmt.Sprint(view.Body["read_only"]), "suspended") {
		t.Errorf("read only because %v", view.Body["read_only"])
	}
	for name, a := range map[string]gatetest.Answer{
		"answers":   s.Ask(t, s.Ben, "PATCH", "/api/portal/items/"+item, map[string]any{"answers": map[string]any{"text": "Because"}}),
		"steps":     s.Ask(t, s.Ben, "POST", "/api/portal/requests/"+office+"/transition", map[string]any{"transition": "submit"}),
		"messages":  s.Ask(t, s.Ben, "POST", "/api/collections/messages/records", map[string]any{"request": office, "body": "Hello"}),
		"files":     s.Send(t, s.Anna, map[string]string{"item": s.Item(t, request, "Bank statement").Id}, "a.pdf", gatetest.PDF("a")),
		"library":   s.Send(t, s.Anna, map[string]string{"organization": s.Bluebell.Id}, "a.pdf", gatetest.PDF("a")),
		"roles":     s.Ask(t, s.Anna, "PATCH", "/api/portal/team/"+membership(t, s, s.Vera, s.Bluebell), map[string]any{"role": "member"}),
		"inviting":  s.Ask(t, s.Anna, "POST", "/api/portal/invitations", map[string]any{"email": "x@example.com", "organization": s.Leeds.Id}),
		"lending":   s.Ask(t, s.Anna, "POST", "/api/portal/delegations", map[string]any{"to": s.Vera.Id, "organization": s.Bluebell.Id, "ends": schema.Stamp(s.Clock.Now().Add(time.Hour))}),
		"a new one": s.Ask(t, s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": s.Bluebell.Id}),
	} {
		if a.Status != 400 || !strings.Contains(string(a.Raw), "suspended") {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
	set("archived")
	want(t, s.Ask(t, s.Ben, "GET", "/api/portal/requests/"+office, nil), 404)
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/requests/"+request, nil), 404)
	if a := s.Ask(t, s.Anna, "GET", "/api/collections/client_requests/records", nil); a.Body["totalItems"] != 0.0 {
		t.Errorf("an archived client's list: %s", a.Raw)
	}
	if me := s.Ask(t, s.Anna, "GET", "/api/portal/me", nil); len(me.Body["organizations"].([]any)) != 0 {
		t.Errorf("an archived client is offered: %s", me.Raw)
	}
	want(t, s.Ask(t, s.Sam, "GET", "/api/portal/requests/"+request, nil), 200)
	set("active")
	want(t, s.Ask(t, s.Ben, "PATCH", "/api/portal/items/"+item, map[string]any{"answers": map[string]any{"text": "Because"}}), 200)
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/requests/"+request, nil), 200)
}

// An organization moves only where its mover sees, and never below itself.
func TestOrganization_moves(t *testing.T) {
	s := gatetest.New(t)
	move := func(who, what *core.Record, parent string) gatetest.Answer {
		return s.Ask(t, who, "PATCH", "/api/collections/organizations/records/"+what.Id, map[string]any{"parent": parent})
	}
	want(t, move(s.Mia, s.Bluebell, s.Leeds.Id), 400) // a circle
	want(t, move(s.Mia, s.Bluebell, s.Bluebell.Id), 400)
	s.Add(t, "walls", map[string]any{"staff": s.Mia.Id, "organization": s.Kestrel.Id, "reason": "Related"})
	walled, nowhere := move(s.Mia, s.Leeds, s.Kestrel.Id), move(s.Mia, s.Leeds, "000000000000000")
	if walled.Status != 400 || nowhere.Status != 400 || strings.Contains(string(walled.Raw), "Kestrel") {
		t.Errorf("%d %s, %d %s", walled.Status, walled.Raw, nowhere.Status, nowhere.Raw)
	}
	want(t, s.Ask(t, s.Mia, "POST", "/api/collections/memberships/records", map[string]any{"user": s.Vera.Id, "organization": s.Kestrel.Id, "role": "admin"}), 404)
	want(t, move(s.Pat, s.Leeds, s.Kestrel.Id), 200)
	if a := s.Ask(t, s.Cleo, "GET", "/api/collections/organizations/records/"+s.Leeds.Id, nil); a.Status != 200 {
		t.Errorf("the new parent's admin does not see the office: %s", a.Raw)
	}
	want(t, s.Ask(t, s.Anna, "GET", "/api/collections/organizations/records/"+s.Leeds.Id, nil), 404)
}
