package workflow

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/hooks/problem"
)

// Input is what the actor's form brought for a transition.
type Input struct {
	Transition        string            `json:"transition"`
	ExpectedRevision  *int              `json:"expected_revision"`
	InternalNote      string            `json:"internal_note"`
	ClientComment     string            `json:"client_comment"`
	ExternalReference string            `json:"external_reference"`
	ClientTemplate    string            `json:"client_template"`
	Items             []string          `json:"items"`
	Comments          map[string]string `json:"comments"`
}

// Verdict is the answer of Decide. Transition is nil for an unknown step.
type Verdict struct {
	Transition *Transition
	Allowed    bool
	Blockers   []problem.Blocker
}

// Decide says whether who may take the transition named key on the request
// that facts describe, at facts.Now, bringing input. It reads nothing but its
// arguments.
//
// The verdict carries every blocker, not the first: each has a code, a sentence
// for the person who sees it, and the item or field to open. An unknown key is
// a blocker too (problem.UnknownTransition), never a panic; a client is told
// the same of a step that only staff may know.
func (c *Compiled) Decide(f *Facts, key string, who Who, input *Input) Verdict {
	t := c.transitions[key]
	if t == nil || !slices.Contains(t.From, f.State) || !c.knows(t, who) {
		return Verdict{Blockers: []problem.Blocker{{Code: problem.UnknownTransition, Message: fmt.Sprintf("There is no step %q from here now.", key)}}}
	}
	who = who.as(t.By)
	blockers := c.by(t, f, who)
	blockers = append(blockers, c.tooEarly(t, f)...)
	for i := range t.Guard {
		blockers = append(blockers, c.guard(&t.Guard[i], f, who)...)
	}
	blockers = append(blockers, c.effectsPossible(t, f)...)
	if input != nil {
		blockers = append(blockers, c.required(t, f, input)...)
	}
	return Verdict{Transition: t, Allowed: len(blockers) == 0, Blockers: blockers}
}

// knows says whether the actor's side may know of the step at all.
func (c *Compiled) knows(t *Transition, who Who) bool {
	if who.Side() != "client" && !who.Shown {
		return true
	}
	return slices.ContainsFunc(t.By, c.IsClientRole)
}

func (c *Compiled) by(t *Transition, f *Facts, who Who) []problem.Blocker {
	switch {
	case who.System && t.Automatic(), !who.System && who.acts(t.By):
		return nil
	case who.Side() == "client" && who.Standing.Halted != "":
		return []problem.Blocker{{Code: problem.NotYours, Message: who.Standing.Halted}}
	case who.Side() == "client" && who.Actor.Chosen != "" && who.Standing.OnBehalfOf != "":
		return []problem.Blocker{{Code: problem.NotYours, Message: who.Standing.GiverName + " did not lend you this. Choose somebody else to act for, or ask."}}
	case who.Side() == "client":
		return []problem.Blocker{{Code: problem.NotYours, Message: fmt.Sprintf("%s can do this for %s, not you.", c.roleWords(t.By, true), f.OrgName)}}
	case who.Shown:
		return []problem.Blocker{{Code: problem.NotYours, Message: "The client does this."}}
	}
	sides := c.Sides(t)
	switch {
	case slices.Equal(sides, []string{"client"}):
		return []problem.Blocker{{Code: problem.NotYours, Message: "The client does this."}}
	case slices.Equal(sides, []string{"system"}):
		return []problem.Blocker{{Code: problem.NotYours, Message: "The portal does this by itself when everything is there."}}
	}
	return []problem.Blocker{{Code: problem.NotYours, Message: fmt.Sprintf("Only %s can do this.", c.roleWords(t.By, false))}}
}

