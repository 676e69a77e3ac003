package workflow

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// RequestPatch changes what is not the state. Nil leaves a member as it is.
type RequestPatch struct {
	Data             map[string]any `json:"data"`
	Title            *string        `json:"title"`
	Due              *string        `json:"due"`
	Assignee         *string        `json:"assignee"`
	Priority         *string        `json:"priority"`
	Tags             []string       `json:"tags"`
	Note             string         `json:"note"` // with an assignee: words for the colleague
	Was              map[string]any `json:"was"`  // the data that the editor started from
	ExpectedRevision *int           `json:"expected_revision"`
}

// PatchRequest changes fields of a request, each by its own rule.
func (e *Engine) PatchRequest(_ context.Context, app core.App, id string, actor schema.Actor, in RequestPatch) error {
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		return e.patch(tx, l, in)
	})
}

func (e *Engine) patch(tx core.App, l *live, in RequestPatch) error {
	if err := e.fresh(tx, l, in.ExpectedRevision); err != nil {
		return err
	}
	if err := e.unchanged(tx, l, "", l.facts.Data, in.Data, in.Was); err != nil {
		return err
	}
	before := map[string]any{"title": l.facts.Title, "due": l.facts.Due, "assignee": l.Assignee, "priority": l.facts.Priority, "tags": l.Tags}
	data := maps.Clone(l.facts.Data)
	if in.Title != nil || in.Due != nil || in.Assignee != nil || in.Priority != nil || in.Tags != nil || in.Note != "" {
		if err := e.patchHead(tx, l, in); err != nil {
			return err
		}
	}
	err := l.writeData(in.Data, func(f *Field) (bool, string) { return l.def.mayWrite(l.facts, f, l.who) })
	if err != nil {
		return err
	}
	change := differences(before, map[string]any{"title": l.facts.Title, "due": l.facts.Due, "assignee": l.Assignee, "priority": l.facts.Priority, "tags": l.Tags})
	for key, value := range l.facts.Data {
		if !equal(data[key], value) {
			change["data."+key] = []any{data[key], value}
		}
	}
	for key, value := range data {
		if _, still := l.facts.Data[key]; !still && value != nil {
			change["data."+key] = []any{value, nil}
		}
	}
	if len(change) == 0 {
		return nil
	}
	if err := e.syncItems(tx, l); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	if err := e.writeWords(tx, l, Input{InternalNote: in.Note}, schema.Stamp(l.facts.Now)); err != nil {
		return err
	}
	return e.tell(tx, l, "update", schema.Requests, l.ID, change, "request.changed", map[string]any{"fields": slices.Sorted(maps.Keys(change))})
}

// syncItems lets items appear and disappear as data changes, while their section
// follows the data.
func (e *Engine) syncItems(tx core.App, l *live) error {
	return e.saveItems(tx, l, l.def.sync(l.facts))
}

// patchHead changes title, due date, assignee, priority and tags.
func (e *Engine) patchHead(tx core.App, l *live, in RequestPatch) error {
	if err := e.mayHead(tx, l); err != nil {
		return err
	}
	if in.Title != nil {
		if blank(*in.Title) || len(*in.Title) > 300 {
			return problem.Field("title", problem.FieldInvalid, "A title has 1 to 300 characters.")
		}
		l.facts.Title = strings.TrimSpace(*in.Title)
	}
	if in.Due != nil {
		if err := l.setDue(*in.Due); err != nil {
			return err
		}
		l.def.followDue(l.facts)
	}
	if in.Assignee != nil && *in.Assignee != l.Assignee {
		if err := e.assign(tx, l, *in.Assignee); err != nil {
			return err
		}
	}
	if in.Priority != nil {
		if !slices.Contains([]string{"low", "normal", "high", "urgent"}, *in.Priority) {
			return problem.Field("priority", problem.FieldInvalid, "One of these is expected: low, normal, high, urgent.")
		}
		l.facts.Priority = *in.Priority
	}
	if in.Tags != nil {
		tags, err := cleanTags(in.Tags)
		if err != nil {
			return err
		}
		l.Tags = schema.JSON(tags)
	}
	if in.Note != "" && (in.Assignee == nil || len(in.Note) > maxText) {
		return problem.Field("note", problem.BadInput, "A note goes with an assignee, for the colleague who takes over.")
	}
	return nil
}

