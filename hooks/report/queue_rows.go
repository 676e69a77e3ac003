package report

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// A member of staff is shown the truth of a request whose scope he sees. Of one
// whose state only some duties may see, he is shown the client's face, and
// nothing in the row tells that there is more: these are the requests with
// restricted_to whose own scope he does not see, but whose client row's he does.
const hidden = `r.restricted_to != '[]' AND NOT (%s) AND %s`

// contactID stands for the assignee on the client's face.
const contactID = `COALESCE(json_extract(COALESCE(NULLIF(c.contact, ''), '{}'), '$.id'), '')`

const (
	truthColumns = `0 AS face, r.id, r.number, r.title, r.organization, r.workflow, r.workflow_key, r.state, '' AS label, r.category, r.turn, '' AS outcome,
		r.assignee, '' AS contact_name, r.state_since, r.due, r.priority, r.revision, COALESCE(NULLIF(r.progress, ''), '{}') AS progress`
	faceColumns = `1 AS face, c.id, c.number, c.title, c.organization, r.workflow, r.workflow_key, c.state, c.label, c.category, c.turn, c.outcome,
		` + contactID + ` AS assignee, COALESCE(json_extract(COALESCE(NULLIF(c.contact, ''), '{}'), '$.name'), '') AS contact_name, c.state_since, c.due, 'normal' AS priority, c.revision, COALESCE(NULLIF(c.progress, ''), '{}') AS progress`

	selectQueue = `SELECT x.*, COALESCE(o.name, '') AS organization_name, CASE WHEN x.face THEN x.contact_name ELSE COALESCE(s.name, '') END AS assignee_name FROM (
	SELECT * FROM (SELECT %[1]s FROM requests r WHERE %[2]s ORDER BY %[5]s LIMIT {:limit})
	UNION ALL
	SELECT * FROM (SELECT %[3]s FROM requests r JOIN client_requests c ON c.id = r.id WHERE %[4]s ORDER BY %[6]s LIMIT {:limit})
) x LEFT JOIN organizations o ON o.id = x.organization LEFT JOIN staff s ON s.id = x.assignee ORDER BY x.finished, x.rank, x.sort, x.state_since, x.id LIMIT {:limit}`

	countQueue = `SELECT %[1]s FROM (
	SELECT r.turn, r.category, r.due, r.assignee FROM requests r WHERE r.` + unfinished + ` AND %[2]s
	UNION ALL
	SELECT c.turn, c.category, c.due, ` + contactID + ` FROM requests r JOIN client_requests c ON c.id = r.id WHERE c.` + unfinished + ` AND %[3]s
) x`
)

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
	Priority         string `db:"priority"`
	Revision         int    `db:"revision"`
	Progress         string `db:"progress"`
	Rank             int    `db:"rank"`
	Sort             string `db:"sort"`
}

// queueWanted is which rows are asked for: a view, or everything of an
// organization, finished or not.
type queueWanted struct {
	view         string
	organization string
	q            string
	after        *mark
	limit        int
}

// on writes a condition for a table; assignee is what holds the assignee there.
func on(condition, table, assignee string) string {
	return strings.NewReplacer("$", table, "assignee", assignee).Replace(condition)
}

func queueCounts(app core.App, a asker, v reach) (QueueCounts, error) {
	sums := make([]string, 0, len(views))
	for _, view := range []string{"waiting_on_us", "waiting_on_client", "blocked", "overdue", "unassigned", "mine", "all"} {
		sums = append(sums, "COALESCE(SUM("+on(views[view], "x", "x.assignee")+"), 0) AS [["+view+"]]")
	}
	var counts QueueCounts
	err := app.DB().NewQuery(fmt.Sprintf(countQueue, strings.Join(sums, ", "), v.sees("r"), fmt.Sprintf(hidden, v.sees("r"), v.sees("c")))).
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
	over := `0`
	truth, face := v.sees("r"), fmt.Sprintf(hidden, v.sees("r"), v.sees("c"))
	if w.organization != "" {
		over = `($.category = 'done')`
		truth, face = truth+` AND r.organization = {:organization}`, face+` AND r.organization = {:organization}`
		params["organization"] = w.organization
	} else {
		truth, face = truth+` AND r.`+unfinished+` AND `+on(views[w.view], "r", "r.assignee"), face+` AND c.`+unfinished+` AND `+on(views[w.view], "c", contactID)
	}
	if pattern := like(w.q); pattern != "" {
		words := ` AND ($.number LIKE {:q} ESCAPE '\' OR $.title LIKE {:q} ESCAPE '\' OR (SELECT o.name FROM organizations o WHERE o.id = $.organization) LIKE {:q} ESCAPE '\')`
		truth, face = truth+strings.ReplaceAll(words, "$", "r"), face+strings.ReplaceAll(words, "$", "c")
		params["q"] = pattern
	}
	if m := w.after; m != nil {
		further := ` AND (` + rankOf + `, ` + dueOf + `, $.state_since, $.id) > ({:rank}, {:key}, {:then}, {:last})`
		truth, face = truth+strings.ReplaceAll(further, "$", "r"), face+strings.ReplaceAll(further, "$", "c")
		params["rank"], params["key"], params["then"], params["last"] = m.Rank, m.Key, m.Then, m.ID
	}
	columns := `, ` + over + ` AS finished, ` + rankOf + ` AS rank, ` + dueOf + ` AS sort`
	order := over + `, ` + rankOf + `, ` + dueOf + `, $.state_since, $.id`
	if over == `0` {
		order = strings.TrimPrefix(order, over+`, `)
	}
	at := func(s, table string) string { return strings.ReplaceAll(s, "$", table) }
	return fmt.Sprintf(selectQueue, truthColumns+at(columns, "r"), truth, faceColumns+at(columns, "c"), face, at(order, "r"), at(order, "c"))
}
