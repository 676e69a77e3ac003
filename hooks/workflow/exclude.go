package workflow

import (
	"context"
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

// Somebody of the client may be kept away from one request. It wins over every
// right that the person has there, and over what the person lends.

// Exclusion says whom to keep away, and why.
type Exclusion struct {
	User   string `json:"user"`
	Reason string `json:"reason"`
}

// Excluded is somebody who is kept away.
type Excluded struct {
	ID     string `json:"id" db:"id"`
	Name   string `json:"name" db:"name"`
	Reason string `json:"reason" db:"reason"`
	By     string `json:"by" db:"by_name"`
	At     string `json:"at" db:"created"`
}

const longestReason = 500

// mayExclude says why the actor may not keep somebody away; empty if he may.
func (l *live) mayExclude() string {
	if l.who.Side() != "client" {
		return l.mayShare()
	}
	return l.who.Standing.Own().Refuses(access.Share, "Only an admin can say who does not see this.")
}

// Exclude keeps somebody of the client away from a request, at once.
func (e *Engine) Exclude(_ context.Context, app core.App, id string, actor schema.Actor, in Exclusion) error {
	actor.Chosen = "" // never lent
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if why := l.mayExclude(); why != "" {
			return problem.New(problem.NotYours, why)
		}
		in.Reason = strings.TrimSpace(in.Reason)
		if in.Reason == "" || len(in.Reason) > longestReason {
			return problem.Field("reason", problem.ReasonRequired, "Say in a few words why.")
		}
		others, err := e.excludable(tx, l)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(others, func(x Sharer) bool { return x.ID == in.User })
		if at < 0 {
			return problem.Field("user", problem.BadInput, "Choose somebody of "+l.OrgName+" whom you look after.")
		}
		now := schema.Stamp(l.facts.Now)
		err = schema.Insert(tx, schema.Exclusions, dbx.Params{
			"id": schema.NewID(), "request": l.ID, "user": in.User, "reason": in.Reason, "by_kind": string(actor.Kind), "by": actor.ID, "by_name": actor.Name,
			"lifted": "", "lifted_by": "", "created": now, "updated": now,
		})
		if err != nil {
			return fmt.Errorf("exclude somebody from request %s: %w", l.ID, err)
		}
		return e.excluded(tx, l, in.User, map[string]any{"excluded": others[at].Name + ": " + in.Reason})
	})
}

// Readmit lifts it.
func (e *Engine) Readmit(_ context.Context, app core.App, id, user string, actor schema.Actor) error {
	actor.Chosen = "" // never lent
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if why := l.mayExclude(); why != "" {
			return problem.New(problem.NotYours, why)
		}
		result, err := tx.DB().NewQuery(`UPDATE exclusions SET lifted = {:now}, lifted_by = {:by}, updated = {:now} WHERE request = {:request} AND user = {:user} AND lifted = ''`).
			Bind(dbx.Params{"now": schema.Stamp(l.facts.Now), "by": string(actor.Kind) + ":" + actor.ID, "request": l.ID, "user": user}).Execute()
		if err != nil {
			return fmt.Errorf("lift an exclusion from request %s: %w", l.ID, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return problem.New(problem.NotFound, "This person is not kept away.").Because(err)
		}
		return e.excluded(tx, l, "", map[string]any{"readmitted": strings.Join(namesOf(tx, []string{user}), "")})
	})
}

