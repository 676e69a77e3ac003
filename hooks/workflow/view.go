package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// View is a request as one side is shown it (docs/api.md).
type View struct {
	ID               string        `json:"id"`
	Number           string        `json:"number"`
	Title            string        `json:"title"`
	Side             string        `json:"side"`
	Workflow         string        `json:"workflow"`
	WorkflowTitle    string        `json:"workflow_title"`
	Organization     string        `json:"organization"`
	OrganizationName string        `json:"organization_name"`
	State            string        `json:"state"`
	Label            string        `json:"label"`
	Category         string        `json:"category"`
	Outcome          string        `json:"outcome"`
	Turn             string        `json:"turn"`
	TurnText         string        `json:"turn_text"`
	TurnDetail       string        `json:"turn_detail"`
	Due              string        `json:"due"`
	StateSince       string        `json:"state_since"`
	Created          string        `json:"created"`
	Revision         int           `json:"revision"`
	Contact          Contact       `json:"contact"`
	Progress         Progress      `json:"progress"`
	ReadOnly         string        `json:"read_only"`
	ActingFor        string        `json:"acting_for"`
	ActingUntil      string        `json:"acting_until,omitempty"` // when the delegation ends
	SeenBy           string        `json:"seen_by"`                // who of the client sees a restricted request, in words; empty if everybody does
	CanExclude       bool          `json:"can_exclude"`            // whether the caller may keep people of the client away from it
	Sections         []SectionView `json:"sections"`
	Fields           []FieldView   `json:"fields"`
	Actions          []Action      `json:"actions"`
	ByItself         []SelfStep    `json:"by_itself"`
}

// StaffView is what staff are shown besides.
type StaffView struct {
	Assignee        string       `json:"assignee"`
	AssigneeName    string       `json:"assignee_name"`
	Priority        string       `json:"priority"`
	Tags            []string     `json:"tags"`
	People          []PersonView `json:"people"`
	WorkflowVersion int          `json:"workflow_version"`
	ClientSees      *ClientSees  `json:"client_sees"`
	Paused          *PauseView   `json:"paused"`
	Clocks          Clocks       `json:"clocks"`
	SLA             *Sla         `json:"sla"`
	CreatedBecause  string       `json:"created_because"`
	Jobs            []JobView    `json:"jobs"`
}

// ClientSees is the state as the client is shown it.
type ClientSees struct {
	State string `json:"state"`
	Label string `json:"label"`
}

