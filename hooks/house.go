package hooks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/robfig/cron/v3"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/console"
	"gatehouse/hooks/demo"
	"gatehouse/hooks/document"
	"gatehouse/hooks/event"
	"gatehouse/hooks/notify"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/ops/backup"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/report"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Options are what a caller decides: main for the server, tests for a stage.
type Options struct {
	Clock   schema.Clock // nil: the real one
	Console fs.FS        // the staff console's files; nil: none
	Portal  fs.FS        // the client portal's files; nil: none
	Workers bool         // deliver events, send mails and keep time in the background
	Folder  demo.Folder  // what the data folder is, when a server starts on it
}

// House holds the rooms, each with what it needs from the others.
type House struct {
	App         core.App
	Options     Options
	Engine      *workflow.Engine
	Runs        *workflow.Runs
	Documents   *document.Room
	Guard       access.Guard
	Recorder    audit.Recorder
	Invitations *access.Invitations
	Team        *access.Team
	Delegations *access.Delegations
	Setup       *access.Setup
	Explain     *access.Explain
	Sessions    *access.Sessions
	Viewings    *access.Viewings
	Programs    *access.Programs
	Post        *notify.Post
	Mailer      *notify.Mailer
	SignIn      notify.SignIn
	Mails       notify.Mails
	Reports     *report.Reports
	Live        *console.Live
	Health      *ops.Health
	Backups     *backup.Keeper
	BackupDesk  *backup.Desk
	Demo        *demo.Mode
	Bus         *event.Bus
	Rows        []Row

	restarting atomic.Bool

	life context.Context // ends when the portal stops
	stop context.CancelFunc
	done sync.WaitGroup // what is at work in the background
}

// NewHouse wires the rooms. Nothing is bound yet; Register does that.
func NewHouse(app core.App, o Options) *House {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	h := &House{App: app, Options: o, Bus: event.NewBus(app), Guard: access.Guard{Clock: o.Clock}, Recorder: audit.Recorder{Clock: o.Clock}}
	h.life, h.stop = context.WithCancel(context.Background())
	h.Engine = h.NewEngine(o.Clock)
	h.Runs = &workflow.Runs{Engine: h.Engine}
	h.Documents = h.documents()
	h.Explain = h.explain()
	h.Invitations = &access.Invitations{
		App: app, Clock: o.Clock, BaseURL: h.baseURL,
		Emit: func(tx core.App, f access.Fact) error {
			tx.TxInfo().OnComplete(func(failed error) error {
				if failed == nil {
					h.Bus.Wake()
				}
				return nil
			})
			return event.Emit(tx, event.Event{Type: f.Type, Organization: f.Organization, Actor: f.Actor, Payload: f.Payload, At: f.At})
		},
		Audit:  h.trace,
		Proved: func(e *core.RequestEvent) error { return h.Sessions.Proved(e) },
	}
	h.Team = &access.Team{App: app, Clock: o.Clock, Invites: h.Invitations, Proved: h.Invitations.Proved, Audit: h.trace, Leave: h.Engine.Leave}
	h.Delegations = &access.Delegations{App: app, Clock: o.Clock, Invites: h.Invitations}
	h.Setup = &access.Setup{App: app, Clock: o.Clock, Audit: func(tx core.App, t access.Trace) error {
		h.Engine.Forget() // the firm has a time zone now
		return h.trace(tx, t)
	}}
	h.Viewings = &access.Viewings{App: app, Clock: o.Clock, Audit: h.trace}
	h.Sessions = &access.Sessions{App: app, Clock: o.Clock, Audit: h.trace, Emit: h.Invitations.Emit, Demo: o.Folder.Demo, Unlimited: ops.LimitsOff()}
	h.Programs = &access.Programs{App: app, Clock: o.Clock, Sessions: h.Sessions, Audit: h.trace}
	addresses := notify.Addresses{BaseURL: h.baseURL}
	h.Post = &notify.Post{Addresses: addresses, App: app, Clock: o.Clock, Link: h.Invitations.Link}
	h.Mailer = notify.NewMailer(app, o.Clock, h.Post.Digest)
	h.SignIn = notify.SignIn{Addresses: addresses, Clock: o.Clock, Demo: o.Folder.Demo}
	h.Mails = notify.Mails{App: app, Clock: o.Clock, Demo: o.Folder.Demo}
	h.Reports = &report.Reports{App: app, Clock: o.Clock, Engine: h.Engine}
	h.Live = &console.Live{App: app, Clock: o.Clock}
	h.Demo = &demo.Mode{App: app, On: o.Folder.Demo}
	h.Backups, h.BackupDesk = h.backups()
	h.Health = &ops.Health{App: app, Clock: o.Clock, Behind: h.Bus.Behind}
	return h
}

