package workflow

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow/drawing"
)

// RequestPicture is the picture of a request's version, with where the request
// is and the steps that it took.
type RequestPicture struct {
	drawing.Picture
	Here string      `json:"here"`
	Path []TakenStep `json:"path"`
}

// TakenStep is a step of the past, oldest first.
type TakenStep struct {
	Key       string `json:"key" db:"key"`
	From      string `json:"from" db:"from"`
	To        string `json:"to" db:"to"`
	At        string `json:"at" db:"at"`
	ActorName string `json:"actor_name" db:"actor_name"`
}

// GetPicture draws a version of a workflow, with how many requests are in each
// state, how many of them are late, and how long the oldest has been there. Only
// those count that the caller sees.
//
//	GET /api/portal/definitions/{id}/picture (staff) → 200 picture; 403 clients; 404
func (e *Engine) GetPicture(re *core.RequestEvent) error {
	who := actor(re)
	if err := staffOnly(who); err != nil {
		return problem.Reply(re, err)
	}
	id := re.Request.PathValue("id")
	def, err := versionNow(re.App, id)
	if err != nil {
		return problem.Reply(re, err)
	}
	picture := def.picture(1)
	if err := e.count(re.App, id, who, &picture); err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, picture)
}

// versionNow reads a version anew: a draft changes, and the engine keeps what it
// has read.
func versionNow(app core.App, id string) (*Compiled, error) {
	def, err := loadDefinition(app, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "There is no such workflow version.").Because(err)
	}
	return def, err
}

// Counted by scope first, so that what is seen is asked once for each scope. A
// request whose state only some duties may see counts, for the others, where the
// client sees it: they could else subtract.
const countStates = `SELECT x.state, SUM(x.live) AS live, SUM(x.overdue) AS overdue, MIN(x.oldest) AS oldest FROM (
	SELECT * FROM (SELECT r.scope, r.state, COUNT(*) AS live, SUM(r.category != 'done' AND r.due != '' AND r.due < {:now}) AS overdue, MIN(r.state_since) AS oldest
		FROM requests r WHERE r.workflow = {:workflow} GROUP BY r.scope, r.state) g WHERE %[1]s
	UNION ALL
	SELECT '', c.state, 1, c.category != 'done' AND c.due != '' AND c.due < {:now}, c.state_since
		FROM requests r JOIN client_requests c ON c.id = r.id WHERE r.workflow = {:workflow} AND r.restricted_to != '[]' AND NOT %[2]s AND %[3]s
) x GROUP BY x.state`

// count writes into each box what is in it now.
func (e *Engine) count(app core.App, id string, who schema.Actor, p *drawing.Picture) error {
	var rows []struct {
		State   string `db:"state"`
		Live    int    `db:"live"`
		Overdue int    `db:"overdue"`
		Oldest  string `db:"oldest"`
	}
	now := e.Clock()
	sees := func(table string) string {
		if who.Kind == schema.ActorSuperuser {
			return "{:me} = {:me}"
		}
		return fmt.Sprintf(access.Visible, table)
	}
	err := app.DB().NewQuery(fmt.Sprintf(countStates, sees("g"), sees("r"), sees("c"))).Bind(dbx.Params{"workflow": id, "me": who.ID, "now": schema.Stamp(now)}).All(&rows)
	if err != nil {
		return fmt.Errorf("count requests of workflow %s: %w", id, err)
	}
	for i := range p.States {
		s := &p.States[i]
		s.Live, s.Overdue, s.OldestDays = new(int), new(int), new(int)
		for _, r := range rows {
			if r.State == s.Key {
				*s.Live, *s.Overdue = r.Live, r.Overdue
				*s.OldestDays = max(0, int(now.Sub(schema.Time(r.Oldest)).Hours()/24))
			}
		}
	}
	return nil
}

// GetRequestPicture draws the workflow of a request, with its place and its path.
// Whoever is shown the client's face is told of none: it would give away what
// the client must not know.
//
//	GET /api/portal/requests/{id}/picture (staff who see the truth) → 200 picture and {here, path}; 404
func (e *Engine) GetRequestPicture(re *core.RequestEvent) error {
	l, err := e.load(re.App, re.Request.PathValue("id"), actor(re))
	if err == nil && l.clientSide() {
		err = noSuch(nil)
	}
	if err != nil {
		return problem.Reply(re, err)
	}
	out := RequestPicture{Picture: l.def.Picture(), Here: l.State, Path: []TakenStep{}}
	err = re.App.DB().NewQuery(`SELECT key, "from", "to", at, actor_name FROM transitions WHERE request = {:id} ORDER BY revision`).Bind(dbx.Params{"id": l.ID}).All(&out.Path)
	if err != nil {
		return problem.Reply(re, fmt.Errorf("read the path of request %s: %w", l.ID, err))
	}
	return re.JSON(http.StatusOK, out)
}
