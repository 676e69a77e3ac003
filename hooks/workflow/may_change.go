package workflow

import (
	"errors"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// MayChange says whether an actor may write anything of a request now, besides
// taking steps: its head, a field or an item. If not, why is a sentence.
func (e *Engine) MayChange(app core.App, request string, actor schema.Actor) (may bool, why string, err error) {
	l, err := e.load(app, request, actor)
	if err != nil {
		return refused(err)
	}
	if e.mayHead(app, l) == nil {
		return true, "", nil
	}
	v := l.view(nil)
	if slices.ContainsFunc(v.Fields, func(f FieldView) bool { return f.Editable }) {
		return true, "", nil
	}
	for _, s := range v.Sections {
		if slices.ContainsFunc(s.Items, func(i ItemView) bool { return i.Editable || i.CanReview }) {
			return true, "", nil
		}
	}
	why = v.ReadOnly
	if why == "" {
		why = "Nothing of it can be changed in this state."
	}
	return false, why, nil
}

// MayChangeItem says whether an actor may answer or decide an item now.
func (e *Engine) MayChangeItem(app core.App, item string, actor schema.Actor) (may bool, why string, err error) {
	l, i, err := e.loadItem(app, item, actor)
	if err != nil {
		return refused(err)
	}
	v := l.itemView(i, nil)
	return i.Active && (v.Editable || v.CanReview), v.Why, nil
}

// refused turns a refusal into its sentence.
func refused(err error) (bool, string, error) {
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		return false, refusal.Message, nil
	}
	return false, "", err
}

// mayHead refuses those who may not change title, due date, assignee, priority
// and tags: that is staff's business, by those who may work requests.
func (e *Engine) mayHead(tx core.App, l *live) error {
	if err := staffOnly(l.who.Actor); err != nil {
		return err
	}
	if !l.who.Shown && (l.who.Superuser || l.who.System) {
		return nil
	}
	member, err := access.StaffOf(tx, l.who.Actor.ID)
	if err != nil {
		return err
	}
	if l.who.Shown || !member.AtLeast("operator") {
		return problem.New(problem.Role, "Your role lets you look, not change.")
	}
	return nil
}
