package hooks_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// wrong is a change that nobody may make.
type wrong struct {
	name, table, where string // where finds the one row; {:id} is the request
	set                map[string]any
	remove             bool
}

var wrongs = []wrong{
	{name: "a state without its transition", table: "requests", where: "id = {:id}", set: map[string]any{"state": "in_review"}},
	{name: "a state that no step leads to", table: "requests", where: "id = {:id}", set: map[string]any{"state": "archived"}},
	{name: "a state that is none", table: "requests", where: "id = {:id}", set: map[string]any{"state": "nowhere"}},
	{name: "an entry", table: "requests", where: "id = {:id}", set: map[string]any{"entry": 7}},
	{name: "a number", table: "requests", where: "id = {:id}", set: map[string]any{"number": "FORGED-1"}},
	{name: "a deleted request", table: "requests", where: "id = {:id}", remove: true},
	{name: "a changed history", table: "transitions", where: "request = {:id} AND key = 'send'", set: map[string]any{"actor": "nobody"}},
	{name: "a deleted history", table: "transitions", where: "request = {:id} AND key = 'send'", remove: true},
	{name: "a changed event", table: "events", where: "request = {:id} AND type = 'request.send'", set: map[string]any{"type": "request.approve"}},
	{name: "a deleted event", table: "events", where: "request = {:id} AND type = 'request.send'", remove: true},
	{name: "a changed trail", table: "audit_log", where: "request = {:id} AND action = 'transition'", set: map[string]any{"actor_name": "Nobody"}},
	{name: "a deleted trail", table: "audit_log", where: "request = {:id} AND action = 'transition'", remove: true},
	{name: "a reason in the history, with its scope", table: "transitions", where: "request = {:id} AND key = 'send'", set: map[string]any{"reason": "It was so.", "scope": "x"}},
	{name: "a message", table: "messages", where: "request = {:id}", set: map[string]any{"body": "We never asked for that."}},
	{name: "a deleted message", table: "messages", where: "request = {:id}", remove: true},
	{name: "an internal note", table: "internal_notes", where: "request = {:id}", set: map[string]any{"body": "Nothing to see."}},
	{name: "a deleted note", table: "internal_notes", where: "request = {:id}", remove: true},
	{name: "a published definition", table: "workflows", where: "key = 'simple_request'", set: map[string]any{"definition": `{"initial":"approved"}`}},
	{name: "a published definition that goes away", table: "workflows", where: "key = 'simple_request'", remove: true},
	{name: "who asked for a request", table: "requests", where: "id = {:id}", set: map[string]any{"requester": "nobody"}},
	{name: "the turn of a request, with the next revision", table: "requests", where: "id = {:id}", set: map[string]any{"turn": "nobody", "revision": 4}},
	{name: "the status of an item", table: "items", where: "request = {:id} AND title = 'Any loans?'", set: map[string]any{"status": "accepted"}},
	{name: "the reviewer of an item", table: "items", where: "request = {:id} AND title = 'Any loans?'", set: map[string]any{"reviewer": "nobody", "reviewed_at": "2026-01-01 00:00:00.000Z"}},
	{name: "the turn of an item", table: "items", where: "request = {:id} AND title = 'Any loans?'", set: map[string]any{"turn": "nobody"}},
	{name: "who gave an item", table: "items", where: "request = {:id} AND title = 'Any loans?'", set: map[string]any{"provided_by": "nobody"}},
	{name: "a deleted item", table: "items", where: "request = {:id} AND title = 'Any loans?'", remove: true},
	{name: "a client's row", table: "client_requests", where: "id = {:id}", set: map[string]any{"label": "All done"}},
	{name: "a client's row with its next revision", table: "client_requests", where: "id = {:id}", set: map[string]any{"label": "All done", "revision": 2}},
	{name: "a client's row that goes away", table: "client_requests", where: "id = {:id}", remove: true},
	{name: "a client's item", table: "client_items", where: "request = {:id} AND title = 'Any loans?'", set: map[string]any{"status": "accepted"}},
	{name: "a client's item that goes away", table: "client_items", where: "request = {:id} AND title = 'Any loans?'", remove: true},
	{name: "a client's history", table: "client_history", where: "request = {:id} AND kind = 'transition'", set: map[string]any{"actor_name": "Nobody"}},
	{name: "a client's history that goes away", table: "client_history", where: "request = {:id} AND kind = 'transition'", remove: true},
}

