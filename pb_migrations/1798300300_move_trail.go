package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300300_move_trail.go", moveTrail)
}

// moveTrail lets the scope of an audit entry follow its request, and nothing else
// of the entry: what is kept from somebody takes its trail along. The scope is no
// part of the entry's hash.
func moveTrail(app core.App) error {
	for _, statement := range []string{
		`DROP TRIGGER wall_audit_log_update`,
		keeps("audit_log", "id seq at actor_kind actor actor_name action collection record organization request change ip hash created updated", ""),
		// Entries of requests that have a scope of their own by now.
		`UPDATE audit_log SET scope = (SELECT r.scope FROM requests r WHERE r.id = audit_log.request)
			WHERE scope LIKE 'staff:%' AND request IN (SELECT r.id FROM requests r WHERE r.scope != 'staff:' || r.organization)`,
	} {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return fmt.Errorf("move the trail: %w\n%s", err, statement)
		}
	}
	return nil
}
