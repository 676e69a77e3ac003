package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// A restore has two halves. The new data is laid out beside the old and checked;
// then the mark is written, and the two change places by renaming. A restore that
// ended before the mark has changed nothing; one that ended after it is finished
// by the next start, or by restoring again.
const (
	incoming = ".restoring"
	mark     = "ready"
	replaced = "replaced-"
)

// parts are what a restore replaces; the log stays. Parts that are rests of the
// former database are set aside alone.
var (
	parts = []string{database, database + "-wal", database + "-shm", "storage"}
	rests = parts[1:3]
)

// ErrNewer is a backup of a newer Gatehouse than this one.
var ErrNewer = errors.New("this backup was made by a newer Gatehouse")

// Restore puts a backup in the place of the data of a folder that no server is
// running on. The data that was there is kept in a folder of its own, whose path
// is returned; empty if there was none.
func (s *Store) Restore(name string, now time.Time) (kept string, err error) {
	if err := s.Lay(name, now); err != nil {
		return "", err
	}
	return Finish(s.Data)
}

// Lay does the first half: the next start of the portal, or Finish, puts the
// backup in its place.
func (s *Store) Lay(name string, now time.Time) error {
	to := filepath.Join(s.Data, incoming)
	err := s.lay(name, to)
	if err == nil {
		err = s.keepEnded(filepath.Join(to, database), now)
	}
	if err == nil {
		err = writeJSON(filepath.Join(to, mark), replaced+now.UTC().Format(stamp))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(to))
	}
	return syncDir(to)
}

// Finish carries a restore through whose data is laid out, and removes what is
// left of one that had not come so far. It is called before anything opens the
// folder, and does nothing where nothing was begun.
func Finish(data string) (kept string, err error) {
	from := filepath.Join(data, incoming)
	if err := readJSON(filepath.Join(from, mark), &kept); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", os.RemoveAll(from)
		}
		return "", fmt.Errorf("read how far the restore had come: %w", err)
	}
	kept = filepath.Join(data, kept)
	if err := os.MkdirAll(kept, 0o700); err != nil {
		return "", err
	}
	for _, part := range parts {
		fresh, place, old := filepath.Join(from, part), filepath.Join(data, part), filepath.Join(kept, part)
		if !there(fresh) && !slices.Contains(rests, part) {
			continue // in its place already
		}
		if !there(old) && there(place) {
			if err := os.Rename(place, old); err != nil {
				return "", fmt.Errorf("set the former %s aside: %w", part, err)
			}
		}
		if there(fresh) {
			if err := os.Rename(fresh, place); err != nil {
				return "", fmt.Errorf("put the restored %s in its place: %w", part, err)
			}
		}
	}
	if err := errors.Join(syncDir(data), os.RemoveAll(from)); err != nil {
		return "", fmt.Errorf("end the restore: %w", err)
	}
	if entries, err := os.ReadDir(kept); err != nil || len(entries) == 0 {
		return "", errors.Join(err, os.Remove(kept))
	}
	return kept, nil
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// lay lays a backup's data out in a folder, every file checked on the way.
func (s *Store) lay(name, to string) error {
	m, err := s.Get(name)
	if err != nil {
		return err
	}
	if unknown := newer(m.Migrations); unknown != "" {
		return fmt.Errorf("%w: it knows %q. Install version %s or newer first", ErrNewer, unknown, m.Version)
	}
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(filepath.Join(to, "storage"), 0o700)); err != nil {
		return err
	}
	copied := filepath.Join(to, database)
	source, err := os.Open(filepath.Join(s.Dir, name, database))
	if err != nil {
		return fmt.Errorf("open the copy of the database: %w", err)
	}
	defer source.Close()
	if err := write(source, copied); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	if err := same(copied, m.Database); err != nil {
		return err
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return fmt.Errorf("the backup names a file outside of it: %s", f.Path)
		}
		target := filepath.Join(to, "storage", filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := link(s.file(f.Path), target); err != nil {
			return fmt.Errorf("copy the file %s: %w", f.Path, err)
		}
		if err := same(target, f); err != nil {
			return err
		}
	}
	return nil
}

// same says whether a file is the one that the manifest means.
func same(file string, want File) error {
	got, err := fingerprint(file, want.Path)
	if err != nil {
		return fmt.Errorf("read %s: %w", want.Path, err)
	}
	if got != want {
		return fmt.Errorf("%s is not what was backed up: %d bytes with SHA-256 %s, but %d with %s were written", want.Path, got.Size, got.SHA256, want.Size, want.SHA256)
	}
	return nil
}

// newer gives a migration that this program does not know; empty if there is none.
func newer(migrations []string) string {
	var known []string
	for _, list := range []core.MigrationsList{core.SystemMigrations, core.AppMigrations} {
		for _, m := range list.Items() {
			known = append(known, m.File)
		}
	}
	for _, file := range migrations {
		if !slices.Contains(known, file) {
			return strings.TrimSuffix(file, ".go")
		}
	}
	return ""
}
