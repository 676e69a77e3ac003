// Package report answers what waits, on whom, since when and why: home, the
// client's list, the work queue, clients, and what happened to a request. It
// only reads; the one thing it writes is when a person last looked.
//
// Every list goes by the rows of access alone: what somebody may not see is
// neither listed nor counted, searched or sorted. Each answer takes the same
// number of statements whatever its size, and pages by key, not by number.
//
//	report.go          Reports, and who is asking
//	reach.go           the condition for seeing, by how much somebody sees
//	page.go            where a page ends, search words, time zones
//	text.go            small words: counts, sentences, keys in words
//	home.go            GET home, for clients and for staff
//	cards.go           GET requests: the client's list
//	cards_statement.go its statements
//	card.go            the words on a card
//	since.go           what is new since the last visit
//	queue.go           GET queue: views, counts, pages
//	queue_counts.go    how many requests each view holds
//	queue_rows.go      the statements of a page
//	queue_item.go      the words on a row
//	blocked.go         what keeps a row from going on, and where that is put right
//	timeline.go        GET timeline: which side is asking, the page
//	timeline_lines.go  its statements
//	timeline_words.go  a sentence for each line
//	change.go          changed fields in words
//	summary.go         the line above: whose turn it is, since when, and why
//	clients.go         GET clients
//	client.go          GET clients/{id}
//	staff.go           GET staff
package report

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Reports are the handlers. Engine knows the workflows and their words.
type Reports struct {
	App    core.App
	Clock  schema.Clock
	Engine *workflow.Engine
}

// asker is who asks, and when.
type asker struct {
	schema.Actor
	at   time.Time
	zone string // the person's own time zone, if known
}

// now is the time as stored.
func (a asker) now() string { return schema.Stamp(a.at) }

// anybody is whoever is signed in.
func (r *Reports) anybody(e *core.RequestEvent) (asker, error) {
	if e.Auth == nil {
		return asker{}, problem.New(problem.SignIn, "Sign in first.")
	}
	a := asker{Actor: schema.ActorOf(e.Auth, e.RealIP()), at: r.Clock(), zone: e.Auth.GetString("timezone")}
	if a.Kind == schema.ActorStaff && !e.Auth.GetBool("active") {
		return a, problem.New(problem.Forbidden, "This account is not active any more.")
	}
	return a, nil
}

// staff is an active member of the firm, or a superuser.
func (r *Reports) staff(e *core.RequestEvent) (asker, error) {
	a, err := r.anybody(e)
	if err == nil && a.Kind == schema.ActorUser {
		err = problem.New(problem.Forbidden, "This is for the firm's staff only.")
	}
	return a, err
}

// client is somebody on the client's side.
func (r *Reports) client(e *core.RequestEvent) (asker, error) {
	a, err := r.anybody(e)
	if err == nil && a.Kind != schema.ActorUser {
		err = problem.New(problem.Forbidden, "This list is for clients. Staff have the work queue.")
	}
	return a, err
}
