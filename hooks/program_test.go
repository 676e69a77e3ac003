package hooks_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
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

const programs = "/api/portal/programs"

func newProgram(s *gatetest.Stage, more map[string]any) map[string]any {
	in := map[string]any{"name": "CRM", "role": "operator", "expires": schema.Stamp(s.Clock.Now().AddDate(0, 1, 0))}
	maps.Copy(in, more)
	return in
}

func said(t *testing.T, a gatetest.Answer, path ...string) string {
	t.Helper()
	var v any = a.Body
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	s, _ := v.(string)
	return s
}

// The token is in the answer of its making and nowhere else; what the program
// does is told as its own, for whoever made it.
func TestProgram_actsForItsMaker(t *testing.T) {
	s := gatetest.New(t)
	made := s.Ask(t, s.Pat, "POST", programs, newProgram(s, map[string]any{"duties": []string{"partner"}}))
	want(t, made, 200)
	token, id := said(t, made, "token"), said(t, made, "program", "id")
	if len(token) != 56 || !strings.HasPrefix(token, "gatehouse_") || said(t, made, "program", "hint") != token[52:] {
		t.Errorf("token %q of %s", token, made.Raw)
	}
	tables, err := s.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tables {
		var n int
		if err := s.DB().NewQuery(`SELECT COUNT(*) FROM (SELECT json_array(` + columnsOf(c) + `) AS line FROM [[` + c.Name + `]]) WHERE instr(line, {:token})`).Bind(dbx.Params{"token": token[10:50]}).Row(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			t.Errorf("%s keeps the token", c.Name)
		}
	}
	list := s.Ask(t, s.Pat, "GET", programs, nil)
	if want(t, list, 200); strings.Contains(string(list.Raw), token) || row0(list)["last_used"] != "" || row0(list)["state"] != "active" {
		t.Errorf("before its use: %s", list.Raw)
	}
	as := func(method, path string, body any) gatetest.Answer {
		return s.Ask(t, nil, method, path, body, "Authorization", "Bearer "+token)
	}
	if me := as("GET", "/api/portal/me", nil); me.Body["name"] != "CRM for Pat" || me.Body["role"] != "operator" {
		t.Errorf("who: %s", me.Raw)
	}
	opened := as("POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": s.Bluebell.Id, "title": "By the CRM", "items": []map[string]any{{"section": "things", "template": "file", "title": "Statement"}}})
	want(t, opened, 200)
	request, _ := opened.Body["id"].(string)
	want(t, as("PATCH", "/api/portal/requests/"+request, map[string]any{"priority": "high"}), 200)
	want(t, as("PATCH", "/api/collections/requests/records/"+request, map[string]any{"title": "By the record API"}), 200)
	want(t, as("POST", "/api/collections/internal_notes/records", map[string]any{"request": request, "body": "Synced"}), 200)
	var entries []struct {
		Name   string `db:"actor_name"`
		Actor  string `db:"actor"`
		Change string `db:"change"`
	}
	if err := s.DB().NewQuery(`SELECT actor_name, actor, change FROM audit_log WHERE request = {:id}`).Bind(dbx.Params{"id": request}).All(&entries); err != nil {
		t.Fatal(err)
	}
	if len(entries) < 3 {
		t.Errorf("%d entries", len(entries))
	}
	for _, e := range entries {
		if e.Name != "CRM for Pat" || e.Actor != id || !strings.Contains(e.Change, s.Pat.Id) {
			t.Errorf("on the trail: %+v", e)
		}
	}
	var author string
	scan(t, s.App(), `SELECT author_name FROM internal_notes WHERE request = {:id}`, request, &author)
	if author != "CRM for Pat" {
		t.Errorf("the note is by %q", author)
	}
	list = s.Ask(t, s.Pat, "GET", programs, nil)
	if row0(list)["last_used"] == "" || row0(list)["last_ip"] != "192.0.2.1" {
		t.Errorf("after its use: %s", list.Raw)
	}
	var writes int
	scan(t, s.App(), `SELECT COUNT(*) FROM sessions WHERE principal = {:id} AND ip != ''`, id, &writes)
	if writes != 0 {
		t.Error("each use is a write")
	}
	s.Clock.Move(time.Second)
	want(t, as("GET", "/api/portal/me", nil), 200)
	if err := s.House.Sessions.Flush(); err != nil {
		t.Fatal(err)
	}
	if scan(t, s.App(), `SELECT COUNT(*) FROM sessions WHERE principal = {:id} AND ip = '192.0.2.1'`, id, &writes); writes != 1 {
		t.Error("the last use is not kept")
	}
}

