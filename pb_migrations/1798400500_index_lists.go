package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798400500_index_lists.go", indexLists)
}

// indexLists gives every list an index that holds its order, who sees a row, and
// nothing else to read: the queue as a whole, one person's, one scope's; the
// client's lists by time and by whose turn it is. They take the place of indexes
// that needed the rows as well.
func indexLists(app core.App) error {
	// Whose turn it is and whether it is blocked, in one number; the earliest date first, none last.
	const (
		class = "(CASE turn WHEN 'staff' THEN 0 WHEN 'client' THEN 2 WHEN 'system' THEN 4 ELSE 6 END + (category = 'blocked'))"
		due   = "COALESCE(NULLIF(due, ''), '~')"
		order = class + ", " + due + ", state_since, id"
		open  = "category != 'done'"
	)
	err := reindex(app, "requests", func(c *core.Collection) {
		c.AddIndex("idx_requests_queue", false, order+", scope", open)
		c.AddIndex("idx_requests_assignee", false, "assignee, "+order+", scope", open)
		c.AddIndex("idx_requests_open", false, "COALESCE(scope,''), "+order+", assignee", open)
		c.AddIndex("idx_requests_scope_updated", false, "COALESCE(scope,''), updated", "")
	}, "idx_requests_turn", "idx_requests_assignee_category_due_id", "idx_requests_category_due_id", "idx_requests_scope_created", "idx_requests_scope_due")
	if err != nil {
		return err
	}
	err = reindex(app, "organizations", func(c *core.Collection) {
		c.AddIndex("idx_organizations_name", false, "name COLLATE NOCASE, id", "")
	})
	if err != nil {
		return err
	}
	return reindex(app, "client_requests", func(c *core.Collection) {
		c.AddIndex("idx_client_requests_scope_since", false, "COALESCE(scope,''), (CASE WHEN category = 'done' THEN 2 WHEN turn = 'client' THEN 0 ELSE 1 END), state_since, id", "")
		c.AddIndex("idx_client_requests_scope_turn", false, "COALESCE(scope,''), (category = 'done'), (CASE turn WHEN 'client' THEN '0' WHEN 'staff' THEN '1' WHEN 'system' THEN '2' ELSE '3' END || "+due+"), id, (json_extract(COALESCE(NULLIF(progress, ''), '{}'), '$.sent_back') > 0)", "")
	}, "idx_client_requests_organization_category_due", "idx_client_requests_scope_category_due", "idx_client_requests_scope_created", "idx_client_requests_scope_due")
}

// reindex drops the named indexes of a collection, and adds those of add; one
// with a name that is there takes its place.
func reindex(app core.App, collection string, add func(*core.Collection), drop ...string) error {
	c, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		return fmt.Errorf("find %s: %w", collection, err)
	}
	for _, name := range drop {
		c.RemoveIndex(name)
	}
	add(c)
	if err := app.Save(c); err != nil {
		return fmt.Errorf("save %s: %w", collection, err)
	}
	return nil
}
