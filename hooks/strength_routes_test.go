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
// client or all of the house at once, so that walls make no difference.
var hasNone = map[string][]string{
	"does not ask for a role":  {"access.change_password", "access.prove", "access.viewing", "access.viewing_file", "access.view_as_end"},
	"does not ask whose it is": {"access.change_password", "access.prove", "access.viewing", "access.view_as_end", "access.factor", "access.factor_start", "access.factor_confirm", "access.factor_recovery", "access.factor_remove", "access.passkey_add", "workflow.request_picture"},
	"does not ask for walls": {
		"access.change_password", "access.prove", "access.viewing", "access.view_as_end", "access.viewing_file",
		"access.factor", "access.factor_start", "access.factor_confirm", "access.factor_recovery", "access.factor_remove", "access.security", "access.change_security",
		"access.end_session", "access.passkeys", "access.passkey_start", "access.passkey_prove", "access.passkey_add", "access.passkey_rename", "access.passkey_remove",
		"backup.list", "backup.make", "backup.prove", "workflow.forecast", "workflow.list", "workflow.save_definition", "workflow.check_definition", "workflow.install_definition",
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
			x.call(t, r, p.who(x.Stage)) // a first visit is told more
			if x.same(r.ID+p.title, x.call(t, r, p.who(x.Stage))); !x.same(r.ID+p.title, x.call(t, r, p.who(x.Stage))) {
				t.Errorf("%s answers %s otherwise each time", r.ID, p.title)
			}
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

// Whoever asks a route about what is not theirs is answered as about what does not
// exist, to the letter.
func TestMatrix_notYoursIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, err := w.FindRecordById("documents", w.document)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{w.request, w.paused, w.item, w.invitation, w.mail, w.Bluebell.Id, w.Anna.Id, w.Vera.Id, w.vera, w.spare["delegations"], w.session, w.document, w.passkey, w.program, w.excluded, w.backup}
	var pairs []string
	for _, id := range ids {
		pairs = append(pairs, id, nowhereID)
	}
	absent := strings.NewReplacer(pairs...)
	asked := 0
	for _, p := range people {
		if p.title != "other" && p.title != "s.walled" {
			continue
		}
		who := p.who(w.Stage)
		compare := func(method, path, body string) {
			t.Helper()
			if absent.Replace(path+body) == path+body {
				return // it names nothing that might be somebody's
			}
			asked++
			there, nowhere := w.try(t, who, method, path, body), w.try(t, who, method, absent.Replace(path), absent.Replace(body))
			if there.Status != nowhere.Status || absent.Replace(canonical(there.Raw)) != canonical(nowhere.Raw) {
				t.Errorf("%s, %s %s: %d %s, and for what is not there %d %s", p.title, method, path, there.Status, there.Raw, nowhere.Status, nowhere.Raw)
			}
		}
		for _, r := range w.House.Rows {
			if !isMethod(r.When) || !strings.HasPrefix(r.What, "/api/") || p.title == "s.walled" && (slices.Contains(hasNone["does not ask for walls"], r.ID) || slices.Contains([]string{"access.reach", "access.revoke_program", "backup.restore"}, r.ID)) {
				continue // staff know the firm's people, and its clients' by name; owners look after the house; walls hide what is the client's
			}
			path, body := w.calling(r.ID, r.What)
			b, err := json.Marshal(body)
			if err != nil || r.When == http.MethodGet {
				b = nil
			}
			compare(r.When, path, string(b))
		}
		compare(http.MethodGet, "/api/files/documents/"+d.Id+"/"+d.GetString("file")+"?token="+w.FileToken(t, who), "")
	}
	if t.Logf("%d questions, each about what is not theirs and what is not there", asked); asked < 70 {
		t.Error("that is too few")
	}
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
