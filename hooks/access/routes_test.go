package access

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// door is the house's real router.
func (h *house) door() http.Handler {
	h.t.Helper()
	r, err := apis.NewRouter(h)
	if err != nil {
		h.t.Fatal(err)
	}
	r.GET("/api/portal/me", MeRoute(h.setup.Clock))
	r.GET("/api/portal/firm", FirmRoute(false))
	r.POST("/api/portal/setup", h.setup.CompleteRoute)
	r.POST("/api/portal/setup/look", h.setup.LookRoute)
	r.POST("/api/portal/invitations", h.invitations.InviteRoute)
	r.POST("/api/portal/invitations/{id}/resend", h.invitations.ResendRoute)
	r.POST("/api/portal/invitations/{id}/revoke", h.invitations.RevokeRoute)
	r.GET("/api/portal/invitations/{id}/link", h.invitations.LinkRoute)
	r.POST("/api/portal/invitations/look", h.invitations.LookRoute)
	r.POST("/api/portal/invitations/accept", h.invitations.AcceptRoute)
	r.POST("/api/portal/invitations/renew", h.invitations.RenewRoute)
	mux, err := r.BuildMux()
	if err != nil {
		h.t.Fatal(err)
	}
	return mux
}

func (h *house) call(door http.Handler, auth, method, path, body string) (int, string) {
	h.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func (h *house) auth(collection, id string) string {
	h.t.Helper()
	record, err := h.FindRecordById(collection, id)
	if err != nil {
		h.t.Fatal(err)
	}
	token, err := record.NewAuthToken()
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func TestRoutes_fromSetupToTheFirstClient(t *testing.T) {
	h := newHouse(t)
	door := h.door()
	link, _, err := EnsureSetupLink(h, "https://portal.example", "")
	if err != nil {
		t.Fatal(err)
	}
	setupToken := strings.TrimPrefix(link, "https://portal.example/setup/")

	var owner, ana struct {
		Token  string
		Record struct{ ID string }
	}
	step := func(name, auth, method, path, body string, status int, contains ...string) string {
		t.Helper()
		code, answer := h.call(door, auth, method, path, body)
		if code != status {
			t.Fatalf("%s: %d %s", name, code, answer)
		}
		for _, part := range contains {
			if !strings.Contains(answer, part) {
				t.Fatalf("%s: %s is not in %s", name, part, answer)
			}
		}
		return answer
	}
	read := func(answer string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(answer), into); err != nil {
			t.Fatal(err)
		}
	}

	step("an empty portal says so", "", "GET", "/api/portal/firm", "", 200, `"needs_setup":true`, `"mail":"none"`, `"accent":"#0b5f59"`)
	step("a wrong set-up link", "", "POST", "/api/portal/setup/look", `{"token":"x"}`, 404)
	step("the set-up link works", "", "POST", "/api/portal/setup/look", `{"token":"`+setupToken+`"}`, 200)
	read(step("the first owner is signed in", "", "POST", "/api/portal/setup",
		`{"token":"`+setupToken+`","firm":"Harbour & Finch","name":"Helen","email":"helen@harbour.example","password":"a long sentence"}`, 200, `"role":"owner"`), &owner)
	step("the firm has a name now", "", "GET", "/api/portal/firm", "", 200, `"needs_setup":false`, `"name":"Harbour`)
	step("once", "", "POST", "/api/portal/setup", `{"token":"`+setupToken+`","firm":"X","name":"Y","email":"y@x.example","password":"a long sentence"}`, 404)
	step("the owner is staff", owner.Token, "GET", "/api/portal/me", "", 200, `"kind":"staff"`, `"role":"owner"`, `"duties":["handler",`)
	step("nobody is nobody", "", "GET", "/api/portal/me", "", 401, "Sign in first.")

	h.bluebell = h.save(schema.Organizations, map[string]any{"name": "Bluebell Bakery Ltd", "status": "active"})
	if err := schema.Update(h, schema.Organizations, h.bluebell, map[string]any{"path": "/" + h.bluebell + "/", "scope": h.bluebell}); err != nil {
		t.Fatal(err)
	}
	h.rebuild()
	var invitation struct{ ID string }
	read(step("the owner invites", owner.Token, "POST", "/api/portal/invitations", `{"email":"ana@bluebell.example","organization":"`+h.bluebell+`"}`, 200,
		`"status":"queued"`, `"sent_count":1`, `"invited_by_name":"Helen"`, `"role":"member"`), &invitation)
	step("nobody reads the link", "", "GET", "/api/portal/invitations/"+invitation.ID+"/link", "", 401)
	step("sent again", owner.Token, "POST", "/api/portal/invitations/"+invitation.ID+"/resend", "", 200, `"sent_count":2`)
	var copied struct{ Link string }
	read(step("the owner copies the link", owner.Token, "GET", "/api/portal/invitations/"+invitation.ID+"/link", "", 200), &copied)
	token := strings.TrimPrefix(copied.Link, "https://portal.example/invite/")

	step("Ana looks", "", "POST", "/api/portal/invitations/look", `{"token":"`+token+`"}`, 200, `"status":"open"`, `"firm":"Harbour`, `"has_account":false`)
	step("a short password is refused by name", "", "POST", "/api/portal/invitations/accept", `{"token":"`+token+`","name":"Ana","password":"short"}`, 400, `"password":{`, `"code":"field_invalid"`)
	read(step("Ana accepts and is signed in", "", "POST", "/api/portal/invitations/accept", `{"token":"`+token+`","name":"Ana Petrova"}`, 200, `"email":"ana@bluebell.example"`), &ana)
	step("Ana knows where she belongs", ana.Token, "GET", "/api/portal/me", "", 200, `"kind":"user"`, `"name":"Bluebell Bakery Ltd","role":"member"`, `"needs":0`)
	step("a client who looks after nobody sees no organization to invite to", ana.Token, "POST", "/api/portal/invitations", `{"email":"b@bluebell.example","organization":"`+h.bluebell+`"}`, 404)
	step("used up", "", "POST", "/api/portal/invitations/accept", `{"token":"`+token+`"}`, 400, "used already")
	step("an accepted one is not withdrawn", owner.Token, "POST", "/api/portal/invitations/"+invitation.ID+"/revoke", "", 400)
	step("an unknown one is not there", owner.Token, "POST", "/api/portal/invitations/nosuchthing0000/revoke", "", 404)
	step("a used link needs no renewal", "", "POST", "/api/portal/invitations/renew", `{"token":"`+token+`"}`, 400)
}

func TestMe_superuser(t *testing.T) {
	h := newHouse(t)
	id := h.save(core.CollectionNameSuperusers, map[string]any{"email": "sol@firm.example", "password": "a long sentence"})
	code, answer := h.call(h.door(), h.auth(core.CollectionNameSuperusers, id), "GET", "/api/portal/me", "")
	if code != 200 || !strings.Contains(answer, `"kind":"superuser"`) {
		t.Fatal(code, answer)
	}
}
