package report

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// views are the queue's views of what is not over, as conditions. $ stands for
// the table, assignee for the column or expression that holds the assignee.
var views = map[string]string{
	"waiting_on_us":     rankOf + ` = 0`,
	"waiting_on_client": `$.turn = 'client' AND $.category != 'blocked'`,
	"blocked":           `$.category = 'blocked'`,
	"overdue":           `$.due != '' AND $.due < {:now}`,
	"unassigned":        `$.turn = 'staff' AND assignee = ''`,
	"mine":              `assignee = {:me}`,
	"all":               everything,
}

// rankOf puts first what waits on us. With dueOf it is the order of the queue;
// an index on these very expressions makes a page of it a walk.
const (
	rankOf = `($.turn != 'staff' AND $.category != 'blocked')`
	dueOf  = `COALESCE(NULLIF($.due, ''), '~')`
)

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
// how long it waits. Counts are of whole views, without the search.
//
//	GET /api/portal/queue?view=waiting_on_us|waiting_on_client|blocked|overdue|unassigned|mine|all&q=&after=&perPage= (staff)
//	→ 200 {"items": [QueueItem], "counts": {view: n}, "next"}; 400 bad_input; 401; 403 clients
func (r *Reports) GetQueue(e *core.RequestEvent) error {
	a, err := r.staff(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	w := queueWanted{view: query.Get("view"), q: query.Get("q"), limit: size(query, 50, 200)}
	if w.view == "" {
		w.view = "waiting_on_us"
	}
	if views[w.view] == "" {
		return problem.Reply(e, problem.Field("view", problem.BadInput, "One of these is expected: waiting_on_us, waiting_on_client, blocked, overdue, unassigned, mine, all."))
	}
	if w.after, err = markOf(query, w.view); err != nil {
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
		return mark{List: w.view, Rank: row.Rank, Key: row.Sort, Then: row.StateSince, ID: row.ID}
	})
	page.Items, err = r.queueItems(app, rows, a.now())
	return page, err
}
