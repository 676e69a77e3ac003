package workflow

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// review takes a decision on an item. The client learns of staff's decisions
// when the request leaves the state, of all at once.
func (e *Engine) review(tx core.App, l *live, i *Item, in ItemPatch) error {
	if ok, why := l.def.mayReview(l.asShown(), i, l.who); !ok || !i.Active {
		return problem.New(problem.NotYours, why).With(i.ID, problem.NotYours, why)
	}
	if err := l.decisionPossible(i, in); err != nil {
		return err
	}
	was := i.Status
	if in.Status == Provided {
		i.Status, i.Reason, i.Comment, i.Tries = i.Shown.Status, i.Shown.Reason, i.Shown.Comment, i.Shown.Tries
		i.Shown, i.Reviewer, i.ReviewedAt = nil, "", ""
	} else {
		l.decide(i, in)
	}
	if err := e.saveItems(tx, l, []*Item{i}); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	event := map[string]string{Provided: "item.decision_taken_back", MoreNeeded: "item.rejected"}[in.Status]
	if event == "" {
		event = "item." + in.Status
	}
	change := map[string]any{"status": []any{was, i.Status}}
	if i.Reason != "" || i.Comment != "" {
		change["reason"], change["comment"] = i.Reason, i.Comment
	}
	return e.tell(tx, l, "review", schema.Items, i.ID, change, event, map[string]any{"item": i.ID, "key": i.Key, "title": i.Title, "from": was, "to": i.Status, "held": i.Shown != nil})
}

func (l *live) decide(i *Item, in ItemPatch) {
	if i.Shown == nil && l.who.Side() != "client" {
		i.Shown = &ShownDecision{Status: i.Status, Reason: i.Reason, Comment: i.Comment, Tries: i.Tries}
	}
	if sentBack(i.Status) && i.Shown != nil {
		i.Tries = i.Shown.Tries // a decision changed before it was out counts once
	}
	l.give(i, in.Status)
	i.Reason, i.Comment = "", ""
	if in.Reason != nil {
		i.Reason = *in.Reason
	}
	if in.Comment != nil {
		i.Comment = *in.Comment
	}
}

// decisionPossible checks a decision against the item and its definition.
func (l *live) decisionPossible(i *Item, in ItemPatch) error {
	spec := l.def.Spec(i.Section, i.Key)
	if in.Reason != nil && *in.Reason != "" && spec != nil && len(spec.RejectReasons) > 0 && !slices.Contains(spec.RejectReasons, *in.Reason) && *in.Reason != "other" {
		return problem.Field("reason", problem.FieldInvalid, "One of these is expected: "+strings.Join(spec.RejectReasons, ", ")+", other.")
	}
	if in.Comment != nil && len(*in.Comment) > maxText {
		return problem.Field("comment", problem.FieldInvalid, fmt.Sprintf("The comment is too long (at most %d characters).", maxText))
	}
	shown := shownOf(i).Status
	switch in.Status {
	case Accepted:
		if shown != Provided && shown != NotApplicable && i.Status != Provided {
			return problem.New(problem.ItemMissing, i.Title+" is not there yet, so it cannot be accepted.").With(i.ID, problem.ItemMissing, "Not there yet.")
		}
	case Rejected, MoreNeeded:
	case Waived:
		if (in.Reason == nil || blank(*in.Reason)) && (in.Comment == nil || blank(*in.Comment)) {
			return problem.Field("comment", problem.ReasonRequired, "Say why this is not needed.")
		}
	case Provided:
		if i.Shown == nil {
			return problem.New(problem.ItemLocked, "There is no decision of yours to take back.").With(i.ID, problem.ItemLocked, "No open decision.")
		}
	default:
		return problem.Field("status", problem.FieldInvalid, "One of these is expected: accepted, rejected, more_needed, waived.")
	}
	return nil
}

