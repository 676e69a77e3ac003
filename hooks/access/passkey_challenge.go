package access

import (
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pocketbase/pocketbase/core"
)

// What a challenge was made for; an answer to one is none to another.
const (
	useSignIn = "sign_in"
	useProof  = "proof"
	useAdding = "adding"
)

const (
	challengeLife  = 5 * time.Minute
	mostChallenges = 50_000
)

// challenge is what a browser was asked to sign: for one use, by the browser
// that asked for it.
type challenge struct {
	data       webauthn.SessionData
	use        string
	device     string // digest of the cookie of the browser that asked
	collection string
	session    string // of whoever is signed in already
	mfa        string // the first step that it would be the second to
	until      time.Time
}

// challenges are kept in memory: strangers can neither fill the disk with them,
// nor bring one back that was used. A restart forgets those under way, and
// people try again.
type challenges struct {
	mu   sync.Mutex
	open map[string]challenge // by the challenge itself
}

// challengesOf are the challenges of an installation.
func challengesOf(app core.App) *challenges {
	c, _ := app.Store().GetOrSet("access.challenges", func() any { return &challenges{open: map[string]challenge{}} }).(*challenges)
	return c
}

func (c *challenges) put(x challenge, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= mostChallenges {
		c.sweep(now)
	}
	x.until = now.Add(challengeLife)
	c.open[x.data.Challenge] = x
}

// sweep makes room: what is over goes, and with too many at once all does.
func (c *challenges) sweep(now time.Time) {
	for key, x := range c.open {
		if !x.until.After(now) {
			delete(c.open, key)
		}
	}
	if len(c.open) >= mostChallenges {
		clear(c.open)
	}
}

// take gives a challenge out, once: whatever becomes of the answer, it is used
// up. False for one that is not there, is over, was made for another use, or was
// asked for by another browser.
func (c *challenges) take(key, use, device string, now time.Time) (challenge, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, found := c.open[key]
	delete(c.open, key)
	return x, found && x.until.After(now) && x.use == use && x.device == device
}
