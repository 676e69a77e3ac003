package demo

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/audit"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
	_ "gatehouse/pb_migrations"
)

// noon is a Wednesday, well into the business day.
var noon = time.Date(2026, 12, 9, 14, 5, 0, 0, time.UTC)

// emptyPortal is migrated, and has its library.
func emptyPortal(t testing.TB) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	if err := engineFor(app)(time.Now).InstallLibrary(app); err != nil {
		t.Fatal(err)
	}
	return app
}

// engineFor makes engines as the house does.
func engineFor(app core.App) func(schema.Clock) *workflow.Engine {
	return func(clock schema.Clock) *workflow.Engine {
		return &workflow.Engine{
			App: app, Clock: clock,
			Audit: func(tx core.App, c workflow.Change) error { return audit.Append(tx, audit.Entry(c)) },
			Emit: func(tx core.App, f workflow.Fact) error {
				return event.Emit(tx, event.Event{Type: f.Type, Request: f.Request, Organization: f.Organization, Actor: f.Actor, Payload: f.Payload, At: f.At})
			},
		}
	}
}

func build(t testing.TB, now time.Time, seed uint64) *tests.TestApp {
	t.Helper()
	app := emptyPortal(t)
	err := Build(t.Context(), app, Options{Seed: seed, Clock: func() time.Time { return now }, NewEngine: engineFor(app), Consumers: []string{"notify"}})
	if err != nil {
		t.Fatal(err)
	}
	return app
}
