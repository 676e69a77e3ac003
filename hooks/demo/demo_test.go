package demo

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/event"
	"gatehouse/hooks/notify"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// column reads one column of text.
func column(t testing.TB, app core.App, query string, params dbx.Params) []string {
	t.Helper()
	var list []string
	if err := app.DB().NewQuery(query).Bind(params).Column(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

func count(t testing.TB, app core.App, query string, params dbx.Params) int {
	t.Helper()
	var n int
	if err := app.DB().NewQuery(query).Bind(params).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func engineAt(app core.App, now time.Time) *workflow.Engine {
	return engineFor(app)(func() time.Time { return now })
}

// picture is everything that must not depend on anything but seed and time.
func picture(t testing.TB, app core.App) []string {
	t.Helper()
	list := column(t, app, `SELECT r.number || '|' || r.title || '|' || r.state || '|' || r.entry || '|' || r.due || '|' || COALESCE(c.label, '-') || '|' || r.created || '|' || r.state_since
		FROM requests r LEFT JOIN client_requests c ON c.id = r.id ORDER BY r.number`, nil)
	list = append(list, column(t, app, `SELECT e.type || '|' || e.at || '|' || COALESCE(r.number, '') FROM events e LEFT JOIN requests r ON r.id = e.request ORDER BY e.seq`, nil)...)
	return append(list, column(t, app, `SELECT d.title || '|' || d.sha256 || '|' || d.created FROM documents d ORDER BY d.created, d.title`, nil)...)
}

func TestBuild_sameSeedAndTimeMakeTheSame(t *testing.T) {
	one, two := picture(t, build(t, noon, 7)), picture(t, build(t, noon, 7))
	if !slices.Equal(one, two) {
		for i := range min(len(one), len(two)) {
			if one[i] != two[i] {
				t.Fatalf("line %d:\n%s\n%s", i, one[i], two[i])
			}
		}
		t.Fatalf("%d and %d lines", len(one), len(two))
	}
}

// Whenever the demo is made, it is whole: on a Sunday night, before breakfast
// after the Christmas days, in summer time.
func TestBuild_atAnyTime(t *testing.T) {
	for _, now := range []time.Time{
		time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), time.Date(2027, 1, 4, 8, 59, 0, 0, time.UTC), time.Date(2027, 6, 1, 10, 0, 1, 0, time.UTC),
	} {
		t.Run(now.Format(time.RFC3339), func(t *testing.T) { whole(t, build(t, now, uint64(now.Unix())), now) })
	}
}

func TestBuild(t *testing.T) {
	app := build(t, noon, 0)
	whole(t, app, noon)
	t.Run("the trail fits", func(t *testing.T) {
		report, err := audit.Verify(app)
		if err != nil || report.Bad != 0 || report.Entries < 900 {
			t.Fatalf("%+v %v", report, err)
		}
	})
	t.Run("the access table equals its sources", func(t *testing.T) {
		const all = `SELECT principal || scope || since || until || source || source_id FROM access ORDER BY 1`
		before := column(t, app, all, nil)
		if err := access.Rebuild(app, noon); err != nil {
			t.Fatal(err)
		}
		if after := column(t, app, all, nil); !slices.Equal(before, after) || len(before) == 0 {
			t.Fatalf("%d rows before, %d after", len(before), len(after))
		}
	})
	t.Run("consumers begin after the history", func(t *testing.T) {
		if n := count(t, app, `SELECT (SELECT MAX(seq) FROM events) - (SELECT seq FROM event_cursors WHERE consumer = 'notify')`, nil); n != 0 {
			t.Fatalf("%d events behind", n)
		}
	})
	t.Run("only once", func(t *testing.T) {
		err := Build(t.Context(), app, Options{NewEngine: engineFor(app)})
		if err == nil {
			t.Fatal("a second demo was made on top")
		}
	})
	t.Run("people", func(t *testing.T) { people(t, app) })
	t.Run("what Ana sees", func(t *testing.T) { anaSees(t, app) })
	t.Run("Priya's queue", func(t *testing.T) { priyaSees(t, app) })
	t.Run("the cure works", func(t *testing.T) { cured(t, app) })
}

// whole checks what holds at any time: shares, history, faces, order, hours.
func whole(t *testing.T, app *tests.TestApp, now time.Time) {
	t.Helper()
	stamp := schema.Stamp(now)
	total := count(t, app, `SELECT COUNT(*) FROM requests`, nil)
	if total != 80 {
		t.Errorf("%d requests", total)
	}
	shares := map[string]float64{`category = 'waiting'`: 0.35, `category IN ('open','review')`: 0.30, `category = 'blocked'`: 0.05, `category = 'done'`: 0.30}
	for where, wish := range shares {
		if got := float64(count(t, app, `SELECT COUNT(*) FROM requests WHERE `+where, nil)) / float64(total); math.Abs(got-wish) > 0.05 {
			t.Errorf("%s: %.2f, wished %.2f", where, got, wish)
		}
	}
	consistent(t, app, stamp)
	hours(t, app)
	faces(t, app, now)
	size(t, app)
}

// consistent checks that history, states and times fit together.
func consistent(t *testing.T, app core.App, stamp string) {
	t.Helper()
	none := map[string]string{
		"the last transition does not lead to the state": `SELECT r.number FROM requests r WHERE r.state != COALESCE((SELECT t."to" FROM transitions t WHERE t.request = r.id ORDER BY t.revision DESC LIMIT 1), 'draft')`,
		"a transition does not begin where the one before ended": `SELECT r.number FROM transitions t JOIN requests r ON r.id = t.request
			WHERE t."from" != COALESCE((SELECT p."to" FROM transitions p WHERE p.request = t.request AND p.revision < t.revision ORDER BY p.revision DESC LIMIT 1), 'draft')`,
		"the state is older or younger than its transition": `SELECT r.number FROM requests r WHERE r.state_since != COALESCE((SELECT t.at FROM transitions t WHERE t.request = r.id ORDER BY t.revision DESC LIMIT 1), r.created)`,
		"an event is older than the one before":             `SELECT e.type FROM events e JOIN events p ON p.seq = e.seq - 1 WHERE e.at < p.at`,
		"an entry is older than the one before":             `SELECT a.action FROM audit_log a JOIN audit_log p ON p.seq = a.seq - 1 WHERE a.at < p.at`,
		"an event lies in the future":                       `SELECT type FROM events WHERE at > {:now}`,
		"a timer should have rung":                          `SELECT number FROM requests WHERE wake_at != '' AND wake_at <= {:now}`,
		"a request was opened before its client came":       `SELECT r.number FROM requests r JOIN organizations o ON o.id = r.organization WHERE r.created < o.created`,
		"a file was sent before its request was opened":     `SELECT d.title FROM documents d JOIN requests r ON r.id = d.request WHERE d.created < r.created`,
	}
	for what, query := range none {
		params := dbx.Params{}
		if what == "an event lies in the future" || what == "a timer should have rung" {
			params["now"] = stamp
		}
		if list := column(t, app, query, params); len(list) > 0 {
			t.Errorf("%s: %v", what, list)
		}
	}
}

// hours: people work from nine to five, on business days, in London.
func hours(t *testing.T, app core.App) {
	t.Helper()
	d := newDays(noon, "Europe/London")
	for _, at := range column(t, app, `SELECT at FROM transitions WHERE actor_kind != 'system' UNION SELECT created FROM documents UNION SELECT created FROM messages`, nil) {
		local := schema.Time(at).In(d.calendar.Zone())
		if !d.calendar.IsWorkday(local) || local.Hour() < opening || local.Hour() >= closing {
			t.Errorf("somebody worked at %s", local)
		}
	}
}

// faces compares what the client's rows show with what the engine shows a
// client now.
func faces(t *testing.T, app core.App, now time.Time) {
	t.Helper()
	engine := engineAt(app, now)
	for _, id := range column(t, app, `SELECT id FROM requests`, nil) {
		admins := column(t, app, `SELECT m.user FROM memberships m JOIN organizations o ON o.id = m.organization JOIN requests r ON r.id = {:id} JOIN organizations mine ON mine.id = r.organization
			WHERE m.role = 'admin' AND mine.path >= o.path AND mine.path < o.path || '~'`, dbx.Params{"id": id})
		shown := column(t, app, `SELECT state || '|' || label || '|' || category || '|' || turn || '|' || outcome || '|' || due || '|' || state_since || '|' || revision || '|' || progress FROM client_requests WHERE id = {:id}`, dbx.Params{"id": id})
		v, err := engine.View(app, id, schema.Actor{Kind: schema.ActorUser, ID: admins[0]})
		view, ok := v.(workflow.ClientView)
		if !ok {
			if len(shown) > 0 {
				t.Errorf("%s is shown to nobody, but %v stands there: %v", id, shown, err)
			}
			continue
		}
		want := fmt.Sprint(view.State, "|", view.Label, "|", view.Category, "|", view.Turn, "|", view.Outcome, "|", view.Due, "|", view.StateSince, "|", view.Revision, "|", schema.JSON(view.Progress))
		if len(shown) != 1 || shown[0] != want {
			t.Errorf("%s: the rows say %v, the engine %s", view.Number, shown, want)
		}
		items := column(t, app, `SELECT id || '|' || status || '|' || label || '|' || editable || '|' || reason || '|' || comment FROM client_items WHERE request = {:id} ORDER BY id`, dbx.Params{"id": id})
		var wanted []string
		for _, section := range view.Sections {
			for _, i := range section.Items {
				wanted = append(wanted, fmt.Sprint(i.ID, "|", i.Status, "|", i.Label, "|", map[bool]int{true: 1}[i.Editable], "|", i.Reason, "|", i.Comment))
			}
		}
		slices.Sort(wanted)
		if !slices.Equal(items, wanted) {
			t.Errorf("%s: the rows say %v, the engine %v", view.Number, items, wanted)
		}
	}
}

// size: a folder that is quickly made, copied and thrown away.
func size(t *testing.T, app core.App) {
	t.Helper()
	const mostAll, mostFile = 15 << 20, 300_000
	var total int64
	err := filepath.WalkDir(app.DataDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		total += info.Size()
		if filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(path)))) == "storage" && info.Size() > mostFile {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
		return nil
	})
	if err != nil || total > mostAll {
		t.Errorf("the folder has %d bytes: %v", total, err)
	}
	t.Logf("the folder has %d kB", total>>10)
}

