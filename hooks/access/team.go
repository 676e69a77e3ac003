package access

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Team are the commands on the people of an organization: by its own admins, by
// those of an organization above it, and by managers of the firm.
//
// Leave takes somebody out of the requests that name the person; the engine
// hands it in, since requests are its own.
type Team struct {
	App     core.App
	Clock   schema.Clock
	Invites *Invitations
	Proved  func(e *core.RequestEvent) error // refuses who has to prove to be the same person still
	Audit   func(tx core.App, t Trace) error
	Leave   func(tx core.App, actor schema.Actor, leaver, heir, path string) (Left, error)
}

// Left is what somebody who goes leaves behind on open requests.
type Left struct {
	HandedOver []Loose `json:"handed_over"` // now the heir's
	Open       []Loose `json:"open"`        // nobody's yet: somebody has to look after it
}

// Loose is one part in a request: a duty, or taking part where it is restricted.
type Loose struct {
	Request string `json:"request"`
	Number  string `json:"number"`
	Title   string `json:"title"`
	What    string `json:"what"`
}

// MemberPatch is what changes of a membership; nil leaves it as it is.
type MemberPatch struct {
	Role    *string  `json:"role"`
	Duties  []string `json:"duties"`
	Status  *string  `json:"status"`  // active suspended
	Confirm bool     `json:"confirm"` // staff: also if no admin is left
}

// place is an organization as the team's rules need it.
type place struct {
	ID     string `db:"id"`
	Name   string `db:"name"`
	Path   string `db:"path"`
	Status string `db:"status"`
}

