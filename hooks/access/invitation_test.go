package access

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	_ "gatehouse/pb_migrations"
)

// house is a portal with a firm, a client and its people, and a clock to turn.
type house struct {
	*tests.TestApp
	t           *testing.T
	now         time.Time
	bluebell    string
	ruth        schema.Actor // manager
	tom         schema.Actor // operator
	facts       []Fact
	invitations *Invitations
	setup       *Setup
}

func newHouse(t *testing.T) *house {
	t.Helper()
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	h := &house{TestApp: app, t: t, now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	emit := func(_ core.App, f Fact) error { h.facts = append(h.facts, f); return nil }
	audit := func(tx core.App, e Trace) error {
		var n int
		if err := tx.DB().NewQuery(`SELECT COUNT(*) FROM audit_log`).Row(&n); err != nil {
			return err
		}
		return schema.Insert(tx, schema.AuditLog, map[string]any{
			"id": schema.NewID(), "seq": n + 1, "at": schema.Stamp(e.At), "actor_kind": string(e.Actor.Kind),
			"actor": e.Actor.ID, "action": e.Action, "collection": e.Collection, "record": e.Record, "change": schema.JSON(e.Change), "hash": "x",
		})
	}
	h.invitations = &Invitations{App: app, Clock: clock, Emit: emit, Audit: audit, BaseURL: func() string { return "https://portal.example/" }}
	h.setup = &Setup{App: app, Clock: clock, Audit: audit}
	return h
}

func (h *house) withPeople() *house {
	h.t.Helper()
	h.bluebell = h.save(schema.Organizations, map[string]any{"name": "Bluebell Bakery Ltd", "status": "active"})
	if err := schema.Update(h, schema.Organizations, h.bluebell, map[string]any{"path": "/" + h.bluebell + "/", "scope": h.bluebell}); err != nil {
		h.t.Fatal(err)
	}
	ruth := h.save(schema.Staff, map[string]any{"name": "Ruth", "email": "ruth@firm.example", "password": "a long sentence", "role": "manager", "active": true})
	tom := h.save(schema.Staff, map[string]any{"name": "Tom", "email": "tom@firm.example", "password": "a long sentence", "role": "operator", "active": true})
	h.ruth = schema.Actor{Kind: schema.ActorStaff, ID: ruth, Name: "Ruth"}
	h.tom = schema.Actor{Kind: schema.ActorStaff, ID: tom, Name: "Tom"}
	h.rebuild()
	return h
}

// rebuild derives access, which the guards do when the whole house is wired.
func (h *house) rebuild() {
	h.t.Helper()
	if err := h.RunInTransaction(func(tx core.App) error { return Rebuild(tx, h.now) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) save(collection string, data map[string]any) string {
	h.t.Helper()
	c, err := h.FindCollectionByNameOrId(collection)
	if err != nil {
		h.t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Load(data)
	if err := h.Save(r); err != nil {
		h.t.Fatal(err)
	}
	return r.Id
}

func (h *house) invite(email string) *core.Record {
	h.t.Helper()
	r, err := h.invitations.Invite(h.ruth, Invitee{Email: email, Organization: h.bluebell, Role: "admin", Duties: []string{"client_approver"}})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) token(id string) string {
	h.t.Helper()
	link, err := h.invitations.Link(h, id)
	if err != nil {
		h.t.Fatal(err)
	}
	token, found := strings.CutPrefix(link, "https://portal.example/invite/")
	if !found {
		h.t.Fatalf("link %q does not lead to the invitation page", link)
	}
	return token
}

func refused(t *testing.T, err error, code problem.Code) {
	t.Helper()
	var refusal *problem.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Fatalf("want refusal %s, got %v", code, err)
	}
}

func TestInvite(t *testing.T) {
	h := newHouse(t).withPeople()
	archived := h.save(schema.Organizations, map[string]any{"name": "Old Ltd", "status": "archived"})
	if err := schema.Update(h, schema.Organizations, archived, map[string]any{"path": "/" + archived + "/", "scope": archived}); err != nil {
		t.Fatal(err)
	}
	ben := h.save(schema.Users, map[string]any{"email": "Ben@bluebell.example", "name": "Ben", "password": "a long sentence"})
	h.save(schema.Memberships, map[string]any{"user": ben, "organization": h.bluebell, "role": "member", "status": "active"})
	h.rebuild()

	for _, c := range []struct {
		name  string
		actor schema.Actor
		in    Invitee
		code  problem.Code
	}{
		{"an operator does not invite", h.tom, Invitee{Email: "a@b.example", Organization: h.bluebell}, problem.Role},
		{"a client who is no admin does not invite", schema.Actor{Kind: schema.ActorUser, ID: ben}, Invitee{Email: "a@b.example", Organization: h.bluebell}, problem.NotYours},
		{"nobody signed in", schema.Actor{Kind: schema.ActorGuest}, Invitee{Email: "a@b.example", Organization: h.bluebell}, problem.SignIn},
		{"an address is needed", h.ruth, Invitee{Organization: h.bluebell}, problem.FieldMissing},
		{"an address looks like one", h.ruth, Invitee{Email: "Ana <ana@b.example>", Organization: h.bluebell}, problem.FieldInvalid},
		{"a role is one of three", h.ruth, Invitee{Email: "a@b.example", Organization: h.bluebell, Role: "owner"}, problem.FieldInvalid},
		{"an unknown organization is not there", h.ruth, Invitee{Email: "a@b.example", Organization: "nosuchthing0000"}, problem.NotFound},
		{"an archived organization takes nobody", h.ruth, Invitee{Email: "a@b.example", Organization: archived}, problem.BadInput},
		{"a member is in already, whatever the case of the address", h.ruth, Invitee{Email: "BEN@Bluebell.example", Organization: h.bluebell}, problem.Unique},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.invitations.Invite(c.actor, c.in)
			refused(t, err, c.code)
		})
	}
	if len(h.facts) != 0 {
		t.Fatalf("refusals reported %d facts", len(h.facts))
	}

	r := h.invite(" Ana@Bluebell.example ")
	if r.GetString("email") != "ana@bluebell.example" || r.GetString("status") != "queued" || r.GetInt("sent_count") != 1 || r.GetString("scope") != "staff:"+h.bluebell {
		t.Fatalf("stored %v", r.FieldsData())
	}
	if got := r.GetDateTime("expires").Time(); !got.Equal(h.now.Add(7 * 24 * time.Hour)) {
		t.Fatalf("expires %v", got)
	}
	if r.GetString("token_hash") != digest(h.token(r.Id)) {
		t.Fatal("the stored digest is not that of the link")
	}
	if len(h.facts) != 1 || h.facts[0].Type != "invitation.created" || h.facts[0].Payload["invitation"] != r.Id {
		t.Fatalf("facts %+v", h.facts)
	}
	_, err := h.invitations.Invite(h.ruth, Invitee{Email: "ana@bluebell.example", Organization: h.bluebell})
	refused(t, err, problem.Unique)
}

func TestInvite_walledManagerSeesNoOrganization(t *testing.T) {
	h := newHouse(t).withPeople()
	r := h.invite("ana@bluebell.example")
	h.save(schema.Walls, map[string]any{"staff": h.ruth.ID, "organization": h.bluebell, "reason": "conflict"})
	h.rebuild()
	_, err := h.invitations.Invite(h.ruth, Invitee{Email: "a@b.example", Organization: h.bluebell})
	refused(t, err, problem.NotFound)
	_, err = h.invitations.CopyLink(h.ruth, r.Id)
	refused(t, err, problem.NotFound)
}

func TestResend(t *testing.T) {
	h := newHouse(t).withPeople()
	r := h.invite("ana@bluebell.example")
	first := h.token(r.Id)
	for range 3 {
		h.now = h.now.Add(time.Minute)
		if _, err := h.invitations.Resend(h.ruth, r.Id); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h.invitations.Resend(h.ruth, r.Id)
	refused(t, err, problem.TooMany)
	if h.token(r.Id) == first {
		t.Fatal("a resend brings a new link")
	}
	for name, token := range map[string]string{"the newest link": h.token(r.Id), "the first link": first} {
		view, err := h.invitations.Look(token)
		if err != nil || view.Status != "open" {
			t.Fatalf("%s: %v %v", name, view.Status, err)
		}
	}
	h.now = h.now.Add(2 * time.Hour)
	again, err := h.invitations.Resend(h.ruth, r.Id)
	if err != nil || again.GetInt("sent_count") != 5 {
		t.Fatalf("an hour later: %v", err)
	}
	if _, err := h.invitations.Look(first[:10] + "A" + first[11:]); err == nil {
		t.Fatal("a forged token was taken")
	}
}

func TestLook_usesNothingUp(t *testing.T) {
	h := newHouse(t).withPeople()
	r := h.invite("ana@bluebell.example")
	token := h.token(r.Id)
	for range 3 {
		view, err := h.invitations.Look(token)
		if err != nil {
			t.Fatal(err)
		}
		want := InvitationView{
			Status: "open", Firm: "Gatehouse", OrganizationName: "Bluebell Bakery Ltd", InvitedByName: "Ruth", Role: "admin",
			RoleText: RoleText("admin"), Email: "ana@bluebell.example", Expires: "2026-12-08 09:00:00.000Z",
		}
		if view != want {
			t.Fatalf("view %+v", view)
		}
	}
	stored, _ := h.FindRecordById(schema.Invitations, r.Id)
	if stored.GetString("status") != "opened" || stored.GetString("opened_at") == "" {
		t.Fatalf("status %s", stored.GetString("status"))
	}
	if err := InvitationDelivered(h, r.Id, true, h.now); err != nil {
		t.Fatal(err)
	}
	stored, _ = h.FindRecordById(schema.Invitations, r.Id)
	if stored.GetString("status") != "opened" || stored.GetString("sent_at") == "" {
		t.Fatalf("a late delivery took %q back", stored.GetString("status"))
	}
	_, err := h.invitations.Look("no such token")
	refused(t, err, problem.NotFound)
}

func TestAccept(t *testing.T) {
	h := newHouse(t).withPeople()
	token := h.token(h.invite("ana@bluebell.example").Id)

	_, err := h.invitations.Accept(Acceptance{Token: token, Password: "a long sentence"}, "")
	refused(t, err, problem.FieldMissing)
	_, err = h.invitations.Accept(Acceptance{Token: token, Name: "Ana", Password: "Password123"}, "")
	refused(t, err, problem.FieldInvalid)

	user, err := h.invitations.Accept(Acceptance{Token: token, Name: " Ana  Petrova ", Password: "a long sentence"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if !user.Verified() || !user.EmailVisibility() || user.GetString("name") != "Ana Petrova" || !user.ValidatePassword("a long sentence") {
		t.Fatalf("user %v", user.FieldsData())
	}
	m, err := h.FindFirstRecordByData(schema.Memberships, "user", user.Id)
	if err != nil || m.GetString("status") != "active" || m.GetString("role") != "admin" || m.GetString("organization") != h.bluebell || m.GetString("duties") != `["client_approver"]` {
		t.Fatalf("membership %v %v", m, err)
	}
	if last := h.facts[len(h.facts)-1]; last.Type != "invitation.accepted" || last.Payload["user"] != user.Id || last.Actor.ID != user.Id {
		t.Fatalf("fact %+v", last)
	}
	_, err = h.invitations.Accept(Acceptance{Token: token, Name: "Ana"}, "")
	refused(t, err, problem.InvitationAccepted)
	if view, _ := h.invitations.Look(token); view.Status != "accepted" {
		t.Fatalf("status %s", view.Status)
	}
}

func TestAccept_existingAccountKeepsItsPassword(t *testing.T) {
	h := newHouse(t).withPeople()
	dev := h.save(schema.Users, map[string]any{"email": "dev@kestrel.example", "name": "Dev Rao", "password": "dev's own words", "verified": true})
	h.save(schema.Memberships, map[string]any{"user": dev, "organization": h.bluebell, "role": "viewer", "status": "suspended"})
	token := h.token(h.invite("DEV@kestrel.example").Id)
	if view, _ := h.invitations.Look(token); !view.HasAccount || view.Name != "Dev Rao" {
		t.Fatalf("view %+v", view)
	}
	user, err := h.invitations.Accept(Acceptance{Token: token, Name: "Mallory", Password: "another sentence"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if user.Id != dev || user.GetString("name") != "Dev Rao" || !user.ValidatePassword("dev's own words") {
		t.Fatal("an account that was proven keeps its name and password")
	}
	m, _ := h.FindFirstRecordByData(schema.Memberships, "user", dev)
	if m.GetString("status") != "active" || m.GetString("role") != "admin" {
		t.Fatalf("membership %v", m.FieldsData())
	}
}

func TestAccept_unprovenAccountTakesTheNewPassword(t *testing.T) {
	h := newHouse(t).withPeople()
	h.save(schema.Users, map[string]any{"email": "eve@bluebell.example", "name": "Eve", "password": "set by a stranger"})
	user, err := h.invitations.Accept(Acceptance{Token: h.token(h.invite("eve@bluebell.example").Id), Password: "eve's own words"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if user.ValidatePassword("set by a stranger") || !user.ValidatePassword("eve's own words") || !user.Verified() {
		t.Fatal("whoever proves the mailbox sets the password")
	}
}

func TestAccept_onceEvenWhenRaced(t *testing.T) {
	h := newHouse(t).withPeople()
	token := h.token(h.invite("ana@bluebell.example").Id)
	var wins, losses int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			_, err := h.invitations.Accept(Acceptance{Token: token, Name: "Ana"}, "")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				wins++
			} else {
				losses++
			}
		})
	}
	wg.Wait()
	if wins != 1 || losses != 4 {
		t.Fatalf("%d won, %d lost", wins, losses)
	}
}

func TestInvitation_ends(t *testing.T) {
	h := newHouse(t).withPeople()
	withdrawn := h.invite("a@bluebell.example")
	old := h.invite("b@bluebell.example")
	withdrawnToken, oldToken := h.token(withdrawn.Id), h.token(old.Id)
	if _, err := h.invitations.Revoke(h.ruth, withdrawn.Id); err != nil {
		t.Fatal(err)
	}
	_, err := h.invitations.Accept(Acceptance{Token: withdrawnToken, Name: "A"}, "")
	refused(t, err, problem.InvitationEnded)
	_, err = h.invitations.Resend(h.ruth, withdrawn.Id)
	refused(t, err, problem.InvitationEnded)

	if err := h.invitations.Renew(oldToken, ""); err != nil {
		t.Fatal(err)
	}
	before := len(h.facts)
	h.now = h.now.Add(8 * 24 * time.Hour)
	_, err = h.invitations.Accept(Acceptance{Token: oldToken, Name: "B"}, "")
	refused(t, err, problem.InvitationEnded)
	for range 2 {
		if err := h.invitations.Renew(oldToken, ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.facts) != before+1 || h.facts[before].Type != "invitation.renewal_asked" {
		t.Fatalf("asked %d times", len(h.facts)-before)
	}
	if _, err := h.invitations.Resend(h.ruth, old.Id); err != nil {
		t.Fatal(err)
	}
	if view, _ := h.invitations.Look(oldToken); view.Status != "open" {
		t.Fatalf("after a resend the link in hand works again, got %s", view.Status)
	}
	h.now = h.now.Add(8 * 24 * time.Hour)
	if err := ExpireInvitations(h, h.now); err != nil {
		t.Fatal(err)
	}
	stored, _ := h.FindRecordById(schema.Invitations, old.Id)
	if stored.GetString("status") != "expired" {
		t.Fatalf("status %s", stored.GetString("status"))
	}
}

func TestSetup(t *testing.T) {
	h := newHouse(t)
	first, needed, err := EnsureSetupLink(h, "https://portal.example", "")
	if err != nil || !needed {
		t.Fatal(needed, err)
	}
	second, _, err := EnsureSetupLink(h, "https://portal.example/", "")
	if err != nil {
		t.Fatal(err)
	}
	token := func(link string) string { return strings.TrimPrefix(link, "https://portal.example/setup/") }
	refused(t, h.setup.Check(h, token(first)), problem.NotFound)
	if err := h.setup.Check(h, token(second)); err != nil {
		t.Fatal(err)
	}

	in := FirstOwner{Token: token(second), Firm: "Harbour & Finch", Name: "Helen Finch", Email: "Helen@harbour.example", Password: "a long sentence", Timezone: "Europe/London"}
	_, err = h.setup.Complete(FirstOwner{Token: token(second)}, "")
	refused(t, err, problem.FieldMissing)

	var wins int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := h.setup.Complete(in, ""); err == nil {
				mu.Lock()
				wins++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if wins != 1 {
		t.Fatalf("%d first owners", wins)
	}
	owner, err := h.FindAuthRecordByEmail(schema.Staff, "helen@harbour.example")
	if err != nil || owner.GetString("role") != "owner" || !owner.GetBool("active") || !owner.ValidatePassword("a long sentence") {
		t.Fatalf("owner %v %v", owner, err)
	}
	var duties []string
	if err := json.Unmarshal([]byte(owner.GetString("duties")), &duties); err != nil || len(duties) != 4 {
		t.Fatalf("duties %v", duties)
	}
	firm, err := FirmOf(h)
	if err != nil || firm.Name != "Harbour & Finch" || firm.Timezone != "Europe/London" || firm.Accent != "#0b5f59" || firm.ContactEmail != "helen@harbour.example" {
		t.Fatalf("firm %+v", firm)
	}
	link, needed, err := EnsureSetupLink(h, "https://portal.example", "")
	if link != "" || needed || err != nil {
		t.Fatal("set-up works once")
	}
	refused(t, h.setup.Check(h, token(second)), problem.NotFound)
}

func TestSecret_isMadeOnce(t *testing.T) {
	h := newHouse(t)
	var wg sync.WaitGroup
	seen := make([]string, 6)
	for i := range seen {
		wg.Go(func() {
			s, err := Secret(h)
			if err != nil {
				t.Error(err)
			}
			seen[i] = string(s)
		})
	}
	wg.Wait()
	for _, s := range seen {
		if len(s) != 32 || s != seen[0] {
			t.Fatal("two secrets")
		}
	}
}

func TestCheckPassword(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		ok       bool
	}{
		"nine characters are too few":                 {"ninechars", false},
		"a sentence is good":                          {"the goat eats roses", true},
		"ten characters of another script are enough": {"пароль-соб", true},
		"the most common ones are refused":            {"QwertyUiop", false},
		"the address is no password":                  {"ana@bluebell.example", false},
		"one character again and again":               {"kkkkkkkkkkkk", false},
		"more bytes than are hashed":                  {strings.Repeat("ж", 40), false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := CheckPassword(c.password, "Ana@bluebell.example"); (err == nil) != c.ok {
				t.Fatal(err)
			}
		})
	}
}
