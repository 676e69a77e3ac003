package hooks_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

// proving are all the acts that say who may do what. Each is tried by somebody
// who may do it, and whose proof is old.
func proving(t *testing.T, w *world) map[string]func() gatetest.Answer {
	t.Helper()
	ask := func(who *core.Record, method, path string, body any) func() gatetest.Answer {
		return func() gatetest.Answer { return w.Ask(t, who, method, path, body) }
	}
	records := "/api/collections/"
	ben, anna := membership(t, w.Stage, w.Ben, w.Leeds), membership(t, w.Stage, w.Anna, w.Bluebell)
	program := w.Program(t, w.Pat, access.NewProgram{Name: "Old", Role: "viewer"})
	loan := map[string]any{"to": w.Vera.Id, "organization": w.Bluebell.Id, "ends": schema.Stamp(w.Clock.Now().AddDate(0, 1, 0))}
	lend := func(powers ...string) map[string]any {
		with := map[string]any{"powers": powers}
		for k, v := range loan {
			with[k] = v
		}
		return with
	}
	stored := map[string]any{"from": w.Anna.Id, "to": w.Vera.Id, "organization": w.Bluebell.Id, "starts": schema.Stamp(w.Clock.Now()), "ends": loan["ends"]}
	return map[string]func() gatetest.Answer{
		"backup.restore": ask(w.Pat, "POST", "/api/portal/backups/"+w.backup+"/restore", nil),
		"access.change_member: a client gives a role":  ask(w.Anna, "PATCH", "/api/portal/team/"+w.vera, map[string]any{"role": "admin"}),
		"access.change_member: a client takes a role":  ask(w.Anna, "PATCH", "/api/portal/team/"+ben, map[string]any{"role": "viewer"}),
		"access.change_member: a manager gives a role": ask(w.Mia, "PATCH", "/api/portal/team/"+ben, map[string]any{"role": "admin"}),
		"access.change_member: a manager gives a duty": ask(w.Mia, "PATCH", "/api/portal/team/"+anna, map[string]any{"duties": []string{"client_approver"}}),
		"access.invite: a client's admin":              ask(w.Anna, "POST", "/api/portal/invitations", map[string]any{"email": "a@example.com", "organization": w.Bluebell.Id, "role": "admin"}),
		"access.invite: a manager invites an admin":    ask(w.Mia, "POST", "/api/portal/invitations", map[string]any{"email": "b@example.com", "organization": w.Bluebell.Id, "role": "admin"}),
		"access.invite: a manager gives a duty":        ask(w.Mia, "POST", "/api/portal/invitations", map[string]any{"email": "c@example.com", "organization": w.Bluebell.Id, "role": "member", "duties": []string{"client_approver"}}),
		"access.lend_powers: to take steps":            ask(w.Anna, "POST", "/api/portal/delegations", lend("submit")),
		"access.lend_powers: all that may be lent":     ask(w.Anna, "POST", "/api/portal/delegations", lend()),
		"access.make_program":                          ask(w.Pat, "POST", programs, newProgram(w.Stage, nil)),
		"access.revoke_program":                        ask(w.Pat, "POST", programs+"/"+program.Id+"/revoke", nil),
		"access.reset_factor":                          ask(w.Pat, "POST", "/api/portal/people/"+w.Sam.Id+"/second-factor/reset", map[string]any{"reason": "Lost"}),
		"access.change_security":                       ask(w.Pat, "PATCH", "/api/portal/security", map[string]any{"client_second_factor": false}),
		"memberships create":                           ask(w.Mia, "POST", records+"memberships/records", map[string]any{"user": w.Cleo.Id, "organization": w.Leeds.Id, "role": "admin"}),
		"memberships create: a duty":                   ask(w.Mia, "POST", records+"memberships/records", map[string]any{"user": w.Cleo.Id, "organization": w.Bluebell.Id, "role": "member", "duties": []string{"client_approver"}}),
		"memberships update":                           ask(w.Mia, "PATCH", records+"memberships/records/"+w.spare["memberships"], map[string]any{"role": "admin"}),
		"memberships update: by a client":              ask(w.Anna, "PATCH", records+"memberships/records/"+w.spare["memberships"], map[string]any{"role": "member"}),
		"delegations create":                           ask(w.Anna, "POST", records+"delegations/records", stored),
		"walls create":                                 ask(w.Mia, "POST", records+"walls/records", map[string]any{"staff": w.Ines.Id, "organization": w.Kestrel.Id, "reason": "Related"}),
		"walls delete":                                 ask(w.Mia, "DELETE", records+"walls/records/"+w.spare["walls"], nil),
		"staff create":                                 ask(w.Pat, "POST", records+"staff/records", map[string]any{"email": "d@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "Dee", "role": "viewer", "active": true}),
		"staff update":                                 ask(w.Pat, "PATCH", records+"staff/records/"+w.Ruth.Id, map[string]any{"role": "manager"}),
		"staff update: a duty":                         ask(w.Pat, "PATCH", records+"staff/records/"+w.Ines.Id, map[string]any{"duties": []string{"partner"}}),
		"organizations update":                         ask(w.Mia, "PATCH", records+"organizations/records/"+w.spare["organizations"], map[string]any{"parent": w.Kestrel.Id}),
	}
}

// notAsked are the writes that do not say who may do what, or take the proof
// with them, with why a person is not asked.
var notAsked = map[string]string{
	"access.end_other_sessions": "the own devices", "access.end_session": "the own devices", "access.sign_out": "the own device",
	"access.change_password": "takes the old password", "access.factor_start": "takes the proof", "access.factor_confirm": "takes a code", "access.factor_recovery": "takes the proof", "access.factor_remove": "takes the proof",
	"access.second_step": "is the sign-in", "access.second_setup": "is the sign-in", "access.setup": "is the sign-in", "access.setup_look": "a look", "access.prove": "is the proof",
	"access.end_person": "takes away", "access.invitation_look": "a look", "access.invitation_accept": "what the link gives", "access.invitation_renew": "a wish", "access.invitation_resend": "what was given before", "access.invitation_revoke": "takes away",
	"access.view_as": "looks, and gives nothing", "access.view_as_end": "takes away", "access.revoke_delegation": "takes away", "access.remove_member": "takes away, and at once",
	"access.passkey_sign_in_start": "is the sign-in", "access.passkey_sign_in": "is the sign-in", "access.passkey_prove": "is the proof",
	"access.passkey_start": "takes the proof", "access.passkey_add": "what began with the proof", "access.passkey_rename": "a name", "access.passkey_remove": "takes the proof",
	"backup.make": "gives nobody anything", "backup.prove": "gives nobody anything", "workflow.plan_new": "a look",
	"workflow.exclude": "takes away", "workflow.readmit": "what the person's membership gives",
	"demo.enter": "the demo", "demo.empty": "the demo",
	"workflow.share": "who takes part, among those who belong there", "workflow.open": "work", "workflow.patch_request": "work", "workflow.add_item": "work", "workflow.transition": "work", "workflow.reveal": "on the trail, with a reason",
	"workflow.pause": "work", "workflow.resume": "work", "workflow.patch_item": "work", "workflow.remove_item": "work", "document.reuse": "work", "workflow.bulk": "work", "workflow.cancel_run": "work", "workflow.migrate": "work",
	"workflow.save_definition": "no version in use", "workflow.check_definition": "a look", "workflow.install_definition": "no version in use", "workflow.publish_definition": "of what duties do, not of who has them", "workflow.retire_definition": "of what duties do, not of who has them",

	"organizations create": "has nobody yet", "organizations delete": "refused to all", "memberships delete": "takes away", "delegations update": "takes away", "delegations delete": "refused to all", "users update": "the own name",
	"documents create": "work", "documents delete": "work", "messages create": "work", "internal_notes create": "work", "requests update": "work",
	"documents update": "refused to all", "_externalAuths delete": "the own account", "_authOrigins delete": "the own account",
}

// Everything that says who may do what asks for proof again where the last is
// old, and only then; a new way of doing so fails here until somebody has decided.
func TestProve_everyWayThere(t *testing.T) {
	w := newWorld(t)
	acts := proving(t, w)
	var tried []string
	for name := range acts {
		head, _, _ := strings.Cut(name, ":")
		tried = append(tried, head)
	}
	for _, r := range w.House.Rows {
		write := isMethod(r.When) && r.When != http.MethodGet && strings.HasPrefix(r.What, "/")
		if write && !slices.Contains(tried, r.ID) && notAsked[r.ID] == "" {
			t.Errorf("nobody has decided whether %s %s (%s) asks for proof", r.When, r.What, r.ID)
		}
	}
	collections, err := w.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range collections {
		for act, rule := range map[string]*string{"create": c.CreateRule, "update": c.UpdateRule, "delete": c.DeleteRule} {
			if name := c.Name + " " + act; rule != nil && !slices.Contains(tried, name) && notAsked[name] == "" {
				t.Errorf("nobody has decided whether %s asks for proof", name)
			}
		}
	}
	people := []*core.Record{w.Anna, w.Mia, w.Pat}
	for _, who := range people {
		want(t, w.Ask(t, who, "GET", "/api/portal/me", nil), 200)
	}
	w.Clock.Move(11 * time.Minute)
	order := slices.Sorted(maps.Keys(acts))
	for _, name := range order {
		if a := acts[name](); a.Code("prove") != "prove_again" && !strings.HasPrefix(a.Message(), "Enter your password") {
			t.Errorf("%s does not ask: %d %s", name, a.Status, a.Raw)
		}
	}
	for _, who := range people {
		want(t, w.Ask(t, who, "POST", "/api/portal/prove", map[string]any{"password": gatetest.Password}), 200)
	}
	for _, name := range order {
		if a := acts[name](); a.Code("prove") == "prove_again" || (a.Status >= 300 && !strings.HasPrefix(name, "access.change_security") && !strings.HasPrefix(name, "access.reset_factor")) {
			t.Errorf("%s after the proof: %d %s", name, a.Status, a.Raw)
		}
	}
}

// What gives no powers does not ask, however old the proof is.
func TestProve_asksNobodyInVain(t *testing.T) {
	w := newWorld(t)
	for _, who := range []*core.Record{w.Anna, w.Mia} {
		want(t, w.Ask(t, who, "GET", "/api/portal/me", nil), 200)
	}
	w.Clock.Move(11 * time.Minute)
	want(t, w.Ask(t, w.Anna, "POST", "/api/portal/invitations", map[string]any{"email": "a@example.com", "organization": w.Bluebell.Id, "role": "member"}), 200)
	want(t, w.Ask(t, w.Anna, "POST", "/api/portal/delegations", map[string]any{"to": w.Vera.Id, "organization": w.Bluebell.Id, "ends": schema.Stamp(w.Clock.Now().AddDate(0, 1, 0)), "powers": []string{"see", "provide"}}), 200)
	want(t, w.Ask(t, w.Anna, "PATCH", "/api/portal/team/"+w.vera, map[string]any{"role": "viewer", "duties": []string{}, "status": "suspended"}), 200)
	want(t, w.Ask(t, w.Mia, "POST", "/api/portal/team/"+w.vera+"/remove", map[string]any{}), 200)
	want(t, w.Ask(t, w.Mia, "PATCH", "/api/collections/organizations/records/"+w.Leeds.Id, map[string]any{"name": "Leeds"}), 200)
}