func columnsOf(c *core.Collection) string {
	var names []string
	for _, f := range c.Fields {
		names = append(names, "[["+f.GetName()+"]]")
	}
	return strings.Join(names, ",")
}

func row0(a gatetest.Answer) map[string]any {
	items, _ := a.Body["items"].([]any)
	if len(items) == 0 {
		return nil
	}
	row, _ := items[0].(map[string]any)
	return row
}

// A program never has more than its maker has now.
func TestProgram_neverMoreThanItsMaker(t *testing.T) {
	w := newWorld(t)
	all := w.Program(t, w.Pat, access.NewProgram{Name: "All", Role: "operator", Duties: []string{"partner"}})
	one := w.Program(t, w.Pat, access.NewProgram{Name: "One", Role: "operator", Organizations: []string{w.Kestrel.Id}})
	reads := w.Program(t, w.Pat, access.NewProgram{Name: "Reads", Role: "viewer"})
	view := func(who *core.Record) int { return w.Ask(t, who, "GET", request(w.request), nil).Status }
	record := func(who *core.Record) int {
		return w.Ask(t, who, "GET", "/api/collections/requests/records/"+w.request, nil).Status
	}
	for who, status := range map[*core.Record]int{all: 200, one: 404, reads: 200} {
		if view(who) != status || record(who) != status {
			t.Errorf("%s: %d, %d", who.GetString("name"), view(who), record(who))
		}
	}
	if a := w.Ask(t, one, "GET", "/api/portal/clients", nil); !strings.Contains(string(a.Raw), "Kestrel") || strings.Contains(string(a.Raw), "Bluebell") {
		t.Errorf("clients of One: %s", a.Raw)
	}
	if a := w.Ask(t, reads, "PATCH", request(w.request), map[string]any{"priority": "high"}); a.Status == 200 {
		t.Errorf("one that reads writes: %s", a.Raw)
	}
	want(t, w.Ask(t, all, "PATCH", request(w.request), map[string]any{"priority": "high"}), 200)
	want(t, w.Ask(t, all, "GET", "/api/portal/security", nil), 403)

	want(t, w.Ask(t, w.Sol, "PATCH", "/api/collections/staff/records/"+w.Pat.Id, map[string]any{"duties": []string{}}), 200)
	if member, err := access.StaffOf(w.TestApp, all.Id); err != nil || len(member.Duties) != 0 {
		t.Errorf("the maker lost the duty, the program has %v, %v", member.Duties, err)
	}
	w.Add(t, "walls", map[string]any{"staff": w.Pat.Id, "organization": w.Bluebell.Id, "reason": "Related"})
	if view(all) != 404 || record(all) != 404 || view(reads) != 404 {
		t.Error("a wall around the maker lets the program look")
	}
	want(t, w.Ask(t, w.Sam, "PATCH", request(w.request), map[string]any{"assignee": w.Ruth.Id}), 200)
	if a := w.Ask(t, w.Sam, "PATCH", request(w.request), map[string]any{"assignee": one.Id}); a.Status != 400 {
		t.Errorf("work is given to a program: %d", a.Status)
	}
	if a := w.Ask(t, w.Sam, "GET", "/api/portal/staff", nil); strings.Contains(string(a.Raw), "for Pat") {
		t.Errorf("a program is among the colleagues: %s", a.Raw)
	}
}

