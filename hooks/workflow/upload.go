package workflow

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Slot is the place that a document goes to: what the item's definition asks of
// a file, and whose rows the document belongs to.
type Slot struct {
	Request      string
	Organization string
	Item         string
	Title        string
	Accept       []string     // file name endings; empty accepts the usual ones
	MaxBytes     int64        // 0: no limit of its own
	Most         int          // how many files; 0: no limit
	Count        int          // how many there are
	Scope        string       // for the new document
	Author       schema.Actor // who sends it, and for whom where the right was lent
}

// SlotFor says where an actor may put a document on an item now, or refuses.
func (e *Engine) SlotFor(tx core.App, item string, actor schema.Actor) (Slot, error) {
	l, i, err := e.loadItem(tx, item, actor)
	if err != nil {
		return Slot{}, err
	}
	ok, why := l.def.mayProvide(l.asShown(), i, l.who)
	if !ok || !i.Active {
		return Slot{}, problem.New(problem.ItemLocked, i.Title+": "+why).With("item", problem.ItemLocked, why)
	}
	spec := l.def.Spec(i.Section, i.Key)
	takesFiles := i.Kind == "file" || (spec != nil && (spec.Attaches != "" || slices.Contains(spec.AnswerTypes, "file")))
	if spec == nil || !takesFiles {
		return Slot{}, problem.Field("item", problem.BadInput, i.Title+" is not answered with a file.")
	}
	slot := Slot{
		Request: l.ID, Organization: l.Organization, Item: i.ID, Title: i.Title, Accept: spec.Accept, MaxBytes: int64(spec.MaxMB) << 20, Count: i.Files.Ready + i.Files.Scanning, Scope: l.ClientScope,
		Author: l.who.Actor.Lent(l.who.Standing.OnBehalfOf, l.who.Standing.GiverName),
	}
	if spec.Files != nil {
		slot.Most = spec.Files.Max
	}
	if sentBack(i.Status) {
		slot.Count = 0 // what was sent back does not use up the number of files
	}
	// What staff attach stays with staff until a step publishes it.
	if s := l.def.Section(i.Section); s != nil && (s.provider() == "staff" || spec.Attaches != "") && l.who.Side() == "staff" || slot.Scope == "" {
		slot.Scope = l.Scope
	}
	return slot, nil
}

// SlotForRequest says where an actor may put a document that belongs to a
// request but to no item, such as an attachment of a message.
func (e *Engine) SlotForRequest(tx core.App, request string, actor schema.Actor) (Slot, error) {
	l, err := e.load(tx, request, actor)
	if err != nil {
		return Slot{}, err
	}
	// Attachments go with messages.
	l.who.Standing = l.who.Standing.With(access.Message)
	if actor.Kind == schema.ActorUser && !l.who.Standing.May(access.Message) {
		return Slot{}, problem.New(problem.NotYours, l.who.Standing.Refuses(access.Message, "You can view this. Only an admin or a member can send files."))
	}
	scope := l.ClientScope
	if scope == "" {
		scope = l.Scope
	}
	return Slot{Request: l.ID, Organization: l.Organization, Scope: scope, Author: l.who.Actor.Lent(l.who.Standing.OnBehalfOf, l.who.Standing.GiverName)}, nil
}

// DocumentsChanged settles an item after a document was added, removed or
// scanned. It runs in the transaction that did so.
func (e *Engine) DocumentsChanged(tx core.App, item string, actor schema.Actor, event string, payload map[string]any) error {
	request, err := requestOf(tx, item)
	if err != nil {
		return err
	}
	l, err := e.load(tx, request, schema.System())
	if err != nil {
		return err
	}
	l.who.Actor = actor
	i := l.facts.item(item)
	if i == nil {
		return nil
	}
	if err := l.beforeDocument(tx, item); err != nil {
		return err
	}
	was := i.Status
	delete(i.Answers, "none") // a file is an answer: "we have none" is over
	l.def.settle(i, l.facts.Now)
	l.provided(i, was)
	if err := e.saveItems(tx, l, []*Item{i}); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	if err := e.Emit(tx, Fact{Type: event, Request: l.ID, Organization: l.Organization, Actor: actor, Payload: payload, At: l.facts.Now}); err != nil {
		return err
	}
	if i.Status == was {
		return nil
	}
	return e.Emit(tx, Fact{
		Type: "item." + i.Status, Request: l.ID, Organization: l.Organization, Actor: actor, At: l.facts.Now,
		Payload: map[string]any{"item": i.ID, "key": i.Key, "title": i.Title, "from": was, "to": i.Status},
	})
}

// beforeDocument puts the client's row of an item back to what is stored: the
// document is there already when the request is read, so that what was shown
// before it would seem to be what is shown now, and would not be written.
func (l *live) beforeDocument(tx core.App, item string) error {
	if l.before == nil {
		return nil
	}
	var rows []struct {
		Label string `db:"label"`
		Why   string `db:"why"`
	}
	if err := tx.DB().NewQuery(`SELECT label, why FROM client_items WHERE id = {:id}`).Bind(dbx.Params{"id": item}).All(&rows); err != nil {
		return fmt.Errorf("read client item %s: %w", item, err)
	}
	at := slices.IndexFunc(l.before.Items, func(i ClientItem) bool { return i.ID == item })
	switch {
	case at < 0:
	case len(rows) == 0:
		l.before.Items = slices.Delete(l.before.Items, at, at+1)
	default:
		l.before.Items[at].Label, l.before.Items[at].Why = rows[0].Label, rows[0].Why
	}
	return nil
}

func requestOf(tx core.App, item string) (string, error) {
	record, err := tx.FindRecordById(schema.Items, item)
	if err != nil {
		return "", problem.New(problem.NotFound, "There is no such item, or you do not have access to it.").Because(err)
	}
	return record.GetString("request"), nil
}

// Authorship is who writes words on a request, for whom where the right was
// lent, and with which scope they are stored.
type Authorship struct {
	Scope        string
	Organization string
	Author       schema.Actor
}

// Author says who writes a message or a note on a request; it refuses those who
// may only look.
func (e *Engine) Author(tx core.App, request string, actor schema.Actor, note bool) (a Authorship, err error) {
	l, err := e.load(tx, request, actor)
	if err != nil {
		return a, err
	}
	if note {
		if err := staffOnly(actor); err != nil {
			return a, err
		}
		if l.who.Shown {
			return a, noSuch(nil)
		}
		return Authorship{Scope: l.Scope, Organization: l.Organization, Author: actor}, nil
	}
	if l.ClientScope == "" {
		return a, problem.Field("request", problem.BadInput, "The client does not see this request yet. Write an internal note, or send the request first.")
	}
	l.who.Standing = l.who.Standing.With(access.Message)
	if actor.Kind == schema.ActorUser && !l.who.Standing.May(access.Message) {
		return a, problem.New(problem.NotYours, l.who.Standing.Refuses(access.Message, "You can view this. Only an admin or a member can write."))
	}
	return Authorship{Scope: l.ClientScope, Organization: l.Organization, Author: l.who.Actor.Lent(l.who.Standing.OnBehalfOf, l.who.Standing.GiverName)}, nil
}