// PersonView is who has a duty on the request.
type PersonView struct {
	Duty string `json:"duty"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// JobView is the newest run of a job.
type JobView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	System    string `json:"system"`
	Status    string `json:"status"`
	Text      string `json:"text"` // how it stands, in words
	LastError string `json:"last_error"`
}

// SectionView is a section with its items.
type SectionView struct {
	Key       string         `json:"key"`
	Title     string         `json:"title"`
	Provider  string         `json:"provider"`
	Dynamic   bool           `json:"dynamic"`
	CanAdd    bool           `json:"can_add"`
	Templates []TemplateView `json:"templates"`
	Items     []ItemView     `json:"items"`
}

// TemplateView is a kind of item that may be added.
type TemplateView struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Kind  string `json:"kind"`
}

// ItemView is an item.
type ItemView struct {
	ID         string         `json:"id"`
	Key        string         `json:"key"`
	Instance   string         `json:"instance"`
	Title      string         `json:"title"`
	Hint       string         `json:"hint"`
	Kind       string         `json:"kind"`
	Status     string         `json:"status"`
	Label      string         `json:"label"`
	Turn       string         `json:"turn"`
	Required   bool           `json:"required"`
	Editable   bool           `json:"editable"`
	Why        string         `json:"why"`
	Reason     string         `json:"reason"`
	ReasonText string         `json:"reason_text"`
	Comment    string         `json:"comment"`
	Due        string         `json:"due"`
	Answers    map[string]any `json:"answers"`
	Tries      int            `json:"tries"`
	CanReview  bool           `json:"can_review"`
	Held       bool           `json:"held"`
	Stale      bool           `json:"stale"`      // acknowledged before something that it follows from was opened again
	LookAgain  string         `json:"look_again"` // for staff: accepted before something that it rests on was opened again
	Review     *ReviewView    `json:"review,omitempty"`
	Ask        Ask            `json:"ask"`
	Documents  []DocumentView `json:"documents"`
	Given      *ByAt          `json:"given"`           // who gave it last, and when
	Decided    *ByAt          `json:"decided"`         // who decided on it last, as far as the reader may know
	Reuse      []Earlier      `json:"reuse,omitempty"` // what was given earlier and may be used again
}

// ByAt says who did something, and when. Name is empty where no person did.
type ByAt struct {
	Name string `json:"name"`
	At   string `json:"at"`

	id string
}

// byAt is nil where nothing was done.
func byAt(id, at string) *ByAt {
	if at == "" {
		return nil
	}
	return &ByAt{At: at, id: id}
}

// Ask is what an item asks of its provider.
type Ask struct {
	Accept        []string       `json:"accept"`
	MaxMB         int            `json:"max_mb"`
	FilesMin      int            `json:"files_min"`
	FilesMax      int            `json:"files_max"`
	Camera        bool           `json:"camera"`
	AllowNone     string         `json:"allow_none"`
	AnswerType    string         `json:"answer_type"`
	AnswerTypes   []string       `json:"answer_types"`
	Choices       []string       `json:"choices"`
	Questions     []Question     `json:"questions"`
	TextTitle     string         `json:"text_title"`
	Text          string         `json:"text"`
	Metadata      []MetadataView `json:"metadata"`
	RejectReasons []ReasonView   `json:"reject_reasons"`
}

// MetadataView is a date or text to be told with a file.
type MetadataView struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Label string `json:"label"`
}

// ReasonView is a reason for sending back, in words.
type ReasonView struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// FieldView is a field of the request's data.
type FieldView struct {
	Key      string       `json:"key"`
	Label    string       `json:"label"`
	Type     string       `json:"type"`
	Value    any          `json:"value"`
	Options  []OptionView `json:"options"`
	Required bool         `json:"required"`
	Editable bool         `json:"editable"`
	Why      string       `json:"why"`
	Help     string       `json:"help"`
	Staff    bool         `json:"staff"`
}

// OptionView is one choice.
type OptionView struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

// DocumentView is one file version.
type DocumentView struct {
	ID         string         `json:"id"`
	Title      string         `json:"title"`
	Version    int            `json:"version"`
	Size       int64          `json:"size"`
	Mime       string         `json:"mime"`
	State      string         `json:"state"`
	AuthorName string         `json:"author_name"`
	ByClient   bool           `json:"by_client"`
	Created    string         `json:"created"`
	SHA256     string         `json:"sha256"`
	Metadata   map[string]any `json:"metadata"`
	Current    bool           `json:"current"`
	Removable  bool           `json:"removable"`
	URL        string         `json:"url"`
}

// View shows a request to an actor, or says that there is none.
func (e *Engine) View(app core.App, id string, actor schema.Actor) (any, error) {
	l, err := e.load(app, id, actor)
	if err != nil {
		return nil, err
	}
	return e.viewOf(app, l)
}

// ClientView is a request as its client is shown it; Paused is null unless it is
// on hold.
type ClientView struct {
	View
	Paused *ShownPause `json:"paused"`
}

func (e *Engine) viewOf(app core.App, l *live) (any, error) {
	documents, err := loadDocuments(app, l)
	if err != nil {
		return nil, err
	}
	v := l.view(documents)
	if err := nameThem(app, &v); err != nil {
		return nil, err
	}
	if l.clientSide() {
		if err := e.offerEarlier(app, l, &v); err != nil {
			return nil, err
		}
		return ClientView{v, l.shownPause()}, nil
	}
	staff, err := e.staffView(app, l)
	if err != nil {
		return nil, err
	}
	return struct {
		View
		StaffView
	}{v, staff}, nil
}

// Actions lists the steps out of the present state that the actor's side may
// know.
func (e *Engine) Actions(app core.App, id string, actor schema.Actor) ([]Action, error) {
	l, err := e.load(app, id, actor)
	if err != nil {
		return nil, err
	}
	return l.actions(), nil
}

// clientSide says whether the actor is shown the client's face: clients, and
// staff who may not know of the present state.
func (l *live) clientSide() bool { return l.who.Side() == "client" || l.who.Shown }

func (l *live) view(documents map[string][]DocumentView) View {
	f, def := l.facts, l.def
	v := View{
		ID: l.ID, Number: l.Number, Title: l.Title, Side: "staff", Workflow: def.Key, WorkflowTitle: def.Title, Organization: l.Organization, OrganizationName: l.OrgName, State: l.State,
		Due: l.Due, StateSince: l.StateSince, Created: l.Created, Revision: l.Revision, Contact: l.contact(), Progress: def.progress(f), ActingFor: l.who.Standing.GiverName, SeenBy: l.seenBy(), CanExclude: l.mayExclude() == "",
	}
	if v.ActingFor != "" {
		v.ActingUntil = schema.Stamp(l.who.Standing.Until)
	}
	if l.clientSide() {
		v.Side, v.State, v.Due, v.StateSince, v.Revision, v.Contact = "client", l.shown.State, l.shown.Due, l.shown.Since, l.shown.Revision, l.shown.Contact
		v.Progress = l.before.Progress
		if l.who.Standing.ReadsOnly() && !l.who.Shown {
			v.ReadOnly = l.who.Standing.Refuses(access.Provide, "You can view this. Only an admin or a member can send.")
		}
		if l.who.Shown {
			v.ReadOnly = "You see what the client sees. This is in other hands now."
		}
	} else if len(l.who.Standing.Roles) == 0 && !l.who.Superuser {
		v.ReadOnly = "Your role lets you look, not change."
	}
	state := def.State(v.State)
	v.Label, v.Category, v.Turn, v.Outcome = state.Label.In(l.locale()), state.Category, state.Turn, state.Outcome
	if l.clientSide() {
		v.Label = clientLabel(state).In(l.locale())
	}
	v.TurnText, v.TurnDetail = l.turnText(v, state)
	v.Sections, v.Fields, v.Actions, v.ByItself = l.sectionViews(documents), l.fieldViews(), l.actions(), l.selfSteps()
	return v
}

// locale is the language that the reader wants the workflow's words in.
func (l *live) locale() string { return l.who.Actor.Locale }

// turnText says in words who must act.
func (l *live) turnText(v View, state *State) (text, detail string) {
	p := v.Progress
	if text, detail := l.holdText(); text != "" {
		return text, detail
	}
	if l.clientSide() {
		switch {
		case state.Category == "done":
			return v.Label, "Nothing more to do."
		case state.Category == "blocked":
			return "With us", "We are sorting out a problem on our side."
		case state.Turn == "client" && p.Left > 0:
			return "Your turn: " + things(p.Left, "item left", "items left"), "Then we check it."
		case state.Turn == "client" && p.ToDecide > 0:
			return "Your turn: look and decide", "Look at what we sent you, then say whether it is right."
		case state.Turn == "client" && p.Decide > 0:
			return "Your turn: everything is decided", "Tell us with the last step what you have decided."
		case state.Turn == "client":
			return "Your turn: everything is ready", "Check it and send it to us."
		}
		return "With us", v.Label + ". You do not need to do anything now."
	}
	switch {
	case state.Category == "done":
		return "Finished: " + v.Label, ""
	case state.Turn == "client" && p.Decide > 0 && p.Left == 0:
		return "With the client", "The client looks at it and decides."
	case state.Turn == "client":
		return "With the client", things(p.Left, "item", "items") + " to come."
	case state.Turn == "system":
		return "With the portal", l.byItself()
	}
	return "With us", NextStep(state.Category, state.Turn, p, v.Label)
}

// byItself says what the portal does by itself from here, and what each step
// waits for.
func (l *live) byItself() string {
	robot := Who{Actor: schema.System(), System: true}
	var lines []string
	for _, t := range l.def.From(l.facts.State) {
		if !t.Automatic() {
			continue
		}
		verdict := l.def.Decide(l.facts, t.Key, robot, nil)
		if verdict.Allowed {
			return "It goes on by itself: " + t.Label.String() + "."
		}
		lines = append(lines, fmt.Sprintf("%s: %s", t.Label, verdict.Blockers[0].Message))
	}
	if len(lines) == 0 {
		return "It goes on by itself."
	}
	return "It goes on by itself. " + strings.Join(lines, " ")
}

// NextStep is what comes next on a request, in a few words for staff: what they
// do, or what they wait for.
func NextStep(category, turn string, p Progress, label string) string {
	switch {
	case turn == "client" && p.Left > 0:
		return things(p.Left, "item", "items") + " to come"
	case category == "blocked" || turn != "staff":
		return label
	case p.ToCheck > 0:
		return fmt.Sprintf("Check %d of %s", p.ToCheck, things(p.Total, "item", "items"))
	case p.SentBack > 0:
		return "Ask the client: " + things(p.SentBack, "item", "items") + " sent back"
	}
	return label
}

func (l *live) sectionViews(documents map[string][]DocumentView) []SectionView {
	list := make([]SectionView, 0, len(l.def.Sections))
	for si := range l.def.Sections {
		s := &l.def.Sections[si]
		v := SectionView{Key: s.Key, Title: s.Title.In(l.locale()), Provider: s.provider(), Dynamic: s.Dynamic, Items: []ItemView{}, Templates: []TemplateView{}}
		if !l.clientSide() && l.def.mayAdd(l.facts, s, l.who) {
			v.CanAdd = true
		}
		if !l.clientSide() {
			for _, spec := range s.Items {
				if spec.Template {
					v.Templates = append(v.Templates, TemplateView{spec.Key, human(spec.Key), spec.Kind})
				}
			}
		}
		for _, i := range l.facts.applicable() {
			if i.Section == s.Key && (!l.clientSide() || l.showsItem(i.ID)) {
				v.Items = append(v.Items, l.itemView(i, documents[i.ID]))
			}
		}
		if len(v.Items) > 0 || v.CanAdd {
			list = append(list, v)
		}
	}
	return list
}

func (l *live) itemView(i *Item, documents []DocumentView) ItemView {
	spec := l.def.Spec(i.Section, i.Key)
	as, f := *i, l.asShown()
	v := ItemView{ID: i.ID, Key: i.Key, Instance: i.Instance, Title: i.Title, Hint: i.Hint, Kind: i.Kind, Required: i.Required, Due: i.Due, Answers: publicAnswers(i), Ask: l.ask(spec, i), Documents: documents}
	if l.clientSide() {
		d := shownOf(i)
		as.Status, as.Reason, as.Comment, as.Tries = d.Status, d.Reason, d.Comment, d.Tries
	} else {
		v.Held, v.LookAgain = i.Shown != nil, i.lookAgainWhy()
	}
	v.Given, v.Decided = byAt(i.ProvidedBy, i.ProvidedAt), byAt(i.Reviewer, i.ReviewedAt)
	if l.clientSide() {
		v.Decided = byAt(shownOf(i).By, shownOf(i).At)
	}
	v.CanReview, _ = l.def.mayReview(f, i, l.who)
	v.Review = i.reviewView(spec, l.who.Actor.ID)
	state := l.def.State(f.State)
	v.Status, v.Reason, v.ReasonText, v.Comment, v.Tries = as.Status, as.Reason, human(as.Reason), as.Comment, as.Tries
	v.Label = itemLabel(&as, state)
	v.Editable, v.Why = l.def.mayProvide(f, &as, l.who)
	if v.CanReview {
		v.Why = "" // that somebody else gives it is no news to a reviewer
	}
	if _, warning := l.def.complete(&as, l.facts.Now); warning != "" && (v.Editable || !l.clientSide()) {
		v.Why = warning
	}
	if why := as.staleWhy(); why != "" {
		v.Stale, v.Why = true, why
	}
	v.Turn = l.itemParams(&as, "")["turn"].(string)
	if v.Documents == nil {
		v.Documents = []DocumentView{}
	}
	for n := range v.Documents {
		v.Documents[n].Removable = v.Documents[n].Removable && v.Editable
	}
	return v
}

func (l *live) ask(spec *ItemSpec, i *Item) Ask {
	ask := Ask{Accept: []string{}, AnswerTypes: []string{}, Choices: i.Options.Choices, AnswerType: i.Options.AnswerType, Questions: []Question{}, Metadata: []MetadataView{}, RejectReasons: []ReasonView{}}
	if ask.Choices == nil {
		ask.Choices = []string{}
	}
	if ask.AnswerType == "" && i.Kind == "answer" {
		ask.AnswerType = "text"
		if len(ask.Choices) > 0 {
			ask.AnswerType = "choice"
		}
	}
	if spec == nil {
		return ask
	}
	if spec.Accept != nil {
		ask.Accept = spec.Accept
	}
	ask.AnswerTypes = append(ask.AnswerTypes, spec.AnswerTypes...)
	ask.MaxMB, ask.Camera, ask.AllowNone = spec.MaxMB, spec.Camera, spec.AllowNone
	if spec.Files != nil {
		ask.FilesMin, ask.FilesMax = spec.Files.Min, spec.Files.Max
	}
	if form := l.def.Forms[spec.Form]; form != nil {
		ask.Questions = form.Questions
	} else if i.Kind == "form" {
		ask.Questions = []Question{{Key: "text", Label: i.Title, Type: "long_text"}}
	}
	if text := l.def.Texts[spec.TextRef]; text != nil {
		ask.TextTitle, ask.Text = text.Title, text.Body
	}
	wanted := spec.Metadata
	if spec.Check["period_covers"] != "" {
		wanted = slices.Concat(wanted, periodKeys)
	}
	for _, m := range wanted {
		ask.Metadata = append(ask.Metadata, MetadataView{m.Key, m.Type, metadataLabel(m)})
	}
	for _, r := range spec.RejectReasons {
		ask.RejectReasons = append(ask.RejectReasons, ReasonView{r, human(r)})
	}
	return ask
}

func (l *live) fieldViews() []FieldView {
	list := []FieldView{}
	f := l.asShown()
	for i := range l.def.Fields {
		field := &l.def.Fields[i]
		if (field.Staff() && l.clientSide()) || !field.When.holds(l.facts) {
			continue
		}
		v := FieldView{Key: field.Key, Label: fieldLabelIn(field, l.locale()), Type: field.Type, Value: l.facts.Data[field.Key], Options: []OptionView{}, Required: field.RequiredBefore != "", Help: field.Help, Staff: field.Staff()}
		for _, o := range field.Options {
			v.Options = append(v.Options, OptionView{o, human(o)})
		}
		if v.Editable, v.Why = l.def.mayWrite(f, field, l.who); v.Editable {
			v.Why = ""
		}
		list = append(list, v)
	}
	return list
}

// Action is one step as an interface offers it.
type Action struct {
	Key         string            `json:"key"`
	Label       string            `json:"label"`
	To          string            `json:"to"`
	Allowed     bool              `json:"allowed"`
	By          []string          `json:"by"`
	Confirm     bool              `json:"confirm"`
	Primary     bool              `json:"primary"`
	Consequence string            `json:"consequence"`
	For         string            `json:"for,omitempty"` // whose right it is, where it was lent
	Blockers    []problem.Blocker `json:"blockers"`
	Requires    []Requirement     `json:"requires"`
}

// Requirement is what the form of a step must bring. Kind is text, items or
// per_item (comments by item id).
type Requirement struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Kind  string `json:"kind"`
}

var requirementWords = map[string]Requirement{
	"internal_note":                    {Label: "Internal note: why?", Kind: "text"},
	"client_comment":                   {Label: "Words to the other side", Kind: "text"},
	"external_reference":               {Label: "Reference in the other system", Kind: "text"},
	"client_template":                  {Label: "Text of the library", Kind: "text"},
	"choose_items":                     {Label: "Which items?", Kind: "items"},
	"client_comment_per_rejected_item": {Label: "Why was each item sent back?", Kind: "per_item"},
	"client_comment_per_reopened_item": {Label: "Why is each item needed again?", Kind: "per_item"},
}

func (l *live) actions() []Action {
	list := []Action{}
	f := l.asShown()
	if l.who.Shown {
		as := *l.facts
		as.State = l.shown.State
		f = &as
	}
	primary := false
	for _, t := range l.def.From(f.State) {
		if !l.def.knows(t, l.who) {
			continue
		}
		verdict := l.def.Decide(f, t.Key, l.who, nil)
		a := Action{Key: t.Key, Label: t.Label.In(l.locale()), For: l.who.as(t.By).Standing.GiverName, To: t.To, Allowed: verdict.Allowed, By: l.def.Sides(t), Confirm: t.Confirm, Blockers: verdict.Blockers, Requires: []Requirement{}, Consequence: l.consequence(t)}
		if l.clientSide() {
			a.By = slices.DeleteFunc(a.By, func(s string) bool { return s != "client" })
		}
		if a.Blockers == nil {
			a.Blockers = []problem.Blocker{}
		}
		if !primary && slices.Contains(a.By, l.who.Side()) && !t.Confirm && l.def.State(f.State).Turn == l.who.Side() {
			a.Primary, primary = true, true
		}
		for _, ask := range l.def.asks(t) {
			r := requirementWords[ask]
			r.Key = ask
			a.Requires = append(a.Requires, r)
		}
		list = append(list, a)
	}
	return list
}

func (e *Engine) staffView(app core.App, l *live) (StaffView, error) {
	v := StaffView{Assignee: l.Assignee, AssigneeName: l.AssigneeName, Priority: l.Priority, Tags: schema.Strings(l.Tags), People: []PersonView{}, Jobs: []JobView{}, WorkflowVersion: l.def.Version}
	if v.Tags == nil {
		v.Tags = []string{}
	}
	if s := l.def.State(l.shown.State); s != nil {
		v.ClientSees = &ClientSees{s.Key, clientLabel(s).In(l.locale())}
	}
	if err := e.timeView(app, l, &v); err != nil {
		return v, err
	}
	for _, j := range l.facts.Jobs {
		v.Jobs = append(v.Jobs, JobView{j.ID, j.Name, j.System, j.Status, JobLine(j.Name, j.System, j.Status), j.LastError})
	}
	slices.SortFunc(v.Jobs, func(a, b JobView) int { return strings.Compare(a.Name, b.Name) })
	err := app.DB().NewQuery(`SELECT p.duty AS duty, p.person AS id, COALESCE(s.name, '') AS name FROM request_people p LEFT JOIN staff s ON s.id = p.person WHERE p.request = {:id} ORDER BY p.duty`).
		Bind(dbx.Params{"id": l.ID}).All(&v.People)
	if err != nil {
		return v, fmt.Errorf("read people of request %s: %w", l.ID, err)
	}
	return v, nil
}

// loadDocuments reads the documents of all items in one statement: for the
// client's side those in the client's scope.
func loadDocuments(app core.App, l *live) (map[string][]DocumentView, error) {
	var rows []struct {
		ID         string `db:"id"`
		Item       string `db:"item"`
		File       string `db:"file"`
		Title      string `db:"title"`
		Version    int    `db:"version"`
		Size       int64  `db:"size"`
		Mime       string `db:"mime"`
		State      string `db:"state"`
		AuthorName string `db:"author_name"`
		User       string `db:"uploader_user"`
		Staff      string `db:"uploader_staff"`
		Created    string `db:"created"`
		SHA256     string `db:"sha256"`
		Metadata   string `db:"metadata"`
		Superseded bool   `db:"superseded"`
		SentAt     string `db:"sent_at"`
	}
	where, params := "", dbx.Params{"id": l.ID}
	if l.clientSide() {
		where, params["scope"] = " AND scope = {:scope}", l.ClientScope
	}
	err := app.DB().NewQuery(`SELECT id, item, file, title, version, size, mime, state, author_name, uploader_user, uploader_staff, created, sha256, COALESCE(metadata, '{}') AS metadata, superseded, sent_at
		FROM documents WHERE request = {:id} AND item != ''` + where + ` ORDER BY created DESC, id`).Bind(params).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read documents of request %s: %w", l.ID, err)
	}
	byItem := map[string][]DocumentView{}
	for _, r := range rows {
		mine := r.User == l.who.Actor.ID || r.Staff == l.who.Actor.ID
		byItem[r.Item] = append(byItem[r.Item], DocumentView{
			ID: r.ID, Title: r.Title, Version: r.Version, Size: r.Size, Mime: r.Mime, State: r.State, AuthorName: r.AuthorName, ByClient: r.User != "",
			Created: r.Created, SHA256: r.SHA256, Metadata: object(r.Metadata), Current: !r.Superseded, Removable: mine && r.SentAt == "", URL: "/api/files/documents/" + r.ID + "/" + r.File,
		})
	}
	return byItem, nil
}
