package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

type report struct {
	options options
	machine machine
	starts  starts
	lines   []line
}

// marks stand around what a command writes into the page.
type marks struct{ begin, end string }

var (
	besideMarks = marks{"<!-- bench:begin, written by `make bench` -->", "<!-- bench:end -->"}
	sizeMarks   = marks{"<!-- sizes:begin, written by `make bench-sizes` -->", "<!-- sizes:end -->"}
)

// put writes a report between the marks of a page, or prints it.
func put(page string, at marks, markdown string) error {
	if page == "" {
		_, err := fmt.Fprintln(os.Stdout, markdown)
		return err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("read %s: %w", page, err)
	}
	head, rest, found := strings.Cut(string(text), at.begin)
	_, tail, closed := strings.Cut(rest, at.end)
	if !found || !closed {
		return fmt.Errorf("write into %s: the marks %q and %q are not there", page, at.begin, at.end)
	}
	if err := os.WriteFile(page, []byte(head+at.begin+"\n\n"+markdown+"\n"+at.end+tail), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", page, err)
	}
	return nil
}

func (r report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Taken on %s: %d cores (%s), %s of memory, Linux %s, %s; server and load on the same cores. %d requests in %d organizations on both sides. "+
		"%d rounds of A B B A, %s each; ratios are Gatehouse : PocketBase, the middle round and in brackets the least and the greatest. "+
		"*A : A* is PocketBase against itself in the same rounds: what lies inside its brackets says nothing.\n\n",
		r.machine.day, r.machine.cores, r.machine.model, r.machine.memory, r.machine.linux, r.machine.goVersion,
		r.options.requests, organizations, r.options.rounds, r.options.length)

	b.WriteString("| Gatehouse \\| PocketBase | at a time | calls/s | throughput | CPU for a call | A : A throughput | A : A CPU |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, l := range r.lines {
		fmt.Fprintf(&b, "| %s | %d | %.0f \\| %.0f | %s | %s | %s | %s |\n", escape(l.pair.name), l.workers,
			l.ours.perSecond, l.bare.perSecond, l.throughput, l.cpu, l.self, l.selfCPU)
	}

	b.WriteString("\n| Gatehouse \\| PocketBase | at a time | p50 ms | p95 ms | p99 ms | CPU ms for a call | rounds counted | cores others used |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, l := range r.lines {
		rounds := fmt.Sprintf("%d of %d", l.rounds, r.options.rounds)
		if l.busy {
			rounds += ", on a busy machine"
		}
		fmt.Fprintf(&b, "| %s | %d | %s \\| %s | %s \\| %s | %s \\| %s | %.2f \\| %.2f | %s | %.2f |\n", escape(l.pair.name), l.workers,
			ms(l.ours.p50), ms(l.bare.p50), ms(l.ours.p95), ms(l.bare.p95), ms(l.ours.p99), ms(l.bare.p99), l.ours.cpuMs, l.bare.cpuMs, rounds, l.others)
	}

	fmt.Fprintf(&b, "\n| | Gatehouse | PocketBase |\n| --- | --- | --- |\n")
	fmt.Fprintf(&b, "| start to the first answer, ms: middle (least to greatest) | %.0f (%.0f to %.0f) | %.0f (%.0f to %.0f) |\n",
		r.starts.ours.middle, r.starts.ours.least, r.starts.ours.most, r.starts.bare.middle, r.starts.bare.least, r.starts.bare.most)
	fmt.Fprintf(&b, "| memory at rest after the start, MiB | %.0f | %.0f |\n", r.starts.oursMiB, r.starts.bareMiB)
	return b.String()
}

func (s spread) String() string {
	return fmt.Sprintf("%.2f [%.2f to %.2f]", s.middle, s.least, s.most)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

func escape(cell string) string { return strings.ReplaceAll(cell, "|", `\|`) }
