package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

// A workflow of the same shape as those in workflows/.
const simple = `{"title":"Request for documents","initial":"draft",
"roles":{"client":["client_admin","client_member","client_approver"],"staff":["handler","compliance"]},
"states":[
 {"key":"draft","turn":"staff","owner":"handler","category":"open"},
 {"key":"waiting","turn":"client","owner":"client_member","category":"waiting"},
 {"key":"submitted","turn":"staff","owner":"handler","category":"review"},
 {"key":"screening","turn":"staff","owner":"compliance","category":"review","tipping_off_safe":true},
 {"key":"approved","turn":"nobody","owner":"handler","category":"done","outcome":"success"},
 {"key":"rejected","turn":"nobody","owner":"handler","category":"done","outcome":"void"}],
"notifications":[
 {"event":"request.send","to":"client_member","channel":"email","timing":"now","dedupe":"{request}/{event}/{entry}","why":"We need some things from {organization}."},
 {"event":"request.submit","to":"handler","channel":["in_app","email"],"timing":"digest_hourly","dedupe":"{request}/{event}/{entry}","why":"You own {request}."},
 {"event":"request.submit","to":"submitter","channel":"email","timing":"now","dedupe":"{request}/{event}/{entry}","why":"You sent us this. Keep it as your receipt."},
 {"event":"request.ask_again","to":["client_member","last_uploader"],"channel":"email","timing":"now","dedupe":"{request}/{event}/{entry}/{person}","why":"{count} of the things you sent need another look."},
 {"event":"request.approve","to":"client_admin","channel":"email","timing":"digest_daily","dedupe":"{org}/{period}/{event}","why":"Your {period} is closed."},
 {"event":"request.reject","to":["client_member","client_approver"],"channel":"email","timing":"now","dedupe":"{request}/{event}/{round_no}","why":"Round {round_no} was closed."},
 {"event":"request.clear","to":["client_member","admin"],"channel":"email","timing":"now","dedupe":"{request}/{event}","why":"Checked."},
 {"event":"item.rejected","to":["client_member","handler"],"channel":"in_app","timing":"now","dedupe":"{request}/{event}","why":"An item was sent back."}]}`

var (
	ana   = Person{Kind: schema.ActorUser, ID: "ana", Name: "Ana", Email: "ana@bluebell.example", Role: "admin", Sees: true}
	ben   = Person{Kind: schema.ActorUser, ID: "ben", Name: "Ben", Email: "ben@bluebell.example", Role: "member", Duties: []string{"client_approver"}, Sees: true}
	vic   = Person{Kind: schema.ActorUser, ID: "vic", Name: "Vic", Email: "vic@bluebell.example", Role: "viewer", Sees: true}
	cleo  = Person{Kind: schema.ActorUser, ID: "cleo", Name: "Cleo", Email: "cleo@ex.example"} // sees nothing any more
	priya = Person{Kind: schema.ActorStaff, ID: "priya", Name: "Priya", Email: "priya@firm.example", Role: "operator", Duties: []string{"handler"}, Sees: true}
	tom   = Person{Kind: schema.ActorStaff, ID: "tom", Name: "Tom", Email: "tom@firm.example", Role: "operator", Duties: []string{"handler"}, Sees: true}
	ruth  = Person{Kind: schema.ActorStaff, ID: "ruth", Name: "Ruth", Email: "ruth@firm.example", Role: "operator", Duties: []string{"compliance"}, Sees: true}
	helen = Person{Kind: schema.ActorStaff, ID: "helen", Name: "Helen", Email: "helen@firm.example", Role: "owner", Sees: true}
)

