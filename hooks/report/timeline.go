package report

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Entry is one line of what happened.
type Entry struct {
	ID         string `json:"id"`
	At         string `json:"at"`
	Kind       string `json:"kind"`
	ActorName  string `json:"actor_name"`
	OnBehalfOf string `json:"on_behalf_of"`
	Text       string `json:"text"`
	Detail     string `json:"detail"`
}

// Timeline is a page of what happened to a request, newest first. The first
// entry of page 1 is the summary and is not counted.
type Timeline struct {
	Summary    string  `json:"summary"`
	Items      []Entry `json:"items"`
	Page       int     `json:"page"`
	PerPage    int     `json:"perPage"`
	TotalItems int     `json:"totalItems"`
}

// subject is the request that is asked about, as the caller's side is shown it.
type subject struct {
	ID          string `db:"id"`
	Workflow    string `db:"workflow"`
	State       string `db:"state"`
	Label       string `db:"label"`
	Category    string `db:"category"`
	Turn        string `db:"turn"`
	StateSince  string `db:"state_since"`
	Progress    string `db:"progress"`
	Opener      string `db:"opener"`
	ClientScope string `db:"client_scope"`
	Truth       bool   `db:"truth"` // staff who see the truth
}

// One statement says both whether the caller may see the request, and as which
// side: a scope that is not seen gives no row, like a request that is not there.
const (
	selectTruth = `SELECT r.id, r.workflow, r.state, '' AS label, r.category, r.turn, r.state_since, COALESCE(NULLIF(r.progress, ''), '{}') AS progress, COALESCE(s.name, '') AS opener, '' AS client_scope, 1 AS truth
	FROM requests r LEFT JOIN staff s ON s.id = r.requester WHERE r.id = {:id} AND `
	selectFace = `SELECT c.id, '' AS workflow, c.state, c.label, c.category, c.turn, c.state_since, COALESCE(NULLIF(c.progress, ''), '{}') AS progress, '' AS opener, c.scope AS client_scope, 0 AS truth
	FROM client_requests c WHERE c.id = {:id} AND `
)

// GetTimeline tells what happened to a request.
//
//	GET /api/portal/requests/{id}/timeline?page=&perPage= (who may see the request) → 200
//	{"summary", "items": [{"id","at","kind","actor_name","on_behalf_of","text","detail"}], "page", "perPage", "totalItems"}
//	401; 404 not there, or not for the caller
func (r *Reports) GetTimeline(e *core.RequestEvent) error {
	a, err := r.anybody(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	s, err := subjectFor(e.App, a, e.Request.PathValue("id"))
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	t := Timeline{Page: 1, PerPage: size(query, 30, 200)}
	if n, err := strconv.Atoi(query.Get("page")); err == nil && n > 1 {
		t.Page = min(n, 1_000_000)
	}
	if err := r.fill(e.App, a, s, &t); err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, t)
}

// subjectFor finds the request as the caller is shown it.
func subjectFor(app core.App, a asker, id string) (*subject, error) {
	v := clientReach(a)
	if a.Kind == schema.ActorSuperuser {
		v.condition = everything
	}
	statement := selectFace + v.sees("c")
	if a.Kind != schema.ActorUser {
		statement = `SELECT * FROM (` + selectTruth + v.sees("r") + ` UNION ALL ` + selectFace + v.sees("c") + `) ORDER BY truth DESC LIMIT 1`
	}
	var s subject
	err := app.DB().NewQuery(statement).Bind(v.bind(dbx.Params{"id": id})).One(&s)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "There is no such request, or you do not have access to it.")
	}
	if err != nil {
		return nil, fmt.Errorf("read request %s: %w", id, err)
	}
	return &s, nil
}

// fill reads the page and writes its words.
func (r *Reports) fill(app core.App, a asker, s *subject, t *Timeline) error {
	w := &words{staffSide: a.Kind != schema.ActorUser}
	var err error
	if s.Truth {
		if w.def, err = r.Engine.Definition(app, s.Workflow); err != nil {
			return err
		}
		if w.people, err = staffNames(app); err != nil {
			return err
		}
		if state := w.def.State(s.State); state != nil {
			s.Label = state.Label.String()
		}
	}
	if t.TotalItems, err = countLines(app, s); err != nil {
		return err
	}
	lines, err := readLines(app, s, t.PerPage, (t.Page-1)*t.PerPage)
	if err != nil {
		return err
	}
	t.Items = make([]Entry, 0, len(lines)+1)
	if t.Summary, err = summary(app, a, s, w); err != nil {
		return err
	}
	if t.Page == 1 {
		t.Items = append(t.Items, Entry{ID: "summary", At: s.StateSince, Kind: "summary", Text: t.Summary})
	}
	for _, l := range lines {
		t.Items = append(t.Items, w.entry(s, l))
	}
	return nil
}

func (s *subject) progress() workflow.Progress {
	var p workflow.Progress
	// What cannot be read counts as nothing to do: the summary says less then.
	_ = json.Unmarshal([]byte(s.Progress), &p)
	return p
}

func staffNames(app core.App) (map[string]string, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	if err := app.DB().NewQuery(`SELECT id, name FROM staff`).All(&rows); err != nil {
		return nil, fmt.Errorf("read names of staff: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, nil
}
