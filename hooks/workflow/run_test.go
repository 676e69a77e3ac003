package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/workflow"
)

// bulk starts a run through its route.
func bulk(t testing.TB, s *gatetest.Stage, who *core.Record, body map[string]any) string {
	t.Helper()
	a := s.Ask(t, who, "POST", "/api/portal/bulk", body)
	if a.Status != 200 {
		t.Fatal(string(a.Raw))
	}
	return a.Body["id"].(string)
}

func simples(t testing.TB, s *gatetest.Stage, n int) []string {
	t.Helper()
	ids := make([]string, 0, n)
	for range n {
		ids = append(ids, s.Simple(t))
	}
	return ids
}

func TestBulk_looksAheadInWords(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 3)
	s.Move(t, s.Sam, ids[1], "send")
	empty := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Bluebell.Id})
	v := finish(t, s, bulk(t, s, s.Sam, map[string]any{"action": "transition", "transition": "send", "requests": append(ids, empty), "dry_run": true}))
	for id, want := range map[string][2]string{
		ids[0]: {"ok", `It would go to "Waiting for client" by "Send to client". The client gets the turn, and one email.`},
		ids[1]: {"skipped", `There is no step "send" from here now.`},
		empty:  {"skipped", "There is nothing to ask for yet. Add at least one item."},
	} {
		if status, text := textOf(v, id); status != want[0] || text != want[1] {
			t.Errorf("%s %q, not %q", status, text, want)
		}
	}
	if v.Done != 4 || v.Changed != 2 || v.Skipped != 2 || v.Failed != 0 {
		t.Errorf("%+v", v)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM requests WHERE state = 'waiting_for_client'`, nil); n != 1 {
		t.Errorf("looking ahead has moved %d", n-1)
	}
	// The same blockers as one at a time.
	if err := s.Try(s.Sam, empty, "send"); err == nil || !strings.HasSuffix(err.Error(), "Add at least one item.") {
		t.Error(err)
	}
}

func TestBulk_actsAsThePerson(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 3)
	v := finish(t, s, bulk(t, s, s.Sam, map[string]any{"action": "transition", "transition": "send", "requests": ids}))
	if v.Changed != 3 || !slices.Equal(v.Summary, []string{"3 requests: the step"}) {
		t.Errorf("%+v", v)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM transitions WHERE key = 'send' AND actor = {:sam} AND actor_kind = 'staff'`, dbx.Params{"sam": s.Sam.Id}); n != 3 {
		t.Errorf("%d steps are Sam's", n)
	}
	// Pat has no duty to send, Sam had it until just now.
	more := simples(t, s, 2)
	v = finish(t, s, bulk(t, s, s.Pat, map[string]any{"action": "transition", "transition": "send", "requests": more}))
	if status, text := textOf(v, more[0]); status != "skipped" || text != "Only the handler can do this." {
		t.Errorf("%s %q", status, text)
	}
	run := bulk(t, s, s.Sam, map[string]any{"action": "transition", "transition": "send", "requests": more})
	s.Sam.Set("duties", []string{})
	if err := s.Save(s.Sam); err != nil {
		t.Fatal(err)
	}
	if v = finish(t, s, run); v.Changed != 0 || v.Skipped != 2 {
		t.Errorf("who lost the duty has used it: %+v", v)
	}
}

