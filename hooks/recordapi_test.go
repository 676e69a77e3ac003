package hooks_test

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// fileURL is the address of a document for somebody's file token.
func fileURL(t *testing.T, s *gatetest.Stage, document string, who *core.Record) string {
	t.Helper()
	d, err := s.FindRecordById("documents", document)
	if err != nil {
		t.Fatal(err)
	}
	address := "/api/files/documents/" + d.Id + "/" + d.GetString("file")
	if who == nil {
		return address
	}
	return address + "?token=" + s.FileToken(t, who)
}

func TestFiles_areHandedOutUnderTheirNameAndOnTheTrail(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	sent := s.Send(t, s.Anna, map[string]string{"item": s.Item(t, id, "Bank statement").Id}, "Kontoauszug März 2026.pdf", gatetest.PDF("March"))
	want(t, sent, 200)
	document := sent.Body["id"].(string)

	got := s.Ask(t, s.Anna, "GET", fileURL(t, s, document, s.Anna), nil)
	want(t, got, 200)
	if !bytes.Equal(got.Raw, gatetest.PDF("March")) {
		t.Error("the file came back changed")
	}
	if cache := got.Header.Get("Cache-Control"); cache != "private, no-store" {
		t.Errorf("Cache-Control: %s", cache)
	}
	if name := got.Header.Get("Content-Disposition"); !strings.Contains(name, "Kontoauszug") || !strings.Contains(strings.ToLower(name), strings.ToLower(url.PathEscape("ä"))) && !strings.Contains(name, "ä") {
		t.Errorf("Content-Disposition: %s", name)
	}
	want(t, s.Ask(t, s.Sam, "GET", fileURL(t, s, document, s.Sam), nil), 200)
	for name, who := range map[string]*core.Record{"another client": s.Cleo, "an office below": s.Ben, "nobody": nil} {
		if a := s.Ask(t, who, "GET", fileURL(t, s, document, who), nil); a.Status != 404 {
			t.Errorf("%s gets %d", name, a.Status)
		}
	}
	want(t, s.Ask(t, s.Anna, "GET", fileURL(t, s, document, nil), nil), 404) // being signed in is not enough: the address needs its token
	var readers []string
	if err := s.DB().NewQuery(`SELECT actor_name FROM audit_log WHERE action = 'download' AND record = {:id} ORDER BY seq`).Bind(dbx.Params{"id": document}).Column(&readers); err != nil {
		t.Fatal(err)
	}
	equalLists(t, "who downloaded", readers, []string{"Anna", "Sam"})
}

