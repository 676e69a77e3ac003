package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is what a reader must know before comparing figures.
type machine struct {
	cores                int
	model, memory, linux string
	goVersion            string
	day                  string
}

func lookAtMachine() machine {
	m := machine{cores: runtime.NumCPU(), goVersion: runtime.Version(), day: time.Now().UTC().Format(time.DateOnly), model: "unknown"}
	for line := range strings.Lines(read("/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			m.model = strings.TrimSpace(value)
			break
		}
	}
	for line := range strings.Lines(read("/proc/meminfo")) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err == nil {
				m.memory = strconv.FormatFloat(kib/1024/1024, 'f', 0, 64) + " GiB"
			}
		}
	}
	m.linux = strings.TrimSpace(read("/proc/sys/kernel/osrelease"))
	return m
}

// machineBusy is the processor time that all of the machine has used since it
// started: proc(5), /proc/stat, without idle and waiting.
func machineBusy() time.Duration {
	first, _, _ := strings.Cut(read("/proc/stat"), "\n")
	var ticks int64
	for i, field := range strings.Fields(first) {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i == 4 || i == 5 || i > 8 { // the word cpu, idle, iowait, and guests, who are counted as users
			continue
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// read gives a file of /proc, or nothing where there is none.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}
