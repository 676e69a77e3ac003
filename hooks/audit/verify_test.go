package audit_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/audit"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

func TestMain(m *testing.M) {
	code := m.Run()
	gatetest.CleanUp()
	os.Exit(code)
}

// written is a trail of n entries, on a copy whose walls are down: what somebody
// does who has the file itself.
func written(t *testing.T, n int) *tests.TestApp {
	t.Helper()
	s := gatetest.New(t)
	var there int
	if err := s.DB().NewQuery(`SELECT COUNT(*) FROM audit_log`).Row(&there); err != nil {
		t.Fatal(err)
	}
	err := s.RunInTransaction(func(tx core.App) error {
		for i := there; i < n; i++ {
			e := audit.Entry{
				Actor: schema.Actor{Kind: schema.ActorStaff, ID: "sam", Name: "Sam", IP: "127.0.0.1"}, Action: "update", Collection: "requests", Record: fmt.Sprint("r", i),
				Organization: "o", Request: "r", Change: map[string]any{"title": []any{"Old", "New"}}, Scope: "staff:o", At: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC),
			}
			if err := audit.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, wall := range []string{"insert", "update", "delete"} {
		run(t, s.TestApp, "DROP TRIGGER wall_audit_log_"+wall)
	}
	return s.TestApp
}

func run(t *testing.T, app core.App, statement string) {
	t.Helper()
	if _, err := app.NonconcurrentDB().NewQuery(statement).Execute(); err != nil {
		t.Fatal(statement, err)
	}
}

func TestVerify_namesTheFirstBadEntry(t *testing.T) {
	const entries = 60
	for _, c := range []struct {
		name     string
		tamper   string
		bad      int64
		says     string
		accepted int64
	}{
		{"an honest trail", ``, 0, "", entries},
		{"one byte of a change", `UPDATE audit_log SET change = replace(change, 'Old', 'old') WHERE seq = 40`, 40, "changed", 39},
		{"another actor", `UPDATE audit_log SET actor = 'ruth' WHERE seq = 41`, 41, "changed", 40},
		{"another name", `UPDATE audit_log SET actor_name = 'Ruth' WHERE seq = 41`, 41, "changed", 40},
		{"another kind of actor", `UPDATE audit_log SET actor_kind = 'system' WHERE seq = 41`, 41, "changed", 40},
		{"another time", `UPDATE audit_log SET at = '2026-01-02 00:00:00.000Z' WHERE seq = 42`, 42, "changed", 41},
		{"another action", `UPDATE audit_log SET action = 'create' WHERE seq = 43`, 43, "changed", 42},
		{"another collection", `UPDATE audit_log SET collection = 'items' WHERE seq = 43`, 43, "changed", 42},
		{"another record", `UPDATE audit_log SET record = 'x' WHERE seq = 44`, 44, "changed", 43},
		{"another request", `UPDATE audit_log SET request = 'x' WHERE seq = 44`, 44, "changed", 43},
		{"another organization", `UPDATE audit_log SET organization = 'x' WHERE seq = 44`, 44, "changed", 43},
		{"another address", `UPDATE audit_log SET ip = '' WHERE seq = 45`, 45, "changed", 44},
		{"a hash made up", `UPDATE audit_log SET hash = 'x' WHERE seq = 46`, 46, "changed", 45},
		{"an entry dropped in the middle", `DELETE FROM audit_log WHERE seq = 47`, 47, "missing", 46},
		{"the first one dropped", `DELETE FROM audit_log WHERE seq = 1`, 1, "missing", 0},
		{"an entry dropped and the gap closed", `DELETE FROM audit_log WHERE seq = 48; UPDATE audit_log SET seq = seq - 1 WHERE seq > 48`, 48, "changed", 47},
		{"two entries swapped", `UPDATE audit_log SET seq = 999 WHERE seq = 50; UPDATE audit_log SET seq = 50 WHERE seq = 51; UPDATE audit_log SET seq = 51 WHERE seq = 999`, 50, "changed", 49},
		{"an entry put in", `INSERT INTO audit_log SELECT 'forged' || substr(id, 7), actor, action, actor_kind, actor_name, at, change, collection, created, hash, ip, organization, record, request, scope, 61, updated FROM audit_log WHERE seq = 60`, 61, "changed", 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := written(t, entries)
			if strings.HasPrefix(c.tamper, "INSERT") {
				c.tamper = `INSERT INTO audit_log (id, seq, at, actor_kind, actor, actor_name, action, collection, record, organization, request, change, ip, hash)
					SELECT 'forged', 61, at, actor_kind, actor, actor_name, action, collection, record, organization, request, change, ip, hash FROM audit_log WHERE seq = 60`
			}
			for statement := range strings.SplitSeq(c.tamper, ";") {
				if strings.TrimSpace(statement) != "" {
					run(t, app, statement)
				}
			}
			report, err := audit.Verify(app)
			if err != nil {
				t.Fatal(err)
			}
			if report.Bad != c.bad || report.Entries != c.accepted || !strings.Contains(report.Why, c.says) || (c.bad == 0) != (report.Why == "") {
				t.Errorf("%+v", report)
			}
		})
	}
}

// Cutting the end off leaves a chain that fits: only its head, kept elsewhere,
// tells.
func TestVerify_headTellsACutEnd(t *testing.T) {
	app := written(t, 30)
	whole, err := audit.Verify(app)
	if err != nil {
		t.Fatal(err)
	}
	run(t, app, `DELETE FROM audit_log WHERE seq > 25`)
	cut, err := audit.Verify(app)
	if err != nil || cut.Bad != 0 || cut.Entries != 25 || cut.Head == whole.Head {
		t.Errorf("%+v %v", cut, err)
	}
}

// More entries than are read at once.
func TestVerify_longTrail(t *testing.T) {
	app := written(t, 4100)
	if report, err := audit.Verify(app); err != nil || report.Bad != 0 || report.Entries != 4100 {
		t.Fatalf("%+v %v", report, err)
	}
	run(t, app, `UPDATE audit_log SET actor_name = 'x' WHERE seq = 2001`)
	if report, err := audit.Verify(app); err != nil || report.Bad != 2001 {
		t.Fatalf("%+v %v", report, err)
	}
}

// The trail keeps what changed, and never a secret.
func TestRecorder_keepsChangesWithoutSecrets(t *testing.T) {
	s := gatetest.New(t)
	change := func(body map[string]any) []string {
		t.Helper()
		if a := s.Ask(t, s.Anna, "PATCH", "/api/collections/users/records/"+s.Anna.Id, body); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		var entries []string
		err := s.DB().NewQuery(`SELECT change FROM audit_log WHERE record = {:id} AND action = 'update' AND actor = {:id} ORDER BY seq`).Bind(map[string]any{"id": s.Anna.Id}).Column(&entries)
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	if got := change(map[string]any{"name": "Anna Bell"}); len(got) != 1 || got[0] != `{"name":["Anna","Anna Bell"]}` {
		t.Errorf("a new name: %q", got)
	}
	if got := change(map[string]any{"name": "Anna Bell"}); len(got) != 1 {
		t.Errorf("saving without a change: %q", got)
	}
	got := change(map[string]any{"oldPassword": gatetest.Password, "password": "another sentence altogether", "passwordConfirm": "another sentence altogether"})
	if len(got) != 2 || !strings.Contains(got[1], "sign_in") || strings.Contains(got[1], "$2a$") || strings.Contains(got[1], "sentence") || strings.Contains(got[1], "tokenKey") {
		t.Errorf("a new password: %q", got)
	}
}
