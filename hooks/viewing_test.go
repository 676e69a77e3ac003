package hooks_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
)

// asView asks with a viewing's token instead of a sign-in.
func asView(t *testing.T, s *gatetest.Stage, token, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", token)
	w := httptest.NewRecorder()
	s.Handler(t).ServeHTTP(w, r)
	return w
}

func viewAs(t *testing.T, s *gatetest.Stage, staff, user *core.Record) string {
	t.Helper()
	a := s.Ask(t, staff, "POST", "/api/portal/view-as", map[string]any{"user": user.Id})
	want(t, a, 200)
	return a.Body["token"].(string)
}

// Staff who look as Anna see exactly what Anna sees, and can do nothing.
func TestViewing_seesWhatTheClientSeesAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	s := w.Stage
	token := viewAs(t, s, s.Sam, s.Anna)
	var visitBefore, visitAfter string
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/home", nil), 200)
	s.Clock.Move(time.Minute)
	for _, path := range []string{
		"/api/portal/me", "/api/portal/home", "/api/portal/requests", request(w.request), request(w.request, "/actions"), request(w.request, "/timeline"),
		"/api/collections/client_requests/records", "/api/collections/client_items/records", "/api/collections/documents/records", "/api/collections/messages/records",
		"/api/collections/organizations/records", "/api/collections/users/records/" + s.Anna.Id,
	} {
		borrowed := asView(t, s, token, "GET", path, "")
		own := s.Ask(t, s.Anna, "GET", path, nil)
		if borrowed.Code != own.Status || !sameJSON(borrowed.Body.Bytes(), own.Raw) {
			t.Errorf("%s: Anna gets %d %s, who looks as her %d %s", path, own.Status, own.Raw, borrowed.Code, borrowed.Body)
		}
	}
	scan(t, s, `SELECT at FROM reads WHERE person = {:id} AND request = ''`, s.Anna.Id, &visitBefore)
	s.Clock.Move(40 * time.Minute)
	token = viewAs(t, s, s.Sam, s.Anna)
	want200(t, asView(t, s, token, "GET", "/api/portal/home", ""))
	scan(t, s, `SELECT at FROM reads WHERE person = {:id} AND request = ''`, s.Anna.Id, &visitAfter)
	if visitBefore != visitAfter {
		t.Errorf("looking as Anna counts as Anna's visit: %s, then %s", visitBefore, visitAfter)
	}
	for _, path := range []string{"/api/collections/internal_notes/records", "/api/collections/requests/records", "/api/portal/sessions", "/api/portal/queue", "/api/portal/clients", "/api/collections/sessions/records", "/api/collections/_superusers/records", "/api/portal/access/explain", "/api/backups", "/api/logs"} {
		if a := asView(t, s, token, "GET", path, ""); a.Code != 403 {
			t.Errorf("%s answers %d", path, a.Code)
		}
	}
	for _, r := range s.House.Rows {
		if !isMethod(r.When) || r.When == http.MethodGet || !strings.HasPrefix(r.What, "/api/") || r.ID == "access.view_as_end" {
			continue
		}
		path, _ := w.calling(r.ID, r.What)
		a := asView(t, s, token, r.When, path, `{}`)
		if a.Code != 403 || !strings.Contains(a.Body.String(), "You see the portal as Anna. Nothing can be changed.") {
			t.Errorf("%s %s answers %d %s", r.When, path, a.Code, a.Body)
		}
	}
	for _, x := range [][3]string{
		{"POST", "/api/collections/messages/records", `{"request":"` + w.request + `","body":"x"}`},
		{"PATCH", "/api/collections/users/records/" + s.Anna.Id, `{"name":"x"}`},
		{"DELETE", "/api/collections/documents/records/" + w.document, ""},
		{"POST", "/api/batch", `{"requests":[]}`},
		{"POST", "/api/files/token", ""},
		{"POST", "/api/collections/users/auth-refresh", ""},
		{"POST", "/api/realtime", `{"clientId":"x","subscriptions":[]}`},
	} {
		if a := asView(t, s, token, x[0], x[1], x[2]); a.Code != 403 {
			t.Errorf("%s %s answers %d %s", x[0], x[1], a.Code, a.Body)
		}
	}
}

// sameJSON compares what is said, whatever the order of the members.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func want200(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != 200 {
		t.Fatalf("answered %d: %s", w.Code, w.Body)
	}
}

