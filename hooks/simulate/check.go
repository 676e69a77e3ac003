package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Violation is a broken promise: which one, and how it showed.
type Violation struct { //nolint:errname // the word of the documentation and the output
	Rule string `json:"rule"`
	Says string `json:"says"`
}

func (v *Violation) Error() string { return v.Rule + ": " + v.Says }

func (r *run) broken(rule, format string, args ...any) error {
	return &Violation{Rule: rule, Says: fmt.Sprintf(format, args...)}
}

// Words that must never be read by a client. Whole values of masked fields must
// stand in one place only.
const (
	staffWord  = "ZQSTAFF"
	secretWord = "ZQSECRET"
)

// workflowAfter is the earliest time of a step, by an own and simple count: so
// many days, or so many days that are neither Saturday nor Sunday.
func workflowAfter(def *workflow.Compiled, t *workflow.Transition, before *picture) time.Time {
	entered := schema.Time(before.since)
	switch {
	case t.After == nil:
		return time.Time{}
	case t.After.DaysInState > 0:
		return entered.In(def.Calendar.Zone()).AddDate(0, 0, t.After.DaysInState)
	}
	at := entered.In(def.Calendar.Zone())
	for n := 0; n < t.After.BusinessDaysInState; {
		at = at.AddDate(0, 0, 1)
		if at.Weekday() != time.Saturday && at.Weekday() != time.Sunday {
			n++
		}
	}
	// The first day may count from its morning; a holiday makes it later.
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
}

// check compares what an act did with what it may have done. refusal is the
// answer that the person got; nil for done.
func (r *run) check(a *Act, p *person, before *picture, refusal error) error {
	version, err := r.version()
	if err != nil {
		return err
	}
	committed := version != r.mark
	r.mark = version
	if refusal != nil {
		if code(refusal) == "" {
			return r.broken("failure", "an act is answered by neither yes nor a refusal: %v", refusal)
		}
		if committed {
			return r.broken("refused_but_changed", "the refused act (%v) changed the database", refusal)
		}
		return nil
	}
	if a.Do == doRaw {
		return r.broken("wall", "the database let %q through", a.SQL)
	}
	if a.Fault != "" && committed {
		return r.broken("one_transaction", "the %s failed, yet the change was made", a.Fault)
	}
	if !committed || r.request == "" {
		return nil
	}
	after, err := r.look(r.request)
	if err != nil {
		return err
	}
	r.seen = after
	if err := r.checkState(after); err != nil {
		return err
	}
	if err := r.checkTold(a, before, after); err != nil {
		return err
	}
	if err := r.checkClient(before, after); err != nil {
		return err
	}
	return r.checkRights(a, p, before, after)
}

// checkState: the state is one that the workflow reaches, somebody has the turn,
// and the history says how it came.
func (r *run) checkState(now *picture) error {
	state := r.def.State(now.state)
	if state == nil || !r.reachable[now.state] {
		return r.broken("state", "nothing leads to state %q", now.state)
	}
	if now.turn != state.Turn || now.category != state.Category {
		return r.broken("turn", "in %s the turn is %s and the category %s, not %s and %s", now.state, now.turn, now.category, state.Turn, state.Category)
	}
	if open := state.Category != "done"; open != slices.Contains([]string{"client", "staff", "system"}, now.turn) {
		return r.broken("turn", "in %s the turn is with %q", now.state, now.turn)
	}
	at, entries, last := r.def.Initial, map[string]int{r.def.Initial: 1}, 0
	for n, s := range now.steps {
		t := r.def.Transition(s.Key)
		entries[s.To]++
		switch {
		case t == nil || t.To != s.To || !slices.Contains(t.From, s.From):
			return r.broken("history", "step %d, %s from %s to %s, is none of the workflow", n+1, s.Key, s.From, s.To)
		case s.From != at:
			return r.broken("history", "step %d leads out of %s, but the request was in %s", n+1, s.From, at)
		case s.Entry != entries[s.To]:
			return r.broken("history", "step %d is entry %d into %s, not %d", n+1, s.Entry, s.To, entries[s.To])
		case s.Revision <= last || s.Revision > now.revision:
			return r.broken("history", "step %d has revision %d after %d, the request %d", n+1, s.Revision, last, now.revision)
		}
		at, last = s.To, s.Revision
	}
	if at != now.state || entries[at] != now.entry {
		return r.broken("history", "the history ends in %s, entry %d; the request is in %s, entry %d", at, entries[at], now.state, now.entry)
	}
	return nil
}

