package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798200300_add_runs.go", addRuns)
}

// moveWalls let a request change its workflow version, and only so: together
// with a recorded move, to a published version of the same workflow.
var moveWalls = []string{
	`CREATE TABLE workflow_moves (request TEXT NOT NULL, revision INTEGER NOT NULL, from_workflow TEXT NOT NULL, to_workflow TEXT NOT NULL,
		from_state TEXT NOT NULL, to_state TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (request, revision)) WITHOUT ROWID`,

	// The way back to a version that was retired when its last request left it
	// stays open to the requests that came from there.
	`CREATE TRIGGER wall_workflow_moves_insert BEFORE INSERT ON workflow_moves
		WHEN NOT EXISTS (
			SELECT 1 FROM requests r JOIN workflows f ON f.id = r.workflow JOIN workflows t ON t.id = NEW.to_workflow
			WHERE r.id = NEW.request AND NEW.revision = r.revision + 1 AND r.workflow = NEW.from_workflow AND r.state = NEW.from_state
			AND t.id != f.id AND t.key = f.key
			AND (t.status = 'published' OR (t.status = 'retired' AND EXISTS (SELECT 1 FROM workflow_moves m WHERE m.request = NEW.request AND m.from_workflow = t.id)))
			AND EXISTS (SELECT 1 FROM json_each(t.definition,'$.states') s WHERE json_extract(s.value,'$.key') = NEW.to_state))
		OR EXISTS (SELECT 1 FROM workflow_moves m WHERE m.request = NEW.request AND m.revision = NEW.revision) BEGIN
		SELECT RAISE(ABORT, 'wall: a request moves only to a state of a published version of its own workflow');
	END`,
	`CREATE TRIGGER wall_workflow_moves_update BEFORE UPDATE ON workflow_moves BEGIN
		SELECT RAISE(ABORT, 'wall: history is only added to');
	END`,
	`CREATE TRIGGER wall_workflow_moves_delete BEFORE DELETE ON workflow_moves BEGIN
		SELECT RAISE(ABORT, 'wall: history is only added to');
	END`,

	`DROP TRIGGER wall_requests_workflow`,
	`CREATE TRIGGER wall_requests_workflow BEFORE UPDATE OF id, workflow, organization, number ON requests
		WHEN OLD.id IS NOT NEW.id OR OLD.organization IS NOT NEW.organization OR OLD.number IS NOT NEW.number
		OR (OLD.workflow IS NOT NEW.workflow AND NOT EXISTS (
			SELECT 1 FROM workflow_moves m WHERE m.request = NEW.id AND m.revision = NEW.revision AND m.revision = OLD.revision + 1
			AND m.from_workflow = OLD.workflow AND m.to_workflow = NEW.workflow AND m.from_state = OLD.state AND m.to_state = NEW.state)) BEGIN
		SELECT RAISE(ABORT, 'wall: a request keeps its organization and number, and changes its workflow version only with a recorded move');
	END`,

	`DROP TRIGGER wall_transitions_insert`,
	`CREATE TRIGGER wall_transitions_insert BEFORE INSERT ON transitions
		WHEN (NEW.key != 'migrate' AND NOT EXISTS (
			SELECT 1 FROM requests r JOIN workflow_steps s ON s.workflow = r.workflow
			WHERE r.id = NEW.request AND r.state = NEW."from" AND NEW.revision = r.revision + 1
			AND s.key = NEW.key AND s."from" = NEW."from" AND s."to" = NEW."to"))
		OR (NEW.key = 'migrate' AND NOT EXISTS (
			SELECT 1 FROM workflow_moves m JOIN requests r ON r.id = m.request
			WHERE m.request = NEW.request AND m.revision = NEW.revision AND NEW.revision = r.revision + 1
			AND m.from_state = NEW."from" AND m.to_state = NEW."to" AND m.from_state != m.to_state))
		OR EXISTS (SELECT 1 FROM transitions t WHERE t.id = NEW.id) BEGIN
		SELECT RAISE(ABORT, 'wall: no such transition in the workflow of this request');
	END`,
}

// addRuns makes the collections of work over many requests, and the walls that
// let a request change its version.
func addRuns(app core.App) error {
	requests, err := app.FindCollectionByNameOrId("requests")
	if err != nil {
		return fmt.Errorf("find requests: %w", err)
	}
	b := &builder{app: app}

	// What a run was asked to do may hold words to clients: it is hidden, and
	// each item says what became of it.
	params := &core.JSONField{Name: "params", MaxSize: 5 << 20, Hidden: true}
	runs := b.base("runs",
		choice("kind", true, "transition", "assign", "priority", "tags", "migrate"), flag("dry_run"), params, text("workflow", false),
		choice("status", true, "waiting", "running", "done", "cancelled", "failed"),
		number("total"), number("done"), number("changed"), number("skipped"), number("failed"),
		choice("by_kind", true, "staff", "superuser", "system"), text("by", false), text("by_name", false),
		&core.DateField{Name: "start_at", Required: true}, date("finished_at"), text("error", false), text("scope", true))
	indexWhere(runs, false, "start_at", "status = 'waiting' OR status = 'running'")
	index(runs, false, "created, id")
	runs.ListRule = rule(isStaff + " && (by = @request.auth.id || @request.auth.role = 'manager' || @request.auth.role = 'owner')")
	runs.ViewRule = runs.ListRule
	b.save(runs)

	// Whoever may see a run sees those of its requests that one may see: the
	// scope is the request's own, also after it has moved.
	items := b.base("run_items",
		one("run", true, runs), one("request", true, requests), number("position"),
		choice("status", true, "waiting", "ok", "skipped", "failed"), long("text"), object("detail"))
	index(items, true, "run, request")
	index(items, true, "run, position")
	index(items, false, "run, status, position")
	index(items, false, "request")
	items.ListRule = rule(isStaff + " && (run.by = @request.auth.id || @request.auth.role = 'manager' || @request.auth.role = 'owner') && " +
		"@collection.access.principal ?= @request.auth.id && @collection.access.scope ?= request.scope && @collection.access.since ?<= @now && @collection.access.until ?> @now")
	items.ViewRule = items.ListRule
	b.save(items)
	if b.err != nil {
		return b.err
	}

	for _, statement := range moveWalls {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return fmt.Errorf("build walls for moves: %w\n%s", err, statement)
		}
	}
	return nil
}
