package hooks_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

// person is a column of the policy.
type person struct {
	title string
	who   func(s *gatetest.Stage) *core.Record
}

var people = []person{
	{"stranger", func(*gatetest.Stage) *core.Record { return nil }},
	{"other", func(s *gatetest.Stage) *core.Record { return s.Cleo }},
	{"viewer", func(s *gatetest.Stage) *core.Record { return s.Vera }},
	{"child", func(s *gatetest.Stage) *core.Record { return s.Ben }},
	{"admin", func(s *gatetest.Stage) *core.Record { return s.Anna }},
	{"s.viewer", func(s *gatetest.Stage) *core.Record { return s.Ines }},
	{"s.operator", func(s *gatetest.Stage) *core.Record { return s.Sam }},
	{"s.manager", func(s *gatetest.Stage) *core.Record { return s.Mia }},
	{"s.owner", func(s *gatetest.Stage) *core.Record { return s.Pat }},
	{"s.walled", func(s *gatetest.Stage) *core.Record {
		wanda, err := s.FindAuthRecordByEmail("staff", "wanda@example.com")
		if err != nil {
			panic(err)
		}
		return wanda
	}},
	{"program", func(s *gatetest.Stage) *core.Record {
		account, err := s.FindFirstRecordByFilter("staff", "name = 'CRM for Pat'")
		if err != nil {
			panic(err)
		}
		return account
	}},
	{"superuser", func(s *gatetest.Stage) *core.Record { return s.Sol }},
}

// world is a stage with one of everything: a sent request of Bluebell with a
// message, a note and a document, notices, an invitation, and spare records that
// may be deleted.
type world struct {
	*gatetest.Stage
	request, item, document, invitation, paused, mail string
	version, run, vera, session                       string
	passkey, program, excluded, backup                string
	spare                                             map[string]string // the record of a collection to try things on
	moment                                            *gatetest.Moment  // before anybody tried anything
}

// What before does comes first of all.
func newWorld(t *testing.T, before ...func(s *gatetest.Stage)) *world {
	t.Helper()
	s := gatetest.New(t)
	for _, f := range before {
		f(s)
	}
	s.Program(t, s.Pat, access.NewProgram{Name: "CRM", Role: "manager"})
	w := &world{Stage: s, spare: map[string]string{}}
	w.program = s.Program(t, s.Mia, access.NewProgram{Name: "Books", Role: "viewer"}).Id
	w.request = s.Simple(t)
	s.Move(t, s.Sam, w.request, "send")
	w.item = s.Item(t, w.request, "Any loans?").Id
	s.AllProvided(t, w.request)
	w.document = mustBe(t, s.Send(t, s.Anna, map[string]string{"item": s.Item(t, w.request, "Bank statement").Id}, "more.pdf", gatetest.PDF("more")))
	mustBe(t, s.Ask(t, s.Sam, "POST", "/api/collections/messages/records", map[string]any{"request": w.request, "body": "Good morning"}))
	mustBe(t, s.Ask(t, s.Sam, "POST", "/api/collections/internal_notes/records", map[string]any{"request": w.request, "body": "They are slow"}))
	w.invitation = mustBe(t, s.Ask(t, s.Mia, "POST", "/api/portal/invitations", map[string]any{"email": "new@example.com", "organization": s.Bluebell.Id, "role": "viewer"}))
	w.paused = s.Simple(t)
	s.Move(t, s.Sam, w.paused, "send")
	want(t, s.Ask(t, s.Sam, "POST", request(w.paused, "/pause"), map[string]any{"until": s.Clock.Now().AddDate(0, 1, 0).Format(time.DateOnly), "reason": "Away"}), 200)
	w.run = mustBe(t, s.Ask(t, s.Sam, "POST", "/api/portal/bulk", map[string]any{"action": "priority", "priority": "high", "requests": []string{w.request}, "dry_run": true}))
	if err := s.DB().NewQuery(`SELECT id FROM workflows WHERE key = 'simple_request'`).Row(&w.version); err != nil {
		t.Fatal(err)
	}
	s.Deliver(t)
	add := func(collection string, fields map[string]any) string {
		t.Helper()
		w.spare[collection] = s.Add(t, collection, fields).Id
		return w.spare[collection]
	}
	person := func(name string, more map[string]any) map[string]any {
		fields := map[string]any{"email": name + "@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": name, "verified": true}
		for k, v := range more {
			fields[k] = v
		}
		return fields
	}
	org := add("organizations", map[string]any{"name": "Spare", "parent": s.Bluebell.Id})
	user := add("users", person("zoe", nil))
	add("users", person("zia", nil))
	add("memberships", map[string]any{"user": user, "organization": org, "role": "viewer"})
	staff := add("staff", person("zed", map[string]any{"role": "operator", "active": true}))
	add("_superusers", person("zen", nil))
	wanda := s.Add(t, "staff", person("wanda", map[string]any{"role": "owner", "duties": []string{"handler"}, "active": true}))
	s.Add(t, "walls", map[string]any{"staff": wanda.Id, "organization": s.Bluebell.Id, "reason": "Related"})
	add("walls", map[string]any{"staff": staff, "organization": s.Kestrel.Id, "reason": "Related"})
	add("delegations", map[string]any{"from": s.Anna.Id, "to": s.Ben.Id, "organization": s.Bluebell.Id, "starts": "2020-01-01 00:00:00.000Z", "ends": "2020-02-01 00:00:00.000Z"})
	add("settings", map[string]any{"key": "spare", "value": 1})
	xena := s.Add(t, "users", person("xena", nil))
	s.Add(t, "memberships", map[string]any{"user": xena.Id, "organization": s.Bluebell.Id, "role": "viewer"})
	w.excluded = xena.Id
	want(t, s.Ask(t, s.Sam, "POST", request(w.paused, "/exclusions"), map[string]any{"user": w.excluded, "reason": "Related"}), 200)
	w.vera = membership(t, s, s.Vera, s.Bluebell)
	var exclusion string
	if err := errors.Join(s.DB().NewQuery(`SELECT id FROM mails LIMIT 1`).Row(&w.mail), s.DB().NewQuery(`SELECT id FROM exclusions`).Row(&exclusion)); err != nil {
		t.Fatal(err)
	}
	w.spare["exclusions"] = exclusion
	w.fill(t)
	w.spare["documents"], w.spare["requests"], w.spare["client_requests"], w.spare["items"], w.spare["client_items"], w.spare["invitations"] = w.document, w.request, w.request, w.item, w.item, w.invitation
	for _, p := range people {
		s.Token(t, p.who(s))
	}
	if _, err := access.Open(s.TestApp, s.Anna, access.Origin{IP: "192.0.2.2"}, s.Clock.Now()); err != nil { // at another device
		t.Fatal(err)
	}
	w.session = access.SessionIn(s.Token(t, s.Anna))
	w.backUp(t)
	w.moment = s.Keep(t)
	return w
}

