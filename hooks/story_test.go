package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/audit"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

func request(id string, more ...string) string {
	return "/api/portal/requests/" + id + strings.Join(more, "")
}

func TestStory_fromDraftToApproved(t *testing.T) {
	s := gatetest.New(t)

	opened := s.Ask(t, s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": s.Bluebell.Id, "title": "Year-end papers", "items": []map[string]any{
		{"section": "things", "template": "file", "title": "Bank statement"},
		{"section": "things", "template": "question", "title": "Any loans?"},
		{"section": "things", "template": "confirm", "title": "All is complete"},
	}})
	want(t, opened, 200)
	id := opened.Body["id"].(string)
	if opened.Body["state"] != "draft" {
		t.Fatalf("opened in %v", opened.Body["state"])
	}
	want(t, s.Ask(t, s.Anna, "GET", request(id), nil), 404) // not before it is sent

	step(t, s, s.Sam, id, "send", nil, "waiting_for_client")
	refused := s.Ask(t, s.Anna, "POST", request(id, "/transition"), map[string]any{"transition": "submit"})
	want(t, refused, 400)
	if blockers := refused.Body["blockers"].([]any); len(blockers) != 3 {
		t.Fatalf("every missing item is a blocker, got %v", blockers)
	}

	file := s.Item(t, id, "Bank statement").Id
	want(t, s.Send(t, s.Anna, map[string]string{"organization": s.Bluebell.Id, "request": id, "item": file}, "Kontoauszug März.pdf", gatetest.PDF("November")), 200)
	want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/items/"+s.Item(t, id, "Any loans?").Id, map[string]any{"answers": map[string]any{"text": "None"}}), 200)
	want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/items/"+s.Item(t, id, "All is complete").Id, map[string]any{"answers": map[string]any{"accepted": true}}), 200)
	step(t, s, s.Anna, id, "submit", nil, "submitted")
	step(t, s, s.Sam, id, "start_review", nil, "in_review")

	s.Decide(t, s.Sam, s.Item(t, id, "Any loans?").Id, "accepted", "")
	s.Decide(t, s.Sam, s.Item(t, id, "All is complete").Id, "accepted", "")
	s.Decide(t, s.Sam, file, "rejected", "Page 2 is cut off")
	if got := clientItem(t, s, s.Anna, id, "Bank statement")["status"]; got != "provided" {
		t.Fatalf("a decision that is not out shows as %v", got)
	}
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "approve"}), 400)
	step(t, s, s.Sam, id, "ask_again", nil, "waiting_for_client")
	back := clientItem(t, s, s.Anna, id, "Bank statement")
	if back["status"] != "rejected" || back["comment"] != "Page 2 is cut off" || back["editable"] != true {
		t.Fatalf("sent back item: %v", back)
	}
	if other := clientItem(t, s, s.Anna, id, "Any loans?"); other["status"] != "accepted" || other["editable"] != false {
		t.Fatalf("refusing one item undid another: %v", other)
	}
	want(t, s.Ask(t, s.Anna, "POST", request(id, "/transition"), map[string]any{"transition": "submit"}), 400) // the old copy does not count
	want(t, s.Send(t, s.Anna, map[string]string{"item": file}, "again.pdf", gatetest.PDF("again")), 200)
	step(t, s, s.Anna, id, "submit", nil, "submitted")
	step(t, s, s.Sam, id, "start_review", nil, "in_review")
	s.Decide(t, s.Sam, file, "accepted", "")
	step(t, s, s.Sam, id, "approve", nil, "approved")

	view := s.Ask(t, s.Anna, "GET", request(id), nil)
	if view.Body["label"] != "All done" || view.Body["category"] != "done" {
		t.Fatalf("Anna sees %v", view.Body["label"])
	}
	trail(t, s, id, 7)
}

func text(t *testing.T, s *gatetest.Stage) string {
	t.Helper()
	r, err := s.FindFirstRecordByData("texts", "key", "engagement")
	if err != nil {
		t.Fatal(err)
	}
	return r.Id
}

