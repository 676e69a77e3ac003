package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// consequence says to staff, before they take a step, what follows from it: for
// the client, for items, for the work outside. It is read from the definition and
// the facts that the step will be decided on, so that nothing follows that was not
// said. Empty for clients, and where nothing follows but the next state.
func (l *live) consequence(t *Transition) string {
	if l.clientSide() {
		return ""
	}
	from, to := l.def.State(l.State), l.def.State(t.To)
	if from == nil || to == nil {
		return ""
	}
	var list []string
	switch {
	case to.TippingOffSafe:
		list = append(list, "The client learns nothing of this.")
	case to.Turn == "client" && from.Turn != "client":
		list = append(list, "The client gets the turn, and one email.")
	case to.Category == "done":
		list = append(list, "This finishes the request.")
	}
	if n := len(slices.DeleteFunc(slices.Clone(l.facts.Items), func(i *Item) bool { return i.Shown == nil })); n > 0 && !to.TippingOffSafe {
		list = append(list, counted(n, "decision becomes", "decisions become")+" visible to the client.")
	}
	for _, e := range t.Effects {
		list = append(list, l.follows(e)...)
	}
	if jobs := l.startedBy(t); len(jobs) > 0 {
		list = append(list, "Begins outside: "+strings.Join(jobs, ", ")+".")
	}
	if jobs := l.cancelledNow(); len(jobs) > 0 {
		list = append(list, "Is called off, since it has not begun: "+strings.Join(jobs, ", ")+".")
	}
	return strings.Join(list, " ")
}

// follows are the sentences for one effect on items, files and people.
func (l *live) follows(e Effect) []string {
	affected := func(name string, statuses ...string) int {
		n := 0
		for _, i := range l.facts.applicable() {
			if meant(name, i) && (len(statuses) == 0 && i.Status != Missing || slices.Contains(statuses, i.Status)) {
				n++
			}
		}
		return n
	}
	say := func(n int, one, more string) []string {
		if n == 0 {
			return nil
		}
		return []string{counted(n, one, more)}
	}
	switch {
	case e.Waive != "":
		return say(affected(e.Waive, Missing, Provided, Rejected, MoreNeeded, Expired), "item is waived.", "items are waived.")
	case e.Invalidate != "":
		return say(affected(e.Invalidate), "confirmation has to be given again.", "confirmations have to be given again.")
	case e.PublishFile != "":
		return []string{"The client gets to see: " + l.def.nameOf(e.PublishFile, l.locale()) + "."}
	case e.WithdrawFile != "":
		return []string{"The client no longer sees: " + l.def.nameOf(e.WithdrawFile, l.locale()) + "."}
	case e.InviteMembers != "":
		return []string{"Whoever was not invited yet gets an invitation."}
	case e.SetItems != nil && e.SetItems.Chosen != "":
		return []string{"The items that you choose are opened again."}
	case e.StartRetention != nil && *e.StartRetention:
		return []string{"The time for which files are kept begins."}
	}
	return nil
}

// startedBy are the jobs that a step puts into the queue.
func (l *live) startedBy(t *Transition) []string {
	var jobs []string
	for _, e := range t.Effects {
		if e.Job != "" {
			jobs = append(jobs, inSystem(e.Job))
		}
	}
	return jobs
}

// cancelledNow are the jobs that have not begun: leaving the state calls them off.
func (l *live) cancelledNow() []string {
	var jobs []string
	for name, j := range l.facts.Jobs {
		if j.Status == "queued" {
			jobs = append(jobs, inSystem(name))
		}
	}
	slices.Sort(jobs)
	return jobs
}

// inSystem reads "crm.create_client" as "create client (crm)".
func inSystem(name string) string {
	if system, _, ok := strings.Cut(name, "."); ok {
		return JobWords(name) + " (" + system + ")"
	}
	return JobWords(name)
}

// nameOf is the title of a section or an item.
func (c *Compiled) nameOf(key, locale string) string {
	for _, s := range c.Sections {
		if s.Key == key {
			return s.Title.In(locale)
		}
		for _, i := range s.Items {
			if i.Key == key {
				return i.Title.In(locale)
			}
		}
	}
	return key
}

// counted writes a number with its words.
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