func people(t *testing.T, app core.App) {
	t.Helper()
	for email, wish := range map[string]int{"ana@bluebell.example": 12, "sean@bluebell.example": 1, "joan@bluebell.example": 7, "old@ex-books.example": 0, "dev@kestrel.example": 5} {
		user, err := app.FindAuthRecordByEmail(schema.Users, email)
		if err != nil {
			t.Fatal(err)
		}
		if !user.ValidatePassword(Password) {
			t.Errorf("%s cannot sign in", email)
		}
		sees := count(t, app, `SELECT COUNT(*) FROM client_requests c WHERE EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = c.scope AND a.since <= {:now} AND a.until > {:now})`,
			dbx.Params{"me": user.Id, "now": schema.Stamp(noon)})
		if sees != wish {
			t.Errorf("%s sees %d requests, wished %d", email, sees, wish)
		}
	}
	helen, err := app.FindAuthRecordByEmail(schema.Staff, "helen@harbour.example")
	if err != nil || !helen.ValidatePassword(Password) {
		t.Fatalf("Helen cannot sign in: %v", err)
	}
	if n := count(t, app, `SELECT COUNT(*) FROM transitions WHERE on_behalf_of != ''`, nil); n == 0 {
		t.Error("nobody ever acted for somebody else")
	}
}

