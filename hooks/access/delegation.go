package access

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Delegations are the commands by which members let somebody else act for them.
// Who is not of the organization is invited and agrees first: so the answer does
// not tell who has an account elsewhere.
type Delegations struct {
	App     core.App
	Clock   schema.Clock
	Invites *Invitations
}

// Loan is what somebody lends to whom. Exactly one of To and Email is given.
type Loan struct {
	To           string   `json:"to"`
	Email        string   `json:"email"`
	Name         string   `json:"name"`
	Organization string   `json:"organization"`
	Request      string   `json:"request"`
	Powers       []string `json:"powers"` // none: all that may be lent
	Starts       string   `json:"starts"` // none: now
	Ends         string   `json:"ends"`
	Reason       string   `json:"reason"`
}

// mostReason is how long a reason may be.
const mostReason = 500

// mayLend refuses to lend what the giver does not have in own right: without
// membership, as a viewer, where the organization is suspended, a request that
// the giver does not see, a power that is not the giver's. What was lent is
// never lent on.
func mayLend(tx core.App, giver, organization, request string, named []string, now time.Time) error {
	missing := problem.Field("organization", problem.NotFound, "There is no such organization.")
	p, err := placeOf(tx, organization)
	if err != nil {
		return missing.Because(err)
	}
	sees, err := Sees(tx, giver, organization, now)
	if err != nil {
		return err
	}
	standing, err := OfUser(tx, giver, p.Path, "", now)
	if err != nil {
		return err
	}
	own := standing.Own()
	if !sees || (!own.Has(ClientViewer) && standing.OnBehalfOf == "" && own.Halted == "") {
		return missing
	}
	if standing.Halted != "" {
		return problem.New(problem.NotYours, standing.Halted)
	}
	if !own.Has(ClientViewer) {
		return problem.New(problem.NotYours, "You act for somebody else here. Only a member can let others act; what was lent to you cannot be lent on.")
	}
	if why := own.Refuses(Delegate, "Your role lets you look only, so there is nothing that somebody could do for you."); why != "" {
		return problem.New(problem.NotYours, why)
	}
	if request != "" {
		if err := seesOwn(tx, giver, request, now); err != nil {
			return err
		}
	}
	for _, power := range named {
		if lendable(power) && own.May(Power(power)) || own.Has(power) && !isRole(power) {
			continue
		}
		return problem.Field("powers", problem.NotYours, fmt.Sprintf("You do not have the power %q here, so you cannot lend it.", power))
	}
	return nil
}

// Own is the part of a standing that was not lent.
func (s Standing) Own() Standing {
	for _, c := range s.everyChoice() {
		if c.OnBehalfOf == "" {
			return c
		}
	}
	if s.OnBehalfOf == "" {
		return s
	}
	return Standing{Roles: map[string]bool{}, Halted: s.Halted}
}

func seesOwn(tx core.App, giver, request string, now time.Time) error {
	var found int
	err := tx.DB().NewQuery(`SELECT COUNT(*) FROM client_requests c JOIN access a ON a.scope = c.scope AND a.principal = {:me} AND a.source IN ('membership','participant') AND a.since <= {:now} AND a.until > {:now}
		WHERE c.id = {:id}`).Bind(dbx.Params{"id": request, "me": giver, "now": schema.Stamp(now)}).Row(&found)
	if err != nil {
		return fmt.Errorf("read request %s: %w", request, err)
	}
	if found == 0 {
		return problem.Field("request", problem.NotFound, "There is no such request.")
	}
	return nil
}

// Lend makes a delegation to somebody of the same organization, or an invitation
// to one for everybody else. Exactly one of both is answered.
func (d *Delegations) Lend(actor schema.Actor, in Loan) (delegation, invitation *core.Record, err error) {
	if actor.Kind != schema.ActorUser {
		return nil, nil, problem.New(problem.Forbidden, "Only the client's own people let somebody act for them.")
	}
	if err := in.check(d.Clock()); err != nil {
		return nil, nil, err
	}
	err = d.App.RunInTransaction(func(tx core.App) error {
		if err := mayLend(tx, actor.ID, in.Organization, in.Request, in.Powers, d.Clock()); err != nil {
			return err
		}
		to, err := d.colleague(tx, in)
		if err != nil {
			return err
		}
		if to == "" {
			invitation, err = d.invite(tx, actor, in)
			return err
		}
		delegation, err = d.store(tx, actor, actor.ID, to, in)
		return err
	})
	return delegation, invitation, err
}

