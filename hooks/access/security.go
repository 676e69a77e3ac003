package access

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Owner refuses everybody but owners and superusers.
func Owner(e *core.RequestEvent) error {
	switch actor := schema.ActorOf(e.Auth, e.RealIP()); {
	case actor.Kind == schema.ActorSuperuser:
		return nil
	case actor.Kind == schema.ActorUser:
		return problem.New(problem.Forbidden, "Only the firm's staff may do this.")
	case !MemberOf(actor).AtLeast("owner"):
		return problem.New(problem.Role, "Only an owner may do this.")
	}
	return nil
}

// SecurityRoute says what the firm asks of sign-ins.
//
//	GET /api/portal/security (owner) → 200 {"client_second_factor": bool, "staff_second_factor": bool}; 400 role; 401; 403 clients
func (s *Sessions) SecurityRoute(e *core.RequestEvent) error {
	if err := Owner(e); err != nil {
		return err
	}
	security, err := SecurityOf(e.App)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"client_second_factor": security.ClientSecondFactor, "staff_second_factor": !StaffFactorOptional() && !s.Demo})
}

// ChangeSecurityRoute changes it. It asks for the password or a code again.
//
//	PATCH /api/portal/security (owner) {"client_second_factor": bool, "password"?, "code"?} → 200 as above; 400 role, proof_needed, proof_wrong, bad_input (no mail server); 401; 403; 429
func (s *Sessions) ChangeSecurityRoute(e *core.RequestEvent) error {
	if err := Owner(e); err != nil {
		return err
	}
	var in struct {
		Proof
		ClientSecondFactor *bool `json:"client_second_factor"`
	}
	if err := readBody(e, &in); err != nil {
		return err
	}
	if err := s.Prove(e, in.Proof); err != nil {
		return err
	}
	if in.ClientSecondFactor == nil {
		return s.SecurityRoute(e)
	}
	if *in.ClientSecondFactor && !e.App.Settings().SMTP.Enabled {
		return problem.Field("client_second_factor", problem.BadInput, "Set up a mail server first: clients get the code for the second step by mail.")
	}
	before, err := SecurityOf(e.App)
	if err != nil {
		return err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		now := s.Clock()
		if err := putSettingRow(tx, settingSecurity, Security{ClientSecondFactor: *in.ClientSecondFactor}, e.Auth.Id, now); err != nil {
			return err
		}
		return s.Audit(tx, Trace{
			Actor: schema.ActorOf(e.Auth, e.RealIP()), Action: "update", Collection: schema.Settings, Record: settingSecurity, At: now,
			Change: map[string]any{"client_second_factor": beforeAfter(before.ClientSecondFactor, *in.ClientSecondFactor)},
		})
	})
	if err != nil {
		return err
	}
	return s.SecurityRoute(e)
}
