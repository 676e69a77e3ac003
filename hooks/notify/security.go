package notify

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

const readOwners = `SELECT id, name, email, timezone, role, COALESCE(duties, '[]') AS duties FROM staff WHERE active = 1 AND maker = '' AND role = 'owner' ORDER BY name, id`

// attacked tells the owners that somebody tries passwords on an account.
func (p *Post) attacked(tx core.App, e event.Event) error {
	payload := payloadOf(e)
	table := schema.Users
	if payload.Collection == schema.Staff {
		table = schema.Staff
	}
	var who string
	err := tx.DB().NewQuery(`SELECT COALESCE(NULLIF(name, ''), email) FROM ` + table + ` WHERE id = {:id}`).Bind(dbx.Params{"id": payload.Account}).Row(&who)
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
