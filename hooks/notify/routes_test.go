package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

func (s *stage) door(demo bool) http.Handler {
	s.t.Helper()
	r, err := apis.NewRouter(s)
	if err != nil {
		s.t.Fatal(err)
	}
	m := Mails{App: s, Clock: s.post.Clock, Demo: demo}
	r.GET("/api/portal/mails", m.ListRoute)
	r.GET("/api/portal/mails/{id}", m.ViewRoute)
	mux, err := r.BuildMux()
	if err != nil {
		s.t.Fatal(err)
	}
	return mux
}

func (s *stage) get(door http.Handler, collection, id, path string) (int, string) {
	s.t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	if id != "" {
		token, err := s.record(collection, id).NewAuthToken()
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Authorization", token)
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func TestMails_whoMayRead(t *testing.T) {
	s := newStage(t)
	s.happen("request.send", byPriya, sendPayload())
	mailID := s.text(`SELECT id FROM mails WHERE [[to]] = 'ana@bluebell.example'`)
	s.person(core.CollectionNameSuperusers, "sol000000000000", map[string]any{"email": "sol@firm.example"})
	house, demo := s.door(false), s.door(true)
	for _, c := range []struct {
		name, collection, id string
		door                 http.Handler
		status               int
	}{
		{"nobody", "", "", house, 401},
		{"a client", schema.Users, anaID, house, 403},
		{"an operator", schema.Staff, priyaID, house, 400},
		{"an operator in the demo", schema.Staff, priyaID, demo, 200},
		{"a client in the demo", schema.Users, anaID, demo, 403},
		{"a manager", schema.Staff, tomID, house, 200},
		{"an owner", schema.Staff, helenID, house, 200},
		{"a superuser", core.CollectionNameSuperusers, "sol000000000000", house, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/api/portal/mails", "/api/portal/mails/" + mailID} {
				code, body := s.get(c.door, c.collection, c.id, path)
				if code != c.status || (code == 200) != strings.Contains(body, "ana@bluebell.example") {
					t.Errorf("%s: %d %s", path, code, body)
				}
			}
		})
	}
	_, body := s.get(house, schema.Staff, tomID, "/api/portal/mails/"+mailID)
	for _, part := range []string{`"text":"Hello Ana`, `"html":"<!doctype`, `"why":"We need some things from Bluebell`, `"kind":"your_turn"`, `"request":"` + requestID} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is not in %s", part, body)
		}
	}
}

func TestMails_aWallHidesThem(t *testing.T) {
	s := newStage(t)
	s.happen("request.send", byPriya, sendPayload())
	for entry := 1; entry <= 2; entry++ {
		s.happen("request.submit", byAna, map[string]any{"from": "waiting", "to": "submitted", "entry": entry, "label": "Submitted"})
	}
	s.invitation("queued", 1)
	s.happen("invitation.created", byPriya, map[string]any{"invitation": "invite000000000", "sent_count": 1})
	s.now = s.now.Add(2 * 3600e9)
	s.pass()
	house := s.door(false)
	if _, body := s.get(house, schema.Staff, tomID, "/api/portal/mails"); strings.Count(body, `"id":`) != 5 {
		t.Fatal(body)
	}
	s.lose(tomID)
	if _, body := s.get(house, schema.Staff, tomID, "/api/portal/mails"); strings.Count(body, `"id":`) != 0 {
		t.Fatal(body)
	}
}

func TestMails_pages(t *testing.T) {
	s := newStage(t)
	for i := range 25 {
		s.row(schema.Mails, fmt.Sprintf("mail%011d", i), dbx.Params{
			"kind": "other", "to": "a@b.example", "subject": "x", "message_id": fmt.Sprint(i),
			"status": []string{"sent", "kept"}[i%2], "created": fmt.Sprintf("2026-12-09 14:%02d:00.000Z", i/3),
		})
	}
	house := s.door(false)
	seen, next := map[string]bool{}, ""
	for range 3 {
		code, body := s.get(house, schema.Staff, helenID, "/api/portal/mails?perPage=10&after="+next)
		var page struct {
			Items []MailRow
			Next  string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || code != 200 {
			t.Fatal(code, body)
		}
		for _, m := range page.Items {
			if seen[m.ID] {
				t.Fatalf("%s twice", m.ID)
			}
			seen[m.ID] = true
		}
		next = page.Next
	}
	if len(seen) != 25 || next != "" {
		t.Fatalf("%d mails, next %q", len(seen), next)
	}
	if _, body := s.get(house, schema.Staff, helenID, "/api/portal/mails?status=kept&perPage=50"); strings.Count(body, `"id":`) != 12 {
		t.Fatal(body)
	}
	for _, bad := range []string{"?status=lost", "?after=%21%21"} {
		if code, body := s.get(house, schema.Staff, helenID, "/api/portal/mails"+bad); code != 400 {
			t.Fatal(code, body)
		}
	}
}
