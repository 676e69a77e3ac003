package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// TestCost_statementsDoNotGrow counts what each answer asks of the database,
// with little to answer and with much.
func TestCost_statementsDoNotGrow(t *testing.T) {
	s := newStage(t)
	id := s.open(s.sam, "hold_flow", s.bluebell, "Year end")
	calls := []struct {
		path string
		as   schema.Actor
		most int64
	}{
		{"/api/portal/home", s.anna, 9},
		{"/api/portal/home", s.sam, 5},
		{"/api/portal/requests?show=with_us", s.anna, 3},
		{"/api/portal/queue?view=all&q=paper", s.sam, 5},
		{"/api/portal/clients", s.sam, 4},
		{"/api/portal/clients/" + s.bluebell, s.sam, 8},
		{"/api/portal/staff", s.sam, 3},
		{"/api/portal/requests/" + id + "/timeline", s.sam, 8},
		{"/api/portal/requests/" + id + "/timeline", s.anna, 7},
	}
	count := func(n int) int64 {
		s.get(calls[n].as, calls[n].path) // workflows are read once
		s.queries.Store(0)
		code, body := s.get(calls[n].as, calls[n].path)
		if code != 200 {
			t.Fatal(body)
		}
		return s.queries.Load()
	}
	little := make([]int64, len(calls))
	for n := range calls {
		little[n] = count(n)
	}
	for n := range 60 {
		s.both(s.bluebell, fmt.Sprint("paper ", n), nil)
		s.insert(schema.Messages, dbx.Params{"request": id, "author_name": "Sam", "body": "Hello", "scope": s.bluebell})
		s.insert(schema.InternalNotes, dbx.Params{"request": id, "author_name": "Sam", "body": "Hello", "scope": "staff:" + s.bluebell})
		s.organization(fmt.Sprint("Client ", n), "")
	}
	s.rebuild()
	for n, c := range calls {
		much := count(n)
		if much != little[n] || much > c.most {
			t.Errorf("%s as %s: %d statements with little, %d with much, at most %d", c.path, c.as.Name, little[n], much, c.most)
		}
	}
}

// TestCost_noListScans reads the plans: no walk over all requests that no index
// narrows or orders.
func TestCost_noListScans(t *testing.T) {
	s := newStage(t)
	s.bringIndexes()
	a := asker{Actor: s.sam, at: s.now}
	little, err := staffReach(s, a)
	s.must(err)
	much := little
	much.condition = access.Visible
	plan := func(name, statement string, params dbx.Params) {
		t.Helper()
		var rows []struct {
			Detail string `db:"detail"`
		}
		s.must(s.DB().NewQuery("EXPLAIN QUERY PLAN " + statement).Bind(params).All(&rows))
		for _, row := range rows {
			t.Log(name, row.Detail)
			for _, table := range []string{"SCAN r", "SCAN c", "SCAN h", "SCAN m", "SCAN d", "SCAN a", "SCAN t", "SCAN n", "SCAN j"} {
				if rest, found := strings.CutPrefix(row.Detail, table); found && (rest == "" || rest[0] == ' ') && !strings.Contains(rest, "USING") {
					t.Errorf("%s: %s", name, row.Detail)
				}
			}
		}
	}
	for _, v := range []struct {
		name string
		reach
	}{{"little", little}, {"much", much}} {
		for view := range views {
			params := v.bind(dbx.Params{"limit": 51})
			w := queueWanted{view: view, q: "paper", after: &mark{Key: "~"}}
			statement := queueStatement(v.reach, w, params)
			plan("queue "+v.name+" "+view, statement, params)
		}
	}
	for _, truth := range []bool{true, false} {
		statement, params := (&subject{Truth: truth}).sources()
		plan(fmt.Sprint("timeline ", truth), statement, params)
	}
}

// bringIndexes adds the indexes that the statements of the queue are written
// for, where the migrations do not bring them.
func (s *stage) bringIndexes() {
	s.t.Helper()
	c, err := s.FindCollectionByNameOrId(schema.Requests)
	s.must(err)
	for _, i := range []struct{ name, columns, where string }{
		{"idx_requests_hidden", "id", "restricted_to != '[]'"},
		{"idx_requests_queue", "(turn != 'staff' AND category != 'blocked'), COALESCE(NULLIF(due, ''), '~'), state_since, id", "category != 'done'"},
		{"idx_requests_open", "COALESCE(scope,''), turn, category, due, assignee", "category != 'done'"},
	} {
		c.AddIndex(i.name, false, i.columns, i.where)
	}
	s.must(s.Save(c))
}
