package report

import (
	"net/http"
	"net/url"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// view is a part of what is not over: the classes in it, and a condition more,
// with the index that has both in its order. In conditions $ stands for the table,
// and assignee for what holds the assignee.
type view struct {
	classes     []int
	more, index string
}

// Both hold what is not over.
const (
	byQueue    = "idx_requests_queue"
	byAssignee = "idx_requests_assignee"
)

var views = map[string]view{
	"waiting_on_us":     {firstRank, everything, byQueue},
	"waiting_on_client": {[]int{2}, everything, byQueue},
	"blocked":           {stuck, everything, byQueue},
	"overdue":           {everyClass, dueOf + ` < {:now}`, byQueue},
	"unassigned":        {[]int{0, 1}, `assignee = ''`, byAssignee},
	"mine":              {everyClass, `assignee = {:me}`, byAssignee},
	"all":               {everyClass, everything, byQueue},
}

// columns are those of the board, each a part of any view: who acts.
var columns = map[string][]int{"": everyClass, "us": {0}, "client": {2}, "system": {4, 6}, "blocked": stuck}

// classOf is whose turn it is, twice, and one more if it is blocked: 0 the firm's,
// 2 the client's, 4 the portal's, 6 nobody's. dueOf puts no date last. They are the
// very expressions of the indexes idx_requests_queue, _assignee and _open, in which
// each class lies in the order of dueOf, state_since and id. So every view is a few
// classes, and a page of it what comes first of a page of each.
const (
	classOf = `(CASE $.turn WHEN 'staff' THEN 0 WHEN 'client' THEN 2 WHEN 'system' THEN 4 ELSE 6 END + ($.category = 'blocked'))`
	dueOf   = `COALESCE(NULLIF($.due, ''), '~')`
)

// What waits on the firm comes first: its turn, and all that is blocked.
var (
	everyClass = []int{0, 1, 2, 3, 4, 5, 6, 7}
	firstRank  = []int{0, 1, 3, 5, 7}
	stuck      = []int{1, 3, 5, 7}
)

// rankOf and turnOf are the first keys of the two orders.
const (
	rankOf = `(` + classOf + ` IN (2, 4, 6))`
	turnOf = `(` + classOf + ` / 2)`
)

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

// QueuePage is a page of the queue. A count of CountsAtMost was not counted
// further; 0 if all are exact.
type QueuePage struct {
	Items        []QueueItem `json:"items"`
	Counts       QueueCounts `json:"counts"`
	CountsAtMost int         `json:"counts_at_most"`
	Next         string      `json:"next"`
}

// GetQueue is the staff's list of work: with us first, then by due date, then by
// how long it waits. Sorted by turn, the firm's turn comes first, then the
// client's, the portal's and nobody's. Counts are of whole views, without the search.
//
//	GET /api/portal/queue?view=waiting_on_us|waiting_on_client|blocked|overdue|unassigned|mine|all&column=us|client|system|blocked&sort=turn&q=&after=&perPage= (staff)
//	→ 200 {"items": [QueueItem], "counts": {view: n}, "counts_at_most", "next"}; 400 bad_input; 401; 403 clients
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
	if _, there := views[w.view]; !there {
		return problem.Reply(e, problem.Field("view", problem.BadInput, "One of these is expected: waiting_on_us, waiting_on_client, blocked, overdue, unassigned, mine, all."))
	}
	if columns[w.column] == nil {
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
	if page.Counts, page.CountsAtMost, err = queueCounts(app, a, v); err != nil {
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
