package workflow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Reminders and escalations: who is due to be reminded of what, as of now. What
// is due is worked out from the facts each time and never stored ahead: a date
// that has moved, or somebody's answer a second before nine, needs no care.

// Receiver is a person whom a reminder may reach.
type Receiver struct {
	ID       string
	Kind     string // user or staff
	Name     string
	Timezone string
	Sees     bool      // may see the request at this moment
	Mailed   time.Time // last mail of reminders about any request; zero if not of late
}

func (p Receiver) client() bool { return p.Kind == "user" }

// Crowd finds the people that a name of a definition stands for.
type Crowd func(name string) []Receiver

// The fates of an occurrence.
const (
	Fired     = "fired"
	Skipped   = "skipped"
	Collapsed = "collapsed"
)

// Told is one occurrence of a reminder for one person, and what became of it.
type Told struct {
	Reminder   string
	Kind       string // reminder, or escalation to staff
	Entry      int
	Occurrence string
	Person     string
	Role       string // the name by which the person was found
	Client     bool
	Status     string
	Why        string
	At         time.Time // when it was due
	Created    time.Time // when it was decided on
}

// Remind says what is due as of facts.Now, given what became of earlier
// occurrences, and when to look again (the zero time: not before something
// changes). It reads nothing but its arguments.
//
// Of several that were missed, the last stands for all. Every one that is not
// sent says why.
func (c *Compiled) Remind(f *Facts, crowd Crowd, told []Told) (due []Told, next time.Time) {
	if _, held := f.paused(f.Now); held {
		return nil, time.Time{}
	}
	k := reminding{Compiled: c, f: f, told: told}
	for _, r := range c.remindersOf(f.State) {
		people := c.people(f, r, crowd)
		if len(people) == 0 {
			people = []receiver{{}}
		}
		for _, p := range people {
			k.person(r, p)
		}
	}
	return k.due, k.next
}

type reminding struct {
	*Compiled
	f    *Facts
	told []Told
	due  []Told
	next time.Time
}

// receiver is a person with the name by which he was found; nobody if empty.
type receiver struct {
	Receiver
	role string
}

// people are the receivers of a reminder, each once.
func (c *Compiled) people(f *Facts, r *Reminder, crowd Crowd) []receiver {
	var list []receiver
	add := func(role string, people []Receiver) {
		for _, p := range people {
			if !slices.ContainsFunc(list, func(known receiver) bool { return known.ID == p.ID }) {
				list = append(list, receiver{p, role})
			}
		}
	}
	for _, name := range r.To {
		if name != "approvers_who_have_not_decided" {
			add(name, crowd(name))
			continue
		}
		for _, role := range c.approvers(f) {
			add(role, slices.DeleteFunc(crowd(role), func(p Receiver) bool { return c.decided(f, p.ID) }))
		}
	}
	return list
}

