package hooks_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// publishShipped publishes a definition of the library.
func publishShipped(t testing.TB, s *gatetest.Stage, file string) {
	t.Helper()
	source, err := workflow.LibraryFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.House.Engine.Import(s.App(), source, true, false)
	if err != nil || !out.OK() {
		t.Fatalf("%s: %v %+v", file, err, out.Findings)
	}
}

// connect makes every system connected, so that jobs wait for an end.
func connect(s *gatetest.Stage) {
	s.House.Engine.Connected = func(core.App, string) (string, error) { return "ledger", nil }
}

// endJob ends the newest run of a job as the outside would.
func endJob(t *testing.T, s *gatetest.Stage, request, name, status string) {
	t.Helper()
	var id string
	if err := s.DB().NewQuery(`SELECT id FROM jobs WHERE request = {:r} AND name = {:n} ORDER BY revision DESC, created DESC LIMIT 1`).Bind(dbx.Params{"r": request, "n": name}).Row(&id); err != nil {
		t.Fatal("job", name, err)
	}
	end := workflow.JobEnd{Status: status}
	if status == "dead" {
		end.Error, end.Class = "The period is locked by somebody else.", "refused"
	}
	if err := s.House.Engine.FinishJob(context.Background(), s.App(), id, schema.System(), end); err != nil {
		t.Fatal("end job", name, err)
	}
	s.Deliver(t)
}

func jobStatus(t *testing.T, s *gatetest.Stage, request, name string) string {
	t.Helper()
	var status string
	if err := s.DB().NewQuery(`SELECT status FROM jobs WHERE request = {:r} AND name = {:n} ORDER BY revision DESC, created DESC LIMIT 1`).Bind(dbx.Params{"r": request, "n": name}).Row(&status); err != nil {
		t.Fatal("job", name, err)
	}
	return status
}

// month opens a monthly close of Bluebell's, whose papers are one statement for
// each account, sales and bills.
func month(t *testing.T, s *gatetest.Stage, period string) string {
	t.Helper()
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "acct_monthly_close", Organization: s.Bluebell.Id, Period: period, Data: map[string]any{"bank_accounts": []any{"Current 4411", "Savings 9020"}}})
	s.Deliver(t)
	return id
}

func given(t *testing.T, s *gatetest.Stage, id string) {
	t.Helper()
	for _, i := range openItems(t, s, id) {
		if i.GetString("section") != "records" {
			continue
		}
		if i.GetString("key") == "bank_statement" {
			s.Upload(t, s.Anna, i.Id, i.GetString("instance")+".pdf", map[string]any{"period_from": "2026-01-01", "period_to": "2026-02-28"})
			continue
		}
		if _, err := s.House.Engine.PatchItem(context.Background(), s.App(), i.Id, gatetest.Actor(s.Anna), workflow.ItemPatch{None: &yes}); err != nil {
			t.Fatal(err)
		}
	}
}

var yes = true

