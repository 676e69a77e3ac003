// Package document takes files in, checks them, and hands them out again.
//
//	document.go  Room and what it needs from the engine
//	accept.go    type rules: by content, not by name
//	intake.go    record hooks: a file comes in, a file is taken away
//	reuse.go     a document that was given earlier, used again
//	serve.go     downloads: under the original name, never kept by caches
package document

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Slot is the place that a document goes to, as the engine grants it.
type Slot struct {
	Request      string
	Organization string
	Item         string
	Title        string
	Accept       []string
	MaxBytes     int64
	Most         int
	Count        int
	Scope        string
	Author       schema.Actor
}

// Room takes documents in and out. The functions come from the engine, from
// access, the trail and the outbox.
type Room struct {
	Clock       schema.Clock
	ItemSlot    func(tx core.App, item string, actor schema.Actor) (Slot, error)
	RequestSlot func(tx core.App, request string, actor schema.Actor) (Slot, error)
	LibrarySlot func(tx core.App, organization string, actor schema.Actor) (Slot, error)
	Reusable    func(tx core.App, item, document string, actor schema.Actor) error
	View        func(app core.App, request string, actor schema.Actor) (any, error)
	Changed     func(tx core.App, item string, actor schema.Actor, event string, payload map[string]any) error
	Emit        func(tx core.App, kind, request, organization string, actor schema.Actor, payload map[string]any, at time.Time) error
	Audit       func(tx core.App, action, record, organization, request, scope string, actor schema.Actor, change map[string]any, at time.Time) error
	Wake        func()
}
