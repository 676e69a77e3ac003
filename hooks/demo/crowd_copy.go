package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// model is a request that was played, how many of a hundred are its copies, and
// its rows by table.
type model struct {
	request string
	share   int
	rows    map[string][]dbx.NullStringMap
}

// copied are the tables with rows of a request, and what is new in a copy: an
// expression over the copy c and the row x. Times that are not named here move
// by the copy's shift; everything else stays.
var copied = []struct {
	table, own string // own: the column that names the request
	fresh      map[string]string
}{
	{"requests", "id", map[string]string{
		"id": "c.id", "number": "c.number", "organization": "c.organization", "title": "c.title", "scope": "'staff:' || c.organization", "wake_at": "''", "remind_at": "''",
		"face": `json_set(x.face, '$.since', ` + moved(`json_extract(x.face,'$.since')`) + `, '$.due', ` + moved(`json_extract(x.face,'$.due')`) + `)`,
	}},
	{"client_requests", "id", map[string]string{"id": "c.id", "number": "c.number", "organization": "c.organization", "title": "c.title", "scope": "c.organization"}},
	{"items", "request", map[string]string{"id": "printf('i%011d%03d', c.n, x.rowid)", "request": "c.id", "scope": "'staff:' || c.organization"}},
	{"client_items", "request", map[string]string{"id": "printf('i%011d%03d', c.n, (SELECT i.rowid FROM crowd_items i WHERE i.id = x.id))", "request": "c.id", "scope": "c.organization"}},
	{"transitions", "request", map[string]string{"id": "printf('t%011d%03d', c.n, x.rowid)", "request": "c.id", "scope": "'staff:' || c.organization"}},
	{"client_history", "request", map[string]string{"id": "printf('h%011d%03d', c.n, x.rowid)", "request": "c.id", "scope": "c.organization"}},
	{"request_people", "request", map[string]string{"id": "printf('p%011d%03d', c.n, x.rowid)", "request": "c.id", "scope": "'staff:' || c.organization"}},
}

var times = []string{"created", "updated", "at", "due", "state_since", "closed_at", "provided_at", "reviewed_at"}

// moved is a time of the model, moved to the copy's own.
func moved(column string) string {
	return "CASE WHEN COALESCE(" + column + ",'') = '' THEN '' ELSE strftime('%Y-%m-%d %H:%M:%fZ', replace(" + column + ",'Z',''), c.shift) END"
}

// models plays one request for each state in the first organization, all begun
// on the same day.
func (c *crowd) models(ctx context.Context) ([]model, error) {
	client := schema.Actor{Kind: schema.ActorUser, Name: crowdPerson(0)}
	if err := c.app.DB().NewQuery(`SELECT id FROM users WHERE email = {:email}`).Bind(dbx.Params{"email": CrowdOne}).Row(&client.ID); err != nil {
		return nil, fmt.Errorf("find %s: %w", CrowdOne, err)
	}
	begun := c.now.Add(10 * time.Hour)
	var list []model
	for n, share := range []int{2, 9, 3, 4, 4, 78} { // draft, asked, given, sent, in review, approved
		c.now = begun.Add(time.Duration(n) * time.Minute)
		id, err := c.engine.Open(ctx, c.app, c.handler, workflow.NewRequest{
			Workflow: "simple_request", Organization: c.organizations[0], Title: "Papers", Due: c.now.AddDate(0, 0, 14).Format(time.DateOnly),
			Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Has anything changed since last year?"}},
		})
		if err != nil {
			return nil, fmt.Errorf("open a model: %w", err)
		}
		var item string
		if err := c.app.DB().NewQuery(`SELECT id FROM items WHERE request = {:request}`).Bind(dbx.Params{"request": id}).Row(&item); err != nil {
			return nil, fmt.Errorf("find the model's item: %w", err)
		}
		step := func(who schema.Actor, key string) func() error {
			return func() error {
				return c.engine.Transition(ctx, c.app, id, who, workflow.Input{Transition: key})
			}
		}
		change := func(who schema.Actor, in workflow.ItemPatch) func() error {
			return func() error { _, err := c.engine.PatchItem(ctx, c.app, item, who, in); return err }
		}
		acts := []func() error{
			step(c.handler, "send"), change(client, workflow.ItemPatch{Answers: map[string]any{"text": "Nothing at all."}}), step(client, "submit"), step(c.handler, "start_review"),
			func() error {
				if err := change(c.handler, workflow.ItemPatch{Status: string(workflow.Accepted)})(); err != nil {
					return err
				}
				return step(c.handler, "approve")()
			},
		}
		for _, act := range acts[:n] {
			c.now = c.now.Add(26 * time.Hour)
			if err := act(); err != nil {
				return nil, fmt.Errorf("play a model: %w", err)
			}
		}
		m := model{request: id, share: share, rows: map[string][]dbx.NullStringMap{}}
		for _, t := range copied {
			var rows []dbx.NullStringMap
			if err := c.app.DB().Select().From(t.table).Where(dbx.HashExp{t.own: id}).OrderBy("rowid").All(&rows); err != nil {
				return nil, fmt.Errorf("read the model's %s: %w", t.table, err)
			}
			m.rows[t.table] = rows
		}
		list = append(list, m)
	}
	return list, nil
}

// multiply copies the models. Indexes and walls are laid aside while it fills,
// and are put back from what the database itself says of them.
func (c *crowd) multiply(ctx context.Context, models []model, say func(string, ...any) error) error {
	aside, err := c.layAside()
	if err != nil {
		return err
	}
	if err := c.stage(models); err != nil {
		return err
	}
	const batch = 50_000
	for from := 0; from < c.size.Requests; from += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.copy(from, min(from+batch, c.size.Requests)); err != nil {
			return err
		}
		if err := say("%d of %d requests…", min(from+batch, c.size.Requests), c.size.Requests); err != nil {
			return err
		}
	}
	if err := say("Indexes…"); err != nil {
		return err
	}
	for _, statement := range append(aside, c.unstage()...) {
		if err := c.run(c.app, statement, nil); err != nil {
			return err
		}
	}
	for _, statement := range []string{"ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if err := c.run(c.app, statement, nil); err != nil {
			return err
		}
	}
	return nil
}

