package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Handle takes one event inside the transaction that also moves the cursor: its
// writes through tx happen exactly once.
type Handle func(tx core.App, e Event) error

// Do takes one event outside of any transaction. Its cursor is kept in memory
// and written now and then, so that an event which asks for nothing costs no
// commit. It must be idempotent: after a crash it sees the last events again.
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

	// Of consumers outside of the transaction: how far they have come, and how
	// far the database knows.
	reached atomic.Int64
	written int64
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
	c := &consumer{name: name, do: do, wake: make(chan struct{}, 1)}
	c.reached.Store(unread)
	b.consumers = append(b.consumers, c)
}

// unread is the place of a consumer that has not looked at its cursor yet.
const unread = -1

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
			b.note(c)
			return
		case <-c.wake:
			gather(ctx, c)
		case <-timer.C:
			b.note(c)
		}
	}
}

// gathering is how long a writing consumer lets events come together: a notice
// may be that much later, and several share one commit.
const gathering = 20 * time.Millisecond

func gather(ctx context.Context, c *consumer) {
	if c.do != nil {
		return
	}
	wait := time.NewTimer(gathering)
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
}

// note writes how far a consumer has come. What cannot be written now is written
// later; until then a crash means that some events are taken again.
func (b *Bus) note(c *consumer) {
	if err := b.write(c); err != nil {
		b.app.Logger().Warn("event cursor not written", slog.String("consumer", c.name), slog.Any("error", err))
	}
}

func (b *Bus) write(c *consumer) error {
	reached := c.reached.Load()
	if c.do == nil || reached == unread || reached == c.written {
		return nil
	}
	if err := moveCursor(b.app, c.name, reached); err != nil {
		return err
	}
	c.written = reached
	return nil
}

// Drain delivers everything that waits, for all consumers, in this goroutine.
func (b *Bus) Drain(ctx context.Context) error {
	var errs []error
	for _, c := range b.consumers {
		errs = append(errs, b.drain(ctx, c), b.write(c))
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

const nextEvents = `SELECT id, seq, type, request, organization, actor_kind, actor, payload, at FROM events WHERE seq > {:seq} ORDER BY seq LIMIT 50`

// deliver takes the next events of a consumer and says how many it took.
func (b *Bus) deliver(c *consumer) (int, error) {
	from, err := b.place(c)
	if err != nil {
		return 0, err
	}
	var rows []row
	if err := b.app.DB().NewQuery(nextEvents).Bind(dbx.Params{"seq": from}).All(&rows); err != nil {
		return 0, fmt.Errorf("read events for %s: %w", c.name, err)
	}
	taken := 0
	for part := range slices.Chunk(rows, share) {
		if c.do == nil && len(part) > 1 && b.together(c, part) == nil {
			taken += len(part)
			continue
		}
		for _, r := range part {
			if err := b.take(c, r); err != nil {
				return taken, fmt.Errorf("deliver %s to %s: %w", r.Type, c.name, err)
			}
			taken++
		}
	}
	return taken, nil
}

// share is how many events a writing consumer takes in one transaction: one
// commit for several, and nobody else waits long for the one writer.
const share = 8

// together gives events to a writing consumer in one transaction. When one of
// them fails all are taken back; each is then taken on its own.
func (b *Bus) together(c *consumer, part []row) error {
	return b.app.RunInTransaction(func(tx core.App) error {
		for _, r := range part {
			if err := c.handle(tx, r.event()); err != nil {
				return err
			}
		}
		return moveCursor(tx, c.name, part[len(part)-1].Seq)
	})
}

// place is the last event that a consumer has taken.
func (b *Bus) place(c *consumer) (int64, error) {
	if reached := c.reached.Load(); c.do != nil && reached != unread {
		return reached, nil
	}
	var seq int64
	err := b.app.DB().NewQuery(`SELECT COALESCE((SELECT seq FROM event_cursors WHERE consumer = {:name}), 0)`).Bind(dbx.Params{"name": c.name}).Row(&seq)
	if err != nil {
		return 0, fmt.Errorf("read cursor of %s: %w", c.name, err)
	}
	if c.do != nil {
		c.reached.Store(seq)
		c.written = seq
	}
	return seq, nil
}

// take gives one event to a consumer, a writing one in a transaction of its own.
func (b *Bus) take(c *consumer, r row) error {
	if c.do != nil {
		if err := c.do(b.app, r.event()); err != nil {
			return err
		}
		c.reached.Store(r.Seq)
		return nil
	}
	return b.app.RunInTransaction(func(tx core.App) error {
		if err := c.handle(tx, r.event()); err != nil {
			return err
		}
		return moveCursor(tx, c.name, r.Seq)
	})
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
	var last int64
	if err := app.DB().NewQuery(`SELECT COALESCE(MAX(seq), 0) FROM events`).Row(&last); err != nil {
		return nil, fmt.Errorf("read last event: %w", err)
	}
	behind := map[string]int64{}
	for _, c := range b.consumers {
		place, err := b.place(c)
		if err != nil {
			return nil, err
		}
		behind[c.name] = last - place
	}
	return behind, nil
}
