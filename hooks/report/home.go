package report

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// CardCounts are how many requests each of the client's lists holds.
type CardCounts struct {
	NeedsYou int `json:"needs_you" db:"needs_you"`
	WithUs   int `json:"with_us" db:"with_us"`
	Finished int `json:"finished" db:"finished"`
}

// Home is what a client sees first (docs/api.md).
type Home struct {
	Counts    CardCounts        `json:"counts"`
	AtMost    int               `json:"counts_at_most"` // a count of so many was not counted further; 0: all are exact
	NeedsYou  []Card            `json:"needs_you"`
	WithUs    []Card            `json:"with_us"`
	Finished  []Card            `json:"finished"`
	Contact   *workflow.Contact `json:"contact"`
	Since     []News            `json:"since"`
	LastVisit string            `json:"last_visit"`
}

const (
	homeCards    = 20
	homeFinished = 5
	finishedFor  = 30 * 24 * time.Hour // finished requests leave home then
	cardsCounted = 1000                // of each list
)

const (
	countCards = `WITH mine AS MATERIALIZED (%s) SELECT %s AS needs_you, %s AS with_us, %s AS finished`
	countClass = `(SELECT COUNT(*) FROM (SELECT 1 FROM mine CROSS JOIN ` + bySince + ` WHERE COALESCE(c.scope,'') = mine.scope AND ` + cardClass + ` = %d LIMIT {:most}))`
)

// GetHome answers what needs the caller now.
//
//	GET /api/portal/home?organization= → 200 for clients
//	{"counts": {"needs_you","with_us","finished"}, "counts_at_most", "needs_you": [Card], "with_us": [Card], "finished": [Card] of the last 30 days,
//	 "contact": {"id","name"}|null, "since": [News], "last_visit"}
//	for staff {"counts": {view: n}, "counts_at_most", "view": "mine", "items": [QueueItem], "next"}; 401
func (r *Reports) GetHome(e *core.RequestEvent) error {
	a, err := r.anybody(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	if a.Kind != schema.ActorUser {
		return r.staffHome(e, a)
	}
	home, err := clientHome(e.App, a, e.Request.URL.Query().Get("organization"))
	if err != nil {
		return problem.Reply(e, err)
	}
	if access.ViewingOf(e) == nil { // whoever only looks as the client was not the client
		visit(e.App, a, home.LastVisit)
	}
	return e.JSON(http.StatusOK, home)
}

func clientHome(app core.App, a asker, organization string) (*Home, error) {
	home := &Home{}
	var err error
	if home.Counts, home.AtMost, err = countsFor(app, a, organization); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		show  string
		limit int
		since string
		into  *[]Card
	}{
		{"needs_you", homeCards, "", &home.NeedsYou},
		{"with_us", homeCards, "", &home.WithUs},
		{"finished", homeFinished, schema.Stamp(a.at.Add(-finishedFor)), &home.Finished},
	} {
		rows, err := cards(app, a, wanted{show: part.show, organization: organization, since: part.since, limit: part.limit})
		if err != nil {
			return nil, err
		}
		rows = rows[:min(len(rows), part.limit)]
		for _, row := range rows {
			if home.Contact == nil {
				home.Contact = row.contact()
			}
		}
		if *part.into, err = made(rows, a.now()); err != nil {
			return nil, err
		}
	}
	if home.LastVisit, err = lastVisit(app, a); err != nil {
		return nil, err
	}
	home.Since, err = news(app, a, organization, home.LastVisit)
	return home, err
}

func countsFor(app core.App, a asker, organization string) (counts CardCounts, atMost int, err error) {
	scopes, params := mine(a, organization)
	params["most"] = cardsCounted
	class := func(n int) string { return fmt.Sprintf(countClass, n) }
	if err := app.DB().NewQuery(fmt.Sprintf(countCards, scopes, class(0), class(1), class(2))).Bind(params).One(&counts); err != nil {
		return counts, 0, fmt.Errorf("count requests of %s: %w", a.ID, err)
	}
	if max(counts.NeedsYou, counts.WithUs, counts.Finished) == cardsCounted {
		atMost = cardsCounted
	}
	return counts, atMost, nil
}

// staffHome is the first page of what is on somebody's desk.
func (r *Reports) staffHome(e *core.RequestEvent, a asker) error {
	const view, perPage = "mine", 20
	v, err := staffReach(e.App, a)
	if err != nil {
		return problem.Reply(e, err)
	}
	answer, err := r.queue(e.App, a, v, queueWanted{view: view, limit: perPage})
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"counts": answer.Counts, "counts_at_most": answer.CountsAtMost, "view": view, "items": answer.Items, "next": answer.Next})
}
