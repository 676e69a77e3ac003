package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"gatehouse/hooks"
	"gatehouse/hooks/schema"
)

// mistaking is a route that does not ask who calls it: it takes some of its
// callers for somebody else.
type mistaking struct {
	name string
	whom func(auth *core.Record) bool
	for1 func(x *trial) *core.Record
}

var mistakings = []mistaking{
	{"does not ask for a sign-in", func(auth *core.Record) bool { return auth == nil }, func(x *trial) *core.Record { return x.Anna }},
	{"does not ask for a role", func(auth *core.Record) bool { return auth != nil }, func(x *trial) *core.Record { return x.Pat }},
	{"does not ask whose it is", func(auth *core.Record) bool { return auth != nil && auth.Collection().Name == schema.Users }, func(x *trial) *core.Record { return x.Anna }},
	{"does not ask for walls", func(auth *core.Record) bool { return auth != nil && auth.GetString("name") == "wanda" }, func(x *trial) *core.Record { return x.Pat }},
}

// hasNone are the routes that have no guard of a kind: they are about the caller
// alone, so that there is nobody else whom they could be asked about, or about no
// client, so that walls make no difference.
var hasNone = map[string][]string{
	"does not ask for a role":  {"access.change_password", "access.prove", "access.viewing", "access.viewing_file", "access.view_as_end"},
	"does not ask whose it is": {"access.change_password", "access.prove", "access.viewing", "access.view_as_end", "access.factor", "access.factor_start", "access.factor_confirm", "access.factor_recovery", "access.factor_remove", "workflow.request_picture"},
	"does not ask for walls": {
		"access.change_password", "access.prove", "access.viewing", "access.view_as_end", "access.viewing_file", "access.lend_powers",
		"access.factor", "access.factor_start", "access.factor_confirm", "access.factor_recovery", "access.factor_remove", "access.security", "access.change_security",
		"access.end_session", "workflow.list", "workflow.save_definition", "workflow.check_definition", "workflow.install_definition",
		"workflow.export_definition", "workflow.diff_definitions", "workflow.publish_definition", "workflow.retire_definition",
		"workflow.migrate", "workflow.runs", "workflow.cancel_run", "report.staff", "report.requests",
	},
}

// A route that takes one person for another answers some question otherwise.
func TestMatrix_everyRouteAsksWho(t *testing.T) {
	t.Parallel()
	x := newTrial(t, false)
	count, missed, noticed := 0, 0, map[string]int{}
	for _, r := range x.House.Rows {
		if !isMethod(r.When) || !strings.HasPrefix(r.What, "/api/") || x.isPublic(t, r) {
			continue
		}
		if count++; count%askEvery != 0 {
			continue
		}
		for _, p := range people {
			x.same(r.ID+p.title, x.call(t, r, p.who(x.Stage)))
		}
		for _, wrong := range mistakings {
			by := x.mistaken(t, r, wrong)
			switch none := x.hasNone(r, wrong); {
			case none && by != "":
				t.Errorf("%s does ask, %s notices: it is listed as one that %s", r.ID, by, wrong.name)
			case none:
			case by == "":
				missed++
				t.Errorf("nobody notices that %s (%s %s) %s", r.ID, r.When, r.What, wrong.name)
			default:
				noticed[wrong.name]++
			}
		}
	}
	t.Logf("%d routes that ask for a sign-in; noticed: %v; not noticed: %d", count, noticed, missed)
}

// hasNone says whether a route has no guard of a kind, be it that no client may
// call it at all.
func (x *trial) hasNone(r hooks.Row, wrong mistaking) bool {
	return slices.Contains(hasNone[wrong.name], r.ID) || wrong.name == "does not ask whose it is" && strings.HasPrefix(x.said[r.ID+"admin"], "403") && x.said[r.ID+"admin"] == x.said[r.ID+"other"]
}

// isPublic says whether a route lets strangers in.
func (x *trial) isPublic(t *testing.T, r hooks.Row) bool {
	t.Helper()
	path, body := x.calling(r.ID, r.What)
	return x.try(t, nil, r.When, path, body).Status != http.StatusUnauthorized || slices.Contains([]string{"access.second_step", "access.second_setup"}, r.ID)
}

var moments = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T][\d:.]+Z`)

// call asks a route as the policy does, and gives all that was said.
func (x *trial) call(t *testing.T, r hooks.Row, who *core.Record) string {
	t.Helper()
	path, body := x.calling(r.ID, r.What)
	if r.When != http.MethodGet {
		a := x.try(t, who, r.When, path, body)
		return said1(a.Status, a.Raw)
	}
	a := x.try(t, who, r.When, path, nil)
	return fmt.Sprint(a.Status, moments.ReplaceAllString(canonical(a.Raw), ""))
}

// canonical is an answer with its keys in order.
func canonical(raw []byte) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// mistaken says who notices that a route is mistaken, "" if nobody.
func (x *trial) mistaken(t *testing.T, r hooks.Row, wrong mistaking) string {
	t.Helper()
	x.from, x.whom, x.taken = r.When+" "+r.What, wrong.whom, wrong.for1(x)
	defer func() { x.from = "" }()
	for _, p := range people {
		if who := p.who(x.Stage); wrong.whom(who) && !x.same(r.ID+p.title, x.call(t, r, who)) {
			return p.title
		}
	}
	return ""
}

// mistakes stands in front of the routes, and takes callers of one of them for
// somebody else.
type mistakes struct {
	from  string // the pattern of the route
	whom  func(auth *core.Record) bool
	taken *core.Record
}

func (m *mistakes) bind(app core.App) {
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "test.mistake", Priority: -1005, Func: func(e *core.RequestEvent) error {
			if m.from != "" && e.Request.Pattern == m.from && m.whom(e.Auth) {
				e.Auth = m.taken
			}
			return e.Next()
		}})
		return e.Next()
	})
}