func TestStory_monthlyClose(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "accounting-monthly-close.yaml")
	owen := newStaff(t, s, "Owen", "reviewer")
	note, say := workflow.Input{InternalNote: "Because"}, workflow.Input{ClientComment: "Because"}
	connect(s)

	id := month(t, s, "2026-01")
	isIn(t, s, id, "collecting") // the portal opened the month by itself
	var number string
	if scan(t, s.App(), `SELECT number FROM requests WHERE id = {:id}`, id, &number); number != "CLO-2026-01-BLU" {
		t.Errorf("the number is %q", number)
	}
	if second := s.Ask(t, s.Sam, "POST", "/api/portal/requests", map[string]any{"workflow": "acct_monthly_close", "organization": s.Bluebell.Id, "period": "2026-01"}); second.Status != 400 || second.Code("organization") != "open_request" {
		t.Errorf("one month was opened twice: %s", second.Raw)
	}
	equalLists(t, "one statement for each account", shownItems(t, s.Ask(t, s.Anna, "GET", request(id), nil))[:2], []string{"bank_statement/current-4411 Statement for Current 4411", "bank_statement/savings-9020 Statement for Savings 9020"})
	given(t, s, id)
	if sales := clientItem(t, s, s.Anna, id, "Sales invoices or till report"); sales["status"] != "not_applicable" {
		t.Errorf("no sales this month: %v", sales["status"])
	}
	step(t, s, s.Anna, id, "submit", nil, "processing")

	// Questions are added from a table, and the client gets them all at once.
	table := "payee;amount;date\nAcme Ltd;120.50;3 Jan\nNobody & Sons;9.99;7 Jan"
	preview := s.Ask(t, s.Sam, "POST", request(id, "/items"), map[string]any{"section": "queries", "template": "txn_query", "csv": table, "preview": true})
	if want(t, preview, 200); !bytes.Contains(preview.Raw, []byte("What was Acme Ltd 120.50 on 3 Jan?")) {
		t.Fatalf("the preview: %s", preview.Raw)
	}
	if before := len(shownItems(t, s.Ask(t, s.Sam, "GET", request(id), nil))); before != 6 {
		t.Fatalf("a preview saved something: %d items", before)
	}
	broken := s.Ask(t, s.Sam, "POST", request(id, "/items"), map[string]any{"section": "queries", "template": "txn_query", "csv": "payee;date\nAcme;3 Jan\n"})
	if want(t, broken, 400); !bytes.Contains(broken.Raw, []byte("title")) {
		t.Fatalf("a row without an amount: %s", broken.Raw)
	}
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/items"), map[string]any{"section": "queries", "template": "txn_query", "csv": table}), 200)
	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); !bytes.Contains(seen.Raw, []byte("Acme Ltd")) {
		t.Fatalf("the questions are not shown: %s", seen.Raw)
	}
	step(t, s, s.Sam, id, "ask", nil, "queries_out")
	if sales := clientItem(t, s, s.Anna, id, "Statement for Current 4411"); sales["editable"] != false {
		t.Error("what was given is open while questions are out")
	}
	equalLists(t, "both questions want an answer", blocked(t, s, s.Anna, id, map[string]any{"transition": "answer"}), []string{"item_missing txn_query", "item_missing txn_query"})
	s.Move(t, s.Sam, id, "take_back", note)
	s.Move(t, s.Sam, id, "ask")
	s.Answer(t, s.Anna, itemAt(t, s, id, "txn_query", "1").Id, map[string]any{"text": "Flour"})
	s.Answer(t, s.Anna, itemAt(t, s, id, "txn_query", "2").Id, map[string]any{"choice": "Stationery"})
	step(t, s, s.Anna, id, "answer", nil, "processing")
	for _, i := range openReviews(t, s, id) {
		s.Decide(t, s.Sam, i.Id, "accepted", "")
	}
	step(t, s, s.Sam, id, "to_review", nil, "second_review")
	s.Move(t, owen, id, "send_back", note)
	s.Move(t, s.Sam, id, "to_review")

	equalLists(t, "the accounts come with the sign-off, and a note before it", blocked(t, s, owen, id, map[string]any{"transition": "to_signoff"}), []string{"field_missing review_note", "nothing_to_publish"})
	accounts := itemAt(t, s, id, "management_accounts", "")
	s.Upload(t, owen, accounts.Id, "accounts.pdf", nil)
	want(t, s.Ask(t, owen, "PATCH", request(id), map[string]any{"data": map[string]any{"review_note": "Looks right"}}), 200)
	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); bytes.Contains(seen.Raw, []byte("accounts.pdf")) || bytes.Contains(seen.Raw, []byte("Looks right")) {
		t.Fatalf("the client sees what is not out: %s", seen.Raw)
	}
	step(t, s, owen, id, "to_signoff", nil, "client_signoff")
	sign := func() {
		t.Helper()
		want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/items/"+accounts.Id, map[string]any{"answers": map[string]any{"accepted": true}}), 200)
	}
	if shown := clientItem(t, s, s.Anna, id, "Management accounts for the month"); len(shown["documents"].([]any)) != 1 || shown["editable"] != true {
		t.Fatalf("the accounts to sign: %v", shown)
	}
	sign()
	if kept := itemAt(t, s, id, "management_accounts", "").GetString("answers"); !strings.Contains(kept, `"file_sha256":["`) || !strings.Contains(kept, `"user_agent"`) {
		t.Fatalf("what was signed is not on record: %s", kept)
	}
	step(t, s, s.Anna, id, "query_accounts", map[string]any{"client_comment": "The rent is missing"}, "processing")
	if shown := clientItem(t, s, s.Anna, id, "Management accounts for the month"); len(shown["documents"].([]any)) != 0 {
		t.Fatalf("withdrawn accounts are still there: %v", shown["documents"])
	}
	s.Move(t, s.Sam, id, "to_review")
	step(t, s, owen, id, "to_signoff", nil, "client_signoff")
	equalLists(t, "accounts that are handed over anew are signed anew", blocked(t, s, s.Anna, id, map[string]any{"transition": "signoff"}), []string{"item_missing management_accounts"})
	sign()
	step(t, s, s.Anna, id, "signoff", nil, "posting")

	// The ledger refuses: the journals are dead, and so is the lock that waits for them.
	endJob(t, s, id, "ledger.post_journals", "dead")
	isIn(t, s, id, "posting_failed")
	if lock := jobStatus(t, s, id, "ledger.lock_period"); lock != "dead" {
		t.Errorf("the job that waits for a dead one is %s", lock)
	}
	s.Move(t, s.Sam, id, "retry_post")
	endJob(t, s, id, "ledger.post_journals", "done")
	isIn(t, s, id, "posting") // the lock is still to come
	endJob(t, s, id, "ledger.lock_period", "dead")
	isIn(t, s, id, "posting_failed")
	s.Move(t, s.Sam, id, "fix_books", note)
	s.Move(t, s.Sam, id, "to_review")
	s.Move(t, owen, id, "to_signoff")
	s.Clock.Move(8 * 24 * time.Hour)
	step(t, s, s.Pat, id, "signoff_timeout", map[string]any{"internal_note": "No word for a week"}, "posting")
	if waived := itemAt(t, s, id, "management_accounts", ""); waived.GetString("status") != "waived" {
		t.Errorf("deemed accepted, the sign-off is %s", waived.GetString("status"))
	}
	endJob(t, s, id, "ledger.post_journals", "done")
	endJob(t, s, id, "ledger.lock_period", "done")
	isIn(t, s, id, "closed")

	reopen := workflow.Input{InternalNote: "A late bill", ClientComment: "We found a late bill"}
	s.Move(t, s.Pat, id, "reopen", reopen)
	endJob(t, s, id, "ledger.unlock_period", "dead")
	isIn(t, s, id, "closed")
	s.Move(t, s.Pat, id, "reopen", reopen)
	endJob(t, s, id, "ledger.unlock_period", "done")
	isIn(t, s, id, "processing")
	if again := itemAt(t, s, id, "management_accounts", ""); again.GetString("status") != "missing" {
		t.Errorf("after the reopening the sign-off is %s", again.GetString("status"))
	}
	s.Move(t, s.Sam, id, "to_review")
	s.Move(t, owen, id, "to_signoff")
	sign()
	s.Move(t, s.Anna, id, "signoff")
	endJob(t, s, id, "ledger.post_journals", "dead")
	s.Move(t, s.Pat, id, "finish_manually", workflow.Input{InternalNote: "By hand", ExternalReference: "GL-7"})
	s.Clock.Move(91 * 24 * time.Hour)
	pass(t, s)
	isIn(t, s, id, "archived")
	var kept string
	if scan(t, s.App(), `SELECT MIN(retain_until) FROM documents WHERE request = {:id} AND uploader_user != ''`, id, &kept); !strings.HasPrefix(kept, s.Clock.Now().AddDate(6, 0, 0).Format("2006-01-02")) {
		t.Errorf("papers of six years are kept until %q", kept)
	}

	two := month(t, s, "2026-02")
	s.Move(t, s.Sam, two, "skip", say)
	s.Move(t, s.Sam, two, "unskip")
	s.Move(t, s.Sam, two, "start_anyway", note)
	isIn(t, s, two, "processing")
	everyStepWalked(t, s, "acct_monthly_close")
}

