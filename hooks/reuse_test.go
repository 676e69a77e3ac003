package hooks_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// offered are the titles of what somebody may use again for an item, with ids.
func offered(t *testing.T, s *gatetest.Stage, who *core.Record, id, key string) (titles []string, ids map[string]string) {
	t.Helper()
	ids = map[string]string{}
	list, _ := itemView(t, s, who, id, key)["reuse"].([]any)
	for _, one := range list {
		o := one.(map[string]any)
		titles = append(titles, o["title"].(string))
		ids[o["title"].(string)] = o["id"].(string)
	}
	return titles, ids
}

func itemView(t *testing.T, s *gatetest.Stage, who *core.Record, id, key string) map[string]any {
	t.Helper()
	answer := s.Ask(t, who, "GET", request(id), nil)
	want(t, answer, 200)
	for _, section := range answer.Body["sections"].([]any) {
		for _, one := range section.(map[string]any)["items"].([]any) {
			if i := one.(map[string]any); i["key"] == key {
				return i
			}
		}
	}
	t.Fatalf("no item %s in request %s", key, id)
	return nil
}

func same[T any](t *testing.T, got any, wanted T) {
	t.Helper()
	if !reflect.DeepEqual(got, any(wanted)) {
		t.Fatalf("got %v, want %v", got, wanted)
	}
}

func rows(t *testing.T, s *gatetest.Stage, table, where, id string) (n int) {
	t.Helper()
	if err := s.DB().NewQuery("SELECT COUNT(*) FROM " + table + " WHERE " + where).Bind(dbx.Params{"id": id}).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReuse(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "agency-creative-approval.yaml")
	a := studio(t, s)
	first := a.Open(t, a.ben, workflow.NewRequest{Workflow: "agency_creative_approval", Organization: s.Bluebell.Id, Title: "Spring campaign"})
	want(t, s.Ask(t, s.Anna, "PATCH", request(first), map[string]any{"data": map[string]any{"campaign": "Spring", "go_live": "2027-03-01", "channels": []any{"print"}}}), 200)
	s.Answer(t, s.Anna, itemAt(t, s, first, "brief_form", "").Id, map[string]any{"goal": "Sell buns"})
	send := func(who *core.Record, fields map[string]string, name string) string {
		t.Helper()
		s.Clock.Move(time.Second)
		return mustBe(t, s.Send(t, who, fields, name, gatetest.PDF(name)))
	}
	assets := itemAt(t, s, first, "brand_assets", "").Id
	logo := send(s.Anna, map[string]string{"item": assets}, "logo.pdf")
	send(s.Anna, map[string]string{"organization": s.Bluebell.Id}, "rules.pdf")
	send(s.Anna, map[string]string{"organization": s.Bluebell.Id}, "notes.txt.pdf")
	send(s.Cleo, map[string]string{"organization": s.Kestrel.Id}, "foreign.pdf")

	second := a.Open(t, a.ben, workflow.NewRequest{Workflow: "agency_creative_approval", Organization: s.Bluebell.Id, Title: "Summer campaign"})
	titles, _ := offered(t, s, s.Anna, second, "brand_assets")
	same(t, titles, []string{"notes.txt.pdf", "rules.pdf"}) // logo.pdf was not sent yet
	a.move(t, s.Anna, first, "submit_brief")
	titles, ids := offered(t, s, s.Anna, second, "brand_assets")
	same(t, titles, []string{"notes.txt.pdf", "rules.pdf", "logo.pdf"})

	item := itemAt(t, s, second, "brand_assets", "").Id
	reuse := func(who *core.Record, item, document string) gatetest.Answer {
		s.Clock.Move(time.Second)
		return s.Ask(t, who, "POST", "/api/portal/items/"+item+"/reuse", map[string]any{"document": document})
	}
	want(t, reuse(s.Vera, item, ids["logo.pdf"]), 400) // she only looks
	want(t, reuse(s.Cleo, item, ids["logo.pdf"]), 404)
	want(t, reuse(nil, item, ids["logo.pdf"]), 401)
	want(t, reuse(a.ben, item, ids["logo.pdf"]), 400) // the client gives this
	want(t, reuse(s.Anna, item, "nope"), 404)
	want(t, reuse(s.Anna, assets, ids["rules.pdf"]), 400) // that request lies with the firm

	want(t, reuse(s.Anna, item, ids["logo.pdf"]), 200)
	given := itemView(t, s, s.Anna, second, "brand_assets")
	same(t, given["status"], "provided")
	copied := given["documents"].([]any)[0].(map[string]any)
	if copied["id"] == logo || copied["title"] != "logo.pdf" || copied["author_name"] != "Anna" || copied["removable"] != true {
		t.Fatal("the copy is not a document of its own:", copied)
	}
	old, err := s.FindRecordById("documents", logo)
	if err != nil {
		t.Fatal(err)
	}
	same(t, copied["sha256"], old.GetString("sha256"))
	titles, _ = offered(t, s, s.Anna, second, "brand_assets")
	same(t, titles, []string{"notes.txt.pdf", "rules.pdf"})
	want(t, reuse(s.Anna, item, ids["logo.pdf"]), 404) // it is there already
	same(t, rows(t, s, "audit_log", "action = 'create' AND record = {:id}", copied["id"].(string)), 1)
	same(t, rows(t, s, "events", "type = 'document.added' AND request = {:id}", second), 1)

	// The file itself is there, and outlives the one that it came from.
	path := copied["url"].(string)
	token := s.Ask(t, s.Anna, "POST", "/api/files/token", nil).Body["token"].(string)
	want(t, s.Ask(t, s.Anna, "GET", path+"?token="+token, nil), 200)

	// What was sent back is offered to nobody once the decision is out, and not a moment before it is known.
	s.Decide(t, a.ben, assets, "rejected", "An old logo.")
	s.Decide(t, a.ben, itemAt(t, s, first, "brief_form", "").Id, "accepted", "")
	third := a.Open(t, a.ben, workflow.NewRequest{Workflow: "agency_creative_approval", Organization: s.Bluebell.Id, Title: "Autumn campaign"})
	titles, _ = offered(t, s, s.Anna, third, "brand_assets")
	same(t, titles, []string{"notes.txt.pdf", "rules.pdf", "logo.pdf"})
	a.move(t, a.ben, first, "ask_brief", workflow.Input{Comments: map[string]string{assets: "An old logo."}})
	titles, ids = offered(t, s, s.Anna, third, "brand_assets")
	same(t, titles, []string{"notes.txt.pdf", "rules.pdf"})
	want(t, reuse(s.Anna, itemAt(t, s, third, "brand_assets", "").Id, logo), 404)
	if ids["logo.pdf"] != "" {
		t.Fatal("what was sent back is offered")
	}
}