// inserted are rows that nobody may add.
func inserted(id, workflow string) map[string]map[string]any {
	return map[string]map[string]any{
		"transitions": {"request": id, "key": "approve", "from": "waiting_for_client", "to": "approved", "entry": 1, "actor_kind": "staff", "at": "2026-01-01 00:00:00.000Z", "revision": 99},
		"requests":    {"number": "FORGED-2", "workflow": workflow, "workflow_key": "simple_request", "organization": "", "title": "x", "state": "approved", "category": "done", "turn": "nobody", "visibility": "organization", "entry": 1},
	}
}

// truth is everything that a forbidden change could reach.
func truth(t *testing.T, app core.App, mark int) string {
	t.Helper()
	var b strings.Builder
	for _, table := range []string{"requests", "items", "transitions", "messages", "internal_notes", "events", "workflows", "client_requests", "client_items", "client_history", "audit_log"} {
		where := ""
		if table == "audit_log" {
			where = fmt.Sprintf(" WHERE seq <= %d", mark) // statements of the SQL console come after it
		}
		var rows []dbx.NullStringMap
		if err := app.DB().NewQuery("SELECT * FROM " + table + where + " ORDER BY id").All(&rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			for _, column := range slices.Sorted(maps.Keys(r)) {
				b.WriteString(column + "=" + r[column].String + "\n")
			}
		}
	}
	return b.String()
}

var errTakeBack = errors.New("take it back")

func takenBack(write func(tx core.App) error) func(tx core.App) error {
	return func(tx core.App) error {
		if err := write(tx); err != nil {
			return err
		}
		return errTakeBack
	}
}

// stopped runs a writer of the inside in a transaction that is taken back; a wall
// of the database has to stop it.
func stopped(t *testing.T, name string, app core.App, write func(tx core.App) error) {
	t.Helper()
	err := app.RunInTransaction(takenBack(write))
	if err == nil || !strings.Contains(err.Error(), "wall: ") {
		t.Errorf("%s: no wall stops it: %v", name, err)
	}
}

// statements are the change as SQL: as it is, told to go around what refuses, and
// as a row that pushes the old one out.
func statements(c wrong, row string) []string {
	where := " WHERE id = '" + row + "'"
	if c.remove {
		return []string{"DELETE FROM " + c.table + where}
	}
	var sets []string
	for _, name := range slices.Sorted(maps.Keys(c.set)) {
		sets = append(sets, fmt.Sprintf(`"%s" = '%v'`, name, c.set[name]))
	}
	set := " SET " + strings.Join(sets, ", ") + where
	return []string{
		"UPDATE " + c.table + set, "UPDATE OR REPLACE " + c.table + set, "UPDATE OR IGNORE " + c.table + set,
		"REPLACE INTO " + c.table + " SELECT * FROM " + c.table + where,
	}
}