// cleanTags takes short words, each once.
func cleanTags(tags []string) ([]string, error) {
	clean := []string{}
	for _, tag := range tags {
		tag = strings.Join(strings.Fields(tag), " ")
		switch {
		case tag == "" || slices.Contains(clean, tag):
		case len(tag) > 60 || len(clean) >= 20:
			return nil, problem.Field("tags", problem.FieldInvalid, "A request has at most 20 tags of at most 60 characters each.")
		default:
			clean = append(clean, tag)
		}
	}
	return clean, nil
}

// assign hands the request to a colleague who may see it.
func (e *Engine) assign(tx core.App, l *live, staff string) error {
	l.Assignee, l.AssigneeName = "", ""
	if staff == "" {
		return nil
	}
	member, err := access.StaffOf(tx, staff)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	sees := false
	if err == nil {
		if sees, err = access.Sees(tx, staff, l.Scope, e.Clock()); err != nil {
			return err
		}
	}
	if !sees || member.Maker != "" || !member.AtLeast("operator") {
		return problem.Field("assignee", problem.FieldInvalid, "This person cannot work on this request.")
	}
	l.Assignee, l.AssigneeName = member.ID, member.Name
	return nil
}

// setDue reads a due date: a day means its closing hour in the workflow's zone.
// An empty text gives the date back to the state's own time limit.
func (l *live) setDue(due string) error {
	due = strings.TrimSpace(due)
	if due == "" {
		l.facts.Due, l.facts.DueSet = "", false
		return nil
	}
	at, err := l.dueAt(due)
	if err != nil {
		return err
	}
	l.facts.Due, l.facts.DueSet = schema.Stamp(at), true
	return nil
}

// dueAt reads a day, which means its closing hour, or a point in time.
func (l *live) dueAt(due string) (time.Time, error) {
	if day, err := time.ParseInLocation("2006-01-02", strings.TrimSpace(due), l.def.Calendar.Zone()); err == nil {
		return l.def.Calendar.EndOfBusinessDay(day), nil
	}
	at := schema.Time(due)
	if at.IsZero() || at.Year() < 2000 || at.Year() > 2200 {
		return at, problem.Field("due", problem.FieldInvalid, "A date such as 2026-03-31 is expected.")
	}
	return at, nil
}

// writeData merges values by key; null clears. What may not be written is named
// field by field, and nothing is written then.
func (l *live) writeData(in map[string]any, may func(*Field) (bool, string)) error {
	refused := problem.New(problem.FieldInvalid, "")
	for _, key := range slices.Sorted(maps.Keys(in)) {
		field := l.def.Field(key)
		if field == nil || (field.Staff() && l.who.Side() == "client") {
			refused.With(key, problem.UnknownField, fmt.Sprintf("There is no field %q.", key))
			continue
		}
		value, err := field.clean(in[key])
		if err != nil {
			refused.With(key, problem.FieldInvalid, fieldLabel(field)+": "+err.Error()+".")
			continue
		}
		if equal(l.facts.Data[key], value) {
			continue
		}
		if ok, why := may(field); !ok {
			refused.With(key, problem.FieldLocked, fieldLabel(field)+": "+why)
			continue
		}
		if text, ok := value.(string); ok && field.Mask != "" && text != "" {
			value = l.hideValue(key, text)
		}
		if value == nil {
			delete(l.facts.Data, key)
		} else {
			l.facts.Data[key] = value
		}
	}
	if len(refused.Fields) == 0 {
		return nil
	}
	first := slices.Sorted(maps.Keys(refused.Fields))[0]
	refused.Code, refused.Message = refused.Fields[first].Code, refused.Fields[first].Message
	return refused
}

// hideValue keeps the whole value of a masked field for the collection that has
// no rules, and gives the masked text for everybody else.
func (l *live) hideValue(key, whole string) string {
	if l.secrets == nil {
		l.secrets = map[string]string{}
	}
	l.secrets[key] = whole
	return masked(whole)
}

// ItemPatch is what a provider or a reviewer says about an item.
type ItemPatch struct {
	Answers          map[string]any `json:"answers"`
	None             *bool          `json:"none"`
	Confirmed        bool           `json:"confirmed"` // what was accepted is still right, although something that it rests on was opened again
	Status           string         `json:"status"`
	Reason           *string        `json:"reason"`
	Comment          *string        `json:"comment"`
	Was              map[string]any `json:"was"` // the answers that the editor started from
	ExpectedRevision *int           `json:"expected_revision"`
}

