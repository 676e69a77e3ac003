package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/workflow"
)

// picture is a request as the database holds it, read past the engine: what the
// walker chooses by and the checks compare.
type picture struct {
	id, workflow, number, organization, title, state, category, turn string
	entry, revision                                                  int
	since                                                            string
	data, shownData                                                  map[string]any // request data, and what of it the client's row holds
	shown                                                            workflow.Shown
	raw                                                              string // the row as it stands
	items                                                            []*thing
	steps                                                            []taken
	jobs                                                             map[string]string // newest run by name → status
	client                                                           string            // everything that the client can read, as text
	face                                                             string            // client_requests and client_items alone
}

// thing is an item as stored.
type thing struct {
	ID       string                   `json:"id"`
	Section  string                   `json:"section"`
	Key      string                   `json:"key"`
	Instance string                   `json:"instance"`
	Kind     string                   `json:"kind"`
	Title    string                   `json:"title"`
	Status   string                   `json:"status"`
	Entered  string                   `json:"entered"`
	Turn     string                   `json:"turn"`
	Required int                      `json:"required"`
	Active   int                      `json:"active"`
	Comment  string                   `json:"comment"`
	Shown    string                   `json:"shown"`
	Answers  map[string]any           `json:"answers"`
	Reviewer string                   `json:"reviewer"`
	Ready    int                      `json:"ready"`
	Fresh    int                      `json:"fresh"`
	Staff    int                      `json:"staff"`
	Metadata []any                    `json:"metadata"`
	Options  map[string]any           `json:"options"`
	Votes    map[string]workflow.Vote `json:"votes"`
}

// place is how acts name an item.
func (t *thing) place() string { return t.Section + "/" + t.Key + "/" + t.Instance }

func (t *thing) held() bool { return t.Shown != "" && t.Shown != "null" }

// taken is one row of the history.
type taken struct {
	Key      string `json:"key"`
	From     string `json:"from"`
	To       string `json:"to"`
	Entry    int    `json:"entry"`
	Kind     string `json:"kind"`
	Actor    string `json:"actor"`
	For      string `json:"for"`
	Revision int    `json:"revision"`
	At       string `json:"at"`
}

const selectPicture = `SELECT r.id, r.workflow, r.number, r.organization, r.title, r.state, r.category, r.turn, r.entry, r.revision, r.state_since AS since,
	COALESCE(r.data, '{}') AS data, COALESCE(r.face, '{}') AS face,
	json_array(r.state, r.category, r.turn, r.entry, r.assignee, r.title, r.priority, r.tags, r.due, r.data, r.face, r.revision, r.closed_at, r.scope) AS raw,
	(SELECT json_group_array(json_object('id', i.id, 'section', i.section, 'key', i.key, 'instance', i.instance, 'kind', i.kind, 'title', i.title, 'status', i.status, 'entered', i.entered_status,
		'turn', i.turn, 'required', i.required, 'active', i.active, 'comment', i.comment, 'shown', COALESCE(i.shown, ''), 'reviewer', i.reviewer,
		'answers', json(COALESCE(i.answers, '{}')), 'options', json(COALESCE(i.options, '{}')), 'votes', json(COALESCE(i.votes, '{}')),
		'ready', (SELECT COUNT(*) FROM documents d WHERE d.item = i.id AND d.superseded = 0 AND d.state = 'ready'),
		'fresh', (SELECT COUNT(*) FROM documents d WHERE d.item = i.id AND d.superseded = 0 AND d.state = 'ready' AND d.reviewed = 0),
		'staff', (SELECT COUNT(*) FROM documents d WHERE d.item = i.id AND d.superseded = 0 AND d.state = 'ready' AND d.scope LIKE 'staff:%'),
		'metadata', (SELECT json_group_array(json(COALESCE(d.metadata, '{}'))) FROM documents d WHERE d.item = i.id AND d.superseded = 0)))
		FROM items i WHERE i.request = r.id) AS items,
	(SELECT json_group_array(json_object('key', t.key, 'from', t."from", 'to', t."to", 'entry', t.entry, 'kind', t.actor_kind, 'actor', t.actor, 'for', t.on_behalf_of, 'revision', t.revision, 'at', t.at) ORDER BY t.revision, t.rowid)
		FROM transitions t WHERE t.request = r.id) AS steps,
	(SELECT json_group_array(json_array(j.name, j.status) ORDER BY j.revision, j.rowid) FROM jobs j WHERE j.request = r.id) AS jobs,
	COALESCE((SELECT json_array(c.title, c.state, c.label, c.category, c.turn, c.outcome, c.due, c.state_since, c.contact, c.data, c.progress, c.revision, c.paused_until, c.scope) FROM client_requests c WHERE c.id = r.id), '') AS shown,
	COALESCE((SELECT c.data FROM client_requests c WHERE c.id = r.id), '{}') AS shown_data,
	(SELECT json_group_array(json_array(c.id, c.section, c.key, c.instance, c.position, c.title, c.hint, c.kind, c.status, c.label, c.required, c.editable, c.why, c.reason, c.comment, c.options, c.answers, c.due) ORDER BY c.position, c.id)
		FROM client_items c WHERE c.request = r.id) AS shown_items,
	(SELECT json_group_array(json_array(h.kind, h.actor_name, h.text, h.detail) ORDER BY h.rowid) FROM client_history h WHERE h.request = r.id) AS history,
	(SELECT json_group_array(json_array(m.author_name, m.body) ORDER BY m.rowid) FROM messages m WHERE m.request = r.id) AS messages
	FROM requests r WHERE r.id = ?`

