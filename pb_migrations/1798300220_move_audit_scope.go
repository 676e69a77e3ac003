package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300220_move_audit_scope.go", moveAuditScope)
}

// auditScope lets whose eyes an entry is for follow its request, and nothing
// else of it: a wall before one request hides its entries too. The scope is not
// part of the chain of hashes.
var auditScope = []string{
	`DROP TRIGGER wall_audit_log_update`,
	`CREATE TRIGGER wall_audit_log_update BEFORE UPDATE ON audit_log
		WHEN OLD.scope IS NEW.scope OR OLD.request IS '' OR OLD.scope NOT LIKE 'staff:%' OR NEW.scope NOT LIKE 'staff:%'
		OR OLD.id IS NOT NEW.id OR OLD.seq IS NOT NEW.seq OR OLD.at IS NOT NEW.at OR OLD.actor_kind IS NOT NEW.actor_kind OR OLD.actor IS NOT NEW.actor OR OLD.actor_name IS NOT NEW.actor_name
		OR OLD.action IS NOT NEW.action OR OLD.collection IS NOT NEW.collection OR OLD.record IS NOT NEW.record OR OLD.organization IS NOT NEW.organization OR OLD.request IS NOT NEW.request
		OR OLD.change IS NOT NEW.change OR OLD.ip IS NOT NEW.ip OR OLD.hash IS NOT NEW.hash OR OLD.created IS NOT NEW.created OR OLD.updated IS NOT NEW.updated BEGIN
		SELECT RAISE(ABORT, 'wall: the audit log is only added to');
	END`,
	// Entries written before keep up with where their request is now.
	`UPDATE audit_log SET scope = (SELECT r.scope FROM requests r WHERE r.id = audit_log.request)
		WHERE request != '' AND scope LIKE 'staff:%' AND scope != (SELECT r.scope FROM requests r WHERE r.id = audit_log.request)`,
}

func moveAuditScope(app core.App) error {
	for _, statement := range auditScope {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return fmt.Errorf("move the scope of audit entries: %w\n%s", err, statement)
		}
	}
	return nil
}
