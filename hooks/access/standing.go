package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// The roles of a membership, as workflows name them.
const (
	ClientAdmin    = "client_admin"
	ClientMember   = "client_member"
	ClientViewer   = "client_viewer"
	ClientDelegate = "client_delegate"
)

// Standing is what somebody is on an organization: the names that a workflow
// may list under "by" (roles and duties), and for whom a delegate acts.
type Standing struct {
	Roles      map[string]bool
	OnBehalfOf string // the giver's id
	GiverName  string
	Until      time.Time // of the delegation
	Handled    bool      // in own right: somebody handles the request for the person, or was asked to
	Halted     string    // why nobody on the client's side may act there now; empty if people may

	lent    []string   // of a delegation: the powers that it names and the giver has now; nil: all that may be lent
	choices []Standing // the own right first, then what others lent, the loan that ends last first
	all     []Standing // the same, where the person chose among them
}

// Has says whether one of names is among the roles.
func (s Standing) Has(names ...string) bool {
	for _, name := range names {
		if s.Roles[name] {
			return true
		}
	}
	return false
}

// May says whether the table of the roles, or the delegation, gives a power.
func (s Standing) May(p Power) bool {
	if s.Halted != "" && p != See {
		return false
	}
	if s.OnBehalfOf != "" && s.lent != nil {
		return p == See || slices.Contains(s.lent, string(p))
	}
	for _, r := range roles {
		if s.Roles[r.Names[0]] && slices.Contains(r.Powers, p) {
			return true
		}
	}
	return false
}

// ReadsOnly says whether nothing but looking is allowed.
func (s Standing) ReadsOnly() bool { return !s.May(Provide) && !s.May(Submit) && !s.May(Message) }

// Refuses gives the sentence that tells somebody without a power so, else "".
func (s Standing) Refuses(p Power, otherwise string) string {
	switch {
	case s.May(p):
		return ""
	case s.Halted != "":
		return s.Halted
	case s.OnBehalfOf != "":
		return s.GiverName + " did not lend you this. You may: " + PowersText(s.lent) + "."
	}
	return otherwise
}

// As is the standing by which somebody acts who needs one of the names: the own
// right where that is enough, else what somebody lent.
func (s Standing) As(names ...string) Standing {
	return s.choose(func(c Standing) bool { return c.Has(names...) })
}

// With is the standing by which somebody uses a power, likewise.
func (s Standing) With(p Power) Standing {
	return s.choose(func(c Standing) bool { return c.May(p) })
}

func (s Standing) choose(fits func(Standing) bool) Standing {
	for _, c := range s.choices {
		if fits(c) {
			c.choices, c.all = s.choices, s.all
			return c
		}
	}
	return s
}

const (
	// One row for each organization above, with the membership there if there is one.
	readStanding = `SELECT COALESCE(m.role, '') AS role, COALESCE(m.duties, '[]') AS duties, o.name, o.status,
	EXISTS (SELECT 1 FROM delegations d WHERE d."to" = {:user} AND d.revoked = 0 AND d.ends > {:now}) AS lent,
	{:request} != '' AND (EXISTS (SELECT 1 FROM delegations d WHERE d."from" = {:user} AND d.request = {:request} AND d.revoked = 0 AND d.ends > {:now})
		OR EXISTS (SELECT 1 FROM invitations i WHERE i.invited_by_user = {:user} AND CASE WHEN json_valid(i.delegation) THEN json_extract(i.delegation, '$.request') = {:request} END)) AS handled
FROM json_each({:ids}) p JOIN organizations o ON o.id = p.value
LEFT JOIN memberships m ON m.user = {:user} AND m.organization = o.id AND m.status = 'active'`

	// One row for each membership of a giver: what one has now is what one lends.
	readLoans = `SELECT d.id, d."from" AS giver, u.name, d.ends, COALESCE(d.powers, '[]') AS powers, d.organization, g.role, COALESCE(g.duties, '[]') AS duties, g.organization AS at
FROM delegations d JOIN users u ON u.id = d."from"
JOIN memberships g ON g.user = d."from" AND g.status = 'active' AND g.organization IN (SELECT value FROM json_each({:ids}))
WHERE d."to" = {:user} AND d.revoked = 0 AND d.starts <= {:now} AND d.ends > {:now} AND (d.request = '' OR d.request = {:request})
AND d.organization IN (SELECT value FROM json_each({:ids}))
AND NOT EXISTS (SELECT 1 FROM exclusions x WHERE x.request = {:request} AND x.lifted = '' AND x.user = d."from") ORDER BY d.ends DESC, d.id`
)