func TestBulk_peoplePrioritiesAndTags(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 2)
	if err := s.House.Engine.PatchRequest(context.Background(), s.TestApp, ids[1], gatetest.Actor(s.Sam), workflow.RequestPatch{Priority: new("high"), Tags: []string{"old", "kept"}}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		body map[string]any
		want map[string][2]string
	}{
		{map[string]any{"action": "priority", "priority": "high"}, map[string][2]string{ids[0]: {"ok", "the priority high."}, ids[1]: {"skipped", "It is so already."}}},
		{map[string]any{"action": "assign", "assignee": s.Ruth.Id}, map[string][2]string{ids[0]: {"ok", "Ruth in charge."}, ids[1]: {"ok", "Ruth in charge."}}},
		{map[string]any{"action": "assign", "assignee": s.Ines.Id}, map[string][2]string{ids[0]: {"skipped", "This person cannot work on this request."}, ids[1]: {"skipped", ""}}},
		{map[string]any{"action": "tags", "tags": []string{"new"}, "remove_tags": []string{"old"}}, map[string][2]string{ids[0]: {"ok", "the tags new."}, ids[1]: {"ok", "the tags kept, new."}}},
	} {
		for _, dry := range []bool{true, false} {
			x.body["requests"], x.body["dry_run"] = ids, dry
			v := finish(t, s, bulk(t, s, s.Sam, x.body))
			for id, want := range x.want {
				if status, text := textOf(v, id); status != want[0] || !strings.HasSuffix(text, want[1]) {
					t.Errorf("%v: %s %q, not %q", x.body, status, text, want)
				}
			}
		}
	}
	if got := field(t, s, ids[1], "tags"); got != `["kept","new"]` {
		t.Error(got)
	}
}

func TestBulk_isRefusedWhere(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 1)
	hidden := onboarding(t, s, 1)
	s.Move(t, s.Sam, hidden, "invite")
	provideAll(t, s, hidden)
	s.Move(t, s.Anna, hidden, "submit")
	s.Move(t, s.Sam, hidden, "start_review")
	s.Move(t, s.Ruth, hidden, "escalate", workflow.Input{InternalNote: "Odd"})
	answers := map[string]string{}
	for name, x := range map[string]struct {
		who    *core.Record
		body   map[string]any
		status int
	}{
		"a client":           {s.Anna, map[string]any{"action": "priority", "priority": "high", "requests": ids}, 403},
		"a viewer":           {s.Ines, map[string]any{"action": "priority", "priority": "high", "requests": ids}, 400},
		"no action":          {s.Sam, map[string]any{"requests": ids}, 400},
		"no requests":        {s.Sam, map[string]any{"action": "priority", "priority": "high"}, 400},
		"one that is not":    {s.Sam, map[string]any{"action": "priority", "priority": "high", "requests": append([]string{"nope"}, ids...)}, 404},
		"one that is hidden": {s.Sam, map[string]any{"action": "priority", "priority": "high", "requests": append([]string{hidden}, ids...)}, 404},
	} {
		a := s.Ask(t, x.who, "POST", "/api/portal/bulk", x.body)
		answers[name] = fmt.Sprint(a.Status, a.Message(), a.Code("requests"))
		if a.Status != x.status {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
	if answers["one that is not"] != answers["one that is hidden"] {
		t.Error("a hidden request is told apart from none:", answers)
	}
}

func TestRuns_canBeCalledOffUntilTheyBegin(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 2)
	id := bulk(t, s, s.Sam, map[string]any{"action": "transition", "transition": "send", "requests": ids})
	s.Clock.Move(workflow.Grace - time.Millisecond)
	if err := s.House.Runs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM transitions`, nil); n != 0 {
		t.Fatalf("%d steps were taken within the time to call it off", n)
	}
	if a := s.Ask(t, s.Ruth, "POST", "/api/portal/runs/"+id+"/cancel", nil); a.Status != 404 {
		t.Errorf("a colleague: %d", a.Status)
	}
	if a := s.Ask(t, s.Sam, "POST", "/api/portal/runs/"+id+"/cancel", nil); a.Status != 200 || a.Body["status"] != "cancelled" {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	if a := s.Ask(t, s.Mia, "POST", "/api/portal/runs/"+id+"/cancel", nil); a.Status != 400 || a.Message() != "This has ended already." {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	v := finish(t, s, id)
	if v.Status != "cancelled" || v.Done != 0 || !slices.Equal(v.Summary, []string{"2 requests: not touched"}) {
		t.Errorf("%+v", v)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM audit_log WHERE collection = 'runs' AND record = {:id}`, dbx.Params{"id": id}); n != 2 {
		t.Errorf("%d audit entries", n)
	}
}

