package report

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

const noSuchClient = "There is no such client, or you do not have access to it."

// both is a row that is the same on both sides.
func (s *stage) both(organization, title string, row dbx.Params) string {
	face := dbx.Params{}
	for key, value := range row {
		if key != "assignee" {
			face[key] = value
		}
	}
	return s.bare(organization, title, row, face)
}

func TestQueue_viewsAndOrder(t *testing.T) {
	s := newStage(t)
	day := func(n int) string { return schema.Stamp(s.now.AddDate(0, 0, n)) }
	s.both(s.bluebell, "client late", dbx.Params{"category": "waiting", "turn": "client", "due": day(-2), "assignee": s.sam.ID})
	s.both(s.bluebell, "client", dbx.Params{"category": "waiting", "turn": "client", "state_since": day(-1)})
	s.both(s.harbor, "ours, no date, old", dbx.Params{"assignee": s.sam.ID, "state_since": day(-9)})
	s.both(s.harbor, "ours, no date", dbx.Params{"assignee": s.pia.ID, "state_since": day(-1)})
	s.both(s.harbor, "ours, due", dbx.Params{"due": day(3), "progress": `{"total":3,"to_check":2}`})
	s.both(s.office, "stuck", dbx.Params{"category": "blocked", "turn": "system", "due": day(1), "assignee": s.sam.ID})
	s.both(s.office, "by itself", dbx.Params{"category": "review", "turn": "system"})
	s.both(s.bluebell, "over", dbx.Params{"category": "done", "turn": "nobody", "due": day(-9), "assignee": s.sam.ID})

	counts := QueueCounts{WaitingOnUs: 4, WaitingOnClient: 2, Blocked: 1, Overdue: 1, Unassigned: 1, Mine: 3, All: 7}
	for view, want := range map[string]string{
		"waiting_on_us":     "stuck, ours, due, ours, no date, old, ours, no date",
		"waiting_on_client": "client late, client",
		"blocked":           "stuck",
		"overdue":           "client late",
		"unassigned":        "ours, due",
		"mine":              "stuck, ours, no date, old, client late",
		"all":               "stuck, ours, due, ours, no date, old, ours, no date, client late, client, by itself",
	} {
		page := read[QueuePage](s, s.sam, "/api/portal/queue?view="+view)
		equal(t, view, titles(page.Items, itemTitle), want)
		equal(t, view+" counts", page.Counts, counts)
	}

	page := read[QueuePage](s, s.sam, "/api/portal/queue")
	equal(t, "tags", titles(page.Items, func(i QueueItem) string { return i.Tag + "|" + i.Tone + "|" + i.NextStep + "|" + i.AssigneeName }),
		"Blocked|block|In review|Sam Ford, Nobody|us|Check 2 of 3 items|, With us|us|In review|Sam Ford, With us|us|In review|Pia Lund")
	due := page.Items[1]
	equal(t, "a row", []any{due.OrganizationName, due.Workflow, due.Label, due.Priority, due.Overdue, due.Progress.Total}, []any{"Harbor_Fish 100%", "hold_flow", "In review", "normal", false, 3})
	find := func(q string) string {
		return titles(read[QueuePage](s, s.sam, "/api/portal/queue?view=all&q="+q).Items, itemTitle)
	}
	equal(t, "by client, letters taken as they are", find("FISH%20100%25"), "ours, due, ours, no date, old, ours, no date")
	equal(t, "by number", find(due.Number), "ours, due")
	equal(t, "nothing", find("r__f"), "")

	home := read[struct {
		Counts QueueCounts
		Items  []QueueItem
	}](s, s.sam, "/api/portal/home")
	equal(t, "home is one's own desk", titles(home.Items, itemTitle), "stuck, ours, no date, old, client late")
	equal(t, "home counts", home.Counts, counts)
	equal(t, "a superuser sees all", read[QueuePage](s, s.sol, "/api/portal/queue?view=all").Counts.All, 7)
}

