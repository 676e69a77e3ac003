package hooks_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// titled is an item of somebody's view by its title.
func titled(t *testing.T, view map[string]any, title string) map[string]any {
	t.Helper()
	for _, section := range view["sections"].([]any) {
		for _, one := range section.(map[string]any)["items"].([]any) {
			if i := one.(map[string]any); i["title"] == title {
				return i
			}
		}
	}
	t.Fatalf("no item %q", title)
	return nil
}

func names(i map[string]any, key string) string {
	by, _ := i[key].(map[string]any)
	name, _ := by["name"].(string)
	return name
}

// What was accepted is opened again: what was confirmed after it says that it is
// older, for the client not before the decision is out.
func TestItem_whoDecidedAndWhatWentStale(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	s.AllProvided(t, id)
	s.Move(t, s.Anna, id, "submit")
	s.Move(t, s.Sam, id, "start_review")
	bank, done, loans := s.Item(t, id, "Bank statement").Id, s.Item(t, id, "All is complete").Id, s.Item(t, id, "Any loans?").Id
	s.Decide(t, s.Sam, bank, "accepted", "")
	s.Decide(t, s.Sam, loans, "accepted", "")
	s.Decide(t, s.Sam, done, "rejected", "Read it again.")
	client := func() map[string]any { return s.Ask(t, s.Anna, "GET", request(id), nil).Body }
	same(t, names(titled(t, client(), "Bank statement"), "decided"), "") // not out yet
	same(t, names(titled(t, client(), "Bank statement"), "given"), "Anna")
	s.Move(t, s.Sam, id, "ask_again", workflow.Input{Comments: map[string]string{done: "Read it again."}})
	same(t, names(titled(t, client(), "Bank statement"), "decided"), "Sam")

	s.Clock.Move(time.Hour)
	s.Answer(t, s.Anna, done, map[string]any{"accepted": true})
	s.Move(t, s.Anna, id, "submit")
	s.Move(t, s.Sam, id, "start_review")
	decided := titled(t, client(), "Bank statement")["decided"]
	s.Clock.Move(time.Hour)
	s.Decide(t, s.Sam, bank, "rejected", "Page two is cut off.")
	same(t, titled(t, client(), "Bank statement")["decided"], decided) // the new decision shows in nothing
	same(t, titled(t, client(), "All is complete")["stale"], any(false))
	s.Decide(t, s.Sam, bank, "provided", "") // taken back: as it was
	same(t, titled(t, s.Ask(t, s.Sam, "GET", request(id), nil).Body, "Bank statement")["decided"], decided)

	s.Decide(t, s.Sam, bank, "rejected", "Page two is cut off.")
	s.Move(t, s.Sam, id, "ask_again", workflow.Input{Comments: map[string]string{bank: "Page two is cut off."}})
	confirmed := titled(t, client(), "All is complete")
	if why, _ := confirmed["why"].(string); confirmed["stale"] != true || !strings.Contains(why, "Bank statement") {
		t.Fatal("the confirmation does not say that it is older:", confirmed)
	}
	same(t, titled(t, client(), "Any loans?")["stale"], any(false))
}

// Both sides are told what time alone will bring.
func TestView_byItself(t *testing.T) {
	s := gatetest.New(t)
	put(t, s, "2031-03-03 10:00:00")
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	same(t, s.Ask(t, s.Anna, "GET", request(id), nil).Body["by_itself"], any([]any{}))
	s.Move(t, s.Sam, id, "reject", workflow.Input{ClientComment: "Not needed any more."})
	for _, who := range []struct {
		title string
		view  map[string]any
		label string
	}{{"client", s.Ask(t, s.Anna, "GET", request(id), nil).Body, "Closed"}, {"staff", s.Ask(t, s.Sam, "GET", request(id), nil).Body, "Archived"}} {
		steps := who.view["by_itself"].([]any)
		if len(steps) != 1 {
			t.Fatalf("%s is told %v", who.title, steps)
		}
		step := steps[0].(map[string]any)
		same(t, step["label"], any(who.label))
		if at := step["at"].(string); !strings.HasPrefix(at, "2031-05-02") {
			t.Errorf("%s: on %s", who.title, at)
		}
	}
}
