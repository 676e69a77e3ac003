package access

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Why a session ended, as it is stored and as the trail has it.
const (
	endSignedOut   = "signed_out"
	endElsewhere   = "signed_out_elsewhere"
	endByStaff     = "ended_by_staff"
	endPassword    = "password_changed"
	endNothingLeft = "access_ended"
	endDeactivated = "deactivated"
	endFactor      = "second_factor_changed"
)

// rawKeepSession is where a record carries the session that a new password of
// its own leaves alone.
const rawKeepSession = "@keep_session"

// End ends the open sessions that where selects, in the transaction of tx, and
// says how many those were. Live connections close when it commits.
func (s *Sessions) End(tx core.App, by schema.Actor, why, where string, params dbx.Params) (int, error) {
	var rows []struct {
		ID         string `db:"id"`
		Principal  string `db:"principal"`
		Collection string `db:"collection"`
	}
	err := tx.DB().NewQuery(`SELECT id, principal, collection FROM sessions WHERE ended = '' AND (` + where + `)`).Bind(params).All(&rows)
	if err != nil {
		return 0, fmt.Errorf("find sessions to end: %w", err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	now := schema.Stamp(s.Clock())
	ids, people := make([]string, 0, len(rows)), map[string]int{}
	kinds := map[string]string{}
	for _, r := range rows {
		_, err := tx.DB().NewQuery(`UPDATE sessions SET ended = {:now}, ended_by = {:by}, ended_why = {:why}, updated = {:now} WHERE id = {:id}`).
			Bind(dbx.Params{"id": r.ID, "by": string(by.Kind) + ":" + by.ID, "why": why, "now": now}).Execute()
		if err != nil {
			return 0, fmt.Errorf("end session %s: %w", r.ID, err)
		}
		ids = append(ids, r.ID)
		people[r.Principal]++
		kinds[r.Principal] = r.Collection
	}
	for person, n := range people {
		err := s.Audit(tx, Trace{
			Actor: by, Action: "sign_out", Collection: kinds[person], Record: person, At: s.Clock(),
			Change: map[string]any{"sessions": n, "why": why},
		})
		if err != nil {
			return 0, err
		}
	}
	afterCommit(tx, func() { hangUp(s.App, ids) })
	return len(rows), nil
}

// afterCommit runs fn when what tx does stands; at once outside a transaction.
func afterCommit(tx core.App, fn func()) {
	info := tx.TxInfo()
	if info == nil {
		fn()
		return
	}
	info.OnComplete(func(failed error) error {
		if failed == nil {
			fn()
		}
		return nil
	})
}

// The people whom a change of a source of access may have left with nothing: the
// person, and those who act for the person.
const (
	nothingLeft = `collection = 'users' AND NOT EXISTS (SELECT 1 FROM access a WHERE a.principal = sessions.principal AND a.until > {:now})`

	ofPeople = nothingLeft + ` AND (principal IN (SELECT value FROM json_each({:people})) OR principal IN (SELECT d."to" FROM delegations d WHERE d."from" IN (SELECT value FROM json_each({:people}))))`

	ofOrganizations = nothingLeft + ` AND principal IN (
	SELECT m.user FROM memberships m JOIN organizations o ON o.id = m.organization WHERE o.path >= {:path} AND o.path < {:path} || '~'
	UNION SELECT d."to" FROM delegations d JOIN organizations o ON o.id = d.organization WHERE o.path >= {:path} AND o.path < {:path} || '~')`
)

// MembershipEnded signs out those who may see nothing any more. It stands around
// what derives access, and inside the same transaction.
func (s *Sessions) MembershipEnded(e *core.RecordEvent) error {
	return s.peopleAfter(e, []string{e.Record.GetString("user"), e.Record.Original().GetString("user")})
}

// DelegationEnded does so for a delegate.
func (s *Sessions) DelegationEnded(e *core.RecordEvent) error {
	return s.peopleAfter(e, []string{e.Record.GetString("to"), e.Record.Original().GetString("to")})
}

func (s *Sessions) peopleAfter(e *core.RecordEvent, people []string) error {
	by := schema.ActorOn(e.Context, e.Record)
	return inTransaction(e, func(tx core.App) error {
		_, err := s.End(tx, by, endNothingLeft, ofPeople, dbx.Params{"people": schema.JSON(people), "now": schema.Stamp(s.Clock())})
		return err
	})
}

// OrganizationEnded does so when an organization is suspended or archived.
func (s *Sessions) OrganizationEnded(e *core.RecordEvent) error {
	by := schema.ActorOn(e.Context, e.Record)
	return inTransaction(e, func(tx core.App) error {
		_, err := s.End(tx, by, endNothingLeft, ofOrganizations, dbx.Params{"path": e.Record.GetString("path"), "now": schema.Stamp(s.Clock())})
		return err
	})
}

// AccountChanged ends the sessions of a person of the firm who is not active any
// more, and of anybody whose password or token key is new: PocketBase's tokens
// are void then anyway, and the list must not show them.
func (s *Sessions) AccountChanged(e *core.RecordEvent) error {
	before := e.Record.Original().TokenKey()
	by := schema.ActorOn(e.Context, e.Record)
	return inTransaction(e, func(tx core.App) error {
		why, keep := "", ""
		switch {
		case e.Record.Collection().Name == schema.Staff && !e.Record.GetBool("active"):
			why = endDeactivated
		case e.Record.TokenKey() != before:
			why = endPassword
			keep, _ = e.Record.GetRaw(rawKeepSession).(string)
		default:
			return nil
		}
		_, err := s.End(tx, by, why, `principal = {:id} AND id != {:keep}`, dbx.Params{"id": e.Record.Id, "keep": keep})
		return err
	})
}

// AccountDeleted ends the sessions of an account that is gone.
func (s *Sessions) AccountDeleted(e *core.RecordEvent) error {
	by := schema.ActorOn(e.Context, e.Record)
	return inTransaction(e, func(tx core.App) error {
		if _, err := tx.DB().Delete(schema.SecondFactors, dbx.HashExp{"principal": e.Record.Id}).Execute(); err != nil {
			return fmt.Errorf("remove the second factor of %s: %w", e.Record.Id, err)
		}
		if err := dropPasskeys(tx, e.Record.Id); err != nil {
			return err
		}
		_, err := s.End(tx, by, endDeactivated, `principal = {:id}`, dbx.Params{"id": e.Record.Id})
		return err
	})
}
