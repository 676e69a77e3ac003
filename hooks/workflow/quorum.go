package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Some items are decided by several people: so many of one role must accept,
// and some roles have a veto. Each person has one vote; the item's status
// follows from the votes.

// Vote is one person's decision on an item that several people decide on.
type Vote struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Status  string `json:"status"`
	Veto    bool   `json:"veto,omitempty"`
	Old     bool   `json:"old,omitempty"` // a veto against an earlier version
	Comment string `json:"comment,omitempty"`
	At      string `json:"at"`
}

// open says whether the vote is a veto that nobody has lifted.
func (v Vote) open() bool { return v.Veto && sentBack(v.Status) }

// ByVotes says whether the item is decided by the votes of several people.
func (i *ItemSpec) ByVotes() bool {
	return i != nil && i.Review != nil && (i.Review.Quorum != nil || len(i.Review.Veto) > 0)
}

// quorum is how many must accept.
func (r *Review) quorum() int {
	if r.Quorum == nil {
		return 1
	}
	return max(1, r.Quorum.Count)
}

// voterRole is the role by which somebody votes: a veto outweighs the rest.
func (r *Review) voterRole(who Who) (role string, veto bool) {
	for _, name := range r.Veto {
		if who.Standing.Has(name) {
			return name, true
		}
	}
	if r.Quorum != nil {
		return r.Quorum.Role, false
	}
	return "", false
}

// vote takes one person's decision and gives the status that follows. Whoever
// has a veto and accepts lifts the own veto, and those of people who are not
// there any more; gone says who that is.
func (i *Item) vote(r *Review, id string, v Vote, gone map[string]bool) string {
	if i.Votes == nil {
		i.Votes = map[string]Vote{}
	}
	if v.Veto && v.Status == Accepted {
		maps.DeleteFunc(i.Votes, func(person string, other Vote) bool {
			return other.open() && other.Role == v.Role && (person == id || gone[person])
		})
	}
	i.Votes[id] = v
	return i.counted(r)
}

// unvote takes one person's decision back.
func (i *Item) unvote(r *Review, id string) string {
	delete(i.Votes, id)
	return i.counted(r)
}

// counted is the status that the votes make: an open veto rejects, so does any
// other refusal; enough acceptances accept, unless a veto against an earlier
// version still stands; until then the item waits for votes.
func (i *Item) counted(r *Review) string {
	accepted, refused, standing := 0, "", false
	for _, id := range slices.Sorted(maps.Keys(i.Votes)) {
		switch v := i.Votes[id]; {
		case v.open() && v.Old:
			standing = true
		case v.open():
			return Rejected
		case sentBack(v.Status):
			refused = v.Status
		case v.Status == Accepted && (r.Quorum == nil || v.Role == r.Quorum.Role):
			accepted++
		}
	}
	switch {
	case refused != "":
		return refused
	case accepted >= r.quorum() && !standing:
		return Accepted
	}
	return Provided
}

// newVersion forgets the votes on what has been replaced. A veto stays open
// until whoever has it accepts.
func (i *Item) newVersion() {
	for id, v := range i.Votes {
		if !v.open() {
			delete(i.Votes, id)
			continue
		}
		v.Old = true
		i.Votes[id] = v
	}
}

// vetoers names who holds an open veto of the roles on the item.
func (i *Item) vetoers(roles []string) []string {
	if len(i.Votes) == 0 {
		return nil // most items: nothing to sort
	}
	var names []string
	for _, id := range slices.Sorted(maps.Keys(i.Votes)) {
		if v := i.Votes[id]; v.open() && slices.Contains(roles, v.Role) {
			names = append(names, v.Name)
		}
	}
	return names
}

// voteOf makes a person's vote from a decision.
func voteOf(r *Review, who Who, status, comment string, at string) Vote {
	role, veto := r.voterRole(who)
	return Vote{Name: who.Actor.By(), Role: role, Status: status, Veto: veto, Comment: comment, At: at}
}

// ReviewView says how far a decision by several people has come.
type ReviewView struct {
	Role     string     `json:"role"`
	Count    int        `json:"count"`
	Needed   string     `json:"needed"` // "1 of 2 approvals"
	Votes    []VoteView `json:"votes"`
	VetoOpen bool       `json:"veto_open"`
	Mine     string     `json:"mine"`
}

// VoteView is a vote for readers.
type VoteView struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Status  string `json:"status"`
	Veto    bool   `json:"veto"`
	Comment string `json:"comment"`
	At      string `json:"at"`
}

func (i *Item) reviewView(spec *ItemSpec, me string) *ReviewView {
	if !spec.ByVotes() {
		return nil
	}
	v := &ReviewView{Count: spec.Review.quorum(), Votes: []VoteView{}, Mine: i.Votes[me].Status}
	if spec.Review.Quorum != nil {
		v.Role = human(strings.TrimPrefix(spec.Review.Quorum.Role, "client_"))
	}
	accepted := 0
	for _, id := range slices.Sorted(maps.Keys(i.Votes)) {
		vote := i.Votes[id]
		v.VetoOpen = v.VetoOpen || vote.open()
		if vote.Status == Accepted && (spec.Review.Quorum == nil || vote.Role == spec.Review.Quorum.Role) {
			accepted++
		}
		v.Votes = append(v.Votes, VoteView{vote.Name, human(strings.TrimPrefix(vote.Role, "client_")), vote.Status, vote.Veto, vote.Comment, vote.At})
	}
	slices.SortFunc(v.Votes, func(a, b VoteView) int { return strings.Compare(a.At, b.At) })
	v.Needed = fmt.Sprintf("%d of %s", accepted, things(v.Count, "approval", "approvals"))
	return v
}

// votesOf reads stored votes.
func votesOf(stored string) (map[string]Vote, error) {
	votes := map[string]Vote{}
	err := json.Unmarshal([]byte(stored), &votes)
	return votes, err
}
