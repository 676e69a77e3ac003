package workflow

import "testing"

// Before a step, staff read everything that follows from it.
func TestConsequence(t *testing.T) {
	const source = `schema: gatehouse/workflow/v1
key: told
version: 1
title: Told
subject: {collection: organizations}
initial: look
roles: {client: [client_admin], staff: [handler]}
fields: []
sections:
  - {key: papers, title: Papers, provider: client, reviewer: handler, items: [{key: proof, title: Proof, kind: file}, {key: agree, title: Agreement, kind: acknowledge}]}
  - {key: result, title: Result, provider: staff, reviewer: handler, items: [{key: letter, title: The letter, kind: file, required: false}]}
states:
  - {key: ask, label: Ask, client_label: Ask, category: waiting, turn: client, owner: client_admin, can: {provide: [papers]}}
  - {key: look, label: Look, client_label: Look, category: review, turn: staff, owner: handler, can: {provide: [result], review: [papers]}}
  - {key: over, label: Over, client_label: Over, category: done, turn: nobody, terminal: true}
transitions:
  - {key: answer, label: Answer, from: [ask], to: look, by: [client_admin]}
  - {key: back, label: Back, from: [look], to: ask, by: [handler], effects: [{invalidate: agree}]}
  - {key: end, label: End, from: [look], to: over, by: [handler], effects: [{waive: papers}, {job: crm.close_file}, {publish_file: letter}]}
integrations:
  - {job: crm.close_file, system: crm, idempotency_key: "{request}:{entry}"}
`
	def, findings := CheckSource([]byte(source))
	if def == nil || hasErrors(findings) {
		t.Fatal(lines(findings))
	}
	l := &live{State: "look", def: def, facts: factsIn(def, "look", map[string]any{}), who: sam}
	l.facts.Jobs["ledger.lock_period"] = JobState{Name: "ledger.lock_period", Status: "queued"}
	for _, i := range l.facts.Items {
		switch i.Key {
		case "agree":
			i.Status = Provided
		case "proof":
			i.Status, i.Shown = MoreNeeded, &ShownDecision{Status: Provided}
		}
	}
	for key, wanted := range map[string]string{
		"back": "The client gets the turn, and one email. 1 decision becomes visible to the client. 1 confirmation has to be given again. Is called off, since it has not begun: lock period (ledger).",
		"end":  "This finishes the request. 1 decision becomes visible to the client. 2 items are waived. The client gets to see: The letter. Begins outside: close file (crm). Is called off, since it has not begun: lock period (ledger).",
	} {
		if got := l.consequence(def.Transition(key)); got != wanted {
			t.Errorf("%s: %s", key, got)
		}
	}
}

// What comes next is what staff can do now, not what lies there.
func TestNextStep(t *testing.T) {
	for _, c := range []struct {
		name, category, turn string
		p                    Progress
		wanted               string
	}{
		{"to check", "review", "staff", Progress{Total: 3, ToCheck: 2}, "Check 2 of 3 items"},
		{"something is sent back", "review", "staff", Progress{Total: 3, SentBack: 1}, "Ask the client: 1 item sent back"},
		{"nothing to check", "review", "staff", Progress{Total: 3}, "Label"},
		{"the client has given one of three, and may still change it", "waiting", "client", Progress{Total: 3, Left: 2, ToCheck: 1}, "2 items to come"},
		{"it went back to the client", "waiting", "client", Progress{Total: 3, Left: 1, SentBack: 1}, "1 item to come"},
		{"all is given and not sent", "waiting", "client", Progress{Total: 3, ToCheck: 3}, "Label"},
		{"over, with items that nobody looked at", "done", "nobody", Progress{Total: 11, ToCheck: 2}, "Label"},
		{"blocked", "blocked", "staff", Progress{Total: 3, ToCheck: 2}, "Label"},
		{"the portal goes on", "review", "system", Progress{Total: 3, ToCheck: 2}, "Label"},
	} {
		if got := NextStep(c.category, c.turn, c.p, "Label"); got != c.wanted {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
