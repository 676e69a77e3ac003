package access

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// The second step of a sign-in. The first one (password or e-mailed code, on
// PocketBase's own addresses) answers 401 with {"mfaId","methods"} where a second
// is asked for, in PocketBase's own shape. The second brings the mfaId along:
// "otp" and "password" on PocketBase's addresses, "totp", "recovery" and "setup"
// on /api/portal/second-factor.

// secondLife is how long the second step may take.
const secondLife = 10 * time.Minute

// requestProved marks a request whose second step held.
const requestProved = "access.second_step"

// settingSecurity is the settings row with what the firm asks of sign-ins.
const settingSecurity = "security"

// Security is what the firm asks of sign-ins.
type Security struct {
	ClientSecondFactor bool `json:"client_second_factor"` // clients need a second factor as well
}

// SecurityOf reads what the firm asks; nothing of clients unless said otherwise.
func SecurityOf(app core.App) (Security, error) {
	var s Security
	_, err := setting(app, settingSecurity, &s)
	return s, err
}

// StaffFactorOptional says whether the environment lets staff sign in with a
// password alone, for tests.
func StaffFactorOptional() bool { return os.Getenv("GATEHOUSE_STAFF_SECOND_FACTOR") == "optional" }

// Needs says whether the person needs a second step, and whether an
// authenticator app is set up for it. Superusers have PocketBase's own.
func (s *Sessions) Needs(app core.App, who *core.Record) (needed, hasApp bool, err error) {
	if who.IsSuperuser() {
		return false, false, nil
	}
	if hasApp, err = HasApp(app, who.Id); err != nil || hasApp {
		return hasApp, hasApp, err
	}
	if s.Demo {
		return false, false, nil
	}
	if who.Collection().Name == schema.Staff {
		return !StaffFactorOptional(), false, nil
	}
	security, err := SecurityOf(app)
	return security.ClientSecondFactor, false, err
}

// AskSecond stands before the answer of every sign-in.
func (s *Sessions) AskSecond(e *core.RecordAuthRequestEvent) error {
	if e.AuthMethod == "" || e.Get(requestProved) != nil {
		return e.Next()
	}
	needed, hasApp, err := s.Needs(e.App, e.Record)
	if err != nil {
		return problem.Hook(e.App, err)
	}
	if !needed {
		return e.Next()
	}
	id, err := mfaIn(e.RequestEvent)
	if err != nil {
		return problem.Hook(e.App, err)
	}
	if id == "" {
		return s.askSecond(e, hasApp)
	}
	first, err := firstStep(e.App, id)
	if err != nil {
		return problem.Hook(e.App, err)
	}
	if hasApp || first.RecordRef() != e.Record.Id || first.CollectionRef() != e.Record.Collection().Id || first.Method() == e.AuthMethod {
		return problem.Hook(e.App, problem.New(problem.ProofWrong, "The second step has to be another one than the first."))
	}
	if err := e.App.Delete(first); err != nil {
		return problem.Hook(e.App, fmt.Errorf("use up the first step: %w", err))
	}
	return e.Next()
}

// askSecond keeps the first step and asks for the second.
func (s *Sessions) askSecond(e *core.RecordAuthRequestEvent, hasApp bool) error {
	methods, err := s.methods(e.App, e.Record, e.AuthMethod, hasApp)
	if err != nil {
		return problem.Hook(e.App, err)
	}
	mfa := core.NewMFA(e.App)
	mfa.SetCollectionRef(e.Record.Collection().Id)
	mfa.SetRecordRef(e.Record.Id)
	mfa.SetMethod(e.AuthMethod)
	if err := e.App.Save(mfa); err != nil {
		return problem.Hook(e.App, fmt.Errorf("keep the first step: %w", err))
	}
	answer := map[string]any{"status": http.StatusUnauthorized, "message": "One more step.", "data": map[string]any{}, "mfaId": mfa.Id, "methods": methods}
	return errors.Join(e.JSON(http.StatusUnauthorized, answer), apis.ErrMFA)
}

