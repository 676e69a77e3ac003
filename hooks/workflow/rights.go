package workflow

import (
	"slices"

	"gatehouse/hooks/access"
)

// Item rights follow from the state's "can" and the item's status alone; pages
// show what these functions say.

// provider is the side that gives the items of a section.
func (s *Section) provider() string {
	if s.Provider == "staff" {
		return "staff"
	}
	return "client"
}

// reviewers are the roles that may decide on an item.
func (c *Compiled) reviewers(s *Section, spec *ItemSpec) []string {
	if spec.ByVotes() {
		roles := slices.Clone([]string(spec.Review.Veto))
		if spec.Review.Quorum != nil {
			return append([]string{spec.Review.Quorum.Role}, roles...)
		}
		return append([]string{s.Reviewer}, roles...)
	}
	if spec != nil && spec.Reviewer != "" {
		return []string{spec.Reviewer}
	}
	return []string{s.Reviewer}
}

// open says whether the state lets the section's provider give this item now,
// whoever the person is; else why not, for the provider's side.
func (c *Compiled) open(f *Facts, i *Item) (bool, string) {
	s, state := c.sections[i.Section], c.states[f.State]
	if s == nil || state == nil {
		return false, ""
	}
	spec := c.Spec(i.Section, i.Key)
	switch {
	case i.Status == Accepted:
		return false, "This was accepted. Nothing more to do."
	case i.Status == Waived:
		return false, "We do not need this any more."
	case spec != nil && spec.LockedUntilState != "" && !f.entered(spec.LockedUntilState):
		return false, "This comes later."
	case slices.Contains(state.Can.Provide, i.Section) && (len(state.Can.OnlyStatus) == 0 || inList(state.Can.OnlyStatus, i.EnteredStatus)):
		return true, ""
	case slices.Contains(state.Can.Provide, i.Section):
		return false, "You sent this already. We only need the other items now."
	case state.Category == "done":
		return false, "This request is finished."
	case state.Turn != s.provider() && s.provider() == "client":
		return false, "You can look but not change this while we work on it."
	}
	return false, "This cannot be changed now."
}

// mayProvide says whether this person may give the item now.
func (c *Compiled) mayProvide(f *Facts, i *Item, who Who) (bool, string) {
	s := c.sections[i.Section]
	if s == nil || who.System {
		return false, ""
	}
	if who.Superuser {
		return c.open(f, i)
	}
	if who.Side() != s.provider() {
		if ok, why := c.staffAttaches(f, i, who); ok {
			return ok, why
		}
		return false, map[string]string{"client": "The client gives this.", "staff": "We attach this for you."}[s.provider()]
	}
	if who.Side() == "client" && !who.Standing.May(access.Provide) {
		return false, who.Standing.Refuses(access.Provide, "You can view this. Only an admin or a member can change it.")
	}
	if who.Side() == "staff" && s.ProviderRole != "" && !who.Standing.Has(s.ProviderRole) {
		return false, "Only " + c.roleWords([]string{s.ProviderRole}, false) + " attaches this."
	}
	if who.Side() == "staff" && len(who.Standing.Roles) == 0 {
		return false, "Your role lets you look, not change."
	}
	return c.open(f, i)
}

// staffAttaches: staff may attach their own files to an item that carries one,
// in any turn of theirs.
func (c *Compiled) staffAttaches(f *Facts, i *Item, who Who) (bool, string) {
	spec, state := c.Spec(i.Section, i.Key), c.states[f.State]
	ok := spec != nil && spec.Attaches != "" && who.Side() == "staff" && state != nil && state.Turn == "staff" && len(who.Standing.Roles) > 0
	return ok, ""
}

// mayReview says whether this person may decide on the item now.
func (c *Compiled) mayReview(f *Facts, i *Item, who Who) (bool, string) {
	s, state := c.sections[i.Section], c.states[f.State]
	if s == nil || state == nil || !slices.Contains(state.Can.Review, i.Section) {
		return false, "Items of this section are not reviewed now."
	}
	roles := c.reviewers(s, c.Spec(i.Section, i.Key))
	if who = who.as(roles); !who.acts(roles) {
		if who.Standing.Halted != "" {
			return false, who.Standing.Halted
		}
		return false, "Only " + c.roleWords(roles, c.IsClientRole(roles[0])) + " decides on this."
	}
	return true, ""
}

// mayAdd says whether this person may add items to a section now.
func (c *Compiled) mayAdd(f *Facts, s *Section, who Who) bool {
	state := c.states[f.State]
	return s.Dynamic && state != nil && slices.Contains(state.Can.Add, s.Key) && who.Side() == "staff" && !who.Shown && (who.Superuser || len(who.Standing.Roles) > 0)
}

// mayWrite says whether this person may write a field now, and why not.
func (c *Compiled) mayWrite(f *Facts, field *Field, who Who) (bool, string) {
	state := c.states[f.State]
	switch {
	case state == nil || field.WrittenBy != "":
		return false, "The portal fills this in."
	case field.Immutable && filled(f.Data[field.Key], 0):
		return false, "This stays as it was first saved."
	case field.Owner != "" && field.Owner != "portal" && f.Systems[field.Owner]:
		return false, "This is kept in " + field.Owner + ". Change it there."
	case state.Category == "done":
		return false, "This request is finished."
	case who.Superuser:
		return true, ""
	case field.Staff():
		return who.Side() == "staff" && !who.Shown && len(who.Standing.Roles) > 0, "Your role lets you look, not change."
	case who.Side() == "client" && !who.Standing.May(access.Provide):
		return false, who.Standing.Refuses(access.Provide, "You can view this. Only an admin or a member can change it.")
	case who.Side() == "staff" && len(who.Standing.Roles) == 0:
		return false, "Your role lets you look, not change."
	case state.Turn != who.Side():
		return false, map[string]string{"client": "You can look but not change this while we work on it.", "staff": "The client fills this in now."}[who.Side()]
	case !c.providesHere(state, who.Side()):
		return false, "This cannot be changed now."
	}
	return true, ""
}

// providesHere says whether a side may provide anything in the state.
func (c *Compiled) providesHere(state *State, side string) bool {
	return slices.ContainsFunc(state.Can.Provide, func(key string) bool {
		s := c.sections[key]
		return s != nil && s.provider() == side
	})
}