// trail proves that history, audit and events tell the same story.
func trail(t *testing.T, s *gatetest.Stage, id string, moves int) {
	t.Helper()
	var steps, entries, events int
	var last, state string
	scan(t, s.App(), `SELECT COUNT(*) FROM transitions WHERE request = {:id}`, id, &steps)
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE request = {:id} AND action = 'transition'`, id, &entries)
	scan(t, s.App(), `SELECT COUNT(*) FROM events WHERE request = {:id} AND type LIKE 'request.%' AND type NOT IN ('request.opened', 'request.changed')`, id, &events)
	scan(t, s.App(), `SELECT "to" FROM transitions WHERE request = {:id} ORDER BY revision DESC LIMIT 1`, id, &last)
	scan(t, s.App(), `SELECT state FROM requests WHERE id = {:id}`, id, &state)
	if steps != moves || entries != moves || events != moves || last != state {
		t.Fatalf("history %d, audit %d, events %d of %d moves; history ends in %q, state is %q", steps, entries, events, moves, last, state)
	}
	report, err := audit.Verify(s.App())
	if err != nil || report.Bad != 0 {
		t.Fatalf("audit chain: %+v %v", report, err)
	}
}

func TestCheats(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	item := s.Item(t, id, "Any loans?").Id
	record := "/api/collections/requests/records/" + id
	for _, c := range []struct {
		name   string
		who    *core.Record
		method string
		path   string
		body   any
		status int
	}{
		{"a client PATCHes the state", s.Anna, "PATCH", record, map[string]any{"state": "approved"}, 404},
		{"a client PATCHes what he is shown", s.Anna, "PATCH", "/api/collections/client_requests/records/" + id, map[string]any{"state": "approved"}, 403},
		{"a client creates a request row", s.Anna, "POST", "/api/collections/requests/records", map[string]any{"state": "approved"}, 403},
		{"a client takes a step of staff", s.Anna, "POST", request(id, "/transition"), map[string]any{"transition": "reject", "client_comment": "no"}, 400},
		{"a client reviews", s.Anna, "PATCH", "/api/portal/items/" + item, map[string]any{"status": "accepted"}, 400},
		{"a client opens a request", s.Anna, "POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": s.Bluebell.Id}, 403},
		{"a viewer answers", s.Vera, "PATCH", "/api/portal/items/" + item, map[string]any{"answers": map[string]any{"text": "x"}}, 400},
		{"a viewer submits", s.Vera, "POST", request(id, "/transition"), map[string]any{"transition": "submit"}, 400},
		{"a viewer writes", s.Vera, "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "x"}, 400},
		{"another client looks", s.Cleo, "GET", request(id), nil, 404},
		{"another client answers", s.Cleo, "PATCH", "/api/portal/items/" + item, map[string]any{"answers": map[string]any{"text": "x"}}, 404},
		{"another client acts", s.Cleo, "POST", request(id, "/transition"), map[string]any{"transition": "submit"}, 404},
		{"a child office looks at its parent's request", s.Ben, "GET", request(id), nil, 404},
		{"a stranger looks", nil, "GET", request(id), nil, 401},
		{"staff without the duty acts", s.Ruth, "POST", request(id, "/transition"), map[string]any{"transition": "reject", "client_comment": "no"}, 400},
		{"a manager without the duty acts", s.Mia, "POST", request(id, "/transition"), map[string]any{"transition": "reject", "client_comment": "no"}, 400},
		{"a looking member of staff acts, with the duty", s.Ines, "POST", request(id, "/transition"), map[string]any{"transition": "reject", "client_comment": "no"}, 400},
		{"a looking member of staff edits", s.Ines, "PATCH", request(id), map[string]any{"title": "Mine"}, 400},
		{"a looking member of staff opens", s.Ines, "POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": s.Bluebell.Id}, 400},
		{"staff set an illegal state in the editor", s.Sam, "PATCH", record, map[string]any{"state": "approved"}, 400},
		{"a superuser sets an illegal state in the editor", s.Sol, "PATCH", record, map[string]any{"state": "approved"}, 400},
		{"a superuser sets an unknown state", s.Sol, "PATCH", record, map[string]any{"state": "won"}, 400},
		{"a superuser skips what a step requires", s.Sol, "PATCH", record, map[string]any{"state": "rejected"}, 400},
		{"a superuser writes a derived field", s.Sol, "PATCH", record, map[string]any{"turn": "nobody"}, 400},
		{"a superuser changes an accepted text", s.Sol, "PATCH", "/api/collections/texts/records/" + text(t, s), map[string]any{"body": "x"}, 400},
		{"a superuser deletes a client", s.Sol, "DELETE", "/api/collections/organizations/records/" + s.Kestrel.Id, nil, 400},
		{"a superuser deletes a request", s.Sol, "DELETE", record, nil, 400},
		{"a superuser writes history", s.Sol, "POST", "/api/collections/transitions/records", map[string]any{"request": id, "key": "approve", "from": "waiting_for_client", "to": "approved", "actor_kind": "superuser", "at": "2026-01-01 00:00:00.000Z"}, 400},
		{"a superuser writes access", s.Sol, "POST", "/api/collections/access/records", map[string]any{"principal": s.Cleo.Id, "scope": s.Bluebell.Id, "since": "2020-01-01 00:00:00.000Z", "until": "2030-01-01 00:00:00.000Z", "source": "staff", "source_id": "x"}, 400},
		{"a superuser writes the audit log", s.Sol, "POST", "/api/collections/audit_log/records", map[string]any{"action": "update", "actor_kind": "system", "at": "2026-01-01 00:00:00.000Z", "hash": "x"}, 400},
		{"a client reads internal notes", s.Anna, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "x"}, 403},
		{"an unknown step", s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "fly"}, 400},
		{"no step at all", s.Sam, "POST", request(id, "/transition"), map[string]any{}, 400},
		{"a wrong type", s.Sam, "POST", request(id, "/transition"), `{"transition": 7}`, 400},
		{"no JSON", s.Sam, "POST", request(id, "/transition"), `{"transition"`, 400},
		{"an unknown workflow", s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "nope", "organization": s.Bluebell.Id}, 400},
		{"an unknown organization", s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "simple_request", "organization": "nope"}, 400},
		{"an unknown field", s.Sam, "PATCH", request(id), map[string]any{"data": map[string]any{"nope": 1}}, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.Ask(t, c.who, c.method, c.path, c.body)
			want(t, a, c.status)
			if a.Message() == "" || strings.Contains(string(a.Raw), "goroutine") || strings.Contains(string(a.Raw), "SQL") {
				t.Errorf("the answer is not for people: %s", a.Raw)
			}
		})
	}
	trail(t, s, id, 1)
	if a := s.Ask(t, s.Anna, "GET", "/api/collections/internal_notes/records", nil); a.Body["totalItems"] != 0.0 {
		t.Errorf("Anna lists internal notes: %s", a.Raw)
	}
}

func TestWalls_rawSQL(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	for name, statement := range map[string]string{
		"a state":                         `UPDATE requests SET state = 'approved' WHERE id = '` + id + `'`,
		"a state with a revision":         `UPDATE requests SET state = 'approved', revision = revision + 1 WHERE id = '` + id + `'`,
		"a forged step to an end":         `INSERT INTO transitions (id, request, key, "from", "to", entry, actor_kind, revision, at) SELECT 'x', id, 'approve', state, 'approved', 1, 'system', revision + 1, '2026-01-01' FROM requests WHERE id = '` + id + `'`,
		"a replaced request":              `INSERT OR REPLACE INTO requests SELECT * FROM requests WHERE id = '` + id + `'`,
		"a request that begins at an end": `INSERT INTO requests (id, number, workflow, workflow_key, organization, title, state, entry) SELECT 'x', 'x', workflow, workflow_key, organization, 'x', 'approved', 1 FROM requests LIMIT 1`,
		"a deleted request":               `DELETE FROM requests WHERE id = '` + id + `'`,
		"another workflow":                `UPDATE requests SET workflow = (SELECT id FROM workflows WHERE key = 'acct_onboarding_kyc') WHERE id = '` + id + `'`,
		"a changed history":               `UPDATE transitions SET actor = 'x' WHERE request = '` + id + `'`,
		"a deleted history":               `DELETE FROM transitions`,
		"a changed audit entry":           `UPDATE audit_log SET actor_name = 'x'`,
		"a deleted audit entry":           `DELETE FROM audit_log`,
		"a changed event":                 `UPDATE events SET type = 'x'`,
		"a deleted event":                 `DELETE FROM events`,
		"a changed definition":            `UPDATE workflows SET definition = json_set(definition, '$.initial', 'approved')`,
		"a deleted definition":            `DELETE FROM workflows`,
		"a changed text":                  `UPDATE texts SET body = 'x'`,
		"a deleted form":                  `DELETE FROM forms`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.NonconcurrentDB().NewQuery(statement).Execute()
			if err == nil || !strings.Contains(err.Error(), "wall: ") {
				t.Fatalf("the database let it through: %v", err)
			}
		})
	}
	trail(t, s, id, 1)
}

// The walls must survive what the dashboard does to a collection.
func TestWalls_surviveSchemaChanges(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	c, err := s.FindCollectionByNameOrId("requests")
	if err != nil {
		t.Fatal(err)
	}
	c.Fields.Add(&core.TextField{Name: "remark"})
	if err := s.Save(c); err != nil {
		t.Fatal(err)
	}
	c.Fields.GetByName("priority").SetName("weight")
	if err := s.Save(c); err != nil {
		t.Fatal(err)
	}
	_, err = s.NonconcurrentDB().NewQuery(`UPDATE requests SET state = 'approved' WHERE id = '` + id + `'`).Execute()
	if err == nil || !strings.Contains(err.Error(), "wall: ") {
		t.Fatalf("after a schema change the database lets it through: %v", err)
	}
}

func TestGoCode_cannotSetAState(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	r, err := s.FindRecordById("requests", id)
	if err != nil {
		t.Fatal(err)
	}
	r.Set("state", "approved")
	if err := s.Save(r); err == nil || !strings.Contains(err.Error(), "wall: ") {
		t.Fatalf("Save let it through: %v", err)
	}
	if err := s.UnsafeWithoutHooks().Save(r); err == nil || !strings.Contains(err.Error(), "wall: ") {
		t.Fatalf("Save without hooks let it through: %v", err)
	}
}

func TestBatch_isRefusedLikeAnythingElse(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	batch := map[string]any{"requests": []map[string]any{
		{"method": "PATCH", "url": "/api/collections/requests/records/" + id, "body": map[string]any{"title": "Changed"}},
		{"method": "PATCH", "url": "/api/collections/requests/records/" + id, "body": map[string]any{"state": "approved"}},
	}}
	want(t, s.Ask(t, s.Sol, "POST", "/api/batch", batch), 403) // off by default
	s.Settings().Batch.Enabled = true
	want(t, s.Ask(t, s.Sol, "POST", "/api/batch", batch), 400)
	var title string
	scan(t, s.App(), `SELECT title FROM requests WHERE id = {:id}`, id, &title)
	if title != "Year-end papers" {
		t.Fatalf("half of the batch was done: %q", title)
	}
}

func TestEditor_openedBeforeAColleaguesChange(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	record := "/api/collections/requests/records/" + id
	editor := s.Ask(t, s.Sam, "GET", record, nil).Body // the editor sends every field back
	s.Move(t, s.Sam, id, "send")
	editor["title"] = "A better title"
	stale := s.Ask(t, s.Sam, "PATCH", record, editor)
	want(t, stale, 409)
	var state string
	scan(t, s.App(), `SELECT state FROM requests WHERE id = {:id}`, id, &state)
	if state != "waiting_for_client" {
		t.Fatalf("the editor stepped back silently to %q", state)
	}
	fresh := s.Ask(t, s.Sam, "GET", record, nil).Body
	fresh["title"] = "A better title"
	saved := s.Ask(t, s.Sam, "PATCH", record, fresh)
	want(t, saved, 200)
	if saved.Body["title"] != "A better title" || saved.Body["state"] != "waiting_for_client" {
		t.Fatalf("saved %v", saved.Body)
	}
	moved := s.Ask(t, s.Sam, "PATCH", record, map[string]any{"state": "rejected", "client_comment": "We do not need this any more."})
	want(t, moved, 200)
	if moved.Body["state"] != "rejected" {
		t.Fatalf("a state in the editor is a transition: %v", moved.Body["state"])
	}
	trail(t, s, id, 2)
}

func TestConcurrency_oneWins(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	s.Move(t, s.Anna, id, "submit")
	s.Handler(t) // built once, before the race
	statuses := make([]int, 8)
	var wg sync.WaitGroup
	for n := range statuses {
		wg.Go(func() {
			statuses[n] = s.Ask(t, s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "start_review"}).Status
		})
	}
	wg.Wait()
	won := 0
	for _, status := range statuses {
		switch status {
		case 200:
			won++
		case 400, 409:
		default:
			t.Errorf("answered %d", status)
		}
	}
	if won != 1 {
		t.Fatalf("%d of 8 won: %v", won, statuses)
	}
	trail(t, s, id, 3)
}

func TestConcurrency_editsOfDifferentFieldsAreBothKept(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Handler(t)
	var wg sync.WaitGroup
	for _, patch := range []map[string]any{{"title": "New title"}, {"priority": "high"}, {"tags": []string{"vat"}}} {
		wg.Go(func() { want(t, s.Ask(t, s.Sam, "PATCH", request(id), patch), 200) })
	}
	wg.Wait()
	r, err := s.FindRecordById("requests", id)
	if err != nil {
		t.Fatal(err)
	}
	if r.GetString("title") != "New title" || r.GetString("priority") != "high" || r.GetString("tags") != `["vat"]` {
		t.Fatalf("an edit was lost: %v %v %v", r.GetString("title"), r.GetString("priority"), r.GetString("tags"))
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	body := map[string]any{"transition": "send"}
	first := s.Ask(t, s.Sam, "POST", request(id, "/transition"), body, "Idempotency-Key", "key-00000001")
	want(t, first, 200)
	again := s.Ask(t, s.Sam, "POST", request(id, "/transition"), body, "Idempotency-Key", "key-00000001")
	want(t, again, 200)
	if !slices.Equal(first.Raw, again.Raw) {
		t.Fatal("the same key and body answered something else")
	}
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "reject", "client_comment": "x"}, "Idempotency-Key", "key-00000001"), 409)
	trail(t, s, id, 1)
}

func TestRevision_saysWhoWasFaster(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	seen := int(s.Ask(t, s.Sam, "GET", request(id), nil).Body["revision"].(float64))
	want(t, s.Ask(t, s.Pat, "PATCH", request(id), map[string]any{"title": "Pat was here"}), 200)
	stale := s.Ask(t, s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "send", "expected_revision": seen})
	want(t, stale, 409)
	data := stale.Body["data"].(map[string]any)
	if data["changed_by"] != "Pat" || data["revision"] != float64(seen+1) {
		t.Fatalf("409 says %v", data)
	}
}

// What the client is shown is a pure function of the truth.
func TestFace_rebuiltIsEqual(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	s.Move(t, s.Anna, id, "submit")
	s.Move(t, s.Sam, id, "start_review")
	s.Decide(t, s.Sam, s.Item(t, id, "Any loans?").Id, "rejected", "Say more")
	face, err := s.House.Engine.Rebuild(s.App(), id)
	if err != nil {
		t.Fatal(err)
	}
	row, err := s.FindRecordById("client_requests", id)
	if err != nil {
		t.Fatal(err)
	}
	items, err := s.FindRecordsByFilter("client_items", "request = {:id}", "position", 0, 0, map[string]any{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	if row.GetString("state") != face.State || row.GetString("label") != face.Label || row.GetString("turn") != face.Turn || len(items) != len(face.Items) {
		t.Fatalf("row %v, face %+v", row, face)
	}
	for n, i := range face.Items {
		r := items[n]
		got := fmt.Sprint(r.Id, r.GetString("status"), r.GetString("label"), r.GetBool("editable"), r.GetString("why"), r.GetString("comment"))
		if wanted := fmt.Sprint(i.ID, i.Status, i.Label, i.Editable, i.Why, i.Comment); got != wanted {
			t.Errorf("item row %q, face %q", got, wanted)
		}
	}
}

func TestDefinition_isPinned(t *testing.T) {
	s := gatetest.New(t)
	source, err := workflow.LibraryFile("simple-request.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.House.Engine.Import(s.TestApp, []byte(strings.Replace(string(source), "label: Approve,", "label: Wave through,", 1)), true, false)
	if err != nil || out.OK() {
		t.Fatalf("other content under the same version went in: %+v %v", out, err)
	}
	second := strings.Replace(string(source), "version: 1\n", "version: 2\n", 1)
	if out, err = s.House.Engine.Import(s.TestApp, []byte(second), true, false); err != nil || !out.Saved {
		t.Fatalf("version 2: %+v %v", out, err)
	}
}

func step(t *testing.T, s *gatetest.Stage, who *core.Record, id, key string, more map[string]any, state string) {
	t.Helper()
	body := map[string]any{"transition": key}
	for k, v := range more {
		body[k] = v
	}
	a := s.Ask(t, who, "POST", request(id, "/transition"), body)
	want(t, a, http.StatusOK)
	if a.Body["state"] != state {
		t.Fatalf("%s led to %v, not %s", key, a.Body["state"], state)
	}
}

func clientItem(t *testing.T, s *gatetest.Stage, who *core.Record, id, title string) map[string]any {
	t.Helper()
	view := s.Ask(t, who, "GET", request(id), nil)
	want(t, view, 200)
	for _, section := range view.Body["sections"].([]any) {
		for _, i := range section.(map[string]any)["items"].([]any) {
			if item := i.(map[string]any); item["title"] == title {
				return item
			}
		}
	}
	t.Fatalf("%q is not shown", title)
	return nil
}

func want(t *testing.T, a gatetest.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("answered %d, not %d: %s", a.Status, status, a.Raw)
	}
}

func scan(t *testing.T, app core.App, query, id string, into any) {
	t.Helper()
	if err := app.DB().NewQuery(query).Bind(map[string]any{"id": id}).Row(into); err != nil {
		t.Fatal(err)
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
