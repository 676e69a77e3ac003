package backup

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"

	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// open opens a copied database for reading; nothing is written beside it.
func open(file string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?mode=ro&immutable=1")
}

// contents are the paths of all files that a copied database names; its
// migrations go into the manifest.
func contents(file string, m *Manifest) ([]string, error) {
	db, err := open(file)
	if err != nil {
		return nil, fmt.Errorf("open the copy: %w", err)
	}
	defer db.Close()
	if m.Migrations, err = column(db, `SELECT file FROM _migrations ORDER BY applied, file`); err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	rows, err := db.Query(`SELECT c.id, c.name, json_extract(f.value, '$.name') FROM _collections c, json_each(c.fields) f
		WHERE json_extract(f.value, '$.type') = 'file' AND c.type != 'view' ORDER BY 1, 3`)
	if err != nil {
		return nil, fmt.Errorf("find the fields with files: %w", err)
	}
	defer rows.Close()
	var named []string
	for rows.Next() {
		var id, table, field string
		if err := rows.Scan(&id, &table, &field); err != nil {
			return nil, err
		}
		more, err := filesOf(db, id, table, field)
		if err != nil {
			return nil, fmt.Errorf("find the files of %s: %w", table, err)
		}
		named = append(named, more...)
	}
	return named, rows.Err()
}

// filesOf are the paths of one field: it holds one name, or a list of them.
func filesOf(db *sql.DB, collection, table, field string) ([]string, error) {
	rows, err := db.Query(fmt.Sprintf(`SELECT id, %q FROM %q WHERE %[1]q NOT IN ('', '[]') ORDER BY id`, field, table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var paths []string
	for rows.Next() {
		var id, value string
		if err := rows.Scan(&id, &value); err != nil {
			return nil, err
		}
		names := []string{value}
		if value[0] == '[' {
			if err := json.Unmarshal([]byte(value), &names); err != nil {
				return nil, err
			}
		}
		for _, name := range names {
			paths = append(paths, path.Join(collection, id, name))
		}
	}
	return paths, rows.Err()
}

func column(db *sql.DB, query string) ([]string, error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// pool is where the files of all backups lie.
type pool struct {
	store   *Store
	storage *filesystem.System
	local   bool            // the storage is a folder beside the database
	known   map[string]File // fingerprints of what lies there already
}

// take sees to it that a file lies in the pool; fs.ErrNotExist if the storage
// has none of that path.
func (p *pool) take(name string) (File, error) {
	target := p.store.file(name)
	if info, err := os.Stat(target); err == nil {
		if f, ok := p.known[name]; ok && f.Size == info.Size() {
			return f, nil
		}
		return fingerprint(target, name)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return File{}, err
	}
	if p.local {
		if err := link(filepath.Join(p.store.Data, "storage", filepath.FromSlash(name)), target); err != nil {
			return File{}, err
		}
		return fingerprint(target, name)
	}
	source, err := p.storage.GetReader(name)
	if err != nil {
		if errors.Is(err, filesystem.ErrNotFound) {
			err = fs.ErrNotExist
		}
		return File{}, err
	}
	defer source.Close()
	if err := write(source, target); err != nil {
		return File{}, err
	}
	return fingerprint(target, name)
}

func (s *Store) file(name string) string {
	return filepath.Join(s.Dir, "files", filepath.FromSlash(name))
}

// link gives a file a second name, or copies it where that cannot be.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	return write(source, to)
}

// write copies a stream into a file that is there only when it is whole.
func write(from io.Reader, to string) error {
	part, err := os.CreateTemp(filepath.Dir(to), ".part-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(part, from)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), to)
}

// fingerprint reads a file for its size and its SHA-256.
func fingerprint(file, name string) (File, error) {
	f, err := os.Open(file)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err != nil {
		return File{}, err
	}
	return File{Path: name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}
