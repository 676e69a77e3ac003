package report

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

func lines(t Timeline) string {
	return titles(t.Items, func(e Entry) string { return e.Kind + ": " + e.Text + " " + e.Detail })
}

// story is a request that goes to the client and back, with one bad answer.
func (s *stage) story() (id, item string) {
	s.t.Helper()
	id = s.open(s.sam, "simple_request", s.bluebell, "Year end", workflow.NewItem{Section: "things", Template: "question", Title: "Any loans?"})
	s.must(s.DB().NewQuery(`SELECT id FROM items WHERE request = {:id}`).Bind(dbx.Params{"id": id}).Row(&item))
	patch := func(by schema.Actor, in workflow.ItemPatch) {
		_, err := s.engine.PatchItem(context.Background(), s, item, by, in)
		s.must(err)
	}
	s.later(time.Hour)
	s.step(s.sam, id, "send")
	s.later(time.Hour)
	patch(s.anna, workflow.ItemPatch{Answers: map[string]any{"text": "None"}})
	s.later(time.Hour)
	s.step(s.anna, id, "submit")
	s.later(time.Hour)
	s.step(s.sam, id, "start_review")
	s.later(time.Hour)
	reason, comment := "incomplete", "Which bank?"
	patch(s.sam, workflow.ItemPatch{Status: "rejected", Reason: &reason, Comment: &comment})
	return id, item
}

func TestTimeline_bothSidesInSentences(t *testing.T) {
	s := newStage(t)
	id, item := s.story()
	path := "/api/portal/requests/" + id + "/timeline?perPage=100"

	held := read[Timeline](s, s.anna, path)
	equal(t, "a decision that is not out", strings.Contains(lines(held), "sent back"), false)
	equal(t, "what Anna sees meanwhile", held.Summary, `With us since Thu 19 Nov 13:00, because Sam Ford moved it on. You do not need to do anything now.`)
	equal(t, "Sam knows", strings.Contains(lines(read[Timeline](s, s.sam, path)), `review: Sam Ford sent back "Any loans?". Incomplete. Which bank?`), true)

	s.later(time.Hour)
	s.step(s.sam, id, "ask_again", func(in *workflow.Input) { in.Comments = map[string]string{item: "Which bank?"} })
	s.later(time.Hour)
	at := schema.Stamp(s.now)
	s.insert(schema.Messages, dbx.Params{"request": id, "author_user": s.anna.ID, "author_name": "Anna Bell", "body": "I will look.", "scope": s.bluebell})
	s.insert(schema.InternalNotes, dbx.Params{"request": id, "author": s.sam.ID, "author_name": "Sam Ford", "body": "Careful here.", "scope": "staff:" + s.bluebell})
	document := dbx.Params{"organization": s.bluebell, "request": id, "item": item, "file": "a.pdf", "state": "ready", "author_name": "Anna Bell", "uploader_user": s.anna.ID, "version": 1, "title": "loan.pdf", "scope": s.bluebell}
	s.insert(schema.Documents, document)
	s.insert(schema.Documents, dbx.Params{"organization": s.bluebell, "request": id, "file": "b.pdf", "state": "ready", "author_name": "Sam Ford", "version": 1, "title": "private.pdf", "scope": "staff:" + s.bluebell})
	s.insert(schema.Notifications, dbx.Params{"event": "e", "user": s.anna.ID, "request": id, "channel": "email", "status": "suppressed", "why": "Already in the digest.", "title": "Year end: 1 item needs another look", "dedupe": "d"})
	s.insert(schema.Jobs, dbx.Params{"name": "crm.upsert_company", "system": "crm", "request": id, "status": "dead", "attempts": 3, "idempotency_key": "k", "last_error": "VAT number missing"})
	due, urgent := "2026-12-01", "urgent"
	s.must(s.engine.PatchRequest(context.Background(), s, id, s.sam, workflow.RequestPatch{Due: &due, Priority: &urgent}))

	anna := read[Timeline](s, s.anna, path)
	equal(t, "Anna's first line", anna.Items[0].Kind+": "+anna.Items[0].Text, `summary: Your turn since Thu 19 Nov 15:00, because Sam Ford moved it on. Next: 1 item to give.`)
	equal(t, "counted without the first line", anna.TotalItems, len(anna.Items)-1)
	equal(t, "Anna's history", lines(anna), strings.Join([]string{
		"summary: " + anna.Summary + " ",
		`document: Anna Bell added the file "loan.pdf" to "Any loans?". `,
		`message: Anna Bell wrote a message. I will look.`,
		`transition: Sam Ford moved this on. Now: We need some things from you.`,
		`review: Sam Ford sent back "Any loans?". Incomplete. Which bank?`,
		`transition: Sam Ford moved this on. Now: We are checking what you sent.`,
		`transition: Anna Bell did "Send". Now: Received - we will look at it shortly.`,
		`transition: Sam Ford moved this on. Now: We need some things from you.`,
	}, ", "))

	sam := read[Timeline](s, s.sam, path)
	equal(t, "Sam's first line", sam.Summary, `Waiting on the client since Thu 19 Nov 15:00, because Sam Ford did "Ask the client". Next: the client gives 1 more item.`)
	for _, want := range []string{
		`transition: Sam Ford did "Ask the client". In review → Waiting for client.`,
		`change: Anna Bell changed "Any loans?". Text: nothing → None; Status: missing → provided.`,
		`Due: 30 Nov 2026 → 1 Dec 2026; Priority: normal → urgent.`,
		`note: Sam Ford wrote an internal note. Careful here.`,
		`document: Sam Ford added the file "private.pdf".`,
		`notification: Email to Anna Bell not sent: Year end: 1 item needs another look. Because: Already in the digest.`,
		`job: Upsert company (Crm): stopped, needs a person. 3 attempts. VAT number missing.`,
		`change: Sam Ford opened this request.`,
	} {
		if !strings.Contains(lines(sam), want) {
			t.Errorf("Sam is not told %q in\n%s", want, lines(sam))
		}
	}
	equal(t, "newest first", sam.Items[1].At, at)
	equal(t, "Sol sees the truth", read[Timeline](s, s.sol, path).TotalItems, sam.TotalItems)
	for _, e := range append(anna.Items, sam.Items...) {
		if len(strings.Fields(e.Text)) < 2 || strings.Contains(e.Text, "_") {
			t.Errorf("not a sentence: %+v", e)
		}
	}
}

