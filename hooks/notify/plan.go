package notify

import (
	"slices"
	"strings"
	"time"

	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

// Facts are everything that planning and writing look at.
type Facts struct {
	Event     event.Event
	Payload   Payload
	Request   Request
	Script    Script
	Clients   []Person          // members of the organization and those above it, live delegates
	Staff     []Person          // active members of staff
	Others    []Person          // named by the event, but neither of these any more
	Duty      map[string]string // duty → person who has it on this request
	Uploaders []string          // who uploaded to the items that were sent back
	Location  *time.Location    // the firm's time zone
	Now       time.Time
}

// Payload is what events of a request carry.
type Payload struct {
	From       string         `json:"from"`
	To         string         `json:"to"`
	Entry      int            `json:"entry"`
	Label      string         `json:"label"` // of the new state, for staff
	ToCategory string         `json:"to_category"`
	ToTurn     string         `json:"to_turn"`
	Submitter  string         `json:"submitter"`
	SentBack   []Thing        `json:"sent_back"`
	Missing    []Thing        `json:"missing"`
	Count      int            `json:"count"`
	Comment    string         `json:"comment"`
	Data       map[string]any `json:"data"`
	TippingOff bool           `json:"tipping_off"`
	Message    string         `json:"message"`
	Invitation string         `json:"invitation"`
	SentCount  int            `json:"sent_count"`
	Handled    bool           `json:"handled"` // a step of the workflow deals with the failed job
	Job        string         `json:"job"`
	ErrorClass string         `json:"error_class"`
	State      string         `json:"state"` // of a reminder
	Receivers  []Reminded     `json:"receivers"`
	Account    string         `json:"account"` // of sign-ins
	Collection string         `json:"collection"`
	Name       string         `json:"name"` // of a passkey
}

// Thing is an item that somebody is told about.
type Thing struct {
	Item       string `json:"item"`
	Key        string `json:"key"`
	Title      string `json:"title"`
	Reason     string `json:"reason"`
	ReasonText string `json:"reason_text"`
	Comment    string `json:"comment"`
}

// Request is what people are told about a request.
type Request struct {
	ID               string
	Number           string
	Title            string
	Organization     string
	OrganizationName string
	Period           string
	State            string
	Entry            int
	Assignee         string
	Scope            string // of staff
	ClientScope      string // empty if no client is shown it
	Due              time.Time
	PausedUntil      time.Time
	ClientTitle      string // as the client is shown it; empty if it is not
	ClientLabel      string
}

// titleFor is the title as the person's side is shown it.
func (r Request) titleFor(person Person) string {
	if person.client() && r.ClientTitle != "" {
		return r.ClientTitle
	}
	return r.Title
}

// Notice is one planned notification. Suppressed says why it is not sent; empty
// means that it is.
type Notice struct {
	Person     Person
	Channel    string // email in_app task
	Kind       string // of letter
	Rule       string // the rule's event and recipient
	Dedupe     string
	Why        string
	SendAt     time.Time
	Digest     bool
	Suppressed string
}

// The reasons why a notice is not sent.
const (
	noSight  = "May not see this request any more."
	noEmail  = "Has no e-mail address."
	toldOnce = "Was told already."
)

// staffOnly are facts that a client must not learn from an event: reviews are
// out when the request leaves the state they were made in, and notes never.
var staffOnly = []string{"item.accepted", "item.rejected", "item.waived", "internal_note.added"}

// The engine's own rules: messages go to the other side, whatever the workflow
// says, unless it says something itself.
var messageRule = Rule{Event: "message.posted", To: names{"other_side"}, Channel: names{"email"}, Timing: "now", Dedupe: "{message}", Why: "This message is for you."}

// Rules of the engine for what a workflow says nothing about: things that were
// added while the client has the turn, all in one mail; and a job that has
// failed for good without a step of the workflow for it.
var engineRules = []Rule{
	messageRule,
	{Event: "item.added", To: names{"owner"}, Channel: names{"email"}, Timing: "digest_hourly", Dedupe: "{request}/{event}/{entry}/{id}", Why: "More is needed for {request}."},
	{Event: "job.dead", To: names{"owner"}, Channel: names{"task", "email"}, Timing: "now", Dedupe: "{request}/{event}/{id}", Why: "A job in another system has failed and is not tried again: {job}."},
}

// applies says whether an engine's rule is meant for this event at all.
func (f Facts) applies(rule Rule) bool {
	switch rule.Event {
	case "item.added":
		return f.Script.state(f.Request.State).Turn == "client"
	case "job.dead":
		return !f.Payload.Handled
	}
	return true
}

// Plan says whom the event is told to, how, when and why, and who is passed over
// for which reason. It reads nothing but its arguments.
//
// Nobody hears of the own act, but for the receipt of one's submission. Clients
// hear nothing at all of states that are safe against tipping off, and no trace
// of that silence is kept where they could read it.
func Plan(f Facts) []Notice {
	p := &planner{Facts: f, planned: map[string]bool{}}
	if p.isReminder() {
		p.reminders()
		return p.list
	}
	p.rules()
	for _, rule := range engineRules {
		if rule.Event == f.Event.Type && len(p.list) == 0 && f.applies(rule) {
			p.add(rule)
		}
	}
	p.yourTurn()
	return p.list
}

type planner struct {
	Facts
	planned map[string]bool // person and channel
	list    []Notice
}

func (p *planner) rules() {
	for _, rule := range p.Script.Notifications {
		if rule.Event == p.Event.Type || (p.transition() && rule.Event == "request.entered."+p.Payload.To) {
			p.add(rule)
		}
	}
}

// concern says whether anybody could have to be told of the event.
func (f Facts) concern() bool {
	return f.transition() || f.isReminder() || slices.ContainsFunc(engineRules, func(r Rule) bool { return r.Event == f.Event.Type && f.applies(r) }) ||
		slices.ContainsFunc(f.Script.Notifications, func(r Rule) bool { return r.Event == f.Event.Type })
}

// transition says whether the event is a change of the request's state.
func (f Facts) transition() bool {
	return strings.HasPrefix(f.Event.Type, "request.") && f.Payload.To != ""
}

// yourTurn tells whoever gets the turn and is named by no rule of the event. If
// the one who acted is among those who have the turn now, it is in good hands.
func (p *planner) yourTurn() {
	if !p.transition() {
		return
	}
	from, to := p.Script.state(p.Payload.From), p.Script.state(p.Payload.To)
	if (to.Turn != "client" && to.Turn != "staff") || to.Category == "done" || (from.Turn == to.Turn && from.Owner == to.Owner) {
		return
	}
	people := p.owners(to)
	if slices.ContainsFunc(people, func(o Person) bool { return o.ID == p.Event.Actor.ID }) {
		return
	}
	rule := Rule{Event: p.Event.Type, Timing: "now", Dedupe: "{request}/{event}/{entry}", Why: "It is your turn on {request}."}
	for _, person := range people {
		if p.planned[person.ID] {
			continue
		}
		rule.Channel = names{"email"}
		if !person.client() {
			rule.Channel = names{"in_app", "email"}
		}
		p.tell(rule, "your_turn", person)
	}
}

func (p *planner) add(rule Rule) {
	for _, name := range rule.To {
		for _, person := range p.recipients(name) {
			p.tell(rule, name, person)
		}
	}
}

// tell plans one person's notices, one for each channel.
func (p *planner) tell(rule Rule, recipient string, person Person) {
	if person.client() && (p.silent() || slices.Contains(staffOnly, p.Event.Type)) {
		return
	}
	if person.ID == p.Event.Actor.ID && recipient != "submitter" {
		return
	}
	p.planned[person.ID] = true
	for _, channel := range rule.Channel {
		slot := person.ID + "/" + channel
		if recipient == "submitter" {
			slot += "/receipt"
		}
		if p.planned[slot] {
			continue
		}
		p.planned[slot] = true
		n := Notice{
			Person: person, Channel: channel, Kind: p.kind(recipient, person), Rule: rule.Event + " to " + recipient,
			Dedupe: p.dedupe(rule, slot), Why: p.sentence(rule.Why, person), SendAt: p.Now,
		}
		n.Suppressed = p.obstacle(n)
		if channel == "email" && n.Suppressed == "" {
			n.SendAt, n.Digest = p.sendAt(rule.Timing, person)
		}
		p.list = append(p.list, n)
	}
}

// silent says whether clients must not learn that anything happens.
func (p *planner) silent() bool {
	return p.Payload.TippingOff || p.Script.state(p.Payload.From).TippingOff || p.Script.state(p.Payload.To).TippingOff ||
		p.Script.state(p.Request.State).TippingOff
}

func (p *planner) obstacle(n Notice) string {
	switch {
	case !n.Person.Sees:
		return noSight
	case n.Channel == "email" && n.Person.Email == "":
		return noEmail
	case n.Person.client() && p.Request.PausedUntil.After(p.Now):
		return "The request is paused until " + day(p.Request.PausedUntil, zone(n.Person, p.Location), p.Now) + "."
	}
	return ""
}

// kind chooses the letter.
func (p *planner) kind(recipient string, person Person) string {
	to := p.Script.state(p.Payload.To)
	switch {
	case p.Event.Type == messageRule.Event:
		return "message"
	case recipient == "submitter":
		return "submitted"
	case p.Event.Type == "item.added" && person.client():
		return "your_turn"
	case !p.transition():
		return "notice"
	case !person.client():
		return "staff"
	case to.Turn == "client" && len(p.Payload.SentBack) > 0:
		return "another_look"
	case to.Turn == "client":
		return "your_turn"
	case to.Category == "done" && to.Outcome == "void":
		return "closed"
	case to.Category == "done":
		return "finished"
	}
	return "notice"
}

// sendAt is when a notice is due: at once, at the next full hour, or at nine in
// the morning where the person lives.
func (p *planner) sendAt(timing string, person Person) (time.Time, bool) {
	switch timing {
	case "digest_hourly":
		return p.Now.Truncate(time.Hour).Add(time.Hour), true
	case "digest_daily":
		local := p.Now.In(zone(person, p.Location))
		nine := time.Date(local.Year(), local.Month(), local.Day(), 9, 0, 0, 0, local.Location())
		if !nine.After(local) {
			nine = time.Date(local.Year(), local.Month(), local.Day()+1, 9, 0, 0, 0, local.Location())
		}
		return nine.UTC(), true
	}
	return p.Now, false
}

// zone is the person's time zone, else the firm's.
func zone(person Person, firm *time.Location) *time.Location {
	if person.Timezone != "" {
		if location, err := time.LoadLocation(person.Timezone); err == nil {
			return location
		}
	}
	if firm == nil {
		return time.UTC
	}
	return firm
}

// side says in which collection a person's notices are.
func side(p Person) string {
	if p.Kind == schema.ActorStaff {
		return "staff"
	}
	return "user"
}