// methods are the second steps that are open after a first one. Setting an app
// up at the door is open to who has no other second step: a password came first
// and no mail can be sent, or a code did and nobody has signed in to the account
// yet, so that there may be no password.
func (s *Sessions) methods(app core.App, who *core.Record, first string, hasApp bool) ([]string, error) {
	hasPasskey, err := HasPasskey(app, who.Id)
	if err != nil {
		return nil, err
	}
	var methods []string
	if hasApp {
		methods = append(methods, "totp", "recovery")
	}
	if hasPasskey {
		methods = append(methods, "passkey")
	}
	if hasApp {
		return methods, nil
	}
	mails := app.Settings().SMTP.Enabled
	var before int
	err = app.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM sessions WHERE principal = {:id} AND method != '')`).Bind(dbx.Params{"id": who.Id}).Row(&before)
	if err != nil {
		return nil, fmt.Errorf("look for earlier sign-ins: %w", err)
	}
	if first == core.MFAMethodOTP {
		methods = append(methods, "password")
	} else if mails {
		methods = append(methods, "otp")
	}
	if !hasPasskey && ((first == core.MFAMethodOTP && before == 0) || (first != core.MFAMethodOTP && !mails)) {
		methods = append(methods, "setup")
	}
	return methods, nil
}

// mfaIn is the mfaId of a request, in the address or the body.
func mfaIn(e *core.RequestEvent) (string, error) {
	var in struct {
		ID string `json:"mfaId" form:"mfaId"`
	}
	if err := readBody(e, &in); err != nil {
		return "", err
	}
	return cmp.Or(e.Request.URL.Query().Get("mfaId"), in.ID), nil
}

// firstStep finds a first step that still counts.
func firstStep(app core.App, id string) (*core.MFA, error) {
	over := problem.New(problem.SignIn, "This sign-in took too long. Begin again.")
	if id == "" {
		return nil, over
	}
	mfa, err := app.FindMFAById(id)
	if err != nil {
		return nil, over.Because(err)
	}
	if mfa.HasExpired(secondLife) {
		return nil, over
	}
	return mfa, nil
}

// SecondStep is the second step on our own address.
type SecondStep struct {
	MFA  string `json:"mfaId"`
	Code string `json:"code"`
}

// SecondRoute ends a sign-in with a code of the app, a recovery code, or the
// first code of an app that was set up at the door.
//
//	POST /api/portal/second-factor (public) {"mfaId","code"}
//	→ 200 PocketBase's auth answer, with meta {"recovery_codes"} the first time; 400 proof_wrong; 401 too late, begin again; 429
func (s *Sessions) SecondRoute(e *core.RequestEvent) error {
	var in SecondStep
	if err := readBody(e, &in); err != nil {
		return err
	}
	first, who, err := s.second(e, in.MFA)
	if err != nil {
		return err
	}
	key, now := "second|"+who.Id, time.Now()
	if wait := triesOf(e.App).wait(key, now); wait > 0 {
		return tooMany(wait, "")
	}
	hasApp, err := HasApp(e.App, who.Id)
	if err != nil {
		return err
	}
	method, meta := "", any(nil)
	if hasApp {
		method, err = useCode(e.App, who.Id, in.Code, now)
	} else {
		var codes []string
		if codes, err = s.setUpApp(e, who, first.Method(), in.Code, now); codes != nil {
			method, meta = "totp", map[string]any{"recovery_codes": codes}
		}
	}
	if err != nil {
		return err
	}
	if method == "" {
		// Whoever is here knows the first factor, so the wait locks no stranger out.
		triesOf(e.App).fail(key, freeProofs, now)
		s.failed(e, who, "totp")
		return problem.Field("code", problem.ProofWrong, "This code is not right, or was used already.")
	}
	triesOf(e.App).clear(key)
	if err := e.App.Delete(first); err != nil {
		return fmt.Errorf("use up the first step: %w", err)
	}
	e.Set(requestProved, true)
	return apis.RecordAuthResponse(e, who, method, meta)
}

// setUpApp turns an app on at the door; nil codes for a wrong code.
func (s *Sessions) setUpApp(e *core.RequestEvent, who *core.Record, first, code string, now time.Time) (codes []string, err error) {
	methods, err := s.methods(e.App, who, first, false)
	if err != nil || !slices.Contains(methods, "setup") {
		return nil, err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		var ok bool
		if codes, ok, err = confirmApp(tx, who.Id, digits(code), now); err != nil || !ok {
			return err
		}
		return s.factorTrace(tx, schema.ActorOf(who, e.RealIP()), who, "app set up")
	})
	return codes, err
}

// second finds the first step, and whose it is.
func (s *Sessions) second(e *core.RequestEvent, id string) (*core.MFA, *core.Record, error) {
	first, err := firstStep(e.App, id)
	if err != nil {
		return nil, nil, err
	}
	who, err := e.App.FindRecordById(first.CollectionRef(), first.RecordRef())
	if err != nil {
		return nil, nil, problem.New(problem.SignIn, "This sign-in took too long. Begin again.").Because(err)
	}
	return first, who, nil
}

// SecondSetupRoute begins to set an app up at the door.
//
//	POST /api/portal/second-factor/setup (public) {"mfaId"} → 200 {"secret","uri","qr"}; 400 not_yours where another second step is there; 401
func (s *Sessions) SecondSetupRoute(e *core.RequestEvent) error {
	var in SecondStep
	if err := readBody(e, &in); err != nil {
		return err
	}
	first, who, err := s.second(e, in.MFA)
	if err != nil {
		return err
	}
	hasApp, err := HasApp(e.App, who.Id)
	if err != nil {
		return err
	}
	methods, err := s.methods(e.App, who, first.Method(), hasApp)
	if err != nil {
		return err
	}
	if !slices.Contains(methods, "setup") {
		return problem.New(problem.NotYours, "Use your other second step.")
	}
	return s.offerApp(e, who)
}

// offerApp answers a new secret, as text, as the address that apps read, and as
// a picture of that address.
func (s *Sessions) offerApp(e *core.RequestEvent, who *core.Record) error {
	secret, err := newSecret(e.App, who, s.Clock())
	if err != nil {
		return err
	}
	firm, err := FirmOf(e.App)
	if err != nil {
		return err
	}
	uri := appAddress(firm.Name, who.Email(), secret)
	picture, err := qrPicture(uri)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"secret": secret, "uri": uri, "qr": picture})
}

// qrPicture draws a QR code as SVG, black on white in both colour schemes:
// cameras want it so.
func qrPicture(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw the QR code: %w", err)
	}
	const quiet = 4 // modules of white around, ISO/IEC 18004
	size := code.Bounds().Dx()
	var b bytes.Buffer
	_, _ = fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path d="`, size+2*quiet)
	for y := range size {
		for x := range size {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				_, _ = fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}

// digits drops what people put between the digits of a code.
func digits(code string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, code)
}
