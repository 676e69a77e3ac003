package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a child process that answers HTTP on the loopback.
type server struct {
	name   string
	binary string
	args   []string
	dir    string
	alive  string // the path that answers 200 when the server is up

	url     string
	process *exec.Cmd
	output  safeBuffer
}

// start starts the child and returns how long its first answer took.
func (s *server) start(ctx context.Context) (time.Duration, error) {
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	s.url = "http://" + address
	s.process = exec.Command(s.binary, append(s.args, "--http", address)...)
	s.process.Env = append(os.Environ(), "GATEHOUSE_STAFF_SECOND_FACTOR=optional", "GATEHOUSE_RATE_LIMITS=off")
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	began := time.Now()
	if err := s.process.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", s.name, err)
	}
	for end := began.Add(60 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		answer, err := http.Get(s.url + s.alive)
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return time.Since(began), nil
		}
	}
	s.stop()
	return 0, fmt.Errorf("%s does not answer:\n%s", s.name, s.output.String())
}

// stop ends the child, and waits until it is gone.
func (s *server) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(syscall.SIGTERM)
	gone := time.AfterFunc(5*time.Second, func() { _ = s.process.Process.Kill() })
	_ = s.process.Wait()
	gone.Stop()
	s.process = nil
}

// command runs another command of the same binary to its end.
func (s *server) command(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, s.binary, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", s.name, strings.Join(args, " "), err, out)
	}
	return nil
}

// processorTime is what the child has used so far, in user and in system mode.
func (s *server) processorTime() (time.Duration, error) {
	return processorTime(s.process.Process.Pid)
}

// proc(5): utime and stime are fields 14 and 15, in ticks of 1/100 s; the name
// in field 2 may hold spaces, so count from behind its bracket.
func processorTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("read processor time: /proc has another form")
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// memory is the resident set of the child in MiB once it is at rest: when it
// has used no processor time for a second.
func (s *server) memory(ctx context.Context) (float64, error) {
	for range 15 {
		before, err := s.processorTime()
		if err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Second):
		}
		after, err := s.processorTime()
		if err != nil {
			return 0, err
		}
		if after-before <= 10*time.Millisecond {
			break
		}
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(s.process.Process.Pid) + "/status")
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("read memory: /proc has another form")
}

func freePort() (int, error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer probe.Close()
	return probe.Addr().(*net.TCPAddr).Port, nil
}

// safeBuffer keeps what a child prints; the child writes while others read.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