// backUp makes a backup. What the desk begins is not done: it would go on while
// others ask.
func (w *world) backUp(t *testing.T) {
	t.Helper()
	m, err := w.House.Backups.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.backup = m.Name
	w.House.BackupDesk.Begin = func(func(context.Context)) {}
	w.House.BackupDesk.Restart = func() error { return nil }
}

// fill puts a row into what is empty in a world so young.
func (w *world) fill(t *testing.T) {
	t.Helper()
	scope, at := schema.StaffScope(w.Bluebell.Id), "2026-01-01 00:00:00.000Z"
	for table, row := range map[string]dbx.Params{
		schema.Jobs:          {"request": w.request, "scope": scope, "name": "crm.tell", "system": "crm", "status": "done", "idempotency_key": "x", "revision": 1},
		schema.Timers:        {"request": w.request, "scope": scope, "key": "nudge", "kind": "reminder", "entry": 1, "occurrence": "1", "person": "", "status": "fired", "why": "It was due.", "at": at},
		schema.Pauses:        {"request": w.request, "scope": scope, "started": at, "until": at, "ended": at, "reason": "Away"},
		schema.Recurrences:   {"request": w.request, "scope": scope, "workflow_key": "simple_request", "period": "x", "why": "Monthly", "at": at},
		schema.SecondFactors: {"principal": w.Ruth.Id, "secret": "x"},
		schema.Passkeys:      passkeyOf(w.Anna),
		"reads":              {"person": w.Anna.Id, "request": w.request, "at": at},
		"field_secrets":      {"request": w.request, "field": "x", "value": "x"},
		"idempotency_keys":   {"principal": w.Sam.Id, "key": "x", "digest": "x", "answer": "x", "expires": at},
		"viewings":           {"user": w.Ben.Id, "staff": w.Sam.Id, "until": at, "ended": at, "token_hash": "x"},
	} {
		row["id"] = schema.NewID()
		if table == schema.Passkeys {
			w.passkey = row["id"].(string)
		}
		if err := schema.Insert(w.TestApp, table, row); err != nil {
			t.Fatal(table, err)
		}
	}
}

