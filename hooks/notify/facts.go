package notify

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

const readRequest = `SELECT r.id, r.number, r.title, r.organization, o.name AS organization_name, o.path, r.period, r.state, r.entry, r.assignee, r.scope,
	r.due, r.paused_until, COALESCE(c.scope, '') AS client_scope, COALESCE(c.title, '') AS client_title, COALESCE(c.label, '') AS client_label,
	r.workflow
FROM requests r JOIN organizations o ON o.id = r.organization LEFT JOIN client_requests c ON c.id = r.id
WHERE r.id = {:id}`

type requestRow struct {
	ID               string `db:"id"`
	Number           string `db:"number"`
	Title            string `db:"title"`
	Organization     string `db:"organization"`
	OrganizationName string `db:"organization_name"`
	Path             string `db:"path"`
	Period           string `db:"period"`
	State            string `db:"state"`
	Entry            int    `db:"entry"`
	Assignee         string `db:"assignee"`
	Scope            string `db:"scope"`
	Due              string `db:"due"`
	PausedUntil      string `db:"paused_until"`
	ClientScope      string `db:"client_scope"`
	ClientTitle      string `db:"client_title"`
	ClientLabel      string `db:"client_label"`
	Workflow         string `db:"workflow"`
}

// load reads the facts of a request's event as they stand now; false if the
// request is not there, or nobody is to be told of such an event.
func load(tx core.App, e event.Event, firm access.Firm, now time.Time) (Facts, bool, error) {
	var r requestRow
	err := tx.DB().NewQuery(readRequest).Bind(dbx.Params{"id": e.Request}).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return Facts{}, false, nil
	}
	if err != nil {
		return Facts{}, false, fmt.Errorf("read request %s: %w", e.Request, err)
	}
	script, err := scriptOf(tx, r.Workflow)
	if err != nil {
		return Facts{}, false, err
	}
	f := Facts{Event: e, Payload: payloadOf(e), Script: script, Location: firm.Location(), Now: now, Request: Request{
		ID: r.ID, Number: r.Number, Title: r.Title, Organization: r.Organization, OrganizationName: r.OrganizationName, Period: r.Period,
		State: r.State, Entry: r.Entry, Assignee: r.Assignee, Scope: r.Scope, ClientScope: r.ClientScope, Due: schema.Time(r.Due), PausedUntil: schema.Time(r.PausedUntil),
		ClientTitle: r.ClientTitle, ClientLabel: r.ClientLabel,
	}}
	if !f.concern() {
		return Facts{}, false, nil
	}
	if f.Uploaders, err = uploaders(tx, f.Payload.SentBack); err != nil {
		return Facts{}, false, err
	}
	if err := f.readPeople(tx, r, now); err != nil {
		return Facts{}, false, err
	}
	return f, true, f.readSight(tx, r, now)
}

// scripts are kept by the id of their workflow: a published one never changes.
var scripts sync.Map

func scriptOf(tx core.App, workflow string) (Script, error) {
	if s, ok := scripts.Load(workflow); ok {
		return s.(Script), nil
	}
	var definition string
	if err := tx.DB().NewQuery(`SELECT COALESCE(definition, '{}') FROM workflows WHERE id = {:id}`).Bind(dbx.Params{"id": workflow}).Row(&definition); err != nil {
		return Script{}, fmt.Errorf("read workflow %s: %w", workflow, err)
	}
	script, err := ReadScript(definition)
	if err != nil {
		// One unreadable definition must not stop everybody's notices.
		tx.Logger().Error("definition has unreadable notifications", slog.String("workflow_id", workflow), slog.Any("error", err))
		return Script{}, nil
	}
	scripts.Store(workflow, script)
	return script, nil
}

// payloadOf reads an event's payload; what does not fit is left out.
func payloadOf(e event.Event) Payload {
	var p Payload
	if b, err := json.Marshal(e.Payload); err == nil {
		_ = json.Unmarshal(b, &p)
	}
	return p
}

const (
	readMembers = `SELECT u.id, u.name, u.email, u.timezone, m.role, COALESCE(m.duties, '[]') AS duties
FROM memberships m JOIN users u ON u.id = m.user
WHERE m.status = 'active' AND m.organization IN (SELECT value FROM json_each({:ids})) ORDER BY u.name, u.id`

	readDelegates = `SELECT DISTINCT u.id, u.name, u.email, u.timezone, 'delegate' AS role, '[]' AS duties
FROM delegations d JOIN users u ON u.id = d."to"
WHERE d.revoked = 0 AND d.starts <= {:now} AND d.ends > {:now} AND (d.request = '' OR d.request = {:request})
AND d.organization IN (SELECT value FROM json_each({:ids})) ORDER BY u.name, u.id`

	readStaff = `SELECT id, name, email, timezone, role, COALESCE(duties, '[]') AS duties FROM staff WHERE active = 1 AND maker = '' ORDER BY name, id`

	readUsers = `SELECT id, name, email, timezone, '' AS role, '[]' AS duties FROM users WHERE id IN (SELECT value FROM json_each({:ids}))`

	readDuties = `SELECT duty, person FROM request_people WHERE request = {:request}`
)

type personRow struct {
	ID       string `db:"id"`
	Name     string `db:"name"`
	Email    string `db:"email"`
	Timezone string `db:"timezone"`
	Role     string `db:"role"`
	Duties   string `db:"duties"`
}

