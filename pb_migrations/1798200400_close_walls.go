package pb_migrations

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798200400_close_walls.go", closeWalls)
}

// requestChanges is the fact that has to be recorded before anything of a request
// changes: its next revision, and who makes it. While that row is one ahead of the
// request, the request, its items and the client's rows may be written; the new
// revision ends it by itself. The rows stay, and are never changed.
var requestChanges = []string{
	`CREATE TABLE request_changes (request TEXT NOT NULL, revision INTEGER NOT NULL, actor_kind TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL,
		PRIMARY KEY (request, revision)) WITHOUT ROWID`,
	`CREATE TRIGGER wall_request_changes_insert BEFORE INSERT ON request_changes
		WHEN NOT EXISTS (SELECT 1 FROM requests r WHERE r.id = NEW.request AND NEW.revision = r.revision + 1)
		OR EXISTS (SELECT 1 FROM request_changes c WHERE c.request = NEW.request AND c.revision = NEW.revision) BEGIN
		SELECT RAISE(ABORT, 'wall: a change is the next revision of its request');
	END`,
	never("request_changes", "UPDATE"),
	never("request_changes", "DELETE"),

	// A request changes by one revision at a time. Free are who may see it (scope,
	// visibility, participants), and when to look at it again (wake_at, remind_at).
	`CREATE TRIGGER wall_requests_change BEFORE UPDATE OF ` + names(requestColumns) + ` ON requests
		WHEN (` + differ(requestColumns) + `) AND (NEW.revision NOT IN (OLD.revision, OLD.revision + 1)
			OR NOT EXISTS (SELECT 1 FROM request_changes c WHERE c.request = OLD.id AND c.revision = OLD.revision + 1)) BEGIN
		SELECT RAISE(ABORT, 'wall: a request changes only with its recorded change');
	END`,

	// A row with a number that is taken would push the other request out.
	`DROP TRIGGER wall_requests_insert`,
	`CREATE TRIGGER wall_requests_insert BEFORE INSERT ON requests
		WHEN NOT EXISTS (SELECT 1 FROM workflows w WHERE w.id = NEW.workflow AND w.status = 'published' AND json_extract(w.definition,'$.initial') = NEW.state)
		OR NEW.entry IS NOT 1 OR EXISTS (SELECT 1 FROM requests r WHERE r.id = NEW.id OR r.number = NEW.number) BEGIN
		SELECT RAISE(ABORT, 'wall: a request begins in the initial state of a published workflow');
	END`,
}

const (
	requestColumns = `workflow_key period title state category turn entry assignee requester priority tags due due_set state_since paused_until
		data progress face restricted_to revision closed_at created`
	itemColumns = `id request section key instance position kind title hint options status entered_status turn required active reason comment shown due
		provided_by provided_at reviewer reviewed_at answers tries votes created updated`
	clientRequestColumns = `id number organization title state label category turn outcome due state_since contact data progress revision paused_until created updated`
	clientItemColumns    = `id request section key instance position title hint kind status label required editable why reason comment options answers due created updated`
	clientHistoryColumns = `id request kind actor_name on_behalf_of text detail at created updated`

	transitionColumns = `id request key from to entry actor_kind actor actor_name on_behalf_of reason revision at created updated`
	messageColumns    = `id request organization author_user author_staff author_name body created`
	noteColumns       = `id request author author_name body created updated`
	timerColumns      = `id request key kind entry occurrence person status why at created updated`
	pauseColumns      = `id request started until reason actor actor_name created`
)

// historyWalls stand before what is only added to. The scope of a row says who may
// see it and moves with the request; nothing else of it ever changes.
var historyWalls = []string{
	`DROP TRIGGER wall_transitions_update`,
	keeps("transitions", transitionColumns, ""),

	// Where a file is taken away that was never sent, its message loses it.
	keeps("messages", messageColumns, `EXISTS (SELECT 1 FROM json_each(NEW.documents) n WHERE n.value NOT IN (SELECT o.value FROM json_each(OLD.documents) o))`, "documents"),
	unreplaced("messages", ""),
	never("messages", "DELETE"),
	keeps("internal_notes", noteColumns, ""),
	unreplaced("internal_notes", ""),
	never("internal_notes", "DELETE"),
	keeps("timers", timerColumns, ""),
	unreplaced("timers", ` OR (x.request = NEW.request AND x.key = NEW.key AND x.entry = NEW.entry AND x.occurrence = NEW.occurrence AND x.person = NEW.person)`),
	never("timers", "DELETE"),

	// A hold ends once.
	keeps("pauses", pauseColumns, `(OLD.ended != '' AND OLD.ended IS NOT NEW.ended)`, "ended"),
	unreplaced("pauses", ""),
	never("pauses", "DELETE"),

	// The steps of a version are those of its definition.
	`CREATE TRIGGER wall_workflow_steps_insert BEFORE INSERT ON workflow_steps
		WHEN NOT EXISTS (SELECT 1 FROM workflows w, json_each(w.definition,'$.transitions') t, json_each(t.value,'$.from') f
			WHERE w.id = NEW.workflow AND json_extract(t.value,'$.key') = NEW.key AND f.value = NEW."from" AND json_extract(t.value,'$.to') = NEW."to") BEGIN
		SELECT RAISE(ABORT, 'wall: a step is one of its published definition');
	END`,
	never("workflow_steps", "UPDATE"),
	never("workflow_steps", "DELETE"),

	keepsPublished("workflows", "id title published_at created", "a published workflow version never changes"),
	keepsPublished("forms", "id title created", "a published form never changes; make a new version"),
	keepsPublished("texts", "id title created", "a published text never changes; make a new version"),
	published("workflows", "a published workflow version never changes"),
	published("forms", "a published form never changes; make a new version"),
	published("texts", "a published text never changes; make a new version"),
}

