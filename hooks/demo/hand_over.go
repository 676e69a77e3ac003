package demo

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// upload puts a file on an item, where the engine lets this person.
func (y *story) upload(who string, find finder, name string, metadata func() map[string]any) {
	y.then("upload "+name, func() error {
		item, err := find(y)
		if err != nil {
			return err
		}
		slot, err := y.engine.SlotFor(y.app, item, y.actors[who])
		if err != nil {
			return err
		}
		facts := map[string]any{}
		if metadata != nil {
			facts = metadata()
		}
		return y.keep(y.actors[who], slot, fileName(name, y.now), facts)
	})
}

// keep stores a file and its row as of now on stage, and settles the item.
func (y *story) keep(actor schema.Actor, slot workflow.Slot, name string, metadata map[string]any) error {
	sheet, err := y.files.sheet(name)
	if err != nil {
		return err
	}
	file, err := filesystem.NewFileFromBytes(sheet.content, name)
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	collection, err := y.app.FindCachedCollectionByNameOrId(schema.Documents)
	if err != nil {
		return fmt.Errorf("find documents: %w", err)
	}
	id := schema.NewID()
	if err := y.store.UploadFile(file, collection.Id+"/"+id+"/"+file.Name); err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	var version int
	err = y.app.DB().NewQuery(`SELECT COUNT(*) + 1 FROM documents WHERE item = {:item} AND title = {:title}`).Bind(dbx.Params{"item": slot.Item, "title": name}).Row(&version)
	if err != nil {
		return fmt.Errorf("count versions: %w", err)
	}
	user, staff := sides(actor)
	err = y.insert(schema.Documents, dbx.Params{
		"id": id, "organization": slot.Organization, "request": slot.Request, "item": slot.Item, "file": file.Name, "title": name, "version": version,
		"sha256": sheet.digest, "size": len(sheet.content), "mime": sheet.mime, "state": "ready", "uploader_user": user, "uploader_staff": staff, "author_name": actor.Name,
		"metadata": schema.JSON(metadata), "superseded": false, "sent_at": "", "published_at": "", "retain_until": "", "hold": false, "scope": slot.Scope,
	})
	if err != nil {
		return err
	}
	err = y.engine.Audit(y.app, workflow.Change{
		Actor: actor, Action: "create", Collection: schema.Documents, Record: id, Organization: slot.Organization, Request: slot.Request,
		Change: map[string]any{"title": name, "sha256": sheet.digest, "size": len(sheet.content)}, Scope: trailScope(slot.Scope), At: y.now,
	})
	if err != nil {
		return err
	}
	return y.engine.DocumentsChanged(y.app, slot.Item, actor, "document.added", map[string]any{"document": id, "item": slot.Item})
}

// message writes what both sides see, note what only staff do.
func (y *story) message(who, text string) { y.words(who, text, false) }

func (y *story) note(who, text string) { y.words(who, text, true) }

func (y *story) words(who, text string, note bool) {
	if text == "" {
		return
	}
	y.then("write", func() error {
		actor := y.actors[who]
		a, err := y.engine.Author(y.app, y.id, actor, note)
		if err != nil {
			return err
		}
		scope, organization := a.Scope, a.Organization
		actor = a.Author
		user, staff := sides(actor)
		id, kind, collection := schema.NewID(), "message.posted", schema.Messages
		row := dbx.Params{"id": id, "request": y.id, "author_name": actor.By(), "body": text, "scope": scope}
		if note {
			kind, collection = "internal_note.added", schema.InternalNotes
			row["author"] = staff
		} else {
			row["organization"], row["author_user"], row["author_staff"], row["documents"] = organization, user, staff, "[]"
		}
		if err := y.insert(collection, row); err != nil {
			return err
		}
		err = y.engine.Audit(y.app, workflow.Change{Actor: actor, Action: "create", Collection: collection, Record: id, Organization: organization, Request: y.id, Scope: trailScope(scope), At: y.now})
		if err != nil {
			return err
		}
		return y.engine.Emit(y.app, workflow.Fact{Type: kind, Request: y.id, Organization: organization, Actor: actor, Payload: map[string]any{"message": id}, At: y.now})
	})
}

// sides gives an actor's id as that of a user or of staff.
func sides(a schema.Actor) (user, staff string) {
	if a.Kind == schema.ActorUser {
		return a.ID, ""
	}
	return "", a.ID
}
