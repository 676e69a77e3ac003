package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300210_add_proofs.go", addProofs)
}

// addProofs lets a session keep when its person proved last to be the same one.
func addProofs(app core.App) error {
	sessions, err := app.FindCollectionByNameOrId("sessions")
	if err != nil {
		return fmt.Errorf("find sessions: %w", err)
	}
	sessions.Fields.Add(date("proved"))
	if err := app.Save(sessions); err != nil {
		return fmt.Errorf("save sessions: %w", err)
	}
	return nil
}
