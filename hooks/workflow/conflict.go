package workflow

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// Two people at one thing: whoever writes may say which picture the decision was
// made on, by revision for the whole request, or value by value for data and
// answers. What somebody else changed in the meantime is never overwritten.

// Clash is one value that two people changed: both are shown, a person decides.
type Clash struct {
	Mine   any    `json:"mine"`
	Theirs any    `json:"theirs"`
	By     string `json:"by"`
	At     string `json:"at"`
}

// clashes compares, key by key, what the editor started from, what it wants now,
// and what is stored. Keys without a "was" are not compared.
func clashes(stored, mine, was map[string]any) map[string]Clash {
	found := map[string]Clash{}
	for key, before := range was {
		wanted, writes := mine[key]
		if writes && !equal(stored[key], before) && !equal(stored[key], wanted) {
			found[key] = Clash{Mine: wanted, Theirs: stored[key]}
		}
	}
	return found
}

// unchanged refuses to overwrite what the editor has not seen (409). item is
// empty for the request's own data.
func (e *Engine) unchanged(tx core.App, l *live, item string, stored, mine, was map[string]any) error {
	found := clashes(stored, mine, was)
	if len(found) == 0 {
		return nil
	}
	record, prefix := l.ID, `$."data.`
	if item != "" {
		record, prefix = item, `$.answers."`
	}
	by := ""
	for _, key := range slices.Sorted(maps.Keys(found)) {
		clash := found[key]
		err := tx.DB().NewQuery(`SELECT CASE WHEN actor_kind IN ('user','staff') THEN actor_name ELSE '' END, at FROM audit_log
			WHERE request = {:id} AND record = {:record} AND json_type(change, {:path}) IS NOT NULL ORDER BY seq DESC LIMIT 1`).
			Bind(dbx.Params{"id": l.ID, "record": record, "path": prefix + key + `"`}).Row(&clash.By, &clash.At)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read who changed %s: %w", key, err)
		}
		found[key], by = clash, clash.By
	}
	if by == "" {
		by = "Somebody"
	}
	return problem.New(problem.Stale, by+" changed this in the meantime. Look at both, then decide.").
		Fact("revision", l.revisionShown()).Fact("changed_by", by).Fact("conflict", found)
}

// revisionShown is the revision that the actor's side counts.
func (l *live) revisionShown() int {
	if l.clientSide() {
		return l.shown.Revision
	}
	return l.facts.Revision
}

// fresh refuses an actor who decided on an older picture, and says what changed.
// Each side counts the revisions of what it is shown.
func (e *Engine) fresh(tx core.App, l *live, expected *int) error {
	now := l.revisionShown()
	if expected == nil || *expected == now {
		return nil
	}
	last, err := lastChange(tx, l)
	if err != nil {
		return err
	}
	p := problem.New(problem.Stale, "This was changed in the meantime. Look again, then decide.").Fact("revision", now)
	if last.Name != "" {
		p.Message = last.Name + " changed this in the meantime. Look again, then decide."
	}
	p.Fact("changed_by", last.Name).Fact("changed_at", last.At)
	if l.clientSide() {
		return p.Fact("what", last.Action)
	}
	return p.Fact("action", last.Action).Fact("change", object(last.Change))
}

type changed struct {
	Name   string `db:"name"`
	Action string `db:"action"`
	At     string `db:"at"`
	Change string `db:"change"`
}

const (
	lastAudited = `SELECT actor_name AS name, action, at, COALESCE(change, '{}') AS change FROM audit_log WHERE request = {:id} ORDER BY seq DESC LIMIT 1`

	// Of a client's side: what a colleague did, or what the history shows.
	lastShown = `SELECT name, action, at, '{}' AS change FROM (
		SELECT * FROM (SELECT actor_name AS name, action, at FROM audit_log WHERE request = {:id} AND actor_kind = 'user' AND action IN ('create', 'update', 'delete', 'transition', 'review') ORDER BY seq DESC LIMIT 1)
		UNION ALL SELECT * FROM (SELECT actor_name AS name, kind AS action, at FROM client_history WHERE request = {:id} ORDER BY at DESC LIMIT 1)) ORDER BY at DESC LIMIT 1`
)

// lastChange is who changed the request last, as far as the actor may know.
func lastChange(tx core.App, l *live) (changed, error) {
	statement, last := lastAudited, changed{}
	if l.clientSide() {
		statement = lastShown
	}
	err := tx.DB().NewQuery(statement).Bind(dbx.Params{"id": l.ID}).One(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return last, fmt.Errorf("read last change: %w", err)
	}
	return last, nil
}
