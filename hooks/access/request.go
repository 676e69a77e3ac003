package access

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Request gives a request the scopes that its visibility, walls, delegations and
// state ask for, and moves everything that belongs to it along. Most requests
// share their organization's scope; one has a scope of its own when it is
// restricted to participants, walled off, delegated alone, hidden from somebody, or
// in a state that only some duties may see. It is called whenever one of these changes.
func Request(tx core.App, id string, now time.Time) error {
	var r struct {
		Organization string `db:"organization"`
		Visibility   string `db:"visibility"`
		RestrictedTo string `db:"restricted_to"`
		Scope        string `db:"scope"`
		ClientScope  string `db:"client_scope"`
		Alone        bool   `db:"alone"`
	}
	err := tx.DB().NewQuery(`SELECT r.organization, r.visibility, COALESCE(r.restricted_to, '[]') AS restricted_to, r.scope,
		COALESCE((SELECT c.scope FROM client_requests c WHERE c.id = r.id), '') AS client_scope,
		EXISTS (SELECT 1 FROM walls w WHERE w.request = r.id) OR EXISTS (SELECT 1 FROM delegations d WHERE d.request = r.id AND d.revoked = 0 AND d.ends > {:now})
			OR EXISTS (SELECT 1 FROM exclusions x WHERE x.request = r.id AND x.lifted = '') AS alone
		FROM requests r WHERE r.id = {:id}`).Bind(dbx.Params{"id": id, "now": schema.Stamp(now)}).One(&r)
	if err != nil {
		return fmt.Errorf("read request %s: %w", id, err)
	}
	duties := schema.Strings(r.RestrictedTo)
	client, staff := r.Organization, schema.StaffScope(r.Organization)
	if r.Visibility == "restricted" || r.Alone {
		client, staff = id, schema.StaffScope(id)
	}
	if len(duties) > 0 {
		staff = schema.StaffScope(id)
	}
	if err := grantRequest(tx, id, client == id, staff == schema.StaffScope(id), duties, now); err != nil {
		return err
	}
	if r.Scope == staff && (r.ClientScope == "" || r.ClientScope == client) {
		return nil
	}
	return move(tx, id, client, staff)
}

// Whoever is excluded from a request has no right on it, and lends none. a is a
// right on the organization.
const notExcluded = ` AND NOT EXISTS (SELECT 1 FROM exclusions x WHERE x.request = r.id AND x.lifted = '' AND (x.user = a.principal
OR a.source = 'delegation' AND x.user = (SELECT d."from" FROM delegations d WHERE d.id = a.source_id)))`

const (
	requestMembers = `INSERT OR IGNORE INTO access (id, principal, scope, since, until, source, source_id, created, updated)
SELECT 'r'||lower(hex(randomblob(7))), a.principal, r.id, a.since, a.until, a.source, a.source_id, {:now}, {:now}
FROM requests r JOIN access a ON a.scope = r.organization AND a.source IN ('membership','delegation')
WHERE r.id = {:id} AND r.visibility = 'organization'` + notExcluded

	// A participant takes part for as long as the right on the organization lasts.
	requestParticipants = `INSERT OR IGNORE INTO access (id, principal, scope, since, until, source, source_id, created, updated)
SELECT 'r'||lower(hex(randomblob(7))), a.principal, r.id, a.since, a.until, 'participant', r.id, {:now}, {:now}
FROM requests r, json_each(CASE WHEN json_valid(r.participants) THEN r.participants ELSE '[]' END) p
JOIN access a ON a.principal = p.value AND a.scope = r.organization AND a.source IN ('membership','delegation')
WHERE r.id = {:id} AND r.visibility = 'restricted'` + notExcluded

	// Whoever lends a request sees it in own right: by a membership, and as a
	// participant where it is restricted. What was lent cannot be lent on.
	requestDelegates = `INSERT OR IGNORE INTO access (id, principal, scope, since, until, source, source_id, created, updated)
SELECT 'r'||lower(hex(randomblob(7))), d."to", r.id, d.starts, d.ends, 'delegation', d.id, {:now}, {:now}
FROM requests r JOIN delegations d ON d.request = r.id AND d.revoked = 0 AND d.ends > {:now}
WHERE r.id = {:id} AND EXISTS (SELECT 1 FROM access a WHERE a.principal = d."from" AND a.scope = r.organization AND a.source = 'membership')
AND (r.visibility = 'organization' OR EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(r.participants) THEN r.participants ELSE '[]' END) p WHERE p.value = d."from"))
AND NOT EXISTS (SELECT 1 FROM exclusions x WHERE x.request = r.id AND x.lifted = '' AND x.user IN (d."to", d."from"))`

	// The staff who see the organization, less those walled off this request.
	requestStaff = `INSERT OR IGNORE INTO access (id, principal, scope, since, until, source, source_id, created, updated)
SELECT 'r'||lower(hex(randomblob(7))), a.principal, {:scope}, a.since, a.until, 'staff', a.source_id, {:now}, {:now}
FROM requests r JOIN access a ON a.scope = r.organization AND a.source = 'staff' JOIN staff s ON s.id = a.principal
WHERE r.id = {:id} AND NOT EXISTS (SELECT 1 FROM walls w WHERE w.staff IN (s.id, s.maker) AND w.request = r.id)`

	withDuty = ` AND EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(s.duties) THEN s.duties ELSE '[]' END) d WHERE d.value IN (SELECT value FROM json_each({:duties})))`
)