func anaSees(t *testing.T, app core.App) {
	t.Helper()
	const hers = `SELECT COUNT(*) FROM client_requests c JOIN organizations o ON o.id = c.organization JOIN organizations top ON o.path >= top.path AND o.path < top.path || '~' WHERE top.code = 'BLU' AND `
	for where, wish := range map[string]int{
		`c.turn = 'client'`: 3, `c.turn = 'client' AND c.due < {:now}`: 1, `c.turn = 'client' AND json_extract(c.progress, '$.sent_back') > 0`: 1,
		`c.turn = 'client' AND json_extract(c.progress, '$.left') = 1 AND json_extract(c.progress, '$.sent_back') = 0`: 1, `c.turn != 'client' AND c.category = 'review'`: 2, `c.category = 'done'`: 2,
	} {
		params := dbx.Params{}
		if where == `c.turn = 'client' AND c.due < {:now}` {
			params["now"] = schema.Stamp(noon)
		}
		if got := count(t, app, hers+where, params); got != wish {
			t.Errorf("%s: %d, wished %d", where, got, wish)
		}
	}
}

func priyaSees(t *testing.T, app core.App) {
	t.Helper()
	least := map[string]int{
		`category = 'review' AND turn = 'staff' AND assignee = (SELECT id FROM staff WHERE email = 'priya@harbour.example')`: 6,
		`assignee = '' AND turn = 'staff'`: 4, `category = 'blocked'`: 4, `turn = 'staff' AND due != '' AND due < '` + schema.Stamp(noon) + `'`: 1,
	}
	for where, wish := range least {
		if got := count(t, app, `SELECT COUNT(*) FROM requests WHERE `+where, nil); got < wish {
			t.Errorf("%s: %d, wished at least %d", where, got, wish)
		}
	}
}

