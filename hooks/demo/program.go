package demo

import (
	"fmt"
	"strings"
)

// onboardings are the moments at which the identity checks came to where they
// stand (demo.yaml says where that is).
var onboardings = map[string]moment{
	"bluebell": -17, "kestrel": 0.35, "okafor": -2.6, "marsh": -95, "tidewater": -5.5, "fenwick": -80, "ashdown": -15, "quarry": -1.2,
	"northgate": -0.4, "redfern": -3.3, "sparrow": 0.2, "lowther": -4.5, "greenstreet": -12, "harlow": -2.2, "willow": -1.5, "castle": 0.1, "brackenbury": -0.8,
}

// named are the requests of the three clients that people look at first. The
// first six are Ana's: one overdue, one sent back today, one nearly ready (on
// a unit, where Seán works), two with the firm, one just finished.
var named = []aim{
	{place: "bluebell", errand: "vat", by: "ana", handler: "priya", end: asBegun, at: -9.3, gives: 1},
	{place: "bluebell", errand: "year_end", by: "ana", handler: "priya", end: asSentBack, at: 0.3, due: 6, hasDue: true},
	{place: "bluebell/Leeds shop", errand: "lease", by: "sean", handler: "tom", end: asBegun, at: -2.4, due: 4, hasDue: true},
	{place: "bluebell", errand: "starter", by: "ana", handler: "priya", end: asSubmitted, at: 0.15},
	{place: "bluebell", errand: "insurance", by: "ana", handler: "priya", end: asHalf, at: -1.3, priority: "high"},
	{place: "bluebell", errand: "vehicle", by: "ana", handler: "priya", end: asApproved, at: 0.45, again: true},

	{place: "kestrel", errand: "self_assessment", by: "ana", handler: "priya", end: asSentBack, at: -1.6},
	{place: "kestrel", errand: "cis", by: "dev", handler: "priya", end: asAsked, at: -0.7, due: 5, hasDue: true},
	{place: "kestrel", errand: "tax_letter", by: "dev", handler: "priya", end: asSubmitted, at: 0.2, priority: "urgent"},
	{place: "kestrel", errand: "mortgage", by: "dev", handler: "priya", end: asApproved, at: -7.2},

	{place: "okafor", errand: "rent", by: "maryam", handler: "tom", end: asBegun, at: -3.4},
	{place: "okafor", errand: "bank_mandate", by: "maryam", handler: "tom", end: asAsked, at: -1.1},
	{place: "okafor", errand: "grant", by: "maryam", handler: "tom", end: asReview, at: -0.6},
	{place: "okafor", errand: "confirmation", by: "maryam", opener: "sam", handler: "tom", end: asSubmitted, at: 0.05},
	{place: "okafor", errand: "dividend", by: "maryam", handler: "tom", end: asApproved, at: -16.5},
	{place: "okafor", errand: "corporation_tax", by: "maryam", handler: "tom", end: asApproved, at: -48, again: true},
}

// others are the requests of all other clients; which client and which errand
// is left to chance.
var others = []aim{
	{end: asAsked, at: -0.3},
	{end: asAsked, at: -1.2, opener: "sam"},
	{end: asAsked, at: -2.4, due: 8, hasDue: true},
	{end: asAsked, at: -4.1},
	{end: asBegun, at: -1.5},
	{end: asBegun, at: -2.1, due: 3, hasDue: true},
	{end: asBegun, at: -3.2},
	{end: asBegun, at: -4.8, opener: "sam"},
	{end: asBegun, at: -5.5},
	{end: asReady, at: -3.6},
	{end: asReady, at: -5.1},
	{end: asSentBack, at: -0.6},
	{end: asSentBack, at: -1.8},
	{end: asSentBack, at: -3.9},
	{end: asBegun, at: -11.2},
	{end: asAsked, at: -14.5},
	{end: asAsked, at: -33.4}, // gone quiet

	{end: asDraft, at: 0.1},
	{end: asDraft, at: -0.7, opener: "sam"},
	{end: asDraft, at: -0.9},
	{end: asSubmitted, at: 0.35},
	{end: asSubmitted, at: 0.1, opener: "sam"},
	{end: asSubmitted, at: 0.25, again: true},
	{end: asSubmitted, at: 0.45, opener: "sam"},
	{end: asSubmitted, at: 0.3, opener: "sam"},
	{end: asSubmitted, at: -2.3},
	{end: asReview, at: 0.25},
	{end: asHalf, at: -0.6},
	{end: asHalf, at: -1.1, again: true},
	{end: asReview, at: -1.9},
	{end: asHalf, at: -1.7, priority: "high"},
	{end: asHalf, at: -4.2},

	{end: asApproved, at: -1.3},
	{end: asApproved, at: -3.7, again: true},
	{end: asApproved, at: -6.2},
	{end: asApproved, at: -9.4},
	{end: asApproved, at: -13.1, again: true},
	{end: asApproved, at: -18.6},
	{end: asApproved, at: -24.3},
	{end: asApproved, at: -31.7, again: true},
	{end: asApproved, at: -37.2},
	{end: asApproved, at: -52.4},
	{end: asApproved, at: -66.1, again: true},
	{end: asApproved, at: -81.5},
	{end: asApproved, at: -97.3},
	{end: asClosed, at: -8.4},
	{end: asClosed, at: -21.2},
}

// program plans every story.
func (s *stage) program() error {
	if err := s.everybody(); err != nil {
		return err
	}
	for i := range s.cast.Clients {
		c := &s.cast.Clients[i]
		helper := map[string]string{"bluebell": "old"}[c.Key]
		if err := s.onboard(c, onboardings[c.Key], helper); err != nil {
			return err
		}
	}
	for _, a := range named {
		if err := s.simple(a); err != nil {
			return err
		}
	}
	return s.rest()
}

// rest deals the other requests out among the other clients: in turn, to those
// who were clients in time, each errand once for a client.
func (s *stage) rest() error {
	var list []*client
	for i := range s.cast.Clients {
		if c := &s.cast.Clients[i]; !taken(c.Key) {
			list = append(list, c)
		}
	}
	s.chance.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	turn, used := 0, map[string]bool{}
	for n, a := range others {
		const longest = 16 // business days of a story, at most
		for list[turn%len(list)].Since < longest-a.at {
			turn++
		}
		c := list[turn%len(list)]
		turn++
		e := n
		for used[c.Key+s.errands[e%len(s.errands)].Key] || !fits(a, &s.errands[e%len(s.errands)]) {
			e++
			if e > n+len(s.errands) {
				return fmt.Errorf("%s has had every errand", c.Key)
			}
		}
		a.place, a.errand, a.by, a.handler = c.Key, s.errands[e%len(s.errands)].Key, c.Contact, c.Handler
		used[c.Key+a.errand] = true
		if err := s.simple(a); err != nil {
			return err
		}
	}
	return nil
}

// fits says whether an errand has what an ending needs: something to send back.
func fits(a aim, e *errand) bool {
	_, ok := e.sendable()
	return ok || (a.end != asSentBack && !a.again)
}

// taken says whether a client's requests are named ones.
func taken(client string) bool {
	for _, a := range named {
		if clientOf(a.place) == client {
			return true
		}
	}
	return false
}

func clientOf(place string) string {
	key, _, _ := strings.Cut(place, "/")
	return key
}

func (s *stage) errand(key string) *errand {
	for i := range s.errands {
		if s.errands[i].Key == key {
			return &s.errands[i]
		}
	}
	return nil
}
