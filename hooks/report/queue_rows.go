package report

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
)

// Four indexes of requests carry these statements: idx_requests_queue is the
// order of the queue, idx_requests_turn the same by whose turn it is,
// idx_requests_open counts what is not over by scope, and idx_requests_hidden
// finds the few whose state only some duties may see.

// A member of staff is shown the truth of a request whose scope he sees. Of one
// whose state only some duties may see, he is shown the client's face, and
// nothing in the row tells that there is more: these are the requests with
// restricted_to whose own scope he does not see, but whose client row's he does.
const hidden = `r.restricted_to != '[]' AND NOT (%s) AND %s`

// contactID stands for the assignee on the client's face.
const contactID = `COALESCE(json_extract(COALESCE(NULLIF(c.contact, ''), '{}'), '$.id'), '')`

const (
	truthColumns = `0 AS face, r.id, r.number, r.title, r.organization, r.workflow, r.workflow_key, r.state, '' AS label, r.category, r.turn, '' AS outcome,
		r.assignee, '' AS contact_name, r.state_since, r.due, r.paused_until, r.priority, COALESCE(r.tags, '[]') AS tags, r.revision, COALESCE(NULLIF(r.progress, ''), '{}') AS progress`
	faceColumns = `1 AS face, c.id, c.number, c.title, c.organization, r.workflow, r.workflow_key, c.state, c.label, c.category, c.turn, c.outcome,
		` + contactID + ` AS assignee, COALESCE(json_extract(COALESCE(NULLIF(c.contact, ''), '{}'), '$.name'), '') AS contact_name, c.state_since, c.due, c.paused_until, 'normal' AS priority, '[]' AS tags, c.revision, COALESCE(NULLIF(c.progress, ''), '{}') AS progress`

	selectQueue = `SELECT x.*, COALESCE(o.name, '') AS organization_name, CASE WHEN x.face THEN x.contact_name ELSE COALESCE(s.name, '') END AS assignee_name FROM (
	SELECT * FROM (SELECT %[1]s FROM %[7]s WHERE %[2]s ORDER BY %[5]s LIMIT {:limit})
	UNION ALL
	SELECT * FROM (SELECT %[3]s FROM requests r CROSS JOIN client_requests c ON c.id = r.id WHERE %[4]s ORDER BY %[6]s LIMIT {:limit})
) x LEFT JOIN organizations o ON o.id = x.organization LEFT JOIN staff s ON s.id = x.assignee ORDER BY x.finished, x.rank, x.sort, x.state_since, x.id LIMIT {:limit}`

	// Counted by scope first, so that what is seen is asked once for each scope.
	countQueue = `SELECT COALESCE(SUM(waiting_on_us), 0) AS waiting_on_us, COALESCE(SUM(waiting_on_client), 0) AS waiting_on_client, COALESCE(SUM(blocked), 0) AS blocked, COALESCE(SUM(overdue), 0) AS overdue,
	COALESCE(SUM(unassigned), 0) AS unassigned, COALESCE(SUM(mine), 0) AS mine, COALESCE(SUM([[all]]), 0) AS [[all]] FROM (
	SELECT * FROM (SELECT COALESCE(r.scope,'') AS scope, %[1]s FROM requests r WHERE r.category != 'done' AND %[2]s GROUP BY COALESCE(r.scope,'')) g WHERE %[3]s
	UNION ALL
	SELECT '' AS scope, %[4]s FROM requests r CROSS JOIN client_requests c ON c.id = r.id WHERE c.category != 'done' AND %[5]s
) x`
)

// fromScopes makes the planner start from what somebody who sees little sees.
const fromScopes = `(SELECT DISTINCT COALESCE(a.scope,'') AS scope FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}) mine CROSS JOIN requests r ON COALESCE(r.scope,'') = mine.scope`

// queueRow is a row of the queue as read. Face says that it is the client's.
type queueRow struct {
	Face             bool   `db:"face"`
	ID               string `db:"id"`
	Number           string `db:"number"`
	Title            string `db:"title"`
	Organization     string `db:"organization"`
	OrganizationName string `db:"organization_name"`
	Workflow         string `db:"workflow"`
	WorkflowKey      string `db:"workflow_key"`
	State            string `db:"state"`
	Label            string `db:"label"`
	Category         string `db:"category"`
	Turn             string `db:"turn"`
	Outcome          string `db:"outcome"`
	Assignee         string `db:"assignee"`
	AssigneeName     string `db:"assignee_name"`
	StateSince       string `db:"state_since"`
	Due              string `db:"due"`
	PausedUntil      string `db:"paused_until"`
	Priority         string `db:"priority"`
	Tags             string `db:"tags"`
	Revision         int    `db:"revision"`
	Progress         string `db:"progress"`
	Rank             int    `db:"rank"`
	Sort             string `db:"sort"`
}