func TestQueue_columnsOfTheBoardAreAViewInParts(t *testing.T) {
	s := newStage(t)
	s.both(s.bluebell, "client", dbx.Params{"category": "waiting", "turn": "client", "assignee": s.sam.ID})
	s.both(s.bluebell, "ours", dbx.Params{"assignee": s.sam.ID})
	s.both(s.harbor, "nobody's", dbx.Params{})
	s.both(s.office, "stuck", dbx.Params{"category": "blocked", "turn": "system", "assignee": s.sam.ID})
	s.both(s.office, "stuck with us", dbx.Params{"category": "blocked", "turn": "staff"})
	s.both(s.office, "by itself", dbx.Params{"category": "review", "turn": "system"})
	for view, want := range map[string]map[string]string{
		"all":  {"us": "ours, nobody's", "client": "client", "system": "by itself", "blocked": "stuck, stuck with us"},
		"mine": {"us": "ours", "client": "client", "system": "", "blocked": "stuck"},

		"unassigned": {"us": "nobody's", "client": "", "system": "", "blocked": "stuck with us"},
	} {
		n := 0
		for column, rows := range want {
			page := read[QueuePage](s, s.sam, "/api/portal/queue?view="+view+"&column="+column)
			n += len(page.Items)
			equal(t, view+" "+column, sorted(titles(page.Items, itemTitle)), sorted(rows))
		}
		equal(t, view+" is all of it", n, len(read[QueuePage](s, s.sam, "/api/portal/queue?view="+view).Items))
	}
	first := read[QueuePage](s, s.sam, "/api/portal/queue?view=all&column=us&perPage=1")
	second := read[QueuePage](s, s.sam, "/api/portal/queue?view=all&column=us&perPage=1&after="+first.Next)
	equal(t, "a column has pages", sorted(titles(append(first.Items, second.Items...), itemTitle)), "nobody's, ours")
	for _, path := range []string{"?view=all&column=client&after=" + first.Next, "?column=later"} {
		code, _ := s.get(s.sam, "/api/portal/queue"+path)
		equal(t, "refused "+path, code, 400)
	}
}

func TestQueue_sortedByTurn(t *testing.T) {
	s := newStage(t)
	day := func(n int) string { return schema.Stamp(s.now.AddDate(0, 0, n)) }
	s.both(s.bluebell, "by itself", dbx.Params{"category": "review", "turn": "system", "due": day(1)})
	s.both(s.bluebell, "client later", dbx.Params{"category": "waiting", "turn": "client", "due": day(9)})
	s.both(s.harbor, "client", dbx.Params{"category": "waiting", "turn": "client", "due": day(2)})
	s.both(s.harbor, "ours", dbx.Params{"due": day(20), "assignee": s.sam.ID})
	s.both(s.office, "stuck, and no date", dbx.Params{"category": "blocked", "turn": "client"})
	s.both(s.office, "nobody's", dbx.Params{"category": "open", "turn": "nobody"})
	s.both(s.office, "over", dbx.Params{"category": "done", "turn": "nobody"})
	const order = "ours, client, client later, stuck, and no date, by itself, nobody's"
	equal(t, "in one page", titles(read[QueuePage](s, s.sam, "/api/portal/queue?view=all&sort=turn").Items, itemTitle), order)
	s.seesMuch(s.pia)
	for _, who := range []schema.Actor{s.sam, s.pia} {
		var rows []QueueItem
		after := ""
		for range 6 {
			page := read[QueuePage](s, who, "/api/portal/queue?view=all&sort=turn&perPage=1&after="+after)
			rows, after = append(rows, page.Items...), page.Next
		}
		equal(t, "page by page", titles(rows, itemTitle)+after, order)
	}
	first := read[QueuePage](s, s.sam, "/api/portal/queue?view=all&sort=turn&perPage=1")
	for _, path := range []string{"?view=all&after=" + first.Next, "?sort=title"} {
		code, _ := s.get(s.sam, "/api/portal/queue"+path)
		equal(t, "refused "+path, code, 400)
	}
}

