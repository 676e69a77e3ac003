package demo

import (
	"fmt"
	"strconv"

	"gatehouse/hooks/workflow"
)

// check is the story of one client's identity check.
type check struct {
	*story
	partner string
	helper  string // who looks for the papers of the books: the contact, or a delegate
	at      moment
	stopsAt string // client.Onboarding
}

// onboard plans a client's identity check, up to where it stands.
func (s *stage) onboard(c *client, at moment, helper string) error {
	k := &check{story: s.story(c, c.Key), partner: []string{"helen", "david"}[s.chance.IntN(2)], helper: helper, at: at, stopsAt: c.Onboarding}
	if helper == "" {
		k.helper = c.Contact
	}
	for _, part := range []func() bool{k.prepare, k.collect, k.look, k.decideAll, k.engage} {
		if done := part(); done {
			return k.end(at)
		}
	}
	return fmt.Errorf("onboarding of %s does not end: %q", c.Key, c.Onboarding)
}

// stops marks the last act if the story ends in a state, and says so.
func (k *check) stops(state string) bool {
	if k.stopsAt != state {
		return false
	}
	k.here()
	return true
}

func (k *check) prepare() bool {
	k.open(k.client.Handler, workflow.NewRequest{Workflow: "acct_onboarding_kyc", Title: "Onboarding and identity checks"})
	if k.stops("draft") {
		return true
	}
	k.between(0.1, 0.8)
	k.take(k.client.Handler, "invite", workflow.Input{})
	return k.stops("invited")
}

// collect lets the client give everything.
func (k *check) collect() bool {
	if k.stops("collecting") {
		k.between(0.5, 1)
		k.facts()
		k.between(0.5, 1)
		k.person(1)
		return true
	}
	k.between(0.4, 1.2)
	k.facts()
	k.message(k.client.Contact, "Is a driving licence fine instead of the passport?")
	k.between(0.05, 0.3)
	k.message(k.client.Handler, "Yes, both sides of it please.")
	for n := range k.client.Owners {
		k.between(0.1, 0.6)
		k.person(n + 1)
	}
	k.between(0.2, 0.8)
	k.entity()
	k.books()
	k.take(k.client.Contact, "submit", workflow.Input{})
	return k.stops("submitted")
}

// facts are the fields of the request.
func (k *check) facts() {
	owners := make([]any, len(k.client.Owners))
	for n, name := range k.client.Owners {
		owners[n] = map[string]any{"id": "owner-" + strconv.Itoa(n+1), "name": name}
	}
	data := map[string]any{"entity_type": k.client.Entity, "tax_reference": k.client.Tax, "year_end": k.client.YearEnd, "beneficial_owners": owners, "is_pep": false}
	if k.client.Registration != "" {
		data["registration_no"] = k.client.Registration
	}
	k.patch(k.client.Contact, workflow.RequestPatch{Data: data})
}

// person gives what one owner has to show.
func (k *check) person(n int) {
	owner := "owner-" + strconv.Itoa(n)
	k.upload(k.client.Contact, keyed("photo_id", owner), fmt.Sprintf("passport-%d.png", n), func() map[string]any {
		return map[string]any{"document_expiry": k.now.AddDate(4, n, 0).Format("2006-01-02")}
	})
	// Before corrections, the first proof is older than it may be.
	age := -20
	if n == 1 && k.stopsAt == "fixing" {
		age = -160
	}
	k.upload(k.client.Contact, keyed("address_proof", owner), fmt.Sprintf("council-tax-bill-%d.pdf", n), func() map[string]any {
		return map[string]any{"issued_on": k.now.AddDate(0, 0, age).Format("2006-01-02")}
	})
}

// entity gives what the business has to show.
func (k *check) entity() {
	who := k.client.Contact
	if k.client.Entity == "limited_company" {
		k.upload(who, keyed("incorporation_cert", ""), "certificate-of-incorporation.pdf", nil)
	}
	if k.client.Entity == "trust" {
		k.upload(who, keyed("trust_deed", ""), "trust-deed.pdf", nil)
	}
	if k.client.Entity != "sole_trader" {
		k.answer(who, keyed("ownership_chart", ""), func() map[string]any {
			return map[string]any{"structure": "Held by the people named above, in equal parts.", "changes": false}
		})
	}
}