// passkeyOf is a row of passkeys.
func passkeyOf(who *core.Record) dbx.Params {
	return dbx.Params{
		"collection": who.Collection().Name, "principal": who.Id, "name": "Phone", "rp_id": "localhost", "credential": "x" + who.Id, "public_key": "eA", "sign_count": 1, "flags": 5,
		"transports": "[]", "last_used": "",
	}
}

// try asks, and undoes what came of it: everybody tries everything on the same
// records.
func (w *world) try(t *testing.T, who *core.Record, method, path string, body any) gatetest.Answer {
	t.Helper()
	return w.undo(t, w.Ask(t, who, method, path, body), method)
}

func (w *world) undo(t *testing.T, a gatetest.Answer, method string) gatetest.Answer {
	t.Helper()
	w.Store().Remove("access.tries") // nobody waits for what was tried before
	if method != http.MethodGet && a.Status < 300 {
		w.Back(t, w.moment)
	}
	return a
}

func mustBe(t *testing.T, a gatetest.Answer) string {
	t.Helper()
	want(t, a, 200)
	id, _ := a.Body["id"].(string)
	return id
}

// record is the one of a collection that is tried on; "nope" if there is none.
func (w *world) record(t *testing.T, collection string) string {
	t.Helper()
	if id := w.spare[collection]; id != "" {
		return id
	}
	where := ""
	if _, err := w.DB().NewQuery("SELECT request FROM [[" + collection + "]] LIMIT 1").Execute(); err == nil {
		where = " WHERE request = {:request}"
	}
	var ids []string
	if err := w.DB().NewQuery("SELECT id FROM [[" + collection + "]]" + where + " ORDER BY rowid LIMIT 1").Bind(onlyUsed(where, dbx.Params{"request": w.request})).Column(&ids); err != nil {
		t.Fatal(err)
	}
	if len(ids) == 0 {
		return "nope"
	}
	return ids[0]
}

func onlyUsed(where string, params dbx.Params) dbx.Params {
	if where == "" {
		return nil
	}
	return params
}

