package workflow

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// row is a request as stored, with what is needed of its organization and its
// client row.
type row struct {
	ID           string `db:"id"`
	Number       string `db:"number"`
	Workflow     string `db:"workflow"`
	Organization string `db:"organization"`
	OrgCode      string `db:"org_code"`
	OrgName      string `db:"org_name"`
	OrgPath      string `db:"org_path"`
	OrgData      string `db:"org_data"`
	Title        string `db:"title"`
	State        string `db:"state"`
	Category     string `db:"category"`
	Turn         string `db:"turn"`
	Entry        int    `db:"entry"`
	Assignee     string `db:"assignee"`
	AssigneeName string `db:"assignee_name"`
	Requester    string `db:"requester"`
	Priority     string `db:"priority"`
	Tags         string `db:"tags"`
	Due          string `db:"due"`
	DueSet       bool   `db:"due_set"`
	StateSince   string `db:"state_since"`
	WakeAt       string `db:"wake_at"`
	Data         string `db:"data"`
	Face         string `db:"face"`
	RestrictedTo string `db:"restricted_to"`
	Visibility   string `db:"visibility"`
	Participants string `db:"participants"`
	Period       string `db:"period"`
	Revision     int    `db:"revision"`
	Scope        string `db:"scope"`
	ClientScope  string `db:"client_scope"`
	Created      string `db:"created"`
	RemindAt     string `db:"remind_at"`
	PausedUntil  string `db:"paused_until"`
	Pauses       string `db:"pauses"`
	Steps        string `db:"steps"`
	People       string `db:"people"`
	SeesTruth    bool   `db:"sees_truth"`
	SeesFace     bool   `db:"sees_face"`
}

// One statement reads the request, its history, its people, and whether the
// actor may see it: inside a transaction every statement holds up other writers.
const selectRows = `SELECT r.id, r.number, r.workflow, r.organization, o.code AS org_code, o.name AS org_name, o.path AS org_path, COALESCE(o.data, '{}') AS org_data,
	r.title, r.state, r.category, r.turn, r.entry, r.assignee, COALESCE(s.name, '') AS assignee_name, r.requester, r.priority, COALESCE(r.tags, '[]') AS tags,
	r.due, r.due_set, r.state_since, r.wake_at, COALESCE(r.data, '{}') AS data, COALESCE(r.face, '{}') AS face, COALESCE(r.restricted_to, '[]') AS restricted_to, r.visibility, COALESCE(r.participants, '[]') AS participants,
	r.period, r.revision, r.remind_at, r.paused_until, r.scope, COALESCE(c.scope, '') AS client_scope, r.created,
	(SELECT json_group_array(json_array(t.key, t."from", t."to", t.actor, t.on_behalf_of, t.revision, t.at) ORDER BY t.revision) FROM transitions t WHERE t.request = r.id) AS steps,
	(SELECT json_group_array(json_array(h.started, h.until, h.ended) ORDER BY h.started) FROM pauses h WHERE h.request = r.id) AS pauses,
	(SELECT json_group_object(p.duty, p.person) FROM request_people p WHERE p.request = r.id) AS people,
	EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = r.scope AND a.since <= {:now} AND a.until > {:now}) AS sees_truth,
	EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.scope = c.scope AND a.since <= {:now} AND a.until > {:now}) AS sees_face
	FROM requests r JOIN organizations o ON o.id = r.organization LEFT JOIN staff s ON s.id = r.assignee LEFT JOIN client_requests c ON c.id = r.id`

const selectRow = selectRows + ` WHERE r.id = {:id}`

// live is a request in the hands of a command: facts to decide on, rows to
// write back.
type live struct {
	row
	def    *Compiled
	facts  *Facts
	shown  Shown
	before *ClientFace // what the client's rows show now
	stored indexed     // as the row was read or written last
	who    Who
	items  []*Item // read beforehand, together with those of other requests

	begun    int               // the revision that is being made, once it is recorded
	memories []dbx.Params      // lines of the client's history, for the next save
	rescoped bool              // who may see it changed
	secrets  map[string]string // whole values of masked fields, to be stored apart
}

