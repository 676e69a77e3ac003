package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// errTakenBack ends the transaction of the models: their rows were read.
var errTakenBack = errors.New("taken back")

// Size is how large a crowd is.
type Size struct {
	Organizations int // each with three people of its own and a bookkeeper's membership
	Requests      int // dealt out over all of them, begun within two years
}

// Everyone in a crowd has an address here, and the demo's Password.
const (
	crowdDomain     = "@crowd.example"
	CrowdOne        = "one" + crowdDomain    // an admin of one organization
	CrowdNone       = "none" + crowdDomain   // a person of no organization
	CrowdMany       = "many" + crowdDomain   // a bookkeeper: a member of many organizations
	CrowdStaff      = "staff" + crowdDomain  // sees every client
	CrowdWalled     = "walled" + crowdDomain // is kept away from the first ten
	largestBookkeep = 300
	usualBookkeep   = 20
	walledOff       = 10
)

// crowd is a demo being enlarged.
type crowd struct {
	app    core.App // the transaction, while one is open
	size   Size
	until  time.Time
	now    time.Time
	engine *workflow.Engine
	hash   string

	organizations []string
	admins        []string // of the organization at the same place
	handler       schema.Actor
}

// Crowd adds many clients with many requests to a demo, so that somebody can see
// how a portal of that size feels, and measure it.
//
// A few requests are played through the engine and taken back; the crowd's are
// copies of their rows under other numbers, clients and dates. So every row is
// one that the engine could have written, history equals state, and the client's
// rows equal the truth. What copies lack: entries in the audit log, events, and timers, so
// that nothing in the crowd reminds anybody while one measures.
func Crowd(ctx context.Context, app core.App, o Options, size Size, progress io.Writer) error {
	if size.Organizations < 1 || size.Requests < 0 {
		return errors.New("a crowd has one organization at least")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	c := &crowd{app: app, size: size, until: o.Clock().UTC(), hash: string(hash)}
	c.engine = o.NewEngine(func() time.Time { return c.now })
	say := func(format string, args ...any) error {
		_, err := fmt.Fprintf(progress, format+"\n", args...)
		return err
	}
	if err := say("%d organizations and their people…", size.Organizations); err != nil {
		return err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		c.app, c.engine.App = tx, tx
		c.now = c.until.AddDate(-2, 0, -1)
		if err := c.people(); err != nil {
			return err
		}
		return access.Rebuild(tx, c.until)
	})
	if err != nil {
		return fmt.Errorf("make the crowd: %w", err)
	}
	var models []model
	err = app.RunInTransaction(func(tx core.App) error {
		c.app, c.engine.App = tx, tx
		if models, err = c.models(ctx); err != nil {
			return err
		}
		return errTakenBack
	})
	if !errors.Is(err, errTakenBack) {
		return fmt.Errorf("play the models: %w", err)
	}
	c.app = app
	if err := c.multiply(ctx, models, say); err != nil {
		return fmt.Errorf("fill the crowd: %w", err)
	}
	return nil
}

