package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Pass takes every step on a request that the system takes by itself, until
// none is possible. It is called after each committed change and when a timer
// is due; calling it once more changes nothing.
func (e *Engine) Pass(ctx context.Context, id string) error {
	// A definition whose system steps go round in a circle is refused by the
	// checker; the bound keeps an older one from spinning.
	const most = 20
	for range most {
		moved, err := e.step(ctx, id)
		if err != nil || !moved {
			return err
		}
	}
	e.App.Logger().Warn("automatic steps do not end", slog.String("request_id", id))
	return nil
}

func (e *Engine) step(ctx context.Context, id string) (bool, error) {
	l, err := e.load(e.App, id, schema.System())
	if err != nil {
		return false, fmt.Errorf("load request for a pass: %w", err)
	}
	if woken, err := e.wake(l); woken || err != nil {
		return woken, err
	}
	for _, t := range l.def.From(l.State) {
		if !t.Automatic() {
			continue
		}
		verdict := l.def.Decide(l.facts, t.Key, l.who, nil)
		if !verdict.Allowed {
			continue
		}
		revision := l.Revision
		err := e.Transition(ctx, e.App, id, schema.System(), Input{Transition: t.Key, ExpectedRevision: &revision})
		var refusal *problem.Error
		if errors.As(err, &refusal) {
			return refusal.Code == problem.Stale, nil // somebody was faster: look again
		}
		return err == nil, err
	}
	return false, nil
}

// Due lists requests whose timer has run out.
func (e *Engine) Due(app core.App) ([]string, error) {
	var ids []string
	err := app.DB().NewQuery(`SELECT id FROM requests WHERE wake_at != '' AND wake_at <= {:now} ORDER BY wake_at LIMIT 500`).Bind(dbx.Params{"now": schema.Stamp(e.Clock())}).Column(&ids)
	if err != nil {
		return nil, fmt.Errorf("read due timers: %w", err)
	}
	return ids, nil
}

// Waiting says whether the state of a request has steps that the system takes
// without waiting for time.
func (e *Engine) Waiting(app core.App, id string) (bool, error) {
	var r struct {
		Workflow string `db:"workflow"`
		State    string `db:"state"`
	}
	if err := app.DB().NewQuery(`SELECT workflow, state FROM requests WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&r); err != nil {
		return false, fmt.Errorf("read request %s: %w", id, err)
	}
	def, err := e.Definition(app, r.Workflow)
	if err != nil {
		return false, err
	}
	for _, t := range def.From(r.State) {
		if t.Automatic() {
			return true, nil
		}
	}
	return false, nil
}