// load reads a request for an actor. An actor who may not see it gets
// problem.NotFound, like for one that does not exist.
func (e *Engine) load(tx core.App, id string, actor schema.Actor) (*live, error) {
	l := &live{}
	err := tx.DB().NewQuery(selectRow).Bind(dbx.Params{"id": id, "me": actor.ID, "now": schema.Stamp(e.Clock())}).One(&l.row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noSuch(err)
	}
	if err != nil {
		return nil, fmt.Errorf("read request %s: %w", id, err)
	}
	if err := e.grasp(tx, l, actor); err != nil {
		return nil, err
	}
	return l, nil
}

// loadMany reads many requests for an actor, few statements for all. One that
// the actor may not see is not among them.
func (e *Engine) loadMany(app core.App, ids []string, actor schema.Actor) (map[string]*live, error) {
	var rows []row
	err := app.DB().NewQuery(selectRows + ` WHERE r.id IN (SELECT value FROM json_each({:ids}))`).
		Bind(dbx.Params{"ids": schema.JSON(ids), "me": actor.ID, "now": schema.Stamp(e.Clock())}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	items, err := loadItems(app, ids...)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*live, len(rows))
	for _, r := range rows {
		l := &live{row: r, items: items[r.ID]}
		err := e.grasp(app, l, actor)
		var refusal *problem.Error
		if errors.As(err, &refusal) && refusal.Code == problem.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		found[r.ID] = l
	}
	return found, nil
}

// grasp works out what deciding needs of a row that was read.
func (e *Engine) grasp(tx core.App, l *live, actor schema.Actor) (err error) {
	l.stored = l.indexed()
	if l.who, err = e.who(tx, &l.row, actor); err != nil {
		return err
	}
	if l.def, err = e.Definition(tx, l.Workflow); err != nil {
		return err
	}
	if err := e.gather(tx, l); err != nil {
		return err
	}
	l.before = l.def.Face(l.facts, l.shown)
	return nil
}

