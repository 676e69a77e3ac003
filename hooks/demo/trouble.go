package demo

import (
	"fmt"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// A portal without connections skips its outside jobs, so none could ever die.
// To show what a dead job looks like, some requests had a ledger that refused:
// their jobs are told apart here, everything else the engine does by itself.

// refusals are what ledgers say.
var refusals = []string{
	"The ledger refused the company: VAT number missing.",
	"The ledger refused the contact: another one has the same name.",
	"The ledger did not answer within 30 seconds.",
	"The ledger refused the company: the year end is not a month end.",
}

const (
	crmJob    = "crm.upsert_company"
	ledgerJob = "ledger.create_contact"
)

// refuse makes the ledger's job wait for its next attempt. It belongs to the
// same act as the step that started the job.
func (y *story) refuse(refusal string) error {
	return y.setJob(ledgerJob, "retrying", 1, refusal)
}

// die gives the job up after its last attempt, and lets the system see it.
func (y *story) die(refusal string) {
	y.then("last attempt", func() error {
		const most = 8 // the workflow's retries
		if err := y.setJob(ledgerJob, "dead", most, refusal); err != nil {
			return err
		}
		return y.engine.Emit(y.app, workflow.Fact{
			Type: "job.dead", Request: y.id, Organization: y.places[y.place], Actor: schema.System(), At: y.now,
			Payload: map[string]any{"job": ledgerJob, "error": refusal},
		})
	})
}

func (y *story) setJob(name, status string, attempts int, refusal string) error {
	_, err := y.app.DB().NewQuery(`UPDATE jobs SET status = {:status}, attempts = {:attempts}, last_error = {:error}, updated = {:now} WHERE request = {:request} AND name = {:name}`).
		Bind(dbx.Params{"status": status, "attempts": attempts, "error": refusal, "now": schema.Stamp(y.now), "request": y.id, "name": name}).Execute()
	if err != nil {
		return fmt.Errorf("set job %s: %w", name, err)
	}
	return nil
}