// people makes the organizations and everybody who has to do with them.
func (c *crowd) people() error {
	none, many, walled := schema.NewID(), schema.NewID(), schema.NewID()
	c.handler = schema.Actor{Kind: schema.ActorStaff, ID: schema.NewID(), Name: "Sal Everett", Role: "operator", Duties: []string{"handler"}, Active: true}
	staff := func(id, email, name string) error {
		return c.account(schema.Staff, id, email, dbx.Params{"name": name, "role": c.handler.Role, "duties": schema.JSON(c.handler.Duties), "active": true})
	}
	for _, made := range []error{
		staff(c.handler.ID, CrowdStaff, c.handler.Name), staff(walled, CrowdWalled, "Wanda Lisle"),
		c.user(none, CrowdNone, "Noel Stray"), c.user(many, CrowdMany, "Molly Ledger"),
	} {
		if made != nil {
			return made
		}
	}
	bookkeeper := many
	for n := range c.size.Organizations {
		if n >= largestBookkeep && (n-largestBookkeep)%usualBookkeep == 0 {
			bookkeeper = schema.NewID()
			if err := c.user(bookkeeper, fmt.Sprintf("bookkeeper%d%s", n, crowdDomain), crowdPerson(4*n+3)); err != nil {
				return err
			}
		}
		if err := c.organization(n, bookkeeper); err != nil {
			return err
		}
		if n < walledOff {
			err := c.insert(schema.Walls, dbx.Params{"id": schema.NewID(), "staff": walled, "organization": c.organizations[n], "reason": "Acts for the other side"})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// organization makes the n-th client, an office of the one before for every
// fifth, and its people: an admin, a member, a viewer and the bookkeeper. Some
// admins have lent what they may do to the admin of the client before.
func (c *crowd) organization(n int, bookkeeper string) error {
	id, admin := schema.NewID(), schema.NewID()
	row := dbx.Params{"id": id, "name": crowdName(n), "code": fmt.Sprintf("W%05d", n), "kind": "client", "path": "/" + id + "/", "status": "active", "scope": id, "data": "{}"}
	if n%5 == 4 {
		parent := c.organizations[n-1]
		row["kind"], row["parent"], row["path"] = "office", parent, "/"+parent+"/"+id+"/"
	}
	if err := c.insert(schema.Organizations, row); err != nil {
		return err
	}
	for place, role := range []string{"admin", "member", "viewer", "member"} {
		user, email := schema.NewID(), fmt.Sprintf("%s%d%s", role, n, crowdDomain)
		switch place {
		case 0:
			user = admin
			if n == 0 {
				email = CrowdOne
			}
		case 3:
			user = bookkeeper
		}
		if user != bookkeeper {
			if err := c.user(user, email, crowdPerson(4*n+place)); err != nil {
				return err
			}
		}
		err := c.insert(schema.Memberships, dbx.Params{"id": schema.NewID(), "user": user, "organization": id, "role": role, "duties": "[]", "status": "active", "scope": id})
		if err != nil {
			return err
		}
	}
	c.organizations, c.admins = append(c.organizations, id), append(c.admins, admin)
	if n%50 > 2 || n < walledOff {
		return nil
	}
	ends := c.until.AddDate(0, 3, 0)
	if n%50 == 2 {
		ends = c.until.AddDate(0, -1, 0)
	}
	return c.insert(schema.Delegations, dbx.Params{
		"id": schema.NewID(), "from": admin, "to": c.admins[n-1], "organization": id, "powers": `["provide","submit","message"]`,
		"starts": schema.Stamp(c.now), "ends": schema.Stamp(ends), "reason": "Away", "revoked": false, "scope": id,
	})
}

func (c *crowd) user(id, email, name string) error {
	return c.account(schema.Users, id, email, dbx.Params{"name": name})
}

func (c *crowd) account(collection, id, email string, row dbx.Params) error {
	row["id"], row["email"], row["emailVisibility"], row["verified"] = id, email, true, true
	row["password"], row["tokenKey"], row["locale"], row["timezone"] = c.hash, security.RandomString(50), "en-GB", "Europe/London"
	return c.insert(collection, row)
}

func (c *crowd) insert(table string, row dbx.Params) error {
	row["created"], row["updated"] = schema.Stamp(c.now), schema.Stamp(c.now)
	if err := schema.Insert(c.app, table, row); err != nil {
		return fmt.Errorf("add to %s: %w", table, err)
	}
	return nil
}

// CrowdMember is the address of a member of the n-th organization.
func CrowdMember(n int) string { return fmt.Sprintf("member%d%s", n, crowdDomain) }

// crowdName and crowdPerson make names that can be told apart.
func crowdName(n int) string {
	first := []string{"Alder", "Birch", "Cedar", "Damson", "Elm", "Fern", "Gorse", "Hazel", "Ivy", "Juniper", "Larch"}
	second := []string{"Bakery", "Brewery", "Builders", "Cycles", "Dental", "Farm", "Foods", "Garage", "Interiors", "Logistics", "Press", "Studio", "Travel"}
	return fmt.Sprintf("%s %s %d", first[n%len(first)], second[n/len(first)%len(second)], n+1)
}

func crowdPerson(n int) string {
	first := []string{"Ada", "Bela", "Cara", "Dilip", "Ewa", "Finn", "Greta", "Hugo", "Inga", "Jonas", "Kofi", "Lena", "Mateo", "Nora", "Oskar", "Petra", "Quinn"}
	last := []string{"Abbott", "Bianchi", "Castle", "Dubois", "Eriksen", "Fischer", "Gupta", "Horvat", "Ito", "Jensen", "Kaya", "Lopez", "Mazur", "Novak", "Okoye", "Price", "Roth", "Silva", "Turner"}
	return first[n%len(first)] + " " + last[n/len(first)%len(last)]
}
