package access

import (
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Guard keeps the access table true: its hooks run inside the transaction that
// writes a source, whoever writes it.
type Guard struct {
	Clock schema.Clock
}

// inTransaction runs the write and what follows from it as one.
func inTransaction(e *core.RecordEvent, follow func(tx core.App) error) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		return follow(tx)
	})
}

// FillOrganization sets what is derived before an organization is stored: its
// path of ancestors and its scope.
func (g Guard) FillOrganization(e *core.RecordEvent) error {
	o := e.Record
	if o.Id == "" {
		o.Id = schema.NewID()
	}
	if o.GetString("kind") == "" {
		o.Set("kind", "client")
	}
	if o.GetString("status") == "" {
		o.Set("status", "active")
	}
	path := "/" + o.Id + "/"
	if parent := o.GetString("parent"); parent != "" {
		above, err := e.App.FindRecordById(schema.Organizations, parent)
		if err != nil {
			return problem.Hook(e.App, problem.Field("parent", problem.BadInput, "There is no such parent organization.").Because(err))
		}
		if slices.Contains(ancestors(above.GetString("path")), any(o.Id)) {
			return problem.Hook(e.App, problem.Field("parent", problem.BadInput, "An organization cannot lie below itself."))
		}
		path = above.GetString("path") + o.Id + "/"
	}
	if o.GetString("merged_into") == o.Id {
		return problem.Hook(e.App, problem.Field("merged_into", problem.BadInput, "An organization is not merged into itself."))
	}
	o.Set("path", path)
	o.Set("scope", o.Id)
	return e.Next()
}

// OrganizationSaved derives who sees a new, moved, archived or reopened
// organization, and moves the paths of everything below it.
func (g Guard) OrganizationSaved(e *core.RecordEvent) error {
	var was struct {
		Path   string `db:"path"`
		Status string `db:"status"`
	}
	after, isNew := e.Record.GetString("path"), e.Record.IsNew()
	if !isNew {
		// As stored: a record that was made and changed in one go has no original,
		// and an empty path would be that of everybody.
		err := e.App.DB().NewQuery(`SELECT path, status FROM organizations WHERE id = {:id}`).Bind(dbx.Params{"id": e.Record.Id}).One(&was)
		if err != nil {
			return fmt.Errorf("read path of organization %s: %w", e.Record.Id, err)
		}
	}
	before := was.Path
	reopened := (was.Status == "archived") != (e.Record.GetString("status") == "archived")
	return inTransaction(e, func(tx core.App) error {
		if !isNew && before == after && !reopened {
			return nil
		}
		if !isNew && before != after {
			_, err := tx.DB().NewQuery(`UPDATE organizations SET path = {:after} || substr(path, length({:before}) + 1) WHERE path > {:before} AND path < {:before} || '~'`).
				Bind(dbx.Params{"before": before, "after": after}).Execute()
			if err != nil {
				return fmt.Errorf("move organizations below %s: %w", e.Record.Id, err)
			}
		}
		if err := Subtree(tx, after, g.Clock()); err != nil {
			return err
		}
		return g.ownScopes(tx, `organization IN (SELECT id FROM organizations WHERE path >= {:path} AND path < {:path} || '~')`, dbx.Params{"path": after})
	})
}

// FillMembership sets the scope and the first status.
func (g Guard) FillMembership(e *core.RecordEvent) error {
	e.Record.Set("scope", e.Record.GetString("organization"))
	if e.Record.GetString("status") == "" {
		e.Record.Set("status", "active")
	}
	return e.Next()
}

// MembershipSaved derives what the person, and those who act for the person,
// may see from now on.
func (g Guard) MembershipSaved(e *core.RecordEvent) error {
	people := []string{e.Record.GetString("user"), e.Record.Original().GetString("user")}
	return inTransaction(e, func(tx core.App) error { return g.people(tx, people) })
}

// FillDelegation sets the scope: whoever sees what was lent sees that it was. It
// refuses what cannot be one: lent to oneself, over before it begins, a request
// of another organization.
func (g Guard) FillDelegation(e *core.RecordEvent) error {
	d := e.Record
	d.Set("scope", d.GetString("organization"))
	if d.GetString("from") == d.GetString("to") {
		return problem.Hook(e.App, problem.Field("to", problem.BadInput, "Nobody acts for oneself. Choose somebody else."))
	}
	if !d.GetDateTime("ends").Time().After(d.GetDateTime("starts").Time()) {
		return problem.Hook(e.App, problem.Field("ends", problem.BadInput, "The end lies after the start."))
	}
	if request := d.GetString("request"); request != "" {
		var inside int
		err := e.App.DB().NewQuery(`SELECT COUNT(*) FROM requests r JOIN organizations o ON o.id = r.organization JOIN organizations top ON top.id = {:organization}
			WHERE r.id = {:request} AND o.path >= top.path AND o.path < top.path || '~'`).Bind(dbx.Params{"request": request, "organization": d.GetString("organization")}).Row(&inside)
		if err != nil {
			return fmt.Errorf("read request of a delegation: %w", err)
		}
		if inside == 0 {
			return problem.Hook(e.App, problem.Field("request", problem.BadInput, "There is no such request of this organization."))
		}
		d.Set("scope", request)
	}
	return e.Next()
}

