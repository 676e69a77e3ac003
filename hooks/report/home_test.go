package report

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/schema"
)

func TestHome_orderOfWhatNeedsYou(t *testing.T) {
	s := newStage(t)
	day := func(n int) string { return schema.Stamp(s.now.AddDate(0, 0, n)) }
	client := func(due, progress string) dbx.Params {
		return dbx.Params{"category": "waiting", "turn": "client", "due": due, "progress": progress}
	}
	s.bare(s.bluebell, "no date", nil, client("", `{"total":2,"left":2}`))
	s.bare(s.bluebell, "due late", nil, client(day(9), `{"total":2,"left":1,"ready":1}`))
	s.bare(s.office, "due soon", nil, client(day(2), `{"total":2,"left":0,"ready":2}`))
	s.bare(s.bluebell, "sent back", nil, client(day(20), `{"total":3,"left":2,"sent_back":2}`))
	s.bare(s.bluebell, "overdue", nil, client(day(-3), `{"total":0}`))
	s.bare(s.bluebell, "checking", nil, dbx.Params{"state_since": day(-1), "contact": `{"id":"x","name":"Sam Ford"}`})
	s.bare(s.bluebell, "stuck", nil, dbx.Params{"category": "blocked"})
	s.bare(s.bluebell, "approved", nil, dbx.Params{"category": "done", "turn": "nobody", "outcome": "success", "label": "All done"})
	s.bare(s.bluebell, "long ago", nil, dbx.Params{"category": "done", "turn": "nobody", "outcome": "void", "label": "Closed", "state_since": day(-40)})
	s.bare(s.harbor, "not theirs", nil, client(day(-5), `{"total":1,"left":1}`))

	home := read[Home](s, s.anna, "/api/portal/home")
	equal(t, "counts", home.Counts, CardCounts{5, 2, 2})
	equal(t, "needs you", titles(home.NeedsYou, cardTitle), "overdue, sent back, due soon, due late, no date")
	equal(t, "tags", titles(home.NeedsYou, func(c Card) string { return c.Tag + "|" + c.Tone + "|" + c.Button }),
		"Your turn|need|Open, 2 sent back|bad|Fix and continue, Ready to send|need|Check and send, 1 item left|need|Continue, Not started|need|Start")
	equal(t, "overdue", home.NeedsYou[0].Overdue, true)
	equal(t, "with us", titles(home.WithUs, func(c Card) string { return c.Title + "|" + c.Tag + "|" + c.Tone }), "stuck|With us|block, checking|In review|us")
	equal(t, "finished lately", titles(home.Finished, func(c Card) string { return c.Title + "|" + c.Tag + "|" + c.Tone }), "approved|All done|ok")
	equal(t, "contact", home.Contact.Name, "Sam Ford")

	office := read[Home](s, s.anna, "/api/portal/home?organization="+s.office)
	equal(t, "one office", titles(office.NeedsYou, cardTitle), "due soon")
	all := read[Home](s, s.anna, "/api/portal/home?organization="+s.bluebell)
	equal(t, "with what lies below", all.Counts, home.Counts)
	equal(t, "another client's organization is empty", read[Home](s, s.anna, "/api/portal/home?organization="+s.harbor).Counts, CardCounts{})
	equal(t, "the office sees its own", titles(read[Home](s, s.ben, "/api/portal/home").NeedsYou, cardTitle), "due soon")
}

func TestRequests_pagesWithoutGapsOrDoubles(t *testing.T) {
	s := newStage(t)
	for n := range 95 {
		due := ""
		if n%3 > 0 {
			due = schema.Stamp(s.now.AddDate(0, 0, n%7-3))
		}
		s.bare(s.bluebell, "paper", nil, dbx.Params{"category": "waiting", "turn": "client", "due": due, "progress": `{"total":1,"left":1,"sent_back":` + string(rune('0'+n%2)) + `}`})
		s.bare(s.harbor, "theirs", nil, dbx.Params{"category": "waiting", "turn": "client"})
		s.bare(s.bluebell, "done", nil, dbx.Params{"category": "done", "turn": "nobody", "state_since": schema.Stamp(s.now.Add(time.Duration(n/4) * time.Hour))})
	}
	type page struct {
		Items []Card
		Next  string
	}
	for _, show := range []string{"needs_you", "finished"} {
		seen, after := map[string]bool{}, ""
		for {
			p := read[page](s, s.anna, "/api/portal/requests?show="+show+"&after="+after)
			for _, c := range p.Items {
				if seen[c.ID] || c.Organization != s.bluebell {
					t.Fatalf("%s: %s twice, or not Anna's", show, c.ID)
				}
				seen[c.ID] = true
			}
			if after = p.Next; after == "" {
				break
			}
			s.later(13 * time.Hour) // what becomes overdue meanwhile keeps its place
		}
		equal(t, show, len(seen), 95)
	}
}

