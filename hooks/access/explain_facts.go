package access

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// outlook is a scope with the organization and the request that it stands for,
// and the person who is asked about.
type outlook struct {
	app     core.App
	now     time.Time
	scope   string
	who     *core.Record
	name    string
	reasons bool // whether the reason of a wall may be told

	staffOnly bool
	org       struct {
		ID   string `db:"id"`
		Name string `db:"name"`
		Path string `db:"path"`
	}
	request struct { // empty for the scope of an organization
		ID           string `db:"id"`
		Number       string `db:"number"`
		Visibility   string `db:"visibility"`
		Participants string `db:"participants"`
		RestrictedTo string `db:"restricted_to"`
		Organization string `db:"organization"`
	}
}

func (p *outlook) find() error {
	id := schema.ClientScope(p.scope)
	p.staffOnly = id != p.scope
	err := p.app.DB().NewQuery(`SELECT id, number, visibility, COALESCE(participants, '[]') AS participants, COALESCE(restricted_to, '[]') AS restricted_to, organization FROM requests WHERE id = {:id}`).
		Bind(dbx.Params{"id": id}).One(&p.request)
	if err == nil {
		id = p.request.Organization
	} else if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read request %s: %w", id, err)
	}
	err = p.app.DB().NewQuery(`SELECT id, name, path FROM organizations WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&p.org)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read organization %s: %w", id, err)
	}
	return nil
}

// what names the record's place in a sentence.
func (p *outlook) what() string {
	if p.request.ID != "" {
		return "request " + p.request.Number
	}
	return p.org.Name
}

// byRule explains collections whose rule does not go by scope.
func (p *outlook) byRule(record *core.Record, sees bool) []ReasonFact {
	fact := ReasonFact{Kind: "rule", Effect: "missing", Text: "Nobody but a superuser reads this collection."}
	name, staff := record.Collection().Name, p.who.Collection().Name == schema.Staff
	switch {
	case record.Collection().ViewRule == nil:
	case sees && record.Id == p.who.Id:
		fact.Text = "Everybody sees the own account."
	case sees && staff:
		fact.Text = fmt.Sprintf("%s is active staff with the role %s, and %s are open to that role.", p.name, p.who.GetString("role"), plainName(name))
	case sees:
		fact.Text = capital(plainName(name)) + " are open to everybody who is signed in."
	case staff && p.who.GetString("maker") != "" && p.who.GetBool("active"):
		fact.Kind, fact.Text = "program", capital(plainName(name))+" are not open to programs."
	case staff && !p.who.GetBool("active"):
		fact.Kind, fact.Text = "inactive", "The account of "+p.name+" is not active."
	case staff:
		fact.Kind, fact.Text = "role", fmt.Sprintf("The role %s of %s does not open this.", p.who.GetString("role"), p.name)
	default:
		fact.Text = capital(plainName(name)) + " are not open to clients."
	}
	if sees {
		fact.Effect = "gives"
	}
	return []ReasonFact{fact}
}

func plainName(collection string) string { return strings.ReplaceAll(collection, "_", " ") }

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// grants turns the live rows into sentences: the very rows that let see.
func (p *outlook) grants() ([]ReasonFact, error) {
	rows, err := rowsOf(p.app, p.who.Id, p.scope, p.now)
	if err != nil {
		return nil, err
	}
	facts := make([]ReasonFact, 0, len(rows))
	for _, row := range rows {
		fact := ReasonFact{Kind: row.Source, Effect: "gives", Source: sourceTable[row.Source], SourceID: row.SourceID}
		if row.Until != schema.Forever {
			fact.Until = row.Until
		}
		switch row.Source {
		case "membership":
			fact.Text, err = p.membershipText(row.SourceID)
		case "delegation":
			fact.Text, err = p.delegationText(row.SourceID)
		case "participant":
			fact.Text = fmt.Sprintf("%s is named as a participant of %s.", p.name, p.what())
		case "staff":
			if p.who.GetString("maker") != "" {
				fact.Kind = "program"
				fact.Text = fmt.Sprintf("%s is a program (%s). It sees what its maker sees of the clients that it was given, and %s is among them.", p.name, p.who.GetString("role"), p.what())
				break
			}
			fact.Text = fmt.Sprintf("%s is active staff (%s), and no wall stands between %s and %s.", p.name, p.who.GetString("role"), p.name, p.what())
		}
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact)
	}
	if p.who.Collection().Name == schema.Staff && len(p.duties()) > 0 && p.staffOnly {
		facts = append(facts, ReasonFact{Kind: "duty", Effect: "gives", Text: fmt.Sprintf("In this state only staff with the duty %s see it, and %s has it.", either(p.duties()), p.name)})
	}
	return facts, nil
}

var sourceTable = map[string]string{"membership": schema.Memberships, "delegation": schema.Delegations, "participant": schema.Requests, "staff": schema.Staff}

func (p *outlook) duties() []string { return schema.Strings(p.request.RestrictedTo) }

func (p *outlook) membershipText(id string) (string, error) {
	var m struct {
		Role string `db:"role"`
		Org  string `db:"org"`
		Name string `db:"name"`
	}
	err := p.app.DB().NewQuery(`SELECT m.role, o.id AS org, o.name FROM memberships m JOIN organizations o ON o.id = m.organization WHERE m.id = {:id}`).Bind(dbx.Params{"id": id}).One(&m)
	if err != nil {
		return "", fmt.Errorf("read membership %s: %w", id, err)
	}
	text := fmt.Sprintf("%s is %s of %s", p.name, roleWord(m.Role), m.Name)
	if m.Org != p.org.ID {
		text += ", which stands above " + p.org.Name
	}
	return text + ".", nil
}

func roleWord(role string) string {
	if role == "admin" {
		return "an admin"
	}
	return "a " + role
}

type delegationRow struct {
	ID      string `db:"id"`
	From    string `db:"from_name"`
	Giver   string `db:"from"`
	Starts  string `db:"starts"`
	Ends    string `db:"ends"`
	Revoked bool   `db:"revoked"`
	Request string `db:"request"`
	Org     string `db:"organization"`
	OrgName string `db:"org_name"`
}

const selectDelegations = `SELECT d.id, u.name AS from_name, d."from", d.starts, d.ends, d.revoked, d.request, d.organization, o.name AS org_name
	FROM delegations d JOIN users u ON u.id = d."from" JOIN organizations o ON o.id = d.organization WHERE `

func (p *outlook) delegationText(id string) (string, error) {
	var d delegationRow
	if err := p.app.DB().NewQuery(selectDelegations + `d.id = {:id}`).Bind(dbx.Params{"id": id}).One(&d); err != nil {
		return "", fmt.Errorf("read delegation %s: %w", id, err)
	}
	on := d.OrgName
	if d.Request != "" {
		on = p.what()
	}
	return fmt.Sprintf("%s lets %s act on %s until %s.", d.From, p.name, on, day(d.Ends)), nil
}

// day is a time as one says it to a person, in UTC.
func day(stamp string) string {
	return schema.Time(stamp).Format("Monday 2 January 2006, 15:04") + " UTC"
}

// missing names the first link of the chain that is not there.
func (p *outlook) missing() ([]ReasonFact, error) {
	if p.who.Collection().Name == schema.Staff {
		return p.missingStaff()
	}
	if p.staffOnly {
		return []ReasonFact{{Kind: "scope", Effect: "missing", Text: "Only staff ever see this; clients are shown a face of their own."}}, nil
	}
	if closed, err := p.archived(); err != nil || closed != nil {
		return closed, err
	}
	if excluded, err := p.excluded(); err != nil || excluded != nil {
		return excluded, err
	}
	if p.request.ID != "" && p.request.Visibility == "restricted" {
		sees, err := Sees(p.app, p.who.Id, p.org.ID, p.now)
		if err != nil {
			return nil, err
		}
		if sees {
			return []ReasonFact{{Kind: "participant", Effect: "missing", Source: schema.Requests, SourceID: p.request.ID, Text: fmt.Sprintf("%s is restricted to the people named on it, and %s is not one of them.", capital(p.what()), p.name)}}, nil
		}
	}
	facts, err := p.nearMemberships()
	if err != nil {
		return nil, err
	}
	more, err := p.nearDelegations()
	if err != nil {
		return nil, err
	}
	if facts = append(facts, more...); len(facts) > 0 {
		return facts, nil
	}
	text := fmt.Sprintf("%s has no membership of %s or an organization above it, and nobody lends one.", p.name, p.org.Name)
	if p.org.ID == "" {
		text = "This belongs to no client."
	}
	return []ReasonFact{{Kind: "membership", Effect: "missing", Text: text}}, nil
}

// excluded says that the person is kept away from the request, by whom and why.
func (p *outlook) excluded() ([]ReasonFact, error) {
	var x struct {
		ID     string `db:"id"`
		By     string `db:"by_name"`
		At     string `db:"created"`
		Reason string `db:"reason"`
	}
	err := p.app.DB().NewQuery(`SELECT id, by_name, created, reason FROM exclusions WHERE request = {:request} AND user = {:user} AND lifted = ''`).
		Bind(dbx.Params{"request": p.request.ID, "user": p.who.Id}).One(&x)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for exclusions: %w", err)
	}
	text := fmt.Sprintf("%s is excluded from %s by %s on %s: %s.", p.name, p.what(), x.By, day(x.At), strings.TrimSuffix(x.Reason, "."))
	return []ReasonFact{{Kind: "exclusion", Effect: "missing", Source: schema.Exclusions, SourceID: x.ID, Text: text}}, nil
}

// archived says that the client's file is closed, there or above.
func (p *outlook) archived() ([]ReasonFact, error) {
	var name string
	err := p.app.DB().Select("name").From(schema.Organizations).Where(dbx.HashExp{"status": "archived"}).AndWhere(dbx.In("id", ancestors(p.org.Path)...)).Limit(1).Row(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for archived organizations: %w", err)
	}
	return []ReasonFact{{Kind: "archived", Effect: "missing", Text: name + " is archived: nobody on the client's side has access any more."}}, nil
}

// nearMemberships are memberships that would do if they were in force.
func (p *outlook) nearMemberships() ([]ReasonFact, error) {
	var rows []struct {
		ID     string `db:"id"`
		Status string `db:"status"`
		Name   string `db:"name"`
	}
	err := p.app.DB().Select("m.id", "m.status", "o.name").From("memberships m").InnerJoin("organizations o", dbx.NewExp("o.id = m.organization")).
		Where(dbx.HashExp{"m.user": p.who.Id}).AndWhere(dbx.In("m.organization", ancestors(p.org.Path)...)).OrderBy("m.id").All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read memberships of %s: %w", p.who.Id, err)
	}
	facts := make([]ReasonFact, 0, len(rows))
	for _, row := range rows {
		status := row.Status
		if status == "active" {
			status = "not in force for this"
		}
		facts = append(facts, ReasonFact{Kind: "membership", Effect: "missing", Source: schema.Memberships, SourceID: row.ID, Text: fmt.Sprintf("The membership of %s in %s is %s.", p.name, row.Name, status)})
	}
	return facts, nil
}

// nearDelegations are delegations that ended, have not begun, or whose giver has
// nothing to lend any more.
func (p *outlook) nearDelegations() ([]ReasonFact, error) {
	ids := ancestors(p.org.Path)
	var rows []delegationRow
	err := p.app.DB().NewQuery(selectDelegations + `d."to" = {:me} AND d.organization IN (SELECT value FROM json_each({:ids})) ORDER BY d.ends DESC LIMIT 5`).
		Bind(dbx.Params{"me": p.who.Id, "ids": schema.JSON(ids)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read delegations to %s: %w", p.who.Id, err)
	}
	now := schema.Stamp(p.now)
	var facts []ReasonFact
	for _, d := range rows {
		fact := ReasonFact{Kind: "delegation", Effect: "missing", Source: schema.Delegations, SourceID: d.ID}
		switch {
		case d.Request != "" && d.Request != p.request.ID:
			continue
		case d.Revoked:
			fact.Text = fmt.Sprintf("What %s lent %s was taken back.", d.From, p.name)
		case d.Ends <= now:
			fact.Text = fmt.Sprintf("What %s lent %s ended on %s.", d.From, p.name, day(d.Ends))
		case d.Starts > now:
			fact.Text = fmt.Sprintf("What %s lends %s begins on %s.", d.From, p.name, day(d.Starts))
		default:
			fact.Text = fmt.Sprintf("%s lent %s access, but has none here any more.", d.From, p.name)
		}
		facts = append(facts, fact)
	}
	return facts, nil
}

func (p *outlook) missingStaff() ([]ReasonFact, error) {
	if !p.who.GetBool("active") {
		return []ReasonFact{{Kind: "inactive", Effect: "missing", Source: schema.Staff, SourceID: p.who.Id, Text: "The account of " + p.name + " is not active."}}, nil
	}
	var walls []struct {
		ID     string `db:"id"`
		Reason string `db:"reason"`
		Name   string `db:"name"`
	}
	err := p.app.DB().NewQuery(`SELECT w.id, w.reason, COALESCE(o.name, '') AS name FROM walls w LEFT JOIN organizations o ON o.id = w.organization
		WHERE w.staff IN ({:me}, {:maker}) AND ((w.request != '' AND w.request = {:request}) OR w.organization IN (SELECT value FROM json_each({:ids}))) ORDER BY w.id`).
		Bind(dbx.Params{"me": p.who.Id, "maker": p.who.GetString("maker"), "request": p.request.ID, "ids": schema.JSON(ancestors(p.org.Path))}).All(&walls)
	if err != nil {
		return nil, fmt.Errorf("read walls of %s: %w", p.who.Id, err)
	}
	facts, err := p.missingProgram()
	if err != nil {
		return nil, err
	}
	for _, w := range walls {
		fact := ReasonFact{Kind: "wall", Effect: "limits", Source: schema.Walls, SourceID: w.ID}
		from := w.Name
		if from == "" {
			from = p.what()
		}
		fact.Text = fmt.Sprintf("A wall keeps %s away from %s.", p.name, from)
		if p.reasons {
			fact.Text = strings.TrimSuffix(fact.Text, ".") + ": " + strings.TrimSuffix(w.Reason, ".") + "."
		} else {
			fact.SourceID = ""
		}
		facts = append(facts, fact)
	}
	if len(facts) == 0 && len(p.duties()) > 0 && p.staffOnly {
		mine := schema.Strings(p.who.GetString("duties"))
		if !slices.ContainsFunc(p.duties(), func(d string) bool { return slices.Contains(mine, d) }) {
			facts = append(facts, ReasonFact{Kind: "duty", Effect: "missing", Text: fmt.Sprintf("In this state only staff with the duty %s see it, and %s does not have it.", either(p.duties()), p.name)})
		}
	}
	if len(facts) == 0 {
		facts = append(facts, ReasonFact{Kind: "staff", Effect: "missing", Text: p.name + " has no access to " + p.what() + "."})
	}
	return facts, nil
}

// missingProgram says that a program's time is over, or that it was given other
// clients.
func (p *outlook) missingProgram() ([]ReasonFact, error) {
	facts := []ReasonFact{}
	if p.who.GetString("maker") == "" {
		return facts, nil
	}
	program, err := findProgram(p.app, `p.id = {:id}`, dbx.Params{"id": p.who.Id})
	if err != nil || program == nil {
		return facts, err
	}
	missing := ReasonFact{Kind: "program", Effect: "missing", Source: schema.Programs, SourceID: program.ID}
	if program.Expires <= schema.Stamp(p.now) {
		missing.Text = fmt.Sprintf("The token of %s ended on %s.", p.name, day(program.Expires))
		facts = append(facts, missing)
	}
	given := schema.Strings(program.Organizations)
	if len(given) > 0 && !slices.ContainsFunc(ancestors(p.org.Path), func(id any) bool { return slices.Contains(given, fmt.Sprint(id)) }) {
		missing.Text = fmt.Sprintf("%s was not given %s.", p.name, p.what())
		facts = append(facts, missing)
	}
	return facts, nil
}

func either(names []string) string { return strings.Join(names, " or ") }

// standing says what the person is here: role, duties, and for whom.
func (p *outlook) standing(record *core.Record) ([]ReasonFact, error) {
	if p.who.Collection().Name == schema.Staff {
		member, err := StaffOf(p.app, p.who.Id)
		if err != nil {
			return nil, err
		}
		if !member.AtLeast("operator") {
			return []ReasonFact{{Kind: "role", Effect: "limits", Text: "The role viewer lets " + p.name + " look, not change."}}, nil
		}
		text := fmt.Sprintf("The role %s lets %s work requests.", member.Role, p.name)
		if len(member.Duties) > 0 {
			text = fmt.Sprintf("The role %s lets %s work requests; the duties %s say which steps.", member.Role, p.name, strings.Join(member.Duties, ", "))
		}
		return []ReasonFact{{Kind: "role", Effect: "may", Text: text}}, nil
	}
	standing, err := OfUser(p.app, p.who.Id, p.org.Path, requestOf(record), p.now)
	if err != nil {
		return nil, err
	}
	switch {
	case standing.Halted != "":
		return []ReasonFact{{Kind: "role", Effect: "limits", Text: standing.Halted}}, nil
	case standing.ReadsOnly():
		return []ReasonFact{{Kind: "role", Effect: "limits", Text: p.name + " may view here, not send or decide."}}, nil
	case standing.OnBehalfOf != "":
		return []ReasonFact{{Kind: "role", Effect: "may", Text: fmt.Sprintf("%s acts here for %s, with no more than %s may do.", p.name, standing.GiverName, standing.GiverName)}}, nil
	case standing.Has(ClientAdmin):
		return []ReasonFact{{Kind: "role", Effect: "may", Text: p.name + " may send, decide and look after the people here, as an admin."}}, nil
	}
	return []ReasonFact{{Kind: "role", Effect: "may", Text: p.name + " may send and answer here, as a member."}}, nil
}