// creating is what a new record of a collection looks like, where anybody may
// make one.
func (w *world) creating() map[string]map[string]any {
	new10 := map[string]any{"email": "brand.new@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "New"}
	staff := map[string]any{"email": "brand.new@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "New", "role": "owner", "active": true}
	return map[string]map[string]any{
		"organizations": {"name": "New"}, "users": new10, "staff": staff, "_superusers": new10,
		"memberships":    {"user": w.Cleo.Id, "organization": w.Bluebell.Id, "role": "admin"},
		"messages":       {"request": w.request, "body": "Hello"},
		"internal_notes": {"request": w.request, "body": "Hello"},
		"walls":          {"staff": w.Ines.Id, "organization": w.Kestrel.Id, "reason": "Related"},
		"delegations":    {"from": w.Anna.Id, "to": w.Vera.Id, "organization": w.Bluebell.Id, "starts": "2020-01-01 00:00:00.000Z", "ends": "2090-01-01 00:00:00.000Z"},
		"settings":       {"key": "new", "value": 1},
		"access":         {"principal": w.Cleo.Id, "scope": w.Bluebell.Id, "since": "2020-01-01 00:00:00.000Z", "until": "2090-01-01 00:00:00.000Z", "source": "staff", "source_id": "x"},
		"forms":          {"key": "new", "version": 1, "title": "New", "status": "draft"},
		"texts":          {"key": "new", "version": 1, "title": "New", "status": "draft"},
		"workflows":      {"key": "new", "version": 1, "title": "New", "status": "draft"},
		"requests":       {"title": "New", "organization": w.Bluebell.Id},
	}
}

// updating is a change that means something, where an empty one would not.
var updating = map[string]map[string]any{
	"requests": {"title": "Changed"}, "items": {"answers": map[string]any{"text": "Changed"}}, "organizations": {"name": "Changed"}, "memberships": {"role": "admin"}, "staff": {"name": "Changed"}, "users": {"name": "Changed"},
	"messages": {"body": "Changed"}, "internal_notes": {"body": "Changed"}, "client_requests": {"title": "Changed"}, "client_items": {"title": "Changed"}, "documents": {"title": "Changed"}, "settings": {"value": 2},
	"walls": {"reason": "Changed"}, "delegations": {"revoked": true}, "transitions": {"reason": "Changed"}, "audit_log": {"actor_name": "Changed"}, "events": {"type": "changed"}, "access": {"until": "2090-01-01 00:00:00.000Z"},
	"invitations": {"role": "admin"}, "notifications": {"status": "sent"}, "mails": {"subject": "Changed"}, "workflows": {"title": "Changed"}, "forms": {"title": "Changed"}, "texts": {"title": "Changed"},
	"runs": {"status": "done"}, "run_items": {"text": "Changed"},
	"request_people": {"person": "x"}, "client_history": {"text": "Changed"}, "_superusers": {"emailVisibility": true},
}

// answer is what the policy says, and all that was said.
type answer struct{ cell, said string }

func answerOf(a gatetest.Answer) answer {
	return answer{fmt.Sprint(a.Status), said1(a.Status, a.Raw)}
}

// onCollection does everything to a collection as one person, or only some acts.
func (w *world) onCollection(t *testing.T, who *core.Record, c *core.Collection, only ...string) map[string]answer {
	t.Helper()
	base, id := "/api/collections/"+c.Name+"/records", w.record(t, c.Name)
	out := map[string]answer{}
	for _, act := range acts {
		if len(only) > 0 && !slices.Contains(only, act) || c.IsView() && act != "list" && act != "view" {
			continue
		}
		switch act {
		case "list":
			list := w.try(t, who, "GET", base, nil)
			out[act] = answerOf(list)
			if list.Status == http.StatusOK {
				cell := "empty"
				if n, _ := list.Body["totalItems"].(float64); n > 0 {
					cell = "sees"
				}
				out[act] = answer{cell, cell}
			}
		case "view":
			out[act] = answerOf(w.try(t, who, "GET", base+"/"+id, nil))
		case "create":
			out[act] = answerOf(w.create(t, who, c.Name))
		case "update":
			out[act] = answerOf(w.try(t, who, "PATCH", base+"/"+id, orNothing(updating[c.Name])))
		case "delete":
			out[act] = answerOf(w.try(t, who, "DELETE", base+"/"+id, nil))
		}
	}
	return out
}

func (w *world) create(t *testing.T, who *core.Record, collection string) gatetest.Answer {
	t.Helper()
	if collection == "documents" {
		return w.undo(t, w.Send(t, who, map[string]string{"item": w.Item(t, w.request, "Bank statement").Id}, "new.pdf", gatetest.PDF("new")), http.MethodPost)
	}
	return w.try(t, who, "POST", "/api/collections/"+collection+"/records", orNothing(w.creating()[collection]))
}

func orNothing(body map[string]any) map[string]any {
	if body == nil {
		return map[string]any{}
	}
	return body
}

var acts = []string{"list", "view", "create", "update", "delete"}

// calling is what a route is given: the id in its address, and the body.
func (w *world) calling(id, path string) (string, any) {
	ids := map[string]string{"/requests/": w.request, "/items/": w.item, "/invitations/": w.invitation, "/mails/": w.mail, "/clients/": w.Bluebell.Id, "/definitions/": w.version, "/runs/": w.run, "/people/": w.Anna.Id, "/team/": w.vera, "/delegations/": w.spare["delegations"], "/sessions/": w.session, "/passkeys/": w.passkey, "/programs/": w.program}
	for part, with := range ids {
		if strings.Contains(path, "/api/portal"+part+"{id}") {
			path = strings.Replace(path, "{id}", with, 1)
		}
	}
	if id == "workflow.resume" || id == "workflow.readmit" {
		path = strings.Replace(path, w.request, w.paused, 1)
	}
	asked := map[string]string{
		"access.explain": "?collection=requests&record=" + w.request + "&principal=" + w.Anna.Id, "access.people": "?collection=requests&record=" + w.request, "access.reach": "?principal=" + w.Anna.Id,
	}
	path += asked[id]
	if id == "access.team" || id == "access.delegations" {
		path += "?organization=" + w.Bluebell.Id
	}
	path = strings.NewReplacer("{id}", "nope", "{connection}", "nope", "{user}", w.excluded, "{name}", w.backup, "{from}", w.version, "{to}", w.version).Replace(path)
	bodies := map[string]any{
		"workflow.open":          map[string]any{"workflow": "simple_request", "organization": w.Bluebell.Id, "title": "New"},
		"workflow.plan_new":      map[string]any{"workflow": "simple_request", "organization": w.Bluebell.Id, "title": "New"},
		"workflow.patch_request": map[string]any{"title": "Changed"},
		"workflow.pause":         map[string]any{"until": w.Clock.Now().AddDate(0, 1, 0).Format(time.DateOnly), "reason": "Away"},
		"workflow.add_item":      map[string]any{"section": "things", "template": "file", "title": "More"},
		"workflow.transition":    map[string]any{"transition": "submit"},
		"workflow.patch_item":    map[string]any{"answers": map[string]any{"text": "Some"}},
		"workflow.migrate":       map[string]any{"dry_run": true},
		"workflow.bulk":          map[string]any{"action": "priority", "priority": "high", "requests": []string{w.request}, "dry_run": true},
		"access.view_as":         map[string]any{"user": w.Anna.Id},
		"access.change_member":   map[string]any{"role": "viewer"},
		"access.lend_powers":     map[string]any{"to": w.Vera.Id, "organization": w.Bluebell.Id, "ends": schema.Stamp(w.Clock.Now().AddDate(0, 1, 0))},
		"access.make_program":    access.NewProgram{Name: "Another", Role: "viewer", Expires: schema.Stamp(w.Clock.Now().AddDate(0, 1, 0))},
		"access.passkey_start":   map[string]any{"password": gatetest.Password},
		"access.passkey_rename":  map[string]any{"name": "Phone"},
		"access.passkey_remove":  map[string]any{"password": gatetest.Password},
		"workflow.exclude":       map[string]any{"user": w.Vera.Id, "reason": "Related"},
		"access.invite":          map[string]any{"email": "another@example.com", "organization": w.Bluebell.Id, "role": "member"},
	}
	if body, ok := bodies[id]; ok {
		return path, body
	}
	return path, map[string]any{}
}

func isMethod(when string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete, http.MethodHead}, when)
}

