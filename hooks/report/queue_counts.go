package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// While no more than countedOpen requests are open, the queue's counts are exact
// for everybody. Above, whoever sees very much has each view counted to queueCounted.
const (
	countedOpen  = 10_000
	queueCounted = 200
)

// viewNames are the views in the order in which they are counted.
var viewNames = []string{"waiting_on_us", "waiting_on_client", "blocked", "overdue", "unassigned", "mine", "all"}

const (
	countQueue = `SELECT %[1]s FROM (%[2]s UNION ALL SELECT %[3]s FROM ` + hiddenRows + ` WHERE c.category != 'done' AND %[4]s) x`

	countScopes = `SELECT %s FROM ` + fromScopes + ` WHERE r.category != 'done'`
	// By scope first, so that what is seen is asked once for each scope.
	countAll  = `SELECT %[1]s FROM (SELECT COALESCE(r.scope,'') AS scope, %[2]s FROM requests r INDEXED BY idx_requests_open WHERE r.category != 'done' GROUP BY COALESCE(r.scope,'')) g WHERE %[3]s`
	countView = `(SELECT COUNT(*) FROM (SELECT 1 FROM requests r INDEXED BY %s WHERE r.category != 'done' AND %s AND %s LIMIT {:most}))`
)

// queueCounts counts the views of somebody. A count of atMost was not counted
// further; atMost is 0 if all are exact.
func queueCounts(app core.App, a asker, v reach) (counts QueueCounts, atMost int, err error) {
	most := math.MaxInt
	if v.condition != byScope {
		if most, err = countedTo(app); err != nil {
			return counts, 0, err
		}
	}
	err = app.DB().NewQuery(countStatement(v, most)).Bind(v.bind(dbx.Params{"me": a.ID, "now": a.now(), "most": most})).One(&counts)
	if err != nil {
		return counts, 0, fmt.Errorf("count queue of %s: %w", a.ID, err)
	}
	if counts.All < most { // the view that holds all others
		most = 0
	}
	return counts, most, nil
}

// countedTo is how far a view is counted by how much is open: all, or to queueCounted.
func countedTo(app core.App) (int, error) {
	var n int
	err := app.DB().NewQuery(`SELECT COUNT(*) FROM (SELECT 1 FROM requests WHERE category != 'done' LIMIT {:more})`).Bind(dbx.Params{"more": countedOpen + 1}).Row(&n)
	if err != nil {
		return 0, fmt.Errorf("count open requests: %w", err)
	}
	if n > countedOpen {
		return queueCounted, nil
	}
	return math.MaxInt, nil
}

func countStatement(v reach, most int) string {
	sums := func(table, assignee string) string {
		return eachView(func(name string) string { return `SUM(` + on(inView(name), table, assignee) + `)` })
	}
	var truth string
	switch {
	case v.condition == byScope:
		truth = fmt.Sprintf(countScopes, sums("r", "r.assignee"))
	case most == queueCounted:
		truth = `SELECT ` + eachView(func(name string) string {
			return fmt.Sprintf(countView, views[name].index, on(inView(name), "r", "r.assignee"), v.sees("r"))
		})
	default:
		names := `[[` + strings.Join(viewNames, `]], [[`) + `]]`
		truth = fmt.Sprintf(countAll, names, sums("r", "r.assignee"), v.sees("g"))
	}
	total := eachView(func(name string) string { return `MIN(COALESCE(SUM([[` + name + `]]), 0), {:most})` })
	return fmt.Sprintf(countQueue, total, truth, sums("c", contactID), fmt.Sprintf(hidden, v.sees("r"), v.sees("c")))
}

func inView(name string) string { return among(views[name].classes) + ` AND ` + views[name].more }

// eachView writes a column for each view.
func eachView(count func(name string) string) string {
	list := make([]string, len(viewNames))
	for i, name := range viewNames {
		list[i] = count(name) + ` AS [[` + name + `]]`
	}
	return strings.Join(list, ", ")
}