func TestTimeline_pagesMeetWithoutGaps(t *testing.T) {
	s := newStage(t)
	id, _ := s.story()
	for n := range 40 {
		s.insert(schema.Messages, dbx.Params{"request": id, "author_name": "Anna Bell", "body": "Hello", "scope": s.bluebell})
		if n%4 == 0 {
			s.later(time.Second)
		}
	}
	for _, as := range []schema.Actor{s.anna, s.sam} {
		seen, pages := map[string]bool{}, 0
		for page := 1; ; page++ {
			tl := read[Timeline](s, as, "/api/portal/requests/"+id+"/timeline?perPage=9&page="+string(rune('0'+page)))
			for _, e := range tl.Items {
				if e.Kind == "summary" && page > 1 || seen[e.ID] {
					t.Fatalf("page %d: %+v again", page, e)
				}
				seen[e.ID] = true
			}
			if pages++; page*tl.PerPage >= tl.TotalItems {
				equal(t, "all entries", len(seen), tl.TotalItems+1)
				break
			}
		}
	}
	equal(t, "at most 200", read[Timeline](s, s.anna, "/api/portal/requests/"+id+"/timeline?perPage=9999").PerPage, 200)
}

func TestTimeline_timesInThePersonsZone(t *testing.T) {
	s := newStage(t)
	id := s.open(s.sam, "hold_flow", s.bluebell, "Year end")
	s.must(schema.Update(s, schema.Users, s.anna.ID, dbx.Params{"timezone": "Asia/Tokyo"}))
	equal(t, "Tokyo", read[Timeline](s, s.anna, "/api/portal/requests/"+id+"/timeline").Summary, "With us since Thu 19 Nov 18:00, because Sam Ford opened it. You do not need to do anything now.")
	equal(t, "the firm's", read[Timeline](s, s.sam, "/api/portal/requests/"+id+"/timeline").Summary, "Waiting on us since Thu 19 Nov 09:00, because Sam Ford opened it. Now: In review.")
	s.must(schema.Update(s, schema.Users, s.ben.ID, dbx.Params{"timezone": "Nowhere"}))
	code, _ := s.get(s.ben, "/api/portal/requests/"+id+"/timeline")
	equal(t, "the office does not see its parent's", code, 404)
}

func TestTimeline_aHiddenStateLeavesNoTrace(t *testing.T) {
	s := newStage(t)
	id := s.open(s.sam, "hold_flow", s.bluebell, "Year end")
	path := "/api/portal/requests/" + id + "/timeline"
	anna := read[Timeline](s, s.anna, path)
	s.later(time.Hour)
	s.step(s.pia, id, "escalate", func(in *workflow.Input) { in.InternalNote = "Smells." })
	equal(t, "Anna", read[Timeline](s, s.anna, path), anna)
	sam := read[Timeline](s, s.sam, path)
	equal(t, "Sam sees what Anna sees", lines(sam)[len("summary: "+sam.Summary):], lines(anna)[len("summary: "+anna.Summary):])
	equal(t, "in staff's words", sam.Summary, "Waiting on us since Thu 19 Nov 09:00, because Sam Ford opened it. Now: We are checking.")
	equal(t, "compliance sees all", strings.Contains(lines(read[Timeline](s, s.pia, path)), "Smells."), true)

	s.later(time.Hour)
	s.step(s.pia, id, "release", func(in *workflow.Input) { in.InternalNote = "Fine." })
	equal(t, "Anna after it", read[Timeline](s, s.anna, path), anna)
}