// NewEngine makes an engine with a clock of its own; the demo moves one through
// the past.
func (h *House) NewEngine(clock schema.Clock) *workflow.Engine {
	return &workflow.Engine{
		App: h.App, Clock: clock, Wake: h.Bus.Wake, People: h.people(clock),
		Audit: func(tx core.App, c workflow.Change) error { return audit.Append(tx, audit.Entry(c)) },
		Emit: func(tx core.App, f workflow.Fact) error {
			return event.Emit(tx, event.Event{Type: f.Type, Request: f.Request, Organization: f.Organization, Actor: f.Actor, Payload: f.Payload, At: f.At})
		},
	}
}

// people lets reminders find whom they are for.
func (h *House) people(clock schema.Clock) func(core.App, string, []string) (workflow.Crowd, error) {
	return func(tx core.App, request string, sentBack []string) (workflow.Crowd, error) {
		find, err := notify.Crowd(tx, request, sentBack, clock())
		if err != nil {
			return nil, err
		}
		return func(name string) []workflow.Receiver {
			var list []workflow.Receiver
			for _, p := range find(name) {
				list = append(list, workflow.Receiver{ID: p.ID, Kind: string(p.Kind), Name: p.Name, Timezone: p.Timezone, Sees: p.Sees, Mailed: p.Mailed})
			}
			return list
		}, nil
	}
}

func (h *House) trace(tx core.App, t access.Trace) error {
	return audit.Append(tx, audit.Entry{Actor: t.Actor, Action: t.Action, Collection: t.Collection, Record: t.Record, Organization: t.Organization, Request: t.Request, Change: t.Change, Scope: t.Scope, At: t.At})
}

func (h *House) documents() *document.Room {
	return &document.Room{
		Clock: h.Options.Clock, Wake: h.Bus.Wake,
		ItemSlot: func(tx core.App, item string, actor schema.Actor) (document.Slot, error) {
			slot, err := h.Engine.SlotFor(tx, item, actor)
			return document.Slot(slot), err
		},
		RequestSlot: func(tx core.App, request string, actor schema.Actor) (document.Slot, error) {
			slot, err := h.Engine.SlotForRequest(tx, request, actor)
			return document.Slot(slot), err
		},
		LibrarySlot: h.librarySlot,
		Reusable:    h.Engine.Reusable,
		View:        h.Engine.View,
		Changed:     h.Engine.DocumentsChanged,
		Emit: func(tx core.App, kind, request, organization string, actor schema.Actor, payload map[string]any, at time.Time) error {
			return event.Emit(tx, event.Event{Type: kind, Request: request, Organization: organization, Actor: actor, Payload: payload, At: at})
		},
		Audit: func(tx core.App, action, record, organization, request, scope string, actor schema.Actor, change map[string]any, at time.Time) error {
			return audit.Append(tx, audit.Entry{Actor: actor, Action: action, Collection: schema.Documents, Record: record, Organization: organization, Request: request, Scope: scope, Change: change, At: at})
		},
	}
}

