package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
	"github.com/pocketbase/pocketbase/tools/router"

	"gatehouse/hooks/problem"
)

func newApp(t *testing.T) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	return app
}

// causes are the ways in which something goes wrong, and what leaves the house.
var causes = []struct {
	name    string
	err     error
	status  int
	says    string
	data    string // as JSON
	blocked int
}{
	{"a refusal", problem.New(problem.NotYours, "The client does this."), 400, "The client does this.", `{}`, 0},
	{"a refusal about a field", problem.Field("title", problem.FieldInvalid, "Too long."), 400, "Too long.", `{"title":{"code":"field_invalid","message":"Too long."}}`, 0},
	{"a refusal inside a wrapped error", fmt.Errorf("save: %w", problem.New(problem.NotFound, "Not there.")), 404, "Not there.", `{}`, 0},
	{"a refusal with a cause that is nobody's business", problem.New(problem.NotFound, "Not there.").Because(errors.New("sql: no rows")), 404, "Not there.", `{}`, 0},
	{"no sign-in", problem.New(problem.SignIn, "Sign in first."), 401, "Sign in first.", `{}`, 0},
	{"never for this side", problem.New(problem.Forbidden, "Only staff can do this."), 403, "Only staff can do this.", `{}`, 0},
	{"too large", problem.New(problem.FileSize, "Too large."), 413, "Too large.", `{}`, 0},
	{"too often", problem.New(problem.TooMany, "Wait a little."), 429, "Wait a little.", `{}`, 0},
	{"a key used twice", problem.New(problem.KeyReused, "Used."), 409, "Used.", `{}`, 0},
	{"a plain error", errors.New("nil pointer in transition.go"), 500, "Something went wrong on our side", `{}`, 0},
	{"a wrapped plain error", fmt.Errorf("save request: %w", errors.New("constraint failed")), 500, "Something went wrong on our side", `{}`, 0},
	{"a full disk", errors.New("database or disk is full (13)"), 507, "disk is full", `{}`, 0},
	{"a full disk, as the system says it", errors.New("write /data/x: no space left on device"), 507, "disk is full", `{}`, 0},
	{"a busy database", errors.New("database is locked (5) (SQLITE_BUSY)"), 503, "busy", `{}`, 0},
	{"what took too long", errors.New("context deadline exceeded"), 503, "busy", `{}`, 0},
	{"PocketBase's own answer", router.NewForbiddenError("Not allowed.", nil), 403, "Not allowed.", `{}`, 0},
}

func TestReply(t *testing.T) {
	app := newApp(t)
	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/portal/x", nil)
			e := &core.RequestEvent{App: app}
			e.Request, e.Response = r, w
			var status int
			body := map[string]any{}
			err := problem.Reply(e, c.err)
			var known *router.ApiError
			if errors.As(err, &known) {
				status, body = known.Status, map[string]any{"message": known.Message, "data": map[string]any{}}
			} else {
				if err != nil {
					t.Fatal(err)
				}
				status = w.Code
				if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
					t.Fatal(err, w.Body.String())
				}
				if body["status"] != float64(c.status) {
					t.Errorf("the body says %v", body["status"])
				}
			}
			checkAnswer(t, c.status, c.says, c.data, status, body)
			if strings.Contains(w.Body.String(), "transition.go") || strings.Contains(w.Body.String(), "sql:") || strings.Contains(w.Body.String(), "SQLITE") || strings.Contains(w.Body.String(), "/data/x") {
				t.Errorf("the inside gets out: %s", w.Body)
			}
		})
	}
	if err := problem.Reply(nil, nil); err != nil {
		t.Error("no error is no answer")
	}
}

func checkAnswer(t *testing.T, wantStatus int, says, wantData string, status int, body map[string]any) {
	t.Helper()
	if message, _ := body["message"].(string); status != wantStatus || !strings.Contains(message, says) {
		t.Errorf("answered %d %q, want %d %q", status, message, wantStatus, says)
	}
	if data, err := json.Marshal(body["data"]); err != nil || string(data) != wantData {
		t.Errorf("data %s, want %s", data, wantData)
	}
}

func TestReply_blockersBesideTheFields(t *testing.T) {
	app := newApp(t)
	w := httptest.NewRecorder()
	e := &core.RequestEvent{App: app}
	e.Request, e.Response = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", nil), w
	refusal := problem.Blocked([]problem.Blocker{
		{Code: problem.ItemMissing, Message: "Photo ID is missing.", Item: "item1"},
		{Code: problem.FieldMissing, Message: "Year end is missing.", Field: "year_end"},
		{Code: problem.SamePerson, Message: "Another person must do this."},
	})
	if err := problem.Reply(e, refusal); err != nil {
		t.Fatal(err)
	}
	var body struct {
		Status   int
		Message  string
		Data     map[string]struct{ Code, Message string }
		Blockers []problem.Blocker
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if w.Code != 400 || body.Message != "Photo ID is missing." || len(body.Blockers) != 3 || body.Data["item1"].Code != "item_missing" || body.Data["year_end"].Code != "field_missing" || body.Data["same_person"].Message != "Another person must do this." {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestReply_factsOfAConflict(t *testing.T) {
	app := newApp(t)
	w := httptest.NewRecorder()
	e := &core.RequestEvent{App: app}
	e.Request, e.Response = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", nil), w
	if err := problem.Reply(e, problem.New(problem.Stale, "Pat changed this.").Fact("revision", 7).Fact("changed_by", "Pat")); err != nil {
		t.Fatal(err)
	}
	if w.Code != 409 || !strings.Contains(w.Body.String(), `"revision":7`) || !strings.Contains(w.Body.String(), `"changed_by":"Pat"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Record hooks answer the same way, in the shape that PocketBase passes on.
func TestHook(t *testing.T) {
	app := newApp(t)
	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			err := problem.Hook(app, c.err)
			var known *router.ApiError
			if !errors.As(err, &known) {
				t.Fatalf("PocketBase would make 400 of %v", err)
			}
			data := known.Data
			if data == nil {
				data = map[string]any{}
			}
			checkAnswer(t, c.status, c.says, c.data, known.Status, map[string]any{"message": known.Message, "data": data})
		})
	}
	if problem.Hook(app, nil) != nil {
		t.Error("no error became one")
	}
	// What the database itself refuses is the person's to know, in its words.
	var known *router.ApiError
	err := problem.Hook(app, fmt.Errorf("save: %w", errors.New("wall: history is only added to (1811)")))
	if !errors.As(err, &known) || known.Status != 400 || known.Message != "Refused by the database: history is only added to." {
		t.Errorf("a wall answers %+v", err)
	}
}

func TestError_keepsTheCauseForTheLog(t *testing.T) {
	cause := errors.New("sql: no rows")
	err := problem.New(problem.NotFound, "Not there.").Because(cause)
	if !errors.Is(err, cause) || err.Error() != "not_found: Not there.: sql: no rows" {
		t.Errorf("%v", err)
	}
	if bare := problem.New(problem.Role, "No.").Error(); bare != "role: No." {
		t.Errorf("%s", bare)
	}
}

func TestBlocked_withoutABlocker(t *testing.T) {
	if e := problem.Blocked(nil); e.Status() != 400 || e.Message == "" || len(e.Fields) != 0 {
		t.Errorf("%+v", e)
	}
}
