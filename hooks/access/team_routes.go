package access

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Mate is somebody of a team. Who only looks is told names and roles.
type Mate struct {
	Membership string   `json:"membership" db:"membership"`
	User       string   `json:"user" db:"user"`
	Name       string   `json:"name" db:"name"`
	Email      string   `json:"email" db:"email"`
	Role       string   `json:"role" db:"role"`
	RoleText   string   `json:"role_text" db:"-"`
	Duties     []string `json:"duties" db:"-"`
	Status     string   `json:"status" db:"status"`
	LastSeen   string   `json:"last_seen" db:"last_seen"`
	You        bool     `json:"you" db:"-"`
	LastAdmin  bool     `json:"last_admin" db:"-"` // cannot go before somebody else is an admin
	Stored     string   `json:"-" db:"duties"`
}

// TeamUnit is an organization below.
type TeamUnit struct {
	ID     string `json:"id" db:"id"`
	Name   string `json:"name" db:"name"`
	Kind   string `json:"kind" db:"kind"`
	Status string `json:"status" db:"status"`
	Parent string `json:"parent" db:"parent"`
	People int    `json:"people" db:"people"`
}

// RoleChoice is a role that the caller may give.
type RoleChoice struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// TeamPage is all about the people of one organization (docs/api.md).
type TeamPage struct {
	Organization struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Status string `json:"status"`
	} `json:"organization"`
	CanManage   bool            `json:"can_manage"`
	CanLend     bool            `json:"can_lend"`
	Why         string          `json:"why"` // why the caller may only look; empty if more is possible
	Roles       []RoleChoice    `json:"roles"`
	Duties      []string        `json:"duties"` // those that the caller may give
	Lends       []string        `json:"lends"`  // the powers that the caller may lend
	People      []Mate          `json:"people"`
	Above       int             `json:"above"` // how many people see this by an organization above it
	Invitations []InvitationRow `json:"invitations"`
	Units       []TeamUnit      `json:"units"`
	Delegations []LoanRow       `json:"delegations"`
}

const (
	selectTeam = `SELECT m.id AS membership, m.user, u.name, u.email, m.role, COALESCE(m.duties, '[]') AS duties, m.status, COALESCE(v.at, '') AS last_seen
FROM memberships m JOIN users u ON u.id = m.user LEFT JOIN reads v ON v.person = m.user AND v.request = ''
WHERE m.organization = {:id} ORDER BY u.name COLLATE NOCASE, m.id LIMIT 500`

	countAbove = `SELECT COUNT(DISTINCT m.user) FROM memberships m JOIN json_each('["' || replace(trim({:path}, '/'), '/', '","') || '"]') p ON p.value = m.organization
WHERE m.status = 'active' AND m.organization != {:id}`

	selectTree = `SELECT o.id, o.name, o.kind, o.status, o.parent, (SELECT COUNT(*) FROM memberships m WHERE m.organization = o.id AND m.status = 'active') AS people
FROM organizations o WHERE o.path > {:path} AND o.path < {:path} || '~'
AND ({:all} OR EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = o.id AND a.since <= {:now} AND a.until > {:now}))
ORDER BY o.path, o.id LIMIT 500`
)

// Page shows the team of an organization to those who belong to it by a
// membership, and to staff. Members and viewers see who is there; only those who
// look after the team see addresses, invitations and when somebody was last here.
func (t *Team) Page(actor schema.Actor, organization string) (*TeamPage, error) {
	app := t.App
	page := &TeamPage{Roles: []RoleChoice{}, Duties: []string{}, Lends: []string{}, People: []Mate{}, Invitations: []InvitationRow{}, Units: []TeamUnit{}, Delegations: []LoanRow{}}
	p, mine, err := leads(app, t.Clock, actor, organization)
	page.CanManage = err == nil
	if err != nil {
		if page.Why, err = mayLookAt(actor, mine, err); err != nil {
			return nil, err
		}
	}
	page.Organization.ID, page.Organization.Name, page.Organization.Status = p.ID, p.Name, p.Status
	page.mayGive(actor, mine)
	params := dbx.Params{"id": p.ID, "path": p.Path, "me": actor.ID, "now": schema.Stamp(t.Clock())}
	if err := app.DB().NewQuery(selectTeam).Bind(bindUsed(selectTeam, params)).All(&page.People); err != nil {
		return nil, fmt.Errorf("read team of %s: %w", p.ID, err)
	}
	if err := app.DB().NewQuery(countAbove).Bind(bindUsed(countAbove, params)).Row(&page.Above); err != nil {
		return nil, fmt.Errorf("count people above %s: %w", p.ID, err)
	}
	if err := t.people(page, actor, p); err != nil {
		return nil, err
	}
	params["all"] = actor.Kind == schema.ActorSuperuser
	if err := app.DB().NewQuery(selectTree).Bind(bindUsed(selectTree, params)).All(&page.Units); err != nil {
		return nil, fmt.Errorf("read units of %s: %w", p.ID, err)
	}
	if page.Delegations, err = loans(app, t.Clock, actor, loansAt, dbx.Params{"id": p.ID}, page.CanManage); err != nil {
		return nil, err
	}
	if !page.CanManage {
		return page, nil
	}
	records, err := app.FindRecordsByFilter(schema.Invitations, `organization = {:id}`, "-created", 200, 0, dbx.Params{"id": p.ID})
	if err != nil {
		return nil, fmt.Errorf("read invitations of %s: %w", p.ID, err)
	}
	for _, record := range records {
		row, err := t.Invites.Row(app, record)
		if err != nil {
			return nil, err
		}
		page.Invitations = append(page.Invitations, row)
	}
	return page, nil
}

