// Package workflow is the engine: what a request is, what may happen to it now,
// and the commands that make it happen.
//
// Deciding is pure and reads nothing but its arguments:
//
//	definition.go value.go condition.go compiled.go  the language
//	expression.go vocabulary.go hours.go             conditions: their types, and what they read
//	describe.go jsonschema.go                        what each word means, for editors and docs
//	parse.go fit.go place.go check.go                reading and checking it
//	facts.go decide.go rights.go items.go data.go    what may happen
//	quorum.go                                        items that several people decide on
//	face.go                                          what the client is shown
//	picture.go drawing/                              the workflow as a drawing; picture_routes.go over HTTP
//	calendar.go words.go                             business time, words
//
// Commands are one transaction each: state, history, audit, event, client rows:
//
//	engine.go      Engine and what it needs from other rooms
//	load.go        from rows to facts
//	save.go        from facts to rows
//	open.go        opens a request
//	transition.go  takes a step; effects.go what a step does
//	job.go         work in other systems: queued by steps, ended by others
//	patch.go       request fields and item answers; conflict.go two people at once
//	review.go      decisions on items; additem.go items that are added
//	rests.go       what was accepted because of another item that is opened again
//	upload.go      what a document means for its item
//	pass.go        the steps that the system takes
//	publish.go library.go  definitions in and out
//
// Versions, and work over many requests:
//
//	version.go diff.go     the versions of a workflow, and their differences
//	staffing.go retire.go  who is there to do it; when a version is done with
//	migrate.go             what a move to another version means for a request
//	run.go bulk.go migrate_run.go run_view.go  durable work over many requests
//
// What time brings (docs/time.md), each a pure rule and the command beside it:
//
//	calendar.go    business days and hours
//	clock.go       service clocks, time limits, holds
//	schedule.go reminder.go remind.go   reminders and escalations
//	pause.go       on hold, and going on
//	recurrence.go recur.go  requests that come back each period
//	plan.go        what will come
//	forecast.go    what would come to a request that is not there yet
//	tick.go        all of it, every minute
//
// What others see and call:
//
//	view.go        the request as one side is shown it
//	routes.go version_routes.go run_routes.go  HTTP
//	guard.go       record API: writes become commands or refusals
package workflow

import (
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Change is what a command tells the trail.
type Change struct {
	Actor        schema.Actor
	Action       string
	Collection   string
	Record       string
	Organization string
	Request      string
	Change       map[string]any
	Scope        string
	At           time.Time
}

// Fact is what a command tells the outbox.
type Fact struct {
	Type         string
	Request      string
	Organization string
	Actor        schema.Actor
	Payload      map[string]any
	At           time.Time
}

// Engine carries out commands on requests. Audit and Emit write inside the
// transaction that they are given; Wake runs after a commit.
type Engine struct {
	App   core.App
	Clock schema.Clock
	Audit func(tx core.App, c Change) error
	Emit  func(tx core.App, f Fact) error
	Wake  func()

	// Connected gives the connection to a system, empty if there is none; nil
	// means that nothing is connected.
	Connected func(tx core.App, system string) (connection string, err error)

	// People finds who may be reminded on a request; sentBack are its items that
	// were sent back.
	People func(tx core.App, request string, sentBack []string) (Crowd, error)

	recurred sync.Map // workflow id → the last period that every client was looked at for

	definitions sync.Map // workflow id → *Compiled; published versions never change
}

// Who works out what an actor is on a request: his roles, and whether he may
// see it at all. A request that he may not see does not exist for him.
func (e *Engine) who(tx core.App, r *row, actor schema.Actor) (Who, error) {
	who := Who{Actor: actor}
	switch actor.Kind {
	case schema.ActorSystem, schema.ActorConnection:
		who.System = true
		return who, nil
	case schema.ActorSuperuser:
		who.Superuser = true
		return who, nil
	case schema.ActorStaff:
		return e.whoStaff(r, who)
	case schema.ActorUser:
		return e.whoUser(tx, r, who)
	}
	return who, problem.New(problem.SignIn, "Sign in first.")
}

func (e *Engine) whoStaff(r *row, who Who) (Who, error) {
	who.Standing = access.OfStaff(access.MemberOf(who.Actor))
	if r.SeesTruth {
		return who, nil
	}
	// Not the truth, but perhaps what the client is shown.
	if !r.SeesFace {
		return who, noSuch(nil)
	}
	who.Shown, who.Standing.Roles = true, map[string]bool{}
	return who, nil
}

func (e *Engine) whoUser(tx core.App, r *row, who Who) (Who, error) {
	if !r.SeesFace {
		return who, noSuch(nil)
	}
	standing, err := access.OfActor(tx, who.Actor, r.OrgPath, r.ID, e.Clock())
	if err != nil {
		return who, err
	}
	who.Standing, who.Actor = standing, who.Actor.Lent(standing.OnBehalfOf, standing.GiverName)
	return who, nil
}

func noSuch(cause error) error {
	return problem.New(problem.NotFound, "There is no such request, or you do not have access to it.").Because(cause)
}

// staffOnly answers a client who tries what nobody on his side ever may.
func staffOnly(actor schema.Actor) error {
	if actor.Kind == schema.ActorUser || actor.Kind == schema.ActorGuest {
		return problem.New(problem.Forbidden, "Only staff can do this.")
	}
	return nil
}

// within runs fn in a transaction, and wakes the workers when it was committed
// and was the outermost one.
func (e *Engine) within(app core.App, fn func(tx core.App) error) error {
	if err := app.RunInTransaction(fn); err != nil {
		return err
	}
	if !app.IsTransactional() && e.Wake != nil {
		e.Wake()
	}
	return nil
}

// Definition gives the compiled version that a request is pinned to.
func (e *Engine) Definition(app core.App, workflow string) (*Compiled, error) {
	if c, ok := e.definitions.Load(workflow); ok {
		return c.(*Compiled), nil
	}
	c, err := loadDefinition(app, workflow)
	if err != nil {
		return nil, err
	}
	e.definitions.Store(workflow, c)
	return c, nil
}

// Forget makes the engine read definitions anew: the firm's time zone, which
// calendars follow, has changed.
func (e *Engine) Forget() { e.definitions.Clear() }

func loadDefinition(app core.App, id string) (*Compiled, error) {
	record, err := app.FindRecordById(schema.Workflows, id)
	if err != nil {
		return nil, fmt.Errorf("find workflow %s: %w", id, err)
	}
	c, err := Decode([]byte(record.GetString("definition")))
	if err != nil {
		return nil, fmt.Errorf("read workflow %s: %w", id, err)
	}
	c.ID = id
	firm, err := access.FirmOf(app)
	if err != nil {
		return nil, err
	}
	c.Calendar = NewCalendar(c.Definition.Calendar, FirmCalendar{Timezone: firm.Timezone, Hours: firm.Hours, Holidays: firm.Holidays, Closed: firm.Closed})
	if err := pinned(app, c); err != nil {
		return nil, err
	}
	return c, nil
}

// pinned brings along the forms and texts that a definition names. One that does
// not exist is left out: its item takes any answer.
func pinned(app core.App, c *Compiled) error {
	for _, s := range c.Sections {
		for _, spec := range s.Items {
			if spec.Form != "" {
				form, err := findForm(app, spec.Form)
				if err != nil {
					return err
				}
				c.Forms[spec.Form] = form
			}
			if spec.TextRef != "" {
				text, err := findText(app, spec.TextRef)
				if err != nil {
					return err
				}
				c.Texts[spec.TextRef] = text
			}
		}
	}
	return nil
}
