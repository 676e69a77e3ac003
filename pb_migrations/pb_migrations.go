// Package pb_migrations is the frozen history of the database.
//
// Each file is named <unix seconds>_<verb>_<noun>.go, spells its names out and
// imports nothing from hooks/: what a migration did must never change because
// today's code did. They run in the order of their names, forwards only.
//
//	fields.go                        short constructors for the fields below
//	1798000000_create_collections.go the collections and their indexes
//	1798000100_create_walls.go       the triggers: the last wall
//	1798200300_add_runs.go           work over many requests; moves to another version
//	1798200400_close_walls.go        the walls before items, the client's rows and every history
//	1798300000_add_sessions.go       sign-ins that can be ended, second factors
//	1798300010_keep_one_spelling.go  e-mail addresses in lower case
//	1798300100_open_teams.go         clients look after their own people and lend powers
//	1798300200_add_viewings.go       staff who look at the portal as a client; walls hidden from the walled
//	1798300210_add_proofs.go         when a session was proved last
//	1798300300_move_trail.go         audit entries follow their request
//	1798300310_hide_notices.go       notices are seen by whoever sees what they are about
//	1798300320_index_own_scopes.go   requests with a scope of their own, for each change of a right
//	1798400100_index_turns.go        lists sorted by whose turn it is
//	1798400300_add_programs.go       programs with a token of their own
//	1798400400_add_passkeys.go       passkeys: the public keys that people sign in with
//	1798400410_add_exclusions.go     people of a client who are kept away from one request
//	1798400420_hide_walls.go         walls are hidden from programs that delete, too
//	1798400500_index_lists.go        each list has an index that holds its order
package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func register(file string, up func(app core.App) error) {
	m.Register(up, nil, file)
}
