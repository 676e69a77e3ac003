package workflow_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

func TestMain(m *testing.M) {
	code := m.Run()
	gatetest.CleanUp()
	os.Exit(code)
}

// edited is a shipped definition with replacements: pairs of old and new text,
// each of which must be there.
func edited(t testing.TB, file string, pairs ...string) string {
	t.Helper()
	source, err := workflow.LibraryFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", file, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// publish imports and publishes a source, and gives the version's id.
func publish(t testing.TB, s *gatetest.Stage, source string) string {
	t.Helper()
	out, err := s.House.Engine.Import(s.TestApp, []byte(source), true, false)
	if err != nil {
		t.Fatal(err)
	}
	if !out.OK() || out.ID == "" {
		t.Fatal(out.Findings)
	}
	return out.ID
}

func versionOf(t testing.TB, s *gatetest.Stage, key string, number int) string {
	t.Helper()
	id, err := s.House.Engine.VersionNamed(s.TestApp, key, number)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// move runs a migration to its end.
func move(t testing.TB, s *gatetest.Stage, in workflow.MoveOrder) *workflow.RunView {
	t.Helper()
	id, err := s.House.Runs.Migrate(s.TestApp, gatetest.Actor(s.Mia), in)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, s, id)
}

// finish lets a run begin and end.
func finish(t testing.TB, s *gatetest.Stage, id string) *workflow.RunView {
	t.Helper()
	s.Clock.Move(workflow.Grace)
	if err := s.House.Runs.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	v, err := s.House.Runs.View(s.TestApp, id, gatetest.Actor(s.Sol), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if v.Status != "done" && v.Status != "cancelled" && v.Status != "failed" {
		t.Fatal("the run has not ended:", v.Status)
	}
	return v
}

// textOf is what the run says of a request.
func textOf(v *workflow.RunView, request string) (status, text string) {
	for _, i := range v.Items {
		if i.Request == request {
			return i.Status, i.Text
		}
	}
	return "", ""
}

func field(t testing.TB, s *gatetest.Stage, request, name string) string {
	t.Helper()
	r, err := s.FindRecordById("requests", request)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetString(name)
}

func count(t testing.TB, s *gatetest.Stage, query string, params dbx.Params) int {
	t.Helper()
	var n int
	if err := s.DB().NewQuery(query).Bind(params).Row(&n); err != nil {
		t.Fatal(query, err)
	}
	return n
}

// simple2 is version 2 of the simple request: the client's part is called
// otherwise, review has another owner's time limit, and closing needs an item.
var simple2 = []string{
	"version: 1\n", "version: 2\n",
	"waiting_for_client", "with_client",
	"key: in_review, label: In review, client_label: We are checking what you sent, category: review, turn: staff, owner: handler, sla: {business_days: 3}",
	"key: in_review, label: In review, client_label: We are checking what you sent, category: review, turn: staff, owner: handler, sla: {business_days: 5}",
}

func TestMigrate_looksAheadAndThenMoves(t *testing.T) {
	s := gatetest.New(t)
	waiting, review, draft, done := s.Simple(t), s.Simple(t), s.Simple(t), s.Simple(t)
	for _, id := range []string{waiting, review} {
		s.Move(t, s.Sam, id, "send")
	}
	s.AllProvided(t, review)
	s.Move(t, s.Anna, review, "submit")
	s.Move(t, s.Sam, review, "start_review")
	s.Move(t, s.Sam, done, "reject", workflow.Input{ClientComment: "Not needed"})
	v1, v2 := versionOf(t, s, "simple_request", 1), publish(t, s, edited(t, "simple-request.yaml", simple2...))

	ahead := move(t, s, workflow.MoveOrder{To: v2, DryRun: true})
	if ahead.Total != 3 || ahead.Changed != 2 || ahead.Skipped != 1 {
		t.Fatalf("%+v", ahead)
	}
	for id, want := range map[string][2]string{
		waiting: {"skipped", `Version 2 has no state "Waiting for client". Say where such requests go.`},
		review:  {"ok", "It is due on "},
		draft:   {"ok", "Nothing changes for it but the version."},
	} {
		if status, text := textOf(ahead, id); status != want[0] || !strings.HasPrefix(text, want[1]) {
			t.Errorf("%s: %s %q, not %q", field(t, s, id, "state"), status, text, want)
		}
	}
	if want := []string{"1 request: nothing changes but the version", "1 request: another due date", "1 request cannot move: the state is gone, say where they go"}; !slices.Equal(ahead.Summary, want) {
		t.Errorf("%q", ahead.Summary)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM requests WHERE workflow = {:v}`, dbx.Params{"v": v2}); n != 0 {
		t.Fatalf("looking ahead has moved %d requests", n)
	}

	s.Deliver(t)
	mails := count(t, s, `SELECT COUNT(*) FROM notifications`, nil)
	entries := count(t, s, `SELECT COUNT(*) FROM audit_log`, nil)
	face := count(t, s, `SELECT revision FROM client_requests WHERE id = {:id}`, dbx.Params{"id": review})
	moved := move(t, s, workflow.MoveOrder{To: v2, States: map[string]string{"waiting_for_client": "with_client"}})
	if moved.Changed != 3 || moved.Skipped != 0 {
		t.Fatalf("%+v", moved)
	}
	if got := field(t, s, waiting, "state"); got != "with_client" {
		t.Error("state:", got)
	}
	told := s.Ask(t, s.Sam, "GET", "/api/portal/requests/"+waiting+"/timeline", nil)
	if raw := string(told.Raw); !strings.Contains(raw, "Mia moved this request from version 1 to version 2 of its workflow.") || strings.Contains(raw, `did \"Migrate`) || strings.Contains(raw, "Moved from") {
		t.Error("the timeline tells of the move:", raw)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM transitions WHERE request = {:id} AND key = 'migrate' AND "from" = 'waiting_for_client' AND "to" = 'with_client' AND actor = {:mia}`, dbx.Params{"id": waiting, "mia": s.Mia.Id}); n != 1 {
		t.Error("the history tells of the move", n, "times")
	}
	if n := count(t, s, `SELECT COUNT(*) FROM transitions WHERE request = {:id} AND key = 'migrate'`, dbx.Params{"id": review}); n != 0 {
		t.Error("a move within the same state is in the history")
	}
	if got := field(t, s, done, "workflow"); got != v1 {
		t.Error("a request that has ended was moved")
	}
	// One entry for the run, one for each request; one event each; nobody is told.
	if n := count(t, s, `SELECT COUNT(*) FROM audit_log`, nil) - entries; n != 5 { // and the version that was left is retired
		t.Errorf("%d audit entries", n)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM events WHERE type = 'request.migrated'`, nil); n != 3 {
		t.Errorf("%d events", n)
	}
	s.Deliver(t)
	if n := count(t, s, `SELECT COUNT(*) FROM notifications`, nil); n != mails {
		t.Errorf("%d notices were planned", n-mails)
	}
	if n := count(t, s, `SELECT revision FROM client_requests WHERE id = {:id}`, dbx.Params{"id": review}); n != face {
		t.Error("the client's row changed although nothing does for the client")
	}
	s.AllProvided(t, waiting)
	s.Move(t, s.Anna, waiting, "submit")
	// Its last live request has left version 1; the done one can be reopened.
	if got, _ := s.FindRecordById("workflows", v1); got.GetString("status") != "retired" {
		t.Error("version 1 is", got.GetString("status"))
	}
	s.Move(t, s.Sam, done, "reopen", workflow.Input{InternalNote: "They called"})
}

// kyc2 is version 2 of the onboarding: an item more, one less, one that is asked
// for otherwise, a text that is new, a step with another name.
var kyc2 = []string{
	"version: 1\n", "version: 2\n",
	"{key: trial_balance, title: Latest trial balance,", "{key: bank_letter, title: A letter of the bank,",
	"title: Last filed accounts, kind: file,", "title: The last two filed accounts, kind: file,",
	"text_ref: authority_v3", "text_ref: authority_v4",
	"key: collecting,", "key: gathering,", "[draft, collecting, submitted", "[draft, gathering, submitted", "from: [collecting, fixing]", "from: [gathering, fixing]",
	"to: collecting,", "to: gathering,", "when_state: [collecting]", "when_state: [gathering]", "when_state: [collecting, fixing, engagement]", "when_state: [gathering, fixing, engagement]",
	"client_label: We are checking your documents, category: review, turn: staff, owner: handler, sla: {business_days: 3}", "client_label: We read your documents, category: review, turn: staff, owner: handler, sla: {business_days: 4}",
	"client_label: We are checking your documents, category: review, turn: staff, owner: compliance", "client_label: We read your documents, category: review, turn: staff, owner: compliance",
}

// walk does up to n random acts of random people on a request.
func walk(t testing.TB, s *gatetest.Stage, rnd *rand.Rand, request string, n int) {
	t.Helper()
	people := []*core.Record{s.Anna, s.Sam, s.Ruth, s.Pat}
	for range n {
		switch rnd.IntN(5) {
		case 0, 1:
			var ids []string
			if err := s.DB().NewQuery(`SELECT id FROM items WHERE request = {:r} AND active = 1 ORDER BY position, key, instance`).Bind(dbx.Params{"r": request}).Column(&ids); err != nil {
				t.Fatal(err)
			}
			if len(ids) == 0 {
				continue
			}
			item, err := s.FindRecordById("items", ids[rnd.IntN(len(ids))])
			if err != nil {
				t.Fatal(err)
			}
			patch := workflow.ItemPatch{Answers: map[string]any{"text": "Some words"}}
			who := s.Anna
			switch {
			case rnd.IntN(2) == 0:
				comment := "Please look again"
				patch, who = workflow.ItemPatch{Status: []string{"accepted", "rejected", "waived"}[rnd.IntN(3)], Comment: &comment}, people[rnd.IntN(len(people))]
			case item.GetString("kind") == "acknowledge":
				patch.Answers = map[string]any{"accepted": true}
			}
			_, _ = s.House.Engine.PatchItem(context.Background(), s.TestApp, item.Id, gatetest.Actor(who), patch) // often refused
		default:
			who := people[rnd.IntN(len(people))]
			actions, err := s.House.Engine.Actions(s.TestApp, request, gatetest.Actor(who))
			if err != nil || len(actions) == 0 {
				continue
			}
			a := actions[rnd.IntN(len(actions))]
			if (a.Key == "decline" || a.Key == "archive") && rnd.IntN(4) > 0 {
				continue
			}
			_ = s.Try(who, request, a.Key, workflow.Input{InternalNote: "Because", ExternalReference: "X-1"}) // often refused
		}
		s.Clock.Move(time.Duration(rnd.IntN(300)) * time.Minute)
	}
}

// clientSide is everything that clients can read of a request, its revision and
// the times of its rows aside.
func clientSide(t testing.TB, s *gatetest.Stage, request string) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		`SELECT json_array(id, number, organization, title, state, label, category, turn, outcome, due, state_since, contact, data, progress, scope) FROM client_requests WHERE id = {:r}`,
		`SELECT json_array(id, section, key, instance, position, title, hint, kind, status, label, required, editable, why, reason, comment, options, answers, due, scope) FROM client_items WHERE request = {:r} ORDER BY id`,
		`SELECT json_array(id, kind, actor_name, text, detail, at, scope) FROM client_history WHERE request = {:r} ORDER BY id`,
		`SELECT json_array(id, section, key, instance, position, kind, title, hint, options, status, entered_status, required, active, reason, comment, shown, due, provided_by, provided_at, reviewer, reviewed_at, answers, tries, turn, scope)
			FROM items WHERE request = {:r} AND active = 1 ORDER BY id`,
	} {
		var rows []string
		if err := s.DB().NewQuery(query).Bind(dbx.Params{"r": request}).Column(&rows); err != nil {
			t.Fatal(err)
		}
		b.WriteString(strings.Join(rows, "\n") + "\n--\n")
	}
	return b.String()
}

