package access

import (
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"gatehouse/hooks/schema"
)

// The second factor is an authenticator app (TOTP, RFC 6238) with recovery codes
// for the day the phone is lost. One row of second_factors a person: the secret
// encrypted with a key made from the server's own secret, codes as digests. Who
// has none gets a code by e-mail where a second factor is asked for.

const (
	stepSeconds   = 30
	recoveryCodes = 10
)

type factor struct {
	Secret    string `db:"secret"`    // encrypted
	Confirmed string `db:"confirmed"` // empty until a first code was right
	LastStep  int64  `db:"last_step"`
	Recovery  string `db:"recovery"` // JSON list of digests of those not used yet
}

func factorOf(app core.App, principal string) (factor, bool, error) {
	var f factor
	err := app.DB().NewQuery(`SELECT secret, confirmed, last_step, COALESCE(recovery, '[]') AS recovery FROM second_factors WHERE principal = {:id}`).
		Bind(dbx.Params{"id": principal}).One(&f)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("read second factor: %w", err)
	}
	return f, true, nil
}

// HasApp says whether the person has set up an authenticator app.
func HasApp(app core.App, principal string) (bool, error) {
	f, found, err := factorOf(app, principal)
	return found && f.Confirmed != "", err
}

// newSecret makes the secret of an app and keeps it unconfirmed; what was
// unconfirmed before is forgotten. One that is in use stays until confirmed.
func newSecret(tx core.App, who *core.Record, now time.Time) (string, error) {
	raw := make([]byte, 20) // RFC 4226 section 4: 160 bits
	_, _ = rand.Read(raw)
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	sealed, err := seal(tx, secret)
	if err != nil {
		return "", err
	}
	_, err = tx.DB().NewQuery(`INSERT INTO second_factors (id, collection, principal, secret, confirmed, last_step, recovery, reset_asked_by, reset_asked_at, reset_reason, created, updated)
		VALUES ({:id}, {:collection}, {:principal}, {:secret}, '', 0, '[]', '', '', '', {:now}, {:now})
		ON CONFLICT(principal) DO UPDATE SET secret = excluded.secret, last_step = 0, updated = excluded.updated WHERE confirmed = ''`).
		Bind(dbx.Params{"id": schema.NewID(), "collection": who.Collection().Name, "principal": who.Id, "secret": sealed, "now": schema.Stamp(now)}).Execute()
	if err != nil {
		return "", fmt.Errorf("keep the secret of the app: %w", err)
	}
	return secret, nil
}

// confirmApp turns the app on when the code is of the waiting secret, and gives
// the recovery codes: they are shown this once.
func confirmApp(tx core.App, principal, code string, now time.Time) (codes []string, ok bool, err error) {
	f, found, err := factorOf(tx, principal)
	if err != nil || !found || f.Secret == "" || f.Confirmed != "" {
		return nil, false, err
	}
	step, ok, err := f.step(tx, code, now)
	if err != nil || !ok {
		return nil, false, err
	}
	codes, digests := newRecovery()
	_, err = tx.DB().NewQuery(`UPDATE second_factors SET confirmed = {:now}, last_step = {:step}, recovery = {:recovery}, updated = {:now} WHERE principal = {:id}`).
		Bind(dbx.Params{"id": principal, "now": schema.Stamp(now), "step": step, "recovery": schema.JSON(digests)}).Execute()
	if err != nil {
		return nil, false, fmt.Errorf("turn the app on: %w", err)
	}
	return codes, true, nil
}

// step finds the time step that a code is of: the present one, or the one before
// or after it for clocks that differ.
func (f factor) step(app core.App, code string, now time.Time) (int64, bool, error) {
	secret, err := open(app, f.Secret)
	if err != nil {
		return 0, false, err
	}
	for _, step := range []int64{now.Unix() / stepSeconds, now.Unix()/stepSeconds - 1, now.Unix()/stepSeconds + 1} {
		ok, err := hotp.ValidateCustom(code, uint64(step), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, nil //nolint:nilerr // not six digits: a wrong code
		}
		if ok {
			return step, true, nil
		}
	}
	return 0, false, nil
}

// useCode uses a code of the app or a recovery code up and names the method;
// empty if the code does not hold. Each code works once, also when raced.
func useCode(app core.App, principal, code string, now time.Time) (method string, err error) {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
	err = app.RunInTransaction(func(tx core.App) error {
		f, found, err := factorOf(tx, principal)
		if err != nil || !found || f.Confirmed == "" {
			return err
		}
		step, ok, err := f.step(tx, code, now)
		if err != nil {
			return err
		}
		if ok && step > f.LastStep {
			method = "totp"
			return setFactor(tx, principal, `last_step = {:value}`, step)
		}
		left := schema.Strings(f.Recovery)
		at := slices.Index(left, digest(code))
		if at < 0 {
			return nil
		}
		method = "recovery"
		return setFactor(tx, principal, `recovery = {:value}`, schema.JSON(slices.Delete(left, at, at+1)))
	})
	if err != nil {
		return "", fmt.Errorf("check a code: %w", err)
	}
	return method, nil
}

func setFactor(tx core.App, principal, set string, value any) error {
	_, err := tx.DB().NewQuery(`UPDATE second_factors SET ` + set + ` WHERE principal = {:id}`).Bind(dbx.Params{"id": principal, "value": value}).Execute()
	return err
}

// newRecovery makes codes such as "k3fqx-7ma2n": 49 bits each, so that a plain
// digest is enough.
func newRecovery() (codes, digests []string) {
	for range recoveryCodes {
		code := security.RandomStringWithAlphabet(10, "abcdefghjkmnpqrstuvwxyz23456789")
		codes = append(codes, code[:5]+"-"+code[5:])
		digests = append(digests, digest(code))
	}
	return codes, digests
}

// seal and open keep secrets from readers of the table alone.
func seal(app core.App, plain string) (string, error) {
	key, err := factorKey(app)
	if err != nil {
		return "", err
	}
	sealed, err := security.Encrypt([]byte(plain), key)
	if err != nil {
		return "", fmt.Errorf("encrypt: %w", err)
	}
	return sealed, nil
}

func open(app core.App, sealed string) (string, error) {
	key, err := factorKey(app)
	if err != nil {
		return "", err
	}
	plain, err := security.Decrypt(sealed, key)
	if err != nil {
		return "", fmt.Errorf("decrypt: %w", err)
	}
	return string(plain), nil
}

// factorKey is 32 characters made from the server's secret, for this use alone.
func factorKey(app core.App) (string, error) {
	secret, err := Secret(app)
	if err != nil {
		return "", err
	}
	return digest("second factor|" + string(secret))[:32], nil
}
