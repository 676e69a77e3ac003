package access

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// provedLasts is how long a proof holds for the session that gave it. A sign-in
// is one.
const provedLasts = 10 * time.Minute

// Proved refuses people who have not shown within the last minutes that they are
// still who signed in: before tokens, walls, security settings, and whatever
// gives somebody powers. Superusers are not asked by it; a program can prove
// nothing, so that these are never its to do.
func (s *Sessions) Proved(e *core.RequestEvent) error {
	if e.Auth != nil && e.Auth.GetString("maker") != "" {
		return personNeeded()
	}
	if e.Auth == nil || e.Auth.IsSuperuser() || e.Get(requestRehearsal) != nil {
		return nil
	}
	var proved string
	err := e.App.DB().NewQuery(`SELECT MAX(created, COALESCE(proved, '')) FROM sessions WHERE id = {:id} AND principal = {:me} AND ended = ''`).
		Bind(dbx.Params{"id": CurrentSession(e), "me": e.Auth.Id}).Row(&proved)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read when the session was proved: %w", err)
	}
	if proved != "" && s.Clock().Sub(schema.Time(proved)) < provedLasts {
		return nil
	}
	return problem.Field("prove", problem.ProveAgain, "This matters, so show first that it is you: enter your password, or a code.")
}

// requestRehearsal marks a write that only asks its guards.
const requestRehearsal = "access.rehearsal"

// Rehearse marks a request as a question to the guards of a write: what somebody
// may do does not hang on when that person proved something last.
func Rehearse(e *core.RequestEvent) { e.Set(requestRehearsal, true) }

// ProveRoute takes the proof for the caller's session.
//
//	POST /api/portal/prove {"password"} or {"code"} or {"code","otp_id"} or {"passkey"} → 200 {"until"}
//	400 proof_needed, proof_wrong (password, code, passkey); 401; 429 too many wrong tries
func (s *Sessions) ProveRoute(e *core.RequestEvent) error {
	var in Proof
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	if err := s.Prove(e, in); err != nil {
		return problem.Reply(e, err)
	}
	now := s.Clock()
	_, err := e.App.DB().NewQuery(`UPDATE sessions SET proved = {:now} WHERE id = {:id} AND principal = {:me}`).
		Bind(dbx.Params{"now": schema.Stamp(now), "id": CurrentSession(e), "me": e.Auth.Id}).Execute()
	if err != nil {
		return problem.Reply(e, fmt.Errorf("note the proof: %w", err))
	}
	return e.JSON(http.StatusOK, map[string]any{"until": schema.Stamp(now.Add(provedLasts))})
}

// ProveWalls asks before a wall is built or taken down.
func (s *Sessions) ProveWalls(e *core.RecordRequestEvent) error {
	return s.ask(e, true)
}

// ProveStaff asks before somebody joins the firm, or gets another role, other
// duties, or leaves.
func (s *Sessions) ProveStaff(e *core.RecordRequestEvent) error {
	return s.ask(e, e.Record.IsNew() || differ(e.Record, "role", "duties", "active", "email"))
}

// ProveMembership asks before somebody gets another role or other duties, or
// the powers of an admin.
func (s *Sessions) ProveMembership(e *core.RecordRequestEvent) error {
	return s.ask(e, membershipMatters(e.Record, e.Record.Original()))
}

// membershipMatters says whether a changed membership gives or shifts powers.
// Taking access away for a while does not, so that it is done at once.
func membershipMatters(after, before *core.Record) bool {
	admin := after.GetString("role") == "admin"
	if after.IsNew() {
		return admin || len(schema.Strings(after.GetString("duties"))) > 0
	}
	return differBetween(after, before, "role", "user", "organization") ||
		!slices.Equal(schema.Strings(after.GetString("duties")), schema.Strings(before.GetString("duties"))) ||
		admin && before.GetString("status") != "active" && after.GetString("status") == "active"
}

// invitationMatters says whether an invitation gives more than taking part.
func invitationMatters(in Invitee) bool { return in.Role == "admin" || len(in.Duties) > 0 }

// ProveOrganization asks before an organization moves below another one, whose
// people see and do more by it then.
func (s *Sessions) ProveOrganization(e *core.RecordRequestEvent) error {
	return s.ask(e, differ(e.Record, "parent"))
}

// ProveDelegation asks before somebody lends the power to take steps, or a duty.
func (s *Sessions) ProveDelegation(e *core.RecordRequestEvent) error {
	return s.ask(e, loanMatters(schema.Strings(e.Record.GetString("powers"))))
}

// loanMatters says whether powers are among those lent by which one signs.
func loanMatters(named []string) bool {
	return slices.ContainsFunc(lends(named), func(p string) bool { return Power(p) == Submit || !lendable(p) })
}

func (s *Sessions) ask(e *core.RecordRequestEvent, matters bool) error {
	if matters {
		if err := s.Proved(e.RequestEvent); err != nil {
			return problem.Hook(e.App, err)
		}
	}
	return e.Next()
}

func differ(record *core.Record, names ...string) bool {
	return differBetween(record, record.Original(), names...)
}

func differBetween(a, b *core.Record, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return schema.JSON(a.Get(name)) != schema.JSON(b.Get(name)) })
}

// KeepWall refuses to lift a wall to those whom it keeps away, and a wall that
// keeps nobody from anything.
func KeepWall(e *core.RecordRequestEvent) error {
	if e.Auth != nil && e.Auth.Id == e.Record.GetString("staff") {
		return problem.Hook(e.App, problem.New(problem.Role, "Nobody decides on the walls around oneself. Ask another manager."))
	}
	organization, request := e.Record.GetString("organization"), e.Record.GetString("request")
	if e.Record.IsNew() && (organization == "") == (request == "") {
		return problem.Hook(e.App, problem.Field("organization", problem.BadInput, "A wall stands before a client or before one request: name one of them."))
	}
	return e.Next()
}
