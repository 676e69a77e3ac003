package access

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Explain answers who may see, change and move what, and why. It decides
// nothing: seeing is PocketBase's own check of the collection's rule, the facts
// are the rows of access that the rule reads and the sources they name, and
// changing and moving are asked of those who enforce them. So it cannot
// disagree with what happens; a test compares it all the same.
type Explain struct {
	App   core.App
	Clock schema.Clock

	// Steps are the transitions out of a request's present state, as the engine
	// decides them for the actor; problem.NotFound for one the actor may not see.
	Steps func(app core.App, request string, actor schema.Actor) ([]ExplainedStep, error)

	// Changes says whether a write of the record by the person would pass, and
	// if not, why. It writes nothing.
	Changes func(record, principal *core.Record) (bool, string, error)
}

// ExplainedStep is a transition and what stands in its way.
type ExplainedStep struct {
	Transition string            `json:"transition"`
	Label      string            `json:"label"`
	Allowed    bool              `json:"allowed"`
	Blockers   []problem.Blocker `json:"blockers"`
}

// Principal is who is asked about.
type Principal struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"` // user staff superuser
	Name  string `json:"name"`
	Email string `json:"email"`
}

// ExplainedRecord is what is asked about.
type ExplainedRecord struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
	Title      string `json:"title"`
	ShownAs    string `json:"shown_as,omitempty"` // the client's rows, where the firm's own were asked for
}

// ReasonFact is one link of the chain. Effect is "gives" for what lets somebody see,
// "missing" for what is not there, "limits" for what takes away, "may" for what
// one is on it. Source and SourceID name the row it comes from.
type ReasonFact struct {
	Kind     string `json:"kind"` // membership delegation participant exclusion staff program wall role duty inactive scope rule superuser
	Effect   string `json:"effect"`
	Text     string `json:"text"`
	Source   string `json:"source,omitempty"`
	SourceID string `json:"source_id,omitempty"`
	Until    string `json:"until,omitempty"`
}

// Explanation is the whole answer.
type Explanation struct {
	Principal Principal       `json:"principal"`
	Record    ExplainedRecord `json:"record"`
	See       bool            `json:"see"`
	Change    bool            `json:"change"`
	ChangeWhy string          `json:"change_why,omitempty"`
	Move      []ExplainedStep `json:"move"`
	Facts     []ReasonFact    `json:"facts"`
}

var errNotExplained = problem.New(problem.NotFound, "There is no such record or person, or you do not have access to it.")

// faces are the client's rows of what only staff see; they share their ids.
var faces = map[string]string{schema.Requests: schema.ClientRequests, schema.Items: schema.ClientItems}

// Of explains a record and a person. showReasons: whether the asker may read
// why a wall stands.
func (x *Explain) Of(app core.App, record, principal *core.Record, showReasons bool) (*Explanation, error) {
	out := &Explanation{
		Principal: principalOf(principal), Move: []ExplainedStep{}, Facts: []ReasonFact{},
		Record: ExplainedRecord{Collection: record.Collection().Name, ID: record.Id, Title: titleOf(record)},
	}
	shown, err := x.shownTo(app, record, principal)
	if err != nil {
		return nil, err
	}
	if shown == nil {
		out.ChangeWhy = "Clients have not been shown this yet."
		out.Facts = append(out.Facts, ReasonFact{Kind: "scope", Effect: "missing", Text: "Clients have not been shown this yet: until a step shows it to them, only staff see it."})
		return out, nil
	}
	if shown != record {
		out.Record.ShownAs = shown.Collection().Name
	}
	if out.See, err = MaySee(app, shown, principal); err != nil {
		return nil, err
	}
	if out.Facts, err = x.facts(app, shown, principal, out.See, showReasons); err != nil {
		return nil, err
	}
	if !out.See {
		out.ChangeWhy = "What somebody may not see, that person cannot change."
		return out, nil
	}
	if out.Change, out.ChangeWhy, err = x.Changes(record, principal); err != nil {
		return nil, err
	}
	if request := requestOf(record); request == record.Id {
		out.Move, err = x.Steps(app, request, schema.ActorOf(principal, ""))
		var refusal *problem.Error
		if errors.As(err, &refusal) && refusal.Code == problem.NotFound {
			out.Move, err = []ExplainedStep{}, nil
		}
	}
	return out, err
}

