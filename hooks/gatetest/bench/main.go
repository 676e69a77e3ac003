// Command bench measures Gatehouse beside a bare PocketBase of the same version,
// both as real servers on the loopback, one loaded at a time.
//
// It answers what the rules cost: a guarded transition (rules, record, history,
// audit entry, event and the client's rows in one transaction) against a plain
// PATCH of one field; the client's list and one request against PocketBase's own
// list and view; the start; the memory at rest.
//
//	main.go       the plan: build, seed, measure, write
//	reference.go  the bare PocketBase: this same program, started as its own child
//	seed.go       the same firm on both sides
//	server.go     a child process: start, stop, processor time, memory
//	machine.go    what the figures were taken on, and how busy it was
//	load.go       one timed run of one operation
//	compare.go    A B B A rounds, ratios, and A against itself
//	size.go       every list of every kind of reader in a small folder and a large one
//	fan.go        a writer while many are connected
//	report.go     the Markdown between the marks in docs/performance.md
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	gatehouse string
	write     string
	rounds    int
	length    time.Duration
	requests  int
	sizes     sizes
	only      string
}

// picks says whether a line of the comparison of sizes is measured.
func (o options) picks(name string) bool { return strings.Contains(name, o.only) }

func main() {
	if len(os.Args) > 1 && os.Args[1] == referenceCommand {
		exitOn(serveReference(os.Args[2:]))
		return
	}
	var o options
	flag.StringVar(&o.gatehouse, "gatehouse", "./gatehouse", "the binary to measure")
	flag.StringVar(&o.write, "write", "", "the page to write the result into; else it is printed")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of A B B A for each line")
	flag.DurationVar(&o.length, "length", 2*time.Second, "length of one timed run")
	flag.IntVar(&o.requests, "requests", 1000, "requests on both sides, over 20 organizations")
	flag.StringVar(&o.sizes.small, "small", "", "a folder of gatehouse demo --organizations; with -large, lists are measured there instead")
	flag.StringVar(&o.sizes.large, "large", "", "a larger folder of the same kind")
	flag.StringVar(&o.only, "only", "", "with -large: measure the lines that have this in their name, such as a reader, a list, or \"connected\"")
	flag.Parse()

	// Bounded in time, whatever happens; an interrupt ends the children too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	exitOn(run(ctx, o))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	work, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()

	binary, err := filepath.Abs(o.gatehouse)
	if err != nil {
		return fmt.Errorf("find %s: %w", o.gatehouse, err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if o.write != "" { // before minutes of measuring, not after
		if _, err := os.Stat(o.write); err != nil {
			return fmt.Errorf("find the page to write into: %w", err)
		}
	}

	if o.sizes.large != "" {
		return runSizes(ctx, o, binary)
	}
	ours := &server{
		name: "Gatehouse", binary: binary, dir: filepath.Join(work, "gatehouse"), alive: "/healthz",
		args: []string{"serve", "--dev=false", "--dir", filepath.Join(work, "gatehouse")},
	}
	bare := &server{
		name: "PocketBase", binary: self, dir: filepath.Join(work, "pocketbase"), alive: "/api/health",
		args: []string{referenceCommand, "serve", "--dir", filepath.Join(work, "pocketbase")},
	}
	defer ours.stop()
	defer bare.stop()

	say("seeding %d requests on both sides", o.requests)
	ourSeed, err := seedGatehouse(ctx, ours, work, o.requests)
	if err != nil {
		return fmt.Errorf("seed Gatehouse: %w", err)
	}
	bareSeed, err := seedReference(ctx, bare, o.requests)
	if err != nil {
		return fmt.Errorf("seed PocketBase: %w", err)
	}

	result := report{options: o, machine: lookAtMachine()}
	if result.starts, err = compareStarts(ctx, bare, ours, o.rounds); err != nil {
		return err
	}
	for _, workers := range []int{1, 8} {
		for _, pair := range pairs(bareSeed, ourSeed, workers) {
			say("%s, %d at a time", pair.name, workers)
			line, err := compare(ctx, o, pair, bare, ours, workers)
			if err != nil {
				return fmt.Errorf("%s, %d at a time: %w", pair.name, workers, err)
			}
			result.lines = append(result.lines, line)
		}
	}
	return put(o.write, besideMarks, result.markdown())
}

// runSizes measures what a hundred times as many requests cost. Nothing in
// the folders changes but sessions and messages.
func runSizes(ctx context.Context, o options, binary string) error {
	on := func(dir string) *server {
		return &server{name: dir, binary: binary, dir: dir, alive: "/healthz", args: []string{"serve", "--dev=false", "--dir", dir}}
	}
	small, large := on(o.sizes.small), on(o.sizes.large)
	defer small.stop()
	defer large.stop()
	lines, err := compareSizes(ctx, o, small, large)
	if err != nil {
		return err
	}
	small.stop()
	var fans []fan
	if o.picks("people connected") {
		if fans, err = fanOut(ctx, o, large); err != nil {
			return err
		}
	}
	return put(o.write, sizeMarks, sizeReport(lookAtMachine(), o, lines, fans))
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
