package access

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Wrong passwords slow down whoever sends them, and nobody else. There are two
// counts: of one account from one place (an address, or a browser that has
// signed in to it before), and of one account from all unknown places together.
// A known place is never held up by the second, and a code by e-mail never by
// either: it is the way in for an owner, and it clears both counts. An account
// that does not exist is counted just so, so that the answers tell nothing.
const (
	freePasswords = 5  // from one place
	freeStrange   = 30 // from all unknown places
	alertAfter    = 20 // failures within an hour, then the owners are told
	freeCodes     = 5  // wrong tries at one e-mailed code; then it is void
)

// SlowDown stands before every sign-in by password.
func (s *Sessions) SlowDown(e *core.RecordAuthWithPasswordRequestEvent) error {
	if s.Unlimited {
		return e.Next()
	}
	account := e.Collection.Name + "|" + NormalEmail(e.Identity)
	known, place, err := knownPlace(e.App, e.Record, e.RequestEvent)
	if err != nil {
		return problem.Hook(e.App, err)
	}
	t, now := triesOf(e.App), time.Now()
	here, strange := "password|"+account+"|"+place, "password|"+account
	wait := t.wait(here, now)
	if !known {
		wait = max(wait, t.wait(strange, now))
	}
	if wait > 0 {
		return held(e.RequestEvent, wait)
	}
	err = e.Next()
	if err == nil || errors.Is(err, apis.ErrMFA) {
		t.clear(here)
		return err
	}
	t.fail(here, freePasswords, now)
	if n := t.fail(strange, freeStrange, now); n == alertAfter && e.Record != nil {
		s.alert(e.RequestEvent, e.Record, n)
	}
	return err
}

// held answers 429 with how long to wait. It is written here since PocketBase's
// errors carry no header.
func held(e *core.RequestEvent, wait time.Duration) error {
	refusal := tooMany(wait, ", or sign in with a code from your email")
	e.Response.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
	return problem.Reply(e, refusal)
}

// knownPlace says from where somebody signs in, and whether the account was
// signed in to from there before.
func knownPlace(app core.App, who *core.Record, e *core.RequestEvent) (known bool, place string, err error) {
	place = "ip:" + e.RealIP()
	if who == nil {
		return false, place, nil
	}
	device := ""
	if cookie := deviceOf(e.Request); cookie != "" {
		device = digest(cookie)
	}
	var found struct {
		Device bool `db:"device"`
		IP     bool `db:"ip"`
	}
	err = app.DB().NewQuery(`SELECT COALESCE(MAX(device_key = {:device} AND {:device} != ''), 0) AS device, COALESCE(MAX(ip = {:ip}), 0) AS ip FROM sessions WHERE principal = {:id} AND method != ''`).
		Bind(dbx.Params{"id": who.Id, "device": device, "ip": e.RealIP()}).One(&found)
	if err != nil {
		return false, place, fmt.Errorf("look for known devices: %w", err)
	}
	if found.Device {
		place = "device:" + device
	}
	return found.Device || found.IP, place, nil
}

// Unlock clears the counts of an account whose owner proved the mailbox.
func (s *Sessions) Unlock(e *core.RecordAuthWithOTPRequestEvent) error {
	// PocketBase gives an address that was never confirmed a random password at
	// its first code, unless a password came before it as the first step.
	if err := s.confirmAddress(e); err != nil {
		return problem.Hook(e.App, err)
	}
	err := e.Next()
	if err == nil || errors.Is(err, apis.ErrMFA) {
		if failed := forgive(e.RequestEvent, e.Record); failed != nil {
			return problem.Hook(e.App, failed)
		}
	}
	return err
}

// forgive clears the counts of wrong passwords for somebody who proved to be the
// owner by another way.
func forgive(e *core.RequestEvent, who *core.Record) error {
	_, place, err := knownPlace(e.App, who, e)
	if err != nil {
		return err
	}
	account := "password|" + who.Collection().Name + "|" + NormalEmail(who.Email())
	triesOf(e.App).clear(account, account+"|"+place, account+"|ip:"+e.RealIP())
	return nil
}

// confirmAddress marks the address as confirmed when the code is the second step
// of a sign-in that began with the right password.
func (s *Sessions) confirmAddress(e *core.RecordAuthWithOTPRequestEvent) error {
	if e.Record.Verified() || e.OTP.SentTo() != e.Record.Email() {
		return nil
	}
	id, err := mfaIn(e.RequestEvent)
	if err != nil || id == "" {
		return err
	}
	first, err := firstStep(e.App, id)
	if err != nil || first.RecordRef() != e.Record.Id || first.Method() != core.MFAMethodPassword {
		return nil //nolint:nilerr // no first step by password: PocketBase does as it does
	}
	e.Record.SetVerified(true)
	if err := e.App.Save(e.Record); err != nil {
		return fmt.Errorf("confirm the address: %w", err)
	}
	return nil
}

// GuardCodes stands around the sign-in by code, where PocketBase tells its hooks
// of right codes only: a wrong one is on the trail, and the fifth makes the code
// void, wherever the tries come from. The owner asks for another one.
func (s *Sessions) GuardCodes(e *core.RequestEvent) error {
	if e.Request.Pattern != "POST /api/collections/{collection}/auth-with-otp" {
		return e.Next()
	}
	var in struct {
		ID string `json:"otpId" form:"otpId"`
	}
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	before, findErr := e.App.FindOTPById(in.ID)
	err := e.Next()
	if findErr != nil || err == nil || errors.Is(err, apis.ErrMFA) {
		return err
	}
	if _, gone := e.App.FindOTPById(in.ID); gone != nil {
		return err // it was right; something else refused
	}
	who, failed := e.App.FindRecordById(before.CollectionRef(), before.RecordRef())
	if failed != nil {
		return err
	}
	s.failed(e, who, "otp")
	if triesOf(e.App).fail("code|"+in.ID, freeCodes, time.Now()) >= freeCodes {
		if failed := e.App.Delete(before); failed != nil {
			return problem.Reply(e, fmt.Errorf("void a code: %w", failed))
		}
	}
	return err
}

// alert tells the owners that somebody tries passwords on an account.
func (s *Sessions) alert(e *core.RequestEvent, who *core.Record, n int) {
	err := e.App.RunInTransaction(func(tx core.App) error {
		return s.Emit(tx, Fact{
			Type: "sign_in.attacked", Actor: schema.Actor{Kind: schema.ActorSystem}, At: s.Clock(),
			Payload: map[string]any{"account": who.Id, "collection": who.Collection().Name, "count": n},
		})
	})
	if err != nil {
		e.App.Logger().Error("owners not told of failed sign-ins", slog.Any("error", err))
	}
}
