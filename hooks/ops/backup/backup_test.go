package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/ops/backup"
)

// stage is a portal with one request that has files, and its backups.
func stage(t *testing.T) (*gatetest.Stage, *backup.Store, string) {
	t.Helper()
	s := gatetest.New(t)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	s.AllProvided(t, request)
	return s, &backup.Store{Dir: filepath.Join(t.TempDir(), "snapshots"), Data: s.DataDir(), Version: "test"}, request
}

func sound(string) ([]string, error) { return nil, nil }

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// tree reads every file below a folder.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, root)] = string(text)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// A backup taken while people work restores to one moment: what was there before
// it began is there, with every file, and the portal that it opens is sound.
func TestMake_whilePeopleWork(t *testing.T) {
	s, store, _ := stage(t)
	before := must[int64](t)(s.CountRecords("requests"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				request := s.Simple(t)
				s.Move(t, s.Sam, request, "send")
				s.AllProvided(t, request)
			}
		}
	})
	m, err := store.Make(t.Context(), s.App(), s.Clock.Now())
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Files) == 0 || len(m.Missing) > 0 || len(m.Migrations) == 0 {
		t.Fatalf("%d files, missing %v, %d migrations", len(m.Files), m.Missing, len(m.Migrations))
	}

	data := filepath.Join(t.TempDir(), "pb_data")
	to := &backup.Store{Dir: store.Dir, Data: data}
	if kept := must[string](t)(to.Restore(m.Name, s.Clock.Now())); kept != "" {
		t.Errorf("an empty folder has nothing to keep: %s", kept)
	}
	again := gatetest.On(t, data)
	if n := must[int64](t)(again.CountRecords("requests")); n < before {
		t.Errorf("%d requests, %d were there before the backup", n, before)
	}
	documents := must[[]*core.Record](t)(again.FindAllRecords("documents"))
	for _, d := range documents {
		if _, err := os.Stat(filepath.Join(data, "storage", d.BaseFilesPath(), d.GetString("file"))); err != nil {
			t.Error(err)
		}
	}
	if len(documents) == 0 {
		t.Error("no document was restored")
	}
}

// The next backup costs what is new: files that are there are not copied again,
// and a backup that goes takes with it only what no other one has.
func TestPrune_takesOnlyWhatNoOtherHas(t *testing.T) {
	s, store, _ := stage(t)
	extra := filepath.Join(store.Dir, "files", "of", "nobody")
	if err := errors.Join(os.MkdirAll(filepath.Dir(extra), 0o700), os.WriteFile(extra, []byte("left"), 0o600)); err != nil {
		t.Fatal(err)
	}
	first := must[backup.Manifest](t)(store.Make(t.Context(), s.App(), s.Clock.Now()))
	gone := first.Files[0].Path
	s.Clock.Move(time.Hour)
	request := s.Simple(t)
	s.Move(t, s.Sam, request, "send")
	s.AllProvided(t, request)
	second := must[backup.Manifest](t)(store.Make(t.Context(), s.App(), s.Clock.Now()))
	if len(second.Files) <= len(first.Files) {
		t.Fatalf("%d files, then %d", len(first.Files), len(second.Files))
	}
	if err := store.Prune(time.UTC); err != nil {
		t.Fatal(err)
	}
	if both := must[[]backup.Manifest](t)(store.List()); len(both) != 2 {
		t.Fatalf("of two within a day %d stay", len(both))
	}
	if err := store.Remove(first.Name); err != nil {
		t.Fatal(err)
	}
	if err := store.Prune(time.UTC); err != nil {
		t.Fatal(err)
	}
	left := must[[]backup.Manifest](t)(store.List())
	if len(left) != 1 || left[0].Name != second.Name {
		t.Fatalf("%d backups are left", len(left))
	}
	files := tree(t, filepath.Join(store.Dir, "files"))
	if len(files) != len(second.Files) {
		t.Errorf("%d files lie there, %d are named", len(files), len(second.Files))
	}
	if _, there := files["/"+gone]; !there {
		t.Errorf("%s is in the backup that stays, and gone", gone)
	}
	if p := must[backup.Proof](t)(store.Prove(second.Name, s.Clock.Now(), sound)); len(p.Faults) > 0 {
		t.Error(p.Faults)
	}
}

// Whatever is wrong with a backup, a restore says so and changes nothing.
func TestRestore_refusesWhatIsNotWhole(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, store *backup.Store, m backup.Manifest){
		"a file is damaged": func(t *testing.T, store *backup.Store, m backup.Manifest) {
			t.Helper()
			overwrite(t, filepath.Join(store.Dir, "files", m.Files[0].Path))
		},
		"a file is gone": func(t *testing.T, store *backup.Store, m backup.Manifest) {
			t.Helper()
			if err := os.Remove(filepath.Join(store.Dir, "files", m.Files[0].Path)); err != nil {
				t.Fatal(err)
			}
		},
		"the database is damaged": func(t *testing.T, store *backup.Store, m backup.Manifest) {
			t.Helper()
			overwrite(t, filepath.Join(store.Dir, m.Name, "data.db"))
		},
		"it names a file outside": func(t *testing.T, store *backup.Store, m backup.Manifest) {
			t.Helper()
			rewrite(t, store, m, m.Files[0].Path, "../../../outside")
		},
		"it is from a newer version": func(t *testing.T, store *backup.Store, m backup.Manifest) {
			t.Helper()
			rewrite(t, store, m, `"migrations":[`, `"migrations":["9999999999_of_tomorrow.go",`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, store, _ := stage(t)
			m := must[backup.Manifest](t)(store.Make(t.Context(), s.App(), s.Clock.Now()))
			store.Data = filepath.Join(t.TempDir(), "pb_data")
			if err := os.MkdirAll(store.Data, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(store.Data, "data.db"), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			spoil(t, store, m)
			if _, err := store.Restore(m.Name, s.Clock.Now()); err == nil {
				t.Error("it was restored")
			}
			if left := tree(t, store.Data); len(left) != 1 || left["/data.db"] != "mine" {
				t.Errorf("the data folder holds %v", len(left))
			}
			p := must[backup.Proof](t)(store.Prove(m.Name, s.Clock.Now(), sound))
			if len(p.Faults) != 1 {
				t.Errorf("the proof says %q", p.Faults)
			}
			if kept := must[*backup.Proof](t)(store.Proved(m.Name)); kept == nil || !slices.Equal(kept.Faults, p.Faults) {
				t.Errorf("kept is %+v", kept)
			}
		})
	}
}

