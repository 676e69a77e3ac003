package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Proof is what came of restoring a backup on trial.
type Proof struct {
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took"` // in nanoseconds
	Faults []string      `json:"faults"`
}

const (
	proof = "proof.json"
	trial = ".trial"
)

// ProveAfter is how long a proof lasts.
const ProveAfter = 7 * 24 * time.Hour

// Prove restores a backup into a folder of its own, checks every file and the
// database, and lets examine look at what a portal would find there; then the
// folder goes. The result is kept beside the backup. An error means that it
// could not be tried; a backup that fails has faults.
func (s *Store) Prove(name string, now time.Time, examine func(data string) ([]string, error)) (Proof, error) {
	m, err := s.Get(name)
	if err != nil {
		return Proof{}, err
	}
	began := time.Now()
	p := Proof{At: now.UTC(), Faults: []string{}}
	dir := filepath.Join(s.Dir, trial)
	defer func() { _ = os.RemoveAll(dir) }()
	for _, path := range m.Missing {
		p.Faults = append(p.Faults, "The file "+path+" was missing when the backup was made.")
	}
	if err := s.lay(name, dir); err != nil {
		p.Faults = append(p.Faults, "It cannot be restored: "+err.Error()+".")
	} else if err := whole(filepath.Join(dir, database)); err != nil {
		p.Faults = append(p.Faults, "The database is damaged: "+err.Error()+".")
	} else {
		found, err := examine(dir)
		if err != nil {
			return p, fmt.Errorf("look at the restored backup %s: %w", name, err)
		}
		p.Faults = append(p.Faults, found...)
	}
	p.Took = time.Since(began)
	if err := writeJSON(filepath.Join(s.Dir, name, proof), p); err != nil {
		return p, fmt.Errorf("keep the proof: %w", err)
	}
	return p, nil
}

// Proved gives the last proof of a backup; nil if there is none.
func (s *Store) Proved(name string) (*Proof, error) {
	var p Proof
	err := readJSON(filepath.Join(s.Dir, name, proof), &p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the proof of backup %s: %w", name, err)
	}
	return &p, nil
}

// whole asks SQLite to look at every page and index.
func whole(file string) error {
	db, err := open(file)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := column(db, "PRAGMA integrity_check(5)")
	if err != nil {
		return err
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("%v", found)
	}
	return nil
}
