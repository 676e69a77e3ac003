package notify

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// Letter is what a message says: the templates of its kind put it into words.
type Letter struct {
	Firm         access.Firm
	Hello        string // the receiver's name, may be empty
	Title        string // of the request
	Organization string
	Who          string // did it, or wrote it
	State        string // label of the new state, as the receiver's side may know it
	YourTurn     bool   // of staff: the firm has to act now
	SentBack     []Point
	Missing      []Point
	Received     []string // of a receipt
	Quote        string   // words of a person
	When         string   // it happened
	By           string   // it is due
	Count        int
	Button       string
	Link         string
	Because      string // the reason line, complete
	RoleText     string // of an invitation
	Code         string // of a sign-in mail
	Entries      []Entry
	Late         bool   // it was due already
	What         string // of a reminder to staff
}

// Point is an item in a mail, with the address of its place on the page.
type Point struct {
	Title   string
	Reason  string
	Comment string
	Link    string
}

// Entry is one piece of news in a digest.
type Entry struct {
	Subject string
	Link    string
	Because string
}

// Addresses are the places that mails lead to.
type Addresses struct {
	BaseURL func() string
}

func (a Addresses) base() string { return strings.TrimRight(a.BaseURL(), "/") }

// client is a request's page in the portal, at an item if there is one.
func (a Addresses) client(request, item string) string {
	link := a.base() + "/r/" + request
	if item != "" {
		link += "#item-" + item
	}
	return link
}

// staff is a request's page in the staff's console.
func (a Addresses) staff(request string) string {
	return a.base() + "/_/#/gatehouse/request/" + request
}

// host is the part of a Message-ID behind the @.
func (a Addresses) host() string {
	_, rest, found := strings.Cut(a.base(), "://")
	if !found {
		rest = a.base()
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, ":")
	return cmp.Or(host, "localhost")
}

// letterOf writes the letter of a notice about a request.
func (p *Post) letterOf(tx core.App, f Facts, n Notice, firm access.Firm) (Letter, error) {
	in := zone(n.Person, f.Location)
	l := Letter{
		Firm: firm, Hello: n.Person.Name, Title: f.Request.titleFor(n.Person), Organization: f.Request.OrganizationName, State: f.Payload.Label,
		Quote: f.Payload.Comment, Count: f.count(), Because: because(n.Why), Link: p.staff(f.Request.ID), Button: "Open the request",
		When: moment(f.Event.At, in, f.Now), YourTurn: f.Script.state(f.stateNow()).Turn == "staff",
	}
	if !f.Request.Due.IsZero() && f.Script.state(f.stateNow()).Category != "done" {
		l.By = day(f.Request.Due, in, f.Now)
	}
	var err error
	if n.Person.client() {
		p.forClient(&l, f, n.Kind)
	} else if l.Who, err = actorName(tx, f.Event.Actor, firm.Name); err != nil {
		return l, err
	}
	switch n.Kind {
	case "reminder", "escalation":
		p.reminder(&l, f, n)
	case "submitted":
		l.Received, err = received(tx, f.Request.ID)
	case "message":
		l.Who, l.Quote, err = message(tx, f.Payload.Message)
		l.Button, l.By = "Read and answer", ""
		if n.Person.client() {
			l.Link = p.client(f.Request.ID, "") + "/messages"
		}
	}
	return l, err
}

// forClient turns a letter to the client's side: only what the client is shown,
// the firm instead of its people, and the way to the first thing to do.
func (p *Post) forClient(l *Letter, f Facts, kind string) {
	l.State, l.Who, l.YourTurn = f.Request.ClientLabel, "", false
	list := f.Payload.Missing
	switch kind {
	case "another_look":
		list = f.Payload.SentBack
		l.SentBack, l.Missing, l.Count = p.points(f, f.Payload.SentBack), p.points(f, f.Payload.Missing), len(f.Payload.SentBack)
	case "your_turn":
		l.Missing, l.Count = p.points(f, f.Payload.Missing), len(f.Payload.Missing)
	default:
		l.Link = p.client(f.Request.ID, "")
		return
	}
	first := ""
	if len(list) > 0 {
		first = list[0].Key
	}
	l.Link, l.Button = p.client(f.Request.ID, first), "Open what is needed"
}

func (p *Post) points(f Facts, things []Thing) []Point {
	points := make([]Point, len(things))
	for i, t := range things {
		points[i] = Point{Title: t.Title, Reason: cmp.Or(t.ReasonText, t.Reason), Comment: t.Comment, Link: p.client(f.Request.ID, t.Key)}
	}
	return points
}

const (
	nameOfStaff = `SELECT name FROM staff WHERE id = {:id}`
	nameOfUser  = `SELECT COALESCE(NULLIF(name, ''), email) FROM users WHERE id = {:id}`
)

// actorName is who did it, in words.
func actorName(tx core.App, actor schema.Actor, firm string) (string, error) {
	query := ""
	switch actor.Kind {
	case schema.ActorStaff:
		query = nameOfStaff
	case schema.ActorUser:
		query = nameOfUser
	case schema.ActorSuperuser:
		return "An administrator", nil
	default:
		return "The portal", nil
	}
	var name string
	err := tx.DB().NewQuery(query).Bind(dbx.Params{"id": actor.ID}).Row(&name)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read name of %s: %w", actor.ID, err)
	}
	return cmp.Or(name, firm), nil
}

const readReceived = `SELECT title FROM client_items WHERE request = {:request} AND status IN ('provided','accepted','not_applicable') ORDER BY position, id`

// received lists what a client has given so far, as the client is shown it.
func received(tx core.App, request string) ([]string, error) {
	var titles []string
	if err := tx.DB().NewQuery(readReceived).Bind(dbx.Params{"request": request}).Column(&titles); err != nil {
		return nil, fmt.Errorf("read items of %s: %w", request, err)
	}
	return titles, nil
}

const (
	readMessage = `SELECT author_name, body FROM messages WHERE id = {:id}`
	longestBody = 4000
)

// message reads who wrote what.
func message(tx core.App, id string) (author, text string, err error) {
	var m struct {
		Author string `db:"author_name"`
		Body   string `db:"body"`
	}
	err = tx.DB().NewQuery(readMessage).Bind(dbx.Params{"id": id}).One(&m)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("read message %s: %w", id, err)
	}
	if runes := []rune(m.Body); len(runes) > longestBody {
		m.Body = string(runes[:longestBody]) + "…"
	}
	return m.Author, strings.TrimSpace(m.Body), nil
}

// until is the last day of something that ends at a moment.
func until(stamp string, in *time.Location, now time.Time) string {
	return day(schema.Time(stamp), in, now)
}
