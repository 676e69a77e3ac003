package notify

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

const readInvitation = `SELECT i.id, i.email, i.name, i.organization, CASE WHEN COALESCE(i.delegation, 'null') IN ('', 'null') THEN i.role ELSE 'delegate' END AS role, i.status, i.sent_count, i.expires, i.invited_by,
	o.name AS organization_name, COALESCE(s.name, (SELECT b.name FROM users b WHERE b.id = i.invited_by_user), '') AS inviter,
	COALESCE((SELECT u.id FROM users u WHERE u.email = i.email COLLATE NOCASE), '') AS user,
	COALESCE((SELECT u.timezone FROM users u WHERE u.email = i.email COLLATE NOCASE), '') AS timezone
FROM invitations i JOIN organizations o ON o.id = i.organization LEFT JOIN staff s ON s.id = i.invited_by WHERE i.id = {:id}`

type invitationRow struct {
	ID               string `db:"id"`
	Email            string `db:"email"`
	Name             string `db:"name"`
	Organization     string `db:"organization"`
	OrganizationName string `db:"organization_name"`
	Role             string `db:"role"`
	Status           string `db:"status"`
	SentCount        int    `db:"sent_count"`
	Expires          string `db:"expires"`
	InvitedBy        string `db:"invited_by"`
	Inviter          string `db:"inviter"`
	User             string `db:"user"`
	Timezone         string `db:"timezone"`
}

// invitation takes the events of invitations: the mail with the link, and news
// for the staff.
func (p *Post) invitation(tx core.App, e event.Event) error {
	payload := payloadOf(e)
	var r invitationRow
	err := tx.DB().NewQuery(readInvitation).Bind(dbx.Params{"id": payload.Invitation}).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read invitation %s: %w", payload.Invitation, err)
	}
	firm, err := access.FirmOf(tx)
	if err != nil {
		return err
	}
	switch e.Type {
	case "invitation.created", "invitation.resent":
		return p.invite(tx, e, payload, r, firm)
	case "invitation.accepted":
		return p.tellInviter(tx, e, r, firm, "notice", names{"in_app"})
	case "invitation.renewal_asked":
		return p.tellInviter(tx, e, r, firm, "renewal", names{"in_app", "email"})
	}
	return nil
}

// invite writes the mail with the link.
func (p *Post) invite(tx core.App, e event.Event, payload Payload, r invitationRow, firm access.Firm) error {
	person := Person{Kind: schema.ActorUser, ID: r.User, Name: r.Name, Email: r.Email, Timezone: r.Timezone}
	who := cmp.Or(r.Inviter, firm.Name)
	n := Notice{
		Person: person, Channel: "email", Kind: "invitation", Rule: e.Type, SendAt: p.Clock(),
		Dedupe: fmt.Sprintf("invitation/%s/%d/email", r.ID, payload.SentCount),
		Why:    who + " entered your address. If you do not know " + firm.Name + ", you can ignore this mail: nothing happens without you.",
	}
	link, err := p.Link(tx, r.ID)
	if err != nil {
		return fmt.Errorf("make link of invitation %s: %w", r.ID, err)
	}
	switch {
	case r.Status == "accepted" || r.Status == "revoked" || r.Status == "expired":
		n.Suppressed = "The invitation is " + r.Status + "."
	case payload.SentCount < r.SentCount:
		n.Suppressed = "A newer mail of this invitation is on its way."
	}
	letter := Letter{
		Firm: firm, Hello: r.Name, Organization: r.OrganizationName, Who: who, RoleText: access.RoleText(r.Role),
		By: until(r.Expires, zone(person, firm.Location()), p.Clock()), Button: "Open the invitation", Link: link, Because: because(n.Why),
	}
	return p.write(tx, about{event: e.ID, organization: r.Organization, scope: schema.StaffScope(r.Organization)}, n, letter)
}

const readManagers = `SELECT id, name, email, timezone, role, COALESCE(duties, '[]') AS duties FROM staff
WHERE active = 1 AND maker = '' AND role IN ('manager','owner') AND EXISTS (SELECT 1 FROM access a WHERE a.principal = staff.id AND a.scope = {:scope}
	AND a.since <= {:now} AND a.until > {:now}) ORDER BY name, id`

// tellInviter tells who invited, if still a manager who sees the client, else
// all managers who do.
func (p *Post) tellInviter(tx core.App, e event.Event, r invitationRow, firm access.Firm, kind string, channels names) error {
	var rows []personRow
	scope := schema.StaffScope(r.Organization)
	if err := tx.DB().NewQuery(readManagers).Bind(dbx.Params{"scope": scope, "now": schema.Stamp(p.Clock())}).All(&rows); err != nil {
		return fmt.Errorf("read managers: %w", err)
	}
	managers := people(rows, schema.ActorStaff)
	if inviter := filter(managers, func(m Person) bool { return m.ID == r.InvitedBy }); len(inviter) > 0 {
		managers = inviter
	}
	who := cmp.Or(r.Name, r.Email)
	for _, m := range managers {
		for _, channel := range channels {
			n := Notice{
				Person: m, Channel: channel, Kind: kind, Rule: e.Type, Why: "You look after the people of " + r.OrganizationName + ".", SendAt: p.Clock(),
				Dedupe: fmt.Sprintf("%s/%s/%d/%s/%s", e.Type, r.ID, r.SentCount, m.ID, channel),
			}
			letter := Letter{
				Firm: firm, Hello: m.Name, Title: who, Who: who, Organization: r.OrganizationName, State: "has accepted the invitation",
				When: moment(e.At, zone(m, firm.Location()), p.Clock()), Button: "Open the client", Link: p.base() + "/_/#/gatehouse/client/" + r.Organization, Because: because(n.Why),
			}
			if err := p.write(tx, about{event: e.ID, organization: r.Organization, scope: scope}, n, letter); err != nil {
				return err
			}
		}
	}
	return nil
}
