package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798400410_add_exclusions.go", addExclusions)
}

// addExclusions makes the rows that keep somebody of a client away from one
// request. Nobody reads them by the record API: whoever is kept away must not
// learn of it.
func addExclusions(app core.App) error {
	b := &builder{app: app}
	requests, err := app.FindCollectionByNameOrId("requests")
	if err != nil {
		return fmt.Errorf("find requests: %w", err)
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	exclusions := b.base("exclusions",
		one("request", true, requests), one("user", true, users), text("reason", true), text("by_kind", true), text("by", false), text("by_name", false),
		date("lifted"), text("lifted_by", false))
	indexWhere(exclusions, true, "request, user", "lifted = ''")
	index(exclusions, false, "user")
	b.save(exclusions)
	return b.err
}
