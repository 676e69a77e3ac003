package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// operation is one kind of call. next gives the n-th call of a worker: method,
// path and body. Workers own different records, so that none waits for another
// because of the data.
type operation struct {
	token string
	next  func(worker, n int) (method, path, body string)
}

// sample is one timed run.
type sample struct {
	calls     int
	took      time.Duration
	cpu       time.Duration // of the server
	latencies []time.Duration
	others    float64 // cores that anybody else used meanwhile
}

func (s sample) perSecond() float64 { return float64(s.calls) / s.took.Seconds() }
func (s sample) cpuPerCall() float64 {
	return s.cpu.Seconds() * 1000 / float64(s.calls)
}

// counters keeps where each worker of an operation is, over all runs: a
// transition to and fro has to go on where it was.
type counters []int

func load(ctx context.Context, s *server, op operation, at counters, length time.Duration) (sample, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(at)}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()

	cpuBefore, err := s.processorTime()
	if err != nil {
		return sample{}, err
	}
	busyBefore, ownBefore := machineBusy(), ownTime()

	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		result sample
		fault  error
	)
	began := time.Now()
	for worker := range at {
		wg.Go(func() {
			var mine []time.Duration
			for time.Since(began) < length && ctx.Err() == nil {
				from := time.Now()
				if err := call(ctx, client, s.url, op, worker, at[worker]); err != nil {
					mu.Lock()
					fault = err
					mu.Unlock()
					return
				}
				at[worker]++
				mine = append(mine, time.Since(from))
			}
			mu.Lock()
			result.latencies = append(result.latencies, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	result.took = time.Since(began)
	if fault != nil {
		return sample{}, fault
	}
	if ctx.Err() != nil {
		return sample{}, ctx.Err()
	}
	cpuAfter, err := s.processorTime()
	if err != nil {
		return sample{}, err
	}
	result.calls = len(result.latencies)
	result.cpu = cpuAfter - cpuBefore
	ours := result.cpu + ownTime() - ownBefore
	result.others = max(0, (machineBusy()-busyBefore-ours).Seconds()/result.took.Seconds())
	return result, nil
}

func call(ctx context.Context, client *http.Client, url string, op operation, worker, n int) error {
	method, path, body := op.next(worker, n)
	request, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Authorization", op.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("read answer of %s %s: %w", method, path, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s answered %d: %.500s", method, path, answer.StatusCode, text)
	}
	return nil
}

func ownTime() time.Duration {
	// A reading that fails makes the neighbours look busier, which is the safe side.
	used, err := processorTime(os.Getpid())
	if err != nil {
		return 0
	}
	return used
}
