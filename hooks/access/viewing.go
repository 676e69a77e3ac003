package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Viewings let staff look at the portal as a named client: with the client's own
// eyes, so that it is the same rows by the same rules, and without hands. A
// viewing has a token of its own, which is none of PocketBase's: it hangs on the
// session of the member of staff, and is worth nothing where that has ended, the
// member left, or a wall came between.
//
// It is on the trail from start to end, in the timeline of each request that was
// looked at, and the client can read who looked when.
type Viewings struct {
	App   core.App
	Clock schema.Clock
	Audit func(tx core.App, t Trace) error
}

// Viewing is one of them, as stored.
type Viewing struct {
	ID        string `db:"id"`
	User      string `db:"user"`
	UserName  string `db:"user_name"`
	Staff     string `db:"staff"`
	StaffName string `db:"staff_name"`
	Session   string `db:"session"`
	TokenHash string `db:"token_hash"`
	Created   string `db:"created"`
	Until     string `db:"until"`
	Requests  string `db:"requests"`
}

// viewingLasts is short: whoever needs longer begins again.
const viewingLasts = 30 * time.Minute

const (
	viewPrefix     = "view_"     // of the token in the header
	viewFilePrefix = "viewfile_" // of the token in a file's address
	viewFileLasts  = 3 * time.Minute
)

const selectViewing = `SELECT v.id, v.user, v.user_name, v.staff, v.staff_name, v.session, v.token_hash, v.created, v.until, COALESCE(v.requests, '[]') AS requests FROM viewings v `

// stillOn: the viewing runs, and so does the session of an active member of
// staff that it hangs on.
const stillOn = `v.ended = '' AND v.until > {:now} AND EXISTS (SELECT 1 FROM staff s WHERE s.id = v.staff AND s.active = 1 AND s.role != 'viewer')
	AND EXISTS (SELECT 1 FROM sessions t WHERE t.id = v.session AND t.principal = v.staff AND t.ended = '')`

func (v *Viewings) find(app core.App, where string, params dbx.Params) (*Viewing, error) {
	params["now"] = schema.Stamp(v.Clock())
	var row Viewing
	err := app.DB().NewQuery(selectViewing + `WHERE ` + where + ` AND ` + stillOn).Bind(params).One(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no viewing runs, and that is no fault
	}
	if err != nil {
		return nil, fmt.Errorf("read viewing: %w", err)
	}
	sees, err := v.covers(app, row.Staff, row.User)
	if err != nil || !sees {
		return nil, err
	}
	return &row, nil
}

// covers says whether a member of staff sees every scope that a user sees: who
// is walled off from a part of it must not get there by borrowed eyes.
func (v *Viewings) covers(app core.App, staff, user string) (bool, error) {
	var n struct {
		All    int `db:"al"`
		Hidden int `db:"hidden"`
	}
	err := app.DB().NewQuery(`SELECT COUNT(*) AS al, COALESCE(SUM(NOT EXISTS (SELECT 1 FROM access b WHERE b.principal = {:staff} AND b.scope = a.scope AND b.since <= {:now} AND b.until > {:now})), 0) AS hidden
		FROM access a WHERE a.principal = {:user} AND a.since <= {:now} AND a.until > {:now}`).
		Bind(dbx.Params{"staff": staff, "user": user, "now": schema.Stamp(v.Clock())}).One(&n)
	if err != nil {
		return false, fmt.Errorf("compare what two people see: %w", err)
	}
	return n.All > 0 && n.Hidden == 0, nil
}

var errNoViewing = problem.New(problem.NotFound, "There is no such person, or you do not see all that this person sees.")

// Begin starts a viewing and gives its token, which is stored as a digest only.
func (v *Viewings) Begin(member StaffMember, session, user string, actor schema.Actor) (token string, row *Viewing, err error) {
	if !member.AtLeast("operator") {
		return "", nil, problem.New(problem.Forbidden, "Your role does not allow this. Ask a colleague with the role operator.")
	}
	token = viewPrefix + hex.EncodeToString(randomBytes()) + hex.EncodeToString(randomBytes())
	err = v.App.RunInTransaction(func(tx core.App) error {
		who, err := tx.FindRecordById(schema.Users, user)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoViewing
		}
		if err != nil {
			return fmt.Errorf("read user %s: %w", user, err)
		}
		sees, err := v.covers(tx, member.ID, user)
		if err != nil {
			return err
		}
		if !sees {
			return errNoViewing
		}
		now := v.Clock()
		row = &Viewing{ID: schema.NewID(), User: who.Id, UserName: nameOf(who), Staff: member.ID, StaffName: member.Name, Session: session, TokenHash: digest(token), Created: schema.Stamp(now), Until: schema.Stamp(now.Add(viewingLasts)), Requests: "[]"}
		err = schema.Insert(tx, schema.Viewings, dbx.Params{
			"id": row.ID, "user": row.User, "user_name": row.UserName, "staff": row.Staff, "staff_name": row.StaffName, "session": row.Session, "token_hash": row.TokenHash,
			"until": row.Until, "ended": "", "ended_why": "", "requests": row.Requests, "created": row.Created, "updated": row.Created,
		})
		if err != nil {
			return fmt.Errorf("begin viewing: %w", err)
		}
		return v.trace(tx, row, actor, map[string]any{"viewing": row.ID, "begins": row.Created, "until": row.Until})
	})
	return token, row, err
}