func placeOf(app core.App, id string) (place, error) {
	var p place
	err := app.DB().NewQuery(`SELECT id, name, path, status FROM organizations WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return p, noPlace()
	}
	if err != nil {
		return p, fmt.Errorf("read organization %s: %w", id, err)
	}
	return p, nil
}

func noPlace() *problem.Error {
	return problem.New(problem.NotFound, "There is no such organization.")
}

// leads says by what right an actor looks after the people of an organization:
// the own standing for clients, whose duties are the most that can be handed
// out. It refuses those who may not; for whom there is no such organization it
// is not there.
func leads(app core.App, clock schema.Clock, actor schema.Actor, organization string) (place, Standing, error) {
	p, err := placeOf(app, organization)
	if err != nil || actor.Kind == schema.ActorSuperuser || actor.Kind == schema.ActorSystem {
		return p, Standing{}, err
	}
	scope := organization
	if actor.Kind == schema.ActorStaff {
		scope = schema.StaffScope(organization)
	}
	sees, err := Sees(app, actor.ID, scope, clock())
	if err != nil {
		return p, Standing{}, err
	}
	if !sees {
		return p, Standing{}, noPlace()
	}
	if actor.Kind == schema.ActorStaff {
		member, err := StaffOf(app, actor.ID)
		if err == nil && !member.AtLeast("manager") {
			err = problem.New(problem.Role, "Only a manager or an owner looks after a client's people.")
		}
		return p, Standing{}, err
	}
	standing, err := OfUser(app, actor.ID, p.Path, "", clock())
	if err != nil {
		return p, standing, err
	}
	if why := standing.Refuses(ManageTeam, "Only an admin of "+p.Name+" looks after its people."); why != "" || standing.OnBehalfOf != "" {
		return p, standing, problem.New(problem.NotYours, why)
	}
	return p, standing, nil
}

// handsOut refuses what the giver does not have: a role that reaches further, a
// duty of somebody else. What the person has already stays possible.
func handsOut(actor schema.Actor, mine Standing, role string, duties, had []string) error {
	if actor.Kind != schema.ActorUser {
		return nil
	}
	if !mine.Has(ClientAdmin) && !reaches("member", role) {
		return problem.Field("role", problem.NotYours, "You can give at most the role that you have.")
	}
	for _, duty := range duties {
		if isRole(duty) || (!slices.Contains(had, duty) && !mine.Has(duty)) {
			return problem.Field("duties", problem.NotYours, fmt.Sprintf("You do not have the duty %q, so you cannot give it. Ask your contact.", duty))
		}
	}
	return nil
}

// otherAdmins counts the active admins who look after an organization beside
// one membership: its own, and those of the organizations above it.
const otherAdmins = `SELECT COUNT(*) FROM memberships m JOIN json_each('["' || replace(trim({:path}, '/'), '/', '","') || '"]') p ON p.value = m.organization
WHERE m.role = 'admin' AND m.status = 'active' AND m.id != {:id}`

// keepAnAdmin refuses a change after which nobody on the client's side would
// look after the organization. Staff may do it knowingly.
func keepAnAdmin(tx core.App, actor schema.Actor, p place, membership string, was, is bool, confirmed bool) error {
	if !was || is || actor.Kind == schema.ActorSuperuser || (actor.Kind == schema.ActorStaff && confirmed) {
		return nil
	}
	var others int
	if err := tx.DB().NewQuery(otherAdmins).Bind(dbx.Params{"path": p.Path, "id": membership}).Row(&others); err != nil {
		return fmt.Errorf("count admins of %s: %w", p.ID, err)
	}
	if others > 0 {
		return nil
	}
	message := "This is the last admin of " + p.Name + ". Make somebody else an admin first."
	if actor.Kind == schema.ActorStaff {
		message = "This is the last admin of " + p.Name + ": nobody there could invite people or change roles. Confirm that you want that."
	}
	return problem.Field("role", problem.LastAdmin, message)
}

func isAdmin(m *core.Record) bool {
	return m.GetString("role") == "admin" && m.GetString("status") == "active"
}

// mayWrite decides on a changed membership, inside the transaction that stores
// it. before is as it is stored.
func (t *Team) mayWrite(tx core.App, actor schema.Actor, before, after *core.Record, confirmed bool) error {
	for _, name := range []string{"user", "organization"} {
		if before.GetString(name) != after.GetString(name) && actor.Kind != schema.ActorSuperuser {
			return problem.Field(name, problem.FieldLocked, "A membership stays with its person and its organization. End it and make a new one.")
		}
	}
	p, mine, err := leads(tx, t.Clock, actor, before.GetString("organization"))
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"admin", "member", "viewer"}, after.GetString("role")) {
		return problem.Field("role", problem.FieldInvalid, "The role is admin, member or viewer.")
	}
	if actor.Kind == schema.ActorUser && after.GetString("status") != before.GetString("status") && after.GetString("status") == "invited" {
		return problem.Field("status", problem.FieldInvalid, "A membership is active or suspended.")
	}
	if err := handsOut(actor, mine, after.GetString("role"), schema.Strings(after.GetString("duties")), schema.Strings(before.GetString("duties"))); err != nil {
		return err
	}
	return keepAnAdmin(tx, actor, p, before.Id, isAdmin(before), isAdmin(after), confirmed)
}

// within runs a command on a membership that the actor may write.
func (t *Team) within(actor schema.Actor, membership string, command func(tx core.App, m *core.Record) error) error {
	return t.App.RunInTransaction(func(tx core.App) error {
		m, err := tx.FindRecordById(schema.Memberships, membership)
		if errors.Is(err, sql.ErrNoRows) {
			return noMember()
		}
		if err != nil {
			return fmt.Errorf("find membership %s: %w", membership, err)
		}
		if _, _, err := leads(tx, t.Clock, actor, m.GetString("organization")); err != nil {
			var refusal *problem.Error
			if errors.As(err, &refusal) && refusal.Code == problem.NotFound {
				return noMember()
			}
			return err
		}
		schema.SetActor(m, actor)
		return command(tx, m)
	})
}

func noMember() *problem.Error {
	return problem.New(problem.NotFound, "There is no such person in your team.")
}

// Change gives a member another role, other duties, or takes and gives back the
// access for a while. proved is asked where that gives powers.
func (t *Team) Change(actor schema.Actor, membership string, in MemberPatch, proved func() error) (*core.Record, error) {
	var changed *core.Record
	err := t.within(actor, membership, func(tx core.App, m *core.Record) error {
		before := m.Fresh()
		if in.Role != nil {
			m.Set("role", *in.Role)
		}
		if in.Duties != nil {
			m.Set("duties", in.Duties)
		}
		if in.Status != nil {
			if !slices.Contains([]string{"active", "suspended"}, *in.Status) {
				return problem.Field("status", problem.FieldInvalid, "A membership is active or suspended.")
			}
			m.Set("status", *in.Status)
		}
		if err := t.mayWrite(tx, actor, before, m, in.Confirm); err != nil {
			return err
		}
		if membershipMatters(m, before) {
			if err := proved(); err != nil {
				return err
			}
		}
		changed = m
		if err := tx.Save(m); err != nil {
			return fmt.Errorf("save membership %s: %w", m.Id, err)
		}
		return nil
	})
	return changed, err
}

// Departure is how somebody goes: to whom the person's parts in requests fall,
// and whether staff know that no admin is left.
type Departure struct {
	HandOver string `json:"hand_over"` // id of a user; empty: nobody
	Confirm  bool   `json:"confirm"`
}

// Gone is what came of it.
type Gone struct {
	Delegations int `json:"delegations"` // ended
	Invitations int `json:"invitations"` // withdrawn
	Left
}

// Remove ends somebody's access: the membership, the delegations from and to the
// person there, open invitations to the same address; the parts in requests go
// to an heir or are listed. Access, mail and live pages end with the commit,
// since they read the same rows. What the person did stays in the history.
func (t *Team) Remove(actor schema.Actor, membership string, in Departure) (Gone, error) {
	gone := Gone{Left: Left{HandedOver: []Loose{}, Open: []Loose{}}}
	err := t.within(actor, membership, func(tx core.App, m *core.Record) error {
		user, organization := m.GetString("user"), m.GetString("organization")
		p, err := placeOf(tx, organization)
		if err != nil {
			return err
		}
		if err := keepAnAdmin(tx, actor, p, m.Id, isAdmin(m), false, in.Confirm); err != nil {
			return err
		}
		if in.HandOver != "" {
			if sees, err := Sees(tx, in.HandOver, organization, t.Clock()); err != nil || !sees || in.HandOver == user {
				return errors.Join(err, problem.Field("hand_over", problem.BadInput, "Choose somebody else of this organization."))
			}
		}
		if err := tx.Delete(m); err != nil {
			return fmt.Errorf("delete membership %s: %w", m.Id, err)
		}
		// Somebody may still belong by a membership above: what that one lends goes on.
		var belongs bool
		err = tx.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM access WHERE principal = {:user} AND scope = {:organization} AND source = 'membership')`).
			Bind(dbx.Params{"user": user, "organization": organization}).Row(&belongs)
		if err != nil {
			return fmt.Errorf("read access of %s: %w", user, err)
		}
		if gone.Delegations, err = endDelegations(tx, actor, user, p.Path, belongs); err != nil {
			return err
		}
		if gone.Invitations, err = t.withdraw(tx, actor, user, p.Path); err != nil {
			return err
		}
		if belongs {
			return nil
		}
		gone.Left, err = t.Leave(tx, actor, user, in.HandOver, p.Path)
		return err
	})
	return gone, err
}