// approvers are the roles whose decisions are open in the present state.
func (c *Compiled) approvers(f *Facts) []string {
	var roles []string
	for _, i := range c.underReview(f) {
		for _, role := range c.reviewers(c.sections[i.Section], c.Spec(i.Section, i.Key)) {
			if !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

// underReview are the items that the state lets somebody decide on and that are
// not decided.
func (c *Compiled) underReview(f *Facts) []*Item {
	state := c.states[f.State]
	return slices.DeleteFunc(f.applicable(), func(i *Item) bool {
		return state == nil || c.sections[i.Section] == nil || !slices.Contains(state.Can.Review, i.Section) || i.Status != Provided
	})
}

// decided says whether a person has decided on everything that is open. Where
// several people decide, it is the own vote that counts, whoever came last; a veto
// against an earlier version asks for a new one.
func (c *Compiled) decided(f *Facts, person string) bool {
	return !slices.ContainsFunc(c.underReview(f), func(i *Item) bool {
		if c.Spec(i.Section, i.Key).ByVotes() {
			vote, voted := i.Votes[person]
			return !voted || vote.Old
		}
		return i.Reviewer != person
	})
}

// person works out what of a reminder is due for one person.
func (k *reminding) person(r *Reminder, p receiver) {
	var due []Told
	latest := time.Duration(0)
	for _, o := range k.occurrences(k.f, r) {
		at := k.at(o, p.Receiver)
		if at.Before(k.f.StateSince) || k.handled(r, o, p, at) {
			continue
		}
		if at.After(k.f.Now) {
			k.look(at)
			continue
		}
		if o.moment.IsZero() {
			latest = nine
		}
		due = append(due, Told{Reminder: r.Key, Kind: kindFor(p), Entry: k.f.Entry, Occurrence: o.key, Person: p.ID, Role: p.role, Client: p.client(), At: at, Created: k.f.Now})
	}
	if len(due) == 0 {
		return
	}
	// What was missed is made good at an hour at which one may write.
	if at := k.polite(k.f.Now, p.Receiver, latest); at.After(k.f.Now) {
		k.look(at)
		return
	}
	// One mail of reminders on a person's day, whatever the request.
	if zone := k.zoneOf(p.Receiver); r.Combine != "" && r.byMail() && sameDay(p.Mailed.In(zone), k.f.Now.In(zone)) {
		y, m, d := k.f.Now.In(zone).Date()
		k.look(k.polite(time.Date(y, m, d+1, 0, 0, 0, 0, zone), p.Receiver, nine))
		return
	}
	slices.SortStableFunc(due, func(a, b Told) int { return a.At.Compare(b.At) })
	for n := range due {
		d := &due[n]
		d.Status, d.Why = k.fate(r, p, d.At)
		if d.Status == Fired && n < len(due)-1 {
			d.Status, d.Why = Collapsed, "A later one of the same reminder stands for it."
		}
	}
	k.due = append(k.due, due...)
}

// byMail says whether a reminder goes out as an e-mail.
func (r *Reminder) byMail() bool { return len(r.Channel) == 0 || slices.Contains(r.Channel, "email") }

func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

func (k *reminding) look(at time.Time) {
	if k.next.IsZero() || at.Before(k.next) {
		k.next = at
	}
}

// handled says whether an occurrence was decided on for the person, or for
// others at a time when it was due for the person, who was not among them.
func (k *reminding) handled(r *Reminder, o occurrence, p receiver, at time.Time) bool {
	return slices.ContainsFunc(k.told, func(t Told) bool {
		return t.Reminder == r.Key && t.Entry == k.f.Entry && t.Occurrence == o.key && (t.Person == p.ID || !t.Created.Before(at))
	})
}

// fate says whether a reminder that is due is sent, and why or why not.
func (k *reminding) fate(r *Reminder, p receiver, at time.Time) (status, why string) {
	if p.ID == "" {
		return Skipped, "Nobody is there to be told: " + namesWords(r.To) + "."
	}
	if why := k.obstacle(r, p, at); why != "" {
		return Skipped, why
	}
	sent := 0
	for _, t := range k.told {
		if t.Reminder == r.Key && t.Entry == k.f.Entry && t.Person == p.ID && t.Status == Fired && stateOf(t.Occurrence) == k.f.State {
			sent++
		}
	}
	if r.Max > 0 && sent >= r.Max {
		return Skipped, fmt.Sprintf("Was told %s already, and that is the most.", things(sent, "time", "times"))
	}
	return Fired, "It was due."
}

func (k *reminding) obstacle(r *Reminder, p receiver, at time.Time) string {
	state := k.State(k.f.State)
	switch {
	case !p.Sees:
		return "May not see this request."
	case p.client() && state != nil && (state.TippingOffSafe || !state.Visible()):
		return "Clients are not told of this state."
	}
	if _, held := k.f.paused(at); held {
		return "The request was on hold."
	}
	for _, stop := range r.StopWhen {
		if why := k.stoppedBy(k.f, stop, p.ID); why != "" {
			return why
		}
	}
	return ""
}

// stoppedBy says in words that a reason to stop is there as of now; empty if not.
// Leaving the state and a hold stop every reminder, also without being named.
func (c *Compiled) stoppedBy(f *Facts, stop, person string) string {
	switch stop {
	case "all_required_provided":
		if c.progress(f).Left == 0 {
			return "Everything that is required was provided."
		}
	case "all_answered":
		if len(c.openFor(f, func(*Item) bool { return true })) == 0 {
			return "Everything was answered."
		}
	case "no_rejected_items":
		if len(c.openFor(f, func(i *Item) bool { return sentBack(i.Status) })) == 0 {
			return "Nothing is sent back any more."
		}
	case "person_decided":
		if c.decided(f, person) {
			return "Has decided on everything."
		}
	}
	return ""
}

// openFor are the items that the client has to give in the present state, and
// has not.
func (c *Compiled) openFor(f *Facts, is func(*Item) bool) []*Item {
	return slices.DeleteFunc(f.applicable(), func(i *Item) bool {
		s := c.sections[i.Section]
		if s == nil || s.provider() != "client" || (i.Status != Missing && !sentBack(i.Status)) || !i.Required || !is(i) {
			return true
		}
		open, _ := c.open(f, i)
		return !open
	})
}

// stateOf is the state that an occurrence belongs to.
func stateOf(occurrence string) string {
	state, _, _ := strings.Cut(occurrence, "/")
	return state
}

// namesWords names what a definition lists, in words: "client admin, partner".
func namesWords(names []string) string {
	words := make([]string, len(names))
	for n, name := range names {
		words[n] = nameWords(name)
	}
	return strings.Join(words, ", ")
}

// lookAgain is when a request's reminders are looked at next. What is close is
// looked at when it is due; what is further off each hour of its last day, since
// people, their zones and the calendar may change.
func lookAgain(next, now time.Time) time.Time {
	const often, spread = time.Hour, 26 * time.Hour
	if next.IsZero() || !next.After(now.Add(often)) {
		return next
	}
	return later(next.Add(-spread), now.Add(often))
}

var nameOf = map[string]string{"client_admin": "the client's admins", "client_member": "the client's people", "last_uploader": "who sent it", "owner": "whose turn it is", "admin": "the firm's owners", "approvers_who_have_not_decided": "who has not decided yet"}

func nameWords(name string) string {
	return cmp.Or(nameOf[name], "the "+strings.ToLower(human(name)))
}
