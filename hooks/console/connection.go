package console

import (
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// waiting is how many messages a connection holds for a reader that is slow.
const waiting = 256

// Connection is a live connection that never holds up the sender: PocketBase's
// own has no buffer, so that each message needs a routine that waits for the
// reader. When the buffer is full a message is dropped; the page fetches what is
// new at its next look.
type Connection struct {
	*subscriptions.DefaultClient
	lines *lines

	mu       sync.Mutex
	messages chan subscriptions.Message
	closed   bool
	records  bool   // listens to more than a person's topic
	person   string // whose topic it listens to, if any
}

// NewConnection makes a connection that nobody reads yet.
func (l *Live) NewConnection() *Connection {
	return &Connection{DefaultClient: subscriptions.NewDefaultClient(), lines: &l.lines, messages: make(chan subscriptions.Message, waiting)}
}

// Subscribe adds topics.
func (c *Connection) Subscribe(topics ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	for _, topic := range topics {
		name, _, _ := strings.Cut(topic, "?")
		if person, ok := strings.CutPrefix(name, prefix); ok {
			c.person = person // one alone: Subscribe lets nobody listen to another
			c.lines.add(person, c)
		} else {
			c.records = true
		}
	}
	c.DefaultClient.Subscribe(topics...)
}

// Unsubscribe takes topics away, all without any.
func (c *Connection) Unsubscribe(topics ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.DefaultClient.Unsubscribe(topics...)
	if !c.HasSubscription(prefix + c.person) {
		c.lines.remove(c.person, c)
	}
}

// Subscriptions are the topics that begin in one of these ways, all without any.
// PocketBase asks every connection for six such ways while the writer of a record
// waits: whoever listens to a person's topic alone says no at once.
func (c *Connection) Subscriptions(beginnings ...string) map[string]subscriptions.SubscriptionOptions {
	c.mu.Lock()
	records := c.records
	c.mu.Unlock()
	if len(beginnings) > 0 && !records {
		return nil
	}
	return c.DefaultClient.Subscriptions(beginnings...)
}

// Channel gives the messages to the reader.
func (c *Connection) Channel() chan subscriptions.Message { return c.messages }

// Send leaves a message for the reader, or drops it.
func (c *Connection) Send(m subscriptions.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	select {
	case c.messages <- m:
	default:
	}
}

// Discard ends the connection.
func (c *Connection) Discard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.messages)
		c.lines.remove(c.person, c)
	}
}

// IsDiscarded says whether the connection has ended.
func (c *Connection) IsDiscarded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Connect gives a new live connection a buffer.
func (l *Live) Connect(e *core.RealtimeConnectRequestEvent) error {
	c := l.NewConnection()
	c.Set(apis.RealtimeClientIPKey, e.Client.Get(apis.RealtimeClientIPKey))
	e.Client = c
	return e.Next()
}

// lines are the open connections by person, so that a message looks at none but
// those of the people who are told.
type lines struct {
	mu sync.Mutex
	of map[string]map[*Connection]bool
}

func (l *lines) add(person string, c *Connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[string]map[*Connection]bool{}
	}
	if l.of[person] == nil {
		l.of[person] = map[*Connection]bool{}
	}
	l.of[person][c] = true
}

func (l *lines) remove(person string, c *Connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of[person], c)
	if len(l.of[person]) == 0 {
		delete(l.of, person)
	}
}

// open says whether anybody is connected at all.
func (l *lines) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.of) > 0
}

// to are the connections of a person who is still the one signed in there, with
// the collection of the account.
func (l *lines) to(person string) (list []*Connection, kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.of[person] {
		if auth, ok := c.Get(apis.RealtimeClientAuthKey).(*core.Record); ok && auth != nil && auth.Id == person {
			list, kind = append(list, c), auth.Collection().Name
		}
	}
	return list, kind
}
