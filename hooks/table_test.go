package hooks_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gatehouse/hooks/gatetest"
)

var update = flag.Bool("update", false, "write the golden files again")

// golden compares text with a file, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: write it with go test -run %s -update", err, t.Name())
	}
	if got != string(stored) {
		t.Errorf("%s has changed. Decide whether that is meant, then write it again with: go test ./hooks -run %s -update\n%s", path, t.Name(), differingLines(string(stored), got))
	}
}

// differingLines shows what only one of two texts has.
func differingLines(before, after string) string {
	old, now := strings.Split(before, "\n"), strings.Split(after, "\n")
	var b strings.Builder
	for _, line := range old {
		if !slices.Contains(now, line) {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			fmt.Fprintf(&b, "+ %s\n", line)
		}
	}
	if b.Len() == 0 {
		return "the lines are the same, in another order"
	}
	return b.String()
}

// Every hook, route and worker is a line; whoever adds one sees it here.
func TestTable_golden(t *testing.T) {
	var b bytes.Buffer
	if err := gatetest.New(t).House.Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.golden", b.String())
}

// A handler bound twice under one id replaces the first without a word.
func TestTable_noTwoHandlersShareAnID(t *testing.T) {
	seen := map[string]string{}
	for _, r := range gatetest.New(t).House.Rows {
		line := r.When + " " + r.What
		if r.ID == "" {
			t.Errorf("%s has no id", line)
		}
		if other, twice := seen[r.ID]; twice {
			t.Errorf("%q is the id of both %q and %q", r.ID, other, line)
		}
		seen[r.ID] = line
		if room, deed, ok := strings.Cut(r.ID, "."); r.When != "event" && (!ok || room == "" || deed == "") {
			t.Errorf("%q is not of the form room.verb_noun", r.ID)
		}
	}
}

// The house: a room imports only rooms on a lower floor.
var floors = map[string]int{
	"schema": 0, "problem": 0,
	"audit": 1, "event": 1, "access": 1,
	"workflow": 2, "document": 2,
	"notify": 3, "integration": 3, "report": 3, "assist": 3,
	"console": 4, "ops": 4, "demo": 4, "simulate": 4,
}

// roomOf names the room of an import path or a folder below hooks; the table
// itself is "hooks".
func roomOf(path string) (string, bool) {
	rest, ours := strings.CutPrefix(path, "gatehouse/hooks")
	if !ours {
		return "", false
	}
	room, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	if room == "" {
		return "hooks", true
	}
	return room, true
}

func TestRooms_importOnlyLowerFloors(t *testing.T) {
	files, count := importsBelow(t, ".."), 0
	for _, file := range slices.Sorted(maps.Keys(files)) {
		folder := filepath.ToSlash(filepath.Dir(file))
		isTest := strings.HasSuffix(file, "_test.go")
		from, inHouse := roomOf("gatehouse/" + folder)
		for _, path := range files[file] {
			to, ours := roomOf(path)
			if !ours {
				continue
			}
			count++
			switch {
			case strings.HasPrefix(folder, "pb_migrations"):
				t.Errorf("%s imports %s: migrations are frozen history and import nothing from hooks", file, path)
			case isTest:
				// A test stands outside: it may set up what it needs.
			case to == "gatetest" && from != "gatetest":
				t.Errorf("%s imports gatetest, which is for tests only", file)
			case !inHouse || from == "hooks" || from == "gatetest" || from == to:
				// main, the table, the stage, and folders of one room.
			case to == "hooks":
				t.Errorf("%s imports the table: what a room needs is handed in", file)
			default:
				above, known := floors[from]
				below, alsoKnown := floors[to]
				if !known || !alsoKnown {
					t.Errorf("%s: the rooms %q and %q need a floor in this test", file, from, to)
				} else if below >= above {
					t.Errorf("%s: %s (floor %d) imports %s (floor %d), which is not below it", file, from, above, to, below)
				}
			}
		}
	}
	if count < 50 {
		t.Fatalf("only %d imports were read", count)
	}
}

// importsBelow reads what every Go file below a folder imports.
func importsBelow(t *testing.T, root string) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "ui" || name == "testdata" || name == "pb_data" || name == "test-results") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			files[relative] = append(files[relative], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
