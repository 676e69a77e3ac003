// Package console serves both interfaces: the staff console as an extension of
// the dashboard and in a shell of its own, and the client portal.
//
//	console.go  mounts, and the headers of what is served
//	startup.go  what the dashboard asks for at its start
//	connection.go  a live connection with a buffer
//	live.go     one topic a person: small pings after a commit
package console

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// Extension is the name under which the dashboard knows the console.
const Extension = "gatehouse"

// Add makes the dashboard load the console.
func Add(e *core.ServeEvent, console fs.FS) {
	e.UIExtensions = append(e.UIExtensions, core.UIExtension{Name: Extension, FS: console})
}

// Shell answers with the console's own frame, so that a dashboard that breaks
// never stops the firm.
//
//	GET /staff/ → the shell; GET /staff → there
func Shell(console fs.FS) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		if e.Request.URL.Path == "/staff" {
			return e.Redirect(http.StatusFound, "/staff/")
		}
		return e.FileFS(console, "shell/index.html")
	}
}

// Portal serves the client portal: its files, and its one page for every other
// address but those of the API, where a program expects no page.
func Portal(portal fs.FS) func(*core.RequestEvent) error {
	files := apis.Static(portal, true)
	return func(e *core.RequestEvent) error {
		if strings.HasPrefix(e.Request.URL.Path, "/api/") {
			return e.NotFoundError("There is nothing at this address.", nil)
		}
		return files(e)
	}
}

// policy lets a page load its own files and nothing else.
const policy = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Headers sets what browsers may keep, before PocketBase does: an extension file
// has no version in its address, so it is asked for again each time; a hashed
// asset never changes; everything else is fresh.
func Headers(e *core.RequestEvent) error {
	h, path := e.Response.Header(), e.Request.URL.Path
	switch {
	case strings.HasPrefix(path, "/_/extensions"), strings.HasPrefix(path, "/staff"):
		h.Set("Cache-Control", "no-cache")
	case strings.HasPrefix(path, "/api/"), strings.HasPrefix(path, "/_/"):
	case strings.HasPrefix(path, "/assets/"):
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case e.Request.Method == http.MethodGet:
		h.Set("Cache-Control", "no-cache")
	}
	if !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/_/") {
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "same-origin")
	}
	return e.Next()
}
