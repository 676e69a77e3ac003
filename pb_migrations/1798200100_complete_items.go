package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798200100_complete_items.go", completeItems)
}

// completeItems adds the votes of items that several people decide on.
func completeItems(app core.App) error {
	items, err := app.FindCollectionByNameOrId("items")
	if err != nil {
		return fmt.Errorf("find items: %w", err)
	}
	items.Fields.Add(object("votes"))
	if err := app.Save(items); err != nil {
		return fmt.Errorf("save items: %w", err)
	}
	return nil
}
