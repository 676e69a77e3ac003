package hooks_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/hooks/gatetest"
)

// tryPassword sends a password from an address, with the cookies of a browser.
func tryPassword(t *testing.T, s *gatetest.Stage, email, password, from string, cookies ...*http.Cookie) gatetest.Answer {
	t.Helper()
	var jar []string
	for _, c := range cookies {
		jar = append(jar, c.Name+"="+c.Value)
	}
	return s.Ask(t, nil, "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": email, "password": password}, gatetest.Peer, from, "Cookie", strings.Join(jar, "; "))
}

func cookiesOf(a gatetest.Answer) []*http.Cookie {
	return (&http.Response{Header: a.Header}).Cookies()
}

// A stranger who tries passwords is slowed down; the owner of the account is not,
// neither at a device that was used before nor by a code.
func TestLockout_aStrangerLocksNobodyOut(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	home := tryPassword(t, s, "anna@example.com", gatetest.Password, "192.0.2.10:1")
	want(t, home, 200)
	device := cookiesOf(home)
	if len(device) != 1 || !device[0].HttpOnly || device[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("cookies %v", device)
	}
	for n := range 6 {
		if a := tryPassword(t, s, "anna@example.com", "wrong wrong wrong", "198.51.100.7:1"); a.Status != 400 {
			t.Fatalf("try %d: %d", n, a.Status)
		}
	}
	held := tryPassword(t, s, "anna@example.com", gatetest.Password, "198.51.100.7:1")
	if want(t, held, 429); held.Header.Get("Retry-After") == "" || !strings.Contains(held.Message(), "code from your email") {
		t.Fatalf("%v %s", held.Header, held.Raw)
	}
	// From everywhere at once: then unknown places wait, even with the right password.
	for n := range 30 {
		tryPassword(t, s, "anna@example.com", "wrong wrong wrong", fmt.Sprintf("203.0.113.%d:1", n))
	}
	want(t, tryPassword(t, s, "anna@example.com", gatetest.Password, "198.51.100.99:1"), 429)
	// A browser that has signed in before, wherever it is, and an address that has.
	want(t, tryPassword(t, s, "anna@example.com", gatetest.Password, "198.51.100.98:1", device...), 200)
	want(t, tryPassword(t, s, "anna@example.com", gatetest.Password, "192.0.2.10:1"), 200)
	// Its cookie helps with no other account.
	for range 6 {
		tryPassword(t, s, "cleo@example.com", "wrong wrong wrong", "198.51.100.7:1", device...)
	}
	want(t, tryPassword(t, s, "cleo@example.com", gatetest.Password, "198.51.100.7:1", device...), 429)
	// A code works, and clears the counts.
	otp := askCode(t, s, "users", "anna@example.com")
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": otp, "password": newest(1)}, gatetest.Peer, "198.51.100.97:1"), 200)
	want(t, tryPassword(t, s, "anna@example.com", gatetest.Password, "198.51.100.96:1"), 200)

	// Owners are told, once.
	var told int
	scan(t, s.App(), `SELECT COUNT(*) FROM events WHERE type = {:id}`, "sign_in.attacked", &told)
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	s.Deliver(t)
	scan(t, s.App(), `SELECT COUNT(*) FROM notifications WHERE staff = {:id} AND title LIKE '%password%'`, s.Pat.Id, &told)
	if told == 0 {
		t.Error("the owner was not told")
	}
}

// Whether there is such an account makes no difference to any answer.
func TestLockout_tellsNothing(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	for n := range 8 {
		known := tryPassword(t, s, "anna@example.com", "wrong wrong wrong", "198.51.100.7:1")
		unknown := tryPassword(t, s, "nobody@example.com", "wrong wrong wrong", "198.51.100.7:1")
		if known.Status != unknown.Status || fmt.Sprint(known.Body) != fmt.Sprint(unknown.Body) || known.Header.Get("Retry-After") != unknown.Header.Get("Retry-After") {
			t.Fatalf("try %d: %d %s, %d %s", n, known.Status, known.Raw, unknown.Status, unknown.Raw)
		}
	}
	for _, collection := range []string{"users", "staff"} {
		known := s.Ask(t, nil, "POST", "/api/collections/"+collection+"/request-otp", map[string]any{"email": map[string]string{"users": "anna", "staff": "sam"}[collection] + "@example.com"})
		unknown := s.Ask(t, nil, "POST", "/api/collections/"+collection+"/request-otp", map[string]any{"email": "nobody@example.com"})
		if known.Status != unknown.Status || len(known.Raw) != len(unknown.Raw) {
			t.Errorf("%s: %s, %s", collection, known.Raw, unknown.Raw)
		}
	}
	newest(2) // those whom there are, and nobody else
}

