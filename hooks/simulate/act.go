package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// What an act does.
const (
	doOpen    = "open"
	doStep    = "step"
	doAnswer  = "answer"
	doUpload  = "upload"
	doReview  = "review"
	doAdd     = "add"
	doRemove  = "remove"
	doData    = "data"
	doHead    = "head"
	doMessage = "message"
	doNote    = "note"
	doJob     = "job"
	doClock   = "clock"
	doPass    = "pass"
	doRaw     = "raw"
	doRecord  = "record"
)

// Act is one thing that somebody tries. It names items by their place and
// people by their name, so that a printed list of acts can be played again.
type Act struct {
	Who string `json:"who"`
	Do  string `json:"do"`

	Step     string            `json:"step,omitempty"`
	Note     string            `json:"note,omitempty"`
	Comment  string            `json:"comment,omitempty"`
	Ref      string            `json:"ref,omitempty"`
	Items    []string          `json:"items,omitempty"`
	Comments map[string]string `json:"comments,omitempty"`
	Stale    int               `json:"stale,omitempty"` // how far the expected revision is off
	Expect   bool              `json:"expect,omitempty"`
	Key      string            `json:"key,omitempty"`

	Item     string         `json:"item,omitempty"`
	Answers  map[string]any `json:"answers,omitempty"`
	None     bool           `json:"none,omitempty"`
	Status   string         `json:"status,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`

	Data     map[string]any `json:"data,omitempty"`
	Head     map[string]any `json:"head,omitempty"`
	Section  string         `json:"section,omitempty"`
	Template string         `json:"template,omitempty"`
	Title    string         `json:"title,omitempty"`

	Job   string `json:"job,omitempty"`
	Hours int    `json:"hours,omitempty"`
	SQL   string `json:"sql,omitempty"`
	Path  string `json:"path,omitempty"`
	Fault string `json:"fault,omitempty"` // the seam that fails: audit or event
}

// errFault is what a seam says that is made to fail.
var errFault = errors.New("the seam was made to fail")

// refusedError is the refusal of an act that goes over HTTP.
type refusedError struct {
	status int
	code   string
}

func (r refusedError) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

// perform lets the act happen, through the engine or the router, as it would in
// the running portal.
func (r *run) perform(a *Act) error {
	p := r.people.byName[a.Who]
	if p == nil {
		return fmt.Errorf("nobody is called %q", a.Who)
	}
	ctx, e, app := context.Background(), r.engine, core.App(r.app)
	item := r.seen.idOf(a.Item)
	switch a.Do {
	case doOpen:
		return r.open(a, p)
	case doStep:
		return r.step(a, p)
	case doAnswer:
		in := workflow.ItemPatch{Answers: a.Answers, ExpectedRevision: r.expected(a, p)}
		if a.Answers == nil {
			in.None = &a.None
		}
		_, err := e.PatchItem(ctx, app, item, p.actor, in)
		return err
	case doReview:
		_, err := e.PatchItem(ctx, app, item, p.actor, workflow.ItemPatch{Status: a.Status, Reason: text(a.Reason), Comment: text(a.Comment), ExpectedRevision: r.expected(a, p)})
		return err
	case doUpload:
		return r.upload(a, p, item)
	case doAdd:
		_, err := e.AddItems(ctx, app, r.request, p.actor, workflow.NewItems{NewItem: workflow.NewItem{Section: a.Section, Template: a.Template, Title: a.Title}})
		return err
	case doRemove:
		_, err := e.RemoveItem(ctx, app, item, p.actor)
		return err
	case doData:
		return e.PatchRequest(ctx, app, r.request, p.actor, workflow.RequestPatch{Data: a.Data, ExpectedRevision: r.expected(a, p)})
	case doHead:
		return r.head(a, p)
	case doPass:
		return e.Pass(ctx, r.request)
	case doClock:
		r.moved = true
		r.now = r.now.Add(time.Duration(a.Hours) * time.Hour)
		return nil
	case doJob:
		return r.finishJob(a)
	case doRaw:
		_, err := r.app.NonconcurrentDB().NewQuery(a.SQL).Bind(r.bound(a.SQL)).Execute()
		return err
	case doMessage, doNote:
		table := map[string]string{doMessage: schema.Messages, doNote: schema.InternalNotes}[a.Do]
		return r.ask(p, http.MethodPost, "/api/collections/"+table+"/records", map[string]any{"request": r.request, "body": a.Comment})
	case doRecord:
		return r.ask(p, http.MethodPatch, fmt.Sprintf(a.Path, r.request), a.Data)
	}
	return fmt.Errorf("there is no act %q", a.Do)
}