func (c *Compiled) tooEarly(t *Transition, f *Facts) []problem.Blocker {
	if t.After == nil {
		return nil
	}
	at := c.afterTime(t, f)
	if !f.Now.Before(at) {
		return nil
	}
	return []problem.Blocker{{Code: problem.TooEarly, Message: "This is possible from " + at.In(c.Calendar.zone).Format("Mon 2 Jan 2006, 15:04") + "."}}
}

func (c *Compiled) guard(g *Guard, f *Facts, who Who) []problem.Blocker {
	switch {
	case g.Items != nil:
		return c.itemsHave(g.Items, f)
	case g.AnyItem != nil:
		return c.anyItemHas(g.AnyItem, f)
	case g.Jobs != nil:
		return jobsHave(g.Jobs, f)
	case g.AnyJob != nil:
		return anyJobHas(g.AnyJob, f)
	case g.NotSamePersonAs != "":
		return c.fourEyes(g.NotSamePersonAs, f, who)
	case g.FieldsComplete != "":
		return c.fieldsComplete(g.FieldsComplete, f, who)
	case g.RoundsLeft != nil:
		return roundsLeft(*g.RoundsLeft, f)
	case g.NoLegalHold != nil:
		if f.LegalHold == *g.NoLegalHold {
			return []problem.Blocker{{Code: problem.LegalHold, Message: "A legal hold lies on this request."}}
		}
		return nil
	case g.NoVetoOpen != nil:
		return vetoes(g.NoVetoOpen, f)
	case g.Expr != "":
		return g.unmet(f, who.Actor.Locale)
	}
	if !compare(f.Data[g.Field], g.Is, g.In, g.Contains) {
		label := g.Field
		if field := c.fields[g.Field]; field != nil {
			label = fieldLabel(field)
		}
		return []problem.Blocker{{Code: problem.Condition, Message: fmt.Sprintf("This depends on %q.", label), Field: g.Field}}
	}
	return nil
}

func (c *Compiled) itemsHave(g *ItemsGuard, f *Facts) []problem.Blocker {
	var blockers []problem.Blocker
	for _, i := range f.applicable() {
		if !slices.Contains(g.Sections, i.Section) || (g.Required && !i.Required) || inList(g.StatusIn, i.Status) {
			continue
		}
		b := problem.Blocker{Item: i.ID}
		switch {
		case i.Status == Missing:
			b.Code, b.Message = problem.ItemMissing, i.Title+" is missing."
		case sentBack(i.Status):
			b.Code, b.Message = problem.ItemMissing, i.Title+" was sent back and is not there again."
		default:
			b.Code, b.Message = problem.ItemOpen, i.Title+" is not checked yet."
		}
		blockers = append(blockers, b)
	}
	return blockers
}

func (c *Compiled) anyItemHas(g *ItemsGuard, f *Facts) []problem.Blocker {
	for _, i := range f.applicable() {
		if slices.Contains(g.Sections, i.Section) && (!g.Required || i.Required) && inList(g.StatusIn, i.Status) {
			return nil
		}
	}
	message := "No item is in the right state for this."
	switch {
	case slices.Contains(g.StatusIn, Rejected):
		message = "Nothing was sent back yet. Send at least one item back first."
	case slices.Contains(g.StatusIn, Missing):
		message = "There is nothing to ask for yet. Add at least one item."
	}
	return []problem.Blocker{{Code: problem.NoItem, Message: message}}
}

// done says whether a job's outcome counts as the wanted one: a skipped job is
// a done one, since there is no system to do it in.
func jobIs(status, wanted string) bool {
	return status == wanted || (wanted == "done" && status == "skipped")
}

func jobsHave(g *JobsGuard, f *Facts) []problem.Blocker {
	var blockers []problem.Blocker
	for _, name := range g.Names {
		job, started := f.Jobs[name]
		if started && jobIs(job.Status, g.Status) {
			continue
		}
		message := fmt.Sprintf("%s has not begun.", human(inSystem(name)))
		if started {
			message = JobLine(name, job.System, job.Status)
		}
		blockers = append(blockers, problem.Blocker{Code: problem.JobsOpen, Message: message})
	}
	return blockers
}

