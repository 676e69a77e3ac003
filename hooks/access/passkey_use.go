package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Why a passkey was refused, as the trail has it.
const (
	passkeyWrong  = "wrong"
	passkeyCopied = "counter_went_back"
)

// askPasskey makes a challenge for a use and answers what the browser needs to
// meet it. With who it is for that person's passkeys alone.
func (s *Sessions) askPasskey(e *core.RequestEvent, who *core.Record, asked challenge) (any, error) {
	party, err := relying(e.App)
	if err != nil {
		return nil, err
	}
	var assertion *protocol.CredentialAssertion
	var data *webauthn.SessionData
	if who == nil {
		assertion, data, err = party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	} else {
		rows, failed := usablePasskeys(e.App, who.Id)
		if failed != nil {
			return nil, failed
		}
		if len(rows) == 0 {
			return nil, problem.New(problem.BadInput, "No passkey is set up.")
		}
		owner, failed := ownerOf(who, rows)
		if failed != nil {
			return nil, failed
		}
		assertion, data, err = party.BeginLogin(owner, webauthn.WithUserVerification(protocol.VerificationRequired))
	}
	if err != nil {
		return nil, fmt.Errorf("make a challenge: %w", err)
	}
	asked.data, asked.device = *data, digest(s.markDevice(e))
	challengesOf(e.App).put(asked, time.Now())
	return assertion.Response, nil
}

// usedPasskey is a passkey that held.
type usedPasskey struct {
	who   *core.Record
	asked challenge
}

// usePasskey checks what a browser answered to a challenge that was made for the
// use. The challenge is used up in any case. Refusals: problem.ProofWrong, and
// problem.TooMany for too many of those from one address.
func (s *Sessions) usePasskey(e *core.RequestEvent, answer json.RawMessage, use string) (usedPasskey, error) {
	key, now := "passkey|"+e.RealIP(), time.Now()
	if wait := triesOf(e.App).wait(key, now); wait > 0 {
		return usedPasskey{}, tooMany(wait, "")
	}
	used, err := s.checkPasskey(e, answer, use, now)
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		triesOf(e.App).fail(key, freeStrange, now)
	}
	if err == nil {
		triesOf(e.App).clear(key)
	}
	return used, err
}

func (s *Sessions) checkPasskey(e *core.RequestEvent, answer json.RawMessage, use string, now time.Time) (usedPasskey, error) {
	party, err := relying(e.App)
	if err != nil {
		return usedPasskey{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return usedPasskey{}, wrongPasskey("This passkey could not be read. Try again.").Because(err)
	}
	asked, ok := challengesOf(e.App).take(parsed.Response.CollectedClientData.Challenge, use, digest(deviceOf(e.Request)), now)
	if !ok || asked.session != CurrentSession(e) {
		return usedPasskey{}, wrongPasskey("This took too long, or was begun elsewhere. Try again.")
	}
	row, who, err := findPasskey(e.App, parsed.ID, party.Config.RPID)
	if err != nil {
		return usedPasskey{}, err
	}
	if row.Collection != asked.collection {
		return usedPasskey{}, wrongPasskey(elsewhere[row.Collection])
	}
	after, err := verifyPasskey(party, row, who, asked.data, parsed)
	if err != nil {
		s.passkeyRefused(e, row, who, passkeyWrong)
		return usedPasskey{}, wrongPasskey("This passkey does not fit. Try again, or sign in another way.").Because(err)
	}
	counted := !after.Authenticator.CloneWarning
	if counted {
		if counted, err = countPasskey(e.App, row, after, now); err != nil {
			return usedPasskey{}, err
		}
	}
	if !counted {
		s.passkeyRefused(e, row, who, passkeyCopied)
		return usedPasskey{}, wrongPasskey("This passkey may have been copied, so it is not taken. Sign in another way, remove it, and add a new one.")
	}
	return usedPasskey{who, asked}, nil
}

// passkeyRefused puts it on the trail, and lets the owner be told of a passkey
// that somebody may have copied.
func (s *Sessions) passkeyRefused(e *core.RequestEvent, row passkey, who *core.Record, why string) {
	by := schema.Actor{Kind: schema.ActorGuest, IP: e.RealIP()}
	err := e.App.RunInTransaction(func(tx core.App) error {
		err := s.Audit(tx, Trace{
			Actor: by, Action: "sign_in_failed", Collection: row.Collection, Record: row.Principal, Change: map[string]any{"method": "passkey", "why": why}, At: s.Clock(),
		})
		if err != nil || why != passkeyCopied {
			return err
		}
		return s.tellOwner(tx, by, who, "passkey.copied", row.Name)
	})
	if err != nil {
		e.App.Logger().Error("sign-in not on the trail", slog.Any("error", err))
	}
}

// elsewhere says where a passkey belongs that was used at the other door.
var elsewhere = map[string]string{
	schema.Users: "This passkey belongs to the client portal. Sign in there with it.",
	schema.Staff: "This passkey belongs to the staff console. Sign in there with it.",
}

func wrongPasskey(text string) *problem.Error {
	return problem.Field("passkey", problem.ProofWrong, text)
}

// findPasskey finds a passkey by what browsers call it, and its owner.
func findPasskey(app core.App, credential, rpID string) (passkey, *core.Record, error) {
	unknown := wrongPasskey("This passkey is not known here. It may have been removed.")
	var rows []passkey
	err := app.DB().NewQuery(selectKeys + `credential = {:credential} AND rp_id = {:rp}`).Bind(dbx.Params{"credential": credential, "rp": rpID}).All(&rows)
	if err != nil {
		return passkey{}, nil, fmt.Errorf("find a passkey: %w", err)
	}
	if len(rows) == 0 {
		return passkey{}, nil, unknown
	}
	who, err := app.FindRecordById(rows[0].Collection, rows[0].Principal)
	if err != nil {
		return passkey{}, nil, unknown.Because(err)
	}
	return rows[0], who, nil
}

func verifyPasskey(party *webauthn.WebAuthn, row passkey, who *core.Record, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	owner, err := ownerOf(who, []passkey{row})
	if err != nil {
		return nil, err
	}
	if len(data.UserID) == 0 {
		_, after, err := party.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return owner, nil }, data, parsed)
		return after, err
	}
	// The person was asked for, not this key: others of hers do as well.
	data.AllowedCredentialIDs = nil
	return party.ValidateLogin(owner, data, parsed)
}

// countPasskey keeps the counter that a passkey shows; false if another use of it
// came between, or it was removed.
func countPasskey(app core.App, row passkey, after *webauthn.Credential, now time.Time) (bool, error) {
	result, err := app.DB().NewQuery(`UPDATE passkeys SET sign_count = {:count}, flags = {:flags}, last_used = {:now}, updated = {:now} WHERE id = {:id} AND sign_count = {:before}`).
		Bind(dbx.Params{
			"id": row.ID, "before": row.SignCount, "count": after.Authenticator.SignCount, "flags": uint8(after.Flags.ProtocolValue()), "now": schema.Stamp(now),
		}).Execute()
	if err != nil {
		return false, fmt.Errorf("count a use of passkey %s: %w", row.ID, err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
