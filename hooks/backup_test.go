package hooks_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/ops/backup"
)

// Backups come by themselves from the first start, once each night, and the
// newest is restored on trial.
func TestBackups_comeByThemselves(t *testing.T) {
	s := gatetest.New(t)
	s.Clock.Set(time.Date(2026, 12, 1, 15, 0, 0, 0, time.UTC))
	ctx := context.Background()
	tick := func(times int) []backup.Manifest {
		t.Helper()
		for range times {
			if err := s.House.Backups.Tick(ctx); err != nil {
				t.Fatal(err)
			}
			s.Clock.Move(time.Minute)
		}
		all, err := s.House.Backups.Store.List()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := tick(3); len(all) != 1 {
		t.Fatalf("%d backups in the first minutes", len(all))
	}
	standing, err := s.House.Backups.Standing()
	if err != nil || standing.Proof == nil || len(standing.Proof.Faults) > 0 {
		t.Fatalf("the first one was not tried, or is not good: %+v %v", standing.Proof, err)
	}
	if worry := standing.Worry(s.Clock.Now()); worry != "" {
		t.Error(worry)
	}
	s.Clock.Set(time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC)) // three nights were missed
	if worry := standing.Worry(s.Clock.Now()); !strings.Contains(worry, "66 hours old") {
		t.Errorf("nobody is warned: %q", worry)
	}
	if all := tick(3); len(all) != 2 {
		t.Errorf("%d backups after a stop of three days", len(all))
	}
}

// What a trial finds is told to the owner.
func TestBackups_aBadOneIsTold(t *testing.T) {
	s := gatetest.New(t)
	if _, err := s.NonconcurrentDB().NewQuery(`DROP TRIGGER wall_requests_insert`).Execute(); err != nil {
		t.Fatal(err)
	}
	m, err := s.House.Backups.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.House.Backups.Prove(m.Name); err != nil || len(p.Faults) != 1 || !strings.Contains(p.Faults[0], "wall_requests_insert") {
		t.Errorf("%+v %v", p, err)
	}
	a := s.Ask(t, s.Pat, "GET", "/api/portal/backups", nil)
	want(t, a, 200)
	if !strings.Contains(a.Body["worry"].(string), "wall_requests_insert") {
		t.Errorf("the owner reads %q", a.Body["worry"])
	}
}

// A restore from the console asks who it is, lays the backup out, and the next
// start puts it in the place of the data, which is kept. What was revoked since
// stays revoked.
func TestBackups_restoreFromTheConsole(t *testing.T) {
	s := gatetest.New(t)
	restarted := make(chan struct{})
	s.House.BackupDesk.Restart = func() error { close(restarted); return nil }
	revoked := s.Program(t, s.Pat, access.NewProgram{Name: "Revoked", Role: "viewer"})
	left, stays := access.SessionIn(s.Token(t, s.Anna)), access.SessionIn(s.Token(t, s.Sam))
	m, err := s.House.Backups.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	late := s.Simple(t)
	want(t, s.Ask(t, s.Pat, "POST", programs+"/"+revoked.Id+"/revoke", nil), 200)
	want(t, s.Ask(t, s.Anna, "POST", "/api/portal/sign-out", nil), 204)
	path := "/api/portal/backups/" + m.Name + "/restore"
	want(t, s.Ask(t, s.Mia, "POST", path, nil), 400)
	want(t, s.Ask(t, s.Anna, "POST", path, nil), 403)
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/backups/20200101T000000Z/restore", nil), 404)
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/backups/..%2F..%2Fetc/restore", nil), 404)
	token := s.Token(t, s.Pat)
	s.Clock.Move(time.Hour)
	if a := s.Ask(t, s.Pat, "POST", path, nil); a.Status != 403 || s.Token(t, s.Pat) != token {
		t.Fatalf("nobody asked who it is: %d %s", a.Status, a.Raw)
	}
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/prove", map[string]any{"password": gatetest.Password}), 200)
	want(t, s.Ask(t, s.Pat, "POST", path, nil), 202)
	select {
	case <-restarted:
	case <-time.After(10 * time.Second):
		t.Fatal("the portal does not start again")
	}

	// The next start, on a copy, for the stage has the folder open.
	data := filepath.Join(t.TempDir(), "pb_data")
	if err := os.CopyFS(data, os.DirFS(s.DataDir())); err != nil {
		t.Fatal(err)
	}
	kept, err := backup.Finish(data)
	if err != nil || kept == "" {
		t.Fatal(kept, err)
	}
	again := gatetest.On(t, data)
	if _, err := again.FindRecordById("requests", late); err == nil {
		t.Error("what came after the backup is there")
	}
	if n, err := again.CountRecords("staff"); err != nil || n == 0 {
		t.Error(n, err)
	}
	var open []string
	if err := again.DB().NewQuery(`SELECT id FROM sessions WHERE ended = ''`).Column(&open); err != nil || !slices.Contains(open, stays) || slices.Contains(open, left) {
		t.Errorf("who was signed in and who had left: %v %v", open, err)
	}
	var works int
	if scan(t, again, `SELECT COUNT(*) FROM programs p JOIN sessions t ON t.id = p.session WHERE p.id = {:id} AND t.ended = ''`, revoked.Id, &works); works != 0 {
		t.Error("a revoked token is back")
	}
	before := gatetest.On(t, kept)
	if _, err := before.FindRecordById("requests", late); err != nil {
		t.Error("what was there is not kept:", err)
	}
}

// A server that runs on the folder keeps it: nothing is restored under it.
func TestBackups_restoreUnderARunningServer(t *testing.T) {
	s := gatetest.New(t)
	if _, err := s.House.Backups.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, err := ops.Open(s.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	restore := func() error {
		for _, c := range s.House.Commands() {
			if c.Name() == "restore" {
				c.SetArgs(nil)
				c.SetOut(os.Stderr)
				return c.ExecuteContext(t.Context())
			}
		}
		t.Fatal("there is no such command")
		return nil
	}
	if err := restore(); err == nil || !strings.Contains(err.Error(), "another Gatehouse is running") {
		t.Errorf("it said %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
}
