package demo

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
)

// call sends a request through the real router; origin may be empty.
func call(t *testing.T, app *tests.TestApp, m *Mode, method, path, body, origin string) (int, map[string]any) {
	t.Helper()
	r, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	r.GET("/api/portal/demo", m.ShowRoute)
	r.POST("/api/portal/demo/enter", m.EnterRoute)
	r.POST("/api/portal/demo/empty", m.EmptyRoute)
	mux, err := r.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(method, "http://portal.example"+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	answer := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, answer
}

func TestMode(t *testing.T) {
	app := build(t, noon, 1)
	restarted := make(chan bool, 2)
	m := &Mode{App: app, On: true, Restart: func() error { restarted <- true; return nil }}

	code, shown := call(t, app, m, http.MethodGet, "/api/portal/demo", "", "")
	list, _ := shown["personas"].([]any)
	if code != 200 || shown["firm"] != "Harbour & Finch Accountants" || len(list) != len(personas) {
		t.Fatalf("%d %v", code, shown)
	}

	signIns := 0
	app.OnRecordAuthRequest().BindFunc(func(e *core.RecordAuthRequestEvent) error {
		signIns++
		return e.Next()
	})
	for _, p := range personas {
		code, answer := call(t, app, m, http.MethodPost, "/api/portal/demo/enter", `{"persona":"`+p.Key+`"}`, "http://portal.example")
		record, _ := answer["record"].(map[string]any)
		token, _ := answer["token"].(string)
		if code != 200 || record["email"] != p.email || record["name"] != p.Name || record["collectionName"] != p.collection() || answer["go"] != p.home() {
			t.Fatalf("%s: %d %v", p.Key, code, answer)
		}
		if found, err := app.FindAuthRecordByToken(token, core.TokenTypeAuth); err != nil || found.Id != record["id"] {
			t.Errorf("the token of %s opens nothing: %v", p.Key, err)
		}
	}
	if signIns != len(personas) {
		t.Errorf("%d sign-ins were told of", signIns)
	}

	refusals := []struct {
		name, path, body, origin string
		on                       bool
		status                   int
	}{
		{"nobody of that name", "enter", `{"persona":"nobody"}`, "", true, 404},
		{"not JSON", "enter", `{`, "", true, 400},
		{"another site signs nobody in", "enter", `{"persona":"client"}`, "https://evil.example", true, 403},
		{"another site empties nothing", "empty", ``, "https://evil.example", true, 403},
		{"nor does a page without an origin of its own", "empty", ``, "null", true, 403},
		{"no demo: nobody enters", "enter", `{"persona":"client"}`, "", false, 404},
		{"no demo: nothing is emptied", "empty", ``, "", false, 404},
		{"a folder that the demo did not make is not emptied", "empty", ``, "", true, 503},
	}
	for _, c := range refusals {
		m.On = c.on
		if code, answer := call(t, app, m, http.MethodPost, "/api/portal/demo/"+c.path, c.body, c.origin); code != c.status {
			t.Errorf("%s: %d %v", c.name, code, answer)
		}
	}
	m.On = false
	if code, _ := call(t, app, m, http.MethodGet, "/api/portal/demo", "", ""); code != 404 {
		t.Errorf("no demo, but shown: %d", code)
	}

	// Start empty: asked twice, it happens once; the link is the one that the
	// next start takes on.
	m.On = true
	if err := Finish(app.DataDir()); err != nil {
		t.Fatal(err)
	}
	_, first := call(t, app, m, http.MethodPost, "/api/portal/demo/empty", "", "http://portal.example")
	code, second := call(t, app, m, http.MethodPost, "/api/portal/demo/empty", "", "")
	link, _ := first["link"].(string)
	if code != 200 || !strings.HasPrefix(link, "/setup/") || second["link"] != link || first["wait"] != "/healthz" {
		t.Fatalf("%d %v %v", code, first, second)
	}
	<-restarted
	select {
	case <-restarted:
		t.Error("restarted twice")
	case <-time.After(2 * pause):
	}
	folder, err := Prepare(app.DataDir(), true)
	if err != nil || folder.Demo || "/setup/"+folder.Token != link {
		t.Fatalf("%+v %v", folder, err)
	}
}
