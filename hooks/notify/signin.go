package notify

import (
	"cmp"
	"errors"
	"log/slog"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// SignIn puts PocketBase's own mails into our words and keeps a copy of each.
// With no mail server set up it keeps the copy and sends nothing, so that asking
// for a code fails for nobody.
//
// A copy never holds what would let its reader in: codes and links are masked,
// except in the demo, where everybody is invented.
type SignIn struct {
	Addresses
	Clock schema.Clock
	Demo  bool
}

const masked = "••••••"

// errNoServer answers the test mail of PocketBase's settings page.
var errNoServer = errors.New("no mail server is set up")

// CodeSend takes OnMailerRecordOTPSend.
func (s SignIn) CodeSend(e *core.MailerRecordEvent) error {
	code, _ := e.Meta["password"].(string)
	return s.send(e, "sign_in_code", func(l *Letter, mask bool) {
		l.Code = code
		if mask {
			l.Code = masked
		}
		l.Link, l.Button = s.base()+"/", "Back to the portal"
	})
}

// PasswordResetSend takes OnMailerRecordPasswordResetSend.
func (s SignIn) PasswordResetSend(e *core.MailerRecordEvent) error {
	return s.sendLink(e, "password_reset", "/reset-password/", "Choose a new password")
}

// VerificationSend takes OnMailerRecordVerificationSend.
func (s SignIn) VerificationSend(e *core.MailerRecordEvent) error {
	return s.sendLink(e, "verification", "/verify/", "Confirm the address")
}

// EmailChangeSend takes OnMailerRecordEmailChangeSend.
func (s SignIn) EmailChangeSend(e *core.MailerRecordEvent) error {
	return s.sendLink(e, "email_change", "/confirm-email/", "Confirm the new address")
}

func (s SignIn) sendLink(e *core.MailerRecordEvent, kind, path, button string) error {
	token, _ := e.Meta["token"].(string)
	return s.send(e, kind, func(l *Letter, mask bool) {
		l.Link, l.Button = s.base()+path+token, button
		if mask {
			l.Link = s.base() + path + masked
		}
	})
}

// send rewrites the message, keeps the copy, and goes on only with a mail server.
// Superusers keep PocketBase's own links, which lead to where they work; their
// copies are masked in the demo too.
func (s SignIn) send(e *core.MailerRecordEvent, kind string, fill func(l *Letter, mask bool)) error {
	super := e.Record.Collection().Name == core.CollectionNameSuperusers
	firm, err := access.FirmOf(e.App)
	if err != nil {
		return err
	}
	write := func(mask bool) (Rendered, error) {
		l := Letter{Firm: firm}
		fill(&l, mask)
		return Render(kind, l)
	}
	out, err := write(false)
	if err != nil {
		return err
	}
	copied, err := write(super || !s.Demo)
	if err != nil {
		return err
	}
	if !super || kind == "sign_in_code" {
		e.Message.Subject, e.Message.Text, e.Message.HTML = out.Subject, out.Text, out.HTML
	}
	id := schema.NewID()
	e.Message.Headers = headers(s.messageID(id))
	if !e.App.Settings().SMTP.Enabled {
		if strings.HasPrefix(e.Record.Id, "__pb_test_") {
			return errNoServer
		}
		s.keep(e.App, id, kind, address(e), copied, outcome{mail: "kept", why: noServer})
		return nil
	}
	err = e.Next()
	o := outcome{mail: "sent"}
	if err != nil {
		o = outcome{mail: "failed", error: judge(err).error}
	}
	s.keep(e.App, id, kind, address(e), copied, o)
	return err
}

// Send takes OnMailerSend, for whatever else PocketBase mails, such as alerts.
// With no mail server only its subject is kept, since nobody knows what is in it.
func (s SignIn) Send(e *core.MailerEvent) error {
	if e.App.Settings().SMTP.Enabled {
		return e.Next()
	}
	to := ""
	if len(e.Message.To) > 0 {
		to = e.Message.To[0].Address
	}
	text := "The text of this mail is not kept: it may hold a secret.\n"
	s.keep(e.App, schema.NewID(), "other", to, Rendered{Subject: oneLine(e.Message.Subject, longestSubject), Text: text, HTML: "<p>" + text + "</p>"}, outcome{mail: "kept", why: noServer})
	return nil
}

func address(e *core.MailerRecordEvent) string {
	if len(e.Message.To) > 0 {
		return e.Message.To[0].Address
	}
	return e.Record.Email()
}

// keep stores the copy of a mail. A copy that cannot be stored holds nobody up.
func (s SignIn) keep(app core.App, id, kind, to string, letter Rendered, o outcome) {
	now := schema.Stamp(s.Clock())
	sent := ""
	if o.mail == "sent" {
		sent = now
	}
	err := schema.Insert(app, schema.Mails, dbx.Params{
		"id": id, "kind": kind, "to": cmp.Or(to, "nobody"), "to_name": "", "subject": letter.Subject, "text": letter.Text, "html": letter.HTML,
		"message_id": s.messageID(id), "status": o.mail, "why": o.why, "error": o.error, "attempts": 1, "sent_at": sent, "created": now, "updated": now,
	})
	if err != nil {
		app.Logger().Error("copy of a mail was not kept", slog.String("kind", kind), slog.Any("error", err))
	}
}
