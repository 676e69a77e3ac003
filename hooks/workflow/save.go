package workflow

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// indexed are the columns of a request that lists are sorted and found by. They
// are assigned only where they change: SQLite writes every index of an assigned
// column anew.
type indexed struct {
	Workflow, State, Category, Turn, Assignee, Due, StateSince, WakeAt, RemindAt, RestrictedTo string
}

func (r *row) indexed() indexed {
	return indexed{r.Workflow, r.State, r.Category, r.Turn, r.Assignee, r.Due, r.StateSince, r.WakeAt, r.RemindAt, r.RestrictedTo}
}

// saveRequest writes the request with one guarded UPDATE: a revision that is no
// longer the one that was read means that somebody was faster.
func saveRequest(was, now indexed, params dbx.Params) string {
	set := `UPDATE requests SET title = {:title}, entry = {:entry}, priority = {:priority}, tags = {:tags}, due_set = {:due_set}, data = {:data},
	progress = {:progress}, face = {:face}, revision = {:revision}, closed_at = {:closed_at}, updated = {:now}`
	var setSb29 strings.Builder
	for _, c := range []struct{ name, was, now string }{
		{"workflow", was.Workflow, now.Workflow},
		{"state", was.State, now.State},
		{"category", was.Category, now.Category},
		{"turn", was.Turn, now.Turn},
		{"assignee", was.Assignee, now.Assignee},
		{"due", was.Due, now.Due},
		{"state_since", was.StateSince, now.StateSince},
		{"wake_at", was.WakeAt, now.WakeAt},
		{"remind_at", was.RemindAt, now.RemindAt},
		{"restricted_to", was.RestrictedTo, now.RestrictedTo},
	} {
		if c.was != c.now {
			setSb29.WriteString(`, ` + c.name + ` = {:` + c.name + `}`)
			params[c.name] = c.now
		}
	}
	set += setSb29.String()
	return set + ` WHERE id = {:id} AND revision = {:was}`
}

