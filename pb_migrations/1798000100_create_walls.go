package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798000100_create_walls.go", createWalls)
}

// walls are the plain tables and triggers beside PocketBase's collections. They
// hold for every writer that Go code cannot see: raw SQL, the SQL console,
// UnsafeWithoutHooks. hooks/ops/doctor compares them with the database.
var walls = []string{
	// The steps that a published workflow version allows, filled by the
	// database itself when the version is published.
	`CREATE TABLE workflow_steps (workflow TEXT NOT NULL, key TEXT NOT NULL, "from" TEXT NOT NULL, "to" TEXT NOT NULL,
		PRIMARY KEY (workflow, key, "from")) WITHOUT ROWID`,

	// The consumers of events, and how far each has come.
	`CREATE TABLE event_cursors (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID`,

	// Numbers are counted for each workflow and year, and never used twice.
	`CREATE TABLE sequences (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,

	`CREATE TRIGGER wall_workflows_publish_insert AFTER INSERT ON workflows WHEN NEW.status = 'published' BEGIN
		INSERT OR IGNORE INTO workflow_steps (workflow, key, "from", "to")
		SELECT NEW.id, json_extract(t.value,'$.key'), f.value, json_extract(t.value,'$.to')
		FROM json_each(NEW.definition,'$.transitions') t, json_each(t.value,'$.from') f;
	END`,
	`CREATE TRIGGER wall_workflows_publish_update AFTER UPDATE ON workflows WHEN NEW.status = 'published' AND OLD.status = 'draft' BEGIN
		INSERT OR IGNORE INTO workflow_steps (workflow, key, "from", "to")
		SELECT NEW.id, json_extract(t.value,'$.key'), f.value, json_extract(t.value,'$.to')
		FROM json_each(NEW.definition,'$.transitions') t, json_each(t.value,'$.from') f;
	END`,
	`CREATE TRIGGER wall_workflows_keep BEFORE UPDATE ON workflows
		WHEN OLD.status != 'draft' AND (NEW.key IS NOT OLD.key OR NEW.version IS NOT OLD.version OR NEW.definition IS NOT OLD.definition OR NEW.source IS NOT OLD.source OR NEW.status = 'draft') BEGIN
		SELECT RAISE(ABORT, 'wall: a published workflow version never changes');
	END`,
	`CREATE TRIGGER wall_workflows_delete BEFORE DELETE ON workflows WHEN OLD.status != 'draft' BEGIN
		SELECT RAISE(ABORT, 'wall: a published workflow version is never deleted');
	END`,

	// Published workflows pin the forms and texts that they name by version.
	`CREATE TRIGGER wall_forms_keep BEFORE UPDATE ON forms WHEN OLD.status != 'draft' AND (NEW.key IS NOT OLD.key OR NEW.version IS NOT OLD.version OR NEW.definition IS NOT OLD.definition OR NEW.body IS NOT OLD.body OR NEW.status = 'draft') BEGIN
		SELECT RAISE(ABORT, 'wall: a published form never changes; make a new version');
	END`,
	`CREATE TRIGGER wall_forms_delete BEFORE DELETE ON forms WHEN OLD.status != 'draft' BEGIN
		SELECT RAISE(ABORT, 'wall: a published form is never deleted');
	END`,
	`CREATE TRIGGER wall_texts_keep BEFORE UPDATE ON texts WHEN OLD.status != 'draft' AND (NEW.key IS NOT OLD.key OR NEW.version IS NOT OLD.version OR NEW.definition IS NOT OLD.definition OR NEW.body IS NOT OLD.body OR NEW.status = 'draft') BEGIN
		SELECT RAISE(ABORT, 'wall: a published text never changes; make a new version');
	END`,
	`CREATE TRIGGER wall_texts_delete BEFORE DELETE ON texts WHEN OLD.status != 'draft' BEGIN
		SELECT RAISE(ABORT, 'wall: a published text is never deleted');
	END`,

	`CREATE TRIGGER wall_requests_insert BEFORE INSERT ON requests
		WHEN NOT EXISTS (SELECT 1 FROM workflows w WHERE w.id = NEW.workflow AND w.status = 'published' AND json_extract(w.definition,'$.initial') = NEW.state)
		OR NEW.entry IS NOT 1 OR EXISTS (SELECT 1 FROM requests r WHERE r.id = NEW.id) BEGIN
		SELECT RAISE(ABORT, 'wall: a request begins in the initial state of a published workflow');
	END`,
	`CREATE TRIGGER wall_requests_state BEFORE UPDATE OF state, entry ON requests
		WHEN (OLD.state IS NOT NEW.state OR OLD.entry IS NOT NEW.entry) AND NOT EXISTS (
			SELECT 1 FROM transitions t WHERE t.request = NEW.id AND t.revision = NEW.revision AND t.revision = OLD.revision + 1
			AND t."from" = OLD.state AND t."to" = NEW.state AND t.entry = NEW.entry) BEGIN
		SELECT RAISE(ABORT, 'wall: a state changes only with its recorded transition');
	END`,
	`CREATE TRIGGER wall_requests_workflow BEFORE UPDATE OF id, workflow, organization, number ON requests
		WHEN OLD.id IS NOT NEW.id OR OLD.workflow IS NOT NEW.workflow OR OLD.organization IS NOT NEW.organization OR OLD.number IS NOT NEW.number BEGIN
		SELECT RAISE(ABORT, 'wall: a request keeps its workflow version, organization and number');
	END`,
	`CREATE TRIGGER wall_requests_delete BEFORE DELETE ON requests BEGIN
		SELECT RAISE(ABORT, 'wall: a request is never deleted');
	END`,

	`CREATE TRIGGER wall_transitions_insert BEFORE INSERT ON transitions
		WHEN NOT EXISTS (
			SELECT 1 FROM requests r JOIN workflow_steps s ON s.workflow = r.workflow
			WHERE r.id = NEW.request AND r.state = NEW."from" AND NEW.revision = r.revision + 1
			AND s.key = NEW.key AND s."from" = NEW."from" AND s."to" = NEW."to")
		OR EXISTS (SELECT 1 FROM transitions t WHERE t.id = NEW.id) BEGIN
		SELECT RAISE(ABORT, 'wall: no such transition in the workflow of this request');
	END`,
	`CREATE TRIGGER wall_transitions_update BEFORE UPDATE ON transitions
		WHEN OLD.scope IS NEW.scope OR OLD.key IS NOT NEW.key OR OLD."from" IS NOT NEW."from" OR OLD."to" IS NOT NEW."to" OR OLD.actor IS NOT NEW.actor OR OLD.at IS NOT NEW.at OR OLD.request IS NOT NEW.request OR OLD.revision IS NOT NEW.revision OR OLD.entry IS NOT NEW.entry BEGIN
		SELECT RAISE(ABORT, 'wall: history is only added to');
	END`,
	`CREATE TRIGGER wall_transitions_delete BEFORE DELETE ON transitions BEGIN
		SELECT RAISE(ABORT, 'wall: history is only added to');
	END`,

	`CREATE TRIGGER wall_events_insert BEFORE INSERT ON events WHEN EXISTS (SELECT 1 FROM events e WHERE e.id = NEW.id OR e.seq = NEW.seq) BEGIN
		SELECT RAISE(ABORT, 'wall: events are only added to');
	END`,
	`CREATE TRIGGER wall_events_update BEFORE UPDATE ON events BEGIN
		SELECT RAISE(ABORT, 'wall: events are only added to');
	END`,
	`CREATE TRIGGER wall_events_delete BEFORE DELETE ON events BEGIN
		SELECT RAISE(ABORT, 'wall: events are only added to');
	END`,

	`CREATE TRIGGER wall_audit_log_insert BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log a WHERE a.id = NEW.id OR a.seq = NEW.seq) BEGIN
		SELECT RAISE(ABORT, 'wall: the audit log is only added to');
	END`,
	`CREATE TRIGGER wall_audit_log_update BEFORE UPDATE ON audit_log BEGIN
		SELECT RAISE(ABORT, 'wall: the audit log is only added to');
	END`,
	`CREATE TRIGGER wall_audit_log_delete BEFORE DELETE ON audit_log BEGIN
		SELECT RAISE(ABORT, 'wall: the audit log is only added to');
	END`,
}

func createWalls(app core.App) error {
	for _, statement := range walls {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return fmt.Errorf("create wall: %w\n%s", err, statement)
		}
	}
	return nil
}