func (in *Loan) check(now time.Time) error {
	in.Email, in.Reason = strings.ToLower(strings.TrimSpace(in.Email)), strings.TrimSpace(in.Reason)
	if in.To == "" && in.Email == "" {
		return problem.Field("email", problem.FieldMissing, "Say who shall act for you.")
	}
	if in.Organization == "" {
		return problem.Field("organization", problem.FieldMissing, "Choose the organization.")
	}
	if in.Starts == "" {
		in.Starts = schema.Stamp(now)
	}
	starts, ends := schema.Time(in.Starts), schema.Time(in.Ends)
	switch {
	case in.Ends == "":
		return problem.Field("ends", problem.FieldMissing, "Say until when.")
	case starts.IsZero():
		return problem.Field("starts", problem.FieldInvalid, "A date such as 2026-03-31 is expected.")
	case ends.IsZero():
		return problem.Field("ends", problem.FieldInvalid, "A date such as 2026-03-31 is expected.")
	case !ends.After(now) || !ends.After(starts):
		return problem.Field("ends", problem.FieldInvalid, "The end lies in the future, and after the start.")
	case len([]rune(in.Reason)) > mostReason:
		return problem.Field("reason", problem.FieldInvalid, "The reason is too long.")
	}
	in.Starts, in.Ends = schema.Stamp(starts), schema.Stamp(ends)
	if in.Powers == nil {
		in.Powers = []string{}
	}
	return nil
}

// colleague finds the receiver among the people who see the organization; empty
// if the address is nobody's of them.
func (d *Delegations) colleague(tx core.App, in Loan) (string, error) {
	var id string
	err := tx.DB().NewQuery(`SELECT u.id FROM users u WHERE (u.id = {:to} OR ({:email} != '' AND u.email = {:email} COLLATE NOCASE))
		AND EXISTS (SELECT 1 FROM access a WHERE a.principal = u.id AND a.scope = {:organization} AND a.since <= {:now} AND a.until > {:now}) LIMIT 1`).
		Bind(dbx.Params{"to": in.To, "email": in.Email, "organization": in.Organization, "now": schema.Stamp(d.Clock())}).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		if in.To != "" {
			return "", problem.Field("to", problem.BadInput, "Choose somebody of your organization, or enter an e-mail address.")
		}
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find whom to lend to: %w", err)
	}
	return id, nil
}

// store writes a delegation.
func (d *Delegations) store(tx core.App, actor schema.Actor, from, to string, in Loan) (*core.Record, error) {
	c, err := tx.FindCachedCollectionByNameOrId(schema.Delegations)
	if err != nil {
		return nil, fmt.Errorf("find delegations: %w", err)
	}
	record := core.NewRecord(c)
	record.Id = schema.NewID()
	record.Load(map[string]any{
		"from": from, "to": to, "organization": in.Organization, "request": in.Request, "powers": in.Powers,
		"starts": in.Starts, "ends": in.Ends, "reason": in.Reason, "revoked": false,
	})
	schema.SetActor(record, actor)
	if err := tx.Save(record); err != nil {
		return nil, saved(err, "save delegation")
	}
	return record, nil
}

// saved keeps what a hook refused in words.
func saved(err error, deed string) error {
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		return refusal
	}
	return fmt.Errorf("%s: %w", deed, err)
}

// mayEnd says whether the actor may end a delegation: who gave it, who has it,
// who looks after the team, managers of the firm.
func mayEnd(tx core.App, clock schema.Clock, actor schema.Actor, record *core.Record) error {
	if actor.Kind == schema.ActorUser && (record.GetString("from") == actor.ID || record.GetString("to") == actor.ID) {
		return nil
	}
	_, _, err := leads(tx, clock, actor, record.GetString("organization"))
	var refusal *problem.Error
	if errors.As(err, &refusal) && refusal.Code == problem.NotFound {
		return noDelegation()
	}
	return err
}

func noDelegation() *problem.Error {
	return problem.New(problem.NotFound, "There is no such delegation.")
}

// Revoke ends a delegation at once. One that has ended already stays as it is.
func (d *Delegations) Revoke(actor schema.Actor, id string) (*core.Record, error) {
	var record *core.Record
	err := d.App.RunInTransaction(func(tx core.App) error {
		found, err := tx.FindRecordById(schema.Delegations, id)
		if err != nil {
			return noDelegation().Because(err)
		}
		if err := mayEnd(tx, d.Clock, actor, found); err != nil {
			return err
		}
		record = found
		return endOne(tx, actor, record)
	})
	return record, err
}

func endOne(tx core.App, actor schema.Actor, record *core.Record) error {
	if record.GetBool("revoked") {
		return nil
	}
	record.Set("revoked", true)
	schema.SetActor(record, actor)
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("save delegation %s: %w", record.Id, err)
	}
	return nil
}

// endDelegations ends those from and to somebody at a path and below. While the
// person still belongs there those from and to the person stay.
func endDelegations(tx core.App, actor schema.Actor, user, path string, belongs bool) (int, error) {
	var ids []string
	err := tx.DB().NewQuery(`SELECT d.id FROM delegations d JOIN organizations o ON o.id = d.organization
		WHERE d.revoked = 0 AND o.path >= {:path} AND o.path < {:path} || '~' AND (d."to" = {:user} OR d."from" = {:user})`).
		Bind(dbx.Params{"path": path, "user": user}).Column(&ids)
	if err != nil {
		return 0, fmt.Errorf("find delegations of %s: %w", user, err)
	}
	ended := 0
	for _, id := range ids {
		record, err := tx.FindRecordById(schema.Delegations, id)
		if err != nil {
			return 0, fmt.Errorf("find delegation %s: %w", id, err)
		}
		if belongs && record.GetString("from") == user {
			continue // lent by a membership above, which goes on
		}
		if err := endOne(tx, actor, record); err != nil {
			return 0, err
		}
		ended++
	}
	return ended, nil
}