// What fails in the middle takes its own request back with it, and nothing else;
// the run goes on where it stood, and one line that always fails stops no other.
func TestRuns_goOnAfterAFault(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 5)
	id := bulk(t, s, s.Sam, map[string]any{"action": "transition", "transition": "send", "requests": ids})
	s.Clock.Move(workflow.Grace)
	emit, faults := s.House.Engine.Emit, 0
	s.House.Engine.Emit = func(tx core.App, f workflow.Fact) error {
		if f.Request == ids[2] {
			faults++
			return errors.New("the disk has a bad day")
		}
		return emit(tx, f)
	}
	for n := range 2 {
		if err := s.House.Runs.Drain(t.Context()); err == nil {
			t.Fatal("the fault was swallowed")
		}
		v, err := s.House.Runs.View(s.TestApp, id, gatetest.Actor(s.Sam), "", "")
		if err != nil || v.Status != "running" || v.Done != 2 || field(t, s, ids[2], "state") != "draft" {
			t.Fatalf("after %d: %+v %v", n, v, err)
		}
	}
	v := finish(t, s, id)
	if v.Status != "done" || v.Changed != 4 || v.Failed != 1 || faults != 3 {
		t.Errorf("%+v after %d faults", v, faults)
	}
	if status, text := textOf(v, ids[2]); status != "failed" || text != "Something went wrong on our side. Nothing was changed." {
		t.Errorf("%s %q", status, text)
	}
	for i, r := range ids {
		want := map[bool]int{true: 0, false: 1}[i == 2]
		if n := count(t, s, `SELECT COUNT(*) FROM transitions WHERE request = {:r}`, dbx.Params{"r": r}); n != want {
			t.Errorf("request %d was moved %d times", i, n)
		}
	}
}

// The process is killed in the middle, again and again: each request is moved
// exactly once.
func TestRuns_surviveKill(t *testing.T) {
	if dir := os.Getenv("GATEHOUSE_TEST_RUNS"); dir != "" {
		workUntilKilled(t, dir)
		return
	}
	s := gatetest.New(t)
	ids := simples(t, s, 60)
	id := bulk(t, s, s.Sam, map[string]any{"action": "transition", "transition": "send", "requests": ids})
	done := func() int {
		return count(t, s, `SELECT done FROM runs WHERE id = {:id}`, dbx.Params{"id": id})
	}
	kills := 0
	for done() < len(ids) {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRuns_surviveKill$")
		child.Env = append(os.Environ(), "GATEHOUSE_TEST_RUNS="+s.DataDir())
		child.Stdout, child.Stderr = os.Stderr, os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		for from := done(); ; {
			if done() >= min(from+15, len(ids)) {
				if err := child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
				if err := <-ended; err == nil {
					t.Log("the process ended before it was killed")
				}
				kills++
				break
			}
			select {
			case err := <-ended:
				if done() < len(ids) {
					t.Fatal("the worker ended by itself:", err)
				}
			default:
				continue
			}
			break
		}
	}
	if kills < 3 {
		t.Fatalf("it was killed %d times", kills)
	}
	v := finish(t, s, id)
	if v.Status != "done" || v.Changed != len(ids) || v.Done != len(ids) {
		t.Errorf("%+v", v)
	}
	var wrong []string
	err := s.DB().NewQuery(`SELECT r.id FROM requests r WHERE (SELECT COUNT(*) FROM transitions t WHERE t.request = r.id) != 1 OR (SELECT COUNT(*) FROM events e WHERE e.request = r.id AND e.type = 'request.send') != 1
		OR (SELECT COUNT(*) FROM audit_log a WHERE a.request = r.id AND a.action = 'transition') != 1`).Column(&wrong)
	if err != nil || len(wrong) > 0 {
		t.Error(err, wrong)
	}
}

// workUntilKilled works on the runs of a folder, in a process of its own.
func workUntilKilled(t *testing.T, dir string) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "pb_test_env", DBConnect: ops.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	house := hooks.Register(app, hooks.Options{Clock: func() time.Time { return time.Now().Add(time.Hour) }})
	if err := house.Runs.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Lines of requests that one may not see are not shown; the sums are of all.