// openReviews are the provided items of the client that wait for a decision.
func openReviews(t *testing.T, s *gatetest.Stage, id string) []*core.Record {
	t.Helper()
	items, err := s.FindRecordsByFilter("items", "request = {:id} && active = true && status = 'provided' && section != 'signoff'", "position", 0, 0, dbx.Params{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// Without any connection the month closes all the same.
func TestStory_monthlyCloseWithoutAnyConnection(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "accounting-monthly-close.yaml")
	owen := newStaff(t, s, "Owen", "reviewer")
	id := month(t, s, "2026-01")
	given(t, s, id)
	s.Move(t, s.Anna, id, "submit")
	for _, i := range openReviews(t, s, id) {
		s.Decide(t, s.Sam, i.Id, "accepted", "")
	}
	s.Move(t, s.Sam, id, "to_review")
	accounts := itemAt(t, s, id, "management_accounts", "")
	s.Upload(t, owen, accounts.Id, "accounts.pdf", nil)
	want(t, s.Ask(t, owen, "PATCH", request(id), map[string]any{"data": map[string]any{"review_note": "Looks right"}}), 200)
	s.Move(t, owen, id, "to_signoff")
	s.Answer(t, s.Anna, accounts.Id, map[string]any{"accepted": true})
	s.Move(t, s.Anna, id, "signoff")
	s.Deliver(t)
	isIn(t, s, id, "closed")
	s.Move(t, s.Pat, id, "reopen", workflow.Input{InternalNote: "Late bill", ClientComment: "Late bill"})
	s.Deliver(t)
	isIn(t, s, id, "processing")
}

// Leaving a state cancels what has not begun there; what has begun goes on.
func TestJobs_leavingAStateCancelsWhatHasNotBegun(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "agency-creative-approval.yaml")
	connect(s)
	a := studio(t, s)
	id := a.brief(t)
	a.accepted(t, id)
	a.move(t, a.maya, id, "accept_brief")
	if status := jobStatus(t, s, id, "crm.open_project"); status != "queued" {
		t.Fatalf("a connected system's job is %s", status)
	}
	a.artwork(t, id)
	s.Move(t, a.rosa, id, "to_check")
	if status := jobStatus(t, s, id, "crm.open_project"); status != "cancelled" {
		t.Errorf("a job that nobody waits for is %s", status)
	}
}
