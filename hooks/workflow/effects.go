package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// effects does what a transition's definition says, on the facts and beside
// them, and returns the items that it changed.
func (e *Engine) effects(tx core.App, l *live, t *Transition, in Input, revision int) (*touched, error) {
	items := newTouched()
	l.takeComments(t, in, items)
	for _, effect := range t.Effects {
		if err := e.effect(tx, l, effect, in, revision, items); err != nil {
			return nil, fmt.Errorf("effect of %s: %w", t.Key, err)
		}
	}
	return items, nil
}

func (e *Engine) effect(tx core.App, l *live, x Effect, in Input, revision int, items *touched) error {
	switch {
	case x.Job != "":
		return e.startJob(tx, l, x.Job, revision)
	case x.RetryJobs != "":
		return e.retryJobs(tx, l, x.RetryJobs, revision)
	case x.Claim != "":
		return e.claim(tx, l, x.Claim)
	case x.SetItems != nil:
		l.setItems(x.SetItems, in, items)
	case x.Waive != "":
		l.setStatus(x.Waive, Waived, items)
	case x.Invalidate != "":
		l.invalidate(x.Invalidate, items)
	case x.Increment != "":
		l.facts.Data[x.Increment] = toFloat(l.facts.Data[x.Increment]) + 1
	case x.PublishFile != "":
		return e.moveDocuments(tx, l, x.PublishFile, true)
	case x.WithdrawFile != "":
		return e.moveDocuments(tx, l, x.WithdrawFile, false)
	case x.Snapshot != "":
		return e.markSent(tx, l)
	case x.RecordAcceptance != "":
		return e.recordAcceptance(tx, l, x.RecordAcceptance)
	}
	return nil // remarks, and what other rooms do on the event
}

// takeComments puts the words that the form brought for each item on the item,
// if the step asks for such words: on the way into a state that the client must
// not learn of, they would tell.
func (l *live) takeComments(t *Transition, in Input, items *touched) {
	if asks := l.def.asks(t); !slices.Contains(asks, "client_comment_per_rejected_item") && !slices.Contains(asks, "client_comment_per_reopened_item") {
		return
	}
	for id, comment := range in.Comments {
		if i := l.facts.item(id); i != nil && !blank(comment) {
			i.Comment = comment
			items.add(i)
		}
	}
}

// setItems gives the chosen items, or those with a named status, a new one.
func (l *live) setItems(s *SetItems, in Input, items *touched) {
	to := map[string]string{Missing: s.Missing, Provided: s.Provided, Accepted: s.Accepted, Rejected: s.Rejected, Waived: s.Waived, NotApplicable: s.NotApplicable}
	for _, i := range l.facts.applicable() {
		if s.Section != "" && i.Section != s.Section || s.Item != "" && i.Key != s.Item {
			continue
		}
		status := to[i.Status]
		if status == "" && sentBack(i.Status) {
			status = s.Rejected
		}
		for _, id := range in.Items {
			if id == i.ID && s.Chosen != "" {
				status = s.Chosen
			}
		}
		if status != "" && status != i.Status {
			l.give(i, status)
			items.add(i)
		}
	}
}

func (l *live) setStatus(name, status string, items *touched) {
	for _, i := range l.facts.applicable() {
		if meant(name, i) && i.Status != status && i.Status != NotApplicable {
			l.give(i, status)
			items.add(i)
		}
	}
}

// invalidate takes back what was given: an acknowledgement of something that
// changed since.
func (l *live) invalidate(name string, items *touched) {
	for _, i := range l.facts.applicable() {
		if !meant(name, i) || i.Status == Missing {
			continue
		}
		l.give(i, Missing)
		delete(i.Answers, "accepted")
		items.add(i)
	}
}

// give sets a status that somebody decided on.
func (l *live) give(i *Item, status string) {
	if sentBack(status) {
		i.Tries++
	}
	i.Status, i.Reviewer, i.ReviewedAt = status, l.who.Actor.ID, schema.Stamp(l.facts.Now)
}

// claim makes the actor the one person for a duty; the handler is also whom the
// client may ask.
func (e *Engine) claim(tx core.App, l *live, duty string) error {
	if l.who.Actor.Kind != schema.ActorStaff {
		return nil
	}
	now := schema.Stamp(l.facts.Now)
	_, err := tx.DB().NewQuery(`INSERT INTO request_people (id, request, duty, person, scope, created, updated) VALUES ({:id}, {:request}, {:duty}, {:person}, {:scope}, {:now}, {:now})
		ON CONFLICT(request, duty) DO UPDATE SET person = excluded.person, updated = excluded.updated`).
		Bind(dbx.Params{"id": schema.NewID(), "request": l.ID, "duty": duty, "person": l.who.Actor.ID, "scope": l.Scope, "now": now}).Execute()
	if err != nil {
		return fmt.Errorf("claim %s: %w", duty, err)
	}
	l.facts.People[duty] = l.who.Actor.ID
	l.Assignee, l.AssigneeName = l.who.Actor.ID, l.who.Actor.Name
	return nil
}