func sorted(list string) string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func TestQueue_blockedNamesWhatBlocksAndTagsAreFound(t *testing.T) {
	s := newStage(t)
	id := s.both(s.bluebell, "stuck", dbx.Params{"category": "blocked", "turn": "system"})
	s.must(schema.Update(s, schema.Requests, id, dbx.Params{"tags": `["VAT","year end"]`}))
	job := func(status, message string, revision int) {
		s.insert(schema.Jobs, dbx.Params{"name": "ledger.post_journals", "system": "ledger", "request": id, "organization": s.bluebell, "status": status, "last_error": message, "revision": revision, "idempotency_key": status + message, "scope": "staff:" + s.bluebell})
	}
	job("dead", "An older trouble.", 2)
	job("dead", "The period is closed.", 3)
	job("done", "", 4)
	row := read[QueuePage](s, s.sam, "/api/portal/queue?view=blocked").Items[0]
	equal(t, "cause", *row.Blocked, Blocked{"Ledger did not do this: post journals. It says: The period is closed.", "request", ""})
	equal(t, "next step", row.NextStep, row.Blocked.Text)
	for _, q := range []string{"vat", "year%20end"} {
		equal(t, "by tag "+q, titles(read[QueuePage](s, s.sam, "/api/portal/queue?view=all&q="+q).Items, itemTitle), "stuck")
	}
}

// Whatever keeps a request from going on is named, on the list and on the board,
// and gone when it is cured.
func TestQueue_everyObstacleIsNamedWithItsCure(t *testing.T) {
	s := newStage(t)
	// The checker would refuse to publish it; an older release may have let it in.
	draft, err := s.engine.Import(s, []byte(stuckFlow), false, false)
	s.must(err)
	_, err = s.DB().NewQuery(`UPDATE workflows SET status = 'published' WHERE id = {:id}`).Bind(dbx.Params{"id": draft.ID}).Execute()
	s.must(err)
	blocked := func(id string) *Blocked {
		t.Helper()
		var found []*Blocked
		for _, path := range []string{"?view=all", "?view=all&column=us", "?view=all&column=client", "?view=all&column=system", "?view=all&column=blocked"} {
			for _, i := range read[QueuePage](s, s.sam, "/api/portal/queue"+path).Items {
				if i.ID == id {
					found = append(found, i.Blocked)
					if i.Blocked != nil {
						equal(t, "the next step", i.NextStep, i.Blocked.Text)
					}
				}
			}
		}
		equal(t, "on the list and on the board", len(found), 2)
		equal(t, "the same", found[0], found[1])
		return found[0]
	}
	is := func(what, id string, want *Blocked) {
		t.Helper()
		equal(t, what, blocked(id), want)
	}

	held := s.open(s.sam, "hold_flow", s.bluebell, "Held")
	is("nothing is in its way", held, nil)
	s.must(s.engine.Pause(context.Background(), s, held, s.sam, workflow.PauseInput{Until: "2026-12-01", Reason: "They are away."}))
	is("a hold", held, &Blocked{"On hold until Tue 1 Dec 2026.", "request", ""})
	s.later(13 * 24 * time.Hour)
	is("which ends", held, nil)

	duty := s.open(s.sam, "stuck_flow", s.bluebell, "No partner")
	s.step(s.sam, duty, "to_partner")
	is("a duty that nobody has", duty, &Blocked{"This waits for the partner, and nobody of the firm has that duty.", "firm", ""})
	s.member("Pat Roe", "pat@firm.example", "manager", "partner")
	is("until somebody has it", duty, nil)

	alone := s.organization("Lonely Ltd", "")
	s.rebuild()
	gone := s.open(s.sam, "stuck_flow", alone, "Nobody there")
	s.step(s.sam, gone, "ask")
	is("a client without people", gone, &Blocked{"Nobody of Lonely Ltd can act: no admin or member has joined.", "client", alone})
	s.user("Lena Solo", "lena@lonely.example", alone, "member")
	is("until somebody joins", gone, nil)

	id := s.open(s.sam, "stuck_flow", s.bluebell, "Sent back")
	s.step(s.sam, id, "ask")
	var item string
	s.must(s.DB().NewQuery(`SELECT id FROM items WHERE request = {:id}`).Bind(dbx.Params{"id": id}).Row(&item))
	patch := func(who schema.Actor, in workflow.ItemPatch) {
		t.Helper()
		_, err := s.engine.PatchItem(context.Background(), s, item, who, in)
		s.must(err)
	}
	patch(s.anna, workflow.ItemPatch{Answers: map[string]any{"text": "No"}})
	s.step(s.anna, id, "give")
	words := "Which one?"
	patch(s.sam, workflow.ItemPatch{Status: "rejected", Comment: &words})
	is("what is sent back while it can be accepted", id, nil)
	s.step(s.sam, id, "close_up")
	is("an item that nobody can put right", id, &Blocked{`"Anything new" was sent back, and nobody can put it right where this request is.`, "item", item})

	waits := s.both(s.bluebell, "outside", dbx.Params{"category": "review", "turn": "system"})
	s.insert(schema.Jobs, dbx.Params{"name": "crm.create_client", "system": "crm", "request": waits, "organization": s.bluebell, "status": "retrying", "last_error": "Try later.", "revision": 1, "idempotency_key": "k", "scope": "staff:" + s.bluebell})
	is("work outside that goes on", waits, &Blocked{"Waiting for Crm: create client. It says: Try later.", "request", ""})
}

