package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
	_ "gatehouse/pb_migrations"
)

// stage is a firm with two clients, the real engine, and a clock to turn.
type stage struct {
	*tests.TestApp
	t       *testing.T
	now     time.Time
	engine  *workflow.Engine
	reports *Reports
	door    http.Handler
	queries atomic.Int64
	cast
}

// cast is who is on the stage.
type cast struct {
	bluebell, office, harbor string // organizations; the office is Bluebell's
	anna, ben, cleo          schema.Actor
	sam, pia, vic            schema.Actor // handler, compliance, viewer
	sol                      schema.Actor
}

// seed is a data folder with the library and the people, made once and copied
// for each stage.
var seed = sync.OnceValues(func() (string, cast) {
	empty, err := os.MkdirTemp("", "report-empty-*")
	if err != nil {
		panic(err)
	}
	app, err := tests.NewTestApp(empty)
	if err != nil {
		panic(err)
	}
	defer app.Cleanup()
	s := &stage{TestApp: app, t: &testing.T{}}
	s.wire()
	s.must(s.engine.InstallLibrary(app))
	s.publish(holdFlow)
	s.people()
	s.must(app.ClearBootstrap())
	s.must(os.CopyFS(empty, os.DirFS(app.DataDir())))
	return empty, s.cast
})

