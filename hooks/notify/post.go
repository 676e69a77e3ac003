package notify

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

// Post is the event consumer "notify". Link gives the newest link of an
// invitation; it runs inside the consumer's transaction.
type Post struct {
	Addresses
	App   core.App
	Clock schema.Clock
	Link  func(tx core.App, invitation string) (string, error)
}

// Handle takes one event: notices and mails are written in the transaction that
// moves the cursor, so each exactly once. Whether somebody may see the request
// is read in that same transaction.
func (p *Post) Handle(tx core.App, e event.Event) error {
	if strings.HasPrefix(e.Type, "invitation.") {
		return p.invitation(tx, e)
	}
	if e.Type == "sign_in.attacked" {
		return p.attacked(tx, e)
	}
	if strings.HasPrefix(e.Type, "passkey.") {
		return p.passkey(tx, e)
	}
	if e.Request == "" {
		return nil
	}
	firm, err := access.FirmOf(tx)
	if err != nil {
		return err
	}
	facts, found, err := load(tx, e, firm, p.Clock())
	if err != nil || !found {
		return err
	}
	for _, n := range Plan(facts) {
		letter, err := p.letterOf(tx, facts, n, firm)
		if err != nil {
			return err
		}
		about := about{event: e.ID, request: facts.Request.ID, organization: facts.Request.Organization, scope: facts.Request.Scope, clientScope: facts.Request.ClientScope}
		if err := p.write(tx, about, n, letter); err != nil {
			return err
		}
	}
	return nil
}

// about says what a notice is about, for its row.
type about struct {
	event        string
	request      string
	organization string
	scope        string // whose staff may read it
	clientScope  string // which of the client's people may
}

// write stores a notice under its dedupe key and, if it is a mail for now, the
// mail beside it. What was told before by another event is stored as such.
func (p *Post) write(tx core.App, a about, n Notice, l Letter) error {
	id := schema.NewID()
	letter, err := Render(n.Kind, l)
	if err != nil {
		return err
	}
	now := schema.Stamp(p.Clock())
	row := dbx.Params{
		"id": id, "event": a.event, "rule": n.Rule, "user": "", "staff": "", "email": n.Person.Email, "request": a.request, "organization": a.organization,
		"channel": n.Channel, "status": "waiting", "why": n.Why, "title": letter.Subject, "dedupe": n.Dedupe, "send_at": schema.Stamp(n.SendAt),
		"sent_at": "", "link": l.Link, "mail": "", "scope": a.scope, "created": now, "updated": now,
	}
	if n.Person.ID != "" {
		row[side(n.Person)] = n.Person.ID
	}
	if side(n.Person) == "user" {
		row["scope"] = a.clientScope
	}
	switch {
	case n.Suppressed != "":
		row["status"], row["why"] = "suppressed", n.Suppressed
		if n.Suppressed == noSight {
			row["title"], row["link"] = "", ""
		}
	case n.Channel != "email":
		row["status"], row["sent_at"] = "sent", now
	case !n.Digest:
		row["mail"] = schema.NewID()
	}
	added, err := insertOnce(tx, row)
	if err != nil {
		return err
	}
	if !added {
		return p.again(tx, row, a.event)
	}
	mail, _ := row["mail"].(string)
	if mail == "" {
		return nil
	}
	return p.mail(tx, mail, id, n, letter, a)
}

// again stores that a person was not told a second time, unless it is the same
// event that comes again.
func (p *Post) again(tx core.App, row dbx.Params, eventID string) error {
	var first string
	err := tx.DB().NewQuery(`SELECT event FROM notifications WHERE dedupe = {:dedupe}`).Bind(dbx.Params{"dedupe": row["dedupe"]}).Row(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("store notice %v: refused without a twin", row["dedupe"])
	}
	if err != nil {
		return fmt.Errorf("read the first notice: %w", err)
	}
	if first == eventID {
		return nil
	}
	row["dedupe"] = fmt.Sprintf("%v#%s", row["dedupe"], eventID)
	row["status"], row["why"], row["mail"], row["sent_at"] = "suppressed", toldOnce, "", ""
	_, err = insertOnce(tx, row)
	return err
}

// mail puts a letter into the queue of the Mailer.
func (p *Post) mail(tx core.App, id, notification string, n Notice, letter Rendered, a about) error {
	now := schema.Stamp(p.Clock())
	err := schema.Insert(tx, schema.Mails, dbx.Params{
		"id": id, "kind": n.Kind, "to": n.Person.Email, "to_name": n.Person.Name, "subject": letter.Subject, "text": letter.Text, "html": letter.HTML,
		"message_id": p.messageID(notification), "notification": notification, "status": "waiting", "next_at": now,
		"request": a.request, "organization": a.organization, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("queue mail: %w", err)
	}
	return nil
}

// messageID is the same however often a notice's mail is tried, so that the
// receiver's side can see a double.
func (a Addresses) messageID(id string) string { return "<" + id + "@" + a.host() + ">" }

const insertNotice = `INSERT INTO notifications (id, event, rule, user, staff, email, request, organization, channel, status, why, title, dedupe, send_at, sent_at, link, mail, scope, created, updated)
VALUES ({:id}, {:event}, {:rule}, {:user}, {:staff}, {:email}, {:request}, {:organization}, {:channel}, {:status}, {:why}, {:title}, {:dedupe}, {:send_at}, {:sent_at}, {:link}, {:mail}, {:scope}, {:created}, {:updated})
ON CONFLICT(dedupe) DO NOTHING`

// insertOnce writes a notice, unless its key is taken; it says whether it did.
func insertOnce(tx core.App, row dbx.Params) (bool, error) {
	result, err := tx.DB().NewQuery(insertNotice).Bind(row).Execute()
	if err != nil {
		return false, fmt.Errorf("store notice: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
