package access

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// InvitationView is what the invitation page shows.
type InvitationView struct {
	Status           string `json:"status"` // open expired accepted revoked
	Firm             string `json:"firm"`
	OrganizationName string `json:"organization_name"`
	InvitedByName    string `json:"invited_by_name"`
	Role             string `json:"role"`
	RoleText         string `json:"role_text"`
	Email            string `json:"email"`
	Name             string `json:"name"`
	Expires          string `json:"expires"`
	HasAccount       bool   `json:"has_account"`
}

// statusNow is how an invitation stands at now, in the page's four words.
func statusNow(record *core.Record, now time.Time) string {
	switch status := record.GetString("status"); {
	case status == "accepted" || status == "revoked":
		return status
	case status == "expired" || !record.GetDateTime("expires").Time().After(now):
		return "expired"
	}
	return "open"
}

const invitationNames = `SELECT o.name AS organization, COALESCE((SELECT name FROM staff WHERE id = {:staff}), (SELECT name FROM users WHERE id = {:user}), '') AS inviter FROM organizations o WHERE o.id = {:organization}`

// Look shows an invitation to whoever holds a link. However often it is called,
// it uses nothing up: mail scanners follow links. The first look at an open
// invitation marks it as opened. Unknown tokens are problem.NotFound.
func (v *Invitations) Look(token string) (InvitationView, error) {
	record, err := invitationOf(v.App, token)
	if err != nil {
		return InvitationView{}, err
	}
	firm, err := FirmOf(v.App)
	if err != nil {
		return InvitationView{}, err
	}
	var names struct {
		Organization string `db:"organization"`
		Inviter      string `db:"inviter"`
	}
	err = v.App.DB().NewQuery(invitationNames).Bind(dbx.Params{"staff": record.GetString("invited_by"), "user": record.GetString("invited_by_user"), "organization": record.GetString("organization")}).One(&names)
	if err != nil {
		return InvitationView{}, fmt.Errorf("read names of invitation %s: %w", record.Id, err)
	}
	user, err := userByEmail(v.App, record.GetString("email"))
	if err != nil {
		return InvitationView{}, err
	}
	view := InvitationView{
		Status: statusNow(record, v.Clock()), Firm: firm.Name, OrganizationName: names.Organization, InvitedByName: cmp.Or(names.Inviter, firm.Name),
		Role: record.GetString("role"), RoleText: RoleText(record.GetString("role")), Email: record.GetString("email"), Name: record.GetString("name"),
		Expires: record.GetString("expires"), HasAccount: user != nil && user.Verified(),
	}
	if isLoan(record) {
		view.Role, view.RoleText = "delegate", RoleText("delegate")
	}
	if user != nil && user.GetString("name") != "" {
		view.Name = user.GetString("name")
	}
	return view, v.opened(record)
}

const markOpened = `UPDATE invitations SET status = 'opened', opened_at = {:now}, updated = {:now} WHERE id = {:id} AND status IN ('queued','sent') AND expires > {:now}`

