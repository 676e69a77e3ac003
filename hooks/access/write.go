package access

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Who may write the records of people and organizations. PocketBase's rules let
// those through who may see a record; what one may do with it is decided here
// and answered in words.

// Manage lets managers and owners of the firm write, and superusers.
func Manage(e *core.RecordRequestEvent) error {
	if err := atLeast(e, "manager"); err != nil {
		return problem.Hook(e.App, err)
	}
	return e.Next()
}

// KeepOrganization refuses to delete what requests, people and the trail refer to.
func KeepOrganization(e *core.RecordRequestEvent) error {
	return problem.Hook(e.App, problem.New(problem.FieldLocked, "A client is not deleted: set its status to archived instead."))
}

func atLeast(e *core.RecordRequestEvent, role string) error {
	if e.HasSuperuserAuth() {
		return nil
	}
	if e.Auth == nil || e.Auth.Collection().Name != schema.Staff {
		return problem.New(problem.Forbidden, "Only staff can do this.")
	}
	member, err := StaffOf(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	if !member.AtLeast(role) {
		return problem.New(problem.Role, fmt.Sprintf("Your role does not allow this. Ask a colleague with the role %s.", role))
	}
	return nil
}

// own are the fields that people change of themselves.
var own = []string{"name", "locale", "timezone", "password", "passwordConfirm", "oldPassword", "emailVisibility", "email", "verified", "id", "collectionId", "collectionName", "created", "updated"}

// CreateStaff refuses accounts of programs: those are made with their token.
func CreateStaff(e *core.RecordRequestEvent) error {
	if e.Record.GetString("maker") != "" {
		return problem.Hook(e.App, problem.Field("maker", problem.FieldLocked, "Programs are made on the page Programs."))
	}
	return e.Next()
}

// UpdateStaff lets everybody change the own name, language and password, and
// owners the rest. The last active owner stays one.
func UpdateStaff(e *core.RecordRequestEvent) error {
	info, err := e.RequestInfo()
	if err != nil {
		return problem.Hook(e.App, fmt.Errorf("read request: %w", err))
	}
	if e.Record.GetString("maker") != "" {
		return problem.Hook(e.App, problem.New(problem.FieldLocked, "A program is not changed: revoke it, and make another one."))
	}
	needsOwner := e.Auth == nil || e.Auth.Id != e.Record.Id
	for name := range info.Body {
		if !slices.Contains(own, name) && schema.JSON(e.Record.Get(name)) != schema.JSON(e.Record.Original().Get(name)) {
			needsOwner = true
		}
	}
	if needsOwner {
		if err := atLeast(e, "owner"); err != nil {
			return problem.Hook(e.App, err)
		}
	}
	if err := keepAnOwner(e); err != nil {
		return problem.Hook(e.App, err)
	}
	return e.Next()
}

func keepAnOwner(e *core.RecordRequestEvent) error {
	was, is := e.Record.Original(), e.Record
	if was.GetString("role") != "owner" || !was.GetBool("active") || (is.GetString("role") == "owner" && is.GetBool("active")) {
		return nil
	}
	return lastOwner(e.App, is.Id)
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

// UpdateUser lets people change their own name, language, time zone and
// password, nothing else.
func UpdateUser(e *core.RecordRequestEvent) error {
	info, err := e.RequestInfo()
	if err != nil {
		return problem.Hook(e.App, fmt.Errorf("read request: %w", err))
	}
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	for name := range info.Body {
		if !slices.Contains(own, name) {
			return problem.Hook(e.App, problem.Field(name, problem.FieldLocked, "This cannot be changed here."))
		}
	}
	return e.Next()
}
