package hooks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks"
	"gatehouse/hooks/gatetest"
)

// Rows of the table that guard nothing: what they do is seen by other tests.
// All other hooks and middlewares are guards, and must be missed.
var noGuards = map[string]string{
	"problem.own_faults_":        "says that a fault is ours",
	"audit.":                     "writes the trail",
	"notify.":                    "sends mail",
	"workflow.keep_others_edits": "keeps a colleague's edit",
	"workflow.forget_calendars":  "forgets what it remembered",
	"access.find_":               "finds an account that is spelt otherwise",
	"access.unlock":              "lets one in again sooner",
	"console.connect":            "makes a connection that can wait",
	"console.headers":            "what browsers may do with a page",
	"console.start_up":           "what the dashboard shows first",
	"ops.provenance":             "says where a request comes from",
	"house.":                     "starts and stops",
}

func isGuard(r hooks.Row) bool {
	if isMethod(r.When) || r.When == "event" || strings.HasPrefix(r.When, "every minute") || strings.HasPrefix(r.When, "every second") {
		return false
	}
	return !slices.ContainsFunc(slices.Collect(maps.Keys(noGuards)), func(prefix string) bool { return strings.HasPrefix(r.ID, prefix) })
}

// excused are guards that nothing misses when they go, and why. An excuse for
// one that is missed fails.
var excused = map[string]string{
	"access.derive_organization_delete": "no client is ever deleted",
}

// trial is a world in which guards are taken away, one at a time, and what was
// answered while all stood.
type trial struct {
	*world
	mistakes
	collections []*core.Collection
	said        map[string]string
	learning    bool // all guards stand: only what was not asked yet is asked
}

// newTrial makes one. In an open one every rule for writing lets everybody pass,
// so that the hooks stand alone: each of two locks has to hold by itself.
func newTrial(t *testing.T, open bool) *trial {
	t.Helper()
	x := &trial{said: map[string]string{}}
	x.world = newWorld(t, func(s *gatetest.Stage) { x.bind(s.TestApp) })
	if open {
		if _, err := x.DB().NewQuery("UPDATE _collections SET createRule = '', updateRule = '', deleteRule = '' WHERE type != 'view'").Execute(); err != nil {
			t.Fatal(err)
		}
		if err := x.ReloadCachedCollections(); err != nil {
			t.Fatal(err)
		}
	}
	x.moment = x.Keep(t)
	all, err := x.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	x.collections = all
	return x
}

// said1 is an answer, without what is new each time it is given.
func said1(status int, raw []byte) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return fmt.Sprint(status)
	}
	body, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprint(status)
	}
	if status >= 300 {
		data, _ := json.Marshal(body["data"])
		return fmt.Sprint(status, body["message"], string(data))
	}
	// What is filled in by the server counts as filled in, and a scope by whose it is.
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(body)) {
		filled := body[key] != nil && body[key] != "" && body[key] != false && body[key] != 0.0
		if text, isText := body[key].(string); isText && key == "scope" {
			filled = text == body["organization"] || text == body["id"]
		}
		parts = append(parts, fmt.Sprint(key, filled))
	}
	return fmt.Sprint(status, parts)
}

// same compares an answer with the one that was given while all guards stood.
func (x *trial) same(key, answer string) bool {
	before, known := x.said[key]
	if !known {
		x.said[key] = answer
		return true
	}
	return before == answer
}

// missed says which question about an act on a collection is answered otherwise,
// "" if none.
func (x *trial) missed(t *testing.T, collection, act string) string {
	t.Helper()
	at := slices.IndexFunc(x.collections, func(c *core.Collection) bool { return c.Name == collection })
	for _, p := range people {
		question := fmt.Sprintf("%s %s by %s", act, collection, p.title)
		if at >= 0 && !x.asked(t, question, func() string { return x.onCollection(t, p.who(x.Stage), x.collections[at], act)[act].said }) {
			return question
		}
	}
	return ""
}

// cheated says which cheat about a row goes otherwise, "" if none.
func (x *trial) cheated(t *testing.T, id string) string {
	t.Helper()
	for _, c := range cheats {
		if c.is(id) && !x.asked(t, c.name, func() string {
			r := &run{trial: x, t: t}
			c.try(r)
			x.Back(t, x.moment)
			x.Store().Remove("access.tries")
			return strings.Join(r.log, "\n")
		}) {
			return c.name
		}
	}
	return ""
}

// asked says whether a question is answered as it was while all guards stood.
// Then it is asked twice: an answer that differs by itself would prove nothing.
func (x *trial) asked(t *testing.T, question string, ask func() string) bool {
	t.Helper()
	if _, known := x.said[question]; !x.learning {
		return x.same(question, ask())
	} else if known {
		return true
	}
	if x.same(question, ask()); !x.same(question, ask()) {
		t.Errorf("%s is answered otherwise each time: %s", question, x.said[question])
	}
	return true
}

// shows says how it shows that a row of the table is gone, "" if not at all.
func (x *trial) shows(t *testing.T, r hooks.Row) string {
	t.Helper()
	if by := x.cheated(t, r.ID); by != "" {
		return by
	}
	if act, _, _ := strings.Cut(r.When, " "); slices.Contains([]string{"create", "update", "delete"}, act) {
		return x.missed(t, r.What, act)
	}
	return ""
}

// A guard of the table that is taken away is missed: the answer to some question
// of the policy, or to a cheat, becomes another one.
func TestMatrix_everyGuardIsMissed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	how := map[string]string{} // guard → who missed it
	var rows []hooks.Row
	var group sync.WaitGroup
	for _, open := range []bool{false, true} {
		x := newTrial(t, open)
		rows = x.guards()
		group.Go(func() {
			for _, r := range x.guards() {
				mu.Lock()
				known := how[r.ID] != ""
				mu.Unlock()
				if known {
					continue
				}
				if by := x.without(t, r); by != "" {
					mu.Lock()
					how[r.ID] = by
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	for _, r := range rows {
		reason, isExcused := excused[r.ID]
		switch {
		case how[r.ID] == "" && !isExcused:
			t.Errorf("nobody misses %s (%s, %s)", r.ID, r.When, r.What)
		case how[r.ID] != "" && isExcused:
			t.Errorf("%s needs no excuse any more: %s", r.ID, how[r.ID])
		case isExcused:
			t.Logf("excused: %s, since %s", r.ID, reason)
		}
	}
	t.Logf("%d guards, %d of them missed", len(rows), len(how))
	if len(rows) < 150/askEvery || (len(rows)-len(how))*100 > len(rows) {
		t.Error("too few, or too many that nobody misses")
	}
}

// guards are the rows of the table that guard something.
func (x *trial) guards() []hooks.Row {
	var list []hooks.Row
	for n, r := range x.House.Rows {
		if n%askEvery == 0 && isGuard(r) {
			list = append(list, r)
		}
	}
	return list
}

// without takes a guard away, and says how it shows.
func (x *trial) without(t *testing.T, r hooks.Row) string {
	t.Helper()
	x.learning = true
	x.shows(t, r)
	x.learning = false
	on, found := x.Off(t, r.ID)
	defer on()
	if !found {
		t.Errorf("%s is in the table, but nowhere bound", r.ID)
	}
	return x.shows(t, r)
}
