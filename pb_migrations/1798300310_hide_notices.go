package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798300310_hide_notices.go", hideNotices)
}

// hideNotices takes a notice out of sight together with what it is about: its
// title names the request and the client. Notices about nothing that is hidden
// from anybody carry no scope.
func hideNotices(app core.App) error {
	for _, statement := range []string{
		`UPDATE notifications SET scope = COALESCE((SELECT c.scope FROM client_requests c WHERE c.id = notifications.request), '') WHERE user != ''`,
		`UPDATE notifications SET scope = COALESCE((SELECT r.scope FROM requests r WHERE r.id = notifications.request), scope) WHERE staff != ''`,
	} {
		if _, err := app.DB().NewQuery(statement).Execute(); err != nil {
			return fmt.Errorf("hide notices: %w\n%s", err, statement)
		}
	}
	notices, err := app.FindCollectionByNameOrId("notifications")
	if err != nil {
		return fmt.Errorf("find notifications: %w", err)
	}
	notices.ListRule = rule(signedIn + " && (user = @request.auth.id || staff = @request.auth.id) && (scope = '' || (" + visible + "))")
	notices.ViewRule = notices.ListRule
	if err := app.Save(notices); err != nil {
		return fmt.Errorf("save notifications: %w", err)
	}
	return nil
}
