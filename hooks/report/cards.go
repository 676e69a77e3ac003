package report

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/workflow"
)

// shows are the client's lists.
var shows = map[string]bool{"needs_you": true, "with_us": true, "finished": true, "all": true}

// cardRow is a card as read.
type cardRow struct {
	Rank             int    `db:"rank"`
	Sort             string `db:"sort"`
	ID               string `db:"id"`
	Number           string `db:"number"`
	Title            string `db:"title"`
	Organization     string `db:"organization"`
	OrganizationName string `db:"organization_name"`
	State            string `db:"state"`
	Label            string `db:"label"`
	Category         string `db:"category"`
	Turn             string `db:"turn"`
	Outcome          string `db:"outcome"`
	Due              string `db:"due"`
	StateSince       string `db:"state_since"`
	Progress         string `db:"progress"`
	Contact          string `db:"contact"`
	Begun            bool   `db:"begun"`
}

func (r cardRow) card(now string) (Card, error) {
	c := Card{
		ID: r.ID, Number: r.Number, Title: r.Title, Organization: r.Organization, OrganizationName: r.OrganizationName, State: r.State, Label: r.Label, Category: r.Category,
		Turn: r.Turn, Outcome: r.Outcome, Due: r.Due, Overdue: r.Due != "" && r.Due < now && r.Category != "done", StateSince: r.StateSince,
	}
	if err := json.Unmarshal([]byte(r.Progress), &c.Progress); err != nil {
		return c, fmt.Errorf("read progress of request %s: %w", r.ID, err)
	}
	c.words(r.Begun)
	return c, nil
}

func (r cardRow) contact() *workflow.Contact {
	var c workflow.Contact
	if err := json.Unmarshal([]byte(r.Contact), &c); err != nil || c.Name == "" {
		return nil
	}
	return &c
}

// wanted is which cards are asked for.
type wanted struct {
	show         string
	sort         string // sortByTurn; empty: the usual order
	organization string
	q            string
	since        string // finished since; empty for all
	after        *mark
	limit        int
}

// list names what is paged through.
func (w wanted) list() string {
	if w.sort == "" {
		return w.show
	}
	return w.show + " by " + w.sort
}

// cards reads a page of one of the client's lists, and one row more.
func cards(app core.App, a asker, w wanted) ([]cardRow, error) {
	statement, params := cardStatement(a, w)
	var rows []cardRow
	if err := app.DB().NewQuery(statement).Bind(params).All(&rows); err != nil {
		return nil, fmt.Errorf("read requests of %s: %w", a.ID, err)
	}
	return rows, nil
}

// made turns rows into cards.
func made(rows []cardRow, now string) ([]Card, error) {
	list := make([]Card, 0, len(rows))
	for _, row := range rows {
		c, err := row.card(now)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// GetRequests is the client's list of requests. Sorted by turn, the client's turn
// comes first, then the firm's, the portal's and nobody's, each by due date.
//
//	GET /api/portal/requests?show=needs_you|with_us|finished|all&sort=turn&organization=&q=&after= (client)
//	→ 200 {"items": [Card], "next"}; 400 bad_input; 401; 403 staff
func (r *Reports) GetRequests(e *core.RequestEvent) error {
	a, err := r.client(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	const perPage = 30
	query := e.Request.URL.Query()
	w := wanted{show: query.Get("show"), organization: query.Get("organization"), q: query.Get("q"), limit: perPage}
	if w.show == "" {
		w.show = "needs_you"
	}
	if !shows[w.show] {
		return problem.Reply(e, problem.Field("show", problem.BadInput, "One of these is expected: needs_you, with_us, finished, all."))
	}
	if w.sort, err = sortOf(query); err != nil {
		return problem.Reply(e, err)
	}
	if w.after, err = markOf(query, w.list()); err != nil {
		return problem.Reply(e, err)
	}
	rows, err := cards(e.App, a, w)
	if err != nil {
		return problem.Reply(e, err)
	}
	asof := a.now()
	if w.after != nil {
		asof = w.after.At
	}
	rows, next := cut(rows, perPage, func(row cardRow) mark {
		return mark{List: w.list(), At: asof, Rank: row.Rank, Key: row.Sort, ID: row.ID}
	})
	items, err := made(rows, a.now())
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"items": items, "next": next})
}