// Every writer tries every forbidden change.
func TestWalls_everyWriter(t *testing.T) {
	s := gatetest.New(t)
	s.Settings().Batch.Enabled = true
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	spoken(t, s, id)
	var mark int
	scan(t, s.TestApp, `SELECT MAX(seq) FROM audit_log WHERE {:id} != ''`, id, &mark)
	before := truth(t, s.TestApp, mark)

	for _, c := range wrongs {
		t.Run(c.name, func(t *testing.T) {
			var row string
			scan(t, s.TestApp, "SELECT id FROM "+c.table+" WHERE {:id} != '' AND "+c.where, id, &row)
			path, method := "/api/collections/"+c.table+"/records/"+row, "PATCH"
			if c.remove {
				method = "DELETE"
			}
			outside := func(name string, a gatetest.Answer) {
				t.Helper()
				if a.Status < 400 || a.Status >= 500 {
					t.Errorf("%s: answered %d: %s", name, a.Status, a.Raw)
				}
				if truth(t, s.TestApp, mark) != before {
					t.Fatalf("%s: it was changed", name)
				}
			}
			for name, who := range map[string]*core.Record{"a client": s.Anna, "staff": s.Sam, "an owner": s.Pat, "a superuser": s.Sol, "nobody": nil} {
				outside(name+" by the record API", s.Ask(t, who, method, path, c.set))
				outside(name+" in a batch", s.Ask(t, who, "POST", "/api/batch", map[string]any{"requests": []map[string]any{{"method": method, "url": path, "body": c.set}}}))
			}
			if !c.remove {
				editor := s.Ask(t, s.Sol, "GET", path, nil).Body
				maps.Copy(editor, c.set)
				outside("the dashboard's editor, which sends every field", s.Ask(t, s.Sol, "PATCH", path, editor))
			}
			for name, app := range map[string]core.App{"Go": s.TestApp, "Go without hooks": s.UnsafeWithoutHooks()} {
				stopped(t, name, app, func(tx core.App) error {
					r, err := tx.FindRecordById(c.table, row)
					if err != nil {
						t.Fatal(err)
					}
					if c.remove {
						return tx.Delete(r)
					}
					r.Load(c.set)
					return tx.SaveNoValidate(r)
				})
			}
			for _, text := range statements(c, row) {
				stopped(t, text, s.TestApp, func(tx core.App) error {
					_, err := tx.DB().NewQuery(strings.NewReplacer("{", "\\{", "}", "\\}").Replace(text)).Execute()
					return err
				})
				outside("the SQL console", s.Ask(t, s.Sol, "POST", "/api/sql", map[string]any{"query": text}))
			}
			outside("the dashboard, which empties the collection", s.Ask(t, s.Sol, "DELETE", "/api/collections/"+c.table+"/truncate", nil))
			for _, who := range []*core.Record{s.Anna, s.Pat} {
				outside("the SQL console, for one who may not", s.Ask(t, who, "POST", "/api/sql", map[string]any{"query": statements(c, row)[0]}))
			}
			if truth(t, s.TestApp, mark) != before {
				t.Fatal("it was changed")
			}
		})
	}
}

// spoken puts a message and a note on a request.
func spoken(t *testing.T, s *gatetest.Stage, id string) {
	t.Helper()
	for _, collection := range []string{"messages", "internal_notes"} {
		want(t, s.Ask(t, s.Sam, "POST", "/api/collections/"+collection+"/records", map[string]any{"request": id, "body": "A word."}), 200)
	}
}

// Rows that only a step may add are added by no writer.
func TestWalls_insertedRows(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	var definition string
	scan(t, s.TestApp, `SELECT workflow FROM requests WHERE id = {:id}`, id, &definition)
	var mark int
	scan(t, s.TestApp, `SELECT MAX(seq) FROM audit_log WHERE {:id} != ''`, id, &mark)
	before := truth(t, s.TestApp, mark)
	for table, row := range inserted(id, definition) {
		if table == "requests" {
			row["organization"] = s.Bluebell.Id
		}
		for name, who := range map[string]*core.Record{"a client": s.Anna, "staff": s.Sam, "a superuser": s.Sol} {
			if a := s.Ask(t, who, "POST", "/api/collections/"+table+"/records", row); a.Status < 400 || a.Status >= 500 {
				t.Errorf("%s adds to %s: %d", name, table, a.Status)
			}
		}
		for name, app := range map[string]core.App{"Go": s.TestApp, "Go without hooks": s.UnsafeWithoutHooks()} {
			c, err := app.FindCollectionByNameOrId(table)
			if err != nil {
				t.Fatal(err)
			}
			r := core.NewRecord(c)
			r.Id = schema.NewID()
			r.Load(row)
			if err := app.Save(r); err == nil || !strings.Contains(err.Error(), "wall: ") {
				t.Errorf("%s adds to %s: %v", name, table, err)
			}
		}
		full := dbx.Params{"id": schema.NewID()}
		maps.Copy(full, row)
		if err := schema.Insert(s.TestApp, table, full); err == nil || !strings.Contains(err.Error(), "wall: ") {
			t.Errorf("SQL adds to %s: %v", table, err)
		}
	}
	if truth(t, s.TestApp, mark) != before {
		t.Fatal("it was changed")
	}
}

// An import of collections changes tables; the walls stand afterwards.
func TestWalls_surviveAnImport(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	c, err := s.FindCollectionByNameOrId("requests")
	if err != nil {
		t.Fatal(err)
	}
	collection := s.Ask(t, s.Sol, "GET", "/api/collections/"+c.Id, nil).Body
	collection["fields"] = append(collection["fields"].([]any), map[string]any{"name": "remark", "type": "text"})
	for name, who := range map[string]*core.Record{"a client": s.Anna, "an owner": s.Pat} {
		if a := s.Ask(t, who, "PUT", "/api/collections/import", map[string]any{"collections": []any{collection}}); a.Status != 403 {
			t.Errorf("%s imports: %d", name, a.Status)
		}
	}
	want(t, s.Ask(t, s.Sol, "PUT", "/api/collections/import", map[string]any{"collections": []any{collection}}), 204)
	if a := s.Ask(t, s.Sol, "POST", "/api/sql", map[string]any{"query": "UPDATE requests SET state = 'approved', remark = 'x' WHERE id = '" + id + "'"}); a.Status != 400 {
		t.Errorf("after an import the console answers %d: %s", a.Status, a.Raw)
	}
	isIn(t, s, id, "draft")
}