func onboarding(t testing.TB, s *gatetest.Stage, n int) string {
	t.Helper()
	org := s.Add(t, "organizations", map[string]any{"name": fmt.Sprintf("Client %d", n), "parent": s.Bluebell.Id, "kind": "department"})
	kinds := []string{"limited_company", "sole_trader", "trust"}
	return s.Open(t, s.Sam, workflow.NewRequest{Workflow: "acct_onboarding_kyc", Organization: org.Id, Data: map[string]any{
		"entity_type": kinds[n%3], "legal_name": "Client Ltd", "registration_no": "1", "tax_reference": "12345678", "year_end": "03-31", "is_pep": n%2 == 0,
		"beneficial_owners": []any{map[string]any{"id": "ann", "name": "Ann"}, map[string]any{"id": "bo", "name": "Bo"}},
	}})
}

// Moving to a version and back leaves every client row and every item as it was,
// wherever the requests stood.
func TestMigrate_backRestoresWhatTheClientIsShown(t *testing.T) {
	s := gatetest.New(t)
	rnd := rand.New(rand.NewPCG(7, 1))
	requests, states := []string{}, map[string]int{}
	for n := range 40 {
		id := onboarding(t, s, n)
		requests = append(requests, id)
		if n%4 > 0 { // most begin their walk where more can happen
			s.Move(t, s.Sam, id, "invite")
			provideAll(t, s, id)
			s.Move(t, s.Anna, id, "submit")
			s.Move(t, s.Sam, id, "start_review")
		}
		if n%8 > 0 {
			walk(t, s, rnd, id, rnd.IntN(30))
		}
	}
	v1, v2 := versionOf(t, s, "acct_onboarding_kyc", 1), publish(t, s, edited(t, "accounting-onboarding-kyc.yaml", kyc2...))
	before := map[string]string{}
	for _, id := range requests {
		before[id] = clientSide(t, s, id)
		states[field(t, s, id, "state")]++
	}
	for _, state := range []string{"draft", "collecting", "in_review", "compliance_hold"} {
		if states[state] == 0 {
			t.Fatalf("no request is in %s: %v", state, states)
		}
	}
	there := move(t, s, workflow.MoveOrder{To: v2, States: map[string]string{"collecting": "gathering"}})
	if there.Failed != 0 || there.Skipped != 0 || there.Changed < 30 {
		t.Fatalf("%+v", there)
	}
	different := 0
	for _, id := range requests {
		if clientSide(t, s, id) != before[id] {
			different++
		}
		rebuilt(t, s, id)
	}
	if different < 20 {
		t.Fatalf("only %d look otherwise in version 2", different)
	}
	back := move(t, s, workflow.MoveOrder{To: v1, From: []string{v2}, States: map[string]string{"gathering": "collecting"}})
	if back.Failed != 0 || back.Skipped != 0 || back.Changed != there.Changed {
		t.Fatalf("%+v", back)
	}
	for _, id := range requests {
		if after := clientSide(t, s, id); after != before[id] {
			t.Errorf("%s is not as it was:\n%s\n%s", field(t, s, id, "state"), before[id], after)
		}
		rebuilt(t, s, id)
	}
}

