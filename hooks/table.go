// Package hooks is the map of the house.
//
//	table.go  EVERY hook, route and worker, in the order they run: the only
//	          file that binds; "gatehouse hooks" prints it
//	house.go  the rooms, and what each is handed from the others
//
// A line here is one jump from its code. Hooks guard: they refuse, fill in,
// hide or wake. Commands act: a route calls one function in one transaction.
package hooks

import (
	"fmt"
	"io"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/console"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/workflow"
)

// Row is one line of the table: when what happens, and the name of who acts.
type Row struct {
	When  string
	What  string
	ID    string
	Order int
}

// Collections that only commands write: every record write is refused, also a
// superuser's.
var written = []string{
	"access", "client_requests", "client_items", "client_history", "transitions", "events", "audit_log", "jobs",
	"notifications", "mails", "request_people", "idempotency_keys", "field_secrets", "invitations", "reads",
	"runs", "run_items", "viewings",
	"timers", "pauses", "recurrences",
	"sessions", "second_factors", "programs", "passkeys", "exclusions",
}

// Collections whose writes the trail records by itself.
var recorded = []string{"organizations", "users", "staff", "memberships", "delegations", "walls", "workflows", "forms", "texts", "settings", "_superusers"}

// Register wires the rooms and binds the whole table.
func Register(app core.App, o Options) *House {
	h := NewHouse(app, o)
	r := &h.Rows

	// ---- every record write: faults of ours are ours, nobody's edit is lost, somebody did it
	on(r, "create request", "*", -100, "problem.own_faults_create", app.OnRecordCreateRequest(), problem.OwnFaults)
	on(r, "update request", "*", -100, "problem.own_faults_update", app.OnRecordUpdateRequest(), problem.OwnFaults)
	on(r, "create request", "*", -90, "audit.name_actor_create", app.OnRecordCreateRequest(), audit.NameActor)
	on(r, "update request", "*", -90, "audit.name_actor_update", app.OnRecordUpdateRequest(), audit.NameActor)
	on(r, "delete request", "*", -90, "audit.name_actor_delete", app.OnRecordDeleteRequest(), audit.NameActor)
	on(r, "update request", "*", -80, "workflow.keep_others_edits", app.OnRecordUpdateRequest(), keepOthersEdits)

	// ---- requests and items: a write by the record API is a command or a refusal
	on(r, "create request", "requests", 10, "workflow.refuse_request_create", app.OnRecordCreateRequest("requests"), workflow.Refuse)
	on(r, "update request", "requests", 10, "workflow.update_request", app.OnRecordUpdateRequest("requests"), h.Engine.UpdateRequest)
	on(r, "delete request", "requests", 10, "workflow.refuse_request_delete", app.OnRecordDeleteRequest("requests"), workflow.Refuse)
	on(r, "create request", "items", 10, "workflow.refuse_item_create", app.OnRecordCreateRequest("items"), workflow.Refuse)
	on(r, "update request", "items", 10, "workflow.update_item", app.OnRecordUpdateRequest("items"), h.Engine.UpdateItem)
	on(r, "delete request", "items", 10, "workflow.refuse_item_delete", app.OnRecordDeleteRequest("items"), workflow.Refuse)
	on(r, "create request", "messages", 10, "workflow.fill_message", app.OnRecordCreateRequest("messages"), h.Engine.FillMessage)
	on(r, "update request", "messages", 10, "workflow.keep_message", app.OnRecordUpdateRequest("messages"), workflow.Refuse)
	on(r, "delete request", "messages", 10, "workflow.keep_message_delete", app.OnRecordDeleteRequest("messages"), workflow.Refuse)
	on(r, "create request", "internal_notes", 10, "workflow.fill_note", app.OnRecordCreateRequest("internal_notes"), h.Engine.FillNote)
	on(r, "update request", "internal_notes", 10, "workflow.keep_note", app.OnRecordUpdateRequest("internal_notes"), workflow.Refuse)
	on(r, "delete request", "internal_notes", 10, "workflow.keep_note_delete", app.OnRecordDeleteRequest("internal_notes"), workflow.Refuse)
	for _, name := range written {
		on(r, "create request", name, 10, "workflow.refuse_create_"+name, app.OnRecordCreateRequest(name), workflow.Refuse)
		on(r, "update request", name, 10, "workflow.refuse_update_"+name, app.OnRecordUpdateRequest(name), workflow.Refuse)
		on(r, "delete request", name, 10, "workflow.refuse_delete_"+name, app.OnRecordDeleteRequest(name), workflow.Refuse)
	}

	// ---- files
	on(r, "create request", "documents", 10, "document.take_in", app.OnRecordCreateRequest("documents"), h.Documents.Create)
	on(r, "update request", "documents", 10, "document.keep", app.OnRecordUpdateRequest("documents"), workflow.Refuse)
	on(r, "delete request", "documents", 10, "document.take_away", app.OnRecordDeleteRequest("documents"), h.Documents.Delete)
	on(r, "download", "documents", 10, "document.serve", app.OnFileDownloadRequest("documents"), h.Documents.Serve)

	// ---- people and organizations: who may write, and what follows
	on(r, "create request", "walls", 20, "access.keep_wall_create", app.OnRecordCreateRequest("walls"), access.KeepWall)
	on(r, "update request", "walls", 20, "access.keep_wall_update", app.OnRecordUpdateRequest("walls"), access.KeepWall)
	on(r, "delete request", "walls", 20, "access.keep_wall_delete", app.OnRecordDeleteRequest("walls"), access.KeepWall)
	on(r, "create request", "walls", 30, "access.prove_wall_create", app.OnRecordCreateRequest("walls"), h.Sessions.ProveWalls)
	on(r, "delete request", "walls", 30, "access.prove_wall_delete", app.OnRecordDeleteRequest("walls"), h.Sessions.ProveWalls)
	on(r, "create request", "staff", 30, "access.prove_staff_create", app.OnRecordCreateRequest("staff"), h.Sessions.ProveStaff)
	on(r, "update request", "staff", 30, "access.prove_staff_update", app.OnRecordUpdateRequest("staff"), h.Sessions.ProveStaff)
	on(r, "create request", "memberships", 30, "access.prove_membership_create", app.OnRecordCreateRequest("memberships"), h.Sessions.ProveMembership)
	on(r, "update request", "memberships", 30, "access.prove_membership_update", app.OnRecordUpdateRequest("memberships"), h.Sessions.ProveMembership)
	on(r, "update request", "organizations", 30, "access.prove_organization", app.OnRecordUpdateRequest("organizations"), h.Sessions.ProveOrganization)
	on(r, "create request", "delegations", 30, "access.prove_delegation", app.OnRecordCreateRequest("delegations"), h.Sessions.ProveDelegation)
	on(r, "create request", "walls", 10, "access.manage_create_walls", app.OnRecordCreateRequest("walls"), access.Manage)
	on(r, "update request", "walls", 10, "access.manage_update_walls", app.OnRecordUpdateRequest("walls"), access.Manage)
	on(r, "delete request", "walls", 10, "access.manage_delete_walls", app.OnRecordDeleteRequest("walls"), access.Manage)
	on(r, "create request", "organizations", 10, "access.manage_create_organizations", app.OnRecordCreateRequest("organizations"), h.Team.WriteOrganization)
	on(r, "update request", "organizations", 10, "access.manage_update_organizations", app.OnRecordUpdateRequest("organizations"), h.Team.WriteOrganization)
	on(r, "delete request", "organizations", 10, "access.manage_delete_organizations", app.OnRecordDeleteRequest("organizations"), access.Manage)
	on(r, "create request", "memberships", 10, "access.manage_create_memberships", app.OnRecordCreateRequest("memberships"), h.Team.CreateMembership)
	on(r, "update request", "memberships", 10, "access.manage_update_memberships", app.OnRecordUpdateRequest("memberships"), h.Team.UpdateMembership)
	on(r, "delete request", "memberships", 10, "access.manage_delete_memberships", app.OnRecordDeleteRequest("memberships"), h.Team.DeleteMembership)
	on(r, "create request", "delegations", 10, "access.lend", app.OnRecordCreateRequest("delegations"), h.Delegations.CreateDelegation)
	on(r, "update request", "delegations", 10, "access.end_delegation", app.OnRecordUpdateRequest("delegations"), h.Delegations.UpdateDelegation)
	on(r, "delete request", "delegations", 10, "access.keep_delegation", app.OnRecordDeleteRequest("delegations"), access.KeepDelegation)
	on(r, "delete request", "organizations", 20, "access.keep_organization", app.OnRecordDeleteRequest("organizations"), access.KeepOrganization)
	on(r, "create request", "staff", 10, "access.create_staff", app.OnRecordCreateRequest("staff"), access.CreateStaff)
	on(r, "update request", "staff", 10, "access.update_staff", app.OnRecordUpdateRequest("staff"), access.UpdateStaff)
	on(r, "update request", "users", 10, "access.update_user", app.OnRecordUpdateRequest("users"), access.UpdateUser)
	on(r, "create", "organizations", 10, "access.fill_organization", app.OnRecordCreate("organizations"), h.Guard.FillOrganization)
	on(r, "update", "organizations", 10, "access.fill_organization_update", app.OnRecordUpdate("organizations"), h.Guard.FillOrganization)
	on(r, "create", "memberships", 10, "access.fill_membership", app.OnRecordCreate("memberships"), h.Guard.FillMembership)
	on(r, "update", "memberships", 10, "access.fill_membership_update", app.OnRecordUpdate("memberships"), h.Guard.FillMembership)
	on(r, "create", "delegations", 10, "access.fill_delegation", app.OnRecordCreate("delegations"), h.Guard.FillDelegation)
	on(r, "update", "delegations", 10, "access.fill_delegation_update", app.OnRecordUpdate("delegations"), h.Guard.FillDelegation)
	saved(r, app, "organizations", "access.derive_organization", h.Guard.OrganizationSaved)
	saved(r, app, "memberships", "access.derive_membership", h.Guard.MembershipSaved)
	saved(r, app, "delegations", "access.derive_delegation", h.Guard.DelegationSaved)
	saved(r, app, "staff", "access.derive_staff", h.Guard.StaffSaved)
	saved(r, app, "walls", "access.derive_wall", h.Guard.WallSaved)
	for _, name := range recorded {
		on(r, "create in transaction", name, 90, "audit.record_create_"+name, app.OnRecordCreateExecute(name), h.Recorder.Created)
		on(r, "update in transaction", name, 90, "audit.record_update_"+name, app.OnRecordUpdateExecute(name), h.Recorder.Updated)
		on(r, "delete in transaction", name, 90, "audit.record_delete_"+name, app.OnRecordDeleteExecute(name), h.Recorder.Deleted)
	}

	on(r, "updated", "settings", 10, "workflow.forget_calendars", app.OnRecordAfterUpdateSuccess("settings"), func(e *core.RecordEvent) error {
		h.Engine.Forget()
		if err := h.Engine.LookAgain(e.App); err != nil {
			return err
		}
		return e.Next()
	})

	// ---- sign-ins hang on a session, which ends with what it was for
	on(r, "signed in", "*", 5, "access.ask_second", app.OnRecordAuthRequest(), h.Sessions.AskSecond)
	on(r, "signed in", "*", 8, "access.issue_session", app.OnRecordAuthRequest(), h.Sessions.Issue)
	on(r, "file token", "*", 8, "access.issue_file_token", app.OnFileTokenRequest(), h.Sessions.IssueFile)
	on(r, "subscribe", "realtime", 5, "access.listen", app.OnRealtimeSubscribeRequest(), h.Sessions.Listen)
	on(r, "sign-in by password", "*", 2, "access.find_by_password", app.OnRecordAuthWithPasswordRequest(), access.FindByPassword)
	on(r, "sign-in by password", "*", 5, "access.slow_down", app.OnRecordAuthWithPasswordRequest(), h.Sessions.SlowDown)
	on(r, "code asked for", "*", 2, "access.find_for_code", app.OnRecordRequestOTPRequest(), access.FindForCode)
	on(r, "sign-in by code", "*", 5, "access.unlock", app.OnRecordAuthWithOTPRequest(), h.Sessions.Unlock)
	for _, name := range []string{"users", "staff", "_superusers"} {
		on(r, "create request", name, 5, "access.keep_password_create_"+name, app.OnRecordCreateRequest(name), access.KeepPassword)
		on(r, "update request", name, 5, "access.keep_password_update_"+name, app.OnRecordUpdateRequest(name), access.KeepPassword)
	}
	for _, name := range []string{"users", "staff"} {
		on(r, "create", name, 5, "access.keep_email_create_"+name, app.OnRecordCreate(name), access.KeepEmail)
		on(r, "update", name, 5, "access.keep_email_update_"+name, app.OnRecordUpdate(name), access.KeepEmail)
	}
	ended(r, app, "memberships", "access.membership_ended", h.Sessions.MembershipEnded)
	ended(r, app, "delegations", "access.delegation_ended", h.Sessions.DelegationEnded)
	on(r, "update in transaction", "organizations", 5, "access.organization_ended", app.OnRecordUpdateExecute("organizations"), h.Sessions.OrganizationEnded)
	for _, name := range []string{"users", "staff", "_superusers"} {
		on(r, "update in transaction", name, 5, "access.account_changed_"+name, app.OnRecordUpdateExecute(name), h.Sessions.AccountChanged)
		on(r, "delete in transaction", name, 5, "access.account_deleted_"+name, app.OnRecordDeleteExecute(name), h.Sessions.AccountDeleted)
	}

	// ---- who signed in, and who could not
	on(r, "signed in", "*", 10, "audit.signed_in", app.OnRecordAuthRequest(), h.Recorder.SignedIn)
	on(r, "sign-in by password", "*", 10, "audit.password_tried", app.OnRecordAuthWithPasswordRequest(), h.Recorder.PasswordTried)

	// ---- mail and live pages
	on(r, "mail", "sign-in code", 10, "notify.send_code", app.OnMailerRecordOTPSend(), h.SignIn.CodeSend)
	on(r, "mail", "password reset", 10, "notify.send_password_reset", app.OnMailerRecordPasswordResetSend(), h.SignIn.PasswordResetSend)
	on(r, "mail", "verification", 10, "notify.send_verification", app.OnMailerRecordVerificationSend(), h.SignIn.VerificationSend)
	on(r, "mail", "e-mail change", 10, "notify.send_email_change", app.OnMailerRecordEmailChangeSend(), h.SignIn.EmailChangeSend)
	on(r, "mail", "any other", 10, "notify.send_other", app.OnMailerSend(), h.SignIn.Send)
	on(r, "connect", "realtime", 10, "console.connect", app.OnRealtimeConnectRequest(), h.Live.Connect)
	on(r, "subscribe", "realtime", 10, "console.subscribe", app.OnRealtimeSubscribeRequest(), console.Subscribe)

	// ---- what follows from committed events, each with its own cursor
	h.Bus.AddDo("workflow.pass", h.pass)
	h.Bus.Add("notify", h.Post.Handle, h.Mailer.Wake)
	h.Bus.AddDo("console.live", h.Live.Tell)
	*r = append(*r, Row{"event", "*", "workflow.pass", 1}, Row{"event", "*", "notify", 2}, Row{"event", "*", "console.live", 3},
		Row{"every minute", "time, invitations, versions", "house.tick", 0}, Row{"every second", "runs", "workflow.work", 0}, Row{"every minute", "backups", "backup.tick", 0})

	// ---- start and stop
	*r = append(*r, Row{"every request", "*", "ops.provenance", -100000}, Row{"every answer", "*", "console.headers", -2000}, Row{"every request", "viewings", "access.check_viewing", -1011}, Row{"every request", "programs", "access.check_program", -1010}, Row{"every request", "tokens", "access.check_session", -1012}, Row{"every request", "dashboard's start", "console.start_up", -900}, Row{"every request", "account flows", "access.offered", 100}, Row{"every request", "sign-in by code", "access.guard_codes", 102}, Row{"every request", "impersonation", "access.refuse_impersonation", 105}, Row{"every request", "SQL console", "audit.sql", 110})
	routes := h.routes()
	for _, x := range routes {
		*r = append(*r, Row{x.method, x.path, x.id, 0})
	}
	on(r, "serve", "routes", 10, "house.serve", app.OnServe(), func(e *core.ServeEvent) error { return h.serve(e, routes) })
	on(r, "terminate", "restart", -10000, "house.note_restart", app.OnTerminate(), h.noteRestart)
	on(r, "terminate", "workers", -100, "house.close", app.OnTerminate(), h.terminate)
	return h
}

