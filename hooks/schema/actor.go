package schema

import (
	"context"

	"github.com/pocketbase/pocketbase/core"
)

// ActorKind says what sort of somebody acts.
type ActorKind string

// The kinds of actor.
const (
	ActorUser       ActorKind = "user"
	ActorStaff      ActorKind = "staff"
	ActorSuperuser  ActorKind = "superuser"
	ActorSystem     ActorKind = "system"
	ActorConnection ActorKind = "connection"
	ActorGuest      ActorKind = "guest"
)

// Actor is who makes a change. It carries identity only; what an actor may do
// on a request is worked out by package access and by the workflow.
type Actor struct {
	Kind       ActorKind
	ID         string
	Name       string
	OnBehalfOf string // id of the member who delegated, or who made the program; else empty
	For        string // the name of that member
	Chosen     string // for whom a client's person says to act: the giver, the own id for oneself, empty for whatever fits; not judged yet
	IP         string
	Locale     string // the person's own, empty for the firm's
	UserAgent  string // as the browser names itself; kept with acknowledgements that ask for it

	// Of staff, as the signed-in record said it: PocketBase reads that record
	// anew for every request.
	Role   string
	Duties []string
	Active bool
}

// Lent is the same person acting for a giver; nobody's id changes nothing.
func (a Actor) Lent(giver, name string) Actor {
	a.OnBehalfOf, a.For = giver, name
	return a
}

// By is the name under which the actor's deeds are told: "Sam for Ada" when the
// right to them was lent.
func (a Actor) By() string {
	if a.For == "" {
		return a.Name
	}
	return a.Name + " for " + a.For
}

// System is the portal itself.
func System() Actor { return Actor{Kind: ActorSystem, Name: "Gatehouse"} }

// Side is the side of the table that an actor sits on.
func (a Actor) Side() string {
	if a.Kind == ActorUser {
		return "client"
	}
	return "staff"
}

// Columns are the ids for a pair of columns, one for users and one for staff;
// both are empty for anybody else.
func (a Actor) Columns() (user, staff string) {
	if a.Kind == ActorUser {
		return a.ID, ""
	}
	if a.Kind == ActorStaff {
		return "", a.ID
	}
	return "", ""
}

// ActorOf reads the actor from a signed-in record; nil is a guest.
func ActorOf(auth *core.Record, ip string) Actor {
	if auth == nil {
		return Actor{Kind: ActorGuest, IP: ip}
	}
	a := Actor{ID: auth.Id, Name: auth.GetString("name"), IP: ip, Locale: auth.GetString("locale")}
	switch auth.Collection().Name {
	case Staff:
		a.Kind, a.Role, a.Duties, a.Active = ActorStaff, auth.GetString("role"), Strings(auth.GetString("duties")), auth.GetBool("active")
		a.OnBehalfOf = auth.GetString("maker") // of a program, whose name says for whom it acts
	case core.CollectionNameSuperusers:
		a.Kind, a.Name = ActorSuperuser, auth.Email()
	default:
		a.Kind = ActorUser
	}
	return a
}

// HeaderFor names, in a request, the person for whom somebody of a client acts.
const HeaderFor = "Gatehouse-On-Behalf-Of"

// ActorIn reads the actor of a request, and for whom a client's person acts.
func ActorIn(e *core.RequestEvent) Actor {
	a := ActorOf(e.Auth, e.RealIP())
	if a.Kind == ActorUser {
		a.Chosen = e.Request.Header.Get(HeaderFor)
	}
	return a
}

// actorKey carries the actor from a request hook to the model hooks, which
// PocketBase does not tell who is signed in.
const actorKey = "@actor"

// SetActor puts the actor on a record for the hooks that follow.
func SetActor(record *core.Record, actor Actor) { record.SetRaw(actorKey, actor) }

// ActorOn reads the actor that SetActor put there; the system if nobody did.
func ActorOn(ctx context.Context, record *core.Record) Actor {
	if a, ok := record.GetRaw(actorKey).(Actor); ok {
		return a
	}
	if ctx != nil {
		if a, ok := ctx.Value(actorContextKey{}).(Actor); ok {
			return a
		}
	}
	return System()
}

type actorContextKey struct{}

// WithActor carries the actor in a context, for SaveWithContext.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorContextKey{}, actor)
}
