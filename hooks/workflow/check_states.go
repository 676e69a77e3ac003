package workflow

import (
	"fmt"
	"slices"
	"strings"
)

func (k *checker) stateList() {
	seen := map[string]bool{}
	for i := range k.States {
		s, path := &k.States[i], fmt.Sprintf("states[%d]", i)
		k.unique(path+".key", "state", seen, s.Key)
		if s.Label.IsZero() {
			k.fault(path, "label", fmt.Sprintf("Give the state %q a label: staff read it.", s.Key))
		}
		k.known(path+".category", "The category", s.Category, categories)
		k.known(path+".turn", "The turn", s.Turn, turns)
		k.stateTurn(s, path)
		if s.Owner != "" {
			k.role(path+".owner", s.Owner)
		} else if s.Category != "done" {
			k.warn(path, "no_owner", fmt.Sprintf("Nobody owns a request in %q: name a role under owner.", s.Key))
		}
		if s.Visible() && !s.TippingOffSafe && s.ClientLabel == nil {
			k.fault(path+".client_label", "client_label", fmt.Sprintf("The client sees state %q, so it needs a client_label, or client_visible: false.", s.Key))
		}
		k.rights(s, path)
		k.limit(s, path)
		each(path+".restricted_to", s.RestrictedTo, func(path, name string) {
			k.role(path, name)
			if slices.Contains(k.Roles.Client, name) {
				k.fault(path, "wrong_side", fmt.Sprintf("A state is restricted to duties of staff; %q is a role of the client's side.", name))
			}
		})
		if s.TippingOffSafe {
			k.tippingOff(s, path)
		}
	}
}

func (k *checker) stateTurn(s *State, path string) {
	done := s.Category == "done"
	switch {
	case done && s.Turn != "nobody" && slices.Contains(turns, s.Turn):
		k.fault(path+".turn", "wrong_turn", fmt.Sprintf("%q is an end, so it is nobody's turn: write turn: nobody.", s.Key))
	case !done && s.Turn == "nobody":
		k.fault(path+".turn", "wrong_turn", fmt.Sprintf("In %q it is nobody's turn, but it is no end: say who must act. If it waits for something outside, name who watches it and say external_action.", s.Key))
	case s.Turn == "client" && !s.Visible():
		k.fault(path+".turn", "wrong_turn", fmt.Sprintf("It is the client's turn in %q, which the client does not see.", s.Key))
	}
	if s.Terminal && !done && slices.Contains(categories, s.Category) {
		k.fault(path+".terminal", "terminal", fmt.Sprintf("%q is terminal but no end: write category: done, or drop terminal.", s.Key))
	}
	if s.Outcome != "" {
		k.known(path+".outcome", "The outcome", s.Outcome, outcomes)
		if !done {
			k.fault(path+".outcome", "outcome", fmt.Sprintf("%q is no end, so it has no outcome.", s.Key))
		}
	}
}

func (k *checker) rights(s *State, path string) {
	for _, right := range []struct {
		name  string
		names Names
	}{{"provide", s.Can.Provide}, {"review", s.Can.Review}, {"add", s.Can.Add}} {
		at := path + ".can." + right.name
		k.twice(at, right.names)
		each(at, right.names, func(path, name string) {
			k.known(path, "The section", name, k.sectionKeys())
			section := k.Section(name)
			switch {
			case section == nil:
			case right.name == "add" && !section.Dynamic:
				k.fault(path, "not_dynamic", fmt.Sprintf("Items can be added to a dynamic section only: set dynamic: true on %q.", name))
			case right.name == "review" && !k.reviewed(section):
				k.fault(path, "no_reviewer", fmt.Sprintf("%q is reviewed in %q, but it does not say by whom: name a reviewer.", name, s.Key))
			}
		})
	}
	each(path+".can.only_status", s.Can.OnlyStatus, func(path, status string) { k.known(path, "The item status", status, statuses) })
	if len(s.Can.OnlyStatus) > 0 && len(s.Can.Provide) == 0 {
		k.warn(path+".can.only_status", "unused", fmt.Sprintf("only_status narrows what may be provided, and nothing may be in %q.", s.Key))
	}
}

func (k *checker) limit(s *State, path string) {
	if s.SLA == nil {
		return
	}
	if (s.SLA.BusinessDays > 0) == (s.SLA.BusinessHours > 0) {
		k.fault(path+".sla", "duration", "A time limit is business_days or business_hours, a whole number from 1.")
	}
	if s.SLA.Clock != "" {
		k.known(path+".sla.clock", "The clock", s.SLA.Clock, clocks)
	}
}

