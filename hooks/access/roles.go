package access

import (
	"fmt"
	"slices"
	"strings"
)

// Power is a thing that somebody on the client's side may do.
type Power string

// The powers. A duty on a membership is one more power, by its own name.
const (
	See        Power = "see"      // look at the organization's requests, files and messages
	Provide    Power = "provide"  // give items, fields and files
	Submit     Power = "submit"   // take the steps that a workflow leaves to the role
	Message    Power = "message"  // write to the firm
	Delegate   Power = "delegate" // lend some of the own powers for a time
	Share      Power = "share"    // say who of the organization takes part in a restricted request
	ManageTeam Power = "manage"   // invite, change roles, remove, revoke
)

// powers in the order in which people read them. What may be lent is what a
// delegate may be given.
var powers = []struct {
	Power Power
	Text  string
	Lent  bool
}{
	{See, "See requests, files, messages and the history", true},
	{Provide, "Send files and answers, fill in fields", true},
	{Submit, "Take the steps that a workflow leaves to the role", true},
	{Message, "Write messages", true},
	{Delegate, "Let somebody else act for oneself, for a time", false},
	{Share, "Say who takes part in a restricted request", false},
	{ManageTeam, "Invite people, change roles, end access, end delegations", false},
}

// roles are the one table of what each role on the client's side may do. It
// holds for the organization of the membership and everything below it. Names
// are what workflows call the role: an admin may take the steps of a member, a
// member those of a viewer. Standing.May and Standing.Has decide by this table,
// and docs/access.md prints it.
var roles = []struct {
	Role   string
	Names  []string
	Powers []Power
	Text   string
}{
	{"admin", []string{ClientAdmin, ClientMember, ClientViewer}, []Power{See, Provide, Submit, Message, Delegate, Share, ManageTeam}, "You see everything of your organization, send papers and answers, approve for it, and look after its people."},
	{"member", []string{ClientMember, ClientViewer}, []Power{See, Provide, Submit, Message, Delegate}, "You see your organization's requests, and send papers and answers."},
	{"viewer", []string{ClientViewer}, []Power{See}, "You see your organization's requests. You cannot change anything."},
	{"delegate", []string{ClientDelegate, ClientViewer}, []Power{See, Provide, Submit, Message}, "You act for somebody else, for a limited time."},
}

func powersOf(role string) []Power {
	for _, r := range roles {
		if r.Role == role {
			return r.Powers
		}
	}
	return nil
}

func namesOf(role string) []string {
	for _, r := range roles {
		if r.Role == role {
			return r.Names
		}
	}
	return nil
}

// RoleText says in words what a role on the client's side may do.
func RoleText(role string) string {
	for _, r := range roles {
		if r.Role == role {
			return r.Text
		}
	}
	return ""
}

// isRole says whether a word names a role. A duty never does: whoever wrote
// "client_admin" among somebody's duties has not made an admin.
func isRole(word string) bool {
	return slices.Contains([]string{ClientAdmin, ClientMember, ClientViewer, ClientDelegate}, word)
}

// reaches says whether somebody with a role may hand out another: at most what
// one may do oneself.
func reaches(mine, other string) bool {
	have := powersOf(mine)
	return !slices.ContainsFunc(powersOf(other), func(p Power) bool { return !slices.Contains(have, p) })
}

// lendable says whether the word is one of the powers that a delegation may name.
func lendable(power string) bool {
	for _, p := range powers {
		if string(p.Power) == power {
			return p.Lent
		}
	}
	return false
}

// lends are the powers that a delegation names. One that names none lends all
// that may be lent.
func lends(stored []string) []string {
	if len(stored) > 0 {
		return stored
	}
	var all []string
	for _, p := range powersOf("delegate") {
		all = append(all, string(p))
	}
	return all
}

// PowersText names powers for people: "see, send files and answers".
func PowersText(stored []string) string {
	words := map[string]string{"see": "see everything there", "provide": "send files and answers", "submit": "take steps", "message": "write messages"}
	var list []string
	for _, p := range lends(stored) {
		if w, ok := words[p]; ok {
			list = append(list, w)
			continue
		}
		list = append(list, "act as "+strings.ReplaceAll(strings.TrimPrefix(p, "client_"), "_", " "))
	}
	return strings.Join(list, ", ")
}

// RolesTable is the table of the roles for docs/access.md.
func RolesTable() string {
	var b strings.Builder
	b.WriteString("| May |")
	for _, r := range roles {
		fmt.Fprintf(&b, " %s |", r.Role)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(roles)) + "\n")
	for _, p := range powers {
		fmt.Fprintf(&b, "| `%s`: %s |", p.Power, p.Text)
		for _, r := range roles {
			switch {
			case !slices.Contains(r.Powers, p.Power):
				b.WriteString(" no |")
			case r.Role == "delegate" && p.Power != See:
				b.WriteString(" if lent |")
			default:
				b.WriteString(" yes |")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("| is in a workflow's `by` |")
	for _, r := range roles {
		fmt.Fprintf(&b, " `%s` |", strings.Join(r.Names, "` `"))
	}
	b.WriteString("\n")
	return b.String()
}