// rebuilt compares the client's rows with what the truth and the definition say.
func rebuilt(t testing.TB, s *gatetest.Stage, id string) {
	t.Helper()
	face, err := s.House.Engine.Rebuild(s.TestApp, id)
	if err != nil {
		t.Fatal(err)
	}
	rows := count(t, s, `SELECT COUNT(*) FROM client_items WHERE request = {:r}`, dbx.Params{"r": id})
	switch {
	case face == nil && rows == 0:
	case face == nil || len(face.Items) != rows:
		t.Errorf("%s: %d client items, which the truth does not say", id, rows)
	default:
		if n := count(t, s, `SELECT COUNT(*) FROM client_requests WHERE id = {:r} AND state = {:state} AND label = {:label}`, dbx.Params{"r": id, "state": face.State, "label": face.Label}); n != 1 {
			t.Errorf("%s: the client's row does not say %q", id, face.Label)
		}
	}
}

// A request that the client must not learn of changes for the client as one
// beside it does that goes no other way, and nothing else of it does.
func TestMigrate_tellsNothingOfAHold(t *testing.T) {
	s := gatetest.New(t)
	held, open := onboarding(t, s, 1), onboarding(t, s, 1)
	for _, id := range []string{held, open} {
		s.Move(t, s.Sam, id, "invite")
		provideAll(t, s, id)
		s.Move(t, s.Anna, id, "submit")
		s.Move(t, s.Sam, id, "start_review")
	}
	s.Move(t, s.Sam, held, "escalate", workflow.Input{InternalNote: "Odd"})
	v2 := publish(t, s, edited(t, "accounting-onboarding-kyc.yaml", kyc2...))
	move(t, s, workflow.MoveOrder{To: v2, States: map[string]string{"collecting": "gathering"}})
	if got := field(t, s, held, "state"); got != "compliance_hold" {
		t.Fatal(got)
	}
	look := func(id string) string {
		t.Helper()
		var row string
		err := s.DB().NewQuery(`SELECT json_array(state, label, category, turn, outcome, due, contact, data, progress, revision, updated,
			(SELECT json_group_array(json_array(i.section, i.key, i.position, i.title, i.status, i.label, i.required, i.editable, i.why, i.reason, i.comment, i.due, i.updated) ORDER BY i.position, i.key, i.title) FROM client_items i WHERE i.request = c.id),
			(SELECT COUNT(*) FROM client_history h WHERE h.request = c.id)) FROM client_requests c WHERE id = {:id}`).Bind(dbx.Params{"id": id}).Row(&row)
		if err != nil {
			t.Fatal(err)
		}
		return row
	}
	if a, b := look(held), look(open); a != b {
		t.Errorf("the client can tell:\n%s\n%s", a, b)
	}
	if !strings.Contains(look(held), "We read your documents") {
		t.Error("the client is not shown the new words")
	}
	// Where the new version would show the hold, it stays where it is.
	v3 := publish(t, s, edited(t, "accounting-onboarding-kyc.yaml", append(slices.Clone(kyc2), "version: 2\n", "version: 3\n", "tipping_off_safe: true, ", "")...))
	ahead := move(t, s, workflow.MoveOrder{To: v3, DryRun: true})
	if status, text := textOf(ahead, held); status != "skipped" || !strings.Contains(text, "must not learn") {
		t.Errorf("%s %q", status, text)
	}
}

func provideAll(t testing.TB, s *gatetest.Stage, request string) {
	t.Helper()
	items, err := s.FindRecordsByFilter("items", "request = {:r} && active = true && section != 'engagement'", "position", 0, 0, dbx.Params{"r": request})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		switch i.GetString("kind") {
		case "file":
			s.Upload(t, s.Anna, i.Id, "paper.pdf", map[string]any{"document_expiry": "2090-01-01", "issued_on": s.Clock.Now().Format("2006-01-02")})
		case "acknowledge":
			s.Answer(t, s.Anna, i.Id, map[string]any{"accepted": true})
		case "long_text":
			s.Answer(t, s.Anna, i.Id, map[string]any{"text": "Some words"})
		default:
			s.Answer(t, s.Anna, i.Id, map[string]any{"name": "Jo", "structure": "Half and half"})
		}
	}
}
