package simulate_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/simulate"
	"gatehouse/hooks/workflow"

	// The portal in memory stands on the migrated database.
	_ "gatehouse/pb_migrations"
)

var shipped = []string{"simple-request.yaml", "accounting-monthly-close.yaml", "accounting-onboarding-kyc.yaml", "agency-creative-approval.yaml"}

func source(t testing.TB, name string) []byte {
	t.Helper()
	b, err := workflow.LibraryFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func prepare(t testing.TB, rig simulate.Rig, source, judge []byte) *simulate.Ground {
	t.Helper()
	g, findings, err := simulate.Prepare(rig, source, judge)
	if err != nil || g == nil {
		t.Fatal(err, findings)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func walk(t testing.TB, g *simulate.Ground, o simulate.Options) *simulate.Result {
	t.Helper()
	out, err := g.Walk(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestShippedWorkflows_keepEveryPromise(t *testing.T) {
	faults := 0
	for _, name := range shipped {
		t.Run(name, func(t *testing.T) {
			g := prepare(t, hooks.SimulateRig(), source(t, name), source(t, name))
			out := walk(t, g, simulate.Options{Runs: 20, Steps: 100, Seed: 7, Replays: 100})
			if out.Found != nil {
				t.Fatalf("%v\n%s", out.Found, schema.JSON(out.Found.Acts))
			}
			if s := out.Statistics; s.Done < 100 || s.Refused < 100 || s.Refusals["wall"] == 0 || s.Refusals["not_yours"] == 0 {
				t.Errorf("the walk is one-sided: %s", schema.JSON(s))
			}
			faults += out.Statistics.Refusals["fault"]
		})
	}
	if faults == 0 {
		t.Error("nothing ever failed in between")
	}
}

// The shipped workflows are rich; a walk also has to cope with definitions that
// lack sections, fields or jobs.
func TestSoundWorkflows_ofEveryShapeKeepEveryPromise(t *testing.T) {
	const folder = "../workflow/testdata/sound"
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out := walk(t, prepare(t, hooks.SimulateRig(), b, b), simulate.Options{Runs: 4, Steps: 60, Seed: 11})
			if out.Found != nil {
				t.Fatalf("%v\n%s", out.Found, schema.JSON(out.Found.Acts))
			}
		})
	}
}

func TestSimulate_sameSeedSameStatistics(t *testing.T) {
	printed := func(seed uint64) string {
		t.Helper()
		out, err := simulate.Simulate(hooks.SimulateRig(), source(t, "accounting-monthly-close.yaml"), simulate.Options{Runs: 5, Steps: 60, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		for _, asJSON := range []bool{true, false} {
			if err := out.Print(&b, asJSON); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	first := printed(3)
	if second := printed(3); second != first {
		t.Errorf("not the same:\n%s\n%s", first, second)
	}
	if other := printed(4); other == first {
		t.Error("another seed walks the same way")
	}
}

func TestSimulate_refusedDefinitionIsNotWalked(t *testing.T) {
	bad := strings.Replace(string(source(t, "simple-request.yaml")), "initial: draft", "initial: nowhere", 1)
	out, err := simulate.Simulate(hooks.SimulateRig(), []byte(bad), simulate.Options{Runs: 1, Steps: 1})
	if err != nil || out.Statistics != nil || len(out.Findings) == 0 {
		t.Fatalf("%+v %v", out, err)
	}
}

// broken is the house with something wrong in it.
func broken(change func(app core.App, e *workflow.Engine)) simulate.Rig {
	rig := hooks.SimulateRig()
	build := rig.Build
	rig.Build = func(app core.App, clock schema.Clock) *workflow.Engine {
		e := build(app, clock)
		change(app, e)
		return e
	}
	return rig
}

// tells changes how the engine tells the outbox.
func tells(how func(tx core.App, f workflow.Fact, emit func(core.App, workflow.Fact) error) error) simulate.Rig {
	return broken(func(_ core.App, e *workflow.Engine) {
		emit := e.Emit
		e.Emit = func(tx core.App, f workflow.Fact) error { return how(tx, f, emit) }
	})
}

// and writes besides, where the wall before that is down. The wall is built again
// at once, so that it is the change that is noticed.
func besides(wall, statement string) simulate.Rig {
	return tells(func(tx core.App, f workflow.Fact, emit func(core.App, workflow.Fact) error) error {
		var built string
		if err := tx.DB().NewQuery(`SELECT sql FROM sqlite_master WHERE name = {:wall}`).Bind(dbx.Params{"wall": wall}).Row(&built); err != nil {
			return err
		}
		if _, err := tx.DB().NewQuery(`DROP TRIGGER ` + wall).Execute(); err != nil {
			return err
		}
		if _, err := tx.DB().NewQuery(statement).Bind(dbx.Params{"id": f.Request}).Execute(); err != nil {
			return err
		}
		if _, err := tx.DB().NewQuery(built).Execute(); err != nil {
			return err
		}
		return emit(tx, f)
	})
}

// without drops walls of the database as it starts.
func without(triggers ...string) simulate.Rig {
	return broken(func(app core.App, _ *workflow.Engine) {
		app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			for _, name := range triggers {
				if _, err := e.App.NonconcurrentDB().NewQuery("DROP TRIGGER IF EXISTS " + name).Execute(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// An engine with one thing wrong is found out, each within so many acts.
func TestBrokenEngine_isFoundOut(t *testing.T) {
	const kyc, month, simple = "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "simple-request.yaml"
	whole := hooks.SimulateRig()
	for _, c := range []struct {
		name       string
		definition string
		rig        simulate.Rig
		was, is    string // one change of the definition that the engine gets
		rules      string
	}{
		{"an event is forgotten", simple, tells(func(tx core.App, f workflow.Fact, emit func(core.App, workflow.Fact) error) error {
			if f.Type == "request.submit" {
				return nil
			}
			return emit(tx, f)
		}), "", "", "told"},
		{"an event is told twice", simple, tells(func(tx core.App, f workflow.Fact, emit func(core.App, workflow.Fact) error) error {
			if err := emit(tx, f); err != nil || !strings.HasPrefix(f.Type, "item.") {
				return err
			}
			return emit(tx, f)
		}), "", "", "told"},
		{"an event without its change", simple, tells(func(tx core.App, f workflow.Fact, emit func(core.App, workflow.Fact) error) error {
			if err := emit(tx, f); err != nil || f.Type != "message.posted" {
				return err
			}
			f.Type = "request.submit"
			return emit(tx, f)
		}), "", "", "told"},
		{"the trail misses a decision", simple, broken(func(_ core.App, e *workflow.Engine) {
			audit := e.Audit
			e.Audit = func(tx core.App, c workflow.Change) error {
				if c.Action == "review" {
					return nil
				}
				return audit(tx, c)
			}
		}), "", "", "told"},
		{"the trail is rewritten", simple, broken(func(_ core.App, e *workflow.Engine) {
			emit := e.Emit
			e.Emit = func(tx core.App, f workflow.Fact) error {
				if f.Type == "request.reopen" {
					for _, s := range []string{`DROP TRIGGER IF EXISTS wall_audit_log_update`, `UPDATE audit_log SET actor_name = 'somebody else' WHERE seq = 1`} {
						if _, err := tx.DB().NewQuery(s).Execute(); err != nil {
							return err
						}
					}
				}
				return emit(tx, f)
			}
		}), "", "", "audit_chain wall"},
		{"a revision jumps", simple, besides("wall_requests_change", `UPDATE requests SET revision = revision + 1 WHERE id = {:id}`), "", "", "revision told"},
		{"the client's row holds a field of the firm's", month, besides("wall_client_requests_update", `UPDATE client_requests SET data = json_set(data, '$.dormant', true) WHERE id = {:id}`), "", "", "leak"},
		{"a decision is out before its time", simple, besides("wall_client_items_update", `UPDATE client_items SET comment = (SELECT i.comment FROM items i WHERE i.id = client_items.id) WHERE request = {:id}`), "", "", "leak"},
		{"the client's row falls behind", simple, besides("wall_client_requests_update", `UPDATE client_requests SET label = 'Soon' WHERE id = {:id}`), "", "", "client_rows"},
		{"the turn is with somebody else", simple, besides("wall_requests_change", `UPDATE requests SET turn = 'nobody' WHERE id = {:id}`), "", "", "turn"},
		{"an accepted item changes by itself", simple, besides("wall_items_update", `UPDATE items SET status = 'missing' WHERE request = {:id} AND status = 'accepted' AND entered_status = 'accepted'`), "", "", "item client_rows"},
		{"the wall before the state is down", simple, without("wall_requests_state", "wall_requests_change"), "", "", "wall"},
		{"the wall before items is down", simple, without("wall_items_update"), "", "", "wall"},
		{"the wall before the client's rows is down", simple, without("wall_client_requests_update"), "", "", "wall"},
		{"the wall before history is down", simple, without("wall_transitions_delete"), "", "", "wall"},
		{"the wall before the definition is down", simple, without("wall_workflows_keep"), "", "", "wall"},
		{"a guard on items is missing", simple, whole, "guard: [{items: {sections: [things], required: true, status_in: [provided, accepted, waived]}}], effects: [{lock_items: provided}", "effects: [{lock_items: provided}", "rights"},
		{"four eyes are not asked for", month, whole, "{not_same_person_as: to_review}, ", "", "rights"},
		{"required fields are not asked for", month, whole, ", {fields_complete: approve}", "", "rights"},
		{"somebody else may take a step", simple, whole, "to: submitted, by: [client_admin, client_member, client_delegate]", "to: submitted, by: [client_admin, client_member, client_delegate, handler]", "rights"},
		{"a step is possible before its time", simple, whole, "after: {days_in_state: 60}", "after: {days_in_state: 1}", "rights"},
		{"an internal note is not asked for", kyc, whole, "by: [partner], requires: [internal_note], confirm: true", "by: [partner], confirm: true", "rights"},
		{"a state gives rights that it should not", simple, whole, "turn: staff, owner: handler, sla: {business_days: 1}, can: {}", "turn: staff, owner: handler, sla: {business_days: 1}, can: {provide: [things]}", "rights"},
	} {
		t.Run(c.name, func(t *testing.T) {
			judge := source(t, c.definition)
			given := judge
			if c.was != "" {
				if given = []byte(strings.Replace(string(judge), c.was, c.is, 1)); bytes.Equal(given, judge) {
					t.Fatal("the definition does not say that")
				}
			}
			g := prepare(t, c.rig, given, judge)
			out := walk(t, g, simulate.Options{Runs: 150, Steps: 120, Seed: 1})
			if out.Found == nil {
				t.Fatalf("nobody noticed in %d acts", out.Statistics.Acts)
			}
			if !strings.Contains(c.rules, out.Found.Rule) {
				t.Errorf("found as %v, not as %s", out.Found, c.rules)
			}
			t.Logf("after %d acts: %v", out.Statistics.Acts, out.Found)
		})
	}
}

// The list of acts that is printed shows the fault when it is read back and
// played again, and is shorter than the walk.
func TestViolation_canBePlayedAgain(t *testing.T) {
	judge := source(t, "simple-request.yaml")
	given := []byte(strings.Replace(string(judge), "by: [client_admin, client_member, client_delegate]", "by: [client_admin, client_member, client_delegate, handler]", 1))
	g := prepare(t, hooks.SimulateRig(), given, judge)
	out := walk(t, g, simulate.Options{Runs: 60, Steps: 120, Seed: 1, Replays: 60})
	if out.Found == nil {
		t.Fatal("nobody noticed")
	}
	var acts []simulate.Act
	if err := json.Unmarshal([]byte(schema.JSON(out.Found.Acts)), &acts); err != nil {
		t.Fatal(err)
	}
	if v := g.Again(acts); v == nil || v.Rule != out.Found.Rule {
		t.Errorf("played again: %v, not %v", v, out.Found)
	}
	// Opened, sent, perhaps filled and sent in by the wrong person: a handful.
	if len(acts) > 12 {
		t.Errorf("%d acts are not short: %s", len(acts), schema.JSON(acts))
	}
}

var grounds sync.Map

// FuzzEngine lets the bytes of the fuzzer choose the definition and every act.
func FuzzEngine(f *testing.F) {
	for n := range uint64(8) {
		dice := rand.New(rand.NewPCG(n, 1)) // the same corpus each time
		choices := make([]byte, 400)
		for i := range choices {
			choices[i] = byte(dice.UintN(256))
		}
		f.Add(choices)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, choices []byte) {
		name := shipped[0]
		if len(choices) > 0 {
			name = shipped[int(choices[0])%len(shipped)]
		}
		ground, ok := grounds.Load(name)
		if !ok {
			g, findings, err := simulate.Prepare(hooks.SimulateRig(), source(t, name), source(t, name))
			if err != nil || g == nil {
				t.Fatal(err, findings)
			}
			ground, _ = grounds.LoadOrStore(name, g)
		}
		found, err := ground.(*simulate.Ground).Try(choices, 60)
		if err != nil {
			t.Fatal(err)
		}
		if found != nil {
			t.Fatalf("%v\n%s", found, schema.JSON(found.Acts))
		}
	})
}
