package backup

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"gatehouse/hooks/schema"
)

// keepEnded ends the sign-ins and the tokens of programs that a restored database
// has as open, and that have ended since in the data which it replaces: what was
// revoked never comes back. Data that cannot be read is a reason to restore, and
// ends nothing.
func (s *Store) keepEnded(restored string, now time.Time) error {
	present := filepath.Join(s.Data, database)
	if !there(present) {
		return nil
	}
	ended, unreadable := endedIn(present)
	if unreadable != nil || len(ended) == 0 {
		return nil
	}
	db, err := sql.Open("sqlite", restored)
	if err != nil {
		return fmt.Errorf("open the restored database: %w", err)
	}
	defer db.Close()
	_, err = db.Exec(`UPDATE sessions SET ended = ?, ended_by = 'system:', ended_why = 'restored' WHERE ended = '' AND id IN (SELECT value FROM json_each(?))`, schema.Stamp(now), schema.JSON(ended))
	if err != nil {
		return fmt.Errorf("end what was revoked: %w", err)
	}
	return nil
}

func endedIn(file string) ([]string, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro")
	if err != nil {
		return nil, fmt.Errorf("open the data that is replaced: %w", err)
	}
	defer db.Close()
	return column(db, `SELECT id FROM sessions WHERE ended != ''`)
}
