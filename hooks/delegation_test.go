package hooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// loan is a delegation asked for an hour from now.
func loan(s *gatetest.Stage, to *core.Record, organization *core.Record, powers ...string) map[string]any {
	return map[string]any{"to": to.Id, "organization": organization.Id, "powers": powers, "ends": schema.Stamp(s.Clock.Now().Add(time.Hour)), "reason": "On leave"}
}

func lend(t *testing.T, s *gatetest.Stage, giver *core.Record, body map[string]any) string {
	t.Helper()
	a := s.Ask(t, giver, "POST", "/api/portal/delegations", body)
	want(t, a, 200)
	id, _ := a.Body["delegation"].(string)
	return id
}

// A delegate does what was lent and no more, and everything says for whom.
func TestDelegation_actsForTheGiver(t *testing.T) {
	s := gatetest.New(t)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	item := "/api/portal/items/" + s.Item(t, request, "Any loans?").Id
	answer := map[string]any{"answers": map[string]any{"text": "None"}}
	message := map[string]any{"request": request, "body": "Good morning"}

	first := lend(t, s, s.Anna, loan(s, s.Vera, s.Bluebell, "see", "provide"))
	want(t, s.Ask(t, s.Vera, "PATCH", item, answer), 200)
	a := s.Ask(t, s.Vera, "POST", "/api/collections/messages/records", message)
	if want(t, a, 400); !strings.Contains(string(a.Raw), "Anna did not lend you this") {
		t.Error(string(a.Raw))
	}
	want(t, s.Ask(t, s.Vera, "POST", "/api/portal/requests/"+request+"/transition", map[string]any{"transition": "submit"}), 400)
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/delegations/"+first+"/revoke", nil), 200)
	want(t, s.Ask(t, s.Vera, "PATCH", item, answer), 400)

	lend(t, s, s.Anna, loan(s, s.Vera, s.Bluebell))
	want(t, s.Ask(t, s.Vera, "POST", "/api/collections/messages/records", message), 200)
	want(t, s.Send(t, s.Vera, map[string]string{"item": s.Item(t, request, "Bank statement").Id}, "a.pdf", gatetest.PDF("a")), 200)
	want(t, s.Ask(t, s.Vera, "PATCH", "/api/portal/items/"+s.Item(t, request, "All is complete").Id, map[string]any{"answers": map[string]any{"accepted": true}}), 200)
	want(t, s.Ask(t, s.Vera, "PATCH", item, answer), 200)
	want(t, s.Ask(t, s.Vera, "POST", "/api/portal/requests/"+request+"/transition", map[string]any{"transition": "submit"}), 200)
	for _, x := range []struct{ what, statement, want string }{
		{"the message", `SELECT author_name FROM messages WHERE request = {:r}`, "Vera for Anna"},
		{"the file", `SELECT author_name FROM documents WHERE request = {:r}`, "Vera for Anna"},
		{"the history", `SELECT on_behalf_of FROM transitions WHERE request = {:r} ORDER BY revision DESC LIMIT 1`, s.Anna.Id},
		{"the client's history", `SELECT actor_name || '/' || on_behalf_of FROM client_history WHERE request = {:r} AND kind = 'transition' AND actor_name = 'Vera'`, "Vera/Anna"},
		{"the trail", `SELECT actor_name || ' ' || json_extract(change, '$.on_behalf_of') FROM audit_log WHERE request = {:r} AND action = 'transition' ORDER BY seq DESC LIMIT 1`, "Vera for Anna " + s.Anna.Id},
	} {
		var got string
		if err := s.DB().NewQuery(x.statement).Bind(dbx.Params{"r": request}).Row(&got); err != nil || got != x.want {
			t.Errorf("%s says %q, not %q (%v)", x.what, got, x.want, err)
		}
	}
	for _, who := range []*core.Record{s.Anna, s.Sam} {
		if a := s.Ask(t, who, "GET", "/api/portal/requests/"+request+"/timeline", nil); !strings.Contains(string(a.Raw), "Vera for Anna") {
			t.Errorf("%s is not told for whom: %s", who.GetString("name"), a.Raw)
		}
	}
}

