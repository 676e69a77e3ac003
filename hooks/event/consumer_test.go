package event_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/event"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

func TestMain(m *testing.M) {
	code := m.Run()
	gatetest.CleanUp()
	os.Exit(code)
}

func emit(t *testing.T, app core.App, kinds ...string) {
	t.Helper()
	err := app.RunInTransaction(func(tx core.App) error {
		for _, kind := range kinds {
			if err := event.Emit(tx, event.Event{Type: kind, Request: "r", Organization: "o", Actor: schema.Actor{Kind: schema.ActorStaff, ID: "sam"}, Payload: map[string]any{"n": 1}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func cursor(t *testing.T, app core.App, consumer string) int64 {
	t.Helper()
	var seq int64
	if err := app.DB().NewQuery(`SELECT COALESCE(MAX(seq), 0) FROM event_cursors WHERE consumer = {:c}`).Bind(dbx.Params{"c": consumer}).Row(&seq); err != nil {
		t.Fatal(err)
	}
	return seq
}

// note writes what a consumer took where a test can count it, in the same
// transaction as the cursor.
func note(tx core.App, consumer, kind string) error {
	now := schema.Stamp(schema.Time("2026-01-01 00:00:00.000Z"))
	return schema.Insert(tx, "settings", dbx.Params{"id": schema.NewID(), "key": consumer + " " + kind, "created": now, "updated": now})
}

func noted(t *testing.T, app core.App, consumer string) []string {
	t.Helper()
	var keys []string
	if err := app.DB().NewQuery(`SELECT substr(key, length({:c}) + 2) FROM settings WHERE key LIKE {:c} || ' %' ORDER BY rowid`).Bind(dbx.Params{"c": consumer}).Column(&keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestBus_failingConsumerLosesAndReordersNothing(t *testing.T) {
	s := gatetest.New(t)
	bus := event.NewBus(s.TestApp)
	failing := true
	bus.Add("first", func(tx core.App, e event.Event) error {
		if err := note(tx, "first", e.Type); err != nil {
			return err
		}
		if e.Type == "three" && failing {
			return errors.New("not now")
		}
		return nil
	}, nil)
	bus.Add("second", func(tx core.App, e event.Event) error { return note(tx, "second", e.Type) }, nil)
	emit(t, s.TestApp, "one", "two", "three", "four")

	for range 3 { // the failure is not passed over, however often it is tried
		if err := bus.Drain(context.Background()); err == nil {
			t.Fatal("nobody says that a consumer failed")
		}
		same(t, "before the failure", noted(t, s.TestApp, "first"), []string{"one", "two"})
		same(t, "the other consumer goes on", noted(t, s.TestApp, "second"), []string{"one", "two", "three", "four"})
	}
	if a, b := cursor(t, s.TestApp, "first"), cursor(t, s.TestApp, "second"); b-a != 2 {
		t.Errorf("cursors %d and %d", a, b)
	}
	behind, err := bus.Behind(s.TestApp)
	if err != nil || behind["first"] != 2 || behind["second"] != 0 {
		t.Errorf("behind: %v %v", behind, err)
	}
	emit(t, s.TestApp, "five")
	failing = false
	if err := bus.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	same(t, "after it", noted(t, s.TestApp, "first"), []string{"one", "two", "three", "four", "five"})
	same(t, "and the other", noted(t, s.TestApp, "second"), []string{"one", "two", "three", "four", "five"})
	if err := bus.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	same(t, "once more, nothing is taken twice", noted(t, s.TestApp, "first"), []string{"one", "two", "three", "four", "five"})
}

// A consumer that works outside sees the event again that it failed on: at least
// once, in order.
func TestBus_outsideWorkIsDoneAtLeastOnce(t *testing.T) {
	s := gatetest.New(t)
	var seen []string
	failing := true
	work := func(_ core.App, e event.Event) error {
		seen = append(seen, e.Type)
		if e.Type == "two" && failing {
			return errors.New("no network")
		}
		return nil
	}
	bus := event.NewBus(s.TestApp)
	bus.AddDo("outside", work)
	emit(t, s.TestApp, "one", "two", "three")
	if err := bus.Drain(context.Background()); err == nil {
		t.Fatal("nobody says that a consumer failed")
	}
	if at := cursor(t, s.TestApp, "outside"); at != 1 {
		t.Errorf("the cursor is at %d", at)
	}
	failing = false
	// Another process: nothing but the database remembers.
	bus = event.NewBus(s.TestApp)
	bus.AddDo("outside", work)
	if err := bus.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	same(t, "done", seen, []string{"one", "two", "two", "three"})
	if behind, err := bus.Behind(s.TestApp); err != nil || behind["outside"] != 0 {
		t.Errorf("behind: %v %v", behind, err)
	}
}

func TestBus_manyEventsInBatches(t *testing.T) {
	s := gatetest.New(t)
	var kinds []string
	for n := range 120 {
		kinds = append(kinds, fmt.Sprintf("e%03d", n))
	}
	emit(t, s.TestApp, kinds...)
	bus := event.NewBus(s.TestApp)
	batches := 0
	bus.Add("writer", func(tx core.App, e event.Event) error { return note(tx, "writer", e.Type) }, func() { batches++ })
	if err := bus.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	same(t, "taken", noted(t, s.TestApp, "writer"), kinds)
	if batches != 3 {
		t.Errorf("%d batches", batches)
	}
}

// A bad event takes nothing of its neighbours with it, wherever it stands.
func TestBus_oneBadEventAmongMany(t *testing.T) {
	s := gatetest.New(t)
	var kinds []string
	for n := range 30 {
		kinds = append(kinds, fmt.Sprintf("e%02d", n))
	}
	emit(t, s.TestApp, kinds...)
	bus := event.NewBus(s.TestApp)
	bad := "e13"
	bus.Add("writer", func(tx core.App, e event.Event) error {
		if err := note(tx, "writer", e.Type); err != nil {
			return err
		}
		if e.Type == bad {
			return errors.New("not now")
		}
		return nil
	}, nil)
	for range 2 {
		if err := bus.Drain(context.Background()); err == nil {
			t.Fatal("nobody says that a consumer failed")
		}
		same(t, "before the bad one", noted(t, s.TestApp, "writer"), kinds[:13])
	}
	bad = ""
	if err := bus.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	same(t, "each once", noted(t, s.TestApp, "writer"), kinds)
}

// What a transaction takes back was never a fact.
func TestEmit_isOneWithItsChange(t *testing.T) {
	s := gatetest.New(t)
	back := errors.New("back")
	err := s.RunInTransaction(func(tx core.App) error {
		if err := event.Emit(tx, event.Event{Type: "ghost"}); err != nil {
			return err
		}
		return back
	})
	if !errors.Is(err, back) {
		t.Fatal(err)
	}
	emit(t, s.TestApp, "real", "also real")
	var got []event.Event
	bus := event.NewBus(s.TestApp)
	bus.AddDo("reader", func(_ core.App, e event.Event) error { got = append(got, e); return nil })
	if err := bus.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Type != "real" || got[1].Seq != got[0].Seq+1 || got[0].Payload["n"] != 1.0 || got[0].Actor.ID != "sam" || got[0].Actor.Kind != schema.ActorStaff {
		t.Errorf("%+v", got)
	}
}

func TestEmit_somebodyAlwaysActs(t *testing.T) {
	s := gatetest.New(t)
	for _, actor := range []schema.Actor{{}, {Kind: schema.ActorGuest, IP: "1.2.3.4"}} {
		if err := event.Emit(s.TestApp, event.Event{Type: "x", Actor: actor}); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	if err := s.DB().NewQuery(`SELECT DISTINCT actor_kind FROM events`).Column(&kinds); err != nil {
		t.Fatal(err)
	}
	same(t, "actors", kinds, []string{"system"})
}

// Run delivers what was there before it began and what comes while it goes, and
// ends when told to.
func TestBus_run(t *testing.T) {
	s := gatetest.New(t)
	bus := event.NewBus(s.TestApp)
	taken := make(chan string, 10)
	bus.AddDo("reader", func(_ core.App, e event.Event) error { taken <- e.Type; return nil })
	emit(t, s.TestApp, "before")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		bus.Run(ctx, 1<<62) // never by the clock
		close(done)
	}()
	if got := <-taken; got != "before" {
		t.Errorf("took %s", got)
	}
	emit(t, s.TestApp, "while")
	bus.Wake()
	if got := <-taken; got != "while" {
		t.Errorf("took %s", got)
	}
	cancel()
	<-done
}
