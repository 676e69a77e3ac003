package demo

import (
	"fmt"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/security"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// firmDays is how long before now the firm began to use the portal.
const firmDays = -122.0

// everybody plans the firm, its people and its clients.
func (s *stage) everybody() error {
	// One hash for all: they share the password, and each costs a tenth of a second.
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	s.plan(s.days.at(firmDays), "the firm", nil, func() error { return s.firm(string(hash)) })
	for i := range s.cast.Clients {
		c := &s.cast.Clients[i]
		s.plan(s.days.at(-c.Since), "client "+c.Key, nil, func() error { return s.admit(c, string(hash)) })
	}
	for i := range s.cast.People {
		p := &s.cast.People[i]
		if p.Delegation != nil {
			s.plan(s.days.at(float64(-p.Delegation.From)+0.2), "delegation to "+p.Key, nil, func() error { return s.lend(p, string(hash)) })
		}
	}
	return nil
}

// firm makes the settings and the staff, the owner first.
func (s *stage) firm(hash string) error {
	f := s.cast.Firm
	settings := access.Firm{Name: f.Name, ContactEmail: f.ContactEmail, Timezone: f.Timezone, Locale: f.Locale, Accent: f.Accent}
	err := s.insert(schema.Settings, dbx.Params{"id": schema.NewID(), "key": "firm", "value": schema.JSON(settings), "version": 1})
	if err != nil {
		return err
	}
	for _, c := range s.cast.Staff {
		id := schema.NewID()
		s.actors[c.Key] = schema.Actor{Kind: schema.ActorStaff, ID: id, Name: c.Name, IP: "192.0.2.10", Role: c.Role, Duties: c.Duties, Active: true}
		err := s.account(schema.Staff, id, c.Email, hash, dbx.Params{"name": c.Name, "role": c.Role, "duties": schema.JSON(c.Duties), "active": true, "locale": f.Locale, "timezone": f.Timezone})
		if err != nil {
			return err
		}
		if err := access.Staff(s.app, id, s.now); err != nil {
			return err
		}
		if err := s.trail(s.actors["helen"], schema.Staff, id, "", map[string]any{"name": []any{nil, c.Name}, "role": []any{nil, c.Role}}); err != nil {
			return err
		}
	}
	return nil
}

// admit makes a client, its units and its members.
func (s *stage) admit(c *client, hash string) error {
	id := schema.NewID()
	s.places[c.Key] = id
	data := c.Data
	if data == nil {
		data = map[string]any{}
	}
	if err := s.organization(id, "/"+id+"/", dbx.Params{"name": c.Name, "code": c.Code, "kind": "client", "data": schema.JSON(data)}); err != nil {
		return err
	}
	for _, unit := range c.Units {
		below := schema.NewID()
		s.places[c.Key+"/"+unit] = below
		if err := s.organization(below, "/"+id+"/"+below+"/", dbx.Params{"name": unit, "kind": "office", "parent": id, "data": "{}"}); err != nil {
			return err
		}
	}
	for i := range s.cast.People {
		p := &s.cast.People[i]
		for place, role := range p.Memberships {
			if key, _, _ := strings.Cut(place, "/"); key != c.Key {
				continue
			}
			if err := s.join(p, place, role, hash); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stage) organization(id, path string, row dbx.Params) error {
	row["id"], row["path"], row["status"], row["scope"] = id, path, "active", id
	if err := s.insert(schema.Organizations, row); err != nil {
		return err
	}
	if err := access.Subtree(s.app, path, s.now); err != nil {
		return err
	}
	return s.trail(s.actors["sam"], schema.Organizations, id, id, map[string]any{"name": []any{nil, row["name"]}})
}

// join makes a person a member of a client or one of its units.
func (s *stage) join(p *person, place, role, hash string) error {
	user, err := s.user(p, hash)
	if err != nil {
		return err
	}
	id, organization := schema.NewID(), s.places[place]
	err = s.insert(schema.Memberships, dbx.Params{"id": id, "user": user, "organization": organization, "role": role, "duties": "[]", "status": "active", "scope": organization})
	if err != nil {
		return err
	}
	if err := access.User(s.app, user, s.now); err != nil {
		return err
	}
	return s.trail(s.actors["sam"], schema.Memberships, id, organization, map[string]any{"user": []any{nil, user}, "role": []any{nil, role}})
}

// lend makes a delegation.
func (s *stage) lend(p *person, hash string) error {
	user, err := s.user(p, hash)
	if err != nil {
		return err
	}
	d := p.Delegation
	ends := s.days.after(-d.Until)
	if d.Until > 0 {
		ends = s.days.at(float64(-d.Until))
	}
	id, organization, giver := schema.NewID(), s.places[d.Organization], s.actors[d.Of]
	err = s.insert(schema.Delegations, dbx.Params{
		"id": id, "from": giver.ID, "to": user, "organization": organization, "powers": schema.JSON([]string{"provide", "submit", "message"}),
		"starts": schema.Stamp(s.now), "ends": schema.Stamp(ends), "reason": d.Reason, "revoked": false, "scope": organization,
	})
	if err != nil {
		return err
	}
	if err := access.User(s.app, user, s.now); err != nil {
		return err
	}
	return s.trail(giver, schema.Delegations, id, organization, map[string]any{"to": []any{nil, user}, "ends": []any{nil, schema.Stamp(ends)}})
}

// user is a person's account, made when first needed.
func (s *stage) user(p *person, hash string) (string, error) {
	if a, ok := s.actors[p.Key]; ok {
		return a.ID, nil
	}
	a := schema.Actor{Kind: schema.ActorUser, ID: schema.NewID(), Name: p.Name, IP: "198.51.100.23"}
	s.actors[p.Key] = a
	locale, zone := p.Locale, p.Timezone
	if locale == "" {
		locale = s.cast.Firm.Locale
	}
	if zone == "" {
		zone = s.cast.Firm.Timezone
	}
	if err := s.account(schema.Users, a.ID, p.Email, hash, dbx.Params{"name": p.Name, "locale": locale, "timezone": zone}); err != nil {
		return "", err
	}
	return a.ID, s.trail(s.actors["sam"], schema.Users, a.ID, "", map[string]any{"name": []any{nil, p.Name}})
}

// account makes somebody who can sign in.
func (s *stage) account(collection, id, email, hash string, row dbx.Params) error {
	row["id"], row["email"], row["emailVisibility"], row["verified"] = id, email, true, true
	row["password"], row["tokenKey"] = hash, security.RandomString(50)
	return s.insert(collection, row)
}

// insert writes a row as of now on stage.
func (s *stage) insert(table string, row dbx.Params) error {
	row["created"], row["updated"] = schema.Stamp(s.now), schema.Stamp(s.now)
	if err := schema.Insert(s.app, table, row); err != nil {
		return fmt.Errorf("add to %s: %w", table, err)
	}
	return nil
}

// trail writes an audit entry about a record that was made.
func (s *stage) trail(actor schema.Actor, collection, record, organization string, change map[string]any) error {
	scope := ""
	if organization != "" {
		scope = schema.StaffScope(organization)
	}
	return s.engine.Audit(s.app, workflow.Change{Actor: actor, Action: "create", Collection: collection, Record: record, Organization: organization, Change: change, Scope: scope, At: s.now})
}
