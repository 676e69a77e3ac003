package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// Mailer puts waiting mails on the wire. There is one in a process. Digest, if
// set, runs before each pass.
type Mailer struct {
	App     core.App
	Clock   schema.Clock
	Digest  func(ctx context.Context) error
	Timeout time.Duration // of one try; two minutes if zero

	wake chan struct{}
}

// NewMailer makes a mailer that sends through the app's own mail client.
func NewMailer(app core.App, clock schema.Clock, digest func(ctx context.Context) error) *Mailer {
	return &Mailer{App: app, Clock: clock, Digest: digest, wake: make(chan struct{}, 1)}
}

// Wake tells the mailer that there is something to send. It never blocks; a
// lost wake costs a tick.
func (m *Mailer) Wake() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends; tick is how often it looks without being woken. A
// try that was begun is waited for, up to its time-out.
func (m *Mailer) Run(ctx context.Context, tick time.Duration) {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		if err := m.Pass(ctx); err != nil && ctx.Err() == nil {
			m.App.Logger().Error("mailer failed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-m.wake:
		case <-timer.C:
		}
	}
}

const dueMails = `SELECT id, kind, [[to]], to_name, subject, text, html, message_id, notification, attempts FROM mails
WHERE status = 'waiting' AND next_at <= {:now} ORDER BY next_at, id LIMIT 50`

type waiting struct {
	ID           string `db:"id"`
	Kind         string `db:"kind"`
	To           string `db:"to"`
	ToName       string `db:"to_name"`
	Subject      string `db:"subject"`
	Text         string `db:"text"`
	HTML         string `db:"html"`
	MessageID    string `db:"message_id"`
	Notification string `db:"notification"`
	Attempts     int    `db:"attempts"`
}

