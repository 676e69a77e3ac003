package hooks_test

import (
	"testing"

	"gatehouse/hooks/gatetest"
)

func BenchmarkTransition(b *testing.B) {
	s := gatetest.New(b)
	var ids []string
	for range 200 {
		id := s.Simple(b)
		s.Move(b, s.Sam, id, "send")
		s.AllProvided(b, id)
		ids = append(ids, id)
	}
	s.Handler(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		k := "submit"
		if (n/200)%2 == 1 {
			k = "take_back"
		}
		if a := s.Ask(b, s.Anna, "POST", request(ids[n%200], "/transition"), map[string]any{"transition": k}); a.Status != 200 {
			b.Fatal(string(a.Raw))
		}
		n++
	}
}

func BenchmarkPatch(b *testing.B) {
	s := gatetest.New(b)
	n := 0
	s.Handler(b)
	for b.Loop() {
		n++
		name := "x"
		if n%2 == 0 {
			name = "y"
		}
		if a := s.Ask(b, s.Sol, "PATCH", "/api/collections/texts/records/"+textID(b, s), map[string]any{"title": name}); a.Status != 200 {
			b.Fatal(string(a.Raw))
		}
	}
}

var tid string

func textID(b *testing.B, s *gatetest.Stage) string {
	if tid == "" {
		r, _ := s.FindFirstRecordByFilter("texts", "")
		tid = r.Id
	}
	return tid
}
