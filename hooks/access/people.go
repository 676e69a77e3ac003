package access

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// What the firm may do about other people's sign-ins: managers about clients
// whom they see, owners about staff.

const organizationsOf = `SELECT organization FROM memberships WHERE user = {:id} UNION SELECT organization FROM delegations WHERE "to" = {:id}`

// other finds the person that a route names, for whoever may manage that person.
// Somebody one may not see is not there.
func (s *Sessions) other(e *core.RequestEvent) (*core.Record, error) {
	actor, id := schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id")
	if actor.Kind == schema.ActorUser {
		return nil, problem.New(problem.Forbidden, "Only the firm's staff may do this.")
	}
	super, member := actor.Kind == schema.ActorSuperuser, MemberOf(actor)
	if !super && !member.AtLeast("manager") {
		return nil, problem.New(problem.Role, "Only a manager or an owner may do this.")
	}
	staff, err := e.App.FindRecordById(schema.Staff, id)
	if err == nil {
		if !super && !member.AtLeast("owner") {
			return nil, problem.New(problem.Role, "Only an owner may do this for a colleague.")
		}
		return staff, nil
	}
	missing := problem.New(problem.NotFound, "There is no such person.")
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("find person: %w", err)
	}
	user, err := e.App.FindRecordById(schema.Users, id)
	if err != nil {
		return nil, missing.Because(err)
	}
	places, err := s.visiblePlaces(e.App, actor, id)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 && !super {
		return nil, missing
	}
	return user, nil
}

// visiblePlaces are the organizations of a client that the actor may see.
func (s *Sessions) visiblePlaces(app core.App, actor schema.Actor, user string) ([]string, error) {
	where, params := organizationsOf, dbx.Params{"id": user}
	if actor.Kind != schema.ActorSuperuser {
		where = `SELECT organization FROM (` + organizationsOf + `) o WHERE EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = 'staff:' || o.organization AND a.since <= {:now} AND a.until > {:now})`
		params["me"], params["now"] = actor.ID, schema.Stamp(s.Clock())
	}
	var places []string
	if err := app.DB().NewQuery(where).Bind(params).Column(&places); err != nil {
		return nil, fmt.Errorf("read organizations of %s: %w", user, err)
	}
	return places, nil
}

// PersonSessionsRoute shows where somebody is signed in, and how the second
// factor stands.
//
//	GET /api/portal/people/{id}/sessions (manager for clients, owner for staff)
//	→ 200 {"items":[SessionRow],"second_factor":{"app","reset_asked_by","reset_asked_at"}}; 400 role; 401; 403 clients; 404
func (s *Sessions) PersonSessionsRoute(e *core.RequestEvent) error {
	who, err := s.other(e)
	if err != nil {
		return err
	}
	rows, err := s.Of(e.App, who.Id, CurrentSession(e))
	if err != nil {
		return err
	}
	factor, err := resetOf(e.App, who.Id)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"items": rows, "second_factor": factor})
}

// EndPersonRoute signs somebody out everywhere.
//
//	DELETE /api/portal/people/{id}/sessions (manager for clients, owner for staff) → 200 {"ended": n}; 400 role; 401; 403; 404
func (s *Sessions) EndPersonRoute(e *core.RequestEvent) error {
	who, err := s.other(e)
	if err != nil {
		return err
	}
	n, err := s.end(schema.ActorOf(e.Auth, e.RealIP()), endByStaff, `principal = {:id}`, dbx.Params{"id": who.Id})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"ended": n})
}

// Offboarded is what an offboarding ended.
type Offboarded struct {
	Memberships int `json:"memberships"`
	Delegations int `json:"delegations"` // to the person, and from the person
	Invitations int `json:"invitations"`
	Sessions    int `json:"sessions"`
}

