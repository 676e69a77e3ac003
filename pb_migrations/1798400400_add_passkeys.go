package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798400400_add_passkeys.go", addPasskeys)
}

// addPasskeys makes the rows of passkeys: public keys, by the name that their
// browser knows them by. Nobody reads them by the record API: people see their
// own by an endpoint.
func addPasskeys(app core.App) error {
	b := &builder{app: app}
	passkeys := b.base("passkeys",
		choice("collection", true, "users", "staff"), text("principal", true), text("name", true), text("rp_id", true), hiddenText("credential"), hiddenText("public_key"),
		&core.NumberField{Name: "sign_count", OnlyInt: true, Hidden: true}, &core.NumberField{Name: "flags", OnlyInt: true, Hidden: true},
		&core.JSONField{Name: "transports", MaxSize: 1000, Hidden: true}, date("last_used"))
	index(passkeys, true, "credential")
	index(passkeys, false, "principal")
	b.save(passkeys)
	return b.err
}