// route is an own address. Everybody may call it if it is public; otherwise one
// has to be signed in, and the command decides.
type route struct {
	method, path, id string
	public           bool
	handle           func(*core.RequestEvent) error
}

func (h *House) routes() []route {
	e, p := h.Engine, h.Reports
	return []route{
		{"GET", "/healthz", "ops.alive", true, h.Health.Alive},
		{"GET", "/readyz", "ops.ready", true, h.Health.Ready},
		{"GET", "/api/portal/firm", "access.firm", true, access.FirmRoute(h.Options.Folder.Demo)},
		{"GET", "/api/portal/demo", "demo.show", true, h.Demo.ShowRoute},
		{"POST", "/api/portal/demo/enter", "demo.enter", true, h.Demo.EnterRoute},
		{"POST", "/api/portal/demo/empty", "demo.empty", true, h.Demo.EmptyRoute},
		{"GET", "/api/portal/me", "access.me", false, access.MeRoute(h.Options.Clock)},
		{"GET", "/api/portal/sessions", "access.sessions", false, h.Sessions.ListRoute},
		{"DELETE", "/api/portal/sessions", "access.end_other_sessions", false, h.Sessions.EndOthersRoute},
		{"DELETE", "/api/portal/sessions/{id}", "access.end_session", false, h.Sessions.EndRoute},
		{"POST", "/api/portal/sign-out", "access.sign_out", true, h.Sessions.SignOutRoute},
		{"POST", "/api/portal/password", "access.change_password", false, h.Sessions.PasswordRoute},
		{"POST", "/api/portal/second-factor", "access.second_step", true, h.Sessions.SecondRoute},
		{"POST", "/api/portal/second-factor/setup", "access.second_setup", true, h.Sessions.SecondSetupRoute},
		{"GET", "/api/portal/second-factor", "access.factor", false, h.Sessions.FactorRoute},
		{"POST", "/api/portal/second-factor/start", "access.factor_start", false, h.Sessions.FactorStartRoute},
		{"POST", "/api/portal/second-factor/confirm", "access.factor_confirm", false, h.Sessions.FactorConfirmRoute},
		{"POST", "/api/portal/second-factor/recovery", "access.factor_recovery", false, h.Sessions.FactorRecoveryRoute},
		{"POST", "/api/portal/second-factor/remove", "access.factor_remove", false, h.Sessions.FactorRemoveRoute},
		{"POST", "/api/portal/passkeys/sign-in/start", "access.passkey_sign_in_start", true, h.Sessions.PasskeySignInStartRoute},
		{"POST", "/api/portal/passkeys/sign-in", "access.passkey_sign_in", true, h.Sessions.PasskeySignInRoute},
		{"GET", "/api/portal/passkeys", "access.passkeys", false, h.Sessions.PasskeysRoute},
		{"POST", "/api/portal/passkeys/start", "access.passkey_start", false, h.Sessions.PasskeyStartRoute},
		{"POST", "/api/portal/passkeys/prove", "access.passkey_prove", false, h.Sessions.PasskeyProveRoute},
		{"POST", "/api/portal/passkeys", "access.passkey_add", false, h.Sessions.PasskeyAddRoute},
		{"PATCH", "/api/portal/passkeys/{id}", "access.passkey_rename", false, h.Sessions.PasskeyRenameRoute},
		{"POST", "/api/portal/passkeys/{id}/remove", "access.passkey_remove", false, h.Sessions.PasskeyRemoveRoute},
		{"GET", "/api/portal/security", "access.security", false, h.Sessions.SecurityRoute},
		{"PATCH", "/api/portal/security", "access.change_security", false, h.Sessions.ChangeSecurityRoute},
		{"GET", "/api/portal/backups", "backup.list", false, h.BackupDesk.List},
		{"POST", "/api/portal/backups", "backup.make", false, h.BackupDesk.Make},
		{"POST", "/api/portal/backups/{name}/prove", "backup.prove", false, h.BackupDesk.Prove},
		{"POST", "/api/portal/backups/{name}/restore", "backup.restore", false, h.BackupDesk.Restore},
		{"GET", "/api/portal/people/{id}/sessions", "access.person_sessions", false, h.Sessions.PersonSessionsRoute},
		{"DELETE", "/api/portal/people/{id}/sessions", "access.end_person", false, h.Sessions.EndPersonRoute},
		{"POST", "/api/portal/people/{id}/second-factor/reset", "access.reset_factor", false, h.Sessions.ResetFactorRoute},
		{"GET", "/api/portal/programs", "access.programs", false, h.Programs.ListRoute},
		{"POST", "/api/portal/programs", "access.make_program", false, h.Programs.MakeRoute},
		{"POST", "/api/portal/programs/{id}/revoke", "access.revoke_program", false, h.Programs.RevokeRoute},
		{"POST", "/api/portal/setup", "access.setup", true, h.Setup.CompleteRoute},
		{"POST", "/api/portal/setup/look", "access.setup_look", true, h.Setup.LookRoute},
		{"POST", "/api/portal/invitations", "access.invite", false, h.Invitations.InviteRoute},
		{"POST", "/api/portal/invitations/look", "access.invitation_look", true, h.Invitations.LookRoute},
		{"POST", "/api/portal/invitations/accept", "access.invitation_accept", true, h.Invitations.AcceptRoute},
		{"POST", "/api/portal/invitations/renew", "access.invitation_renew", true, h.Invitations.RenewRoute},
		{"POST", "/api/portal/invitations/{id}/resend", "access.invitation_resend", false, h.Invitations.ResendRoute},
		{"POST", "/api/portal/invitations/{id}/revoke", "access.invitation_revoke", false, h.Invitations.RevokeRoute},
		{"GET", "/api/portal/invitations/{id}/link", "access.invitation_link", false, h.Invitations.LinkRoute},
		{"GET", "/api/portal/access/explain", "access.explain", false, h.Explain.Route},
		{"GET", "/api/portal/access/people", "access.people", false, h.Explain.PeopleRoute},
		{"GET", "/api/portal/access/reach", "access.reach", false, h.Explain.ReachRoute},
		{"POST", "/api/portal/view-as", "access.view_as", false, h.Viewings.BeginRoute},
		{"GET", "/api/portal/view-as", "access.viewing", false, h.Viewings.ShowRoute},
		{"GET", "/api/portal/view-as/file", "access.viewing_file", false, h.Viewings.FileRoute},
		{"POST", "/api/portal/view-as/end", "access.view_as_end", false, h.Viewings.EndRoute},
		{"POST", "/api/portal/prove", "access.prove", false, h.Sessions.ProveRoute},
		{"GET", "/api/portal/delegations", "access.delegations", false, h.Delegations.ListRoute},
		{"POST", "/api/portal/delegations", "access.lend_powers", false, h.Delegations.LendRoute},
		{"POST", "/api/portal/delegations/{id}/revoke", "access.revoke_delegation", false, h.Delegations.RevokeRoute},
		{"GET", "/api/portal/team", "access.team", false, h.Team.ListRoute},
		{"PATCH", "/api/portal/team/{id}", "access.change_member", false, h.Team.ChangeRoute},
		{"POST", "/api/portal/team/{id}/remove", "access.remove_member", false, h.Team.RemoveRoute},
		{"GET", "/api/portal/requests/{id}/people", "workflow.people", false, e.GetPeople},
		{"PATCH", "/api/portal/requests/{id}/people", "workflow.share", false, e.PatchPeople},
		{"POST", "/api/portal/requests/{id}/exclusions", "workflow.exclude", false, e.PostExclusion},
		{"DELETE", "/api/portal/requests/{id}/exclusions/{user}", "workflow.readmit", false, e.DeleteExclusion},
		{"POST", "/api/portal/requests", "workflow.open", false, e.PostRequest},
		{"POST", "/api/portal/requests/plan", "workflow.plan_new", false, e.PostPlan},
		{"GET", "/api/portal/requests/{id}", "workflow.view", false, e.GetRequest},
		{"GET", "/api/portal/definitions/{id}/picture", "workflow.picture", false, e.GetPicture},
		{"GET", "/api/portal/definitions/{id}/plan", "workflow.forecast", false, e.GetForecast},
		{"GET", "/api/portal/requests/{id}/picture", "workflow.request_picture", false, e.GetRequestPicture},
		{"PATCH", "/api/portal/requests/{id}", "workflow.patch_request", false, e.PatchRequestRoute},
		{"POST", "/api/portal/requests/{id}/items", "workflow.add_item", false, e.PostItems},
		{"POST", "/api/portal/requests/{id}/transition", "workflow.transition", false, e.PostTransition},
		{"POST", "/api/portal/requests/{id}/reveal", "workflow.reveal", false, e.PostReveal},
		{"GET", "/api/portal/requests/{id}/actions", "workflow.actions", false, e.GetActions},
		{"POST", "/api/portal/requests/{id}/pause", "workflow.pause", false, e.PostPause},
		{"POST", "/api/portal/requests/{id}/resume", "workflow.resume", false, e.PostResume},
		{"GET", "/api/portal/requests/{id}/plan", "workflow.plan", false, e.GetPlan},
		{"PATCH", "/api/portal/items/{id}", "workflow.patch_item", false, e.PatchItemRoute},
		{"DELETE", "/api/portal/items/{id}", "workflow.remove_item", false, e.DeleteItem},
		{"POST", "/api/portal/items/{id}/reuse", "document.reuse", false, h.Documents.PostReuse},
		{"GET", "/api/portal/workflows", "workflow.list", false, e.GetWorkflows},
		{"GET", "/api/portal/definitions", "workflow.definitions", false, e.GetDefinitions},
		{"POST", "/api/portal/definitions", "workflow.save_definition", false, e.PostDefinition},
		{"POST", "/api/portal/definitions/check", "workflow.check_definition", false, e.PostCheck},
		{"POST", "/api/portal/definitions/library", "workflow.install_definition", false, e.PostLibrary},
		{"GET", "/api/portal/definitions/{id}", "workflow.definition", false, e.GetDefinition},
		{"GET", "/api/portal/definitions/{id}/export", "workflow.export_definition", false, e.GetExport},
		{"GET", "/api/portal/definitions/{from}/diff/{to}", "workflow.diff_definitions", false, e.GetDiff},
		{"POST", "/api/portal/definitions/{id}/publish", "workflow.publish_definition", false, e.PostPublish},
		{"POST", "/api/portal/definitions/{id}/retire", "workflow.retire_definition", false, e.PostRetire},
		{"POST", "/api/portal/definitions/{id}/migrate", "workflow.migrate", false, h.Runs.PostMigrate},
		{"POST", "/api/portal/bulk", "workflow.bulk", false, h.Runs.PostBulk},
		{"GET", "/api/portal/runs", "workflow.runs", false, h.Runs.GetRuns},
		{"GET", "/api/portal/runs/{id}", "workflow.run", false, h.Runs.GetRun},
		{"POST", "/api/portal/runs/{id}/cancel", "workflow.cancel_run", false, h.Runs.PostCancel},
		{"GET", "/api/portal/home", "report.home", false, p.GetHome},
		{"GET", "/api/portal/requests", "report.requests", false, p.GetRequests},
		{"GET", "/api/portal/requests/{id}/timeline", "report.timeline", false, p.GetTimeline},
		{"GET", "/api/portal/queue", "report.queue", false, p.GetQueue},
		{"GET", "/api/portal/clients", "report.clients", false, p.GetClients},
		{"GET", "/api/portal/clients/{id}", "report.client", false, p.GetClient},
		{"GET", "/api/portal/staff", "report.staff", false, p.GetStaff},
		{"GET", "/api/portal/mails", "notify.mails", false, h.Mails.ListRoute},
		{"GET", "/api/portal/mails/{id}", "notify.mail", false, h.Mails.ViewRoute},
	}
}

