package hooks_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
)

const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

// signIn is a real sign-in by password; it gives the token.
func signIn(t *testing.T, s *gatetest.Stage, collection, name string, headers ...string) string {
	t.Helper()
	a := s.Ask(t, nil, "POST", "/api/collections/"+collection+"/auth-with-password", map[string]any{"identity": strings.ToLower(name) + "@example.com", "password": gatetest.Password}, append([]string{"User-Agent", agent}, headers...)...)
	want(t, a, 200)
	token, _ := a.Body["token"].(string)
	return token
}

// with asks as whoever holds a token.
func with(t *testing.T, s *gatetest.Stage, token, method, path string, body any) gatetest.Answer {
	t.Helper()
	return s.Ask(t, nil, method, path, body, "Authorization", token)
}

func sessions(t *testing.T, s *gatetest.Stage, token string) []map[string]any {
	t.Helper()
	a := with(t, s, token, "GET", "/api/portal/sessions", nil)
	want(t, a, 200)
	var out []map[string]any
	for _, x := range a.Body["items"].([]any) {
		out = append(out, x.(map[string]any))
	}
	return out
}

func TestSessions_areListedAndEndOneByOne(t *testing.T) {
	s := gatetest.New(t)
	phone, laptop, third := signIn(t, s, "users", "Anna"), signIn(t, s, "users", "Anna"), signIn(t, s, "users", "Anna")
	list := sessions(t, s, phone)
	if len(list) != 3 {
		t.Fatalf("%d sessions", len(list))
	}
	for _, x := range list {
		if x["device"] != "Firefox on Windows" || x["method"] != "password" || (x["current"] == true) != (x["id"] == access.SessionIn(phone)) {
			t.Errorf("%v", x)
		}
	}
	// Another person's session is not there.
	want(t, with(t, s, signIn(t, s, "users", "Cleo"), "DELETE", "/api/portal/sessions/"+access.SessionIn(laptop), nil), 404)
	want(t, with(t, s, laptop, "GET", "/api/portal/me", nil), 200)

	want(t, with(t, s, phone, "DELETE", "/api/portal/sessions/"+access.SessionIn(laptop), nil), 204)
	want(t, with(t, s, laptop, "GET", "/api/portal/me", nil), 401)
	want(t, with(t, s, phone, "DELETE", "/api/portal/sessions/"+access.SessionIn(laptop), nil), 404)
	want(t, with(t, s, third, "GET", "/api/portal/me", nil), 200)
	if a := with(t, s, phone, "DELETE", "/api/portal/sessions", nil); a.Status != 200 || a.Body["ended"] != 1.0 {
		t.Fatalf("all others: %d %s", a.Status, a.Raw)
	}
	want(t, with(t, s, third, "GET", "/api/portal/me", nil), 401)
	want(t, with(t, s, phone, "POST", "/api/portal/sign-out", nil), 204)
	want(t, with(t, s, phone, "GET", "/api/portal/me", nil), 401)
	want(t, with(t, s, phone, "POST", "/api/portal/sign-out", nil), 204)
	var n int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_out' AND record = {:id}`, s.Anna.Id, &n)
	if n != 3 {
		t.Errorf("%d sign-outs on the trail", n)
	}
}

// A session that is over opens nothing, wherever its token is shown; only what
// is open to everybody still answers.
func TestSessions_overIsOverEverywhere(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	for _, c := range []struct{ collection, name string }{{"users", "Anna"}, {"_superusers", "Sol"}} {
		token := signIn(t, s, c.collection, c.name)
		fresh := with(t, s, token, "POST", "/api/collections/"+c.collection+"/auth-refresh", nil)
		want(t, fresh, 200)
		renewed := fresh.Body["token"].(string)
		if access.SessionIn(renewed) != access.SessionIn(token) {
			t.Fatal("renewing a token changes the session")
		}
		file := with(t, s, token, "POST", "/api/files/token", nil)
		want(t, file, 200)
		d, err := s.FindFirstRecordByData("documents", "request", id)
		if err != nil {
			t.Fatal(err)
		}
		address := "/api/files/documents/" + d.Id + "/" + d.GetString("file") + "?token=" + file.Body["token"].(string)
		want(t, s.Ask(t, nil, "GET", address, nil), 200)
		want(t, with(t, s, token, "POST", "/api/portal/sign-out", nil), 204)
		want(t, s.Ask(t, nil, "GET", address, nil), 404)
		for _, x := range [][2]string{
			{"GET", "/api/portal/me"},
			{"GET", "/api/portal/home"},
			{"GET", "/api/collections/client_requests/records"},
			{"GET", "/api/collections/client_requests/records/" + id},
			{"POST", "/api/collections/" + c.collection + "/auth-refresh"},
			{"POST", "/api/files/token"},
			{"POST", "/api/realtime"},
			{"POST", "/api/batch"},
			{"GET", "/api/settings"},
		} {
			for _, shown := range []string{token, renewed, "Bearer " + token} {
				if a := with(t, s, shown, x[0], x[1], nil); a.Status != 401 {
					t.Errorf("%s %s %s: %d", c.name, x[0], x[1], a.Status)
				}
			}
		}
		want(t, with(t, s, token, "GET", "/api/portal/firm", nil), 200)
		again := with(t, s, token, "POST", "/api/collections/"+c.collection+"/auth-with-password", map[string]any{"identity": strings.ToLower(c.name) + "@example.com", "password": gatetest.Password})
		want(t, again, 200)
	}
}

