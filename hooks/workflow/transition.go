package workflow

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Transition takes a step. It is one transaction: the request, its history, the
// audit entry, the event, the client's rows. What does not fit is refused with
// every blocker (400), a stale revision with who changed what (409).
func (e *Engine) Transition(_ context.Context, app core.App, id string, actor schema.Actor, in Input) error {
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		return e.apply(tx, l, in)
	})
}

// Once does the same under an idempotency key: the same key and body answer the
// first result again, another body is refused. The answer is the view.
func (e *Engine) Once(_ context.Context, app core.App, id string, actor schema.Actor, in Input, key string) (json.RawMessage, error) {
	if key != "" && (len(key) < 8 || len(key) > 255) {
		return nil, problem.Field("Idempotency-Key", problem.BadInput, "An Idempotency-Key has 8 to 255 characters.")
	}
	digest := sha256.Sum256([]byte(id + "\x00" + schema.JSON(in) + actor.Chosen))
	digested := hex.EncodeToString(digest[:])
	var out json.RawMessage
	err := e.within(app, func(tx core.App) error {
		if key != "" {
			first, err := firstAnswer(tx, actor.ID, key, digested)
			if err != nil || first != nil {
				out = first
				return err
			}
		}
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if err := e.apply(tx, l, in); err != nil {
			return err
		}
		view, err := e.viewAfter(tx, l)
		if err != nil {
			return err
		}
		if out, err = json.Marshal(view); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		if key == "" {
			return nil
		}
		return keepAnswer(tx, actor.ID, key, digested, out, l.facts.Now)
	})
	return out, err
}

// viewAfter shows the request as it is after a step. What the actor may see can
// have changed with a state that is for some duties only: then it is read anew.
func (e *Engine) viewAfter(tx core.App, l *live) (any, error) {
	if l.rescoped || (l.clientSide() && l.before == nil) {
		return e.View(tx, l.ID, l.who.Actor)
	}
	return e.viewOf(tx, l)
}

func firstAnswer(tx core.App, principal, key, digest string) (json.RawMessage, error) {
	var kept struct {
		Digest string `db:"digest"`
		Answer string `db:"answer"`
	}
	err := tx.DB().NewQuery(`SELECT digest, answer FROM idempotency_keys WHERE principal = {:who} AND key = {:key}`).Bind(dbx.Params{"who": principal, "key": key}).One(&kept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read idempotency key: %w", err)
	case kept.Digest != digest:
		return nil, problem.New(problem.KeyReused, "This Idempotency-Key was used for something else.")
	}
	return json.RawMessage(kept.Answer), nil
}

// keyLife is how long a first answer is kept.
const keyLife = 48 * time.Hour

func keepAnswer(tx core.App, principal, key, digest string, answer json.RawMessage, now time.Time) error {
	err := schema.Insert(tx, "idempotency_keys", dbx.Params{
		"id": schema.NewID(), "principal": principal, "key": key, "digest": digest, "status": 200,
		"answer": string(answer), "expires": schema.Stamp(now.Add(keyLife)), "created": schema.Stamp(now), "updated": schema.Stamp(now),
	})
	if err != nil {
		return fmt.Errorf("keep idempotency key: %w", err)
	}
	return nil
}

// apply decides and, if allowed, does everything that the step means.
func (e *Engine) apply(tx core.App, l *live, in Input) error {
	if err := e.fresh(tx, l, in.ExpectedRevision); err != nil {
		return err
	}
	verdict := l.def.Decide(l.facts, in.Transition, l.who, &in)
	if !verdict.Allowed {
		if verdict.Transition == nil && l.who.Actor.Kind == schema.ActorUser && !l.who.Standing.Has(access.ClientViewer) {
			return noSuch(nil)
		}
		return problem.Blocked(verdict.Blockers)
	}
	l.who = l.who.as(verdict.Transition.By)
	return e.take(tx, l, verdict.Transition, in)
}

