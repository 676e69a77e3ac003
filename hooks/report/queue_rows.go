package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// A member of staff is shown the truth of a request whose scope he sees. Of one
// whose state only some duties may see, he is shown the client's face, and
// nothing in the row tells that there is more: these are the requests with
// restricted_to whose own scope he does not see, but whose client row's he does.
const (
	hidden     = `r.restricted_to != '[]' AND NOT (%s) AND %s`
	hiddenRows = `requests r INDEXED BY idx_requests_hidden CROSS JOIN client_requests c ON c.id = r.id`
)

// contactID stands for the assignee on the client's face.
const contactID = `COALESCE(json_extract(COALESCE(NULLIF(c.contact, ''), '{}'), '$.id'), '')`

const (
	truthColumns = `0 AS face, r.id, r.number, r.title, r.organization, r.workflow, r.workflow_key, r.state, '' AS label, r.category, r.turn, '' AS outcome,
		r.assignee, '' AS contact_name, r.state_since, r.due, r.paused_until, r.priority, COALESCE(r.tags, '[]') AS tags, r.revision, COALESCE(NULLIF(r.progress, ''), '{}') AS progress`
	faceColumns = `1 AS face, c.id, c.number, c.title, c.organization, r.workflow, r.workflow_key, c.state, c.label, c.category, c.turn, c.outcome,
		` + contactID + ` AS assignee, COALESCE(json_extract(COALESCE(NULLIF(c.contact, ''), '{}'), '$.name'), '') AS contact_name, c.state_since, c.due, c.paused_until, 'normal' AS priority, '[]' AS tags, c.revision, COALESCE(NULLIF(c.progress, ''), '{}') AS progress`

	// The page is found in the indexes first, then written out.
	selectQueue = `SELECT x.*, COALESCE(o.name, '') AS organization_name, CASE WHEN x.face THEN x.contact_name ELSE COALESCE(s.name, '') END AS assignee_name FROM (
	SELECT %[1]s, p.finished, p.rank, p.sort FROM (%[2]s) p CROSS JOIN requests r ON r.id = p.id
	UNION ALL
	SELECT * FROM (SELECT %[3]s FROM ` + hiddenRows + ` WHERE %[4]s ORDER BY %[5]s LIMIT {:limit})
) x LEFT JOIN organizations o ON o.id = x.organization LEFT JOIN staff s ON s.id = x.assignee ORDER BY x.finished, x.rank, x.sort, x.state_since, x.id LIMIT {:limit}`

	selectPage = `SELECT r.id, %[1]s FROM %[2]s WHERE %[3]s ORDER BY %[4]s LIMIT {:limit}`
	selectPart = `SELECT * FROM (SELECT r.id, 0 AS finished, %[1]d AS rank, %[2]s AS sort, r.state_since FROM requests r INDEXED BY %[6]s WHERE r.category != 'done' AND %[3]s = %[4]d AND %[5]s ORDER BY %[2]s, r.state_since, r.id LIMIT {:limit})`
	mergeParts = `SELECT * FROM (%s) ORDER BY rank, sort, state_since, id LIMIT {:limit}`
)

// fromScopes starts from what somebody who sees little sees. Statements of the
// queue name their index: a wrong one reads everything that is open.
const fromScopes = `(SELECT DISTINCT COALESCE(a.scope,'') AS scope FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}) mine CROSS JOIN requests r INDEXED BY idx_requests_open ON COALESCE(r.scope,'') = mine.scope`

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

// noClass has no request in it.
const noClass = 8

// classes are those of the view that lie in the column as well, and of which
// something may follow; noClass if there are none.
func (w queueWanted) classes() []int {
	var list []int
	for _, class := range views[w.view].classes {
		if slices.Contains(columns[w.column], class) && (w.after == nil || w.rank(class) >= w.after.Rank) {
			list = append(list, class)
		}
	}
	if list == nil {
		return []int{noClass}
	}
	return list
}

