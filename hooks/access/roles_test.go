package access

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/access.md again")

const (
	tableBegins = "<!-- roles -->\n"
	tableEnds   = "<!-- /roles -->"
)

// The table that people read is the one that decides.
func TestRoles_tableInTheDocs(t *testing.T) {
	const path = "../../docs/access.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(b), tableBegins)
	if !found {
		t.Fatal("docs/access.md has no place for the table")
	}
	table, tail, _ := strings.Cut(rest, tableEnds)
	want := "\n" + RolesTable() + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(head+tableBegins+want+tableEnds+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("docs/access.md is behind the code; run with -update\n%s", want)
	}
}

// May answers by the table, for own rights and for lent ones.
func TestStanding_may(t *testing.T) {
	standing := func(role string, duties ...string) Standing {
		s := Standing{Roles: map[string]bool{}}
		s.add(role, duties)
		return s
	}
	lent := func(role string, duties, named []string) Standing {
		s := Standing{Roles: map[string]bool{ClientViewer: true}, OnBehalfOf: "ada", GiverName: "Ada", lent: []string{"see"}}
		return s.lend(role, duties, named)
	}
	for _, c := range []struct {
		name  string
		who   Standing
		may   []Power
		roles []string
	}{
		{"an admin may everything", standing("admin"), []Power{See, Provide, Submit, Message, Delegate, Share, ManageTeam}, []string{ClientAdmin, ClientMember, ClientViewer}},
		{"a member lends and does not manage", standing("member"), []Power{See, Provide, Submit, Message, Delegate}, []string{ClientMember, ClientViewer}},
		{"a viewer looks", standing("viewer"), []Power{See}, []string{ClientViewer}},
		{"a viewer's duty is a name, not a power", standing("viewer", "client_approver"), []Power{See}, []string{"client_approver", ClientViewer}},
		{"a role among the duties makes nobody an admin", standing("viewer", ClientAdmin), []Power{See}, []string{ClientViewer}},
		{"nobody may nothing", Standing{Roles: map[string]bool{}}, nil, nil},
		{"where nobody may act one looks", Standing{Roles: map[string]bool{ClientAdmin: true}, Halted: "suspended"}, []Power{See}, []string{ClientAdmin}},
		{"nothing named lends all that may be lent", lent("member", nil, nil), []Power{See, Provide, Submit, Message}, []string{ClientDelegate, ClientViewer}},
		{"what is named is lent", lent("admin", nil, []string{"provide"}), []Power{See, Provide}, []string{ClientViewer}},
		{"an admin's reign is not lent", lent("admin", nil, []string{"manage", "share", "delegate", ClientAdmin}), []Power{See}, []string{ClientViewer}},
		{"a viewer lends looking", lent("viewer", nil, nil), []Power{See}, []string{ClientViewer}},
		{"a duty is lent by name", lent("member", []string{"client_approver"}, []string{"client_approver"}), []Power{See}, []string{"client_approver", ClientViewer}},
		{"not one that the giver lost", lent("member", nil, []string{"client_approver"}), []Power{See}, []string{ClientViewer}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range powers {
				if got := c.who.May(p.Power); got != slices.Contains(c.may, p.Power) {
					t.Errorf("may %s: %v", p.Power, got)
				}
			}
			for _, name := range []string{ClientAdmin, ClientMember, ClientViewer, ClientDelegate, "client_approver"} {
				if got := c.who.Has(name); got != slices.Contains(c.roles, name) {
					t.Errorf("has %s: %v", name, got)
				}
			}
		})
	}
}

// The own right comes before what was lent; where it is not enough, the loan acts.
func TestStanding_ownRightComesFirst(t *testing.T) {
	own := Standing{Roles: map[string]bool{}}
	own.add("member", nil)
	loan := Standing{Roles: map[string]bool{ClientViewer: true}, OnBehalfOf: "ada", GiverName: "Ada", lent: []string{"see"}}.lend("admin", []string{"client_approver"}, []string{"provide", "client_approver"})
	s := first(own, []Standing{own, loan})
	for what, c := range map[string]struct {
		got  Standing
		want string
	}{
		"sending files":          {s.With(Provide), ""},
		"a step of members":      {s.As(ClientMember), ""},
		"a step of approvers":    {s.As("client_approver"), "ada"},
		"a step of nobody":       {s.As("client_owner"), ""},
		"back to one's own":      {s.As("client_approver").As(ClientMember), ""},
		"what one may lend":      {s.As("client_approver").Own(), ""},
		"a viewer's sending":     {first(own, []Standing{{Roles: map[string]bool{ClientViewer: true}}, loan}), "ada"},
		"nobody of the own kind": {first(Standing{}, []Standing{loan}), "ada"},
	} {
		if c.got.OnBehalfOf != c.want {
			t.Errorf("%s is done for %q, not %q", what, c.got.OnBehalfOf, c.want)
		}
	}
	if none := first(Standing{}, []Standing{loan}).Own(); none.May(See) {
		t.Error("what was lent counts as one's own")
	}
}
