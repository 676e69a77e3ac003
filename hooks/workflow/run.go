package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Runs is work over many requests: as many as there are, one small transaction
// each, so that everybody else's writes come in between. Each request's line is
// marked in the transaction that changes the request; after a crash the run goes
// on behind the last one, and none is done twice.
//
//	run.go         Start, Cancel, and the worker
//	run_view.go    what a run looks like, and its sums in words
//	bulk.go        steps, people, priorities and tags
//	migrate.go     moves to another version; migrate_run.go the runs of them
type Runs struct {
	Engine *Engine

	once  sync.Once
	wake  chan struct{}
	mu    sync.Mutex // one worker at a time in this process
	fails map[string]int
}

// Grace is how long a run that changes something waits before it begins: until
// then it can be called off as if nothing had been.
const Grace = 10 * time.Second

// order is what a run is started with.
type order struct {
	Kind     string
	DryRun   bool
	Params   any
	Workflow string   // of a migration: the version to move to
	Requests []string // in this order
	At       time.Time
}

// deed is what a run does to each request: as is for whom they are read. foresee
// says what would happen, reading only; do does it inside tx. Refusals are a
// *problem.Error.
type deed struct {
	as      schema.Actor
	foresee func(app core.App, l *live) (outcome, error)
	do      func(tx core.App, request string) (outcome, error)
}

// outcome is what became of one request. The tags are what runs count.
type outcome struct {
	Text     string            `json:"-"`
	Idle     bool              `json:"-"` // there was nothing to do
	Tags     []string          `json:"tags"`
	Blockers []problem.Blocker `json:"blockers,omitempty"`
}

func (r *Runs) waker() chan struct{} {
	r.once.Do(func() { r.wake = make(chan struct{}, 1) })
	return r.wake
}

// Wake tells the worker that there may be something to do.
func (r *Runs) Wake() {
	select {
	case r.waker() <- struct{}{}:
	default:
	}
}

