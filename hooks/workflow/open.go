package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// NewRequest is what opening a request takes.
type NewRequest struct {
	Workflow     string         `json:"workflow"`
	Organization string         `json:"organization"`
	Title        string         `json:"title"`
	Due          string         `json:"due"`
	Period       string         `json:"period"`
	Data         map[string]any `json:"data"`
	Items        []NewItem      `json:"items"`
	Visibility   string         `json:"visibility"`   // organization unless said otherwise, or restricted
	Participants []string       `json:"participants"` // users who take part in a restricted request

	because string // why the portal opens it by itself
}

// NewItem is an item that staff add to a dynamic section.
type NewItem struct {
	Section  string      `json:"section"`
	Template string      `json:"template"`
	Title    string      `json:"title"`
	Hint     string      `json:"hint"`
	Required *bool       `json:"required"`
	Due      string      `json:"due"`
	Options  ItemOptions `json:"options"`

	// Values fill the places in the template's title, where no title is given.
	Values map[string]string `json:"values"`
}

// Open opens a request on the newest published version of a workflow.
func (e *Engine) Open(_ context.Context, app core.App, actor schema.Actor, in NewRequest) (string, error) {
	if err := staffOnly(actor); err != nil {
		return "", err
	}
	id := schema.NewID()
	err := e.within(app, func(tx core.App) error {
		org, err := e.openFor(tx, actor, in.Organization)
		if err != nil {
			return err
		}
		def, err := e.newest(tx, in.Workflow)
		if err != nil {
			return err
		}
		return e.open(tx, id, actor, org, def, in)
	})
	return id, err
}

// openFor checks that the actor may open requests for the organization.
func (e *Engine) openFor(tx core.App, actor schema.Actor, organization string) (*core.Record, error) {
	missing := problem.Field("organization", problem.BadInput, "There is no such client, or you do not have access to it.")
	org, err := tx.FindRecordById(schema.Organizations, organization)
	if err != nil {
		return nil, missing.Because(err)
	}
	if actor.Kind == schema.ActorStaff {
		member, err := access.StaffOf(tx, actor.ID)
		if err != nil {
			return nil, err
		}
		sees, err := access.Sees(tx, actor.ID, schema.StaffScope(organization), e.Clock())
		if err != nil {
			return nil, err
		}
		if !sees {
			return nil, missing
		}
		if !member.AtLeast("operator") {
			return nil, problem.New(problem.Role, "Your role lets you look, not open requests.")
		}
	}
	if status := org.GetString("status"); status != "active" {
		return nil, problem.Field("organization", problem.BadInput, fmt.Sprintf("This client is %s. Make it active first.", status))
	}
	return org, nil
}

func (e *Engine) newest(tx core.App, key string) (*Compiled, error) {
	var id string
	err := tx.DB().NewQuery(`SELECT id FROM workflows WHERE key = {:key} AND status = 'published' ORDER BY version DESC LIMIT 1`).Bind(dbx.Params{"key": key}).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.Field("workflow", problem.BadInput, fmt.Sprintf("There is no published workflow %q.", key))
	}
	if err != nil {
		return nil, fmt.Errorf("find workflow %s: %w", key, err)
	}
	return e.Definition(tx, id)
}

func (e *Engine) open(tx core.App, id string, actor schema.Actor, org *core.Record, def *Compiled, in NewRequest) error {
	now := e.Clock()
	in.Period = def.periodOf(in, now)
	if err := onlyOneLive(tx, def, org.Id, in.Period); err != nil {
		return err
	}
	state := def.State(def.Initial)
	l := &live{def: def, who: Who{Actor: actor, Superuser: actor.Kind == schema.ActorSuperuser, System: actor.Kind == schema.ActorSystem}}
	if actor.Kind == schema.ActorStaff {
		member, err := access.StaffOf(tx, actor.ID)
		if err != nil {
			return err
		}
		l.who.Standing = access.OfStaff(member)
	}
	l.row = row{
		ID: id, Workflow: def.ID, Organization: org.Id, OrgName: org.GetString("name"), OrgPath: org.GetString("path"), Title: in.Title, State: def.Initial, Period: in.Period,
		Scope: schema.StaffScope(org.Id), Tags: "[]", RestrictedTo: "[]", StateSince: schema.Stamp(now), Requester: actor.ID,
	}
	if blank(l.Title) {
		l.Title = def.Title
	}
	if len(l.Title) > 300 {
		return problem.Field("title", problem.FieldInvalid, "The title is too long (at most 300 characters).")
	}
	l.facts = &Facts{
		Now: now, Opened: now, ID: id, Title: l.Title, Period: in.Period, State: def.Initial, Entry: 1, StateSince: now, OrgID: org.Id, OrgCode: org.GetString("code"), OrgName: l.OrgName, OrgData: object(org.GetString("data")),
		Data: map[string]any{}, Systems: map[string]bool{}, Known: map[string]bool{}, People: map[string]string{}, Jobs: map[string]JobState{},
	}
	if err := l.firstPeople(tx, in); err != nil {
		return err
	}
	if err := l.firstData(in, org); err != nil {
		return err
	}
	if err := l.setDue(in.Due); err != nil {
		return err
	}
	def.followDue(l.facts)
	number, err := nextNumber(tx, def, org, in.Period, now)
	if err != nil {
		return err
	}
	l.Number, l.facts.Number = number, number
	if staff := actor.Kind == schema.ActorStaff && actor.OnBehalfOf == ""; staff && l.who.Standing.Has(state.Owner) {
		l.Assignee, l.AssigneeName = actor.ID, actor.Name
	}
	def.sync(l.facts)
	for _, add := range in.Items {
		if _, err := l.addItem(add, true); err != nil {
			return err
		}
	}
	return e.store(tx, l, state, in.because)
}

