package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// A request stays on its version until somebody moves it. A move changes the
// state only as its mapping says; what was given stays, nobody is written to,
// and no effect fires. Moving back undoes it.

const (
	// Migrate is the key under which a move that changes the state stands in the
	// history. No transition may have it.
	Migrate = "migrate"

	migrated = "migrated" // its event is request.migrated, which no transition may emit
)

// Move is the way from one version of a workflow to another.
type Move struct {
	From, To *Compiled
	States   map[string]string // old state → new; a state that is not named keeps its key
	Staff    []access.StaffMember
	Crowded  map[string]bool // requests beside which another is live, where To allows one only
}

// moved is what a move means for one request.
type moved struct {
	fromState, toState *State
	items              *touched
	faceChanged        bool
	notes              []note
	blockers           []problem.Blocker
}

// note is one change in words, under a name by which runs count it.
type note struct{ tag, text string }

func (p *moved) say(tag, format string, args ...any) {
	p.notes = append(p.notes, note{tag, fmt.Sprintf(format, args...)})
}

func (p *moved) block(code problem.Code, format string, args ...any) {
	p.blockers = append(p.blockers, problem.Blocker{Code: code, Message: fmt.Sprintf(format, args...)})
}

func (m *Move) target(state string) string {
	if to, ok := m.States[state]; ok {
		return to
	}
	return state
}

// plan works out what the move means for a request, on the request in hand: its
// facts and definition are those after the move. With blockers it cannot move,
// and what is in hand is of no use any more.
func (m *Move) plan(l *live) *moved {
	f := l.facts
	p := &moved{fromState: m.From.State(f.State), toState: m.To.State(m.target(f.State)), items: newTouched()}
	if p.fromState == nil || p.toState == nil {
		p.block(problem.StateGone, "Version %d has no state %q. Say where such requests go.", m.To.Version, m.stateLabel(f.State))
		return p
	}
	m.fits(l, p)
	if m.Crowded[l.ID] {
		p.block(problem.OpenRequest, "Version %d allows one open request at a time, and another is open for %s.", m.To.Version, l.OrgName)
	}
	expected := m.From.expected(f)
	m.values(l, p)
	m.moveItems(l, p, expected)
	if len(p.blockers) > 0 {
		return p
	}
	m.state(l, p)
	l.def, l.Workflow = m.To, m.To.ID
	if l.shown.State != "" {
		l.shown.State = m.target(l.shown.State) // the client's time in it goes on
	}
	after := m.To.Face(f, m.To.advance(f, f.State, l.shown, l.contact()))
	p.faceChanged = !equalFaces(l.before, after)
	if p.faceChanged && len(p.notes) == 0 {
		p.say("shown", "The client is shown it in other words.")
	}
	return p
}

func (m *Move) stateLabel(key string) string {
	if s := m.From.State(key); s != nil {
		return s.Label.String()
	}
	return key
}

// fits refuses a state that a move must not lead to: an end, one that starts or
// ends what the client is shown, one that tells of what the client must not
// learn, one in which nobody of the firm could act.
func (m *Move) fits(l *live, p *moved) {
	to := p.toState
	if to.Category == "done" && p.fromState.Category != "done" {
		p.block(problem.StateUnfit, "%q is an end in version %d. Take the step that ends the request instead.", to.Label, m.To.Version)
	}
	if to.Turn == "staff" && m.deserted(m.To, to) && !m.deserted(m.From, p.fromState) {
		p.block(problem.NobodyActs, "Nobody in the firm has a duty that could go on from %q.", to.Label)
	}
	shown := m.To.State(m.target(l.shown.State))
	switch {
	case p.fromState.TippingOffSafe != to.TippingOffSafe:
		p.block(problem.StateUnfit, "The client must not learn of %q. Only a state of which the same holds can take its place.", m.stateLabel(l.facts.State))
	case l.shown.State == "" && !to.TippingOffSafe && to.Visible():
		p.block(problem.StateUnfit, "The client is not shown this request yet, and %q would show it.", to.Label)
	case l.shown.State != "" && (shown == nil || !shown.Visible()):
		p.block(problem.StateUnfit, "The client is shown this request as %q, for which version %d has nothing to show.", m.stateLabel(l.shown.State), m.To.Version)
	case to.TippingOffSafe && shown != nil && shown.Turn == "client":
		p.block(problem.StateUnfit, "The client would be shown a turn that cannot be taken.")
	}
}