// DelegationSaved derives what the delegate may see.
func (g Guard) DelegationSaved(e *core.RecordEvent) error {
	people := []string{e.Record.GetString("to"), e.Record.Original().GetString("to")}
	requests := []string{e.Record.GetString("request"), e.Record.Original().GetString("request")}
	return inTransaction(e, func(tx core.App) error {
		if err := g.people(tx, people); err != nil {
			return err
		}
		return g.requests(tx, requests)
	})
}

// StaffSaved derives what a member of staff may see, and what the programs of
// that person are from now on.
func (g Guard) StaffSaved(e *core.RecordEvent) error {
	id, by := e.Record.Id, schema.ActorOn(e.Context, e.Record)
	return inTransaction(e, func(tx core.App) error {
		if err := Staff(tx, id, g.Clock()); err != nil {
			return err
		}
		if err := followMaker(tx, e.Record, by, g.Clock()); err != nil {
			return err
		}
		return g.ownScopes(tx, `1 = 1`, nil)
	})
}

// WallSaved takes sight away, or gives it back.
func (g Guard) WallSaved(e *core.RecordEvent) error {
	staff, request := e.Record.GetString("staff"), e.Record.GetString("request")
	return inTransaction(e, func(tx core.App) error {
		if err := behindWall(tx, staff, g.Clock()); err != nil {
			return err
		}
		// The request may get its own scope, or lose it; all others keep theirs.
		if err := g.requests(tx, []string{request}); err != nil {
			return err
		}
		return g.ownScopes(tx, `1 = 1`, nil)
	})
}

// behindWall derives for a person, and for the programs that act for the person.
func behindWall(tx core.App, staff string, now time.Time) error {
	var programs []string
	if err := tx.DB().NewQuery(`SELECT id FROM staff WHERE maker = {:maker} AND active = 1`).Bind(dbx.Params{"maker": staff}).Column(&programs); err != nil {
		return fmt.Errorf("find programs of %s: %w", staff, err)
	}
	for _, id := range append(programs, staff) {
		if err := Staff(tx, id, now); err != nil {
			return err
		}
	}
	return nil
}

// people derives for the users, for those who hold a delegation of theirs, and
// for the requests with a scope of their own that they may touch.
func (g Guard) people(tx core.App, users []string) error {
	slices.Sort(users)
	for _, user := range slices.Compact(users) {
		if user == "" {
			continue
		}
		if err := User(tx, user, g.Clock()); err != nil {
			return err
		}
		var delegates []string
		if err := tx.DB().NewQuery(`SELECT DISTINCT "to" FROM delegations WHERE "from" = {:user}`).Bind(dbx.Params{"user": user}).Column(&delegates); err != nil {
			return fmt.Errorf("find delegates of %s: %w", user, err)
		}
		for _, delegate := range delegates {
			if err := User(tx, delegate, g.Clock()); err != nil {
				return err
			}
		}
		err := g.ownScopes(tx, `organization IN (SELECT o.id FROM organizations o JOIN (SELECT organization FROM memberships WHERE user = {:user} UNION SELECT organization FROM delegations WHERE "to" = {:user}) m
			JOIN organizations top ON top.id = m.organization WHERE o.path >= top.path AND o.path < top.path || '~') OR id IN (SELECT scope FROM access WHERE principal = {:user})`, dbx.Params{"user": user})
		if err != nil {
			return err
		}
	}
	return nil
}

func (g Guard) requests(tx core.App, ids []string) error {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id == "" {
			continue
		}
		if err := Request(tx, id, g.Clock()); err != nil {
			return err
		}
	}
	return nil
}

// ownScopes derives the requests with a scope of their own again, among those
// that where selects.
func (g Guard) ownScopes(tx core.App, where string, params dbx.Params) error {
	var ids []string
	err := tx.DB().NewQuery(`SELECT id FROM requests WHERE scope != 'staff:' || organization AND (` + where + `)`).Bind(params).Column(&ids)
	if err != nil {
		return fmt.Errorf("find requests with a scope of their own: %w", err)
	}
	return g.requests(tx, ids)
}
