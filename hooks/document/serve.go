package document

import (
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Serve hands a document out: PocketBase has checked the token against the view
// rule. The file goes under its original name, is kept by no cache, and every
// hand-out is on the trail.
func (r *Room) Serve(e *core.FileDownloadRequestEvent) error {
	d := e.Record
	if d.GetString("state") != "ready" {
		return problem.Hook(e.App, problem.New(problem.NotFound, "This file is not available."))
	}
	e.Response.Header().Set("Cache-Control", "private, no-store")
	e.ServedName = d.GetString("title")
	if e.Request.Header.Get("Range") != "" {
		return e.Next() // the first request of this download is on the trail already
	}
	// The file token stands in the address, so nobody is signed in here.
	reader, err := e.App.FindAuthRecordByToken(e.Request.URL.Query().Get("token"), core.TokenTypeFile)
	if err != nil {
		reader = e.Auth
	}
	actor := access.Looker(e.RequestEvent, reader)
	err = e.App.RunInTransaction(func(tx core.App) error {
		return r.Audit(tx, "download", d.Id, d.GetString("organization"), d.GetString("request"), schema.StaffScope(schema.ClientScope(d.GetString("scope"))), actor,
			map[string]any{"title": d.GetString("title"), "version": d.GetInt("version")}, r.Clock())
	})
	if err != nil {
		return problem.Hook(e.App, err)
	}
	return e.Next()
}
