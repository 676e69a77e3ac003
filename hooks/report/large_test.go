package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// sees gives somebody a right on a scope.
func (s *stage) sees(who schema.Actor, scope string) {
	s.t.Helper()
	s.insert(schema.Access, dbx.Params{"principal": who.ID, "scope": scope, "since": "2020-01-01 00:00:00.000Z", "until": schema.Forever, "source": "staff", "source_id": who.ID})
}

// seesMuch gives somebody so many rights that lists are read the other way.
func (s *stage) seesMuch(who schema.Actor) {
	s.t.Helper()
	for range few {
		s.sees(who, "other"+schema.NewID())
	}
}

// copies inserts n further rows like one; they have ids and numbers of their own.
func (s *stage) copies(table, id string, n int) {
	s.t.Helper()
	columns, err := s.TableColumns(table)
	s.must(err)
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = map[string]string{"id": "'copy' || n.i || substr(x.id, 5)", "number": "x.number || n.i"}[c]
		if values[i] == "" {
			values[i] = "x.`" + c + "`"
		}
	}
	if table == schema.ClientRequests { // let in with a recorded change only
		_, err = s.DB().NewQuery(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:n}) INSERT INTO request_changes (request, revision, actor_kind, actor, at) SELECT 'copy' || i || substr({:id}, 5), 2, 'system', '', '' FROM n`).Bind(dbx.Params{"n": n, "id": id}).Execute()
		s.must(err)
	}
	_, err = s.DB().NewQuery("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:n}) INSERT INTO " + table + " (`" + strings.Join(columns, "`, `") + "`) SELECT " + strings.Join(values, ", ") + " FROM n, " + table + " x WHERE x.id = {:id}").
		Bind(dbx.Params{"n": n, "id": id}).Execute()
	s.must(err)
}

// mixed are requests of all kinds, with and without dates, some of them alike.
func (s *stage) mixed(n int, organization func(n int) string) {
	kinds := []dbx.Params{{}, {"category": "waiting", "turn": "client"}, {"category": "blocked"}, {"category": "blocked", "turn": "client"}, {"category": "review", "turn": "system"}, {"category": "open", "turn": "nobody"}, {"category": "done", "turn": "nobody"}}
	for i := range n {
		row := dbx.Params{"state_since": schema.Stamp(s.now.Add(-time.Duration(i%5) * time.Hour)), "progress": fmt.Sprintf(`{"total":1,"sent_back":%d}`, i%3/2), "assignee": []string{s.sam.ID, s.pia.ID, ""}[i%11%3]}
		if i%4 > 0 {
			row["due"] = schema.Stamp(s.now.AddDate(0, 0, i%9-4))
		}
		for key, value := range kinds[i%len(kinds)] {
			row[key] = value
		}
		s.both(organization(i), fmt.Sprint("paper ", i), row)
	}
}

// Whether somebody sees little, much or everything: the same requests in the same
// order, in one page and in many.
func TestQueue_everyRoadShowsTheSame(t *testing.T) {
	s := newStage(t)
	s.mixed(70, func(n int) string { return []string{s.bluebell, s.office, s.harbor}[n%3] })
	ids := func(who schema.Actor, path string) (list []string, counts QueueCounts) {
		for after := ""; len(list) < 200; {
			page := read[QueuePage](s, who, path+"&after="+after)
			for _, i := range page.Items {
				list = append(list, i.ID)
			}
			if after, counts = page.Next, page.Counts; after == "" {
				return list, counts
			}
		}
		t.Fatalf("%s as %s has no end", path, who.Name)
		return nil, counts
	}
	for _, sort := range []string{"", "&sort=turn"} {
		for view := range views {
			for column := range columns {
				path := "/api/portal/queue?view=" + view + "&column=" + column + sort
				whole, counts := ids(s.sam, path+"&perPage=200")
				if column == "" {
					equal(t, path+" is counted", map[string]int{
						"waiting_on_us": counts.WaitingOnUs, "waiting_on_client": counts.WaitingOnClient, "blocked": counts.Blocked, "overdue": counts.Overdue,
						"unassigned": counts.Unassigned, "mine": counts.Mine, "all": counts.All,
					}[view], len(whole))
				}
				parts, _ := ids(s.sam, path+"&perPage=4")
				equal(t, path+" in parts", parts, whole)
				if view != "mine" {
					everything, _ := ids(s.sol, path+"&perPage=4")
					equal(t, path+" for a superuser", everything, whole)
				}
			}
		}
	}
	paths := []string{"waiting_on_us&sort=turn", "mine", "mine&sort=turn", "overdue", "unassigned", "blocked", "all"}
	before := map[string][]string{}
	for _, p := range paths {
		before[p], _ = ids(s.sam, "/api/portal/queue?perPage=4&view="+p)
	}
	s.seesMuch(s.sam)
	for _, p := range paths {
		after, _ := ids(s.sam, "/api/portal/queue?perPage=4&view="+p)
		equal(t, p+" for who sees much", after, before[p])
	}
}

func TestQueue_muchIsNotCountedToItsEnd(t *testing.T) {
	s := newStage(t)
	late := schema.Stamp(s.now.AddDate(0, 0, -1))
	id := s.both(s.bluebell, "ours", dbx.Params{"assignee": s.sam.ID})
	s.both(s.harbor, "theirs", dbx.Params{"category": "waiting", "turn": "client", "due": late})
	s.seesMuch(s.sam)
	exact := read[QueuePage](s, s.sam, "/api/portal/queue")
	equal(t, "few are counted", []any{exact.Counts, exact.CountsAtMost}, []any{QueueCounts{WaitingOnUs: 1, WaitingOnClient: 1, Overdue: 1, Mine: 1, All: 2}, 0})
	s.copies(schema.Requests, id, countedOpen)
	page := read[QueuePage](s, s.sam, "/api/portal/queue")
	equal(t, "many to where it is said", []any{page.Counts, page.CountsAtMost}, []any{QueueCounts{WaitingOnUs: 200, WaitingOnClient: 1, Overdue: 1, Mine: 200, All: 200}, 200})
	little := read[QueuePage](s, s.pia, "/api/portal/queue")
	equal(t, "whoever sees little has them counted", []any{little.Counts.All, little.CountsAtMost}, []any{countedOpen + 2, 0})
}

// A person of many organizations pages through each list without gaps or doubles,
// in its order, also where a page ends before all organizations had their turn.
func TestRequests_ofManyOrganizations(t *testing.T) {
	s := newStage(t)
	var organizations []string
	for n := range 45 {
		organizations = append(organizations, s.organization(fmt.Sprint("Client ", n), ""))
		s.sees(s.anna, organizations[n])
	}
	s.mixed(200, func(n int) string { return organizations[n*n%45] })
	now := schema.Stamp(s.now)
	due := func(c Card) string { return cmp.Or(c.Due, "~") }
	urgent := func(c Card) int {
		switch {
		case c.Due != "" && c.Due < now:
			return 0
		case c.Progress.SentBack > 0:
			return 1
		case c.Due != "":
			return 2
		}
		return 3
	}
	turn := map[string]int{"client": 0, "staff": 1, "system": 2, "nobody": 3}
	last := func(a, b Card) int { return cmp.Or(cmp.Compare(b.StateSince, a.StateSince), cmp.Compare(b.ID, a.ID)) }
	byTurn := func(a, b Card) int {
		return cmp.Or(cmp.Compare(turn[a.Turn], turn[b.Turn]), cmp.Compare(due(a), due(b)), cmp.Compare(a.ID, b.ID))
	}
	for query, order := range map[string]func(a, b Card) int{
		"needs_you": func(a, b Card) int {
			return cmp.Or(cmp.Compare(urgent(a), urgent(b)), cmp.Compare(due(a), due(b)), cmp.Compare(a.ID, b.ID))
		},
		"with_us": last, "finished": last, "all": last, "needs_you&sort=turn": byTurn, "with_us&sort=turn": byTurn, "finished&sort=turn": byTurn, "all&sort=turn": byTurn,
	} {
		type page struct {
			Items []Card
			Next  string
		}
		var list []Card
		for after := ""; len(list) < 400; {
			p := read[page](s, s.anna, "/api/portal/requests?show="+query+"&after="+after)
			list = append(list, p.Items...)
			if after = p.Next; after == "" {
				break
			}
		}
		counts := read[Home](s, s.anna, "/api/portal/home").Counts
		want := map[string]int{"needs_you": counts.NeedsYou, "with_us": counts.WithUs, "finished": counts.Finished, "all": 200}[strings.TrimSuffix(query, "&sort=turn")]
		equal(t, query+": how many", len(list), want)
		if !slices.IsSortedFunc(list, order) {
			t.Errorf("%s is out of order: %v", query, titles(list, cardTitle))
		}
		slices.SortFunc(list, func(a, b Card) int { return cmp.Compare(a.ID, b.ID) })
		equal(t, query+": each once", len(slices.CompactFunc(list, func(a, b Card) bool { return a.ID == b.ID })), want)
	}
}

func TestHome_muchIsNotCountedToItsEnd(t *testing.T) {
	s := newStage(t)
	id := s.both(s.bluebell, "yours", dbx.Params{"category": "waiting", "turn": "client"})
	s.both(s.office, "ours", nil)
	home := read[Home](s, s.anna, "/api/portal/home")
	equal(t, "few are counted", []any{home.Counts, home.AtMost}, []any{CardCounts{1, 1, 0}, 0})
	s.copies(schema.Requests, id, cardsCounted)
	s.copies(schema.ClientRequests, id, cardsCounted)
	home = read[Home](s, s.anna, "/api/portal/home")
	equal(t, "many to where it is said", []any{home.Counts, home.AtMost}, []any{CardCounts{cardsCounted, 1, 0}, cardsCounted})
}

// Requests with a scope of their own count for whoever sees them, and for nobody
// else; what is below an organization counts with it.
func TestCounts_requestsWithAScopeOfTheirOwn(t *testing.T) {
	s := newStage(t)
	late := schema.Stamp(s.now.AddDate(0, 0, -1))
	client := dbx.Params{"category": "waiting", "turn": "client", "due": late}
	s.both(s.bluebell, "shared", client)
	s.both(s.office, "of the office", client)
	id := s.both(s.bluebell, "apart", client)
	s.must(schema.Update(s, schema.Requests, id, dbx.Params{"scope": "staff:" + id, "updated": schema.Stamp(s.now.Add(time.Hour))}))
	s.must(schema.Update(s, schema.ClientRequests, id, dbx.Params{"scope": id}))
	needs := func(who schema.Actor) string {
		places, err := access.PlacesOf(s, who.ID, s.now)
		s.must(err)
		return titles(places, func(p access.Place) string { return fmt.Sprint(p.Name, " ", p.Needs) })
	}
	clients := func() string {
		type page struct{ Items []Client }
		return titles(read[page](s, s.sam, "/api/portal/clients?q=bakery").Items, func(c Client) string { return fmt.Sprint(c.Open, c.Overdue, " ", c.LastActivity) })
	}
	equal(t, "not seen", clients(), "1 1 "+schema.Stamp(s.now))
	equal(t, "nor needed", needs(s.anna), "Bluebell Bakery Ltd 2")
	s.sees(s.sam, "staff:"+id)
	s.sees(s.anna, id)
	equal(t, "seen", clients(), "2 2 "+schema.Stamp(s.now.Add(time.Hour)))
	equal(t, "and needed", needs(s.anna), "Bluebell Bakery Ltd 3")
	equal(t, "by nobody else", needs(s.ben), "Bluebell Cork office 1")
	equal(t, "in its organization", titles(read[Home](s, s.anna, "/api/portal/home?organization="+s.office).NeedsYou, cardTitle), "of the office")
	equal(t, "with what is below", len(read[Home](s, s.anna, "/api/portal/home?organization="+s.bluebell).NeedsYou), 3)
}