func anyJobHas(g *JobsGuard, f *Facts) []problem.Blocker {
	for _, name := range g.Names {
		if job, ok := f.Jobs[name]; ok && jobIs(job.Status, g.Status) {
			return nil
		}
	}
	return []problem.Blocker{{Code: problem.JobsOpen, Message: "None of the jobs has come to that."}}
}

// fourEyes: the actor, and whoever he acts for, did not do the last named step
// since the request was last in its initial state; if it never ran, the people
// who decided on the items are meant.
func (c *Compiled) fourEyes(key string, f *Facts, who Who) []problem.Blocker {
	others := map[string]bool{}
	ran := false
	for _, s := range f.since(c.Initial) {
		if s.Key == key {
			others, ran = map[string]bool{s.Actor: true, s.OnBehalfOf: true}, true
		}
	}
	if !ran {
		for _, i := range f.Items {
			others[i.Reviewer], others[i.ReviewerFor] = true, true
		}
	}
	delete(others, "")
	if !others[who.Actor.ID] && !others[who.Standing.OnBehalfOf] {
		return nil
	}
	what := "decided on the items"
	if t := c.transitions[key]; t != nil && ran {
		what = fmt.Sprintf("did %q", t.Label)
	}
	return []problem.Blocker{{Code: problem.SamePerson, Message: "You " + what + " yourself. Another person must do this step (four eyes)."}}
}

func (c *Compiled) fieldsComplete(label string, f *Facts, who Who) []problem.Blocker {
	var blockers []problem.Blocker
	for i := range c.Fields {
		field := &c.Fields[i]
		if field.RequiredBefore != label || !field.When.holds(f) || (who.Side() == "client" && field.Staff()) {
			continue
		}
		if !filled(f.Data[field.Key], field.Min) {
			blockers = append(blockers, problem.Blocker{Code: problem.FieldMissing, Message: fieldLabel(field) + " is missing.", Field: field.Key})
		}
	}
	return blockers
}

// roundsLeft: asking for changes begins the round after this one, so there has
// to be one more among those that are included.
func roundsLeft(wanted bool, f *Facts) []problem.Blocker {
	left := toFloat(f.Data["round_no"]) < toFloat(f.Data["rounds_included"])
	if left == wanted {
		return nil
	}
	if wanted {
		return []problem.Blocker{{Code: problem.Rounds, Message: "The included rounds are used up."}}
	}
	return []problem.Blocker{{Code: problem.Rounds, Message: "There are included rounds left."}}
}

func vetoes(roles []string, f *Facts) []problem.Blocker {
	var blockers []problem.Blocker
	for _, i := range f.applicable() {
		if names := i.vetoers(roles); len(names) > 0 {
			who := strings.Join(names, " and ")
			blockers = append(blockers, problem.Blocker{Code: problem.VetoOpen, Message: fmt.Sprintf("%s has a veto of %s on it. It stands until %s accepts.", i.Title, who, who), Item: i.ID})
		}
	}
	return blockers
}

// effectsPossible are the blockers that the effects bring along.
func (c *Compiled) effectsPossible(t *Transition, f *Facts) []problem.Blocker {
	var blockers []problem.Blocker
	for _, e := range t.Effects {
		switch {
		case e.InviteMembers != "" && f.Members[e.InviteMembers] == 0:
			blockers = append(blockers, problem.Blocker{
				Code:    problem.NobodyInvited,
				Message: fmt.Sprintf("%s has no %s yet. Invite one first.", f.OrgName, strings.ReplaceAll(strings.TrimPrefix(e.InviteMembers, "client_"), "_", " ")),
			})
		case e.ApplyWall != "" && !filled(f.Data[e.ApplyWall], 0):
			blockers = append(blockers, problem.Blocker{Code: problem.FieldMissing, Message: "Say first whom of the firm this must be kept from.", Field: e.ApplyWall})
		case e.PublishFile != "" && !c.publishable(e.PublishFile, f):
			blockers = append(blockers, problem.Blocker{Code: problem.NothingToPublish, Message: "There is no file to hand over yet. Attach it first."})
		}
	}
	return blockers
}