// rank is the first key of a class in the order that is wanted.
func (w queueWanted) rank(class int) int {
	switch {
	case w.sort == sortByTurn:
		return class / 2
	case slices.Contains(firstRank, class):
		return 0
	}
	return 1
}

// on writes a condition or an expression for a table; assignee is what holds the
// assignee there.
func on(sql, table, assignee string) string {
	return strings.NewReplacer("$", table, "assignee", assignee).Replace(sql)
}

// among is the condition of some classes.
func among(classes []int) string {
	words := make([]string, len(classes))
	for i, class := range classes {
		words[i] = strconv.Itoa(class)
	}
	return classOf + ` IN (` + strings.Join(words, ", ") + `)`
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
	over, where := `0`, `$.category != 'done' AND `+among(w.classes())+` AND `+views[w.view].more
	if w.organization != "" {
		over, where = `($.category = 'done')`, `r.organization = {:organization}`
		params["organization"] = w.organization
	}
	rank, search, after := rankOf, ``, ``
	if w.sort == sortByTurn {
		rank = turnOf
	}
	if pattern := like(w.q); pattern != "" {
		search = ` AND (tags LIKE {:q} ESCAPE '\' OR $.number LIKE {:q} ESCAPE '\' OR $.title LIKE {:q} ESCAPE '\' OR (SELECT o.name FROM organizations o WHERE o.id = $.organization) LIKE {:q} ESCAPE '\')`
		params["q"] = pattern
	}
	keys := rank + `, ` + dueOf + `, $.state_since, $.id`
	if m := w.after; m != nil {
		after = ` AND (` + keys + `) > ({:rank}, {:key}, {:then}, {:last})`
		params["rank"], params["key"], params["then"], params["last"] = m.Rank, m.Key, m.Then, m.ID
	}
	// Tags are the firm's: whoever is shown the client's face finds nothing by them.
	truth := strings.NewReplacer("(tags ", "(COALESCE(r.tags, '') ", "$", "r", "assignee", "r.assignee")
	face := strings.NewReplacer("(tags ", "('' ", "$", "c", "assignee", contactID)
	more, order := over+` AS finished, `+rank+` AS rank, `+dueOf+` AS sort`, keys
	var page string
	switch {
	case w.organization != "":
		order = over + `, ` + keys
		page = fmt.Sprintf(selectPage, truth.Replace(more+`, $.state_since`), `requests r`, v.sees("r")+truth.Replace(` AND `+where), truth.Replace(order))
	case v.condition == byScope:
		page = fmt.Sprintf(selectPage, truth.Replace(more+`, $.state_since`), fromScopes, truth.Replace(where+after+search), truth.Replace(order))
	default:
		page = walk(w, v.sees("r")+truth.Replace(search))
	}
	return fmt.Sprintf(selectQueue, truthColumns, page, faceColumns+face.Replace(`, `+more), fmt.Sprintf(hidden, v.sees("r"), v.sees("c"))+face.Replace(` AND `+where+after+search), face.Replace(order))
}

// walk reads as many rows of each class as a page needs, each class in the order
// of its index, with those asked that fit until the page is full.
func walk(w queueWanted, where string) string {
	var parts []string
	for _, class := range w.classes() {
		rank, from := w.rank(class), everything
		if w.after != nil && rank == w.after.Rank { // the first condition alone finds its place in the index
			from = dueOf + ` >= {:key} AND (` + dueOf + `, $.state_since, $.id) > ({:key}, {:then}, {:last})`
		}
		parts = append(parts, fmt.Sprintf(selectPart, rank, on(dueOf, "r", ""), on(classOf, "r", ""), class, on(views[w.view].more+` AND `+from, "r", "r.assignee")+` AND `+where, views[w.view].index))
	}
	return fmt.Sprintf(mergeParts, strings.Join(parts, "\n\tUNION ALL\n\t"))
}