// checkTold: no change without its event and its entry on the trail, no event
// without its change, the revision grows by one.
func (r *run) checkTold(a *Act, before, after *picture) error {
	events, err := r.since(selectEvents, r.request, r.events)
	if err != nil {
		return err
	}
	trail, err := r.since(selectTrail, r.request, r.trail)
	if err != nil {
		return err
	}
	if len(events) > 0 {
		r.events = events[len(events)-1].Seq
	}
	if len(trail) > 0 {
		r.trail = trail[len(trail)-1].Seq
	}
	for _, list := range [][]told{events, trail} {
		for _, e := range list {
			if strings.Contains(e.Detail, secretWord) {
				return r.broken("secret", "%s carries the whole value of a masked field", e.Kind)
			}
		}
	}
	was, steps := 0, 0
	if before != nil {
		was, steps = before.revision, len(before.steps)
	}
	grown, taken := after.revision-was, len(after.steps)-steps
	words := a.Do == doMessage || a.Do == doNote || a.Do == doJob // tell of what is beside the request
	switch {
	case before == nil && grown < 1, before != nil && a.Do != doPass && grown > 1, grown < 0, taken > grown:
		return r.broken("revision", "it grew from %d to %d with %d steps", was, after.revision, taken)
	case a.Do == doPass && grown != taken:
		return r.broken("revision", "the system took %d steps, but the revision grew by %d", taken, grown)
	case grown == 0 && before != nil && before.raw != after.raw:
		return r.broken("revision", "the request changed, its revision did not")
	case grown == 0 && !words && len(events)+len(trail) > 0:
		return r.broken("told", "%d events and %d entries tell of a change that there was not", len(events), len(trail))
	case (grown > 0 || words) && len(events) == 0:
		return r.broken("told", "a change without its event")
	case (grown > 0 || words) && len(trail) == 0:
		return r.broken("told", "a change without its entry on the trail")
	}
	return r.checkSteps(after, events, trail, steps)
}

// checkSteps: each step has exactly one event and one entry, with its revision.
func (r *run) checkSteps(after *picture, events, trail []told, from int) error {
	seen := map[string]bool{}
	stepEvents := 0
	for _, e := range events {
		if once := e.Kind + e.Detail; seen[once] {
			return r.broken("told", "%s was told twice", e.Kind)
		}
		seen[e.Kind+e.Detail] = true
		if key, ok := strings.CutPrefix(e.Kind, "request."); ok && r.def.Transition(key) != nil {
			stepEvents++
		}
	}
	entries := 0
	for _, e := range trail {
		if e.Kind == "transition" {
			entries++
		}
	}
	taken := after.steps[from:]
	if stepEvents != len(taken) || entries != len(taken) {
		return r.broken("told", "%d steps, but %d events and %d entries of steps", len(taken), stepEvents, entries)
	}
	for _, s := range taken {
		match := func(e told) bool {
			return e.Kind == "request."+s.Key && e.Payload["from"] == s.From && e.Payload["to"] == s.To && number(e.Payload["revision"]) == float64(s.Revision)
		}
		if !slices.ContainsFunc(events, match) {
			return r.broken("told", "the event of %s says something else than the history", s.Key)
		}
		if !slices.ContainsFunc(trail, func(e told) bool { return e.Kind == "transition" && e.Payload["transition"] == s.Key }) {
			return r.broken("told", "no entry on the trail names %s", s.Key)
		}
	}
	return nil
}

