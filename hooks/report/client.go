package report

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
)

// Unit is an organization below another one.
type Unit struct {
	ID   string `json:"id" db:"id"`
	Name string `json:"name" db:"name"`
}

// ClientPerson is somebody on the client's side.
type ClientPerson struct {
	Membership string   `json:"membership" db:"membership"`
	User       string   `json:"user" db:"user"`
	Name       string   `json:"name" db:"name"`
	Email      string   `json:"email" db:"email"`
	Role       string   `json:"role" db:"role"`
	Duties     []string `json:"duties" db:"-"`
	Status     string   `json:"status" db:"status"`
	LastSeen   string   `json:"last_seen" db:"last_seen"`
	Stored     string   `json:"-" db:"stored"`
}

// ClientPage is all about one organization (docs/api.md).
type ClientPage struct {
	ID          string                 `json:"id" db:"id"`
	Name        string                 `json:"name" db:"name"`
	Code        string                 `json:"code" db:"code"`
	Kind        string                 `json:"kind" db:"kind"`
	Status      string                 `json:"status" db:"status"`
	Parent      string                 `json:"parent" db:"parent"`
	ParentName  string                 `json:"parent_name" db:"parent_name"`
	Units       []Unit                 `json:"units" db:"-"`
	People      []ClientPerson         `json:"people" db:"-"`
	Invitations []access.InvitationRow `json:"invitations" db:"-"`
	Requests    []QueueItem            `json:"requests" db:"-"`
}

// How much of a client one answer holds.
const (
	mostRequests = 100
	mostPeople   = 500
)

const (
	selectClient = `SELECT o.id, o.name, o.code, o.kind, o.status, o.parent, COALESCE(p.name, '') AS parent_name
	FROM organizations o LEFT JOIN organizations p ON p.id = o.parent AND %[2]s WHERE o.id = {:id} AND %[1]s`
	selectUnits  = `SELECT o.id, o.name FROM organizations o WHERE o.parent = {:id} AND %s ORDER BY o.name COLLATE NOCASE, o.id LIMIT {:limit}`
	selectPeople = `SELECT m.id AS membership, m.user, u.name, u.email, m.role, COALESCE(m.duties, '[]') AS stored, m.status, COALESCE(v.at, '') AS last_seen
	FROM memberships m JOIN users u ON u.id = m.user LEFT JOIN reads v ON v.person = m.user AND v.request = '' WHERE m.organization = {:id} ORDER BY u.name COLLATE NOCASE, m.id LIMIT {:limit}`
	selectInvitations = `SELECT i.id, i.email, i.name, i.organization, CASE WHEN COALESCE(i.delegation, 'null') IN ('', 'null') THEN i.role ELSE 'delegate' END AS role, CASE WHEN i.status NOT IN ('accepted','revoked') AND i.expires <= {:now} THEN 'expired' ELSE i.status END AS status,
	i.sent_count, i.sent_at, i.expires, i.opened_at, i.accepted_at, COALESCE(s.name, (SELECT b.name FROM users b WHERE b.id = i.invited_by_user), '') AS invited_by_name
	FROM invitations i LEFT JOIN staff s ON s.id = i.invited_by WHERE i.organization = {:id} ORDER BY i.created DESC, i.id LIMIT {:limit}`
)

// GetClient is all about one organization: its people, invitations, and requests
// with what is open first.
//
//	GET /api/portal/clients/{id} (staff) → 200 {"id","name","code","kind","status","parent","parent_name","units": [{"id","name"}],
//	"people": [{"membership","user","name","email","role","duties","status","last_seen"}], "invitations": [InvitationRow], "requests": [QueueItem]}
//	401; 403 clients; 404 not there, or not for the caller
func (r *Reports) GetClient(e *core.RequestEvent) error {
	a, err := r.staff(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	v, err := staffReach(e.App, a)
	if err != nil {
		return problem.Reply(e, err)
	}
	page, err := r.clientPage(e.App, a, v, e.Request.PathValue("id"))
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, page)
}

func (r *Reports) clientPage(app core.App, a asker, v reach, id string) (*ClientPage, error) {
	page := &ClientPage{Units: []Unit{}, People: []ClientPerson{}, Invitations: []access.InvitationRow{}}
	err := app.DB().NewQuery(fmt.Sprintf(selectClient, v.sees("o"), v.sees("p"))).Bind(v.bind(dbx.Params{"id": id})).One(page)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "There is no such client, or you do not have access to it.")
	}
	if err != nil {
		return nil, fmt.Errorf("read client %s: %w", id, err)
	}
	params := func() dbx.Params { return v.bind(dbx.Params{"id": id, "now": a.now(), "limit": mostPeople}) }
	if err := app.DB().NewQuery(fmt.Sprintf(selectUnits, v.sees("o"))).Bind(params()).All(&page.Units); err != nil {
		return nil, fmt.Errorf("read units of client %s: %w", id, err)
	}
	if err := app.DB().NewQuery(selectPeople).Bind(params()).All(&page.People); err != nil {
		return nil, fmt.Errorf("read people of client %s: %w", id, err)
	}
	for i := range page.People {
		page.People[i].Duties = list(page.People[i].Stored)
	}
	if err := app.DB().NewQuery(selectInvitations).Bind(params()).All(&page.Invitations); err != nil {
		return nil, fmt.Errorf("read invitations of client %s: %w", id, err)
	}
	rows, err := queueRows(app, a, v, queueWanted{organization: id, limit: mostRequests})
	if err != nil {
		return nil, err
	}
	page.Requests, err = r.queueItems(app, a, rows[:min(len(rows), mostRequests)])
	return page, err
}
