package demo

import (
	"fmt"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// story is the life of one request. Its acts are planned one after the other,
// at moments counted from its beginning; end then lays the whole story so that
// the marked act falls on a given moment.
type story struct {
	*stage
	id     string // of the request, once it is open
	client *client
	place  string // of the organization: client, or client/unit
	acts   []act
	clock  moment // of the act planned next
	mark   moment // of the act that the story is laid by
}

type act struct {
	at   moment
	name string
	do   func() error
}

func (s *stage) story(c *client, place string) *story {
	return &story{stage: s, client: c, place: place}
}

// wait lets business days pass.
func (y *story) wait(days float64) { y.clock += days }

// between lets a while pass, somewhere from least to most business days.
func (y *story) between(least, most float64) { y.wait(least + y.chance.Float64()*(most-least)) }

// then plans an act, a few minutes after the one before.
func (y *story) then(name string, do func() error) {
	y.between(0.006, 0.02)
	y.acts = append(y.acts, act{y.clock, name, do})
}

// here marks the last act as the one that the story is laid by.
func (y *story) here() { y.mark = y.clock }

// end lays the story.
func (y *story) end(at moment) error {
	for _, a := range y.acts {
		m := a.at - y.mark + at
		if err := past(m); err != nil {
			return fmt.Errorf("%s for %s: %w", a.name, y.place, err)
		}
		y.plan(y.days.at(m), a.name+" for "+y.place, &y.id, a.do)
	}
	return nil
}

// open opens the request.
func (y *story) open(who string, in workflow.NewRequest) {
	y.then("open", func() error {
		in.Organization = y.places[y.place]
		in.Title = dated(in.Title, y.now)
		for i := range in.Items {
			in.Items[i].Title = dated(in.Items[i].Title, y.now)
		}
		var err error
		y.id, err = y.engine.Open(y.ctx, y.app, y.actors[who], in)
		return err
	})
}

// take takes a step.
func (y *story) take(who, transition string, in workflow.Input) {
	y.then(transition, func() error {
		in.Transition = transition
		return y.engine.Transition(y.ctx, y.app, y.id, y.actors[who], in)
	})
}

// patch changes fields of the request.
func (y *story) patch(who string, in workflow.RequestPatch) {
	y.then("change", func() error { return y.engine.PatchRequest(y.ctx, y.app, y.id, y.actors[who], in) })
}

// decide says what staff think of an item.
func (y *story) decide(who string, find finder, status, reason, comment string) {
	y.then(status, func() error {
		item, err := find(y)
		if err != nil {
			return err
		}
		in := workflow.ItemPatch{Status: status}
		if reason != "" {
			in.Reason = &reason
		}
		if comment != "" {
			in.Comment = &comment
		}
		_, err = y.engine.PatchItem(y.ctx, y.app, item, y.actors[who], in)
		return err
	})
}

// answer fills an item in.
func (y *story) answer(who string, find finder, answers func() map[string]any) {
	y.then("answer", func() error {
		item, err := find(y)
		if err != nil {
			return err
		}
		_, err = y.engine.PatchItem(y.ctx, y.app, item, y.actors[who], workflow.ItemPatch{Answers: answers()})
		return err
	})
}

// finder finds an item when its turn has come.
type finder func(y *story) (string, error)

// titled finds an item by its position among those with a title.
func titled(title string) finder {
	return func(y *story) (string, error) {
		return y.find(`title = {:a} AND active = 1`, dbx.Params{"a": title})
	}
}

// keyed finds an item by its key in the definition, and its instance.
func keyed(key, instance string) finder {
	return func(y *story) (string, error) {
		return y.find(`key = {:a} AND instance = {:b} AND active = 1`, dbx.Params{"a": key, "b": instance})
	}
}

func (y *story) find(where string, params dbx.Params) (string, error) {
	params["request"] = y.id
	var id string
	err := y.app.DB().NewQuery(`SELECT id FROM items WHERE request = {:request} AND ` + where + ` ORDER BY position LIMIT 1`).Bind(params).Row(&id)
	if err != nil {
		return "", fmt.Errorf("find item %v: %w", params["a"], err)
	}
	return id, nil
}

// trailScope is the scope of an audit entry about what the client sees too.
func trailScope(scope string) string { return schema.StaffScope(schema.ClientScope(scope)) }
