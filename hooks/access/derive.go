package access

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Each statement gives the rights of one source: principal, scope, since, until,
// source, source_id. A condition that is added narrows it to the principals or
// organizations that a change touches. A path such as "/a/b/"
// holds the ids of all ancestors, so a subtree is one range of the index; "~"
// sorts behind every character of an id. CROSS JOIN keeps the planner from
// comparing every organization with every right.
//
// notArchived leaves out organizations that are archived, or lie below one that
// is: a client whose file is closed has no access any more. Each id of the path
// is looked up, so the cost follows the depth of the tree and not its size.
const (
	notArchived = ` AND NOT EXISTS (SELECT 1 FROM json_each('["' || replace(trim(o.path, '/'), '/', '","') || '"]') p JOIN organizations x ON x.id = p.value WHERE x.status = 'archived')`

	fromMemberships = `SELECT m.user, o.id, m.created, {:forever}, 'membership', m.id FROM memberships m JOIN organizations top ON top.id = m.organization
CROSS JOIN organizations o ON o.path >= top.path AND o.path < top.path || '~'
WHERE m.status = 'active'` + notArchived

	fromDelegations = `SELECT d."to", o.id, d.starts, d.ends, 'delegation', d.id FROM delegations d JOIN organizations top ON top.id = d.organization
CROSS JOIN organizations o ON o.path >= top.path AND o.path < top.path || '~'
WHERE d.request = '' AND d.revoked = 0 AND d.ends > {:now} AND EXISTS (
	SELECT 1 FROM memberships g JOIN organizations mine ON mine.id = g.organization
	WHERE g.user = d."from" AND g.status = 'active' AND top.path >= mine.path AND top.path < mine.path || '~')` + notArchived

	// A program sees what its maker sees of the clients that it was given, until
	// its token expires.
	fromStaff = `SELECT s.id, k.prefix || o.id, s.created, COALESCE(p.expires, {:forever}), 'staff', s.id
FROM staff s LEFT JOIN programs p ON p.id = s.id CROSS JOIN organizations o, (SELECT '' AS prefix UNION ALL SELECT 'staff:') k
WHERE s.active = 1 AND NOT EXISTS (
	SELECT 1 FROM walls w JOIN organizations wall ON wall.id = w.organization
	WHERE w.staff IN (s.id, s.maker) AND o.path >= wall.path AND o.path < wall.path || '~')
AND (s.maker = '' OR p.organizations = '[]' OR EXISTS (
	SELECT 1 FROM json_each(p.organizations) given JOIN organizations top ON top.id = given.value
	WHERE o.path >= top.path AND o.path < top.path || '~'))`
)

// User rewrites what a person on the client's side may see.
func User(tx core.App, user string, now time.Time) error {
	return rewrite(tx, now, `principal = {:who} AND source IN ('membership','delegation') AND scope IN (SELECT id FROM organizations)`, dbx.Params{"who": user},
		fromMemberships+` AND m.user = {:who}`, fromDelegations+` AND d."to" = {:who}`)
}

// Staff rewrites what a member of staff may see.
func Staff(tx core.App, staff string, now time.Time) error {
	return rewrite(tx, now, `principal = {:who} AND source = 'staff'`, dbx.Params{"who": staff}, fromStaff+` AND s.id = {:who}`)
}

// Subtree rewrites who may see an organization and everything below it. Only
// rights on itself, on what lies above and on what lies below reach there.
func Subtree(tx core.App, path string, now time.Time) error {
	return subtrees(tx, path, path, now)
}

// subtrees does so for all from one path to another; they have the same ancestors.
func subtrees(tx core.App, first, last string, now time.Time) error {
	const below = ` AND o.path >= {:first} AND o.path < {:last} || '~'`
	const reaching = below + ` AND (top.id IN (SELECT value FROM json_each({:above})) OR (top.path >= {:first} AND top.path < {:last} || '~'))`
	const inside = `scope IN (SELECT id FROM organizations o WHERE 1 = 1` + below + ` UNION ALL SELECT 'staff:' || id FROM organizations o WHERE 1 = 1` + below + `)`
	return rewrite(tx, now, inside, dbx.Params{"first": first, "last": last, "above": schema.JSON(ancestors(first))}, fromMemberships+reaching, fromDelegations+reaching, fromStaff+below)
}

// Rebuild writes the whole table again from its sources. The result equals what
// the small steps above have kept; a test compares them.
func Rebuild(tx core.App, now time.Time) error {
	if err := rewrite(tx, now, `1 = 1`, nil, fromMemberships, fromDelegations, fromStaff); err != nil {
		return err
	}
	own, err := ownScopes(tx)
	if err != nil {
		return err
	}
	for _, id := range own {
		if err := Request(tx, id, now); err != nil {
			return err
		}
	}
	return nil
}

// What is no right any more is taken away, what is a new one is added; the others
// stay as they are, since most changes touch few rows among many.
const (
	dropRights = `DELETE FROM access WHERE %s AND (principal, scope, since, until, source, source_id) NOT IN (%s)`
	addRights  = `INSERT OR IGNORE INTO access (id, principal, scope, since, until, source, source_id, created, updated)
SELECT 'r'||lower(hex(randomblob(7))), d.*, {:now}, {:now} FROM (%s) d`
)

// rewrite makes the rights that which names those of the sources.
func rewrite(tx core.App, now time.Time, which string, params dbx.Params, sources ...string) error {
	bound := dbx.Params{"now": schema.Stamp(now), "forever": schema.Forever}
	for k, v := range params {
		bound[k] = v
	}
	rights := strings.Join(sources, " UNION ALL ")
	for _, statement := range []string{fmt.Sprintf(dropRights, which, rights), fmt.Sprintf(addRights, rights)} {
		if _, err := tx.DB().NewQuery(statement).Bind(bindUsed(statement, bound)).Execute(); err != nil {
			return fmt.Errorf("derive access: %w", err)
		}
	}
	return nil
}
