package notify

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

func TestPost_oneNoticeAndOneMailForEachPerson(t *testing.T) {
	s := newStage(t)
	s.happen("request.send", byPriya, sendPayload())
	equal(t, s.notices(), "ana email waiting We need some things from Bluebell Bakery Ltd.", "ben email waiting We need some things from Bluebell Bakery Ltd.")
	equal(t, s.mails(), "ana@bluebell.example your_turn waiting", "ben@bluebell.example your_turn waiting")
	text := s.text(`SELECT text FROM mails WHERE [[to]] = 'ana@bluebell.example'`)
	for _, part := range []string{"Hello Ana Petrova,", "Photo ID", "https://portal.example:8443/r/" + requestID + "#item-photo_id", "Due: Sat 12 Dec.", "You get this because we need some things from Bluebell Bakery Ltd."} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	id := s.text(`SELECT message_id FROM mails WHERE [[to]] = 'ana@bluebell.example'`)
	if id != "<"+s.text(`SELECT notification FROM mails WHERE [[to]] = 'ana@bluebell.example'`)+"@portal.example>" {
		t.Errorf("Message-ID %s", id)
	}
}

func TestPost_theSameEventTwiceChangesNothing(t *testing.T) {
	s := newStage(t)
	s.happen("request.send", byPriya, sendPayload())
	before := append(s.notices(), s.mails()...)
	if _, err := s.DB().NewQuery(`DELETE FROM event_cursors`).Execute(); err != nil {
		t.Fatal(err)
	}
	s.deliver()
	equal(t, append(s.notices(), s.mails()...), before...)
}

func TestPost_whatWasToldIsNotToldAgain(t *testing.T) {
	s := newStage(t)
	s.happen("request.send", byPriya, sendPayload())
	s.happen("request.send", byPriya, sendPayload())
	equal(t, s.mails(), "ana@bluebell.example your_turn waiting", "ben@bluebell.example your_turn waiting")
	got := strings.Join(s.notices(), "\n")
	if strings.Count(got, "email suppressed "+toldOnce) != 2 {
		t.Fatalf("got\n%s", got)
	}
	second := sendPayload()
	second["entry"] = 2
	s.happen("request.send", byPriya, second)
	if n := len(s.mails()); n != 4 {
		t.Fatalf("a second round is another thing: %d mails", n)
	}
}

func TestPost_withoutSightNothing(t *testing.T) {
	s := newStage(t)
	s.lose(benID)
	s.happen("request.submit", schema.Actor{Kind: schema.ActorUser, ID: benID}, map[string]any{"from": "waiting", "to": "submitted", "entry": 1, "submitter": benID})
	if got := s.text(`SELECT status || '|' || why || '|' || title || '|' || link FROM notifications WHERE user = '` + benID + `'`); got != "suppressed|"+noSight+"||" {
		t.Fatal(got)
	}
}

func TestPost_eventsThatConcernNobody(t *testing.T) {
	s := newStage(t)
	s.happen("document.added", byAna, nil)
	s.happen("internal_note.added", byPriya, map[string]any{"note": "n1"})
	equal(t, s.notices())
}

func TestPost_messageGoesToTheOtherSide(t *testing.T) {
	s := newStage(t)
	s.row(schema.Messages, "message00000000", dbx.Params{"request": requestID, "organization": orgID, "author_user": anaID, "author_name": "Ana Petrova", "body": "Which <b>year</b>?", "scope": orgID})
	s.happen("message.posted", byAna, map[string]any{"message": "message00000000"})
	equal(t, s.mails(), "priya@firm.example message waiting", "tom@firm.example message waiting")
	if html := s.text(`SELECT html FROM mails LIMIT 1`); !strings.Contains(html, "Which &lt;b&gt;year&lt;/b&gt;?") || !strings.Contains(html, "/_/#/gatehouse/request/"+requestID) {
		t.Fatal(html)
	}
}

func TestPost_receiptListsWhatWasSent(t *testing.T) {
	s := newStage(t)
	s.row(schema.ClientItems, "item00000000000", dbx.Params{"request": requestID, "section": "things", "key": "photo_id", "title": "Photo ID", "kind": "file", "status": "provided", "label": "With us", "scope": orgID})
	s.happen("request.submit", byAna, map[string]any{"from": "waiting", "to": "submitted", "entry": 1, "submitter": anaID, "label": "Submitted"})
	equal(t, s.mails(), "ana@bluebell.example submitted waiting")
	if text := s.text(`SELECT text FROM mails`); !strings.Contains(text, "- Photo ID") {
		t.Fatal(text)
	}
}

