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

// looksAfter says why an actor may not look after the sign-ins of clients or of
// staff, by the name of their collection; nil where that is allowed.
func looksAfter(actor schema.Actor, collection string) *problem.Error {
	member := MemberOf(actor)
	switch {
	case actor.Kind == schema.ActorUser:
		return problem.New(problem.Forbidden, "Only the firm's staff may do this.")
	case actor.Kind == schema.ActorSuperuser:
		return nil
	case !member.AtLeast("manager"):
		return problem.New(problem.Role, "Only a manager or an owner may do this.")
	case collection == schema.Staff && !member.AtLeast("owner"):
		return problem.New(problem.Role, "Only an owner may do this for a colleague.")
	}
	return nil
}

// other finds the person that a route names, for whoever may manage that person.
// Somebody one may not see is not there.
func (s *Sessions) other(e *core.RequestEvent) (*core.Record, error) {
	actor, id := schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id")
	if refusal := looksAfter(actor, schema.Users); refusal != nil {
		return nil, refusal
	}
	staff, err := e.App.FindRecordById(schema.Staff, id)
	if err == nil {
		if refusal := looksAfter(actor, schema.Staff); refusal != nil {
			return nil, refusal
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
	if len(places) == 0 && actor.Kind != schema.ActorSuperuser {
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
//	→ 200 {"items":[SessionRow],"second_factor":{"app","passkeys","reset_asked_by","reset_asked_at"}}; 400 role; 401; 403 clients; 404
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

// Reset is a wish to take somebody's authenticator app and passkeys away.
type Reset struct {
	App      bool   `json:"app" db:"app"`
	Passkeys int    `json:"passkeys" db:"passkeys"`
	AskedBy  string `json:"reset_asked_by" db:"asked_by"`
	Name     string `json:"reset_asked_by_name" db:"name"`
	AskedAt  string `json:"reset_asked_at" db:"asked_at"`
	Reason   string `json:"reset_reason" db:"reason"`
}

// resetLife is how long a wish waits for the second person.
const resetLife = 24 * time.Hour

func resetOf(app core.App, principal string) (Reset, error) {
	var r Reset
	err := app.DB().NewQuery(`SELECT COALESCE(f.confirmed, '') != '' AS app, (SELECT COUNT(*) FROM passkeys p WHERE p.principal = {:id}) AS passkeys,
			COALESCE(f.reset_asked_by, '') AS asked_by, COALESCE(s.name, '') AS name, COALESCE(f.reset_asked_at, '') AS asked_at, COALESCE(f.reset_reason, '') AS reason
		FROM (SELECT 1) LEFT JOIN second_factors f ON f.principal = {:id} LEFT JOIN staff s ON s.id = f.reset_asked_by`).Bind(dbx.Params{"id": principal}).One(&r)
	if err != nil {
		return r, fmt.Errorf("read second factor: %w", err)
	}
	return r, nil
}

// ResetFactorRoute takes a lost authenticator app away, and every passkey: one
// person of the firm asks and says why, another one confirms within a day. Both are named on the
// trail, and the person is signed out everywhere.
//
//	POST /api/portal/people/{id}/second-factor/reset {"reason"} (manager for clients, owner for staff)
//	→ 202 {"waiting": true} for the first, 204 for the second; 400 role, reason_required, same_person, bad_input (nothing to take); 401; 403 clients, prove_again; 404
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
	if err := s.Proved(e); err != nil {
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
		case !r.App && r.Passkeys == 0:
			return problem.New(problem.BadInput, "Neither an authenticator app nor a passkey is set up, so there is nothing to take away.")
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
	_, err := tx.DB().NewQuery(`INSERT INTO second_factors (id, collection, principal, secret, confirmed, last_step, recovery, reset_asked_by, reset_asked_at, reset_reason, created, updated)
		VALUES ({:row}, {:collection}, {:id}, '', '', 0, '[]', {:by}, {:now}, {:reason}, {:now}, {:now})
		ON CONFLICT(principal) DO UPDATE SET reset_asked_by = excluded.reset_asked_by, reset_asked_at = excluded.reset_asked_at, reset_reason = excluded.reset_reason`).
		Bind(dbx.Params{
			"row": schema.NewID(), "collection": who.Collection().Name, "id": who.Id, "by": actor.ID, "now": schema.Stamp(s.Clock()), "reason": reason,
		}).Execute()
	if err != nil {
		return fmt.Errorf("ask for a reset: %w", err)
	}
	return s.factorTrace(tx, actor, who, "reset asked for: "+reason)
}

func (s *Sessions) reset(tx core.App, actor schema.Actor, who *core.Record, what string) error {
	if err := errors.Join(dropFactor(tx, who.Id), dropPasskeys(tx, who.Id)); err != nil {
		return err
	}
	if err := s.factorTrace(tx, actor, who, what); err != nil {
		return err
	}
	_, err := s.End(tx, actor, endFactor, `principal = {:id}`, dbx.Params{"id": who.Id})
	return err
}

// ResetAtServer takes the app and the passkeys of an address away from the server's command line,
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
