package hooks_test

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// BenchmarkTransition_simpleRequest is one step of a request of three items, to
// and fro: decide, record, history, audit, event, the client's rows; no HTTP, no
// workers.
func BenchmarkTransition_simpleRequest(b *testing.B) {
	s := gatetest.New(b)
	id := s.Simple(b)
	s.Move(b, s.Sam, id, "send")
	s.AllProvided(b, id)
	keys := []string{"submit", "take_back"}
	b.ReportAllocs()
	// What is written to the log tells more than time on a busy machine.
	if _, err := s.NonconcurrentDB().NewQuery("PRAGMA wal_autocheckpoint = 0").Execute(); err != nil {
		b.Fatal(err)
	}
	n, written := 0, int64(0)
	for b.Loop() {
		if n%20 == 0 { // a request of ordinary history
			b.StopTimer()
			id = s.Simple(b)
			s.Move(b, s.Sam, id, "send")
			s.AllProvided(b, id)
			b.StartTimer()
		}
		before := logSize(b, s)
		if err := s.Try(s.Anna, id, keys[n%2], workflow.Input{}); err != nil {
			b.Fatal(err)
		}
		written += logSize(b, s) - before
		n++
	}
	b.ReportMetric(float64(written)/float64(n)/1024, "kB-written/op")
}

func logSize(b *testing.B, s *gatetest.Stage) int64 {
	b.Helper()
	info, err := os.Stat(filepath.Join(s.DataDir(), "data.db-wal"))
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}
