package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// person is somebody of the cast. Roles are what the oracle takes him for: the
// names that a definition may list under "by".
type person struct {
	name       string
	actor      schema.Actor
	roles      []string
	readsOnly  bool   // of the client's side: looks, nothing else
	membership string // role there; "" has none
	duties     []string
	onBehalfOf string
	stranger   bool // sees nothing of the request
	super      bool
	system     bool
}

// client says whether the person sits on the client's side.
func (p *person) client() bool { return p.actor.Kind == schema.ActorUser }

// acts says whether the person has one of the roles; a superuser passes.
func (p *person) acts(names []string) bool {
	return p.super || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(p.roles, n) })
}

// cast are the people of every run: two for each role and duty of the
// definition, and those who may do little or nothing.
type cast struct {
	all    []*person
	byName map[string]*person
}

// strangers is the organization of those who have nothing to do with a run.
const strangers = "orgstrangers000"

func newCast(def *workflow.Compiled) *cast {
	c := &cast{byName: map[string]*person{}}
	for _, n := range []string{"1", "2"} {
		c.user("admin "+n, "admin", access.ClientAdmin, access.ClientMember, access.ClientViewer)
		c.user("member "+n, "member", access.ClientMember, access.ClientViewer)
	}
	c.user("viewer", "viewer", access.ClientViewer).readsOnly = true
	for n, giver := range []string{"admin 1", "member 1"} {
		d := c.user(fmt.Sprintf("delegate %d", n+1), "", access.ClientDelegate, access.ClientViewer)
		d.onBehalfOf = c.byName[giver].actor.ID
	}
	for _, duty := range def.Roles.Client {
		if slices.Contains([]string{access.ClientAdmin, access.ClientMember, access.ClientViewer, access.ClientDelegate}, duty) {
			continue
		}
		c.user(duty+" 1", "member", duty, access.ClientMember, access.ClientViewer).duties = []string{duty}
		second := c.user(duty+" 2", "viewer", duty, access.ClientViewer)
		second.duties, second.readsOnly = []string{duty}, true
	}
	c.user("stranger", "", access.ClientAdmin, access.ClientMember, access.ClientViewer).stranger = true
	for _, duty := range def.Roles.Staff {
		c.employ(duty+" 1", "operator", duty)
		c.employ(duty+" 2", "operator", duty)
	}
	c.employ("jack of all", "operator", def.Roles.Staff...) // whom only four eyes stop
	c.employ("onlooker", "viewer", def.Roles.Staff...).roles = nil
	c.employ("owner", "owner")
	c.add(&person{name: "superuser", super: true, actor: schema.Actor{Kind: schema.ActorSuperuser, ID: id15("superuser"), Name: "superuser@example.com"}})
	c.add(&person{name: "system", system: true, actor: schema.System()})
	return c
}

func (c *cast) add(p *person) *person {
	c.all = append(c.all, p)
	c.byName[p.name] = p
	return p
}

func (c *cast) user(name, membership string, roles ...string) *person {
	return c.add(&person{name: name, membership: membership, roles: roles, actor: schema.Actor{Kind: schema.ActorUser, ID: id15(name), Name: name, IP: "127.0.0.1"}})
}

func (c *cast) employ(name, role string, duties ...string) *person {
	return c.add(&person{name: name, roles: duties, duties: duties, actor: schema.Actor{Kind: schema.ActorStaff, ID: id15(name), Name: name, IP: "127.0.0.1", Role: role, Duties: duties, Active: true}})
}

// id15 is an id that tells in a printed act who is meant.
func id15(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	if len(plain) > 15 {
		plain = plain[:7] + plain[len(plain)-8:]
	}
	return plain + strings.Repeat("0", 15-len(plain))
}

// hire writes the people, who never sign in by a password.
func (c *cast) hire(app core.App) error {
	return app.RunInTransaction(func(tx core.App) error {
		before := schema.Stamp(opening.AddDate(0, 0, -1))
		for _, p := range c.all {
			row := dbx.Params{"id": p.actor.ID, "email": p.actor.ID + "@example.com", "tokenKey": p.actor.ID + "-key", "password": "-", "verified": true, "created": before, "updated": before}
			table := core.CollectionNameSuperusers
			switch {
			case p.system:
				continue
			case p.client():
				table, row["name"], row["emailVisibility"] = schema.Users, p.name, true
			case !p.super:
				table, row["name"], row["role"], row["active"], row["duties"] = schema.Staff, p.name, p.actor.Role, true, schema.JSON(p.duties)
			}
			if err := schema.Insert(tx, table, row); err != nil {
				return fmt.Errorf("hire %s: %w", p.name, err)
			}
		}
		if err := insertOrganization(tx, strangers, "Strangers", before); err != nil {
			return err
		}
		if err := insertMembership(tx, "memstranger0000", c.byName["stranger"].actor.ID, strangers, "admin", nil, before); err != nil {
			return err
		}
		return access.Rebuild(tx, opening)
	})
}

// join makes everybody of the client's side a member of an organization.
func (c *cast) join(tx core.App, organization, name string) error {
	before := opening.AddDate(0, 0, -1)
	if err := insertOrganization(tx, organization, name, schema.Stamp(before)); err != nil {
		return err
	}
	for _, p := range c.all {
		var err error
		switch {
		case !p.client() || p.stranger:
		case p.onBehalfOf != "":
			err = schema.Insert(tx, schema.Delegations, dbx.Params{
				"id": schema.NewID(), "from": p.onBehalfOf, "to": p.actor.ID, "organization": organization, "request": "", "starts": schema.Stamp(before),
				"ends": schema.Stamp(before.Add(20 * 365 * 24 * time.Hour)), "revoked": false, "scope": organization, "created": schema.Stamp(before), "updated": schema.Stamp(before),
			})
		default:
			err = insertMembership(tx, schema.NewID(), p.actor.ID, organization, p.membership, p.duties, schema.Stamp(before))
		}
		if err != nil {
			return fmt.Errorf("let %s join: %w", p.name, err)
		}
	}
	return nil
}

func insertOrganization(tx core.App, id, name, at string) error {
	err := schema.Insert(tx, schema.Organizations, dbx.Params{"id": id, "name": name, "code": strings.ToUpper(id), "path": "/" + id + "/", "status": "active", "data": "{}", "scope": id, "created": at, "updated": at})
	if err != nil {
		return fmt.Errorf("insert organization: %w", err)
	}
	return nil
}

func insertMembership(tx core.App, id, user, organization, role string, duties []string, at string) error {
	return schema.Insert(tx, schema.Memberships, dbx.Params{"id": id, "user": user, "organization": organization, "role": role, "duties": schema.JSON(duties), "status": "active", "scope": organization, "created": at, "updated": at})
}
