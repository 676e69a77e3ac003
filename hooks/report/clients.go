package report

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// Client is an organization in the staff's list (docs/api.md).
type Client struct {
	ID           string `json:"id" db:"id"`
	Name         string `json:"name" db:"name"`
	Code         string `json:"code" db:"code"`
	Kind         string `json:"kind" db:"kind"`
	Parent       string `json:"parent" db:"parent"`
	ParentName   string `json:"parent_name" db:"parent_name"`
	Status       string `json:"status" db:"status"`
	Open         int    `json:"open" db:"open"`
	Overdue      int    `json:"overdue" db:"overdue"`
	People       int    `json:"people" db:"people"`
	LastActivity string `json:"last_activity" db:"last_activity"`
}

// The organizations of the page first, then what is known of their requests, each
// as the caller is shown it: the truth, or the client's face. What shares the
// scope of its organization is counted in the indexes, the few others one by one.
const selectClients = `WITH page AS MATERIALIZED (
	SELECT o.id, o.name, o.code, o.kind, o.parent, o.status, 'staff:' || o.id AS scope FROM organizations o WHERE %[1]s ORDER BY o.name COLLATE NOCASE, o.id LIMIT {:limit}
), shown AS (
	SELECT p.id AS organization,
		(SELECT COUNT(*) FROM requests r INDEXED BY idx_requests_open WHERE COALESCE(r.scope,'') = p.scope AND r.category != 'done') AS open,
		(SELECT COUNT(*) FROM requests r INDEXED BY idx_requests_open WHERE COALESCE(r.scope,'') = p.scope AND r.category != 'done' AND %[6]s AND %[7]s < {:now}) AS overdue,
		(SELECT r.updated FROM requests r INDEXED BY idx_requests_scope_updated WHERE COALESCE(r.scope,'') = p.scope ORDER BY r.updated DESC LIMIT 1) AS last
	FROM page p WHERE %[2]s
	UNION ALL
	SELECT r.organization, r.category != 'done', r.category != 'done' AND %[7]s < {:now}, r.updated FROM page p CROSS JOIN requests r INDEXED BY idx_requests_organization_some ON r.organization = p.id AND r.scope != 'staff:' || r.organization WHERE %[3]s
	UNION ALL
	SELECT r.organization, c.category != 'done', c.category != 'done' AND c.due != '' AND c.due < {:now}, c.updated FROM ` + hiddenRows + ` WHERE r.organization IN (SELECT id FROM page) AND %[4]s
), work AS (
	SELECT organization, SUM(open) AS open, SUM(overdue) AS overdue, MAX(last) AS last FROM shown GROUP BY organization
)
SELECT p.id, p.name, p.code, p.kind, p.parent, COALESCE(o.name, '') AS parent_name, p.status, COALESCE(w.open, 0) AS open, COALESCE(w.overdue, 0) AS overdue, COALESCE(w.last, '') AS last_activity,
	(SELECT COUNT(*) FROM memberships m WHERE m.organization = p.id AND m.status = 'active') AS people
FROM page p LEFT JOIN work w ON w.organization = p.id LEFT JOIN organizations o ON o.id = p.parent AND %[5]s ORDER BY p.name COLLATE NOCASE, p.id`

// GetClients lists the organizations that a member of staff may see.
//
//	GET /api/portal/clients?q=&after= (staff) → 200
//	{"items": [{"id","name","code","kind","parent","parent_name","status","open","overdue","people","last_activity"}], "next"}; 400 bad_input; 401; 403 clients
func (r *Reports) GetClients(e *core.RequestEvent) error {
	a, err := r.staff(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	const name = "clients"
	perPage := size(query, 50, 200)
	after, err := markOf(query, name)
	if err != nil {
		return problem.Reply(e, err)
	}
	v, err := staffReach(e.App, a)
	if err != nil {
		return problem.Reply(e, err)
	}
	list, err := clients(e.App, a, v, query.Get("q"), after, perPage)
	if err != nil {
		return problem.Reply(e, err)
	}
	list, next := cut(list, perPage, func(c Client) mark { return mark{List: name, Key: c.Name, ID: c.ID} })
	return e.JSON(http.StatusOK, map[string]any{"items": list, "next": next})
}

// clients reads a page of organizations, and one more.
func clients(app core.App, a asker, v reach, q string, after *mark, perPage int) ([]Client, error) {
	params := v.bind(dbx.Params{"now": a.now(), "limit": perPage + 1})
	where := v.sees("o")
	if pattern := like(q); pattern != "" {
		where += ` AND (o.name LIKE {:q} ESCAPE '\' OR o.code LIKE {:q} ESCAPE '\')`
		params["q"] = pattern
	}
	if after != nil {
		where += ` AND o.name COLLATE NOCASE >= {:key} AND (o.name COLLATE NOCASE > {:key} OR (o.name COLLATE NOCASE = {:key} AND o.id > {:last}))`
		params["key"], params["last"] = after.Key, after.ID
	}
	list := []Client{}
	statement := fmt.Sprintf(selectClients, where, v.sees("p"), v.sees("r"), fmt.Sprintf(hidden, v.sees("r"), v.sees("c")), v.sees("o"), on(among(everyClass), "r", ""), on(dueOf, "r", ""))
	if err := app.DB().NewQuery(statement).Bind(params).All(&list); err != nil {
		return nil, fmt.Errorf("read clients: %w", err)
	}
	return list, nil
}
