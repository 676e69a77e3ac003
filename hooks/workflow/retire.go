package workflow

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// A retired version opens no new requests and serves on those that are on it: a
// done one can be reopened as before.

// left are the published versions that a newer one has taken the place of and
// that no live request is on any more.
const left = `SELECT w.id FROM workflows w WHERE w.status = 'published'
	AND EXISTS (SELECT 1 FROM workflows n WHERE n.key = w.key AND n.status = 'published' AND n.version > w.version)
	AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.workflow = w.id AND r.category != 'done')`

// RetireLeft retires every version that its last live request has left.
func (e *Engine) RetireLeft(ctx context.Context, app core.App) error {
	var ids []string
	if err := app.DB().NewQuery(left).Column(&ids); err != nil {
		return fmt.Errorf("look for versions that are left: %w", err)
	}
	for _, id := range ids {
		err := app.RunInTransaction(func(tx core.App) error {
			var still bool
			if err := tx.DB().NewQuery(`SELECT EXISTS (` + left + ` AND w.id = {:id})`).Bind(dbx.Params{"id": id}).Row(&still); err != nil || !still {
				return err
			}
			return retire(ctx, tx, id)
		})
		if err != nil {
			return fmt.Errorf("retire version %s: %w", id, err)
		}
		app.Logger().Info("workflow version retired: its last live request has left it", slog.String("workflow_id", id))
	}
	return nil
}

func retire(ctx context.Context, tx core.App, id string) error {
	record, err := tx.FindRecordById(schema.Workflows, id)
	if err != nil {
		return fmt.Errorf("find workflow %s: %w", id, err)
	}
	record.Set("status", "retired")
	return tx.SaveWithContext(ctx, record)
}

// Retire retires a version by hand: when no live request is on it, or when a
// newer one takes its place.
func (e *Engine) Retire(ctx context.Context, app core.App, id string) error {
	return app.RunInTransaction(func(tx core.App) error {
		record, def, err := e.version(tx, id)
		if err != nil {
			return err
		}
		switch record.GetString("status") {
		case "draft":
			return problem.New(problem.VersionInUse, "This is a draft: no request is on it. Delete it if it is not needed.")
		case "retired":
			return problem.New(problem.VersionInUse, "This version is retired already.")
		}
		var now struct {
			Live  int  `db:"live"`
			Newer bool `db:"newer"`
		}
		err = tx.DB().NewQuery(`SELECT (SELECT COUNT(*) FROM requests r WHERE r.workflow = {:id} AND r.category != 'done') AS live,
			EXISTS (SELECT 1 FROM workflows n WHERE n.key = {:key} AND n.status = 'published' AND n.version > {:version}) AS newer`).
			Bind(dbx.Params{"id": id, "key": def.Key, "version": def.Version}).One(&now)
		if err != nil {
			return fmt.Errorf("count live requests: %w", err)
		}
		if now.Live > 0 && !now.Newer {
			return problem.New(problem.VersionInUse, fmt.Sprintf("%s on this version, and no newer one is published. Publish a newer version first, or wait until they have ended.", things(now.Live, "live request is", "live requests are")))
		}
		return retire(ctx, tx, id)
	})
}
