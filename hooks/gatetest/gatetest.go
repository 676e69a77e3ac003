// Package gatetest is the stage for tests: a real app on a real database, the
// same people in every story, and a clock that the test owns.
//
//	gatetest.go  New: the stage and who is on it
//	act.go       what people do: open, answer, send, decide
//	ask.go       requests through the real router
//	file.go      small real files
//	moment.go    Keep, Back: the stage as it was
//	guard.go     Off: a hook or middleware taken away for a while
package gatetest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/hooks"
	"gatehouse/hooks/ops"

	// The stage stands on the migrated database.
	_ "gatehouse/pb_migrations"
)

// Password is everybody's.
const Password = "correct horse battery"

// Stage is an app with people. Anna is an admin of Bluebell, Ben a member of its
// Leeds office, Vera a viewer, Cleo an admin of another client. Sam handles,
// Ruth is compliance, Pat is partner and owner, Mia manages without a duty, Ines
// only looks. Sol is a superuser.
type Stage struct {
	*tests.TestApp
	House *hooks.House
	Clock *Clock

	Bluebell, Leeds, Kestrel *core.Record
	Anna, Ben, Vera, Cleo    *core.Record
	Sam, Ruth, Pat           *core.Record
	Mia, Ines                *core.Record
	Sol                      *core.Record

	Address string // host:port that requests come from; empty: always the same

	signingIn sync.Mutex
	tokens    map[string]string // of people who have signed in
	once      sync.Once
	handler   http.Handler
	built     error
	routes    []string             // what is served beyond PocketBase's own
	bound     map[string][]handler // hooks and middlewares by their ids
}

// Clock is a time that moves when the test says so.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now tells the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move lets time pass.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set puts the clock to a time, back or ahead.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

var seed = sync.OnceValues(buildSeed)

