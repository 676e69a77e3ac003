package access

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Passkeys (Web Authentication, level 3) are keys that a device keeps for one
// address. Each use asks the device to make sure of its owner by a finger, a
// face or a PIN: what one has and what one is or knows, so a passkey counts as
// both factors. What is stored here is public. The address is the portal's
// configured one, never what a request says.

const (
	mostPasskeys   = 20 // of one person
	longestPasskey = 60 // characters of a name
)

// PasskeyOrigin is the one origin at which passkeys work, such as
// "https://portal.example.com". Where they cannot work it is empty, and why says
// so to whoever wants one.
func PasskeyOrigin(app core.App) (origin, why string) {
	address, err := url.Parse(app.Settings().Meta.AppURL)
	if err != nil || address.Host == "" {
		return "", "Passkeys need the address of this portal, and it is not set."
	}
	host := strings.ToLower(address.Hostname())
	switch {
	case net.ParseIP(host) != nil:
		return "", "Passkeys need an address with a name. The address of this portal is a number: " + host + "."
	case address.Scheme != "https" && host != "localhost":
		return "", "Passkeys need a secure connection. The address of this portal does not begin with https."
	}
	return address.Scheme + "://" + strings.ToLower(address.Host), ""
}

// partyID is the name that passkeys are made for: the host of their origin, or
// empty where there can be none.
func partyID(app core.App) string {
	origin, _ := PasskeyOrigin(app)
	address, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return address.Hostname()
}

// relying is the portal as browsers know it, by its configured address.
func relying(app core.App) (*webauthn.WebAuthn, error) {
	origin, why := PasskeyOrigin(app)
	if why != "" {
		return nil, problem.New(problem.BadInput, why)
	}
	firm, err := FirmOf(app)
	if err != nil {
		return nil, err
	}
	party, err := webauthn.New(&webauthn.Config{
		RPID: partyID(app), RPDisplayName: firm.Name, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Timeout: challengeLife}, Registration: webauthn.TimeoutConfig{Timeout: challengeLife}},
		// Some browsers and password managers add answers that nobody asked for;
		// none of them is read.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("set passkeys up: %w", err)
	}
	return party, nil
}

// passkey is a row of passkeys.
type passkey struct {
	ID         string `db:"id"`
	Collection string `db:"collection"`
	Principal  string `db:"principal"`
	Name       string `db:"name"`
	RPID       string `db:"rp_id"`
	Credential string `db:"credential"` // base64url, as browsers write it
	PublicKey  string `db:"public_key"` // base64url of a COSE key
	SignCount  uint32 `db:"sign_count"`
	Flags      uint8  `db:"flags"`
	Transports string `db:"transports"`
	Created    string `db:"created"`
	LastUsed   string `db:"last_used"`
}

const selectKeys = `SELECT id, collection, principal, name, rp_id, credential, public_key, sign_count, flags, COALESCE(transports, '[]') AS transports, created, last_used FROM passkeys WHERE `

// passkeysOf are the passkeys of a person, the oldest first.
func passkeysOf(app core.App, principal string) ([]passkey, error) {
	var rows []passkey
	err := app.DB().NewQuery(selectKeys + `principal = {:id} ORDER BY created, id`).Bind(dbx.Params{"id": principal}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read passkeys of %s: %w", principal, err)
	}
	return rows, nil
}

// usablePasskeys are those that work at the portal's present address.
func usablePasskeys(app core.App, principal string) ([]passkey, error) {
	rows, err := passkeysOf(app, principal)
	if err != nil {
		return nil, err
	}
	id := partyID(app)
	return slices.DeleteFunc(rows, func(row passkey) bool { return row.RPID != id }), nil
}

// HasPasskey says whether the person has a passkey that works here.
func HasPasskey(app core.App, principal string) (bool, error) {
	rows, err := usablePasskeys(app, principal)
	return len(rows) > 0, err
}

