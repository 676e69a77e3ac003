package workflow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/hooks/schema"
)

// What a client is shown depends on the truth and on what was shown before,
// nothing else.
func TestAdvance(t *testing.T) {
	kyc := shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	before := Shown{State: "in_review", Since: "2026-11-01 10:00:00.000Z", Contact: Contact{ID: "sam", Name: "Sam"}, Revision: 4}
	ruth := Contact{ID: "ruth", Name: "Ruth"}
	now := schema.Stamp(morning)
	for _, c := range []struct {
		name     string
		from, to string
		before   Shown
		dueSet   bool
		want     Shown
	}{
		{"a step that shows", "in_review", "fixing", before, false, Shown{State: "fixing", Since: now, Due: "2026-12-01", Contact: ruth, Revision: 4}},
		{"a date is shown when the client must act", "submitted", "in_review", Shown{State: "submitted"}, false, Shown{State: "in_review", Since: now, Contact: ruth}},
		{"or when a person chose it", "submitted", "in_review", Shown{State: "submitted"}, true, Shown{State: "in_review", Since: now, Due: "2026-12-01", Contact: ruth}},
		{"a change inside a state keeps its time", "in_review", "in_review", before, false, Shown{State: "in_review", Since: before.Since, Contact: ruth, Revision: 4}},
		{"into the hold nothing moves", "in_review", "compliance_hold", before, true, before},
		{"inside it neither", "compliance_hold", "compliance_hold", before, true, before},
		{"nor on the way back", "compliance_hold", "in_review", before, true, before},
		{"out of it to another state it does", "compliance_hold", "rejected", before, false, Shown{State: "rejected", Since: now, Contact: ruth, Revision: 4}},
		{"a hidden state shows nothing", "draft", "draft", Shown{}, false, Shown{Contact: ruth}},
		{"a finished request has no date", "in_review", "rejected", before, true, Shown{State: "rejected", Since: now, Contact: ruth, Revision: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsIn(kyc, c.to, kycComplete)
			f.Due, f.DueSet = "2026-12-01", c.dueSet
			if got := kyc.advance(f, c.from, c.before, ruth); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestFace_showsTheClientsSideOnly(t *testing.T) {
	kyc := shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	f := factsIn(kyc, "compliance_hold", kycComplete)
	all(Provided)(f)
	passport := f.item("photo_id-ada")
	passport.Status, passport.Reviewer, passport.Comment = Rejected, "ruth", "On a list"
	passport.Shown = &ShownDecision{Status: Provided}
	passport.Answers = map[string]any{"text": "mine", "_record": map[string]any{"ip": "127.0.0.1"}}
	face := kyc.Face(f, Shown{State: "in_review"})
	told := schema.JSON(face)
	for _, secret := range []string{"hold", "risk_rating", "risk_note", "On a list", "ruth", "_record", "127.0.0.1", "engagement_letter", "rejected"} {
		if strings.Contains(told, secret) {
			t.Errorf("the client's rows tell %q: %s", secret, told)
		}
	}
	if face.Label != "We are checking your documents" || face.Turn != "staff" || face.Data["legal_name"] != "Bluebell Ltd" {
		t.Errorf("%+v", face)
	}
	if kyc.Face(f, Shown{}) != nil {
		t.Error("who has been shown nothing is shown something")
	}
	if again := kyc.Face(f, Shown{State: "in_review"}); !equalFaces(face, again) {
		t.Error("the same facts make two faces")
	}
}

func TestFace_itemLabels(t *testing.T) {
	simple := shippedDefinition(t, "simple-request.yaml")
	for _, c := range []struct {
		name    string
		state   string
		item    Item
		label   string
		edit    bool
		because string
	}{
		{"nothing yet", "waiting_for_client", Item{Status: Missing}, "To do", true, ""},
		{"half done", "waiting_for_client", Item{Status: Missing, Answers: map[string]any{"note": "x"}}, "Half done", true, ""},
		{"answered, not sent", "waiting_for_client", Item{Status: Provided, EnteredStatus: Missing, Answers: map[string]any{"text": "x"}}, "Saved, not sent", true, ""},
		{"answered and sent", "submitted", Item{Status: Provided, EnteredStatus: Provided, Answers: map[string]any{"text": "x"}}, "With us", false, "You can look but not change this while we work on it."},
		{"sent back", "waiting_for_client", Item{Status: Rejected, EnteredStatus: Rejected}, "Sent back", true, ""},
		{"more is needed", "waiting_for_client", Item{Status: MoreNeeded, EnteredStatus: MoreNeeded}, "Sent back", true, ""},
		{"accepted", "waiting_for_client", Item{Status: Accepted}, "Accepted", false, "This was accepted. Nothing more to do."},
		{"waived", "waiting_for_client", Item{Status: Waived}, "Not needed", false, "We do not need this any more."},
		{"of a finished request", "approved", Item{Status: Missing}, "To do", false, "This request is finished."},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := simpleFacts(simple, c.state)
			i := f.item("question")
			i.Status, i.EnteredStatus = c.item.Status, c.item.EnteredStatus
			if c.item.Answers != nil {
				i.Answers = c.item.Answers
			}
			face := simple.Face(f, Shown{State: c.state})
			n := slices.IndexFunc(face.Items, func(x ClientItem) bool { return x.ID == "question" })
			if got := face.Items[n]; got.Label != c.label || got.Editable != c.edit || got.Why != c.because {
				t.Errorf("%q, editable %t, because %q", got.Label, got.Editable, got.Why)
			}
		})
	}
}

func TestFace_progress(t *testing.T) {
	kyc := shippedDefinition(t, "accounting-onboarding-kyc.yaml")
	f := factsIn(kyc, "collecting", kycComplete)
	all(Provided)(f)
	status("last_accounts", Accepted)(f)
	status("trial_balance", Missing)(f) // not required
	status("photo_id", Rejected)(f)
	status("previous_accountant", NotApplicable)(f)
	want := Progress{Total: 8, Ready: 6, Left: 1, SentBack: 1, Checked: 2, ToCheck: 4}
	if got := kyc.Face(f, Shown{State: "collecting"}).Progress; got != want {
		t.Errorf("the client's progress is %+v, want %+v", got, want)
	}
	if got := kyc.progress(f); got != want {
		t.Errorf("staff's progress is %+v, want %+v", got, want)
	}
}

// What staff attach is shown once a step has handed it over.
func TestFace_staffFilesAreShownWhenHandedOver(t *testing.T) {
	odd := oddDefinition(t)
	f := factsIn(odd, "draft", nil)
	report := f.item("report")
	shows := func() bool {
		return slices.ContainsFunc(odd.Face(f, Shown{State: "draft"}).Items, func(i ClientItem) bool { return i.ID == report.ID })
	}
	if shows() {
		t.Error("an empty item of staff's is shown")
	}
	report.Files = Files{Ready: 1, Staff: 1}
	if shows() {
		t.Error("a file is shown before it is handed over")
	}
	if report.Files.Staff, report.Files.Shown = 0, 1; !shows() {
		t.Error("a file that was handed over is not shown")
	}
}

func TestChangedItems(t *testing.T) {
	a := &ClientFace{Items: []ClientItem{{ID: "1", Status: Missing}, {ID: "2", Status: Missing}, {ID: "3"}}}
	b := &ClientFace{Items: []ClientItem{{ID: "1", Status: Missing}, {ID: "2", Status: Provided}, {ID: "4"}}}
	changed, gone, moved := changedItems(a, b)
	var ids []string
	for _, i := range changed {
		ids = append(ids, i.ID)
	}
	if !slices.Equal(ids, []string{"2", "4"}) || !slices.Equal(gone, []string{"3"}) || moved {
		t.Errorf("changed %q, gone %q, moved %t", ids, gone, moved)
	}
	b.Items[0].Position = 7
	if changed, _, moved := changedItems(a, b); len(changed) != 3 || !moved {
		t.Errorf("another place: %d changed, moved %t", len(changed), moved)
	}
	if changed, gone, _ := changedItems(nil, b); len(changed) != 3 || len(gone) != 0 {
		t.Errorf("the first time: %d changed, %d gone", len(changed), len(gone))
	}
}

func TestWakeAt(t *testing.T) {
	simple := shippedDefinition(t, "simple-request.yaml")
	f := simpleFacts(simple, "approved")
	if got := simple.wakeAt(f); got != schema.Stamp(morning.Add(60*24*time.Hour)) {
		t.Errorf("looks again at %q", got)
	}
	f.State = "in_review"
	if got := simple.wakeAt(f); got != "" {
		t.Errorf("a state without automatic steps wakes at %q", got)
	}
}

// Where the client decides on what the firm made, the face counts that, so that no
// sentence asks for things to be sent.
func TestFace_countsWhatTheClientDecides(t *testing.T) {
	def := shippedDefinition(t, "agency-creative-approval.yaml")
	f := &Facts{State: "client_review", Data: map[string]any{}, Items: []*Item{
		{ID: "a", Section: "artwork", Key: def.Section("artwork").Items[0].Key, Status: Provided, Active: true, Files: Files{Ready: 1, Shown: 1}},
		{ID: "b", Section: "artwork", Key: def.Section("artwork").Items[0].Key, Instance: "2", Status: Accepted, Active: true, Files: Files{Ready: 1, Shown: 1}},
	}}
	face := def.Face(f, Shown{State: "client_review"})
	if face.Progress.Decide != 2 || face.Progress.ToDecide != 1 {
		t.Errorf("%+v", face.Progress)
	}
	l := &live{def: def, facts: f, before: face, who: Who{Actor: schema.Actor{Kind: schema.ActorUser}}}
	for _, c := range []struct {
		toDecide int
		want     string
	}{{1, "Your turn: look and decide"}, {0, "Your turn: everything is decided"}} {
		p := face.Progress
		p.ToDecide = c.toDecide
		if text, _ := l.turnText(View{Progress: p}, def.State("client_review")); text != c.want {
			t.Errorf("%q, not %q", text, c.want)
		}
	}
	as := *f
	as.State = "briefing"
	if p := def.Face(&as, Shown{State: "briefing"}).Progress; p.Decide != 0 {
		t.Errorf("elsewhere nothing is to be decided: %+v", p)
	}
}
