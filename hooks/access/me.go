package access

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

const defaultAccent = "#0b5f59"

// Firm is the settings row "firm": whose portal this is.
type Firm struct {
	Name         string `json:"name"`
	ContactEmail string `json:"contact_email"`
	Timezone     string `json:"timezone"`
	Locale       string `json:"locale"`
	Accent       string `json:"accent"`
	Logo         string `json:"logo,omitempty"`

	// Business time, for calendars that refer to the firm.
	Hours    string   `json:"hours,omitempty"`    // mon-thu 09:00-17:30, fri 09:00-15:00
	Holidays []string `json:"holidays,omitempty"` // codes such as gb-eng
	Closed   []string `json:"closed,omitempty"`   // days such as 2026-12-24
}

// FirmOf reads the firm; before set-up it is called Gatehouse and lives in UTC.
func FirmOf(app core.App) (Firm, error) {
	var firm Firm
	if _, err := setting(app, settingFirm, &firm); err != nil {
		return Firm{}, err
	}
	firm.Name = cmp.Or(firm.Name, "Gatehouse")
	firm.Timezone = cmp.Or(firm.Timezone, "UTC")
	firm.Locale = cmp.Or(firm.Locale, "en")
	firm.Accent = cmp.Or(firm.Accent, defaultAccent)
	return firm, nil
}

// Location is the firm's time zone; UTC if its name is unknown.
func (f Firm) Location() *time.Location {
	location, err := time.LoadLocation(f.Timezone)
	if err != nil {
		return time.UTC
	}
	return location
}

// FirmRoute answers what everybody may know of the portal before signing in.
//
//	GET /api/portal/firm (public) → 200
//	{"name","accent","logo","contact_email","demo","needs_setup","mail":"ready"|"none","timezone","locale","passkeys"}
//	passkeys is the origin at which they work, empty where they cannot
func FirmRoute(demo bool) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		firm, err := FirmOf(e.App)
		if err != nil {
			return problem.Reply(e, err)
		}
		needed, err := NeedsSetup(e.App)
		if err != nil {
			return problem.Reply(e, err)
		}
		mail := "none"
		if e.App.Settings().SMTP.Enabled {
			mail = "ready"
		}
		origin, _ := PasskeyOrigin(e.App)
		return e.JSON(http.StatusOK, map[string]any{
			"name": firm.Name, "accent": firm.Accent, "logo": firm.Logo, "contact_email": firm.ContactEmail,
			"demo": demo, "needs_setup": needed, "mail": mail, "timezone": firm.Timezone, "locale": firm.Locale,
			"passkeys": origin,
		})
	}
}

// Place is an organization as somebody on the client's side belongs to it.
type Place struct {
	ID       string `json:"id" db:"id"`
	Name     string `json:"name" db:"name"`
	Role     string `json:"role" db:"role"` // admin member viewer delegate
	RoleText string `json:"role_text" db:"-"`
	Needs    int    `json:"needs" db:"needs"` // requests there, and below, that wait for the client
	Status   string `json:"status" db:"status"`
	Until    string `json:"until,omitempty" db:"until"`           // when a delegate's right ends
	Giver    string `json:"acting_for,omitempty" db:"acting_for"` // for whom a delegate acts
}

// The organizations of a person: own memberships, then those lent by a live
// delegation. What lies below one is counted with it: by the scope that an
// organization's requests share, and the few with a scope of their own.
const placesOf = `WITH mine AS MATERIALIZED (SELECT DISTINCT a.scope FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}),
shared AS MATERIALIZED (SELECT o.path, (SELECT COUNT(*) FROM client_requests c INDEXED BY idx_client_requests_scope_since WHERE COALESCE(c.scope,'') = COALESCE(o.id,'') AND ` + ClientClass + ` = 0) AS needs
	FROM mine CROSS JOIN organizations o ON o.id = mine.scope),
own AS MATERIALIZED (SELECT o.path, 1 AS needs FROM mine CROSS JOIN client_requests c ON c.id = mine.scope AND c.scope = c.id JOIN organizations o ON o.id = c.organization WHERE ` + ClientClass + ` = 0),
below AS MATERIALIZED (SELECT above.value AS id, SUM(n.needs) AS needs FROM (SELECT * FROM shared UNION ALL SELECT * FROM own) n, json_each('["' || replace(trim(n.path, '/'), '/', '","') || '"]') above GROUP BY above.value)
SELECT p.id, p.name, p.role, p.status, p.until, p.acting_for, COALESCE(b.needs, 0) AS needs
FROM (
	SELECT o.id, o.name, o.path, m.role, o.status, '' AS until, '' AS acting_for FROM memberships m JOIN organizations o ON o.id = m.organization WHERE m.user = {:me} AND m.status = 'active'
` + notArchived + `
	UNION ALL
	SELECT o.id, o.name, o.path, 'delegate', o.status, MAX(d.ends), COALESCE(g.name, '') FROM delegations d JOIN organizations o ON o.id = d.organization LEFT JOIN users g ON g.id = d."from"
	WHERE d."to" = {:me} AND d.revoked = 0 AND d.starts <= {:now} AND d.ends > {:now}
	AND EXISTS (SELECT 1 FROM access a WHERE a.principal = {:me} AND a.source = 'delegation' AND a.source_id = d.id)
	AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.user = {:me} AND m.organization = o.id AND m.status = 'active')
	GROUP BY o.id
) p LEFT JOIN below b ON b.id = p.id ORDER BY p.name, p.id`

// PlacesOf lists the organizations that a user belongs to or acts for at now.
func PlacesOf(app core.App, user string, now time.Time) ([]Place, error) {
	places := []Place{}
	err := app.DB().NewQuery(placesOf).Bind(dbx.Params{"me": user, "now": schema.Stamp(now)}).All(&places)
	if err != nil {
		return nil, fmt.Errorf("read organizations of %s: %w", user, err)
	}
	for i := range places {
		places[i].RoleText = RoleText(places[i].Role)
	}
	return places, nil
}

// MeRoute answers who is signed in.
//
//	GET /api/portal/me → 200 {"kind":"user","id","name","email","locale","timezone","organizations":[Place]}
//	or {"kind":"staff","id","name","email","role","duties","locale","timezone"}
//	or {"kind":"superuser","id","name","email"}; 401 nobody
func MeRoute(clock schema.Clock) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if e.Auth == nil {
			return problem.Reply(e, problem.New(problem.SignIn, "Sign in first."))
		}
		me := map[string]any{
			"id": e.Auth.Id, "name": e.Auth.GetString("name"), "email": e.Auth.Email(),
			"locale": e.Auth.GetString("locale"), "timezone": e.Auth.GetString("timezone"),
		}
		switch e.Auth.Collection().Name {
		case schema.Staff:
			member, err := StaffOf(e.App, e.Auth.Id)
			if err != nil {
				return problem.Reply(e, err)
			}
			duties := member.Duties
			if duties == nil {
				duties = []string{}
			}
			me["kind"], me["role"], me["duties"] = "staff", member.Role, duties
		case core.CollectionNameSuperusers:
			me["kind"], me["name"] = "superuser", e.Auth.Email()
		default:
			places, err := PlacesOf(e.App, e.Auth.Id, clock())
			if err != nil {
				return problem.Reply(e, err)
			}
			me["kind"], me["organizations"] = "user", places
		}
		return e.JSON(http.StatusOK, me)
	}
}
