package workflow

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
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
		return e.setItems(tx, l, x.SetItems, in, items)
	case x.Waive != "":
		l.setStatus(x.Waive, Waived, items)
	case x.Invalidate != "":
		l.invalidate(x.Invalidate, items)
	case x.Increment != "":
		l.facts.Data[x.Increment] = toFloat(l.facts.Data[x.Increment]) + 1
	case x.PublishFile != "":
		l.resetAcknowledgements(x.PublishFile, items)
		return e.moveDocuments(tx, l, l.named(x.PublishFile), true)
	case x.WithdrawFile != "":
		return e.moveDocuments(tx, l, l.named(x.WithdrawFile), false)
	case x.FreezeVersion != "":
		return e.freeze(tx, l, x.FreezeVersion)
	case x.Snapshot != "":
		return e.markSent(tx, l)
	case x.RecordAcceptance != "":
		return e.recordAcceptance(tx, l, x.RecordAcceptance)
	case x.ApplyWall != "":
		return e.applyWall(tx, l, x.ApplyWall, in)
	case !x.SendTemplate.IsZero():
		return e.sendTemplate(tx, l, x.SendTemplate.Value, in)
	case x.StartRetention != nil && *x.StartRetention:
		return e.startRetention(tx, l)
	}
	return nil // remarks: clocks follow the turn, rights the state and the status
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

