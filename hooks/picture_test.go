package hooks_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// The drawing of the workflow that every portal starts with is the one that the
// documentation shows.
func TestPicture_docs(t *testing.T) {
	source, err := workflow.LibraryFile("simple-request.yaml")
	if err != nil {
		t.Fatal(err)
	}
	def, _ := workflow.Parse(source)
	got := def.Picture().SVG(def.Title)
	path := filepath.Join("..", "docs", "simple-request.svg")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(kept) {
		t.Errorf("the simple request is drawn in another way now: go test ./hooks -run TestPicture -update, and look at %s", path)
	}
}

// states are the boxes of an answered picture, by key.
func states(t *testing.T, a gatetest.Answer) map[string]map[string]any {
	t.Helper()
	want(t, a, 200)
	list, _ := a.Body["states"].([]any)
	boxes := map[string]map[string]any{}
	for _, one := range list {
		box, _ := one.(map[string]any)
		key, _ := box["key"].(string)
		boxes[key] = box
	}
	return boxes
}

// The picture of a version says what is in it now, and of each caller only what
// that caller sees.
func TestPicture_counts(t *testing.T) {
	s := gatetest.New(t)
	waiting, draft := s.Simple(t), s.Simple(t)
	s.Move(t, s.Sam, waiting, "send")
	var version string
	scan(t, s, `SELECT workflow FROM requests WHERE id = {:id}`, draft, &version)
	path := "/api/portal/definitions/" + version + "/picture"

	boxes := states(t, s.Ask(t, s.Sam, "GET", path, nil))
	if boxes["draft"]["live"] != 1.0 || boxes["waiting_for_client"]["live"] != 1.0 || boxes["in_review"]["live"] != 0.0 {
		t.Errorf("one request is a draft and one waits, but the picture counts %v, %v and %v", boxes["draft"]["live"], boxes["waiting_for_client"]["live"], boxes["in_review"]["live"])
	}
	s.Clock.Move(30 * 24 * time.Hour)
	boxes = states(t, s.Ask(t, s.Sam, "GET", path, nil))
	if boxes["waiting_for_client"]["overdue"] != 1.0 || boxes["waiting_for_client"]["oldest_days"] != 30.0 {
		t.Errorf("a month later it is overdue: %v", boxes["waiting_for_client"])
	}

	wall(t, s, s.Sam)
	boxes = states(t, s.Ask(t, s.Sam, "GET", path, nil))
	if boxes["waiting_for_client"]["live"] != 0.0 {
		t.Errorf("behind a wall Sam still counts %v", boxes["waiting_for_client"]["live"])
	}
	want(t, s.Ask(t, s.Anna, "GET", path, nil), 403)
	want(t, s.Ask(t, s.Sam, "GET", "/api/portal/definitions/nope/picture", nil), 404)
}

// A draft is drawn as it is now, and looking at it fixes nothing.
func TestPicture_draft(t *testing.T) {
	s := gatetest.New(t)
	source, err := workflow.LibraryFile("simple-request.yaml")
	if err != nil {
		t.Fatal(err)
	}
	second := strings.Replace(string(source), "version: 1", "version: 2", 1)
	save := func(text string, publish bool) string {
		t.Helper()
		out, err := s.House.Engine.Import(s.App(), []byte(text), publish, false)
		if err != nil || !out.Saved {
			t.Fatalf("not saved: %v %v", err, out.Findings)
		}
		return out.ID
	}
	id := save(second, false)
	path := "/api/portal/definitions/" + id + "/picture"
	if label := states(t, s.Ask(t, s.Pat, "GET", path, nil))["in_review"]["label"]; label != "In review" {
		t.Errorf("the draft shows %v", label)
	}
	save(strings.Replace(second, "label: In review", "label: Being checked", 1), true)
	if label := states(t, s.Ask(t, s.Pat, "GET", path, nil))["in_review"]["label"]; label != "Being checked" {
		t.Errorf("after a change the draft still shows %v", label)
	}
	request := s.Simple(t)
	a := s.Ask(t, s.Sam, "GET", "/api/portal/requests/"+request+"/picture", nil)
	if label := states(t, a)["in_review"]["label"]; label != "Being checked" {
		t.Errorf("a request on the published version has the draft's %v", label)
	}
}

// The picture of a request marks where it is and the way it came.
func TestPicture_path(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	s.Move(t, s.Anna, id, "submit")
	path := "/api/portal/requests/" + id + "/picture"

	a := s.Ask(t, s.Mia, "GET", path, nil)
	want(t, a, 200)
	if a.Body["here"] != "submitted" {
		t.Errorf("the request is shown at %v", a.Body["here"])
	}
	steps, _ := a.Body["path"].([]any)
	var told []any
	for _, one := range steps {
		step, _ := one.(map[string]any)
		told = append(told, step["key"], step["actor_name"])
		if step["at"] == "" {
			t.Errorf("a step without its time: %v", step)
		}
	}
	if fmt.Sprint(told) != "[send Sam submit Anna]" {
		t.Errorf("the way is told as %v", told)
	}
	for _, who := range []*core.Record{s.Anna, s.Cleo} {
		want(t, s.Ask(t, who, "GET", path, nil), 404)
	}
	wall(t, s, s.Mia)
	want(t, s.Ask(t, s.Mia, "GET", path, nil), 404)
}

// Who may not know of the state that a request is in learns nothing of it here:
// it counts where the client sees it.
func TestPicture_restricted(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	var version string
	scan(t, s, `SELECT workflow FROM requests WHERE id = {:id}`, id, &version)
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "Name on a list"})
	path := "/api/portal/definitions/" + version + "/picture"
	for who, hold := range map[*core.Record]float64{s.Ruth: 1, s.Sam: 0, s.Mia: 0, s.Sol: 1} {
		boxes := states(t, s.Ask(t, who, "GET", path, nil))
		if boxes["compliance_hold"]["live"] != hold || boxes["in_review"]["live"] != 1-hold {
			t.Errorf("%s counts %v on hold and %v in review", who.GetString("name"), boxes["compliance_hold"]["live"], boxes["in_review"]["live"])
		}
	}
	want(t, s.Ask(t, s.Ruth, "GET", request(id, "/picture"), nil), 200)
	want(t, s.Ask(t, s.Sam, "GET", request(id, "/picture"), nil), 404)
}

func wall(t *testing.T, s *gatetest.Stage, staff *core.Record) {
	t.Helper()
	s.Add(t, "walls", map[string]any{"staff": staff.Id, "organization": s.Bluebell.Id, "reason": "Related"})
}
