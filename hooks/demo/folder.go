package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The marks that tell what a data folder is.
const (
	demoMark   = ".gatehouse-demo"   // the demo made it: "building", "ready" or "crowd"
	emptyMark  = ".gatehouse-empty"  // empty it at the next start; holds the token of the set-up link
	portalMark = ".gatehouse-portal" // it was a demo; what is in it since is real
)

const (
	building = "building"
	ready    = "ready"
	crowded  = "crowd" // by the command that enlarges it: whoever serves it knows what it is
)

// Folder is what Prepare found out about a data folder.
type Folder struct {
	Demo  bool   // the demo is on
	Fresh bool   // Build has to make it, then Finish
	Token string // of the set-up link that was promised before the restart; empty: none was
	Note  string // a sentence for the start-up message; may be empty
}

// harmless lie in folders that hold nothing.
var harmless = []string{".gatehouse-lock", "lost+found", ".gitkeep", ".DS_Store", demoMark + half, emptyMark + half, portalMark + half}

// half ends the name of a mark that was not wholly written.
const half = ".new"

// made are the files of PocketBase that the demo makes, and nothing else that
// may lie beside them.
var made = []string{
	"data.db", "data.db-wal", "data.db-shm", "data.db-journal", "auxiliary.db", "auxiliary.db-wal", "auxiliary.db-shm", "auxiliary.db-journal",
	"storage", "backups", "snapshots", ".pb_temp_to_delete", ".notify",
}

// Prepare is called before the data folder is opened, by the one process that
// holds it. wanted says whether the demo was asked for. Errors are sentences
// for the operator.
//
// The demo takes an absent or an empty folder, and its own of an earlier start.
// It never touches a folder that holds anything else, and a folder of the demo
// is never served as if it were real.
func Prepare(dir string, wanted bool) (Folder, error) {
	names, err := list(dir)
	if err != nil {
		return Folder{}, fmt.Errorf("the data folder %s cannot be read: %w", dir, err)
	}
	has := func(name string) bool { return slices.Contains(names, name) }
	switch {
	case has(emptyMark):
		return startEmpty(dir, has)
	case has(portalMark) && wanted:
		return Folder{Note: "--demo has no effect: this folder was a demo once and is a real portal now."}, nil
	case has(portalMark):
		return Folder{}, nil
	case has(demoMark) && !wanted:
		if state, err := stateOf(dir); err != nil || state == crowded {
			return Folder{Demo: true, Note: "This folder holds the demo, whose passwords everybody knows."}, err
		}
		return Folder{}, fmt.Errorf("the data folder %s holds the demo, whose passwords everybody knows. Start it with --demo; to begin in earnest choose \"Start empty\" there, or another folder with --dir", dir)
	case !wanted:
		return Folder{}, nil
	case has(demoMark):
		return again(dir)
	case len(names) > 0:
		return Folder{}, fmt.Errorf("the data folder %s holds %s: the demo needs an empty folder of its own. Choose another with --dir", dir, some(names))
	}
	return begin(dir)
}

// Finish says that Build is through: without it, the next start begins anew.
func Finish(dir string) error { return mark(dir, demoMark, ready) }

// FinishCrowd says that Build and Crowd are through.
func FinishCrowd(dir string) error { return mark(dir, demoMark, crowded) }

// begin takes an empty folder.
func begin(dir string) (Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Folder{}, fmt.Errorf("the data folder %s cannot be made: %w", dir, err)
	}
	if err := mark(dir, demoMark, building); err != nil {
		return Folder{}, err
	}
	return Folder{Demo: true, Fresh: true}, nil
}

// again takes the demo of an earlier start; one that was not finished is made
// anew.
func again(dir string) (Folder, error) {
	state, err := stateOf(dir)
	if err != nil {
		return Folder{}, err
	}
	if state != building {
		return Folder{Demo: true}, nil
	}
	if err := wipe(dir); err != nil {
		return Folder{}, err
	}
	return begin(dir)
}

func stateOf(dir string) (string, error) {
	state, err := os.ReadFile(filepath.Join(dir, demoMark)) //nolint:gosec // a fixed name in the operator's folder
	if err != nil {
		return "", fmt.Errorf("read the mark of the demo: %w", err)
	}
	return strings.TrimSpace(string(state)), nil
}

// startEmpty removes what the demo made. The mark that asks for it goes last:
// whatever happens in between, the next start does the same again.
func startEmpty(dir string, has func(string) bool) (Folder, error) {
	if !has(demoMark) && !has(portalMark) {
		return Folder{}, fmt.Errorf("the data folder %s is marked to be emptied (%s), but it is none of the demo's. Remove that file, or choose another folder with --dir", dir, emptyMark)
	}
	token, err := os.ReadFile(filepath.Join(dir, emptyMark)) //nolint:gosec // a fixed name in the operator's folder
	if err != nil {
		return Folder{}, fmt.Errorf("read the token of the set-up link: %w", err)
	}
	if has(demoMark) {
		if err := wipe(dir); err != nil {
			return Folder{}, err
		}
	}
	if err := mark(dir, portalMark, "This folder was emptied from the demo. What is in it now is real."); err != nil {
		return Folder{}, err
	}
	for _, name := range []string{demoMark, emptyMark} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Folder{}, fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return Folder{Token: strings.TrimSpace(string(token)), Note: "The demo was removed: this is an empty portal."}, nil
}

func wipe(dir string) error {
	for _, name := range made {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove the demo's %s: %w", name, err)
		}
	}
	return nil
}

// mark writes a mark, whole or not at all.
func mark(dir, name, content string) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+half, []byte(content+"\n"), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(path+half, path); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// list names what is in a folder, but for what is harmless; nothing if there is
// no such folder.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); !slices.Contains(harmless, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// some names the first few of what is there.
func some(names []string) string {
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and more"
	}
	return strings.Join(names, ", ")
}
