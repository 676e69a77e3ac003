package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSum_leaves_out_rounds_on_a_busy_machine(t *testing.T) {
	run := func(calls int, others float64) sample {
		return sample{calls: calls, took: time.Second, cpu: time.Second, latencies: []time.Duration{time.Millisecond}, others: others}
	}
	quiet := round{a1: run(100, 0), b1: run(80, 0), b2: run(80, 0.1), a2: run(100, 0)}
	busy := round{a1: run(100, 0), b1: run(10, 2), b2: run(10, 2), a2: run(100, 0)}

	l := sum(pair{}, 1, []round{quiet, busy, quiet, quiet})
	if l.rounds != 3 || l.busy || l.throughput.least != 0.8 || l.throughput.most != 0.8 {
		t.Errorf("three quiet rounds of four: %+v", l)
	}
	l = sum(pair{}, 1, []round{busy, busy, quiet})
	if l.rounds != 3 || !l.busy || l.throughput.middle != 0.1 {
		t.Errorf("too few quiet rounds: all count, and it is said: %+v", l)
	}
}

func TestPut_writes_between_the_marks_alone(t *testing.T) {
	page := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(page, []byte("before\n"+besideMarks.begin+"\nold\n"+besideMarks.end+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := put(page, besideMarks, "new"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "before\n"+besideMarks.begin) || !strings.HasSuffix(string(text), besideMarks.end+"\nafter\n") || strings.Contains(string(text), "old") {
		t.Errorf("the page became:\n%s", text)
	}
}

func TestPut_refuses_a_page_without_marks(t *testing.T) {
	page := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(page, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := put(page, besideMarks, "new"); err == nil {
		t.Error("the page was written over")
	}
}
