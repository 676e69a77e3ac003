package report

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/workflow"
)

// unfinished are the categories of what is not over.
const unfinished = `category IN ('open','waiting','review','blocked')`

// shows are the client's lists, as conditions on client_requests c.
var shows = map[string]string{
	"all":       everything,
	"needs_you": `c.` + unfinished + ` AND c.turn = 'client'`,
	"with_us":   `c.` + unfinished + ` AND c.turn != 'client'`,
	"finished":  `c.category = 'done'`,
}

// cardTurn sorts by whose turn it is: the client's, the firm's, the portal's,
// nobody's. It is the expression of idx_client_requests_scope_turn.
const cardTurn = `(CASE c.turn WHEN 'client' THEN 0 WHEN 'staff' THEN 1 WHEN 'system' THEN 2 ELSE 3 END)`

// urgency orders what needs the client: overdue, sent back, the earliest due, no
// date. The others are ordered by what moved last.
const urgency = `CASE WHEN c.due != '' AND c.due < {:asof} THEN 0
	WHEN json_extract(COALESCE(NULLIF(c.progress, ''), '{}'), '$.sent_back') > 0 THEN 1 WHEN c.due != '' THEN 2 ELSE 3 END`

// The page is found first, then written out: what a card shows is read for the
// rows of the page only.
const selectCards = `SELECT p.rank, p.sort, c.id, c.number, c.title, c.organization, o.name AS organization_name, c.state, c.label, c.category, c.turn, c.outcome, c.due, c.state_since,
	COALESCE(NULLIF(c.progress, ''), '{}') AS progress, COALESCE(NULLIF(c.contact, ''), '{}') AS contact,
	EXISTS (SELECT 1 FROM client_items i WHERE i.request = c.id AND i.label = 'Half done') AS begun
	FROM (SELECT c.id, %[1]s AS rank, %[2]s AS sort FROM client_requests c WHERE %[3]s ORDER BY %[4]s LIMIT {:limit}) p
	CROSS JOIN client_requests c ON c.id = p.id JOIN organizations o ON o.id = c.organization ORDER BY %[5]s`

// within narrows to an organization and everything below it.
const within = ` AND c.organization IN (SELECT o.id FROM organizations o JOIN organizations top ON top.id = {:organization} WHERE o.path >= top.path AND o.path < top.path || '~')`

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
	statement, params := cardStatement(clientReach(a), w)
	var rows []cardRow
	if err := app.DB().NewQuery(statement).Bind(params).All(&rows); err != nil {
		return nil, fmt.Errorf("read requests of %s: %w", a.ID, err)
	}
	return rows, nil
}

// cardStatement writes the statement of a page, and what it binds.
func cardStatement(v reach, w wanted) (string, dbx.Params) {
	params := v.bind(dbx.Params{"limit": w.limit + 1, "asof": v.params["now"]})
	where := v.sees("c") + " AND " + shows[w.show]
	if w.organization != "" {
		where += within
		params["organization"] = w.organization
	}
	if pattern := like(w.q); pattern != "" {
		where += ` AND (c.number LIKE {:q} ESCAPE '\' OR c.title LIKE {:q} ESCAPE '\')`
		params["q"] = pattern
	}
	if w.since != "" {
		where += ` AND c.state_since >= {:since}`
		params["since"] = w.since
	}
	rank, sort, inner, outer, further := urgency, `COALESCE(NULLIF(c.due, ''), '~')`, `rank, sort, c.id`, `p.rank, p.sort, p.id`, `>`
	switch {
	case w.sort == sortByTurn:
		rank = cardTurn
	case w.show != "needs_you":
		rank, sort, inner, outer, further = `0`, `c.state_since`, `c.state_since DESC, c.id DESC`, `p.sort DESC, p.id DESC`, `<`
	}
	if m := w.after; m != nil {
		where += fmt.Sprintf(` AND (%s, %s, c.id) %s ({:rank}, {:key}, {:last})`, rank, sort, further)
		params["asof"], params["rank"], params["key"], params["last"] = m.At, m.Rank, m.Key, m.ID
	}
	return fmt.Sprintf(selectCards, rank, sort, where, inner, outer), params
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
	if shows[w.show] == "" {
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
