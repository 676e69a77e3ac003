package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// UpdateRequest turns a record update of a request into commands: a changed
// state is a transition, the rest a change of fields. The record editor sends
// every field, also an old state: what equals the stored value is no wish, and
// the revision that came along says whether the editor was opened before a
// colleague's change.
func (e *Engine) UpdateRequest(re *core.RecordRequestEvent) error {
	before := re.Record.Original()
	wish, err := e.wish(re, before)
	if wish != nil && wish.revision != nil && *wish.revision != before.GetInt("revision") {
		// Decided on an older picture: what it wishes besides does not matter.
		err = e.PatchRequest(re.Request.Context(), re.App, before.Id, schema.ActorIn(re.RequestEvent), RequestPatch{ExpectedRevision: wish.revision})
	}
	if err == nil {
		err = e.grant(re, before, wish)
	}
	if err != nil {
		return problem.Hook(re.App, err)
	}
	return answerRecord(re, schema.Requests)
}

// wish is what a record update asks for.
type wish struct {
	body     map[string]any
	revision *int
	state    string
	patch    RequestPatch
	patches  bool
	share    *Sharing
}

func (e *Engine) wish(re *core.RecordRequestEvent, before *core.Record) (*wish, error) {
	info, err := re.RequestInfo()
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	w := &wish{body: info.Body}
	locked := problem.New(problem.FieldLocked, "")
	for name := range info.Body {
		after := re.Record.Get(name)
		switch {
		case name == "revision":
			n := re.Record.GetInt("revision")
			w.revision = &n
		case before.Collection().Fields.GetByName(name) == nil || equal(plain(before.Get(name)), plain(after)):
		case name == "state":
			w.state = re.Record.GetString("state")
		case slices.Contains([]string{"title", "due", "assignee", "priority", "tags", "data"}, name):
			w.patches = true
			if err := w.patch.set(name, re.Record); err != nil {
				return nil, err
			}
		case name == "visibility":
			visibility := re.Record.GetString(name)
			w.sharing().Visibility = &visibility
		case name == "participants":
			w.sharing().Participants = re.Record.GetStringSlice(name)
		default:
			locked.With(name, problem.FieldLocked, human(name)+" follows from what happens to the request and cannot be written.")
		}
	}
	if len(locked.Fields) > 0 {
		first := slices.Sorted(maps.Keys(locked.Fields))[0]
		locked.Message = locked.Fields[first].Message
		return w, locked
	}
	return w, nil
}

func (w *wish) sharing() *Sharing {
	if w.share == nil {
		w.share = &Sharing{}
	}
	return w.share
}

func (p *RequestPatch) set(name string, r *core.Record) error {
	text := r.GetString(name)
	switch name {
	case "title":
		p.Title = &text
	case "due":
		p.Due = &text
	case "assignee":
		p.Assignee = &text
	case "priority":
		p.Priority = &text
	case "tags":
		p.Tags = schema.Strings(text)
		if p.Tags == nil {
			p.Tags = []string{}
		}
	case "data":
		p.Data = map[string]any{}
		if err := json.Unmarshal([]byte(text), &p.Data); err != nil {
			return problem.Field("data", problem.FieldInvalid, "An object of values by field is expected.").Because(err)
		}
	}
	return nil
}

