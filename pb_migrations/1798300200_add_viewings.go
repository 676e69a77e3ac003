package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300200_add_viewings.go", addViewings)
}

// addViewings makes the rows of staff looking at the portal as a client, which
// the client can read, and hides walls from those whom they keep away: a wall
// names what they must not know of.
func addViewings(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	staff, err := app.FindCollectionByNameOrId("staff")
	if err != nil {
		return fmt.Errorf("find staff: %w", err)
	}
	b := &builder{app: app}
	viewings := b.base("viewings",
		one("user", true, users), text("user_name", false), one("staff", true, staff), text("staff_name", false),
		&core.TextField{Name: "session", Hidden: true, Max: 100}, hiddenText("token_hash"), &core.DateField{Name: "until", Required: true},
		date("ended"), text("ended_why", false), &core.JSONField{Name: "requests", MaxSize: 100_000, Hidden: true})
	index(viewings, true, "token_hash")
	index(viewings, false, "user, created")
	indexWhere(viewings, false, "until", "ended = ''")
	viewings.ListRule = rule("user = @request.auth.id || (" + isStaff + " && staff = @request.auth.id) || (" + isManager + ")")
	viewings.ViewRule = viewings.ListRule
	b.save(viewings)

	walls, err := app.FindCollectionByNameOrId("walls")
	if err != nil {
		return fmt.Errorf("find walls: %w", err)
	}
	others := isManager + " && staff != @request.auth.id"
	walls.ListRule, walls.ViewRule, walls.DeleteRule = rule(others), rule(others), rule(others)
	b.save(walls)
	return b.err
}