// MaySee is PocketBase's own answer to whether the person may read the record.
func MaySee(app core.App, record, principal *core.Record) (bool, error) {
	rule := record.Collection().ViewRule
	ok, err := app.CanAccessRecord(record, &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: "GET", Auth: principal}, rule)
	if err != nil {
		return false, fmt.Errorf("ask the rule of %s: %w", record.Collection().Name, err)
	}
	return ok, nil
}

// shownTo is the row that a person is shown: clients see their own face of
// requests and items. Nil when there is none yet.
func (x *Explain) shownTo(app core.App, record, principal *core.Record) (*core.Record, error) {
	face := faces[record.Collection().Name]
	if face == "" || principal.Collection().Name != schema.Users {
		return record, nil
	}
	shown, err := app.FindRecordById(face, record.Id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // nothing is shown, and that is no fault
	}
	if err != nil {
		return nil, fmt.Errorf("read what clients are shown of %s: %w", record.Id, err)
	}
	return shown, nil
}

// facts are the chain that lets the person see, or the first link that is
// missing; then what the person is on it.
func (x *Explain) facts(app core.App, record, principal *core.Record, sees, showReasons bool) ([]ReasonFact, error) {
	if principal.IsSuperuser() {
		return []ReasonFact{{Kind: "superuser", Effect: "gives", Text: "Superusers pass every rule. They are for installation and repair, and all they do is on the trail."}}, nil
	}
	scope := scopeOf(app, record)
	p := outlook{app: app, now: x.Clock(), scope: scope, who: principal, name: nameOf(principal), reasons: showReasons}
	if scope == "" {
		return p.byRule(record, sees), nil
	}
	if err := p.find(); err != nil {
		return nil, err
	}
	if !sees {
		return p.missing()
	}
	facts, err := p.grants()
	if err != nil {
		return nil, err
	}
	standing, err := p.standing(record)
	return append(facts, standing...), err
}

// scopeOf is whose eyes a record is for; empty where a collection has a rule of
// another kind.
func scopeOf(app core.App, record *core.Record) string {
	if record.Collection().Fields.GetByName("scope") != nil {
		return record.GetString("scope")
	}
	if record.Collection().Name == "run_items" {
		if request, err := app.FindRecordById(schema.Requests, record.GetString("request")); err == nil {
			return request.GetString("scope")
		}
	}
	return ""
}

// requestOf is the request that a record belongs to, or is.
func requestOf(record *core.Record) string {
	switch record.Collection().Name {
	case schema.Requests, schema.ClientRequests:
		return record.Id
	}
	return record.GetString("request")
}

func titleOf(record *core.Record) string {
	for _, name := range []string{"title", "name", "number", "email", "key"} {
		if text := record.GetString(name); text != "" && record.Collection().Fields.GetByName(name) != nil {
			return text
		}
	}
	return record.Id
}

func principalOf(record *core.Record) Principal {
	kind := "user"
	switch {
	case record.IsSuperuser():
		kind = "superuser"
	case record.Collection().Name == schema.Staff:
		kind = "staff"
	}
	return Principal{ID: record.Id, Kind: kind, Name: nameOf(record), Email: record.Email()}
}

func nameOf(person *core.Record) string {
	if name := person.GetString("name"); name != "" {
		return name
	}
	return person.Email()
}

// Person finds somebody by id, among clients, staff and superusers; nil if
// there is nobody.
func Person(app core.App, id string) (*core.Record, error) {
	for _, collection := range []string{schema.Users, schema.Staff, core.CollectionNameSuperusers} {
		r, err := app.FindRecordById(collection, id)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("find person %s: %w", id, err)
		}
	}
	return nil, nil //nolint:nilnil // nobody, and that is no fault
}

// liveRows are somebody's rows of access for a scope.
const liveRows = `SELECT principal, scope, since, until, source, source_id FROM access
	WHERE principal = {:me} AND scope = {:scope} AND since <= {:now} AND until > {:now} ORDER BY source, until DESC, source_id LIMIT 20`

type accessRow struct {
	Principal string `db:"principal"`
	Scope     string `db:"scope"`
	Since     string `db:"since"`
	Until     string `db:"until"`
	Source    string `db:"source"`
	SourceID  string `db:"source_id"`
}

func rowsOf(app core.App, principal, scope string, now time.Time) ([]accessRow, error) {
	var rows []accessRow
	err := app.DB().NewQuery(liveRows).Bind(dbx.Params{"me": principal, "scope": scope, "now": schema.Stamp(now)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read access of %s: %w", principal, err)
	}
	return rows, nil
}