func TestLists_ofSomebodyWhoSeesNothing(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	nia := s.Add(t, "users", map[string]any{"email": "nia@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "Nia", "verified": true})
	collections, err := s.FindAllCollections("base")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, c := range collections {
		if c.ListRule == nil || slices.Contains([]string{"forms", "texts"}, c.Name) {
			continue
		}
		read++
		for _, query := range []string{"", "?skipTotal=1", "?sort=-created&perPage=500", "?filter=" + url.QueryEscape("id != ''")} {
			a := s.Ask(t, nia, "GET", "/api/collections/"+c.Name+"/records"+query, nil)
			want(t, a, 200)
			if items := a.Body["items"].([]any); len(items) != 0 || a.Body["totalItems"].(float64) > 0 {
				t.Errorf("%s%s shows %s", c.Name, query, a.Raw)
			}
		}
	}
	if read < 15 {
		t.Fatalf("only %d collections were read", read)
	}
}

// A filter or an order that reaches for what one may not see must not work as an
// oracle: a true guess and a false one give the same answer.
func TestFilters_areNoOracle(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	want(t, s.Ask(t, s.Sam, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "Slow payers"}), 200)
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "Name on a list"})
	theirs := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Kestrel.Id, Title: "Theirs", Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	s.Move(t, s.Sam, theirs, "send")
	for _, c := range []struct {
		name       string
		who        *core.Record
		collection string
		yes, no    string
	}{
		{"the true state, over the organization", s.Anna, "client_requests", "organization.requests_via_organization.state ?= 'compliance_hold'", "organization.requests_via_organization.state ?= 'nowhere'"},
		{"the same, of any", s.Anna, "client_requests", "organization.requests_via_organization.state = 'compliance_hold'", "organization.requests_via_organization.state = 'nowhere'"},
		{"a staff field, over the organization", s.Anna, "client_requests", "organization.requests_via_organization.assignee.name ?= 'Sam'", "organization.requests_via_organization.assignee.name ?= 'Nobody'"},
		{"the true state, over a document", s.Anna, "documents", "request.state = 'compliance_hold'", "request.state = 'nowhere'"},
		{"the true state, over a message", s.Anna, "messages", "request.state = 'compliance_hold'", "request.state = 'nowhere'"},
		{"notes, over a document", s.Anna, "documents", "request.internal_notes_via_request.body ?~ 'Slow'", "request.internal_notes_via_request.body ?~ 'Quick'"},
		{"a reviewer's decision, over a document", s.Anna, "documents", "item.reviewer != ''", "item.reviewer = 'x'"},
		{"another client's requests", s.Cleo, "client_requests", "@collection.client_requests.title ?= 'Welcome'", "@collection.client_requests.title ?= 'Nothing'"},
		{"another client's true requests", s.Cleo, "client_requests", "@collection.requests.state ?= 'compliance_hold'", "@collection.requests.state ?= 'nowhere'"},
		{"another client's notes", s.Cleo, "client_requests", "@collection.internal_notes.body ?~ 'Slow'", "@collection.internal_notes.body ?~ 'Quick'"},
		{"who has access", s.Cleo, "client_requests", "@collection.access.scope ?= '" + s.Bluebell.Id + "'", "@collection.access.scope ?= 'nobody'"},
		{"masked values", s.Cleo, "client_requests", "@collection.field_secrets.value ?~ '" + taxReference + "'", "@collection.field_secrets.value ?~ 'nothing'"},
		{"another client's people", s.Cleo, "client_requests", "@collection.users.email ?~ 'Anna'", "@collection.users.email ?~ 'Nobody'"},
		{"passwords of staff", s.Cleo, "client_requests", "@collection.staff.password ?~ '$'", "@collection.staff.password ?~ '#'"},
		{"hidden keys of people", s.Sam, "users", "tokenKey != ''", "tokenKey = ''"},
		{"hidden hashes of invitations", s.Sam, "invitations", "token_hash != ''", "token_hash = ''"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask := func(query string) string {
				return plainly(s.Ask(t, c.who, "GET", "/api/collections/"+c.collection+"/records?"+query, nil))
			}
			if yes, no := ask("filter="+url.QueryEscape(c.yes)), ask("filter="+url.QueryEscape(c.no)); yes != no {
				t.Errorf("%s tells by a filter:%s", c.name, difference(yes, no))
			}
		})
	}
	for _, expand := range []string{"organization.requests_via_organization", "organization.internal_notes_via_organization", "request", "request.internal_notes_via_request", "item", "organization.memberships_via_organization.user"} {
		for _, collection := range []string{"client_requests", "documents", "messages"} {
			a := s.Ask(t, s.Anna, "GET", "/api/collections/"+collection+"/records?expand="+expand, nil)
			if told := tellTale.Find(a.Raw); told != nil || bytes.Contains(a.Raw, []byte("Slow payers")) || bytes.Contains(a.Raw, []byte("internal_notes\"")) || bytes.Contains(a.Raw, []byte("collectionName\":\"requests\"")) || bytes.Contains(a.Raw, []byte("collectionName\":\"items\"")) {
				t.Errorf("%s expanded by %s tells: %s", collection, expand, a.Raw)
			}
		}
	}
}

