package access

import (
	"cmp"
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// setupToken is the settings row "setup": the digest of the one link that makes
// the first owner.
type setupToken struct {
	TokenHash string `json:"token_hash"`
}

const emptyPortal = `SELECT NOT EXISTS (SELECT 1 FROM staff) AND NOT EXISTS (SELECT 1 FROM _superusers WHERE email != {:installer})`

// NeedsSetup says whether the portal is empty: no staff, and no superuser but
// the one that PocketBase makes for its own installer.
func NeedsSetup(app core.App) (bool, error) {
	var empty int
	err := app.DB().NewQuery(emptyPortal).Bind(dbx.Params{"installer": core.DefaultInstallerEmail}).Row(&empty)
	if err != nil {
		return false, fmt.Errorf("look for staff: %w", err)
	}
	return empty == 1, nil
}

// EnsureSetupLink makes the link of the set-up page while the portal is empty,
// a new one at each start: only its digest is stored, so an old link cannot be
// shown again. promised is a token that was handed out already, or empty. Once
// there is somebody, it clears what is left and needs nothing.
func EnsureSetupLink(app core.App, baseURL, promised string) (link string, needed bool, err error) {
	needed, err = NeedsSetup(app)
	if err != nil {
		return "", false, err
	}
	if !needed {
		return "", false, endSetup(app)
	}
	token := promised
	if token == "" {
		token = hex.EncodeToString(randomBytes())
	}
	if err := putSettingRow(app, settingSetup, setupToken{TokenHash: digest(token)}, "", time.Now()); err != nil {
		return "", false, err
	}
	return strings.TrimRight(baseURL, "/") + "/setup/" + token, true, nil
}

func endSetup(app core.App) error {
	if _, err := app.DB().Delete(schema.Settings, dbx.HashExp{"key": settingSetup}).Execute(); err != nil {
		return fmt.Errorf("end set-up: %w", err)
	}
	return nil
}

// Setup makes the first owner of an empty portal. Audit runs inside the
// transaction.
type Setup struct {
	App   core.App
	Clock schema.Clock
	Audit func(tx core.App, t Trace) error
}

// FirstOwner is what the set-up page asks for.
type FirstOwner struct {
	Token    string `json:"token"`
	Firm     string `json:"firm"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Timezone string `json:"timezone"` // of the browser; UTC if empty or unknown
	Locale   string `json:"locale"`   // of the browser; en if empty
}

// firstDuties let a firm of one person work every workflow that comes along.
var firstDuties = []string{"handler", "compliance", "partner", "reviewer"}

// Check refuses a token that is not the set-up link's, or no longer.
func (s *Setup) Check(app core.App, token string) error {
	ended := problem.New(problem.NotFound, "This link was used already, or a newer one was made when the server started. The newest is in the server's start-up message.")
	needed, err := NeedsSetup(app)
	if err != nil {
		return err
	}
	var stored setupToken
	found, err := setting(app, settingSetup, &stored)
	if err != nil {
		return err
	}
	if !needed || !found || token == "" || !hmac.Equal([]byte(stored.TokenHash), []byte(digest(token))) {
		return ended
	}
	return nil
}

// Complete makes the firm and its first owner, and ends the link: once, even
// when raced.
func (s *Setup) Complete(in FirstOwner, ip string) (*core.Record, error) {
	var owner *core.Record
	err := s.App.RunInTransaction(func(tx core.App) error {
		if err := s.Check(tx, in.Token); err != nil {
			return err
		}
		if err := in.tidy(); err != nil {
			return err
		}
		firm := Firm{Name: in.Firm, ContactEmail: in.Email, Timezone: in.Timezone, Locale: in.Locale, Accent: defaultAccent}
		var err error
		if owner, err = s.owner(tx, in, ip); err != nil {
			return err
		}
		if err := putSettingRow(tx, settingFirm, firm, owner.Id, s.Clock()); err != nil {
			return err
		}
		if err := endSetup(tx); err != nil {
			return err
		}
		return s.Audit(tx, Trace{
			Actor: schema.ActorOf(owner, ip), Action: "create", Collection: schema.Settings, Record: settingFirm, At: s.Clock(),
			Change: map[string]any{"name": beforeAfter(nil, firm.Name), "timezone": beforeAfter(nil, firm.Timezone), "first_owner": beforeAfter(nil, owner.Id)},
		})
	})
	return owner, err
}

// tidy trims the input and refuses what is missing, all of it at once.
func (in *FirstOwner) tidy() error {
	in.Firm, in.Name = strings.Join(strings.Fields(in.Firm), " "), strings.Join(strings.Fields(in.Name), " ")
	in.Email = NormalEmail(in.Email)
	if _, err := time.LoadLocation(in.Timezone); err != nil || in.Timezone == "" || in.Timezone == "Local" {
		in.Timezone = "UTC"
	}
	in.Locale = cmp.Or(strings.TrimSpace(in.Locale), "en")
	refusal := problem.New(problem.FieldMissing, "Something is missing.")
	if in.Firm == "" || len([]rune(in.Firm)) > longestName {
		refusal.With("firm", problem.FieldMissing, "Enter the name of your firm.")
	}
	if in.Name == "" || len([]rune(in.Name)) > longestName {
		refusal.With("name", problem.FieldMissing, "Enter your name.")
	}
	if parsed, err := mail.ParseAddress(in.Email); err != nil || parsed.Address != in.Email {
		refusal.With("email", problem.FieldInvalid, "Enter your e-mail address.")
	}
	if len(refusal.Fields) > 0 {
		return refusal
	}
	return CheckPassword(in.Password, in.Email)
}

func (s *Setup) owner(tx core.App, in FirstOwner, ip string) (*core.Record, error) {
	collection, err := tx.FindCachedCollectionByNameOrId(schema.Staff)
	if err != nil {
		return nil, fmt.Errorf("find staff: %w", err)
	}
	owner := core.NewRecord(collection)
	owner.Id = schema.NewID()
	owner.SetEmail(in.Email)
	owner.SetPassword(in.Password)
	owner.SetVerified(true)
	owner.SetEmailVisibility(true)
	owner.Load(map[string]any{"name": in.Name, "role": "owner", "duties": firstDuties, "active": true, "timezone": in.Timezone, "locale": in.Locale})
	schema.SetActor(owner, schema.Actor{Kind: schema.ActorStaff, ID: owner.Id, Name: in.Name, IP: ip})
	if err := tx.Save(owner); err != nil {
		return nil, fmt.Errorf("save first owner: %w", err)
	}
	return owner, nil
}

// LookRoute answers whether the link of the set-up page still works.
//
//	POST /api/portal/setup/look {"token"} → 200 {}, 404
func (s *Setup) LookRoute(e *core.RequestEvent) error {
	var in struct {
		Token string `json:"token"`
	}
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	if err := s.Check(e.App, in.Token); err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(200, map[string]any{})
}

// CompleteRoute makes the first owner and signs the owner in.
//
//	POST /api/portal/setup {"token","firm","name","email","password","timezone"?,"locale"?}
//	→ 200 PocketBase's auth answer, 400 what is missing, 404 the link is used or old
func (s *Setup) CompleteRoute(e *core.RequestEvent) error {
	var in FirstOwner
	if err := readBody(e, &in); err != nil {
		return problem.Reply(e, err)
	}
	owner, err := s.Complete(in, e.RealIP())
	if err != nil {
		return problem.Reply(e, err)
	}
	return apis.RecordAuthResponse(e, owner, "", nil)
}

// readBody reads a JSON body; what cannot be read is refused in words.
func readBody(e *core.RequestEvent, into any) error {
	if err := e.BindBody(into); err != nil {
		return problem.New(problem.BadInput, "The request could not be read.").Because(err)
	}
	return nil
}