// grant carries a wish out. Where several transitions lead to the wished state
// the body's "transition" decides.
func (e *Engine) grant(re *core.RecordRequestEvent, before *core.Record, w *wish) error {
	actor, id, ctx := schema.ActorIn(re.RequestEvent), before.Id, re.Request.Context()
	if w.share != nil {
		if w.state != "" || w.patches {
			return problem.Field("participants", problem.BadInput, "Change who takes part by itself, then the rest.")
		}
		w.share.ExpectedRevision = w.revision
		return e.Share(ctx, re.App, id, actor, *w.share)
	}
	if w.state == "" && !w.patches {
		return e.PatchRequest(ctx, re.App, id, actor, RequestPatch{ExpectedRevision: w.revision})
	}
	if w.patches {
		w.patch.ExpectedRevision = w.revision
		if w.patch.Data != nil {
			for key := range object(before.GetString("data")) {
				if _, kept := w.patch.Data[key]; !kept {
					w.patch.Data[key] = nil
				}
			}
		}
		if w.state == "" {
			return e.PatchRequest(ctx, re.App, id, actor, w.patch)
		}
	}
	in, err := w.input()
	if err != nil {
		return err
	}
	in.ExpectedRevision = w.revision
	return e.within(re.App, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if in.Transition == "" {
			if in.Transition, err = l.leadsTo(w.state); err != nil {
				return err
			}
		} else if t := l.def.Transition(in.Transition); t == nil || t.To != w.state {
			return problem.Field("transition", problem.UnknownTransition, fmt.Sprintf("%q does not lead to %q.", in.Transition, w.state))
		}
		if err := e.apply(tx, l, in); err != nil {
			return err
		}
		if !w.patches {
			return nil
		}
		w.patch.ExpectedRevision = nil
		if l, err = e.load(tx, id, actor); err != nil {
			return err
		}
		return e.patch(tx, l, w.patch)
	})
}

func (w *wish) input() (Input, error) {
	var in Input
	b, err := json.Marshal(w.body)
	if err != nil {
		return in, fmt.Errorf("read body: %w", err)
	}
	var asked struct {
		Transition        string            `json:"transition"`
		InternalNote      string            `json:"internal_note"`
		ClientComment     string            `json:"client_comment"`
		ExternalReference string            `json:"external_reference"`
		ClientTemplate    string            `json:"client_template"`
		Items             []string          `json:"items"`
		Comments          map[string]string `json:"comments"`
	}
	if err := json.Unmarshal(b, &asked); err != nil {
		return in, problem.New(problem.BadInput, "A member of the request has the wrong type.").Because(err)
	}
	return Input{
		Transition: asked.Transition, InternalNote: asked.InternalNote, ClientComment: asked.ClientComment, ExternalReference: asked.ExternalReference,
		ClientTemplate: asked.ClientTemplate, Items: asked.Items, Comments: asked.Comments,
	}, nil
}

// leadsTo finds the one transition from the present state to another.
func (l *live) leadsTo(state string) (string, error) {
	var keys []string
	for _, t := range l.def.From(l.State) {
		if t.To == state {
			keys = append(keys, t.Key)
		}
	}
	switch {
	case l.def.State(state) == nil:
		return "", problem.Field("state", problem.UnknownTransition, fmt.Sprintf("There is no state %q in this workflow.", state))
	case len(keys) == 0:
		return "", problem.Field("state", problem.UnknownTransition, fmt.Sprintf("No step leads from %q to %q.", l.State, state))
	case len(keys) > 1:
		return "", problem.Field("transition", problem.UnknownTransition, fmt.Sprintf("Several steps lead to %q. Say which one: %v.", state, keys))
	}
	return keys[0], nil
}

// UpdateItem turns a record update of an item into an answer or a decision.
func (e *Engine) UpdateItem(re *core.RecordRequestEvent) error {
	info, err := re.RequestInfo()
	if err != nil {
		return problem.Hook(re.App, fmt.Errorf("read request: %w", err))
	}
	before, in, changed := re.Record.Original(), ItemPatch{}, false
	for name := range info.Body {
		if before.Collection().Fields.GetByName(name) == nil || equal(plain(before.Get(name)), plain(re.Record.Get(name))) {
			continue
		}
		changed = true
		text := re.Record.GetString(name)
		switch name {
		case "answers":
			in.Answers = object(text)
			for key := range object(before.GetString("answers")) {
				if _, kept := in.Answers[key]; !kept && key[0] != '_' {
					in.Answers[key] = nil
				}
			}
			maps.DeleteFunc(in.Answers, func(key string, _ any) bool { return key != "" && key[0] == '_' })
		case "status":
			in.Status = text
		case "reason":
			in.Reason = &text
		case "comment":
			in.Comment = &text
		default:
			return problem.Hook(re.App, problem.Field(name, problem.FieldLocked, human(name)+" follows from what happens to the item and cannot be written."))
		}
	}
	if changed {
		if _, err := e.PatchItem(re.Request.Context(), re.App, before.Id, schema.ActorIn(re.RequestEvent), in); err != nil {
			return problem.Hook(re.App, err)
		}
	}
	return answerRecord(re, schema.Items)
}

