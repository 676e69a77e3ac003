package report

import (
	"fmt"
	"strconv"
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

const (
	// myScopes are the scopes of somebody on the client's side, who start from them.
	myScopes = `SELECT DISTINCT COALESCE(a.scope,'') AS scope FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}`

	// within narrows them to an organization and everything below it. All that
	// shares a scope belongs to one organization.
	within = ` AND (SELECT c.organization FROM client_requests c WHERE COALESCE(c.scope,'') = COALESCE(a.scope,'') LIMIT 1)
	IN (SELECT o.id FROM organizations o JOIN organizations top ON top.id = {:organization} WHERE o.path >= top.path AND o.path < top.path || '~')`

	// firstOf is where a page ends at the latest, since as many scopes as the page has
	// rows begin before that; null if there are fewer. It is the one bound of its side
	// that SQLite may look for in the index: a plus keeps it from any other.
	firstOf = `(SELECT top FROM (SELECT (SELECT %[1]s FROM %[2]s WHERE COALESCE(c.scope,'') = mine.scope AND %[3]s ORDER BY %[1]s %[4]s LIMIT 1) AS top FROM mine) ORDER BY top %[4]s NULLS LAST LIMIT 1 OFFSET {:limit} - 1)`

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
	params["since"] = w.since
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
		first := fmt.Sprintf(firstOf, `c.state_since`, bySince, where+` AND c.state_since >= {:since}`, `DESC`)
		return fmt.Sprintf(selectCardPart, `0`, `c.state_since`, bySince, where+` AND c.state_since >= COALESCE(`+first+`, {:since})`, `c.state_since DESC, c.id DESC`)
	})
}

// byTurn puts the client's turn first, then the earliest due.
func (w wanted) byTurn(where string) string {
	if w.after != nil { // the first condition alone finds its place in the index
		where += ` AND ` + cardTurn + ` >= {:rank} || {:key} AND (` + cardTurn + `, c.id) > ({:rank} || {:key}, {:last})`
	}
	open, over := cardOver+` = 0`, cardOver+` = 1`
	return w.parts(map[string][]string{"needs_you": {open}, "with_us": {open + ` AND ` + cardTurn + ` >= '1'`}, "finished": {over}, "all": {open, over}}, func(part string) string {
		below := `'~'`
		if w.show == "needs_you" {
			below = `'1'`
		}
		return fmt.Sprintf(selectCardPart, `CAST(substr(`+cardTurn+`, 1, 1) AS INTEGER)`, cardDue, byTurn, until(cardTurn, below, part+where), cardTurn+`, c.id`)
	})
}

// until adds the end of a page to a condition: rows whose key is below something,
// and no more than the page needs.
func until(key, below, where string) string {
	first := fmt.Sprintf(firstOf, key, byTurn, where+` AND `+key+` < `+below, `ASC`)
	return where + ` AND +` + key + ` < ` + below + ` AND ` + key + ` <= COALESCE(` + first + `, ` + below + `)`
}

// byUrgency orders what needs the client: overdue, sent back, the earliest due, no
// date. The parts are in this order, and SQLite reads them one after the other: what
// comes behind the end of the page is not read.
func (w wanted) byUrgency(where string) string {
	const (
		open  = cardOver + ` = 0`
		rest  = open + ` AND ` + cardTurn + ` >= '0' || {:asof}`
		fresh = rest + ` AND COALESCE(` + cardBack + `, 0) = 0`
	)
	var list []string
	for rank, part := range []struct{ where, key, below string }{
		{open, cardTurn, `'0' || {:asof}`}, {rest + ` AND ` + cardBack, cardTurn, `'1'`}, {fresh, cardTurn, `'0~'`}, {open + ` AND ` + cardTurn + ` = '0~' AND COALESCE(` + cardBack + `, 0) = 0`, `c.id`, `'~'`},
	} {
		where := part.where + where
		if m := w.after; m != nil && rank < min(m.Rank, 3) {
			continue
		} else if m != nil && rank == m.Rank {
			where += ` AND ` + cardTurn + ` >= '0' || {:key} AND (` + cardTurn + `, c.id) > ('0' || {:key}, {:last})`
		}
		list = append(list, fmt.Sprintf(selectCardPart, strconv.Itoa(rank), cardDue, byTurn, until(part.key, part.below, where), cardTurn+`, c.id`))
	}
	return `SELECT * FROM (` + strings.Join(list, " UNION ALL ") + `) LIMIT {:limit}`
}

// parts joins those of the list that is shown.
func (w wanted) parts(of map[string][]string, write func(part string) string) string {
	var list []string
	for _, part := range of[w.show] {
		list = append(list, write(part))
	}
	return strings.Join(list, " UNION ALL ")
}
