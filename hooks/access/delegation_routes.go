package access

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// LoanRow is a delegation as both sides, the team and staff read it.
type LoanRow struct {
	ID               string   `json:"id" db:"id"`
	From             string   `json:"from" db:"from"`
	FromName         string   `json:"from_name" db:"from_name"`
	To               string   `json:"to" db:"to"`
	ToName           string   `json:"to_name" db:"to_name"`
	ToEmail          string   `json:"to_email" db:"to_email"`
	Organization     string   `json:"organization" db:"organization"`
	OrganizationName string   `json:"organization_name" db:"organization_name"` // empty if the caller does not see it now
	Request          string   `json:"request" db:"request"`
	RequestTitle     string   `json:"request_title" db:"request_title"` // empty if the caller does not see it
	Powers           []string `json:"powers" db:"-"`
	PowersText       string   `json:"powers_text" db:"-"`
	Starts           string   `json:"starts" db:"starts"`
	Ends             string   `json:"ends" db:"ends"`
	Reason           string   `json:"reason" db:"reason"`
	Status           string   `json:"status" db:"status"`         // live planned ended revoked asleep invited
	Invitation       string   `json:"invitation" db:"invitation"` // of one that was not accepted yet
	CanRevoke        bool     `json:"can_revoke" db:"-"`
	Created          string   `json:"created" db:"created"`
	Stored           string   `json:"-" db:"powers"`
}

// LoansPage is what somebody lends and was lent.
type LoansPage struct {
	Given        []LoanRow `json:"given"`        // people who may act for the caller
	Received     []LoanRow `json:"received"`     // for whom the caller may act
	Organization []LoanRow `json:"organization"` // all of an organization, for those who look after its people
}

// A delegation sleeps while its giver has no membership that covers it: it gives
// nothing, and comes back with the membership.
const (
	selectLoans = `SELECT d.id, d."from", COALESCE(f.name, '') AS from_name, d."to", COALESCE(t.name, '') AS to_name, COALESCE(t.email, '') AS to_email,
	d.organization, CASE WHEN {:all} OR EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope IN (d.organization, d.scope) AND a.since <= {:now} AND a.until > {:now}) THEN o.name ELSE '' END AS organization_name, d.request,
	COALESCE((SELECT c.title FROM client_requests c WHERE c.id = d.request AND ({:all} OR EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = c.scope AND a.since <= {:now} AND a.until > {:now}))), '') AS request_title,
	COALESCE(d.powers, '[]') AS powers, d.starts, d.ends, d.reason, d.created, '' AS invitation,
	CASE WHEN d.revoked THEN 'revoked' WHEN d.ends <= {:now} THEN 'ended' WHEN d.starts > {:now} THEN 'planned'
		WHEN NOT EXISTS (SELECT 1 FROM memberships g JOIN organizations mine ON mine.id = g.organization WHERE g.user = d."from" AND g.status = 'active' AND o.path >= mine.path AND o.path < mine.path || '~') THEN 'asleep'
		ELSE 'live' END AS status
FROM delegations d JOIN organizations o ON o.id = d.organization LEFT JOIN users f ON f.id = d."from" LEFT JOIN users t ON t.id = d."to"
WHERE %s ORDER BY d.revoked, d.ends DESC, d.id LIMIT 200`

	loansFrom = `d."from" = {:me}`
	loansMine = `d."to" = {:me}`
	loansOf   = `d."from" = {:me} AND d.request = {:request} AND d.revoked = 0 AND d.ends > {:now}`
	loansAt   = `d.organization = {:id} AND d.revoked = 0 AND d.ends > {:now}`

	selectAsked = `SELECT i.id, i.id AS invitation, {:me} AS "from", '' AS from_name, '' AS "to", i.name AS to_name, i.email AS to_email, i.organization, o.name AS organization_name,
	COALESCE(json_extract(i.delegation, '$.request'), '') AS request, '' AS request_title, COALESCE(json_extract(i.delegation, '$.powers'), '[]') AS powers,
	COALESCE(json_extract(i.delegation, '$.starts'), '') AS starts, COALESCE(json_extract(i.delegation, '$.ends'), '') AS ends, COALESCE(json_extract(i.delegation, '$.reason'), '') AS reason, 'invited' AS status, i.created
FROM invitations i JOIN organizations o ON o.id = i.organization
WHERE i.invited_by_user = {:me} AND COALESCE(i.delegation, 'null') NOT IN ('', 'null') AND i.status IN ('queued','sent','bounced','opened') AND i.expires > {:now} ORDER BY i.created DESC LIMIT 200`
)

func loans(app core.App, clock schema.Clock, actor schema.Actor, where string, more dbx.Params, leads bool) ([]LoanRow, error) {
	rows := []LoanRow{}
	statement := fmt.Sprintf(selectLoans, where)
	params := dbx.Params{"me": actor.ID, "now": schema.Stamp(clock()), "all": actor.Kind == schema.ActorSuperuser}
	for k, v := range more {
		params[k] = v
	}
	if err := app.DB().NewQuery(statement).Bind(bindUsed(statement, params)).All(&rows); err != nil {
		return nil, fmt.Errorf("read delegations: %w", err)
	}
	return told(rows, actor, leads), nil
}

