package hooks_test

import (
	"testing"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// The creative approval has no snapshot effect: what was handed to the studio
// stays all the same, also where the brief comes back for more.
func TestGiven_filesStayOnceTheTurnLeftTheClient(t *testing.T) {
	s := gatetest.New(t)
	publishShipped(t, s, "agency-creative-approval.yaml")
	a := studio(t, s)
	id := a.brief(t)
	assets := itemAt(t, s, id, "brand_assets", "").Id
	sent := itemView(t, s, s.Anna, id, "brand_assets")["documents"].([]any)[0].(map[string]any)["id"].(string)
	s.Decide(t, a.ben, assets, "more_needed", "The fonts too.")
	a.move(t, a.ben, id, "ask_brief", workflow.Input{Comments: map[string]string{assets: "The fonts too."}})

	more := mustBe(t, s.Send(t, s.Anna, map[string]string{"item": assets}, "fonts.pdf", gatetest.PDF("fonts")))
	for _, one := range itemView(t, s, s.Anna, id, "brand_assets")["documents"].([]any) {
		d := one.(map[string]any)
		same(t, d["removable"], d["id"] == more)
	}
	want(t, s.Ask(t, s.Anna, "DELETE", "/api/collections/documents/records/"+sent, nil), 400)
	want(t, s.Ask(t, s.Anna, "DELETE", "/api/collections/documents/records/"+more, nil), 204)
}
