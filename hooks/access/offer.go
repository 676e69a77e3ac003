package access

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// notOffered are PocketBase's account flows that neither interface has a page
// for. A code by mail signs everybody in, and the profile changes a password.
var notOffered = []string{
	"request-password-reset", "confirm-password-reset", "request-verification", "confirm-verification", "request-email-change", "confirm-email-change",
}

// Offered refuses them for clients and staff, whether or not there is such an
// account, so that the answer tells nothing and no mail leads nowhere.
func Offered(e *core.RequestEvent) error {
	name := e.Request.PathValue("collection")
	if name == "" {
		return e.Next()
	}
	_, last, _ := strings.Cut(strings.TrimPrefix(e.Request.URL.Path, "/api/collections/"), "/")
	if !slices.Contains(notOffered, last) {
		return e.Next()
	}
	c, err := e.App.FindCachedCollectionByNameOrId(name)
	if err != nil || (c.Name != schema.Users && c.Name != schema.Staff) {
		return e.Next()
	}
	return problem.Reply(e, problem.New(problem.Forbidden, "Sign in with a code from your email instead, then choose a new password in your profile."))
}
