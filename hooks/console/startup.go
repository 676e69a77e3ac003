package console

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// startUp are the four things that the dashboard asks for at its start. They are
// meant for superusers; staff get answers that hold nothing, so that the
// dashboard opens for them without learning anything of the installation.
var startUp = map[string]any{
	"/api/collections":                       map[string]any{"page": 1, "perPage": 500, "totalItems": 0, "totalPages": 0, "items": []any{}},
	"/api/collections/meta/scaffolds":        map[string]any{},
	"/api/collections/meta/oauth2-providers": []any{},
	"/api/settings":                          map[string]any{"meta": map[string]any{}},
}

// StartUp answers the dashboard's first questions for active staff.
func StartUp(e *core.RequestEvent) error {
	answer, asked := startUp[e.Request.URL.Path]
	if !asked || e.Request.Method != http.MethodGet || e.Auth == nil || e.Auth.Collection().Name != schema.Staff || !e.Auth.GetBool("active") {
		return e.Next()
	}
	return e.JSON(http.StatusOK, answer)
}