// books gives the records so far.
func (k *check) books() {
	k.upload(k.helper, keyed("last_accounts", ""), "filed-accounts-{last_year}.pdf", nil)
	if k.chance.IntN(2) == 0 {
		k.upload(k.helper, keyed("trial_balance", ""), "trial-balance.xlsx", nil)
	}
	k.answer(k.helper, keyed("previous_accountant", ""), func() map[string]any {
		return map[string]any{"name": "Ledgerwood & Co", "email": "office@ledgerwood.example"}
	})
	k.answer(k.client.Contact, keyed("authority_to_act", ""), func() map[string]any { return map[string]any{"accepted": true} })
}

// look lets staff begin, and perhaps find something.
func (k *check) look() bool {
	k.between(0.2, 0.8)
	k.take(k.client.Handler, "start_review", workflow.Input{})
	if k.stops("in_review") {
		k.wait(0.3)
		k.decide("ruth", keyed("photo_id", "owner-1"), workflow.Accepted, "", "")
		return true
	}
	k.between(0.2, 0.7)
	switch k.stopsAt {
	case "fixing":
		k.identities(2)
		k.decide("ruth", keyed("photo_id", "owner-1"), workflow.Accepted, "", "")
		k.decide("ruth", keyed("address_proof", "owner-1"), workflow.Rejected, "older_than_3_months", "This bill is from more than three months ago. A newer one, or a bank statement, is fine.")
		k.take(k.client.Handler, "ask_corrections", workflow.Input{})
	case "compliance_hold":
		k.take(k.client.Handler, "escalate", workflow.Input{InternalNote: "Cash deposits do not fit the size of the business. Please look before we go on."})
	case "rejected":
		k.take(k.partner, "decline", workflow.Input{InternalNote: "Conflict of interest with an existing client. Helen called them."})
	default:
		return false
	}
	return k.stops(k.stopsAt)
}

// identities accepts what the owners from n on have shown.
func (k *check) identities(n int) {
	for ; n <= len(k.client.Owners); n++ {
		owner := "owner-" + strconv.Itoa(n)
		k.decide("ruth", keyed("photo_id", owner), workflow.Accepted, "", "")
		k.decide("ruth", keyed("address_proof", owner), workflow.Accepted, "", "")
	}
}

// decideAll accepts everything; a partner takes the client on.
func (k *check) decideAll() bool {
	handler := k.client.Handler
	k.identities(1)
	k.between(0.05, 0.4)
	if k.client.Entity == "limited_company" {
		k.decide(handler, keyed("incorporation_cert", ""), workflow.Accepted, "", "")
	}
	if k.client.Entity != "sole_trader" {
		k.decide(handler, keyed("ownership_chart", ""), workflow.Accepted, "", "")
	}
	for _, key := range []string{"last_accounts", "previous_accountant", "authority_to_act"} {
		k.decide(handler, keyed(key, ""), workflow.Accepted, "", "")
	}
	k.patch(handler, workflow.RequestPatch{Data: map[string]any{"risk_rating": "normal", "risk_note": "Known business, nothing unusual in the accounts."}})
	k.between(0.1, 0.8)
	k.take(k.partner, "accept_client", workflow.Input{})
	return k.stops("engagement")
}

// engage lets the client sign; the system sets the client up.
func (k *check) engage() bool {
	k.between(0.2, 1.5)
	k.answer(k.client.Contact, keyed("engagement_letter", ""), func() map[string]any { return map[string]any{"accepted": true} })
	if k.stopsAt != "blocked" {
		k.take(k.client.Contact, "sign", workflow.Input{})
		return k.stops("approved") || k.stops("archived")
	}
	refusal := refusals[k.chance.IntN(len(refusals))]
	k.then("sign", func() error {
		if err := k.engine.Transition(k.ctx, k.app, k.id, k.actors[k.client.Contact], workflow.Input{Transition: "sign"}); err != nil {
			return err
		}
		return k.refuse(refusal)
	})
	k.wait(0.9) // eight attempts, with longer and longer pauses
	k.die(refusal)
	return k.stops("blocked")
}
