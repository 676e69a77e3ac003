package notify

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/forms"
	"github.com/pocketbase/pocketbase/mails"

	"gatehouse/hooks/schema"
)

func (s *stage) withSignIn(demo bool) *stage {
	h := SignIn{Addresses: s.post.Addresses, Clock: s.post.Clock, Demo: demo}
	s.OnMailerRecordOTPSend().BindFunc(h.CodeSend)
	s.OnMailerRecordPasswordResetSend().BindFunc(h.PasswordResetSend)
	s.OnMailerRecordVerificationSend().BindFunc(h.VerificationSend)
	s.OnMailerRecordEmailChangeSend().BindFunc(h.EmailChangeSend)
	s.OnMailerSend().BindFunc(h.Send)
	return s
}

func (s *stage) record(collection, id string) *core.Record {
	s.t.Helper()
	r, err := s.FindRecordById(collection, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestSignIn_codeIsSentInOurWordsAndKeptMasked(t *testing.T) {
	s := newStage(t).withSignIn(false)
	office := s.withPostOffice()
	if err := mails.SendRecordOTP(s, s.record(schema.Users, anaID), "otp", "482913"); err != nil {
		t.Fatal(err)
	}
	equal(t, s.mails(), "ana@bluebell.example sign_in_code sent")
	if len(office.bodies) != 1 || !strings.Contains(office.bodies[0], "482913") || strings.Contains(office.taken[0].Header.Get("Subject"), "482913") {
		t.Fatal("the code is in the body, not in the subject")
	}
	if got := office.taken[0].Header.Get("Auto-Submitted"); got != "auto-generated" {
		t.Fatal(got)
	}
	stored := s.text(`SELECT subject || text || html FROM mails`)
	if strings.Contains(stored, "482913") || !strings.Contains(stored, masked) || !strings.Contains(stored, "10 minutes") || strings.Contains(stored, "/_/") {
		t.Fatal(stored)
	}
}

func TestSignIn_withoutServerNothingFails(t *testing.T) {
	s := newStage(t).withSignIn(true)
	ana := s.record(schema.Users, anaID)
	for _, send := range []func() error{
		func() error { return mails.SendRecordOTP(s, ana, "otp", "482913") },
		func() error { return mails.SendRecordPasswordReset(s, ana) },
		func() error { return mails.SendRecordVerification(s, ana) },
		func() error { return mails.SendRecordChangeEmail(s, ana, "new@bluebell.example") },
		func() error { return mails.SendRecordAuthAlert(s, ana, "somewhere") },
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, s.mails(), "ana@bluebell.example other kept", "ana@bluebell.example password_reset kept", "ana@bluebell.example sign_in_code kept",
		"ana@bluebell.example verification kept", "new@bluebell.example email_change kept")
	if text := s.text(`SELECT text FROM mails WHERE kind = 'sign_in_code'`); !strings.Contains(text, "482913") {
		t.Fatal("in the demo the code is there to be read")
	}
	if text := s.text(`SELECT text FROM mails WHERE kind = 'password_reset'`); !strings.Contains(text, "https://portal.example:8443/reset-password/") || strings.Contains(text, "/_/") {
		t.Fatal(text)
	}
	if text := s.text(`SELECT text FROM mails WHERE kind = 'other'`); strings.Contains(text, "somewhere") {
		t.Fatal("nobody knows what is in other mails, so it is not kept")
	}
}

func TestSignIn_linksAreMasked(t *testing.T) {
	s := newStage(t).withSignIn(false)
	if err := mails.SendRecordPasswordReset(s, s.record(schema.Staff, tomID)); err != nil {
		t.Fatal(err)
	}
	if text := s.text(`SELECT text || html FROM mails`); !strings.Contains(text, masked) || strings.Contains(text, "eyJ") {
		t.Fatal(text)
	}
}

func TestSignIn_superusersStayMaskedInTheDemo(t *testing.T) {
	s := newStage(t).withSignIn(true)
	s.person(core.CollectionNameSuperusers, "sol000000000000", map[string]any{"email": "sol@firm.example"})
	if err := mails.SendRecordPasswordReset(s, s.record(core.CollectionNameSuperusers, "sol000000000000")); err != nil {
		t.Fatal(err)
	}
	if text := s.text(`SELECT text || html FROM mails`); strings.Contains(text, "eyJ") {
		t.Fatal("a demo visitor must not become superuser")
	}
}

func TestSignIn_testMailOfTheSettingsPageSaysThatThereIsNoServer(t *testing.T) {
	s := newStage(t).withSignIn(false)
	form := forms.NewTestEmailSend(s)
	form.Email, form.Template, form.Collection = "me@firm.example", "otp", schema.Users
	if err := form.Submit(); !errors.Is(err, errNoServer) {
		t.Fatal(err)
	}
	equal(t, s.mails())
}

func TestSignIn_askingForACodeAnswersWithoutServer(t *testing.T) {
	s := newStage(t)
	sent := make(chan error, 1)
	s.OnMailerRecordOTPSend().BindFunc(func(e *core.MailerRecordEvent) error {
		err := e.Next()
		sent <- err
		return err
	})
	s.withSignIn(true)
	router, err := apis.NewRouter(s)
	if err != nil {
		t.Fatal(err)
	}
	mux, err := router.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, "/api/collections/users/request-otp", strings.NewReader(`{"email":"ana@bluebell.example"}`))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "otpId") {
		t.Fatal(w.Code, w.Body.String())
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	equal(t, s.mails(), "ana@bluebell.example sign_in_code kept")
	if n := s.text(`SELECT COUNT(*) FROM _otps`); n != "1" {
		t.Fatalf("PocketBase deletes a code whose mail failed; %s left", n)
	}
}
