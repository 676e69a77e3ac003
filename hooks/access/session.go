package access

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"gatehouse/hooks/schema"
)

// Sessions are the sign-ins. PocketBase's tokens are stateless: each token of
// ours names its row in sessions, and a token whose row is missing or ended is
// worth nothing from the next request on. The row is read anew each time, so
// that ending one holds at once, after a restart, and when raw SQL did it.
//
// A token without a row (issued before there were rows, or by PocketBase's
// impersonation) is refused: nobody could see it in a list, or end it.
type Sessions struct {
	App   core.App
	Clock schema.Clock
	Audit func(tx core.App, t Trace) error
	Emit  func(tx core.App, f Fact) error

	Demo      bool // everybody may look as anybody: no second step
	Unlimited bool // wrong passwords slow nobody down, for tests

	mu   sync.Mutex
	seen map[string]sighting // by session id: not written yet
}

type sighting struct {
	at time.Time
	ip string
}

// claimSession is the claim of our tokens that names the session.
const claimSession = "session"

// requestSession is where a request keeps the id of its live session.
const requestSession = "access.session"

// Origin is from where somebody signs in.
type Origin struct {
	Method    string // password otp totp recovery passkey oauth2, or empty
	IP        string
	Agent     string // as the browser names itself
	DeviceKey string // digest of the device's cookie
}

// Open begins a session and gives its token. The token lives as long as the
// collection's tokens do.
func Open(app core.App, who *core.Record, from Origin, now time.Time) (string, error) {
	id := schema.NewID()
	lasts := who.Collection().AuthToken.DurationTime()
	agent := from.Agent
	if len(agent) > longestAgent {
		agent = agent[:longestAgent]
	}
	err := schema.Insert(app, schema.Sessions, dbx.Params{
		"id": id, "collection": who.Collection().Name, "principal": who.Id, "method": from.Method, "device": DeviceWords(agent), "agent": agent,
		"ip": from.IP, "device_key": from.DeviceKey, "last_seen": schema.Stamp(now), "until": schema.Stamp(now.Add(lasts)),
		"ended": "", "ended_by": "", "ended_why": "", "created": schema.Stamp(now), "updated": schema.Stamp(now),
	})
	if err != nil {
		return "", fmt.Errorf("open a session: %w", err)
	}
	return authToken(who, id)
}

const longestAgent = 400

// authToken is PocketBase's token for who, with the session in it.
func authToken(who *core.Record, session string) (string, error) {
	kind := who.Collection().AuthToken
	return security.NewJWT(jwt.MapClaims{
		core.TokenClaimType: core.TokenTypeAuth, core.TokenClaimId: who.Id, core.TokenClaimCollectionId: who.Collection().Id,
		core.TokenClaimRefreshable: true, claimSession: session,
	}, who.TokenKey()+kind.Secret, kind.DurationTime())
}

// FileToken is PocketBase's file token for who, with the session in it.
func FileToken(who *core.Record, session string) (string, error) {
	kind := who.Collection().FileToken
	return security.NewJWT(jwt.MapClaims{
		core.TokenClaimType: core.TokenTypeFile, core.TokenClaimId: who.Id, core.TokenClaimCollectionId: who.Collection().Id, claimSession: session,
	}, who.TokenKey()+kind.Secret, kind.DurationTime())
}

// SessionIn is the session that a token names; empty if none. The caller has had
// the token verified, or does not rely on it.
func SessionIn(token string) string {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return ""
	}
	id, _ := claims[claimSession].(string)
	return id
}

// Alive says whether a session is open and belongs to the person.
func Alive(app core.App, session, principal string) (bool, error) {
	if session == "" {
		return false, nil
	}
	var ended string
	err := app.DB().NewQuery(`SELECT ended FROM sessions WHERE id = {:id} AND principal = {:principal}`).
		Bind(dbx.Params{"id": session, "principal": principal}).Row(&ended)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read session: %w", err)
	}
	return ended == "", nil
}

// saw notes that a session was used; Flush writes it.
func (s *Sessions) saw(session, ip string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]sighting{}
	}
	s.seen[session] = sighting{s.Clock(), ip}
}

const writeSeen = `UPDATE sessions SET last_seen = {:at}, ip = CASE WHEN {:ip} = '' THEN ip ELSE {:ip} END WHERE id = {:id} AND last_seen < {:at}`

// Flush writes when sessions were last seen. It runs each minute, so that using
// the portal costs no write.
func (s *Sessions) Flush() error {
	s.mu.Lock()
	seen := s.seen
	s.seen = nil
	s.mu.Unlock()
	if len(seen) == 0 {
		return nil
	}
	err := s.App.RunInTransaction(func(tx core.App) error {
		for id, x := range seen {
			if _, err := tx.DB().NewQuery(writeSeen).Bind(dbx.Params{"id": id, "at": schema.Stamp(x.at), "ip": x.ip}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write when sessions were seen: %w", err)
	}
	return nil
}

// lastSeen is the newer of what is stored and what is not written yet.
func (s *Sessions) lastSeen(session, stored string) string {
	at, _ := s.lastSight(session, stored, "")
	return at
}

// lastSight is when, and from where.
func (s *Sessions) lastSight(session, at, ip string) (string, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.seen[session]; ok {
		return max(at, schema.Stamp(x.at)), x.ip
	}
	return at, ip
}

// kept is how long the row of a session that is over stays: it says which
// devices and addresses are known.
const kept = 180 * 24 * time.Hour

// Tidy removes the rows of sessions that were over long ago.
func (s *Sessions) Tidy() error {
	_, err := s.App.DB().NewQuery(`DELETE FROM sessions WHERE until < {:then}`).Bind(dbx.Params{"then": schema.Stamp(s.Clock().Add(-kept))}).Execute()
	if err != nil {
		return fmt.Errorf("remove old sessions: %w", err)
	}
	return nil
}

// renew moves the end of a session along with its new token; a move of less
// than an hour is not worth a write.
func (s *Sessions) renew(session string, until time.Time) {
	_, err := s.App.DB().NewQuery(`UPDATE sessions SET until = {:until}, updated = {:now} WHERE id = {:id} AND until < {:worth}`).
		Bind(dbx.Params{"id": session, "until": schema.Stamp(until), "worth": schema.Stamp(until.Add(-time.Hour)), "now": schema.Stamp(s.Clock())}).Execute()
	if err != nil {
		s.App.Logger().Error("session not renewed", slog.Any("error", err))
	}
}
