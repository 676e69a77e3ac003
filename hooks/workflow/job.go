package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// A job is work in another system that a step asks for. The engine queues it in
// the step's own transaction and is told of its end; whoever does the work is
// no business of this room.

// startJob queues a job. A system that has no connection has nothing to do it
// in: the job is skipped at once, says so, and counts as done.
func (e *Engine) startJob(tx core.App, l *live, name string, revision int) error {
	spec := l.def.Job(name)
	if spec == nil {
		return fmt.Errorf("job %q is not among the integrations", name)
	}
	connection := ""
	if e.Connected != nil {
		var err error
		if connection, err = e.Connected(tx, spec.System); err != nil {
			return err
		}
	}
	now := schema.Stamp(l.facts.Now)
	status, next, why := "queued", now, ""
	if connection == "" {
		status, next, why = "skipped", "", "No "+spec.System+" system is connected, so there was nothing to do."
	}
	// Keys carry the revision of the step that started them: a second run after
	// a reopening is a new job, a repeated delivery of the same one is not.
	key := fill(spec.IdempotencyKey, l.placeholders(revision)) + "#" + strconv.Itoa(revision)
	id := schema.NewID()
	err := schema.Insert(tx, schema.Jobs, dbx.Params{
		"id": id, "connection": connection, "name": name, "system": spec.System, "request": l.ID, "collection": schema.Requests, "record": l.ID,
		"organization": l.Organization, "status": status, "attempts": 0, "next_at": next, "idempotency_key": key,
		"last_error": why, "revision": revision, "scope": l.Scope, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("queue job %s: %w", name, err)
	}
	l.facts.Jobs[name] = JobState{ID: id, Name: name, System: spec.System, Status: status, Revision: revision, LastError: why}
	return nil
}

// retryJobs queues the jobs of a status again.
func (e *Engine) retryJobs(tx core.App, l *live, status string, revision int) error {
	for _, name := range slices.Sorted(maps.Keys(l.facts.Jobs)) {
		if l.facts.Jobs[name].Status != status {
			continue
		}
		if err := e.startJob(tx, l, name, revision); err != nil {
			return err
		}
	}
	return nil
}

// cancelJobs ends what was queued in the state that is left and has not begun:
// nobody waits for it any more.
func (e *Engine) cancelJobs(tx core.App, l *live, revision int) error {
	const why = "The request went on without it."
	cancelled := false
	for name, j := range l.facts.Jobs {
		if j.Status == "queued" && j.Revision < revision {
			j.Status, j.LastError, cancelled = "cancelled", why, true
			l.facts.Jobs[name] = j
		}
	}
	if !cancelled {
		return nil
	}
	_, err := tx.DB().NewQuery(`UPDATE jobs SET status = 'cancelled', next_at = '', last_error = {:why}, updated = {:now} WHERE request = {:id} AND status = 'queued' AND revision < {:revision}`).
		Bind(dbx.Params{"id": l.ID, "why": why, "revision": revision, "now": schema.Stamp(l.facts.Now)}).Execute()
	if err != nil {
		return fmt.Errorf("cancel jobs of request %s: %w", l.ID, err)
	}
	return nil
}

// JobEnd is how a job ended: done, dead (given up) or skipped (by a person, who
// says why).
type JobEnd struct {
	Status string
	Error  string
	Class  string // of the error, for alerts: one a cause, not one a job
}

// FinishJob writes the end of a job and what follows from it: those that wait
// for a dead one are dead too. The event job.<status> makes the system look for
// its next step.
func (e *Engine) FinishJob(_ context.Context, app core.App, id string, actor schema.Actor, end JobEnd) error {
	if !slices.Contains([]string{"done", "dead", "skipped"}, end.Status) {
		return fmt.Errorf("a job cannot end as %q", end.Status)
	}
	return e.within(app, func(tx core.App) error {
		var job struct {
			Name    string `db:"name"`
			Request string `db:"request"`
			Status  string `db:"status"`
		}
		err := tx.DB().NewQuery(`SELECT name, request, status FROM jobs WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&job)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "There is no such job.")
		}
		if err != nil {
			return fmt.Errorf("read job %s: %w", id, err)
		}
		if slices.Contains([]string{"done", "skipped", "cancelled"}, job.Status) {
			return problem.New(problem.Stale, "This job has ended already.")
		}
		l, err := e.load(tx, job.Request, schema.System())
		if err != nil {
			return err
		}
		l.who.Actor = actor
		return e.endJob(tx, l, id, job.Name, end)
	})
}

func (e *Engine) endJob(tx core.App, l *live, id, name string, end JobEnd) error {
	now := schema.Stamp(l.facts.Now)
	err := schema.Update(tx, schema.Jobs, id, dbx.Params{"status": end.Status, "last_error": end.Error, "next_at": "", "updated": now})
	if err != nil {
		return fmt.Errorf("end job %s: %w", id, err)
	}
	handled := false // by a step of the workflow; else somebody has to be told
	if spec := l.def.Job(name); spec != nil {
		handled = spec.OnDead != ""
	}
	payload := map[string]any{"job": name, "error": end.Error, "error_class": end.Class, "handled": handled}
	if err := e.tell(tx, l, "update", schema.Jobs, id, map[string]any{"job": name, "status": end.Status, "error": end.Error}, "job."+end.Status, payload); err != nil {
		return err
	}
	if end.Status != "dead" {
		return nil
	}
	for _, spec := range l.def.Integrations {
		child := l.facts.Jobs[spec.Job]
		if !slices.Contains(spec.DependsOn, name) || (child.Status != "queued" && child.Status != "retrying") {
			continue
		}
		if err := e.endJob(tx, l, child.ID, child.Name, JobEnd{Status: "dead", Error: "The job it waits for (" + name + ") has failed.", Class: end.Class}); err != nil {
			return err
		}
	}
	return nil
}
