package ops

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Health answers whether the portal is alive and ready.
type Health struct {
	App    core.App
	Clock  schema.Clock
	Behind func(app core.App) (map[string]int64, error)
}

// Alive answers as long as the process does.
//
//	GET /healthz → 200 {"status": "alive"}
func (h *Health) Alive(e *core.RequestEvent) error {
	return e.JSON(http.StatusOK, map[string]string{"status": "alive"})
}

// Ready answers whether a write would go through: database, disk, and workers
// that keep up.
//
//	GET /readyz → 200 {"status": "ready"} or 503 {"status": "not ready", "problems": […]}
func (h *Health) Ready(e *core.RequestEvent) error {
	problems := h.problems(e.App)
	if len(problems) > 0 {
		return e.JSON(http.StatusServiceUnavailable, map[string]any{"status": "not ready", "problems": problems})
	}
	return e.JSON(http.StatusOK, map[string]string{"status": "ready"})
}

// farBehind is how many events a worker may have to catch up with before the
// portal calls itself not ready.
const farBehind = 5000

// errProbe takes the probing write back.
var errProbe = errors.New("probe")

func (h *Health) problems(app core.App) []string {
	problems := []string{}
	err := app.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().NewQuery(`INSERT INTO settings (id, key, created, updated) VALUES ({:id}, '_probe', {:now}, {:now})`).
			Bind(dbx.Params{"id": schema.NewID(), "now": schema.Stamp(h.Clock())}).Execute()
		return errors.Join(err, errProbe)
	})
	if err != nil && err.Error() != errProbe.Error() {
		problems = append(problems, "The database cannot be written to. Look at the disk: is it full, or read-only?")
	}
	behind, err := h.Behind(app)
	if err != nil {
		problems = append(problems, "The events cannot be read.")
	}
	for name, n := range behind {
		if n > farBehind {
			problems = append(problems, fmt.Sprintf("The worker %s is %d events behind.", name, n))
		}
	}
	return problems
}