func facts(t *testing.T, kind string, actor Person, payload Payload, change ...func(*Facts)) Facts {
	t.Helper()
	script, err := ReadScript(simple)
	if err != nil {
		t.Fatal(err)
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 9, 14, 5, 0, 0, time.UTC)
	f := Facts{
		Event:   event.Event{ID: "ev1", Type: kind, Request: "r1", Actor: schema.Actor{Kind: actor.Kind, ID: actor.ID}, At: now},
		Payload: payload, Script: script, Clients: []Person{ana, ben, vic}, Staff: []Person{priya, tom, ruth, helen}, Others: []Person{cleo},
		Duty: map[string]string{}, Location: london, Now: now,
		Request: Request{
			ID: "r1", Number: "REQ-1", Title: "Year-end papers", ClientTitle: "Year-end papers", Organization: "bluebell",
			OrganizationName: "Bluebell Bakery Ltd", Period: "2026-11", State: payload.To, Entry: payload.Entry,
		},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

// short writes a plan as "who channel kind", with what stands against it.
func short(plan []Notice) []string {
	lines := []string{}
	for _, n := range plan {
		line := fmt.Sprintf("%s %s %s", n.Person.ID, n.Channel, n.Kind)
		if n.Suppressed != "" {
			line += " - " + n.Suppressed
		}
		lines = append(lines, line)
	}
	return lines
}

func without(id string) func(*Facts) {
	return func(f *Facts) {
		f.Clients = filter(f.Clients, func(p Person) bool { return p.ID != id })
		f.Staff = filter(f.Staff, func(p Person) bool { return p.ID != id })
	}
}

func has(duty, id string) func(*Facts) { return func(f *Facts) { f.Duty[duty] = id } }

func blind(id string) func(*Facts) {
	return func(f *Facts) {
		for _, list := range [][]Person{f.Clients, f.Staff} {
			for i := range list {
				if list[i].ID == id {
					list[i].Sees = false
				}
			}
		}
	}
}

func TestPlan(t *testing.T) {
	send := Payload{From: "draft", To: "waiting", Entry: 1}
	submit := Payload{From: "waiting", To: "submitted", Entry: 1, Submitter: "ana"}
	again := Payload{From: "submitted", To: "waiting", Entry: 2, SentBack: []Thing{{Item: "i1", Key: "id", Title: "Photo ID"}}}
	for _, c := range []struct {
		name    string
		event   string
		actor   Person
		payload Payload
		change  []func(*Facts)
		want    []string
	}{
		{
			"what staff sends goes to every admin and member, not to viewers", "request.send", priya, send, nil,
			[]string{"ana email your_turn", "ben email your_turn"},
		},
		{
			"members without sight of a restricted request are no recipients, and there is no trace of it", "request.send", priya, send,
			[]func(*Facts){blind("ben")},
			[]string{"ana email your_turn"},
		},
		{
			"a submission goes to everybody with the duty, and the receipt to who sent it", "request.submit", ana, submit, nil,
			[]string{"priya in_app staff", "priya email staff", "tom in_app staff", "tom email staff", "ana email submitted"},
		},
		{
			"whoever has the duty on this request is told alone", "request.submit", ana, submit,
			[]func(*Facts){has("handler", "tom")},
			[]string{"tom in_app staff", "tom email staff", "ana email submitted"},
		},
		{
			"one walled off is told nothing and says why; the others stand in", "request.submit", ana, submit,
			[]func(*Facts){has("handler", "tom"), blind("tom")},
			[]string{"tom in_app staff - " + noSight, "tom email staff - " + noSight, "priya in_app staff", "priya email staff", "ana email submitted"},
		},
		{
			"a submitter who lost access gets no receipt", "request.submit", ben,
			Payload{From: "waiting", To: "submitted", Entry: 1, Submitter: "cleo"},
			nil,
			[]string{"priya in_app staff", "priya email staff", "tom in_app staff", "tom email staff", "cleo email submitted - " + noSight},
		},
		{
			"who is named twice is told once", "request.ask_again", priya, again,
			[]func(*Facts){func(f *Facts) { f.Uploaders = []string{"ben"} }},
			[]string{"ana email another_look", "ben email another_look"},
		},
		{
			"a person without an address is passed over, in words", "request.send", priya, send,
			[]func(*Facts){func(f *Facts) { f.Clients[0].Email = "" }},
			[]string{"ana email your_turn - " + noEmail, "ben email your_turn"},
		},
		{
			"nobody hears of the own act", "request.reject", ben,
			Payload{From: "submitted", To: "rejected", Entry: 1},
			nil,
			[]string{"ana email closed"},
		},
		{
			"a paused request writes to no client", "request.send", priya, send,
			[]func(*Facts){func(f *Facts) { f.Request.PausedUntil = f.Now.Add(72 * time.Hour) }},
			[]string{"ana email your_turn - The request is paused until Sat 12 Dec.", "ben email your_turn - The request is paused until Sat 12 Dec."},
		},
		{
			"success is a mail of its own", "request.approve", priya,
			Payload{From: "submitted", To: "approved", Entry: 1},
			nil,
			[]string{"ana email finished"},
		},

		{
			"who gets the turn and is named by no rule is told by the engine: clients by mail", "request.return", priya,
			Payload{From: "submitted", To: "waiting", Entry: 2},
			nil,
			[]string{"ana email your_turn", "ben email your_turn"},
		},
		{
			"and staff inside and by mail", "request.come_back", ana,
			Payload{From: "waiting", To: "draft", Entry: 2},
			[]func(*Facts){has("handler", "priya")},
			[]string{"priya in_app staff", "priya email staff"},
		},
		{"a turn that stays where it is is no news", "request.start", priya, Payload{From: "draft", To: "submitted", Entry: 1}, nil, nil},
		{"whoever opens a draft has the turn in hand; colleagues are left alone", "request.opened", priya, Payload{To: "draft", Entry: 1}, nil, nil},
		{"a client who takes something back knows whose turn it is", "request.take_back", ana, Payload{From: "submitted", To: "waiting", Entry: 2}, nil, nil},
		{
			"a duty that nobody has falls to the assignee", "request.come_back", ana,
			Payload{From: "waiting", To: "draft", Entry: 2},
			[]func(*Facts){without("priya"), without("tom"), func(f *Facts) { f.Request.Assignee = "ruth" }},
			[]string{"ruth in_app staff", "ruth email staff"},
		},
		{
			"and without one to the firm's owners: somebody is told", "request.come_back", ana,
			Payload{From: "waiting", To: "draft", Entry: 2},
			[]func(*Facts){without("priya"), without("tom")},
			[]string{"helen in_app staff", "helen email staff"},
		},

		{
			"into a tipping-off safe state: staff only, and no trace for clients", "request.clear", priya,
			Payload{From: "submitted", To: "screening", Entry: 1},
			nil,
			[]string{"helen email staff", "ruth in_app staff", "ruth email staff"},
		},
		{
			"out of one", "request.clear", ruth,
			Payload{From: "screening", To: "submitted", Entry: 1},
			[]func(*Facts){has("handler", "tom")},
			[]string{"helen email staff", "tom in_app staff", "tom email staff"},
		},
		{"the engine may say so itself", "request.send", priya, Payload{From: "draft", To: "waiting", Entry: 1, TippingOff: true}, nil, nil},
		{"a message of staff in such a state waits in the portal", "message.posted", priya, Payload{Message: "m1"}, []func(*Facts){func(f *Facts) { f.Request.State = "screening" }}, nil},

		{
			"a review is not out before the request moves", "item.rejected", priya,
			Payload{},
			[]func(*Facts){func(f *Facts) { f.Request.State = "submitted" }},
			[]string{"tom in_app notice"},
		},
		{
			"a message of staff goes to the client's people", "message.posted", priya,
			Payload{Message: "m1"},
			nil,
			[]string{"ana email message", "ben email message"},
		},
		{
			"a message of a client goes to the assignee", "message.posted", ana,
			Payload{Message: "m1"},
			[]func(*Facts){func(f *Facts) { f.Request.Assignee = "ruth" }},
			[]string{"ruth email message"},
		},
		{"else to the request's handler", "message.posted", ana, Payload{Message: "m1"}, []func(*Facts){has("handler", "tom")}, []string{"tom email message"}},
		{"else to all handlers", "message.posted", ana, Payload{Message: "m1"}, nil, []string{"priya email message", "tom email message"}},
		{"a note reaches nobody", "internal_note.added", priya, Payload{}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := short(Plan(facts(t, c.event, c.actor, c.payload, c.change...)))
			if !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestPlan_keysReasonsTimes(t *testing.T) {
	plan := Plan(facts(t, "request.submit", ana, Payload{From: "waiting", To: "submitted", Entry: 3, Submitter: "ana"}, has("handler", "tom")))
	for i, want := range []struct{ key, why string }{
		{"r1/request.submit/3/3/tom/in_app", "You own Year-end papers."},
		{"r1/request.submit/3/3/tom/email", "You own Year-end papers."},
		{"r1/request.submit/3/3/ana/email/receipt", "You sent us this. Keep it as your receipt."},
	} {
		if plan[i].Dedupe != want.key || plan[i].Why != want.why {
			t.Errorf("%d: %s %q", i, plan[i].Dedupe, plan[i].Why)
		}
	}
	if n := plan[1]; !n.Digest || n.SendAt.Format("15:04") != "15:00" {
		t.Errorf("an hourly notice waits for the full hour, not %v", n.SendAt)
	}
	if n := plan[0]; n.Digest || !n.SendAt.Equal(time.Date(2026, 12, 9, 14, 5, 0, 0, time.UTC)) {
		t.Errorf("inside the portal nothing waits, got %v", n.SendAt)
	}

	daily := Plan(facts(t, "request.approve", priya, Payload{From: "submitted", To: "approved", Entry: 1},
		func(f *Facts) { f.Clients[0].Timezone = "Asia/Kolkata" }))[0]
	if daily.Dedupe != "bluebell/2026-11/request.approve/1/ana/email" || daily.Why != "Your 2026-11 is closed." {
		t.Errorf("%s %q", daily.Dedupe, daily.Why)
	}
	if got := daily.SendAt.Format(time.RFC3339); got != "2026-12-10T03:30:00Z" {
		t.Errorf("nine in the morning in Kolkata is half past three in UTC, not %s", got)
	}

	round := Plan(facts(t, "request.reject", priya, Payload{From: "submitted", To: "rejected", Entry: 1, Data: map[string]any{"round_no": float64(2)}}))[0]
	if round.Dedupe != "r1/request.reject/2/1/ana/email" || round.Why != "Round 2 was closed." {
		t.Errorf("%s %q", round.Dedupe, round.Why)
	}
	count := Plan(facts(t, "request.ask_again", priya, Payload{From: "submitted", To: "waiting", Entry: 2, Count: 1, SentBack: []Thing{{Title: "x"}}}))[0]
	if count.Why != "1 of the things you sent need another look." {
		t.Errorf("%q", count.Why)
	}
}

func TestBecause(t *testing.T) {
	for why, want := range map[string]string{
		"You own Year-end papers.":                    "You get this because you own Year-end papers.",
		"Bluebell's books are yours":                  "You get this because Bluebell's books are yours.",
		"2 of the things you sent need another look.": "You get this because 2 of the things you sent need another look.",
		"The ledger refused the period lock.":         "You get this because the ledger refused the period lock.",
		"":                                            "",
	} {
		if got := because(why); got != want {
			t.Errorf("%q", got)
		}
	}
}