// librarySlot lets those who see an organization, and may do more than look,
// put documents into its library.
func (h *House) librarySlot(tx core.App, organization string, actor schema.Actor) (document.Slot, error) {
	slot := document.Slot{Organization: organization, Scope: organization}
	missing := problem.Field("organization", problem.BadInput, "There is no such client, or you do not have access to it.")
	if actor.Kind == schema.ActorSuperuser {
		return slot, nil
	}
	now := h.Options.Clock()
	sees, err := access.Sees(tx, actor.ID, organization, now)
	if err != nil || !sees {
		return slot, errors.Join(err, missing)
	}
	if actor.Kind == schema.ActorStaff {
		member, err := access.StaffOf(tx, actor.ID)
		if err == nil && !member.AtLeast("operator") {
			err = problem.New(problem.Role, "Your role lets you look, not change.")
		}
		return slot, err
	}
	org, err := tx.FindRecordById(schema.Organizations, organization)
	if err != nil {
		return slot, missing.Because(err)
	}
	standing, err := access.OfActor(tx, actor, org.GetString("path"), "", now)
	if err != nil {
		return slot, err
	}
	standing = standing.With(access.Provide)
	slot.Author = actor.Lent(standing.OnBehalfOf, standing.GiverName)
	if why := standing.Refuses(access.Provide, "You can view this. Only an admin or a member can send files."); why != "" {
		return slot, problem.New(problem.NotYours, why)
	}
	return slot, nil
}

func (h *House) baseURL() string {
	return strings.TrimRight(h.App.Settings().Meta.AppURL, "/")
}

// pass is the event consumer that lets the system take its steps.
func (h *House) pass(app core.App, e event.Event) error {
	if e.Request == "" {
		return nil
	}
	waiting, err := h.Engine.Waiting(app, e.Request)
	if err != nil || !waiting {
		return err
	}
	return h.Engine.Pass(context.Background(), e.Request)
}

// tick does what time alone brings.
func (h *House) tick() {
	err := errors.Join(h.Engine.Tick(context.Background()), access.ExpireInvitations(h.App, h.Options.Clock()), h.Sessions.Flush(), h.Sessions.Tidy(), h.Viewings.Tidy(), h.Programs.Tidy(), h.Engine.RetireLeft(context.Background(), h.App))
	if err != nil {
		h.App.Logger().Error("tick failed", slog.Any("error", err))
	}
}

// keepBackups makes and proves what is due, beside everything else: a large one
// takes minutes.
func (h *House) keepBackups() {
	if err := h.Backups.Tick(h.life); err != nil {
		h.App.Logger().Error("backup failed", slog.Any("error", err))
	}
}

// start runs the workers until stop: events, mails, and the clock. robfig/cron
// skips a run while the one before is still going, and survives a panic.
func (h *House) start() error {
	ctx := h.life
	const look = 5 * time.Second // how often to look without being woken
	h.done.Go(func() { h.Bus.Run(ctx, look) })
	h.done.Go(func() { h.Mailer.Run(ctx, look) })
	h.done.Go(func() { h.Runs.Run(ctx, time.Second) })
	clock := cron.New(cron.WithChain(cron.Recover(cron.DiscardLogger), cron.SkipIfStillRunning(cron.DiscardLogger)))
	if _, err := clock.AddFunc("@every 1m", h.tick); err != nil {
		return fmt.Errorf("schedule the tick: %w", err)
	}
	if !h.Options.Folder.Demo {
		if _, err := clock.AddFunc("@every 1m", h.keepBackups); err != nil {
			return fmt.Errorf("schedule the backups: %w", err)
		}
	}
	clock.Start()
	h.done.Go(func() {
		<-ctx.Done()
		<-clock.Stop().Done()
	})
	return nil
}

// Close stops the workers and waits for what they have begun.
func (h *House) Close() {
	h.stop()
	h.done.Wait()
	if err := h.Sessions.Flush(); err != nil {
		h.App.Logger().Error("sessions not written", slog.Any("error", err))
	}
}

// noteRestart comes before the server stops listening, so that the command that
// served knows why it did.
func (h *House) noteRestart(e *core.TerminateEvent) error {
	h.restarting.Store(e.IsRestart)
	return e.Next()
}

// terminate stops the workers before the databases are closed.
func (h *House) terminate(e *core.TerminateEvent) error {
	h.Close()
	return e.Next()
}