func (f *Facts) readPeople(tx core.App, r requestRow, now time.Time) error {
	ids := strings.FieldsFunc(cmp.Or(r.Path, r.Organization), func(c rune) bool { return c == '/' })
	var members, delegates, staff, others []personRow
	if err := tx.DB().NewQuery(readMembers).Bind(dbx.Params{"ids": schema.JSON(ids)}).All(&members); err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	err := tx.DB().NewQuery(readDelegates).Bind(dbx.Params{"ids": schema.JSON(ids), "now": schema.Stamp(now), "request": r.ID}).All(&delegates)
	if err != nil {
		return fmt.Errorf("read delegates: %w", err)
	}
	if err := tx.DB().NewQuery(readStaff).All(&staff); err != nil {
		return fmt.Errorf("read staff: %w", err)
	}
	var duties []struct {
		Duty   string `db:"duty"`
		Person string `db:"person"`
	}
	if err := tx.DB().NewQuery(readDuties).Bind(dbx.Params{"request": r.ID}).All(&duties); err != nil {
		return fmt.Errorf("read people of request %s: %w", r.ID, err)
	}
	f.Duty = map[string]string{}
	wanted := append([]string{f.Payload.Submitter}, f.Uploaders...)
	for _, d := range duties {
		f.Duty[d.Duty] = d.Person
		wanted = append(wanted, d.Person)
	}
	f.Clients = merge(append(members, delegates...))
	f.Staff = people(staff, schema.ActorStaff)
	if err := tx.DB().NewQuery(readUsers).Bind(dbx.Params{"ids": schema.JSON(wanted)}).All(&others); err != nil {
		return fmt.Errorf("read people of the event: %w", err)
	}
	f.Others = people(others, schema.ActorUser)
	return nil
}

func people(rows []personRow, kind schema.ActorKind) []Person {
	list := make([]Person, len(rows))
	for i, r := range rows {
		list[i] = Person{Kind: kind, ID: r.ID, Name: r.Name, Email: r.Email, Timezone: r.Timezone, Role: r.Role, Duties: schema.Strings(r.Duties)}
	}
	return list
}

var roleRank = map[string]int{"delegate": 1, "viewer": 2, "member": 3, "admin": 4}

// merge makes one person of several memberships: the strongest role, all duties.
func merge(rows []personRow) []Person {
	var list []Person
	at := map[string]int{}
	for _, p := range people(rows, schema.ActorUser) {
		i, known := at[p.ID]
		if !known {
			at[p.ID] = len(list)
			list = append(list, p)
			continue
		}
		if roleRank[p.Role] > roleRank[list[i].Role] {
			list[i].Role = p.Role
		}
		list[i].Duties = append(list[i].Duties, p.Duties...)
	}
	return list
}

// readSight marks who may see the request now: clients what they are shown of
// it, staff the request itself.
func (f *Facts) readSight(tx core.App, r requestRow, now time.Time) error {
	for _, list := range []struct {
		scope  string
		people []Person
	}{{r.ClientScope, f.Clients}, {r.ClientScope, f.Others}, {r.Scope, f.Staff}} {
		if list.scope == "" {
			continue
		}
		ids := make([]string, len(list.people))
		for i, p := range list.people {
			ids[i] = p.ID
		}
		watchers, err := access.Watchers(tx, list.scope, ids, now)
		if err != nil {
			return err
		}
		sees := map[string]bool{}
		for _, id := range watchers {
			sees[id] = true
		}
		for i := range list.people {
			list.people[i].Sees = sees[list.people[i].ID]
		}
	}
	return nil
}

const lastUploader = `SELECT COALESCE(
	(SELECT d.uploader_user FROM documents d WHERE d.item = i.id AND d.uploader_user != '' ORDER BY d.created DESC, d.id DESC LIMIT 1), i.provided_by, '')
FROM items i WHERE i.id = {:item}`

// uploaders finds who last gave each of the things, each person once.
func uploaders(tx core.App, things []Thing) ([]string, error) {
	var ids []string
	seen := map[string]bool{"": true}
	for _, thing := range things {
		var id string
		err := tx.DB().NewQuery(lastUploader).Bind(dbx.Params{"item": thing.Item}).Row(&id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("find uploader of item %s: %w", thing.Item, err)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

const readEvent = `SELECT id, seq, type, request, organization, actor_kind, actor, payload, at FROM events WHERE id = {:id}`

// eventOf reads a stored event again, for notices that waited.
func eventOf(tx core.App, id string) (event.Event, error) {
	var r struct {
		ID           string `db:"id"`
		Seq          int64  `db:"seq"`
		Type         string `db:"type"`
		Request      string `db:"request"`
		Organization string `db:"organization"`
		ActorKind    string `db:"actor_kind"`
		Actor        string `db:"actor"`
		Payload      string `db:"payload"`
		At           string `db:"at"`
	}
	if err := tx.DB().NewQuery(readEvent).Bind(dbx.Params{"id": id}).One(&r); err != nil {
		return event.Event{}, fmt.Errorf("read event %s: %w", id, err)
	}
	e := event.Event{
		ID: r.ID, Seq: r.Seq, Type: r.Type, Request: r.Request, Organization: r.Organization,
		Actor: schema.Actor{Kind: schema.ActorKind(r.ActorKind), ID: r.Actor}, At: schema.Time(r.At), Payload: map[string]any{},
	}
	_ = json.Unmarshal([]byte(r.Payload), &e.Payload)
	return e, nil
}
