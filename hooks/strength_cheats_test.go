package hooks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

// cheat is what somebody might try beyond the policy: a few calls after each
// other, on what the rows it is about guard.
type cheat struct {
	about string // ids of rows, or beginnings of ids
	name  string
	try   func(r *run)
}

func (c cheat) is(id string) bool {
	for _, about := range strings.Fields(c.about) {
		if strings.HasPrefix(id, about) {
			return true
		}
	}
	return false
}

// run is one try of a cheat, and what was answered.
type run struct {
	*trial
	t   *testing.T
	log []string
}

func (r *run) note(what ...any) { r.log = append(r.log, fmt.Sprint(what...)) }

func (r *run) ask(who *core.Record, method, path string, body any, headers ...string) gatetest.Answer {
	r.t.Helper()
	a := r.Ask(r.t, who, method, path, body, headers...)
	r.note(said1(a.Status, a.Raw))
	return a
}

// looks notes whether somebody sees a record.
func (r *run) looks(who *core.Record, collection, id string) {
	r.t.Helper()
	r.note("sees ", r.Ask(r.t, who, "GET", records(collection, id), nil).Status)
}

// counts notes how many rows there are.
func (r *run) counts(query, id string) {
	r.t.Helper()
	var n int
	scan(r.t, r.TestApp, `SELECT COUNT(*) FROM `+query, id, &n)
	r.note(n, " of ", query)
}

// scopes notes how many rights somebody has.
func (r *run) scopes(who string) {
	r.t.Helper()
	r.counts(`access WHERE principal = {:id}`, who)
}

// live notes how many sign-ins of somebody are left.
func (r *run) live(who string) {
	r.t.Helper()
	r.counts(`sessions WHERE principal = {:id} AND ended = ''`, who)
}

func (r *run) delete(record *core.Record) {
	r.t.Helper()
	if err := r.Delete(record); err != nil {
		r.note(err)
	}
}

// one is a record of the world.
func (r *run) one(collection, id string) *core.Record {
	r.t.Helper()
	record, err := r.FindRecordById(collection, id)
	if err != nil {
		r.t.Fatal(collection, err)
	}
	return record
}

func (r *run) spared(collection string) *core.Record {
	r.t.Helper()
	return r.one(collection, r.spare[collection])
}

// later lets so much time pass that staff have to show again who they are.
func (r *run) later(then func()) {
	now := r.Clock.Now()
	defer r.Clock.Set(now)
	r.Clock.Move(11 * time.Minute)
	then()
}

// lend makes a delegation from Anna that holds now.
func (r *run) lend(to *core.Record) *core.Record {
	r.t.Helper()
	now := r.Clock.Now()
	return r.Add(r.t, "delegations", map[string]any{"from": r.Anna.Id, "to": to.Id, "organization": r.Bluebell.Id, "starts": schema.Stamp(now.Add(-time.Hour)), "ends": schema.Stamp(now.Add(time.Hour))})
}

func records(collection string, id ...string) string {
	return "/api/collections/" + collection + "/records" + strings.Join(append([]string{""}, id...), "/")
}

func idOf(a gatetest.Answer) string {
	id, _ := a.Body["id"].(string)
	return id
}

const common = "password1234"

func passwords(old string) map[string]any {
	return map[string]any{"password": common, "passwordConfirm": common, "oldPassword": old}
}

func account(email, password string, more ...any) map[string]any {
	body := map[string]any{"email": email, "password": password, "passwordConfirm": password, "name": "New"}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return body
}