// serve binds the routes and the two interfaces, and starts the workers.
func (h *House) serve(e *core.ServeEvent, routes []route) error {
	proxies, err := ops.Proxies()
	if err != nil {
		return err
	}
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "ops.provenance", Priority: -100_000, Func: ops.Provenance(proxies)})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "console.headers", Priority: -2000, Func: console.Headers})
	// After the auth token was read (-1020), before anybody acts on it.
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "access.check_session", Priority: -1012, Func: h.Sessions.Check(public(routes))})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "access.check_viewing", Priority: -1011, Func: h.Viewings.Check})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "access.check_program", Priority: -1010, Func: h.Programs.Check})
	// After the auth token was read (-1020), before superusers are asked for (0).
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "console.start_up", Priority: -900, Func: console.StartUp})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "access.offered", Priority: 100, Func: access.Offered})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "access.guard_codes", Priority: 102, Func: h.Sessions.GuardCodes})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "access.refuse_impersonation", Priority: 105, Func: access.RefuseImpersonation})
	e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "audit.sql", Priority: 110, Func: h.Recorder.SQL})
	for _, x := range routes {
		// The trail is the audit log; PocketBase's log of successful calls would
		// write a row for each.
		e.Router.Route(x.method, x.path, h.door(x)).Bind(apis.SkipSuccessActivityLog())
	}
	if h.Options.Console != nil && h.Options.Portal != nil {
		console.Add(e, h.Options.Console)
		e.Router.GET("/staff", console.Shell(h.Options.Console))
		e.Router.GET("/staff/{$}", console.Shell(h.Options.Console))
		e.Router.GET("/staff/{path...}", apis.Static(h.Options.Console, false))
		e.Router.GET("/{path...}", console.Portal(h.Options.Portal)).Bind(apis.Gzip())
	}
	h.App.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{Id: ops.PocketBaseShutdown, Priority: -9999, Func: ops.Shutdown(e.App, e.Server)})
	if h.Options.Workers {
		if err := h.start(); err != nil {
			return err
		}
	}
	return e.Next()
}