// OffboardRoute ends everything that somebody has here, in one transaction:
// memberships and open invitations of the organizations that the caller sees,
// delegations both ways, sessions; of staff, the account. What the person did
// stays in the history, and mails stop with the access.
//
//	POST /api/portal/people/{id}/offboard (manager for clients, owner for staff) → 200 Offboarded; 400 role, last owner; 401; 403; 404
func (s *Sessions) OffboardRoute(e *core.RequestEvent) error {
	who, err := s.other(e)
	if err != nil {
		return err
	}
	actor := schema.ActorOf(e.Auth, e.RealIP())
	if actor.ID == who.Id {
		return problem.New(problem.SamePerson, "Nobody takes the own access away here. Ask a colleague.")
	}
	var left Offboarded
	err = s.App.RunInTransaction(func(tx core.App) error {
		if who.Collection().Name == schema.Staff {
			return s.offboardStaff(tx, actor, who, &left)
		}
		return s.offboardClient(tx, actor, who, &left)
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, left)
}

const countOpen = `SELECT COUNT(*) FROM sessions WHERE principal = {:id} AND ended = ''`

func (s *Sessions) offboardStaff(tx core.App, actor schema.Actor, who *core.Record, left *Offboarded) error {
	if err := tx.DB().NewQuery(countOpen).Bind(dbx.Params{"id": who.Id}).Row(&left.Sessions); err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	if who.GetString("role") == "owner" && who.GetBool("active") {
		if err := lastOwner(tx, who.Id); err != nil {
			return err
		}
	}
	who.Set("active", false)
	schema.SetActor(who, actor)
	if err := tx.Save(who); err != nil {
		return fmt.Errorf("deactivate %s: %w", who.Id, err)
	}
	return nil
}

func (s *Sessions) offboardClient(tx core.App, actor schema.Actor, who *core.Record, left *Offboarded) error {
	places, err := s.visiblePlaces(tx, actor, who.Id)
	if err != nil {
		return err
	}
	if err := tx.DB().NewQuery(countOpen).Bind(dbx.Params{"id": who.Id}).Row(&left.Sessions); err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	in := dbx.Params{"id": who.Id, "email": who.Email(), "places": schema.JSON(places)}
	for _, step := range []struct {
		collection, where, field string
		value                    any
		count                    *int
	}{
		{schema.Delegations, `("to" = {:id} OR "from" = {:id}) AND revoked = 0 AND organization IN (SELECT value FROM json_each({:places}))`, "revoked", true, &left.Delegations},
		{schema.Memberships, `user = {:id} AND status != 'suspended' AND organization IN (SELECT value FROM json_each({:places}))`, "status", "suspended", &left.Memberships},
		{schema.Invitations, `email = {:email} AND status IN ('queued','sent','bounced','opened') AND organization IN (SELECT value FROM json_each({:places}))`, "status", "revoked", &left.Invitations},
	} {
		var records []*core.Record
		if err := tx.RecordQuery(step.collection).AndWhere(dbx.NewExp(step.where, bindUsed(step.where, in))).All(&records); err != nil {
			return fmt.Errorf("find %s: %w", step.collection, err)
		}
		for _, r := range records {
			r.Set(step.field, step.value)
			schema.SetActor(r, actor)
			if err := tx.Save(r); err != nil {
				return fmt.Errorf("end %s of %s: %w", step.collection, who.Id, err)
			}
			*step.count++
		}
	}
	// Sessions end by themselves when nothing is left; what is out of the
	// caller's sight stays.
	var open int
	if err := tx.DB().NewQuery(countOpen).Bind(dbx.Params{"id": who.Id}).Row(&open); err != nil {
		return fmt.Errorf("count sessions: %w", err)
	}
	left.Sessions -= open
	return nil
}

// lastOwner refuses to take the last active owner away.
func lastOwner(app core.App, id string) error {
	var others int
	err := app.DB().NewQuery(`SELECT COUNT(*) FROM staff WHERE role = 'owner' AND active = 1 AND id != {:id}`).Bind(dbx.Params{"id": id}).Row(&others)
	if err != nil {
		return fmt.Errorf("count owners: %w", err)
	}
	if others == 0 {
		return problem.Field("role", problem.BadInput, "This is the last active owner. Make somebody else an owner first.")
	}
	return nil
}

// Reset is a wish to take somebody's authenticator app away.
type Reset struct {
	App     bool   `json:"app" db:"app"`
	AskedBy string `json:"reset_asked_by" db:"asked_by"`
	Name    string `json:"reset_asked_by_name" db:"name"`
	AskedAt string `json:"reset_asked_at" db:"asked_at"`
	Reason  string `json:"reset_reason" db:"reason"`
}

// resetLife is how long a wish waits for the second person.
const resetLife = 24 * time.Hour

func resetOf(app core.App, principal string) (Reset, error) {
	var r Reset
	err := app.DB().NewQuery(`SELECT f.confirmed != '' AS app, f.reset_asked_by AS asked_by, COALESCE(s.name, '') AS name, f.reset_asked_at AS asked_at, f.reset_reason AS reason
		FROM second_factors f LEFT JOIN staff s ON s.id = f.reset_asked_by WHERE f.principal = {:id}`).Bind(dbx.Params{"id": principal}).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("read second factor: %w", err)
	}
	return r, nil
}