// mayLookAt lets those look who belong to the organization themselves, and
// staff; refused is why they may not do more. A delegate sees no team.
func mayLookAt(actor schema.Actor, mine Standing, refused error) (string, error) {
	var refusal *problem.Error
	if !errors.As(refused, &refusal) || refusal.Code == problem.NotFound {
		return "", refused
	}
	if actor.Kind == schema.ActorUser && !mine.Own().Has(ClientViewer) {
		return "", noPlace()
	}
	return refusal.Message, nil
}

// mayGive says what the caller may hand out and lend.
func (page *TeamPage) mayGive(actor schema.Actor, mine Standing) {
	if page.CanManage {
		for _, r := range roles {
			if r.Role != "delegate" {
				page.Roles = append(page.Roles, RoleChoice{r.Role, r.Text})
			}
		}
	}
	own := mine.Own()
	page.CanLend = actor.Kind == schema.ActorUser && own.May(Delegate)
	page.Duties = append(page.Duties, own.duties()...)
	if !page.CanLend {
		return
	}
	for _, p := range powers {
		if p.Lent && own.May(p.Power) {
			page.Lends = append(page.Lends, string(p.Power))
		}
	}
	page.Lends = append(page.Lends, page.Duties...)
}

// duties are the names among the roles that are not roles, in order.
func (s Standing) duties() []string {
	var list []string
	for name := range s.Roles {
		if !isRole(name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func (t *Team) people(page *TeamPage, actor schema.Actor, p place) error {
	for i := range page.People {
		m := &page.People[i]
		m.Duties, m.RoleText, m.You = schema.Strings(m.Stored), RoleText(m.Role), m.User == actor.ID
		if m.Duties == nil {
			m.Duties = []string{}
		}
		if !page.CanManage {
			m.Email, m.LastSeen = "", ""
			continue
		}
		if m.Role != "admin" || m.Status != "active" {
			continue
		}
		var others int
		if err := t.App.DB().NewQuery(otherAdmins).Bind(dbx.Params{"path": p.Path, "id": m.Membership}).Row(&others); err != nil {
			return fmt.Errorf("count admins of %s: %w", p.ID, err)
		}
		m.LastAdmin = others == 0
	}
	return nil
}

// ListRoute shows a team.
//
//	GET /api/portal/team?organization= → 200 TeamPage; 401; 404 no such organization for the caller, or only as a delegate
func (t *Team) ListRoute(e *core.RequestEvent) error {
	page, err := t.Page(schema.ActorOf(e.Auth, e.RealIP()), e.Request.URL.Query().Get("organization"))
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, page)
}

// ChangeRoute changes a membership.
//
//	PATCH /api/portal/team/{membership} (client admin, manager) {"role"?,"duties"?,"status"?: "active"|"suspended","confirm"?}
//	→ 200 {"membership","role","duties","status"}; 403 prove_again (role, duties, an admin let in again); 400 not_yours, role, last_admin, field_invalid; 401; 404
func (t *Team) ChangeRoute(e *core.RequestEvent) error {
	var in MemberPatch
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	m, err := t.Change(schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id"), in, func() error { return t.Proved(e) })
	if err != nil {
		return problem.Reply(e, err)
	}
	duties := schema.Strings(m.GetString("duties"))
	if duties == nil {
		duties = []string{}
	}
	return e.JSON(http.StatusOK, map[string]any{"membership": m.Id, "role": m.GetString("role"), "duties": duties, "status": m.GetString("status")})
}

// RemoveRoute ends somebody's access, with all that hangs on it.
//
//	POST /api/portal/team/{membership}/remove (client admin, manager) {"hand_over"?: user,"confirm"?}
//	→ 200 {"delegations": n,"invitations": n,"handed_over": [{"request","number","title","what"}],"open": […]}; 400 not_yours, role, last_admin, bad_input; 401; 404
func (t *Team) RemoveRoute(e *core.RequestEvent) error {
	var in Departure
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	gone, err := t.Remove(schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id"), in)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, gone)
}
