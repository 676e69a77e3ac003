package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// explain is handed those who decide: the engine for requests and their items,
// and for every other collection the very hooks that guard its writes.
func (h *House) explain() *access.Explain {
	return &access.Explain{
		App: h.App, Clock: h.Options.Clock,
		Steps: func(app core.App, request string, actor schema.Actor) ([]access.ExplainedStep, error) {
			actions, err := h.Engine.Actions(app, request, actor)
			steps := make([]access.ExplainedStep, 0, len(actions))
			for _, a := range actions {
				steps = append(steps, access.ExplainedStep{Transition: a.Key, Label: a.Label, Allowed: a.Allowed, Blockers: a.Blockers})
			}
			return steps, err
		},
		Changes: h.mayChange,
	}
}

func (h *House) mayChange(record, principal *core.Record) (may bool, why string, err error) {
	actor := schema.ActorOf(principal, "")
	switch record.Collection().Name {
	case schema.Requests, schema.ClientRequests:
		return h.Engine.MayChange(h.App, record.Id, actor)
	case schema.Items, schema.ClientItems:
		return h.Engine.MayChangeItem(h.App, record.Id, actor)
	}
	for _, x := range []struct {
		method string
		rule   *string
		run    func(*core.RecordRequestEvent, func(*core.RecordRequestEvent) error) error
	}{
		{method: http.MethodPatch, rule: record.Collection().UpdateRule, run: func(e *core.RecordRequestEvent, last func(*core.RecordRequestEvent) error) error {
			return h.App.OnRecordUpdateRequest().Trigger(e, last)
		}},
		{method: http.MethodDelete, rule: record.Collection().DeleteRule, run: func(e *core.RecordRequestEvent, last func(*core.RecordRequestEvent) error) error {
			return h.App.OnRecordDeleteRequest().Trigger(e, last)
		}},
	} {
		ok, err := h.App.CanAccessRecord(record, &core.RequestInfo{Context: core.RequestInfoContextDefault, Method: x.method, Auth: principal}, x.rule)
		if err != nil {
			return false, "", fmt.Errorf("ask the rule of %s: %w", record.Collection().Name, err)
		}
		if !ok {
			continue
		}
		may, said, err := h.rehearse(x.method, record, principal, x.run)
		if err != nil || may {
			return may, "", err
		}
		if why == "" {
			why = said
		}
	}
	if why == "" {
		why = "Only the portal's own commands write this."
	}
	return false, why, nil
}

var errRehearsed = errors.New("only a rehearsal")

// rehearse lets the guards of a write say yes or no, in a transaction that is
// always taken back, and stops before anything is written.
func (h *House) rehearse(method string, record, principal *core.Record, run func(*core.RecordRequestEvent, func(*core.RecordRequestEvent) error) error) (may bool, why string, err error) {
	err = h.App.RunInTransaction(func(tx core.App) error {
		request, err := http.NewRequest(method, "/api/collections/"+record.Collection().Name+"/records/"+record.Id, bytes.NewReader(nil)) //nolint:noctx // it is never sent
		if err != nil {
			return err
		}
		event := &core.RecordRequestEvent{RequestEvent: &core.RequestEvent{App: tx, Auth: principal, Event: router.Event{Request: request, Response: nowhere{}}}}
		access.Rehearse(event.RequestEvent)
		event.Collection, event.Record = record.Collection(), record.Fresh()
		refusal := run(event, func(*core.RecordRequestEvent) error {
			may = true
			return nil
		})
		var said *router.ApiError
		switch {
		case may: // whatever follows belongs to a write that does not happen
		case errors.As(refusal, &said) && said.Status < http.StatusInternalServerError:
			why = said.Message
		case refusal != nil:
			return refusal
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		err = nil
	}
	return may, why, err
}

// nowhere is where the answer of a rehearsal goes.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