// deserted says whether no active colleague may take any of staff's steps out of
// a state, though there are such steps.
func (m *Move) deserted(def *Compiled, s *State) bool {
	steps := false
	for _, t := range def.From(s.Key) {
		if duties := def.staffRoles(t); len(duties) > 0 {
			steps = true
			if len(having(m.Staff, duties)) > 0 {
				return false
			}
		}
	}
	return steps
}

// state puts the request into its new state. Time in the state goes on: a move
// is no progress. The due date changes only where the time limit does.
func (m *Move) state(l *live, p *moved) {
	f, from, to := l.facts, p.fromState, p.toState
	if from.Key != to.Key {
		p.say("state", "It goes from %q to %q.", from.Label, to.Label)
		f.Entry = m.To.entries(f, to.Key) + 1
	}
	if from.Turn != to.Turn {
		p.say("turn", "It is the turn of %s, no longer of %s.", sideWords[to.Turn], sideWords[from.Turn])
	}
	if !f.DueSet && (schema.JSON(from.SLA) != schema.JSON(to.SLA) || schema.JSON(m.From.Definition.Calendar) != schema.JSON(m.To.Definition.Calendar)) {
		due := stampOrEmpty(m.To.slaDue(to, f))
		switch {
		case due == f.Due:
		case due == "":
			p.say("due", "It has no due date any more.")
		case f.Due == "":
			p.say("due", "It is due on %s.", m.day(due))
		default:
			p.say("due", "It is due on %s, no longer on %s.", m.day(due), m.day(f.Due))
		}
		f.Due = due
	}
	f.State = to.Key
}

var sideWords = map[string]string{"client": "the client", "staff": "staff", "system": "the portal", "nobody": "nobody"}

func (m *Move) day(stamp string) string {
	return schema.Time(stamp).In(m.To.Calendar.Zone()).Format("2 Jan 2006, 15:04")
}

// values checks the data against the fields of the new version. Values of fields
// that are gone are kept, and are there again on the way back.
func (m *Move) values(l *live, p *moved) {
	data := l.facts.Data
	for i := range m.To.Fields {
		field := &m.To.Fields[i]
		was, value := m.From.Field(field.Key), data[field.Key]
		switch {
		case value == nil && was == nil && field.Default != nil:
			data[field.Key] = field.Default
			continue
		case value == nil, was != nil && was.Type == field.Type && slices.Equal(was.Options, field.Options) && was.Mask == field.Mask:
			continue
		case was != nil && was.Mask != "":
			continue // what is there is a masked text; the whole value is kept apart
		}
		cleaned, err := field.clean(value)
		if err != nil {
			p.blockers = append(p.blockers, problem.Blocker{Code: problem.ValueUnfit, Message: fmt.Sprintf("%s does not fit any more: %s.", fieldLabel(field), err), Field: field.Key})
			continue
		}
		if text, ok := cleaned.(string); ok && field.Mask != "" && text != "" {
			cleaned = l.hideValue(field.Key, text)
		}
		if !equal(value, cleaned) {
			data[field.Key] = cleaned
			p.say("value", "%s is kept in another form.", fieldLabel(field))
		}
	}
}

