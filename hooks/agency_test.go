package hooks_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// studioFirm is the firm and the client of the creative approval: Ben runs the
// account, Rosa designs, Maya directs; at the client Anna is the admin, Lee
// approves, Marta has the legal veto.
type studioFirm struct {
	*gatetest.Stage
	ben, rosa, maya *core.Record
	lee, marta      *core.Record
}

func studio(t *testing.T, s *gatetest.Stage) *studioFirm {
	t.Helper()
	return &studioFirm{
		Stage: s, ben: newStaff(t, s, "Benno", "account_manager"), rosa: newStaff(t, s, "Rosa", "designer"), maya: newStaff(t, s, "Maya", "creative_director", "account_manager"),
		lee: newMember(t, s, "Lee", "client_approver"), marta: newMember(t, s, "Marta", "client_legal"),
	}
}

// newMember is a member of Bluebell with duties.
func newMember(t *testing.T, s *gatetest.Stage, name string, duties ...string) *core.Record {
	t.Helper()
	user := s.Add(t, "users", map[string]any{"email": name + "@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "verified": true, "name": name})
	s.Add(t, "memberships", map[string]any{"user": user.Id, "organization": s.Bluebell.Id, "role": "member", "status": "active", "duties": duties})
	s.Clock.Move(time.Minute) // rights that were derived now have begun
	return user
}

func (a *studioFirm) move(t *testing.T, who *core.Record, id, key string, more ...workflow.Input) {
	t.Helper()
	a.Clock.Move(time.Second)
	a.Move(t, who, id, key, more...)
}

// brief opens a request for two channels and sends the brief.
func (a *studioFirm) brief(t *testing.T) string {
	t.Helper()
	id := a.Open(t, a.ben, workflow.NewRequest{Workflow: "agency_creative_approval", Organization: a.Bluebell.Id, Title: "Spring campaign"})
	want(t, a.Ask(t, a.Anna, "PATCH", request(id), map[string]any{"data": map[string]any{"campaign": "Spring", "go_live": "2027-03-01", "channels": []any{"print", "social"}}}), 200)
	a.Answer(t, a.Anna, itemAt(t, a.Stage, id, "brief_form", "").Id, map[string]any{"goal": "Sell buns"})
	a.Upload(t, a.Anna, itemAt(t, a.Stage, id, "brand_assets", "").Id, "logo.pdf", nil)
	a.move(t, a.Anna, id, "submit_brief")
	return id
}

// accepted accepts the brief and starts the design.
func (a *studioFirm) accepted(t *testing.T, id string) {
	t.Helper()
	for _, key := range []string{"brief_form", "brand_assets"} {
		a.Decide(t, a.ben, itemAt(t, a.Stage, id, key, "").Id, "accepted", "")
	}
}

// artwork uploads a new version of everything that the studio owes.
func (a *studioFirm) artwork(t *testing.T, id string) {
	t.Helper()
	for _, channel := range []string{"print", "social"} {
		i := itemAt(t, a.Stage, id, "artwork_file", channel)
		if slices.Contains([]string{"missing", "rejected"}, i.GetString("status")) {
			a.Clock.Move(time.Second)
			a.Upload(t, a.rosa, i.Id, channel+"-"+a.Clock.Now().Format("150405")+".pdf", nil)
		}
	}
}

// round brings artwork to the client.
func (a *studioFirm) round(t *testing.T, id string) {
	t.Helper()
	a.artwork(t, id)
	a.move(t, a.rosa, id, "to_check")
	a.move(t, a.maya, id, "send_round")
}

func (a *studioFirm) decide(t *testing.T, who *core.Record, id, channel, status, comment string) gatetest.Answer {
	t.Helper()
	body := map[string]any{"status": status}
	if comment != "" {
		body["comment"] = comment
	}
	a.Clock.Move(time.Second)
	return a.Ask(t, who, "PATCH", "/api/portal/items/"+itemAt(t, a.Stage, id, "artwork_file", channel).Id, body)
}

func TestStory_creativeApproval(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "agency-creative-approval.yaml")
	a := studio(t, s)
	note := workflow.Input{InternalNote: "Because"}
	id := a.brief(t)
	s.Decide(t, a.ben, itemAt(t, s, id, "brief_form", "").Id, "rejected", "Who should it reach?")
	a.move(t, a.ben, id, "ask_brief")
	s.Answer(t, s.Anna, itemAt(t, s, id, "brief_form", "").Id, map[string]any{"audience": "Everybody"})
	a.move(t, s.Anna, id, "submit_brief")
	a.accepted(t, id)
	a.move(t, a.ben, id, "accept_brief")

	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); bytes.Contains(seen.Raw, []byte("print artwork")) {
		t.Fatalf("the client sees artwork that is not there: %s", seen.Raw)
	}
	a.artwork(t, id)
	a.move(t, a.rosa, id, "to_check")
	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); bytes.Contains(seen.Raw, []byte("print-")) {
		t.Fatalf("the client sees artwork before its round: %s", seen.Raw)
	}
	failed := workflow.Input{InternalNote: "The logo is old", Items: []string{itemAt(t, s, id, "artwork_file", "print").Id}}
	a.move(t, a.maya, id, "check_fail", failed)
	a.round(t, id)
	a.Clock.Move(time.Second)

	shown := clientItem(t, s, a.lee, id, "print artwork")
	if shown["can_review"] != true || shown["editable"] != false || len(shown["documents"].([]any)) != 1 {
		t.Fatalf("what Lee is to approve: %v", shown)
	}
	if other := clientItem(t, s, s.Vera, id, "print artwork"); other["can_review"] != false {
		t.Error("a viewer may approve")
	}
	want(t, a.decide(t, s.Anna, id, "print", "accepted", ""), 400) // an admin is no approver
	for _, channel := range []string{"print", "social"} {
		want(t, a.decide(t, a.lee, id, channel, "accepted", ""), 200)
	}
	if item := itemAt(t, s, id, "artwork_file", "print"); item.GetString("status") != "accepted" {
		t.Fatalf("one approval of one is enough, but it is %s", item.GetString("status"))
	}

	// Marta vetoes after Lee approved.
	want(t, a.decide(t, a.marta, id, "print", "rejected", "The claim is not allowed"), 200)
	item := clientItem(t, s, a.lee, id, "print artwork")
	review := item["review"].(map[string]any)
	if item["status"] != "rejected" || review["veto_open"] != true || len(review["votes"].([]any)) != 2 || review["mine"] != "accepted" {
		t.Fatalf("after the veto: %v", item)
	}
	want(t, a.decide(t, a.lee, id, "print", "accepted", ""), 200)
	equalLists(t, "a veto outweighs an approval", blocked(t, s, a.lee, id, map[string]any{"transition": "approve"}), []string{"item_missing artwork_file", "veto_open artwork_file"})
	want(t, a.decide(t, a.marta, id, "print", "accepted", ""), 200)
	if item := itemAt(t, s, id, "artwork_file", "print"); item.GetString("status") != "accepted" {
		t.Fatalf("its owner lifts a veto, but it is %s", item.GetString("status"))
	}
	want(t, a.decide(t, a.marta, id, "print", "rejected", "After all not"), 200)
	equalLists(t, "the extra round comes after the included ones", blocked(t, s, a.lee, id, map[string]any{"transition": "request_changes_over"}), []string{"rounds"})
	a.move(t, a.lee, id, "request_changes")
	isIn(t, s, id, "revising")
	if kept := clientItem(t, s, a.lee, id, "print artwork"); kept["status"] != "rejected" || len(kept["documents"].([]any)) != 1 {
		t.Errorf("while it is made again the client sees %v", kept)
	}

	// Round two: a new version forgets the approvals, but not the veto.
	a.round(t, id)
	want(t, a.decide(t, a.lee, id, "print", "accepted", ""), 200)
	if item := itemAt(t, s, id, "artwork_file", "print"); item.GetString("status") != "provided" {
		t.Errorf("an old veto is passed over: %s", item.GetString("status"))
	}
	equalLists(t, "the veto stands", blocked(t, s, a.lee, id, map[string]any{"transition": "approve"}), []string{"item_open artwork_file", "veto_open artwork_file"})
	want(t, a.decide(t, a.lee, id, "social", "rejected", "Too loud"), 200)
	equalLists(t, "two rounds are included", blocked(t, s, a.lee, id, map[string]any{"transition": "request_changes"}), []string{"rounds"})
	a.move(t, a.lee, id, "request_changes_over")
	isIn(t, s, id, "change_order")
	a.move(t, s.Anna, id, "drop_change")
	if again := itemAt(t, s, id, "artwork_file", "social"); again.GetString("status") != "provided" {
		t.Fatalf("kept as it was, it is %s", again.GetString("status"))
	}
	if files := clientItem(t, s, a.lee, id, "social artwork")["documents"].([]any); !slices.ContainsFunc(files, func(d any) bool { return d.(map[string]any)["current"] == true }) {
		t.Errorf("kept as it was, but no file is current: %v", files)
	}
	want(t, a.decide(t, a.lee, id, "social", "rejected", "Still too loud"), 200)
	a.move(t, a.lee, id, "request_changes_over")
	a.move(t, a.ben, id, "waive_change", note)
	a.round(t, id)
	want(t, a.decide(t, a.lee, id, "social", "rejected", "Once more"), 200)
	a.move(t, a.lee, id, "request_changes_over")
	a.move(t, s.Anna, id, "accept_change")
	a.round(t, id)

	want(t, a.decide(t, a.lee, id, "social", "accepted", ""), 200)
	want(t, a.decide(t, a.lee, id, "print", "accepted", ""), 200)
	want(t, a.decide(t, a.marta, id, "print", "accepted", ""), 200)
	a.move(t, a.lee, id, "approve")
	isIn(t, s, id, "finalising")
	finals := itemAt(t, s, id, "final_package", "")
	equalLists(t, "the finals come first", blocked(t, s, a.rosa, id, map[string]any{"transition": "deliver"}), []string{"item_missing final_package", "nothing_to_publish"})
	s.Upload(t, a.rosa, finals.Id, "finals.pdf", nil)
	a.move(t, a.rosa, id, "deliver")
	if got := clientItem(t, s, s.Anna, id, "Press-ready and source files"); len(got["documents"].([]any)) != 1 {
		t.Fatalf("the client got %v", got)
	}
	wrong := workflow.Input{InternalNote: "A typo", ClientComment: "We found a typo", Items: []string{itemAt(t, s, id, "artwork_file", "print").Id}}
	a.move(t, a.ben, id, "late_error", wrong)
	a.round(t, id)
	want(t, a.decide(t, a.lee, id, "print", "accepted", ""), 200)
	a.move(t, a.lee, id, "approve")
	a.move(t, a.rosa, id, "deliver")
	s.Clock.Move(61 * 24 * time.Hour)
	pass(t, s)
	isIn(t, s, id, "archived")

	two := a.brief(t)
	a.move(t, a.ben, two, "cancel", workflow.Input{ClientComment: "No budget"})
	a.move(t, a.ben, two, "revive", note)
	isIn(t, s, two, "brief_review")
	everyStepWalked(t, s, "agency_creative_approval")
}

