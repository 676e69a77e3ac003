// Package backup keeps copies of the portal, and proves that they can be restored.
//
// A backup is a folder with the database as it was at one moment and a manifest,
// which names every file that belongs to it. The files lie once for all backups:
// PocketBase adds and removes files, but never changes one, so a night costs what
// the day has added.
//
//	<data folder>/snapshots/
//	  files/<collection>/<record>/<name>
//	  20261201T020000Z/data.db  manifest.json  proof.json
//
//	backup.go   what a backup is, and making one
//	files.go    the files of a database, and their copies
//	keep.go     which backups stay, when the next is due
//	restore.go  a backup takes the place of the data
//	over.go     what has ended since stays ended
//	prove.go    a backup is restored on trial
//	keeper.go   all of it by itself, every night
//	routes.go   what owners see and do
//
// The log (auxiliary.db) is not part of a backup.
package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Manifest is what a backup holds.
type Manifest struct {
	Name       string    `json:"name"`
	Made       time.Time `json:"made"`
	Version    string    `json:"version"`    // of the Gatehouse that made it
	Migrations []string  `json:"migrations"` // that its database has been through
	Database   File      `json:"database"`
	Files      []File    `json:"files"`
	Missing    []string  `json:"missing,omitempty"` // files that the database names and the storage did not have
}

// File is one file of a backup: its path below files/, or data.db.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// Size is how many bytes a restored backup takes.
func (m Manifest) Size() int64 {
	size := m.Database.Size
	for _, f := range m.Files {
		size += f.Size
	}
	return size
}

// Store is where the backups of one data folder lie.
type Store struct {
	Dir     string // of the backups
	Data    string // the data folder
	Version string
}

// Folder is the name of the backups' folder inside the data folder.
const Folder = "snapshots"

// Of gives the store of a data folder: below it, unless GATEHOUSE_BACKUPS names
// another folder, on another disk say.
func Of(data, version string) *Store {
	dir := os.Getenv("GATEHOUSE_BACKUPS")
	if dir == "" {
		dir = filepath.Join(data, Folder)
	}
	return &Store{Dir: dir, Data: data, Version: version}
}

const (
	stamp    = "20060102T150405Z"
	making   = ".making-"
	database = "data.db"
	manifest = "manifest.json"
)

// List gives the backups, the newest first. A folder without a manifest is none.
func (s *Store) List() ([]Manifest, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the folder of backups: %w", err)
	}
	var all []Manifest
	for _, e := range entries {
		if _, err := time.Parse(stamp, e.Name()); err != nil || !e.IsDir() {
			continue
		}
		m, err := s.Get(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Manifest) int { return strings.Compare(b.Name, a.Name) })
	return all, nil
}

// Get reads one backup's manifest; fs.ErrNotExist if there is none of that name.
func (s *Store) Get(name string) (Manifest, error) {
	var m Manifest
	if _, err := time.Parse(stamp, name); err != nil {
		return m, fmt.Errorf("%q is not the name of a backup: %w", name, fs.ErrNotExist)
	}
	if err := readJSON(filepath.Join(s.Dir, name, manifest), &m); err != nil {
		return m, fmt.Errorf("read what backup %s holds: %w", name, err)
	}
	return m, nil
}

// Make takes a backup of the running portal. Writers go on meanwhile: the copy
// of the database is read from one moment of it, and files are linked, or copied
// where the backups lie on another disk. Nothing is there under the backup's
// name before all of it is on the disk.
func (s *Store) Make(ctx context.Context, app core.App, now time.Time) (Manifest, error) {
	name := now.UTC().Format(stamp)
	if _, err := s.Get(name); err == nil {
		return Manifest{}, fmt.Errorf("there is a backup of this second already: %s", name)
	}
	var m Manifest
	err := s.sweep()
	for range attempts {
		if err == nil {
			m, err = s.make(ctx, app, name)
		}
		if err != nil || len(m.Missing) == 0 {
			break
		}
		// A file that went while it was being copied: the next moment of the
		// database does not name it any more.
	}
	if err != nil {
		return Manifest{}, errors.Join(fmt.Errorf("make a backup: %w", err), s.sweep())
	}
	m.Made = now.UTC()
	if err := writeJSON(filepath.Join(s.Dir, making+name, manifest), m); err != nil {
		return Manifest{}, err
	}
	if err := os.Rename(filepath.Join(s.Dir, making+name), filepath.Join(s.Dir, name)); err != nil {
		return Manifest{}, fmt.Errorf("put the backup in its place: %w", err)
	}
	return m, syncDir(s.Dir)
}

// attempts are how often a backup begins anew while files go from under it.
const attempts = 3

func (s *Store) make(ctx context.Context, app core.App, name string) (Manifest, error) {
	dir := filepath.Join(s.Dir, making+name)
	m := Manifest{Name: name, Version: s.Version}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return m, err
	}
	copied := filepath.Join(dir, database)
	// Not through the one connection that writes: it would hold everybody up.
	if _, err := app.ConcurrentDB().NewQuery("VACUUM INTO {:file}").Bind(dbx.Params{"file": copied}).WithContext(ctx).Execute(); err != nil {
		return m, fmt.Errorf("copy the database: %w", err)
	}
	if err := syncFile(copied); err != nil {
		return m, err
	}
	var err error
	if m.Database, err = fingerprint(copied, database); err != nil {
		return m, err
	}
	named, err := contents(copied, &m)
	if err != nil {
		return m, err
	}
	known, err := s.known()
	if err != nil {
		return m, err
	}
	storage, err := app.NewFilesystem()
	if err != nil {
		return m, fmt.Errorf("open the files: %w", err)
	}
	defer storage.Close()
	pool := pool{store: s, storage: storage, local: !app.Settings().S3.Enabled, known: known}
	for _, path := range named {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		f, err := pool.take(path)
		if errors.Is(err, fs.ErrNotExist) {
			m.Missing = append(m.Missing, path)
			continue
		}
		if err != nil {
			return m, fmt.Errorf("copy the file %s: %w", path, err)
		}
		m.Files = append(m.Files, f)
	}
	return m, nil
}

// known are the files of the newest backup: what it has fingerprinted need not
// be read again.
func (s *Store) known() (map[string]File, error) {
	all, err := s.List()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	known := make(map[string]File, len(all[0].Files))
	for _, f := range all[0].Files {
		known[f.Path] = f
	}
	return known, nil
}

// sure sees to it that the folder is there.
func (s *Store) sure() error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of backups: %w", err)
	}
	return nil
}

// sweep removes what an interrupted backup or trial has left behind.
func (s *Store) sweep() error {
	if err := s.sure(); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, ".*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove what was left behind: %w", err)
		}
	}
	return nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// writeJSON writes a small file and lets it reach the disk.
func writeJSON(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	return syncFile(path)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
