package access

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// asks lets those ask who work requests: operators and up, and superusers. Who
// may read why a wall stands is a manager's business.
func (x *Explain) asks(e *core.RequestEvent) (showReasons bool, err error) {
	if e.HasSuperuserAuth() {
		return true, nil
	}
	if e.Auth == nil || e.Auth.Collection().Name != schema.Staff {
		return false, problem.New(problem.Forbidden, "Only staff can do this.")
	}
	member, err := StaffOf(e.App, e.Auth.Id)
	if err != nil {
		return false, err
	}
	if !member.AtLeast("operator") {
		return false, problem.New(problem.Forbidden, "Your role does not allow this. Ask a colleague with the role operator.")
	}
	return member.AtLeast("manager"), nil
}

// record finds what is asked about, if the asker may see it too: a wall holds
// for whoever asks.
func (x *Explain) record(e *core.RequestEvent, collection, id string) (*core.Record, error) {
	c, err := e.App.FindCachedCollectionByNameOrId(collection)
	if err != nil || c.System && c.Name != core.CollectionNameSuperusers || id == "" || c.ViewRule == nil && !e.HasSuperuserAuth() {
		return nil, errNotExplained
	}
	r, err := e.App.FindRecordById(c, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotExplained
	}
	if err != nil {
		return nil, fmt.Errorf("find %s %s: %w", c.Name, id, err)
	}
	ok, err := MaySee(e.App, r, e.Auth)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNotExplained
	}
	return r, nil
}

// person finds who is asked about, if the asker may see that account.
func (x *Explain) person(e *core.RequestEvent, id string) (*core.Record, error) {
	who, err := Person(e.App, id)
	if err != nil {
		return nil, err
	}
	if who == nil {
		return nil, errNotExplained
	}
	ok, err := MaySee(e.App, who, e.Auth)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNotExplained
	}
	return who, nil
}

// Route explains whether a person may see, change and move a record, and why.
//
//	GET /api/portal/access/explain?collection=&record=&principal= (operator and up) → 200
//	{"principal": {"id","kind","name","email"}, "record": {"collection","id","title","shown_as"?}, "see", "change", "change_why"?,
//	 "move": [{"transition","label","allowed","blockers"}], "facts": [{"kind","effect","text","source"?,"source_id"?,"until"?}]}
//	400 something is not named; 401; 403 clients and viewers; 404 what the asker may not see, or is not there
func (x *Explain) Route(e *core.RequestEvent) error {
	showReasons, err := x.asks(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	for _, name := range []string{"collection", "record", "principal"} {
		if strings.TrimSpace(query.Get(name)) == "" {
			return problem.Reply(e, problem.Field(name, problem.FieldMissing, "Name the collection, the record and the person: collection=, record=, principal=."))
		}
	}
	record, err := x.record(e, query.Get("collection"), query.Get("record"))
	if err != nil {
		return problem.Reply(e, err)
	}
	who, err := x.person(e, query.Get("principal"))
	if err != nil {
		return problem.Reply(e, err)
	}
	out, err := x.Of(e.App, record, who, showReasons)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, out)
}

// Viewer is somebody who may see a record, with the facts that let them.
type Viewer struct {
	Principal
	As    string       `json:"as"` // "truth" the firm's own rows, "face" what clients are shown
	Facts []ReasonFact `json:"facts"`
}

// mostViewers is how many people one answer names; total says how many there are.
const mostViewers = 200

const selectViewers = `SELECT principal, MAX(scope = {:scope}) AS truth FROM access WHERE scope IN ({:scope}, {:face}) AND since <= {:now} AND until > {:now} GROUP BY principal ORDER BY MIN(source), principal`

// PeopleRoute lists who may see a record, and why: of a request also the clients
// who are shown their face of it.
//
//	GET /api/portal/access/people?collection=&record= (operator and up) → 200
//	{"record": {…}, "items": [{"id","kind","name","email","as","facts"}], "total"}; 400, 401, 403, 404 as explain
func (x *Explain) PeopleRoute(e *core.RequestEvent) error {
	showReasons, err := x.asks(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	record, err := x.record(e, query.Get("collection"), query.Get("record"))
	if err != nil {
		return problem.Reply(e, err)
	}
	people, total, err := x.people(e.App, record, showReasons)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{
		"record": ExplainedRecord{Collection: record.Collection().Name, ID: record.Id, Title: titleOf(record)}, "items": people, "total": total,
	})
}

func (x *Explain) people(app core.App, record *core.Record, showReasons bool) ([]Viewer, int, error) {
	scope := scopeOf(app, record)
	if scope == "" {
		return nil, 0, problem.Field("collection", problem.BadInput, "Who sees this does not go by client. Ask about one person.")
	}
	face := scope
	if name := faces[record.Collection().Name]; name != "" {
		if shown, err := app.FindRecordById(name, record.Id); err == nil {
			face = shown.GetString("scope")
		} else if !errors.Is(err, sql.ErrNoRows) {
			return nil, 0, fmt.Errorf("read what clients are shown: %w", err)
		}
	}
	var rows []struct {
		Principal string `db:"principal"`
		Truth     bool   `db:"truth"`
	}
	now := x.Clock()
	err := app.DB().NewQuery(selectViewers).Bind(dbx.Params{"scope": scope, "face": face, "now": schema.Stamp(now)}).All(&rows)
	if err != nil {
		return nil, 0, fmt.Errorf("read who sees %s: %w", record.Id, err)
	}
	people := []Viewer{}
	for _, row := range rows[:min(len(rows), mostViewers)] {
		who, err := Person(app, row.Principal)
		if err != nil {
			return nil, 0, err
		}
		if who == nil {
			continue
		}
		v, seen := Viewer{Principal: principalOf(who), As: "face"}, face
		if row.Truth {
			v.As, seen = "truth", scope
		}
		p := outlook{app: app, now: now, scope: seen, who: who, name: nameOf(who), reasons: showReasons}
		if err := p.find(); err != nil {
			return nil, 0, err
		}
		if v.Facts, err = p.grants(); err != nil {
			return nil, 0, err
		}
		people = append(people, v)
	}
	return people, len(rows), nil
}
