package access

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// requestViewing is where a request keeps the viewing that it belongs to.
const requestViewing = "access.viewing"

// ViewingOf is the viewing of a request; nil if somebody looks with the own eyes.
func ViewingOf(e *core.RequestEvent) *Viewing {
	row, _ := e.Get(requestViewing).(*Viewing)
	return row
}

// Looker is who really reads: the member of staff where a client is only looked
// as, else whoever is signed in.
func Looker(e *core.RequestEvent, reader *core.Record) schema.Actor {
	if row := ViewingOf(e); row != nil {
		return row.actor(e.RealIP())
	}
	return schema.ActorOf(reader, e.RealIP())
}

// viewable are the only addresses that a viewing opens: what the portal shows of
// the client's business. Sign-ins, second factors, tokens and whatever is added
// later are not among them until somebody decides.
var viewable = []string{
	"GET /api/portal/firm", "GET /api/portal/demo", "GET /api/portal/me", "GET /api/portal/home", "GET /api/portal/requests",
	"GET /api/portal/requests/{id}", "GET /api/portal/requests/{id}/actions", "GET /api/portal/requests/{id}/timeline",
	"GET /api/portal/requests/{id}/people", "GET /api/portal/team", "GET /api/portal/delegations",
	"GET /api/portal/view-as", "GET /api/portal/view-as/file",
	"GET /api/collections/{collection}/records", "GET /api/collections/{collection}/records/{id}",
}

// viewableRecords are the collections that the portal reads.
var viewableRecords = []string{
	schema.ClientRequests, schema.ClientItems, schema.ClientHistory, schema.Documents, schema.Messages, schema.Organizations, schema.Memberships,
	schema.Delegations, schema.Invitations, schema.Users, schema.Forms, schema.Texts, schema.Viewings,
}

const viewEnd = "POST /api/portal/view-as/end"

// Check stands behind the check of sessions. A viewing's token makes the caller
// the client for reading, and refuses every call that is more than that.
func (v *Viewings) Check(e *core.RequestEvent) error {
	if !strings.HasPrefix(e.Request.URL.Path, "/api/") {
		return e.Next()
	}
	if err := v.checkFile(e); err != nil {
		return problem.Reply(e, err)
	}
	token := bearer(e.Request)
	if !strings.HasPrefix(token, viewPrefix) {
		return e.Next()
	}
	row, err := v.find(e.App, `v.token_hash = {:hash}`, dbx.Params{"hash": digest(token)})
	if err != nil {
		return problem.Reply(e, err)
	}
	if row == nil {
		return problem.Reply(e, problem.New(problem.SignIn, "You do not look at the portal as somebody else any more. Begin again in the console."))
	}
	user, err := e.App.FindRecordById(schema.Users, row.User)
	if err != nil {
		return problem.Reply(e, fmt.Errorf("read whom somebody looks as: %w", err))
	}
	if err := v.allowed(e, row); err != nil {
		return problem.Reply(e, err)
	}
	e.Auth = user
	e.Set(requestViewing, row)
	if strings.HasPrefix(e.Request.Pattern, "GET /api/portal/requests/{id}") {
		if err := v.looked(row, e.Request.PathValue("id"), e.RealIP()); err != nil {
			return problem.Reply(e, err)
		}
	}
	return e.Next()
}

func (v *Viewings) allowed(e *core.RequestEvent, row *Viewing) error {
	if e.Request.Pattern == viewEnd {
		return nil
	}
	if e.Request.Method != http.MethodGet && e.Request.Method != http.MethodHead {
		return problem.New(problem.Forbidden, "You see the portal as "+row.UserName+". Nothing can be changed.")
	}
	closed := problem.New(problem.Forbidden, "This is not shown while you see the portal as "+row.UserName+".")
	if !slices.Contains(viewable, e.Request.Pattern) {
		return closed
	}
	name := e.Request.PathValue("collection")
	if name == "" {
		return nil
	}
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	if err != nil || !slices.Contains(viewableRecords, c.Name) {
		return closed
	}
	return nil
}

