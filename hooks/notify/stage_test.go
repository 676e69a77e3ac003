package notify

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
	_ "gatehouse/pb_migrations"
)

// stage is a portal with one client, its people, one request and a clock.
type stage struct {
	*tests.TestApp
	t      *testing.T
	now    time.Time
	bus    *event.Bus
	post   *Post
	mailer *Mailer
	ids    map[string]string
}

// seed is a migrated database; every stage starts from a copy of it.
var seed string

func TestMain(m *testing.M) {
	os.Exit(withSeed(m))
}

func withSeed(m *testing.M) int {
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		panic(err)
	}
	if err := app.RunAllMigrations(); err != nil {
		panic(err)
	}
	if err := app.ClearBootstrap(); err != nil {
		panic(err)
	}
	seed = dir
	return m.Run()
}

func newStage(t *testing.T) *stage {
	t.Helper()
	app, err := tests.NewTestApp(seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	// The test app swaps every mail client for its own; here the real one sends.
	app.OnMailerSend().UnbindAll()
	app.Settings().Meta.SenderName, app.Settings().Meta.SenderAddress = "Harbour & Finch", "office@harbour.example"
	s := &stage{TestApp: app, t: t, now: time.Date(2026, 12, 9, 14, 5, 0, 0, time.UTC), ids: map[string]string{}}
	clock := func() time.Time { return s.now }
	s.post = &Post{
		App: app, Clock: clock, Addresses: Addresses{BaseURL: func() string { return "https://portal.example:8443/" }},
		Link: func(_ core.App, id string) (string, error) {
			return "https://portal.example/invite/token-of-" + id, nil
		},
	}
	s.mailer = NewMailer(app, clock, s.post.Digest)
	s.bus = event.NewBus(app)
	s.bus.Add("notify", s.post.Handle, s.mailer.Wake)
	s.people()
	return s
}

func (s *stage) row(table, id string, row dbx.Params) {
	s.t.Helper()
	row["id"] = id
	if err := schema.Insert(s, table, row); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) person(collection, id string, data map[string]any) {
	s.t.Helper()
	c, err := s.FindCollectionByNameOrId(collection)
	if err != nil {
		s.t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Id = id
	r.Load(data)
	r.SetRandomPassword()
	if err := s.Save(r); err != nil {
		s.t.Fatal(err)
	}
}

const (
	orgID, requestID     = "bluebell0000000", "request00000000"
	anaID, benID         = "ana000000000000", "ben000000000000"
	priyaID, tomID       = "priya0000000000", "tom000000000000"
	helenID, managerless = "helen0000000000", "ines00000000000"
)

func (s *stage) people() {
	s.row(schema.Organizations, orgID, dbx.Params{"name": "Bluebell Bakery Ltd", "path": "/" + orgID + "/", "status": "active", "scope": orgID})
	s.person(schema.Users, anaID, map[string]any{"name": "Ana Petrova", "email": "ana@bluebell.example", "verified": true})
	s.person(schema.Users, benID, map[string]any{"name": "Ben", "email": "ben@bluebell.example", "verified": true})
	s.person(schema.Staff, priyaID, map[string]any{"name": "Priya Nair", "email": "priya@firm.example", "role": "operator", "duties": []string{"handler"}, "active": true})
	s.person(schema.Staff, tomID, map[string]any{"name": "Tom Weller", "email": "tom@firm.example", "role": "manager", "duties": []string{"handler"}, "active": true})
	s.person(schema.Staff, helenID, map[string]any{"name": "Helen Finch", "email": "helen@firm.example", "role": "owner", "active": true})
	s.row(schema.Memberships, "memberana000000", dbx.Params{"user": anaID, "organization": orgID, "role": "admin", "status": "active", "scope": orgID})
	s.row(schema.Memberships, "memberben000000", dbx.Params{"user": benID, "organization": orgID, "role": "member", "status": "active", "scope": orgID})
	for _, id := range []string{anaID, benID} {
		s.grant(id, orgID)
	}
	for _, id := range []string{priyaID, tomID, helenID} {
		s.grant(id, orgID)
		s.grant(id, "staff:"+orgID)
	}
	s.row(schema.Workflows, "workflow0000000", dbx.Params{"key": "simple", "version": 1, "title": "Request", "definition": simple, "status": "published"})
	s.row(schema.Requests, requestID, dbx.Params{
		"number": "REQ-1", "workflow": "workflow0000000", "workflow_key": "simple", "organization": orgID, "title": "Year-end papers",
		"state": "draft", "category": "open", "turn": "staff", "entry": 1, "visibility": "organization", "revision": 1, "due": "2026-12-12 12:00:00.000Z", "scope": "staff:" + orgID,
	})
	// The database lets a client's row in with a recorded change only.
	if err := schema.Insert(s, "request_changes", dbx.Params{"request": requestID, "revision": 2, "actor_kind": "system", "actor": "", "at": ""}); err != nil {
		s.t.Fatal(err)
	}
	s.row(schema.ClientRequests, requestID, dbx.Params{
		"number": "REQ-1", "organization": orgID, "title": "Year-end papers", "state": "waiting", "label": "We need some things from you",
		"category": "waiting", "turn": "client", "revision": 1, "scope": orgID,
	})
}

func (s *stage) grant(principal, scope string) {
	s.t.Helper()
	s.row(schema.Access, schema.NewID(), dbx.Params{
		"principal": principal, "scope": scope, "since": "2026-01-01 00:00:00.000Z", "until": schema.Forever,
		"source": "membership", "source_id": principal,
	})
}

func (s *stage) lose(principal string) {
	s.t.Helper()
	if _, err := s.DB().Delete(schema.Access, dbx.HashExp{"principal": principal}).Execute(); err != nil {
		s.t.Fatal(err)
	}
}

// happen emits an event and delivers it.
func (s *stage) happen(kind string, actor schema.Actor, payload map[string]any) {
	s.t.Helper()
	e := event.Event{Type: kind, Organization: orgID, Actor: actor, Payload: payload, At: s.now}
	if !strings.HasPrefix(kind, "invitation.") {
		e.Request = requestID
	}
	if err := s.RunInTransaction(func(tx core.App) error { return event.Emit(tx, e) }); err != nil {
		s.t.Fatal(err)
	}
	s.deliver()
}

func (s *stage) deliver() {
	s.t.Helper()
	if err := s.bus.Drain(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) pass() {
	s.t.Helper()
	if err := s.mailer.Pass(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// notices lists what is stored: "who channel status why".
func (s *stage) notices() []string {
	s.t.Helper()
	var rows []struct {
		User, Staff, Channel, Status, Why string
	}
	if err := s.DB().NewQuery(`SELECT user, staff, channel, status, why FROM notifications ORDER BY user, staff, channel, created, id`).All(&rows); err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, r := range rows {
		list = append(list, fmt.Sprintf("%s %s %s %s", strings.TrimRight(r.User+r.Staff, "0"), r.Channel, r.Status, r.Why))
	}
	return list
}

// mails lists the queue: "to kind status".
func (s *stage) mails() []string {
	s.t.Helper()
	var rows []struct {
		To, Kind, Status string
	}
	if err := s.DB().NewQuery(`SELECT [[to]], kind, status FROM mails ORDER BY [[to]], created, kind, id`).All(&rows); err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, r := range rows {
		list = append(list, r.To+" "+r.Kind+" "+r.Status)
	}
	return list
}

func (s *stage) text(query string) string {
	s.t.Helper()
	var value string
	if err := s.DB().NewQuery(query).Row(&value); err != nil {
		s.t.Fatal(err)
	}
	return value
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	byPriya = schema.Actor{Kind: schema.ActorStaff, ID: priyaID, Name: "Priya Nair"}
	byAna   = schema.Actor{Kind: schema.ActorUser, ID: anaID, Name: "Ana Petrova"}
)

func sendPayload() map[string]any {
	return map[string]any{"from": "draft", "to": "waiting", "entry": 1, "to_turn": "client", "missing": []any{map[string]any{"item": "i1", "key": "photo_id", "title": "Photo ID"}}}
}