// The fifth wrong try makes a code void, from wherever they come; the owner's
// other code still works.
func TestLockout_codesBearFiveTries(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	attacked := askCode(t, s, "users", "anna@example.com")
	right := newest(1)
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	for n := range 5 {
		a := s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": attacked, "password": wrong}, gatetest.Peer, fmt.Sprintf("203.0.113.%d:1", n))
		want(t, a, 400)
	}
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": attacked, "password": right}, gatetest.Peer, "203.0.113.77:1"), 400)
	own := askCode(t, s, "users", "anna@example.com")
	done := map[string]any{"otpId": own, "password": newest(2)}
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", done), 200)
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", done), 400) // once
	var failed int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in_failed' AND record = {:id}`, s.Anna.Id, &failed)
	if failed != 5 {
		t.Errorf("%d failures on the trail", failed)
	}
}

// However an address is spelt, it is one person.
func TestEmail_isOnePersonHoweverSpelt(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	for _, email := range []string{"Anna@Example.COM", "ＡＮＮＡ@example.com", " anna@example.com"} {
		if strings.TrimSpace(email) == email {
			want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": email, "password": gatetest.Password}), 200)
		}
		a := s.Ask(t, s.Pat, "POST", "/api/portal/invitations", map[string]any{"email": email, "organization": s.Bluebell.Id})
		if want(t, a, 400); !strings.Contains(a.Message(), "access to Bluebell Bakery already") {
			t.Errorf("%s: %s", email, a.Raw)
		}
	}
	otp := askCode(t, s, "users", "ANNA@example.com")
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": otp, "password": newest(1)}), 200)
	a := s.Ask(t, s.Sol, "POST", "/api/collections/users/records", map[string]any{"email": "ANNA@Example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "Second"})
	if want(t, a, 400); a.Code("email") == "" {
		t.Errorf("%s", a.Raw)
	}
}

// Wherever a password is set, the same is asked of it.
func TestPassword_isAskedTheSameEverywhere(t *testing.T) {
	s := gatetest.New(t)
	for _, password := range []string{"short", "password1234", "aaaaaaaaaaaaaa", "ANNA@example.com"} {
		both := map[string]any{"oldPassword": gatetest.Password, "password": password, "passwordConfirm": password}
		want(t, s.Ask(t, s.Anna, "PATCH", "/api/collections/users/records/"+s.Anna.Id, both), 400)
		want(t, s.Ask(t, s.Sol, "PATCH", "/api/collections/users/records/"+s.Anna.Id, both), 400)
		want(t, s.Ask(t, s.Anna, "POST", "/api/portal/password", map[string]any{"old": gatetest.Password, "password": password}), 400)
		batch := s.Ask(t, s.Anna, "POST", "/api/batch", map[string]any{"requests": []any{map[string]any{"method": "PATCH", "url": "/api/collections/users/records/" + s.Anna.Id, "body": both}}})
		if batch.Status < 400 {
			t.Errorf("batch: %d", batch.Status)
		}
		if password != "ANNA@example.com" {
			fresh := map[string]any{"email": "new@example.com", "password": password, "passwordConfirm": password, "name": "New", "role": "viewer", "active": true}
			want(t, s.Ask(t, s.Pat, "POST", "/api/collections/staff/records", fresh), 400)
			want(t, s.Ask(t, s.Sol, "POST", "/api/collections/_superusers/records", fresh), 400)
		}
	}
	want(t, byPassword(t, s, "users", "Anna"), 200)
}

// Where a request comes from is read from a header only if a proxy that may say
// so sent it, and links in mails never come from the Host header.
func TestHeaders_provenanceIsNotForTheSenderToSay(t *testing.T) {
	s := gatetest.New(t)
	settings := s.Settings()
	settings.TrustedProxy.Headers = []string{"X-Forwarded-For"}
	if err := s.Save(settings); err != nil {
		t.Fatal(err)
	}
	newest := mails(t, s)
	in := func(peer string) string {
		t.Helper()
		a := s.Ask(t, nil, "POST", "/api/collections/users/auth-with-password", map[string]any{"identity": "anna@example.com", "password": gatetest.Password}, gatetest.Peer, peer, "X-Forwarded-For", "10.9.8.7")
		want(t, a, 200)
		return sessions(t, s, a.Body["token"].(string))[0]["ip"].(string)
	}
	if ip := in("203.0.113.5:4000"); ip != "203.0.113.5" {
		t.Errorf("a stranger says it comes from %s", ip)
	}
	s.Clock.Move(time.Second)
	if ip := in("127.0.0.1:4000"); ip != "10.9.8.7" {
		t.Errorf("behind the proxy: %s", ip)
	}
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/request-otp", map[string]any{"email": "anna@example.com"}, "Host", "evil.example", "X-Forwarded-Host", "evil.example", "Origin", "https://evil.example"), 200)
	newest(1)
	if m := s.TestMailer.LastMessage(); strings.Contains(m.Text+m.HTML, "evil") {
		t.Errorf("the mail leads to %s", m.Text)
	}
	want(t, s.Ask(t, s.Mia, "POST", "/api/portal/invitations", map[string]any{"email": "dora@example.com", "organization": s.Bluebell.Id}, "Host", "evil.example", "X-Forwarded-Host", "evil.example"), 200)
	s.Deliver(t)
	var evil int
	scan(t, s.App(), `SELECT COUNT(*) FROM mails WHERE text LIKE {:id} OR html LIKE {:id}`, "%evil%", &evil)
	if evil != 0 {
		t.Error("an invitation leads elsewhere")
	}
	for _, path := range []string{"//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "/staff//evil.example", "/_//evil.example"} {
		if a := s.Ask(t, nil, "GET", path, nil); strings.Contains(a.Header.Get("Location"), "evil.example") && !strings.HasPrefix(a.Header.Get("Location"), "/e") && !strings.HasPrefix(a.Header.Get("Location"), "/s") && !strings.HasPrefix(a.Header.Get("Location"), "/_") {
			t.Errorf("%s leads to %s", path, a.Header.Get("Location"))
		}
	}
}

// What only looks uses nothing up: mail scanners follow links and open pages.
func TestLinks_lookingUsesNothingUp(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	a := s.Ask(t, s.Mia, "POST", "/api/portal/invitations", map[string]any{"email": "dora@example.com", "organization": s.Bluebell.Id, "name": "Dora"})
	want(t, a, 200)
	link := s.Ask(t, s.Mia, "GET", "/api/portal/invitations/"+a.Body["id"].(string)+"/link", nil).Body["link"].(string)
	_, code, ok := strings.Cut(link, "/invite/")
	if !ok {
		t.Fatal(link)
	}
	path := "/invite/" + code
	token := strings.TrimPrefix(path, "/invite/")
	otp := askCode(t, s, "users", "anna@example.com")
	right := newest(1)
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		for _, address := range []string{path, "/api/portal/invitations/accept?token=" + token, "/api/collections/users/auth-with-otp?otpId=" + otp + "&password=" + right} {
			got := s.Ask(t, nil, method, address, nil, "Sec-Purpose", "prefetch")
			if strings.Contains(string(got.Raw), `"token"`) || len(cookiesOf(got)) != 0 {
				t.Errorf("%s %s signs in", method, address)
			}
		}
	}
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": otp, "password": right}), 200)
	// Another address brought along changes nothing about whose invitation it is.
	done := s.Ask(t, nil, "POST", "/api/portal/invitations/accept", map[string]any{"token": token, "email": "mallory@example.com", "name": "Dora", "password": "a sentence for the door"})
	want(t, done, 200)
	if record := done.Body["record"].(map[string]any); record["email"] != "dora@example.com" {
		t.Errorf("accepted as %v", record["email"])
	}
	want(t, s.Ask(t, nil, "POST", "/api/portal/invitations/accept", map[string]any{"token": token, "name": "Dora"}), 400)
	// PocketBase's verification tokens work again and again, so its flow is closed.
	verify, err := s.Anna.NewVerificationToken()
	if err != nil {
		t.Fatal(err)
	}
	reset, err := s.Anna.NewPasswordResetToken()
	if err != nil {
		t.Fatal(err)
	}
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/confirm-verification", map[string]any{"token": verify}), 403)
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/confirm-password-reset", map[string]any{"token": reset, "password": "another sentence here", "passwordConfirm": "another sentence here"}), 403)
}