func TestRealtime_onlyTheOwnTopic(t *testing.T) {
	s := gatetest.New(t)
	for _, c := range []struct {
		name   string
		who    *core.Record
		topics []string
		want   int
	}{
		{"Anna listens to herself", s.Anna, []string{"person/" + s.Anna.Id}, 204},
		{"to nothing", s.Anna, []string{}, 204},
		{"to another person", s.Anna, []string{"person/" + s.Cleo.Id}, 403},
		{"to a collection", s.Anna, []string{"client_requests/*"}, 403},
		{"to a record", s.Anna, []string{"client_requests/abc"}, 403},
		{"to a collection beside herself", s.Anna, []string{"person/" + s.Anna.Id, "messages"}, 403},
		{"to a collection with options", s.Anna, []string{`client_requests/*?options={"query":{}}`}, 403},
		{"to what only looks like herself", s.Anna, []string{"person/" + s.Anna.Id + "/x"}, 403},
		{"Sam listens to himself", s.Sam, []string{"person/" + s.Sam.Id}, 204},
		{"to a collection, as staff", s.Sam, []string{"requests/*"}, 403},
		{"nobody listens to somebody", nil, []string{"person/" + s.Anna.Id}, 403},
		{"nobody listens to a collection", nil, []string{"notifications/*"}, 403},
		{"a superuser keeps the dashboard's topics", s.Sol, []string{"requests/*"}, 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := s.House.Live.NewConnection()
			s.SubscriptionsBroker().Register(client)
			defer s.SubscriptionsBroker().Unregister(client.Id())
			a := s.Ask(t, c.who, "POST", "/api/realtime", map[string]any{"clientId": client.Id(), "subscriptions": c.topics})
			want(t, a, c.want)
			if heard := len(client.Subscriptions()); (c.want == 204 && heard != len(c.topics)) || (c.want != 204 && heard != 0) {
				t.Errorf("listens to %d topics", heard)
			}
		})
	}
}

// A ping says that something changed, to those who may see it, and only that.
func TestRealtime_pingsThoseWhoMaySee(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	s.Deliver(t)
	listeners := map[string]subscriptions.Client{}
	for _, who := range []*core.Record{s.Anna, s.Cleo, s.Sam, s.Ruth} {
		client := s.House.Live.NewConnection()
		s.SubscriptionsBroker().Register(client)
		want(t, s.Ask(t, who, "POST", "/api/realtime", map[string]any{"clientId": client.Id(), "subscriptions": []string{"person/" + who.Id}}), 204)
		listeners[who.GetString("name")] = client
	}
	hears := func(name string) string {
		t.Helper()
		select {
		case m := <-listeners[name].Channel():
			return string(m.Data)
		case <-time.After(30 * time.Second):
			t.Fatalf("%s hears nothing", name)
			return ""
		}
	}
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "Name on a list"})
	s.Deliver(t)
	if heard := hears("Ruth"); !strings.Contains(heard, id) || strings.Contains(heard, "hold") {
		t.Errorf("Ruth hears %s", heard)
	}
	s.Move(t, s.Pat, id, "decline", workflow.Input{InternalNote: "It is the one"})
	s.Deliver(t)
	// Had the hold pinged Anna, that ping would be the first and carry an older revision.
	now := s.Ask(t, s.Anna, "GET", request(id), nil).Body["revision"]
	if heard := hears("Anna"); !strings.Contains(heard, fmt.Sprintf(`"revision":%v`, now)) {
		t.Errorf("Anna hears %s, but is at revision %v", heard, now)
	}
	select {
	case m := <-listeners["Cleo"].Channel():
		t.Errorf("another client hears %s", m.Data)
	default:
	}
}

func TestBodies_thatAreTooLarge(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	huge := `{"transition": "send", "internal_note": "` + strings.Repeat("x", 33<<20) + `"}`
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/transition"), huge), 413)
	isIn(t, s, id, "draft")
}