// PatchItem takes an answer or a decision. It returns the request's id.
func (e *Engine) PatchItem(_ context.Context, app core.App, id string, actor schema.Actor, in ItemPatch) (string, error) {
	var request string
	err := e.within(app, func(tx core.App) error {
		l, i, err := e.loadItem(tx, id, actor)
		if err != nil {
			return err
		}
		request = l.ID
		if err := e.fresh(tx, l, in.ExpectedRevision); err != nil {
			return err
		}
		switch {
		case in.Status != "" && (in.Answers != nil || in.None != nil):
			return problem.Field("status", problem.BadInput, "Send an answer or a decision, not both.")
		case in.Confirmed:
			return e.confirm(tx, l, i)
		case in.Status != "":
			return e.review(tx, l, i, in)
		case in.Answers != nil || in.None != nil:
			return e.answer(tx, l, i, in)
		}
		return problem.Field("answers", problem.BadInput, "Send answers, or a status with a reason.")
	})
	return request, err
}

func (e *Engine) loadItem(tx core.App, id string, actor schema.Actor) (*live, *Item, error) {
	missing := problem.New(problem.NotFound, "There is no such item, or you do not have access to it.")
	var request string
	err := tx.DB().NewQuery(`SELECT request FROM items WHERE id = {:id}`).Bind(dbx.Params{"id": id}).Row(&request)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, missing
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find item %s: %w", id, err)
	}
	l, err := e.load(tx, request, actor)
	var refusal *problem.Error
	if errors.As(err, &refusal) && refusal.Code == problem.NotFound {
		return nil, nil, missing
	}
	if err != nil {
		return nil, nil, err
	}
	i := l.facts.item(id)
	if i == nil || ((l.who.Side() == "client" || l.who.Shown) && !l.showsItem(id)) {
		return nil, nil, missing
	}
	return l, i, nil
}

// showsItem says whether the client is shown an item at all.
func (l *live) showsItem(id string) bool {
	return l.before != nil && slices.ContainsFunc(l.before.Items, func(i ClientItem) bool { return i.ID == id })
}

// answer takes what a provider gives, and settles the item's status.
func (e *Engine) answer(tx core.App, l *live, i *Item, in ItemPatch) error {
	if ok, why := l.def.mayProvide(l.asShown(), i, l.who); !ok || !i.Active {
		return problem.New(problem.ItemLocked, i.Title+": "+why).With(i.ID, problem.ItemLocked, why)
	}
	before := maps.Clone(i.Answers)
	if err := e.unchanged(tx, l, i.ID, i.Answers, in.Answers, in.Was); err != nil {
		return err
	}
	if err := l.mergeAnswers(tx, i, in); err != nil {
		return err
	}
	if equal(before, i.Answers) {
		return nil
	}
	was := i.Status
	l.def.settle(i, l.facts.Now)
	l.provided(i, was)
	if err := l.fillField(i); err != nil {
		return err
	}
	if err := e.syncItems(tx, l); err != nil {
		return err
	}
	return e.itemSaved(tx, l, i, was, map[string]any{"answers": answerChange(before, i.Answers)})
}

// asShown judges a client's rights by the state that the client is shown, so
// that a hidden state cannot be told from the answer.
func (l *live) asShown() *Facts {
	if l.who.Side() != "client" || l.shown.State == l.facts.State {
		return l.facts
	}
	as := *l.facts
	as.State = l.shown.State
	return &as
}

func (l *live) provided(i *Item, was string) {
	if i.Status == was || (i.Status != Provided && i.Status != NotApplicable) {
		return
	}
	i.ProvidedBy, i.ProvidedAt = l.who.Actor.ID, schema.Stamp(l.facts.Now)
}

// itemSaved writes an item after a provider changed it, and tells of it.
func (e *Engine) itemSaved(tx core.App, l *live, i *Item, was string, change map[string]any) error {
	if err := e.saveItems(tx, l, []*Item{i}); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	event := "item.changed"
	if i.Status != was {
		event, change["status"] = "item."+i.Status, []any{was, i.Status}
	}
	return e.tell(tx, l, "update", schema.Items, i.ID, change, event, map[string]any{"item": i.ID, "key": i.Key, "title": i.Title, "from": was, "to": i.Status})
}

