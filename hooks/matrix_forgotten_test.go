package hooks_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/types"

	"gatehouse/hooks"
	"gatehouse/hooks/gatetest"
)

// unlisted are the routes and hooks of a stage that its table does not name.
func unlisted(t *testing.T, s *gatetest.Stage) []string {
	t.Helper()
	// PocketBase adds these two of its own when it serves.
	routes, ids := map[string]bool{"/": true, "GET /_/extensions.js": true}, map[string]bool{}
	for _, r := range s.House.Rows {
		routes[r.When+" "+r.What], ids[r.ID] = true, true
	}
	var list []string
	for _, p := range s.Routes(t) {
		if !routes[p] {
			list = append(list, p)
		}
	}
	for _, id := range s.Bound(t) {
		room, _, named := strings.Cut(id, ".")
		if _, ours := floors[room]; named && ours && !ids[id] {
			list = append(list, id)
		}
	}
	return list
}

// undecided are the lines of a policy that the stored one does not have.
func undecided(t *testing.T, order []string) []string {
	t.Helper()
	stored, err := os.ReadFile("testdata/policy.txt")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for line := range strings.Lines(string(stored)) {
		known = append(known, strings.TrimSpace(line[:min(52, len(line))]))
	}
	return slices.DeleteFunc(slices.Clone(order), func(line string) bool { return slices.Contains(known, line) })
}

// Everything that is served or bound is in the table, and everything in the table
// in the policy.
func TestMatrix_nothingIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order, _ := w.policy(t, nil)
	if list := append(unlisted(t, w.Stage), undecided(t, order)...); len(list) > 0 {
		t.Errorf("forgotten: %v", list)
	}
	if served := len(w.Routes(t)); served < 80 {
		t.Errorf("only %d routes were found", served)
	}
}

// A collection, a route in the table, a route beside the table and a hook beside
// it: whoever adds one without a decision is told.
func TestMatrix_tellsWhatIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(s *gatetest.Stage) {
		c := core.NewBaseCollection("made_up")
		c.Fields.Add(&core.TextField{Name: "word", Hidden: true})
		c.ListRule = types.Pointer("")
		if err := s.Save(c); err != nil {
			t.Fatal(err)
		}
		s.House.Rows = append(s.House.Rows, hooks.Row{When: "GET", What: "/api/portal/made-up", ID: "access.made_up"})
		s.OnServe().BindFunc(func(e *core.ServeEvent) error {
			answer := func(e *core.RequestEvent) error { return e.NoContent(http.StatusNoContent) }
			e.Router.GET("/api/portal/made-up", answer)
			e.Router.GET("/api/portal/beside", answer)
			return e.Next()
		})
		s.OnRecordCreate("users").Bind(&hook.Handler[*core.RecordEvent]{Id: "access.beside", Func: func(e *core.RecordEvent) error { return e.Next() }})
	})
	order, answers := w.policy(t, nil)
	want := []string{"GET /api/portal/beside", "access.beside", "GET    /api/portal/made-up", "made_up              list", "made_up              view", "made_up              create", "made_up              update", "made_up              delete"}
	if got := append(unlisted(t, w.Stage), undecided(t, order)...); !slices.Equal(got, want) {
		t.Errorf("told of %q, wanted %q", got, want)
	}
	if answers["GET    /api/portal/made-up"] != "204" {
		t.Errorf("the made-up route answers a stranger %s", answers["GET    /api/portal/made-up"])
	}
	c, err := w.FindCollectionByNameOrId("made_up")
	if err != nil {
		t.Fatal(err)
	}
	if told := readSees(t).undecided(c); len(told) != 2 {
		t.Errorf("who sees it, and its hidden field: %q", told)
	}
}