// ResetFactorRoute takes a lost authenticator app away: one person of the firm
// asks and says why, another one confirms within a day. Both are named on the
// trail, and the person is signed out everywhere.
//
//	POST /api/portal/people/{id}/second-factor/reset {"reason"} (manager for clients, owner for staff)
//	→ 202 {"waiting": true} for the first, 204 for the second; 400 role, reason_required, same_person, bad_input (no app); 401; 403; 404
func (s *Sessions) ResetFactorRoute(e *core.RequestEvent) error {
	who, err := s.other(e)
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
	}
	if err := readBody(e, &in); err != nil {
		return err
	}
	actor, waiting := schema.ActorOf(e.Auth, e.RealIP()), false
	if actor.ID == who.Id {
		return problem.New(problem.SamePerson, "Two other people have to do this for you.")
	}
	err = s.App.RunInTransaction(func(tx core.App) error {
		r, err := resetOf(tx, who.Id)
		if err != nil {
			return err
		}
		switch {
		case !r.App:
			return problem.New(problem.BadInput, "No authenticator app is set up, so there is nothing to take away.")
		case r.AskedBy == "" || schema.Time(r.AskedAt).Add(resetLife).Before(s.Clock()):
			waiting = true
			return s.askReset(tx, actor, who, in.Reason)
		case r.AskedBy == actor.ID:
			return problem.New(problem.SamePerson, "You asked for this. Another person has to confirm it.")
		}
		return s.reset(tx, actor, who, "reset, asked for by "+r.AskedBy)
	})
	if err != nil {
		return err
	}
	if waiting {
		return e.JSON(http.StatusAccepted, map[string]any{"waiting": true})
	}
	return e.NoContent(http.StatusNoContent)
}

func (s *Sessions) askReset(tx core.App, actor schema.Actor, who *core.Record, reason string) error {
	if reason == "" || len(reason) > 500 {
		return problem.Field("reason", problem.ReasonRequired, "Say in a few words how you know that it is this person who asks.")
	}
	_, err := tx.DB().NewQuery(`UPDATE second_factors SET reset_asked_by = {:by}, reset_asked_at = {:now}, reset_reason = {:reason} WHERE principal = {:id}`).
		Bind(dbx.Params{"id": who.Id, "by": actor.ID, "now": schema.Stamp(s.Clock()), "reason": reason}).Execute()
	if err != nil {
		return fmt.Errorf("ask for a reset: %w", err)
	}
	return s.factorTrace(tx, actor, who, "reset asked for: "+reason)
}

func (s *Sessions) reset(tx core.App, actor schema.Actor, who *core.Record, what string) error {
	if err := dropFactor(tx, who.Id); err != nil {
		return err
	}
	if err := s.factorTrace(tx, actor, who, what); err != nil {
		return err
	}
	_, err := s.End(tx, actor, endFactor, `principal = {:id}`, dbx.Params{"id": who.Id})
	return err
}

// ResetAtServer takes the app of an address away from the server's command line,
// for a firm of one.
func (s *Sessions) ResetAtServer(email string) error {
	for _, name := range []string{schema.Staff, schema.Users} {
		c, err := s.App.FindCachedCollectionByNameOrId(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		who, err := byEmail(s.App, c, email)
		if err != nil {
			return err
		}
		if who != nil {
			return s.App.RunInTransaction(func(tx core.App) error {
				return s.reset(tx, schema.System(), who, "reset at the server's command line")
			})
		}
	}
	return problem.New(problem.NotFound, "There is nobody with this address.")
}