// stuckFlow lets a request come to a stop in every way that a definition allows.
const stuckFlow = `schema: gatehouse/workflow/v1
key: stuck_flow
version: 1
title: Ways to be stuck
subject: {collection: organizations}
numbering: "STU-{yyyy}-{seq:4}"
initial: start
roles:
  client: [client_admin, client_member]
  staff: [handler, partner]
calendar: {timezone: firm, hours: "mon-fri 09:00-17:00", holidays: firm}
fields: []
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items:
      - {key: question, title: Anything new, kind: answer, answer_types: [text], retention: client_file}
states:
  - {key: start, label: Start, client_label: Soon, category: open, turn: staff, owner: handler, can: {}}
  - {key: asked, label: Asked, client_label: Your turn, category: waiting, turn: client, owner: client_member, can: {provide: [papers]}}
  - {key: review, label: Review, client_label: We look, category: review, turn: staff, owner: handler, can: {review: [papers]}}
  - {key: signing, label: With the partner, client_label: We look, category: review, turn: staff, owner: partner, can: {}}
  - {key: closing, label: Closing, client_label: We look, category: review, turn: staff, owner: handler, can: {}}
  - {key: finished, label: Finished, client_label: Finished, category: done, outcome: success, turn: nobody, owner: handler, terminal: true, can: {}}
transitions:
  - {key: ask, label: Ask, from: [start], to: asked, by: [handler]}
  - {key: to_partner, label: To the partner, from: [start], to: signing, by: [handler]}
  - {key: sign, label: Sign, from: [signing], to: finished, by: [partner]}
  - {key: give, label: Give, from: [asked], to: review, by: [client_admin, client_member]}
  - {key: close_up, label: Close up, from: [review], to: closing, by: [handler]}
  - {key: finish, label: Finish, from: [closing], to: finished, by: [handler], guard: [{items: {sections: [papers], status_in: [accepted]}}]}
reminders: []
notifications: []
integrations: []
ai: []
reports: {targets: {end_to_end: 12bd}, split_clock: [client, firm, system]}
`

func TestQueue_pagesWithoutGapsOrDoubles(t *testing.T) {
	s := newStage(t)
	for n := range 60 {
		due := ""
		if n%2 == 0 {
			due = schema.Stamp(s.now.AddDate(0, 0, n%5))
		}
		s.both(s.bluebell, "paper", dbx.Params{"due": due, "state_since": schema.Stamp(s.now.Add(time.Duration(n%3) * time.Hour)), "turn": []string{"staff", "client"}[n%4/3]})
	}
	for n := range 10 {
		s.bare(s.harbor, "held", dbx.Params{"state_since": schema.Stamp(s.now), "restricted_to": `["compliance"]`, "scope": "staff:nobody" + string(rune('0'+n))}, nil)
	}
	seen, after, last := map[string]bool{}, "", 0
	for {
		page := read[QueuePage](s, s.sam, "/api/portal/queue?view=all&perPage=7&after="+after)
		for _, i := range page.Items {
			if seen[i.ID] {
				t.Fatalf("%s twice", i.ID)
			}
			seen[i.ID] = true
			rank := map[string]int{"staff": 0, "client": 1}[i.Turn]
			if rank < last {
				t.Fatalf("%s out of order", i.ID)
			}
			last = rank
		}
		if after = page.Next; after == "" {
			break
		}
	}
	equal(t, "all rows", len(seen), 70)
}

