package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// How many backups stay: all that are no older than a day before the newest, and
// one for each of the last days, weeks and months that have one.
const (
	Days   = 7
	Weeks  = 4
	Months = 12
)

// Rule is the rule of what stays, as people are told it.
var Rule = fmt.Sprintf("All of the last day are kept, and one for each of the last %d days, %d weeks and %d months.", Days, Weeks, Months)

// Keep says which of the backups stay, given the newest first: of each day, week
// (from Monday) and month the last one, for as many of them as the rule says.
// Days begin at midnight of zone.
func Keep(made []time.Time, zone *time.Location) []bool {
	stay := make([]bool, len(made))
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	week := func(t time.Time) string {
		year, n := t.ISOWeek()
		return fmt.Sprint(year, " ", n)
	}
	month := func(t time.Time) string { return t.Format("2006-01") }
	for n, t := range made {
		stay[n] = made[0].Sub(t) < 24*time.Hour
	}
	for _, r := range []struct {
		of   func(time.Time) string
		most int
	}{{day, Days}, {week, Weeks}, {month, Months}} {
		seen := map[string]bool{}
		for n, t := range made {
			if key := r.of(t.In(zone)); !seen[key] && len(seen) < r.most {
				seen[key], stay[n] = true, true
			}
		}
	}
	return stay
}

// night is the hour after which a day's backup is taken.
const night = 2

// Due says whether it is time for a backup: none is younger than the last night
// hour. After a stop it is made up at once, and once.
func Due(last, now time.Time, zone *time.Location) bool {
	local := now.In(zone)
	since := time.Date(local.Year(), local.Month(), local.Day(), night, 0, 0, 0, zone)
	if since.After(now) {
		since = time.Date(local.Year(), local.Month(), local.Day()-1, night, 0, 0, 0, zone)
	}
	return last.Before(since)
}

// Prune removes the backups that the rule does not keep, and the files that no
// other one has.
func (s *Store) Prune(zone *time.Location) error {
	all, err := s.List()
	if err != nil {
		return err
	}
	made := make([]time.Time, len(all))
	for n, m := range all {
		made[n] = m.Made
	}
	used := map[string]bool{}
	for n, stays := range Keep(made, zone) {
		if !stays {
			if err := s.Remove(all[n].Name); err != nil {
				return err
			}
			continue
		}
		for _, f := range all[n].Files {
			used[f.Path] = true
		}
	}
	return s.forget(used)
}

// Remove removes one backup; its manifest goes first, so that nothing half
// removed is taken for a backup.
func (s *Store) Remove(name string) error {
	dir := filepath.Join(s.Dir, name)
	if err := os.Remove(filepath.Join(dir, manifest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove backup %s: %w", name, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove backup %s: %w", name, err)
	}
	return nil
}

// forget removes the files that are not used, and the folders left empty.
func (s *Store) forget(used map[string]bool) error {
	root := filepath.Join(s.Dir, "files")
	var folders []string
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			folders = append(folders, at)
			return nil
		}
		name, err := filepath.Rel(root, at)
		if err != nil || used[filepath.ToSlash(name)] {
			return err
		}
		return os.Remove(at)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove files of former backups: %w", err)
	}
	for n := len(folders) - 1; n > 0; n-- {
		_ = os.Remove(folders[n]) // only the empty ones go
	}
	return nil
}
