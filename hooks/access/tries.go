package access

import (
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// tries count what went wrong by key, in memory: a stranger can neither fill the
// disk with them nor restart the server. Past the free ones each further failure
// doubles the wait, up to a quarter of an hour; an hour without one forgets all.
type tries struct {
	mu   sync.Mutex
	keys map[string]trial
}

type trial struct {
	n    int
	last time.Time
	wait time.Duration
}

const (
	longestWait = 15 * time.Minute
	forgetAfter = time.Hour
	mostKeys    = 100_000
)

// triesOf are the tries of an installation.
func triesOf(app core.App) *tries {
	t, _ := app.Store().GetOrSet("access.tries", func() any { return &tries{keys: map[string]trial{}} }).(*tries)
	return t
}

// wait is how long the key has to wait from now on.
func (t *tries) wait(key string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.keys[key]
	return max(0, x.last.Add(x.wait).Sub(now))
}

// fail counts a failure and says how many there were.
func (t *tries) fail(key string, free int, now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := t.keys[key]
	if now.Sub(x.last) > forgetAfter {
		x = trial{}
	}
	if len(t.keys) >= mostKeys {
		t.sweep(now)
	}
	x.n, x.last = x.n+1, now
	if over := x.n - free; over > 0 {
		x.wait = min(longestWait, time.Second<<min(over, 12))
	}
	t.keys[key] = x
	return x.n
}

// sweep makes room: what is forgotten goes, and with too many at once all does.
func (t *tries) sweep(now time.Time) {
	for key, x := range t.keys {
		if now.Sub(x.last) > forgetAfter {
			delete(t.keys, key)
		}
	}
	if len(t.keys) >= mostKeys {
		clear(t.keys)
	}
}

// clear forgets a key.
func (t *tries) clear(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		delete(t.keys, key)
	}
}