// CreateDelegation lets a member lend by the record API, to somebody of the
// organization.
func (d *Delegations) CreateDelegation(e *core.RecordRequestEvent) error {
	return writing(e, func(tx core.App, actor schema.Actor) error {
		switch actor.Kind {
		case schema.ActorSuperuser:
			return nil
		case schema.ActorUser:
		default:
			return problem.New(problem.Forbidden, "Only the client's own people let somebody act for them.")
		}
		r := e.Record
		if r.GetString("from") == "" {
			r.Set("from", actor.ID)
		}
		if r.GetString("from") != actor.ID {
			return problem.Field("from", problem.NotYours, "You can lend only what is yours.")
		}
		in := Loan{To: r.GetString("to"), Organization: r.GetString("organization"), Request: r.GetString("request"), Powers: schema.Strings(r.GetString("powers")), Starts: r.GetString("starts"), Ends: r.GetString("ends"), Reason: r.GetString("reason")}
		if err := in.check(d.Clock()); err != nil {
			return err
		}
		r.Set("starts", in.Starts)
		r.Set("revoked", false)
		if err := mayLend(tx, actor.ID, in.Organization, in.Request, in.Powers, d.Clock()); err != nil {
			return err
		}
		if in.To == actor.ID {
			return nil // the model hook says why not
		}
		_, err := d.colleague(tx, in)
		return err
	})
}

// UpdateDelegation lets a delegation be ended, and managers shorten it; whose
// and where it is never changes.
func (d *Delegations) UpdateDelegation(e *core.RecordRequestEvent) error {
	return writing(e, func(tx core.App, actor schema.Actor) error {
		if actor.Kind == schema.ActorSuperuser {
			return nil
		}
		before, err := tx.FindRecordById(schema.Delegations, e.Record.Id)
		if err != nil {
			return noDelegation().Because(err)
		}
		if err := mayEnd(tx, d.Clock, actor, before); err != nil {
			return err
		}
		for _, name := range []string{"from", "to", "organization", "request", "powers", "starts", "ends", "reason", "scope"} {
			if schema.JSON(before.Get(name)) != schema.JSON(e.Record.Get(name)) {
				return problem.Field(name, problem.FieldLocked, "A delegation can only be ended. Make a new one for anything else.")
			}
		}
		if before.GetBool("revoked") && !e.Record.GetBool("revoked") {
			return problem.Field("revoked", problem.FieldLocked, "This delegation has ended. Make a new one.")
		}
		return nil
	})
}

// KeepDelegation refuses to delete what the trail refers to.
func KeepDelegation(e *core.RecordRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	return problem.Hook(e.App, problem.New(problem.FieldLocked, "A delegation is not deleted: end it instead."))
}

// invite asks somebody from outside to act for the giver.
func (d *Delegations) invite(tx core.App, actor schema.Actor, in Loan) (*core.Record, error) {
	who := Invitee{Email: in.Email, Name: in.Name, Organization: in.Organization, Role: "viewer"}
	if err := who.check(); err != nil {
		return nil, err
	}
	if err := d.Invites.fits(tx, who); err != nil {
		return nil, err
	}
	loan := map[string]any{"from": actor.ID, "request": in.Request, "powers": in.Powers, "starts": in.Starts, "ends": in.Ends, "reason": in.Reason}
	return d.Invites.make(tx, actor, who, loan)
}

// accepted makes the delegation of an invitation, as far as its giver may still
// lend it.
func (d *Delegations) accepted(tx core.App, invitation *core.Record, user schema.Actor) (string, error) {
	var kept struct {
		From    string   `json:"from"`
		Request string   `json:"request"`
		Powers  []string `json:"powers"`
		Starts  string   `json:"starts"`
		Ends    string   `json:"ends"`
		Reason  string   `json:"reason"`
	}
	if err := invitation.UnmarshalJSONField("delegation", &kept); err != nil {
		return "", fmt.Errorf("read delegation of invitation %s: %w", invitation.Id, err)
	}
	organization := invitation.GetString("organization")
	if !schema.Time(kept.Ends).After(d.Clock()) {
		return "", problem.New(problem.InvitationEnded, "The time for which you were asked is over.")
	}
	if err := mayLend(tx, kept.From, organization, kept.Request, kept.Powers, d.Clock()); err != nil {
		var refusal *problem.Error
		if errors.As(err, &refusal) {
			return "", problem.New(problem.InvitationEnded, "This invitation has ended: the person who asked you can no longer let others act there.").Because(err)
		}
		return "", err
	}
	record, err := d.store(tx, user, kept.From, user.ID, Loan{Organization: organization, Request: kept.Request, Powers: slices.Clip(kept.Powers), Starts: kept.Starts, Ends: kept.Ends, Reason: kept.Reason})
	if err != nil {
		return "", err
	}
	return record.Id, nil
}