// store writes a new request. The row goes in first, as the database asks for
// the initial state; what follows is an ordinary change.
func (e *Engine) store(tx core.App, l *live, state *State, because string) error {
	now := schema.Stamp(l.facts.Now)
	err := schema.Insert(tx, schema.Requests, dbx.Params{
		"id": l.ID, "number": l.Number, "workflow": l.Workflow, "workflow_key": l.def.Key, "organization": l.Organization, "period": l.Period, "title": l.facts.Title,
		"state": l.State, "category": state.Category, "turn": state.Turn, "entry": 1, "assignee": l.Assignee, "requester": l.Requester, "visibility": l.Visibility, "participants": l.Participants,
		"priority": "normal", "tags": "[]", "due": l.facts.Due, "due_set": l.facts.DueSet, "state_since": l.StateSince, "data": "{}", "progress": "{}", "face": "{}", "restricted_to": "[]",
		"revision": 0, "closed_at": "", "scope": l.Scope, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("open request: %w", err)
	}
	l.stored = indexed{l.Workflow, l.State, state.Category, state.Turn, l.Assignee, l.facts.Due, l.StateSince, "", "", "[]"}
	l.facts.Priority = "normal"
	for _, i := range l.facts.Items {
		i.EnteredStatus = i.Status
	}
	if err := e.saveItems(tx, l, l.facts.Items); err != nil {
		return err
	}
	if l.Assignee != "" && state.Owner != "" {
		if err := e.claim(tx, l, state.Owner); err != nil {
			return err
		}
	}
	opened := func(after *ClientFace) {
		l.remember(after, "transition", "Opened", map[string]any{"state": l.State})
	}
	if err := e.save(tx, l, l.State, opened); err != nil {
		return err
	}
	if err := e.rescope(tx, l, state); err != nil {
		return err
	}
	if err := e.restrict(tx, l); err != nil {
		return err
	}
	change := map[string]any{"number": l.Number, "workflow": l.def.Key, "state": l.State}
	if because != "" {
		change["because"] = because
	}
	return e.tell(tx, l, "create", schema.Requests, l.ID, change,
		"request.opened", map[string]any{"to": l.State, "entry": 1, "to_turn": state.Turn, "to_category": state.Category, "label": state.Label.String(), "missing": l.missingList(), "sent_back": briefs{}, "count": 0, "data": l.facts.Data})
}

// firstData takes defaults, what the organization already has, and what the
// opener brings; every value is checked.
func (l *live) firstData(in NewRequest, org *core.Record) error {
	for i := range l.def.Fields {
		field := &l.def.Fields[i]
		if field.Default != nil {
			l.facts.Data[field.Key] = field.Default
		}
		if known, ok := l.facts.OrgData[field.Key]; ok && !field.Staff() {
			if value, err := field.clean(known); err == nil && value != nil {
				l.facts.Data[field.Key] = value
			}
		}
		if field.Key == "legal_name" && l.facts.Data["legal_name"] == nil && in.Data["legal_name"] == nil {
			l.facts.Data["legal_name"] = org.GetString("name")
		}
		if field.Key == "period" && in.Period != "" {
			l.facts.Data["period"] = in.Period
		}
	}
	return l.writeData(in.Data, func(*Field) (bool, string) { return true, "" })
}

// onlyOneLive refuses a second request where the definition allows one.
func onlyOneLive(tx core.App, def *Compiled, organization, period string) error {
	per := def.Subject.OneLiveRequestPer
	if len(per) == 0 {
		return nil
	}
	where, params := "", dbx.Params{"key": def.Key, "org": organization}
	if slices.Contains(per, "period") {
		where, params["period"] = " AND period = {:period}", period
	}
	var number string
	err := tx.DB().NewQuery(`SELECT number FROM requests WHERE organization = {:org} AND workflow_key = {:key} AND category != 'done'` + where + ` LIMIT 1`).Bind(params).Row(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an open request: %w", err)
	}
	return problem.New(problem.OpenRequest, "Request "+number+" is still open for this client. There can be one at a time.").With("organization", problem.OpenRequest, "Request "+number+" is still open.")
}

// nextNumber counts for each workflow and year; a number is never used again.
func nextNumber(tx core.App, def *Compiled, org *core.Record, period string, now time.Time) (string, error) {
	local := now.In(def.Calendar.Zone())
	year := local.Format("2006")
	var seq int
	err := tx.DB().NewQuery(`INSERT INTO sequences (name, value) VALUES ({:name}, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value`).
		Bind(dbx.Params{"name": "request/" + def.Key + "/" + year}).Row(&seq)
	if err != nil {
		return "", fmt.Errorf("count requests: %w", err)
	}
	pattern := def.Numbering
	if pattern == "" {
		pattern = "R-{yyyy}-{seq:4}"
	}
	code := org.GetString("code")
	if code == "" {
		code = strings.ToUpper(org.Id[:4])
	}
	number := fill(pattern, map[string]string{"yyyy": year, "yy": year[2:], "period": period, "org_code": code})
	for width := 1; width <= 9; width++ {
		number = strings.ReplaceAll(number, "{seq:"+strconv.Itoa(width)+"}", fmt.Sprintf("%0*d", width, seq))
	}
	number = strings.ReplaceAll(number, "{seq}", strconv.Itoa(seq))
	if !strings.Contains(pattern, "{seq") {
		var taken bool
		if err := tx.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM requests WHERE number = {:n})`).Bind(dbx.Params{"n": number}).Row(&taken); err != nil {
			return "", fmt.Errorf("look for number: %w", err)
		}
		if taken {
			number += "-" + strconv.Itoa(seq)
		}
	}
	return number, nil
}
