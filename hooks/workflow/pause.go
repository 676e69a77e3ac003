package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// A request may be put on hold until a day: clocks, reminders and steps that
// wait for time stop, and go on by themselves when the hold is over. People may
// still do what they may.

// PauseInput is what putting on hold takes. Until is a day, or a moment.
type PauseInput struct {
	Until            string `json:"until"`
	Reason           string `json:"reason"`
	ExpectedRevision *int   `json:"expected_revision"`
}

// longestPause is two years: what lies further ahead is no hold.
const longestPause = 2

// Pause puts a request on hold. One that is on hold already gets the new end.
func (e *Engine) Pause(_ context.Context, app core.App, id string, actor schema.Actor, in PauseInput) error {
	return e.within(app, func(tx core.App) error {
		l, err := e.loadToHold(tx, id, actor, in.ExpectedRevision)
		if err != nil {
			return err
		}
		if l.def.State(l.State).Category == "done" {
			return problem.New(problem.Condition, "This request is finished: there is nothing to put on hold.")
		}
		until, err := l.holdUntil(in.Until)
		if err != nil {
			return err
		}
		reason := strings.TrimSpace(in.Reason)
		if reason == "" || len(reason) > 500 {
			return problem.Field("reason", problem.ReasonRequired, "Say in a few words why (at most 500 characters).")
		}
		if err := e.endPause(tx, l); err != nil {
			return err
		}
		now := l.facts.Now
		err = schema.Insert(tx, schema.Pauses, dbx.Params{
			"id": schema.NewID(), "request": l.ID, "started": schema.Stamp(now), "until": schema.Stamp(until), "ended": "", "reason": reason,
			"actor": actor.ID, "actor_name": actor.Name, "scope": l.Scope, "created": schema.Stamp(now), "updated": schema.Stamp(now),
		})
		if err != nil {
			return fmt.Errorf("put request %s on hold: %w", id, err)
		}
		l.facts.Pauses = append(l.facts.Pauses, Pause{Started: now, Until: until})
		return e.held(tx, l, "request.paused", map[string]any{"hold": "begun", "until": schema.Stamp(until), "reason": reason})
	})
}

// Resume ends a hold before its day.
func (e *Engine) Resume(_ context.Context, app core.App, id string, actor schema.Actor) error {
	return e.within(app, func(tx core.App) error {
		l, err := e.loadToHold(tx, id, actor, nil)
		if err != nil {
			return err
		}
		if l.PausedUntil == "" {
			return problem.New(problem.Condition, "This request is not on hold.")
		}
		if err := e.endPause(tx, l); err != nil {
			return err
		}
		return e.held(tx, l, "request.resumed", map[string]any{"hold": "ended"})
	})
}

// wake ends a hold whose day has come, once: it is looked at again where nobody
// else writes.
func (e *Engine) wake(l *live) (woken bool, err error) {
	if !l.overslept() {
		return false, nil
	}
	return true, e.within(e.App, func(tx core.App) error {
		l, err := e.load(tx, l.ID, schema.System())
		if err != nil || !l.overslept() {
			return err
		}
		if err := e.endPause(tx, l); err != nil {
			return err
		}
		return e.held(tx, l, "request.resumed", map[string]any{"hold": "over"})
	})
}

// overslept says whether the day of a hold has come without its end.
func (l *live) overslept() bool {
	return l.PausedUntil != "" && !schema.Time(l.PausedUntil).After(l.facts.Now)
}

// loadToHold reads a request for somebody who may put it on hold: staff who work
// requests and may see it.
func (e *Engine) loadToHold(tx core.App, id string, actor schema.Actor, expected *int) (*live, error) {
	if err := staffOnly(actor); err != nil {
		return nil, err
	}
	l, err := e.load(tx, id, actor)
	if err != nil {
		return nil, err
	}
	if l.who.Shown {
		return nil, problem.New(problem.Role, "This is in other hands now.")
	}
	if !l.who.Superuser && !l.who.System && !access.MemberOf(actor).AtLeast("operator") {
		return nil, problem.New(problem.Role, "Your role lets you look, not change.")
	}
	return l, e.fresh(tx, l, expected)
}

// holdUntil reads the end of a hold: a day means its first moment in the
// workflow's zone.
func (l *live) holdUntil(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	until, err := time.ParseInLocation(time.DateOnly, text, l.def.Calendar.Zone())
	if err != nil {
		until = schema.Time(text)
	}
	now := l.facts.Now
	switch {
	case until.IsZero():
		return until, problem.Field("until", problem.FieldInvalid, "A date such as 2026-03-31 is expected.")
	case !until.After(now):
		return until, problem.Field("until", problem.FieldInvalid, "Choose a day that is still to come.")
	case until.After(now.AddDate(longestPause, 0, 0)):
		return until, problem.Field("until", problem.FieldInvalid, "A request can be on hold for two years at most.")
	}
	return until, nil
}

const endPauses = `UPDATE pauses SET ended = {:now}, updated = {:now} WHERE request = {:id} AND ended = ''`