// Whatever ends a program ends it from the next call on, by every door.
func TestProgram_ends(t *testing.T) {
	sql := func(w *world, statement string) {
		t.Helper()
		if _, err := w.DB().NewQuery(statement).Bind(bound(statement, w)).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t)
	d, err := w.FindRecordById("documents", w.document)
	if err != nil {
		t.Fatal(err)
	}
	change := func(fields map[string]any) func(*core.Record) {
		return func(*core.Record) {
			want(t, w.Ask(t, w.Sol, "PATCH", "/api/collections/staff/records/"+w.Mia.Id, fields), 200)
		}
	}
	for name, c := range map[string]struct {
		end    func(program *core.Record)
		status int
		state  string
		undo   func(program *core.Record)
	}{
		"revoked": {end: func(p *core.Record) {
			want(t, w.Ask(t, w.Mia, "POST", "/api/portal/prove", map[string]any{"password": gatetest.Password}), 200)
			want(t, w.Ask(t, w.Mia, "POST", programs+"/"+p.Id+"/revoke", nil), 200)
		}, state: "revoked"},
		"expired":                    {end: func(*core.Record) { w.Clock.Move(32 * 24 * time.Hour) }, state: "expired"},
		"the maker is deactivated":   {end: change(map[string]any{"active": false}), state: "maker", undo: change(map[string]any{"active": true})},
		"the maker may not any more": {end: change(map[string]any{"role": "operator"}), state: "maker", undo: change(map[string]any{"role": "manager"})},
		"the maker, past every hook": {end: func(*core.Record) { sql(w, `UPDATE staff SET role = 'operator' WHERE id = {:mia}`) }, state: "maker", undo: func(*core.Record) { sql(w, `UPDATE staff SET role = 'manager' WHERE id = {:mia}`) }},
		"its session, past every hook": {end: func(p *core.Record) {
			sql(w, `UPDATE sessions SET ended = '2026-01-01 00:00:00.000Z' WHERE principal = '`+p.Id+`'`)
		}, state: "revoked"},
	} {
		p := w.Program(t, w.Mia, access.NewProgram{Name: name, Role: "operator"})
		ticket := w.Ask(t, p, "POST", "/api/files/token", nil)
		want(t, ticket, 200)
		file := "/api/files/documents/" + d.Id + "/" + d.GetString("file") + "?token=" + said(t, ticket, "token")
		want(t, w.Ask(t, nil, "GET", file, nil), 200)
		want(t, w.Ask(t, p, "GET", request(w.request), nil), 200)
		c.end(p)
		for _, path := range []string{request(w.request), "/api/collections/requests/records", "/api/portal/queue", "/api/portal/firm"} {
			if a := w.Ask(t, p, "GET", path, nil); a.Status != 401 {
				t.Errorf("%s: %s answers %d", name, path, a.Status)
			}
		}
		if a := w.Ask(t, p, "POST", "/api/batch", map[string]any{"requests": []any{}}); a.Status != 401 {
			t.Errorf("%s: batch answers %d", name, a.Status)
		}
		if name != "the maker, past every hook" && name != "expired" { // a file token lives for three minutes by itself
			if a := w.Ask(t, nil, "GET", file, nil); a.Status != 404 {
				t.Errorf("%s: the file answers %d", name, a.Status)
			}
		}
		if state := stateOf(w.Ask(t, w.Pat, "GET", programs, nil), p.Id); state != c.state {
			t.Errorf("%s: listed as %v", name, state)
		}
		if err := w.House.Programs.Tidy(); err != nil {
			t.Fatal(err)
		}
		if c.undo != nil {
			c.undo(p)
			if a := w.Ask(t, p, "GET", request(w.request), nil); a.Status != 401 {
				t.Errorf("%s: back again, it answers %d", name, a.Status)
			}
		}
	}
}

func stateOf(list gatetest.Answer, id string) any {
	items, _ := list.Body["items"].([]any)
	for _, one := range items {
		if row, _ := one.(map[string]any); row["id"] == id {
			return row["state"]
		}
	}
	return nil
}

func bound(statement string, w *world) dbx.Params {
	if strings.Contains(statement, "{:mia}") {
		return dbx.Params{"mia": w.Mia.Id}
	}
	return nil
}