// cheats are tried against every guard whose id they name.
var cheats = []cheat{
	{"document.serve", "a file that is not released", func(r *run) {
		d := r.one("documents", r.document)
		if _, err := r.DB().NewQuery("UPDATE documents SET state = 'quarantined' WHERE id = {:id}").Bind(dbx.Params{"id": d.Id}).Execute(); err != nil {
			r.t.Fatal(err)
		}
		r.ask(nil, "GET", "/api/files/documents/"+d.Id+"/"+d.GetString("file")+"?token="+r.FileToken(r.t, r.Anna), nil)
	}},
	{"access.keep_wall_", "a manager decides on walls around herself", func(r *run) {
		r.ask(r.Mia, "POST", records("walls"), map[string]any{"staff": r.Mia.Id, "organization": r.Kestrel.Id, "reason": "Related"})
		r.ask(r.Mia, "PATCH", records("walls", r.spare["walls"]), map[string]any{"staff": r.Mia.Id})
		w := r.Add(r.t, "walls", map[string]any{"staff": r.Mia.Id, "organization": r.Kestrel.Id, "reason": "Related"})
		r.ask(r.Mia, "DELETE", records("walls", w.Id), nil)
	}},
	{"access.prove_", "a console that was left open", func(r *run) {
		r.later(func() {
			r.ask(r.Mia, "POST", records("walls"), map[string]any{"staff": r.Ines.Id, "organization": r.Kestrel.Id, "reason": "Related"})
			r.ask(r.Mia, "DELETE", records("walls", r.spare["walls"]), nil)
			r.ask(r.Pat, "PATCH", records("staff", r.spare["staff"]), map[string]any{"role": "owner"})
			r.ask(r.Pat, "POST", records("staff"), account("more@example.com", gatetest.Password, "role", "owner", "active", true))
			r.ask(r.Mia, "POST", records("memberships"), map[string]any{"user": r.Cleo.Id, "organization": r.Bluebell.Id, "role": "admin"})
			r.ask(r.Mia, "PATCH", records("memberships", r.vera), map[string]any{"role": "admin"})
			r.ask(r.Mia, "PATCH", records("organizations", r.Leeds.Id), map[string]any{"parent": r.Kestrel.Id})
			r.ask(r.Anna, "POST", records("delegations"), r.creating()["delegations"])
		})
	}},
	{"access.update_user access.update_staff", "every field of oneself", func(r *run) {
		for _, who := range []*core.Record{r.Anna, r.Sam} {
			for _, f := range who.Collection().Fields {
				if !f.GetSystem() {
					r.ask(who, "PATCH", records(who.Collection().Name, who.Id), map[string]any{f.GetName(): "owner"})
				}
			}
			r.ask(who, "PATCH", records(who.Collection().Name, who.Id), map[string]any{"duties": "partner"}) // also where there is no such thing yet
		}
	}},
	{"access.create_staff", "an account of a program that nobody made", func(r *run) {
		r.ask(r.Pat, "POST", records("staff"), account("more@example.com", gatetest.Password, "role", "manager", "active", true, "maker", r.Pat.Id))
	}},
	{"access.fill_organization", "an organization below itself, and one that the firm then sees", func(r *run) {
		r.ask(r.Mia, "PATCH", records("organizations", r.Bluebell.Id), map[string]any{"parent": r.Leeds.Id})
		r.ask(r.Mia, "PATCH", records("organizations", r.Bluebell.Id), map[string]any{"merged_into": r.Bluebell.Id})
		r.looks(r.Mia, "organizations", idOf(r.ask(r.Mia, "POST", records("organizations"), map[string]any{"name": "New", "parent": r.Kestrel.Id})))
	}},
	{"access.fill_membership", "a membership that moves", func(r *run) {
		r.looks(r.Mia, "memberships", idOf(r.ask(r.Mia, "POST", records("memberships"), map[string]any{"user": r.Cleo.Id, "organization": r.Bluebell.Id, "role": "viewer"})))
		r.ask(r.Sol, "PATCH", records("memberships", r.vera), map[string]any{"organization": r.Kestrel.Id, "status": ""})
	}},
	{"access.fill_delegation", "a delegation that never begins, to oneself, or of another's request", func(r *run) {
		loan := map[string]any{"from": r.Anna.Id, "to": r.Anna.Id, "organization": r.Bluebell.Id, "starts": "2020-01-01 00:00:00.000Z", "ends": "2020-02-01 00:00:00.000Z"}
		r.ask(r.Sol, "POST", records("delegations"), loan)
		r.ask(r.Sol, "PATCH", records("delegations", r.spare["delegations"]), map[string]any{"to": r.Anna.Id})
	}},
	{"access.derive_organization", "a client comes, moves and goes", func(r *run) {
		r.looks(r.Sam, "organizations", idOf(r.ask(r.Mia, "POST", records("organizations"), map[string]any{"name": "New"})))
		r.ask(r.Mia, "PATCH", records("organizations", r.Leeds.Id), map[string]any{"parent": r.Kestrel.Id})
		r.looks(r.Vera, "organizations", r.Leeds.Id)
		r.looks(r.Cleo, "organizations", r.Leeds.Id)
		gone := r.Add(r.t, "organizations", map[string]any{"name": "Gone"})
		r.delete(gone)
		r.counts(`access WHERE scope LIKE '%' || {:id}`, gone.Id)
	}},
	{"access.organization_ended", "a client that is archived", func(r *run) {
		r.Token(r.t, r.Cleo)
		r.ask(r.Mia, "PATCH", records("organizations", r.Kestrel.Id), map[string]any{"status": "archived"})
		r.live(r.Cleo.Id)
	}},
	{"access.derive_membership access.membership_ended_update", "a member comes, and is suspended", func(r *run) {
		r.ask(r.Mia, "POST", records("memberships"), map[string]any{"user": r.Cleo.Id, "organization": r.Bluebell.Id, "role": "viewer"})
		r.looks(r.Cleo, "client_requests", r.request)
		r.ask(r.Mia, "PATCH", records("memberships", r.vera), map[string]any{"status": "suspended"})
		r.live(r.Vera.Id)
		r.looks(r.Vera, "client_requests", r.request)
	}},
	{"access.derive_membership access.membership_ended_delete", "a member goes", func(r *run) {
		r.ask(r.Mia, "DELETE", records("memberships", r.vera), nil)
		r.live(r.Vera.Id)
		r.looks(r.Vera, "client_requests", r.request)
	}},
	{"access.derive_delegation access.delegation_ended_update", "powers are lent, and taken back", func(r *run) {
		zia := r.spared("users")
		loan := r.lend(zia)
		r.looks(zia, "client_requests", r.request)
		r.ask(r.Sol, "PATCH", records("delegations", loan.Id), map[string]any{"revoked": true})
		r.live(zia.Id)
		r.looks(zia, "client_requests", r.request)
	}},
	{"access.derive_delegation access.delegation_ended_delete", "powers are lent, and the loan is deleted", func(r *run) {
		zia := r.spared("users")
		loan := r.lend(zia)
		r.looks(zia, "client_requests", r.request)
		r.ask(r.Sol, "DELETE", records("delegations", loan.Id), nil)
		r.live(zia.Id)
		r.looks(zia, "client_requests", r.request)
	}},
	{"access.derive_staff access.account_changed_staff access.account_deleted_staff", "somebody joins the firm, leaves it, and is deleted", func(r *run) {
		if id := idOf(r.ask(r.Pat, "POST", records("staff"), account("more@example.com", gatetest.Password, "role", "viewer", "active", true))); id != "" {
			r.scopes(id)
		}
		r.Token(r.t, r.Ines)
		r.ask(r.Pat, "PATCH", records("staff", r.Ines.Id), map[string]any{"active": false})
		r.live(r.Ines.Id)
		r.scopes(r.Ines.Id)
		if _, err := r.DB().NewQuery("DELETE FROM walls WHERE id = {:id}").Bind(dbx.Params{"id": r.spare["walls"]}).Execute(); err != nil {
			r.t.Fatal(err)
		}
		zed := r.spared("staff")
		r.Token(r.t, zed)
		r.delete(zed)
		r.live(zed.Id)
		r.scopes(zed.Id)
	}},
	{"access.derive_wall", "a wall is built, moved and taken down", func(r *run) {
		zed := r.spared("staff")
		r.ask(r.Mia, "POST", records("walls"), map[string]any{"staff": r.Sam.Id, "organization": r.Bluebell.Id, "reason": "Related"})
		r.looks(r.Sam, "requests", r.request)
		r.ask(r.Sol, "PATCH", records("walls", r.spare["walls"]), map[string]any{"organization": r.Bluebell.Id})
		r.looks(zed, "requests", r.request)
		r.looks(zed, "organizations", r.Kestrel.Id)
		r.ask(r.Mia, "DELETE", records("walls", r.spare["walls"]), nil)
		r.looks(zed, "requests", r.request)
	}},
	{"access.account_changed access.account_deleted", "a password changes, an account goes", func(r *run) {
		for _, collection := range []string{"users", "_superusers"} {
			who := r.spared(collection)
			r.Token(r.t, who)
			r.ask(r.Sol, "PATCH", records(collection, who.Id), map[string]any{"password": "another horse battery", "passwordConfirm": "another horse battery"})
			r.live(who.Id)
			r.Token(r.t, r.spared(collection))
			r.delete(r.spared(collection))
			r.live(who.Id)
		}
	}},
	{"access.keep_password", "a password that everybody guesses", func(r *run) {
		r.ask(r.Sol, "POST", records("users"), account("more@example.com", common))
		r.ask(r.Sol, "POST", records("_superusers"), account("more@example.com", common))
		r.ask(r.Pat, "POST", records("staff"), account("more@example.com", common, "role", "viewer"))
		r.ask(r.Anna, "PATCH", records("users", r.Anna.Id), passwords(gatetest.Password))
		r.ask(r.Sam, "PATCH", records("staff", r.Sam.Id), passwords(gatetest.Password))
		r.ask(r.Sol, "PATCH", records("_superusers", r.spare["_superusers"]), passwords(gatetest.Password))
	}},
	{"access.keep_email", "an address that is spelt in another way", func(r *run) {
		for _, collection := range []string{"users", "staff"} {
			a := r.ask(r.Sol, "POST", records(collection), account("MORE@example.com", gatetest.Password, "role", "viewer"))
			r.note(a.Body["email"])
			a = r.ask(r.Sol, "PATCH", records(collection, r.spare[collection]), map[string]any{"email": "OTHER@example.com"})
			r.note(a.Body["email"])
		}
	}},
	{"access.ask_second", "staff sign in with a password alone", func(r *run) {
		r.ask(nil, "POST", "/api/collections/staff/auth-with-password", map[string]any{"identity": "sam@example.com", "password": gatetest.Password})
	}},
	{"access.issue_session", "a sign-in that nobody can end", func(r *run) {
		a := byPassword(r.t, r.Stage, "users", "anna")
		r.note(a.Status)
		token, _ := a.Body["token"].(string)
		r.ask(nil, "GET", "/api/portal/me", nil, "Authorization", token)
	}},
	{"access.issue_file_token", "a file token of no session", func(r *run) {
		a := r.ask(r.Anna, "POST", "/api/files/token", nil)
		token, _ := a.Body["token"].(string)
		d := r.one("documents", r.document)
		r.ask(nil, "GET", "/api/files/documents/"+d.Id+"/"+d.GetString("file")+"?token="+token, nil)
	}},
	{"access.slow_down", "many passwords", func(r *run) {
		for range 12 {
			r.note(tryPassword(r.t, r.Stage, "cleo@example.com", "wrong wrong wrong", "198.51.100.7:1").Status)
		}
	}},
	{"access.guard_codes", "many codes", func(r *run) {
		otp := askCode(r.t, r.Stage, "users", "cleo@example.com")
		for range 6 {
			r.Ask(r.t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": otp, "password": "000000"})
		}
		r.counts(`_otps WHERE id = {:id}`, otp)
	}},
	{"access.listen", "an open page after the sign-out", func(r *run) {
		client := r.House.Live.NewConnection()
		r.SubscriptionsBroker().Register(client)
		defer r.SubscriptionsBroker().Unregister(client.Id())
		r.ask(r.Anna, "POST", "/api/realtime", map[string]any{"clientId": client.Id(), "subscriptions": []string{"person/" + r.Anna.Id}})
		r.ask(r.Anna, "POST", "/api/portal/sign-out", nil)
		_, err := r.SubscriptionsBroker().ClientById(client.Id())
		r.note("still listens: ", err == nil)
	}},
	{"console.subscribe", "somebody listens to everything", func(r *run) {
		client := r.House.Live.NewConnection()
		r.SubscriptionsBroker().Register(client)
		defer r.SubscriptionsBroker().Unregister(client.Id())
		r.ask(r.Anna, "POST", "/api/realtime", map[string]any{"clientId": client.Id(), "subscriptions": []string{"messages/*"}})
	}},
	{"access.check_viewing", "staff look as a client", func(r *run) {
		a := asView(r.t, r.Stage, viewAs(r.t, r.Stage, r.Sam, r.Anna), "GET", "/api/portal/home", "")
		r.note(a.Code)
	}},
	{"access.check_program", "software at work, and where it has no business", func(r *run) {
		crm := people[slices.IndexFunc(people, func(p person) bool { return p.title == "program" })].who(r.Stage)
		r.ask(crm, "GET", "/api/portal/me", nil)
		r.looks(crm, "requests", r.request)
		r.ask(crm, "GET", "/api/portal/programs", nil)
		r.ask(crm, "POST", "/api/portal/view-as", map[string]any{"user": r.Anna.Id})
	}},
	{"access.check_session", "a token after the sign-out", func(r *run) {
		token := r.Token(r.t, r.Anna)
		r.ask(r.Anna, "POST", "/api/portal/sign-out", nil)
		r.ask(nil, "GET", "/api/portal/me", nil, "Authorization", token)
	}},
	{"access.offered", "PocketBase's own reset of a password", func(r *run) {
		r.ask(nil, "POST", "/api/collections/users/request-password-reset", map[string]any{"email": "anna@example.com"})
	}},
	{"access.refuse_impersonation", "a superuser signs in as Anna", func(r *run) {
		r.ask(r.Sol, "POST", "/api/collections/users/impersonate/"+r.Anna.Id, nil)
	}},
}
