package hooks_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

// kept are the tables that the database itself keeps, each with the columns that
// may change beside a recorded change of the request. Every other column is tried,
// also those that are added later.
var kept = []struct {
	table string
	free  map[string]string // column → another value, as SQL
}{
	{"transitions", map[string]string{"scope": "'x'"}},
	{"client_history", map[string]string{"scope": "'x'"}},
	{"messages", map[string]string{"scope": "'x'", "updated": "'x'", "documents": "'[]'"}},
	{"internal_notes", map[string]string{"scope": "'x'"}},
	{"timers", map[string]string{"scope": "'x'"}},
	{"pauses", map[string]string{"scope": "'x'", "updated": "'x'", "ended": "'2026-12-01 00:00:00.000Z'"}},
	{"events", nil},
	{"audit_log", map[string]string{"scope": "'x'"}},
	{"request_changes", nil},
	{"workflow_moves", nil},
	{"workflow_steps", nil},
	{"requests", map[string]string{"scope": "'x'", "visibility": "'restricted'", "participants": "'[\"x\"]'", "wake_at": "'x'", "remind_at": "'x'", "updated": "'x'"}},
	{"items", map[string]string{"scope": "'x'"}},
	{"client_requests", map[string]string{"scope": "'x'"}},
	{"client_items", map[string]string{"scope": "'x'"}},
	{"workflows", map[string]string{"status": "'retired'", "findings": "'[]'", "updated": "'x'"}},
	{"forms", map[string]string{"status": "'retired'", "updated": "'x'"}},
	{"texts", map[string]string{"status": "'retired'", "updated": "'x'"}},
}

// withRows gives each of the kept tables a row.
func withRows(t *testing.T, s *gatetest.Stage) {
	t.Helper()
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	spoken(t, s, id)
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), map[string]any{"until": "2027-01-04", "reason": "They are away."}), 200)
	err := schema.Insert(s.TestApp, schema.Timers, dbx.Params{"id": schema.NewID(), "request": id, "key": "r", "kind": "reminder", "entry": 1, "occurrence": "1", "person": "", "status": "fired", "why": "It was due.", "at": "2026-01-01 00:00:00.000Z", "scope": "x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`DROP TRIGGER wall_workflow_moves_insert`,
		`INSERT INTO workflow_moves (request, revision, from_workflow, to_workflow, from_state, to_state, run, at) VALUES ('` + id + `', 1, 'a', 'b', 'c', 'd', '', '')`,
	} {
		if _, err := s.DB().NewQuery(statement).Execute(); err != nil {
			t.Fatal(err)
		}
	}
}

// Each column of what is kept is tried alone, and beside each column that may
// change: none goes along with another one.
func TestWalls_everyColumn(t *testing.T) {
	s := gatetest.New(t)
	withRows(t, s)
	for _, k := range kept {
		t.Run(k.table, func(t *testing.T) {
			columns, err := s.TableColumns(k.table)
			if err != nil {
				t.Fatal(err)
			}
			var rows int
			if err := s.DB().NewQuery(`SELECT COUNT(*) FROM ` + k.table).Row(&rows); err != nil || rows == 0 {
				t.Fatal("there is no row to try", err)
			}
			update := func(sets ...string) func(tx core.App) error {
				return func(tx core.App) error {
					_, err := tx.DB().NewQuery(`UPDATE ` + k.table + ` SET ` + strings.Join(sets, ", ")).Execute()
					return err
				}
			}
			for column, value := range k.free {
				if !slices.Contains(columns, column) {
					t.Errorf("there is no column %s", column)
				}
				if err := s.RunInTransaction(takenBack(update(`"` + column + `" = ` + value))); !errors.Is(err, errTakeBack) {
					t.Errorf("%s cannot change alone: %v", column, err)
				}
			}
			for _, column := range columns {
				if _, free := k.free[column]; free {
					continue
				}
				set := `"` + column + `" = COALESCE("` + column + `", '') || 'x'`
				stopped(t, set, s.TestApp, update(set))
				for other, value := range k.free {
					stopped(t, set+" with "+other, s.TestApp, update(set, `"`+other+`" = `+value))
				}
			}
		})
	}
}