// checkClient: the client's rows are what the truth makes them, and hold nothing
// that is the firm's alone.
func (r *run) checkClient(before, after *picture) error {
	for _, word := range []string{staffWord, secretWord} {
		if strings.Contains(after.client, word) {
			return r.broken("leak", "a client can read %s in %s", word, around(after.client, word))
		}
	}
	for _, i := range after.items {
		if i.held() && i.Comment != "" && strings.Contains(after.client, i.Comment) && !strings.Contains(i.Shown, i.Comment) {
			return r.broken("leak", "the client can read the decision on %s that is not out yet", i.place())
		}
	}
	if state := r.def.State(after.shown.State); state != nil && (!state.Visible() || state.TippingOffSafe) {
		return r.broken("leak", "the client is shown %s", state.Key)
	}
	for i := range r.def.Fields {
		if f := &r.def.Fields[i]; f.Visibility == "staff" && after.shownData[f.Key] != nil {
			return r.broken("leak", "the client's row holds field %s", f.Key)
		}
	}
	if state := r.def.State(after.state); before != nil && len(after.steps) > len(before.steps) && state.TippingOffSafe && before.client != after.client {
		return r.broken("tipping_off", "the client's rows changed on the way into %s", after.state)
	}
	if r.changes++; r.changes%faceEvery != 0 {
		return nil
	}
	return r.checkFace(after)
}

// faceEvery is how many changes go by before the client's rows are worked out
// anew: a row that is wrong stays wrong, and is found at the end of the run.
const faceEvery = 3

// checkFace works the client's rows out of the truth and compares.
func (r *run) checkFace(now *picture) error {
	var face *workflow.ClientFace
	err := r.app.RunInTransaction(func(tx core.App) (err error) {
		face, err = r.engine.Rebuild(tx, r.request)
		return err
	})
	if err != nil {
		return err
	}
	return r.sameFace(face, now)
}

// whyColumn is the sentence beside an item. Where dates are told with a file it
// changes as days go by, and the row follows with the next change of the item.
const whyColumn = 12

// sameFace compares the client's rows, as read, with the face that the truth
// gives.
func (r *run) sameFace(face *workflow.ClientFace, now *picture) error {
	shown, items, _ := strings.Cut(now.face, "\n")
	if face == nil {
		if shown != "" || items != "[]" {
			return r.broken("client_rows", "the client is shown rows of a request that is hidden")
		}
		return nil
	}
	var row []any
	var list [][]any
	if json.Unmarshal([]byte(shown), &row) != nil || json.Unmarshal([]byte(items), &list) != nil {
		return r.broken("client_rows", "the client's rows are not there: %s", shown)
	}
	want := []any{face.Title, face.State, face.Label, face.Category, face.Turn, face.Outcome, face.Due, face.Since, schema.JSON(face.Contact), schema.JSON(face.Data), schema.JSON(face.Progress), now.shown.Revision, face.Paused}
	for n, w := range want {
		if plain(row[n]) != plain(w) {
			return r.broken("client_rows", "the client's row says %v where the truth is %v", row[n], w)
		}
	}
	if len(list) != len(face.Items) {
		return r.broken("client_rows", "the client is shown %d items, not %d", len(list), len(face.Items))
	}
	byID := map[string][]any{}
	for _, i := range list {
		byID[fmt.Sprint(i[0])] = i
	}
	for _, i := range face.Items {
		have := byID[i.ID]
		want := []any{i.ID, i.Section, i.Key, i.Instance, i.Position, i.Title, i.Hint, i.Kind, i.Status, i.Label, i.Required, i.Editable, i.Why, i.Reason, i.Comment, schema.JSON(i.Options), schema.JSON(i.Answers), i.Due}
		for n, w := range want {
			if spec := r.def.Spec(i.Section, i.Key); n == whyColumn && have != nil && spec != nil && len(spec.Metadata) > 0 && r.moved {
				continue
			}
			if have == nil || plain(have[n]) != plain(w) {
				return r.broken("client_rows", "the client's row of %s/%s says %v where the truth is %v", i.Section, i.Key, have, want)
			}
		}
	}
	return nil
}

// plain writes a value so that what the database gives and what Go has compare:
// 1 and true are one, and so is JSON however it is spaced.
func plain(v any) string {
	switch x := v.(type) {
	case bool:
		if x {
			return "1"
		}
		return "0"
	case string:
		var parsed any
		if strings.HasPrefix(x, "{") && json.Unmarshal([]byte(x), &parsed) == nil {
			return schema.JSON(parsed)
		}
	}
	return fmt.Sprint(v)
}

