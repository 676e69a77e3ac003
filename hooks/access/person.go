package access

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// StaffMember is what commands need to know of a person of the firm.
type StaffMember struct {
	ID     string
	Name   string
	Email  string
	Role   string // viewer operator manager owner
	Duties []string
	Active bool
	Maker  string // of a program: whose powers it uses; empty for people
}

// rank orders the staff roles: each may do what the one below may.
var rank = map[string]int{"viewer": 1, "operator": 2, "manager": 3, "owner": 4}

// AtLeast says whether the member's role reaches role.
func (m StaffMember) AtLeast(role string) bool { return m.Active && rank[m.Role] >= rank[role] }

// MemberOf is the member of staff that an actor is.
func MemberOf(a schema.Actor) StaffMember {
	return StaffMember{ID: a.ID, Name: a.Name, Role: a.Role, Duties: a.Duties, Active: a.Active, Maker: a.OnBehalfOf}
}

// StaffOf reads a member of staff; sql.ErrNoRows (wrapped) if there is none.
func StaffOf(app core.App, id string) (StaffMember, error) {
	var r struct {
		ID     string `db:"id"`
		Name   string `db:"name"`
		Email  string `db:"email"`
		Role   string `db:"role"`
		Duties string `db:"duties"`
		Active bool   `db:"active"`
		Maker  string `db:"maker"`
	}
	err := app.DB().NewQuery("SELECT id, name, email, role, COALESCE(duties, '[]') AS duties, active, maker FROM staff WHERE id = {:id}").Bind(dbx.Params{"id": id}).One(&r)
	if err != nil {
		return StaffMember{}, fmt.Errorf("read staff %s: %w", id, err)
	}
	return StaffMember{ID: r.ID, Name: r.Name, Email: r.Email, Role: r.Role, Duties: schema.Strings(r.Duties), Active: r.Active, Maker: r.Maker}, nil
}
