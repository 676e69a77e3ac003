package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/schema"
)

func TestClients_list(t *testing.T) {
	s := newStage(t)
	late := schema.Stamp(s.now.AddDate(0, 0, -1))
	s.both(s.bluebell, "late", dbx.Params{"due": late})
	s.both(s.bluebell, "open", nil)
	s.both(s.bluebell, "over", dbx.Params{"category": "done", "turn": "nobody", "due": late})
	s.must(schema.Update(s, schema.Organizations, s.harbor, dbx.Params{"code": "HF-1"}))
	type page struct {
		Items []Client
		Next  string
	}
	all := read[page](s, s.sam, "/api/portal/clients")
	equal(t, "rows", titles(all.Items, func(c Client) string { return fmt.Sprint(c.Name, "/", c.ParentName, " ", c.Open, c.Overdue, c.People) }),
		"Bluebell Bakery Ltd/ 2 1 1, Bluebell Cork office/Bluebell Bakery Ltd 0 0 1, Harbor_Fish 100%/ 0 0 1")
	find := func(q string) string {
		return titles(read[page](s, s.sam, "/api/portal/clients?q="+q).Items, func(c Client) string { return c.Name })
	}
	equal(t, "by name", find("CORK"), "Bluebell Cork office")
	equal(t, "by code", find("hf-1"), "Harbor_Fish 100%")
	equal(t, "letters as they are", find("r_F"), "Harbor_Fish 100%")
	equal(t, "and no others", find("l_B"), "")

	for n := range 30 {
		id := s.organization(fmt.Sprintf("%s client %d", []string{"north", "North"}[n%2], n/3), "")
		s.insert(schema.Access, dbx.Params{"principal": s.sam.ID, "scope": id, "since": late, "until": schema.Forever, "source": "staff", "source_id": s.sam.ID})
	}
	seen, after := map[string]bool{}, ""
	for {
		p := read[page](s, s.sam, "/api/portal/clients?perPage=4&after="+after)
		for _, c := range p.Items {
			if seen[c.ID] {
				t.Fatalf("%s twice", c.Name)
			}
			seen[c.ID] = true
		}
		if after = p.Next; after == "" {
			break
		}
	}
	equal(t, "all pages", len(seen), 33)
}

func TestClient_page(t *testing.T) {
	s := newStage(t)
	s.both(s.bluebell, "over", dbx.Params{"category": "done", "turn": "nobody"})
	s.both(s.bluebell, "client", dbx.Params{"category": "waiting", "turn": "client"})
	s.both(s.bluebell, "ours", nil)
	s.both(s.office, "of the office", nil)
	s.insert(schema.Invitations, dbx.Params{
		"email": "new@bluebell.example", "name": "New", "organization": s.bluebell, "role": "member", "duties": "[]", "invited_by": s.sam.ID, "status": "sent",
		"sent_count": 2, "expires": schema.Stamp(s.now.Add(-time.Hour)), "token_hash": "x", "scope": s.bluebell,
	})
	read[Home](s, s.anna, "/api/portal/home")

	page := read[ClientPage](s, s.sam, "/api/portal/clients/"+s.bluebell)
	equal(t, "units", page.Units, []Unit{{s.office, "Bluebell Cork office"}})
	equal(t, "requests, open ones first", titles(page.Requests, func(i QueueItem) string { return i.Title + "|" + i.Tag }), "ours|Nobody, client|With client, over|Archived")
	anna := page.People[0]
	equal(t, "people", []any{len(page.People), anna.Name, anna.Email, anna.Role, anna.Status, anna.LastSeen}, []any{1, "Anna Bell", "anna@bluebell.example", "admin", "active", schema.Stamp(s.now)})
	equal(t, "invitations", []any{page.Invitations[0].Status, page.Invitations[0].SentCount, page.Invitations[0].InvitedByName}, []any{"expired", 2, "Sam Ford"})
	equal(t, "the office names its parent", read[ClientPage](s, s.sam, "/api/portal/clients/"+s.office).ParentName, "Bluebell Bakery Ltd")

	members := read[[]Member](s, s.sam, "/api/portal/staff")
	equal(t, "staff", titles(members, func(m Member) string { return fmt.Sprint(m.Name, m.Role, m.Duties, m.Active) }), "Pia Lundoperator[compliance] true, Sam Fordoperator[handler] true, Vic Roeviewer[] true")
}
