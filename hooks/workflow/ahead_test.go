package workflow_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// fillWith copies a request, with all that belongs to it, until there are n more.
// The walls against requests and histories that begin elsewhere are taken down
// for the filling alone.
func fillWith(t testing.TB, s *gatetest.Stage, request string, n int) {
	t.Helper()
	run := func(statement string) {
		t.Helper()
		params := dbx.Params{}
		for name, value := range map[string]any{"r": request, "n": n} {
			if strings.Contains(statement, "{:"+name+"}") {
				params[name] = value
			}
		}
		if _, err := s.DB().NewQuery(statement).Bind(params).Execute(); err != nil {
			t.Fatal(statement, err)
		}
	}
	columns := func(table string, replaced map[string]string) string {
		t.Helper()
		names, err := s.TableColumns(table)
		if err != nil {
			t.Fatal(err)
		}
		into, from := []string{}, []string{}
		for _, name := range names {
			value := `x."` + name + `"`
			if with, ok := replaced[name]; ok {
				value = with
			}
			into, from = append(into, `"`+name+`"`), append(from, value)
		}
		return `INSERT INTO "` + table + `" (` + strings.Join(into, ", ") + `) SELECT ` + strings.Join(from, ", ") + ` FROM "` + table + `" x, copies c WHERE `
	}
	for _, wall := range []string{"wall_requests_insert", "wall_transitions_insert", "wall_client_requests_insert", "wall_items_insert"} {
		run(`DROP TRIGGER IF EXISTS ` + wall)
	}
	run(`DROP TABLE IF EXISTS copies`)
	run(`CREATE TABLE copies AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {:n}) SELECT 'c' || lower(hex(randomblob(7))) AS id, i FROM c`)
	// Each has a client of its own: the workflow allows one at a time.
	run(columns("organizations", map[string]string{"id": "c.id", "code": "''", "path": "'/' || c.id || '/'"}) + `x.id = (SELECT organization FROM requests WHERE id = {:r})`)
	own := `'c' || lower(hex(randomblob(7)))`
	run(columns("requests", map[string]string{"id": "c.id", "organization": "c.id", "number": "x.number || '/' || c.i"}) + `x.id = {:r}`)
	run(columns("client_requests", map[string]string{"id": "c.id", "organization": "c.id", "number": "x.number || '/' || c.i"}) + `x.id = {:r}`)
	run(columns("items", map[string]string{"id": own, "request": "c.id"}) + `x.request = {:r}`)
	run(columns("transitions", map[string]string{"id": own, "request": "c.id"}) + `x.request = {:r}`)
}

// lookAheadOf builds a folder of n live requests in several states.
func lookAheadOf(t testing.TB, n int) (s *gatetest.Stage, to string) {
	t.Helper()
	s = gatetest.New(t)
	for i := range 4 {
		id := onboarding(t, s, i)
		s.Move(t, s.Sam, id, "invite")
		if i%2 == 1 {
			provideAll(t, s, id)
			s.Move(t, s.Anna, id, "submit")
			s.Move(t, s.Sam, id, "start_review")
		}
		fillWith(t, s, id, n/4-1)
	}
	return s, publish(t, s, edited(t, "accounting-onboarding-kyc.yaml", kyc2...))
}

// A dry run over 10,000 live requests, each with 8 to 12 items and its history;
// the target is 10 s.
func BenchmarkMigrate_lookAhead10k(b *testing.B) {
	const n = 10_000
	s, to := lookAheadOf(b, n)
	for b.Loop() {
		id, err := s.House.Runs.Migrate(s.TestApp, gatetest.Actor(s.Mia), workflow.MoveOrder{To: to, States: map[string]string{"collecting": "gathering"}, DryRun: true})
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		if err := s.House.Runs.Drain(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/run")
		v, err := s.House.Runs.View(s.TestApp, id, gatetest.Actor(s.Mia), "", "")
		if err != nil || v.Done != n || v.Failed > 0 {
			b.Fatalf("%+v %v", v, err)
		}
		b.Log(v.Summary)
	}
}