// layAside drops the indexes and triggers of the tables that are filled, and
// returns the statements that make them again.
func (c *crowd) layAside() ([]string, error) {
	var found []struct{ Type, Name, SQL string }
	tables := make([]any, len(copied))
	for i, t := range copied {
		tables[i] = t.table
	}
	err := c.app.NonconcurrentDB().Select("type", "name", "sql").From("sqlite_master").
		Where(dbx.In("tbl_name", tables...)).AndWhere(dbx.In("type", "index", "trigger")).AndWhere(dbx.NewExp("sql IS NOT NULL")).All(&found)
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	statements := make([]string, len(found))
	for i, f := range found {
		statements[i] = f.SQL
		if err := c.run(c.app, "DROP "+f.Type+" `"+f.Name+"`", nil); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

// stage lays the models' rows and the organizations into tables of their own.
func (c *crowd) stage(models []model) error {
	return c.app.RunInTransaction(func(tx core.App) error {
		statements := []string{`CREATE TABLE crowd_organizations (n INTEGER PRIMARY KEY, id TEXT)`, `CREATE TABLE crowd_models (n INTEGER PRIMARY KEY, id TEXT)`}
		for _, t := range copied {
			statements = append(statements,
				"CREATE TABLE crowd_"+t.table+" AS SELECT * FROM "+t.table+" WHERE 0",
				"CREATE INDEX crowd_"+t.table+"_own ON crowd_"+t.table+" ("+t.own+")")
		}
		for n, id := range c.organizations {
			statements = append(statements, fmt.Sprintf("INSERT INTO crowd_organizations VALUES (%d, '%s')", n, id))
		}
		n := 0
		for _, m := range models {
			for range m.share {
				statements = append(statements, fmt.Sprintf("INSERT INTO crowd_models VALUES (%d, '%s')", n, m.request))
				n++
			}
		}
		for _, s := range statements {
			if err := c.run(tx, s, nil); err != nil {
				return err
			}
		}
		for _, m := range models {
			for _, t := range copied {
				for _, row := range m.rows[t.table] {
					values := dbx.Params{}
					for name, v := range row {
						values[name] = v
					}
					if _, err := tx.DB().Insert("crowd_"+t.table, values).Execute(); err != nil {
						return fmt.Errorf("stage %s: %w", t.table, err)
					}
				}
			}
		}
		return nil
	})
}

func (c *crowd) unstage() []string {
	statements := []string{"DROP TABLE crowd_organizations", "DROP TABLE crowd_models"}
	for _, t := range copied {
		statements = append(statements, "DROP TABLE crowd_"+t.table)
	}
	return statements
}

// copies are the requests from one number up to another: begun one after the
// other over two years, but what is not over within the last three months, each
// for another client and of another state than the one before. The factors are
// primes, so that every client and every model comes up; each round over the
// clients begins with another model, so that a client has requests of all kinds.
const copies = `CREATE TABLE crowd_copies AS
WITH RECURSIVE c(n) AS (SELECT {:from} UNION ALL SELECT n + 1 FROM c WHERE n + 1 < {:to})
SELECT c.n, printf('q%014d', c.n) AS id, printf('CRD-%07d', c.n + 1) AS number, o.id AS organization, m.id AS model, 'Papers, part ' || (c.n % 12 + 1) AS title,
	'+' || CASE WHEN m.n >= {:over} THEN CAST(c.n * 1.0 / {:all} * {:minutes} AS INTEGER) ELSE {:minutes} - CAST((1 - c.n * 1.0 / {:all}) * 129600 AS INTEGER) END || ' minutes' AS shift
FROM c JOIN crowd_organizations o ON o.n = c.n * 7919 % {:organizations} JOIN crowd_models m ON m.n = (c.n + c.n / {:organizations}) * 37 % 100`

func (c *crowd) copy(from, to int) error {
	return c.app.RunInTransaction(func(tx core.App) error {
		const days = 720 // the models began two years ago, and took a week
		err := c.run(tx, copies, dbx.Params{"from": from, "to": to, "all": c.size.Requests, "organizations": len(c.organizations), "minutes": days * 24 * 60, "over": 22})
		if err != nil {
			return err
		}
		for _, t := range copied {
			names, err := tx.TableColumns(t.table)
			if err != nil {
				return fmt.Errorf("columns of %s: %w", t.table, err)
			}
			values := make([]string, len(names))
			for i, name := range names {
				values[i] = `x."` + name + `"`
				if fresh, ok := t.fresh[name]; ok {
					values[i] = fresh
				} else if slices.Contains(times, name) {
					values[i] = moved(values[i])
				}
			}
			statement := `INSERT INTO ` + t.table + ` ("` + strings.Join(names, `", "`) + `") SELECT ` + strings.Join(values, ", ") + ` FROM crowd_copies c CROSS JOIN crowd_` + t.table + ` x ON x.` + t.own + ` = c.model`
			if err := c.run(tx, statement, nil); err != nil {
				return err
			}
		}
		return c.run(tx, "DROP TABLE crowd_copies", nil)
	})
}

func (c *crowd) run(app core.App, statement string, params dbx.Params) error {
	if _, err := app.NonconcurrentDB().NewQuery(statement).Bind(params).Execute(); err != nil {
		return fmt.Errorf("%w: %s", err, statement)
	}
	return nil
}
