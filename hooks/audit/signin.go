package audit

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// SignedIn records a sign-in, of clients, staff and superusers. Renewing a token
// is none.
func (r Recorder) SignedIn(e *core.RecordAuthRequestEvent) error {
	if err := e.Next(); err != nil || e.AuthMethod == "" {
		return err
	}
	r.note(e.App, Entry{Actor: schema.ActorOf(e.Record, e.RealIP()), Action: "sign_in", Collection: e.Record.Collection().Name, Record: e.Record.Id, Change: map[string]any{"method": e.AuthMethod}})
	return nil
}

// PasswordTried records a sign-in that failed on a wrong password. One that goes
// on to a second step has not failed. Wrong codes never get to PocketBase's hook;
// package access records them.
func (r Recorder) PasswordTried(e *core.RecordAuthWithPasswordRequestEvent) error {
	err := e.Next()
	if err != nil && e.Record != nil && !errors.Is(err, apis.ErrMFA) {
		r.failed(e.RequestEvent, e.Record, "password")
	}
	return err
}

func (r Recorder) failed(e *core.RequestEvent, record *core.Record, method string) {
	r.note(e.App, Entry{Actor: schema.Actor{Kind: schema.ActorGuest, IP: e.RealIP()}, Action: "sign_in_failed", Collection: record.Collection().Name, Record: record.Id, Change: map[string]any{"method": method}})
}

// note writes an entry of its own. Signing in does not fail because the trail
// cannot be written; the operator's log says so.
func (r Recorder) note(app core.App, entry Entry) {
	entry.At = r.Clock()
	err := app.RunInTransaction(func(tx core.App) error { return Append(tx, entry) })
	if err != nil {
		app.Logger().Error("sign-in not on the trail", slog.Any("error", err))
	}
}

// SQL records a statement of the SQL console before it runs: what a superuser
// does there passes every rule but the database's own walls.
func (r Recorder) SQL(e *core.RequestEvent) error {
	if e.Request.Pattern != "POST /api/sql" || !e.HasSuperuserAuth() {
		return e.Next()
	}
	info, err := e.RequestInfo()
	if err != nil {
		return errors.Join(err, e.BadRequestError("The statement cannot be read.", nil))
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		return Append(tx, Entry{Actor: schema.ActorOf(e.Auth, e.RealIP()), Action: "sql", Change: map[string]any{"query": fmt.Sprint(info.Body["query"])}, At: r.Clock()})
	})
	if err != nil {
		return e.InternalServerError("The statement could not be put on the trail, so it was not run.", err)
	}
	return e.Next()
}