func TestMain(m *testing.M) {
	code := m.Run()
	dir, _ := seed()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir, people := seed()
	app, err := tests.NewTestApp(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	s := &stage{TestApp: app, t: t, cast: people}
	s.wire()
	s.openDoor()
	return s
}

func (s *stage) wire() {
	s.now = time.Date(2026, 11, 19, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return s.now }
	s.engine = &workflow.Engine{
		App: s, Clock: clock,
		Audit: func(tx core.App, c workflow.Change) error { return audit.Append(tx, audit.Entry(c)) },
		Emit: func(tx core.App, f workflow.Fact) error {
			return event.Emit(tx, event.Event{Type: f.Type, Request: f.Request, Organization: f.Organization, Actor: f.Actor, Payload: f.Payload, At: f.At})
		},
	}
	s.reports = &Reports{App: s, Clock: clock, Engine: s.engine}
}

func (s *stage) people() {
	s.bluebell = s.organization("Bluebell Bakery Ltd", "")
	s.office = s.organization("Bluebell Cork office", s.bluebell)
	s.harbor = s.organization("Harbor_Fish 100%", "")
	s.anna = s.user("Anna Bell", "anna@bluebell.example", s.bluebell, "admin")
	s.ben = s.user("Ben Ode", "ben@bluebell.example", s.office, "member")
	s.cleo = s.user("Cleo Fin", "cleo@harbor.example", s.harbor, "admin")
	s.sam = s.member("Sam Ford", "sam@firm.example", "operator", "handler")
	s.pia = s.member("Pia Lund", "pia@firm.example", "operator", "compliance")
	s.vic = s.member("Vic Roe", "vic@firm.example", "viewer")
	c, err := s.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	s.must(err)
	sol := core.NewRecord(c)
	sol.Load(map[string]any{"email": "sol@firm.example", "password": "a long sentence"})
	s.must(s.Save(sol))
	s.sol = schema.ActorOf(sol, "")
	s.rebuild()
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) save(collection string, data map[string]any) string {
	s.t.Helper()
	c, err := s.FindCollectionByNameOrId(collection)
	s.must(err)
	r := core.NewRecord(c)
	r.Load(data)
	s.must(s.Save(r))
	return r.Id
}

func (s *stage) insert(table string, row dbx.Params) string {
	s.t.Helper()
	for key, value := range map[string]any{"id": schema.NewID(), "created": schema.Stamp(s.now), "updated": schema.Stamp(s.now)} {
		if row[key] == nil {
			row[key] = value
		}
	}
	s.must(schema.Insert(s, table, row))
	return row["id"].(string)
}

func (s *stage) organization(name, parent string) string {
	id := s.save(schema.Organizations, map[string]any{"name": name, "status": "active", "kind": "client", "parent": parent})
	path := "/" + id + "/"
	if parent != "" {
		path = "/" + parent + path
	}
	s.must(schema.Update(s, schema.Organizations, id, dbx.Params{"path": path, "scope": id}))
	return id
}

func (s *stage) user(name, email, organization, role string) schema.Actor {
	id := s.save(schema.Users, map[string]any{"name": name, "email": email, "password": "a long sentence"})
	m := s.save(schema.Memberships, map[string]any{"user": id, "organization": organization, "role": role, "status": "active"})
	s.must(schema.Update(s, schema.Memberships, m, dbx.Params{"scope": organization}))
	return s.actor(schema.Users, id)
}

func (s *stage) member(name, email, role string, duties ...string) schema.Actor {
	id := s.save(schema.Staff, map[string]any{"name": name, "email": email, "password": "a long sentence", "role": role, "active": true, "duties": duties})
	return s.actor(schema.Staff, id)
}

func (s *stage) actor(collection, id string) schema.Actor {
	s.t.Helper()
	record, err := s.FindRecordById(collection, id)
	s.must(err)
	return schema.ActorOf(record, "")
}

// rebuild derives access, which the guards do when the whole house is wired.
func (s *stage) rebuild() {
	s.t.Helper()
	for _, table := range []string{schema.Memberships, schema.Staff} { // as if long before the stage's clock
		_, err := s.DB().NewQuery(`UPDATE ` + table + ` SET created = '2020-01-01 00:00:00.000Z'`).Execute()
		s.must(err)
	}
	s.must(s.RunInTransaction(func(tx core.App) error { return access.Rebuild(tx, s.now) }))
}

// later turns the clock.
func (s *stage) later(d time.Duration) { s.now = s.now.Add(d) }

func (s *stage) publish(source string) {
	s.t.Helper()
	out, err := s.engine.Import(s, []byte(source), true, false)
	s.must(err)
	if out.Status != "published" {
		s.t.Fatalf("not published: %+v", out.Findings)
	}
}

func (s *stage) open(by schema.Actor, workflowKey, organization, title string, items ...workflow.NewItem) string {
	s.t.Helper()
	id, err := s.engine.Open(context.Background(), s, by, workflow.NewRequest{Workflow: workflowKey, Organization: organization, Title: title, Items: items})
	s.must(err)
	return id
}

func (s *stage) step(by schema.Actor, id, key string, change ...func(*workflow.Input)) {
	s.t.Helper()
	in := workflow.Input{Transition: key}
	for _, c := range change {
		c(&in)
	}
	s.must(s.engine.Transition(context.Background(), s, id, by, in))
}

func (s *stage) openDoor() {
	r, err := apis.NewRouter(s)
	s.must(err)
	r.GET("/api/portal/home", s.reports.GetHome)
	r.GET("/api/portal/requests", s.reports.GetRequests)
	r.GET("/api/portal/queue", s.reports.GetQueue)
	r.GET("/api/portal/requests/{id}/timeline", s.reports.GetTimeline)
	r.GET("/api/portal/clients", s.reports.GetClients)
	r.GET("/api/portal/clients/{id}", s.reports.GetClient)
	r.GET("/api/portal/staff", s.reports.GetStaff)
	s.door, err = r.BuildMux()
	s.must(err)
	for _, db := range []dbx.Builder{s.ConcurrentDB(), s.NonconcurrentDB()} {
		db.(*dbx.DB).QueryLogFunc = func(context.Context, time.Duration, string, *sql.Rows, error) { s.queries.Add(1) }
		db.(*dbx.DB).ExecLogFunc = func(context.Context, time.Duration, string, sql.Result, error) { s.queries.Add(1) }
	}
}

// get calls a route as somebody; the zero Actor is a guest.
func (s *stage) get(as schema.Actor, path string) (int, string) {
	s.t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	if as.ID != "" {
		collection := map[schema.ActorKind]string{schema.ActorUser: schema.Users, schema.ActorStaff: schema.Staff, schema.ActorSuperuser: core.CollectionNameSuperusers}[as.Kind]
		record, err := s.FindRecordById(collection, as.ID)
		s.must(err)
		token, err := record.NewAuthToken()
		s.must(err)
		req.Header.Set("Authorization", token)
	}
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// read calls a route that must answer, into a value.
func read[T any](s *stage, as schema.Actor, path string) T {
	s.t.Helper()
	code, body := s.get(as, path)
	if code != http.StatusOK {
		s.t.Fatalf("GET %s as %s: %d %s", path, as.Name, code, body)
	}
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		s.t.Fatalf("GET %s: %v in %s", path, err, body)
	}
	return v
}

// bare inserts a request of the hold flow and its client row, as they would
// stand after some work. Keys of truth and face override columns.
func (s *stage) bare(organization, title string, truth, face dbx.Params) string {
	s.t.Helper()
	var flow string
	s.must(s.DB().NewQuery(`SELECT id FROM workflows WHERE key = 'hold_flow'`).Row(&flow))
	id := schema.NewID()
	common := dbx.Params{
		"id": id, "number": "N-" + id, "organization": organization, "title": title, "state": "in_review", "category": "review", "turn": "staff", "due": "",
		"state_since": schema.Stamp(s.now), "progress": `{"total":2}`, "data": "{}", "revision": 1,
	}
	request := dbx.Params{"workflow": flow, "workflow_key": "hold_flow", "entry": 1, "visibility": "organization", "priority": "normal", "restricted_to": "[]", "scope": "staff:" + organization}
	shown := dbx.Params{"label": "We are checking", "contact": "{}", "scope": organization}
	for key, value := range common {
		request[key], shown[key] = value, value
	}
	for key, value := range truth {
		request[key] = value
	}
	for key, value := range face {
		shown[key] = value
	}
	s.insert(schema.Requests, request)
	// The database lets a client's row in with a recorded change only.
	s.must(schema.Insert(s, "request_changes", dbx.Params{"request": id, "revision": 2, "actor_kind": "system", "actor": "", "at": ""}))
	s.insert(schema.ClientRequests, shown)
	return id
}

func titles[T any](rows []T, title func(T) string) string {
	list := make([]string, 0, len(rows))
	for _, row := range rows {
		list = append(list, title(row))
	}
	return strings.Join(list, ", ")
}

func cardTitle(c Card) string      { return c.Title }
func itemTitle(i QueueItem) string { return i.Title }

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// holdFlow has a state that only compliance may know of.
const holdFlow = `schema: gatehouse/workflow/v1
key: hold_flow
version: 1
title: Checks with a hold
subject: {collection: organizations}
numbering: "HOL-{yyyy}-{seq:4}"
initial: in_review
roles:
  client: [client_admin, client_member]
  staff: [handler, compliance]
calendar: {timezone: firm, hours: "mon-fri 09:00-17:00", holidays: firm}
fields:
  - {key: fee, label: Fee, type: number, owner: portal}
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items:
      - {key: question, title: Anything new, kind: answer, answer_types: [text], required: false, retention: client_file}
states:
  - {key: in_review, label: In review, client_label: We are checking, category: review, turn: staff, owner: handler, can: {review: [papers]}}
  - {key: hold, label: Secret hold, client_label: We are checking, category: review, turn: staff, owner: compliance, restricted_to: [compliance], tipping_off_safe: true, can: {}}
  - {key: finished, label: Finished, client_label: Finished, category: done, outcome: success, turn: nobody, owner: handler, terminal: true, can: {}}
transitions:
  - {key: escalate, label: Escalate quietly, from: [in_review], to: hold, by: [handler, compliance], requires: [internal_note]}
  - {key: release, label: Release, from: [hold], to: in_review, by: [compliance], requires: [internal_note]}
  - {key: finish, label: Finish, from: [in_review], to: finished, by: [handler, compliance]}
reminders: []
notifications: []
integrations: []
ai: []
reports: {targets: {end_to_end: 12bd}, split_clock: [client, firm, system]}
`