// Nobody lends what is not one's own, to oneself, for ever, or on.
func TestDelegation_whatCannotBeLent(t *testing.T) {
	s := gatetest.New(t)
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	kestrel := s.Open(t, s.Sol, workflow.NewRequest{Workflow: "simple_request", Organization: s.Kestrel.Id, Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	s.Move(t, s.Sam, kestrel, "send")
	s.Add(t, "delegations", map[string]any{"from": s.Anna.Id, "to": s.Ben.Id, "organization": s.Bluebell.Id, "starts": schema.Stamp(s.Clock.Now().Add(-time.Hour)), "ends": schema.Stamp(s.Clock.Now().Add(time.Hour))})
	with := func(body map[string]any, more map[string]any) map[string]any {
		for k, v := range more {
			body[k] = v
		}
		return body
	}
	for _, x := range []struct {
		name string
		who  *core.Record
		body map[string]any
	}{
		{"an organization of somebody else", s.Anna, loan(s, s.Vera, s.Kestrel)},
		{"the organization above", s.Ben, loan(s, s.Vera, s.Leeds, "manage")},
		{"what was lent", s.Ben, loan(s, mo, s.Bluebell)},
		{"a viewer's looking", s.Vera, loan(s, mo, s.Bluebell)},
		{"looking after the team", s.Anna, loan(s, s.Vera, s.Bluebell, "manage")},
		{"a role", s.Anna, loan(s, s.Vera, s.Bluebell, "client_admin")},
		{"a duty that one does not have", s.Anna, loan(s, s.Vera, s.Bluebell, "client_approver")},
		{"to oneself", s.Anna, loan(s, s.Anna, s.Bluebell)},
		{"to somebody of another client by id", s.Anna, loan(s, s.Cleo, s.Bluebell)},
		{"to nobody", s.Anna, with(loan(s, s.Vera, s.Bluebell), map[string]any{"to": "nope"})},
		{"a request of another client", s.Anna, with(loan(s, s.Vera, s.Bluebell), map[string]any{"request": kestrel})},
		{"the past", s.Anna, with(loan(s, s.Vera, s.Bluebell), map[string]any{"ends": schema.Stamp(s.Clock.Now().Add(-time.Hour))})},
		{"for ever", s.Anna, with(loan(s, s.Vera, s.Bluebell), map[string]any{"ends": ""})},
		{"in the name of somebody else", mo, with(loan(s, s.Vera, s.Bluebell), map[string]any{"from": s.Anna.Id, "powers": []string{"manage"}})},
	} {
		if a := s.Ask(t, x.who, "POST", "/api/portal/delegations", x.body); a.Status != 400 && a.Status != 404 {
			t.Errorf("%s: %d %s", x.name, a.Status, a.Raw)
		}
		x.body["from"] = x.who.Id
		if a := s.Ask(t, x.who, "POST", "/api/collections/delegations/records", x.body); a.Status != 400 && a.Status != 404 {
			t.Errorf("%s, by the record API: %d %s", x.name, a.Status, a.Raw)
		}
	}
	forged := loan(s, s.Vera, s.Bluebell)
	forged["from"] = s.Anna.Id
	want(t, s.Ask(t, mo, "POST", "/api/collections/delegations/records", forged), 400)
	want(t, s.Ask(t, s.Sam, "POST", "/api/collections/delegations/records", forged), 403)
	want(t, s.Ask(t, s.Anna, "POST", "/api/collections/delegations/records", forged), 200)
}

// A delegation is never more than the giver has at the moment of use, and ends
// with what it rests on.
func TestDelegation_followsTheGiver(t *testing.T) {
	for _, x := range []struct {
		name      string
		lose      func(t *testing.T, s *gatetest.Stage, giver *core.Record, id string)
		sees, act bool
	}{
		{"nothing happens", func(*testing.T, *gatetest.Stage, *core.Record, string) {}, true, true},
		{"the giver becomes a viewer", func(t *testing.T, s *gatetest.Stage, giver *core.Record, _ string) {
			t.Helper()
			want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/team/"+membership(t, s, giver, s.Bluebell), map[string]any{"role": "viewer"}), 200)
		}, true, false},
		{"the giver is suspended", func(t *testing.T, s *gatetest.Stage, giver *core.Record, _ string) {
			t.Helper()
			want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/team/"+membership(t, s, giver, s.Bluebell), map[string]any{"status": "suspended"}), 200)
		}, false, false},
		{"the giver goes", func(t *testing.T, s *gatetest.Stage, giver *core.Record, _ string) {
			t.Helper()
			want(t, s.Ask(t, s.Anna, "POST", "/api/portal/team/"+membership(t, s, giver, s.Bluebell)+"/remove", map[string]any{}), 200)
		}, false, false},
		{"the giver takes it back", func(t *testing.T, s *gatetest.Stage, giver *core.Record, id string) {
			t.Helper()
			want(t, s.Ask(t, giver, "POST", "/api/portal/delegations/"+id+"/revoke", nil), 200)
		}, false, false},
		{"the receiver gives it back, by the record API", func(t *testing.T, s *gatetest.Stage, _ *core.Record, id string) {
			t.Helper()
			want(t, s.Ask(t, s.Cleo, "PATCH", "/api/collections/delegations/records/"+id, map[string]any{"revoked": true}), 200)
		}, false, false},
		{"the client's admin ends it", func(t *testing.T, s *gatetest.Stage, _ *core.Record, id string) {
			t.Helper()
			want(t, s.Ask(t, s.Anna, "POST", "/api/portal/delegations/"+id+"/revoke", nil), 200)
		}, false, false},
		{"a manager ends it", func(t *testing.T, s *gatetest.Stage, _ *core.Record, id string) {
			t.Helper()
			want(t, s.Ask(t, s.Mia, "POST", "/api/portal/delegations/"+id+"/revoke", nil), 200)
		}, false, false},
		{"its time is over", func(_ *testing.T, s *gatetest.Stage, _ *core.Record, _ string) { s.Clock.Move(time.Hour) }, false, false},
		{"the giver has a second right and loses one", func(t *testing.T, s *gatetest.Stage, giver *core.Record, _ string) {
			t.Helper()
			holding := s.Add(t, "organizations", map[string]any{"name": "Holding"})
			s.Add(t, "memberships", map[string]any{"user": giver.Id, "organization": holding.Id, "role": "member", "status": "active"})
			want(t, s.Ask(t, s.Pat, "PATCH", "/api/collections/organizations/records/"+s.Bluebell.Id, map[string]any{"parent": holding.Id}), 200)
			want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/team/"+membership(t, s, giver, s.Bluebell), map[string]any{"status": "suspended"}), 200)
		}, true, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := gatetest.New(t)
			request := s.Simple(t)
			s.Move(t, s.Sam, request, "send")
			gil := somebody(t, s, "Gil", s.Bluebell, "member")
			d := s.Add(t, "delegations", map[string]any{
				"from": gil.Id, "to": s.Cleo.Id, "organization": s.Bluebell.Id, "powers": []string{"provide", "submit", "message"},
				"starts": schema.Stamp(s.Clock.Now().Add(-time.Minute)), "ends": schema.Stamp(s.Clock.Now().Add(time.Hour)),
			})
			want(t, s.Ask(t, s.Cleo, "PATCH", "/api/portal/items/"+s.Item(t, request, "Any loans?").Id, map[string]any{"answers": map[string]any{"text": "One"}}), 200)
			x.lose(t, s, gil, d.Id)
			if got := s.Ask(t, s.Cleo, "GET", "/api/portal/requests/"+request, nil).Status == 200; got != x.sees {
				t.Errorf("sees: %v", got)
			}
			if got := s.Ask(t, s.Cleo, "PATCH", "/api/portal/items/"+s.Item(t, request, "Any loans?").Id, map[string]any{"answers": map[string]any{"text": "Two"}}).Status == 200; got != x.act {
				t.Errorf("acts: %v", got)
			}
			if a := s.Ask(t, s.Cleo, "GET", "/api/portal/requests", nil); strings.Contains(string(a.Raw), request) != x.sees {
				t.Errorf("the list: %s", a.Raw)
			}
		})
	}
}

// One request is lent: that one is seen, and nothing beside it. A restricted one
// is lent by those who take part only.
func TestDelegation_ofOneRequest(t *testing.T) {
	s := gatetest.New(t)
	lent, kept := s.Simple(t), s.Simple(t)
	for _, id := range []string{lent, kept} {
		s.Move(t, s.Sam, id, "send")
	}
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	d := s.Add(t, "delegations", map[string]any{"from": mo.Id, "to": s.Cleo.Id, "organization": s.Bluebell.Id, "request": lent, "starts": schema.Stamp(s.Clock.Now().Add(-time.Hour)), "ends": schema.Stamp(s.Clock.Now().Add(time.Hour))})
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/requests/"+lent, nil), 200)
	want(t, s.Ask(t, s.Cleo, "PATCH", "/api/portal/items/"+s.Item(t, lent, "Any loans?").Id, map[string]any{"answers": map[string]any{"text": "One"}}), 200)
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/requests/"+kept, nil), 404)
	want(t, s.Ask(t, s.Cleo, "GET", "/api/collections/organizations/records/"+s.Bluebell.Id, nil), 404)
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/team?organization="+s.Bluebell.Id, nil), 404)
	want(t, s.Ask(t, s.Cleo, "GET", "/api/collections/delegations/records/"+d.Id, nil), 200)
	page := s.Ask(t, s.Cleo, "GET", "/api/portal/delegations", nil)
	if received, _ := page.Body["received"].([]any); len(received) != 1 || !strings.Contains(string(page.Raw), `"from_name":"Mo"`) || !strings.Contains(string(page.Raw), "Year-end papers") {
		t.Errorf("the receiver is not told: %s", page.Raw)
	}
	if a := s.Ask(t, mo, "GET", "/api/portal/delegations", nil); !strings.Contains(string(a.Raw), `"to_name":"Cleo"`) {
		t.Errorf("the giver is not told: %s", a.Raw)
	}
	if a := s.Ask(t, s.Anna, "GET", "/api/portal/delegations?organization="+s.Bluebell.Id, nil); !strings.Contains(string(a.Raw), d.Id) {
		t.Errorf("the admin is not told: %s", a.Raw)
	}
	want(t, s.Ask(t, mo, "GET", "/api/portal/delegations?organization="+s.Bluebell.Id, nil), 400)
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/delegations?organization="+s.Bluebell.Id, nil), 404)

	// Restricted to Anna: what Mo lent gives nothing, and Mo cannot lend it.
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/portal/requests/"+lent+"/people", map[string]any{"visibility": "restricted", "participants": []string{s.Anna.Id}}), 200)
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/requests/"+lent, nil), 404)
	want(t, s.Ask(t, mo, "GET", "/api/portal/requests/"+lent, nil), 404)
	body := loan(s, s.Vera, s.Bluebell)
	body["request"] = lent
	want(t, s.Ask(t, mo, "POST", "/api/portal/delegations", body), 404)
	lend(t, s, s.Anna, body)
	want(t, s.Ask(t, s.Vera, "GET", "/api/portal/requests/"+lent, nil), 200)
	// The whole organization does not cover what is restricted.
	lend(t, s, s.Anna, loan(s, mo, s.Bluebell))
	want(t, s.Ask(t, mo, "GET", "/api/portal/requests/"+lent, nil), 404)
}

// Whoever may act for several people says for whom: everything is told as done
// for that person, and only what that person lends now counts.
func TestDelegation_choosesForWhom(t *testing.T) {
	s := gatetest.New(t)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	path, item := "/api/portal/requests/"+request, "/api/portal/items/"+s.Item(t, request, "Any loans?").Id
	message := map[string]any{"request": request, "body": "Good morning"}
	answer := map[string]any{"answers": map[string]any{"text": "None"}}
	as := func(giver *core.Record) []string { return []string{schema.HeaderFor, giver.Id} }
	ways := func(want string) {
		t.Helper()
		a := s.Ask(t, s.Vera, "GET", path, nil)
		if got := namesOf(a.Body["acts_for"]); got != want {
			t.Errorf("the page offers to act for %q, not %q", got, want)
		}
	}
	later := loan(s, s.Vera, s.Bluebell)
	later["ends"] = schema.Stamp(s.Clock.Now().Add(2 * time.Hour))

	ways("")
	anna := lend(t, s, s.Anna, later)
	ways("")
	moLends := lend(t, s, mo, loan(s, s.Vera, s.Bluebell, "see", "message"))
	ways("Anna, Mo")
	if a := s.Ask(t, s.Vera, "GET", path, nil, as(mo)...); a.Body["acting_for"] != "Mo" || namesOf(a.Body["acts_for"]) != "Anna, Mo" {
		t.Errorf("the page acts for %v of %v", a.Body["acting_for"], a.Body["acts_for"])
	}

	want(t, s.Ask(t, s.Vera, "POST", "/api/collections/messages/records", message), 200)
	want(t, s.Ask(t, s.Vera, "POST", "/api/collections/messages/records", message, as(mo)...), 200)
	var authors string
	if err := s.DB().NewQuery(`SELECT group_concat(author_name, ', ') FROM (SELECT author_name FROM messages WHERE request = {:r} ORDER BY author_name)`).Bind(dbx.Params{"r": request}).Row(&authors); err != nil || authors != "Vera for Anna, Vera for Mo" {
		t.Errorf("the messages are by %q (%v)", authors, err)
	}
	refused := func(a gatetest.Answer, why string) {
		t.Helper()
		if want(t, a, 400); !strings.Contains(string(a.Raw), why) {
			t.Errorf("the refusal does not say %q: %s", why, a.Raw)
		}
	}
	refused(s.Ask(t, s.Vera, "PATCH", item, answer, as(mo)...), "Mo did not lend you this")
	refused(s.Send(t, s.Vera, map[string]string{"item": s.Item(t, request, "Bank statement").Id}, "a.pdf", gatetest.PDF("a"), as(mo)...), "Mo did not lend you this")
	refused(s.Ask(t, s.Vera, "POST", path+"/transition", map[string]any{"transition": "submit"}, as(mo)...), "Mo did not lend you this")
	want(t, s.Send(t, s.Vera, map[string]string{"item": s.Item(t, request, "Bank statement").Id}, "a.pdf", gatetest.PDF("a"), as(s.Anna)...), 200)
	want(t, s.Ask(t, s.Vera, "PATCH", item, answer, as(s.Anna)...), 200)

	const lapsed = "You cannot act for this person here any more"
	for _, nobody := range []*core.Record{s.Ben, s.Cleo, s.Sam} {
		refused(s.Ask(t, s.Vera, "POST", "/api/collections/messages/records", message, as(nobody)...), lapsed)
	}
	want(t, s.Ask(t, mo, "POST", "/api/portal/delegations/"+moLends+"/revoke", nil), 200)
	refused(s.Ask(t, s.Vera, "POST", "/api/collections/messages/records", message, as(mo)...), lapsed)
	ways("")
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/delegations/"+anna+"/revoke", nil), 200)
	refused(s.Ask(t, s.Vera, "PATCH", item, answer, as(s.Anna)...), lapsed)
}

// Who may do something in own right and for somebody else chooses as well; a
// step for somebody is on the trail with both names.
func TestDelegation_choosesBetweenOneselfAndAnother(t *testing.T) {
	s := gatetest.New(t)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	lend(t, s, s.Anna, loan(s, mo, s.Bluebell))
	path, message := "/api/portal/requests/"+request, map[string]any{"request": request, "body": "Good morning"}
	if a := s.Ask(t, mo, "GET", path, nil); namesOf(a.Body["acts_for"]) != ", Anna" || a.Body["acting_for"] != "" {
		t.Errorf("Mo acts for %v of %v", a.Body["acting_for"], a.Body["acts_for"])
	}
	want(t, s.Ask(t, mo, "POST", "/api/collections/messages/records", message), 200)
	want(t, s.Ask(t, mo, "POST", "/api/collections/messages/records", message, schema.HeaderFor, mo.Id), 200)
	s.AllProvided(t, request)
	first := s.Ask(t, mo, "POST", path+"/transition", map[string]any{"transition": "submit"}, schema.HeaderFor, s.Anna.Id, "Idempotency-Key", "monday-morning")
	want(t, first, 200)
	want(t, s.Ask(t, mo, "POST", path+"/transition", map[string]any{"transition": "submit"}, "Idempotency-Key", "monday-morning"), 409)
	for _, x := range []struct{ what, statement, want string }{
		{"the messages", `SELECT group_concat(DISTINCT author_name) FROM messages WHERE request = {:r}`, "Mo"},
		{"the history", `SELECT on_behalf_of FROM transitions WHERE request = {:r} ORDER BY revision DESC LIMIT 1`, s.Anna.Id},
		{"the trail", `SELECT actor_name || ' ' || json_extract(change, '$.on_behalf_of') FROM audit_log WHERE request = {:r} AND action = 'transition' ORDER BY seq DESC LIMIT 1`, "Mo for Anna " + s.Anna.Id},
	} {
		var got string
		if err := s.DB().NewQuery(x.statement).Bind(dbx.Params{"r": request}).Row(&got); err != nil || got != x.want {
			t.Errorf("%s says %q, not %q (%v)", x.what, got, x.want, err)
		}
	}
}

// Who lends one request reads on its page who handles it, also somebody who was
// only asked yet, and takes it back there.
func TestDelegation_ofOneRequestOnItsPage(t *testing.T) {
	s := gatetest.New(t)
	request, other := s.Simple(t), s.Simple(t)
	for _, id := range []string{request, other} {
		s.Move(t, s.Sam, id, "send")
	}
	handlers := func(who *core.Record, id string) (can bool, list string) {
		t.Helper()
		a := s.Ask(t, who, "GET", "/api/portal/requests/"+id, nil)
		want(t, a, 200)
		can, _ = a.Body["can_lend"].(bool)
		var found []string
		for _, x := range a.Body["handled_by"].([]any) {
			row := x.(map[string]any)
			found = append(found, row["to_name"].(string)+" "+row["status"].(string))
		}
		return can, strings.Join(found, ", ")
	}
	expect := func(who *core.Record, id string, can bool, list string) {
		t.Helper()
		if c, l := handlers(who, id); c != can || l != list {
			t.Errorf("%s may lend: %v, handled by %q; not %v, %q", who.GetString("name"), c, l, can, list)
		}
	}
	expect(s.Anna, request, true, "")
	expect(s.Vera, request, false, "")
	body := loan(s, s.Vera, s.Bluebell)
	body["request"] = request
	id := lend(t, s, s.Anna, body)
	lend(t, s, s.Anna, loan(s, s.Vera, s.Bluebell, "see", "message"))
	expect(s.Anna, request, true, "Vera live")
	expect(s.Anna, other, true, "")
	expect(s.Vera, request, false, "")
	asked := map[string]any{"email": "bea@keeper.example", "name": "Bea", "organization": s.Bluebell.Id, "request": request, "powers": []string{"see", "provide"}, "ends": body["ends"]}
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/delegations", asked), 200)
	expect(s.Anna, request, true, "Bea invited, Vera live")
	if a := s.Ask(t, s.Anna, "GET", "/api/portal/team?organization="+s.Bluebell.Id, nil); !strings.Contains(string(a.Raw), id) {
		t.Errorf("the team page does not tell who handles it: %s", a.Raw)
	}
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/delegations/"+id+"/revoke", nil), 200)
	expect(s.Anna, request, true, "Bea invited")
}

// namesOf are those of a list of rows.
func namesOf(rows any) string {
	list, _ := rows.([]any)
	var found []string
	for _, x := range list {
		row, _ := x.(map[string]any)
		name, _ := row["name"].(string)
		found = append(found, name)
	}
	return strings.Join(found, ", ")
}

// Somebody from outside is asked first: the answer does not tell who has an
// account, and nothing is lent before the person agrees.
func TestDelegation_toSomebodyFromOutside(t *testing.T) {
	s := gatetest.New(t)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	mo := somebody(t, s, "Mo", s.Bluebell, "member")
	ask := func(email string) string {
		t.Helper()
		a := s.Ask(t, mo, "POST", "/api/portal/delegations", map[string]any{"email": email, "name": "Book Keeper", "organization": s.Bluebell.Id, "powers": []string{"see", "provide"}, "ends": schema.Stamp(s.Clock.Now().Add(240 * time.Hour))})
		want(t, a, 200)
		id, _ := a.Body["invitation"].(string)
		if id == "" {
			t.Fatalf("%s is not asked first: %s", email, a.Raw)
		}
		return id
	}
	known, unknown := ask("cleo@example.com"), ask("books@example.com")
	want(t, s.Ask(t, s.Cleo, "GET", "/api/portal/requests/"+request, nil), 404)
	if a := s.Ask(t, mo, "GET", "/api/portal/delegations", nil); strings.Count(string(a.Raw), `"status":"invited"`) != 2 {
		t.Errorf("the giver does not see whom one asked: %s", a.Raw)
	}
	accept := func(id string, who *core.Record) gatetest.Answer {
		t.Helper()
		link, err := s.House.Invitations.Link(s.TestApp, id)
		if err != nil {
			t.Fatal(err)
		}
		token := link[strings.LastIndex(link, "/")+1:]
		if look := s.Ask(t, nil, "POST", "/api/portal/invitations/look", map[string]any{"token": token}); look.Body["role"] != "delegate" || look.Body["invited_by_name"] != "Mo" {
			t.Errorf("the page says %s", look.Raw)
		}
		return s.Ask(t, who, "POST", "/api/portal/invitations/accept", map[string]any{"token": token, "name": "Book Keeper", "password": gatetest.Password})
	}
	want(t, accept(known, s.Cleo), 200)
	view := s.Ask(t, s.Cleo, "GET", "/api/portal/requests/"+request, nil)
	if want(t, view, 200); view.Body["acting_for"] != "Mo" {
		t.Errorf("acting for %v", view.Body["acting_for"])
	}
	// The giver loses the right to lend before the other one agrees.
	want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/team/"+membership(t, s, mo, s.Bluebell), map[string]any{"role": "viewer"}), 200)
	if a := accept(unknown, nil); a.Status != 400 || !strings.Contains(string(a.Raw), "can no longer let others act") {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	var n int
	if err := s.DB().NewQuery(`SELECT COUNT(*) FROM users WHERE email = 'books@example.com'`).Row(&n); err != nil || n != 0 {
		t.Errorf("%d accounts were made (%v)", n, err)
	}
}

// What hangs on a person ends with one act: membership, delegations both ways,
// invitations, parts in requests, and mail that waits.
func TestTeam_offboarding(t *testing.T) {
	s := gatetest.New(t)
	request, private := s.Simple(t), s.Simple(t)
	for _, id := range []string{request, private} {
		s.Move(t, s.Sam, id, "send")
	}
	mo, nell := somebody(t, s, "Mo", s.Bluebell, "member"), somebody(t, s, "Nell", s.Bluebell, "member")
	want(t, s.Ask(t, s.Sam, "PATCH", "/api/portal/requests/"+private+"/people", map[string]any{"visibility": "restricted", "participants": []string{mo.Id, s.Anna.Id}}), 200)
	if err := schema.Insert(s.TestApp, "request_people", dbx.Params{"id": schema.NewID(), "request": request, "duty": "client_approver", "person": mo.Id, "scope": "staff:" + s.Bluebell.Id}); err != nil {
		t.Fatal(err)
	}
	lend(t, s, mo, loan(s, nell, s.Bluebell))
	lend(t, s, s.Anna, loan(s, mo, s.Bluebell))
	s.Deliver(t)
	want(t, s.Ask(t, s.Sam, "POST", "/api/collections/messages/records", map[string]any{"request": request, "body": "Good morning"}), 200)
	s.Deliver(t)

	waiting := func() (n int) {
		t.Helper()
		err := s.DB().NewQuery(`SELECT COUNT(*) FROM mails m JOIN notifications n ON n.id = m.notification WHERE n.user = {:u} AND m.status IN ('waiting','sent')`).Bind(dbx.Params{"u": mo.Id}).Row(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if waiting() == 0 {
		t.Fatal("no mail to Mo waits, so that nothing can be stopped")
	}
	a := s.Ask(t, s.Anna, "POST", "/api/portal/team/"+membership(t, s, mo, s.Bluebell)+"/remove", map[string]any{"hand_over": nell.Id})
	if want(t, a, 200); a.Body["delegations"] != 2.0 || len(a.Body["handed_over"].([]any)) != 2 {
		t.Errorf("what ended: %s", a.Raw)
	}
	want(t, s.Ask(t, mo, "GET", "/api/portal/requests/"+request, nil), 404)
	want(t, s.Ask(t, nell, "GET", "/api/portal/requests/"+private, nil), 200)
	var person string
	if err := s.DB().NewQuery(`SELECT person FROM request_people WHERE request = {:r} AND duty = 'client_approver'`).Bind(dbx.Params{"r": request}).Row(&person); err != nil || person != nell.Id {
		t.Errorf("the duty is with %q (%v)", person, err)
	}
	if err := s.House.Mailer.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := waiting(); n != 0 {
		t.Errorf("%d mails still go to somebody who has gone", n)
	}
	if a := s.Ask(t, s.Anna, "GET", "/api/portal/requests/"+request+"/timeline", nil); a.Status != 200 {
		t.Errorf("the history: %s", a.Raw)
	}
	want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/requests/"+private+"/people", map[string]any{"participants": []string{nell.Id}}), 204)
	// Without an heir the parts are listed, for somebody to look after.
	a = s.Ask(t, s.Mia, "POST", "/api/portal/team/"+membership(t, s, nell, s.Bluebell)+"/remove", map[string]any{})
	if want(t, a, 200); len(a.Body["open"].([]any)) != 2 {
		t.Errorf("what is left: %s", a.Raw)
	}
}