// policy asks everything as one person: the lines in their order, and the answers.
func (w *world) policy(t *testing.T, who *core.Record) (order []string, answers map[string]string) {
	t.Helper()
	answers = map[string]string{}
	note := func(line, answer string) {
		order = append(order, line)
		answers[line] = answer
	}
	for _, r := range w.House.Rows {
		if !isMethod(r.When) || !strings.HasPrefix(r.What, "/") {
			continue
		}
		path, body := w.calling(r.ID, r.What)
		if r.When == http.MethodGet {
			body = nil
		}
		note(fmt.Sprintf("%-6s %s", r.When, r.What), fmt.Sprint(w.try(t, who, r.When, path, body).Status))
	}
	collections, err := w.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(collections, func(a, b *core.Collection) int { return strings.Compare(a.Name, b.Name) })
	for _, c := range collections {
		answers := w.onCollection(t, who, c)
		for _, act := range acts {
			if a, asked := answers[act]; asked {
				note(fmt.Sprintf("%-20s %s", c.Name, act), a.cell)
			}
		}
	}
	return order, answers
}

// One table says who may do what with every collection and every route. A new
// one fails here until somebody has decided: look at its lines, then keep them.
func TestPolicy_everyCollectionAndRouteForEverybody(t *testing.T) {
	w := newWorld(t)
	columns := make([]map[string]string, len(people))
	var order []string
	for n, p := range people {
		order, columns[n] = w.policy(t, p.who(w.Stage))
	}
	forbidden(t, columns)
	golden(t, "policy.txt", policyText(order, columns))
}

// forbidden are answers that no -update may make right.
func forbidden(t *testing.T, columns []map[string]string) {
	t.Helper()
	stranger, other := columns[0], columns[1]
	shared := []string{"forms", "texts"} // the same for every client
	for line, answer := range stranger {
		head, act, _ := strings.Cut(line, " ")
		if isMethod(head) {
			continue
		}
		if answer == "sees" || answer == "200" || answer == "204" {
			t.Errorf("somebody who has not signed in may %s %s: %s", strings.TrimSpace(act), head, answer)
		}
	}
	for line, answer := range other {
		head, act, _ := strings.Cut(line, " ")
		if !isMethod(head) && !slices.Contains(shared, head) && (answer == "200" || answer == "204") {
			t.Errorf("an admin of another client may %s a record of %s: %s", strings.TrimSpace(act), head, answer)
		}
	}
	for n, p := range people {
		for line, answer := range columns[n] {
			if strings.HasPrefix(answer, "5") {
				t.Errorf("%s, %s: %s is our own fault", p.title, line, answer)
			}
		}
	}
}