// OfUser works out a user's standing on an organization from its path: the
// memberships there and on every ancestor, and what others lent there. The own
// right comes first; where it is not enough, As and With find a delegation that
// is. An admin may do what a member may, a member what a viewer may.
func OfUser(app core.App, user, path, request string, now time.Time) (Standing, error) {
	own := Standing{Roles: map[string]bool{}}
	ids := ancestors(path)
	if len(ids) == 0 {
		return own, nil
	}
	var rows []struct {
		Role    string `db:"role"`
		Duties  string `db:"duties"`
		Name    string `db:"name"`
		Status  string `db:"status"`
		Lent    bool   `db:"lent"`
		Handled bool   `db:"handled"`
	}
	params := dbx.Params{"ids": schema.JSON(ids), "user": user, "request": request, "now": schema.Stamp(now)}
	if err := app.DB().NewQuery(readStanding).Bind(params).All(&rows); err != nil {
		return own, fmt.Errorf("read memberships of %s: %w", user, err)
	}
	halted, lent, member := "", false, false
	for _, r := range rows {
		if r.Status == "suspended" || r.Status == "archived" {
			halted = fmt.Sprintf("%s is %s: you can look at everything, but nothing can be changed or sent. Ask your contact if you think that is a mistake.", r.Name, r.Status)
		}
		lent = lent || r.Lent
		own.Handled = own.Handled || r.Handled
		if r.Role == "" {
			continue
		}
		member = true
		own.add(r.Role, schema.Strings(r.Duties))
	}
	choices := []Standing{}
	if member {
		choices = append(choices, own)
	}
	if lent {
		loans, err := loansTo(app, params, ids)
		if err != nil {
			return own, err
		}
		choices = append(choices, loans...)
	}
	if halted != "" {
		for i := range choices {
			choices[i] = Standing{Roles: map[string]bool{ClientViewer: true}, Halted: halted, Handled: choices[i].Handled, OnBehalfOf: choices[i].OnBehalfOf, GiverName: choices[i].GiverName, Until: choices[i].Until}
		}
	}
	return first(own, choices), nil
}

// first is the standing that counts where nothing in particular is asked for:
// the first that may do more than look.
func first(none Standing, choices []Standing) Standing {
	if len(choices) == 0 {
		return none
	}
	s := choices[0]
	s.choices = choices
	for _, p := range []Power{Provide, Submit, Message} {
		if c := s.With(p); c.May(p) {
			return c
		}
	}
	return s
}

