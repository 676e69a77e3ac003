package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300000_add_sessions.go", addSessions)
}

// addSessions makes the rows that sign-ins hang on, and the second factors.
// Nobody reads them by the record API: people see their own by an endpoint.
func addSessions(app core.App) error {
	b := &builder{app: app}

	sessions := b.base("sessions",
		choice("collection", true, "users", "staff", "_superusers"), text("principal", true), text("method", false),
		text("device", false), text("agent", false), text("ip", false), hiddenText("device_key"),
		date("last_seen"), date("until"), date("ended"), text("ended_by", false), text("ended_why", false))
	index(sessions, false, "principal, ended")
	index(sessions, false, "until")
	b.save(sessions)

	factors := b.base("second_factors",
		choice("collection", true, "users", "staff"), text("principal", true), hiddenText("secret"), date("confirmed"),
		&core.NumberField{Name: "last_step", OnlyInt: true, Hidden: true}, &core.JSONField{Name: "recovery", MaxSize: 10_000, Hidden: true},
		text("reset_asked_by", false), date("reset_asked_at"), text("reset_reason", false))
	index(factors, true, "principal")
	b.save(factors)
	return b.err
}
