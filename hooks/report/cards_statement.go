package report

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/access"
)

// The client's lists are read from two indexes of client_requests, scope by scope.
// In idx_client_requests_scope_since lies each class in the order of time; in
// idx_client_requests_scope_turn what is over, and what is not, by whose turn it is
// and when it is due. They hold these very expressions.
const (
	cardClass = access.ClientClass
	cardOver  = `(c.category = 'done')`
	cardTurn  = `(CASE c.turn WHEN 'client' THEN '0' WHEN 'staff' THEN '1' WHEN 'system' THEN '2' ELSE '3' END || COALESCE(NULLIF(c.due, ''), '~'))`
	cardBack  = `(json_extract(COALESCE(NULLIF(c.progress, ''), '{}'), '$.sent_back') > 0)`

	cardDue = `substr(` + cardTurn + `, 2)`

	bySince = `client_requests c INDEXED BY idx_client_requests_scope_since`
	byTurn  = `client_requests c INDEXED BY idx_client_requests_scope_turn`
)

// urgency orders what needs the client: overdue, sent back, the earliest due, no
// date. The others are ordered by what moved last.
const urgency = `CASE WHEN ` + cardDue + ` < {:asof} THEN 0 WHEN ` + cardBack + ` THEN 1 WHEN ` + cardDue + ` != '~' THEN 2 ELSE 3 END`

const (
	// myScopes are the scopes of somebody on the client's side, who start from them.
	myScopes = `SELECT DISTINCT COALESCE(a.scope,'') AS scope FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}`

	// within narrows them to an organization and everything below it. All that
	// shares a scope belongs to one organization.
	within = ` AND (SELECT c.organization FROM client_requests c WHERE COALESCE(c.scope,'') = COALESCE(a.scope,'') LIMIT 1)
	IN (SELECT o.id FROM organizations o JOIN organizations top ON top.id = {:organization} WHERE o.path >= top.path AND o.path < top.path || '~')`

	// firstOf is where a page ends at the latest: as many scopes as the page has rows
	// begin before that. Nothing is null if there are fewer.
	firstOf = `(SELECT top FROM (SELECT (SELECT %[1]s FROM %[2]s WHERE COALESCE(c.scope,'') = mine.scope AND %[3]s ORDER BY %[1]s %[4]s LIMIT 1) AS top FROM mine) WHERE top IS NOT NULL ORDER BY top %[4]s LIMIT 1 OFFSET {:limit} - 1)`

	// The page is found first, then written out: what a card shows is read for the
	// rows of the page only.
	selectCards = `WITH mine AS MATERIALIZED (%[1]s)
	SELECT p.rank, p.sort, c.id, c.number, c.title, c.organization, o.name AS organization_name, c.state, c.label, c.category, c.turn, c.outcome, c.due, c.state_since,
	COALESCE(NULLIF(c.progress, ''), '{}') AS progress, COALESCE(NULLIF(c.contact, ''), '{}') AS contact,
	EXISTS (SELECT 1 FROM client_items i WHERE i.request = c.id AND i.label = 'Half done') AS begun
	FROM (SELECT * FROM (%[2]s) p ORDER BY %[3]s LIMIT {:limit}) p
	CROSS JOIN client_requests c ON c.id = p.id JOIN organizations o ON o.id = c.organization ORDER BY %[3]s`
	selectCardPart = `SELECT * FROM (SELECT c.id, %[1]s AS rank, %[2]s AS sort FROM mine CROSS JOIN %[3]s WHERE COALESCE(c.scope,'') = mine.scope AND %[4]s ORDER BY %[5]s LIMIT {:limit})`
)

// mine writes somebody's scopes, all or those within an organization, and what
// they bind.
func mine(a asker, organization string) (string, dbx.Params) {
	params := dbx.Params{"me": a.ID, "now": a.now()}
	if organization == "" {
		return myScopes, params
	}
	params["organization"] = organization
	return myScopes + within, params
}

// cardStatement writes the statement of a page, and what it binds.
func cardStatement(a asker, w wanted) (string, dbx.Params) {
	scopes, params := mine(a, w.organization)
	params["limit"], params["asof"] = w.limit+1, a.now()
	where := ``
	if pattern := like(w.q); pattern != "" {
		where += ` AND (c.number LIKE {:q} ESCAPE '\' OR c.title LIKE {:q} ESCAPE '\')`
		params["q"] = pattern
	}
	if w.since != "" {
		where += ` AND c.state_since >= {:since}`
		params["since"] = w.since
	}
	if m := w.after; m != nil {
		params["asof"], params["rank"], params["key"], params["last"] = m.At, m.Rank, m.Key, m.ID
	}
	switch {
	case w.sort == sortByTurn:
		return fmt.Sprintf(selectCards, scopes, w.byTurn(where), `p.rank, p.sort, p.id`), params
	case w.show == "needs_you":
		return fmt.Sprintf(selectCards, scopes, w.byUrgency(where), `p.rank, p.sort, p.id`), params
	}
	return fmt.Sprintf(selectCards, scopes, w.bySince(where), `p.sort DESC, p.id DESC`), params
}

// bySince puts what moved last first: a part for each class.
func (w wanted) bySince(where string) string {
	if w.after != nil {
		where += ` AND (c.state_since, c.id) < ({:key}, {:last})`
	}
	return w.parts(map[string][]string{"with_us": {`1`}, "finished": {`2`}, "all": {`0`, `1`, `2`}}, func(class string) string {
		where := cardClass + ` = ` + class + where
		first := fmt.Sprintf(firstOf, `c.state_since`, bySince, where, `DESC`)
		return fmt.Sprintf(selectCardPart, `0`, `c.state_since`, bySince, where+` AND c.state_since >= COALESCE(`+first+`, '')`, `c.state_since DESC, c.id DESC`)
	})
}

// byTurn puts the client's turn first, then the earliest due.
func (w wanted) byTurn(where string) string {
	if w.after != nil { // the first condition alone finds its place in the index
		where += ` AND ` + cardTurn + ` >= {:rank} || {:key} AND (` + cardTurn + `, c.id) > ({:rank} || {:key}, {:last})`
	}
	open, over := cardOver+` = 0`, cardOver+` = 1`
	return w.parts(map[string][]string{"needs_you": {open + ` AND ` + cardTurn + ` < '1'`}, "with_us": {open + ` AND ` + cardTurn + ` >= '1'`}, "finished": {over}, "all": {open, over}}, func(part string) string {
		where := part + where
		first := fmt.Sprintf(firstOf, cardTurn, byTurn, where, `ASC`)
		return fmt.Sprintf(selectCardPart, `CAST(substr(`+cardTurn+`, 1, 1) AS INTEGER)`, cardDue, byTurn, where+` AND `+cardTurn+` <= COALESCE(`+first+`, '~')`, cardTurn+`, c.id`)
	})
}

// byUrgency depends on the time, and lies in no index: it reads the index of all
// that needs somebody, and no row.
func (w wanted) byUrgency(where string) string {
	if w.after != nil {
		where += ` AND (` + urgency + `, ` + cardDue + `, c.id) > ({:rank}, {:key}, {:last})`
	}
	return fmt.Sprintf(selectCardPart, urgency, cardDue, byTurn, cardOver+` = 0 AND `+cardTurn+` < '1'`+where, urgency+`, `+cardDue+`, c.id`)
}

// parts joins those of the list that is shown.
func (w wanted) parts(of map[string][]string, write func(part string) string) string {
	var list []string
	for _, part := range of[w.show] {
		list = append(list, write(part))
	}
	return strings.Join(list, " UNION ALL ")
}
