package gatetest

import (
	"context"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Actor is a person of the stage as an actor.
func Actor(person *core.Record) schema.Actor { return schema.ActorOf(person, "127.0.0.1") }

// Add makes a record of any collection, past the router and through its hooks.
func (s *Stage) Add(t testing.TB, collection string, fields map[string]any) *core.Record {
	t.Helper()
	c, err := s.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		t.Fatal(collection, err)
	}
	r := core.NewRecord(c)
	r.Load(fields)
	if err := s.Save(r); err != nil {
		t.Fatal("add to ", collection, ": ", err)
	}
	return r
}

// Open opens a request and gives its id.
func (s *Stage) Open(t testing.TB, who *core.Record, in workflow.NewRequest) string {
	t.Helper()
	id, err := s.House.Engine.Open(context.Background(), s.TestApp, Actor(who), in)
	if err != nil {
		t.Fatal("open:", err)
	}
	return id
}

// Simple opens the simple request for Bluebell: a file, a question and a
// confirmation.
func (s *Stage) Simple(t testing.TB) string {
	t.Helper()
	return s.Open(t, s.Sam, workflow.NewRequest{Workflow: "simple_request", Organization: s.Bluebell.Id, Title: "Year-end papers", Items: []workflow.NewItem{
		{Section: "things", Template: "file", Title: "Bank statement"},
		{Section: "things", Template: "question", Title: "Any loans?"},
		{Section: "things", Template: "confirm", Title: "All is complete"},
	}})
}

// Move takes a step that must be possible.
func (s *Stage) Move(t testing.TB, who *core.Record, id, key string, more ...workflow.Input) {
	t.Helper()
	if err := s.Try(who, id, key, more...); err != nil {
		t.Fatalf("%s by %s: %v", key, who.GetString("name"), err)
	}
}

// Try takes a step that may be refused.
func (s *Stage) Try(who *core.Record, id, key string, more ...workflow.Input) error {
	in := workflow.Input{}
	if len(more) > 0 {
		in = more[0]
	}
	in.Transition = key
	return s.House.Engine.Transition(context.Background(), s.TestApp, id, Actor(who), in)
}

// Item finds an item by its title.
func (s *Stage) Item(t testing.TB, request, title string) *core.Record {
	t.Helper()
	r, err := s.FindFirstRecordByFilter("items", "request = {:r} && title = {:t}", map[string]any{"r": request, "t": title})
	if err != nil {
		t.Fatal("item", title, err)
	}
	return r
}

// Answer gives an item.
func (s *Stage) Answer(t testing.TB, who *core.Record, item string, answers map[string]any) {
	t.Helper()
	if _, err := s.House.Engine.PatchItem(context.Background(), s.TestApp, item, Actor(who), workflow.ItemPatch{Answers: answers}); err != nil {
		t.Fatal("answer:", err)
	}
}

// Decide reviews an item.
func (s *Stage) Decide(t testing.TB, who *core.Record, item, status, comment string) {
	t.Helper()
	in := workflow.ItemPatch{Status: status}
	if comment != "" {
		in.Comment = &comment
	}
	if _, err := s.House.Engine.PatchItem(context.Background(), s.TestApp, item, Actor(who), in); err != nil {
		t.Fatal("decide:", err)
	}
}

// Upload puts a file on an item, past the router but through the engine.
func (s *Stage) Upload(t testing.TB, who *core.Record, item, name string, metadata map[string]any) *core.Record {
	t.Helper()
	actor := Actor(who)
	var d *core.Record
	err := s.RunInTransaction(func(tx core.App) error {
		slot, err := s.House.Engine.SlotFor(tx, item, actor)
		if err != nil {
			return err
		}
		c, err := tx.FindCachedCollectionByNameOrId("documents")
		if err != nil {
			return err
		}
		file, err := filesystem.NewFileFromBytes(PDF(name), name)
		if err != nil {
			return err
		}
		d = core.NewRecord(c)
		d.Load(map[string]any{"organization": slot.Organization, "request": slot.Request, "item": slot.Item, "scope": slot.Scope, "title": name, "version": 1, "state": "ready", "metadata": metadata, "author_name": actor.Name})
		if actor.Kind == schema.ActorUser {
			d.Set("uploader_user", actor.ID)
		} else {
			d.Set("uploader_staff", actor.ID)
		}
		d.Set("file", file)
		if err := tx.Save(d); err != nil {
			return err
		}
		// PocketBase stamps with the real time, the stage has its own.
		if _, err := tx.DB().NewQuery("UPDATE documents SET created = {:now} WHERE id = {:id}").Bind(map[string]any{"now": schema.Stamp(s.Clock.Now()), "id": d.Id}).Execute(); err != nil {
			return err
		}
		return s.House.Engine.DocumentsChanged(tx, item, actor, "document.added", map[string]any{"document": d.Id, "item": item})
	})
	if err != nil {
		t.Fatal("upload:", err)
	}
	return d
}

// AllProvided answers every item of a simple request as Anna.
func (s *Stage) AllProvided(t testing.TB, request string) {
	t.Helper()
	s.Upload(t, s.Anna, s.Item(t, request, "Bank statement").Id, "statement.pdf", nil)
	s.Answer(t, s.Anna, s.Item(t, request, "Any loans?").Id, map[string]any{"text": "None"})
	s.Answer(t, s.Anna, s.Item(t, request, "All is complete").Id, map[string]any{"accepted": true})
}