// public says which patterns of ours everybody may call.
func public(routes []route) func(pattern string) bool {
	open := map[string]bool{}
	for _, x := range routes {
		if x.public {
			open[x.method+" "+x.path] = true
		}
	}
	return func(pattern string) bool { return open[pattern] }
}

// door asks for a sign-in where the route does, and makes every error an answer.
func (h *House) door(x route) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if !x.public && e.Auth == nil {
			return problem.Reply(e, problem.New(problem.SignIn, "Sign in first."))
		}
		e.Response.Header().Set("Cache-Control", "no-store")
		if access.DryRun(e) {
			return problem.Reply(e, h.dryRun(e, x.id))
		}
		return problem.Reply(e, x.handle(e))
	}
}

// dryRun calls a route in a house that stands in the transaction of the
// request, so that all that it does is rolled back with it.
func (h *House) dryRun(e *core.RequestEvent, id string) error {
	for _, x := range NewHouse(e.App, h.Options).routes() {
		if x.id == id {
			return x.handle(e)
		}
	}
	return fmt.Errorf("dry run of %s: there is no such route", id)
}

// keepOthersEdits makes an update write only what it changes: PocketBase would
// write every column of the row that was read, and undo a colleague's edit.
func keepOthersEdits(e *core.RecordRequestEvent) error {
	e.Record.IgnoreUnchangedFields(true)
	return e.Next()
}

