package ops

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/pocketbase/dbx"
)

// Folder is the data folder, held for this process alone.
type Folder struct {
	lock *flock.Flock
}

// lockName lies beside the databases; its content says nothing.
const lockName = ".gatehouse-lock"

// Open makes the folder if it is not there, tries to write in it, and locks it,
// so that two servers never share one. Errors are sentences for the operator.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be made: %w", dir, plainly(err))
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be written to: %w. Give the user that runs Gatehouse the right to write there, or choose another folder with --dir", dir, plainly(err))
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be written to: %w", dir, plainly(err))
	}
	lock := flock.New(filepath.Join(dir, lockName))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be locked: %w", dir, plainly(err))
	}
	if !held {
		return nil, fmt.Errorf("another Gatehouse is running on the data folder %s. Stop it first, or choose another folder with --dir", dir)
	}
	return &Folder{lock: lock}, nil
}

// Close gives the folder free.
func (f *Folder) Close() error { return f.lock.Unlock() }

// plainly takes the path out of a file error: the sentence names it already.
func plainly(err error) error {
	var where *os.PathError
	if errors.As(err, &where) {
		return where.Err
	}
	return err
}

// Connect opens a database. What was acknowledged must survive a power cut, so
// every commit of data.db is synced to the disk; the log database need not be.
func Connect(path string) (*dbx.DB, error) {
	synchronous := "FULL"
	if filepath.Base(path) == "auxiliary.db" {
		synchronous = "NORMAL"
	}
	// busy_timeout comes first: the others may have to wait.
	db, err := sql.Open(driverName, path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)&_pragma=synchronous("+synchronous+")"+
		"&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)&_defensive=1")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	return dbx.NewFromDB(db, "sqlite"), nil
}

// Memory opens a database that is nowhere but in memory: all connections of this
// process that name it share it, and it is gone with the last of them. It can
// be rolled back like any other; there is nothing to sync.
func Memory(name string) (*dbx.DB, error) {
	db, err := sql.Open(driverName, "file:/"+name+"?vfs=memdb&_pragma=busy_timeout(10000)&_pragma=journal_mode(MEMORY)&_pragma=synchronous(OFF)"+
		"&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)&_defensive=1")
	if err != nil {
		return nil, fmt.Errorf("open %s in memory: %w", name, err)
	}
	return dbx.NewFromDB(db, "sqlite"), nil
}
