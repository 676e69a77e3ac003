package simulate

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// The oracle judges what was done by the words of the definition, with code of
// its own: it never asks the engine. It speaks in one direction only: what was
// done although one of these says no is a violation.

// objections to a step that was taken: why it should have been refused.
func (r *run) stepObjections(t *workflow.Transition, a *Act, p *person, before *picture) []string {
	var no []string
	say := func(format string, args ...any) { no = append(no, fmt.Sprintf(format, args...)) }
	if !slices.Contains(t.From, before.state) {
		say("%s does not lead out of %s", t.Key, before.state)
	}
	automatic := t.AlsoAutomatic || slices.Contains(t.By, "system")
	if (p.system && !automatic) || (!p.system && !p.acts(t.By)) || p.stranger {
		say("%s is not among those who take %s", p.name, t.Key)
	}
	if s := r.def.State(before.state); s != nil && len(s.RestrictedTo) > 0 && p.actor.Kind == schema.ActorStaff && !p.acts(s.RestrictedTo) {
		say("%s must not even know of %s", p.name, s.Key)
	}
	if at := workflowAfter(r.def, t, before); r.now.Before(at) {
		say("%s was too early", t.Key)
	}
	for i := range t.Guard {
		if why := r.guardObjection(&t.Guard[i], p, before); why != "" {
			say("%s: %s", t.Key, why)
		}
	}
	for _, ask := range t.Requires {
		missing := map[string]bool{"internal_note": a.Note == "", "client_comment": a.Comment == "", "external_reference": a.Ref == "", "client_template": a.Ref == "", "choose_items": len(a.Items) == 0}
		if missing[ask] {
			say("%s went without %s", t.Key, ask)
		}
		if ask == "client_comment_per_reopened_item" && slices.ContainsFunc(a.Items, func(place string) bool { return a.Comments[place] == "" }) {
			say("%s went without a comment for each item", t.Key)
		}
	}
	return no
}

func (r *run) guardObjection(g *workflow.Guard, p *person, before *picture) string {
	meets := func(want *workflow.ItemsGuard, t *thing) bool {
		return slices.Contains(want.Sections, t.Section) && (!want.Required || t.Required == 1)
	}
	switch {
	case g.Items != nil:
		for _, t := range before.applicable() {
			if meets(g.Items, t) && !listed(g.Items.StatusIn, t.Status) {
				return t.place() + " is " + t.Status
			}
		}
	case g.AnyItem != nil:
		if !slices.ContainsFunc(before.applicable(), func(t *thing) bool { return meets(g.AnyItem, t) && listed(g.AnyItem.StatusIn, t.Status) }) {
			return "no item has one of " + strings.Join(g.AnyItem.StatusIn, ", ")
		}
	case g.Jobs != nil:
		for _, name := range g.Jobs.Names {
			if !outcome(before.jobs[name], g.Jobs.Status) {
				return "job " + name + " is " + before.jobs[name]
			}
		}
	case g.AnyJob != nil:
		if !slices.ContainsFunc(g.AnyJob.Names, func(name string) bool { return outcome(before.jobs[name], g.AnyJob.Status) }) {
			return "no job is " + g.AnyJob.Status
		}
	case g.NotSamePersonAs != "":
		return r.fourEyes(g.NotSamePersonAs, p, before)
	case g.FieldsComplete != "":
		for i := range r.def.Fields {
			f := &r.def.Fields[i]
			if f.RequiredBefore == g.FieldsComplete && f.When == nil && empty(before.data[f.Key]) {
				return "field " + f.Key + " is empty"
			}
		}
	case g.RoundsLeft != nil:
		if left := number(before.data["round_no"]) < number(before.data["rounds_included"]); left != *g.RoundsLeft {
			return fmt.Sprintf("rounds left: %t", left)
		}
	case g.NoVetoOpen != nil:
		for _, t := range before.applicable() {
			for _, v := range t.Votes {
				if v.Veto && slices.Contains(g.NoVetoOpen, v.Role) && listed([]string{workflow.Rejected}, v.Status) {
					return t.place() + " is vetoed"
				}
			}
		}
	case g.Field != "":
		value := before.data[g.Field]
		switch {
		case g.In != nil:
			if !slices.ContainsFunc(g.In, func(x any) bool { return alike(value, x) }) {
				return "field " + g.Field + " is something else"
			}
		case g.Contains != nil:
			list, _ := value.([]any)
			if !slices.ContainsFunc(list, func(x any) bool { return alike(x, g.Contains) }) {
				return "field " + g.Field + " does not contain it"
			}
		case !alike(value, g.Is):
			return "field " + g.Field + " is something else"
		}
	}
	return ""
}

// fourEyes: who did the last named step since the request was last in its
// initial state, and for whom; if it never ran, who decided on the items.
func (r *run) fourEyes(key string, p *person, before *picture) string {
	mine := map[string]bool{p.actor.ID: true}
	if p.onBehalfOf != "" {
		mine[p.onBehalfOf] = true
	}
	delete(mine, "")
	ran := false
	for n := len(before.steps) - 1; n >= 0 && before.steps[n].To != r.def.Initial; n-- {
		if s := before.steps[n]; s.Key == key {
			if mine[s.Actor] || mine[s.For] {
				return "the same person did " + key
			}
			ran = true
			break
		}
	}
	if ran {
		return ""
	}
	for _, t := range before.items {
		if mine[t.Reviewer] {
			return "the same person decided on " + t.place()
		}
	}
	return ""
}

