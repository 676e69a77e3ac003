package schema

import (
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Insert writes a row without record hooks. Commands use it inside their
// transaction for rows that PocketBase need not validate or broadcast; it costs
// a third of a record's Save.
func Insert(tx core.App, table string, row dbx.Params) error {
	return many(tx, table, []dbx.Params{row}, "")
}

// Update changes the row with the given id without record hooks.
func Update(tx core.App, table, id string, row dbx.Params) error {
	_, err := tx.DB().Update(table, row, dbx.HashExp{"id": id}).Execute()
	return err
}

// InsertMany writes rows of equal shape in one statement.
func InsertMany(tx core.App, table string, rows []dbx.Params) error {
	return many(tx, table, rows, "")
}

// Upsert writes rows of equal shape in one statement, replacing those whose id
// is there already. What a row keeps for life is named in kept, and so is created:
// SQLite writes every index of a column that is assigned, also to the same value.
func Upsert(tx core.App, table string, rows []dbx.Params, kept ...string) error {
	return many(tx, table, rows, "id", kept...)
}

// many hands all rows over as one JSON value. So the text of the statement is the
// same for any number of rows, stays prepared, and has one parameter to bind.
func many(tx core.App, table string, rows []dbx.Params, key string, kept ...string) error {
	if len(rows) == 0 {
		return nil
	}
	columns := make([]string, 0, len(rows[0]))
	for c := range rows[0] {
		columns = append(columns, c)
	}
	sort.Strings(columns)
	_, err := tx.DB().NewQuery(statement(table, columns, key, kept)).Bind(dbx.Params{"rows": JSON(rows)}).Execute()
	return err
}

// statements are kept: there are a few dozen.
var statements sync.Map

func statement(table string, columns []string, key string, kept []string) string {
	name := table + "/" + key + "/" + strings.Join(columns, ",") + "/" + strings.Join(kept, ",")
	if text, ok := statements.Load(name); ok {
		return text.(string)
	}
	quoted, values, updates := make([]string, len(columns)), make([]string, len(columns)), []string{}
	for i, c := range columns {
		quoted[i], values[i] = `"`+c+`"`, `value->>'`+c+`'`
		if c != key && c != "created" && !slices.Contains(kept, c) {
			updates = append(updates, quoted[i]+` = excluded.`+quoted[i])
		}
	}
	text := `INSERT INTO "` + table + `" (` + strings.Join(quoted, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM json_each({:rows}) WHERE true`
	if key != "" {
		text += ` ON CONFLICT("` + key + `") DO UPDATE SET ` + strings.Join(updates, ", ")
	}
	statements.Store(name, text)
	return text
}

// JSON writes a value for a JSON column.
func JSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// Strings reads a JSON list of strings; nothing for anything else.
func Strings(stored string) []string {
	var list []string
	if err := json.Unmarshal([]byte(stored), &list); err != nil {
		return nil
	}
	return list
}
