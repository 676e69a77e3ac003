package access

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// The roles of a membership, as workflows name them.
const (
	ClientAdmin    = "client_admin"
	ClientMember   = "client_member"
	ClientViewer   = "client_viewer"
	ClientDelegate = "client_delegate"
)

// Standing is what somebody is on an organization: the names that a workflow
// may list under "by" (roles and duties), and for whom a delegate acts.
type Standing struct {
	Roles      map[string]bool
	OnBehalfOf string // the giver's id
	GiverName  string
	Until      time.Time // of the delegation
}

// Has says whether one of names is among the roles.
func (s Standing) Has(names ...string) bool {
	for _, name := range names {
		if s.Roles[name] {
			return true
		}
	}
	return false
}

// ReadsOnly says whether nothing but looking is allowed.
func (s Standing) ReadsOnly() bool {
	return !s.Has(ClientAdmin, ClientMember, ClientDelegate)
}

// OfUser works out a user's standing on an organization from its path: the
// memberships there and on every ancestor, else a live delegation. An admin may
// do what a member may, a member what a viewer may.
func OfUser(app core.App, user, path, request string, now time.Time) (Standing, error) {
	standing := Standing{Roles: map[string]bool{}}
	ids := ancestors(path)
	if len(ids) == 0 {
		return standing, nil
	}
	var rows []struct {
		Role   string `db:"role"`
		Duties string `db:"duties"`
	}
	err := app.DB().Select("role", "COALESCE(duties, '[]') AS duties").From(schema.Memberships).
		Where(dbx.HashExp{"user": user, "status": "active"}).AndWhere(dbx.In("organization", ids...)).All(&rows)
	if err != nil {
		return standing, fmt.Errorf("read memberships of %s: %w", user, err)
	}
	for _, r := range rows {
		add(standing.Roles, r.Role)
		for _, duty := range schema.Strings(r.Duties) {
			standing.Roles[duty] = true
		}
	}
	if len(rows) > 0 {
		return standing, nil
	}
	return delegated(app, standing, user, ids, request, now)
}

func add(roles map[string]bool, role string) {
	switch role {
	case "admin":
		roles[ClientAdmin], roles[ClientMember], roles[ClientViewer] = true, true, true
	case "member":
		roles[ClientMember], roles[ClientViewer] = true, true
	case "viewer":
		roles[ClientViewer] = true
	}
}

// delegated finds the delegation by which a user without membership acts: a
// live one whose giver still has a membership there that may act.
func delegated(app core.App, standing Standing, user string, ids []any, request string, now time.Time) (Standing, error) {
	var rows []struct {
		From string `db:"from"`
		Name string `db:"name"`
		Ends string `db:"ends"`
	}
	err := app.DB().Select("d.from", "u.name", "d.ends").From("delegations d").
		InnerJoin("users u", dbx.NewExp("u.id = d.[[from]]")).
		Where(dbx.HashExp{"d.to": user, "d.revoked": false}).AndWhere(dbx.In("d.organization", ids...)).
		AndWhere(dbx.NewExp("d.starts <= {:now} AND d.ends > {:now} AND (d.request = '' OR d.request = {:request})", dbx.Params{"now": schema.Stamp(now), "request": request})).
		AndWhere(dbx.Exists(dbx.NewExp("SELECT 1 FROM memberships g WHERE g.user = d.[[from]] AND g.status = 'active' AND g.role != 'viewer' AND g.organization IN (SELECT value FROM json_each({:ids}))", dbx.Params{"ids": schema.JSON(ids)}))).
		OrderBy("d.ends DESC").Limit(1).All(&rows)
	if err != nil {
		return standing, fmt.Errorf("read delegations to %s: %w", user, err)
	}
	if len(rows) > 0 {
		standing.Roles[ClientDelegate], standing.Roles[ClientViewer] = true, true
		standing.OnBehalfOf, standing.GiverName, standing.Until = rows[0].From, rows[0].Name, schema.Time(rows[0].Ends)
	}
	return standing, nil
}

// OfStaff is a member's standing: the duties, if the role lets them act at all.
func OfStaff(member StaffMember) Standing {
	standing := Standing{Roles: map[string]bool{}}
	if !member.AtLeast("operator") {
		return standing
	}
	for _, duty := range member.Duties {
		standing.Roles[duty] = true
	}
	return standing
}

func ancestors(path string) []any {
	var ids []any
	for id := range strings.SplitSeq(path, "/") {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// bindUsed keeps the parameters that a statement names: dbx refuses no extra
// ones, but the driver does.
func bindUsed(statement string, params dbx.Params) dbx.Params {
	used := dbx.Params{}
	for name, value := range params {
		if strings.Contains(statement, "{:"+name+"}") {
			used[name] = value
		}
	}
	return used
}