// excluded stores what follows: whoever is kept away takes part no more, sight is
// derived anew, and it is on the trail. The client's history says nothing.
func (e *Engine) excluded(tx core.App, l *live, user string, change map[string]any) error {
	had := schema.Strings(l.Participants)
	if slices.Contains(had, user) {
		if err := l.takePart(tx, slices.DeleteFunc(slices.Clone(had), func(id string) bool { return id == user }), had); err != nil {
			return err
		}
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	if err := schema.Update(tx, schema.Requests, l.ID, dbx.Params{"participants": l.Participants}); err != nil {
		return fmt.Errorf("store who sees request %s: %w", l.ID, err)
	}
	if err := e.narrow(tx, l); err != nil {
		return err
	}
	return e.tell(tx, l, "update", schema.Requests, l.ID, change, "request.changed", map[string]any{"fields": []string{"exclusions"}})
}

// excludes says whether somebody is kept away.
func (l *live) excludes(tx core.App, user string) (excluded bool, err error) {
	err = tx.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM exclusions WHERE request = {:request} AND user = {:user} AND lifted = '')`).
		Bind(dbx.Params{"request": l.ID, "user": user}).Row(&excluded)
	if err != nil {
		return false, fmt.Errorf("look for exclusions: %w", err)
	}
	return excluded, nil
}

const (
	selectExcluded = `SELECT u.id, u.name, x.reason, x.by_name, x.created FROM exclusions x JOIN users u ON u.id = x.user
WHERE x.request = {:request} AND x.lifted = '' ORDER BY u.name COLLATE NOCASE, u.id`

	// Whoever has a right on the organization or was lent the request. An admin of
	// the client looks after the members at and below the own organization, never
	// after those above.
	selectExcludable = `SELECT u.id, u.name, 0 AS takes_part FROM users u
WHERE u.id != {:me} AND u.id IN (SELECT a.principal FROM access a WHERE a.scope IN ({:organization}, {:request}) AND a.source != 'staff' AND a.until > {:now})
AND NOT EXISTS (SELECT 1 FROM exclusions x WHERE x.request = {:request} AND x.user = u.id AND x.lifted = '')
AND ({:all} OR NOT EXISTS (
	SELECT 1 FROM organizations o JOIN memberships m ON m.user = u.id AND m.status = 'active' JOIN organizations at ON at.id = m.organization
	WHERE o.id = {:organization} AND o.path >= at.path AND o.path < at.path || '~' AND NOT EXISTS (
		SELECT 1 FROM memberships g JOIN organizations top ON top.id = g.organization
		WHERE g.user = {:me} AND g.role = 'admin' AND g.status = 'active' AND at.path >= top.path AND at.path < top.path || '~')))
ORDER BY u.name COLLATE NOCASE, u.id LIMIT 300`
)

// excludable are those whom the actor may keep away.
func (e *Engine) excludable(app core.App, l *live) ([]Sharer, error) {
	others := []Sharer{}
	err := app.DB().NewQuery(selectExcludable).Bind(dbx.Params{
		"me": l.who.Actor.ID, "organization": l.Organization, "request": l.ID, "now": schema.Stamp(e.Clock()), "all": l.who.Side() != "client",
	}).All(&others)
	if err != nil {
		return nil, fmt.Errorf("read whom to exclude from request %s: %w", l.ID, err)
	}
	return others, nil
}

// exclusions adds who is kept away to the page, for those who may know.
func (e *Engine) exclusions(app core.App, l *live, page *SharePage) (err error) {
	if page.CanExclude = l.mayExclude() == ""; !page.CanExclude {
		return nil
	}
	if err := app.DB().NewQuery(selectExcluded).Bind(dbx.Params{"request": l.ID}).All(&page.Excluded); err != nil {
		return fmt.Errorf("read exclusions of request %s: %w", l.ID, err)
	}
	page.Others, err = e.excludable(app, l)
	return err
}

// PostExclusion keeps somebody of the client away from a request.
//
//	POST /api/portal/requests/{id}/exclusions {user, reason} → 200 SharePage
//	400 not_yours, reason_required, bad_input (nobody whom one looks after), field_missing (the last participant); 401; 404
func (e *Engine) PostExclusion(re *core.RequestEvent) error {
	var in Exclusion
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	if err := e.Exclude(re.Request.Context(), re.App, re.Request.PathValue("id"), actor(re), in); err != nil {
		return problem.Reply(re, err)
	}
	return e.answerPeople(re)
}

// DeleteExclusion lifts it.
//
//	DELETE /api/portal/requests/{id}/exclusions/{user} → 200 SharePage; 400 not_yours; 401; 404 no such request, or not kept away
func (e *Engine) DeleteExclusion(re *core.RequestEvent) error {
	if err := e.Readmit(re.Request.Context(), re.App, re.Request.PathValue("id"), re.Request.PathValue("user"), actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	return e.answerPeople(re)
}

func (e *Engine) answerPeople(re *core.RequestEvent) error {
	page, err := e.Sharers(re.App, re.Request.PathValue("id"), actor(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, page)
}
