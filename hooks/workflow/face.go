package workflow

import (
	"maps"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// The client's face of a request: what client_requests and client_items show.
// It is a pure function of the truth and the definition; a test rebuilds every
// row and compares.

// Shown is what the client has been shown so far. It is part of the truth
// (requests.face), so that states which the client must not learn of leave no
// trace in the client's rows, not even in their times.
type Shown struct {
	State    string  `json:"state"`
	Since    string  `json:"since"`
	Due      string  `json:"due"`
	Contact  Contact `json:"contact"`
	Revision int     `json:"revision"`
	Paused   string  `json:"paused,omitempty"` // until when it is on hold
}

// ClientFace is the client's row of a request.
type ClientFace struct {
	Title, State, Label, Category, Turn, Outcome, Due, Since string
	Data                                                     map[string]any
	Progress                                                 Progress
	Paused                                                   string
	Contact                                                  Contact
	Items                                                    []ClientItem
}

// Contact is the person of the firm whom the client may ask.
type Contact struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ClientItem is the client's row of an item.
type ClientItem struct {
	ID, Section, Key, Instance, Title, Hint, Kind string
	Position                                      int
	Status, Label                                 string
	Required, Editable                            bool
	Why, Reason, Comment, Due                     string
	Options                                       ItemOptions
	Answers                                       map[string]any
}

// Progress counts applicable items that the client gives.
type Progress struct {
	Total    int `json:"total"`
	Ready    int `json:"ready"`
	Left     int `json:"left"` // required and not ready
	SentBack int `json:"sent_back"`
	Checked  int `json:"checked"`
	ToCheck  int `json:"to_check"`

	// Where the client looks at what the firm made: how many things, and how many
	// are not decided.
	Decide   int `json:"decide,omitempty"`
	ToDecide int `json:"to_decide,omitempty"`
}

// quiet says whether going from one state to another must leave no trace for the
// client: into a tipping-off safe state, and back to the state that the client
// has been shown all along.
func (c *Compiled) quiet(from, to string, shown Shown) bool {
	a, b := c.states[from], c.states[to]
	if b != nil && b.TippingOffSafe {
		return true
	}
	return from != to && a != nil && a.TippingOffSafe && to == shown.State
}

// advance says what the client has been shown once the request, which was in
// state from, is as the facts say. Since moves only when the shown state does.
func (c *Compiled) advance(f *Facts, from string, before Shown, contact Contact) Shown {
	s := c.states[f.State]
	if s == nil || c.quiet(from, f.State, before) {
		return before
	}
	after := before
	after.State, after.Contact, after.Due, after.Paused = "", contact, "", ""
	if p, held := f.paused(f.Now); held {
		after.Paused = schema.Stamp(p.end())
	}
	if s.Visible() {
		after.State = s.Key
	}
	if after.State != before.State {
		after.Since = schema.Stamp(f.Now)
	}
	if s.Category != "done" && (s.Turn == "client" || f.DueSet) {
		after.Due = f.Due
	}
	return after
}

// Face makes the client's rows; nil when the client is shown nothing.
func (c *Compiled) Face(f *Facts, shown Shown) *ClientFace {
	s := c.states[shown.State]
	if s == nil {
		return nil
	}
	as := *f
	as.State = shown.State // rights and locks as of the state that is shown
	face := &ClientFace{
		State: s.Key, Label: clientLabel(s).String(), Category: s.Category, Turn: s.Turn, Outcome: s.Outcome, Due: shown.Due, Since: shown.Since,
		Title: f.Title, Data: c.clientData(f), Contact: shown.Contact, Paused: shown.Paused,
	}
	for _, i := range f.applicable() {
		section := c.sections[i.Section]
		if section == nil || !c.clientSees(&as, section, i) {
			continue
		}
		face.Items = append(face.Items, c.clientItem(&as, section, s, i))
		if section.provider() == "client" {
			count(&face.Progress, shownOf(i).Status, i.Required)
		}
		c.countDecision(&face.Progress, s, i, shownOf(i).Status)
	}
	return face
}

// countDecision counts an item that the client decides on in the state.
func (c *Compiled) countDecision(p *Progress, state *State, i *Item, status string) {
	if !slices.Contains(state.Can.Review, i.Section) || status == Missing || !slices.ContainsFunc(c.reviewers(c.sections[i.Section], c.Spec(i.Section, i.Key)), c.IsClientRole) {
		return
	}
	p.Decide++
	if status == Provided {
		p.ToDecide++
	}
}

// clientSees: an item that waits for a later state is shown then; what staff
// provide is shown once something of it was handed over.
func (c *Compiled) clientSees(f *Facts, s *Section, i *Item) bool {
	if spec := c.Spec(i.Section, i.Key); spec != nil && spec.LockedUntilState != "" && !f.entered(spec.LockedUntilState) {
		return false
	}
	if s.provider() == "client" {
		return true
	}
	return i.Files.Shown > 0
}

func (c *Compiled) clientItem(f *Facts, section *Section, state *State, i *Item) ClientItem {
	d := shownOf(i)
	as := *i
	as.Status = d.Status
	editable, why := false, ""
	if section.provider() == "client" {
		editable, why = c.open(f, &as)
	}
	if _, warning := c.complete(&as, f.Now); warning != "" && editable {
		why = warning
	}
	if stale := i.staleWhy(); stale != "" {
		why = stale
	}
	return ClientItem{
		ID: i.ID, Section: i.Section, Key: i.Key, Instance: i.Instance, Title: i.Title, Hint: i.Hint, Kind: i.Kind, Position: i.Position,
		Status: d.Status, Label: itemLabel(&as, state), Required: i.Required, Editable: editable, Why: why,
		Reason: d.Reason, Comment: d.Comment, Due: i.Due, Options: i.Options, Answers: publicAnswers(i),
	}
}

// shownOf is the decision that the client may know.
func shownOf(i *Item) ShownDecision {
	if i.Shown != nil {
		return *i.Shown
	}
	return ShownDecision{Status: i.Status, Reason: i.Reason, Comment: i.Comment, Tries: i.Tries, By: i.Reviewer, At: i.ReviewedAt}
}

// staleWhy says that an acknowledgement is older than what it follows from.
func (i *Item) staleWhy() string {
	title, _ := i.Answers[staleMark].(string)
	if title == "" {
		return ""
	}
	return "This was accepted before " + title + " was opened again."
}

// itemLabel are the words on an item's tag (UX: item tags).
func itemLabel(i *Item, state *State) string {
	switch i.Status {
	case Accepted:
		return "Accepted"
	case Rejected, MoreNeeded:
		return "Sent back"
	case Expired:
		return "Expired"
	case Waived, NotApplicable:
		return "Not needed"
	case Provided:
		if state.Turn == "client" && i.EnteredStatus != Provided {
			return "Saved, not sent"
		}
		return "With us"
	}
	if i.begun() {
		return "Half done"
	}
	return "To do"
}

// publicAnswers are an item's answers for readers: what the portal itself keeps
// beside them stays away, and the answer of a question stands under "text",
// whichever of its names it was saved under.
func publicAnswers(i *Item) map[string]any {
	public := maps.Clone(i.Answers)
	maps.DeleteFunc(public, func(key string, _ any) bool { return key != "" && key[0] == '_' })
	if _, there := public["text"]; i.Kind != "answer" || there {
		return public
	}
	for _, name := range answerNames {
		if value, ok := public[name]; ok {
			public["text"] = value
			break
		}
	}
	return public
}

func (c *Compiled) clientData(f *Facts) map[string]any {
	data := map[string]any{}
	for i := range c.Fields {
		field := &c.Fields[i]
		if value, ok := f.Data[field.Key]; ok && !field.Staff() && value != nil {
			data[field.Key] = value
		}
	}
	return data
}

func clientLabel(s *State) Label {
	if s.ClientLabel != nil && !s.ClientLabel.IsZero() {
		return *s.ClientLabel
	}
	return s.Label
}

func count(p *Progress, status string, required bool) {
	p.Total++
	switch {
	case status == Accepted || status == Waived || status == NotApplicable:
		p.Ready++
		p.Checked++
	case status == Provided:
		p.Ready++
		p.ToCheck++
	case sentBack(status):
		p.SentBack++
		if required {
			p.Left++
		}
	case required:
		p.Left++
	}
}

// progress counts the truth, for staff.
func (c *Compiled) progress(f *Facts) Progress {
	var p Progress
	state := c.states[f.State]
	for _, i := range f.applicable() {
		if state != nil && c.sections[i.Section] != nil {
			c.countDecision(&p, state, i, i.Status)
		}
		if s := c.sections[i.Section]; s != nil && s.provider() == "client" {
			if spec := c.Spec(i.Section, i.Key); spec != nil && spec.LockedUntilState != "" && !f.entered(spec.LockedUntilState) {
				continue
			}
			count(&p, i.Status, i.Required)
		}
	}
	return p
}

// equalFaces compares what the client would see, times aside.
func equalFaces(a, b *ClientFace) bool {
	return schema.JSON(a) == schema.JSON(b)
}

// changedItems are the client items that differ between two faces, and the ids
// of those that went away; moved says whether one has another place.
func changedItems(before, after *ClientFace) (changed []ClientItem, gone []string, moved bool) {
	old := map[string]ClientItem{}
	if before != nil {
		for _, i := range before.Items {
			old[i.ID] = i
		}
	}
	for _, i := range after.Items {
		was, ok := old[i.ID]
		if !ok || schema.JSON(was) != schema.JSON(i) {
			changed = append(changed, i)
			moved = moved || (ok && was.Position != i.Position)
		}
		delete(old, i.ID)
	}
	return changed, slices.Sorted(maps.Keys(old)), moved
}

// Rebuild works the client's face out of the truth, without writing it; nil if
// the client is shown nothing. Comparing it with the rows proves them.
func (e *Engine) Rebuild(app core.App, id string) (*ClientFace, error) {
	l, err := e.load(app, id, schema.System())
	if err != nil {
		return nil, err
	}
	return l.before, nil
}
