package demo

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/access"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/schema"
)

// A crowd is as true as what the engine wrote: history leads to the state, the
// client's rows are what the engine would show, access equals its sources, and
// the walls stand again.
func TestCrowd(t *testing.T) {
	app := build(t, noon, 0)
	schemaOf := func() []string {
		return column(t, app, `SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1`, nil)
	}
	before, requests := schemaOf(), count(t, app, `SELECT COUNT(*) FROM requests`, nil)
	err := Crowd(t.Context(), app, Options{Clock: func() time.Time { return noon }, NewEngine: engineFor(app)}, Size{Organizations: 330, Requests: 400}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if after := schemaOf(); !slices.Equal(before, after) {
		for i := range min(len(after), len(before)) {
			if after[i] != before[i] {
				t.Fatalf("the schema is not what it was: %s, before %s", after[i], before[i])
			}
		}
		t.Errorf("%d things in the schema, before %d", len(after), len(before))
	}
	if breaches, err := ops.Breaches(app); err != nil || len(breaches) > 0 {
		t.Error(breaches, err)
	}
	consistent(t, app, schema.Stamp(noon))
	faces(t, app, noon)
	const all = `SELECT principal || scope || since || until || source || source_id FROM access ORDER BY 1`
	rows := column(t, app, all, nil)
	if err := access.Rebuild(app, noon); err != nil {
		t.Fatal(err)
	}
	if again := column(t, app, all, nil); !slices.Equal(rows, again) {
		t.Errorf("%d rows of access, %d when derived again", len(rows), len(again))
	}
	if n := count(t, app, `SELECT COUNT(*) FROM requests`, nil); n != requests+400 {
		t.Errorf("%d requests", n)
	}
	sees := func(collection, email, table string) int {
		who, err := app.FindAuthRecordByEmail(collection, email)
		if err != nil {
			t.Fatal(err)
		}
		return count(t, app, `SELECT COUNT(DISTINCT x.organization) FROM `+table+` x WHERE EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = x.scope AND a.since <= {:now} AND a.until > {:now})`,
			dbx.Params{"me": who.Id, "now": schema.Stamp(noon)})
	}
	for _, c := range []struct {
		collection, email, table string
		least, most              int
	}{
		{schema.Users, CrowdOne, "client_requests", 1, 1},
		{schema.Users, CrowdNone, "client_requests", 0, 0},
		{schema.Users, CrowdMany, "client_requests", 250, largestBookkeep},
		{schema.Staff, CrowdStaff, "requests", 330, 400},
		{schema.Staff, CrowdWalled, "requests", 300, 390},
	} {
		if n := sees(c.collection, c.email, c.table); n < c.least || n > c.most {
			t.Errorf("%s sees requests of %d organizations", c.email, n)
		}
	}
}

// As many clients as models, or a multiple, must not give each client one kind
// of request only.
func TestCrowd_everyClientHasRequestsOfManyKinds(t *testing.T) {
	app := build(t, noon, 0)
	err := Crowd(t.Context(), app, Options{Clock: func() time.Time { return noon }, NewEngine: engineFor(app)}, Size{Organizations: 100, Requests: 1500}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	poor := count(t, app, `SELECT COUNT(*) FROM (SELECT organization FROM requests WHERE number LIKE 'CRD-%' GROUP BY organization HAVING COUNT(DISTINCT state) < 2 OR COUNT(*) != 15)`, nil)
	if poor != 0 {
		t.Errorf("%d of 100 clients have requests of one state only", poor)
	}
}
