package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Handle takes one event inside the transaction that also moves the cursor: its
// writes through tx happen exactly once.
type Handle func(tx core.App, e Event) error

// Do takes one event outside of any transaction; the cursor moves after the
// batch. It must be idempotent: after a crash it sees the events again.
type Do func(app core.App, e Event) error

// Bus delivers committed events to its consumers, each in order, each with its
// own cursor in the database.
type Bus struct {
	app       core.App
	consumers []*consumer
}

type consumer struct {
	name   string
	handle Handle
	do     Do
	after  func() // runs after a batch was taken
	wake   chan struct{}
	fails  int
}

// NewBus makes a bus without consumers.
func NewBus(app core.App) *Bus { return &Bus{app: app} }

// Add adds a consumer that writes; after, if not nil, runs when a batch has
// been taken.
func (b *Bus) Add(name string, handle Handle, after func()) {
	b.consumers = append(b.consumers, &consumer{name: name, handle: handle, after: after, wake: make(chan struct{}, 1)})
}

// AddDo adds a consumer that works outside of the transaction.
func (b *Bus) AddDo(name string, do Do) {
	b.consumers = append(b.consumers, &consumer{name: name, do: do, wake: make(chan struct{}, 1)})
}

// Names lists the consumers.
func (b *Bus) Names() []string {
	names := make([]string, 0, len(b.consumers))
	for _, c := range b.consumers {
		names = append(names, c.name)
	}
	return names
}

// Wake tells the consumers that something was committed. It never blocks, and
// losing a wake loses nothing: the cursor and a tick find the event.
func (b *Bus) Wake() {
	for _, c := range b.consumers {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// Run delivers until ctx ends. Tick is how often it looks without being woken.
func (b *Bus) Run(ctx context.Context, tick time.Duration) {
	var wg sync.WaitGroup
	for _, c := range b.consumers {
		wg.Go(func() { b.run(ctx, c, tick) })
	}
	wg.Wait()
}

func (b *Bus) run(ctx context.Context, c *consumer, tick time.Duration) {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		if err := b.drain(ctx, c); err != nil && ctx.Err() == nil {
			c.fails++
			b.app.Logger().Error("event consumer failed", slog.String("consumer", c.name), slog.Int("fails", c.fails), slog.Any("error", err))
		} else {
			c.fails = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// Drain delivers everything that waits, for all consumers, in this goroutine.
func (b *Bus) Drain(ctx context.Context) error {
	var errs []error
	for _, c := range b.consumers {
		errs = append(errs, b.drain(ctx, c))
	}
	return errors.Join(errs...)
}

const batch = 50

func (b *Bus) drain(ctx context.Context, c *consumer) error {
	for ctx.Err() == nil {
		n, err := b.deliver(c)
		if n > 0 && c.after != nil {
			c.after()
		}
		if err != nil || n < batch {
			return err
		}
	}
	return nil
}

const nextEvents = `SELECT id, seq, type, request, organization, actor_kind, actor, payload, at FROM events
	WHERE seq > COALESCE((SELECT seq FROM event_cursors WHERE consumer = {:name}), 0) ORDER BY seq LIMIT 50`

// deliver takes the next events of a consumer and says how many it took.
func (b *Bus) deliver(c *consumer) (int, error) {
	var rows []row
	if err := b.app.DB().NewQuery(nextEvents).Bind(dbx.Params{"name": c.name}).All(&rows); err != nil {
		return 0, fmt.Errorf("read events for %s: %w", c.name, err)
	}
	for i, r := range rows {
		if err := b.take(c, r, i == len(rows)-1); err != nil {
			return i, fmt.Errorf("deliver %s to %s: %w", r.Type, c.name, err)
		}
	}
	return len(rows), nil
}

// take gives one event to a consumer. A writing consumer has one transaction
// for each event, so that a bad one does not take its neighbours back with it;
// the cursor of the others moves with the last of a batch.
func (b *Bus) take(c *consumer, r row, last bool) error {
	if c.handle != nil {
		return b.app.RunInTransaction(func(tx core.App) error {
			if err := c.handle(tx, r.event()); err != nil {
				return err
			}
			return moveCursor(tx, c.name, r.Seq)
		})
	}
	if err := c.do(b.app, r.event()); err != nil {
		return err
	}
	if !last {
		return nil
	}
	return moveCursor(b.app, c.name, r.Seq)
}

func moveCursor(app core.App, consumer string, seq int64) error {
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO event_cursors (consumer, seq) VALUES ({:name}, {:seq})
		ON CONFLICT(consumer) DO UPDATE SET seq = excluded.seq`).Bind(dbx.Params{"name": consumer, "seq": seq}).Execute()
	if err != nil {
		return fmt.Errorf("move cursor: %w", err)
	}
	return nil
}

// Behind says how many events each consumer has yet to take.
func (b *Bus) Behind(app core.App) (map[string]int64, error) {
	behind := map[string]int64{}
	for _, c := range b.consumers {
		var n int64
		err := app.DB().NewQuery(`SELECT COALESCE((SELECT MAX(seq) FROM events), 0) - COALESCE((SELECT seq FROM event_cursors WHERE consumer = {:name}), 0)`).
			Bind(dbx.Params{"name": c.name}).Row(&n)
		if err != nil {
			return nil, fmt.Errorf("read cursor of %s: %w", c.name, err)
		}
		behind[c.name] = n
	}
	return behind, nil
}