// startJob queues a job in the same transaction. A system that has no
// connection has nothing to do it in: the job is skipped at once, says so, and
// counts as done.
func (e *Engine) startJob(tx core.App, l *live, name string, revision int) error {
	spec := l.def.Job(name)
	if spec == nil {
		return fmt.Errorf("job %q is not among the integrations", name)
	}
	now := schema.Stamp(l.facts.Now)
	// Keys carry the revision of the step that started them: a second run after
	// a reopening is a new job, a repeated delivery of the same one is not.
	key := fill(spec.IdempotencyKey, l.placeholders(revision)) + "#" + strconv.Itoa(revision)
	err := schema.Insert(tx, schema.Jobs, dbx.Params{
		"id": schema.NewID(), "connection": "", "name": name, "system": spec.System, "request": l.ID, "collection": schema.Requests, "record": l.ID,
		"organization": l.Organization, "status": "skipped", "attempts": 0, "next_at": "", "idempotency_key": key,
		"last_error": "No " + spec.System + " system is connected, so there was nothing to do.", "revision": revision, "scope": l.Scope, "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("queue job %s: %w", name, err)
	}
	l.facts.Jobs[name] = JobState{Name: name, System: spec.System, Status: "skipped", Revision: revision}
	return nil
}

// retryJobs queues the dead jobs again.
func (e *Engine) retryJobs(tx core.App, l *live, status string, revision int) error {
	for _, name := range slices.Sorted(maps.Keys(l.facts.Jobs)) {
		if l.facts.Jobs[name].Status != status {
			continue
		}
		if err := e.startJob(tx, l, name, revision); err != nil {
			return err
		}
	}
	return nil
}

func (l *live) placeholders(revision int) map[string]string {
	values := map[string]string{"request": l.ID, "org": l.Organization, "organization": l.OrgName, "period": l.Period, "number": l.Number, "revision": strconv.Itoa(revision), "entry": strconv.Itoa(l.facts.Entry)}
	for key, value := range l.facts.Data {
		switch v := value.(type) {
		case string:
			values[key] = v
		case float64:
			values[key] = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return values
}

// moveDocuments publishes what staff attached, or takes it back.
func (e *Engine) moveDocuments(tx core.App, l *live, name string, publish bool) error {
	scope, published := l.ClientScope, schema.Stamp(l.facts.Now)
	if scope == "" {
		scope = l.Organization
	}
	if !publish {
		scope, published = l.Scope, ""
	}
	for _, i := range l.facts.applicable() {
		if !meant(name, i) {
			continue
		}
		_, err := tx.DB().NewQuery(`UPDATE documents SET scope = {:scope}, published_at = {:at}, updated = {:now} WHERE item = {:item} AND superseded = 0 AND uploader_staff != ''`).
			Bind(dbx.Params{"scope": scope, "at": published, "now": schema.Stamp(l.facts.Now), "item": i.ID}).Execute()
		if err != nil {
			return fmt.Errorf("move documents of %s: %w", i.Title, err)
		}
		if publish {
			i.Files.Staff = 0
		} else {
			i.Files.Staff = i.Files.Ready
		}
	}
	return nil
}

// markSent closes what was given until now: it can no longer be taken away.
func (e *Engine) markSent(tx core.App, l *live) error {
	_, err := tx.DB().NewQuery(`UPDATE documents SET sent_at = {:now} WHERE request = {:id} AND sent_at = ''`).Bind(dbx.Params{"now": schema.Stamp(l.facts.Now), "id": l.ID}).Execute()
	if err != nil {
		return fmt.Errorf("mark documents as sent: %w", err)
	}
	return nil
}

// recordAcceptance puts who accepted what on the trail.
func (e *Engine) recordAcceptance(tx core.App, l *live, what string) error {
	var hashes []string
	if section := strings.TrimSuffix(what, "_sha256"); section != what {
		err := tx.DB().NewQuery(`SELECT d.sha256 FROM documents d JOIN items i ON i.id = d.item WHERE i.request = {:id} AND (i.section = {:name} OR i.key = {:name}) AND d.superseded = 0 ORDER BY d.created`).
			Bind(dbx.Params{"id": l.ID, "name": section}).Column(&hashes)
		if err != nil {
			return fmt.Errorf("read accepted documents: %w", err)
		}
	}
	return e.Audit(tx, Change{
		Actor: l.who.Actor, Action: "review", Collection: schema.Requests, Record: l.ID, Organization: l.Organization, Request: l.ID, Scope: l.Scope, At: l.facts.Now,
		Change: map[string]any{"accepted": what, "sha256": hashes, "ip": l.who.Actor.IP, "name": l.who.Actor.Name},
	})
}