// endPause ends the hold that lasts, in the rows and in the facts. One that ran
// out by itself ended at its own time.
func (e *Engine) endPause(tx core.App, l *live) error {
	for n := range l.facts.Pauses {
		if p := &l.facts.Pauses[n]; p.Ended.IsZero() {
			p.Ended = l.facts.Now
		}
	}
	if _, err := tx.DB().NewQuery(endPauses).Bind(dbx.Params{"id": l.ID, "now": schema.Stamp(l.facts.Now)}).Execute(); err != nil {
		return fmt.Errorf("end hold of request %s: %w", l.ID, err)
	}
	return e.noteHold(tx, l)
}

// noteHold writes beside the request until when it is on hold.
func (e *Engine) noteHold(tx core.App, l *live) error {
	l.PausedUntil = ""
	if p, held := l.facts.paused(l.facts.Now); held {
		l.PausedUntil = schema.Stamp(p.end())
	}
	if err := e.begin(tx, l); err != nil {
		return err
	}
	if _, err := tx.DB().NewQuery(`UPDATE requests SET paused_until = {:until} WHERE id = {:id}`).Bind(dbx.Params{"id": l.ID, "until": l.PausedUntil}).Execute(); err != nil {
		return fmt.Errorf("note hold of request %s: %w", l.ID, err)
	}
	return nil
}

// held saves a request whose hold began or ended: what follows from the time
// limit of its state moves along.
func (e *Engine) held(tx core.App, l *live, event string, detail map[string]any) error {
	f := l.facts
	f.RemindAt = schema.Stamp(f.Now)
	l.def.followDue(f)
	if err := e.noteHold(tx, l); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	return e.tell(tx, l, "update", schema.Requests, l.ID, detail, event, detail)
}

// pauses reads the holds that came along with the row.
func (r *row) pauses() ([]Pause, error) {
	var stored [][3]string
	if err := json.Unmarshal([]byte(r.Pauses), &stored); err != nil {
		return nil, fmt.Errorf("read holds of request %s: %w", r.ID, err)
	}
	list := make([]Pause, 0, len(stored))
	for _, s := range stored {
		list = append(list, Pause{schema.Time(s[0]), schema.Time(s[1]), schema.Time(s[2])})
	}
	return list, nil
}

// PauseView is the hold that lasts, for staff.
type PauseView struct {
	Until  string `json:"until"`
	Reason string `json:"reason"`
	ByName string `json:"by_name"`
}

// ShownPause is the hold that lasts, for clients: why is between the staff.
type ShownPause struct {
	Until string `json:"until"`
}

func (l *live) shownPause() *ShownPause {
	if l.shown.Paused == "" {
		return nil
	}
	return &ShownPause{Until: l.shown.Paused}
}

const readHold = `SELECT reason, actor_name FROM pauses WHERE request = {:id} AND ended = '' ORDER BY started DESC LIMIT 1`

// timeView is what staff are told of a request's time.
func (e *Engine) timeView(app core.App, l *live, v *StaffView) error {
	v.Clocks, v.SLA = l.def.Clocks(l.facts), l.def.Sla(l.facts)
	if p, held := l.facts.paused(l.facts.Now); held {
		v.Paused = &PauseView{Until: schema.Stamp(p.end())}
		if err := app.DB().NewQuery(readHold).Bind(dbx.Params{"id": l.ID}).Row(&v.Paused.Reason, &v.Paused.ByName); err != nil {
			return fmt.Errorf("read hold of request %s: %w", l.ID, err)
		}
	}
	var err error
	if l.def.Recurrence != nil {
		v.CreatedBecause, err = createdBecause(app, l.ID)
	}
	return err
}

// holdText says in words that the request is on hold; a client is told so by
// what the client is shown, which says nothing of what he must not learn.
func (l *live) holdText() (text, detail string) {
	if !l.clientSide() {
		p, held := l.facts.paused(l.facts.Now)
		if !held {
			return "", ""
		}
		return "On hold until " + l.dayWords(p.end()), "Reminders and clocks stand still. It goes on by itself then."
	}
	until := schema.Time(l.shown.Paused)
	if !until.After(l.facts.Now) {
		return "", ""
	}
	return "On hold until " + l.dayWords(until), "You do not need to do anything until then."
}

// dayWords writes a day as people say it in the workflow's zone: "12 Jan", with
// the year if it is not this one.
func (l *live) dayWords(t time.Time) string {
	zone := l.def.Calendar.Zone()
	if t.In(zone).Year() != l.facts.Now.In(zone).Year() {
		return t.In(zone).Format("2 Jan 2006")
	}
	return t.In(zone).Format("2 Jan")
}

// PostPause puts a request on hold.
//
//	POST /api/portal/requests/{id}/pause {until, reason, expected_revision?} → 200 the view
func (e *Engine) PostPause(re *core.RequestEvent) error {
	var in PauseInput
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	id := re.Request.PathValue("id")
	if err := e.Pause(re.Request.Context(), re.App, id, actor(re), in); err != nil {
		return problem.Reply(re, err)
	}
	return e.show(re, id)
}

// PostResume ends a hold.
//
//	POST /api/portal/requests/{id}/resume → 200 the view
func (e *Engine) PostResume(re *core.RequestEvent) error {
	id := re.Request.PathValue("id")
	if err := e.Resume(re.Request.Context(), re.App, id, actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	return e.show(re, id)
}