// rewrite changes what a manifest says.
func rewrite(t *testing.T, store *backup.Store, m backup.Manifest, from, to string) {
	t.Helper()
	path := filepath.Join(store.Dir, m.Name, "manifest.json")
	text := must[[]byte](t)(os.ReadFile(path))
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// overwrite changes one byte in the middle, so that the size stays.
func overwrite(t *testing.T, path string) {
	t.Helper()
	text := must[[]byte](t)(os.ReadFile(path))
	text[len(text)/2] ^= 0xff
	if err := os.Remove(path); err != nil { // it may be the very file that the portal uses
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// However far a restore had come when the power went, the next start ends it: the
// folder holds the old data or the new, never a mixture, and the old is kept.
func TestFinish_afterEveryBreak(t *testing.T) {
	names := []string{"data.db", "data.db-wal", "data.db-shm", "storage/f"}
	put := func(dir, what string, names ...string) {
		for _, name := range names {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(what), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	move := func(from, to string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.Rename(from, to)); err != nil {
			t.Fatal(err)
		}
	}
	steps := []func(dir string){}
	for _, part := range []string{"data.db", "data.db-wal", "data.db-shm", "storage"} {
		steps = append(steps, func(dir string) { move(filepath.Join(dir, part), filepath.Join(dir, "replaced-x", part)) })
		if !strings.Contains(part, "-") {
			steps = append(steps, func(dir string) { move(filepath.Join(dir, ".restoring", part), filepath.Join(dir, part)) })
		}
	}
	for done := range len(steps) + 1 {
		dir := t.TempDir()
		put(dir, "old", names...)
		put(filepath.Join(dir, ".restoring"), "new", "data.db", "storage/f")
		if err := os.WriteFile(filepath.Join(dir, ".restoring", "ready"), []byte(`"replaced-x"`), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, step := range steps[:done] {
			step(dir)
		}
		for range 2 { // and once more finds nothing to do
			if _, err := backup.Finish(dir); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]string{"/data.db": "new", "/storage/f": "new"}
		for _, name := range names {
			want["/replaced-x/"+name] = "old"
		}
		got := tree(t, dir)
		for name, text := range want {
			if got[name] != text {
				t.Errorf("after %d steps %s is %q", done, name, got[name])
			}
		}
		if len(got) != len(want) {
			t.Errorf("after %d steps there are %d files", done, len(got))
		}
	}
	// Before the mark nothing has changed, and nothing is left of it.
	dir := t.TempDir()
	put(dir, "old", names...)
	put(filepath.Join(dir, ".restoring"), "new", "data.db")
	if _, err := backup.Finish(dir); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); len(got) != len(names) || got["/data.db"] != "old" {
		t.Errorf("%v", got)
	}
}

func TestKeep(t *testing.T) {
	zone := must[*time.Location](t)(time.LoadLocation("Europe/London"))
	start := time.Date(2026, 11, 29, 2, 10, 0, 0, zone) // a Sunday
	var made []time.Time
	for n := range 800 {
		made = append(made, start.AddDate(0, 0, -n))
	}
	var left []string
	for n, stays := range backup.Keep(made, zone) {
		if stays {
			left = append(left, made[n].Format(time.DateOnly))
		}
	}
	want := []string{"2026-11-29", "2026-11-28", "2026-11-27", "2026-11-26", "2026-11-25", "2026-11-24", "2026-11-23", // days
		"2026-11-22", "2026-11-15", "2026-11-08", // weeks
		"2026-10-31", "2026-09-30", "2026-08-31", "2026-07-31", "2026-06-30", "2026-05-31", "2026-04-30", "2026-03-31", "2026-02-28", "2026-01-31", "2025-12-31"}
	if !slices.Equal(left, want) {
		t.Errorf("%v stay", left)
	}
}

func TestDue(t *testing.T) {
	zone := must[*time.Location](t)(time.LoadLocation("Europe/London"))
	at := func(text string) time.Time {
		return must[time.Time](t)(time.ParseInLocation("2006-01-02 15:04", text, zone))
	}
	for _, c := range []struct {
		last, now string
		due       bool
	}{
		{"2026-11-28 02:05", "2026-11-29 01:59", false},
		{"2026-11-28 02:05", "2026-11-29 02:00", true},
		{"2026-11-29 02:00", "2026-11-29 23:59", false},
		{"2026-11-20 02:05", "2026-11-29 13:00", true}, // made up after a stop
		{"2026-03-28 02:05", "2026-03-29 03:30", true}, // the night hour does not exist
		{"2026-10-25 01:30", "2026-10-25 02:30", true}, // clocks went back in between
		{"2026-11-29 13:00", "2026-11-29 14:00", false},
	} {
		if got := backup.Due(at(c.last), at(c.now), zone); got != c.due {
			t.Errorf("last %s, now %s: due is %v", c.last, c.now, got)
		}
	}
	if !backup.Due(time.Time{}, at("2026-11-29 13:00"), zone) {
		t.Error("the first start must not wait for the night")
	}
}
