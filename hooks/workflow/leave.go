package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// The parts that somebody has in open requests at a path and below: duties, and
// taking part where it is restricted.
const selectParts = `SELECT r.id, r.number, r.title, r.organization, r.scope, COALESCE(r.participants, '[]') AS participants, COALESCE(p.id, '') AS duty_row, COALESCE(p.duty, '') AS duty,
COALESCE((SELECT c.scope FROM client_requests c WHERE c.id = r.id), '') AS client_scope,
EXISTS (SELECT 1 FROM exclusions x WHERE x.request = r.id AND x.user = {:heir} AND x.lifted = '') AS heir_excluded
FROM requests r JOIN organizations o ON o.id = r.organization LEFT JOIN request_people p ON p.request = r.id AND p.person = {:who}
WHERE o.path >= {:path} AND o.path < {:path} || '~' AND r.category != 'done'
AND (p.id IS NOT NULL OR (r.visibility = 'restricted' AND EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(r.participants) THEN r.participants ELSE '[]' END) x WHERE x.value = {:who})))
ORDER BY r.number, p.duty`

type part struct {
	ID           string `db:"id"`
	Number       string `db:"number"`
	Title        string `db:"title"`
	Organization string `db:"organization"`
	Scope        string `db:"scope"`
	Participants string `db:"participants"`
	DutyRow      string `db:"duty_row"`
	Duty         string `db:"duty"`
	ClientScope  string `db:"client_scope"`
	HeirExcluded bool   `db:"heir_excluded"`
}

// known says whether the actor may know of the request, and so say who takes a
// part in it over.
func (p part) known(tx core.App, actor schema.Actor, leaver string, now time.Time) (bool, error) {
	switch {
	case actor.Kind == schema.ActorStaff:
		return access.Sees(tx, actor.ID, p.Scope, now)
	case actor.Kind == schema.ActorUser && actor.ID != leaver:
		return access.Sees(tx, actor.ID, p.ClientScope, now)
	}
	return true, nil
}

// Leave takes somebody who has lost access out of the open requests at a path
// and below. What the person had to do falls to the heir; without one, or where
// the heir is kept away from the request, it is listed as open. Of a request that
// the actor does not see nothing is listed, and nobody takes over: who sees that
// one is not the actor's to say. The revision of a request does not change: nothing of it did.
func (e *Engine) Leave(tx core.App, actor schema.Actor, leaver, heir, path string) (access.Left, error) {
	left := access.Left{HandedOver: []access.Loose{}, Open: []access.Loose{}}
	var parts []part
	if err := tx.DB().NewQuery(selectParts).Bind(dbx.Params{"who": leaver, "heir": heir, "path": path}).All(&parts); err != nil {
		return left, fmt.Errorf("read parts of %s: %w", leaver, err)
	}
	for _, p := range parts {
		loose := access.Loose{Request: p.ID, Number: p.Number, Title: p.Title}
		known, err := p.known(tx, actor, leaver, e.Clock())
		if err != nil {
			return left, err
		}
		heir := heir
		if !known || p.HeirExcluded {
			heir = ""
		}
		if p.DutyRow != "" {
			loose.What = strings.ReplaceAll(p.Duty, "_", " ")
			if err := handDuty(tx, p, heir, schema.Stamp(e.Clock())); err != nil {
				return left, err
			}
		}
		alone := false
		if schema.Strings(p.Participants) != nil && slices.Contains(schema.Strings(p.Participants), leaver) {
			loose.What = firstOf(loose.What, "takes part")
			if alone, err = handPlace(tx, p, leaver, heir, e); err != nil {
				return left, err
			}
		}
		change := map[string]any{"left": leaver, "heir": heir, "part": loose.What}
		err = e.Audit(tx, Change{Actor: actor, Action: "update", Collection: schema.RequestPeople, Record: p.ID, Organization: p.Organization, Request: p.ID, Change: change, Scope: p.Scope, At: e.Clock()})
		if err != nil {
			return left, err
		}
		switch {
		case !known:
		case heir != "":
			left.HandedOver = append(left.HandedOver, loose)
		case p.DutyRow != "" || alone:
			left.Open = append(left.Open, loose)
		}
	}
	return left, nil
}

func handDuty(tx core.App, p part, heir, now string) error {
	statement, params := `DELETE FROM request_people WHERE id = {:id}`, dbx.Params{"id": p.DutyRow}
	if heir != "" {
		statement = `UPDATE request_people SET person = {:heir}, updated = {:now} WHERE id = {:id}`
		params["heir"], params["now"] = heir, now
	}
	if _, err := tx.DB().NewQuery(statement).Bind(params).Execute(); err != nil {
		return fmt.Errorf("hand over %s on %s: %w", p.Duty, p.ID, err)
	}
	return nil
}

// handPlace takes somebody off the list of participants; it says whether nobody
// of the client sees the request then.
func handPlace(tx core.App, p part, leaver, heir string, e *Engine) (alone bool, err error) {
	rest := slices.DeleteFunc(schema.Strings(p.Participants), func(id string) bool { return id == leaver })
	if heir != "" && !slices.Contains(rest, heir) {
		rest = append(rest, heir)
	}
	if err := schema.Update(tx, schema.Requests, p.ID, dbx.Params{"participants": schema.JSON(rest)}); err != nil {
		return false, fmt.Errorf("store participants of %s: %w", p.ID, err)
	}
	return len(rest) == 0, access.Request(tx, p.ID, e.Clock())
}
