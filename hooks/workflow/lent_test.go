package workflow

import (
	"testing"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// A vote for somebody is that person's vote: who lent the right and who has it
// are one voice, however both are counted.
func TestVote_lentIsNoSecondVoice(t *testing.T) {
	review := &Review{Quorum: &Quorum{Role: "client_approver", Count: 2}}
	gwen := Who{Actor: schema.Actor{Kind: schema.ActorUser, ID: "gwen", Name: "Gwen"}, Standing: access.Standing{Roles: map[string]bool{"client_approver": true}}}
	dora := Who{Actor: schema.Actor{Kind: schema.ActorUser, ID: "dora", Name: "Dora"}.Lent("gwen", "Gwen"), Standing: access.Standing{Roles: map[string]bool{"client_approver": true}, OnBehalfOf: "gwen", GiverName: "Gwen"}}
	otto := Who{Actor: schema.Actor{Kind: schema.ActorUser, ID: "otto", Name: "Otto"}, Standing: gwen.Standing}
	item := &Item{Status: Provided}
	for _, c := range []struct {
		who  Who
		want string
	}{{gwen, Provided}, {dora, Provided}, {otto, Accepted}} {
		if got := item.vote(review, c.who.voice(), voteOf(review, c.who, Accepted, "", ""), nil); got != c.want {
			t.Errorf("after %s: %s, not %s", c.who.Actor.By(), got, c.want)
		}
	}
	if len(item.Votes) != 2 || item.Votes["gwen"].Name != "Dora for Gwen" {
		t.Errorf("votes: %v", item.Votes)
	}
}