// buildSeed makes the folder that every stage is a copy of: migrated, with the
// library and the people.
func buildSeed() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-seed-*")
	if err != nil {
		return "", err
	}
	app, err := tests.NewTestApp(dir)
	if err != nil {
		return "", err
	}
	defer app.Cleanup()
	house := hooks.Register(app, hooks.Options{})
	if err := house.Engine.InstallLibrary(app); err != nil {
		return "", err
	}
	if err := hasten(app); err != nil {
		return "", err
	}
	if err := people(app); err != nil {
		return "", err
	}
	// The copy must be whole: everything out of the write-ahead log.
	for _, db := range []string{"data.db", "auxiliary.db"} {
		if _, err := app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
			return "", err
		}
		if err := copyFile(filepath.Join(app.DataDir(), db), filepath.Join(dir, db)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// hasten lets passwords be hashed as quickly as bcrypt can: they guard nothing here.
func hasten(app core.App) error {
	for _, name := range []string{"users", "staff", "_superusers"} {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			return err
		}
		if f, ok := c.Fields.GetByName("password").(*core.PasswordField); ok {
			f.Cost = bcrypt.MinCost
		}
		if err := app.Save(c); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// CleanUp removes the seed; TestMain may call it.
func CleanUp() {
	if dir, err := seed(); err == nil {
		_ = os.RemoveAll(dir)
	}
}

func people(app core.App) error {
	return app.RunInTransaction(func(tx core.App) error {
		add := adder{tx: tx}
		bluebell := add.record("organizations", map[string]any{"name": "Bluebell Bakery", "code": "BLU"})
		leeds := add.record("organizations", map[string]any{"name": "Leeds shop", "parent": bluebell, "kind": "office"})
		kestrel := add.record("organizations", map[string]any{"name": "Kestrel Joinery", "code": "KES"})
		for _, u := range []struct{ name, org, role string }{
			{"Anna", bluebell, "admin"}, {"Ben", leeds, "member"}, {"Vera", bluebell, "viewer"}, {"Cleo", kestrel, "admin"},
		} {
			id := add.person("users", u.name, nil)
			add.record("memberships", map[string]any{"user": id, "organization": u.org, "role": u.role, "status": "active"})
		}
		for _, s := range []struct {
			name, role string
			duties     []string
		}{
			{"Sam", "operator", []string{"handler"}},
			{"Ruth", "operator", []string{"compliance"}},
			{"Pat", "owner", []string{"partner"}},
			{"Mia", "manager", []string{}},
			{"Ines", "viewer", []string{"handler"}},
		} {
			add.person("staff", s.name, map[string]any{"role": s.role, "duties": s.duties, "active": true})
		}
		add.person("_superusers", "Sol", nil)
		return add.err
	})
}

type adder struct {
	tx  core.App
	err error
}

func (a *adder) person(collection, name string, more map[string]any) string {
	fields := map[string]any{"email": strings.ToLower(name) + "@example.com", "password": Password, "passwordConfirm": Password, "verified": true, "emailVisibility": true, "name": name}
	for k, v := range more {
		fields[k] = v
	}
	return a.record(collection, fields)
}

func (a *adder) record(collection string, fields map[string]any) string {
	if a.err != nil {
		return ""
	}
	c, err := a.tx.FindCollectionByNameOrId(collection)
	if err != nil {
		a.err = err
		return ""
	}
	r := core.NewRecord(c)
	r.Load(fields)
	if err := a.tx.Save(r); err != nil {
		a.err = fmt.Errorf("save %s: %w", collection, err)
	}
	return r.Id
}

// New makes a stage. It is gone when the test ends.
func New(t testing.TB) *Stage {
	t.Helper()
	dir, err := seed()
	if err != nil {
		t.Fatal("seed:", err)
	}
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "pb_test_env", DBConnect: ops.Connect})
	if err != nil {
		t.Fatal("stage:", err)
	}
	t.Cleanup(app.Cleanup)
	// Half a minute ahead, so that rights derived now have begun.
	s := &Stage{TestApp: app, tokens: map[string]string{}, Clock: &Clock{now: time.Now().UTC().Truncate(time.Millisecond).Add(30 * time.Second)}}
	s.House = hooks.Register(app, hooks.Options{Clock: s.Clock.Now})
	for name, into := range map[string]**core.Record{"Bluebell Bakery": &s.Bluebell, "Leeds shop": &s.Leeds, "Kestrel Joinery": &s.Kestrel} {
		if *into, err = app.FindFirstRecordByData("organizations", "name", name); err != nil {
			t.Fatal(err)
		}
	}
	for name, into := range map[string]**core.Record{"Anna": &s.Anna, "Ben": &s.Ben, "Vera": &s.Vera, "Cleo": &s.Cleo} {
		*into = s.person(t, "users", name)
	}
	for name, into := range map[string]**core.Record{"Sam": &s.Sam, "Ruth": &s.Ruth, "Pat": &s.Pat, "Mia": &s.Mia, "Ines": &s.Ines} {
		*into = s.person(t, "staff", name)
	}
	s.Sol = s.person(t, "_superusers", "Sol")
	return s
}

// On opens a data folder as it is, such as a restored one.
func On(t testing.TB, dir string) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "pb_test_env", DBConnect: ops.Connect})
	if err != nil {
		t.Fatal("open:", err)
	}
	t.Cleanup(app.Cleanup)
	return app
}

func (s *Stage) person(t testing.TB, collection, name string) *core.Record {
	t.Helper()
	r, err := s.FindAuthRecordByEmail(collection, strings.ToLower(name)+"@example.com")
	if err != nil {
		t.Fatal(name, err)
	}
	return r
}

// Deliver lets all workers take what was committed.
func (s *Stage) Deliver(t testing.TB) {
	t.Helper()
	// What one worker does may be news for another.
	for range 3 {
		if err := s.House.Bus.Drain(context.Background()); err != nil {
			t.Fatal("deliver:", err)
		}
	}
}

// App is the stage as PocketBase knows it.
func (s *Stage) App() core.App { return s.TestApp }
