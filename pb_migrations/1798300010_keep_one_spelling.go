package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300010_keep_one_spelling.go", keepOneSpelling)
}

// keepOneSpelling writes addresses in lower case, as new ones are. Where two
// accounts differ in case only, both stay as they are: only people can say whose
// they are, and "doctor" names them.
func keepOneSpelling(app core.App) error {
	for _, table := range []string{"users", "staff"} {
		_, err := app.DB().NewQuery(`UPDATE ` + table + ` SET email = lower(email) WHERE email != lower(email)
			AND NOT EXISTS (SELECT 1 FROM ` + table + ` o WHERE o.id != ` + table + `.id AND lower(o.email) = lower(` + table + `.email))`).Execute()
		if err != nil {
			return fmt.Errorf("write the addresses of %s in lower case: %w", table, err)
		}
	}
	return nil
}