func TestDocuments_refusals(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	file, question := s.Item(t, id, "Bank statement").Id, s.Item(t, id, "Any loans?").Id
	encrypted := bytes.Replace(gatetest.PDF("secret"), []byte("trailer<<"), []byte("trailer<</Encrypt 9 0 R"), 1)
	for _, c := range []struct {
		name    string
		who     *core.Record
		item    string
		file    string
		content []byte
		status  int
		field   string
		code    string
	}{
		{"a type that is not asked for", s.Anna, file, "virus.exe", []byte("MZ"), 400, "file", "file_type"},
		{"no ending", s.Anna, file, "statement", gatetest.PDF("x"), 400, "file", "file_type"},
		{"an ending behind an ending", s.Anna, file, "statement.pdf.exe", gatetest.PDF("x"), 400, "file", "file_type"},
		{"a page that calls itself a PDF", s.Anna, file, "statement.pdf", []byte("<!doctype html><script>alert(1)</script>"), 400, "file", "file_content"},
		{"a program that calls itself a picture", s.Anna, file, "me.jpg", []byte("MZ\x90\x00\x03"), 400, "file", "file_content"},
		{"a locked PDF", s.Anna, file, "locked.pdf", encrypted, 400, "file", "file_content"},
		{"an empty file", s.Anna, file, "empty.pdf", nil, 400, "file", "file_empty"},
		{"a file above the limit", s.Anna, file, "big.pdf", append(gatetest.PDF("x"), bytes.Repeat([]byte(" "), 50<<20)...), 413, "file", "file_size"},
		{"an item that takes no file", s.Anna, question, "loans.pdf", gatetest.PDF("x"), 400, "item", "bad_input"},
		{"an item of another client", s.Cleo, file, "mine.pdf", gatetest.PDF("x"), 404, "", ""},
		{"an item that does not exist", s.Cleo, "nope", "mine.pdf", gatetest.PDF("x"), 404, "", ""},
		{"by a viewer", s.Vera, file, "mine.pdf", gatetest.PDF("x"), 400, "item", "item_locked"},
		{"by staff, for the client", s.Sam, file, "mine.pdf", gatetest.PDF("x"), 400, "item", "item_locked"},
		{"by nobody", nil, file, "mine.pdf", gatetest.PDF("x"), 400, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.Send(t, c.who, map[string]string{"item": c.item}, c.file, c.content)
			want(t, a, c.status)
			if c.code != "" && a.Code(c.field) != c.code {
				t.Errorf("code %q: %s", a.Code(c.field), a.Raw)
			}
			if a.Message() == "" || bytes.Contains(a.Raw, []byte("mime")) {
				t.Errorf("words for people: %s", a.Raw)
			}
		})
	}
	var stored int
	if scan(t, s.App(), `SELECT COUNT(*) FROM documents WHERE request = {:id}`, id, &stored); stored != 0 {
		t.Fatalf("%d refused files were kept", stored)
	}
	for n := range 20 {
		s.Upload(t, s.Anna, file, fmt.Sprintf("page%d.pdf", n), nil)
	}
	if a := s.Send(t, s.Anna, map[string]string{"item": file}, "one-more.pdf", gatetest.PDF("x")); a.Status != 400 || a.Code("file") != "file_count" {
		t.Errorf("one file too many: %s", a.Raw)
	}
	s.Answer(t, s.Anna, question, map[string]any{"text": "None"})
	s.Answer(t, s.Anna, s.Item(t, id, "All is complete").Id, map[string]any{"accepted": true})
	s.Move(t, s.Anna, id, "submit")
	if a := s.Send(t, s.Anna, map[string]string{"item": file}, "late.pdf", gatetest.PDF("x")); a.Status != 400 || a.Code("item") != "item_locked" {
		t.Errorf("after it was sent: %s", a.Raw)
	}
	var sent string
	if err := s.DB().NewQuery(`SELECT id FROM documents WHERE request = {:id} LIMIT 1`).Bind(dbx.Params{"id": id}).Row(&sent); err != nil {
		t.Fatal(err)
	}
	if a := s.Ask(t, s.Anna, "DELETE", "/api/collections/documents/records/"+sent, nil); a.Status != 400 || a.Message() != "This file was sent already, so it stays." {
		t.Errorf("what was sent stays: %s", a.Raw)
	}
}

