package ops

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"
)

// walls are the triggers that the migrations made and nobody may drop.
var walls = []string{
	"wall_audit_log_delete", "wall_audit_log_insert", "wall_audit_log_update",
	"wall_events_delete", "wall_events_insert", "wall_events_update",
	"wall_forms_delete", "wall_forms_keep", "wall_texts_delete", "wall_texts_keep",
	"wall_requests_delete", "wall_requests_insert", "wall_requests_state", "wall_requests_workflow",
	"wall_transitions_delete", "wall_transitions_insert", "wall_transitions_update",
	"wall_workflows_delete", "wall_workflows_keep", "wall_workflows_publish_insert", "wall_workflows_publish_update",
}

// MissingWalls names the triggers that are gone.
func MissingWalls(app core.App) ([]string, error) {
	var there []string
	if err := app.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'wall_%'`).Column(&there); err != nil {
		return nil, fmt.Errorf("read triggers: %w", err)
	}
	var missing []string
	for _, name := range walls {
		if !slices.Contains(there, name) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}
