package report

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

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
		{"/api/portal/home", s.sam, 8},
		{"/api/portal/requests?show=with_us", s.anna, 3},
		{"/api/portal/queue?view=all&q=paper", s.sam, 8},
		{"/api/portal/clients", s.sam, 4},
		{"/api/portal/clients/" + s.bluebell, s.sam, 11},
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
	a := asker{Actor: s.sam, at: s.now}
	little, err := staffReach(s, a)
	s.must(err)
	much := little
	much.condition = byRow
	plan := func(name, start, statement string, params dbx.Params) {
		t.Helper()
		var rows []struct {
			Detail string `db:"detail"`
		}
		s.must(s.DB().NewQuery("EXPLAIN QUERY PLAN " + statement).Bind(params).All(&rows))
		found := false
		for _, row := range rows {
			found = found || strings.HasPrefix(row.Detail, start)
			for _, table := range strings.Fields("r c h m d a t n j") {
				if row.Detail == "SCAN "+table {
					t.Errorf("%s: %s", name, row.Detail)
				}
			}
		}
		if !found {
			t.Errorf("%s: nothing begins with %q in %v", name, start, rows)
		}
	}
	for view := range views {
		for _, w := range []queueWanted{{view: view}, {view: view, q: "paper"}, {view: view, after: &mark{Key: "~"}}, {view: view, sort: sortByTurn}, {view: view, column: "system"}} {
			params := little.bind(dbx.Params{"limit": 51})
			plan("queue, little, "+view, "SEARCH r USING INDEX idx_requests_open", queueStatement(little, w, params), params)
			start := map[string]string{"mine": "SEARCH r USING INDEX idx_requests_assignee (assignee=? AND <expr>=?", "unassigned": "SEARCH r USING INDEX idx_requests_assignee (assignee=? AND <expr>=?"}[view]
			if start == "" {
				start = "SEARCH r USING INDEX idx_requests_queue (<expr>=?"
			}
			params = much.bind(dbx.Params{"limit": 51})
			plan("queue, much, "+view, start, queueStatement(much, w, params), params)
		}
	}
	plan("counts, little", "SEARCH r USING INDEX idx_requests_open", countStatement(little, math.MaxInt), little.bind(dbx.Params{"most": math.MaxInt}))
	plan("counts, much", "SEARCH r USING INDEX idx_requests_assignee", countStatement(much, queueCounted), much.bind(dbx.Params{"most": queueCounted}))
	anna := asker{Actor: s.anna, at: s.now}
	for show := range shows {
		for _, w := range []wanted{{show: show}, {show: show, after: &mark{}}, {show: show, sort: sortByTurn}, {show: show, organization: s.office}} {
			statement, params := cardStatement(anna, w)
			start := "SEARCH c USING COVERING INDEX idx_client_requests_scope_since (<expr>=? AND <expr>=?"
			if show == "needs_you" || w.sort != "" {
				start = "SEARCH c USING COVERING INDEX idx_client_requests_scope_turn (<expr>=? AND <expr>=?"
			}
			plan("cards "+show, start, statement, params)
		}
	}
	for _, truth := range []bool{true, false} {
		statement, params := (&subject{Truth: truth}).sources()
		plan(fmt.Sprint("timeline ", truth), "SEARCH", statement, params)
	}
}