// known is the passkey as the checks want it.
func (p passkey) known() (webauthn.Credential, error) {
	id, err := base64.RawURLEncoding.DecodeString(p.Credential)
	if err != nil {
		return webauthn.Credential{}, fmt.Errorf("read passkey %s: %w", p.ID, err)
	}
	key, err := base64.RawURLEncoding.DecodeString(p.PublicKey)
	if err != nil {
		return webauthn.Credential{}, fmt.Errorf("read the key of passkey %s: %w", p.ID, err)
	}
	var transports []protocol.AuthenticatorTransport
	for _, name := range schema.Strings(p.Transports) {
		transports = append(transports, protocol.AuthenticatorTransport(name))
	}
	return webauthn.Credential{
		ID: id, PublicKey: key, Transport: transports, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(p.Flags)),
		Authenticator: webauthn.Authenticator{SignCount: p.SignCount},
	}, nil
}

// passkeyOwner is a person as the checks want one.
type passkeyOwner struct {
	who  *core.Record
	keys []webauthn.Credential
}

func ownerOf(who *core.Record, rows []passkey) (passkeyOwner, error) {
	owner := passkeyOwner{who: who}
	for _, row := range rows {
		key, err := row.known()
		if err != nil {
			return owner, err
		}
		owner.keys = append(owner.keys, key)
	}
	return owner, nil
}

// WebAuthnID is what a device keeps to say whose key it is: an id says nothing
// about the person.
func (o passkeyOwner) WebAuthnID() []byte { return []byte(o.who.Collection().Name + "/" + o.who.Id) }

// WebAuthnName tells accounts apart in the browser's list.
func (o passkeyOwner) WebAuthnName() string { return o.who.Email() }

// WebAuthnDisplayName is the person's name.
func (o passkeyOwner) WebAuthnDisplayName() string { return o.who.GetString("name") }

// WebAuthnCredentials are the keys in question.
func (o passkeyOwner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

// addPasskey keeps a new key of a person; problem.Unique for one that somebody
// has already.
func addPasskey(tx core.App, who *core.Record, rpID, name string, key *webauthn.Credential, now time.Time) (passkey, error) {
	transports := make([]string, 0, len(key.Transport))
	for _, x := range key.Transport {
		transports = append(transports, string(x))
	}
	row := passkey{
		ID: schema.NewID(), Collection: who.Collection().Name, Principal: who.Id, Name: name, RPID: rpID, Credential: base64.RawURLEncoding.EncodeToString(key.ID),
		PublicKey: base64.RawURLEncoding.EncodeToString(key.PublicKey), SignCount: key.Authenticator.SignCount, Flags: uint8(key.Flags.ProtocolValue()),
		Transports: schema.JSON(transports), Created: schema.Stamp(now),
	}
	var taken bool
	if err := tx.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM passkeys WHERE credential = {:credential})`).Bind(dbx.Params{"credential": row.Credential}).Row(&taken); err != nil {
		return row, fmt.Errorf("look for a passkey: %w", err)
	}
	if taken {
		return row, problem.Field("passkey", problem.Unique, "This passkey is here already.")
	}
	err := schema.Insert(tx, schema.Passkeys, dbx.Params{
		"id": row.ID, "collection": row.Collection, "principal": row.Principal, "name": row.Name, "rp_id": row.RPID, "credential": row.Credential, "public_key": row.PublicKey,
		"sign_count": row.SignCount, "flags": row.Flags, "transports": row.Transports, "last_used": "", "created": row.Created, "updated": row.Created,
	})
	if err != nil {
		return row, fmt.Errorf("keep a passkey: %w", err)
	}
	return row, nil
}

// dropPasskeys takes every passkey of a person away.
func dropPasskeys(tx core.App, principal string) error {
	if _, err := tx.DB().Delete(schema.Passkeys, dbx.HashExp{"principal": principal}).Execute(); err != nil {
		return fmt.Errorf("remove the passkeys of %s: %w", principal, err)
	}
	return nil
}