// AddItem adds an item to a dynamic section of a live request.
func (e *Engine) AddItem(_ context.Context, app core.App, id string, actor schema.Actor, in NewItem) error {
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if err := staffOnly(actor); err != nil {
			return err
		}
		i, err := l.addItem(in, false)
		if err != nil {
			return err
		}
		i.EnteredStatus = Missing
		if err := e.saveItems(tx, l, []*Item{i}); err != nil {
			return err
		}
		if err := e.save(tx, l, l.State); err != nil {
			return err
		}
		return e.tell(tx, l, "create", schema.Items, i.ID, map[string]any{"title": i.Title}, "item.added", map[string]any{"item": i.ID, "key": i.Key, "title": i.Title})
	})
}

// addItem checks and makes an item; opening says that the request is not open
// yet, so that its state grants nothing.
func (l *live) addItem(in NewItem, opening bool) (*Item, error) {
	s := l.def.Section(in.Section)
	if s == nil && in.Section == "" && len(l.def.Sections) == 1 {
		s = &l.def.Sections[0]
	}
	if s == nil || !s.Dynamic {
		return nil, problem.Field("section", problem.BadInput, "Items can be added to a section of the firm's own list only.")
	}
	if !opening && !l.def.mayAdd(l.facts, s, l.who) {
		return nil, problem.New(problem.NotYours, "Items cannot be added now, or not by you.")
	}
	spec := l.def.Spec(s.Key, in.Template)
	if spec == nil || !spec.Template {
		return nil, problem.Field("template", problem.BadInput, "Choose what kind of item this is: "+templates(s)+".")
	}
	title := strings.TrimSpace(in.Title)
	if title == "" || len(title) > 300 {
		return nil, problem.Field("title", problem.FieldMissing, "Give the item a title (at most 300 characters).")
	}
	if len(in.Hint) > 2000 || len(l.facts.Items) >= 500 {
		return nil, problem.Field("hint", problem.FieldInvalid, "The hint is too long, or there are too many items.")
	}
	i := l.def.instantiate(s, spec, element{}, element{}, len(l.facts.Items))
	i.ID, i.Title, i.Hint, i.Options, i.Due = schema.NewID(), title, in.Hint, in.Options, in.Due
	i.Instance = l.nextInstance(s.Key, spec.Key)
	if in.Required != nil {
		i.Required = *in.Required
	}
	if i.Hint == "" {
		i.Hint = spec.Help
	}
	l.facts.Items = append(l.facts.Items, i)
	return i, nil
}

func (l *live) nextInstance(section, key string) string {
	n := 1
	for _, i := range l.facts.Items {
		if i.Section == section && i.Key == key {
			n++
		}
	}
	return strconv.Itoa(n)
}

func templates(s *Section) string {
	var names []string
	for _, spec := range s.Items {
		if spec.Template {
			names = append(names, spec.Key)
		}
	}
	return strings.Join(names, ", ")
}

// RemoveItem takes an added item away that the client was never shown.
func (e *Engine) RemoveItem(_ context.Context, app core.App, id string, actor schema.Actor) (string, error) {
	var request string
	err := e.within(app, func(tx core.App) error {
		l, i, err := e.loadItem(tx, id, actor)
		if err != nil {
			return err
		}
		if err := staffOnly(actor); err != nil {
			return err
		}
		request = l.ID
		s, spec := l.def.Section(i.Section), l.def.Spec(i.Section, i.Key)
		if s == nil || spec == nil || !spec.Template || !l.def.mayAdd(l.facts, s, l.who) || l.showsItem(i.ID) {
			return problem.New(problem.ItemLocked, "The client knows this item already. Waive it instead.")
		}
		if _, err := tx.DB().Delete(schema.Items, dbx.HashExp{"id": i.ID}).Execute(); err != nil {
			return fmt.Errorf("remove item %s: %w", i.ID, err)
		}
		l.facts.Items = slices.DeleteFunc(l.facts.Items, func(x *Item) bool { return x.ID == i.ID })
		if err := e.save(tx, l, l.State); err != nil {
			return err
		}
		return e.tell(tx, l, "delete", schema.Items, i.ID, map[string]any{"title": i.Title}, "item.removed", map[string]any{"item": i.ID, "title": i.Title})
	})
	return request, err
}
