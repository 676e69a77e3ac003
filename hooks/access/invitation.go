package access

import (
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// How long an invitation may be accepted, and how often it may be sent again.
const (
	invitationLife  = 7 * 24 * time.Hour
	resendsPerHour  = 3
	longestName     = 200
	resendRateFrame = time.Hour
)

// Fact is an event that this room reports; the table hands in event.Emit.
type Fact struct {
	Type         string
	Organization string
	Actor        schema.Actor
	Payload      map[string]any
	At           time.Time
}

// Trace is an audit entry that this room writes; the table hands in
// audit.Append. Change holds {"before","after"} by field.
type Trace struct {
	Actor        schema.Actor
	Action       string
	Collection   string
	Record       string
	Organization string
	Request      string
	Change       map[string]any
	Scope        string
	At           time.Time
}

// Invitations are the commands on invitations. Emit and Audit run inside the
// transaction of the change; BaseURL is the portal's own address.
type Invitations struct {
	App     core.App
	Clock   schema.Clock
	Emit    func(tx core.App, f Fact) error
	Audit   func(tx core.App, t Trace) error
	BaseURL func() string
	Proved  func(e *core.RequestEvent) error // refuses who has to prove to be the same person still
}

// Invitee is whom to invite, and as what.
type Invitee struct {
	Email        string   `json:"email"`
	Name         string   `json:"name"`
	Organization string   `json:"organization"`
	Role         string   `json:"role"` // member unless said otherwise
	Duties       []string `json:"duties"`
}

// Invite makes an invitation and reports invitation.created, from which the mail
// follows. It refuses who may not invite, an organization that is not there for
// the inviter or not active, an address that is a member already or holds an
// open invitation.
func (v *Invitations) Invite(actor schema.Actor, in Invitee) (*core.Record, error) {
	in.Email = NormalEmail(in.Email)
	in.Name = strings.Join(strings.Fields(in.Name), " ")
	if in.Role == "" {
		in.Role = "member"
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	var record *core.Record
	err := v.App.RunInTransaction(func(tx core.App) error {
		mine, err := v.mayInvite(tx, actor, in.Organization)
		if err != nil {
			return err
		}
		if err := handsOut(actor, mine, in.Role, in.Duties, nil); err != nil {
			return err
		}
		if err := v.fits(tx, in); err != nil {
			return err
		}
		record, err = v.make(tx, actor, in, nil)
		return err
	})
	return record, err
}

// make stores an invitation and sends it. loan, if not nil, makes it one to act
// for somebody instead of one to become a member.
func (v *Invitations) make(tx core.App, actor schema.Actor, in Invitee, loan map[string]any) (*core.Record, error) {
	collection, err := tx.FindCachedCollectionByNameOrId(schema.Invitations)
	if err != nil {
		return nil, fmt.Errorf("find invitations: %w", err)
	}
	record := core.NewRecord(collection)
	record.Id = schema.NewID()
	record.Load(map[string]any{
		"email": in.Email, "name": in.Name, "organization": in.Organization, "role": in.Role, "duties": in.Duties,
		"scope": schema.StaffScope(in.Organization),
	})
	if loan != nil {
		record.Set("delegation", loan)
	}
	user, staff := actor.Columns()
	record.Set("invited_by", staff)
	record.Set("invited_by_user", user)
	if err := v.enough(tx, actor); err != nil {
		return nil, err
	}
	return record, v.send(tx, record, actor, "invitation.created")
}

// mostInvitations is how many people a client's person may invite within a day:
// each is a mail in the firm's name to whatever address was entered.
const mostInvitations = 30

func (v *Invitations) enough(tx core.App, actor schema.Actor) error {
	if actor.Kind != schema.ActorUser {
		return nil
	}
	var n int
	err := tx.DB().NewQuery(`SELECT COUNT(*) FROM audit_log WHERE actor = {:actor} AND action = 'invite' AND at > {:since}`).
		Bind(dbx.Params{"actor": actor.ID, "since": schema.Stamp(v.Clock().Add(-24 * time.Hour))}).Row(&n)
	if err != nil {
		return fmt.Errorf("count invitations of %s: %w", actor.ID, err)
	}
	if n >= mostInvitations {
		return problem.New(problem.TooMany, fmt.Sprintf("You have sent %d invitations within a day. Go on tomorrow, or ask the firm to invite the others.", n))
	}
	return nil
}

func (in *Invitee) check() error {
	if in.Email == "" {
		return problem.Field("email", problem.FieldMissing, "Enter the e-mail address of the person to invite.")
	}
	if parsed, err := mail.ParseAddress(in.Email); err != nil || parsed.Address != in.Email || !strings.Contains(in.Email, ".") {
		return problem.Field("email", problem.FieldInvalid, "This does not look like an e-mail address.")
	}
	if in.Organization == "" {
		return problem.Field("organization", problem.FieldMissing, "Choose the organization that the person belongs to.")
	}
	if !slices.Contains([]string{"admin", "member", "viewer"}, in.Role) {
		return problem.Field("role", problem.FieldInvalid, "The role is admin, member or viewer.")
	}
	if len([]rune(in.Name)) > longestName {
		return problem.Field("name", problem.FieldInvalid, "The name is too long.")
	}
	if in.Duties == nil {
		in.Duties = []string{}
	}
	return nil
}

const (
	memberByEmail = `SELECT COALESCE(NULLIF(u.name, ''), u.email) FROM memberships m JOIN users u ON u.id = m.user
WHERE m.organization = {:organization} AND m.status = 'active' AND u.email = {:email} COLLATE NOCASE`

	openByEmail = `SELECT id FROM invitations WHERE organization = {:organization} AND email = {:email} COLLATE NOCASE
AND status IN ('queued','sent','bounced','opened') AND expires > {:now}`
)

// fits refuses an invitation that could not be accepted, or is not needed.
func (v *Invitations) fits(tx core.App, in Invitee) error {
	organization, err := activeOrganization(tx, in.Organization)
	if err != nil {
		return err
	}
	params := dbx.Params{"organization": in.Organization, "email": in.Email}
	var member string
	err = tx.DB().NewQuery(memberByEmail).Bind(params).Row(&member)
	if err == nil {
		return problem.Field("email", problem.Unique, fmt.Sprintf("%s has access to %s already.", member, organization))
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for a membership: %w", err)
	}
	params["now"] = schema.Stamp(v.Clock())
	var open string
	err = tx.DB().NewQuery(openByEmail).Bind(params).Row(&open)
	if err == nil {
		return problem.Field("email", problem.Unique, fmt.Sprintf("%s holds an open invitation to %s. Send that one again instead.", in.Email, organization)).Fact("invitation", open)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for an open invitation: %w", err)
	}
	return nil
}

// activeOrganization gives the organization's name, or refuses.
func activeOrganization(tx core.App, id string) (string, error) {
	var o struct {
		Name   string `db:"name"`
		Status string `db:"status"`
	}
	err := tx.DB().NewQuery(`SELECT name, status FROM organizations WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&o)
	if errors.Is(err, sql.ErrNoRows) {
		return "", problem.Field("organization", problem.NotFound, "There is no such organization.")
	}
	if err != nil {
		return "", fmt.Errorf("read organization %s: %w", id, err)
	}
	if o.Status != "active" && o.Status != "" {
		return "", problem.Field("organization", problem.BadInput, fmt.Sprintf("%s is %s. Make it active first.", o.Name, o.Status))
	}
	return o.Name, nil
}

const countResends = `SELECT COUNT(*) FROM audit_log WHERE record = {:id} AND action = 'invite' AND at > {:since} AND json_extract(change, '$.sent_count.after') > 1`

// Resend sends an invitation again with a new link and seven more days. A fourth
// time within an hour is refused (problem.TooMany), as is one that was accepted
// or withdrawn.
//
// Links that were sent before go on working: people open the first mail they
// find. All of them end when the invitation is accepted, withdrawn or over.
func (v *Invitations) Resend(actor schema.Actor, id string) (*core.Record, error) {
	return v.change(actor, id, func(tx core.App, record *core.Record) error {
		if err := unfinished(record); err != nil {
			return err
		}
		if _, err := activeOrganization(tx, record.GetString("organization")); err != nil {
			return err
		}
		var times int
		err := tx.DB().NewQuery(countResends).Bind(dbx.Params{"id": id, "since": schema.Stamp(v.Clock().Add(-resendRateFrame))}).Row(&times)
		if err != nil {
			return fmt.Errorf("count resends of %s: %w", id, err)
		}
		if times >= resendsPerHour {
			return problem.New(problem.TooMany, fmt.Sprintf("This invitation was sent again %d times within an hour. Ask %s to look into the spam folder, or copy the link. You can send it again later.", times, record.GetString("email")))
		}
		return v.send(tx, record, actor, "invitation.resent")
	})
}

// Revoke withdraws an invitation that was not accepted; every link to it ends.
func (v *Invitations) Revoke(actor schema.Actor, id string) (*core.Record, error) {
	return v.change(actor, id, func(tx core.App, record *core.Record) error {
		if err := unfinished(record); err != nil {
			return err
		}
		before := record.GetString("status")
		record.Set("status", "revoked")
		return v.keep(tx, record, actor, "update", map[string]any{"status": beforeAfter(before, "revoked")}, "invitation.revoked")
	})
}

// change runs one command of a manager on an invitation that the manager sees.
func (v *Invitations) change(actor schema.Actor, id string, command func(tx core.App, record *core.Record) error) (*core.Record, error) {
	var record *core.Record
	err := v.App.RunInTransaction(func(tx core.App) error {
		found, err := tx.FindRecordById(schema.Invitations, id)
		if err != nil {
			found = nil
		}
		organization := ""
		if found != nil {
			organization = found.GetString("organization")
		}
		if err := v.mayLook(tx, actor, organization, found); err != nil {
			return err
		}
		if found == nil {
			return unknownInvitation().Because(err)
		}
		record = found
		return command(tx, record)
	})
	return record, err
}

// send issues the next link and tells the rest of the house.
func (v *Invitations) send(tx core.App, record *core.Record, actor schema.Actor, event string) error {
	secret, err := Secret(tx)
	if err != nil {
		return err
	}
	before := record.GetInt("sent_count")
	now := v.Clock()
	record.Set("sent_count", before+1)
	record.Set("status", "queued")
	record.Set("expires", schema.Stamp(now.Add(invitationLife)))
	record.Set("token_hash", digest(invitationToken(secret, record.Id, before+1)))
	change := map[string]any{"sent_count": beforeAfter(before, before+1), "role": beforeAfter(nil, record.GetString("role"))}
	return v.keep(tx, record, actor, "invite", change, event)
}

// keep saves the invitation with its audit entry and event.
func (v *Invitations) keep(tx core.App, record *core.Record, actor schema.Actor, action string, change map[string]any, event string) error {
	schema.SetActor(record, actor)
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("save invitation %s: %w", record.Id, err)
	}
	if err := v.trace(tx, record, actor, action, change); err != nil {
		return err
	}
	return v.Emit(tx, Fact{
		Type: event, Organization: record.GetString("organization"), Actor: actor, At: v.Clock(),
		Payload: map[string]any{"invitation": record.Id, "sent_count": record.GetInt("sent_count")},
	})
}

func (v *Invitations) trace(tx core.App, record *core.Record, actor schema.Actor, action string, change map[string]any) error {
	return v.Audit(tx, Trace{
		Actor: actor, Action: action, Collection: schema.Invitations, Record: record.Id,
		Organization: record.GetString("organization"), Change: change, Scope: record.GetString("scope"), At: v.Clock(),
	})
}

// mayInvite lets managers of the firm invite, and clients who look after the
// people of the organization or of one above it.
func (v *Invitations) mayInvite(tx core.App, actor schema.Actor, organization string) (Standing, error) {
	if actor.Kind != schema.ActorUser {
		return Standing{}, v.needManager(tx, actor, organization)
	}
	_, mine, err := leads(tx, v.Clock, actor, organization)
	return mine, err
}

// mayLook says who may send an invitation again or withdraw it: who may invite
// there, and who asked somebody to act for oneself. To everybody else on the
// client's side, and to staff who do not see the organization, there is no such
// invitation.
func (v *Invitations) mayLook(tx core.App, actor schema.Actor, organization string, record *core.Record) error {
	var err error
	switch {
	case actor.Kind != schema.ActorUser:
		err = v.needManager(tx, actor, organization)
	case record == nil:
		return unknownInvitation()
	case isLoan(record) && record.GetString("invited_by_user") == actor.ID:
		return nil
	default:
		_, _, err = leads(tx, v.Clock, actor, organization)
	}
	var refusal *problem.Error
	if errors.As(err, &refusal) && refusal.Code == problem.NotFound {
		return unknownInvitation()
	}
	return err
}

// needManager refuses everybody but managers, owners and superusers. An
// organization that a manager may not see is not there.
func (v *Invitations) needManager(app core.App, actor schema.Actor, organization string) error {
	switch actor.Kind {
	case schema.ActorSuperuser:
		return nil
	case schema.ActorStaff:
	case schema.ActorGuest:
		return problem.New(problem.SignIn, "Sign in first.")
	default:
		return problem.New(problem.Forbidden, "Only the firm's staff may do this.")
	}
	member, err := StaffOf(app, actor.ID)
	if err != nil {
		return err
	}
	if !member.AtLeast("manager") {
		return problem.New(problem.Role, "Only a manager or an owner may invite people.")
	}
	if organization == "" {
		return nil
	}
	sees, err := Sees(app, actor.ID, schema.StaffScope(organization), v.Clock())
	if err != nil {
		return err
	}
	if !sees {
		return problem.New(problem.NotFound, "There is no such organization.")
	}
	return nil
}

// unfinished refuses what has come to its end for good.
func unfinished(record *core.Record) error {
	switch record.GetString("status") {
	case "accepted":
		return problem.New(problem.InvitationAccepted, "This invitation was accepted already.")
	case "revoked":
		return problem.New(problem.InvitationEnded, "This invitation was withdrawn. Invite the person again.")
	}
	return nil
}

func beforeAfter(before, after any) map[string]any {
	return map[string]any{"before": before, "after": after}
}
