package hooks_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pquerna/otp/totp"

	"gatehouse/hooks/gatetest"
)

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// mails turns a mail server on, and gives what reads the newest code.
func mails(t *testing.T, s *gatetest.Stage) func(sent int) string {
	t.Helper()
	settings := s.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port = true, "127.0.0.1", 1
	if err := s.Save(settings); err != nil {
		t.Fatal(err)
	}
	// PocketBase sends in the background: each mail says here that it went.
	went, seen := make(chan struct{}, 100), 0
	s.OnMailerSend().BindFunc(func(e *core.MailerEvent) error {
		err := e.Next()
		went <- struct{}{}
		return err
	})
	return func(sent int) string {
		t.Helper()
		for ; seen < sent; seen++ {
			select {
			case <-went:
			case <-time.After(10 * time.Second):
				t.Fatal("no mail came")
			}
		}
		return sixDigits.FindString(s.TestMailer.LastMessage().Text)
	}
}

func byPassword(t *testing.T, s *gatetest.Stage, collection, name string, more ...any) gatetest.Answer {
	t.Helper()
	body := map[string]any{"identity": strings.ToLower(name) + "@example.com", "password": gatetest.Password}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return s.Ask(t, nil, "POST", "/api/collections/"+collection+"/auth-with-password", body)
}

func askCode(t *testing.T, s *gatetest.Stage, collection, email string) string {
	t.Helper()
	a := s.Ask(t, nil, "POST", "/api/collections/"+collection+"/request-otp", map[string]any{"email": email})
	want(t, a, 200)
	return a.Body["otpId"].(string)
}

