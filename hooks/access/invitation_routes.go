package access

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// InvitationRow is an invitation as managers read it.
type InvitationRow struct {
	ID            string `json:"id"`
	Email         string `json:"email"`
	Name          string `json:"name"`
	Organization  string `json:"organization"`
	Role          string `json:"role"`
	Status        string `json:"status"`
	SentCount     int    `json:"sent_count"`
	SentAt        string `json:"sent_at"`
	Expires       string `json:"expires"`
	OpenedAt      string `json:"opened_at"`
	AcceptedAt    string `json:"accepted_at"`
	InvitedByName string `json:"invited_by_name"`
	Delegation    bool   `json:"delegation"` // to act for who invited, not to become a member
}

// Row is the invitation as managers read it at this moment: one whose time is
// over says so, whatever is stored.
func (v *Invitations) Row(app core.App, record *core.Record) (InvitationRow, error) {
	row := InvitationRow{
		ID: record.Id, Email: record.GetString("email"), Name: record.GetString("name"), Organization: record.GetString("organization"),
		Role: record.GetString("role"), Status: record.GetString("status"), SentCount: record.GetInt("sent_count"), SentAt: record.GetString("sent_at"),
		Expires: record.GetString("expires"), OpenedAt: record.GetString("opened_at"), AcceptedAt: record.GetString("accepted_at"),
	}
	if statusNow(record, v.Clock()) == "expired" {
		row.Status = "expired"
	}
	if row.Delegation = isLoan(record); row.Delegation {
		row.Role = "delegate"
	}
	by := dbx.Params{"staff": record.GetString("invited_by"), "user": record.GetString("invited_by_user")}
	if err := app.DB().NewQuery(inviterName).Bind(by).Row(&row.InvitedByName); err != nil {
		return row, fmt.Errorf("read inviter of %s: %w", record.Id, err)
	}
	return row, nil
}

const inviterName = `SELECT COALESCE((SELECT name FROM staff WHERE id = {:staff}), (SELECT name FROM users WHERE id = {:user}), '')`

// isLoan says whether an invitation asks somebody to act for who sent it.
func isLoan(record *core.Record) bool {
	stored := record.GetString("delegation")
	return stored != "" && stored != "null"
}

func (v *Invitations) answer(e *core.RequestEvent, record *core.Record, err error) error {
	if err != nil {
		return problem.Reply(e, err)
	}
	row, err := v.Row(e.App, record)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, row)
}

// InviteRoute invites somebody to an organization.
//
//	POST /api/portal/invitations (manager, owner, client admin) {"email","name"?,"organization","role"?,"duties"?}
//	→ 200 InvitationRow; 400 field_missing, field_invalid, already_there (data.invitation: the open one),
//	bad_input (organization not active), role, not_yours; 401; 403 prove_again (as an admin, or with duties); 404 no such organization; 429 a client's 31st within a day
func (v *Invitations) InviteRoute(e *core.RequestEvent) error {
	var in Invitee
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	if invitationMatters(in) {
		if err := v.Proved(e); err != nil {
			return problem.Reply(e, err)
		}
	}
	record, err := v.Invite(schema.ActorOf(e.Auth, e.RealIP()), in)
	return v.answer(e, record, err)
}

// ResendRoute sends an invitation again, for seven more days.
//
//	POST /api/portal/invitations/{id}/resend (manager, owner, client admin, who asked for help) → 200 InvitationRow
//	400 invitation_accepted, invitation_ended; 404; 429 the fourth time within an hour
func (v *Invitations) ResendRoute(e *core.RequestEvent) error {
	record, err := v.Resend(schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id"))
	return v.answer(e, record, err)
}

// RevokeRoute withdraws an invitation.
//
//	POST /api/portal/invitations/{id}/revoke (manager, owner, client admin, who asked for help) → 200 InvitationRow
//	400 invitation_accepted, invitation_ended; 404
func (v *Invitations) RevokeRoute(e *core.RequestEvent) error {
	record, err := v.Revoke(schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id"))
	return v.answer(e, record, err)
}

// LinkRoute answers the newest link, to pass on by hand.
//
//	GET /api/portal/invitations/{id}/link (manager, owner) → 200 {"link"}
//	400 invitation_accepted, invitation_ended; 404
func (v *Invitations) LinkRoute(e *core.RequestEvent) error {
	link, err := v.CopyLink(schema.ActorOf(e.Auth, e.RealIP()), e.Request.PathValue("id"))
	if err != nil {
		return problem.Reply(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, map[string]any{"link": link})
}

// LookRoute shows an invitation to whoever holds its link.
//
//	POST /api/portal/invitations/look (public) {"token"} → 200 InvitationView; 404 unknown
func (v *Invitations) LookRoute(e *core.RequestEvent) error {
	var in Acceptance
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	view, err := v.Look(in.Token)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, view)
}

// AcceptRoute uses an invitation up and signs a new person in. Somebody who had
// an account before signs in with it: staff can copy a link, and a link must not
// open an account that others trust.
//
//	POST /api/portal/invitations/accept (public) {"token","name"?,"password"?}
//	→ 200 PocketBase's auth answer, or {"sign_in":true,"email"}; 400 invitation_accepted, invitation_ended, field_missing, field_invalid; 404 unknown
func (v *Invitations) AcceptRoute(e *core.RequestEvent) error {
	var in Acceptance
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	known, err := v.hasAccount(in.Token)
	if err != nil {
		return problem.Reply(e, err)
	}
	user, err := v.Accept(in, e.RealIP())
	if err != nil {
		return problem.Reply(e, err)
	}
	if known && (e.Auth == nil || e.Auth.Id != user.Id) {
		return e.JSON(http.StatusOK, map[string]any{"sign_in": true, "email": user.Email()})
	}
	return apis.RecordAuthResponse(e, user, "", nil)
}

// RenewRoute asks the firm for a new invitation in place of an expired one.
//
//	POST /api/portal/invitations/renew (public) {"token"} → 204; 400 invitation_accepted, invitation_ended; 404 unknown
func (v *Invitations) RenewRoute(e *core.RequestEvent) error {
	var in Acceptance
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	if err := v.Renew(in.Token, e.RealIP()); err != nil {
		return problem.Reply(e, err)
	}
	return e.NoContent(http.StatusNoContent)
}
