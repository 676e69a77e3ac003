package document

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// PostReuse puts a document that the client gave earlier on an item: a new
// document with the same content, so that what becomes of either leaves the
// other alone.
//
//	POST /api/portal/items/{id}/reuse {document} → 200 the view of the request; 404 unknown, not yours, or it does not fit any more
func (r *Room) PostReuse(re *core.RequestEvent) error {
	var in struct {
		Document string `json:"document"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(re.Response, re.Request.Body, 10_000)).Decode(&in); err != nil {
		return problem.Reply(re, problem.New(problem.BadInput, "This is not the JSON that was expected.").Because(err))
	}
	actor := schema.ActorIn(re)
	var request string
	err := re.App.RunInTransaction(func(tx core.App) (err error) {
		request, err = r.reuse(tx, re.Request.PathValue("id"), in.Document, actor)
		return err
	})
	if err != nil {
		return problem.Reply(re, err)
	}
	r.Wake()
	view, err := r.View(re.App, request, actor)
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, view)
}

// reuse copies the file; it was looked into when it came first.
func (r *Room) reuse(tx core.App, item, document string, actor schema.Actor) (request string, err error) {
	slot, err := r.ItemSlot(tx, item, actor)
	if err != nil {
		return "", err
	}
	if err := r.Reusable(tx, item, document, actor); err != nil {
		return "", err
	}
	old, err := tx.FindRecordById(schema.Documents, document)
	if err != nil {
		return "", fmt.Errorf("find document %s: %w", document, err)
	}
	store, err := tx.NewFilesystem()
	if err != nil {
		return "", fmt.Errorf("open file store: %w", err)
	}
	defer func() { _ = store.Close() }() // only read from
	file, err := store.GetReuploadableFile(old.BaseFilesPath()+"/"+old.GetString("file"), false)
	if err != nil {
		return "", fmt.Errorf("read file of document %s: %w", document, err)
	}
	d := core.NewRecord(old.Collection())
	d.Set("file", file)
	d.Set("metadata", old.Get("metadata"))
	if err := r.fill(tx, d, slot, actor, old.GetString("title"), old.GetString("mime"), old.GetString("sha256"), int64(old.GetInt("size"))); err != nil {
		return "", err
	}
	schema.SetActor(d, actor)
	if err := tx.Save(d); err != nil {
		return "", fmt.Errorf("save document: %w", err)
	}
	return slot.Request, r.added(tx, d, actor)
}