// begin records that a change of the request is coming, and whose it is. The
// database asks for that before it lets the request, its items or the client's
// rows be written, until save gives the request its next revision. A revision that
// is no longer the one that was read means that somebody was faster.
func (e *Engine) begin(tx core.App, l *live) error {
	if l.begun == l.Revision+1 {
		return nil
	}
	result, err := tx.DB().NewQuery(`INSERT INTO request_changes (request, revision, actor_kind, actor, at)
		SELECT id, revision + 1, {:kind}, {:actor}, {:at} FROM requests WHERE id = {:id} AND revision = {:was}`).
		Bind(dbx.Params{"id": l.ID, "was": l.Revision, "kind": string(l.who.Actor.Kind), "actor": l.who.Actor.ID, "at": schema.Stamp(l.facts.Now)}).Execute()
	if err != nil {
		return fmt.Errorf("begin a change of request %s: %w", l.ID, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return problem.New(problem.Stale, "Somebody was faster. Look again, then decide.").Because(err)
	}
	l.begun = l.Revision + 1
	return nil
}

// save writes a changed request: the client's rows, then its own with the next
// revision. from is the state before. Words say what the client shall remember of
// it, who is shown after then.
func (e *Engine) save(tx core.App, l *live, from string, words ...func(after *ClientFace)) error {
	if err := e.begin(tx, l); err != nil {
		return err
	}
	f, state := l.facts, l.def.State(l.facts.State)
	if state == nil {
		return fmt.Errorf("request %s: state %q is not in its workflow", l.ID, f.State)
	}
	if state.Category == "done" && l.PausedUntil != "" {
		if err := e.endPause(tx, l); err != nil {
			return err
		}
	}
	was := l.Revision
	l.Revision++
	f.Revision = l.Revision
	l.shown = l.def.advance(f, from, l.shown, l.contact())
	after := l.def.Face(f, l.shown)
	if !equalFaces(l.before, after) {
		l.shown.Revision++
	}
	for _, say := range words {
		say(after)
	}
	restricted := "[]"
	if len(state.RestrictedTo) > 0 {
		restricted = schema.JSON(state.RestrictedTo)
	}
	closed := ""
	if state.Category == "done" {
		closed = l.StateSince
	}
	now := schema.Stamp(f.Now)
	if err := l.saveFace(tx, after, now); err != nil {
		return err
	}
	if err := l.saveMemories(tx, after); err != nil {
		return err
	}
	params := dbx.Params{
		"id": l.ID, "was": was, "title": f.Title, "entry": f.Entry, "priority": f.Priority, "tags": l.Tags, "due_set": f.DueSet, "data": schema.JSON(f.Data),
		"progress": schema.JSON(l.def.progress(f)), "face": schema.JSON(l.shown), "revision": l.Revision, "closed_at": closed, "now": now,
	}
	lists := indexed{l.Workflow, f.State, state.Category, state.Turn, l.Assignee, f.Due, l.StateSince, l.def.wakeAt(f), l.def.remindAt(f, from), restricted}
	result, err := tx.DB().NewQuery(saveRequest(l.stored, lists, params)).Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("save request %s: %w", l.ID, err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return problem.New(problem.Stale, "Somebody was faster. Look again, then decide.").Because(err)
	}
	l.State, l.Turn, l.Category, l.Title, l.Due, l.Priority = f.State, state.Turn, state.Category, f.Title, f.Due, f.Priority
	l.stored = lists
	if err := l.saveSecrets(tx, now); err != nil {
		return err
	}
	l.before = after
	return nil
}

// saveSecrets stores the whole values of masked fields.
func (l *live) saveSecrets(tx core.App, now string) error {
	for key, value := range l.secrets {
		_, err := tx.DB().NewQuery(`INSERT INTO field_secrets (id, request, field, value, created, updated) VALUES ({:id}, {:request}, {:field}, {:value}, {:now}, {:now})
			ON CONFLICT(request, field) DO UPDATE SET value = excluded.value, updated = excluded.updated`).
			Bind(dbx.Params{"id": schema.NewID(), "request": l.ID, "field": key, "value": value, "now": now}).Execute()
		if err != nil {
			return fmt.Errorf("store masked field %s: %w", key, err)
		}
	}
	l.secrets = nil
	return nil
}

// saveFace writes what differs between what the client was shown and is shown.
func (l *live) saveFace(tx core.App, after *ClientFace, now string) error {
	if equalFaces(l.before, after) {
		return nil
	}
	if after == nil {
		return l.hide(tx)
	}
	scope := l.ClientScope
	if scope == "" {
		scope = schema.ClientScope(l.Scope)
		if len(schema.Strings(l.RestrictedTo)) > 0 {
			scope = l.Organization
		}
		l.ClientScope = scope
	}
	err := schema.Upsert(tx, schema.ClientRequests, []dbx.Params{{
		"id": l.ID, "number": l.Number, "organization": l.Organization, "title": after.Title, "state": after.State, "label": after.Label, "category": after.Category,
		"turn": after.Turn, "outcome": after.Outcome, "due": after.Due, "paused_until": after.Paused, "state_since": after.Since, "contact": schema.JSON(after.Contact), "data": schema.JSON(after.Data),
		"progress": schema.JSON(after.Progress), "revision": l.shown.Revision, "scope": scope, "created": now, "updated": now,
	}}, "number", "organization", "scope")
	if err != nil {
		return fmt.Errorf("write client row of %s: %w", l.ID, err)
	}
	changed, gone, moved := changedItems(l.before, after)
	rows := make([]dbx.Params, 0, len(changed))
	for _, i := range changed {
		rows = append(rows, dbx.Params{
			"id": i.ID, "request": l.ID, "section": i.Section, "key": i.Key, "instance": i.Instance, "position": i.Position, "title": i.Title, "hint": i.Hint, "kind": i.Kind,
			"status": i.Status, "label": i.Label, "required": i.Required, "editable": i.Editable, "why": i.Why, "reason": i.Reason, "comment": i.Comment,
			"options": schema.JSON(i.Options), "answers": schema.JSON(i.Answers), "due": i.Due, "scope": scope, "created": now, "updated": now,
		})
	}
	if err := schema.Upsert(tx, schema.ClientItems, rows, keptOfItems(moved)...); err != nil {
		return fmt.Errorf("write client items of %s: %w", l.ID, err)
	}
	for _, id := range gone {
		if _, err := tx.DB().Delete(schema.ClientItems, dbx.HashExp{"id": id}).Execute(); err != nil {
			return fmt.Errorf("remove client item %s: %w", id, err)
		}
	}
	return nil
}

// hide takes a request out of the client's sight, when a workflow leads back to
// a state that the client may not know of.
func (l *live) hide(tx core.App) error {
	for _, table := range []string{schema.ClientItems, schema.ClientHistory} {
		if _, err := tx.DB().Delete(table, dbx.HashExp{"request": l.ID}).Execute(); err != nil {
			return fmt.Errorf("hide %s of %s: %w", table, l.ID, err)
		}
	}
	if _, err := tx.DB().Delete(schema.ClientRequests, dbx.HashExp{"id": l.ID}).Execute(); err != nil {
		return fmt.Errorf("hide request %s: %w", l.ID, err)
	}
	l.ClientScope = ""
	return nil
}

// wakeAt is when the system has to look at the request again: the earliest
// automatic step that waits for time. Empty if there is none.
func (c *Compiled) wakeAt(f *Facts) string {
	if p, held := f.paused(f.Now); held {
		return schema.Stamp(p.end()) // on hold: what comes is that it ends
	}
	earliest := ""
	for _, t := range c.From(f.State) {
		if !t.Automatic() || t.After == nil {
			continue
		}
		if at := schema.Stamp(c.afterTime(t, f)); earliest == "" || at < earliest {
			earliest = at
		}
	}
	return earliest
}

// itemParams is an item as stored.
func (l *live) itemParams(i *Item, now string) dbx.Params {
	turn := "nobody"
	if s := l.def.Section(i.Section); s != nil {
		switch {
		case i.Status == Missing || sentBack(i.Status):
			turn = s.provider()
		case i.Status == Provided:
			turn = "staff"
			if l.def.IsClientRole(s.Reviewer) {
				turn = "client"
			}
		}
	}
	return dbx.Params{
		"id": i.ID, "request": l.ID, "section": i.Section, "key": i.Key, "instance": i.Instance, "position": i.Position, "kind": i.Kind, "title": i.Title, "hint": i.Hint,
		"options": schema.JSON(i.Options), "status": i.Status, "entered_status": i.EnteredStatus, "turn": turn, "required": i.Required, "active": i.Active,
		"reason": i.Reason, "comment": i.Comment, "shown": schema.JSON(i.Shown), "due": i.Due, "provided_by": i.ProvidedBy, "provided_at": i.ProvidedAt,
		"reviewer": i.Reviewer, "reviewed_at": i.ReviewedAt, "answers": schema.JSON(i.Answers), "tries": i.Tries, "votes": schema.JSON(i.Votes), "scope": l.Scope, "created": now, "updated": now,
	}
}

// keptOfItems are the columns that an item has for life, and its place unless
// items moved.
func keptOfItems(moved bool) []string {
	if moved {
		return []string{"request", "section", "key", "instance", "kind", "scope"}
	}
	return []string{"request", "section", "key", "instance", "kind", "scope", "position"}
}

// saveItems writes the given items.
func (e *Engine) saveItems(tx core.App, l *live, items []*Item) error {
	if len(items) == 0 {
		return nil
	}
	if err := e.begin(tx, l); err != nil {
		return err
	}
	rows, moved := make([]dbx.Params, 0, len(items)), false
	for _, i := range items {
		rows = append(rows, l.itemParams(i, schema.Stamp(l.facts.Now)))
		moved = moved || i.moved
	}
	if err := schema.Upsert(tx, schema.Items, rows, keptOfItems(moved)...); err != nil {
		return fmt.Errorf("save items of request %s: %w", l.ID, err)
	}
	return nil
}

// tell writes the audit entry and the event of a change.
func (e *Engine) tell(tx core.App, l *live, action, collection, record string, change map[string]any, event string, payload map[string]any) error {
	err := e.Audit(tx, Change{Actor: l.who.Actor, Action: action, Collection: collection, Record: record, Organization: l.Organization, Request: l.ID, Change: change, Scope: l.Scope, At: l.facts.Now})
	if err != nil {
		return err
	}
	return e.Emit(tx, Fact{Type: event, Request: l.ID, Organization: l.Organization, Actor: l.who.Actor, Payload: payload, At: l.facts.Now})
}

// remember adds a line to what the client sees of the history, with the next
// save. Of what is not shown (face is nil) nothing is remembered.
func (l *live) remember(face *ClientFace, kind, text string, detail map[string]any) {
	if face == nil {
		return
	}
	now := schema.Stamp(l.facts.Now)
	l.memories = append(l.memories, dbx.Params{
		"id": schema.NewID(), "request": l.ID, "kind": kind, "actor_name": l.clientActorName(), "on_behalf_of": l.who.Standing.GiverName, "text": text,
		"detail": schema.JSON(detail), "at": now, "created": now, "updated": now,
	})
}

// saveMemories writes what the client is to remember, unless the request goes out
// of the client's sight.
func (l *live) saveMemories(tx core.App, after *ClientFace) error {
	rows := l.memories
	l.memories = nil
	if after == nil {
		return nil
	}
	for _, r := range rows {
		r["scope"] = l.ClientScope
	}
	if err := schema.InsertMany(tx, schema.ClientHistory, rows); err != nil {
		return fmt.Errorf("remember for the client of %s: %w", l.ID, err)
	}
	return nil
}

// clientActorName is how the client is told who acted.
func (l *live) clientActorName() string {
	if l.who.System || l.who.Superuser {
		return ""
	}
	return l.who.Actor.Name
}