// setItems gives the chosen items, or those with a named status, a new one. What
// was accepted and is opened again makes later acknowledgements stale; what was
// sent back and is kept after all gets its files back.
func (e *Engine) setItems(tx core.App, l *live, s *SetItems, in Input, items *touched) error {
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
		if status == "" || status == i.Status {
			continue
		}
		was, accepted := i.Status, i.ReviewedAt
		l.give(i, status)
		items.add(i)
		switch {
		case sentBack(status) && was == Accepted:
			l.makeStale(i, accepted, items)
		case sentBack(was) && !sentBack(status):
			i.newVersion()
			if err := e.keepFiles(tx, l, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeStale marks what was acknowledged after an item was accepted that is opened
// again now, and what was accepted and rests on it: both stay as they are, and say
// that they were before.
func (l *live) makeStale(opened *Item, accepted string, items *touched) {
	for _, i := range l.facts.applicable() {
		if i.Kind == "acknowledge" && i != opened && i.Answers["accepted"] == true && i.ProvidedAt > accepted {
			i.Answers[staleMark] = opened.Title
			items.add(i)
		}
		if i.Status == Accepted && l.def.restsOn(i, opened) && l.def.sections[i.Section].provider() == "client" {
			i.Answers[lookAgainMark] = opened.Title
			items.add(i)
		}
	}
}

// staleMark keeps the title of the item that was opened after an
// acknowledgement.
const staleMark = "_stale"

// resetAcknowledgements takes back what was acknowledged of a file that is
// handed over anew: a new file asks for a new acknowledgement.
func (l *live) resetAcknowledgements(name string, items *touched) {
	for _, i := range l.named(name) {
		if i.Kind == "acknowledge" && i.Files.Staff > 0 && i.Status != Missing && i.Status != Waived {
			l.give(i, Missing)
			delete(i.Answers, "accepted")
			items.add(i)
		}
	}
}

// named are the applicable items that a name means.
func (l *live) named(name string) []*Item {
	var list []*Item
	for _, i := range l.facts.applicable() {
		if meant(name, i) {
			list = append(list, i)
		}
	}
	return list
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
	delete(i.Answers, lookAgainMark)
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

// moveDocuments publishes what the firm attached, or takes it back: staff, or a
// superuser, whom no column of a document names.
func (e *Engine) moveDocuments(tx core.App, l *live, items []*Item, publish bool) error {
	scope, published := l.ClientScope, schema.Stamp(l.facts.Now)
	if scope == "" {
		scope = l.Organization
	}
	if !publish {
		scope, published = l.Scope, ""
	}
	for _, i := range items {
		_, err := tx.DB().NewQuery(`UPDATE documents SET scope = {:scope}, published_at = {:at}, updated = {:now} WHERE item = {:item} AND superseded = 0 AND uploader_user = ''`).
			Bind(dbx.Params{"scope": scope, "at": published, "now": schema.Stamp(l.facts.Now), "item": i.ID}).Execute()
		if err != nil {
			return fmt.Errorf("move documents of %s: %w", i.Title, err)
		}
		if publish {
			i.Files.Staff, i.Files.Shown = 0, i.Files.Shown+i.Files.Staff
		} else {
			i.Files.Staff, i.Files.Shown = i.Files.Ready, 0
		}
	}
	return nil
}

// handOver shows the client what staff provided, when the client is the one to
// decide on it: nobody can judge what he does not see.
func (e *Engine) handOver(tx core.App, l *live, target *State) error {
	var items []*Item
	for _, i := range l.facts.applicable() {
		s := l.def.Section(i.Section)
		if s == nil || s.provider() != "staff" || i.Files.Staff == 0 || !slices.Contains(target.Can.Review, i.Section) {
			continue
		}
		if slices.ContainsFunc(l.def.reviewers(s, l.def.Spec(i.Section, i.Key)), l.def.IsClientRole) {
			items = append(items, i)
		}
	}
	return e.moveDocuments(tx, l, items, true)
}

// freeze closes the present version: what is there can no longer be taken away.
func (e *Engine) freeze(tx core.App, l *live, name string) error {
	for _, i := range l.named(name) {
		_, err := tx.DB().NewQuery(`UPDATE documents SET sent_at = {:now} WHERE item = {:item} AND sent_at = '' AND superseded = 0`).
			Bind(dbx.Params{"now": schema.Stamp(l.facts.Now), "item": i.ID}).Execute()
		if err != nil {
			return fmt.Errorf("freeze documents of %s: %w", i.Title, err)
		}
	}
	return nil
}

// keepFiles makes the files current again that the last refusal of an item
// replaced: it is kept as it was.
func (e *Engine) keepFiles(tx core.App, l *live, i *Item) error {
	if i.Files.Ready > 0 {
		return nil
	}
	_, err := tx.DB().NewQuery(`UPDATE documents SET superseded = 0, updated = {:now} WHERE item = {:item} AND superseded = 1
		AND updated = (SELECT MAX(updated) FROM documents WHERE item = {:item} AND superseded = 1)`).
		Bind(dbx.Params{"item": i.ID, "now": schema.Stamp(l.facts.Now)}).Execute()
	if err != nil {
		return fmt.Errorf("keep documents of %s: %w", i.Title, err)
	}
	again, err := loadItems(tx, l.ID)
	if err != nil {
		return err
	}
	for _, same := range again[l.ID] {
		if same.ID == i.ID {
			i.Files = same.Files
		}
	}
	return nil
}

// applyWall takes the request out of the sight of the person of the firm whom a
// field names, by id, e-mail or name.
func (e *Engine) applyWall(tx core.App, l *live, field string, in Input) error {
	who, _ := l.facts.Data[field].(string)
	var id string
	err := tx.DB().NewQuery(`SELECT id FROM staff WHERE maker = '' AND (id = {:who} OR lower(email) = lower({:who}) OR name = {:who}) ORDER BY active DESC LIMIT 1`).Bind(dbx.Params{"who": strings.TrimSpace(who)}).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return problem.Field(field, problem.FieldInvalid, fmt.Sprintf("%q is nobody of the firm. Give the name or the e-mail address of a member of staff.", who))
	}
	if err != nil {
		return fmt.Errorf("find staff %q: %w", who, err)
	}
	c, err := tx.FindCachedCollectionByNameOrId(schema.Walls)
	if err != nil {
		return fmt.Errorf("find walls: %w", err)
	}
	wall := core.NewRecord(c)
	wall.Load(map[string]any{"staff": id, "request": l.ID, "reason": firstOf(in.InternalNote, in.ClientComment, "By the workflow.")})
	schema.SetActor(wall, l.who.Actor)
	if err := tx.Save(wall); err != nil { // its hooks derive who sees what from now on
		return fmt.Errorf("put up wall: %w", err)
	}
	l.rescoped = true
	return l.readScopes(tx)
}

// sendTemplate sends a text of the library as a message: the one that the
// definition names, else the one that the actor chose.
func (e *Engine) sendTemplate(tx core.App, l *live, named any, in Input) error {
	name, _ := named.(string)
	if name == "" {
		name = in.ClientTemplate
	}
	text, err := findText(tx, name)
	if err != nil || l.ClientScope == "" {
		return err
	}
	if text == nil {
		return problem.Field("client_template", problem.TemplateRequired, fmt.Sprintf("There is no text %q in the library.", name))
	}
	return l.message(tx, fill(text.Body, l.placeholders(l.Revision+1)))
}

var retentionYears = regexp.MustCompile(`(?:^|_)(\d{1,3})y(?:_|$)`)

// startRetention sets the day until which each file has to be kept, by the class
// of its item: "tax_6y" is six years from now. Other classes have no such day.
func (e *Engine) startRetention(tx core.App, l *live) error {
	for _, i := range l.facts.Items {
		spec := l.def.Spec(i.Section, i.Key)
		if spec == nil {
			continue
		}
		years := retentionYears.FindStringSubmatch(spec.Retention)
		if years == nil {
			continue
		}
		n, err := strconv.Atoi(years[1])
		if err != nil {
			return fmt.Errorf("read retention class %q: %w", spec.Retention, err)
		}
		_, err = tx.DB().NewQuery(`UPDATE documents SET retain_until = {:until} WHERE item = {:item} AND (retain_until = '' OR retain_until < {:until})`).
			Bind(dbx.Params{"until": schema.Stamp(l.facts.Now.AddDate(n, 0, 0)), "item": i.ID}).Execute()
		if err != nil {
			return fmt.Errorf("start retention of %s: %w", i.Title, err)
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

// closeGiven closes the client's files when the turn leaves the client, whether
// or not the definition says "snapshot": what the firm has been handed to work on
// stays, also when the request comes back for something else. A step that goes
// from the client to nobody's knowledge is not one that hands over.
func (e *Engine) closeGiven(tx core.App, l *live, t *Transition, target *State) error {
	from := l.def.State(l.facts.Steps[len(l.facts.Steps)-1].From)
	if from.Turn != "client" || target.Turn == "client" || target.TippingOffSafe || slices.ContainsFunc(t.Effects, func(x Effect) bool { return x.Snapshot != "" }) {
		return nil
	}
	given := func(i *Item) bool { return i.Files.Ready+i.Files.Scanning > i.Files.Staff }
	if !slices.ContainsFunc(l.facts.Items, given) {
		return nil
	}
	_, err := tx.DB().NewQuery(`UPDATE documents SET sent_at = {:now} WHERE request = {:id} AND sent_at = '' AND item != '' AND uploader_user != ''`).
		Bind(dbx.Params{"now": schema.Stamp(l.facts.Now), "id": l.ID}).Execute()
	if err != nil {
		return fmt.Errorf("close documents that were given: %w", err)
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
