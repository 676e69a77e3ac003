package pb_migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798400420_hide_walls.go", hideWalls)
}

// hideWalls answers a program that deletes a wall as if there were none: it does
// not see walls, and must not learn by that which there are.
func hideWalls(app core.App) error {
	walls, err := app.FindCollectionByNameOrId("walls")
	if err != nil {
		return fmt.Errorf("find walls: %w", err)
	}
	walls.DeleteRule = rule(strings.ReplaceAll(*walls.DeleteRule, isStaff, isStaff+" && @request.auth.maker = ''"))
	if err := app.Save(walls); err != nil {
		return fmt.Errorf("save walls: %w", err)
	}
	return nil
}
