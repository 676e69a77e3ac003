package ops

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// walls.txt names every trigger that the migrations make, with the digest of its
// SQL. It is written by: go test ./hooks/ops -run TestWalls_of -update, from a
// freshly migrated folder. It lies in the binary and not in the database: who can
// alter a trigger there can alter a table of digests too.
//
//go:embed walls.txt
var walls string

// Breaches says in words which triggers are gone, which are not as they were
// built, which nobody of ours built, and which requests were opened by hand.
func Breaches(app core.App) ([]string, error) {
	there, err := triggers(app)
	if err != nil {
		return nil, err
	}
	var breaches []string
	for line := range strings.Lines(walls) {
		name, digest, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		switch found, stands := there[name]; {
		case !stands:
			breaches = append(breaches, "the database wall "+name+" is missing")
		case found != digest:
			breaches = append(breaches, "the database wall "+name+" is not as it was built")
		}
		delete(there, name)
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		breaches = append(breaches, "the database has a trigger "+name+" that is not Gatehouse's")
	}
	begun, err := begun(app)
	for _, number := range begun {
		breaches = append(breaches, "somebody went around the engine: a change of request "+number+" is recorded that was never made")
	}
	return breaches, err
}

// begun are requests for which a change was recorded and not made. The engine does
// both in one transaction, so that none is ever left: it was written by hand, to
// open the walls before the request.
func begun(app core.App) ([]string, error) {
	var numbers []string
	err := app.DB().NewQuery(`SELECT r.number FROM requests r WHERE EXISTS (SELECT 1 FROM request_changes c WHERE c.request = r.id AND c.revision > r.revision) ORDER BY r.number LIMIT 20`).Column(&numbers)
	if err != nil {
		return nil, fmt.Errorf("look for changes that were never made: %w", err)
	}
	return numbers, nil
}

// triggers gives the digest of each trigger of the database.
func triggers(app core.App) (map[string]string, error) {
	var rows []struct {
		Name string `db:"name"`
		SQL  string `db:"sql"`
	}
	if err := app.DB().NewQuery(`SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name`).All(&rows); err != nil {
		return nil, fmt.Errorf("read triggers: %w", err)
	}
	found := map[string]string{}
	for _, r := range rows {
		sum := sha256.Sum256([]byte(plainSQL(r.SQL)))
		found[r.Name] = hex.EncodeToString(sum[:])
	}
	return found, nil
}

// plainSQL leaves out what SQLite itself changes when a table or a column is
// renamed and renamed back: quotes around names, and blanks.
func plainSQL(sql string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(`"`, "", "`", "", "[", "", "]", "").Replace(sql)), " ")
}
