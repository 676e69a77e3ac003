package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// The command beside recurrence.go: for each client and period one request, or
// the reason why there is none, and never a second one.

// most is how many clients one tick looks at: the rest follow with the next.
const most = 100

const recurring = `SELECT w.id, (SELECT MIN(f.published_at) FROM workflows f WHERE f.key = w.key AND f.status IN ('published','retired') AND f.published_at != ''
	AND json_extract(f.definition, '$.recurrence') IS NOT NULL) AS since
FROM workflows w WHERE w.status = 'published' AND json_extract(w.definition, '$.recurrence') IS NOT NULL
AND w.version = (SELECT MAX(n.version) FROM workflows n WHERE n.key = w.key AND n.status = 'published') ORDER BY w.key`

// Recur opens what is due by now, also what was missed while the server was
// down, but nothing from before the workflow was published or the client was
// there.
func (e *Engine) Recur(ctx context.Context) error {
	var workflows []struct {
		ID    string         `db:"id"`
		Since sql.NullString `db:"since"`
	}
	if err := e.App.DB().NewQuery(recurring).All(&workflows); err != nil {
		return fmt.Errorf("find workflows that come back: %w", err)
	}
	left := most
	for _, w := range workflows {
		def, err := e.Definition(e.App, w.ID)
		if err != nil {
			return err
		}
		since := schema.Time(w.Since.String)
		if done, ok := e.recurred.Load(w.ID); ok {
			since = done.(time.Time).Add(time.Nanosecond)
		}
		turns, err := def.Turns(since, e.Clock())
		if err != nil {
			e.App.Logger().Error("recurrence cannot be read", slog.String("workflow", def.Key), slog.Any("error", err))
			continue
		}
		for _, t := range turns {
			n, err := e.recur(ctx, def, t, left)
			if err != nil {
				return err
			}
			if left -= n; left <= 0 {
				return nil
			}
			e.recurred.Store(w.ID, t.At)
		}
	}
	return nil
}

// Clients are organizations at the top: their offices belong to them.
const clientsWithout = `SELECT o.id FROM organizations o WHERE o.parent = '' AND o.kind IN ('', 'client') AND o.merged_into = '' AND o.created <= {:at}
AND NOT EXISTS (SELECT 1 FROM recurrences r WHERE r.workflow_key = {:key} AND r.organization = o.id AND r.period = {:period})
ORDER BY o.id LIMIT {:most}`

// recur looks at the clients for whom a period has not been decided, and says
// how many there were.
func (e *Engine) recur(ctx context.Context, def *Compiled, t Turn, left int) (int, error) {
	var clients []string
	err := e.App.DB().NewQuery(clientsWithout).Bind(dbx.Params{"at": schema.Stamp(t.At), "key": def.Key, "period": t.Period, "most": left}).Column(&clients)
	if err != nil {
		return 0, fmt.Errorf("find clients for %s: %w", t.Period, err)
	}
	for _, id := range clients {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err := e.within(e.App, func(tx core.App) error { return e.recurFor(tx, def, t, id) }); err != nil {
			return 0, fmt.Errorf("open %s %s for %s: %w", def.Key, t.Period, id, err)
		}
	}
	return len(clients), nil
}

const insertRecurrence = `INSERT INTO recurrences (id, workflow_key, organization, period, request, why, at, scope, created, updated)
VALUES ({:id}, {:key}, {:org}, {:period}, '', {:why}, {:at}, {:scope}, {:now}, {:now}) ON CONFLICT(workflow_key, organization, period) DO NOTHING`

// recurFor decides on one client and period, once.
func (e *Engine) recurFor(tx core.App, def *Compiled, t Turn, organization string) error {
	org, err := tx.FindRecordById(schema.Organizations, organization)
	if err != nil {
		return fmt.Errorf("read organization: %w", err)
	}
	previous, err := previousData(tx, def.Key, organization)
	if err != nil {
		return err
	}
	known, request, id := object(org.GetString("data")), "", schema.NewID()
	why := def.becauseOf(t)
	switch {
	case org.GetString("status") != "active":
		why = "Not opened: the client is " + org.GetString("status") + "."
	case def.skips(previous, known):
		why = "Not opened: " + def.skipWords() + "."
	default:
		request = schema.NewID()
	}
	result, err := tx.DB().NewQuery(insertRecurrence).Bind(dbx.Params{
		"id": id, "key": def.Key, "org": organization, "period": t.Period, "why": why, "at": schema.Stamp(t.At), "scope": schema.StaffScope(organization), "now": schema.Stamp(e.Clock()),
	}).Execute()
	if err != nil {
		return fmt.Errorf("note the period: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 || request == "" {
		return err
	}
	in := NewRequest{Workflow: def.Key, Organization: organization, Title: def.Title + ", " + t.Words, Period: t.Period, Due: stampOrEmpty(t.Due), Data: def.carried(previous, known), because: why}
	err = e.open(tx, request, schema.System(), org, def, in)
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		request, why, err = "", "Not opened: "+refusal.Message, nil
	}
	if err != nil {
		return err
	}
	if err := schema.Update(tx, schema.Recurrences, id, dbx.Params{"request": request, "why": why}); err != nil {
		return fmt.Errorf("note the request: %w", err)
	}
	return nil
}

// previousData is the data of the client's latest request of a workflow; nil if
// there is none.
func previousData(tx core.App, key, organization string) (map[string]any, error) {
	var data string
	err := tx.DB().NewQuery(`SELECT COALESCE(data, '{}') FROM requests WHERE organization = {:org} AND workflow_key = {:key} ORDER BY created DESC, period DESC LIMIT 1`).
		Bind(dbx.Params{"org": organization, "key": key}).Row(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the previous request: %w", err)
	}
	return object(data), nil
}

// becauseOf says why a request of a recurrence is there.
func (c *Compiled) becauseOf(t Turn) string {
	return fmt.Sprintf("Created because %q is opened for each client every %s, on the %s. This one is for %s.", c.Title, c.Recurrence.Every, c.Recurrence.Create, t.Words)
}

func (c *Compiled) skipWords() string {
	s := c.Recurrence.SkipIf
	if f := c.fields[s.Field]; f != nil {
		return fmt.Sprintf("%s is %v", strings.ToLower(fieldLabel(f)), s.Is)
	}
	return "the workflow leaves such periods out"
}

// createdBecause says why a request was opened by itself; nothing if a person
// did.
func createdBecause(app core.App, request string) (string, error) {
	var why string
	err := app.DB().NewQuery(`SELECT why FROM recurrences WHERE request = {:id} AND request != ''`).Bind(dbx.Params{"id": request}).Row(&why)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read why request %s was opened: %w", request, err)
	}
	return why, nil
}