// Eight people decide on the same picture: one is done, the others are told who
// was faster and what changed.
func TestRace_sameStepSameRevision(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	s.Move(t, s.Anna, id, "submit")
	people := []*core.Record{s.Sam}
	for n := range 7 {
		people = append(people, newStaff(t, s, fmt.Sprintf("Hand%d", n), "handler"))
	}
	revision := s.Ask(t, s.Sam, "GET", request(id), nil).Body["revision"]
	s.Handler(t)
	answers := make([]gatetest.Answer, len(people))
	var wg sync.WaitGroup
	for n, who := range people {
		wg.Go(func() {
			answers[n] = s.Ask(t, who, "POST", request(id, "/transition"), map[string]any{"transition": "start_review", "expected_revision": revision})
		})
	}
	wg.Wait()
	winner := ""
	for n, a := range answers {
		if a.Status == 200 && winner == "" {
			winner = people[n].GetString("name")
		} else if a.Status != 409 {
			t.Errorf("%s is answered %d: %s", people[n].GetString("name"), a.Status, a.Raw)
		}
	}
	for _, a := range answers {
		if data, _ := a.Body["data"].(map[string]any); a.Status == 409 && (data["changed_by"] != winner || data["action"] != "transition" || !strings.Contains(a.Message(), winner)) {
			t.Errorf("a loser is told %s, but %s was faster", a.Raw, winner)
		}
	}
	trail(t, s, id, 3)
}

// Two people fill in different answers of one form, and different fields: both
// stay.
func TestRace_differentAnswersBothStay(t *testing.T) {
	s := gatetest.New(t)
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "acct_onboarding_kyc", Organization: s.Bluebell.Id, Title: "Welcome"})
	s.Move(t, s.Sam, id, "invite")
	form := itemAt(t, s, id, "previous_accountant", "").Id
	s.Handler(t)
	var wg sync.WaitGroup
	for _, answers := range []map[string]any{{"name": "Old & Co"}, {"email": "old@example.com"}, {"phone": "0123"}} {
		wg.Go(func() {
			want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/items/"+form, map[string]any{"answers": answers}), 200)
		})
	}
	for _, data := range []map[string]any{{"year_end": "03-31"}, {"is_pep": false}, {"entity_type": "trust"}} {
		wg.Go(func() { want(t, s.Ask(t, s.Anna, "PATCH", request(id), map[string]any{"data": data}), 200) })
	}
	wg.Wait()
	var answers, data string
	scan(t, s.TestApp, `SELECT answers FROM items WHERE request = {:id} AND key = 'previous_accountant'`, id, &answers)
	scan(t, s.TestApp, `SELECT data FROM requests WHERE id = {:id}`, id, &data)
	for _, part := range []string{`"Old \u0026 Co"`, `"old@example.com"`, `"0123"`} {
		if !strings.Contains(answers, part) {
			t.Errorf("answer %s was lost: %s", part, answers)
		}
	}
	for _, part := range []string{`"year_end":"03-31"`, `"is_pep":false`, `"entity_type":"trust"`} {
		if !strings.Contains(data, part) {
			t.Errorf("field %s was lost: %s", part, data)
		}
	}
}

// The same key, sent eight times at once, is one step and one answer.
func TestRace_sameIdempotencyKey(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Handler(t)
	answers := make([]gatetest.Answer, 8)
	var wg sync.WaitGroup
	for n := range answers {
		wg.Go(func() {
			answers[n] = s.Ask(t, s.Sam, "POST", request(id, "/transition"), map[string]any{"transition": "send"}, "Idempotency-Key", "one-and-the-same")
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.Status != 200 || string(a.Raw) != string(answers[0].Raw) {
			t.Errorf("answered %d: %s", a.Status, a.Raw)
		}
	}
	trail(t, s, id, 1)
}