// OfActor is OfUser for whom the actor chose to act for: of all ways to act
// there only those of that person are left. Where none is, it refuses.
func OfActor(app core.App, actor schema.Actor, path, request string, now time.Time) (Standing, error) {
	s, err := OfUser(app, actor.ID, path, request, now)
	if err != nil || actor.Chosen == "" {
		return s, err
	}
	giver := actor.Chosen
	if giver == actor.ID {
		giver = ""
	}
	var chosen []Standing
	for _, c := range s.choices {
		if c.OnBehalfOf == giver {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return s, problem.Field("on_behalf_of", problem.NotYours, "You cannot act for this person here any more: what was lent to you has ended. Choose again for whom you act.")
	}
	all := s.choices
	s = first(s, chosen)
	s.all = all
	return s, nil
}

// everyChoice are all ways to act, also those that were not chosen.
func (s Standing) everyChoice() []Standing {
	if s.all != nil {
		return s.all
	}
	return s.choices
}

// acts says whether more than looking is allowed, be it by a duty alone.
func (s Standing) acts() bool {
	if !s.ReadsOnly() {
		return true
	}
	for name := range s.Roles {
		if !isRole(name) {
			return true
		}
	}
	return false
}

// Way is one of the people for whom somebody may act at a place.
type Way struct {
	ID    string `json:"id"`    // for the header Gatehouse-On-Behalf-Of
	Name  string `json:"name"`  // empty for oneself
	Until string `json:"until"` // when the last of what that person lent ends; empty for oneself
	Now   bool   `json:"now"`   // the one who counts: chosen, or where nobody is
}

// Ways are the people for whom user may do more than look, oneself among them.
func (s Standing) Ways(user string) []Way {
	ways := []Way{}
	for _, c := range s.everyChoice() {
		id := cmp.Or(c.OnBehalfOf, user)
		if !c.acts() || slices.ContainsFunc(ways, func(w Way) bool { return w.ID == id }) {
			continue
		}
		w := Way{ID: id, Name: c.GiverName, Now: s.acts() && c.OnBehalfOf == s.OnBehalfOf}
		if c.OnBehalfOf != "" {
			w.Until = schema.Stamp(c.Until)
		}
		ways = append(ways, w)
	}
	if len(ways) > 0 && !s.acts() {
		ways[0].Now = true // steps by a duty alone
	}
	return ways
}

// add takes a membership's role and duties in.
func (s Standing) add(role string, duties []string) {
	for _, name := range namesOf(role) {
		s.Roles[name] = true
	}
	for _, duty := range duties {
		if !isRole(duty) {
			s.Roles[duty] = true
		}
	}
}

// loansTo reads what others lent to a user on the organizations of a path: of
// the powers that a delegation names those that its giver has at this moment.
func loansTo(app core.App, params dbx.Params, ids []any) ([]Standing, error) {
	var rows []struct {
		ID           string `db:"id"`
		Giver        string `db:"giver"`
		Name         string `db:"name"`
		Ends         string `db:"ends"`
		Powers       string `db:"powers"`
		Organization string `db:"organization"`
		Role         string `db:"role"`
		Duties       string `db:"duties"`
		At           string `db:"at"`
	}
	if err := app.DB().NewQuery(readLoans).Bind(params).All(&rows); err != nil {
		return nil, fmt.Errorf("read delegations to %v: %w", params["user"], err)
	}
	var order []string
	loans := map[string]Standing{}
	for _, r := range rows {
		if slices.Index(ids, any(r.At)) > slices.Index(ids, any(r.Organization)) {
			continue // a member of an office lends nothing on the organization above it
		}
		loan, known := loans[r.ID]
		if !known {
			order = append(order, r.ID)
			loan = Standing{Roles: map[string]bool{ClientViewer: true}, OnBehalfOf: r.Giver, GiverName: r.Name, Until: schema.Time(r.Ends), lent: []string{string(See)}}
		}
		loans[r.ID] = loan.lend(r.Role, schema.Strings(r.Duties), schema.Strings(r.Powers))
	}
	list := make([]Standing, 0, len(order))
	for _, id := range order {
		list = append(list, loans[id])
	}
	return list, nil
}

// lend adds what a giver with the role and the duties lends by naming powers.
func (s Standing) lend(role string, duties, named []string) Standing {
	for _, p := range lends(named) {
		switch {
		case slices.Contains(s.lent, p):
		case lendable(p) && slices.Contains(powersOf(role), Power(p)):
			s.lent = append(s.lent, p)
			if Power(p) == Submit {
				s.Roles[ClientDelegate] = true
			}
		case slices.Contains(duties, p) && !isRole(p):
			s.lent, s.Roles[p] = append(s.lent, p), true
		}
	}
	return s
}

// OfStaff is a member's standing: the duties, if the role lets them act at all.
// What a program does counts as its maker's, for votes and for four eyes.
func OfStaff(member StaffMember) Standing {
	standing := Standing{Roles: map[string]bool{}, OnBehalfOf: member.Maker}
	if !member.AtLeast("operator") {
		return standing
	}
	for _, duty := range member.Duties {
		standing.Roles[duty] = true
	}
	return standing
}

func ancestors(path string) []any {
	var ids []any
	for id := range strings.SplitSeq(path, "/") {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// bindUsed keeps the parameters that a statement names: dbx refuses no extra
// ones, but the driver does.
func bindUsed(statement string, params dbx.Params) dbx.Params {
	used := dbx.Params{}
	for name, value := range params {
		if strings.Contains(statement, "{:"+name+"}") {
			used[name] = value
		}
	}
	return used
}
