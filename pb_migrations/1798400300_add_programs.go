package pb_migrations

import (
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798400300_add_programs.go", addPrograms)
}

// addPrograms lets programs work with a token of their own. To every rule a
// program is an account of the firm, so that it sees and does what such an
// account may; maker is the person for whom it acts, and empty for people.
//
// programs keeps what was agreed, under the id of the account. Nobody reads or
// writes it by the record API. What is about the firm's people and about clients
// whom a program was not given stays closed to it.
func addPrograms(app core.App) error {
	b := &builder{app: app}
	staff, err := app.FindCollectionByNameOrId("staff")
	if err != nil {
		return fmt.Errorf("find staff: %w", err)
	}
	staff.Fields.Add(one("maker", false, staff))
	indexWhere(staff, false, "maker", "maker != ''")
	staff.AuthRule = rule("active = true && maker = ''")
	b.save(staff)

	programs := b.base("programs",
		text("name", true), one("maker", true, staff), choice("role", true, "viewer", "operator", "manager"), object("duties"), object("organizations"),
		object("networks"), flag("dry_run"), &core.DateField{Name: "expires", Required: true}, hiddenText("token_hash"), text("hint", false),
		&core.TextField{Name: "session", Hidden: true, Max: 100}, date("ended"), text("ended_by", false), text("ended_why", false))
	index(programs, true, "token_hash")
	index(programs, false, "maker, created")
	indexWhere(programs, false, "expires", "ended = ''")
	b.save(programs)

	const person = isStaff + " && @request.auth.maker = ''"
	for _, name := range []string{"users", "staff", "viewings", "walls", "runs", "run_items"} {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		for _, r := range []*string{c.ListRule, c.ViewRule, c.UpdateRule} {
			if r != nil && !strings.Contains(*r, "@request.auth.maker") {
				*r = strings.ReplaceAll(*r, isStaff, person)
			}
		}
		b.save(c)
	}
	return b.err
}