func (r *run) open(a *Act, p *person) error {
	in := workflow.NewRequest{Workflow: r.def.Key, Organization: r.organization, Title: a.Title, Period: a.Status, Data: a.Data}
	for _, title := range a.Items {
		in.Items = append(in.Items, workflow.NewItem{Section: a.Section, Template: a.Template, Title: title})
	}
	id, err := r.engine.Open(context.Background(), r.app, p.actor, in)
	if err == nil && r.request == "" {
		r.request = id
	}
	return err
}

func (r *run) step(a *Act, p *person) error {
	in := workflow.Input{Transition: a.Step, InternalNote: a.Note, ClientComment: a.Comment, ExternalReference: a.Ref, ClientTemplate: a.Ref, ExpectedRevision: r.expected(a, p)}
	for _, place := range a.Items {
		in.Items = append(in.Items, r.seen.idOf(place))
	}
	if len(a.Comments) > 0 {
		in.Comments = map[string]string{}
		for place, words := range a.Comments {
			in.Comments[r.seen.idOf(place)] = words
		}
	}
	if a.Key == "" {
		return r.engine.Transition(context.Background(), r.app, r.request, p.actor, in)
	}
	key := r.request + a.Key
	answer, err := r.engine.Once(context.Background(), r.app, r.request, p.actor, in, key)
	if err != nil {
		return err
	}
	kept := p.name + key
	if first, repeated := r.answers[kept]; repeated && !bytes.Equal(first, answer) {
		return r.broken("idempotency", "the same key answered something else the second time")
	} else if repeated {
		r.repeated = true
	}
	r.answers[kept] = answer
	return nil
}

// expected is the revision that the person's page shows, or one that is not.
func (r *run) expected(a *Act, p *person) *int {
	if !a.Expect && a.Stale == 0 {
		return nil
	}
	n := r.seen.revision - a.Stale
	if p.client() {
		n = r.seen.shown.Revision - a.Stale
	}
	return &n
}

func (r *run) head(a *Act, p *person) error {
	var in workflow.RequestPatch
	if err := json.Unmarshal([]byte(schema.JSON(a.Head)), &in); err != nil {
		return fmt.Errorf("read the act: %w", err)
	}
	if to := r.people.byName[a.Title]; to != nil {
		in.Assignee = &to.actor.ID
	}
	in.ExpectedRevision = r.expected(a, p)
	return r.engine.PatchRequest(context.Background(), r.app, r.request, p.actor, in)
}

// upload puts a document on an item as the room of documents does, without the
// bytes: the engine decides where it goes, and is told in the same transaction.
func (r *run) upload(a *Act, p *person, item string) error {
	return r.app.RunInTransaction(func(tx core.App) error {
		slot, err := r.engine.SlotFor(tx, item, p.actor)
		if err != nil {
			return err
		}
		if slot.Most > 0 && slot.Count >= slot.Most {
			return problem.Field("file", problem.FileCount, "There are as many files as there may be.")
		}
		id, now := schema.NewID(), schema.Stamp(r.now)
		user, staff := p.actor.Columns()
		err = schema.Insert(tx, schema.Documents, dbx.Params{
			"id": id, "organization": slot.Organization, "request": slot.Request, "item": slot.Item, "file": "paper.pdf", "title": "paper.pdf", "version": 1, "state": "ready", "sha256": id,
			"uploader_user": user, "uploader_staff": staff, "author_name": p.actor.Name, "metadata": schema.JSON(a.Metadata), "scope": slot.Scope, "created": now, "updated": now,
			"reviewed": false, "superseded": false, "sent_at": "", "published_at": "",
		})
		if err != nil {
			return fmt.Errorf("write document: %w", err)
		}
		err = r.engine.Audit(tx, workflow.Change{Actor: p.actor, Action: "create", Collection: schema.Documents, Record: id, Organization: slot.Organization, Request: slot.Request, Change: map[string]any{"title": "paper.pdf"}, Scope: schema.StaffScope(slot.Organization), At: r.now})
		if err != nil {
			return err
		}
		return r.engine.DocumentsChanged(tx, item, p.actor, "document.added", map[string]any{"document": id, "item": item})
	})
}