func grantRequest(tx core.App, id string, ownClient, ownStaff bool, duties []string, now time.Time) error {
	params := func(more dbx.Params) dbx.Params {
		bound := dbx.Params{"id": id, "now": schema.Stamp(now)}
		for k, v := range more {
			bound[k] = v
		}
		return bound
	}
	type step struct {
		sql  string
		with dbx.Params
	}
	steps := []step{{`DELETE FROM access WHERE scope IN ({:id}, {:staff})`, dbx.Params{"id": id, "staff": schema.StaffScope(id)}}}
	if ownClient {
		steps = append(steps,
			step{requestMembers, params(nil)}, step{requestParticipants, params(nil)}, step{requestDelegates, params(nil)},
			step{requestStaff, params(dbx.Params{"scope": id})})
	}
	if ownStaff {
		which, with := requestStaff, dbx.Params{"scope": schema.StaffScope(id)}
		if len(duties) > 0 {
			which, with["duties"] = which+withDuty, schema.JSON(duties)
		}
		steps = append(steps, step{which, params(with)})
	}
	for _, s := range steps {
		if _, err := tx.DB().NewQuery(s.sql).Bind(s.with).Execute(); err != nil {
			return fmt.Errorf("derive access of request %s: %w", id, err)
		}
	}
	return nil
}

// move writes the scopes of a request to every row that belongs to it, its audit
// entries too: of those nothing else ever changes.
func move(tx core.App, id, client, staff string) error {
	statements := []string{
		`UPDATE requests SET scope = {:staff} WHERE id = {:id} AND scope != {:staff}`,
		`UPDATE client_requests SET scope = {:client} WHERE id = {:id} AND scope != {:client}`,
	}
	for _, table := range []string{schema.ClientItems, schema.ClientHistory, schema.Messages, schema.Delegations} {
		statements = append(statements, `UPDATE `+table+` SET scope = {:client} WHERE request = {:id} AND scope != {:client}`)
	}
	for _, table := range []string{schema.Items, schema.InternalNotes, schema.Transitions, schema.Jobs, schema.RequestPeople, schema.Timers, schema.Pauses, schema.Recurrences} {
		statements = append(statements, `UPDATE `+table+` SET scope = {:staff} WHERE request = {:id} AND scope != {:staff}`)
	}
	statements = append(statements, `UPDATE audit_log SET scope = {:staff} WHERE request = {:id} AND scope LIKE 'staff:%' AND scope != {:staff}`)
	statements = append(statements, `UPDATE notifications SET scope = CASE WHEN staff != '' THEN {:staff} ELSE {:client} END WHERE request = {:id} AND scope != ''`)
	statements = append(statements, `UPDATE documents SET scope = CASE WHEN scope LIKE 'staff:%' THEN {:staff} ELSE {:client} END WHERE request = {:id}`)
	for _, statement := range statements {
		if _, err := tx.DB().NewQuery(statement).Bind(bindUsed(statement, dbx.Params{"id": id, "client": client, "staff": staff})).Execute(); err != nil {
			return fmt.Errorf("move scope of request %s: %w", id, err)
		}
	}
	return nil
}