// mayProvide says why a person must not give an item now; "" if he may.
func (r *run) mayProvide(p *person, t *thing, before *picture) string {
	s := r.def.Section(t.Section)
	spec := r.def.Spec(t.Section, t.Key)
	state := r.def.State(before.state)
	if p.client() {
		state = r.def.State(before.shown.State)
	}
	switch {
	case s == nil || spec == nil || state == nil || p.system || p.stranger || t.Active == 0:
		return "it is not his"
	case spec.Attaches != "" && !p.client() && !p.super && state.Turn == "staff" && len(p.roles) > 0:
		return ""
	}
	side := "client"
	if s.Provider == "staff" {
		side = "staff"
	}
	switch {
	case !p.super && (side == "client") != p.client():
		return "the other side gives it"
	case p.client() && p.readsOnly:
		return "he only looks"
	case side == "staff" && !p.super && (len(p.roles) == 0 || (s.ProviderRole != "" && !p.acts([]string{s.ProviderRole}))):
		return "another duty gives it"
	case t.Status == workflow.Accepted || t.Status == workflow.Waived:
		return "it is " + t.Status
	case spec.LockedUntilState != "" && !before.entered(spec.LockedUntilState):
		return "it is locked until " + spec.LockedUntilState
	case !slices.Contains(state.Can.Provide, t.Section):
		return state.Key + " does not let it be given"
	case len(state.Can.OnlyStatus) > 0 && !listed(state.Can.OnlyStatus, t.Entered):
		return "it came as " + t.Entered
	}
	return ""
}

// mayReview says why a person must not decide on an item now; "" if he may.
func (r *run) mayReview(p *person, t *thing, before *picture) string {
	state := r.def.State(before.state)
	if p.client() {
		state = r.def.State(before.shown.State)
	}
	if state == nil || !slices.Contains(state.Can.Review, t.Section) || t.Active == 0 {
		return "it is not reviewed now"
	}
	if p.stranger || p.system || !p.acts(r.reviewers(t)) {
		return p.name + " does not review it"
	}
	if len(state.RestrictedTo) > 0 && !p.client() && !p.acts(state.RestrictedTo) {
		return p.name + " must not know of " + state.Key
	}
	return ""
}

// reviewers are the roles that decide on an item.
func (r *run) reviewers(t *thing) []string {
	s, spec := r.def.Section(t.Section), r.def.Spec(t.Section, t.Key)
	switch {
	case spec != nil && spec.Review != nil && spec.Review.Quorum != nil:
		return append([]string{spec.Review.Quorum.Role}, spec.Review.Veto...)
	case spec != nil && spec.Review != nil && s != nil && len(spec.Review.Veto) > 0:
		return append([]string{s.Reviewer}, spec.Review.Veto...)
	case spec != nil && spec.Reviewer != "":
		return []string{spec.Reviewer}
	case s != nil && s.Reviewer != "":
		return []string{s.Reviewer}
	}
	return nil
}

// mayWrite says why a person must not write a field now; "" if he may.
func (r *run) mayWrite(p *person, f *workflow.Field, before *picture) string {
	state := r.def.State(before.state)
	if p.client() {
		state = r.def.State(before.shown.State)
	}
	side := "staff"
	if p.client() {
		side = "client"
	}
	switch {
	case state == nil || p.stranger || f.WrittenBy != "" || state.Category == "done":
		return "nobody writes it now"
	case f.Immutable && !empty(before.data[f.Key]):
		return "it stays as it was first saved"
	case p.super:
		return ""
	case p.client() && (f.Visibility == "staff" || p.readsOnly):
		return "it is not his"
	case !p.client() && len(p.roles) == 0:
		return "he only looks"
	case !p.client() && len(state.RestrictedTo) > 0 && !p.acts(state.RestrictedTo):
		return "he must not know of " + state.Key
	case f.Visibility == "staff":
		return ""
	case state.Turn != side:
		return "it is the other side's turn"
	}
	for _, key := range state.Can.Provide {
		if s := r.def.Section(key); s != nil && (s.Provider == "staff") == (side == "staff") {
			return ""
		}
	}
	return "nothing is provided in " + state.Key
}

// listed reads a list of statuses as definitions mean it: rejected includes
// more_needed and expired, waived includes not_applicable.
func listed(list []string, status string) bool {
	wider := map[string]string{workflow.MoreNeeded: workflow.Rejected, workflow.Expired: workflow.Rejected, workflow.NotApplicable: workflow.Waived}
	return slices.Contains(list, status) || (wider[status] != "" && slices.Contains(list, wider[status]))
}

// outcome says whether a job came out as wanted; skipped counts as done.
func outcome(status, wanted string) bool {
	return status != "" && (status == wanted || (wanted == "done" && status == "skipped"))
}

// full says whether an item has what its kind asks for.
func (r *run) full(t *thing) bool {
	spec := r.def.Spec(t.Section, t.Key)
	if spec == nil {
		return false
	}
	if t.Answers["none"] == true {
		return spec.AllowNone != ""
	}
	switch t.Kind {
	case "file":
		least := 1
		if spec.Files != nil && spec.Files.Min > 1 {
			least = spec.Files.Min
		}
		return t.Ready >= least
	case "acknowledge":
		return t.Answers["accepted"] == true
	case "form":
		form := r.def.Forms[spec.Form]
		if form == nil {
			return true
		}
		for _, q := range form.Questions {
			if q.Required && empty(t.Answers[q.Key]) {
				return false
			}
		}
		return true
	case "long_text":
		return !empty(t.Answers["text"])
	}
	for _, name := range []string{"text", "choice", "date", "number", "value"} {
		if !empty(t.Answers[name]) {
			return true
		}
	}
	return t.Ready > 0
}

// empty says whether nothing was given.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func number(value any) float64 {
	n, _ := value.(float64)
	return n
}

// alike compares as people do: a missing bool is false, 3 equals 3.0.
func alike(a, b any) bool {
	if a == nil && b == false {
		return true
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}