// cured retries every blocked set-up: the new jobs are skipped, which counts as
// done, and the system finishes.
func cured(t *testing.T, app core.App) {
	t.Helper()
	engine := engineAt(app, noon.Add(time.Minute))
	priya, err := app.FindAuthRecordByEmail(schema.Staff, "priya@harbour.example")
	if err != nil {
		t.Fatal(err)
	}
	blocked := column(t, app, `SELECT id FROM requests WHERE state = 'sync_blocked'`, nil)
	if len(blocked) != 4 {
		t.Fatalf("%d are blocked", len(blocked))
	}
	for _, id := range blocked {
		if err := engine.Pass(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if dead := count(t, app, `SELECT COUNT(*) FROM jobs WHERE request = {:id} AND status = 'dead'`, dbx.Params{"id": id}); dead != 1 {
			t.Errorf("%d dead jobs", dead)
		}
		if err := engine.Transition(t.Context(), app, id, schema.ActorOf(priya, ""), workflow.Input{Transition: "retry_setup"}); err != nil {
			t.Fatal(err)
		}
		if err := engine.Pass(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if state := column(t, app, `SELECT state FROM requests WHERE id = {:id}`, dbx.Params{"id": id})[0]; state != "approved" {
			t.Errorf("retried, but %s", state)
		}
	}
}

func TestBuild_tellsPeopleOfTheLastDays(t *testing.T) {
	app := emptyPortal(t)
	err := Build(context.Background(), app, Options{Clock: func() time.Time { return noon }, NewEngine: engineFor(app), Notify: func(clock schema.Clock) event.Handle {
		post := &notify.Post{App: app, Clock: clock, Addresses: notify.Addresses{BaseURL: func() string { return "http://127.0.0.1:8090" }}}
		return post.Handle
	}})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, app, `SELECT COUNT(*) FROM notifications WHERE created < '2026-12-06'`, nil); n > 0 {
		t.Errorf("%d notices are too old", n)
	}
	if n := count(t, app, `SELECT COUNT(*) FROM notifications`, nil); n < 20 {
		t.Errorf("%d notices", n)
	}
	size(t, app)
}

func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		app := emptyPortal(b)
		b.StartTimer()
		if err := Build(b.Context(), app, Options{Clock: func() time.Time { return noon }, NewEngine: engineFor(app)}); err != nil {
			b.Fatal(err)
		}
	}
}
