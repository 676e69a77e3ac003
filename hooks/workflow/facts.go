package workflow

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// The statuses of an item.
const (
	Missing       = "missing"
	Provided      = "provided"
	Accepted      = "accepted"
	Rejected      = "rejected"
	MoreNeeded    = "more_needed"
	Waived        = "waived"
	NotApplicable = "not_applicable"
	Expired       = "expired"
)

// sentBack says whether the provider must act again.
func sentBack(status string) bool {
	return status == Rejected || status == MoreNeeded || status == Expired
}

// inList says whether a status is meant by a list of a definition, in which
// rejected includes more_needed and expired, waived includes not_applicable.
func inList(list []string, status string) bool {
	switch {
	case slices.Contains(list, status):
		return true
	case sentBack(status):
		return slices.Contains(list, Rejected)
	case status == NotApplicable:
		return slices.Contains(list, Waived)
	}
	return false
}

// Item is one item as deciding sees it.
type Item struct {
	ID            string
	Section       string
	Key           string
	Instance      string
	Position      int
	Kind          string
	Title         string
	Hint          string
	Options       ItemOptions
	Status        string
	EnteredStatus string // when the request entered its present state
	Required      bool
	Active        bool // false while its condition does not hold
	Reason        string
	Comment       string
	Shown         *ShownDecision // what the client sees while a decision is not out yet
	Due           string
	ProvidedBy    string
	ProvidedAt    string
	Reviewer      string
	ReviewerFor   string // who made the program that decided; else empty; not stored
	ReviewedAt    string
	Answers       map[string]any
	Tries         int
	Votes         map[string]Vote // by person, where several people decide
	Covers        string          // the month that its documents must cover; not stored
	Files         Files

	moved bool // it has another place than it is stored with
}

// ItemOptions are what staff chose when they added an item.
type ItemOptions struct {
	AnswerType string   `json:"answer_type,omitempty"`
	Choices    []string `json:"choices,omitempty"`
}

// ShownDecision is what a client sees of an item whose new decision is not out.
type ShownDecision struct {
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Comment string `json:"comment"`
	Tries   int    `json:"tries"`
	By      string `json:"by,omitempty"`
	At      string `json:"at,omitempty"`
}

// Files counts the documents of an item that have not been superseded. Fresh
// are those that came after the last review.
type Files struct {
	Ready    int
	Fresh    int
	Scanning int
	Staff    int // by staff, not published
	Shown    int // published at some time, current or superseded
	Metadata []map[string]any
	Newest   time.Time // when the last of them came
}

// Step is one transition of the past.
type Step struct {
	Key, From, To string
	Actor         string
	OnBehalfOf    string
	Revision      int
	At            time.Time
}

// JobState is the newest run of a job.
type JobState struct {
	ID        string
	Name      string
	System    string
	Status    string
	Revision  int // of the transition that started it
	LastError string
}

// Facts are everything that a decision about a request depends on.
type Facts struct {
	Now        time.Time
	ID         string
	Number     string
	Title      string
	Period     string
	State      string
	Entry      int
	StateSince time.Time
	Opened     time.Time
	Pauses     []Pause // oldest first
	Revision   int
	Priority   string
	Due        string
	DueSet     bool // a person chose it; else it follows from the state's time limit
	Data       map[string]any
	OrgID      string
	OrgCode    string
	OrgName    string
	OrgData    map[string]any
	Systems    map[string]bool // systems that the organization is linked to
	Known      map[string]bool // named facts
	Items      []*Item
	Steps      []Step // oldest first
	Jobs       map[string]JobState
	People     map[string]string // duty → person
	Members    map[string]int    // client role → how many active members or open invitations
	Gone       map[string]bool   // people with an open veto who may not see the request any more
	LegalHold  bool
	RemindAt   string // when the reminders are looked at next
}

// Who is the actor with what he is on this request.
type Who struct {
	Actor     schema.Actor
	Standing  access.Standing
	Superuser bool
	System    bool
	Shown     bool // sees only what the client's rows show
}

// Side is the side of the table: client, staff or system.
func (w Who) Side() string {
	if w.System {
		return "system"
	}
	return w.Actor.Side()
}

// as is the same person by the right that gives one of the names: the own one,
// or what somebody lent.
func (w Who) as(names []string) Who {
	w.Standing = w.Standing.As(names...)
	w.Actor = w.Actor.Lent(w.Standing.OnBehalfOf, w.Standing.GiverName)
	return w
}

// voice is whose vote counts: what somebody lent is not a second vote.
func (w Who) voice() string { return cmp.Or(w.Standing.OnBehalfOf, w.Actor.ID) }

// acts says whether the actor has one of the roles; a superuser passes.
func (w Who) acts(names []string) bool {
	return w.Superuser || w.Standing.Has(names...)
}

// applicable are the items that count.
func (f *Facts) applicable() []*Item {
	list := make([]*Item, 0, len(f.Items))
	for _, i := range f.Items {
		if i.Active {
			list = append(list, i)
		}
	}
	return list
}

// item finds an item by id; nil if there is none.
func (f *Facts) item(id string) *Item {
	for _, i := range f.Items {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// since are the steps since the request was last in its initial state.
func (f *Facts) since(initial string) []Step {
	for i := len(f.Steps) - 1; i >= 0; i-- {
		if f.Steps[i].To == initial {
			return f.Steps[i+1:]
		}
	}
	return f.Steps
}

// entered says whether the request is or was in a state.
func (f *Facts) entered(state string) bool {
	return f.State == state || slices.ContainsFunc(f.Steps, func(s Step) bool { return s.To == state || s.From == state })
}
