package gatetest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"
)

// Moment is what a stage was like when it was kept.
type Moment struct {
	dir  string
	door *sql.Conn // to the stage's database, past the program's own
}

// Keep notes how the stage is now: its database and its files.
func (s *Stage) Keep(t testing.TB) *Moment {
	t.Helper()
	// What is written here is thrown away: it needs no disk that has kept it.
	for _, pragma := range []string{"PRAGMA synchronous = OFF", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := s.NonconcurrentDB().NewQuery(pragma).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	m := &Moment{dir: t.TempDir()}
	if err := copyFile(filepath.Join(s.DataDir(), "data.db"), filepath.Join(m.dir, "data.db")); err != nil {
		t.Fatal("keep:", err)
	}
	if err := os.CopyFS(m.storage(), os.DirFS(filepath.Join(s.DataDir(), "storage"))); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal("keep:", err)
	}
	pool, err := sql.Open("sqlite", filepath.Join(s.DataDir(), "data.db")+"?_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal("keep:", err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	if m.door, err = pool.Conn(context.Background()); err != nil {
		t.Fatal("keep:", err)
	}
	return m
}

func (m *Moment) storage() string { return filepath.Join(m.dir, "storage") }

// Back makes the stage what it was at a moment. What the program itself
// remembers stays: the clock, who waits after wrong passwords.
func (s *Stage) Back(t testing.TB, to *Moment) {
	t.Helper()
	if err := errors.Join(to.restore(), s.putFiles(to)); err != nil {
		t.Fatal("back:", err)
	}
}

func (m *Moment) restore() error {
	return m.door.Raw(func(conn any) error {
		b, err := conn.(interface { //nolint:forcetypeassert // SQLite's own
			NewRestore(from string) (*sqlite.Backup, error)
		}).NewRestore(filepath.Join(m.dir, "data.db"))
		if err != nil {
			return err
		}
		_, err = b.Step(-1)
		return errors.Join(err, b.Finish())
	})
}

// putFiles puts back what was deleted since.
func (s *Stage) putFiles(m *Moment) error {
	err := filepath.WalkDir(m.storage(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(m.storage(), path)
		if err != nil {
			return err
		}
		to := filepath.Join(s.DataDir(), "storage", name)
		if _, err := os.Stat(to); err == nil {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			return err
		}
		return copyFile(path, to)
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
