package schema

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Insert writes a row without record hooks. Commands use it inside their
// transaction for rows that PocketBase need not validate or broadcast; it costs
// a third of a record's Save.
func Insert(tx core.App, table string, row dbx.Params) error {
	_, err := tx.DB().Insert(table, row).Execute()
	return err
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
// is there already; created is kept.
func Upsert(tx core.App, table string, rows []dbx.Params) error {
	return many(tx, table, rows, "id")
}

// many keeps under SQLite's limit of bound values by writing in blocks.
func many(tx core.App, table string, rows []dbx.Params, key string) error {
	const mostValues = 20_000
	if len(rows) == 0 {
		return nil
	}
	columns := make([]string, 0, len(rows[0]))
	for c := range rows[0] {
		columns = append(columns, c)
	}
	sort.Strings(columns)
	block := max(1, mostValues/len(columns))
	for start := 0; start < len(rows); start += block {
		if err := writeBlock(tx, table, columns, rows[start:min(start+block, len(rows))], key); err != nil {
			return err
		}
	}
	return nil
}

func writeBlock(tx core.App, table string, columns []string, rows []dbx.Params, key string) error {
	var b strings.Builder
	b.WriteString("INSERT INTO [[" + table + "]] (")
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("[[" + c + "]]")
	}
	b.WriteString(") VALUES ")
	params := make(dbx.Params, len(rows)*len(columns))
	for r, row := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for i, c := range columns {
			if i > 0 {
				b.WriteByte(',')
			}
			name := "v" + strconv.Itoa(r) + "_" + strconv.Itoa(i)
			b.WriteString("{:" + name + "}")
			params[name] = row[c]
		}
		b.WriteByte(')')
	}
	if key != "" {
		b.WriteString(" ON CONFLICT([[" + key + "]]) DO UPDATE SET ")
		first := true
		for _, c := range columns {
			if c == key || c == "created" {
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			b.WriteString("[[" + c + "]]=excluded.[[" + c + "]]")
		}
	}
	_, err := tx.DB().NewQuery(b.String()).Bind(params).Execute()
	return err
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