// gather reads everything that deciding needs.
func (e *Engine) gather(tx core.App, l *live) error {
	l.facts = &Facts{
		Now: e.Clock(), ID: l.ID, Number: l.Number, Title: l.Title, Period: l.Period, State: l.State, Entry: l.Entry, StateSince: schema.Time(l.StateSince), Revision: l.Revision,
		Opened: schema.Time(l.Created), RemindAt: l.RemindAt, Priority: l.Priority, Due: l.Due, DueSet: l.DueSet, OrgID: l.Organization, OrgCode: l.OrgCode, OrgName: l.OrgName, Systems: map[string]bool{}, Known: map[string]bool{}, People: map[string]string{}, Jobs: map[string]JobState{},
	}
	l.facts.Data, l.facts.OrgData = object(l.Data), object(l.OrgData)
	if err := json.Unmarshal([]byte(l.Face), &l.shown); err != nil {
		return fmt.Errorf("read face of request %s: %w", l.ID, err)
	}
	var err error
	if l.facts.Items = l.items; l.items == nil {
		items, err := loadItems(tx, l.ID)
		if err != nil {
			return err
		}
		l.facts.Items = items[l.ID]
	}
	l.def.cover(l.facts)
	if l.facts.Steps, err = l.steps(); err != nil {
		return err
	}
	if l.facts.Pauses, err = l.pauses(); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(l.People), &l.facts.People); err != nil {
		return fmt.Errorf("read people of request %s: %w", l.ID, err)
	}
	if len(l.def.Integrations) > 0 {
		if l.facts.Jobs, err = loadJobs(tx, l.ID); err != nil {
			return err
		}
	}
	if l.def.invites(l.State) {
		if l.facts.Members, err = countMembers(tx, l.OrgPath); err != nil {
			return err
		}
	}
	if l.def.asksForHold(l.State) {
		if err := tx.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM documents WHERE request = {:id} AND hold = 1)`).Bind(dbx.Params{"id": l.ID}).Row(&l.facts.LegalHold); err != nil {
			return fmt.Errorf("look for a legal hold on request %s: %w", l.ID, err)
		}
	}
	l.facts.Gone, err = e.gone(tx, l)
	return err
}

// asksForHold says whether a step out of the state asks for a legal hold, which
// lies on the request's files.
func (c *Compiled) asksForHold(state string) bool {
	for _, t := range c.From(state) {
		if slices.ContainsFunc(t.Guard, func(g Guard) bool { return g.NoLegalHold != nil }) {
			return true
		}
	}
	return false
}

// cover notes for each item the month that its documents must cover.
func (c *Compiled) cover(f *Facts) {
	for _, i := range f.Items {
		if spec := c.Spec(i.Section, i.Key); spec != nil && spec.Check["period_covers"] != "" {
			i.Covers, _ = f.Data[spec.Check["period_covers"]].(string)
		}
	}
}

// gone finds who holds an open veto and may not see the request any more: a veto
// must not outlast its owner.
func (e *Engine) gone(tx core.App, l *live) (map[string]bool, error) {
	gone := map[string]bool{}
	for _, i := range l.facts.Items {
		for person, v := range i.Votes {
			if v.open() {
				gone[person] = true
			}
		}
	}
	if len(gone) == 0 {
		return gone, nil
	}
	for _, scope := range []string{l.Scope, l.ClientScope} {
		there, err := access.Watchers(tx, scope, slices.Collect(maps.Keys(gone)), e.Clock())
		if err != nil {
			return nil, err
		}
		for _, person := range there {
			delete(gone, person)
		}
	}
	return gone, nil
}

// invites says whether a step out of the state asks whether somebody is there.
func (c *Compiled) invites(state string) bool {
	for _, t := range c.From(state) {
		for _, e := range t.Effects {
			if e.InviteMembers != "" {
				return true
			}
		}
	}
	return false
}

type itemRow struct {
	ID            string `db:"id"`
	Request       string `db:"request"`
	Section       string `db:"section"`
	Key           string `db:"key"`
	Instance      string `db:"instance"`
	Position      int    `db:"position"`
	Kind          string `db:"kind"`
	Title         string `db:"title"`
	Hint          string `db:"hint"`
	Options       string `db:"options"`
	Status        string `db:"status"`
	EnteredStatus string `db:"entered_status"`
	Required      bool   `db:"required"`
	Active        bool   `db:"active"`
	Reason        string `db:"reason"`
	Comment       string `db:"comment"`
	Shown         string `db:"shown"`
	Due           string `db:"due"`
	ProvidedBy    string `db:"provided_by"`
	ProvidedAt    string `db:"provided_at"`
	Reviewer      string `db:"reviewer"`
	ReviewerFor   string `db:"reviewer_for"`
	ReviewedAt    string `db:"reviewed_at"`
	Answers       string `db:"answers"`
	Tries         int    `db:"tries"`
	Votes         string `db:"votes"`
	Files         string `db:"files"`
}

// One statement for all items with their documents: what is superseded does not
// count, what staff hold back is counted apart.
const selectItems = `SELECT i.id, i.request, i.section, i.key, i.instance, i.position, i.kind, i.title, i.hint, COALESCE(i.options, '{}') AS options, i.status, i.entered_status,
	i.required, i.active, i.reason, i.comment, COALESCE(i.shown, 'null') AS shown, i.due, i.provided_by, i.provided_at, i.reviewer, COALESCE((SELECT s.maker FROM staff s WHERE s.id = i.reviewer), '') AS reviewer_for, i.reviewed_at,
	COALESCE(i.answers, '{}') AS answers, i.tries, COALESCE(NULLIF(i.votes, ''), '{}') AS votes,
	(SELECT json_group_array(json_object('state', d.state, 'fresh', d.reviewed = 0, 'staff', d.scope LIKE 'staff:%', 'old', d.superseded, 'published', d.published_at != '', 'at', d.created, 'metadata', json(COALESCE(d.metadata, '{}'))))
		FROM documents d WHERE d.item = i.id) AS files
	FROM items i WHERE i.request IN (SELECT value FROM json_each({:ids})) ORDER BY i.position, i.created, i.id`

type fileRow struct {
	State    string         `json:"state"`
	Fresh    int            `json:"fresh"`
	Staff    int            `json:"staff"`
	Old      int            `json:"old"`
	Shown    int            `json:"published"`
	Metadata map[string]any `json:"metadata"`
	At       string         `json:"at"`
}

func loadItems(tx core.App, requests ...string) (map[string][]*Item, error) {
	var rows []itemRow
	if err := tx.DB().NewQuery(selectItems).Bind(dbx.Params{"ids": schema.JSON(requests)}).All(&rows); err != nil {
		return nil, fmt.Errorf("read items of requests %v: %w", requests, err)
	}
	items := map[string][]*Item{}
	for n := range rows {
		i, err := rows[n].item()
		if err != nil {
			return nil, fmt.Errorf("read item %s: %w", rows[n].ID, err)
		}
		items[rows[n].Request] = append(items[rows[n].Request], i)
	}
	return items, nil
}

func (r *itemRow) item() (*Item, error) {
	i := &Item{
		ID: r.ID, Section: r.Section, Key: r.Key, Instance: r.Instance, Position: r.Position, Kind: r.Kind, Title: r.Title, Hint: r.Hint,
		Status: r.Status, EnteredStatus: r.EnteredStatus, Required: r.Required, Active: r.Active, Reason: r.Reason, Comment: r.Comment, Due: r.Due,
		ProvidedBy: r.ProvidedBy, ProvidedAt: r.ProvidedAt, Reviewer: r.Reviewer, ReviewerFor: r.ReviewerFor, ReviewedAt: r.ReviewedAt, Answers: object(r.Answers), Tries: r.Tries,
	}
	if err := json.Unmarshal([]byte(r.Options), &i.Options); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(r.Shown), &i.Shown); err != nil {
		return nil, err
	}
	var err error
	if i.Votes, err = votesOf(r.Votes); err != nil {
		return nil, err
	}
	var files []fileRow
	if err := json.Unmarshal([]byte(r.Files), &files); err != nil {
		return nil, err
	}
	for _, f := range files {
		i.Files.add(f)
	}
	return i, nil
}

func (f *Files) add(r fileRow) {
	f.Shown += r.Shown
	switch {
	case r.Old == 1:
		return
	case r.State == "scanning":
		f.Scanning++
		return
	case r.State != "ready":
		return
	case r.Staff == 1:
		f.Staff++
	}
	f.Ready++
	f.Fresh += r.Fresh
	f.Metadata = append(f.Metadata, r.Metadata)
	if at := schema.Time(r.At); at.After(f.Newest) {
		f.Newest = at
	}
}

// steps reads the history that came along with the row.
func (r *row) steps() ([]Step, error) {
	var stored [][]any
	if err := json.Unmarshal([]byte(r.Steps), &stored); err != nil {
		return nil, fmt.Errorf("read history of request %s: %w", r.ID, err)
	}
	steps := make([]Step, 0, len(stored))
	for _, s := range stored {
		text := func(n int) string { v, _ := s[n].(string); return v }
		steps = append(steps, Step{text(0), text(1), text(2), text(3), text(4), int(toFloat(s[5])), schema.Time(text(6))})
	}
	return steps, nil
}

// loadJobs reads the newest run of each job; older runs belong to an earlier
// time in the state.
func loadJobs(tx core.App, request string) (map[string]JobState, error) {
	var rows []struct {
		ID        string `db:"id"`
		Name      string `db:"name"`
		System    string `db:"system"`
		Status    string `db:"status"`
		Revision  int    `db:"revision"`
		LastError string `db:"last_error"`
	}
	err := tx.DB().NewQuery(`SELECT id, name, system, status, revision, last_error FROM jobs WHERE request = {:id} ORDER BY revision, created`).Bind(dbx.Params{"id": request}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read jobs of request %s: %w", request, err)
	}
	jobs := map[string]JobState{}
	for _, r := range rows {
		jobs[r.Name] = JobState(r)
	}
	return jobs, nil
}

// countMembers says how many people of each role an organization has or has
// invited: an invitation that is on its way counts, since somebody will come.
func countMembers(tx core.App, path string) (map[string]int, error) {
	var rows []struct {
		Role string `db:"role"`
		N    int    `db:"n"`
	}
	err := tx.DB().NewQuery(`SELECT role, COUNT(*) AS n FROM (
		SELECT m.role FROM memberships m JOIN organizations o ON o.id = m.organization WHERE m.status IN ('active','invited') AND {:path} >= o.path AND {:path} < o.path || '~'
		UNION ALL SELECT i.role FROM invitations i JOIN organizations o ON o.id = i.organization WHERE i.status IN ('queued','sent','opened') AND {:path} >= o.path AND {:path} < o.path || '~') GROUP BY role`).
		Bind(dbx.Params{"path": path}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("count members: %w", err)
	}
	members := map[string]int{}
	for _, r := range rows {
		members["client_"+r.Role] += r.N
		if r.Role == "admin" {
			members["client_member"] += r.N
		}
	}
	return members, nil
}

func (l *live) contact() Contact { return Contact{ID: l.Assignee, Name: l.AssigneeName} }

// object reads a JSON object; an empty one for anything else.
func object(stored string) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(stored), &m); err != nil || m == nil {
		return map[string]any{}
	}
	return m
}