// take carries the step out. Everything is decided; what fails now is our own
// fault and takes the whole transaction back.
func (e *Engine) take(tx core.App, l *live, t *Transition, in Input) error {
	f, from := l.facts, l.facts.State
	target := l.def.State(t.To)
	if target == nil {
		return fmt.Errorf("transition %s leads to unknown state %q", t.Key, t.To)
	}
	quiet := l.def.quiet(from, t.To, l.shown)
	labelBefore := l.before.labelOr("")
	sentBackItems := l.sentBackList()

	entry := l.def.entries(f, t.To) + 1
	revision := l.Revision + 1
	now := schema.Stamp(f.Now)
	reason := firstOf(in.ClientComment, in.InternalNote, in.ExternalReference)
	err := schema.Insert(tx, schema.Transitions, dbx.Params{
		"id": schema.NewID(), "request": l.ID, "key": t.Key, "from": from, "to": t.To, "entry": entry, "actor_kind": string(l.who.Actor.Kind), "actor": l.who.Actor.ID,
		"actor_name": l.who.Actor.Name, "on_behalf_of": l.who.Standing.OnBehalfOf, "reason": reason, "revision": revision, "at": now, "scope": l.Scope, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("record transition %s: %w", t.Key, err)
	}

	f.Steps = append(f.Steps, Step{t.Key, from, t.To, l.who.Actor.ID, l.who.Standing.OnBehalfOf, revision, f.Now})
	f.State, f.Entry, f.StateSince = t.To, entry, f.Now
	l.StateSince = now

	if err := e.cancelJobs(tx, l, revision); err != nil {
		return err
	}
	items, err := e.effects(tx, l, t, in, revision)
	if err != nil {
		return err
	}
	if err := e.handOver(tx, l, target); err != nil {
		return err
	}
	if err := e.closeGiven(tx, l, t, target); err != nil {
		return err
	}
	if !quiet {
		if err := e.release(tx, l, items); err != nil {
			return err
		}
	}
	e.enter(l, target, items, quiet)
	if err := e.saveItems(tx, l, items.list()); err != nil {
		return err
	}
	l.def.followDue(f)
	remembered := func(after *ClientFace) {
		if !quiet {
			l.rememberStep(t, labelBefore, after)
		}
	}
	if err := e.save(tx, l, from, remembered); err != nil {
		return err
	}
	if err := e.rescope(tx, l, target); err != nil {
		return err
	}
	if err := e.writeWords(tx, l, in, now); err != nil {
		return err
	}
	payload := map[string]any{
		"key": t.Key, "from": from, "to": t.To, "entry": entry, "revision": revision, "label": target.Label.String(), "to_category": target.Category, "to_turn": target.Turn,
		"submitter": l.submitter(), "sent_back": sentBackItems.or(l.sentBackList()), "missing": l.missingList(), "comment": in.ClientComment, "data": f.Data, "tipping_off": quiet,
	}
	payload["count"] = len(payload["sent_back"].(briefs))
	change := map[string]any{"state": []any{from, t.To}, "transition": t.Key}
	if reason != "" {
		change["reason"] = reason
	}
	return e.tell(tx, l, "transition", schema.Requests, l.ID, change, "request."+t.Key, payload)
}

// rememberStep tells the client of a step: of one from the client's own side by
// its name, of any other only when it changed what the client is shown, and
// without the name that staff know it by.
func (l *live) rememberStep(t *Transition, labelBefore string, after *ClientFace) {
	label := after.labelOr("")
	if l.who.Side() == "client" {
		l.remember(after, "transition", t.Label.String(), map[string]any{"key": t.Key, "label": label})
	} else if label != labelBefore {
		l.remember(after, "transition", "", map[string]any{"label": label})
	}
}

// rescope moves the request when the state is for some duties only, or was.
func (e *Engine) rescope(tx core.App, l *live, target *State) error {
	was := len(schema.Strings(l.RestrictedTo)) > 0
	if !was && len(target.RestrictedTo) == 0 {
		return nil
	}
	l.RestrictedTo, l.rescoped = schema.JSON(target.RestrictedTo), true
	l.Scope = l.staffScopeNow() // what is told from here on is for those who may see the new state
	return access.Request(tx, l.ID, l.facts.Now)
}

// entries counts how often a request has entered a state; being opened counts
// for the initial one.
func (c *Compiled) entries(f *Facts, state string) int {
	n := 0
	if state == c.Initial {
		n = 1
	}
	for _, s := range f.Steps {
		if s.To == state {
			n++
		}
	}
	return n
}

// enter prepares the items for the new state: what can be provided there follows
// the data again, and each item remembers the status it came with.
func (e *Engine) enter(l *live, target *State, items *touched, quiet bool) {
	if len(target.Can.Provide) > 0 {
		for _, i := range l.def.sync(l.facts) {
			items.add(i)
		}
	}
	if quiet {
		return // the client must not be able to tell: the items are as if nothing had been
	}
	for _, i := range l.facts.Items {
		if i.EnteredStatus != i.Status {
			i.EnteredStatus = i.Status
			items.add(i)
		}
	}
}

// release lets the decisions out that were made in the state that ends now, all
// at once. Documents of a rejected item are superseded; where more is needed they
// stay, and at least one new one has to come.
func (e *Engine) release(tx core.App, l *live, items *touched) error {
	for _, i := range l.facts.Items {
		if i.Shown == nil {
			continue
		}
		if i.Shown.Status == Accepted && sentBack(i.Status) {
			l.makeStale(i, i.Shown.At, items)
		}
		i.Shown = nil
		items.add(i)
		l.remember(l.before, "review", decisionWords(i), map[string]any{"item": i.ID, "status": i.Status, "reason": i.Reason, "comment": i.Comment})
	}
	for _, i := range l.facts.Items {
		if !sentBack(i.Status) || i.EnteredStatus == i.Status {
			continue
		}
		_, err := tx.DB().NewQuery(`UPDATE documents SET reviewed = 1, superseded = {:all}, updated = {:now} WHERE item = {:id} AND superseded = 0`).
			Bind(dbx.Params{"id": i.ID, "all": i.Status == Rejected, "now": schema.Stamp(l.facts.Now)}).Execute()
		if err != nil {
			return fmt.Errorf("mark reviewed documents of item %s: %w", i.ID, err)
		}
		i.Files.Fresh = 0
		if i.Status == Rejected {
			i.Files = Files{Shown: i.Files.Shown}
		}
	}
	return nil
}

func decisionWords(i *Item) string {
	switch i.Status {
	case Accepted:
		return "Accepted: " + i.Title
	case MoreNeeded:
		return "More needed: " + i.Title
	case Waived:
		return "Not needed any more: " + i.Title
	}
	return "Sent back: " + i.Title
}

// writeWords turns what the form brought into a note and a message.
func (e *Engine) writeWords(tx core.App, l *live, in Input, now string) error {
	if !blank(in.InternalNote) {
		author := ""
		if l.who.Actor.Kind == schema.ActorStaff {
			author = l.who.Actor.ID
		}
		err := schema.Insert(tx, schema.InternalNotes, dbx.Params{"id": schema.NewID(), "request": l.ID, "author": author, "author_name": l.who.Actor.Name, "body": in.InternalNote, "scope": l.staffScopeNow(), "created": now, "updated": now})
		if err != nil {
			return fmt.Errorf("write internal note: %w", err)
		}
	}
	if blank(in.ClientComment) || l.ClientScope == "" {
		return nil
	}
	return l.message(tx, in.ClientComment)
}

// message writes what both sides see, as the actor's words.
func (l *live) message(tx core.App, body string) error {
	user, staff := l.who.Actor.Columns()
	now := schema.Stamp(l.facts.Now)
	err := schema.Insert(tx, schema.Messages, dbx.Params{
		"id": schema.NewID(), "request": l.ID, "organization": l.Organization, "author_user": user, "author_staff": staff,
		"author_name": l.who.Actor.Name, "body": body, "documents": "[]", "scope": l.ClientScope, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// readScopes reads the request's scopes again, after something else than the
// engine has moved them.
func (l *live) readScopes(tx core.App) error {
	err := tx.DB().NewQuery(`SELECT r.scope, COALESCE(c.scope, '') FROM requests r LEFT JOIN client_requests c ON c.id = r.id WHERE r.id = {:id}`).
		Bind(dbx.Params{"id": l.ID}).Row(&l.Scope, &l.ClientScope)
	if err != nil {
		return fmt.Errorf("read scopes of request %s: %w", l.ID, err)
	}
	return nil
}

// staffScopeNow is the staff scope after a change of state.
func (l *live) staffScopeNow() string {
	if len(schema.Strings(l.RestrictedTo)) > 0 {
		return schema.StaffScope(l.ID)
	}
	if l.ClientScope != "" {
		return schema.StaffScope(l.ClientScope)
	}
	return l.Scope
}

func (f *ClientFace) labelOr(other string) string {
	if f == nil {
		return other
	}
	return f.Label
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if !blank(s) {
			return s
		}
	}
	return ""
}
