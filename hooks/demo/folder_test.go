package demo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder makes a data folder with the given files, name → content.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestPrepare(t *testing.T) {
	type files = map[string]string
	database := files{"data.db": "x", "data.db-wal": "x", "auxiliary.db": "x", "storage/c/r/file.pdf": "x", "backups/b.zip": "x"}
	with := func(more files) files {
		all := files{}
		for _, m := range []files{database, more} {
			for name, content := range m {
				all[name] = content
			}
		}
		return all
	}
	cases := []struct {
		name    string
		files   files
		wanted  bool
		want    Folder
		refused string
		left    []string // what lies there afterwards
	}{
		{"an absent folder becomes the demo", nil, true, Folder{Demo: true, Fresh: true}, "", []string{demoMark}},
		{"so does one with nothing but a lock", files{".gatehouse-lock": ""}, true, Folder{Demo: true, Fresh: true}, "", []string{demoMark, ".gatehouse-lock"}},
		{"an earlier demo is used again", with(files{demoMark: ready + "\n"}), true, Folder{Demo: true}, "", []string{demoMark, "auxiliary.db", "backups", "data.db", "data.db-wal", "storage"}},
		{"one that was not finished is made anew", with(files{demoMark: building}), true, Folder{Demo: true, Fresh: true}, "", []string{demoMark}},
		{"a real portal is refused, and stays", database, true, Folder{}, "holds auxiliary.db, backups, data.db and more", []string{"auxiliary.db", "backups", "data.db", "data.db-wal", "storage"}},
		{"so is a folder with anything else", files{"holiday.jpg": "x"}, true, Folder{}, "holds holiday.jpg", []string{"holiday.jpg"}},
		{
			"a demo to be emptied becomes an empty portal; other files stay", with(files{demoMark: ready, emptyMark: "t0ken\n", "notes.txt": "mine"}), true,
			Folder{Token: "t0ken", Note: "The demo was removed: this is an empty portal."},
			"",
			[]string{portalMark, "notes.txt"},
		},
		{
			"also when it starts without --demo", with(files{demoMark: ready, emptyMark: "t0ken"}), false,
			Folder{Token: "t0ken", Note: "The demo was removed: this is an empty portal."},
			"",
			[]string{portalMark},
		},
		{
			"a crash while emptying is made good",
			files{demoMark: ready, emptyMark: "t0ken", portalMark: "x", "storage/c/r/file.pdf": "x"},
			true,
			Folder{Token: "t0ken", Note: "The demo was removed: this is an empty portal."},
			"",
			[]string{portalMark},
		},
		{
			"also at the very end of it",
			files{emptyMark: "t0ken", portalMark: "x"},
			true,
			Folder{Token: "t0ken", Note: "The demo was removed: this is an empty portal."},
			"",
			[]string{portalMark},
		},
		{"a mark alone empties nobody's portal", with(files{emptyMark: "t0ken"}), true, Folder{}, "none of the demo's", []string{emptyMark, "auxiliary.db", "backups", "data.db", "data.db-wal", "storage"}},
		{
			"what was a demo once is no demo again", with(files{portalMark: "x"}), true,
			Folder{Note: "--demo has no effect: this folder was a demo once and is a real portal now."},
			"",
			[]string{portalMark, "auxiliary.db", "backups", "data.db", "data.db-wal", "storage"},
		},
		{"and runs without --demo as any other", with(files{portalMark: "x"}), false, Folder{}, "", []string{portalMark, "auxiliary.db", "backups", "data.db", "data.db-wal", "storage"}},
		{"a demo is not served as if it were real", with(files{demoMark: ready}), false, Folder{}, "Start it with --demo", []string{demoMark, "auxiliary.db", "backups", "data.db", "data.db-wal", "storage"}},
		{"a portal is nobody's business here", database, false, Folder{}, "", []string{"auxiliary.db", "backups", "data.db", "data.db-wal", "storage"}},
		{"no folder is made without --demo", nil, false, Folder{}, "", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, c.files)
			got, err := Prepare(dir, c.wanted)
			if (err != nil) != (c.refused != "") || (err != nil && !strings.Contains(err.Error(), c.refused)) {
				t.Fatalf("refused with %v, wished %q", err, c.refused)
			}
			if got != c.want {
				t.Errorf("%+v, wished %+v", got, c.want)
			}
			if left := names(t, dir); !slices.Equal(left, c.left) {
				t.Errorf("left %v, wished %v", left, c.left)
			}
		})
	}
}

func TestFinish_endsTheBuilding(t *testing.T) {
	dir := folder(t, nil)
	if _, err := Prepare(dir, true); err != nil {
		t.Fatal(err)
	}
	if err := Finish(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Prepare(dir, true)
	if err != nil || got != (Folder{Demo: true}) {
		t.Fatalf("%+v %v", got, err)
	}
}