// Pass sends every mail that is due, once.
func (m *Mailer) Pass(ctx context.Context) error {
	if m.Digest != nil {
		if err := m.Digest(ctx); err != nil {
			return err
		}
	}
	now := schema.Stamp(m.Clock())
	for ctx.Err() == nil {
		var mails []waiting
		if err := m.App.DB().NewQuery(dueMails).Bind(dbx.Params{"now": now}).All(&mails); err != nil {
			return fmt.Errorf("find due mails: %w", err)
		}
		if len(mails) == 0 {
			return nil
		}
		for _, w := range mails {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := m.one(w); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

const noServer = "No mail server is set up; the mail is kept here."

// one brings a mail one step on.
func (m *Mailer) one(w waiting) error {
	allowed, err := m.mayStillSee(w)
	if err != nil {
		return err
	}
	if !allowed && w.Kind == "digest" {
		return m.release(w)
	}
	if !allowed {
		return m.finish(w, outcome{mail: "kept", notice: "suppressed", why: noSight})
	}
	if !m.App.Settings().SMTP.Enabled {
		return m.finish(w, outcome{mail: "kept", notice: "suppressed", why: noServer})
	}
	if err := m.claim(&w); err != nil {
		return err
	}
	err = m.try(w)
	if err == nil {
		return m.finish(w, outcome{mail: "sent", notice: "sent"})
	}
	v := judge(err)
	if v.final || w.Attempts > len(Backoff) {
		return m.finish(w, outcome{mail: "failed", notice: "failed", error: v.error})
	}
	return m.note(w, v.error)
}

const claimMail = `UPDATE mails SET attempts = {:attempts}, next_at = {:next}, updated = {:now} WHERE id = {:id}`

// claim counts the try and sets the time of the next one before anything goes
// out: a process that is killed in between tries again later, not at once.
func (m *Mailer) claim(w *waiting) error {
	now := m.Clock()
	wait := Backoff[min(w.Attempts, len(Backoff)-1)]
	w.Attempts++
	_, err := m.App.DB().NewQuery(claimMail).Bind(dbx.Params{"id": w.ID, "attempts": w.Attempts, "next": schema.Stamp(now.Add(wait)), "now": schema.Stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("claim mail %s: %w", w.ID, err)
	}
	return nil
}

const defaultTimeout = 2 * time.Minute

var errTimeout = errors.New("no answer within the time-out")

// try hands a mail to the mail server. PocketBase's client knows no time-out, so
// a server that says nothing is left to itself.
func (m *Mailer) try(w waiting) error {
	settings := m.App.Settings()
	message := &mailer.Message{
		From:    mail.Address{Name: settings.Meta.SenderName, Address: settings.Meta.SenderAddress},
		To:      []mail.Address{{Name: w.ToName, Address: w.To}},
		Subject: w.Subject, Text: w.Text, HTML: w.HTML, Headers: headers(w.MessageID),
	}
	done := make(chan error, 1)
	go func() { done <- m.App.NewMailClient().Send(message) }()
	timeout := m.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errTimeout
	}
}

// headers mark a mail as written by a machine (RFC 3834), so that no other
// machine answers it.
func headers(messageID string) map[string]string {
	return map[string]string{"Message-ID": messageID, "Auto-Submitted": "auto-generated"}
}

// outcome is the end of a mail.
type outcome struct {
	mail, notice string // statuses
	why, error   string
}

const (
	finishMail = `UPDATE mails SET status = {:status}, why = {:why}, error = {:error}, sent_at = {:sent}, updated = {:now} WHERE id = {:id}`

	finishNotices = `UPDATE notifications SET status = {:status}, why = CASE WHEN {:why} != '' THEN {:why} ELSE why END, error = {:error},
attempts = {:attempts}, sent_at = {:sent}, updated = {:now} WHERE status = 'waiting' AND send_at > '' AND mail = {:id}`

	invitationOf = `SELECT json_extract(e.payload, '$.invitation') FROM notifications n JOIN events e ON e.id = n.event WHERE n.id = {:id}`
)

// finish writes the end of a mail and of the notices that it carries together.
func (m *Mailer) finish(w waiting, o outcome) error {
	now := m.Clock()
	sent := ""
	if o.mail == "sent" {
		sent = schema.Stamp(now)
	}
	return m.App.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().NewQuery(finishMail).Bind(dbx.Params{"id": w.ID, "status": o.mail, "why": o.why, "error": o.error, "sent": sent, "now": schema.Stamp(now)}).Execute()
		if err != nil {
			return fmt.Errorf("finish mail %s: %w", w.ID, err)
		}
		_, err = tx.DB().NewQuery(finishNotices).Bind(dbx.Params{"id": w.ID, "status": o.notice, "why": o.why, "error": o.error, "attempts": w.Attempts, "sent": sent, "now": schema.Stamp(now)}).Execute()
		if err != nil {
			return fmt.Errorf("finish notices of mail %s: %w", w.ID, err)
		}
		if w.Kind != "invitation" || o.mail == "kept" {
			return nil
		}
		var invitation string
		if err := tx.DB().NewQuery(invitationOf).Bind(dbx.Params{"id": w.Notification}).Row(&invitation); err != nil {
			return fmt.Errorf("find invitation of mail %s: %w", w.ID, err)
		}
		return access.InvitationDelivered(tx, invitation, o.mail == "sent", now)
	})
}

// note writes why a try failed; the next one is due already.
func (m *Mailer) note(w waiting, reason string) error {
	return m.App.RunInTransaction(func(tx core.App) error {
		if err := schema.Update(tx, schema.Mails, w.ID, dbx.Params{"error": reason}); err != nil {
			return fmt.Errorf("note failed try of mail %s: %w", w.ID, err)
		}
		_, err := tx.DB().NewQuery(`UPDATE notifications SET attempts = {:attempts}, error = {:error} WHERE status = 'waiting' AND send_at > '' AND mail = {:id}`).
			Bind(dbx.Params{"id": w.ID, "attempts": w.Attempts, "error": reason}).Execute()
		if err != nil {
			return fmt.Errorf("note failed try of mail %s: %w", w.ID, err)
		}
		return nil
	})
}

const unseen = `SELECT COUNT(*) FROM notifications n LEFT JOIN requests r ON r.id = n.request LEFT JOIN client_requests c ON c.id = n.request
WHERE n.status = 'waiting' AND n.send_at > '' AND n.mail = {:id} AND n.request != '' AND NOT EXISTS (SELECT 1 FROM access a
	WHERE a.principal = CASE WHEN n.staff != '' THEN n.staff ELSE n.user END
	AND a.scope = CASE WHEN n.staff != '' THEN COALESCE(r.scope, '') ELSE COALESCE(c.scope, '') END
	AND a.since <= {:now} AND a.until > {:now})`

// mayStillSee reads again, at the moment of sending, whether the receiver may
// see what the mail is about: a mail can have waited for hours.
func (m *Mailer) mayStillSee(w waiting) (bool, error) {
	if w.Notification == "" {
		return true, nil
	}
	var hidden int
	if err := m.App.DB().NewQuery(unseen).Bind(dbx.Params{"id": w.ID, "now": schema.Stamp(m.Clock())}).Row(&hidden); err != nil {
		return false, fmt.Errorf("read sight of mail %s: %w", w.ID, err)
	}
	return hidden == 0, nil
}

// release takes the notices out of a summary that tells too much by now; the
// next pass writes it again from those that may still be told.
func (m *Mailer) release(w waiting) error {
	return m.App.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().NewQuery(`UPDATE notifications SET mail = '' WHERE status = 'waiting' AND send_at > '' AND mail = {:id}`).Bind(dbx.Params{"id": w.ID}).Execute()
		if err != nil {
			return fmt.Errorf("release notices of mail %s: %w", w.ID, err)
		}
		return schema.Update(tx, schema.Mails, w.ID, dbx.Params{"status": "kept", "why": "Not sent: part of it may not be seen any more. It was written again without that part."})
	})
}
