package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Link is the newest link of an invitation, computed again; it is stored
// nowhere. Pass the transaction's app inside one.
func (v *Invitations) Link(app core.App, id string) (string, error) {
	record, err := app.FindRecordById(schema.Invitations, id)
	if err != nil {
		return "", unknownInvitation().Because(err)
	}
	secret, err := Secret(app)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(v.BaseURL(), "/") + "/invite/" + invitationToken(secret, id, record.GetInt("sent_count")), nil
}

// CopyLink gives a manager the link to pass on by hand, and writes that down:
// whoever holds the link may accept the invitation.
func (v *Invitations) CopyLink(actor schema.Actor, id string) (string, error) {
	if actor.Kind == schema.ActorUser {
		// A link opens an account in the name of an address: only the mailbox proves it.
		return "", v.needManager(v.App, actor, "")
	}
	var link string
	_, err := v.change(actor, id, func(tx core.App, record *core.Record) error {
		err := unfinished(record)
		if err != nil {
			return err
		}
		if link, err = v.Link(tx, id); err != nil {
			return err
		}
		return v.trace(tx, record, actor, "invite", map[string]any{"link": "copied"})
	})
	return link, err
}

// invitationToken is base64url(HMAC-SHA256(secret, "id:times sent") and the id).
// The id inside finds the invitation of a link that is not the newest. Its last
// character is never a mark that mail programs cut off a link.
func invitationToken(secret []byte, id string, sent int) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(mac, "%s:%d", id, sent)
	return base64.RawURLEncoding.EncodeToString(append(mac.Sum(nil), id...))
}

// invitationOf finds the invitation of a token: of the newest by its digest, of
// an older one by its signature. Unknown and forged tokens are problem.NotFound.
func invitationOf(app core.App, token string) (*core.Record, error) {
	unknown := problem.New(problem.NotFound, "This link is not known here. Open the link in the mail again, or ask the firm for a new invitation.")
	if token == "" {
		return nil, unknown
	}
	record, err := app.FindFirstRecordByData(schema.Invitations, "token_hash", digest(token))
	if err == nil {
		return record, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("find invitation: %w", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= sha256.Size {
		return nil, unknown
	}
	record, err = app.FindRecordById(schema.Invitations, string(raw[sha256.Size:]))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknown
	}
	if err != nil {
		return nil, fmt.Errorf("find invitation: %w", err)
	}
	secret, err := Secret(app)
	if err != nil {
		return nil, err
	}
	for sent := range record.GetInt("sent_count") {
		if hmac.Equal([]byte(token), []byte(invitationToken(secret, record.Id, sent+1))) {
			return record, nil
		}
	}
	return nil, unknown
}