func (v *Invitations) opened(record *core.Record) error {
	if status := record.GetString("status"); status != "queued" && status != "sent" {
		return nil
	}
	_, err := v.App.DB().NewQuery(markOpened).Bind(dbx.Params{"id": record.Id, "now": schema.Stamp(v.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("mark invitation %s as opened: %w", record.Id, err)
	}
	return nil
}

// Acceptance is what the invited person brings. Name and Password matter for a
// new account only.
type Acceptance struct {
	Token    string `json:"token"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Accept uses an invitation up: the account is found or made, the membership
// made or activated, all in one transaction, and once even when raced.
//
// The link proves the mailbox, so the account is verified by it. An account that
// was verified before keeps its name and password; one that never was belongs to
// nobody yet, and takes those given here. Without a password a new account signs
// in by e-mailed codes.
func (v *Invitations) Accept(in Acceptance, ip string) (*core.Record, error) {
	in.Name = strings.Join(strings.Fields(in.Name), " ")
	var user *core.Record
	err := v.App.RunInTransaction(func(tx core.App) error {
		record, err := invitationOf(tx, in.Token)
		if err != nil {
			return err
		}
		if err := v.acceptable(tx, record); err != nil {
			return err
		}
		if user, err = invitedUser(tx, record, in, ip); err != nil {
			return err
		}
		actor := schema.ActorOf(user, ip)
		became, id := "membership", ""
		if isLoan(record) {
			became = "delegation"
			id, err = (&Delegations{App: v.App, Clock: v.Clock, Invites: v}).accepted(tx, record, actor)
		} else {
			id, err = joinOrganization(tx, record, actor)
		}
		if err != nil {
			return err
		}
		before := record.GetString("status")
		record.Set("status", "accepted")
		record.Set("accepted_at", schema.Stamp(v.Clock()))
		schema.SetActor(record, actor)
		if err := tx.Save(record); err != nil {
			return fmt.Errorf("save invitation %s: %w", record.Id, err)
		}
		if err := v.trace(tx, record, actor, "update", map[string]any{"status": beforeAfter(before, "accepted")}); err != nil {
			return err
		}
		return v.Emit(tx, Fact{
			Type: "invitation.accepted", Organization: record.GetString("organization"), Actor: actor, At: v.Clock(),
			Payload: map[string]any{"invitation": record.Id, "user": user.Id, became: id},
		})
	})
	return user, err
}

// hasAccount says whether the invited address has an account that was in use
// before the invitation.
func (v *Invitations) hasAccount(token string) (bool, error) {
	record, err := invitationOf(v.App, token)
	if err != nil {
		return false, err
	}
	user, err := userByEmail(v.App, record.GetString("email"))
	return user != nil && user.Verified(), err
}

// acceptable refuses an invitation that has come to its end, saying which.
func (v *Invitations) acceptable(tx core.App, record *core.Record) error {
	switch statusNow(record, v.Clock()) {
	case "accepted":
		return problem.New(problem.InvitationAccepted, "This invitation was used already. Sign in with "+record.GetString("email")+".")
	case "revoked":
		return problem.New(problem.InvitationEnded, "This invitation was withdrawn. Ask the firm if you think that is a mistake.")
	case "expired":
		return problem.New(problem.InvitationEnded, "This invitation has ended. You can ask the firm for a new one.")
	}
	_, err := activeOrganization(tx, record.GetString("organization"))
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		return problem.New(problem.InvitationEnded, "This invitation has ended, since the organization is closed here.").Because(err)
	}
	return err
}

// invitedUser finds or makes the account of the invited address.
func invitedUser(tx core.App, invitation *core.Record, in Acceptance, ip string) (*core.Record, error) {
	email := NormalEmail(invitation.GetString("email"))
	user, err := userByEmail(tx, email)
	if err != nil {
		return nil, err
	}
	if user != nil && user.Verified() {
		return user, nil
	}
	if user == nil {
		collection, err := tx.FindCachedCollectionByNameOrId(schema.Users)
		if err != nil {
			return nil, fmt.Errorf("find users: %w", err)
		}
		user = core.NewRecord(collection)
		user.Id = schema.NewID()
		user.SetEmail(email)
	}
	name := cmp.Or(in.Name, user.GetString("name"), invitation.GetString("name"))
	if name == "" {
		return nil, problem.Field("name", problem.FieldMissing, "Enter your name.")
	}
	if len([]rune(name)) > longestName {
		return nil, problem.Field("name", problem.FieldInvalid, "The name is too long.")
	}
	user.Set("name", name)
	user.SetVerified(true)
	user.SetEmailVisibility(true)
	if in.Password == "" {
		user.SetRandomPassword()
	} else {
		if err := CheckPassword(in.Password, email); err != nil {
			return nil, err
		}
		user.SetPassword(in.Password)
	}
	schema.SetActor(user, schema.Actor{Kind: schema.ActorUser, ID: user.Id, Name: name, IP: ip})
	if err := tx.Save(user); err != nil {
		return nil, fmt.Errorf("save user %s: %w", user.Id, err)
	}
	return user, nil
}

// joinOrganization makes or activates the membership and gives its id. One that
// is active already was decided after the invitation, and stays as it is.
func joinOrganization(tx core.App, invitation *core.Record, actor schema.Actor) (string, error) {
	organization := invitation.GetString("organization")
	record, err := tx.FindFirstRecordByFilter(schema.Memberships, "user = {:user} && organization = {:organization}",
		dbx.Params{"user": actor.ID, "organization": organization})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("find membership: %w", err)
	}
	if err == nil && record.GetString("status") == "active" {
		return record.Id, nil
	}
	if err != nil {
		collection, err := tx.FindCachedCollectionByNameOrId(schema.Memberships)
		if err != nil {
			return "", fmt.Errorf("find memberships: %w", err)
		}
		record = core.NewRecord(collection)
		record.Id = schema.NewID()
		record.Set("user", actor.ID)
		record.Set("organization", organization)
		record.Set("scope", organization)
	}
	record.Set("role", invitation.GetString("role"))
	record.Set("duties", invitation.Get("duties"))
	record.Set("status", "active")
	schema.SetActor(record, actor)
	if err := tx.Save(record); err != nil {
		return "", fmt.Errorf("save membership: %w", err)
	}
	return record.Id, nil
}

// userByEmail finds the account of an address whatever its case; nil if there is
// none.
func userByEmail(app core.App, email string) (*core.Record, error) {
	record := &core.Record{}
	err := app.RecordQuery(schema.Users).AndWhere(dbx.NewExp("email = {:email} COLLATE NOCASE", dbx.Params{"email": NormalEmail(email)})).Limit(1).One(record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find user by e-mail: %w", err)
	}
	return record, nil
}
