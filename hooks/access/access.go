// Package access says who may see which record, and which roles somebody has on
// a request.
//
// Seeing is one table and one equality: every visible record carries a scope,
// and access holds (principal, scope) with the time and the source of the right.
// The rows are derived from memberships, delegations, participants, exclusions,
// staff and walls in the transaction that changes those; PocketBase's rules and
// the engine read the very same rows.
//
//	access.go      Sees, and the SQL that own endpoints share
//	derive.go      the rows, from their sources
//	rebuild.go     all of them again, while people work
//	request.go     requests with a scope of their own
//	standing.go    the roles and duties somebody has on an organization
//	guard.go       hooks that keep the rows true
//	person.go      members of staff
//	invitation.go  invitations: single use, expiring, only a click uses one up
//	setup.go       the first owner of an empty portal
//	explain*.go    who may see, change and move what, and why
//	viewing*.go    staff who look at the portal as a client
//	program*.go    accounts of other software, each with a token of its own
//	passkey*.go    keys that devices keep: what they are, their use, the door, the own account
//	step_up.go     a proof before what matters; the walls' own guard
//	me.go          who am I, whose portal is this
package access

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// ClientClass is whose turn a row of client_requests c is: 0 the client's, 1 somebody
// else's, 2 nobody's, since it is over. It is the expression of the index
// idx_client_requests_scope_since.
const ClientClass = `(CASE WHEN c.category = 'done' THEN 2 WHEN c.turn = 'client' THEN 0 ELSE 1 END)`

// Visible is the condition of own endpoints for a table with a scope column,
// along the table's own sort index. It binds {:me} and {:now}.
const Visible = `EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = %[1]s.scope AND a.since <= {:now} AND a.until > {:now})`

// Sees says whether the principal may see records of the scope at now.
func Sees(app core.App, principal, scope string, now time.Time) (bool, error) {
	var found int
	err := app.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM access WHERE principal = {:me} AND scope = {:scope} AND since <= {:now} AND until > {:now})`).
		Bind(dbx.Params{"me": principal, "scope": scope, "now": schema.Stamp(now)}).Row(&found)
	if err != nil {
		return false, fmt.Errorf("read access: %w", err)
	}
	return found == 1, nil
}

// Seers lists everybody who may see the scope at now.
func Seers(app core.App, scope string, now time.Time) ([]string, error) {
	var found []string
	err := app.DB().NewQuery(`SELECT DISTINCT principal FROM access WHERE scope = {:scope} AND since <= {:now} AND until > {:now}`).
		Bind(dbx.Params{"scope": scope, "now": schema.Stamp(now)}).Column(&found)
	if err != nil {
		return nil, fmt.Errorf("read who sees %s: %w", scope, err)
	}
	return found, nil
}

// Watchers lists which of the given principals may see the scope at now.
func Watchers(app core.App, scope string, principals []string, now time.Time) ([]string, error) {
	if len(principals) == 0 {
		return nil, nil
	}
	values := make([]any, len(principals))
	for i, p := range principals {
		values[i] = p
	}
	var found []string
	err := app.DB().Select("principal").Distinct(true).From(schema.Access).
		Where(dbx.HashExp{"scope": scope}).
		AndWhere(dbx.In("principal", values...)).
		AndWhere(dbx.NewExp("since <= {:now} AND until > {:now}", dbx.Params{"now": schema.Stamp(now)})).
		Column(&found)
	if err != nil {
		return nil, fmt.Errorf("read watchers: %w", err)
	}
	return found, nil
}
