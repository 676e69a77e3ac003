package console

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
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
	connected := l.connected()
	if len(connected) == 0 {
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
	ids := make([]string, 0, len(connected))
	for id := range connected {
		ids = append(ids, id)
	}
	staff, err := access.Watchers(app, r.Scope, ids, l.Clock())
	if err != nil {
		return err
	}
	for _, id := range staff {
		l.send(connected[id], id, x.Request, r.Revision)
	}
	if !l.clientsMayKnow(x) {
		return nil
	}
	clients, err := access.Watchers(app, r.ClientScope, ids, l.Clock())
	if err != nil {
		return err
	}
	for _, id := range clients {
		if connected[id][0].kind == schema.Users {
			l.send(connected[id], id, x.Request, r.ClientRevision)
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

type listener struct {
	client subscriptions.Client
	kind   string
}

func (l *Live) connected() map[string][]listener {
	people := map[string][]listener{}
	for id, client := range l.App.SubscriptionsBroker().Clients() {
		auth, ok := client.Get(apis.RealtimeClientAuthKey).(*core.Record)
		if !ok || auth == nil || id == "" || !client.HasSubscription(prefix+auth.Id) {
			continue
		}
		people[auth.Id] = append(people[auth.Id], listener{client, auth.Collection().Name})
	}
	return people
}

func (l *Live) send(to []listener, person, request string, revision int) {
	message := subscriptions.Message{Name: prefix + person, Data: []byte(schema.JSON(map[string]any{"type": "changed", "request": request, "revision": revision}))}
	for _, x := range to {
		x.client.Send(message)
	}
	l.App.Logger().Debug("pinged", slog.String("request_id", request), slog.Int("connections", len(to)))
}
