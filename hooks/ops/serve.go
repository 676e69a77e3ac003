package ops

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// PocketBaseShutdown is the id of PocketBase's own shutdown handler; a handler
// bound under the same id replaces it.
const PocketBaseShutdown = "pbGracefulShutdown"

// patience is how long a stop waits for requests that are under way: a large
// upload may need it. PocketBase's own handler waits one second.
const patience = 25 * time.Second

// Shutdown lets requests end. Open live connections are closed first; they
// would never end by themselves.
func Shutdown(app core.App, server *http.Server) func(*core.TerminateEvent) error {
	return func(te *core.TerminateEvent) error {
		for id := range app.SubscriptionsBroker().Clients() {
			app.SubscriptionsBroker().Unregister(id)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			app.Logger().Warn("requests did not end in time", slog.Any("error", err))
		}
		return te.Next()
	}
}
