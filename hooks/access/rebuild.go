package access

import (
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// At a time, so that other writers wait for some milliseconds and not for the
// whole of it.
const (
	treesAtATime    = 20
	requestsAtATime = 50
	rowsAtATime     = 2000
)

// RebuildInSteps derives the whole table again while people work: some trees at a
// time, in a transaction of their own. At every moment everybody has the rights that
// the sources give, since a tree's old rows and its new ones change together.
func RebuildInSteps(app core.App, clock func() time.Time) error {
	var roots []string
	if err := app.DB().NewQuery(`SELECT path FROM organizations WHERE parent = '' ORDER BY path`).Column(&roots); err != nil {
		return fmt.Errorf("list organizations: %w", err)
	}
	for part := range slices.Chunk(roots, treesAtATime) {
		err := app.RunInTransaction(func(tx core.App) error { return subtrees(tx, part[0], part[len(part)-1], clock()) })
		if err != nil {
			return fmt.Errorf("rebuild access: %w", err)
		}
	}
	own, err := ownScopes(app)
	if err != nil {
		return err
	}
	if err := inSteps(app, own, requestsAtATime, func(tx core.App, id string) error { return Request(tx, id, clock()) }); err != nil {
		return err
	}
	// What is left belongs to nothing that there is.
	var stray []string
	err = app.DB().NewQuery(`SELECT a.id FROM access a WHERE NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = replace(a.scope, 'staff:', ''))
		AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.id = replace(a.scope, 'staff:', '') AND r.scope != 'staff:' || r.organization)`).Column(&stray)
	if err != nil {
		return fmt.Errorf("find rights on nothing: %w", err)
	}
	return inSteps(app, stray, rowsAtATime, func(tx core.App, id string) error {
		_, err := tx.DB().Delete("access", dbx.HashExp{"id": id}).Execute()
		return err
	})
}

func inSteps(app core.App, all []string, size int, do func(tx core.App, one string) error) error {
	for part := range slices.Chunk(all, size) {
		err := app.RunInTransaction(func(tx core.App) error {
			for _, one := range part {
				if err := do(tx, one); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("rebuild access: %w", err)
		}
	}
	return nil
}

// ownScopes are the requests that do not share their organization's scope; an
// index holds just these.
func ownScopes(app core.App) ([]string, error) {
	var ids []string
	if err := app.DB().NewQuery(`SELECT id FROM requests WHERE scope != 'staff:' || organization`).Column(&ids); err != nil {
		return nil, fmt.Errorf("find requests with a scope of their own: %w", err)
	}
	return ids, nil
}
