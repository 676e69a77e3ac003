package console

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Live tells open pages that something changed. It runs as an event consumer,
// after the commit and outside the writer's request, and decides for each
// connected person at that moment.
type Live struct {
	App   core.App
	Clock schema.Clock
	lines lines
}

// prefix of the one topic that a person has.
const prefix = "person/"

// Subscribe lets people listen to their own topic only. Topics of collections
// would run their rules inside every writer's request; superusers keep them.
func Subscribe(e *core.RealtimeSubscribeRequestEvent) error {
	if e.HasSuperuserAuth() {
		return e.Next()
	}
	for _, topic := range e.Subscriptions {
		name, _, _ := strings.Cut(topic, "?")
		if e.Auth == nil || name != prefix+e.Auth.Id {
			return problem.Hook(e.App, problem.New(problem.Forbidden, "Listen to "+prefix+"<your id> only."))
		}
	}
	return e.Next()
}

// Tell sends a ping to everybody who is connected and may see the request now.
// It promises nothing: a page that missed one sees the change at its next look.
func (l *Live) Tell(app core.App, x event.Event) error {
	if x.Request == "" {
		return nil
	}
	if !l.lines.open() {
		return nil
	}
	var r struct {
		Scope          string `db:"scope"`
		Revision       int    `db:"revision"`
		ClientScope    string `db:"client_scope"`
		ClientRevision int    `db:"client_revision"`
	}
	err := app.DB().NewQuery(`SELECT r.scope, r.revision, COALESCE(c.scope, '') AS client_scope, COALESCE(c.revision, 0) AS client_revision
		FROM requests r LEFT JOIN client_requests c ON c.id = r.id WHERE r.id = {:id}`).Bind(map[string]any{"id": x.Request}).One(&r)
	if err != nil {
		return fmt.Errorf("read request of event: %w", err)
	}
	staff, err := access.Seers(app, r.Scope, l.Clock())
	if err != nil {
		return err
	}
	for _, id := range staff {
		connections, _ := l.lines.to(id)
		l.send(connections, id, x.Request, r.Revision)
	}
	if !l.clientsMayKnow(x) {
		return nil
	}
	clients, err := access.Seers(app, r.ClientScope, l.Clock())
	if err != nil {
		return err
	}
	for _, id := range clients {
		if connections, kind := l.lines.to(id); kind == schema.Users {
			l.send(connections, id, x.Request, r.ClientRevision)
		}
	}
	return nil
}

// clientsMayKnow: what leaves no trace in the client's rows sends no ping.
func (l *Live) clientsMayKnow(x event.Event) bool {
	if quiet, _ := x.Payload["tipping_off"].(bool); quiet {
		return false
	}
	if held, _ := x.Payload["held"].(bool); held {
		return false
	}
	return x.Type != "internal_note.added"
}

func (l *Live) send(to []*Connection, person, request string, revision int) {
	if len(to) == 0 {
		return
	}
	message := subscriptions.Message{Name: prefix + person, Data: []byte(schema.JSON(map[string]any{"type": "changed", "request": request, "revision": revision}))}
	for _, c := range to {
		c.Send(message)
	}
	l.App.Logger().Debug("pinged", slog.String("request_id", request), slog.Int("connections", len(to)))
}
