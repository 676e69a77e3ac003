package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Tick does what time alone brings: holds end, steps that waited for time are
// taken, reminders fire, requests that come back each period are opened. It is
// called every minute; a second call at the same moment, by this process or by
// another, changes nothing. Each request is a transaction of its own, so that
// nobody who writes waits for the rest.
func (e *Engine) Tick(ctx context.Context) error {
	return errors.Join(e.tickSteps(ctx), e.tickReminders(ctx), e.Recur(ctx))
}

func (e *Engine) tickSteps(ctx context.Context) error {
	due, err := e.Due(e.App)
	for _, id := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failed := e.Pass(ctx, id); failed != nil {
			err = errors.Join(err, fmt.Errorf("steps of request %s: %w", id, failed))
			continue
		}
		// What still has not happened waits for something else than time; that
		// tells of itself when it comes.
		_, failed := e.App.DB().NewQuery(`UPDATE requests SET wake_at = '' WHERE id = {:id} AND wake_at != '' AND wake_at <= {:now}`).
			Bind(dbx.Params{"id": id, "now": schema.Stamp(e.Clock())}).Execute()
		err = errors.Join(err, failed)
	}
	return err
}

// batch is how many requests are looked at before the clock is read again.
const batch = 500

const dueReminders = `SELECT id FROM requests WHERE remind_at != '' AND remind_at <= {:now} ORDER BY remind_at, id LIMIT {:batch}`

func (e *Engine) tickReminders(ctx context.Context) error {
	for {
		var ids []string
		if err := e.App.DB().NewQuery(dueReminders).Bind(dbx.Params{"now": schema.Stamp(e.Clock()), "batch": batch}).Column(&ids); err != nil {
			return fmt.Errorf("find due reminders: %w", err)
		}
		for _, id := range ids {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := e.Remind(ctx, e.App, id); err != nil {
				e.App.Logger().Error("reminders of a request failed", slog.String("request_id", id), slog.Any("error", err))
				if err := e.lookLater(id); err != nil {
					return err
				}
			}
		}
		if len(ids) < batch {
			return nil
		}
	}
}

// lookLater keeps one request that cannot be looked at from standing in the way
// of the others.
func (e *Engine) lookLater(id string) error {
	const later = 5 * time.Minute
	_, err := e.App.DB().NewQuery(`UPDATE requests SET remind_at = {:at} WHERE id = {:id}`).Bind(dbx.Params{"id": id, "at": schema.Stamp(e.Clock().Add(later))}).Execute()
	if err != nil {
		return fmt.Errorf("look at request %s later: %w", id, err)
	}
	return nil
}

// LookAgain makes every open request's reminders be looked at anew: the calendar
// that they follow has changed.
func (e *Engine) LookAgain(app core.App) error {
	_, err := app.DB().NewQuery(`UPDATE requests SET remind_at = {:now} WHERE category != 'done' AND paused_until = ''`).Bind(dbx.Params{"now": schema.Stamp(e.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("look at all reminders: %w", err)
	}
	return nil
}
