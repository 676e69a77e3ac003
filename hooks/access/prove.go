package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// Proof is how somebody who is signed in proves to be the same person still: the
// password, a code, or a passkey. Code is of the authenticator app or a recovery
// code, or with OTP of a mail that request-otp sent. Passkey is the answer to
// what PasskeyProveRoute asked.
type Proof struct {
	Password string          `json:"password"`
	Code     string          `json:"code"`
	OTP      string          `json:"otp_id"`
	Passkey  json.RawMessage `json:"passkey"`
}

// Tries before one has to wait.
const freeProofs = 5

// Prove refuses a proof that does not hold: problem.ProofNeeded for none at all,
// problem.ProofWrong for a wrong one, problem.TooMany for too many of those. A
// code is used up by it.
func (s *Sessions) Prove(e *core.RequestEvent, proof Proof) error {
	app, auth := e.App, e.Auth
	if auth == nil {
		return problem.New(problem.SignIn, "Sign in first.")
	}
	if len(proof.Passkey) > 0 {
		_, err := s.usePasskey(e, proof.Passkey, useProof)
		return err
	}
	if proof.Password == "" && proof.Code == "" {
		return problem.New(problem.ProofNeeded, "Enter your password, or a code, to go on.")
	}
	key, now := "prove|"+auth.Id, time.Now()
	if wait := triesOf(app).wait(key, now); wait > 0 {
		return tooMany(wait, "")
	}
	field := "password"
	ok := proof.Password != "" && auth.ValidatePassword(proof.Password)
	if !ok && proof.Code != "" {
		field = "code"
		var err error
		if ok, err = proveCode(app, auth, proof, now); err != nil {
			return err
		}
	}
	if !ok {
		triesOf(app).fail(key, freeProofs, now)
		if field == "code" {
			return problem.Field(field, problem.ProofWrong, "This code is not right, or was used already.")
		}
		return problem.Field(field, problem.ProofWrong, "This password is not right.")
	}
	triesOf(app).clear(key)
	return nil
}

func proveCode(app core.App, auth *core.Record, proof Proof, now time.Time) (bool, error) {
	if proof.OTP == "" {
		method, err := useCode(app, auth.Id, proof.Code, now)
		return method != "", err
	}
	otp, err := app.FindOTPById(proof.OTP)
	if err != nil || otp.RecordRef() != auth.Id || otp.CollectionRef() != auth.Collection().Id || otp.HasExpired(auth.Collection().OTP.DurationTime()) || !otp.ValidatePassword(proof.Code) {
		return false, nil //nolint:nilerr // a code that is not there is a wrong one
	}
	if err := app.Delete(otp); err != nil {
		return false, fmt.Errorf("use up a code: %w", err)
	}
	return true, nil
}

// tooMany says how long to wait, and what works meanwhile.
func tooMany(wait time.Duration, meanwhile string) *problem.Error {
	seconds := int(wait/time.Second) + 1
	text := fmt.Sprintf("Too many wrong tries. Wait %d seconds", seconds)
	if seconds > 90 {
		text = fmt.Sprintf("Too many wrong tries. Wait %d minutes", (seconds+59)/60)
	}
	return problem.New(problem.TooMany, text+meanwhile+".").Fact("wait_seconds", seconds)
}

// asField gives a refusal about a proof to the field that the form has for it.
func asField(err error, field string) error {
	var refusal *problem.Error
	if errors.As(err, &refusal) && (refusal.Code == problem.ProofWrong || refusal.Code == problem.ProofNeeded) {
		return problem.Field(field, refusal.Code, refusal.Message)
	}
	return err
}
