package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() {
	register("1798200200_add_timers.go", addTimers)
}

// addTimers brings reminders, holds and requests that come back each month:
//
//   - timers: what time has brought to whom on a request, or why it did not;
//   - pauses: when a request was on hold;
//   - recurrences: for each organization and period the request that was opened,
//     or why none was;
//   - requests.remind_at: when to look at a request's reminders again. It says
//     only when to look: what is due then is worked out anew.
func addTimers(app core.App) error {
	requests, err := app.FindCollectionByNameOrId("requests")
	if err != nil {
		return fmt.Errorf("find requests: %w", err)
	}
	organizations, err := app.FindCollectionByNameOrId("organizations")
	if err != nil {
		return fmt.Errorf("find organizations: %w", err)
	}
	b := &builder{app: app}

	requests.Fields.Add(date("remind_at"))
	indexWhere(requests, false, "remind_at", "remind_at != ''")
	b.save(requests)

	timers := b.base("timers",
		one("request", true, requests), text("key", true), choice("kind", true, "reminder", "escalation"), number("entry"), text("occurrence", true), text("person", false),
		choice("status", true, "fired", "skipped", "collapsed"), text("why", true), &core.DateField{Name: "at", Required: true}, text("scope", false))
	index(timers, true, "request, `key`, entry, occurrence, person")
	scoped(timers, "created")
	b.save(seen(timers))

	pauses := b.base("pauses",
		one("request", true, requests), &core.DateField{Name: "started", Required: true}, &core.DateField{Name: "until", Required: true}, date("ended"),
		text("reason", true), text("actor", false), text("actor_name", false), text("scope", false))
	index(pauses, false, "request, started")
	scoped(pauses, "created")
	b.save(seen(pauses))

	recurrences := b.base("recurrences",
		text("workflow_key", true), one("organization", true, organizations), text("period", true), one("request", false, requests), text("why", true),
		&core.DateField{Name: "at", Required: true}, text("scope", false))
	index(recurrences, true, "workflow_key, organization, period")
	indexWhere(recurrences, false, "request", "request != ''")
	scoped(recurrences, "created")
	b.save(seen(recurrences))
	if b.err != nil {
		return b.err
	}
	_, err = app.DB().NewQuery(`UPDATE requests SET remind_at = {:now} WHERE category != 'done'`).Bind(dbx.Params{"now": types.NowDateTime().String()}).Execute()
	if err != nil {
		return fmt.Errorf("look at the reminders of open requests: %w", err)
	}
	return nil
}