// Files come by a token of their own, are the client's, and the trail names the
// member of staff.
func TestViewing_filesAndTrail(t *testing.T) {
	w := newWorld(t)
	s := w.Stage
	token := viewAs(t, s, s.Sam, s.Anna)
	a := asView(t, s, token, "GET", "/api/portal/view-as/file", "")
	want200(t, a)
	_, rest, _ := strings.Cut(a.Body.String(), `"token":"`)
	fileToken, _, _ := strings.Cut(rest, `"`)
	d, err := s.FindRecordById("documents", w.document)
	if err != nil {
		t.Fatal(err)
	}
	address := "/api/files/documents/" + d.Id + "/" + d.GetString("file") + "?token="
	want200(t, asView(t, s, "", "GET", address+fileToken, ""))
	altered := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(fileToken, "0")]
	for _, bad := range []string{fileToken[:len(fileToken)-1] + altered, strings.Replace(fileToken, "viewfile_", "viewfile_x", 1), token, "viewfile_a_b_c"} {
		if a := asView(t, s, "", "GET", address+bad, ""); a.Code != 404 {
			t.Errorf("token %s answers %d", bad, a.Code)
		}
	}
	want200(t, asView(t, s, token, "GET", request(w.request), ""))
	want200(t, asView(t, s, token, "GET", request(w.request), ""))
	if a := asView(t, s, token, "POST", "/api/portal/view-as/end", ""); a.Code != 204 {
		t.Fatalf("leaving answers %d", a.Code)
	}
	for _, path := range []string{"/api/portal/me", request(w.request)} {
		if a := asView(t, s, token, "GET", path, ""); a.Code != 401 {
			t.Errorf("after leaving %s answers %d", path, a.Code)
		}
	}
	if a := asView(t, s, "", "GET", address+fileToken, ""); a.Code != 404 {
		t.Errorf("after leaving the file answers %d", a.Code)
	}
	var trail []string
	if err := s.DB().NewQuery(`SELECT actor_name || ' ' || action || ' ' || collection FROM audit_log WHERE action IN ('view_as','download') ORDER BY seq`).Column(&trail); err != nil {
		t.Fatal(err)
	}
	equalLists(t, "the trail", trail, []string{"Sam view_as users", "Sam download documents", "Sam view_as client_requests", "Sam view_as users"})
	timeline := s.Ask(t, s.Ruth, "GET", request(w.request, "/timeline"), nil)
	if want(t, timeline, 200); !strings.Contains(string(timeline.Raw), "Sam") || !strings.Contains(string(timeline.Raw), "as Anna") {
		t.Errorf("the request's timeline does not say that Sam looked: %s", timeline.Raw)
	}
	mine := s.Ask(t, s.Anna, "GET", "/api/collections/viewings/records", nil)
	if want(t, mine, 200); mine.Body["totalItems"] != 1.0 || !strings.Contains(string(mine.Raw), `"staff_name":"Sam"`) || strings.Contains(string(mine.Raw), "hash") || strings.Contains(string(mine.Raw), `"session"`) {
		t.Errorf("Anna reads who looked: %s", mine.Raw)
	}
	if others := s.Ask(t, s.Vera, "GET", "/api/collections/viewings/records", nil); others.Body["totalItems"] != 0.0 {
		t.Errorf("her colleague does not: %s", others.Raw)
	}
}

// A viewing ends with the time, the sign-in, the job, or a wall.
func TestViewing_ends(t *testing.T) {
	ends := map[string]func(t *testing.T, s *gatetest.Stage){
		"time": func(_ *testing.T, s *gatetest.Stage) { s.Clock.Move(31 * time.Minute) },
		"signout": func(t *testing.T, s *gatetest.Stage) {
			t.Helper()
			want(t, s.Ask(t, s.Sam, "POST", "/api/portal/sign-out", nil), 204)
		},
		"left": func(t *testing.T, s *gatetest.Stage) {
			t.Helper()
			s.Sam.Set("active", false)
			if err := s.Save(s.Sam); err != nil {
				t.Fatal(err)
			}
		},
		"demoted": func(t *testing.T, s *gatetest.Stage) {
			t.Helper()
			s.Sam.Set("role", "viewer")
			if err := s.Save(s.Sam); err != nil {
				t.Fatal(err)
			}
		},
		"wall": func(t *testing.T, s *gatetest.Stage) {
			t.Helper()
			s.Add(t, "walls", map[string]any{"staff": s.Sam.Id, "organization": s.Leeds.Id, "reason": "Related"})
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := gatetest.New(t)
			token := viewAs(t, s, s.Sam, s.Anna)
			want200(t, asView(t, s, token, "GET", "/api/portal/me", ""))
			end(t, s)
			if a := asView(t, s, token, "GET", "/api/portal/me", ""); a.Code != 401 {
				t.Errorf("answers %d", a.Code)
			}
			if err := s.House.Viewings.Tidy(); err != nil {
				t.Fatal(err)
			}
			var told int
			scan(t, s, `SELECT COUNT(*) FROM audit_log WHERE action = 'view_as' AND change LIKE '%ended%' AND record = {:id}`, s.Anna.Id, &told)
			if name != "wall" && told != 1 {
				t.Errorf("the trail tells of the end %d times", told)
			}
		})
	}
}

// Who may look as whom.
func TestViewing_whoMay(t *testing.T) {
	s := gatetest.New(t)
	try := func(who *core.Record, user string) int {
		return s.Ask(t, who, "POST", "/api/portal/view-as", map[string]any{"user": user}).Status
	}
	for who, status := range map[*core.Record]int{nil: 401, s.Anna: 403, s.Ines: 403, s.Sol: 403, s.Sam: 200, s.Mia: 200} {
		if got := try(who, s.Anna.Id); got != status {
			t.Errorf("%v gets %d, not %d", who, got, status)
		}
	}
	s.Add(t, "walls", map[string]any{"staff": s.Sam.Id, "organization": s.Leeds.Id, "reason": "Related"})
	for user, status := range map[string]int{s.Anna.Id: 404, s.Ben.Id: 404, s.Cleo.Id: 200, s.Sam.Id: 404, "nobody": 404, "": 400} {
		if got := try(s.Sam, user); got != status {
			t.Errorf("as %s: %d, not %d", user, got, status)
		}
	}
}
