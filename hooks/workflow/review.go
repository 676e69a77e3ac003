package workflow

import (
	"fmt"
	"slices"
	"strings"

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
	if s := l.def.Section(i.Section); s != nil {
		l.who = l.who.as(l.def.reviewers(s, l.def.Spec(i.Section, i.Key)))
	}
	if err := l.decisionPossible(i, in); err != nil {
		return err
	}
	was := i.Status
	if in.Status == Provided {
		l.takeBack(i)
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
		before := shownOf(i)
		i.Shown = &before
	}
	if sentBack(i.Status) && (i.Shown != nil || i.Status != i.EnteredStatus) {
		i.Tries-- // a decision changed before it was out counts once
	}
	reason, comment := textOf(in.Reason), textOf(in.Comment)
	status := in.Status
	if spec := l.def.Spec(i.Section, i.Key); spec.ByVotes() && status != Waived && !l.who.Superuser {
		v := voteOf(spec.Review, l.who, status, firstOf(comment, human(reason)), schema.Stamp(l.facts.Now))
		status = i.vote(spec.Review, l.who.voice(), v, l.facts.Gone)
		if sentBack(status) && !sentBack(in.Status) {
			reason, comment = i.Reason, i.Comment // an acceptance does not wipe why somebody else refused
		}
	}
	l.give(i, status)
	i.Reason, i.Comment = reason, comment
}

// takeBack undoes one's own decision while the other side does not know of it.
func (l *live) takeBack(i *Item) {
	if spec := l.def.Spec(i.Section, i.Key); spec.ByVotes() {
		if sentBack(i.Status) {
			i.Tries--
		}
		if i.Status = i.unvote(spec.Review, l.who.voice()); sentBack(i.Status) {
			i.Tries++
		} else {
			i.Reason, i.Comment = "", ""
		}
		if i.Shown != nil && i.Shown.Status == i.Status {
			i.Shown = nil
		}
		return
	}
	before := ShownDecision{Status: i.EnteredStatus, Tries: i.Tries}
	if sentBack(i.Status) {
		before.Tries--
	}
	if i.Shown != nil {
		before = *i.Shown
	}
	i.Status, i.Reason, i.Comment, i.Tries = before.Status, before.Reason, before.Comment, before.Tries
	i.Shown, i.Reviewer, i.ReviewedAt = nil, before.By, before.At
}

// mayTakeBack says whether there is an own decision that may be undone.
func (l *live) mayTakeBack(i *Item) bool {
	if l.def.Spec(i.Section, i.Key).ByVotes() {
		_, voted := i.Votes[l.who.voice()]
		return voted
	}
	return i.Shown != nil || (l.who.Side() == "client" && i.Reviewer == l.who.Actor.ID && i.Status != i.EnteredStatus)
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
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
		// What was sent back in this very state is still there to be accepted.
		if given := i.EnteredStatus == Provided || i.EnteredStatus == Accepted; shown != Provided && shown != NotApplicable && i.Status != Provided && !given {
			return problem.New(problem.ItemMissing, i.Title+" is not there yet, so it cannot be accepted.").With(i.ID, problem.ItemMissing, "Not there yet.")
		}
	case Rejected, MoreNeeded:
	case Waived:
		if (in.Reason == nil || blank(*in.Reason)) && (in.Comment == nil || blank(*in.Comment)) {
			return problem.Field("comment", problem.ReasonRequired, "Say why this is not needed.")
		}
	case Provided:
		if !l.mayTakeBack(i) {
			return problem.New(problem.ItemLocked, "There is no decision of yours to take back.").With(i.ID, problem.ItemLocked, "No open decision.")
		}
	default:
		return problem.Field("status", problem.FieldInvalid, "One of these is expected: accepted, rejected, more_needed, waived.")
	}
	return nil
}
