package console

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// listed are the collections that Records shows to staff, from which role on,
// and whether anybody of that role ever makes a new record there. What is not
// listed does not exist for the staff's dashboard; what each may see and write in
// these is decided by the rules and hooks, as everywhere.
var listed = []struct {
	name, role string
	creates    string // from which role on; empty: nobody
}{
	{schema.Requests, "viewer", ""},
	{schema.Items, "viewer", ""},
	{schema.Documents, "viewer", "operator"},
	{schema.Messages, "viewer", "operator"},
	{schema.InternalNotes, "viewer", "operator"},
	{schema.Transitions, "viewer", ""},
	{schema.RequestPeople, "viewer", ""},
	{schema.Organizations, "viewer", "manager"},
	{schema.Users, "viewer", ""},
	{schema.Memberships, "viewer", "manager"},
	{schema.Invitations, "viewer", ""},
	{schema.Delegations, "viewer", ""},
	{schema.Staff, "viewer", "owner"},
	{schema.Walls, "manager", "manager"},
	{schema.Workflows, "viewer", ""},
	{schema.Forms, "viewer", ""},
	{schema.Texts, "viewer", ""},
	{schema.AuditLog, "viewer", ""},
}

// startUp are the other things that the dashboard asks for at its start. They
// are meant for superusers; staff get answers that hold nothing, so that the
// dashboard opens for them without learning anything of the installation.
var startUp = map[string]any{
	"/api/collections/meta/scaffolds":        map[string]any{},
	"/api/collections/meta/oauth2-providers": []any{},
	"/api/settings":                          map[string]any{"meta": map[string]any{}},
}

const collectionsPath = "/api/collections"

// StartUp answers the dashboard's first questions for active staff.
func StartUp(e *core.RequestEvent) error {
	answer, asked := startUp[e.Request.URL.Path]
	if (!asked && e.Request.URL.Path != collectionsPath) || e.Request.Method != http.MethodGet || e.Auth == nil || e.Auth.Collection().Name != schema.Staff || !e.Auth.GetBool("active") {
		return e.Next()
	}
	if asked {
		return e.JSON(http.StatusOK, answer)
	}
	collections, err := Collections(e.App, access.MemberOf(schema.ActorOf(e.Auth, e.RealIP())))
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"page": 1, "perPage": 500, "totalItems": len(collections), "totalPages": 1, "items": collections})
}

// Collections are what Records needs to know to list and edit: names and fields,
// without rules, hidden fields, indexes and the options of signing in.
func Collections(app core.App, member access.StaffMember) ([]map[string]any, error) {
	list := []map[string]any{}
	for _, x := range listed {
		if !member.AtLeast(x.role) {
			continue
		}
		c, err := app.FindCachedCollectionByNameOrId(x.name)
		if err != nil {
			return nil, fmt.Errorf("find collection %s: %w", x.name, err)
		}
		fields := core.NewFieldsList() // a single field does not write its type
		for _, f := range c.Fields {
			if !f.GetHidden() {
				fields.Add(f)
			}
		}
		shown := map[string]any{
			"id": c.Id, "name": c.Name, "type": c.Type, "system": false, "created": c.Created, "updated": c.Updated, "fields": fields, "indexes": []string{},
			"listRule": nil, "viewRule": nil, "createRule": nil, "updateRule": nil, "deleteRule": nil,
			"creates": x.creates != "" && member.AtLeast(x.creates),
		}
		if c.IsAuth() {
			off := map[string]any{"enabled": false}
			shown["passwordAuth"] = map[string]any{"enabled": false, "identityFields": []string{}}
			shown["oauth2"] = map[string]any{"enabled": false, "providers": []any{}, "mappedFields": map[string]any{}}
			shown["mfa"], shown["otp"], shown["authAlert"], shown["authRule"], shown["manageRule"] = off, off, off, nil, nil
		}
		list = append(list, shown)
	}
	return list, nil
}
