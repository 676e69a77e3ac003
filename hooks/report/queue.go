package report

import (
	"net/http"
	"net/url"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// views are the queue's views of what is not over, as conditions. In them $
// stands for the table, # for rankOf, and assignee for what holds the assignee.
// A plus before a column keeps the planner from an index that would read too
// many rows.
var views = map[string]string{
	"waiting_on_us":     `# = 0`,
	"waiting_on_client": `# = 1 AND +$.turn = 'client'`,
	"blocked":           `$.category = 'blocked'`,
	"overdue":           dueOf + ` < {:now}`,
	"unassigned":        `# = 0 AND +$.turn = 'staff' AND +assignee = ''`,
	"mine":              `assignee = {:me}`,
	"all":               everything,
}

// columns are those of the board, each a part of any view: who acts. A plus keeps
// the planner on the view's own index.
var columns = map[string]string{
	"":        everything,
	"us":      `+$.turn = 'staff' AND +$.category != 'blocked'`,
	"client":  `+$.turn = 'client' AND +$.category != 'blocked'`,
	"system":  `+$.turn NOT IN ('staff', 'client') AND +$.category != 'blocked'`,
	"blocked": `+$.category = 'blocked'`,
}

// fixedRank are the views that lie in one rank, fixedTurn those of one turn: for
// them to sort by turn is the usual order.
var (
	fixedRank = map[string]bool{"waiting_on_us": true, "waiting_on_client": true, "unassigned": true}
	fixedTurn = map[string]bool{"waiting_on_client": true, "unassigned": true}
)

// rankOf puts first what waits on us; dueOf puts no date last. They are the very
// expressions of the index idx_requests_queue, which makes a page a walk for
// those who see much. sameRank says the same in words that the index does not
// know, so that for those who see little the planner starts from their scopes.
const (
	rankOf   = `($.turn != 'staff' AND $.category != 'blocked')`
	sameRank = `(NOT ($.turn = 'staff' OR $.category = 'blocked'))`
	dueOf    = `COALESCE(NULLIF($.due, ''), '~')`
)

// turnOf sorts by whose turn it is: the firm's, the client's, the portal's,
// nobody's. It is the expression of idx_requests_turn.
const turnOf = `(CASE $.turn WHEN 'staff' THEN 0 WHEN 'client' THEN 1 WHEN 'system' THEN 2 ELSE 3 END)`

// sortByTurn is the one order beside the usual one.
const sortByTurn = "turn"

// sortOf reads the order that is asked for; empty for the usual one.
func sortOf(query url.Values) (string, error) {
	sort := query.Get("sort")
	if sort != "" && sort != sortByTurn {
		return "", problem.Field("sort", problem.BadInput, "Lists can be sorted by this: turn.")
	}
	return sort, nil
}

// QueueCounts are how many requests each view holds.
type QueueCounts struct {
	WaitingOnUs     int `json:"waiting_on_us" db:"waiting_on_us"`
	WaitingOnClient int `json:"waiting_on_client" db:"waiting_on_client"`
	Blocked         int `json:"blocked" db:"blocked"`
	Overdue         int `json:"overdue" db:"overdue"`
	Unassigned      int `json:"unassigned" db:"unassigned"`
	Mine            int `json:"mine" db:"mine"`
	All             int `json:"all" db:"all"`
}

// QueuePage is a page of the queue.
type QueuePage struct {
	Items  []QueueItem `json:"items"`
	Counts QueueCounts `json:"counts"`
	Next   string      `json:"next"`
}

// GetQueue is the staff's list of work: with us first, then by due date, then by
// how long it waits. Sorted by turn, the firm's turn comes first, then the
// client's, the portal's and nobody's. Counts are of whole views, without the search.
//
//	GET /api/portal/queue?view=waiting_on_us|waiting_on_client|blocked|overdue|unassigned|mine|all&column=us|client|system|blocked&sort=turn&q=&after=&perPage= (staff)
//	→ 200 {"items": [QueueItem], "counts": {view: n}, "next"}; 400 bad_input; 401; 403 clients
func (r *Reports) GetQueue(e *core.RequestEvent) error {
	a, err := r.staff(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	w := queueWanted{view: query.Get("view"), column: query.Get("column"), q: query.Get("q"), limit: size(query, 50, 200)}
	if w.view == "" {
		w.view = "waiting_on_us"
	}
	if views[w.view] == "" {
		return problem.Reply(e, problem.Field("view", problem.BadInput, "One of these is expected: waiting_on_us, waiting_on_client, blocked, overdue, unassigned, mine, all."))
	}
	if columns[w.column] == "" {
		return problem.Reply(e, problem.Field("column", problem.BadInput, "One of these is expected: us, client, system, blocked."))
	}
	if w.sort, err = sortOf(query); err != nil {
		return problem.Reply(e, err)
	}
	if w.after, err = markOf(query, w.list()); err != nil {
		return problem.Reply(e, err)
	}
	v, err := staffReach(e.App, a)
	if err != nil {
		return problem.Reply(e, err)
	}
	page, err := r.queue(e.App, a, v, w)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, page)
}

func (r *Reports) queue(app core.App, a asker, v reach, w queueWanted) (QueuePage, error) {
	page := QueuePage{}
	var err error
	if page.Counts, err = queueCounts(app, a, v); err != nil {
		return page, err
	}
	rows, err := queueRows(app, a, v, w)
	if err != nil {
		return page, err
	}
	rows, page.Next = cut(rows, w.limit, func(row queueRow) mark {
		return mark{List: w.list(), Rank: row.Rank, Key: row.Sort, Then: row.StateSince, ID: row.ID}
	})
	page.Items, err = r.queueItems(app, a, rows)
	return page, err
}