// Attachments of a message belong to its request. Whether another one exists is
// nobody's business.
func TestMessages_attachmentsOfAnotherRequest(t *testing.T) {
	s := gatetest.New(t)
	var ids, documents []string
	for range 2 {
		id := s.Simple(t)
		s.Move(t, s.Sam, id, "send")
		ids = append(ids, id)
		documents = append(documents, s.Upload(t, s.Anna, s.Item(t, id, "Bank statement").Id, "statement.pdf", nil).Id)
	}
	theirs := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Kestrel.Id, Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Why?"}}})
	s.Move(t, s.Sam, theirs, "send")
	post := func(who *core.Record, request string, documents ...string) gatetest.Answer {
		return s.Ask(t, who, "POST", "/api/collections/messages/records", map[string]any{"request": request, "body": "Look", "documents": documents})
	}
	want(t, post(s.Anna, ids[0], documents[0]), 200)
	if a := post(s.Anna, ids[0], documents[1]); a.Status != 400 || a.Code("documents") != "bad_input" {
		t.Errorf("of another request: %s", a.Raw)
	}
	exists, not := post(s.Cleo, theirs, documents[0]), post(s.Cleo, theirs, "doesnotexist000")
	if want(t, exists, 400); plainly(exists) != plainly(not) {
		t.Errorf("another client's document shows by:%s", difference(plainly(exists), plainly(not)))
	}
	var count int
	if scan(t, s.App(), `SELECT COUNT(*) FROM messages WHERE request IN ({:id}, '`+theirs+`')`, ids[0], &count); count != 1 {
		t.Errorf("%d messages", count)
	}
}

func TestTransition_twiceMovesOnce(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	want(t, s.Ask(t, s.Anna, "POST", request(id, "/transition"), map[string]any{"transition": "submit"}), 200)
	again := s.Ask(t, s.Anna, "POST", request(id, "/transition"), map[string]any{"transition": "submit"})
	if want(t, again, 400); again.Code("unknown_transition") != "unknown_transition" {
		t.Errorf("the second time: %s", again.Raw)
	}
	trail(t, s, id, 2)
}

func TestSignIn_thatHasExpired(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	session := access.SessionIn(s.Token(t, s.Anna))
	sign := func(key string, lasts time.Duration) string {
		token, err := security.NewJWT(jwt.MapClaims{"type": core.TokenTypeAuth, "id": s.Anna.Id, "collectionId": s.Anna.Collection().Id, "refreshable": true, "session": session}, key, lasts)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	key := s.Anna.TokenKey() + s.Anna.Collection().AuthToken.Secret
	want(t, s.Ask(t, nil, "GET", request(id), nil, "Authorization", sign(key, time.Minute)), 200)
	for name, token := range map[string]string{"expired": sign(key, -time.Second), "of another key": sign("another key, long enough for the purpose", time.Minute), "nonsense": "abc.def.ghi", "a file token": mustToken(t, s.Anna.NewFileToken)} {
		if a := s.Ask(t, nil, "GET", request(id), nil, "Authorization", token); a.Status != 401 {
			t.Errorf("%s: %d", name, a.Status)
		}
		if a := s.Ask(t, nil, "GET", "/api/collections/client_requests/records", nil, "Authorization", token); a.Body["totalItems"] != 0.0 {
			t.Errorf("%s lists %s", name, a.Raw)
		}
	}
	// A new password ends every sign-in.
	old := s.Token(t, s.Anna)
	s.Anna.SetPassword("another sentence altogether")
	if err := s.Save(s.Anna); err != nil {
		t.Fatal(err)
	}
	want(t, s.Ask(t, nil, "GET", request(id), nil, "Authorization", old), 401)
}

func mustToken(t *testing.T, sign func() (string, error)) string {
	t.Helper()
	token, err := sign()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
