package access

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// PasskeyAnswer is what a browser answers to a challenge: a PublicKeyCredential
// as its toJSON writes it.
type PasskeyAnswer struct {
	Credential json.RawMessage `json:"credential"`
}

// PasskeySignInStartRoute begins a sign-in by a passkey. With the mfaId of a
// first step it is the second to it, for that person's passkeys alone.
//
//	POST /api/portal/passkeys/sign-in/start (public) {"collection":"users"|"staff"} or {"mfaId"}
//	→ 200 PublicKeyCredentialRequestOptions as JSON, good for five minutes and this browser; 400 bad_input; 401 too late; 429
func (s *Sessions) PasskeySignInStartRoute(e *core.RequestEvent) error {
	var in struct {
		Collection string `json:"collection"`
		MFA        string `json:"mfaId"`
	}
	if err := readBody(e, &in); err != nil {
		return err
	}
	asked := challenge{use: useSignIn, collection: in.Collection, session: CurrentSession(e)}
	var who *core.Record
	if in.MFA != "" {
		var err error
		if _, who, err = s.second(e, in.MFA); err != nil {
			return err
		}
		asked.mfa, asked.collection = in.MFA, who.Collection().Name
	}
	if asked.collection != schema.Users && asked.collection != schema.Staff {
		return problem.Field("collection", problem.BadInput, "Passkeys are for clients and staff.")
	}
	options, err := s.askPasskey(e, who, asked)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, options)
}

// PasskeySignInRoute ends it. A passkey counts as both steps.
//
//	POST /api/portal/passkeys/sign-in (public) {"credential"} → 200 PocketBase's auth answer; 400 proof_wrong; 401 too late; 403 not active; 429
func (s *Sessions) PasskeySignInRoute(e *core.RequestEvent) error {
	var in PasskeyAnswer
	if err := readBody(e, &in); err != nil {
		return err
	}
	used, err := s.usePasskey(e, in.Credential, useSignIn)
	if err != nil {
		return err
	}
	if used.asked.mfa != "" {
		first, _, err := s.second(e, used.asked.mfa)
		if err != nil {
			return err
		}
		if err := e.App.Delete(first); err != nil {
			return fmt.Errorf("use up the first step: %w", err)
		}
	}
	if err := forgive(e, used.who); err != nil {
		return err
	}
	e.Set(requestProved, true)
	return apis.RecordAuthResponse(e, used.who, "passkey", nil)
}