// checkFile turns a viewing's file token into the client's own, inside the
// server only, so that the file's rule is asked about the client.
func (v *Viewings) checkFile(e *core.RequestEvent) error {
	query := e.Request.URL.Query()
	token := query.Get("token")
	if !strings.HasPrefix(token, viewFilePrefix) {
		return nil
	}
	query.Del("token")
	row, err := v.byFileToken(e.App, token)
	if err != nil {
		return err
	}
	if row != nil && strings.HasPrefix(e.Request.URL.Path, "/api/files/") && (e.Request.Method == http.MethodGet || e.Request.Method == http.MethodHead) {
		user, err := e.App.FindRecordById(schema.Users, row.User)
		if err != nil {
			return fmt.Errorf("read whom somebody looks as: %w", err)
		}
		own, err := user.NewFileToken()
		if err != nil {
			return fmt.Errorf("make a file token: %w", err)
		}
		query.Set("token", own)
		e.Set(requestViewing, row)
	}
	e.Request.URL.RawQuery = query.Encode()
	return nil
}

// BeginRoute starts looking at the portal as a client.
//
//	POST /api/portal/view-as {"user"} (operator and up) → 200 {"token","until","user":{"id","name","email"}}
//	400 nobody named; 401; 403 clients, viewers, superusers; 404 no such client, or the caller does not see all that the client sees
func (v *Viewings) BeginRoute(e *core.RequestEvent) error {
	var in struct {
		User string `json:"user"`
	}
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	if e.Auth.Collection().Name != schema.Staff {
		return problem.Reply(e, problem.New(problem.Forbidden, "Only staff can do this."))
	}
	member, err := StaffOf(e.App, e.Auth.Id)
	if err != nil {
		return problem.Reply(e, err)
	}
	if in.User == "" {
		return problem.Reply(e, problem.Field("user", problem.FieldMissing, "Say as whom you want to see the portal."))
	}
	token, row, err := v.Begin(member, CurrentSession(e), in.User, schema.ActorOf(e.Auth, e.RealIP()))
	if err != nil {
		return problem.Reply(e, err)
	}
	user, err := e.App.FindRecordById(schema.Users, row.User)
	if err != nil {
		return problem.Reply(e, fmt.Errorf("read user %s: %w", row.User, err))
	}
	return e.JSON(http.StatusOK, map[string]any{"token": token, "until": row.Until, "user": map[string]any{"id": user.Id, "name": nameOf(user), "email": user.Email()}})
}

// ShowRoute says whether, as whom and until when somebody looks.
//
//	GET /api/portal/view-as → 200 {"viewing": null} or {"viewing": {"user_name","staff_name","until"}}; 401
func (v *Viewings) ShowRoute(e *core.RequestEvent) error {
	row := ViewingOf(e)
	if row == nil {
		return e.JSON(http.StatusOK, map[string]any{"viewing": nil})
	}
	return e.JSON(http.StatusOK, map[string]any{"viewing": map[string]any{"user_name": row.UserName, "staff_name": row.StaffName, "until": row.Until}})
}

// FileRoute gives the token that a file's address needs while looking.
//
//	GET /api/portal/view-as/file → 200 {"token"}; 401; 403 who looks with the own eyes
func (v *Viewings) FileRoute(e *core.RequestEvent) error {
	row := ViewingOf(e)
	if row == nil {
		return problem.Reply(e, problem.New(problem.Forbidden, "You are signed in as yourself: ask for a file token."))
	}
	return e.JSON(http.StatusOK, map[string]any{"token": row.fileToken(v.Clock())})
}

// EndRoute leaves.
//
//	POST /api/portal/view-as/end → 204; 401; 403 who looks with the own eyes
func (v *Viewings) EndRoute(e *core.RequestEvent) error {
	row := ViewingOf(e)
	if row == nil {
		return problem.Reply(e, problem.New(problem.Forbidden, "You are signed in as yourself."))
	}
	err := v.App.RunInTransaction(func(tx core.App) error { return v.end(tx, row, row.actor(e.RealIP()), viewingLeft) })
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.NoContent(http.StatusNoContent)
}