func TestDigest_oneMailForTheHour(t *testing.T) {
	s := newStage(t)
	submit := func(entry int) {
		s.happen("request.submit", byAna, map[string]any{"from": "waiting", "to": "submitted", "entry": entry, "submitter": anaID, "label": "Submitted"})
	}
	submit(1)
	s.now = s.now.Add(10 * time.Minute)
	submit(2)
	s.pass()
	equal(t, s.mails(), "ana@bluebell.example submitted kept", "ana@bluebell.example submitted kept")
	s.lose(tomID)
	s.now = time.Date(2026, 12, 9, 17, 30, 0, 0, time.UTC) // the server was down at 15:00
	s.pass()
	s.pass()
	equal(t, s.mails(), "ana@bluebell.example submitted kept", "ana@bluebell.example submitted kept", "priya@firm.example digest kept")
	text := s.text(`SELECT text FROM mails WHERE kind = 'digest'`)
	if strings.Count(text, "Year-end papers (Bluebell Bakery Ltd): Submitted") != 2 {
		t.Fatal(text)
	}
	for _, line := range s.notices() {
		if strings.HasPrefix(line, "tom email") && !strings.Contains(line, "suppressed Is somebody else's matter now") {
			t.Fatal(line)
		}
	}
}

func TestDigest_ofOneIsTheLetterItself(t *testing.T) {
	s := newStage(t)
	s.lose(tomID)
	s.happen("request.submit", byAna, map[string]any{"from": "waiting", "to": "submitted", "entry": 1, "submitter": "", "label": "Submitted"})
	s.now = s.now.Add(time.Hour)
	s.pass()
	equal(t, s.mails(), "priya@firm.example staff kept")
}

func TestDigest_tellsNothingThatMayNotBeSeenAnyMore(t *testing.T) {
	s := newStage(t)
	s.lose(tomID)
	for entry := 1; entry <= 2; entry++ {
		s.happen("request.submit", byAna, map[string]any{"from": "waiting", "to": "submitted", "entry": entry, "label": "Submitted"})
	}
	s.now = s.now.Add(time.Hour)
	if err := s.post.Digest(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.lose(priyaID)
	s.pass()
	s.pass()
	equal(t, s.mails(), "priya@firm.example digest kept")
	for _, line := range s.notices() {
		if strings.Contains(line, "email") && !strings.Contains(line, "suppressed") {
			t.Fatal(line)
		}
	}
}

func (s *stage) invitation(status string, sent int) {
	s.t.Helper()
	s.row(schema.Invitations, "invite000000000", dbx.Params{
		"email": "new@bluebell.example", "name": "Nia", "organization": orgID, "role": "member", "invited_by": tomID,
		"status": status, "sent_count": sent, "expires": "2026-12-16 14:05:00.000Z", "token_hash": "x", "scope": "staff:" + orgID,
	})
}

func TestInvitation_mailCarriesTheLink(t *testing.T) {
	s := newStage(t)
	s.invitation("queued", 1)
	s.happen("invitation.created", schema.Actor{Kind: schema.ActorStaff, ID: tomID}, map[string]any{"invitation": "invite000000000", "sent_count": 1})
	equal(t, s.mails(), "new@bluebell.example invitation waiting")
	text := s.text(`SELECT text FROM mails`)
	for _, part := range []string{"Hello Nia,", "Tom Weller at Gatehouse invited you to share documents for Bluebell Bakery Ltd.", "https://portal.example/invite/token-of-invite000000000", "valid until Wed 16 Dec", "Tom Weller entered your address."} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	s.pass()
	if got := s.text(`SELECT status FROM invitations`); got != "queued" {
		t.Fatalf("a kept mail was not sent, but the invitation says %s", got)
	}
}

func TestInvitation_withdrawnBeforeItsMail(t *testing.T) {
	s := newStage(t)
	s.invitation("revoked", 1)
	s.happen("invitation.created", byPriya, map[string]any{"invitation": "invite000000000", "sent_count": 1})
	equal(t, s.mails())
	if got := s.text(`SELECT why FROM notifications`); got != "The invitation is revoked." {
		t.Fatal(got)
	}
}

func TestInvitation_newsForWhoInvited(t *testing.T) {
	s := newStage(t)
	s.invitation("expired", 1)
	s.happen("invitation.renewal_asked", schema.System(), map[string]any{"invitation": "invite000000000", "sent_count": 1})
	s.happen("invitation.accepted", byAna, map[string]any{"invitation": "invite000000000"})
	equal(t, s.mails(), "tom@firm.example renewal waiting")
	s.lose(tomID)
	s.happen("invitation.accepted", byAna, map[string]any{"invitation": "invite000000000"})
	equal(t, s.notices(), "helen in_app sent You look after the people of Bluebell Bakery Ltd.",
		"tom email waiting You look after the people of Bluebell Bakery Ltd.", "tom in_app sent You look after the people of Bluebell Bakery Ltd.", "tom in_app sent You look after the people of Bluebell Bakery Ltd.")
}

func TestPost_rollsBackWithTheEvent(t *testing.T) {
	s := newStage(t)
	s.post.Link = func(core.App, string) (string, error) { return "", context.Canceled }
	s.invitation("queued", 1)
	e := map[string]any{"invitation": "invite000000000", "sent_count": 1}
	if err := schema.Insert(s, schema.Events, dbx.Params{"id": schema.NewID(), "seq": 1, "type": "invitation.created", "actor_kind": "system", "payload": schema.JSON(e), "at": schema.Stamp(s.now)}); err != nil {
		t.Fatal(err)
	}
	if err := s.bus.Drain(context.Background()); err == nil {
		t.Fatal("an error must hold the cursor")
	}
	equal(t, append(s.notices(), s.mails()...))
}