func policyText(order []string, columns []map[string]string) string {
	var b strings.Builder
	b.WriteString("# Who may do what. Written by: go test ./hooks -run TestPolicy -update; every changed line is a decision.\n")
	b.WriteString("# \"other\" is an admin of another client, \"child\" a member of an office below; s.… are staff by role (the operator\n")
	b.WriteString("# is the handler, s.walled an owner who is kept from the client, program software with the token of a manager). Lists: \"sees\" some records, \"empty\" none, else the status. 404 is the answer for what one may not see.\n\n")
	fmt.Fprintf(&b, "%-52s", "")
	for _, p := range people {
		fmt.Fprintf(&b, " %-10s", p.title)
	}
	b.WriteString("\n")
	last := ""
	for _, line := range order {
		if head, _, _ := strings.Cut(line, " "); !isMethod(head) && head != last {
			b.WriteString("\n")
			last = head
		}
		fmt.Fprintf(&b, "%-52s", line)
		for n := range people {
			fmt.Fprintf(&b, " %-10s", columns[n][line])
		}
		b.WriteString("\n")
	}
	return trimLines(b.String())
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for n := range lines {
		lines[n] = strings.TrimRight(lines[n], " ")
	}
	return strings.Join(lines, "\n")
}

// What the policy above shows for one moment holds when a right ends: nothing is
// remembered.
func TestPolicy_endsAtOnce(t *testing.T) {
	w := newWorld(t)
	m, err := w.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": w.Anna.Id})
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.FindRecordById("documents", w.document)
	if err != nil {
		t.Fatal(err)
	}
	file := "/api/files/documents/" + d.Id + "/" + d.GetString("file") + "?token=" + w.FileToken(t, w.Anna)
	paths := []string{
		request(w.request), request(w.request, "/actions"), request(w.request, "/timeline"), "/api/collections/client_requests/records/" + w.request, "/api/collections/client_items/records/" + w.item,
		"/api/collections/documents/records/" + w.document, file,
	}
	for _, path := range paths {
		want(t, w.Ask(t, w.Anna, "GET", path, nil), 200)
	}
	for _, status := range []string{"suspended", "removed"} {
		if status == "removed" {
			want(t, w.Ask(t, w.Mia, "PATCH", "/api/collections/memberships/records/"+m.Id, map[string]any{"status": "active"}), 200)
			want(t, w.Ask(t, w.Anna, "GET", paths[0], nil), 200)
			want(t, w.Ask(t, w.Mia, "DELETE", "/api/collections/memberships/records/"+m.Id, nil), 204)
		} else {
			want(t, w.Ask(t, w.Mia, "PATCH", "/api/collections/memberships/records/"+m.Id, map[string]any{"status": status}), 200)
		}
		for _, path := range paths {
			if a := w.Ask(t, w.Anna, "GET", path, nil); a.Status != 404 {
				t.Errorf("%s: %s still answers %d", status, path, a.Status)
			}
		}
		if a := w.Ask(t, w.Anna, "GET", "/api/collections/client_requests/records", nil); a.Body["totalItems"] != 0.0 {
			t.Errorf("%s: the list still shows %s", status, a.Raw)
		}
	}
}

// A delegate sees and acts until the last moment, and not after it.
func TestPolicy_delegationEndsByItself(t *testing.T) {
	w := newWorld(t)
	ends := w.Clock.Now().Add(time.Hour)
	w.Add(t, "delegations", map[string]any{"from": w.Anna.Id, "to": w.Cleo.Id, "organization": w.Bluebell.Id, "starts": schema.Stamp(w.Clock.Now().Add(-time.Hour)), "ends": schema.Stamp(ends)})
	view := w.Ask(t, w.Cleo, "GET", request(w.request), nil)
	if want(t, view, 200); view.Body["acting_for"] != "Anna" {
		t.Errorf("acting for %v", view.Body["acting_for"])
	}
	want(t, w.Ask(t, w.Cleo, "PATCH", "/api/portal/items/"+w.item, map[string]any{"answers": map[string]any{"text": "One"}}), 200)
	w.Clock.Move(time.Hour)
	want(t, w.Ask(t, w.Cleo, "GET", request(w.request), nil), 404)
	want(t, w.Ask(t, w.Cleo, "PATCH", "/api/portal/items/"+w.item, map[string]any{"answers": map[string]any{"text": "Two"}}), 404)
}
