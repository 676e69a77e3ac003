package access

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

const askedBefore = `SELECT EXISTS (SELECT 1 FROM audit_log WHERE record = {:id} AND json_extract(change, '$.renewal_asked') = {:sent})`

// Renew tells the firm, by invitation.renewal_asked, that somebody with an
// expired link would like a new one. It sends nothing itself, and tells the firm
// once for each time that the invitation was sent. An open invitation needs no
// renewal, and a finished one gets none.
func (v *Invitations) Renew(token, ip string) error {
	return v.App.RunInTransaction(func(tx core.App) error {
		record, err := invitationOf(tx, token)
		if err != nil {
			return err
		}
		switch statusNow(record, v.Clock()) {
		case "open":
			return nil
		case "accepted", "revoked":
			return v.acceptable(tx, record)
		}
		sent := record.GetInt("sent_count")
		var asked int
		if err := tx.DB().NewQuery(askedBefore).Bind(dbx.Params{"id": record.Id, "sent": sent}).Row(&asked); err != nil {
			return fmt.Errorf("look for an earlier wish: %w", err)
		}
		if asked == 1 {
			return nil
		}
		record.Set("status", "expired")
		actor := schema.Actor{Kind: schema.ActorGuest, IP: ip}
		return v.keep(tx, record, actor, "update", map[string]any{"renewal_asked": sent}, "invitation.renewal_asked")
	})
}

// unknownInvitation is the refusal for an id that leads nowhere.
func unknownInvitation() *problem.Error {
	return problem.New(problem.NotFound, "There is no such invitation.")
}

const (
	expireInvitations = `UPDATE invitations SET status = 'expired', updated = {:now} WHERE status IN ('queued','sent','bounced','opened') AND expires <= {:now}`

	noteDelivery = `UPDATE invitations SET status = {:status}, sent_at = CASE WHEN {:status} = 'sent' THEN {:now} ELSE sent_at END, updated = {:now}
WHERE id = {:id} AND status IN ('queued','sent','bounced')`

	noteDeliveryOpened = `UPDATE invitations SET sent_at = {:now}, updated = {:now} WHERE id = {:id} AND status = 'opened'`
)

// ExpireInvitations writes the status of invitations whose time is over, for
// lists. Every decision compares the time itself and needs no sweep.
func ExpireInvitations(app core.App, now time.Time) error {
	if _, err := app.DB().NewQuery(expireInvitations).Bind(dbx.Params{"now": schema.Stamp(now)}).Execute(); err != nil {
		return fmt.Errorf("expire invitations: %w", err)
	}
	return nil
}

// InvitationDelivered notes that the mail server took the invitation's mail, or
// refused it for good. It never takes "opened" back.
func InvitationDelivered(tx core.App, id string, taken bool, now time.Time) error {
	status := "bounced"
	if taken {
		status = "sent"
	}
	params := dbx.Params{"id": id, "status": status, "now": schema.Stamp(now)}
	if _, err := tx.DB().NewQuery(noteDelivery).Bind(params).Execute(); err != nil {
		return fmt.Errorf("note delivery of invitation %s: %w", id, err)
	}
	if !taken {
		return nil
	}
	if _, err := tx.DB().NewQuery(noteDeliveryOpened).Bind(bindUsed(noteDeliveryOpened, params)).Execute(); err != nil {
		return fmt.Errorf("note delivery of invitation %s: %w", id, err)
	}
	return nil
}
