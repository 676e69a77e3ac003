package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

const (
	ready = `status = 'waiting' AND send_at > '' AND send_at <= CASE WHEN rule >= 'reminder.' AND rule < 'reminder/' THEN {:reminders} ELSE {:now} END AND channel = 'email' AND mail = ''`

	duePeople = `SELECT DISTINCT user, staff FROM notifications WHERE ` + ready

	dueNotices = `SELECT id, event, dedupe FROM notifications WHERE ` + ready + `
AND user = {:user} AND staff = {:staff} ORDER BY send_at, created, id`

	endNotice = `UPDATE notifications SET status = 'suppressed', why = {:why}, title = '', link = '', updated = {:now} WHERE id = {:id}`

	giveMail = `UPDATE notifications SET mail = {:mail}, updated = {:now} WHERE id = {:id}`
)

// Digest turns the notices that have waited for their hour into mails: one for
// each person, however many notices there are and however long the server was
// down. Every notice is planned again first, so what has become nobody's
// business is not sent, and says so. An empty digest is never sent.
func (p *Post) Digest(ctx context.Context) error {
	var receivers []struct {
		User  string `db:"user"`
		Staff string `db:"staff"`
	}
	reminders, err := p.heldBack()
	if err != nil {
		return err
	}
	if err := p.App.DB().NewQuery(duePeople).Bind(dbx.Params{"now": schema.Stamp(p.Clock()), "reminders": schema.Stamp(reminders)}).All(&receivers); err != nil {
		return fmt.Errorf("find due notices: %w", err)
	}
	for _, r := range receivers {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := p.App.RunInTransaction(func(tx core.App) error { return p.digest(tx, r.User, r.Staff, reminders) }); err != nil {
			return err
		}
	}
	return nil
}

// dueNotice is a waiting notice that was planned again.
type dueNotice struct {
	id     string
	notice Notice
	letter Letter
	about  about
}

func (p *Post) digest(tx core.App, user, staff string, reminders time.Time) error {
	var rows []struct {
		ID     string `db:"id"`
		Event  string `db:"event"`
		Dedupe string `db:"dedupe"`
	}
	now := schema.Stamp(p.Clock())
	if err := tx.DB().NewQuery(dueNotices).Bind(dbx.Params{"now": now, "reminders": schema.Stamp(reminders), "user": user, "staff": staff}).All(&rows); err != nil {
		return fmt.Errorf("read due notices: %w", err)
	}
	firm, err := access.FirmOf(tx)
	if err != nil {
		return err
	}
	var due []dueNotice
	for _, r := range rows {
		d, why, err := p.replan(tx, r.Event, r.Dedupe, firm)
		if err != nil {
			return err
		}
		if why != "" {
			if _, err := tx.DB().NewQuery(endNotice).Bind(dbx.Params{"id": r.ID, "why": why, "now": now}).Execute(); err != nil {
				return fmt.Errorf("end notice: %w", err)
			}
			continue
		}
		d.id = r.ID
		due = append(due, d)
	}
	// What waits and what happened are two kinds of news.
	waits, happened := apart(due)
	for _, list := range [][]dueNotice{waits, happened} {
		if len(list) == 0 {
			continue
		}
		if err := p.combine(tx, list, firm); err != nil {
			return err
		}
	}
	return nil
}

// replan decides on a waiting notice as of now; why says what stands against it.
func (p *Post) replan(tx core.App, eventID, dedupe string, firm access.Firm) (d dueNotice, why string, err error) {
	e, err := eventOf(tx, eventID)
	if err != nil {
		return d, "", err
	}
	facts, found, err := load(tx, e, firm, p.Clock())
	if err != nil {
		return d, "", err
	}
	if !found {
		return d, "Is nobody's matter any more.", nil
	}
	for _, n := range Plan(facts) {
		if n.Dedupe != dedupe {
			continue
		}
		if n.Suppressed != "" {
			return d, n.Suppressed, nil
		}
		letter, err := p.letterOf(tx, facts, n, firm)
		return dueNotice{
			notice: n, letter: letter,
			about: about{event: eventID, request: facts.Request.ID, organization: facts.Request.Organization, scope: facts.Request.Scope, clientScope: facts.Request.ClientScope},
		}, "", err
	}
	return d, "Is somebody else's matter now, or may not be seen any more.", nil
}

// combine writes one mail: the letter itself if there is one, else a digest.
func (p *Post) combine(tx core.App, due []dueNotice, firm access.Firm) error {
	first := due[0]
	rendered, err := Render(first.notice.Kind, first.letter)
	if err != nil {
		return err
	}
	if len(due) > 1 {
		letter := Letter{Firm: firm, Hello: first.notice.Person.Name, Count: len(due), Because: "You get this as a summary. Each line says why."}
		for _, d := range due {
			one, err := Render(d.notice.Kind, d.letter)
			if err != nil {
				return err
			}
			letter.Entries = append(letter.Entries, Entry{Subject: one.Subject, Link: d.letter.Link, Because: d.letter.Because})
		}
		first.notice.Kind, first.about = "digest", about{}
		if isReminder(first.notice) {
			first.notice.Kind = "reminders"
		}
		if rendered, err = Render(first.notice.Kind, letter); err != nil {
			return err
		}
	}
	mail := schema.NewID()
	for _, d := range due {
		if _, err := tx.DB().NewQuery(giveMail).Bind(dbx.Params{"id": d.id, "mail": mail, "now": schema.Stamp(p.Clock())}).Execute(); err != nil {
			return fmt.Errorf("mark notice as mailed: %w", err)
		}
	}
	return p.mail(tx, mail, first.id, first.notice, rendered, first.about)
}