// Handlers are those who handle one request for the actor, or were asked to.
func Handlers(app core.App, clock schema.Clock, actor schema.Actor, request string) ([]LoanRow, error) {
	asked, err := asked(app, clock, actor)
	if err != nil {
		return nil, err
	}
	asked = slices.DeleteFunc(asked, func(r LoanRow) bool { return r.Request != request })
	lent, err := loans(app, clock, actor, loansOf, dbx.Params{"request": request}, false)
	return append(asked, lent...), err
}

// asked are the people from outside whom the actor invited to act.
func asked(app core.App, clock schema.Clock, actor schema.Actor) ([]LoanRow, error) {
	rows := []LoanRow{}
	params := dbx.Params{"me": actor.ID, "now": schema.Stamp(clock())}
	if err := app.DB().NewQuery(selectAsked).Bind(params).All(&rows); err != nil {
		return nil, fmt.Errorf("read invitations to act: %w", err)
	}
	return told(rows, actor, false), nil
}

func told(rows []LoanRow, actor schema.Actor, leads bool) []LoanRow {
	for i := range rows {
		r := &rows[i]
		mine := r.From == actor.ID || r.To == actor.ID
		r.Powers = lends(schema.Strings(r.Stored))
		r.PowersText = PowersText(r.Powers)
		r.CanRevoke = (mine || leads) && (r.Status == "live" || r.Status == "planned" || r.Status == "asleep" || r.Status == "invited")
		if !mine && !leads {
			r.ToEmail, r.Reason = "", ""
		}
		if hidden := r.OrganizationName == "" || r.Request != "" && r.RequestTitle == ""; hidden && r.From != actor.ID {
			r.Reason = "" // it may speak of what the reader does not see, or not any more
		}
	}
	return rows
}

// Page lists what the caller lends and was lent, and all of an organization for
// those who look after its people.
func (d *Delegations) Page(actor schema.Actor, organization string) (*LoansPage, error) {
	page := &LoansPage{Given: []LoanRow{}, Received: []LoanRow{}, Organization: []LoanRow{}}
	var err error
	if actor.Kind == schema.ActorUser {
		asked, err := asked(d.App, d.Clock, actor)
		if err != nil {
			return nil, err
		}
		if page.Given, err = loans(d.App, d.Clock, actor, loansFrom, nil, false); err != nil {
			return nil, err
		}
		page.Given = append(asked, page.Given...)
		if page.Received, err = loans(d.App, d.Clock, actor, loansMine, nil, false); err != nil {
			return nil, err
		}
	}
	if organization == "" {
		return page, nil
	}
	if _, _, err := leads(d.App, d.Clock, actor, organization); err != nil {
		return nil, err
	}
	page.Organization, err = loans(d.App, d.Clock, actor, `d.organization = {:id}`, dbx.Params{"id": organization}, true)
	return page, err
}

// ListRoute lists delegations.
//
//	GET /api/portal/delegations?organization= → 200 {"given": [LoanRow], "received": [LoanRow], "organization": [LoanRow]}
//	with organization: also all of it, for its admins and managers; 400 not_yours, role; 401; 404
func (d *Delegations) ListRoute(e *core.RequestEvent) error {
	page, err := d.Page(schema.ActorOf(e.Auth, e.RealIP()), e.Request.URL.Query().Get("organization"))
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, page)
}

// LendRoute lets somebody act for the caller.
//
//	POST /api/portal/delegations (client) {"to" | "email","name"?,"organization","request"?,"powers"?,"starts"?,"ends","reason"?}
//	→ 200 {"delegation": id} for somebody of the organization, else {"invitation": id}: the person is asked first
//	400 not_yours, field_missing, field_invalid, bad_input; 401; 403 staff, prove_again (to take steps, or with duties); 404
func (d *Delegations) LendRoute(e *core.RequestEvent) error {
	var in Loan
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	if loanMatters(in.Powers) {
		if err := d.Invites.Proved(e); err != nil {
			return problem.Reply(e, err)
		}
	}
	delegation, invitation, err := d.Lend(schema.ActorOf(e.Auth, e.RealIP()), in)
	if err != nil {
		return problem.Reply(e, err)
	}
	if invitation != nil {
		return e.JSON(http.StatusOK, map[string]any{"invitation": invitation.Id})
	}
	return e.JSON(http.StatusOK, map[string]any{"delegation": delegation.Id})
}

// RevokeRoute ends a delegation at once.
//
//	POST /api/portal/delegations/{id}/revoke (giver, receiver, client admin, manager) → 200 {"delegation": id}; 400 not_yours, role; 401; 404
func (d *Delegations) RevokeRoute(e *core.RequestEvent) error {
	record, err := d.Revoke(schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id"))
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"delegation": record.Id})
}
