package access

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// PasskeyRow is a passkey as its owner reads it.
type PasskeyRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Created  string `json:"created"`
	LastUsed string `json:"last_used"` // empty for never
	Works    bool   `json:"works"`     // false for one that was made at an earlier address of the portal
}

// PasskeysRoute lists the caller's passkeys, and says whether more can be added.
//
//	GET /api/portal/passkeys → 200 {"items":[PasskeyRow],"origin","why"}; 401; 403 superusers
//	origin is where they work, empty where they cannot; why then says so
func (s *Sessions) PasskeysRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	rows, err := passkeysOf(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	items, id := make([]PasskeyRow, 0, len(rows)), partyID(e.App)
	for _, row := range rows {
		items = append(items, row.shown(id))
	}
	origin, why := PasskeyOrigin(e.App)
	return e.JSON(http.StatusOK, map[string]any{"items": items, "origin": origin, "why": why})
}

func (p passkey) shown(rpID string) PasskeyRow {
	return PasskeyRow{p.ID, p.Name, p.Created, p.LastUsed, p.RPID == rpID}
}

// PasskeyStartRoute begins to add a passkey. It asks for a proof: an unlocked
// computer alone must not be enough to take an account over.
//
//	POST /api/portal/passkeys/start {"password"?,"code"?,"otp_id"?,"passkey"?}
//	→ 200 PublicKeyCredentialCreationOptions as JSON, good for five minutes and this browser; 400 proof_needed, proof_wrong, bad_input; 401; 403; 429
func (s *Sessions) PasskeyStartRoute(e *core.RequestEvent) error {
	if err := s.proveUnlessFresh(e); err != nil {
		return err
	}
	party, err := relying(e.App)
	if err != nil {
		return err
	}
	rows, err := passkeysOf(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	if len(rows) >= mostPasskeys {
		return problem.New(problem.BadInput, fmt.Sprintf("You have %d passkeys. Remove one first.", len(rows)))
	}
	owner, err := ownerOf(e.Auth, rows)
	if err != nil {
		return err
	}
	creation, data, err := party.BeginRegistration(owner, webauthn.WithExclusions(webauthn.Credentials(owner.keys).CredentialDescriptors()))
	if err != nil {
		return fmt.Errorf("make a challenge: %w", err)
	}
	challengesOf(e.App).put(challenge{
		data: *data, use: useAdding, device: digest(s.markDevice(e)), collection: e.Auth.Collection().Name, session: CurrentSession(e),
	}, time.Now())
	return e.JSON(http.StatusOK, creation.Response)
}

// PasskeyAddRoute keeps the new passkey, and tells its owner by mail.
//
//	POST /api/portal/passkeys {"credential","name"} → 200 PasskeyRow; 400 proof_wrong, already_there, field_invalid (name); 401; 403
func (s *Sessions) PasskeyAddRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	var in struct {
		PasskeyAnswer
		Name string `json:"name"`
	}
	if err := readBody(e, &in); err != nil {
		return err
	}
	name, err := passkeyName(in.Name)
	if err != nil {
		return err
	}
	party, err := relying(e.App)
	if err != nil {
		return err
	}
	key, err := newKey(e, party, in.PasskeyAnswer)
	if err != nil {
		return err
	}
	var row passkey
	err = e.App.RunInTransaction(func(tx core.App) error {
		if row, err = addPasskey(tx, e.Auth, party.Config.RPID, name, key, s.Clock()); err != nil {
			return err
		}
		return s.passkeyChanged(tx, e, "passkey.added", name)
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, row.shown(party.Config.RPID))
}

// newKey checks what the browser made.
func newKey(e *core.RequestEvent, party *webauthn.WebAuthn, answer PasskeyAnswer) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer.Credential)
	if err != nil {
		return nil, wrongPasskey("This passkey could not be read. Try again.").Because(err)
	}
	asked, ok := challengesOf(e.App).take(parsed.Response.CollectedClientData.Challenge, useAdding, digest(deviceOf(e.Request)), time.Now())
	if !ok || asked.session != CurrentSession(e) {
		return nil, wrongPasskey("This took too long, or was begun elsewhere. Try again.")
	}
	key, err := party.CreateCredential(passkeyOwner{who: e.Auth}, asked.data, parsed)
	if err != nil {
		return nil, wrongPasskey("This passkey does not fit. Try again, or use another device.").Because(err)
	}
	return key, nil
}

func passkeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > longestPasskey {
		return "", problem.Field("name", problem.FieldInvalid, fmt.Sprintf("Give the passkey a name of at most %d characters, such as “My phone”.", longestPasskey))
	}
	return name, nil
}

// passkeyChanged puts it on the trail, and lets the owner be told.
func (s *Sessions) passkeyChanged(tx core.App, e *core.RequestEvent, event, name string) error {
	by := schema.ActorOf(e.Auth, e.RealIP())
	_, what, _ := strings.Cut(event, ".")
	err := s.Audit(tx, Trace{
		Actor: by, Action: "update", Collection: e.Auth.Collection().Name, Record: e.Auth.Id, At: s.Clock(), Change: map[string]any{"passkey": name + ": " + what},
	})
	if err != nil {
		return err
	}
	return s.tellOwner(tx, by, e.Auth, event, name)
}

// tellOwner lets somebody be told what became of a passkey.
func (s *Sessions) tellOwner(tx core.App, by schema.Actor, who *core.Record, event, name string) error {
	return s.Emit(tx, Fact{Type: event, Actor: by, At: s.Clock(), Payload: map[string]any{"account": who.Id, "collection": who.Collection().Name, "name": name}})
}

// PasskeyProveRoute begins a proof by a passkey: what it answers goes, signed,
// into the field "passkey" wherever a proof is asked for.
//
//	POST /api/portal/passkeys/prove → 200 PublicKeyCredentialRequestOptions as JSON; 400 bad_input (no passkey); 401; 403
func (s *Sessions) PasskeyProveRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	options, err := s.askPasskey(e, e.Auth, challenge{use: useProof, collection: e.Auth.Collection().Name, session: CurrentSession(e)})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, options)
}

// PasskeyRenameRoute gives one of the own passkeys another name.
//
//	PATCH /api/portal/passkeys/{id} {"name"} → 204; 400 field_invalid; 401; 403; 404
func (s *Sessions) PasskeyRenameRoute(e *core.RequestEvent) error {
	row, err := ownPasskey(e)
	if err != nil {
		return err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := readBody(e, &in); err != nil {
		return err
	}
	name, err := passkeyName(in.Name)
	if err != nil {
		return err
	}
	_, err = e.App.DB().NewQuery(`UPDATE passkeys SET name = {:name}, updated = {:now} WHERE id = {:id}`).
		Bind(dbx.Params{"id": row.ID, "name": name, "now": schema.Stamp(s.Clock())}).Execute()
	if err != nil {
		return fmt.Errorf("rename a passkey: %w", err)
	}
	return e.NoContent(http.StatusNoContent)
}

// PasskeyRemoveRoute takes one of the own passkeys away: it opens nothing from
// then on. Sessions go on.
//
//	POST /api/portal/passkeys/{id}/remove {"password"?,"code"?,"otp_id"?,"passkey"?} → 204; 400 proof_needed, proof_wrong; 401; 403; 404; 429
func (s *Sessions) PasskeyRemoveRoute(e *core.RequestEvent) error {
	row, err := ownPasskey(e)
	if err != nil {
		return err
	}
	if err := s.proveUnlessFresh(e); err != nil {
		return err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if _, err := tx.DB().Delete(schema.Passkeys, dbx.HashExp{"id": row.ID}).Execute(); err != nil {
			return fmt.Errorf("remove a passkey: %w", err)
		}
		return s.passkeyChanged(tx, e, "passkey.removed", row.Name)
	})
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// ownPasskey is the passkey that a route names; another person's is not there.
func ownPasskey(e *core.RequestEvent) (passkey, error) {
	var row passkey
	if err := clientOrStaff(e); err != nil {
		return row, err
	}
	err := e.App.DB().NewQuery(selectKeys + `id = {:id} AND principal = {:me}`).Bind(dbx.Params{"id": e.Request.PathValue("id"), "me": e.Auth.Id}).One(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return row, problem.New(problem.NotFound, "There is no such passkey.")
	}
	if err != nil {
		return row, fmt.Errorf("read a passkey: %w", err)
	}
	return row, nil
}