func code(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// app sets an authenticator app up for whoever holds the token.
func app(t *testing.T, s *gatetest.Stage, token string) (secret string, recovery []string) {
	t.Helper()
	want(t, with(t, s, token, "POST", "/api/portal/second-factor/start", nil), 400)
	a := with(t, s, token, "POST", "/api/portal/second-factor/start", map[string]any{"password": gatetest.Password})
	want(t, a, 200)
	secret = a.Body["secret"].(string)
	if !strings.Contains(a.Body["qr"].(string), "<svg") || !strings.HasPrefix(a.Body["uri"].(string), "otpauth://totp/") {
		t.Fatalf("%s", a.Raw)
	}
	want(t, with(t, s, token, "POST", "/api/portal/second-factor/confirm", map[string]any{"code": "000000"}), 400)
	a = with(t, s, token, "POST", "/api/portal/second-factor/confirm", map[string]any{"code": code(t, secret, time.Now())})
	want(t, a, 200)
	for _, x := range a.Body["recovery_codes"].([]any) {
		recovery = append(recovery, x.(string))
	}
	if len(recovery) != 10 {
		t.Fatalf("%d recovery codes", len(recovery))
	}
	return secret, recovery
}

func TestSecond_staffNeedTwoStepsUnlessTheEnvironmentSaysOtherwise(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	first := byPassword(t, s, "staff", "Sam")
	if want(t, first, 401); first.Body["token"] != nil || fmt.Sprint(first.Body["methods"]) != "[otp]" {
		t.Fatalf("first step: %s", first.Raw)
	}
	mfa := first.Body["mfaId"]
	// The same step again is not another one, and another person's code is none.
	want(t, byPassword(t, s, "staff", "Sam", "mfaId", mfa), 400)
	ruth := askCode(t, s, "staff", "ruth@example.com")
	want(t, s.Ask(t, nil, "POST", "/api/collections/staff/auth-with-otp", map[string]any{"otpId": ruth, "password": newest(1), "mfaId": mfa}), 400)
	want(t, s.Ask(t, nil, "POST", "/api/portal/second-factor", map[string]any{"mfaId": mfa, "code": "123456"}), 400)
	want(t, s.Ask(t, nil, "POST", "/api/portal/second-factor/setup", map[string]any{"mfaId": mfa}), 400)
	otp := askCode(t, s, "staff", "sam@example.com")
	done := s.Ask(t, nil, "POST", "/api/collections/staff/auth-with-otp", map[string]any{"otpId": otp, "password": newest(2), "mfaId": mfa})
	if want(t, done, 200); done.Body["token"] == nil {
		t.Fatal("no token")
	}
	// The first step is used up.
	otp = askCode(t, s, "staff", "sam@example.com")
	want(t, s.Ask(t, nil, "POST", "/api/collections/staff/auth-with-otp", map[string]any{"otpId": otp, "password": newest(3), "mfaId": mfa}), 401)
	// The other way round works as well.
	otp = askCode(t, s, "staff", "sam@example.com")
	turned := s.Ask(t, nil, "POST", "/api/collections/staff/auth-with-otp", map[string]any{"otpId": otp, "password": newest(4)})
	if want(t, turned, 401); fmt.Sprint(turned.Body["methods"]) != "[password]" {
		t.Fatalf("%s", turned.Raw)
	}
	want(t, byPassword(t, s, "staff", "Sam", "mfaId", turned.Body["mfaId"]), 200)
	var failed int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in_failed' AND record = {:id} AND change LIKE '%password%'`, s.Sam.Id, &failed)
	if failed != 1 { // the password twice
		t.Errorf("%d first steps count as failures", failed)
	}

	// Clients need none, until the firm says so.
	want(t, byPassword(t, s, "users", "Anna"), 200)
	ask := map[string]any{"client_second_factor": true}
	want(t, s.Ask(t, s.Mia, "PATCH", "/api/portal/security", ask), 400) // a manager
	want(t, s.Ask(t, s.Pat, "PATCH", "/api/portal/security", ask), 400) // without a proof
	ask["password"] = gatetest.Password
	want(t, s.Ask(t, s.Anna, "PATCH", "/api/portal/security", ask), 403)
	want(t, s.Ask(t, s.Pat, "PATCH", "/api/portal/security", ask), 200)
	want(t, byPassword(t, s, "users", "Anna"), 401)
	t.Setenv("GATEHOUSE_STAFF_SECOND_FACTOR", "optional")
	want(t, byPassword(t, s, "staff", "Sam"), 200)
}

// A code as the second step never replaces the password of a fresh account.
func TestSecond_keepsThePasswordOfAnAddressThatWasNotConfirmed(t *testing.T) {
	s := gatetest.New(t)
	newest := mails(t, s)
	if _, err := s.DB().NewQuery(`UPDATE staff SET verified = 0 WHERE id = {:id}`).Bind(dbx.Params{"id": s.Sam.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		mfa := byPassword(t, s, "staff", "Sam").Body["mfaId"]
		otp := askCode(t, s, "staff", "sam@example.com")
		a := s.Ask(t, nil, "POST", "/api/collections/staff/auth-with-otp", map[string]any{"otpId": otp, "password": newest(round + 1), "mfaId": mfa})
		want(t, a, 200)
		want(t, with(t, s, a.Body["token"].(string), "GET", "/api/portal/queue", nil), 200)
	}
}

func TestSecond_anAppIsAskedOfWhoHasOne(t *testing.T) {
	s := gatetest.New(t)
	token, other := signIn(t, s, "users", "Anna"), signIn(t, s, "users", "Anna")
	secret, recovery := app(t, s, token)
	want(t, with(t, s, other, "GET", "/api/portal/me", nil), 401) // other devices are signed out
	if a := with(t, s, token, "GET", "/api/portal/second-factor", nil); a.Body["by"] != "app" || a.Body["recovery_left"] != 10.0 {
		t.Fatalf("%s", a.Raw)
	}
	step := func() any {
		t.Helper()
		a := byPassword(t, s, "users", "Anna")
		if want(t, a, 401); fmt.Sprint(a.Body["methods"]) != "[totp recovery]" {
			t.Fatalf("%s", a.Raw)
		}
		return a.Body["mfaId"]
	}
	second := func(mfa any, code string) gatetest.Answer {
		t.Helper()
		return s.Ask(t, nil, "POST", "/api/portal/second-factor", map[string]any{"mfaId": mfa, "code": code})
	}
	// A code of the app that was used already is none any more; the next one is.
	want(t, second(step(), code(t, secret, time.Now())), 400)
	mfa := step()
	next := code(t, secret, time.Now().Add(30*time.Second))
	a := second(mfa, next[:3]+" "+next[3:])
	want(t, a, 200)
	want(t, with(t, s, a.Body["token"].(string), "GET", "/api/portal/me", nil), 200)
	want(t, second(mfa, next), 401) // the first step is used up
	want(t, second(step(), next), 400)
	// A recovery code works once.
	want(t, second(step(), strings.ToUpper(recovery[0])), 200)
	want(t, second(step(), recovery[0]), 400)
	// Neither a code by mail nor the password again stands in for the app.
	newest := mails(t, s)
	otp := askCode(t, s, "users", "anna@example.com")
	want(t, s.Ask(t, nil, "POST", "/api/collections/users/auth-with-otp", map[string]any{"otpId": otp, "password": newest(1), "mfaId": step()}), 400)
	want(t, byPassword(t, s, "users", "Anna", "mfaId", step()), 400)
	want(t, s.Ask(t, nil, "POST", "/api/portal/second-factor/setup", map[string]any{"mfaId": step()}), 400)
	// It is turned off with a code, not with the password alone.
	want(t, with(t, s, token, "POST", "/api/portal/second-factor/remove", map[string]any{"password": gatetest.Password}), 400)
	want(t, with(t, s, token, "POST", "/api/portal/second-factor/remove", map[string]any{"code": recovery[1]}), 204)
	want(t, byPassword(t, s, "users", "Anna"), 200)
	var stored int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'update' AND change LIKE '%second_factor%' AND record = {:id}`, s.Anna.Id, &stored)
	if stored != 2 {
		t.Errorf("%d entries on the trail", stored)
	}
}

// Too many wrong codes make one wait, and what is stored is neither the secret
// nor a code.
func TestSecond_guessing(t *testing.T) {
	s := gatetest.New(t)
	secret, recovery := app(t, s, signIn(t, s, "users", "Anna"))
	mfa := byPassword(t, s, "users", "Anna").Body["mfaId"]
	for range 6 {
		want(t, s.Ask(t, nil, "POST", "/api/portal/second-factor", map[string]any{"mfaId": mfa, "code": "000000"}), 400)
	}
	want(t, s.Ask(t, nil, "POST", "/api/portal/second-factor", map[string]any{"mfaId": mfa, "code": recovery[0]}), 429)
	var row string
	scan(t, s.App(), `SELECT secret || recovery FROM second_factors WHERE principal = {:id}`, s.Anna.Id, &row)
	if strings.Contains(row, secret) || strings.Contains(row, recovery[0]) || strings.Contains(row, strings.ReplaceAll(recovery[0], "-", "")) {
		t.Errorf("stored as it is: %s", row)
	}
	a := s.Ask(t, s.Sol, "GET", "/api/collections/second_factors/records", nil)
	want(t, a, 200)
	want(t, s.Ask(t, s.Pat, "GET", "/api/collections/second_factors/records", nil), 403)
}

// Without a mail server the first owner sets an app up at the door.
func TestSecond_setUpAtTheDoor(t *testing.T) {
	s := gatetest.New(t)
	first := byPassword(t, s, "staff", "Pat")
	if want(t, first, 401); fmt.Sprint(first.Body["methods"]) != "[setup]" {
		t.Fatalf("%s", first.Raw)
	}
	mfa := first.Body["mfaId"]
	offer := s.Ask(t, nil, "POST", "/api/portal/second-factor/setup", map[string]any{"mfaId": mfa})
	want(t, offer, 200)
	done := s.Ask(t, nil, "POST", "/api/portal/second-factor", map[string]any{"mfaId": mfa, "code": code(t, offer.Body["secret"].(string), time.Now())})
	want(t, done, 200)
	meta, _ := done.Body["meta"].(map[string]any)
	if codes, _ := meta["recovery_codes"].([]any); len(codes) != 10 {
		t.Fatalf("%s", done.Raw)
	}
	want(t, with(t, s, done.Body["token"].(string), "GET", "/api/portal/queue", nil), 200)
	if again := byPassword(t, s, "staff", "Pat"); fmt.Sprint(again.Body["methods"]) != "[totp recovery]" {
		t.Fatalf("%s", again.Raw)
	}
}

// A lost phone: one person asks, another one confirms, and both are named.
func TestSecond_resetTakesTwoPeople(t *testing.T) {
	s := gatetest.New(t)
	token := signIn(t, s, "users", "Anna")
	app(t, s, token)
	path := "/api/portal/people/" + s.Anna.Id + "/second-factor/reset"
	want(t, s.Ask(t, s.Sam, "POST", path, map[string]any{"reason": "Called me"}), 400) // an operator
	want(t, s.Ask(t, s.Cleo, "POST", path, map[string]any{"reason": "Called me"}), 403)
	want(t, s.Ask(t, s.Mia, "POST", path, map[string]any{}), 400)
	want(t, s.Ask(t, s.Mia, "POST", path, map[string]any{"reason": "Called me, knows the case"}), 202)
	want(t, s.Ask(t, s.Mia, "POST", path, map[string]any{"reason": "Again"}), 400) // not twice the same
	want(t, with(t, s, token, "GET", "/api/portal/me", nil), 200)
	if a := s.Ask(t, s.Pat, "GET", "/api/portal/people/"+s.Anna.Id+"/sessions", nil); a.Body["second_factor"].(map[string]any)["reset_asked_by"] != s.Mia.Id {
		t.Fatalf("%s", a.Raw)
	}
	want(t, s.Ask(t, s.Pat, "POST", path, nil), 204)
	want(t, with(t, s, token, "GET", "/api/portal/me", nil), 401)
	want(t, byPassword(t, s, "users", "Anna"), 200)
	want(t, s.Ask(t, s.Pat, "POST", path, nil), 400)
	var n int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE record = {:id} AND change LIKE '%reset%' AND actor IN (SELECT id FROM staff)`, s.Anna.Id, &n)
	if n < 2 {
		t.Errorf("%d entries on the trail", n)
	}
	// Nobody is one of the two for the own app; a colleague's is the owners' business.
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/people/"+s.Pat.Id+"/second-factor/reset", map[string]any{"reason": "Mine"}), 400)
	want(t, s.Ask(t, s.Mia, "POST", "/api/portal/people/"+s.Sam.Id+"/second-factor/reset", map[string]any{"reason": "His"}), 400)
}

// What the firm may do about the sign-ins of others; and whoever leaves, by the one
// act that there is for clients and for staff, is signed out with it.
func TestPeople_whoLeavesIsSignedOut(t *testing.T) {
	s := gatetest.New(t)
	token := signIn(t, s, "users", "Anna")
	path := "/api/portal/people/" + s.Anna.Id + "/sessions"
	for _, who := range []*core.Record{s.Sam, s.Ines} {
		want(t, s.Ask(t, who, "GET", path, nil), 400)
		want(t, s.Ask(t, who, "DELETE", path, nil), 400)
	}
	want(t, s.Ask(t, s.Ben, "DELETE", path, nil), 403)
	want(t, s.Ask(t, s.Mia, "DELETE", "/api/portal/people/nosuchperson000/sessions", nil), 404)
	// Behind a wall there is nobody.
	want(t, s.Ask(t, s.Pat, "POST", "/api/collections/walls/records", map[string]any{"staff": s.Mia.Id, "organization": s.Bluebell.Id, "reason": "Related"}), 200)
	want(t, s.Ask(t, s.Mia, "GET", path, nil), 404)
	want(t, s.Ask(t, s.Mia, "DELETE", path, nil), 404)
	if a := s.Ask(t, s.Pat, "GET", path, nil); a.Status != 200 || len(a.Body["items"].([]any)) != 1 {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	want(t, with(t, s, token, "GET", "/api/portal/me", nil), 200)
	if a := s.Ask(t, s.Pat, "DELETE", path, nil); a.Status != 200 || a.Body["ended"] != 1.0 {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	want(t, with(t, s, token, "GET", "/api/portal/me", nil), 401)

	token = signIn(t, s, "users", "Anna")
	m, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", map[string]any{"u": s.Anna.Id})
	if err != nil {
		t.Fatal(err)
	}
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/team/"+m.Id+"/remove", map[string]any{"confirm": true}), 200)
	want(t, with(t, s, token, "GET", "/api/portal/me", nil), 401)

	t.Setenv("GATEHOUSE_STAFF_SECOND_FACTOR", "optional")
	staff := signIn(t, s, "staff", "Sam")
	leave := func(who, leaver *core.Record) gatetest.Answer {
		return s.Ask(t, who, "PATCH", "/api/collections/staff/records/"+leaver.Id, map[string]any{"active": false})
	}
	want(t, leave(s.Mia, s.Sam), 400)
	want(t, leave(s.Pat, s.Pat), 400)
	want(t, leave(s.Sol, s.Pat), 400) // the last owner
	want(t, leave(s.Pat, s.Sam), 200)
	want(t, with(t, s, staff, "GET", "/api/portal/queue", nil), 401)
	want(t, byPassword(t, s, "staff", "Sam"), 403)
}