// trace puts the start or the end on the trail, for the staff of each
// organization that the client belongs to.
func (v *Viewings) trace(tx core.App, row *Viewing, actor schema.Actor, change map[string]any) error {
	var organizations []string
	err := tx.DB().NewQuery(`SELECT DISTINCT a.scope FROM access a JOIN organizations o ON o.id = a.scope LEFT JOIN memberships m ON m.id = a.source_id
		WHERE a.principal = {:user} AND (m.id IS NULL OR m.organization = o.id) ORDER BY a.scope LIMIT 50`).Bind(dbx.Params{"user": row.User}).Column(&organizations)
	if err != nil {
		return fmt.Errorf("read organizations of %s: %w", row.User, err)
	}
	if len(organizations) == 0 {
		organizations = []string{""}
	}
	for _, organization := range organizations {
		scope := ""
		if organization != "" {
			scope = schema.StaffScope(organization)
		}
		err := v.Audit(tx, Trace{Actor: actor, Action: "view_as", Collection: schema.Users, Record: row.User, Organization: organization, Change: change, Scope: scope, At: v.Clock()})
		if err != nil {
			return err
		}
	}
	return nil
}

// looked notes the first look at a request, for its timeline.
func (v *Viewings) looked(row *Viewing, request, ip string) error {
	if slices.Contains(schema.Strings(row.Requests), request) {
		return nil
	}
	return v.App.RunInTransaction(func(tx core.App) error {
		var r struct {
			Organization string `db:"organization"`
			Scope        string `db:"scope"`
			Requests     string `db:"requests"`
		}
		err := tx.DB().NewQuery(`SELECT r.organization, r.scope, COALESCE(v.requests, '[]') AS requests FROM requests r JOIN client_requests c ON c.id = r.id, viewings v
			WHERE r.id = {:id} AND v.id = {:viewing} AND EXISTS (SELECT 1 FROM access a WHERE a.principal = v.user AND a.scope = c.scope AND a.since <= {:now} AND a.until > {:now})`).
			Bind(dbx.Params{"id": request, "viewing": row.ID, "now": schema.Stamp(v.Clock())}).One(&r)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // what the client does not see was not looked at
		}
		if err != nil {
			return fmt.Errorf("read request of a viewing: %w", err)
		}
		seen := schema.Strings(r.Requests)
		if slices.Contains(seen, request) {
			return nil
		}
		if err := schema.Update(tx, schema.Viewings, row.ID, dbx.Params{"requests": schema.JSON(append(seen, request))}); err != nil {
			return fmt.Errorf("note a look: %w", err)
		}
		return v.Audit(tx, Trace{
			Actor: row.actor(ip), Action: "view_as", Collection: schema.ClientRequests, Record: request, Organization: r.Organization, Request: request,
			Change: map[string]any{"as": row.UserName}, Scope: r.Scope, At: v.Clock(),
		})
	})
}

func (row *Viewing) actor(ip string) schema.Actor {
	return schema.Actor{Kind: schema.ActorStaff, ID: row.Staff, Name: row.StaffName, IP: ip}
}

// The reasons why a viewing ended.
const (
	viewingLeft    = "left"
	viewingTimeout = "time ran out"
	viewingOver    = "signed out"
)

// end closes viewings that are still open, each once, and tells the trail.
func (v *Viewings) end(tx core.App, row *Viewing, actor schema.Actor, why string) error {
	now := v.Clock()
	done, err := tx.DB().NewQuery(`UPDATE viewings SET ended = {:now}, ended_why = {:why}, updated = {:now} WHERE id = {:id} AND ended = ''`).
		Bind(dbx.Params{"now": schema.Stamp(now), "why": why, "id": row.ID}).Execute()
	if err != nil {
		return fmt.Errorf("end viewing: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return v.trace(tx, row, actor, map[string]any{"viewing": row.ID, "ended": schema.Stamp(now), "why": why, "seconds": int(now.Sub(schema.Time(row.Created)).Seconds())})
}

// Tidy closes the viewings that ended by themselves: the time ran out, or the
// member of staff signed out or left.
func (v *Viewings) Tidy() error {
	var rows []Viewing
	now := schema.Stamp(v.Clock())
	err := v.App.DB().NewQuery(selectViewing + `WHERE v.ended = '' AND NOT (` + stillOn + `)`).Bind(dbx.Params{"now": now}).All(&rows)
	if err != nil {
		return fmt.Errorf("find viewings that ended: %w", err)
	}
	for _, row := range rows {
		why := viewingOver
		if row.Until <= now {
			why = viewingTimeout
		}
		if err := v.App.RunInTransaction(func(tx core.App) error { return v.end(tx, &row, row.actor(""), why) }); err != nil {
			return err
		}
	}
	return nil
}

// fileToken is what a file's address carries: it names the viewing and ends
// within minutes, so that a saved address opens nothing.
func (row *Viewing) fileToken(now time.Time) string {
	until := strconv.FormatInt(now.Add(viewFileLasts).Unix(), 10)
	return viewFilePrefix + row.ID + "_" + until + "_" + row.seal(until)
}

func (row *Viewing) seal(until string) string {
	mac := hmac.New(sha256.New, []byte(row.TokenHash))
	mac.Write([]byte(row.ID + "/" + until))
	return hex.EncodeToString(mac.Sum(nil))
}

// byFileToken finds the viewing that such a token names; nil if it is not right,
// too old, or over.
func (v *Viewings) byFileToken(app core.App, token string) (*Viewing, error) {
	parts := strings.Split(strings.TrimPrefix(token, viewFilePrefix), "_")
	if len(parts) != 3 {
		return nil, nil //nolint:nilnil // no such token
	}
	until, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || v.Clock().Unix() >= until {
		return nil, nil //nolint:nilerr,nilnil // no such token, or not any more
	}
	row, err := v.find(app, `v.id = {:id}`, dbx.Params{"id": parts[0]})
	if err != nil || row == nil || !hmac.Equal([]byte(row.seal(parts[1])), []byte(parts[2])) {
		return nil, err
	}
	return row, nil
}
