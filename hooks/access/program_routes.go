package access

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// ProgramRow is a program as its maker and the owners read it.
type ProgramRow struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Maker         string         `json:"maker"`
	MakerName     string         `json:"maker_name"`
	Role          string         `json:"role"`
	Duties        []string       `json:"duties"`
	Organizations []ProgramPlace `json:"organizations"` // empty: all that the maker sees
	Networks      []string       `json:"networks"`
	DryRun        bool           `json:"dry_run"`
	Hint          string         `json:"hint"`  // the last letters of the token
	State         string         `json:"state"` // active expired revoked maker (who made it may not have programs any more)
	Created       string         `json:"created"`
	Expires       string         `json:"expires"`
	Ended         string         `json:"ended"`
	LastUsed      string         `json:"last_used"` // empty: never
	LastIP        string         `json:"last_ip"`
}

// ProgramPlace is a client that a program was given.
type ProgramPlace struct {
	ID   string `json:"id" db:"id"`
	Name string `json:"name" db:"name"`
}

// seenPlaces are the given clients that the reader sees: others have no name.
const seenPlaces = `SELECT g.value AS id, CASE WHEN {:all} OR EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = 'staff:' || o.id AND a.since <= {:now} AND a.until > {:now})
THEN o.name ELSE '' END AS name FROM json_each({:given}) g JOIN organizations o ON o.id = g.value ORDER BY name, id`

func (s *Programs) row(app core.App, reader schema.Actor, p *Program) (ProgramRow, error) {
	row := ProgramRow{
		ID: p.ID, Name: p.Name, Maker: p.Maker, MakerName: p.MakerName, Role: p.Role, Duties: unique(schema.Strings(p.Duties)), Organizations: []ProgramPlace{},
		Networks: unique(schema.Strings(p.Networks)), DryRun: p.DryRun, Hint: p.Hint, State: "active", Created: p.Created, Expires: p.Expires, Ended: p.Ended,
	}
	if why := p.over(s.Clock()); why != "" {
		row.State = why
	}
	row.LastUsed, row.LastIP = s.Sessions.lastSight(p.Session, p.LastUsed, p.LastIP)
	if row.LastIP == "" {
		row.LastUsed = "" // the session was opened, and not used yet
	}
	err := app.DB().NewQuery(seenPlaces).Bind(dbx.Params{"all": reader.Kind == schema.ActorSuperuser, "me": reader.ID, "now": schema.Stamp(s.Clock()), "given": p.Organizations}).All(&row.Organizations)
	if err != nil {
		return row, fmt.Errorf("read the clients of program %s: %w", p.ID, err)
	}
	return row, nil
}

// looksAtPrograms refuses those who neither make programs nor look after them.
func looksAtPrograms(actor schema.Actor) error {
	switch {
	case actor.Kind == schema.ActorUser:
		return problem.New(problem.Forbidden, "Only the firm's staff may do this.")
	case actor.Kind != schema.ActorSuperuser && !mayHavePrograms(actor.Active, actor.Role):
		return problem.New(problem.Role, "Only a manager or an owner has programs.")
	}
	return nil
}

// theirs narrows programs to those that the actor looks after: managers the own
// ones, owners and superusers all.
func theirs(actor schema.Actor) (string, dbx.Params) {
	all := actor.Kind == schema.ActorSuperuser || MemberOf(actor).AtLeast("owner")
	return `({:all} OR p.maker = {:me})`, dbx.Params{"all": all, "me": actor.ID}
}

// ListRoute lists the programs: owners see all, managers their own.
//
//	GET /api/portal/programs (manager, owner) → 200 {"items":[ProgramRow],"duties":[those that the caller may give]}; 400 role; 401; 403 clients
func (s *Programs) ListRoute(e *core.RequestEvent) error {
	actor := schema.ActorOf(e.Auth, e.RealIP())
	if err := looksAtPrograms(actor); err != nil {
		return err
	}
	where, params := theirs(actor)
	var found []Program
	if err := e.App.DB().NewQuery(selectProgram + `WHERE ` + where + ` ORDER BY p.ended != '', p.created DESC, p.id LIMIT 500`).Bind(params).All(&found); err != nil {
		return fmt.Errorf("read programs: %w", err)
	}
	items := make([]ProgramRow, 0, len(found))
	for _, p := range found {
		row, err := s.row(e.App, actor, &p)
		if err != nil {
			return err
		}
		items = append(items, row)
	}
	return e.JSON(http.StatusOK, map[string]any{"items": items, "duties": unique(actor.Duties)})
}

// MakeRoute makes a program. Its token is in this answer, and nowhere else.
//
//	POST /api/portal/programs (manager, owner; asks for proof) NewProgram → 200 {"program": ProgramRow,"token"}
//	400 role, prove_again, field_missing, field_invalid, not_yours (duties), bad_input (organizations); 401; 403 clients, superusers
func (s *Programs) MakeRoute(e *core.RequestEvent) error {
	actor := schema.ActorOf(e.Auth, e.RealIP())
	if err := looksAtPrograms(actor); err != nil {
		return err
	}
	if actor.Kind == schema.ActorSuperuser {
		return problem.New(problem.Forbidden, "A program acts for somebody of the firm. Sign in as a manager or an owner.")
	}
	if err := s.Sessions.Proved(e); err != nil {
		return err
	}
	var in NewProgram
	if err := readBody(e, &in); err != nil {
		return err
	}
	member, err := StaffOf(e.App, actor.ID)
	if err != nil {
		return err
	}
	made, token, err := s.Make(member, actor, in)
	if err != nil {
		return err
	}
	row, err := s.row(e.App, actor, made)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"program": row, "token": token})
}

// RevokeRoute ends a program at once, for good.
//
//	POST /api/portal/programs/{id}/revoke (who made it, owner; asks for proof) → 200 ProgramRow; 400 role, prove_again; 401; 403 clients; 404
func (s *Programs) RevokeRoute(e *core.RequestEvent) error {
	actor := schema.ActorOf(e.Auth, e.RealIP())
	if err := looksAtPrograms(actor); err != nil {
		return err
	}
	if err := s.Sessions.Proved(e); err != nil {
		return err
	}
	where, params := theirs(actor)
	params["id"] = e.Request.PathValue("id")
	p, err := findProgram(e.App, where+` AND p.id = {:id}`, params)
	if err != nil {
		return err
	}
	if p == nil {
		return problem.New(problem.NotFound, "There is no such program.")
	}
	if p.Ended == "" {
		if err := s.end(p, actor, programRevoked); err != nil {
			return err
		}
		if p, err = findProgram(e.App, `p.id = {:id}`, dbx.Params{"id": p.ID}); err != nil {
			return err
		}
	}
	row, err := s.row(e.App, actor, p)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, row)
}
