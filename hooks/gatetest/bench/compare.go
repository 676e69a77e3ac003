package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// pair is one operation on both sides.
type pair struct {
	name       string
	bare, ours operation
	alike      bool // of sizes: both sides answer with as much
}

// spread is the middle of several ratios, with the least and the greatest.
type spread struct{ least, middle, most float64 }

// line is one line of the report.
type line struct {
	pair       pair
	workers    int
	bare, ours side
	throughput spread // ours : bare
	cpu        spread // ours : bare, for one call
	self       spread // bare : bare, throughput: what the machine alone does
	selfCPU    spread
	rounds     int
	busy       bool    // neighbours were busy, and it could not be helped
	others     float64 // cores that they used, in the middle
}

type side struct {
	perSecond     float64
	cpuMs         float64
	p50, p95, p99 time.Duration
}

// mostOthers is how many cores neighbours may use before a round is left out.
const mostOthers = 0.5

func compare(ctx context.Context, o options, p pair, bare, ours *server, workers int) (line, error) {
	atBare, atOurs := make(counters, workers), make(counters, workers)
	for _, warm := range []struct {
		s  *server
		op operation
		at counters
	}{{bare, p.bare, atBare}, {ours, p.ours, atOurs}} {
		if _, err := load(ctx, warm.s, warm.op, warm.at, 500*time.Millisecond); err != nil {
			return line{}, fmt.Errorf("warm up %s: %w", warm.s.name, err)
		}
	}

	var rounds []round
	for range o.rounds {
		var r round
		for i, run := range []struct {
			s    *server
			op   operation
			at   counters
			into *sample
		}{{bare, p.bare, atBare, &r.a1}, {ours, p.ours, atOurs, &r.b1}, {ours, p.ours, atOurs, &r.b2}, {bare, p.bare, atBare, &r.a2}} {
			got, err := load(ctx, run.s, run.op, run.at, o.length)
			if err != nil {
				return line{}, fmt.Errorf("run %d of a round, %s: %w", i+1, run.s.name, err)
			}
			*run.into = got
		}
		rounds = append(rounds, r)
	}
	return sum(p, workers, rounds), nil
}

// round is one A B B A.
type round struct{ a1, b1, b2, a2 sample }

func (r round) others() float64 {
	return max(r.a1.others, r.b1.others, r.b2.others, r.a2.others)
}

func sum(p pair, workers int, rounds []round) line {
	quiet := slices.DeleteFunc(slices.Clone(rounds), func(r round) bool { return r.others() > mostOthers })
	l := line{pair: p, workers: workers}
	if len(quiet) < 3 {
		l.busy = true
		quiet = rounds
	}
	l.rounds = len(quiet)

	var throughput, cpu, self, selfCPU, others []float64
	var bares, ours []sample
	for _, r := range quiet {
		throughput = append(throughput, (r.b1.perSecond()+r.b2.perSecond())/(r.a1.perSecond()+r.a2.perSecond()))
		cpu = append(cpu, (r.b1.cpuPerCall()+r.b2.cpuPerCall())/(r.a1.cpuPerCall()+r.a2.cpuPerCall()))
		self = append(self, r.a2.perSecond()/r.a1.perSecond())
		selfCPU = append(selfCPU, r.a2.cpuPerCall()/r.a1.cpuPerCall())
		others = append(others, r.others())
		bares = append(bares, r.a1, r.a2)
		ours = append(ours, r.b1, r.b2)
	}
	l.throughput, l.cpu, l.self, l.selfCPU = spreadOf(throughput), spreadOf(cpu), spreadOf(self), spreadOf(selfCPU)
	l.others = spreadOf(others).middle
	l.bare, l.ours = sideOf(bares), sideOf(ours)
	return l
}

func sideOf(samples []sample) side {
	var latencies []time.Duration
	var perSecond, cpu []float64
	for _, s := range samples {
		latencies = append(latencies, s.latencies...)
		perSecond = append(perSecond, s.perSecond())
		cpu = append(cpu, s.cpuPerCall())
	}
	slices.Sort(latencies)
	at := func(share float64) time.Duration {
		return latencies[min(len(latencies)-1, int(share*float64(len(latencies))))]
	}
	return side{perSecond: spreadOf(perSecond).middle, cpuMs: spreadOf(cpu).middle, p50: at(0.50), p95: at(0.95), p99: at(0.99)}
}

func spreadOf(values []float64) spread {
	slices.Sort(values)
	return spread{least: values[0], middle: values[len(values)/2], most: values[len(values)-1]}
}

// starts is what it takes to begin, and to be there without work.
type starts struct {
	bare, ours       spread // ms from exec to the first answer
	bareMiB, oursMiB float64
}

// compareStarts starts both servers by turns on their seeded folders, without
// the log of earlier requests, which alone would decide the figure. Both run
// when it returns.
func compareStarts(ctx context.Context, bare, ours *server, rounds int) (starts, error) {
	say("start and memory")
	var times [2][]float64
	for i := range rounds {
		order := []int{0, 1}
		if i%2 == 1 {
			order = []int{1, 0}
		}
		for _, which := range order {
			s := []*server{bare, ours}[which]
			s.stop()
			if err := forgetLog(s.dir); err != nil {
				return starts{}, err
			}
			// The first start makes the log anew; the second is the one that counts.
			if _, err := s.start(ctx); err != nil {
				return starts{}, err
			}
			s.stop()
			took, err := s.start(ctx)
			if err != nil {
				return starts{}, err
			}
			times[which] = append(times[which], took.Seconds()*1000)
		}
	}
	result := starts{bare: spreadOf(times[0]), ours: spreadOf(times[1])}
	var err error
	if result.bareMiB, err = bare.memory(ctx); err != nil {
		return starts{}, err
	}
	result.oursMiB, err = ours.memory(ctx)
	return result, err
}

func forgetLog(dir string) error {
	for _, name := range []string{"auxiliary.db", "auxiliary.db-wal", "auxiliary.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the log: %w", err)
		}
	}
	return nil
}
