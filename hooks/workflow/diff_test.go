package workflow_test

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

func parsed(t testing.TB, source string) *workflow.Definition {
	t.Helper()
	def, findings := workflow.Parse([]byte(source))
	if def == nil {
		t.Fatal(findings)
	}
	return def.Definition
}

func TestDiff_saysInWords(t *testing.T) {
	const simple, kyc = "simple-request.yaml", "accounting-onboarding-kyc.yaml"
	for _, x := range []struct {
		name, file, old, now, want string
	}{
		{"only the version", simple, "version: 1\n", "version: 2\n", ""},
		{"a role may no longer take a step", simple, "by: [client_admin, client_member, client_delegate]", "by: [client_admin, client_delegate]", `changed transition submit: Step "submit": a client_member may no longer take it.`},
		{"another turn", simple, "key: submitted, label: Submitted, client_label: Received - we will look at it shortly, category: review, turn: staff", "key: submitted, label: Submitted, client_label: Received - we will look at it shortly, category: review, turn: system", `changed state submitted: State "submitted": it is the turn of system, no longer of staff.`},
		{"a step leads elsewhere", simple, "key: send, label: Send to client, from: [draft], to: waiting_for_client", "key: send, label: Send to client, from: [draft], to: submitted", `changed transition send: Step "send": it leads to submitted, no longer to waiting_for_client.`},
		{"an item is new and required", kyc, "      - {key: trust_deed,", "      - {key: lease, title: Lease, kind: file}\n      - {key: trust_deed,", `added item lease: Item "lease" is new and required.`},
		{"an item may be left out", kyc, "files: {min: 1, max: 5}, retention", "files: {min: 1, max: 5}, required: false, retention", `changed item last_accounts: Item "last_accounts": it may be left out now.`},
		{"an item is required again", kyc, "required: false, ", "", `changed item trial_balance: Item "trial_balance": it is required now.`},
		{"a text is a new one", kyc, "authority_v3", "authority_v4", `changed item authority_to_act: Item "authority_to_act": it refers to the text authority_v4, no longer to authority_v3: what was accepted has to be accepted again.`},
		{"a choice is gone", kyc, "options: [low, normal, high]", "options: [low, high]", `changed field risk_rating: Field "risk_rating": normal can no longer be chosen.`},
		{"a guard is gone", kyc, "guard: [{not_same_person_as: escalate}], ", "", `changed transition release: Step "release": this is no longer a condition: {not_same_person_as: escalate}.`},
		{"a reminder is gone", simple, "  - {key: review_sla, when_state: [draft, submitted, in_review], schedule: {sla_percent: [100]}, to: [owner], channel: in_app, stop_when: [state_left], max: 1}\n", "", `removed reminder review_sla: Reminder "review_sla" is gone.`},
		{"another title", simple, "title: Request for documents and answers", "title: Papers", `changed head title: The workflow: title is "Papers", no longer "Request for documents and answers".`},
		{"another time limit", simple, "sla: {business_days: 7, clock: client}", "sla: {business_days: 8, clock: client}", `changed state waiting_for_client: State "waiting_for_client": sla.business days is 8, no longer 7.`},
		{"a job is done otherwise", kyc, "alert_after: 3, on_dead: provisioning_failed}\n  - {job: ledger", "on_dead: provisioning_failed}\n  - {job: ledger", `changed job crm.upsert_company: Job "crm.upsert_company": alert after is no longer set (it was 3).`},
	} {
		t.Run(x.name, func(t *testing.T) {
			var got []string
			for _, d := range workflow.Diff(parsed(t, edited(t, x.file)), parsed(t, edited(t, x.file, x.old, x.now))) {
				got = append(got, d.Kind+" "+d.Area+" "+d.Key+": "+d.Text)
			}
			want := []string{x.want}
			if x.want == "" {
				want = nil
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, not %q", got, want)
			}
		})
	}
}

// Nothing that differs goes unsaid: every line of a definition is taken away in
// turn, and every pair of neighbours swapped.
func TestDiff_leavesNothingOut(t *testing.T) {
	tried := 0
	for _, file := range []string{"accounting-onboarding-kyc.yaml"} {
		source := edited(t, file)
		whole, lines := parsed(t, source), strings.Split(source, "\n")
		for n := range lines {
			without := slices.Delete(slices.Clone(lines), n, n+1)
			swapped := slices.Clone(lines)
			if n > 0 {
				swapped[n-1], swapped[n] = swapped[n], swapped[n-1]
			}
			for _, other := range [][]string{without, swapped} {
				def, _ := workflow.Parse([]byte(strings.Join(other, "\n")))
				if def == nil {
					continue
				}
				same := *def.Definition
				same.Version = whole.Version
				tried++
				if differ := schema.JSON(same) != schema.JSON(whole); differ != (len(workflow.Diff(whole, def.Definition)) > 0) {
					t.Errorf("%s, line %d: different %v, but %v", file, n+1, differ, workflow.Diff(whole, def.Definition))
				}
			}
		}
	}
	if tried < 100 {
		t.Fatalf("only %d were tried", tried)
	}
}