// moveItems lets items come, go and change where the two versions differ, and
// only there: a set that is frozen since it was sent stays as it is otherwise.
func (m *Move) moveItems(l *live, p *moved, expected []*Item) {
	f := l.facts
	old, want := places(expected), places(m.To.expected(f))
	var came, gone []string
	there := map[string]bool{}
	for _, i := range f.Items {
		at := place(i)
		there[at] = true
		before := schema.JSON(i)
		if spec := m.To.Spec(i.Section, i.Key); spec != nil && spec.Kind != i.Kind {
			if i.begun() || i.Status != Missing {
				p.blockers = append(p.blockers, problem.Blocker{Code: problem.ValueUnfit, Message: fmt.Sprintf("%s is of another kind in version %d, and something was given already.", i.Title, m.To.Version), Item: i.ID})
				continue
			}
			i.Kind = spec.Kind
		}
		wasActive := i.Active
		m.moveItem(i, old[at], want[at])
		m.acknowledge(i, p)
		switch {
		case wasActive && !i.Active:
			gone = append(gone, i.Title)
		case !wasActive && i.Active:
			came = append(came, i.Title)
		}
		if schema.JSON(i) != before {
			p.items.add(i)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(want), func(a, b string) int { return want[a].Position - want[b].Position }) {
		if there[at] || old[at] != nil {
			continue
		}
		i := want[at]
		i.ID = schema.NewID()
		f.Items = append(f.Items, i)
		p.items.add(i)
		came = append(came, i.Title)
	}
	slices.SortStableFunc(f.Items, func(a, b *Item) int { return a.Position - b.Position })
	if len(came) > 0 {
		p.say("items_new", "It gets %s: %s.", things(len(came), "item", "items"), strings.Join(came, ", "))
	}
	if len(gone) > 0 {
		p.say("items_gone", "It loses %s, whose answers are kept: %s.", things(len(gone), "item", "items"), strings.Join(gone, ", "))
	}
	if len(came)+len(gone) == 0 && len(p.items.list()) > 0 && !slices.ContainsFunc(p.notes, func(n note) bool { return n.tag == "text" }) {
		p.say("items", "%s in another way.", human(things(len(p.items.list()), "item is asked for", "items are asked for")))
	}
}

// moveItem gives an item what the new version says of it. was and is are how the
// two versions expect it; nil where they do not.
func (m *Move) moveItem(i, was, is *Item) {
	spec := m.To.Spec(i.Section, i.Key)
	switch {
	case spec == nil:
		i.Active = false
	case spec.Template:
		i.Active = true // added by hand: only a version without its kind made it go
	case is == nil:
		i.Active = i.Active && was == nil
	default:
		i.Active = i.Active || was == nil
		if was == nil || schema.JSON(was) != schema.JSON(is) {
			i.Title, i.Hint, i.Position, i.Required = is.Title, is.Hint, is.Position, is.Required
		}
	}
}

// acknowledge resets an acknowledgement whose text is another version now. What
// was accepted is kept under the text's name: it holds again when the request
// comes back to that text.
func (m *Move) acknowledge(i *Item, p *moved) {
	was, is := m.From.Spec(i.Section, i.Key), m.To.Spec(i.Section, i.Key)
	if i.Kind != "acknowledge" || was == nil || is == nil || was.TextRef == is.TextRef {
		return
	}
	kept, _ := i.Answers[keptAnswers].(map[string]any)
	if kept == nil {
		kept = map[string]any{}
	}
	if i.Answers["accepted"] == true {
		if i.Status == Provided || i.Status == Accepted {
			p.say("text", "%s has to be confirmed again: the text is a new one.", i.Title)
		}
		answers := maps.Clone(i.Answers)
		delete(answers, keptAnswers)
		kept[was.TextRef] = map[string]any{"answers": answers, "status": i.Status, "entered": i.EnteredStatus, "by": i.ProvidedBy, "at": i.ProvidedAt}
		i.Answers = map[string]any{}
		if i.Status == Provided || i.Status == Accepted {
			i.Status, i.EnteredStatus, i.ProvidedBy, i.ProvidedAt = Missing, Missing, "", ""
		}
	}
	if before, ok := kept[is.TextRef].(map[string]any); ok {
		delete(kept, is.TextRef)
		i.Answers, _ = before["answers"].(map[string]any)
		if i.Status == Missing {
			i.Status, i.EnteredStatus = firstText(before, "status"), firstText(before, "entered")
			i.ProvidedBy, i.ProvidedAt = firstText(before, "by"), firstText(before, "at")
		}
	}
	if len(kept) > 0 {
		i.Answers[keptAnswers] = kept
	} else {
		delete(i.Answers, keptAnswers)
	}
}

// keptAnswers is the name under which acceptances of other texts are kept.
const keptAnswers = "_kept"

func places(items []*Item) map[string]*Item {
	byPlace := make(map[string]*Item, len(items))
	for _, i := range items {
		byPlace[place(i)] = i
	}
	return byPlace
}

// migrate moves a request that was read for the portal itself, so that none is
// left behind unseen. The person is whoever started the run.
func (e *Engine) migrate(tx core.App, l *live, m *Move, person schema.Actor, run string) (*moved, error) {
	l.who.Actor = person
	p := m.plan(l)
	if len(p.blockers) > 0 {
		return p, problem.Blocked(p.blockers)
	}
	if err := e.recordMove(tx, l, p, m, run); err != nil {
		return nil, err
	}
	if err := e.saveItems(tx, l, p.items.list()); err != nil {
		return nil, err
	}
	if err := e.save(tx, l, l.facts.State); err != nil {
		return nil, err
	}
	if err := e.rescope(tx, l, p.toState); err != nil {
		return nil, err
	}
	change := map[string]any{"workflow": []any{m.From.Version, m.To.Version}, "run": run}
	action := "update"
	if p.fromState.Key != p.toState.Key {
		change["state"], action = []any{p.fromState.Key, p.toState.Key}, "transition"
	}
	for _, n := range p.notes {
		change[n.tag] = n.text
	}
	// No turn is told, so that nobody is written to. What the client is not shown
	// sends the client no ping either.
	return p, e.tell(tx, l, action, schema.Requests, l.ID, change, "request."+migrated, map[string]any{
		"from_version": m.From.Version, "to_version": m.To.Version, "from_state": p.fromState.Key, "to_state": p.toState.Key, "revision": l.Revision, "held": !p.faceChanged,
	})
}

// recordMove writes what the database asks for before it lets the version go:
// the move, and for a changed state its line in the history.
func (e *Engine) recordMove(tx core.App, l *live, p *moved, m *Move, run string) error {
	revision, now := l.Revision+1, schema.Stamp(l.facts.Now)
	err := schema.Insert(tx, "workflow_moves", dbx.Params{
		"request": l.ID, "revision": revision, "from_workflow": m.From.ID, "to_workflow": m.To.ID, "from_state": p.fromState.Key, "to_state": p.toState.Key, "run": run, "at": now,
	})
	if err != nil {
		return fmt.Errorf("record move of request %s: %w", l.ID, err)
	}
	if p.fromState.Key == p.toState.Key {
		return nil
	}
	err = schema.Insert(tx, schema.Transitions, dbx.Params{
		"id": schema.NewID(), "request": l.ID, "key": Migrate, "from": p.fromState.Key, "to": p.toState.Key, "entry": l.facts.Entry, "actor_kind": string(l.who.Actor.Kind), "actor": l.who.Actor.ID,
		"actor_name": l.who.Actor.Name, "on_behalf_of": "", "reason": fmt.Sprintf("Moved from version %d to version %d.", m.From.Version, m.To.Version), "revision": revision, "at": now, "scope": l.Scope, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("record move of request %s in its history: %w", l.ID, err)
	}
	l.facts.Steps = append(l.facts.Steps, Step{Migrate, p.fromState.Key, p.toState.Key, l.who.Actor.ID, "", revision, l.facts.Now})
	return nil
}

// crowded finds the requests beside which another one is live, where the version
// allows one at a time; only among the given request if there is one.
func crowded(app core.App, to *Compiled, request string) (map[string]bool, error) {
	per := to.Subject.OneLiveRequestPer
	if len(per) == 0 {
		return nil, nil
	}
	where, params := "", dbx.Params{"key": to.Key}
	if request != "" {
		where, params["id"] = " AND r.id = {:id}", request
	}
	samePeriod := ""
	if slices.Contains(per, "period") {
		samePeriod = " AND o.period = r.period"
	}
	var ids []string
	err := app.DB().NewQuery(`SELECT r.id FROM requests r WHERE r.workflow_key = {:key} AND r.category != 'done'` + where + ` AND EXISTS (
		SELECT 1 FROM requests o WHERE o.organization = r.organization AND o.workflow_key = r.workflow_key AND o.category != 'done' AND o.id != r.id` + samePeriod + `)`).Bind(params).Column(&ids)
	if err != nil {
		return nil, fmt.Errorf("look for other open requests: %w", err)
	}
	found := map[string]bool{}
	for _, id := range ids {
		found[id] = true
	}
	return found, nil
}
