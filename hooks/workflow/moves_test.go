package workflow_test

import (
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// The last wall: whoever writes SQL changes neither version nor state of a
// request without the recorded move, and records no move that is none.
func TestWall_aVersionChangesOnlyWithItsRecordedMove(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	v1, kyc := versionOf(t, s, "simple_request", 1), versionOf(t, s, "acct_onboarding_kyc", 1)
	v2 := publish(t, s, edited(t, "simple-request.yaml", simple2...))
	draft, err := s.House.Engine.Import(s.TestApp, []byte(edited(t, "simple-request.yaml", "version: 1\n", "version: 3\n")), false, false)
	if err != nil {
		t.Fatal(err)
	}
	retired := publish(t, s, edited(t, "simple-request.yaml", "version: 1\n", "version: 4\n"))
	if _, err := s.DB().NewQuery(`UPDATE workflows SET status = 'retired' WHERE id = {:id}`).Bind(dbx.Params{"id": retired}).Execute(); err != nil {
		t.Fatal(err)
	}
	revision := count(t, s, `SELECT revision FROM requests WHERE id = {:id}`, dbx.Params{"id": id})
	record := func(tx core.App, to, from, state string, revision int) error {
		return schema.Insert(tx, "workflow_moves", dbx.Params{"request": id, "revision": revision, "from_workflow": v1, "to_workflow": to, "from_state": from, "to_state": state, "run": "", "at": ""})
	}
	step := func(tx core.App, key, from, state string) error {
		return schema.Insert(tx, "transitions", dbx.Params{"id": schema.NewID(), "request": id, "key": key, "from": from, "to": state, "entry": 1, "revision": revision + 1})
	}
	update := func(tx core.App, set string) error {
		_, err := tx.DB().NewQuery(`UPDATE requests SET ` + set + ` WHERE id = {:id}`).Bind(dbx.Params{"id": id, "v2": v2, "n": revision + 1}).Execute()
		return err
	}
	const whole = "workflow = {:v2}, state = 'with_client', entry = 1, revision = {:n}"
	for name, write := range map[string]func(tx core.App) error{
		"the version alone":               func(tx core.App) error { return update(tx, "workflow = {:v2}, revision = {:n}") },
		"version and state, nothing else": func(tx core.App) error { return update(tx, whole) },
		"a move of another workflow":      func(tx core.App) error { return record(tx, kyc, "waiting_for_client", "collecting", revision+1) },
		"a move to a draft": func(tx core.App) error {
			return record(tx, draft.ID, "waiting_for_client", "waiting_for_client", revision+1)
		},
		"a move to a retired version": func(tx core.App) error {
			return record(tx, retired, "waiting_for_client", "waiting_for_client", revision+1)
		},
		"a move to itself":               func(tx core.App) error { return record(tx, v1, "waiting_for_client", "submitted", revision+1) },
		"a move to a state that is gone": func(tx core.App) error { return record(tx, v2, "waiting_for_client", "waiting_for_client", revision+1) },
		"a move from elsewhere":          func(tx core.App) error { return record(tx, v2, "submitted", "submitted", revision+1) },
		"a move of another revision":     func(tx core.App) error { return record(tx, v2, "waiting_for_client", "with_client", revision+2) },
		"a step migrate without a move":  func(tx core.App) error { return step(tx, "migrate", "waiting_for_client", "submitted") },
		"the move without its step": func(tx core.App) error {
			return firstOf(record(tx, v2, "waiting_for_client", "with_client", revision+1), func() error { return update(tx, whole) })
		},
		"another state than the move says": func(tx core.App) error {
			return firstOf(record(tx, v2, "waiting_for_client", "with_client", revision+1), func() error { return step(tx, "migrate", "waiting_for_client", "with_client") },
				func() error { return update(tx, "workflow = {:v2}, state = 'approved', entry = 1, revision = {:n}") })
		},
		"the version without the state": func(tx core.App) error {
			return firstOf(record(tx, v2, "waiting_for_client", "with_client", revision+1), func() error { return step(tx, "migrate", "waiting_for_client", "with_client") },
				func() error { return update(tx, "workflow = {:v2}, revision = {:n}") })
		},
		"a recorded move changed": func(tx core.App) error {
			return firstOf(record(tx, v2, "waiting_for_client", "with_client", revision+1), func() error {
				_, err := tx.DB().NewQuery(`UPDATE workflow_moves SET to_state = 'approved'`).Execute()
				return err
			})
		},
		"a recorded move deleted": func(tx core.App) error {
			return firstOf(record(tx, v2, "waiting_for_client", "with_client", revision+1), func() error {
				_, err := tx.DB().NewQuery(`DELETE FROM workflow_moves`).Execute()
				return err
			})
		},
		"a recorded move replaced": func(tx core.App) error {
			return firstOf(record(tx, v2, "waiting_for_client", "with_client", revision+1), func() error {
				_, err := tx.DB().NewQuery(`INSERT OR REPLACE INTO workflow_moves SELECT request, revision, from_workflow, to_workflow, from_state, 'submitted', run, at FROM workflow_moves`).Execute()
				return err
			})
		},
	} {
		if err := s.RunInTransaction(write); err == nil || !strings.Contains(err.Error(), "wall: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := field(t, s, id, "workflow"); got != v1 {
		t.Fatal("the version has changed")
	}
	// With the move and its line in the history the database lets it go.
	if v := move(t, s, workflow.MoveOrder{To: v2, States: map[string]string{"waiting_for_client": "with_client"}}); v.Changed != 1 {
		t.Errorf("%+v", v)
	}
}

func firstOf(err error, then ...func() error) error {
	for _, next := range then {
		if err != nil {
			return err
		}
		err = next()
	}
	return err
}

// What cannot move says why, in the order's own refusals and line by line.
func TestMigrate_saysWhatCannotMove(t *testing.T) {
	s := gatetest.New(t)
	draft, review := onboarding(t, s, 0), onboarding(t, s, 1)
	s.Move(t, s.Sam, review, "invite")
	provideAll(t, s, review)
	s.Move(t, s.Anna, review, "submit")
	s.Move(t, s.Sam, review, "start_review")
	v1 := versionOf(t, s, "acct_onboarding_kyc", 1)
	number := 1
	try := func(states map[string]string, pairs ...string) *workflow.RunView {
		t.Helper()
		number++
		source := edited(t, "accounting-onboarding-kyc.yaml", append([]string{"version: 1\n", "version: " + string(rune('0'+number)) + "\n"}, pairs...)...)
		out, err := s.House.Engine.Import(s.TestApp, []byte(source), false, false) // one can look ahead to a draft
		if err != nil || out.ID == "" {
			t.Fatal(err, out.Findings)
		}
		return move(t, s, workflow.MoveOrder{To: out.ID, From: []string{v1}, States: states, DryRun: true})
	}
	for _, x := range []struct {
		name, request, want string
		states              map[string]string
		pairs               []string
	}{
		{"a value that is no choice any more", draft, "Entity type does not fit any more: one of these is expected: sole_trader, partnership, trust.", nil, []string{"options: [sole_trader, partnership, limited_company, trust]", "options: [sole_trader, partnership, trust]"}},
		{"a value of another type", draft, "Year end does not fit any more: a date such as 2026-03-31 is expected.", nil, []string{"key: year_end, type: month_day", "key: year_end, type: date"}},
		{"an item of another kind, given already", review, "Last filed accounts is of another kind in version 4, and something was given already.", nil, []string{"key: last_accounts, title: Last filed accounts, kind: file, accept: [pdf], max_mb: 50, files: {min: 1, max: 5}", "key: last_accounts, title: Last filed accounts, kind: long_text"}},
		{"an end", review, `"Approved" is an end in version 5. Take the step that ends the request instead.`, map[string]string{"in_review": "approved"}, nil},
		{"a state that the client would be shown", draft, `The client is not shown this request yet, and "Waiting for client" would show it.`, map[string]string{"draft": "collecting"}, nil},
		{"a hold", review, `The client must not learn of "In review". Only a state of which the same holds can take its place.`, map[string]string{"in_review": "compliance_hold"}, nil},
		{"nobody to go on", review, `Nobody in the firm has a duty that could go on from "In review".`, nil, []string{
			"staff: [handler, compliance, partner]", "staff: [handler, compliance, partner, wizard]",
			"from: [in_review], to: fixing, by: [handler, compliance]", "from: [in_review], to: fixing, by: [wizard]", "from: [in_review], to: compliance_hold, by: [handler, compliance]", "from: [in_review], to: compliance_hold, by: [wizard]",
			"from: [in_review], to: engagement, by: [partner]", "from: [in_review], to: engagement, by: [wizard]", "from: [draft, collecting, submitted, in_review, fixing", "from: [draft, collecting, submitted, fixing",
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			v := try(x.states, x.pairs...)
			if status, text := textOf(v, x.request); status != "skipped" || text != x.want {
				t.Errorf("%s %q, not %q", status, text, x.want)
			}
		})
	}
	for name, in := range map[string]workflow.MoveOrder{
		"a state that is not there to move from": {States: map[string]string{"nowhere": "draft"}},
		"a state that is not there to move to":   {States: map[string]string{"draft": "nowhere"}},
		"another workflow":                       {From: []string{versionOf(t, s, "simple_request", 1)}},
		"a draft":                                {},
	} {
		in.To, in.DryRun = versionOf(t, s, "acct_onboarding_kyc", 2), name != "a draft"
		if _, err := s.House.Runs.Migrate(s.TestApp, gatetest.Actor(s.Mia), in); err == nil || !strings.HasPrefix(err.Error(), "bad_input") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where the new version allows one open request, two stay where they are.
func TestMigrate_oneLiveRequest(t *testing.T) {
	s := gatetest.New(t)
	a, b := s.Simple(t), s.Simple(t)
	other := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Kestrel.Id})
	v2 := publish(t, s, edited(t, "simple-request.yaml", "version: 1\n", "version: 2\n", "subject: {collection: organizations}", "subject: {collection: organizations, one_live_request_per: organization}"))
	for _, dry := range []bool{true, false} {
		v := move(t, s, workflow.MoveOrder{To: v2, DryRun: dry})
		for id, want := range map[string]string{a: "skipped", b: "skipped", other: "ok"} {
			if status, text := textOf(v, id); status != want {
				t.Errorf("%s %q", status, text)
			}
		}
	}
}
