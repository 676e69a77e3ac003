package hooks_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
)

// recordSQL keeps every statement that the app runs on its data, until the
// returned function is called.
func recordSQL(t *testing.T, app core.App) func() []string {
	t.Helper()
	var mu sync.Mutex
	var statements []string
	keep := func(statement string) {
		mu.Lock()
		defer mu.Unlock()
		statements = append(statements, statement)
	}
	var restore []func()
	for _, builder := range []dbx.Builder{app.ConcurrentDB(), app.NonconcurrentDB()} {
		db, ok := builder.(*dbx.DB)
		if !ok {
			t.Fatalf("the database is a %T", builder)
		}
		query, exec := db.QueryLogFunc, db.ExecLogFunc
		db.QueryLogFunc = func(_ context.Context, _ time.Duration, statement string, _ *sql.Rows, _ error) { keep(statement) }
		db.ExecLogFunc = func(_ context.Context, _ time.Duration, statement string, _ sql.Result, _ error) { keep(statement) }
		restore = append(restore, func() { db.QueryLogFunc, db.ExecLogFunc = query, exec })
	}
	return func() []string {
		for _, r := range restore {
			r()
		}
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(statements)
	}
}

// fill makes a firm of 2,000 clients with 100,000 requests, each with a face, a
// document and a message. The walls look at each row; those that these rows cannot
// pass are taken down for the filling alone.
var fill = []string{
	`DROP TRIGGER wall_requests_insert`,
	`DROP TRIGGER wall_client_requests_insert`,
	`CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 99999) SELECT i FROM c`,
	`INSERT INTO organizations (id, name, code, path, kind, status, scope, created, updated)
		SELECT printf('org%012d', i), 'Client ' || i, '', '/' || printf('org%012d', i) || '/', 'client', 'active', printf('org%012d', i), '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z' FROM n WHERE i < 2000`,
	`INSERT INTO access (id, principal, scope, since, until, source, source_id, created, updated)
		SELECT printf('acs%012d', i), printf('per%012d', i), printf('org%012d', i), '2026-01-01 00:00:00.000Z', '9999-12-31 23:59:59.999Z', 'membership', 'x', '', '' FROM n WHERE i < 2000`,
	`INSERT INTO access (id, principal, scope, since, until, source, source_id, created, updated)
		SELECT printf('a%s%012d', CASE k.prefix WHEN '' THEN 'cl' ELSE 'st' END, i), {:sam}, k.prefix || printf('org%012d', i), '2026-01-01 00:00:00.000Z', '9999-12-31 23:59:59.999Z', 'staff', {:sam}, '', '' FROM n, (SELECT '' AS prefix UNION ALL SELECT 'staff:') k WHERE i < 2000`,
	`INSERT INTO access (id, principal, scope, since, until, source, source_id, created, updated)
		SELECT printf('acu%012d', i), {:anna}, printf('org%012d', i), '2026-01-01 00:00:00.000Z', '9999-12-31 23:59:59.999Z', 'membership', 'x', '', '' FROM n WHERE i < 3`,
	`INSERT INTO requests (id, number, workflow, workflow_key, organization, title, state, category, turn, entry, visibility, participants, priority, tags, due, state_since, data, progress, face, restricted_to, revision, scope, created, updated)
		SELECT printf('req%012d', i), 'R-' || i, (SELECT id FROM workflows WHERE key = 'simple_request'), 'simple_request', printf('org%012d', i % 2000), 'Request ' || i, 'draft', 'open', 'staff', 1, 'organization', '[]', 'normal', '[]',
		printf('2026-%02d-%02d 12:00:00.000Z', i % 12 + 1, i % 28 + 1), printf('2026-%02d-%02d 12:00:00.000Z', i % 11 + 1, i % 27 + 1), '{}', '{}', '{}', '[]', 1, 'staff:' || printf('org%012d', i % 2000), printf('2026-01-01 %02d:%02d:%02d.000Z', i / 3600 % 24, i / 60 % 60, i % 60), '2026-01-01 00:00:00.000Z' FROM n`,
	`INSERT INTO client_requests (id, number, organization, title, state, label, category, turn, due, state_since, contact, data, progress, revision, scope, created, updated)
		SELECT id, number, organization, title, 'waiting_for_client', 'We need some things from you', 'waiting', 'client', due, state_since, '{}', '{}', '{}', 1, organization, created, updated FROM requests WHERE id >= 'req'`,
	`INSERT INTO documents (id, organization, request, file, title, version, state, scope, created, updated) SELECT 'doc' || substr(id, 4), organization, id, 'x.pdf', 'x.pdf', 1, 'ready', organization, created, updated FROM requests WHERE id >= 'req'`,
	`INSERT INTO messages (id, request, organization, body, documents, scope, created, updated) SELECT 'mes' || substr(id, 4), id, organization, 'Hello', '[]', organization, created, updated FROM requests WHERE id >= 'req'`,
	`DROP TABLE n`,
	`ANALYZE`,
}

