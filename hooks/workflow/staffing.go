package workflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// The checker gives each duty two people. Whether the firm really has them is
// not a matter of the definition but of the day, so that it is never stored with
// the findings: it is worked out when somebody asks.

// colleagues are the active members of staff who may work requests, by id, with
// their duties.
func colleagues(app core.App) ([]access.StaffMember, error) {
	var rows []struct {
		ID     string `db:"id"`
		Name   string `db:"name"`
		Role   string `db:"role"`
		Duties string `db:"duties"`
	}
	if err := app.DB().NewQuery(`SELECT id, name, role, COALESCE(duties, '[]') AS duties FROM staff WHERE active = 1 AND maker = '' ORDER BY name, id`).All(&rows); err != nil {
		return nil, fmt.Errorf("read staff: %w", err)
	}
	var staff []access.StaffMember
	for _, r := range rows {
		member := access.StaffMember{ID: r.ID, Name: r.Name, Role: r.Role, Duties: schema.Strings(r.Duties), Active: true}
		if member.AtLeast("operator") {
			staff = append(staff, member)
		}
	}
	return staff, nil
}

// having are those with one of the duties.
func having(staff []access.StaffMember, duties []string) []access.StaffMember {
	return slices.DeleteFunc(slices.Clone(staff), func(m access.StaffMember) bool {
		return !slices.ContainsFunc(m.Duties, func(d string) bool { return slices.Contains(duties, d) })
	})
}

// staffing warns where the firm lacks people for the definition: a duty that
// nobody has (nobody), and one that a single person has where four eyes need a
// second (one_person).
func (c *Compiled) staffing(staff []access.StaffMember) []Finding {
	var findings []Finding
	warn := func(path, code, message string) {
		at := c.lines[path]
		findings = append(findings, Finding{Level: "warning", Code: code, Path: path, Line: at[0], Column: at[1], Message: message})
	}
	for i, duty := range c.Roles.Staff {
		if len(having(staff, []string{duty})) == 0 {
			warn(fmt.Sprintf("roles.staff[%d]", i), "nobody", fmt.Sprintf("No active member of staff has the duty %q. What it is to do will wait until somebody has it.", duty))
		}
	}
	for i := range c.Transitions {
		t := &c.Transitions[i]
		for j := range t.Guard {
			if other := c.transitions[t.Guard[j].NotSamePersonAs]; other != nil {
				for _, message := range c.lacksSecond(staff, t, other) {
					warn(fmt.Sprintf("transitions[%d].guard[%d]", i, j), "one_person", message)
				}
			}
		}
	}
	return findings
}

// lacksSecond says for which duties a second person is needed: when the only one
// who may take a step may also have taken the one that it must follow by another
// hand.
func (c *Compiled) lacksSecond(staff []access.StaffMember, t, other *Transition) []string {
	may := having(staff, c.staffRoles(t))
	if len(may) != 1 || slices.ContainsFunc(t.By, c.IsClientRole) || len(having(may, c.staffRoles(other))) == 0 {
		return nil
	}
	var messages []string
	for _, duty := range c.staffRoles(t) {
		if slices.Contains(may[0].Duties, duty) {
			messages = append(messages, fmt.Sprintf("Only %s has the duty %q, and %q must be done by another person than %q was. Give the duty to a second person.", may[0].Name, duty, t.Label, other.Label))
		}
	}
	return messages
}

// staffRoles are the duties of staff that may take a step.
func (c *Compiled) staffRoles(t *Transition) []string {
	return slices.DeleteFunc(slices.Clone([]string(t.By)), func(name string) bool { return name == "system" || c.IsClientRole(name) })
}

// Staffing is what the published workflows lack people for, each line with its
// key and version; for doctor.
func (e *Engine) Staffing(app core.App) ([]string, error) {
	staff, err := colleagues(app)
	if err != nil {
		return nil, err
	}
	var ids []string
	err = app.DB().NewQuery(`SELECT id FROM workflows WHERE status = 'published' ORDER BY key, version`).Column(&ids)
	if err != nil {
		return nil, fmt.Errorf("read published workflows: %w", err)
	}
	var lines []string
	for _, id := range ids {
		def, err := e.Definition(app, id)
		if err != nil {
			return nil, err
		}
		for _, f := range def.staffing(staff) {
			lines = append(lines, fmt.Sprintf("workflow %s version %d: %s (%s)", def.Key, def.Version, strings.TrimSuffix(f.Message, "."), f.Code))
		}
	}
	return lines, nil
}
