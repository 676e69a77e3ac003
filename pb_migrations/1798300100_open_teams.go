package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300100_open_teams.go", openTeams)
}

// openTeams lets clients look after their own people:
//
//   - invitations.invited_by_user: a client's admin can invite;
//   - invitations.delegation: an invitation to act for somebody, with what is lent;
//   - delegations may be made and ended by the record API: hooks decide who may.
func openTeams(app core.App) error {
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	b := &builder{app: app}

	invitations, err := app.FindCollectionByNameOrId("invitations")
	if err != nil {
		return fmt.Errorf("find invitations: %w", err)
	}
	invitations.Fields.Add(one("invited_by_user", false, users), object("delegation"))
	index(invitations, false, "invited_by_user")
	b.save(invitations)

	delegations, err := app.FindCollectionByNameOrId("delegations")
	if err != nil {
		return fmt.Errorf("find delegations: %w", err)
	}
	delegations.CreateRule = rule(signedIn)
	delegations.UpdateRule = rule(visible)
	b.save(delegations)
	return b.err
}
