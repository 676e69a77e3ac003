package access

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// writing runs a record request in one transaction: what decides on it sees what
// the write will change, and nobody changes it in between. PocketBase's rules
// have let the caller through by the old row only.
func writing(e *core.RecordRequestEvent, decide func(tx core.App, actor schema.Actor) error) error {
	outer := e.App
	defer func() { e.App = outer }()
	return problem.Hook(outer, outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := decide(tx, schema.ActorOf(e.Auth, e.RealIP())); err != nil {
			return err
		}
		return e.Next()
	}))
}

// CreateMembership lets managers make somebody a member at once. Clients invite:
// nobody becomes a member without having agreed.
func (t *Team) CreateMembership(e *core.RecordRequestEvent) error {
	return writing(e, func(tx core.App, actor schema.Actor) error {
		if actor.Kind != schema.ActorSuperuser && actor.Kind != schema.ActorStaff {
			return problem.New(problem.Forbidden, "Invite the person instead.")
		}
		_, _, err := leads(tx, t.Clock, actor, e.Record.GetString("organization"))
		return err
	})
}

// UpdateMembership lets those who look after the team change a membership. By
// the record API staff are taken at their word: the console asks before the last
// admin goes.
func (t *Team) UpdateMembership(e *core.RecordRequestEvent) error {
	return writing(e, func(tx core.App, actor schema.Actor) error {
		before, err := tx.FindRecordById(schema.Memberships, e.Record.Id)
		if err != nil {
			return noMember().Because(err)
		}
		return t.mayWrite(tx, actor, before, e.Record, true)
	})
}

// DeleteMembership ends a membership, likewise. Remove does more: it also ends
// what hangs on it.
func (t *Team) DeleteMembership(e *core.RecordRequestEvent) error {
	return writing(e, func(tx core.App, actor schema.Actor) error {
		m, err := tx.FindRecordById(schema.Memberships, e.Record.Id)
		if err != nil {
			return noMember().Because(err)
		}
		p, _, err := leads(tx, t.Clock, actor, m.GetString("organization"))
		if err != nil {
			return err
		}
		return keepAnAdmin(tx, actor, p, m.Id, isAdmin(m), false, true)
	})
}

// WriteOrganization lets managers make and change organizations that they see,
// below organizations that they see.
func (t *Team) WriteOrganization(e *core.RecordRequestEvent) error {
	return writing(e, func(tx core.App, actor schema.Actor) error {
		if err := atLeast(e, "manager"); err != nil {
			return err
		}
		for _, name := range []string{"parent", "merged_into"} {
			other := e.Record.GetString(name)
			if other == "" || actor.Kind != schema.ActorStaff {
				continue
			}
			sees, err := Sees(tx, actor.ID, schema.StaffScope(other), t.Clock())
			if err != nil {
				return err
			}
			if !sees {
				return problem.Field(name, problem.BadInput, fmt.Sprintf("There is no such organization for %q, or you do not have access to it.", name))
			}
		}
		return nil
	})
}