// A token opens the firm's business, from the addresses that it is for, and
// nothing about sign-ins, tokens, security and other people's powers.
func TestProgram_whatItNeverDoes(t *testing.T) {
	w := newWorld(t)
	w.Settings().Batch.Enabled, w.Settings().Batch.MaxRequests = true, 10
	p := w.Program(t, w.Pat, access.NewProgram{Name: "Strong", Role: "manager"})
	m, err := w.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": w.Vera.Id})
	if err != nil {
		t.Fatal(err)
	}
	records := "/api/collections/"
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"GET", programs, nil},
		{"POST", programs, newProgram(w.Stage, nil)},
		{"POST", programs + "/" + p.Id + "/revoke", nil},
		{"PATCH", "/api/portal/security", map[string]any{"client_second_factor": true, "password": gatetest.Password}},
		{"POST", "/api/portal/prove", map[string]any{"password": gatetest.Password}},
		{"POST", "/api/portal/password", map[string]any{"old": gatetest.Password, "password": "another long one"}},
		{"POST", "/api/portal/second-factor/start", nil},
		{"POST", "/api/portal/sign-out", nil},
		{"GET", "/api/portal/sessions", nil},
		{"POST", "/api/portal/view-as", map[string]any{"user": w.Anna.Id}},
		{"GET", "/api/portal/people/" + w.Anna.Id + "/sessions", nil},
		{"GET", "/api/portal/passkeys", nil},
		{"POST", "/api/portal/passkeys/start", map[string]any{"password": gatetest.Password}},
		{"POST", "/api/portal/passkeys/prove", nil},
		{"POST", "/api/portal/passkeys", map[string]any{"name": "Mine", "credential": map[string]any{}}},
		{"POST", "/api/portal/passkeys/sign-in/start", map[string]any{"collection": "staff"}},
		{"POST", "/api/portal/passkeys/sign-in", map[string]any{"credential": map[string]any{}}},
		{"POST", "/api/portal/passkeys/" + w.passkey + "/remove", map[string]any{"password": gatetest.Password}},
		{"GET", "/api/portal/backups", nil},
		{"POST", "/api/portal/backups", nil},
		{"POST", "/api/portal/backups/" + w.backup + "/prove", nil},
		{"POST", "/api/portal/backups/" + w.backup + "/restore", nil},
		{"POST", request(w.request, "/exclusions"), map[string]any{"user": w.Vera.Id, "reason": "Related"}},
		{"DELETE", request(w.paused, "/exclusions/"+w.excluded), nil},
		{"POST", "/api/portal/delegations", map[string]any{"to": w.Vera.Id, "organization": w.Bluebell.Id, "ends": schema.Stamp(w.Clock.Now().AddDate(0, 1, 0))}},
		{"POST", records + "delegations/records", w.creating()["delegations"]},
		{"POST", records + "exclusions/records", map[string]any{"request": w.request, "user": w.Vera.Id, "reason": "Related", "by_kind": "staff"}},
		{"POST", "/api/portal/invitations", map[string]any{"email": "more@example.com", "organization": w.Bluebell.Id, "role": "admin"}},
		{"POST", records + "staff/auth-refresh", nil},
		{"POST", records + "staff/impersonate/" + w.Sam.Id, nil},
		{"GET", "/api/settings", nil},
		{"GET", "/api/collections", nil},
		{"POST", "/api/sql", map[string]any{"query": "SELECT 1"}},
		{"POST", records + "walls/records", map[string]any{"staff": w.Ruth.Id, "organization": w.Kestrel.Id, "reason": "Related"}},
		{"DELETE", records + "walls/records/" + w.spare["walls"], nil},
		{"PATCH", records + "memberships/records/" + m.Id, map[string]any{"role": "admin"}},
		{"PATCH", "/api/portal/team/" + m.Id, map[string]any{"role": "admin"}},
		{"POST", records + "staff/records", map[string]any{"email": "x@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "X", "role": "owner", "active": true}},
		{"PATCH", records + "staff/records/" + p.Id, map[string]any{"role": "owner"}},
		{"PATCH", records + "staff/records/" + p.Id, map[string]any{"name": "Somebody"}},
	} {
		for _, a := range []gatetest.Answer{
			w.Ask(t, p, c.method, c.path, c.body),
			batched(t, w.Stage, p, c.method, c.path, c.body),
		} {
			if a.Status < 400 || a.Status >= 500 {
				t.Errorf("%s %s: %d %s", c.method, c.path, a.Status, a.Raw)
			}
		}
	}
	for _, c := range []string{"users", "staff", "walls", "viewings", "runs"} {
		if a := w.Ask(t, p, "GET", records+c+"/records", nil); a.Body["totalItems"] != 0.0 {
			t.Errorf("%s: %s", c, a.Raw)
		}
	}
	for topic, may := range map[string]bool{"person/" + w.Pat.Id: false, "person/" + w.Anna.Id: false, "requests/*": false, "person/" + p.Id: true} {
		client := w.House.Live.NewConnection()
		w.SubscriptionsBroker().Register(client)
		w.Ask(t, p, "POST", "/api/realtime", map[string]any{"clientId": client.Id(), "subscriptions": []string{topic}})
		if hears := len(client.Subscriptions()) > 0; hears != may {
			t.Errorf("a program listens to %s: %v", topic, hears)
		}
		w.SubscriptionsBroker().Unregister(client.Id())
	}
	stolen, err := access.Open(w.TestApp, p, access.Origin{}, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	want(t, w.Ask(t, nil, "GET", "/api/portal/me", nil, "Authorization", stolen), 401)
	p.SetPassword(gatetest.Password)
	if err := w.Save(p); err != nil {
		t.Fatal(err)
	}
	if a := w.Ask(t, nil, "POST", records+"staff/auth-with-password", map[string]any{"identity": p.Email(), "password": gatetest.Password}); a.Status == 200 || a.Body["mfaId"] != nil {
		t.Errorf("a program signs in like a person: %s", a.Raw)
	}
	want(t, w.Ask(t, nil, "POST", records+"staff/request-otp", map[string]any{"email": p.Email()}), 200)
	var codes int
	if scan(t, w.App(), `SELECT COUNT(*) FROM _otps WHERE recordRef = {:id}`, p.Id, &codes); codes != 0 {
		t.Error("a program is sent a code")
	}
}

func batched(t *testing.T, s *gatetest.Stage, who *core.Record, method, path string, body any) gatetest.Answer {
	t.Helper()
	return s.Ask(t, who, "POST", "/api/batch", map[string]any{"requests": []any{map[string]any{"method": method, "url": path, "body": body}}})
}

func TestProgram_networksAndSpelling(t *testing.T) {
	s := gatetest.New(t)
	made := s.Ask(t, s.Mia, "POST", programs, newProgram(s, map[string]any{"networks": []string{"198.51.100.7", "2001:db8::/32"}}))
	want(t, made, 200)
	token := said(t, made, "token")
	for peer, status := range map[string]int{"198.51.100.7:1": 200, "198.51.100.8:1": 403, "[2001:db8::9]:1": 200, "[2001:db9::9]:1": 403} {
		if a := s.Ask(t, nil, "GET", "/api/portal/me", nil, "Authorization", "Bearer "+token, gatetest.Peer, peer); a.Status != status {
			t.Errorf("from %s: %d", peer, a.Status)
		}
	}
	for _, wrong := range []string{token[:len(token)-1], token + "x", "gatehouse_", "gatehouse_" + strings.Repeat("a", 46), token[:20] + "_" + token[21:]} {
		if a := s.Ask(t, nil, "GET", "/api/portal/me", nil, "Authorization", wrong, gatetest.Peer, "198.51.100.7:1"); a.Status != 401 {
			t.Errorf("%q: %d", wrong, a.Status)
		}
	}
}

// What may be asked for, by whom.
func TestProgram_whoMakesWhat(t *testing.T) {
	s := gatetest.New(t)
	for _, c := range []struct {
		who    *core.Record
		change map[string]any
		status int
		field  string
		code   string
	}{
		{s.Anna, nil, 403, "", ""},
		{s.Ines, nil, 400, "", ""},
		{s.Sam, nil, 400, "", ""},
		{s.Sol, nil, 403, "", ""},
		{s.Mia, nil, 200, "", ""},
		{s.Pat, nil, 200, "", ""},
		{s.Mia, map[string]any{"name": " "}, 400, "name", "field_missing"},
		{s.Mia, map[string]any{"role": "owner"}, 400, "role", "field_invalid"},
		{s.Mia, map[string]any{"role": ""}, 400, "role", "field_invalid"},
		{s.Mia, map[string]any{"expires": ""}, 400, "expires", "field_missing"},
		{s.Mia, map[string]any{"expires": schema.Stamp(s.Clock.Now().AddDate(1, 0, 1))}, 400, "expires", "field_invalid"},
		{s.Mia, map[string]any{"expires": schema.Stamp(s.Clock.Now())}, 400, "expires", "field_invalid"},
		{s.Mia, map[string]any{"duties": []string{"compliance"}}, 400, "duties", "not_yours"},
		{s.Mia, map[string]any{"organizations": []string{"nope"}}, 400, "organizations", "bad_input"},
		{s.Mia, map[string]any{"networks": []string{"everywhere"}}, 400, "networks", "field_invalid"},
	} {
		a := s.Ask(t, c.who, "POST", programs, newProgram(s, c.change))
		if a.Status != c.status || c.field != "" && a.Code(c.field) != c.code {
			t.Errorf("%s with %v: %d %s", c.who.GetString("name"), c.change, a.Status, a.Raw)
		}
	}
	mine := s.Ask(t, s.Mia, "GET", programs, nil)
	theirs := s.Ask(t, s.Pat, "GET", programs, nil)
	if items, _ := mine.Body["items"].([]any); len(items) != 1 {
		t.Errorf("a manager sees %s", mine.Raw)
	}
	items, _ := theirs.Body["items"].([]any)
	if len(items) != 2 {
		t.Errorf("an owner sees %s", theirs.Raw)
	}
	for _, one := range items {
		row, _ := one.(map[string]any)
		if row["maker"] == s.Pat.Id {
			want(t, s.Ask(t, s.Mia, "POST", programs+"/"+row["id"].(string)+"/revoke", nil), 404)
		} else {
			want(t, s.Ask(t, s.Pat, "POST", programs+"/"+row["id"].(string)+"/revoke", nil), 200)
		}
	}
	s.Clock.Move(11 * time.Minute)
	for _, path := range []string{programs, programs + "/nope/revoke"} {
		if a := s.Ask(t, s.Mia, "POST", path, newProgram(s, nil)); a.Code("prove") != "prove_again" {
			t.Errorf("%s does not ask again: %s", path, a.Raw)
		}
	}
	for _, fields := range []map[string]any{{"maker": s.Pat.Id}} {
		fields["email"], fields["password"], fields["passwordConfirm"], fields["name"], fields["role"] = "x@example.com", gatetest.Password, gatetest.Password, "X", "operator"
		want(t, s.Ask(t, s.Pat, "POST", "/api/portal/prove", map[string]any{"password": gatetest.Password}), 200)
		if a := s.Ask(t, s.Pat, "POST", "/api/collections/staff/records", fields); a.Status == 200 {
			t.Errorf("a program without a token: %s", a.Raw)
		}
	}
}

// A dry run is judged by every rule, answered as if it were done, and leaves
// nothing but its line on the trail.
func TestProgram_dryRun(t *testing.T) {
	w := newWorld(t)
	w.Settings().Batch.Enabled, w.Settings().Batch.MaxRequests = true, 10
	p := w.Program(t, w.Pat, access.NewProgram{Name: "Trial", Role: "manager", Duties: []string{"partner"}, DryRun: true})
	kept := w.Program(t, w.Pat, access.NewProgram{Name: "Real", Role: "manager", Duties: []string{"partner"}})
	all := w.contents(t)
	for _, c := range []struct {
		method, path string
		body         any
		status       int
	}{
		{"PATCH", request(w.request), map[string]any{"priority": "high"}, 200},
		{"PATCH", request(w.request), map[string]any{"due": "no day"}, 400},
		{"PATCH", "/api/collections/requests/records/" + w.request, map[string]any{"title": "Changed"}, 200},
		{"POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": w.Bluebell.Id, "title": "New"}, 200},
		{"POST", "/api/collections/messages/records", map[string]any{"request": w.request, "body": "Hello"}, 200},
		{"POST", "/api/collections/organizations/records", map[string]any{"name": "New"}, 200},
		{"PATCH", "/api/collections/organizations/records/" + w.Bluebell.Id, map[string]any{"status": "archived"}, 200},
		{"POST", "/api/portal/invitations", map[string]any{"email": "brand.new@example.com", "organization": w.Bluebell.Id, "role": "viewer"}, 200},
		{"POST", "/api/portal/team/" + w.vera + "/remove", map[string]any{}, 200},
		{"POST", "/api/portal/bulk", map[string]any{"action": "priority", "priority": "high", "requests": []string{w.request}}, 202},
		{"POST", "/api/batch", map[string]any{"requests": []any{map[string]any{"method": "POST", "url": "/api/collections/messages/records", "body": map[string]any{"request": w.request, "body": "Hello"}}}}, 200},
		{"POST", "/api/portal/requests/" + w.request + "/pause", map[string]any{"until": w.Clock.Now().AddDate(0, 1, 0).Format(time.DateOnly), "reason": "Away"}, 200},
	} {
		a := w.Ask(t, p, c.method, c.path, c.body)
		if a.Status != c.status && (c.status != 202 || a.Status != 200) || a.Header.Get("Gatehouse-Dry-Run") != "true" {
			t.Errorf("%s %s: %d, header %q: %s", c.method, c.path, a.Status, a.Header.Get("Gatehouse-Dry-Run"), a.Raw)
		}
		if now := w.contents(t); !maps.Equal(now, all) {
			t.Errorf("%s %s left something in %v", c.method, c.path, differing(all, now))
			all = now
		}
	}
	files := w.files(t)
	if a := w.Send(t, p, map[string]string{"organization": w.Bluebell.Id}, "new.pdf", gatetest.PDF("new")); a.Status != 200 || a.Header.Get("Gatehouse-Dry-Run") != "true" {
		t.Errorf("a file: %d %s", a.Status, a.Raw)
	}
	if now := w.files(t); now != files || !maps.Equal(w.contents(t), all) {
		t.Errorf("a file is left: %d, were %d", now, files)
	}
	var attempts, mails int
	if scan(t, w.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'dry_run' AND record = {:id} AND actor_name = 'Trial for Pat'`, p.Id, &attempts); attempts != 13 {
		t.Errorf("%d attempts on the trail", attempts)
	}
	before := w.contents(t)["mails"]
	if w.Deliver(t); w.contents(t)["mails"] != before {
		t.Errorf("a dry run is followed by mail: %d", mails)
	}
	if a := w.Ask(t, p, "GET", request(w.request), nil); a.Header.Get("Gatehouse-Dry-Run") != "" {
		t.Error("reading is no dry run")
	}
	if a := w.Ask(t, kept, "PATCH", request(w.request), map[string]any{"priority": "high"}); a.Status != 200 || a.Header.Get("Gatehouse-Dry-Run") != "" {
		t.Errorf("after so many dry runs: %d %s", a.Status, a.Raw)
	}
}

// contents are a fingerprint of every table, but for the line of the attempt.
func (w *world) contents(t *testing.T) map[string]string {
	t.Helper()
	var tables []string
	if err := w.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Column(&tables); err != nil {
		t.Fatal(err)
	}
	prints := map[string]string{}
	for _, name := range tables {
		where := ""
		if name == schema.AuditLog {
			where = ` WHERE action != 'dry_run'`
		}
		rows := []dbx.NullStringMap{}
		if err := w.DB().NewQuery(`SELECT * FROM [[` + name + `]]` + where).All(&rows); err != nil {
			t.Fatal(err)
		}
		lines := make([]string, len(rows))
		for i, row := range rows {
			lines[i] = fmt.Sprint(row)
		}
		slices.Sort(lines)
		prints[name] = strings.Join(lines, "\n")
	}
	return prints
}

func differing(a, b map[string]string) []string {
	var names []string
	for name := range b {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	return names
}

// files counts what lies in the storage.
func (w *world) files(t *testing.T) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(w.DataDir(), "storage"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a program decides, its maker has decided: a step that wants four eyes
// wants another person.
func TestProgram_decidesForItsMaker(t *testing.T) {
	s := gatetest.New(t)
	source := strings.Replace(library(t, "simple-request.yaml"), "key: simple_request", "key: eyes_request", 1)
	eyes := strings.Replace(source, "key: approve, label: Approve, from: [in_review], to: approved, by: [handler], guard: [", "key: approve, label: Approve, from: [in_review], to: approved, by: [handler], guard: [{not_same_person_as: reopen}, ", 1)
	if eyes == source {
		t.Fatal("the shipped workflow is another one")
	}
	publish(t, s, eyes)
	s.Pat.Set("duties", []string{"handler"})
	if err := s.Save(s.Pat); err != nil {
		t.Fatal(err)
	}
	made := s.Ask(t, s.Pat, "POST", programs, newProgram(s, map[string]any{"duties": []string{"handler"}}))
	want(t, made, 200)
	request := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "eyes_request", Organization: s.Bluebell.Id, Title: "Papers", Items: []workflow.NewItem{{Section: "things", Template: "confirm", Title: "All is complete"}}})
	s.Move(t, s.Sam, request, "send")
	item := s.Item(t, request, "All is complete")
	s.Answer(t, s.Anna, item.Id, map[string]any{"accepted": true})
	s.Move(t, s.Anna, request, "submit")
	s.Move(t, s.Sam, request, "start_review")
	want(t, s.Ask(t, nil, "PATCH", "/api/portal/items/"+item.Id, map[string]any{"status": "accepted"}, "Authorization", "Bearer "+said(t, made, "token")), 200)
	refused := s.Try(s.Pat, request, "approve")
	if refused == nil || !strings.Contains(refused.Error(), "four eyes") {
		t.Errorf("the maker approves what the program decided: %v", refused)
	}
	s.Move(t, s.Sam, request, "approve")
}
