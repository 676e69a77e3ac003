package ops_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/ops"
)

var update = flag.Bool("update", false, "write walls.txt again")

func breaches(t *testing.T, s *gatetest.Stage) []string {
	t.Helper()
	found, err := ops.Breaches(s.TestApp)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A new folder has the walls that the binary knows, each as it was built.
func TestWalls_ofANewFolder(t *testing.T) {
	s := gatetest.New(t)
	if *update {
		text, err := ops.WallsOf(s.TestApp)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(".", "walls.txt"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if found := breaches(t, s); len(found) > 0 {
		t.Fatal(found)
	}
}

func TestWalls_oneThatIsDroppedAlteredOrAddedIsNamed(t *testing.T) {
	s := gatetest.New(t)
	var built string
	if err := s.DB().NewQuery(`SELECT sql FROM sqlite_master WHERE name = 'wall_requests_state'`).Row(&built); err != nil {
		t.Fatal(err)
	}
	weaker := strings.Replace(built, "OLD.state IS NOT NEW.state", "OLD.state IS NOT NEW.state AND NEW.priority IS NOT 'urgent'", 1)
	if weaker == built {
		t.Fatal("the wall is not weaker")
	}
	for _, statement := range []string{
		`DROP TRIGGER wall_events_delete`,
		`DROP TRIGGER wall_requests_state`, weaker,
		`CREATE TRIGGER helper AFTER INSERT ON requests BEGIN SELECT 1; END`,
	} {
		if _, err := s.DB().NewQuery(strings.NewReplacer("{", "", "}", "").Replace(statement)).Execute(); err != nil {
			t.Fatal(statement, err)
		}
	}
	want := []string{
		"the database wall wall_events_delete is missing", "the database wall wall_requests_state is not as it was built",
		"the database has a trigger helper that is not Gatehouse's",
	}
	if found := breaches(t, s); !slices.Equal(found, want) {
		t.Fatalf("%q, not %q", found, want)
	}
}

// Who opens the walls of a request by hand leaves the record of it.
func TestWalls_aChangeThatWasNeverMadeIsNamed(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	for _, statement := range []string{
		`INSERT INTO request_changes (request, revision, actor_kind, actor, at) SELECT id, revision + 1, '', '', '' FROM requests WHERE id = '` + id + `'`,
		`UPDATE items SET status = 'accepted' WHERE request = '` + id + `'`,
	} {
		if _, err := s.DB().NewQuery(statement).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"somebody went around the engine: a change of request REQ-2026-0001 is recorded that was never made"}
	if found := breaches(t, s); !slices.Equal(found, want) {
		t.Fatalf("%q, not %q", found, want)
	}
	if _, err := s.DB().NewQuery(`DELETE FROM request_changes`).Execute(); err == nil {
		t.Fatal("the record of it can be taken away")
	}
}

// What the dashboard does to a collection leaves the walls as they were built.
func TestWalls_surviveChangesOfACollection(t *testing.T) {
	s := gatetest.New(t)
	for _, name := range []string{
		"requests", "transitions", "workflows", "items", "client_requests", "client_items", "client_history", "messages", "internal_notes", "timers", "pauses",
	} {
		fields := func(change func(fields []any) []any) {
			t.Helper()
			c := s.Ask(t, s.Sol, http.MethodGet, "/api/collections/"+name, nil)
			if c.Status != 200 {
				t.Fatal(string(c.Raw))
			}
			list, _ := c.Body["fields"].([]any)
			if a := s.Ask(t, s.Sol, http.MethodPatch, "/api/collections/"+name, map[string]any{"fields": change(list)}); a.Status != 200 {
				t.Fatal(string(a.Raw))
			}
		}
		rename := func(from, to string) func([]any) []any {
			return func(list []any) []any {
				for _, f := range list {
					if m := f.(map[string]any); m["name"] == from {
						m["name"] = to
					}
				}
				return list
			}
		}
		fields(func(list []any) []any { return append(list, map[string]any{"name": "extra", "type": "text"}) })
		fields(rename("extra", "more"))
		fields(func(list []any) []any {
			return slices.DeleteFunc(list, func(f any) bool { return f.(map[string]any)["name"] == "more" })
		})
		if name == "requests" { // a column that the walls read, there and back
			fields(rename("entry", "times"))
			fields(rename("times", "entry"))
		}
		for _, other := range []string{name + "_x", name} {
			from := name
			if other == name {
				from = name + "_x"
			}
			if a := s.Ask(t, s.Sol, http.MethodPatch, "/api/collections/"+from, map[string]any{"name": other}); a.Status != 200 {
				t.Fatal(string(a.Raw))
			}
		}
	}
	if found := breaches(t, s); len(found) > 0 {
		t.Fatal(found)
	}
	id := s.Simple(t)
	for _, statement := range []string{
		`UPDATE requests SET state = 'approved' WHERE id = '` + id + `'`,
		`UPDATE requests SET workflow = (SELECT id FROM workflows WHERE key = 'acct_onboarding_kyc') WHERE id = '` + id + `'`,
		`DELETE FROM requests WHERE id = '` + id + `'`,
		`INSERT INTO transitions (id, request, key, "from", "to", entry, revision) VALUES ('xxxxxxxxxxxxxxx', '` + id + `', 'approve', 'draft', 'approved', 1, 2)`,
		`UPDATE workflows SET definition = '{}'`,
		`DELETE FROM workflows`,
		`UPDATE items SET status = 'accepted' WHERE request = '` + id + `'`,
		`DELETE FROM items`,
		`INSERT INTO client_history (id, request, kind) VALUES ('xxxxxxxxxxxxxxx', '` + id + `', 'transition')`,
		`INSERT INTO client_requests (id, title) VALUES ('` + id + `', 'x')`,
	} {
		if _, err := s.DB().NewQuery(strings.NewReplacer("{}", "[]").Replace(statement)).Execute(); err == nil || !strings.Contains(err.Error(), "wall: ") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	s.Move(t, s.Sam, id, "send")
}