func TestRequests_sortedByTurn(t *testing.T) {
	s := newStage(t)
	day := func(n int) string { return schema.Stamp(s.now.AddDate(0, 0, n)) }
	titled := func(title, category, turn, due string) {
		s.bare(s.bluebell, title, nil, dbx.Params{"category": category, "turn": turn, "due": due})
	}
	titled("over", "done", "nobody", "")
	titled("by itself", "review", "system", "")
	titled("with us", "review", "staff", "")
	titled("yours, no date", "waiting", "client", "")
	titled("yours, due", "waiting", "client", day(3))
	for range 28 {
		titled("yours", "waiting", "client", day(1))
	}
	s.bare(s.harbor, "theirs", nil, dbx.Params{"category": "waiting", "turn": "client"})
	type page struct {
		Items []Card
		Next  string
	}
	first := read[page](s, s.anna, "/api/portal/requests?show=all&sort=turn")
	equal(t, "the own turn first, by due date", titles(first.Items[28:], cardTitle), "yours, due, yours, no date")
	second := read[page](s, s.anna, "/api/portal/requests?show=all&sort=turn&after="+first.Next)
	equal(t, "then the firm's, the portal's, nobody's", titles(second.Items, cardTitle), "with us, by itself, over")
	equal(t, "every one of all", len(read[page](s, s.anna, "/api/portal/requests?show=all").Items), 30)
	for _, path := range []string{"?show=all&after=" + first.Next, "?sort=due"} {
		code, _ := s.get(s.anna, "/api/portal/requests"+path)
		equal(t, "refused "+path, code, 400)
	}
}

func TestRequests_searchTakesWordsAsTheyAre(t *testing.T) {
	s := newStage(t)
	s.bare(s.bluebell, "Rate 100%", nil, nil)
	s.bare(s.bluebell, "Rate 1000", nil, nil)
	s.bare(s.harbor, "Rate 100% of Harbor", nil, nil)
	type page struct{ Items []Card }
	find := func(q string) string {
		return titles(read[page](s, s.anna, "/api/portal/requests?show=with_us&q="+q).Items, cardTitle)
	}
	equal(t, "percent", find("100%25"), "Rate 100%")
	equal(t, "underscore", find("_"), "")
	equal(t, "another client", find("Harbor"), "")
}

func TestHome_sinceLastVisit(t *testing.T) {
	s := newStage(t)
	id := s.open(s.sam, "hold_flow", s.bluebell, "Year end")
	s.later(time.Minute)
	s.insert(schema.Messages, dbx.Params{"request": id, "organization": s.bluebell, "author_staff": s.sam.ID, "author_name": s.sam.Name, "body": "Hello", "scope": s.bluebell})
	s.later(time.Minute)
	s.insert(schema.Messages, dbx.Params{"request": id, "organization": s.bluebell, "author_user": s.anna.ID, "author_name": s.anna.Name, "body": "My own", "scope": s.bluebell})
	said := func(h Home) string { return titles(h.Since, func(n News) string { return n.Text }) }

	first := read[Home](s, s.anna, "/api/portal/home")
	equal(t, "the first visit", first.LastVisit, "")
	equal(t, "what others did", said(first), "Sam Ford wrote a message., Sam Ford opened this request.")
	equal(t, "where", first.Since[0].RequestTitle, "Year end")

	s.later(30 * time.Second)
	again := read[Home](s, s.anna, "/api/portal/home")
	equal(t, "a reload within a minute notes no visit", again.LastVisit, schema.Stamp(s.now.Add(-30*time.Second)))
	s.later(45 * time.Second)
	read[Home](s, s.anna, "/api/portal/home")
	s.later(time.Hour)
	s.step(s.sam, id, "finish")
	news := read[Home](s, s.anna, "/api/portal/home")
	equal(t, "only what is new", said(news), "Sam Ford moved this on.")
	equal(t, "for one organization", said(read[Home](s, s.ben, "/api/portal/home?organization="+s.office)), "")
	equal(t, "another client", len(read[Home](s, s.cleo, "/api/portal/home").Since), 0)
}

func TestDoors_whoMayCall(t *testing.T) {
	s := newStage(t)
	id := s.open(s.sam, "hold_flow", s.bluebell, "Year end")
	for _, c := range []struct {
		path                       string
		guest, client, other, team int
	}{
		{"/api/portal/home", 401, 200, 200, 200},
		{"/api/portal/requests", 401, 200, 200, 403},
		{"/api/portal/queue", 401, 403, 403, 200},
		{"/api/portal/clients", 401, 403, 403, 200},
		{"/api/portal/clients/" + s.bluebell, 401, 403, 403, 200},
		{"/api/portal/staff", 401, 403, 403, 200},
		{"/api/portal/requests/" + id + "/timeline", 401, 200, 404, 200},
		{"/api/portal/requests/nosuchrequest00/timeline", 401, 404, 404, 404},
		{"/api/portal/clients/nosuchclient000", 401, 403, 403, 404},
		{"/api/portal/queue?view=secret", 401, 403, 403, 400},
		{"/api/portal/queue?after=nonsense", 401, 403, 403, 400},
		{"/api/portal/requests?show=mine", 401, 400, 400, 403},
	} {
		for _, who := range []struct {
			name string
			code int
			as   schema.Actor
		}{{"guest", c.guest, schema.Actor{}}, {"Anna", c.client, s.anna}, {"Cleo", c.other, s.cleo}, {"Sam", c.team, s.sam}, {"Vic", c.team, s.vic}, {"Sol", c.team, s.sol}} {
			code, body := s.get(who.as, c.path)
			if code != who.code {
				t.Errorf("%s as %s: %d, want %d: %s", c.path, who.name, code, who.code, body)
			}
			if code == http.StatusNotFound && strings.Contains(c.path, "requests") && !strings.Contains(body, "There is no such request, or you do not have access to it.") {
				t.Errorf("%s as %s says %s", c.path, who.name, body)
			}
		}
	}
	s.must(schema.Update(s, schema.Staff, s.vic.ID, dbx.Params{"active": false}))
	code, _ := s.get(s.vic, "/api/portal/staff")
	equal(t, "who left the firm", code, http.StatusForbidden)
}