func TestRuns_showOnlyWhatOneMaySee(t *testing.T) {
	s := gatetest.New(t)
	held := onboarding(t, s, 1)
	s.Move(t, s.Sam, held, "invite")
	provideAll(t, s, held)
	s.Move(t, s.Anna, held, "submit")
	s.Move(t, s.Sam, held, "start_review")
	run := bulk(t, s, s.Sam, map[string]any{"action": "priority", "priority": "high", "requests": []string{held, s.Simple(t)}})
	finish(t, s, run)
	s.Move(t, s.Ruth, held, "escalate", workflow.Input{InternalNote: "Odd"})
	for name, want := range map[string]int{"Sam": 1, "Mia": 1, "Sol": 2, "Ruth": -1, "Anna": -2} {
		who := map[string]*core.Record{"Sam": s.Sam, "Mia": s.Mia, "Sol": s.Sol, "Ruth": s.Ruth, "Anna": s.Anna}[name]
		a := s.Ask(t, who, "GET", "/api/portal/runs/"+run, nil)
		records := s.Ask(t, who, "GET", "/api/collections/run_items/records", nil)
		switch want {
		case -1, -2:
			if wantStatus := map[int]int{-1: 404, -2: 403}[want]; a.Status != wantStatus {
				t.Errorf("%s: %d", name, a.Status)
			}
			want = 0
		default:
			if items, _ := a.Body["items"].([]any); a.Status != 200 || len(items) != want || a.Body["total"] != 2.0 {
				t.Errorf("%s: %d %s", name, a.Status, a.Raw)
			}
		}
		if records.Body["totalItems"] != float64(want) {
			t.Errorf("%s reads the lines of %v records", name, records.Body["totalItems"])
		}
		if name == "Sam" && strings.Contains(string(s.Ask(t, who, "GET", "/api/collections/runs/records", nil).Raw), "params") {
			t.Error("what a run was asked to do is in its record")
		}
	}
}

// Many pages, by status, from the first line to the last.
func TestRuns_pages(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 120)
	run := bulk(t, s, s.Sam, map[string]any{"action": "priority", "priority": "high", "requests": ids, "dry_run": true})
	finish(t, s, run)
	var seen []string
	for next := ""; ; {
		a := s.Ask(t, s.Sam, "GET", fmt.Sprintf("/api/portal/runs/%s?status=ok&after=%s", run, next), nil)
		for _, i := range a.Body["items"].([]any) {
			seen = append(seen, i.(map[string]any)["request"].(string))
		}
		if next, _ = a.Body["next"].(string); next == "" {
			break
		}
	}
	if !slices.Equal(seen, ids) {
		t.Errorf("%d of %d lines", len(seen), len(ids))
	}
	list := s.Ask(t, s.Sam, "GET", "/api/portal/runs", nil)
	if items := list.Body["items"].([]any); len(items) != 1 || items[0].(map[string]any)["status"] != "done" {
		t.Errorf("%s", list.Raw)
	}
}

// What was interrupted while its lines were written says so after the next start,
// and is not begun.
func TestRun_interruptedBeforeItBegan(t *testing.T) {
	s := gatetest.New(t)
	ids := simples(t, s, 1)
	id := bulk(t, s, s.Sam, map[string]any{"action": "priority", "priority": "high", "requests": ids})
	if _, err := s.DB().NewQuery(`UPDATE runs SET start_at = '9999-12-31 23:59:59.999Z' WHERE id = {:id}`).Bind(dbx.Params{"id": id}).Execute(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.House.Runs.Run(ctx, time.Hour)
	v := finish(t, s, id)
	if v.Status != "failed" || v.Error != "The portal was stopped before this had begun. Nothing was changed; start it again." || v.Changed != 0 {
		t.Errorf("%+v", v)
	}
	if field(t, s, ids[0], "priority") != "normal" {
		t.Error("it was carried out")
	}
}
