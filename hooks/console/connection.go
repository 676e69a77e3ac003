package console

import (
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

	mu       sync.Mutex
	messages chan subscriptions.Message
	closed   bool
}

// NewConnection makes a connection that nobody reads yet.
func NewConnection() *Connection {
	return &Connection{DefaultClient: subscriptions.NewDefaultClient(), messages: make(chan subscriptions.Message, waiting)}
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
	}
}

// IsDiscarded says whether the connection has ended.
func (c *Connection) IsDiscarded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Connect gives a new live connection a buffer.
func Connect(e *core.RealtimeConnectRequestEvent) error {
	c := NewConnection()
	c.Set(apis.RealtimeClientIPKey, e.Client.Get(apis.RealtimeClientIPKey))
	e.Client = c
	return e.Next()
}