// answerRecord answers with the record as it is now, as PocketBase would.
func answerRecord(re *core.RecordRequestEvent, collection string) error {
	record, err := re.App.FindRecordById(collection, re.Record.Id)
	if err != nil {
		return problem.Hook(re.App, fmt.Errorf("read %s again: %w", collection, err))
	}
	re.Record = record
	if err := apis.EnrichRecord(re.RequestEvent, record); err != nil {
		return problem.Hook(re.App, fmt.Errorf("enrich %s: %w", collection, err))
	}
	return re.JSON(http.StatusOK, record)
}

// plain turns a stored value into what JSON would give, for comparing.
func plain(value any) any {
	b, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return nil
	}
	return v
}

// Refuse answers every record write of collections that only commands write.
func Refuse(re *core.RecordRequestEvent) error {
	name := re.Collection.Name
	if re.HasSuperuserAuth() {
		return problem.Hook(re.App, problem.New(problem.FieldLocked, fmt.Sprintf("Records of %s are written by the portal's own commands only.", name)))
	}
	return problem.Hook(re.App, problem.New(problem.Forbidden, "This cannot be written here."))
}

// FillMessage makes a message that of the signed-in person, on a request that
// he may write on.
func (e *Engine) FillMessage(re *core.RecordRequestEvent) error {
	return problem.Hook(re.App, e.fillWords(re, false))
}

// FillNote does the same for an internal note.
func (e *Engine) FillNote(re *core.RecordRequestEvent) error {
	return problem.Hook(re.App, e.fillWords(re, true))
}

func (e *Engine) fillWords(re *core.RecordRequestEvent, note bool) error {
	who := schema.ActorIn(re.RequestEvent)
	request := re.Record.GetString("request")
	return e.within(re.App, func(tx core.App) error {
		outer := re.App
		re.App = tx
		defer func() { re.App = outer }()
		a, err := e.Author(tx, request, who, note)
		if err != nil {
			return err
		}
		scope, organization := a.Scope, a.Organization
		who = a.Author
		if blank(re.Record.GetString("body")) {
			return problem.Field("body", problem.FieldMissing, "Write something first.")
		}
		user, staff := who.Columns()
		re.Record.Load(map[string]any{"author_name": who.By(), "scope": scope})
		kind, collection := "message.posted", schema.Messages
		if note {
			kind, collection = "internal_note.added", schema.InternalNotes
			re.Record.Set("author", staff)
		} else {
			re.Record.Load(map[string]any{"organization": organization, "author_user": user, "author_staff": staff})
			if err := sameRequest(tx, re.Record); err != nil {
				return err
			}
		}
		if err := re.Next(); err != nil {
			return err
		}
		now := e.Clock()
		err = e.Audit(tx, Change{Actor: who, Action: "create", Collection: collection, Record: re.Record.Id, Organization: organization, Request: request, Scope: schema.StaffScope(schema.ClientScope(scope)), At: now})
		if err != nil {
			return err
		}
		return e.Emit(tx, Fact{Type: kind, Request: request, Organization: organization, Actor: who, At: now, Payload: map[string]any{"message": re.Record.Id}})
	})
}

// sameRequest refuses attachments that belong elsewhere: an id of another
// client's document must not even be shown to exist.
func sameRequest(tx core.App, message *core.Record) error {
	for _, id := range message.GetStringSlice("documents") {
		d, err := tx.FindRecordById(schema.Documents, id)
		if err != nil || d.GetString("request") != message.GetString("request") || d.GetString("scope") != message.GetString("scope") {
			return problem.Field("documents", problem.BadInput, "Attach files of this request only.")
		}
	}
	return nil
}
