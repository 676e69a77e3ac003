package document

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Create takes a file in: it finds out whose it is and where it goes, checks it
// against the item's rules, and settles the item in the same transaction.
func (r *Room) Create(re *core.RecordRequestEvent) error {
	actor := schema.ActorIn(re.RequestEvent)
	files := re.Record.GetUnsavedFiles("file")
	if len(files) != 1 {
		return problem.Hook(re.App, problem.Field("file", problem.FileEmpty, "Choose one file."))
	}
	file := files[0]
	name := cleanName(file.OriginalName)
	slot, err := r.slot(re.App, re.Record, actor)
	if err != nil {
		return problem.Hook(re.App, err)
	}
	// Looking into the file comes before the transaction: other writers do not
	// wait for a large upload to be read.
	mime, digest, err := inspect(slot, name, file)
	if err != nil {
		return problem.Hook(re.App, err)
	}
	err = r.within(re, func(tx core.App) error {
		// The rights once more, now that nobody can change them any longer.
		if slot, err = r.slot(tx, re.Record, actor); err != nil {
			return err
		}
		if slot.Most > 0 && slot.Count >= slot.Most {
			return problem.Field("file", problem.FileCount, fmt.Sprintf("%s takes at most %d files. Remove one first.", slot.Title, slot.Most))
		}
		if slot.Author.ID != "" {
			actor = slot.Author // says for whom, where the right was lent
		}
		if err := r.fill(tx, re.Record, slot, actor, name, mime, digest, file.Size); err != nil {
			return err
		}
		if err := re.Next(); err != nil {
			return err
		}
		return r.added(tx, re.Record, actor)
	})
	if err != nil {
		return problem.Hook(re.App, err)
	}
	r.Wake()
	return nil
}

// within runs fn in a transaction that the record hook's own work joins.
func (r *Room) within(re *core.RecordRequestEvent, fn func(tx core.App) error) error {
	outer := re.App
	defer func() { re.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		re.App = tx
		return fn(tx)
	})
}

func (r *Room) slot(app core.App, d *core.Record, actor schema.Actor) (Slot, error) {
	if item := d.GetString("item"); item != "" {
		return r.ItemSlot(app, item, actor)
	}
	if request := d.GetString("request"); request != "" {
		return r.RequestSlot(app, request, actor)
	}
	return r.LibrarySlot(app, d.GetString("organization"), actor)
}

func inspect(slot Slot, name string, file *filesystem.File) (mime, digest string, err error) {
	content, err := file.Reader.Open()
	if err != nil {
		return "", "", fmt.Errorf("open upload: %w", err)
	}
	defer func() { _ = content.Close() }() // only read from
	if mime, err = check(slot, name, file.Size, content); err != nil {
		return "", "", err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", "", fmt.Errorf("read upload: %w", err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, content); err != nil {
		return "", "", fmt.Errorf("read upload: %w", err)
	}
	return mime, hex.EncodeToString(h.Sum(nil)), nil
}

// fill sets everything that the sender does not decide.
func (r *Room) fill(tx core.App, d *core.Record, slot Slot, actor schema.Actor, name, mime, digest string, size int64) error {
	user, staff := actor.Columns()
	var version int
	err := tx.DB().NewQuery(`SELECT COUNT(*) + 1 FROM documents WHERE item = {:item} AND item != '' AND title = {:title}`).Bind(dbx.Params{"item": slot.Item, "title": name}).Row(&version)
	if err != nil {
		return fmt.Errorf("count versions: %w", err)
	}
	metadata := d.Get("metadata")
	if len(schema.JSON(metadata)) > 10_000 {
		return problem.Field("metadata", problem.BadInput, "The facts about the file are too long.")
	}
	d.Load(map[string]any{
		"request": slot.Request, "organization": slot.Organization, "item": slot.Item, "title": name, "version": version, "sha256": digest, "size": size, "mime": mime, "state": "ready",
		"uploader_user": user, "uploader_staff": staff, "author_name": actor.By(), "scope": slot.Scope, "superseded": false, "sent_at": "", "published_at": "", "retain_until": "", "hold": false,
	})
	return nil
}

func (r *Room) added(tx core.App, d *core.Record, actor schema.Actor) error {
	now := r.Clock()
	request, organization, scope := d.GetString("request"), d.GetString("organization"), schema.StaffScope(schema.ClientScope(d.GetString("scope")))
	err := r.Audit(tx, "create", d.Id, organization, request, scope, actor, map[string]any{"title": d.GetString("title"), "sha256": d.GetString("sha256"), "size": d.GetInt("size")}, now)
	if err != nil {
		return err
	}
	payload := map[string]any{"document": d.Id, "item": d.GetString("item")}
	if item := d.GetString("item"); item != "" {
		return r.Changed(tx, item, actor, "document.added", payload)
	}
	return r.Emit(tx, "document.added", request, organization, actor, payload, now)
}

// Delete takes a file away that its sender put there and has not sent yet.
func (r *Room) Delete(re *core.RecordRequestEvent) error {
	actor := schema.ActorIn(re.RequestEvent)
	err := r.within(re, func(tx core.App) error {
		d := re.Record
		mine := d.GetString("uploader_user") == actor.ID || d.GetString("uploader_staff") == actor.ID
		switch {
		case d.GetBool("hold"):
			return problem.New(problem.LegalHold, "A legal hold lies on this file.")
		case !mine:
			return problem.New(problem.NotYours, "Only the person who added this file can remove it.")
		case !d.GetDateTime("sent_at").IsZero() || d.GetBool("superseded"):
			return problem.New(problem.ItemLocked, "This file was sent already, so it stays.")
		}
		if _, err := r.slot(tx, d, actor); err != nil {
			return err
		}
		if err := re.Next(); err != nil {
			return err
		}
		return r.removed(tx, d, actor)
	})
	if err != nil {
		return problem.Hook(re.App, err)
	}
	r.Wake()
	return nil
}

func (r *Room) removed(tx core.App, d *core.Record, actor schema.Actor) error {
	request, organization := d.GetString("request"), d.GetString("organization")
	err := r.Audit(tx, "delete", d.Id, organization, request, schema.StaffScope(schema.ClientScope(d.GetString("scope"))), actor, map[string]any{"title": d.GetString("title"), "sha256": d.GetString("sha256")}, r.Clock())
	if err != nil {
		return err
	}
	if item := d.GetString("item"); item != "" {
		return r.Changed(tx, item, actor, "document.removed", map[string]any{"document": d.Id, "item": item})
	}
	return nil
}

// cleanName keeps a file's own name, without a path and without characters that
// could fool a reader or a shell.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	for len(name) > 200 {
		_, size := utf8.DecodeRuneInString(name)
		name = name[size:]
	}
	if name == "" {
		return "file"
	}
	return name
}
