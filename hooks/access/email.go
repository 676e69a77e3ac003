package access

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"gatehouse/hooks/problem"
)

// NormalEmail is the one spelling of an address, by which people are told apart:
// without spaces around it, composed and in plain letters (NFKC), in lower case,
// the domain as it goes over the wire. ANNA@BÜCHER.example and
// anna@xn--bcher-kva.example are one person.
func NormalEmail(email string) string {
	email = strings.ToLower(norm.NFKC.String(strings.TrimSpace(email)))
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return email
	}
	domain, err := idna.Lookup.ToASCII(email[at+1:])
	if err != nil {
		return email
	}
	return email[:at+1] + domain
}

// KeepEmail stores the one spelling, whoever writes: the unique index then keeps
// two accounts from being one person.
func KeepEmail(e *core.RecordEvent) error {
	if email := e.Record.Email(); email != NormalEmail(email) {
		e.Record.SetEmail(NormalEmail(email))
	}
	return e.Next()
}

// FindByPassword and FindForCode let people sign in whatever spelling they type.
func FindByPassword(e *core.RecordAuthWithPasswordRequestEvent) error {
	if e.Record == nil {
		record, err := byEmail(e.App, e.Collection, e.Identity)
		if err != nil {
			return problem.Hook(e.App, err)
		}
		e.Record = record
	}
	return e.Next()
}

// FindForCode does so for codes.
func FindForCode(e *core.RecordCreateOTPRequestEvent) error {
	if e.Record == nil {
		var in struct {
			Email string `json:"email" form:"email"`
		}
		if err := readBody(e.RequestEvent, &in); err != nil {
			return problem.Hook(e.App, err)
		}
		record, err := byEmail(e.App, e.Collection, in.Email)
		if err != nil {
			return problem.Hook(e.App, err)
		}
		e.Record = record
	}
	if e.Record != nil && e.Record.GetString("maker") != "" {
		e.Record = nil // nobody reads the mail of a program
	}
	return e.Next()
}

// byEmail finds the account of an address however it is spelt; nil if there is
// none.
func byEmail(app core.App, collection *core.Collection, email string) (*core.Record, error) {
	var records []*core.Record
	err := app.RecordQuery(collection).AndWhere(dbx.HashExp{"email": NormalEmail(email)}).Limit(1).All(&records)
	if err != nil {
		return nil, fmt.Errorf("find the account of an address: %w", err)
	}
	if len(records) == 0 {
		return nil, nil
	}
	return records[0], nil
}

// KeepPassword asks of every new password what the pages ask, whoever sets it:
// the record API, the dashboard, a batch.
func KeepPassword(e *core.RecordRequestEvent) error {
	info, err := e.RequestInfo()
	if err != nil {
		return problem.Hook(e.App, fmt.Errorf("read request: %w", err))
	}
	password, ok := info.Body["password"].(string)
	if !ok || password == "" {
		return e.Next()
	}
	err = CheckPassword(password, e.Record.Email())
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		return problem.Hook(e.App, refusal)
	}
	return e.Next()
}
