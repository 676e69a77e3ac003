package access

import (
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Reached is one record that a person may see.
type Reached struct {
	ID     string       `json:"id" db:"id"`
	Number string       `json:"number,omitempty" db:"number"`
	Title  string       `json:"title" db:"title"`
	Scope  string       `json:"-" db:"scope"`
	Facts  []ReasonFact `json:"facts" db:"-"`
}

// Reach is what a person may see: how many of each kind, and the first page.
type Reach struct {
	Principal     Principal      `json:"principal"`
	Counts        map[string]int `json:"counts"`
	Most          int            `json:"most"` // a count that reaches this was not counted further
	Organizations []Reached      `json:"organizations"`
	Requests      []Reached      `json:"requests"`
	SignIns       bool           `json:"sign_ins"` // the asker may look after this person's sign-ins
}

const (
	firstPage = 50
	countedTo = 10_000
)

// bothSee is the condition that the person asked about and the asker may see a
// row: what is hidden from the asker is not counted either.
const bothSee = `EXISTS (SELECT 1 FROM access a WHERE a.principal = {:who} AND a.scope = t.scope AND a.since <= {:now} AND a.until > {:now})
	AND ({:all} OR EXISTS (SELECT 1 FROM access b WHERE b.principal = {:me} AND b.scope = t.scope AND b.since <= {:now} AND b.until > {:now}))`

// ReachRoute says what a person may see.
//
//	GET /api/portal/access/reach?principal= (operator and up) → 200
//	{"principal": {…}, "counts": {collection: n}, "most", "organizations": [{"id","title","facts"}], "requests": [{"id","number","title","facts"}], "sign_ins"}
//	400, 401, 403, 404 as explain; what the asker may not see is neither listed nor counted
func (x *Explain) ReachRoute(e *core.RequestEvent) error {
	showReasons, err := x.asks(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	who, err := x.person(e, e.Request.URL.Query().Get("principal"))
	if err != nil {
		return problem.Reply(e, err)
	}
	if who.IsSuperuser() {
		return problem.Reply(e, problem.Field("principal", problem.BadInput, "Superusers pass every rule: they see all there is."))
	}
	out, err := x.reach(e.App, who, e.Auth, showReasons)
	if err != nil {
		return problem.Reply(e, err)
	}
	out.SignIns = looksAfter(schema.ActorOf(e.Auth, e.RealIP()), who.Collection().Name) == nil && who.GetString("maker") == ""
	return e.JSON(http.StatusOK, out)
}

func (x *Explain) reach(app core.App, who, asker *core.Record, showReasons bool) (*Reach, error) {
	out := &Reach{Principal: principalOf(who), Counts: map[string]int{}, Most: countedTo, Organizations: []Reached{}, Requests: []Reached{}}
	params := func(more dbx.Params) dbx.Params {
		bound := dbx.Params{"who": who.Id, "me": asker.Id, "all": asker.IsSuperuser(), "now": schema.Stamp(x.Clock())}
		for k, v := range more {
			bound[k] = v
		}
		return bound
	}
	requests, items := schema.ClientRequests, schema.ClientItems
	if who.Collection().Name == schema.Staff {
		requests, items = schema.Requests, schema.Items
	}
	for _, table := range []string{schema.Organizations, requests, items, schema.Documents, schema.Messages} {
		var n int
		err := app.DB().NewQuery(`SELECT COUNT(*) FROM (SELECT 1 FROM ` + table + ` t WHERE ` + bothSee + ` LIMIT {:most})`).Bind(params(dbx.Params{"most": countedTo})).Row(&n)
		if err != nil {
			return nil, fmt.Errorf("count %s that %s may see: %w", table, who.Id, err)
		}
		out.Counts[table] = n
	}
	for _, list := range []struct {
		sql  string
		into *[]Reached
	}{
		{`SELECT t.id, '' AS number, t.name AS title, t.scope FROM organizations t WHERE ` + bothSee + ` ORDER BY t.name, t.id LIMIT {:most}`, &out.Organizations},
		{`SELECT t.id, t.number, t.title, t.scope FROM ` + requests + ` t WHERE ` + bothSee + ` ORDER BY t.created DESC, t.id LIMIT {:most}`, &out.Requests},
	} {
		if err := app.DB().NewQuery(list.sql).Bind(params(dbx.Params{"most": firstPage})).All(list.into); err != nil {
			return nil, fmt.Errorf("list what %s may see: %w", who.Id, err)
		}
		for n := range *list.into {
			one := &(*list.into)[n]
			p := outlook{app: app, now: x.Clock(), scope: one.Scope, who: who, name: nameOf(who), reasons: showReasons}
			err := p.find()
			if err != nil {
				return nil, err
			}
			if one.Facts, err = p.grants(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