// meant says whether an effect that names an item or a section means this item.
func meant(name string, i *Item) bool { return i.Key == name || i.Section == name }

func (c *Compiled) publishable(name string, f *Facts) bool {
	return slices.ContainsFunc(f.applicable(), func(i *Item) bool { return meant(name, i) && (i.Files.Staff > 0 || i.Files.Ready > 0) })
}

// asks lists what a transition's form must bring.
func (c *Compiled) asks(t *Transition) []string {
	asks := slices.Clone([]string(t.Requires))
	for _, e := range t.Effects {
		if e.SetItems != nil && e.SetItems.Chosen != "" && !slices.Contains(asks, "choose_items") {
			asks = append(asks, "choose_items")
		}
	}
	return asks
}

func (c *Compiled) required(t *Transition, f *Facts, in *Input) []problem.Blocker {
	var blockers []problem.Blocker
	miss := func(code problem.Code, field, message string) {
		blockers = append(blockers, problem.Blocker{Code: code, Message: message, Field: field})
	}
	for _, ask := range c.asks(t) {
		switch ask {
		case "internal_note":
			if blank(in.InternalNote) {
				miss(problem.NoteRequired, ask, "Write an internal note: why are you doing this?")
			}
		case "client_comment":
			if blank(in.ClientComment) {
				miss(problem.CommentRequired, ask, "Write a few words to the other side.")
			}
		case "external_reference":
			if blank(in.ExternalReference) {
				miss(problem.ReferenceRequired, ask, "Give the reference in the other system.")
			}
		case "client_template":
			if blank(in.ClientTemplate) {
				miss(problem.TemplateRequired, ask, "Choose a text of the library.")
			}
		case "choose_items":
			blockers = append(blockers, c.chosen(t, f, in)...)
		case "client_comment_per_rejected_item":
			for _, i := range f.applicable() {
				if sentBack(i.Status) && c.concerns(t, i) && blank(i.Comment) && blank(in.Comments[i.ID]) {
					blockers = append(blockers, problem.Blocker{Code: problem.CommentRequired, Message: "Say why " + i.Title + " was sent back.", Item: i.ID})
				}
			}
		case "client_comment_per_reopened_item":
			for _, id := range in.Items {
				if i := f.item(id); i != nil && blank(in.Comments[id]) {
					blockers = append(blockers, problem.Blocker{Code: problem.CommentRequired, Message: "Say why " + i.Title + " is needed again.", Item: id})
				}
			}
		}
	}
	return blockers
}

// concerns says whether a transition's item guard speaks of the item's section;
// without such a guard every section is meant.
func (c *Compiled) concerns(t *Transition, i *Item) bool {
	named := false
	for _, g := range t.Guard {
		if g.AnyItem != nil {
			named = true
			if slices.Contains(g.AnyItem.Sections, i.Section) {
				return true
			}
		}
	}
	return !named
}

func (c *Compiled) chosen(t *Transition, f *Facts, in *Input) []problem.Blocker {
	if len(in.Items) == 0 {
		return []problem.Blocker{{Code: problem.ItemsRequired, Message: "Choose at least one item.", Field: "items"}}
	}
	section := ""
	for _, e := range t.Effects {
		if e.SetItems != nil && e.SetItems.Chosen != "" {
			section = e.SetItems.Section
		}
	}
	for _, id := range in.Items {
		i := f.item(id)
		if i == nil || !i.Active || (section != "" && i.Section != section) {
			return []problem.Blocker{{Code: problem.UnknownItem, Message: "One of the chosen items does not belong here.", Field: "items"}}
		}
	}
	return nil
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
