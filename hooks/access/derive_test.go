package access_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

func TestMain(m *testing.M) {
	code := m.Run()
	gatetest.CleanUp()
	os.Exit(code)
}

// rights is the whole access table, without the ids and times of its rows.
func rights(t *testing.T, app core.App) map[string]bool {
	t.Helper()
	var rows []dbx.NullStringMap
	if err := app.DB().NewQuery(`SELECT principal, scope, since, until, source, source_id FROM access`).All(&rows); err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, r := range rows {
		set[strings.Join([]string{r["principal"].String, r["scope"].String, r["since"].String, r["until"].String, r["source"].String, r["source_id"].String}, " ")] = true
	}
	return set
}

var errBack = errors.New("take it back")

// sameAsRebuilt compares the table as the small steps kept it with the one that
// its sources give, at once and in steps.
func sameAsRebuilt(t *testing.T, s *gatetest.Stage) error {
	t.Helper()
	kept := rights(t, s.TestApp)
	var rebuilt map[string]bool
	err := s.RunInTransaction(func(tx core.App) error {
		if err := access.Rebuild(tx, s.Clock.Now()); err != nil {
			return err
		}
		rebuilt = rights(t, tx)
		return errBack
	})
	if !errors.Is(err, errBack) {
		t.Fatal(err)
	}
	if err := access.RebuildInSteps(s.TestApp, s.Clock.Now); err != nil {
		t.Fatal(err)
	}
	if inSteps := rights(t, s.TestApp); !maps.Equal(inSteps, rebuilt) {
		return fmt.Errorf("rebuilt in steps there are %d rights, at once %d", len(inSteps), len(rebuilt))
	}
	var wrong []string
	for _, r := range slices.Sorted(maps.Keys(kept)) {
		if !rebuilt[r] {
			wrong = append(wrong, "too much:   "+r)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(rebuilt)) {
		if !kept[r] {
			wrong = append(wrong, "too little: "+r)
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

// town is a growing firm on which random things happen.
type town struct {
	*gatetest.Stage
	t                               *testing.T
	dice                            *rand.Rand
	users, staff, orgs, requests    []string
	did                             []string
	memberships, delegations, walls []string
}

func (w *town) pick(from []string) string {
	if len(from) == 0 {
		return ""
	}
	return from[w.dice.IntN(len(from))]
}

func (w *town) sometimes(id string) string {
	if w.dice.IntN(2) == 0 {
		return ""
	}
	return id
}

func (w *town) oneOf(words ...string) string { return words[w.dice.IntN(len(words))] }

// save makes or changes a record; what is refused has not happened.
func (w *town) save(collection, id string, fields map[string]any) string {
	w.t.Helper()
	c, err := w.FindCollectionByNameOrId(collection)
	if err != nil {
		w.t.Fatal(err)
	}
	r := core.NewRecord(c)
	if id != "" {
		if r, err = w.FindRecordById(collection, id); err != nil {
			return ""
		}
	}
	r.Load(fields)
	if err := w.Save(r); err != nil {
		return ""
	}
	w.note("save", collection, r.Id, fields)
	return r.Id
}

func (w *town) remove(collection, id string) {
	r, err := w.FindRecordById(collection, id)
	if err != nil || w.Delete(r) != nil {
		return
	}
	w.note("delete", collection, id)
}

func (w *town) note(what ...any) { w.did = append(w.did, fmt.Sprintln(what...)) }

func (w *town) add(list *[]string, id string) {
	if id != "" {
		*list = append(*list, id)
	}
}

func (w *town) happen() {
	w.t.Helper()
	now := w.Clock.Now()
	switch w.dice.IntN(18) {
	case 0:
		if len(w.orgs) < 12 {
			w.add(&w.orgs, w.save("organizations", "", map[string]any{"name": "Organization", "parent": w.sometimes(w.pick(w.orgs))}))
		}
	case 1:
		w.save("organizations", w.pick(w.orgs), map[string]any{"parent": w.sometimes(w.pick(w.orgs))})
	case 2:
		w.save("organizations", w.pick(w.orgs), map[string]any{"status": w.oneOf("active", "active", "suspended", "archived"), "parent": w.sometimes(w.pick(w.orgs))})
	case 3, 4:
		w.add(&w.memberships, w.save("memberships", "", map[string]any{"user": w.pick(w.users), "organization": w.pick(w.orgs), "role": w.oneOf("admin", "member", "viewer"), "status": w.oneOf("active", "active", "invited")}))
	case 5:
		w.save("memberships", w.pick(w.memberships), map[string]any{"status": w.oneOf("active", "suspended")})
	case 6:
		w.save("memberships", w.pick(w.memberships), map[string]any{"organization": w.pick(w.orgs)})
	case 7:
		w.remove("memberships", w.pick(w.memberships))
	case 8:
		w.save("staff", w.pick(w.staff), map[string]any{"active": w.dice.IntN(3) > 0, "duties": []string{w.oneOf("handler", "compliance", "partner")}})
	case 9:
		w.add(&w.walls, w.save("walls", "", map[string]any{"staff": w.pick(w.staff), "organization": w.pick(w.orgs), "reason": "Related"}))
	case 10:
		w.add(&w.walls, w.save("walls", "", map[string]any{"staff": w.pick(w.staff), "request": w.pick(w.requests), "reason": "Related"}))
	case 11:
		w.remove("walls", w.pick(w.walls))
	case 12:
		starts, ends := now.Add(-time.Hour), now.Add(time.Hour)
		w.add(&w.delegations, w.save("delegations", "", map[string]any{"from": w.pick(w.users), "to": w.pick(w.users), "organization": w.pick(w.orgs), "request": w.sometimes(w.pick(w.requests)), "starts": schema.Stamp(starts), "ends": schema.Stamp(ends)}))
	case 13:
		w.save("delegations", w.pick(w.delegations), map[string]any{"revoked": w.dice.IntN(2) == 0})
	case 14:
		w.remove("delegations", w.pick(w.delegations))
	case 15:
		w.restrict()
	case 16, 17:
		w.exclude()
	}
}

// exclude keeps somebody away from a request, or lifts that.
func (w *town) exclude() {
	w.t.Helper()
	request, user := w.pick(w.requests), w.pick(w.users)
	w.note("exclude, or readmit", request, user)
	err := w.RunInTransaction(func(tx core.App) error {
		result, err := tx.DB().NewQuery(`UPDATE exclusions SET lifted = 'now' WHERE request = {:request} AND user = {:user} AND lifted = ''`).Bind(dbx.Params{"request": request, "user": user}).Execute()
		if err != nil {
			return err
		}
		if n, _ := result.RowsAffected(); n == 0 {
			err := schema.Insert(tx, schema.Exclusions, dbx.Params{"id": schema.NewID(), "request": request, "user": user, "reason": "Related", "by_kind": "system"})
			if err != nil {
				return err
			}
		}
		return access.Request(tx, request, w.Clock.Now())
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// restrict changes who may see a request, as the engine does it.
func (w *town) restrict() {
	w.t.Helper()
	id := w.pick(w.requests)
	fields := dbx.Params{"visibility": w.oneOf("organization", "restricted"), "participants": schema.JSON([]string{w.pick(w.users)}), "restricted_to": w.oneOf("[]", `["compliance"]`)}
	w.note("restrict", id, fields)
	err := w.RunInTransaction(func(tx core.App) error {
		var revision int
		err := tx.DB().NewQuery(`INSERT INTO request_changes (request, revision, actor_kind, actor, at) SELECT id, revision + 1, 'system', '', '' FROM requests WHERE id = {:id} RETURNING revision`).
			Bind(dbx.Params{"id": id}).Row(&revision)
		if err != nil {
			return err
		}
		fields["revision"] = revision
		if err := schema.Update(tx, "requests", id, fields); err != nil {
			return err
		}
		return access.Request(tx, id, w.Clock.Now())
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func newTown(t *testing.T, seed uint64) *town {
	t.Helper()
	s := gatetest.New(t)
	w := &town{Stage: s, t: t, dice: rand.New(rand.NewPCG(seed, 7))} // the same worlds each time
	for _, p := range []*core.Record{s.Anna, s.Ben, s.Vera, s.Cleo} {
		w.users = append(w.users, p.Id)
	}
	for _, p := range []*core.Record{s.Sam, s.Ruth, s.Ines} {
		w.staff = append(w.staff, p.Id)
	}
	for _, o := range []*core.Record{s.Bluebell, s.Leeds, s.Kestrel} {
		w.orgs = append(w.orgs, o.Id)
		w.requests = append(w.requests, s.Open(t, s.Sol, workflow.NewRequest{Workflow: "simple_request", Organization: o.Id}))
	}
	memberships, err := s.FindAllRecords("memberships")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range memberships {
		w.memberships = append(w.memberships, m.Id)
	}
	return w
}

// Whatever happens to organizations, people and walls, the table equals what its
// sources say: the rows that enforce are never behind.
func TestDerive_smallStepsEqualRebuild(t *testing.T) {
	const worlds, sequences, length = 4, 55, 6
	for seed := range uint64(worlds) {
		w := newTown(t, seed)
		for n := range sequences {
			w.did = nil
			for range length {
				w.happen()
				if err := sameAsRebuilt(t, w.Stage); err != nil {
					t.Fatalf("world %d, sequence %d, after\n%s\n%v", seed, n, strings.Join(w.did, ""), err)
				}
			}
		}
	}
}

func sees(t *testing.T, s *gatetest.Stage, who *core.Record, scope string) bool {
	t.Helper()
	ok, err := access.Sees(s.TestApp, who.Id, scope, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func set(t *testing.T, s *gatetest.Stage, r *core.Record, fields map[string]any) {
	t.Helper()
	r.Load(fields)
	if err := s.Save(r); err != nil {
		t.Fatal(err)
	}
}

func TestDerive_whoSeesWhat(t *testing.T) {
	s := gatetest.New(t)
	kitchen := s.Add(t, "organizations", map[string]any{"name": "Kitchen", "parent": s.Leeds.Id, "kind": "department"})
	york := s.Add(t, "organizations", map[string]any{"name": "York shop", "parent": s.Bluebell.Id, "kind": "office"})
	for _, c := range []struct {
		name string
		who  *core.Record
		org  *core.Record
		want bool
	}{
		{"an admin sees the own organization", s.Anna, s.Bluebell, true},
		{"and its office", s.Anna, s.Leeds, true},
		{"and what lies below that", s.Anna, kitchen, true},
		{"a viewer sees as far as an admin", s.Vera, kitchen, true},
		{"a member of an office sees it", s.Ben, s.Leeds, true},
		{"and what lies below", s.Ben, kitchen, true},
		{"not the parent", s.Ben, s.Bluebell, false},
		{"not the office beside it", s.Ben, york, false},
		{"another client sees nothing", s.Cleo, s.Bluebell, false},
		{"staff see every client", s.Sam, s.Kestrel, true},
		{"staff who only look see as much", s.Ines, kitchen, true},
	} {
		if got := sees(t, s, c.who, c.org.Id); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
		if _, client := c.who.Collection().Fields.GetByName("duties").(*core.JSONField); !client && sees(t, s, c.who, schema.StaffScope(c.org.Id)) {
			t.Errorf("%s: sees what only staff may see", c.name)
		}
	}

	// The kitchen moves to another office.
	set(t, s, kitchen, map[string]any{"parent": york.Id})
	if sees(t, s, s.Ben, kitchen.Id) || !sees(t, s, s.Anna, kitchen.Id) {
		t.Error("a moved organization is seen by its old parent's people, or not by its new one's")
	}
	// And then to another client.
	set(t, s, york, map[string]any{"parent": s.Kestrel.Id})
	if sees(t, s, s.Anna, kitchen.Id) || !sees(t, s, s.Cleo, kitchen.Id) || !sees(t, s, s.Sam, kitchen.Id) {
		t.Error("what lies below did not move along")
	}
	york.Set("parent", kitchen.Id)
	if err := s.Save(york); err == nil {
		t.Error("an organization lies below itself")
	}
}

func TestDerive_twoOrganizationsTwoRoles(t *testing.T) {
	s := gatetest.New(t)
	s.Add(t, "memberships", map[string]any{"user": s.Anna.Id, "organization": s.Kestrel.Id, "role": "viewer", "duties": []string{"client_legal"}})
	here, err := access.OfUser(s.TestApp, s.Anna.Id, s.Bluebell.GetString("path"), "", s.Clock.Now())
	if err != nil || !here.Has(access.ClientAdmin) || !here.Has(access.ClientMember) || here.ReadsOnly() || here.Has("client_legal") {
		t.Errorf("at Bluebell Anna is %+v %v", here, err)
	}
	there, err := access.OfUser(s.TestApp, s.Anna.Id, s.Kestrel.GetString("path"), "", s.Clock.Now())
	if err != nil || there.Has(access.ClientAdmin) || !there.Has(access.ClientViewer) || !there.ReadsOnly() || !there.Has("client_legal") {
		t.Errorf("at Kestrel Anna is %+v %v", there, err)
	}
	below, err := access.OfUser(s.TestApp, s.Anna.Id, s.Leeds.GetString("path"), "", s.Clock.Now())
	if err != nil || !below.Has(access.ClientAdmin) {
		t.Errorf("an admin is one in the offices too: %+v %v", below, err)
	}
	if none, err := access.OfUser(s.TestApp, s.Ben.Id, s.Bluebell.GetString("path"), "", s.Clock.Now()); err != nil || len(none.Roles) != 0 {
		t.Errorf("a member of an office is nothing above it: %+v %v", none, err)
	}
}

func TestDerive_delegations(t *testing.T) {
	s := gatetest.New(t)
	now := s.Clock.Now()
	d := s.Add(t, "delegations", map[string]any{"from": s.Anna.Id, "to": s.Cleo.Id, "organization": s.Leeds.Id, "starts": schema.Stamp(now.Add(time.Hour)), "ends": schema.Stamp(now.Add(2 * time.Hour))})
	standing := func() access.Standing {
		t.Helper()
		x, err := access.OfUser(s.TestApp, s.Cleo.Id, s.Leeds.GetString("path"), "", s.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	at := func(what string, want bool) {
		t.Helper()
		if got := sees(t, s, s.Cleo, s.Leeds.Id); got != want {
			t.Errorf("%s: sees %t", what, got)
		}
		if got := standing().Has(access.ClientDelegate); got != want {
			t.Errorf("%s: acts %t", what, got)
		}
	}
	at("before it begins", false)
	s.Clock.Move(time.Hour)
	at("while it lasts", true)
	if x := standing(); x.OnBehalfOf != s.Anna.Id || x.GiverName != "Anna" {
		t.Errorf("for whom: %+v", x)
	}
	if sees(t, s, s.Cleo, s.Bluebell.Id) {
		t.Error("a delegate of an office sees its parent")
	}
	m, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": s.Anna.Id})
	if err != nil {
		t.Fatal(err)
	}
	set(t, s, m, map[string]any{"status": "suspended"})
	at("when the giver is suspended", false)
	set(t, s, m, map[string]any{"status": "active"})
	at("when the giver is back", true)
	set(t, s, d, map[string]any{"revoked": true})
	at("when it is revoked", false)
	set(t, s, d, map[string]any{"revoked": false})
	s.Clock.Move(time.Hour)
	at("at the moment of its end", false)
}

// A request may be lent alone: then it has a scope of its own, and its people
// keep seeing it.
func TestDerive_oneRequestAlone(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	other := s.Simple(t)
	s.Move(t, s.Sam, other, "send")
	now := s.Clock.Now()
	d := s.Add(t, "delegations", map[string]any{"from": s.Anna.Id, "to": s.Cleo.Id, "organization": s.Bluebell.Id, "request": id, "starts": schema.Stamp(now.Add(-time.Hour)), "ends": schema.Stamp(now.Add(time.Hour))})
	look := func(who *core.Record, id string) int {
		t.Helper()
		return s.Ask(t, who, "GET", "/api/portal/requests/"+id, nil).Status
	}
	if look(s.Cleo, id) != 200 || look(s.Cleo, other) != 404 || look(s.Anna, id) != 200 || look(s.Vera, id) != 200 || look(s.Sam, id) != 200 || look(s.Ben, id) != 404 {
		t.Error("lent alone, it is seen by others than before and the one it is lent to")
	}
	if n := s.Ask(t, s.Cleo, "GET", "/api/collections/client_requests/records", nil).Body["totalItems"]; n != 1.0 {
		t.Errorf("Cleo lists %v requests", n)
	}
	set(t, s, d, map[string]any{"revoked": true})
	if look(s.Cleo, id) != 404 || look(s.Anna, id) != 200 || look(s.Sam, id) != 200 {
		t.Error("taken back, it is not as before")
	}
	if err := sameAsRebuilt(t, s); err != nil {
		t.Error(err)
	}
}

// A wall takes sight away at once, everywhere, and giving it back is complete.
func TestDerive_walls(t *testing.T) {
	s := gatetest.New(t)
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Leeds.Id, Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	beside := s.Simple(t)
	paths := []string{"/api/portal/requests/" + id, "/api/collections/requests/records/" + id, "/api/collections/items/records/" + s.Item(t, id, "Why?").Id}
	status := func(who *core.Record, path string) int {
		t.Helper()
		return s.Ask(t, who, "GET", path, nil).Status
	}
	for _, wall := range []map[string]any{
		{"staff": s.Ruth.Id, "organization": s.Bluebell.Id, "reason": "Sister of the owner"}, // of the parent: holds below
		{"staff": s.Ruth.Id, "request": id, "reason": "Sister of the owner"},
	} {
		r := s.Add(t, "walls", wall)
		for _, path := range paths {
			if got := status(s.Ruth, path); got != 404 {
				t.Errorf("behind the wall %s answers %d", path, got)
			}
			if got := status(s.Sam, path); got != 200 {
				t.Errorf("beside the wall %s answers %d", path, got)
			}
		}
		ofRequest := wall["request"] != nil
		if got := status(s.Ruth, "/api/portal/requests/"+beside); (got == 200) != ofRequest {
			t.Errorf("another request of the parent answers %d", got)
		}
		if ofRequest {
			if page := s.Ask(t, s.Ruth, "GET", "/api/portal/queue?view=all", nil); strings.Contains(string(page.Raw), id) {
				t.Error("the queue shows what is behind the wall")
			}
		}
		if err := s.Delete(r); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if got := status(s.Ruth, path); got != 200 {
				t.Errorf("without the wall %s answers %d", path, got)
			}
		}
	}
}

func TestDerive_inactiveStaffSeeNothing(t *testing.T) {
	s := gatetest.New(t)
	set(t, s, s.Sam, map[string]any{"active": false})
	if sees(t, s, s.Sam, s.Bluebell.Id) || sees(t, s, s.Sam, schema.StaffScope(s.Bluebell.Id)) {
		t.Error("somebody who left still sees")
	}
	if n := s.Ask(t, s.Sam, "GET", "/api/collections/organizations/records", nil); n.Status != 401 {
		t.Errorf("and lists %d %s", n.Status, n.Raw)
	}
}