// Run works until ctx ends. Look is how often it looks without being woken.
func (r *Runs) Run(ctx context.Context, look time.Duration) {
	timer := time.NewTicker(look)
	defer timer.Stop()
	if err := r.failUnwritten(); err != nil {
		r.Engine.App.Logger().Error("interrupted runs are not cleared", slog.Any("error", err))
	}
	for {
		if err := r.Drain(ctx); err != nil && ctx.Err() == nil {
			r.Engine.App.Logger().Error("run failed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-r.waker():
		case <-timer.C:
		}
	}
}

// Lines are read many at a time, since every commit makes all connections read
// their pages anew; they are written few at a time, so that others wait for
// milliseconds only.
const (
	atOnce   = 1000
	prepared = 250
)

// failUnwritten ends the runs whose lines were not all written when the portal
// stopped. They cannot go on: what they were to be done to is not known.
func (r *Runs) failUnwritten() error {
	_, err := r.Engine.App.NonconcurrentDB().NewQuery(`UPDATE runs SET status = 'failed', error = {:why}, finished_at = {:now}, updated = {:now} WHERE status = 'waiting' AND start_at = {:never}`).
		Bind(dbx.Params{"why": "The portal was stopped before this had begun. Nothing was changed; start it again.", "now": schema.Stamp(r.Engine.Clock()), "never": schema.Forever}).Execute()
	if err != nil {
		return fmt.Errorf("end runs that were never written: %w", err)
	}
	return nil
}

// start writes a run with all its lines. It begins only when the last one is
// there; one that was interrupted before ends as failed at the next start.
func (r *Runs) start(app core.App, actor schema.Actor, o order) (string, error) {
	id, now := schema.NewID(), r.Engine.Clock()
	at := now
	if !o.DryRun && !o.At.IsZero() {
		at = o.At
	}
	err := schema.Insert(app, "runs", dbx.Params{
		"id": id, "kind": o.Kind, "dry_run": o.DryRun, "params": schema.JSON(o.Params), "workflow": o.Workflow, "status": "waiting", "total": len(o.Requests), "done": 0, "changed": 0, "skipped": 0, "failed": 0,
		"by_kind": string(actor.Kind), "by": actor.ID, "by_name": actor.Name, "start_at": schema.Forever, "finished_at": "", "error": "", "scope": "staff", "created": schema.Stamp(now), "updated": schema.Stamp(now),
	})
	if err != nil {
		return "", fmt.Errorf("write run: %w", err)
	}
	for from := 0; from < len(o.Requests); from += prepared {
		part := o.Requests[from:min(from+prepared, len(o.Requests))]
		_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO run_items (id, run, request, position, status, text, detail, created, updated)
			SELECT 'u' || lower(hex(randomblob(7))), {:run}, value, {:from} + key, 'waiting', '', '{}', {:now}, {:now} FROM json_each({:requests})`).
			Bind(dbx.Params{"run": id, "from": from, "requests": schema.JSON(part), "now": schema.Stamp(now)}).Execute()
		if err != nil {
			return "", fmt.Errorf("write lines of run %s: %w", id, err)
		}
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if err := schema.Update(tx, "runs", id, dbx.Params{"start_at": schema.Stamp(at)}); err != nil {
			return fmt.Errorf("begin run %s: %w", id, err)
		}
		if o.DryRun {
			return nil // it changes nothing
		}
		return r.Engine.Audit(tx, Change{Actor: actor, Action: "create", Collection: "runs", Record: id, Change: map[string]any{"kind": o.Kind, "requests": len(o.Requests), "params": o.Params}, At: now})
	})
	if err != nil {
		return "", err
	}
	r.Wake()
	return id, nil
}

// Cancel calls a run off. What it has done stays; what waits is left alone.
func (r *Runs) Cancel(app core.App, id string, actor schema.Actor) error {
	run, err := r.find(app, id, actor)
	if err != nil {
		return err
	}
	now := r.Engine.Clock()
	return app.RunInTransaction(func(tx core.App) error {
		result, err := tx.DB().NewQuery(`UPDATE runs SET status = 'cancelled', finished_at = {:now}, updated = {:now} WHERE id = {:id} AND status IN ('waiting', 'running')`).
			Bind(dbx.Params{"id": id, "now": schema.Stamp(now)}).Execute()
		if err != nil {
			return fmt.Errorf("cancel run %s: %w", id, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return problem.New(problem.TooLate, "This has ended already.").Because(err)
		}
		if run.DryRun {
			return nil
		}
		return r.Engine.Audit(tx, Change{Actor: actor, Action: "update", Collection: "runs", Record: id, Change: map[string]any{"status": []any{run.Status, "cancelled"}, "done": run.Done}, At: now})
	})
}

// Drain works on every run that is due until none is left.
func (r *Runs) Drain(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ctx.Err() == nil {
		var id string
		err := r.Engine.App.DB().NewQuery(`SELECT id FROM runs WHERE status IN ('waiting', 'running') AND start_at <= {:now} ORDER BY start_at, id LIMIT 1`).
			Bind(dbx.Params{"now": schema.Stamp(r.Engine.Clock())}).Row(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for runs: %w", err)
		}
		if err := r.work(ctx, id); err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
	}
	return ctx.Err()
}

// Finish works on one run at once, without the time in which it can be called
// off, until it has ended.
func (r *Runs) Finish(ctx context.Context, id string) error {
	_, err := r.Engine.App.NonconcurrentDB().NewQuery(`UPDATE runs SET start_at = {:now} WHERE id = {:id} AND status = 'waiting'`).
		Bind(dbx.Params{"id": id, "now": schema.Stamp(r.Engine.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("begin run %s: %w", id, err)
	}
	for ctx.Err() == nil {
		r.mu.Lock()
		err := r.work(ctx, id)
		r.mu.Unlock()
		if err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
		run, err := readRun(r.Engine.App, id)
		if err != nil || (run.Status != "waiting" && run.Status != "running") {
			return err
		}
	}
	return ctx.Err()
}

// work carries a run out, from wherever it stands.
func (r *Runs) work(ctx context.Context, id string) error {
	app := r.Engine.App
	run, err := readRun(app, id)
	if err != nil {
		return err
	}
	d, err := r.deedOf(app, run)
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		return r.end(id, "failed", refusal.Message)
	}
	if err != nil {
		return err
	}
	if _, err := app.NonconcurrentDB().NewQuery(`UPDATE runs SET status = 'running' WHERE id = {:id} AND status = 'waiting'`).Bind(dbx.Params{"id": id}).Execute(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for ctx.Err() == nil {
		var lines []runLine
		err := app.DB().NewQuery(`SELECT i.id, i.request FROM run_items i JOIN runs r ON r.id = i.run WHERE i.run = {:run} AND i.status = 'waiting' AND r.status = 'running' ORDER BY i.position LIMIT {:n}`).
			Bind(dbx.Params{"run": id, "n": atOnce}).All(&lines)
		if err != nil {
			return fmt.Errorf("read lines: %w", err)
		}
		if len(lines) == 0 {
			if err := r.end(id, "done", ""); err != nil || run.DryRun || run.Kind != "migrate" {
				return err
			}
			return r.Engine.RetireLeft(ctx, app)
		}
		if run.DryRun {
			err = r.lookAhead(id, lines, d)
		} else {
			err = r.carryOut(ctx, id, lines, d)
		}
		if errors.Is(err, errTaken) {
			continue // look again what is left
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

type runLine struct {
	ID      string `db:"id"`
	Request string `db:"request"`
}

// errTaken takes back what was done on a line that another process marked first,
// or whose run was called off meanwhile.
var errTaken = errors.New("the line is not waiting any more")

// end closes a run that is still under way.
func (r *Runs) end(id, status, why string) error {
	_, err := r.Engine.App.NonconcurrentDB().NewQuery(`UPDATE runs SET status = {:status}, error = {:why}, finished_at = {:now}, updated = {:now} WHERE id = {:id} AND status IN ('waiting', 'running')`).
		Bind(dbx.Params{"id": id, "status": status, "why": why, "now": schema.Stamp(r.Engine.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("end: %w", err)
	}
	return nil
}

// lookAhead says of each line what would happen.
func (r *Runs) lookAhead(run string, lines []runLine, d deed) error {
	marks, ids := make([]mark, 0, len(lines)), make([]string, 0, len(lines))
	for _, line := range lines {
		ids = append(ids, line.Request)
	}
	requests, err := r.Engine.loadMany(r.Engine.App, ids, d.as)
	if err != nil {
		return err
	}
	for _, line := range lines {
		out, err := outcome{}, noSuch(nil)
		if l := requests[line.Request]; l != nil {
			out, err = d.foresee(r.Engine.App, l)
		}
		m, err := r.judge(line, out, err)
		if err != nil {
			return err
		}
		marks = append(marks, m)
	}
	for part := range slices.Chunk(marks, prepared) {
		if err := r.Engine.App.RunInTransaction(func(tx core.App) error { return r.mark(tx, run, part...) }); err != nil {
			return err
		}
	}
	return nil
}

// carryOut does each line in a transaction of its own, which also marks it. What
// is refused is taken back whole, then marked.
func (r *Runs) carryOut(ctx context.Context, run string, lines []runLine, d deed) error {
	for _, line := range lines {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := r.Engine.within(r.Engine.App, func(tx core.App) error {
			out, err := d.do(tx, line.Request)
			if err != nil {
				return err
			}
			m, err := r.judge(line, out, nil)
			if err != nil {
				return err
			}
			return r.mark(tx, run, m)
		})
		if errors.Is(err, errTaken) {
			return err
		}
		if err == nil {
			continue
		}
		m, err := r.judge(line, outcome{}, err)
		if err != nil {
			return err
		}
		if err := r.Engine.App.RunInTransaction(func(tx core.App) error { return r.mark(tx, run, m) }); err != nil {
			return err
		}
	}
	return nil
}

// mark is what is written on a line.
type mark struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Text   string `json:"text"`
	Detail string `json:"detail"`
}

// patience is how often a line is tried that fails for reasons of our own. A full
// disk goes by, a fault of ours does not: then the line is marked, and the others
// go on.
const patience = 3

// judge turns an outcome into what is written on its line. An error of our own
// comes back until it has come too often.
func (r *Runs) judge(line runLine, out outcome, err error) (mark, error) {
	m := mark{ID: line.ID, Status: "ok", Text: out.Text}
	var refusal *problem.Error
	switch {
	case errors.As(err, &refusal):
		m.Status = "skipped"
		out = outcome{Blockers: refusal.Blockers}
		if len(out.Blockers) == 0 {
			out.Blockers = []problem.Blocker{{Code: refusal.Code, Message: refusal.Message}}
		}
		for n, b := range out.Blockers {
			if n > 0 {
				m.Text += " "
			}
			m.Text += b.Message
		}
		out.Tags = []string{"blocked:" + string(out.Blockers[0].Code)}
	case err != nil:
		if r.fails == nil {
			r.fails = map[string]int{}
		}
		if r.fails[line.ID]++; r.fails[line.ID] < patience {
			return m, err
		}
		delete(r.fails, line.ID)
		r.Engine.App.Logger().Error("line of a run failed", slog.String("request_id", line.Request), slog.Any("error", err))
		m.Status, m.Text, out.Tags = "failed", "Something went wrong on our side. Nothing was changed.", []string{"failed"}
	case out.Idle:
		m.Status = "skipped"
	}
	m.Detail = schema.JSON(out)
	return m, nil
}

// mark writes lines and counts them, in one transaction. A line that is marked
// already, or a run that has ended, takes the transaction back.
func (r *Runs) mark(tx core.App, run string, marks ...mark) error {
	result, err := tx.DB().NewQuery(`UPDATE run_items SET status = m.value->>'status', text = m.value->>'text', detail = m.value->>'detail', updated = {:now}
		FROM json_each({:marks}) m WHERE run_items.id = m.value->>'id' AND run_items.status = 'waiting'`).
		Bind(dbx.Params{"marks": schema.JSON(marks), "now": schema.Stamp(r.Engine.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("mark lines: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || int(n) != len(marks) {
		return errors.Join(errTaken, err) // another process has done it
	}
	count := map[string]int{}
	for _, m := range marks {
		count[m.Status]++
	}
	result, err = tx.DB().NewQuery(`UPDATE runs SET done = done + {:n}, changed = changed + {:ok}, skipped = skipped + {:skipped}, failed = failed + {:failed}, updated = {:now} WHERE id = {:id} AND status = 'running'`).
		Bind(dbx.Params{"id": run, "n": len(marks), "ok": count["ok"], "skipped": count["skipped"], "failed": count["failed"], "now": schema.Stamp(r.Engine.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("count lines: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errTaken, err)
	}
	return nil
}

// personOf is who started a run, as that person is now: who has lost a duty or
// the sight of a request cannot use it up afterwards.
func (e *Engine) personOf(app core.App, run *runRow) (schema.Actor, error) {
	collection := schema.Staff
	switch schema.ActorKind(run.ByKind) {
	case schema.ActorSystem:
		return schema.Actor{Kind: schema.ActorSystem, Name: run.ByName}, nil
	case schema.ActorSuperuser:
		collection = core.CollectionNameSuperusers
	}
	record, err := app.FindRecordById(collection, run.By)
	if errors.Is(err, sql.ErrNoRows) {
		return schema.Actor{}, problem.New(problem.NotFound, run.ByName+", who started this, is not there any more.").Because(err)
	}
	if err != nil {
		return schema.Actor{}, fmt.Errorf("find who started the run: %w", err)
	}
	return schema.ActorOf(record, ""), nil
}
