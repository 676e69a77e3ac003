package demo

import (
	"fmt"

	"gatehouse/hooks/workflow"
)

// ending is how far a request has come.
type ending = string

// The endings of requests for documents and answers.
const (
	asDraft     ending = "draft"         // not sent to the client yet
	asAsked     ending = "asked"         // sent, nothing given
	asBegun     ending = "begun"         // something is given
	asReady     ending = "ready"         // all is given, but not sent
	asSentBack  ending = "sent back"     // one thing is needed again
	asSubmitted ending = "submitted"     // nobody has looked yet
	asReview    ending = "in review"     // somebody looks
	asHalf      ending = "half reviewed" // some of it is decided
	asApproved  ending = "approved"
	asClosed    ending = "closed" // without result
)

// aim is a request for documents and answers as it shall stand in the end.
type aim struct {
	place    string // client, or client/unit
	errand   string
	by       string // who acts for the client
	opener   string // staff; empty: the handler. Others than handlers leave it unassigned
	handler  string
	end      ending
	at       moment // of the last change of state
	again    bool   // something was sent back once on the way
	due      int    // business days from now; used if hasDue
	hasDue   bool
	priority string
	gives    int // how many items the client gave so far, for begun; 0: all but one
}

// simple plans the story of an aim.
func (s *stage) simple(a aim) error {
	e, c := s.errand(a.errand), s.cast.client(clientOf(a.place))
	if e == nil || c == nil {
		return fmt.Errorf("no errand %q or client %q", a.errand, a.place)
	}
	if a.opener == "" {
		a.opener = a.handler
	}
	t := &tale{story: s.story(c, a.place), aim: a, errand: e}
	t.tell()
	return t.story.end(a.at)
}

// tale plans the acts of one request.
type tale struct {
	*story
	aim
	errand *errand
	given  []asked
}

func (t *tale) tell() {
	t.begin()
	if t.aim.end == asDraft {
		t.here()
		return
	}
	t.between(0.02, 0.8)
	t.take(t.handler, "send", workflow.Input{})
	switch t.aim.end {
	case asAsked, asBegun, asReady:
		t.here()
		t.giveSome()
		return
	}
	t.between(0.4, 3.5)
	t.giveAll()
	t.submit()
	if t.aim.end == asSubmitted && !t.again {
		t.here()
		return
	}
	if t.aim.end == asSentBack || t.again {
		t.review()
		t.sendBack()
		if t.aim.end == asSentBack {
			t.here()
			return
		}
		t.repair()
		if t.aim.end == asSubmitted {
			t.here()
			return
		}
	}
	t.review()
	t.finish()
}

// begin opens the request.
func (t *tale) begin() {
	in := workflow.NewRequest{Workflow: "simple_request", Title: t.errand.Title}
	for _, a := range t.errand.Items {
		required := !a.Optional
		in.Items = append(in.Items, workflow.NewItem{
			Section: "things", Template: a.template(), Title: a.title(), Hint: a.Hint, Required: &required,
			Options: workflow.ItemOptions{AnswerType: a.Type, Choices: a.Choices},
		})
	}
	if t.hasDue {
		in.Due = t.days.day(t.due)
	}
	t.open(t.opener, in)
	if t.priority != "" {
		t.patch(t.opener, workflow.RequestPatch{Priority: &t.priority})
	}
	t.note(t.handler, t.errand.Note)
}

// giveSome lets the client begin, in the time that is left until now.
func (t *tale) giveSome() {
	room := (1 - t.at) * 0.8
	all := len(t.errand.Items)
	gives := map[ending]int{asBegun: max(1, all-1), asReady: all}[t.aim.end]
	if t.gives > 0 {
		gives = t.gives
	}
	for _, a := range t.errand.Items[:gives] {
		t.wait(room / float64(all+2))
		t.give(a)
	}
}

// giveAll lets the client give everything, some of it after a question.
func (t *tale) giveAll() {
	asks := t.errand.Client != "" && t.chance.IntN(3) > 0
	for n, a := range t.errand.Items {
		if a.Optional && t.chance.IntN(2) == 0 {
			continue
		}
		t.between(0.01, 0.5)
		t.give(a)
		if n == 0 && asks {
			t.message(t.by, t.errand.Client)
			t.between(0.05, 0.4)
			t.message(t.handler, t.errand.Staff)
		}
	}
}

func (t *tale) give(a asked) {
	t.given = append(t.given, a)
	if a.File != "" {
		t.upload(t.by, titled(a.title()), a.Name, nil)
		return
	}
	t.answer(t.by, titled(a.title()), func() map[string]any { return a.answers(t.now) })
}

func (t *tale) submit() { t.take(t.by, "submit", workflow.Input{}) }

// review lets the handler begin to look.
func (t *tale) review() {
	t.between(0.1, 0.7)
	t.take(t.handler, "start_review", workflow.Input{})
}

// sendBack asks for one thing again, and accepts the others.
func (t *tale) sendBack() {
	t.between(0.05, 0.4)
	bad, _ := t.errand.sendable()
	for _, a := range t.given {
		if a.title() == bad.title() {
			t.decide(t.handler, titled(a.title()), workflow.Rejected, bad.Back.Reason, bad.Back.Comment)
		} else {
			t.decide(t.handler, titled(a.title()), workflow.Accepted, "", "")
		}
	}
	t.take(t.handler, "ask_again", workflow.Input{})
}

// repair lets the client give once more what was sent back.
func (t *tale) repair() {
	t.between(0.3, 2)
	bad, _ := t.errand.sendable()
	t.given = []asked{bad}
	t.upload(t.by, titled(bad.title()), bad.Name, nil)
	t.submit()
}

// finish brings a review to its end, or leaves it on the way.
func (t *tale) finish() {
	switch t.aim.end {
	case asReview:
		t.here()
		return
	case asHalf:
		t.here()
		t.wait(min(0.3, (1-t.at)*0.3))
		t.decide(t.handler, titled(t.given[0].title()), workflow.Accepted, "", "")
		return
	case asClosed:
		t.between(0.2, 0.8)
		t.take(t.handler, "reject", workflow.Input{ClientComment: "As discussed on the phone, this is no longer needed. We close it here."})
		t.here()
		return
	}
	t.between(0.05, 0.8)
	for _, a := range t.given {
		t.decide(t.handler, titled(a.title()), workflow.Accepted, "", "")
	}
	if t.errand.Client == "" {
		t.message(t.handler, t.errand.Staff)
	}
	t.take(t.handler, "approve", workflow.Input{})
	t.here()
}
