package workflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Who of the client takes part in a request: everybody of the organization, or
// the people whom a restricted request names.
const (
	everybody  = "organization"
	restricted = "restricted"
)

// Sharing changes who takes part; nil leaves a member as it is.
type Sharing struct {
	Visibility       *string  `json:"visibility"`
	Participants     []string `json:"participants"`
	ExpectedRevision *int     `json:"expected_revision"`
}

// Share changes who of the client sees a request, at once. Staff who work
// requests may; an admin of the client who sees a restricted request may say who
// else of the own organization takes part, but not open it to everybody.
func (e *Engine) Share(_ context.Context, app core.App, id string, actor schema.Actor, in Sharing) error {
	actor.Chosen = "" // never lent
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		return e.share(tx, l, in)
	})
}

func (e *Engine) share(tx core.App, l *live, in Sharing) error {
	if err := e.fresh(tx, l, in.ExpectedRevision); err != nil {
		return err
	}
	if why := l.mayShare(); why != "" {
		return problem.New(problem.NotYours, why)
	}
	was, had := l.Visibility, schema.Strings(l.Participants)
	if in.Visibility != nil && *in.Visibility != was {
		if l.who.Side() == "client" {
			return problem.Field("visibility", problem.NotYours, "Only the firm opens a restricted request to everybody, or restricts one.")
		}
		l.Visibility = *in.Visibility
	}
	now := had
	if in.Participants != nil {
		now = in.Participants
	}
	if err := l.takePart(tx, now, had); err != nil {
		return err
	}
	if l.Visibility == was && slices.Equal(schema.Strings(l.Participants), had) {
		return nil
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	if err := schema.Update(tx, schema.Requests, l.ID, dbx.Params{"visibility": l.Visibility, "participants": l.Participants}); err != nil {
		return fmt.Errorf("store who sees request %s: %w", l.ID, err)
	}
	if err := e.narrow(tx, l); err != nil {
		return err
	}
	names := func(ids []string) string { return strings.Join(namesOf(tx, ids), ", ") }
	change := differences(map[string]any{"visibility": was, "participants": names(had)}, map[string]any{"visibility": l.Visibility, "participants": names(schema.Strings(l.Participants))})
	return e.tell(tx, l, "update", schema.Requests, l.ID, change, "request.changed", map[string]any{"fields": []string{"participants"}})
}

// mayShare says why the actor may not change who takes part; empty if he may.
func (l *live) mayShare() string {
	switch {
	case l.who.Superuser || l.who.System:
		return ""
	case l.who.Side() == "staff" && (l.who.Shown || len(l.who.Standing.Roles) == 0 && !access.MemberOf(l.who.Actor).AtLeast("operator")):
		return "Your role lets you look, not change."
	case l.who.Side() == "staff":
		return ""
	case l.Visibility != restricted:
		return "Everybody of " + l.OrgName + " sees this request."
	}
	return l.who.Standing.Own().Refuses(access.Share, "Only an admin who takes part can say who else does.")
}

// takePart sets the participants. Whoever is new must belong to the organization
// now; an id of somebody else is answered as one of nobody.
func (l *live) takePart(tx core.App, ids, had []string) error {
	if l.Visibility != everybody && l.Visibility != restricted {
		return problem.Field("visibility", problem.FieldInvalid, "The visibility is organization or restricted.")
	}
	clean := []string{}
	for _, id := range ids {
		if id != "" && !slices.Contains(clean, id) {
			clean = append(clean, id)
		}
	}
	const most = 200
	if len(clean) > most {
		return problem.Field("participants", problem.FieldInvalid, fmt.Sprintf("At most %d people take part.", most))
	}
	for _, id := range clean {
		if slices.Contains(had, id) {
			continue
		}
		var belongs int
		err := tx.DB().NewQuery(`SELECT COUNT(*) FROM access a JOIN users u ON u.id = a.principal WHERE a.principal = {:id} AND a.scope = {:organization} AND a.since <= {:now} AND a.until > {:now}`).
			Bind(dbx.Params{"id": id, "organization": l.Organization, "now": schema.Stamp(l.facts.Now)}).Row(&belongs)
		if err != nil {
			return fmt.Errorf("look for participant: %w", err)
		}
		if belongs == 0 {
			return problem.Field("participants", problem.BadInput, "Choose people of "+l.OrgName+".")
		}
		if excluded, err := l.excludes(tx, id); err != nil || excluded {
			return errors.Join(err, problem.Field("participants", problem.BadInput, "Somebody whom you chose is kept away from this request. Lift that first."))
		}
	}
	if l.Visibility == restricted && len(clean) == 0 {
		return problem.Field("participants", problem.FieldMissing, "Choose at least one person who sees this request.")
	}
	l.Participants = schema.JSON(clean)
	return nil
}

// firstPeople takes who takes part from the beginning.
func (l *live) firstPeople(tx core.App, in NewRequest) error {
	l.Visibility = firstOf(in.Visibility, everybody)
	if l.Visibility == everybody && len(in.Participants) > 0 {
		return problem.Field("participants", problem.BadInput, "Everybody of the client sees this request: only a restricted one names people.")
	}
	return l.takePart(tx, in.Participants, nil)
}

// restrict gives a new request its own scope if not everybody sees it.
func (e *Engine) restrict(tx core.App, l *live) error {
	if l.Visibility != restricted {
		return nil
	}
	return e.narrow(tx, l)
}

func (e *Engine) narrow(tx core.App, l *live) error {
	if err := access.Request(tx, l.ID, l.facts.Now); err != nil {
		return err
	}
	l.rescoped = true
	return l.readScopes(tx)
}

// seenBy says in words who of the client sees a restricted request.
func (l *live) seenBy() string {
	if l.Visibility != restricted {
		return ""
	}
	people := schema.Strings(l.Participants)
	if l.who.Side() != "client" {
		return "Only " + things(len(people), "person", "people") + " of the client can see this."
	}
	others := len(slices.DeleteFunc(people, func(id string) bool { return id == l.who.Actor.ID }))
	if others == 0 {
		return "Only you see this."
	}
	return "Only you and " + things(others, "other", "others") + " see this."
}

func namesOf(app core.App, ids []string) []string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		if user, err := app.FindRecordById(schema.Users, id); err == nil {
			names = append(names, user.GetString("name"))
		}
	}
	return names
}