// queueWanted is which rows are asked for: a view, or everything of an
// organization, finished or not.
type queueWanted struct {
	view         string
	column       string // of the board; empty: all of the view
	sort         string // sortByTurn; empty: the usual order
	organization string
	q            string
	after        *mark
	limit        int
}

// list names what is paged through.
func (w queueWanted) list() string {
	name := w.view
	if w.column != "" {
		name += "/" + w.column
	}
	if w.sort != "" {
		name += " by " + w.sort
	}
	return name
}

// on writes a condition or an expression for a table; assignee is what holds the
// assignee there.
func (v reach) on(sql, table, assignee string) string {
	rank := rankOf
	if v.condition == byScope {
		rank = sameRank
	}
	return strings.NewReplacer("$", table, "assignee", assignee).Replace(strings.ReplaceAll(sql, "#", rank))
}

func queueCounts(app core.App, a asker, v reach) (QueueCounts, error) {
	sums := func(table, assignee string) string {
		list := make([]string, 0, len(views))
		for _, view := range []string{"waiting_on_us", "waiting_on_client", "blocked", "overdue", "unassigned", "mine", "all"} {
			list = append(list, "SUM("+v.on(views[view], table, assignee)+") AS [["+view+"]]")
		}
		return strings.Join(list, ", ")
	}
	inside, outside := v.sees("r"), everything
	if v.condition == access.Visible {
		inside, outside = everything, v.sees("g")
	}
	var counts QueueCounts
	err := app.DB().NewQuery(fmt.Sprintf(countQueue, sums("r", "r.assignee"), inside, outside, sums("c", contactID), fmt.Sprintf(hidden, v.sees("r"), v.sees("c")))).
		Bind(v.bind(dbx.Params{"me": a.ID, "now": a.now()})).One(&counts)
	if err != nil {
		return counts, fmt.Errorf("count queue of %s: %w", a.ID, err)
	}
	return counts, nil
}

// queueRows reads a page, and one row more.
func queueRows(app core.App, a asker, v reach, w queueWanted) ([]queueRow, error) {
	params := v.bind(dbx.Params{"me": a.ID, "now": a.now(), "limit": w.limit + 1})
	statement := queueStatement(v, w, params)
	var rows []queueRow
	if err := app.DB().NewQuery(statement).Bind(params).All(&rows); err != nil {
		return nil, fmt.Errorf("read queue of %s: %w", a.ID, err)
	}
	return rows, nil
}

// queueStatement writes the statement of a page, and what it binds into params.
func queueStatement(v reach, w queueWanted, params dbx.Params) string {
	// What is over comes last, and only on a client's page.
	over, rank := `0`, `#`
	where := ` AND $.category != 'done' AND ` + views[w.view] + ` AND ` + columns[w.column]
	if w.organization != "" {
		over, where = `($.category = 'done')`, ` AND r.organization = {:organization}`
		params["organization"] = w.organization
	}
	byTurn := w.sort == sortByTurn && !fixedTurn[w.view]
	if byTurn {
		rank, where = turnOf, strings.ReplaceAll(where, "#", sameRank)
	}
	keys := rank + `, ` + dueOf + `, $.state_since, $.id`
	if pattern := like(w.q); pattern != "" {
		where += ` AND (tags LIKE {:q} ESCAPE '\' OR $.number LIKE {:q} ESCAPE '\' OR $.title LIKE {:q} ESCAPE '\' OR (SELECT o.name FROM organizations o WHERE o.id = $.organization) LIKE {:q} ESCAPE '\')`
		params["q"] = pattern
	}
	if m := w.after; m != nil {
		where += ` AND (` + keys + `) > ({:rank}, {:key}, {:then}, {:last})`
		params["rank"], params["key"], params["then"], params["last"] = m.Rank, m.Key, m.Then, m.ID
	}
	order := keys
	switch {
	case w.organization != "":
		order = over + `, ` + keys
	case fixedRank[w.view] && !byTurn: // an index is walked in its order only if the order does not name what is fixed
		order = strings.TrimPrefix(keys, `#, `)
	}
	more := `, ` + over + ` AS finished, ` + rank + ` AS rank, ` + dueOf + ` AS sort`
	// Tags are the firm's: whoever is shown the client's face finds nothing by them.
	truth := func(sql string) string {
		return v.on(strings.Replace(sql, "(tags ", "(COALESCE(r.tags, '') ", 1), "r", "r.assignee")
	}
	face := func(sql string) string { return v.on(strings.Replace(sql, "(tags ", "('' ", 1), "c", contactID) }
	from, seen := `requests r`, v.sees("r")
	if v.condition == byScope {
		from, seen = fromScopes, everything
	}
	return fmt.Sprintf(selectQueue, truthColumns+truth(more), seen+truth(where), faceColumns+face(more), fmt.Sprintf(hidden, v.sees("r"), v.sees("c"))+face(where), truth(order), face(order), from)
}