func TestQueue_aHiddenStateShowsTheClientsFace(t *testing.T) {
	s := newStage(t)
	id := s.open(s.sam, "hold_flow", s.bluebell, "Year end")
	s.open(s.sam, "hold_flow", s.harbor, "Another")
	before := read[QueuePage](s, s.sam, "/api/portal/queue?view=all")
	s.later(48 * time.Hour)
	s.step(s.pia, id, "escalate", func(in *workflow.Input) { in.InternalNote = "Smells of fish." })

	row := func(page QueuePage) QueueItem {
		for _, i := range page.Items {
			if i.ID == id {
				return i
			}
		}
		t.Fatalf("not in the queue: %+v", page)
		return QueueItem{}
	}
	was, shown := row(before), row(read[QueuePage](s, s.sam, "/api/portal/queue?view=all"))
	equal(t, "what Sam sees now", []any{shown.State, shown.Label, shown.Turn, shown.StateSince, shown.Tag, shown.Assignee, shown.AssigneeName, shown.Progress, shown.Priority},
		[]any{"in_review", "We are checking", "staff", was.StateSince, "With us", was.Assignee, was.AssigneeName, was.Progress, was.Priority})
	equal(t, "it still counts", read[QueuePage](s, s.sam, "/api/portal/queue").Counts, before.Counts)
	truth := row(read[QueuePage](s, s.pia, "/api/portal/queue?view=all"))
	equal(t, "what compliance sees", []any{truth.State, truth.Label}, []any{"hold", "Secret hold"})
	equal(t, "once each", len(read[QueuePage](s, s.sol, "/api/portal/queue?view=all").Items), 2)

	for _, path := range []string{"/api/portal/queue?view=all", "/api/portal/queue?view=all&q=hold", "/api/portal/clients", "/api/portal/clients/" + s.bluebell, "/api/portal/requests/" + id + "/timeline"} {
		_, body := s.get(s.sam, path)
		for _, secret := range []string{"ecret", "Smells", "scalate", `"hold"`, "Pia Lund did", schema.Stamp(s.now)} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells Sam %q: %s", path, secret, body)
			}
		}
	}
	clients := read[struct{ Items []Client }](s, s.sam, "/api/portal/clients")
	equal(t, "the client's row", titles(clients.Items, func(c Client) string { return c.Name + "|" + string(rune('0'+c.Open)) + "|" + c.LastActivity }),
		"Bluebell Bakery Ltd|1|"+was.StateSince+", Bluebell Cork office|0|, Harbor_Fish 100%|1|"+was.StateSince)
}

func TestQueue_staffWhoSeeVeryMuchOrNothing(t *testing.T) {
	s := newStage(t)
	s.both(s.bluebell, "paper", dbx.Params{"state_since": schema.Stamp(s.now.Add(-time.Hour))})
	s.bare(s.harbor, "held", dbx.Params{"restricted_to": `["compliance"]`, "scope": "staff:secret"}, nil)
	a := asker{Actor: s.sam, at: s.now}
	little, err := staffReach(s, a)
	s.must(err)
	equal(t, "few", little.condition, byScope)
	s.seesMuch(s.sam)
	much, err := staffReach(s, a)
	s.must(err)
	if much.condition == little.condition {
		t.Fatal("the same road for much and little")
	}
	page := read[QueuePage](s, s.sam, "/api/portal/queue?view=all")
	equal(t, "the same rows", titles(page.Items, itemTitle)+" "+page.Items[0].Label+page.Items[1].Label, "paper, held In reviewWe are checking")

	_, err = s.DB().NewQuery(`DELETE FROM access WHERE principal = {:me}`).Bind(dbx.Params{"me": s.vic.ID}).Execute()
	s.must(err)
	blind := read[QueuePage](s, s.vic, "/api/portal/queue?view=all")
	equal(t, "nothing to see", []any{len(blind.Items), blind.Counts}, []any{0, QueueCounts{}})
	code, body := s.get(s.vic, "/api/portal/clients/"+s.bluebell)
	equal(t, "no client either", code, 404)
	_, none := s.get(s.vic, "/api/portal/clients/nosuchclient000")
	equal(t, "like one that is not there", strings.Contains(body, noSuchClient) && strings.Contains(none, noSuchClient), true)
	equal(t, "no clients", len(read[struct{ Items []Client }](s, s.vic, "/api/portal/clients").Items), 0)
}