func (l *live) mergeAnswers(tx core.App, i *Item, in ItemPatch) error {
	spec := l.def.Spec(i.Section, i.Key)
	if in.None != nil {
		if spec == nil || spec.AllowNone == "" {
			return problem.Field("none", problem.BadInput, "This item is needed: there is no \"none\" for it.")
		}
		if *in.None {
			i.Answers["none"] = true
		} else {
			delete(i.Answers, "none")
		}
	}
	for key, value := range in.Answers {
		if strings.HasPrefix(key, "_") || len(key) > 100 {
			return problem.Field("answers", problem.BadInput, "An answer's name is a short word.")
		}
		cleaned, err := l.cleanAnswer(spec, i, key, value)
		if err != nil {
			return problem.Field(key, problem.FieldInvalid, err.Error())
		}
		if cleaned == nil {
			delete(i.Answers, key)
			continue
		}
		i.Answers[key] = cleaned
	}
	if key := "accepted"; i.Kind == "acknowledge" && i.Answers[key] == true && in.Answers[key] == true {
		if err := l.recordAcknowledgement(tx, spec, i); err != nil {
			return err
		}
	}
	if encoded, err := json.Marshal(i.Answers); err != nil || len(encoded) > 1<<20 {
		return problem.Field("answers", problem.BadInput, "The answers are too long.")
	}
	return nil
}

// cleanAnswer checks an answer where its type is known; unknown questions are
// saved as typed.
func (l *live) cleanAnswer(spec *ItemSpec, i *Item, key string, value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	if spec != nil && spec.Form != "" && l.def.Forms[spec.Form] != nil {
		for _, q := range l.def.Forms[spec.Form].Questions {
			if q.Key == key {
				cleaned, err := cleanValue(q.Type, value, q.Options)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", q.Label, err)
				}
				return cleaned, nil
			}
		}
	}
	switch key {
	case "accepted":
		if _, ok := value.(bool); !ok {
			return nil, errors.New("a yes or a no is expected")
		}
	case "choice":
		return cleanValue("choice", value, i.Options.Choices)
	case "date":
		return cleanValue("date", value, nil)
	case "number":
		return cleanValue("number", value, nil)
	case "text":
		return cleanValue("text", value, nil)
	}
	return value, nil
}

// recordAcknowledgement keeps what the definition asks for: who accepted, from
// where, and the digests of the text and the files that were accepted.
func (l *live) recordAcknowledgement(tx core.App, spec *ItemSpec, i *Item) error {
	record := map[string]any{"at": schema.Stamp(l.facts.Now), "by": l.who.Actor.ID}
	if l.who.Standing.OnBehalfOf != "" {
		record["on_behalf_of"] = l.who.Standing.OnBehalfOf
	}
	i.Answers["_record"] = record
	delete(i.Answers, staleMark)
	if spec == nil {
		return nil
	}
	for _, what := range spec.Records {
		switch what {
		case "name":
			record["name"] = l.who.Actor.Name
		case "ip":
			record["ip"] = l.who.Actor.IP
		case "user_agent":
			record["user_agent"] = l.who.Actor.UserAgent
		case "text_sha256":
			record["text_sha256"] = textDigest(l.def.Texts[spec.TextRef], i.Title)
		case "file_sha256":
			digests := []string{}
			err := tx.DB().NewQuery(`SELECT sha256 FROM documents WHERE item = {:item} AND superseded = 0 AND scope NOT LIKE 'staff:%' ORDER BY created, id`).Bind(dbx.Params{"item": i.ID}).Column(&digests)
			if err != nil {
				return fmt.Errorf("read accepted files: %w", err)
			}
			record["file_sha256"] = digests
		}
	}
	return nil
}

// fillField lets a form fill a field of the request ("fills").
func (l *live) fillField(i *Item) error {
	spec := l.def.Spec(i.Section, i.Key)
	if spec == nil || spec.Fills == "" {
		return nil
	}
	value, given := i.Answers[spec.Fills]
	field := l.def.Field(spec.Fills)
	if !given || field == nil {
		return nil
	}
	cleaned, err := field.clean(value)
	if err != nil {
		return problem.Field(spec.Fills, problem.FieldInvalid, fieldLabel(field)+": "+err.Error()+".")
	}
	l.facts.Data[spec.Fills] = cleaned
	return nil
}

func answerChange(before, after map[string]any) map[string]any {
	change := map[string]any{}
	for key, value := range after {
		if !strings.HasPrefix(key, "_") && !equal(before[key], value) {
			change[key] = []any{before[key], value}
		}
	}
	for key, value := range before {
		if _, still := after[key]; !still {
			change[key] = []any{value, nil}
		}
	}
	return change
}

func differences(before, after map[string]any) map[string]any {
	change := map[string]any{}
	for key, value := range after {
		if before[key] != value {
			change[key] = []any{before[key], value}
		}
	}
	return change
}
