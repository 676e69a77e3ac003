package access

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// SessionRow is a sign-in as its owner reads it.
type SessionRow struct {
	ID       string `json:"id" db:"id"`
	Device   string `json:"device" db:"device"`
	IP       string `json:"ip" db:"ip"`
	Method   string `json:"method" db:"method"`
	Created  string `json:"created" db:"created"`
	LastSeen string `json:"last_seen" db:"last_seen"`
	Until    string `json:"until" db:"until"`
	Current  bool   `json:"current" db:"-"`
}

// Of lists the open sessions of a person, the one in use last first.
func (s *Sessions) Of(app core.App, principal, current string) ([]SessionRow, error) {
	rows := []SessionRow{}
	err := app.DB().NewQuery(`SELECT id, device, ip, method, created, last_seen, until FROM sessions
		WHERE principal = {:id} AND ended = '' AND until > {:now} ORDER BY last_seen DESC, id`).
		Bind(dbx.Params{"id": principal, "now": schema.Stamp(s.Clock())}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	for i := range rows {
		rows[i].Current = rows[i].ID == current
		rows[i].LastSeen = s.lastSeen(rows[i].ID, rows[i].LastSeen)
	}
	return rows, nil
}

// end is End in a transaction of its own.
func (s *Sessions) end(by schema.Actor, why, where string, params dbx.Params) (n int, err error) {
	err = s.App.RunInTransaction(func(tx core.App) error {
		n, err = s.End(tx, by, why, where, params)
		return err
	})
	return n, err
}

// ListRoute shows where one is signed in.
//
//	GET /api/portal/sessions → 200 {"items":[SessionRow]}; 401
func (s *Sessions) ListRoute(e *core.RequestEvent) error {
	rows, err := s.Of(e.App, e.Auth.Id, CurrentSession(e))
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"items": rows})
}

// EndRoute signs one of the own devices out. Of the caller's own sessions only:
// another person's is not there.
//
//	DELETE /api/portal/sessions/{id} → 204; 401; 404
func (s *Sessions) EndRoute(e *core.RequestEvent) error {
	id := e.Request.PathValue("id")
	why := endElsewhere
	if id == CurrentSession(e) {
		why = endSignedOut
	}
	n, err := s.end(schema.ActorOf(e.Auth, e.RealIP()), why, `id = {:id} AND principal = {:me}`, dbx.Params{"id": id, "me": e.Auth.Id})
	if err != nil {
		return err
	}
	if n == 0 {
		return problem.New(problem.NotFound, "This device is not signed in any more.")
	}
	return e.NoContent(http.StatusNoContent)
}

// EndOthersRoute signs every other device out.
//
//	DELETE /api/portal/sessions → 200 {"ended": n}; 401
func (s *Sessions) EndOthersRoute(e *core.RequestEvent) error {
	n, err := s.end(schema.ActorOf(e.Auth, e.RealIP()), endElsewhere, `principal = {:me} AND id != {:current}`, dbx.Params{"me": e.Auth.Id, "current": CurrentSession(e)})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"ended": n})
}

// SignOutRoute ends the session that calls. Whoever has none is signed out
// already.
//
//	POST /api/portal/sign-out (public) → 204
func (s *Sessions) SignOutRoute(e *core.RequestEvent) error {
	if session := CurrentSession(e); session != "" {
		_, err := s.end(schema.ActorOf(e.Auth, e.RealIP()), endSignedOut, `id = {:id}`, dbx.Params{"id": session})
		if err != nil {
			return err
		}
	}
	return e.NoContent(http.StatusNoContent)
}

// NewPassword is what a change of the own password brings.
type NewPassword struct {
	Old      string `json:"old"`
	Password string `json:"password"`
}

// justByCode says whether the caller signed in by an e-mailed code a moment ago:
// who has forgotten the password, or never had one, chooses a new one then.
func (s *Sessions) justByCode(e *core.RequestEvent) (bool, error) {
	var n int
	err := e.App.DB().NewQuery(`SELECT COUNT(*) FROM sessions WHERE id = {:id} AND method = 'otp' AND created > {:since}`).
		Bind(dbx.Params{"id": CurrentSession(e), "since": schema.Stamp(s.Clock().Add(-freshCode))}).Row(&n)
	if err != nil {
		return false, fmt.Errorf("read the session: %w", err)
	}
	return n > 0, nil
}

// freshCode is how long a sign-in by code stands in for the old password.
const freshCode = 15 * time.Minute

// PasswordRoute changes the own password. It ends every other session, keeps
// this one, and answers its new token. The old password is not asked for within
// a quarter of an hour of a sign-in by code.
//
//	POST /api/portal/password {"old"?,"password"} → 200 PocketBase's auth answer; 400 field_invalid (old, password); 401; 429
func (s *Sessions) PasswordRoute(e *core.RequestEvent) error {
	var in NewPassword
	if err := readBody(e, &in); err != nil {
		return err
	}
	fresh, err := s.justByCode(e)
	if err != nil {
		return err
	}
	if !fresh || in.Old != "" {
		if err := s.Prove(e, Proof{Password: in.Old}); err != nil {
			return asField(err, "old")
		}
	}
	if err := CheckPassword(in.Password, e.Auth.Email()); err != nil {
		return err
	}
	record, err := e.App.FindRecordById(e.Auth.Collection(), e.Auth.Id)
	if err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	record.SetPassword(in.Password)
	record.SetRaw(rawKeepSession, CurrentSession(e))
	schema.SetActor(record, schema.ActorOf(e.Auth, e.RealIP()))
	if err := e.App.Save(record); err != nil {
		return fmt.Errorf("save the new password: %w", err)
	}
	e.Auth = record
	return apis.RecordAuthResponse(e, record, "", nil)
}