// checkRights: what was done was the person's to do, by the oracle.
func (r *run) checkRights(a *Act, p *person, before, after *picture) error {
	if before == nil {
		if p.client() || (p.actor.Kind == schema.ActorStaff && p.actor.Role == "viewer") {
			return r.broken("rights", "%s opened a request", p.name)
		}
		return nil
	}
	for n := len(before.steps); n < len(after.steps); n++ {
		s, by := after.steps[n], p
		if a.Do == doPass {
			by = r.people.byName["system"]
		}
		if n > len(before.steps) {
			break // further steps of one pass: what stood before them is not known
		}
		if no := r.stepObjections(r.def.Transition(s.Key), a, by, before); len(no) > 0 {
			return r.broken("rights", "%s", strings.Join(no, "; "))
		}
	}
	if a.Do == doAnswer || a.Do == doUpload {
		if why := r.mayProvide(p, before.at(a.Item), before); why != "" {
			return r.broken("rights", "%s gave %s, but %s", p.name, a.Item, why)
		}
	}
	if a.Do == doReview {
		if why := r.mayReview(p, before.at(a.Item), before); why != "" {
			return r.broken("rights", "%s decided on %s, but %s", p.name, a.Item, why)
		}
	}
	for i := range r.def.Fields {
		f := &r.def.Fields[i]
		if a.Do != doData || schema.JSON(before.data[f.Key]) == schema.JSON(after.data[f.Key]) {
			continue
		}
		if why := r.mayWrite(p, f, before); why != "" {
			return r.broken("rights", "%s wrote %s, but %s", p.name, f.Key, why)
		}
	}
	return r.checkItems(a, before, after)
}

// statuses that an item may have.
var statuses = []string{workflow.Missing, workflow.Provided, workflow.Accepted, workflow.Rejected, workflow.MoreNeeded, workflow.Waived, workflow.NotApplicable, workflow.Expired}

// checkItems: an item has a status of the list, only acts that may change it
// have, and what a provider gave is provided exactly when it is complete.
func (r *run) checkItems(a *Act, before, after *picture) error {
	for _, now := range after.items {
		if !slices.Contains(statuses, now.Status) {
			return r.broken("item", "%s is %q", now.place(), now.Status)
		}
		was := before.at(now.place())
		if was == nil {
			if now.Status != workflow.Missing {
				return r.broken("item", "%s is new and %s", now.place(), now.Status)
			}
			continue
		}
		changed := was.Status != now.Status
		stepped := len(after.steps) > len(before.steps)
		if changed && !stepped && (a.Item != now.place() || !slices.Contains([]string{doAnswer, doUpload, doReview}, a.Do)) {
			return r.broken("item", "%s became %s by %s of %s", now.place(), now.Status, a.Do, a.Item)
		}
		if changed && a.Do != doReview && !stepped && (was.Status == workflow.Accepted || was.Status == workflow.Waived) {
			return r.broken("item", "a provider turned %s from %s to %s", now.place(), was.Status, now.Status)
		}
		if (a.Do == doAnswer || a.Do == doUpload) && a.Item == now.place() && changed {
			given := now.Status == workflow.Provided || now.Status == workflow.NotApplicable
			if given && !r.full(now) {
				return r.broken("item", "%s is %s, but not complete", now.place(), now.Status)
			}
		}
	}
	for _, was := range before.items {
		if after.at(was.place()) == nil && a.Do != doRemove {
			return r.broken("item", "%s is gone", was.place())
		}
	}
	return nil
}

// around is the text near a word, for a message.
func around(text, word string) string {
	at := strings.Index(text, word)
	return text[max(0, at-60):min(len(text), at+60)]
}

// reach lists the states that transitions lead to from the initial one.
func reach(def *workflow.Compiled) map[string]bool {
	reached, todo := map[string]bool{}, []string{def.Initial}
	for len(todo) > 0 {
		state := todo[0]
		todo = todo[1:]
		if reached[state] || def.State(state) == nil {
			continue
		}
		reached[state] = true
		for _, t := range def.From(state) {
			todo = append(todo, t.To)
		}
	}
	return reached
}