// Sharer is somebody of the client who takes part in a request, or could.
type Sharer struct {
	ID        string `json:"id" db:"id"`
	Name      string `json:"name" db:"name"`
	TakesPart bool   `json:"takes_part" db:"takes_part"`
	You       bool   `json:"you" db:"-"`
}

// SharePage is who takes part in a request, and who could.
type SharePage struct {
	Visibility string   `json:"visibility"`
	CanShare   bool     `json:"can_share"`
	CanOpen    bool     `json:"can_open"` // may change the visibility itself
	Why        string   `json:"why"`
	SeenBy     string   `json:"seen_by"`
	Revision   int      `json:"revision"`
	People     []Sharer `json:"people"`

	CanExclude bool       `json:"can_exclude"`
	Excluded   []Excluded `json:"excluded"` // empty for whoever may not exclude
	Others     []Sharer   `json:"others"`   // whom the caller may exclude
}

// Who could take part: for staff everybody who sees the organization, for a
// client's admin the members of the organization itself, for all others nobody
// beside those who do.
const selectSharers = `SELECT u.id, u.name, u.id IN (SELECT value FROM json_each({:participants})) AS takes_part FROM users u
WHERE u.id IN (SELECT value FROM json_each({:participants}))
OR ({:all} AND u.id IN (SELECT a.principal FROM access a WHERE a.scope = {:organization} AND a.source IN ('membership','delegation') AND a.since <= {:now} AND a.until > {:now}))
OR ({:own} AND u.id IN (SELECT m.user FROM memberships m WHERE m.organization = {:organization} AND m.status = 'active'))
ORDER BY takes_part DESC, u.name COLLATE NOCASE, u.id LIMIT 300`

// Sharers shows who of the client takes part in a request.
func (e *Engine) Sharers(app core.App, id string, actor schema.Actor) (*SharePage, error) {
	l, err := e.load(app, id, actor)
	if err != nil {
		return nil, err
	}
	page := &SharePage{Visibility: l.Visibility, Why: l.mayShare(), SeenBy: l.seenBy(), Revision: l.revisionShown(), People: []Sharer{}, Excluded: []Excluded{}, Others: []Sharer{}}
	page.CanShare = page.Why == ""
	page.CanOpen = page.CanShare && l.who.Side() != "client"
	participants := l.Participants
	if l.Visibility != restricted {
		participants = "[]"
	}
	params := dbx.Params{
		"participants": participants, "organization": l.Organization, "now": schema.Stamp(e.Clock()),
		"all": l.who.Side() != "client", "own": page.CanShare,
	}
	if err := app.DB().NewQuery(selectSharers).Bind(params).All(&page.People); err != nil {
		return nil, fmt.Errorf("read people of request %s: %w", id, err)
	}
	for i := range page.People {
		page.People[i].You = page.People[i].ID == actor.ID
	}
	return page, e.exclusions(app, l, page)
}

// GetPeople shows who of the client takes part.
//
//	GET /api/portal/requests/{id}/people → 200 SharePage; 401; 404
func (e *Engine) GetPeople(re *core.RequestEvent) error {
	page, err := e.Sharers(re.App, re.Request.PathValue("id"), actor(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, page)
}

// PatchPeople changes who takes part.
//
//	PATCH /api/portal/requests/{id}/people {visibility?: organization | restricted, participants?: [user], expected_revision?} → 200 SharePage
//	400 not_yours, bad_input (not of this client), field_missing (nobody); 401; 404; 409
func (e *Engine) PatchPeople(re *core.RequestEvent) error {
	var in Sharing
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	id := re.Request.PathValue("id")
	if err := e.Share(re.Request.Context(), re.App, id, actor(re), in); err != nil {
		return problem.Reply(re, err)
	}
	page, err := e.Sharers(re.App, id, actor(re))
	if err != nil {
		// An admin who took the own name off the list does not see the request any more.
		return re.NoContent(http.StatusNoContent)
	}
	return re.JSON(http.StatusOK, page)
}