const shown = "what a client is shown changes only with a recorded change of its request"

// closeWalls puts walls before what only the record API kept so far: items, the
// client's rows, the rest of a request, each column of what is only added to, and
// rows that SQLite lets another one push out (INSERT OR REPLACE asks no DELETE
// trigger).
//
// Clients are told until when a request is on hold: their row says it too.
func closeWalls(app core.App) error {
	shownRequests, err := app.FindCollectionByNameOrId("client_requests")
	if err != nil {
		return fmt.Errorf("find client_requests: %w", err)
	}
	shownRequests.Fields.Add(date("paused_until"))
	if err := app.Save(shownRequests); err != nil {
		return fmt.Errorf("save client_requests: %w", err)
	}
	_, err = app.DB().NewQuery(`UPDATE client_requests SET paused_until = COALESCE((SELECT json_extract(r.face,'$.paused') FROM requests r WHERE r.id = client_requests.id AND json_valid(r.face)), '')`).Execute()
	if err != nil {
		return fmt.Errorf("note holds for clients: %w", err)
	}
	statements := slices.Concat(requestChanges,
		follows("items", "request", "an item changes only with a recorded change of its request", itemColumns, ""),
		follows("client_requests", "id", shown, clientRequestColumns, "NEW.revision IS NOT OLD.revision + 1"),
		follows("client_items", "request", shown, clientItemColumns, ""),
		follows("client_history", "request", shown, clientHistoryColumns, "true"),
		historyWalls)
	for _, statement := range statements {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return fmt.Errorf("close walls: %w\n%s", err, statement)
		}
	}
	return nil
}

// follows are the walls of a table whose rows belong to a request: they are
// written only while a change of that request is recorded and not done. owner is
// the column with the request's id; an update is also refused where never holds.
func follows(table, owner, words, columns, never string) []string {
	open := func(row string) string {
		return `EXISTS (SELECT 1 FROM requests r JOIN request_changes c ON c.request = r.id AND c.revision = r.revision + 1 WHERE r.id = ` + row + `.` + owner + `)`
	}
	if never == "" {
		never = `OLD.id IS NOT NEW.id OR OLD.` + owner + ` IS NOT NEW.` + owner
	}
	then := ` BEGIN
		SELECT RAISE(ABORT, 'wall: ` + words + `');
	END`
	return []string{
		`CREATE TRIGGER wall_` + table + `_insert BEFORE INSERT ON ` + table + ` WHEN NOT ` + open("NEW") + then,
		`CREATE TRIGGER wall_` + table + `_update BEFORE UPDATE OF ` + names(columns) + ` ON ` + table + `
		WHEN (` + never + ` OR NOT ` + open("OLD") + `) AND (` + differ(columns) + `)` + then,
		`CREATE TRIGGER wall_` + table + `_delete BEFORE DELETE ON ` + table + ` WHEN NOT ` + open("OLD") + then,
	}
}

const onlyAdded = ` BEGIN
		SELECT RAISE(ABORT, 'wall: history is only added to');
	END`

// keeps is the wall before the columns of a history; those that are not named may
// change. For the columns in also, an update is refused where unless holds.
func keeps(table, columns, unless string, also ...string) string {
	refused := differ(columns)
	if unless != "" {
		refused += " OR " + unless
	}
	return `CREATE TRIGGER wall_` + table + `_update BEFORE UPDATE OF ` + names(columns+" "+strings.Join(also, " ")) + ` ON ` + table + ` WHEN ` + refused + onlyAdded
}

// unreplaced keeps a row from being pushed out by another one of its id, or of
// what else is unique about it.
func unreplaced(table, or string) string {
	return `CREATE TRIGGER wall_` + table + `_insert BEFORE INSERT ON ` + table + ` WHEN EXISTS (SELECT 1 FROM ` + table + ` x WHERE x.id = NEW.id` + or + `)` + onlyAdded
}

// never refuses an UPDATE or a DELETE altogether.
func never(table, verb string) string {
	return `CREATE TRIGGER wall_` + table + `_` + strings.ToLower(verb) + ` BEFORE ` + verb + ` ON ` + table + onlyAdded
}

// published keeps what is published from being pushed out by a row of the same id,
// or of the same key and version.
func published(table, words string) string {
	return `CREATE TRIGGER wall_` + table + `_insert BEFORE INSERT ON ` + table + `
		WHEN EXISTS (SELECT 1 FROM ` + table + ` x WHERE (x.id = NEW.id OR (x.key = NEW.key AND x.version = NEW.version)) AND x.status != 'draft') BEGIN
		SELECT RAISE(ABORT, 'wall: ` + words + `');
	END`
}

// keepsPublished adds columns to those of a published row that are kept already.
func keepsPublished(table, columns, words string) string {
	return `CREATE TRIGGER wall_` + table + `_head BEFORE UPDATE OF ` + names(columns) + ` ON ` + table + ` WHEN OLD.status != 'draft' AND (` + differ(columns) + `) BEGIN
		SELECT RAISE(ABORT, 'wall: ` + words + `');
	END`
}

// names and differ write a list of columns for UPDATE OF, and whether one of them
// is not as it was.
func names(columns string) string {
	return `"` + strings.Join(strings.Fields(columns), `", "`) + `"`
}

func differ(columns string) string {
	list := strings.Fields(columns)
	for n, c := range list {
		list[n] = `OLD."` + c + `" IS NOT NEW."` + c + `"`
	}
	return strings.Join(list, " OR ")
}
