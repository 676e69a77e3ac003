package access

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// appAddress is what an authenticator app reads from the QR code.
func appAddress(firm, email, secret string) string {
	values := url.Values{"secret": {secret}, "issuer": {firm}}
	return "otpauth://totp/" + url.PathEscape(firm+":"+email) + "?" + values.Encode()
}

// factorTrace puts what became of a second factor on the trail.
func (s *Sessions) factorTrace(tx core.App, by schema.Actor, who *core.Record, what string) error {
	return s.Audit(tx, Trace{
		Actor: by, Action: "update", Collection: who.Collection().Name, Record: who.Id, At: s.Clock(), Change: map[string]any{"second_factor": what},
	})
}

// failed puts a failed sign-in on the trail.
func (s *Sessions) failed(e *core.RequestEvent, who *core.Record, method string) {
	err := e.App.RunInTransaction(func(tx core.App) error {
		return s.Audit(tx, Trace{
			Actor: schema.Actor{Kind: schema.ActorGuest, IP: e.RealIP()}, Action: "sign_in_failed", Collection: who.Collection().Name, Record: who.Id,
			Change: map[string]any{"method": method}, At: s.Clock(),
		})
	})
	if err != nil {
		e.App.Logger().Error("sign-in not on the trail", slog.Any("error", err))
	}
}

func clientOrStaff(e *core.RequestEvent) error {
	if e.Auth.IsSuperuser() {
		return problem.New(problem.Forbidden, "A superuser's second factor is set up in the settings of the collection _superusers.")
	}
	return nil
}

// FactorRoute says how one's second step stands.
//
//	GET /api/portal/second-factor → 200 {"app": bool, "since", "recovery_left", "required": bool, "by": "app"|"email"|"none"}; 401; 403 superusers
func (s *Sessions) FactorRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	f, _, err := factorOf(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	needed, hasApp, err := s.Needs(e.App, e.Auth)
	if err != nil {
		return err
	}
	answer := map[string]any{"app": hasApp, "since": f.Confirmed, "recovery_left": len(schema.Strings(f.Recovery)), "required": needed, "by": "none"}
	switch {
	case hasApp:
		answer["by"] = "app"
	case needed:
		answer["by"] = "email"
	}
	return e.JSON(http.StatusOK, answer)
}

// prove reads a proof from the body and asks for it to hold.
func (s *Sessions) prove(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	var proof Proof
	if err := readBody(e, &proof); err != nil {
		return err
	}
	return s.Prove(e, proof)
}

// FactorStartRoute begins to set up an app. It asks for the password or a code:
// an unlocked computer alone must not be enough to take an account over.
//
//	POST /api/portal/second-factor/start {"password"?,"code"?,"otp_id"?} → 200 {"secret","uri","qr"}; 400 proof_needed, proof_wrong, already_there; 401; 403; 429
func (s *Sessions) FactorStartRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	hasApp, err := HasApp(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	if hasApp {
		return problem.New(problem.Unique, "An authenticator app is set up already. Turn it off first.")
	}
	if err := s.proveUnlessFresh(e); err != nil {
		return err
	}
	return s.offerApp(e, e.Auth)
}

// proveUnlessFresh asks for a proof, unless the caller signed in by an e-mailed
// code a moment ago: there may be no password.
func (s *Sessions) proveUnlessFresh(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	fresh, err := s.justByCode(e)
	if err != nil || fresh {
		return err
	}
	return s.prove(e)
}

// FactorConfirmRoute turns the app on with its first code, and signs every other
// device out.
//
//	POST /api/portal/second-factor/confirm {"code"} → 200 {"recovery_codes": [10]}: shown this once; 400 proof_wrong; 401; 403; 429
func (s *Sessions) FactorConfirmRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	var in SecondStep
	if err := readBody(e, &in); err != nil {
		return err
	}
	key, now := "second|"+e.Auth.Id, time.Now()
	if wait := triesOf(e.App).wait(key, now); wait > 0 {
		return tooMany(wait, "")
	}
	var codes []string
	err := e.App.RunInTransaction(func(tx core.App) error {
		var ok bool
		var err error
		if codes, ok, err = confirmApp(tx, e.Auth.Id, digits(in.Code), now); err != nil || !ok {
			return err
		}
		return s.factorChanged(tx, e, "app set up")
	})
	if err != nil {
		return err
	}
	if codes == nil {
		triesOf(e.App).fail(key, freeProofs, now)
		return problem.Field("code", problem.ProofWrong, "This code is not right. The clock of the phone may be off; wait for the next code.")
	}
	triesOf(e.App).clear(key)
	return e.JSON(http.StatusOK, map[string]any{"recovery_codes": codes})
}

// factorChanged puts it on the trail and ends every other session.
func (s *Sessions) factorChanged(tx core.App, e *core.RequestEvent, what string) error {
	by := schema.ActorOf(e.Auth, e.RealIP())
	if err := s.factorTrace(tx, by, e.Auth, what); err != nil {
		return err
	}
	_, err := s.End(tx, by, endFactor, `principal = {:me} AND id != {:current}`, dbx.Params{"me": e.Auth.Id, "current": CurrentSession(e)})
	return err
}

// FactorRecoveryRoute makes new recovery codes in place of the old ones.
//
//	POST /api/portal/second-factor/recovery {"password"?,"code"?} → 200 {"recovery_codes": [10]}; 400 proof_needed, proof_wrong, not_found; 401; 403; 429
func (s *Sessions) FactorRecoveryRoute(e *core.RequestEvent) error {
	if err := s.prove(e); err != nil {
		return err
	}
	hasApp, err := HasApp(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	if !hasApp {
		return problem.Field("code", problem.BadInput, "Set up an authenticator app first.")
	}
	codes, digests := newRecovery()
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := setFactor(tx, e.Auth.Id, `recovery = {:value}`, schema.JSON(digests)); err != nil {
			return fmt.Errorf("keep new recovery codes: %w", err)
		}
		return s.factorTrace(tx, schema.ActorOf(e.Auth, e.RealIP()), e.Auth, "recovery codes made anew")
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"recovery_codes": codes})
}

// FactorRemoveRoute turns the app off. It asks for a code: a password alone would
// make the second factor worth nothing.
//
//	POST /api/portal/second-factor/remove {"code"} → 204; 400 proof_needed, proof_wrong; 401; 403; 429
func (s *Sessions) FactorRemoveRoute(e *core.RequestEvent) error {
	if err := clientOrStaff(e); err != nil {
		return err
	}
	var in SecondStep
	if err := readBody(e, &in); err != nil {
		return err
	}
	if err := s.Prove(e, Proof{Code: in.Code}); err != nil {
		return err
	}
	err := e.App.RunInTransaction(func(tx core.App) error {
		if err := dropFactor(tx, e.Auth.Id); err != nil {
			return err
		}
		return s.factorChanged(tx, e, "app turned off")
	})
	if err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

func dropFactor(tx core.App, principal string) error {
	if _, err := tx.DB().Delete(schema.SecondFactors, dbx.HashExp{"principal": principal}).Execute(); err != nil {
		return fmt.Errorf("remove the second factor: %w", err)
	}
	return nil
}
