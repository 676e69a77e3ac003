package report

import (
	"fmt"
	"maps"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// few is how many rows of access still count as little (about 300 organizations
// of a member of staff, who has two for each). Up to there it is faster to start
// from the scopes that somebody sees; above, to walk a list in its order and ask
// for each row.
const few = 600

// byScope starts from the scopes. The left side is what the expression indexes
// of the collections hold; both sides are expressions, since SQLite takes no
// index of an expression for a comparison with a column of text.
const byScope = `COALESCE(%[1]s.scope,'') IN (SELECT COALESCE(a.scope,'') FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now})`

// byRow asks for each row. As a value, not as a condition: SQLite would turn that
// into a join, and read all that somebody sees before the first row.
const byRow = `(` + access.Visible + `) = 1`

// everything is a superuser's condition.
const everything = `1 = 1`

// reach is what somebody sees, as a condition on a table.
type reach struct {
	condition string
	params    dbx.Params
}

// clientReach is for the client's side, who see little: from the scopes.
func clientReach(a asker) reach {
	return reach{byScope, dbx.Params{"me": a.ID, "now": a.now()}}
}

// staffReach chooses by how much a member of staff sees.
func staffReach(app core.App, a asker) (reach, error) {
	v := reach{byScope, dbx.Params{"me": a.ID, "now": a.now()}}
	if a.Kind == schema.ActorSuperuser {
		v.condition = everything
		return v, nil
	}
	var n int
	err := app.DB().NewQuery(`SELECT COUNT(*) FROM (SELECT 1 FROM access WHERE principal = {:me} LIMIT {:few})`).Bind(dbx.Params{"me": a.ID, "few": few}).Row(&n)
	if err != nil {
		return v, fmt.Errorf("count what %s sees: %w", a.ID, err)
	}
	if n >= few {
		v.condition = byRow
	}
	return v, nil
}

// sees is the condition on a table with a scope column, by its alias.
func (v reach) sees(alias string) string {
	if v.condition == everything {
		return everything
	}
	return fmt.Sprintf(v.condition, alias)
}

// bind gives the parameters of the condition, and more.
func (v reach) bind(more dbx.Params) dbx.Params {
	all := maps.Clone(v.params)
	maps.Copy(all, more)
	return all
}
