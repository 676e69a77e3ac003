package ops

import (
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// WallsOf writes walls.txt from the triggers of a folder.
func WallsOf(app core.App) (string, error) {
	there, err := triggers(app)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(there)) {
		b.WriteString(name + " " + there[name] + "\n")
	}
	return b.String(), err
}