// look reads a request. It goes past the query builder, which would parse the
// long statement anew each time, and by the connection that writes, whose pages
// are in memory already.
func (w *world) look(id string) (*picture, error) {
	var row struct {
		ID, Workflow, Number, Organization, Title, State, Category, Turn, Since              string
		Entry, Revision                                                                      int
		Data, Face, Raw, Items, Steps, Jobs, Shown, ShownData, ShownItems, History, Messages string
	}
	err := w.writer().QueryRowContext(context.Background(), selectPicture, id).Scan(
		&row.ID, &row.Workflow, &row.Number, &row.Organization, &row.Title, &row.State, &row.Category, &row.Turn, &row.Entry, &row.Revision, &row.Since,
		&row.Data, &row.Face, &row.Raw, &row.Items, &row.Steps, &row.Jobs, &row.Shown, &row.ShownData, &row.ShownItems, &row.History, &row.Messages,
	)
	if err != nil {
		return nil, fmt.Errorf("look at request %s: %w", id, err)
	}
	p := &picture{
		id: row.ID, workflow: row.Workflow, number: row.Number, organization: row.Organization, title: row.Title, state: row.State, category: row.Category, turn: row.Turn,
		since: row.Since, entry: row.Entry, revision: row.Revision, data: map[string]any{}, jobs: map[string]string{}, raw: row.Raw,
		face: row.Shown + "\n" + row.ShownItems,
	}
	p.client = p.face + "\n" + row.History + "\n" + row.Messages
	var jobs [][]string
	for stored, into := range map[*string]any{&row.Data: &p.data, &row.ShownData: &p.shownData, &row.Face: &p.shown, &row.Items: &p.items, &row.Steps: &p.steps, &row.Jobs: &jobs} {
		if err := json.Unmarshal([]byte(*stored), into); err != nil {
			return nil, fmt.Errorf("read request %s: %w", id, err)
		}
	}
	for _, j := range jobs {
		p.jobs[j[0]] = j[1]
	}
	// Ids must not influence anything.
	slices.SortFunc(p.items, func(a, b *thing) int { return strings.Compare(a.place(), b.place()) })
	return p, nil
}

// idOf finds an item's id by its place; the place itself for one that is not there.
func (p *picture) idOf(place string) string {
	if t := p.at(place); t != nil {
		return t.ID
	}
	return place
}

// at finds an item by its place; nil if there is none.
func (p *picture) at(place string) *thing {
	if p == nil {
		return nil
	}
	for _, t := range p.items {
		if t.place() == place {
			return t
		}
	}
	return nil
}

// applicable are the items that count.
func (p *picture) applicable() []*thing {
	list := make([]*thing, 0, len(p.items))
	for _, t := range p.items {
		if t.Active == 1 {
			list = append(list, t)
		}
	}
	return list
}

// entered says whether the request is or was in a state.
func (p *picture) entered(state string) bool {
	return p.state == state || slices.ContainsFunc(p.steps, func(s taken) bool { return s.To == state || s.From == state })
}

// told is one line of the outbox or of the trail.
type told struct {
	Seq     int64
	Kind    string
	Detail  string
	Payload map[string]any
}

// What the outbox and the trail say of a request after a mark.
const (
	selectEvents = `SELECT seq, type, COALESCE(payload, '{}') FROM events WHERE seq > ? AND request = ? ORDER BY seq`
	selectTrail  = `SELECT seq, action, COALESCE(change, '{}') FROM audit_log WHERE seq > ? AND request = ? ORDER BY seq`
)

// since reads one of them.
func (w *world) since(statement, request string, mark int64) ([]told, error) {
	rows, err := w.writer().QueryContext(context.Background(), statement, mark, request)
	if err != nil {
		return nil, fmt.Errorf("read what was told: %w", err)
	}
	defer rows.Close()
	var list []told
	for rows.Next() {
		var t told
		if err := rows.Scan(&t.Seq, &t.Kind, &t.Detail); err != nil {
			return nil, fmt.Errorf("read what was told: %w", err)
		}
		if err := json.Unmarshal([]byte(t.Detail), &t.Payload); err != nil {
			return nil, fmt.Errorf("read what was told: %w", err)
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// end is the last number of the outbox or the trail.
func end(app core.App, table string) (int64, error) {
	var seq int64
	if err := app.DB().NewQuery(`SELECT COALESCE(MAX(seq), 0) FROM ` + table).Row(&seq); err != nil {
		return 0, fmt.Errorf("read end of %s: %w", table, err)
	}
	return seq, nil
}