// finishJob says how the newest run of a job came out, as whoever did the work
// would.
func (r *run) finishJob(a *Act) error {
	var id string
	err := r.app.DB().NewQuery(`SELECT COALESCE((SELECT id FROM jobs WHERE request = {:id} AND name = {:name} ORDER BY revision DESC, rowid DESC LIMIT 1), '')`).
		Bind(dbx.Params{"id": r.request, "name": a.Job}).Row(&id)
	if err != nil {
		return fmt.Errorf("find job %s: %w", a.Job, err)
	}
	return r.engine.FinishJob(context.Background(), r.app, id, schema.System(), workflow.JobEnd{Status: a.Status, Error: "Refused", Class: "simulated"})
}

// ask goes over the real router. What is refused there is a refusal like any
// other.
func (r *run) ask(p *person, method, path string, body any) error {
	handler, err := r.router()
	if err != nil {
		return err
	}
	request := httptest.NewRequest(method, path, bytes.NewReader([]byte(schema.JSON(body)))) //nolint:noctx // it never leaves the process
	request.Header.Set("Content-Type", "application/json")
	if !p.system {
		token, err := r.token(p)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", token)
		// The sign-in is a change, but not the act's.
		if r.mark, err = r.version(); err != nil {
			return err
		}
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	if answer.Code < http.StatusBadRequest {
		return nil
	}
	if answer.Code >= http.StatusInternalServerError && r.failing {
		return errFault
	}
	if answer.Code >= http.StatusInternalServerError {
		return fmt.Errorf("%s %s answers %d: %s", method, path, answer.Code, answer.Body)
	}
	return refusedError{answer.Code, "http_" + fmt.Sprint(answer.Code)}
}

func (r *run) token(p *person) (string, error) {
	table := schema.Staff
	switch {
	case p.client():
		table = schema.Users
	case p.super:
		table = core.CollectionNameSuperusers
	}
	record, err := r.app.FindRecordById(table, p.actor.ID)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", p.name, err)
	}
	return access.Open(r.app, record, access.Origin{}, time.Now())
}

// bound are the parameters that a raw statement names.
func (r *run) bound(statement string) dbx.Params {
	all := dbx.Params{"id": r.request, "workflow": r.def.ID, "organization": r.organization}
	for name := range all {
		if !bytes.Contains([]byte(statement), []byte("{:"+name+"}")) {
			delete(all, name)
		}
	}
	return all
}

// code names a refusal for the statistics; "" if the error is none.
func code(err error) string {
	var refusal *problem.Error
	var http refusedError
	switch {
	case errors.As(err, &refusal):
		return string(refusal.Code)
	case errors.As(err, &http):
		return http.code
	case errors.Is(err, errFault):
		return "fault"
	case err != nil && (isWall(err) || isConstraint(err)):
		return "wall"
	}
	return ""
}

func isWall(err error) bool { return bytes.Contains([]byte(err.Error()), []byte("wall: ")) }

// isConstraint says whether a column of its own refused a row, before a wall could.
func isConstraint(err error) bool {
	return bytes.Contains([]byte(err.Error()), []byte("constraint failed"))
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
