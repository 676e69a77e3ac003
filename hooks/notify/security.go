package notify

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

const readOwners = `SELECT id, name, email, timezone, role, COALESCE(duties, '[]') AS duties FROM staff WHERE active = 1 AND maker = '' AND role = 'owner' ORDER BY name, id`

// accountsOf is the collection of the person whose sign-in an event is about.
func accountsOf(payload Payload) string {
	if payload.Collection == schema.Staff {
		return schema.Staff
	}
	return schema.Users
}

// attacked tells the owners that somebody tries passwords on an account.
func (p *Post) attacked(tx core.App, e event.Event) error {
	payload := payloadOf(e)
	var who string
	err := tx.DB().NewQuery(`SELECT COALESCE(NULLIF(name, ''), email) FROM ` + accountsOf(payload) + ` WHERE id = {:id}`).Bind(dbx.Params{"id": payload.Account}).Row(&who)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read account %s: %w", payload.Account, err)
	}
	firm, err := access.FirmOf(tx)
	if err != nil {
		return err
	}
	var rows []personRow
	if err := tx.DB().NewQuery(readOwners).All(&rows); err != nil {
		return fmt.Errorf("read owners: %w", err)
	}
	for _, owner := range people(rows, schema.ActorStaff) {
		for _, channel := range []string{"in_app", "email"} {
			n := Notice{
				Person: owner, Channel: channel, Kind: "attacked", Rule: e.Type, Why: "You are an owner of this portal.", SendAt: p.Clock(),
				Dedupe: fmt.Sprintf("%s/%s/%s/%s", e.Type, e.ID, owner.ID, channel),
			}
			letter := Letter{Firm: firm, Hello: owner.Name, Title: who, Who: who, Count: payload.Count, Button: "Open the console", Link: p.base() + "/_/", Because: because(n.Why)}
			if err := p.write(tx, about{event: e.ID}, n, letter); err != nil {
				return err
			}
		}
	}
	return nil
}

// passkey tells somebody what became of a passkey of the own: whoever did not do
// it must learn of it.
func (p *Post) passkey(tx core.App, e event.Event) error {
	payload := payloadOf(e)
	kind, link := schema.ActorUser, p.base()+"/settings/profile"
	if payload.Collection == schema.Staff {
		kind, link = schema.ActorStaff, p.base()+"/_/#/gatehouse/account"
	}
	var rows []personRow
	err := tx.DB().NewQuery(`SELECT id, name, email, timezone, '' AS role, '[]' AS duties FROM ` + accountsOf(payload) + ` WHERE id = {:id}`).Bind(dbx.Params{"id": payload.Account}).All(&rows)
	if err != nil {
		return fmt.Errorf("read account %s: %w", payload.Account, err)
	}
	firm, err := access.FirmOf(tx)
	if err != nil {
		return err
	}
	for _, owner := range people(rows, kind) {
		for _, channel := range []string{"in_app", "email"} {
			n := Notice{
				Person: owner, Channel: channel, Kind: strings.ReplaceAll(e.Type, ".", "_"), Rule: e.Type, Why: "It is about how you sign in.", SendAt: p.Clock(),
				Dedupe: fmt.Sprintf("%s/%s/%s/%s", e.Type, e.ID, owner.ID, channel),
			}
			letter := Letter{Firm: firm, Hello: owner.Name, Title: payload.Name, What: payload.Name, Button: "Open your account", Link: link, Because: because(n.Why)}
			if err := p.write(tx, about{event: e.ID}, n, letter); err != nil {
				return err
			}
		}
	}
	return nil
}