// withdraw revokes the open invitations to somebody's address below a path.
func (t *Team) withdraw(tx core.App, actor schema.Actor, user, path string) (int, error) {
	var ids []string
	err := tx.DB().NewQuery(`SELECT i.id FROM invitations i JOIN organizations o ON o.id = i.organization JOIN users u ON u.id = {:user}
		WHERE i.email = u.email COLLATE NOCASE AND i.status IN ('queued','sent','bounced','opened') AND o.path >= {:path} AND o.path < {:path} || '~'`).
		Bind(dbx.Params{"user": user, "path": path}).Column(&ids)
	if err != nil {
		return 0, fmt.Errorf("find invitations of %s: %w", user, err)
	}
	for _, id := range ids {
		record, err := tx.FindRecordById(schema.Invitations, id)
		if err != nil {
			return 0, fmt.Errorf("find invitation %s: %w", id, err)
		}
		before := record.GetString("status")
		record.Set("status", "revoked")
		schema.SetActor(record, actor)
		if err := tx.Save(record); err != nil {
			return 0, fmt.Errorf("save invitation %s: %w", id, err)
		}
		err = t.Audit(tx, Trace{
			Actor: actor, Action: "update", Collection: schema.Invitations, Record: id, Organization: record.GetString("organization"),
			Change: map[string]any{"status": beforeAfter(before, "revoked")}, Scope: record.GetString("scope"), At: t.Clock(),
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
