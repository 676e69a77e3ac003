package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798400100_index_turns.go", indexTurns)
}

// indexTurns carries the lists that are sorted by whose turn it is: the own side
// first, then by due date.
func indexTurns(app core.App) error {
	requests, err := app.FindCollectionByNameOrId("requests")
	if err != nil {
		return fmt.Errorf("find requests: %w", err)
	}
	requests.AddIndex("idx_requests_turn", false, "(CASE turn WHEN 'staff' THEN 0 WHEN 'client' THEN 1 WHEN 'system' THEN 2 ELSE 3 END), COALESCE(NULLIF(due, ''), '~'), state_since, id", "category != 'done'")
	if err := app.Save(requests); err != nil {
		return fmt.Errorf("save requests: %w", err)
	}
	clients, err := app.FindCollectionByNameOrId("client_requests")
	if err != nil {
		return fmt.Errorf("find client_requests: %w", err)
	}
	clients.AddIndex("idx_client_requests_scope_turn", false, "COALESCE(scope,''), (CASE turn WHEN 'client' THEN 0 WHEN 'staff' THEN 1 WHEN 'system' THEN 2 ELSE 3 END), COALESCE(NULLIF(due, ''), '~'), id", "")
	if err := app.Save(clients); err != nil {
		return fmt.Errorf("save client_requests: %w", err)
	}
	return nil
}