// A veto must not outlast its owner: once the person has left, another with the
// same duty can lift it.
func TestVeto_ofSomebodyWhoLeftCanBeLifted(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "agency-creative-approval.yaml")
	a := studio(t, s)
	paul := newMember(t, s, "Paul", "client_legal")
	id := a.brief(t)
	a.accepted(t, id)
	a.move(t, a.ben, id, "accept_brief")
	a.round(t, id)
	for _, channel := range []string{"print", "social"} {
		want(t, a.decide(t, a.lee, id, channel, "accepted", ""), 200)
	}
	want(t, a.decide(t, a.marta, id, "print", "rejected", "No"), 200)
	want(t, a.decide(t, paul, id, "print", "accepted", ""), 200)
	equalLists(t, "a colleague does not lift it", blocked(t, s, a.lee, id, map[string]any{"transition": "approve"}), []string{"item_missing artwork_file", "veto_open artwork_file"})
	membership, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": a.marta.Id})
	if err != nil {
		t.Fatal(err)
	}
	membership.Set("status", "suspended")
	if err := s.Save(membership); err != nil {
		t.Fatal(err)
	}
	want(t, a.decide(t, paul, id, "print", "accepted", ""), 200)
	a.move(t, a.lee, id, "approve")
}

// everyStepWalked proves that each transition of a definition was taken by
// somebody on this stage.
func everyStepWalked(t *testing.T, s *gatetest.Stage, key string) {
	t.Helper()
	var walked []string
	err := s.DB().NewQuery(`SELECT DISTINCT t.key FROM transitions t JOIN requests r ON r.id = t.request WHERE r.workflow_key = {:key}`).Bind(dbx.Params{"key": key}).Column(&walked)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range definitionOf(t, s, key).Transitions {
		if !slices.Contains(walked, step.Key) {
			t.Errorf("%s: nobody takes the step %q", key, step.Key)
		}
	}
}
