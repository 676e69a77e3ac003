package demo

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"

	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// stage is the portal while it is played: its clock stands at the time of the
// step that happens.
type stage struct {
	ctx    context.Context //nolint:containedctx // one call of Build, passed to every command of it
	app    core.App        // the transaction
	now    time.Time
	until  time.Time
	days   days
	engine *workflow.Engine
	chance *rand.Rand

	cast    *cast
	errands []errand
	actors  map[string]schema.Actor // by key
	places  map[string]string       // client, or client/unit → id
	files   cabinet
	store   *filesystem.System

	queue   steps
	planned int
	timers  map[string]string // request → when the system looks at it again
	notify  event.Handle
	told    int64 // the last event that was written about
}

// step is something that happens at a time; n keeps what was planned first
// before what happens in the same second.
type step struct {
	at      time.Time
	n       int
	name    string
	request *string // the request that it is about; nil: none
	do      func() error
}

func newStage(ctx context.Context, tx core.App, o Options) (*stage, error) {
	s := &stage{ctx: ctx, app: tx, until: o.Clock(), actors: map[string]schema.Actor{}, places: map[string]string{}, files: cabinet{}, timers: map[string]string{}}
	var err error
	if s.cast, err = readCast(); err != nil {
		return nil, err
	}
	if s.errands, err = readErrands(); err != nil {
		return nil, err
	}
	s.days = newDays(s.until, s.cast.Firm.Timezone)
	s.chance = rand.New(rand.NewPCG(o.Seed, o.Seed))
	clock := func() time.Time { return s.now }
	s.engine = o.NewEngine(clock)
	s.engine.App = tx
	if o.Notify != nil {
		s.notify = o.Notify(clock)
	}
	if s.store, err = tx.NewFilesystem(); err != nil {
		return nil, fmt.Errorf("open file storage: %w", err)
	}
	return s, nil
}

func (s *stage) close() {
	_ = s.store.Close() // every upload was closed and checked by itself
}

// plan puts a step into the order of things.
func (s *stage) plan(at time.Time, name string, request *string, do func() error) {
	s.planned++
	heap.Push(&s.queue, step{at: at, n: s.planned, name: name, request: request, do: do})
}

// play lets everything happen, oldest first. After each step on a request the
// system takes the steps that it takes by itself, as the running portal does.
func (s *stage) play() error {
	for s.queue.Len() > 0 {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		x := heap.Pop(&s.queue).(step)
		if x.at.After(s.until) {
			return fmt.Errorf("%s: planned for the future", x.name)
		}
		s.now = x.at.UTC()
		if err := x.do(); err != nil {
			return fmt.Errorf("%s at %s: %w", x.name, x.at.Format(time.RFC3339), err)
		}
		if x.request != nil {
			if err := s.follow(*x.request); err != nil {
				return fmt.Errorf("after %s: %w", x.name, err)
			}
		}
		if err := s.write(); err != nil {
			return fmt.Errorf("write about %s: %w", x.name, err)
		}
	}
	return nil
}

// follow lets the system act, and plans its next look if that is due by now.
func (s *stage) follow(request string) error {
	waiting, err := s.engine.Waiting(s.app, request)
	if err != nil || !waiting {
		return err
	}
	if err := s.engine.Pass(s.ctx, request); err != nil {
		return fmt.Errorf("let the system act: %w", err)
	}
	var wake string
	if err := s.app.DB().NewQuery(`SELECT wake_at FROM requests WHERE id = {:id}`).Bind(dbx.Params{"id": request}).Row(&wake); err != nil {
		return fmt.Errorf("read timer: %w", err)
	}
	if wake == "" || wake == s.timers[request] {
		return nil
	}
	s.timers[request] = wake
	if at := schema.Time(wake); at.Before(s.until) && at.After(s.now) {
		s.plan(at, "timer of "+request, &request, func() error { return nil })
	}
	return nil
}

// noticeDays is for how many days before now people are written to: a portal
// full of old mail tells nobody anything.
const noticeDays = 3 * 24 * time.Hour

// write tells people about what has just happened.
func (s *stage) write() error {
	if s.notify == nil {
		return nil
	}
	var facts []struct {
		Seq          int64  `db:"seq"`
		ID           string `db:"id"`
		Type         string `db:"type"`
		Request      string `db:"request"`
		Organization string `db:"organization"`
		Kind         string `db:"actor_kind"`
		Actor        string `db:"actor"`
		Payload      string `db:"payload"`
		At           string `db:"at"`
	}
	err := s.app.DB().NewQuery(`SELECT seq, id, type, request, organization, actor_kind, actor, payload, at FROM events WHERE seq > {:seq} ORDER BY seq`).Bind(dbx.Params{"seq": s.told}).All(&facts)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	for _, f := range facts {
		s.told = f.Seq
		if s.until.Sub(s.now) > noticeDays {
			continue
		}
		e := event.Event{Seq: f.Seq, ID: f.ID, Type: f.Type, Request: f.Request, Organization: f.Organization, Actor: schema.Actor{Kind: schema.ActorKind(f.Kind), ID: f.Actor}, At: schema.Time(f.At), Payload: map[string]any{}}
		if err := json.Unmarshal([]byte(f.Payload), &e.Payload); err != nil {
			return fmt.Errorf("read event %s: %w", f.Type, err)
		}
		if err := s.notify(s.app, e); err != nil {
			return err
		}
	}
	return nil
}

// caughtUp lets consumers of events begin after the history, so that nobody is
// told of it again.
func (s *stage) caughtUp(consumers []string) error {
	for _, name := range consumers {
		_, err := s.app.DB().NewQuery(`INSERT INTO event_cursors (consumer, seq) VALUES ({:name}, (SELECT COALESCE(MAX(seq), 0) FROM events))
			ON CONFLICT(consumer) DO UPDATE SET seq = excluded.seq`).Bind(dbx.Params{"name": name}).Execute()
		if err != nil {
			return fmt.Errorf("move cursor of %s: %w", name, err)
		}
	}
	return nil
}

// steps is a queue by time.
type steps []step

func (q steps) Len() int      { return len(q) }
func (q steps) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q steps) Less(i, j int) bool {
	return cmp.Or(q[i].at.Compare(q[j].at), cmp.Compare(q[i].n, q[j].n)) < 0
}

// Push and Pop are called by container/heap.
func (q *steps) Push(x any) { *q = append(*q, x.(step)) }

// Pop takes the last one.
func (q *steps) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