// tippingOff refuses what would let the client notice a state that he must not
// learn of: on entry, while inside, or on the way back.
func (k *checker) tippingOff(s *State, path string) {
	told := func(path, format string, args ...any) { k.fault(path, "tipping_off", fmt.Sprintf(format, args...)) }
	if len(s.RestrictedTo) == 0 {
		k.warn(path, "tipping_off_open", fmt.Sprintf("The client must not learn of %q, but all staff who see the request do: say restricted_to.", s.Key))
	}
	each(path+".can.provide", s.Can.Provide, func(path, name string) {
		if x := k.Section(name); x != nil && x.provider() == "client" {
			told(path, "The client must not notice %q, so nothing can be asked of the client there.", s.Key)
		}
	})
	if s.Turn == "client" {
		told(path+".turn", "The client must not notice %q, so it cannot be the client's turn.", s.Key)
	}
	behind := map[string]bool{}
	for i := range k.Transitions {
		t := &k.Transitions[i]
		at := fmt.Sprintf("transitions[%d]", i)
		if t.To == s.Key {
			k.tippingOffEntry(s, t, at)
			for _, from := range t.From {
				behind[from] = true
			}
		}
	}
	for i := range k.Transitions {
		t := &k.Transitions[i]
		at := fmt.Sprintf("transitions[%d]", i)
		if !slices.Contains(t.From, s.Key) {
			continue
		}
		if slices.ContainsFunc(t.By, k.IsClientRole) {
			told(at+".by", "The client must not notice %q, so step %q cannot be the client's there.", s.Key, t.Key)
		}
		if behind[t.To] {
			k.silent(s, t, at, "back from")
		}
	}
	for i := range k.Reminders {
		r := &k.Reminders[i]
		if slices.Contains(r.WhenState, s.Key) && slices.ContainsFunc(r.To, k.IsClientRole) {
			told(fmt.Sprintf("reminders[%d].to", i), "A reminder to the client in %q would tell of it.", s.Key)
		}
	}
}

// tippingOffEntry looks at a step into a state that the client must not notice.
func (k *checker) tippingOffEntry(s *State, t *Transition, at string) {
	for _, key := range t.From {
		from := k.State(key)
		if from == nil {
			continue
		}
		path := at + ".from"
		if step := k.clientStep(key); step != "" {
			k.fault(path, "tipping_off", fmt.Sprintf("In %q the client can take step %q, and would notice that it is gone when the request is in %q. Enter %q from a state where the client can do nothing.", key, step, s.Key, s.Key))
		}
		for _, name := range append(slices.Clone([]string(from.Can.Provide)), from.Can.Review...) {
			x := k.Section(name)
			if x == nil {
				continue
			}
			gives := slices.Contains(from.Can.Provide, name) && x.provider() == "client"
			decides := slices.Contains(from.Can.Review, name) && k.clientReviews(x)
			if gives || decides {
				k.fault(path, "tipping_off", fmt.Sprintf("In %q the client can work on %q, and would notice that it is locked when the request is in %q. Enter %q from a state where the client can do nothing.", key, name, s.Key, s.Key))
			}
		}
		if from.Visible() != s.Visible() {
			k.fault(path, "tipping_off", fmt.Sprintf("The client sees only one of %q and %q, and so would notice the change: make both visible, or neither.", key, s.Key))
		} else if s.Visible() && s.ClientLabel != nil && from.ClientLabel != nil && s.ClientLabel.String() != from.ClientLabel.String() {
			k.fault(path, "tipping_off", fmt.Sprintf("%q is shown to the client as %q, the state before as %q: give both the same client_label.", s.Key, s.ClientLabel.String(), from.ClientLabel.String()))
		}
	}
	if slices.ContainsFunc(t.By, k.IsClientRole) {
		k.fault(at+".by", "tipping_off", fmt.Sprintf("The client cannot bring about %q, of which the client must not learn.", s.Key))
	}
	k.silent(s, t, at, "into")
}

// silent refuses what the client would see of a step.
func (k *checker) silent(s *State, t *Transition, at, way string) {
	for _, word := range t.Requires {
		if strings.HasPrefix(word, "client_") {
			k.fault(at+".requires", "tipping_off", fmt.Sprintf("Step %q %s %q must leave no trace for the client, so it cannot bring %s.", t.Key, way, s.Key, word))
		}
	}
	for i := range t.Effects {
		if e := &t.Effects[i]; len(e.places()) > 0 && e.FreezeVersion == "" || e.SetItems != nil || e.InviteMembers != "" || !e.SendTemplate.IsZero() || e.Batch != "" {
			k.fault(fmt.Sprintf("%s.effects[%d]", at, i), "tipping_off", fmt.Sprintf("Step %q %s %q must leave no trace for the client, but this effect shows.", t.Key, way, s.Key))
		}
	}
	for i := range k.Notifications {
		n := &k.Notifications[i]
		client := slices.ContainsFunc(n.To, func(name string) bool {
			return k.IsClientRole(name) || slices.Contains([]string{"submitter", "last_uploader", "approvers_who_have_not_decided"}, name)
		})
		if client && (n.Event == "request."+t.Key || n.Event == "request.entered."+t.To) {
			k.fault(fmt.Sprintf("notifications[%d]", i), "tipping_off", fmt.Sprintf("This notification tells the client of step %q %s %q, of which the client must not learn.", t.Key, way, s.Key))
		}
	}
}

// clientStep is a step that the client's side can take in a state; empty if
// there is none.
func (k *checker) clientStep(state string) string {
	for i := range k.Transitions {
		if t := &k.Transitions[i]; slices.Contains(t.From, state) && slices.ContainsFunc(t.By, k.IsClientRole) {
			return t.Key
		}
	}
	return ""
}

func (k *checker) clientReviews(s *Section) bool {
	return slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return slices.ContainsFunc(k.reviewers(s, &i), k.IsClientRole) })
}
