package notify

import (
	"slices"
	"time"

	"gatehouse/hooks/schema"
)

// Person is somebody who may be told something.
type Person struct {
	Kind     schema.ActorKind // user or staff
	ID       string
	Name     string
	Email    string
	Timezone string
	Role     string // users: admin member viewer delegate; staff: viewer operator manager owner
	Duties   []string
	Sees     bool      // may see the request at this moment
	Mailed   time.Time // last mail of reminders, where one asks for it
}

func (p Person) client() bool { return p.Kind == schema.ActorUser }

func (p Person) has(duty string) bool { return slices.Contains(p.Duties, duty) }

// recipients finds the people that a rule names. Those named by a role or a
// duty are the ones who may see the request; somebody named in person (the
// submitter, an uploader, the one who has the duty here) is given even without
// sight, so that the plan can say why nothing was sent.
func (f Facts) recipients(name string) []Person {
	switch name {
	case "client_admin":
		return f.clients(func(p Person) bool { return p.Role == "admin" })
	case "client_member":
		return f.clients(func(p Person) bool { return p.Role == "admin" || p.Role == "member" })
	case "client_viewer":
		return f.clients(func(p Person) bool { return p.Role != "delegate" })
	case "client_delegate":
		return f.clients(func(p Person) bool { return p.Role == "delegate" })
	case "submitter":
		return f.named(f.Payload.Submitter)
	case "last_uploader":
		return f.named(f.Uploaders...)
	case "admin":
		return f.staff(func(p Person) bool { return p.Role == "owner" })
	case "owner":
		return f.owners(f.Script.state(f.stateNow()))
	case "other_side":
		return f.otherSide()
	}
	if slices.Contains(f.Script.Roles.Client, name) {
		return f.clients(func(p Person) bool { return p.has(name) })
	}
	return f.duty(name)
}

// duty finds who has a duty of staff on this request, else everybody who has it
// and may see the request.
func (f Facts) duty(name string) []Person {
	chosen := f.named(f.Duty[name])
	if len(chosen) == 1 && chosen[0].Sees {
		return chosen
	}
	return append(chosen, f.staff(func(p Person) bool { return p.has(name) })...)
}

// owners are the people whom a state waits for. A staff state that would wait
// for nobody waits for the assignee, else for the firm's owners: somebody is
// told.
func (f Facts) owners(state State) []Person {
	if state.Turn == "client" {
		if state.Owner != "" && slices.Contains(f.Script.Roles.Client, state.Owner) {
			return f.recipients(state.Owner)
		}
		return f.recipients("client_member")
	}
	var people []Person
	if state.Owner != "" && state.Owner != "owner" {
		people = f.recipients(state.Owner)
	}
	if len(people) == 0 {
		people = f.named(f.Request.Assignee)
	}
	if len(people) == 0 {
		people = f.recipients("admin")
	}
	return people
}

// otherSide is whom a message is for: the client's people when staff wrote; the
// assignee, else who has the workflow's first duty here, when a client wrote.
func (f Facts) otherSide() []Person {
	if f.Event.Actor.Kind != schema.ActorUser {
		return f.recipients("client_member")
	}
	if assignee := f.named(f.Request.Assignee); len(assignee) == 1 && assignee[0].Sees {
		return assignee
	}
	return f.staffDuties()
}

// staffDuties are who has a duty on this request, else all who have the first
// duty that anybody has; the firm's owners if nobody has any.
func (f Facts) staffDuties() []Person {
	for _, duty := range f.Script.Roles.Staff {
		if people := f.named(f.Duty[duty]); len(people) == 1 && people[0].Sees {
			return people
		}
	}
	for _, duty := range f.Script.Roles.Staff {
		if people := f.duty(duty); len(people) > 0 {
			return people
		}
	}
	return f.recipients("admin")
}

// stateNow is the state that the event led to, else the request's.
func (f Facts) stateNow() string {
	if f.Payload.To != "" {
		return f.Payload.To
	}
	return f.Request.State
}

func (f Facts) clients(is func(Person) bool) []Person {
	return filter(f.Clients, func(p Person) bool { return p.Sees && is(p) })
}

func (f Facts) staff(is func(Person) bool) []Person {
	return filter(f.Staff, func(p Person) bool { return p.Sees && is(p) })
}

// named finds people by id among all who are known here.
func (f Facts) named(ids ...string) []Person {
	var found []Person
	for _, id := range ids {
		if id == "" {
			continue
		}
		for _, list := range [][]Person{f.Clients, f.Staff, f.Others} {
			if i := slices.IndexFunc(list, func(p Person) bool { return p.ID == id }); i >= 0 {
				found = append(found, list[i])
				break
			}
		}
	}
	return found
}

func filter(people []Person, is func(Person) bool) []Person {
	var found []Person
	for _, p := range people {
		if is(p) {
			found = append(found, p)
		}
	}
	return found
}