// A token that names no session, as PocketBase itself makes them, and one that
// names another person's, are refused.
func TestSessions_tokensWithoutOne(t *testing.T) {
	s := gatetest.New(t)
	for _, who := range []*core.Record{s.Anna, s.Sam, s.Sol} {
		plain, err := who.NewAuthToken()
		if err != nil {
			t.Fatal(err)
		}
		static, err := who.NewStaticAuthToken(time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{plain, static} {
			want(t, with(t, s, token, "GET", "/api/portal/me", nil), 401)
			want(t, with(t, s, token, "POST", "/api/collections/"+who.Collection().Name+"/auth-refresh", nil), 401)
		}
	}
	want(t, s.Ask(t, s.Sol, "POST", "/api/collections/users/impersonate/"+s.Anna.Id, map[string]any{}), 403)
	want(t, s.Ask(t, s.Sol, "POST", "/api/collections/staff/impersonate/"+s.Pat.Id, map[string]any{}), 403)
}

// A restart changes nothing: what was open stays, what was ended stays ended.
func TestSessions_surviveTheServer(t *testing.T) {
	s := gatetest.New(t)
	open, over := signIn(t, s, "users", "Anna"), signIn(t, s, "users", "Anna")
	want(t, with(t, s, over, "POST", "/api/portal/sign-out", nil), 204)
	// Raw SQL ends one like the page does.
	raw := signIn(t, s, "users", "Anna")
	if _, err := s.DB().NewQuery(`UPDATE sessions SET ended = '2026-01-01 00:00:00.000Z' WHERE id = {:id}`).Bind(dbx.Params{"id": access.SessionIn(raw)}).Execute(); err != nil {
		t.Fatal(err)
	}
	if err := s.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	if err := s.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	want(t, with(t, s, open, "GET", "/api/portal/me", nil), 200)
	want(t, with(t, s, over, "GET", "/api/portal/me", nil), 401)
	want(t, with(t, s, raw, "GET", "/api/portal/me", nil), 401)
}

// When nothing is left to see, the sign-ins end too; with something left they stay.
func TestSessions_endWithTheLastMembership(t *testing.T) {
	for _, how := range []string{"suspended", "deleted"} {
		s := gatetest.New(t)
		token := signIn(t, s, "users", "Anna")
		m, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": s.Anna.Id})
		if err != nil {
			t.Fatal(err)
		}
		end := func(id string) {
			t.Helper()
			if how == "deleted" {
				want(t, s.Ask(t, s.Mia, "DELETE", "/api/collections/memberships/records/"+id, nil), 204)
				return
			}
			want(t, s.Ask(t, s.Mia, "PATCH", "/api/collections/memberships/records/"+id, map[string]any{"status": "suspended"}), 200)
		}
		other := s.Ask(t, s.Mia, "POST", "/api/collections/memberships/records", map[string]any{"user": s.Anna.Id, "organization": s.Kestrel.Id, "role": "viewer"})
		want(t, other, 200)
		end(m.Id)
		want(t, with(t, s, token, "GET", "/api/portal/me", nil), 200)
		end(other.Body["id"].(string))
		want(t, with(t, s, token, "GET", "/api/portal/me", nil), 401)
		want(t, with(t, s, token, "POST", "/api/collections/users/auth-refresh", nil), 401)
	}
}

func TestSessions_endWhenStaffAreDeactivated(t *testing.T) {
	s := gatetest.New(t)
	t.Setenv("GATEHOUSE_STAFF_SECOND_FACTOR", "optional")
	token := signIn(t, s, "staff", "Sam")
	want(t, with(t, s, token, "GET", "/api/portal/queue", nil), 200)
	want(t, s.Ask(t, s.Pat, "PATCH", "/api/collections/staff/records/"+s.Sam.Id, map[string]any{"active": false}), 200)
	want(t, with(t, s, token, "GET", "/api/portal/queue", nil), 401)
	// Raw SQL ends no session, but the account is looked at too.
	token = signIn(t, s, "staff", "Ruth")
	if _, err := s.DB().NewQuery(`UPDATE staff SET active = 0 WHERE id = {:id}`).Bind(dbx.Params{"id": s.Ruth.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	want(t, with(t, s, token, "GET", "/api/portal/queue", nil), 401)
}

// A new password keeps the device on which it was chosen, and no other.
func TestSessions_newPasswordEndsTheOthers(t *testing.T) {
	s := gatetest.New(t)
	mine, other := signIn(t, s, "users", "Anna"), signIn(t, s, "users", "Anna")
	fresh := map[string]any{"old": gatetest.Password, "password": "another sentence altogether"}
	if a := with(t, s, mine, "POST", "/api/portal/password", map[string]any{"old": "not it at all", "password": fresh["password"]}); a.Status != 400 || a.Code("old") != "proof_wrong" {
		t.Fatalf("a wrong old one: %d %s", a.Status, a.Raw)
	}
	if a := with(t, s, mine, "POST", "/api/portal/password", map[string]any{"old": gatetest.Password, "password": "Password1234"}); a.Status != 400 || a.Code("password") != "field_invalid" {
		t.Fatalf("a common one: %d %s", a.Status, a.Raw)
	}
	a := with(t, s, mine, "POST", "/api/portal/password", fresh)
	want(t, a, 200)
	renewed := a.Body["token"].(string)
	want(t, with(t, s, renewed, "GET", "/api/portal/me", nil), 200)
	want(t, with(t, s, mine, "GET", "/api/portal/me", nil), 401)
	want(t, with(t, s, other, "GET", "/api/portal/me", nil), 401)
	if list := sessions(t, s, renewed); len(list) != 1 || list[0]["id"] != access.SessionIn(mine) {
		t.Fatalf("sessions %v", list)
	}
	// By the record API the own one ends too: PocketBase voids every token.
	want(t, with(t, s, renewed, "PATCH", "/api/collections/users/records/"+s.Anna.Id, map[string]any{"oldPassword": fresh["password"], "password": "a third sentence here", "passwordConfirm": "a third sentence here"}), 200)
	want(t, with(t, s, renewed, "GET", "/api/portal/me", nil), 401)
	var n int
	scan(t, s.App(), `SELECT COUNT(*) FROM sessions WHERE principal = {:id} AND ended = ''`, s.Anna.Id, &n)
	if n != 0 {
		t.Errorf("%d sessions look open", n)
	}
}

// When it was last used is remembered without a write for each call.
func TestSessions_lastSeen(t *testing.T) {
	s := gatetest.New(t)
	token := signIn(t, s, "users", "Anna")
	s.Clock.Move(3 * time.Hour)
	want(t, with(t, s, token, "GET", "/api/portal/me", nil), 200)
	now := s.Clock.Now().Format("2006-01-02 15:04:05.000Z")
	if seen := sessions(t, s, token)[0]["last_seen"]; seen != now {
		t.Errorf("seen %v, not %v", seen, now)
	}
	var stored string
	read := func() string {
		scan(t, s.App(), `SELECT last_seen FROM sessions WHERE id = {:id}`, access.SessionIn(token), &stored)
		return stored
	}
	if read() == now {
		t.Error("a call wrote")
	}
	if err := s.House.Sessions.Flush(); err != nil {
		t.Fatal(err)
	}
	if read() != now {
		t.Errorf("after the tick: %s", stored)
	}
}

// live opens a real live connection as somebody, subscribed to the own topic;
// gone closes when the server ends it.
func live(t *testing.T, server *httptest.Server, who, token string) (gone chan struct{}, lines chan string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	gone, lines = make(chan struct{}), make(chan string, 100)
	go func() {
		defer close(gone)
		defer answer.Body.Close()
		scanner := bufio.NewScanner(answer.Body)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	id := ""
	for line := range lines {
		if text, ok := strings.CutPrefix(line, `data:{"clientId":"`); ok {
			id = strings.TrimSuffix(text, `"}`)
			break
		}
	}
	r, err = http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/realtime", strings.NewReader(`{"clientId":"`+id+`","subscriptions":["person/`+who+`"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", token)
	subscribed, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer subscribed.Body.Close()
	if subscribed.StatusCode != http.StatusNoContent {
		t.Fatalf("subscribe: %d", subscribed.StatusCode)
	}
	return gone, lines
}

func TestSessions_liveConnectionsClose(t *testing.T) {
	s := gatetest.New(t)
	server := httptest.NewServer(s.Handler(t))
	defer server.Close()
	token, other := signIn(t, s, "users", "Anna"), signIn(t, s, "users", "Anna")
	gone, lines := live(t, server, s.Anna.Id, token)
	still, _ := live(t, server, s.Anna.Id, other)
	want(t, with(t, s, token, "POST", "/api/portal/sign-out", nil), 204)
	<-gone
	told := false
	for len(lines) > 0 {
		if strings.Contains(<-lines, "signed_out") {
			told = true
		}
	}
	if !told {
		t.Error("the page was not told")
	}
	select {
	case <-still:
		t.Fatal("another session's connection closed as well")
	default:
	}
	m, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": s.Anna.Id})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s.Ask(t, s.Mia, "DELETE", "/api/collections/memberships/records/"+m.Id, nil), 204)
	<-still
}
