package access

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
	"github.com/spf13/cast"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// deviceCookie marks a browser that has signed in before. It proves nothing by
// itself: it only keeps strangers' wrong passwords from slowing its owner down.
const (
	deviceCookie = "gatehouse_device"
	deviceLife   = 180 * 24 * time.Hour
)

// signingIn are PocketBase's own addresses that somebody whose session is over
// still needs: a page sends its old token along.
var signingIn = []string{"auth-with-password", "auth-with-otp", "auth-with-oauth2", "request-otp", "auth-methods"}

// Check stands right behind the reading of the token. Whoever brings the token
// of a session that is over is answered 401, except where anybody may call:
// there the caller is nobody. open says which of our own addresses those are.
func (s *Sessions) Check(open func(pattern string) bool) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if err := s.checkFileToken(e); err != nil {
			return problem.Reply(e, err)
		}
		if e.Auth == nil {
			return e.Next()
		}
		session := SessionIn(bearer(e.Request))
		alive, err := Alive(e.App, session, e.Auth.Id)
		if err != nil {
			return problem.Reply(e, err)
		}
		// PocketBase asks whether staff are active at the sign-in only. A program
		// comes with its own token, and with nothing else.
		if alive && (e.Auth.Collection().Name != schema.Staff || e.Auth.GetBool("active") && e.Auth.GetString("maker") == "") {
			e.Set(requestSession, session)
			s.saw(session, e.RealIP())
			return e.Next()
		}
		e.Auth = nil
		if !strings.HasPrefix(e.Request.URL.Path, "/api/") || open(e.Request.Pattern) || signInPath(e.Request.Pattern) {
			return e.Next()
		}
		return problem.Reply(e, problem.New(problem.SignIn, "You were signed out. Sign in again."))
	}
}

func signInPath(pattern string) bool {
	_, last, ok := strings.Cut(pattern, "/api/collections/{collection}/")
	if !ok {
		return false
	}
	for _, name := range signingIn {
		if last == name {
			return true
		}
	}
	return false
}

// checkFileToken takes a file token away whose session is over, so that the
// file is not there, as for anybody who may not see it.
func (s *Sessions) checkFileToken(e *core.RequestEvent) error {
	if !strings.HasPrefix(e.Request.URL.Path, "/api/") {
		return nil
	}
	query := e.Request.URL.Query()
	token := query.Get("token")
	if token == "" {
		return nil
	}
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil || cast.ToString(claims[core.TokenClaimType]) != core.TokenTypeFile {
		return nil //nolint:nilerr // no file token: whoever wants a token there judges it
	}
	alive, err := Alive(e.App, cast.ToString(claims[claimSession]), cast.ToString(claims[core.TokenClaimId]))
	if err != nil || alive {
		return err
	}
	query.Del("token")
	e.Request.URL.RawQuery = query.Encode()
	return nil
}

// bearer is the token of a request, as PocketBase reads it.
func bearer(r *http.Request) string {
	token := r.Header.Get("Authorization")
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		return token[7:]
	}
	return token
}

// CurrentSession is the live session of a request; empty if there is none.
func CurrentSession(e *core.RequestEvent) string {
	id, _ := e.Get(requestSession).(string)
	return id
}

// Issue puts a session into the token of every sign-in. Renewing a token keeps
// its session.
func (s *Sessions) Issue(e *core.RecordAuthRequestEvent) error {
	session := CurrentSession(e.RequestEvent)
	if e.AuthMethod == "" && session != "" && e.Auth != nil && e.Auth.Id == e.Record.Id {
		token, err := authToken(e.Record, session)
		if err != nil {
			return problem.Hook(e.App, err)
		}
		e.Token = token
		s.renew(session, s.Clock().Add(e.Collection.AuthToken.DurationTime()))
		return e.Next()
	}
	token, err := Open(e.App, e.Record, Origin{
		Method: e.AuthMethod, IP: e.RealIP(), Agent: e.Request.UserAgent(), DeviceKey: digest(s.markDevice(e.RequestEvent)),
	}, s.Clock())
	if err != nil {
		return problem.Hook(e.App, err)
	}
	e.Token = token
	if err := e.Next(); err != nil {
		// PocketBase refused after all, or asks for more.
		_, failed := e.App.DB().NewQuery(`DELETE FROM sessions WHERE id = {:id}`).Bind(map[string]any{"id": SessionIn(token)}).Execute()
		if failed != nil {
			e.App.Logger().Error("unused session not removed", slog.Any("error", failed))
		}
		return err
	}
	return nil
}

// markDevice gives the browser its cookie, or keeps the one that it has.
func (s *Sessions) markDevice(e *core.RequestEvent) string {
	key := deviceOf(e.Request)
	if key == "" {
		key = security.RandomString(40)
	}
	e.SetCookie(&http.Cookie{ //nolint:gosec // not Secure on plain HTTP alone, where such a cookie would never come back
		Name: deviceCookie, Value: key, Path: "/api/", MaxAge: int(deviceLife / time.Second), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: e.IsTLS() || strings.HasPrefix(e.App.Settings().Meta.AppURL, "https://"),
	})
	return key
}

func deviceOf(r *http.Request) string {
	cookie, err := r.Cookie(deviceCookie)
	if err != nil || len(cookie.Value) != 40 {
		return ""
	}
	return cookie.Value
}

// IssueFile puts the session into a file token.
func (s *Sessions) IssueFile(e *core.FileTokenRequestEvent) error {
	token, err := FileToken(e.Record, CurrentSession(e.RequestEvent))
	if err != nil {
		return problem.Hook(e.App, err)
	}
	e.Token = token
	return e.Next()
}

// connectionSession is where a live connection keeps its session.
const connectionSession = "access.session"

// Listen ties a live connection to the session that subscribes.
func (s *Sessions) Listen(e *core.RealtimeSubscribeRequestEvent) error {
	session := CurrentSession(e.RequestEvent)
	if session == "" {
		return e.Next()
	}
	e.Client.Set(connectionSession, session)
	if err := e.Next(); err != nil {
		return err
	}
	// The session may have ended while we were at it, past the closing.
	alive, err := Alive(e.App, session, e.Auth.Id)
	if err == nil && !alive {
		e.App.SubscriptionsBroker().Unregister(e.Client.Id())
	}
	return err
}

// hangUp closes the live connections of sessions that are over. The page is told
// first: it looks, is answered 401, and shows the sign-in.
func hangUp(app core.App, sessions []string) {
	over := map[string]bool{}
	for _, id := range sessions {
		over[id] = true
	}
	for id, client := range app.SubscriptionsBroker().Clients() {
		session, _ := client.Get(connectionSession).(string)
		if !over[session] {
			continue
		}
		if auth, ok := client.Get(apis.RealtimeClientAuthKey).(*core.Record); ok && auth != nil {
			client.Send(subscriptions.Message{Name: "person/" + auth.Id, Data: []byte(`{"type":"signed_out"}`)})
		}
		app.SubscriptionsBroker().Unregister(id)
	}
}

// RefuseImpersonation refuses every token of that kind: a token of PocketBase's impersonation is not bound to
// whoever asked for it, cannot be listed, and writes in somebody else's name.
func RefuseImpersonation(e *core.RequestEvent) error {
	if strings.HasSuffix(e.Request.Pattern, "/impersonate/{id}") {
		return problem.Reply(e, problem.New(problem.Forbidden, "Nobody signs in as somebody else here."))
	}
	return e.Next()
}