// saved binds what follows from a change of a source of access, whoever makes
// it, inside its transaction.
func saved(rows *[]Row, app core.App, collection, id string, fn func(*core.RecordEvent) error) {
	on(rows, "create in transaction", collection, 10, id+"_create", app.OnRecordCreateExecute(collection), fn)
	on(rows, "update in transaction", collection, 10, id+"_update", app.OnRecordUpdateExecute(collection), fn)
	on(rows, "delete in transaction", collection, 10, id+"_delete", app.OnRecordDeleteExecute(collection), fn)
}

// ended binds what follows when a source of access changes or goes, around what
// derives access from it.
func ended(rows *[]Row, app core.App, collection, id string, fn func(*core.RecordEvent) error) {
	on(rows, "update in transaction", collection, 5, id+"_update", app.OnRecordUpdateExecute(collection), fn)
	on(rows, "delete in transaction", collection, 5, id+"_delete", app.OnRecordDeleteExecute(collection), fn)
}

// binder is a hook, tagged with a collection or not.
type binder[E hook.Resolver] interface {
	Bind(handler *hook.Handler[E]) string
}

func on[E hook.Resolver](rows *[]Row, when, what string, order int, id string, h binder[E], fn func(E) error) {
	h.Bind(&hook.Handler[E]{Id: id, Priority: order, Func: fn})
	*rows = append(*rows, Row{When: when, What: what, ID: id, Order: order})
}

// Print writes the table as text.
func (h *House) Print(w io.Writer) error {
	for _, r := range h.Rows {
		if _, err := fmt.Fprintf(w, "%-22s %-42s %s\n", r.When, r.What, r.ID); err != nil {
			return err
		}
	}
	return nil
}
