package hooks_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// many opens a sent simple request with n questions.
func many(t *testing.T, s *gatetest.Stage, n int) string {
	t.Helper()
	in := workflow.NewRequest{Workflow: "simple_request", Organization: s.Bluebell.Id, Title: fmt.Sprint(n, " questions")}
	for i := range n {
		in.Items = append(in.Items, workflow.NewItem{Section: "things", Template: "question", Title: fmt.Sprint("Question ", i)})
	}
	id := s.Open(t, s.Sam, in)
	s.Move(t, s.Sam, id, "send")
	return id
}

// How many statements a thing takes is part of its design: the number stands
// here with its reason, and never depends on how many items there are.
func TestStatements(t *testing.T) {
	s := gatetest.New(t)
	draft, draft60 := s.Simple(t), s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Bluebell.Id, Title: "60", Items: sixty()})
	three, sixty := many(t, s, 3), many(t, s, 60)
	// What is read once and kept: definitions, the router.
	want(t, s.Ask(t, s.Anna, "GET", request(three), nil), 200)
	token := s.Token(t, s.Anna)
	get := func(path string) func(t *testing.T) {
		return func(t *testing.T) { t.Helper(); want(t, with(t, s, token, "GET", path, nil), 200) }
	}
	move := func(id string) func(t *testing.T) {
		return func(t *testing.T) { t.Helper(); s.Move(t, s.Sam, id, "send") }
	}
	answer := func(id string) func(t *testing.T) {
		item := s.Item(t, id, "Question 1").Id
		return func(t *testing.T) { t.Helper(); s.Answer(t, s.Anna, item, map[string]any{"text": "None"}) }
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T)
		want int
		why  string
	}{
		{"send a request of 3 items", move(draft), 11, "request, items; history, change, request; the client's row, items and history; end of the trail, trail, event"},
		{"send a request of 60 items", move(draft60), 11, "items are read and written in one statement"},
		{"answer one of 3 items", answer(three), 12, "whose item; request, role, items; change, item, request; the client's row and item; end of the trail, trail, event"},
		{"answer one of 60 items", answer(sixty), 12, "only the item that changed is written"},
		{"look at a request of 3 items", get(request(three)), 7, "session, who asks; request, role, items, documents, names"},
		{"look at a request of 60 items", get(request(sixty)), 7, "the same for any number of items"},
		{"its actions", get(request(sixty, "/actions")), 5, "the view without documents"},
		{"list own requests", get("/api/collections/client_requests/records?sort=-created"), 4, "session, who asks; rows, total"},
		{"list own requests without the total", get("/api/collections/client_requests/records?sort=-created&skipTotal=1"), 3, "session, who asks; rows"},
		{"list the items of a request", get("/api/collections/client_items/records?perPage=200&sort=position&skipTotal=1&filter=(request%3D%27" + sixty + "%27)"), 3, "session, who asks; rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stop := recordSQL(t, s.App())
			c.do(t)
			statements := stop()
			if len(statements) != c.want {
				t.Errorf("takes %d statements, not %d (%s):\n%s", len(statements), c.want, c.why, shortly(statements))
			}
		})
	}
}

func sixty() []workflow.NewItem {
	var items []workflow.NewItem
	for i := range 60 {
		items = append(items, workflow.NewItem{Section: "things", Template: "question", Title: fmt.Sprint("Question ", i)})
	}
	return items
}

// shortly is the beginning of each statement on a line.
func shortly(statements []string) string {
	var b strings.Builder
	for _, s := range statements {
		s = strings.Join(strings.Fields(s), " ")
		b.WriteString("  " + s[:min(len(s), 110)] + "\n")
	}
	return b.String()
}
