package report

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// Member is a person of the firm.
type Member struct {
	ID     string   `json:"id" db:"id"`
	Name   string   `json:"name" db:"name"`
	Email  string   `json:"email" db:"email"`
	Role   string   `json:"role" db:"role"`
	Duties []string `json:"duties" db:"-"`
	Active bool     `json:"active" db:"active"`
	Stored string   `json:"-" db:"stored"`
}

// GetStaff lists the firm's people.
//
//	GET /api/portal/staff (staff) → 200 [{"id","name","email","role","duties","active"}]; 401; 403 clients
func (r *Reports) GetStaff(e *core.RequestEvent) error {
	if _, err := r.staff(e); err != nil {
		return problem.Reply(e, err)
	}
	members := []Member{}
	err := e.App.DB().NewQuery(`SELECT id, name, email, role, active, COALESCE(duties, '[]') AS stored FROM staff WHERE maker = '' ORDER BY active DESC, name COLLATE NOCASE, id`).All(&members)
	if err != nil {
		return problem.Reply(e, fmt.Errorf("read staff: %w", err))
	}
	for i := range members {
		members[i].Duties = list(members[i].Stored)
	}
	return e.JSON(http.StatusOK, members)
}
