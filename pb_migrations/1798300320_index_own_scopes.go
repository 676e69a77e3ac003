package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300320_index_own_scopes.go", indexOwnScopes)
}

// indexOwnScopes finds the few requests that do not share their organization's
// scope: each change of a right looks at them.
func indexOwnScopes(app core.App) error {
	requests, err := app.FindCollectionByNameOrId("requests")
	if err != nil {
		return fmt.Errorf("find requests: %w", err)
	}
	indexWhere(requests, false, "organization", "scope != 'staff:' || organization")
	if err := app.Save(requests); err != nil {
		return fmt.Errorf("save requests: %w", err)
	}
	return nil
}