// bigTables have a row for each request at least.
var bigTables = []string{"requests", "client_requests", "client_items", "client_history", "items", "documents", "messages", "internal_notes", "transitions", "access", "audit_log"}

// A person in one organization reads a list along an index, whatever the order:
// the work does not grow with the portal.
func TestPlans_listsWalkAnIndex(t *testing.T) {
	s := gatetest.New(t)
	err := s.RunInTransaction(func(tx core.App) error {
		for _, statement := range fill {
			params := dbx.Params{}
			for name, value := range map[string]any{"sam": s.Sam.Id, "anna": s.Anna.Id} {
				if strings.Contains(statement, "{:"+name+"}") {
					params[name] = value
				}
			}
			if _, err := tx.DB().NewQuery(statement).Bind(params).Execute(); err != nil {
				return fmt.Errorf("%w: %s", err, statement)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# How SQLite reads the lists at 100,000 requests of 2,000 clients. Written by: go test ./hooks -run TestPlans -update\n")
	for _, c := range []struct {
		who        *core.Record
		collection string
		orders     []string
	}{
		{s.Anna, "client_requests", []string{"-created", "-created&skipTotal=1", "due", "-state_since"}}, // an admin of four clients
		{s.Anna, "documents", []string{"-created", "title"}},
		{s.Anna, "messages", []string{"-created", "created&skipTotal=1"}},
		{s.Cleo, "client_requests", []string{"-created", "due"}}, // nothing there
		{s.Anna, "requests", []string{"-created"}},               // nothing for her
		{s.Sam, "requests", []string{"-created&skipTotal=1", "due&skipTotal=1", "-state_since"}},
	} {
		for _, order := range c.orders {
			stop := recordSQL(t, s.App())
			a := s.Ask(t, c.who, "GET", "/api/collections/"+c.collection+"/records?perPage=30&sort="+order, nil)
			statements := stop()
			want(t, a, 200)
			slices.Sort(statements) // count and rows are read side by side
			what := c.who.GetString("name") + ": " + c.collection + " by " + strings.ReplaceAll(order, "&skipTotal=1", ", without total")
			fmt.Fprintf(&b, "\n== %s\n", what)
			read := 0
			for _, statement := range statements {
				if !strings.Contains(statement, "FROM `"+c.collection+"`") {
					continue
				}
				read++
				plan := planOf(t, s.App(), statement)
				b.WriteString(kindOf(statement) + "\n" + plan)
				checkPlan(t, what, c.collection, plan)
			}
			if wanted := map[bool]int{true: 1, false: 2}[strings.Contains(order, "skipTotal")]; read < 1 || read > wanted {
				t.Fatalf("%s takes %d statements: %q", what, read, statements)
			}
		}
	}
	for _, c := range []struct {
		who                    *core.Record
		what, path, word, plan string // word: of the statement alone
	}{
		{s.Sam, "the queue by turn", "queue?view=all&sort=turn", "AS assignee_name", `SEARCH r USING INDEX idx_requests_queue \(<expr>=\?\)`},
		{s.Sam, "the queue that is his", "queue?view=mine", "AS assignee_name", `SEARCH r USING INDEX idx_requests_assignee \(assignee=\? AND <expr>=\?\)`},
		{s.Sam, "the counts of the queue", "queue?view=all", "MIN(COALESCE(SUM(", `SEARCH r USING INDEX idx_requests_queue \(<expr>=\? AND <expr><\?\)`},
		{s.Sam, "clients", "clients", "AS last_activity", `SEARCH r USING COVERING INDEX idx_requests_scope_updated \(<expr>=\?\)`},
		{s.Anna, "the client's list by turn", "requests?show=all&sort=turn", "AS begun", `SEARCH c USING COVERING INDEX idx_client_requests_scope_turn \(<expr>=\? AND <expr>=\? AND <expr><\?\)`},
		{s.Anna, "what needs her", "requests?show=needs_you", "AS begun", `SEARCH c USING COVERING INDEX idx_client_requests_scope_turn \(<expr>=\? AND <expr>=\? AND <expr><\?\)`},
		{s.Anna, "where she belongs", "me", "AS needs", `SEARCH c USING COVERING INDEX idx_client_requests_scope_since \(<expr>=\? AND <expr>=\?\)`},
	} {
		stop := recordSQL(t, s.App())
		a := s.Ask(t, c.who, "GET", "/api/portal/"+c.path, nil)
		statements := stop()
		want(t, a, 200)
		i := slices.IndexFunc(statements, func(sql string) bool { return strings.Contains(sql, c.word) })
		if i < 0 {
			t.Fatalf("%s is not among %q", c.what, statements)
		}
		plan := planOf(t, s.App(), statements[i])
		fmt.Fprintf(&b, "\n== %s: %s\nrows\n%s", c.who.GetString("name"), c.what, plan)
		if !regexp.MustCompile(c.plan).MatchString(plan) {
			t.Errorf("%s does not use its index:\n%s", c.what, plan)
		}
		if all := regexp.MustCompile(`(?m)^\s*SCAN [rc]( USING INDEX idx_requests_(queue|assignee|open))?$`).FindString(plan); all != "" {
			t.Errorf("%s reads everything: %s", c.what, all)
		}
	}
	golden(t, "plans.golden", b.String())
}

func kindOf(statement string) string {
	if strings.HasPrefix(statement, "SELECT COUNT(") {
		return "count"
	}
	return "rows"
}

func checkPlan(t *testing.T, what, collection, plan string) {
	t.Helper()
	for _, table := range bigTables {
		if regexp.MustCompile(`(?m)^\s*SCAN ` + table + `\b`).MatchString(plan) {
			t.Errorf("%s reads all of %s:\n%s", what, table, plan)
		}
	}
	// COALESCE(scope,'') is an expression: that is how the plan names it.
	if !regexp.MustCompile(`SEARCH ` + collection + ` USING (COVERING )?INDEX idx_` + collection + `_scope_\w+ \(<expr>=\?`).MatchString(plan) {
		t.Errorf("%s does not use an index on the scope:\n%s", what, plan)
	}
}

var hexNames = regexp.MustCompile(`__\w+`)

// planOf is SQLite's own word on a statement, indented.
func planOf(t *testing.T, app core.App, statement string) string {
	t.Helper()
	var rows []struct {
		ID     int    `db:"id"`
		Parent int    `db:"parent"`
		Detail string `db:"detail"`
	}
	if err := app.DB().NewQuery("EXPLAIN QUERY PLAN " + statement).All(&rows); err != nil {
		t.Fatal(err, statement)
	}
	depth := map[int]int{0: 0}
	var b strings.Builder
	for _, r := range rows {
		depth[r.ID] = depth[r.Parent] + 1
		b.WriteString(strings.Repeat("  ", depth[r.ID]) + hexNames.ReplaceAllString(r.Detail, "__x") + "\n")
	}
	return b.String()
}
