package workflow

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

func (k *checker) transitionList() {
	seen := map[string]bool{}
	for i := range k.Transitions {
		t, path := &k.Transitions[i], fmt.Sprintf("transitions[%d]", i)
		k.unique(path+".key", "transition", seen, t.Key)
		if t.Label.IsZero() {
			k.fault(path, "label", fmt.Sprintf("Give the step %q a label: it stands on the button.", t.Key))
		}
		if len(t.From) == 0 {
			k.fault(path, "nowhere", fmt.Sprintf("Step %q leads from no state: list states under from.", t.Key))
		}
		k.twice(path+".from", t.From)
		each(path+".from", t.From, func(path, from string) {
			k.known(path, "The state", from, k.stateKeys())
			if s := k.State(from); s != nil && s.Terminal {
				k.fault(path, "leaves_terminal", fmt.Sprintf("State %q is terminal: nothing leads out of it.", from))
			}
		})
		k.known(path+".to", "The state", t.To, k.stateKeys())
		if slices.Contains(t.From, t.To) {
			k.fault(path+".to", "to_itself", fmt.Sprintf("Transition %q leads from %q to itself.", t.Key, t.To))
		}
		k.actors(t, path)
		k.twice(path+".requires", t.Requires)
		each(path+".requires", t.Requires, func(path, r string) { k.known(path, "What is required", r, requires) })
		if a := t.After; a != nil && (a.DaysInState > 0) == (a.BusinessDaysInState > 0) {
			k.fault(path+".after", "duration", "after is days_in_state or business_days_in_state, a whole number from 1.")
		}
		for j := range t.Guard {
			k.guardNames(&t.Guard[j], fmt.Sprintf("%s.guard[%d]", path, j))
		}
		for j := range t.Effects {
			k.effectNames(&t.Effects[j], fmt.Sprintf("%s.effects[%d]", path, j))
		}
	}
}

// actors checks who may take a step, and that the system is not asked for what
// only a person can bring.
func (k *checker) actors(t *Transition, path string) {
	if len(t.By) == 0 && !t.AlsoAutomatic {
		k.fault(path+".by", "nobody", "Nobody may take this step: list roles or duties under by.")
	}
	k.twice(path+".by", t.By)
	people := false
	each(path+".by", t.By, func(path, name string) {
		if name != "system" {
			people = true
			if name == "ai" {
				k.fault(path, "ai_acts", "A model proposes; it never takes a step.")
				return
			}
			k.known(path, "The role", name, append(k.allRoles(), "system"))
		}
	})
	if asks := k.asks(t); len(asks) > 0 && t.Automatic() {
		message := fmt.Sprintf("The system takes step %q but cannot bring %s: drop that, or the system.", t.Key, strings.Join(asks, ", "))
		if people {
			k.warn(path+".by", "system_cannot", message)
		} else {
			k.fault(path+".by", "system_cannot", message)
		}
	}
}

// given names the members of a guard or an effect that are set.
func given(v any) []string {
	value := reflect.ValueOf(v).Elem()
	var names []string
	for i := range value.NumField() {
		field := value.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.IsExported() && name != "" && !value.Field(i).IsZero() {
			names = append(names, name)
		}
	}
	return names
}

// comparing are the members of a guard that belong to a comparison.
var comparing = []string{"field", "is", "in", "contains", "message"}

func (k *checker) guardNames(g *Guard, path string) {
	set := given(g)
	kindsSet := slices.DeleteFunc(slices.Clone(set), func(name string) bool { return slices.Contains(comparing, name) })
	compares := len(kindsSet) < len(set) && slices.ContainsFunc(set, func(name string) bool { return slices.Contains(comparing[:4], name) })
	if len(kindsSet)+b2i(compares) != 1 {
		k.fault(path, "one_thing", "A guard asks for exactly one thing: write another entry for each more.")
	}
	k.itemsGuard(g.Items, path+".items")
	k.itemsGuard(g.AnyItem, path+".any_item")
	k.jobsGuard(g.Jobs, path+".jobs")
	k.jobsGuard(g.AnyJob, path+".any_job")
	if g.NotSamePersonAs != "" && k.Transition(g.NotSamePersonAs) == nil {
		k.fault(path, "unknown_name", fmt.Sprintf("%q is not a transition.%s", g.NotSamePersonAs, didYouMean(g.NotSamePersonAs, k.stepKeys())))
	}
	if g.FieldsComplete != "" && !slices.ContainsFunc(k.Fields, func(f Field) bool { return f.RequiredBefore == g.FieldsComplete }) {
		k.fault(path, "unknown_name", fmt.Sprintf("No field is required_before %q.", g.FieldsComplete))
	}
	if g.RoundsLeft != nil {
		for _, key := range []string{"round_no", "rounds_included"} {
			if f := k.Field(key); f == nil || f.Type != "number" {
				k.fault(path, "rounds", fmt.Sprintf("rounds_left counts by the number fields round_no and rounds_included; %s is not there.", key))
			}
		}
	}
	each(path+".no_veto_open", g.NoVetoOpen, func(path, name string) {
		k.role(path, name)
		may := slices.ContainsFunc(k.Sections, func(s Section) bool {
			return slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return i.Review != nil && slices.Contains(i.Review.Veto, name) })
		})
		if !may && slices.Contains(k.allRoles(), name) {
			k.fault(path, "no_veto", fmt.Sprintf("No item gives %q a veto: list it under review.veto of one.", name))
		}
	})
	if compares {
		k.comparison(path, g.Field, g.Is, g.In, g.Contains)
	}
}

func (k *checker) itemsGuard(g *ItemsGuard, path string) {
	if g == nil {
		return
	}
	if len(g.Sections) == 0 {
		k.fault(path, "empty_guard", "This guard looks at no section: list sections.")
	}
	if len(g.StatusIn) == 0 {
		k.fault(path, "empty_guard", "This guard allows no status: list them under status_in.")
	}
	k.twice(path+".sections", g.Sections)
	each(path+".sections", g.Sections, func(path, name string) { k.known(path, "The section", name, k.sectionKeys()) })
	each(path+".status_in", g.StatusIn, func(path, status string) { k.known(path, "The item status", status, statuses) })
}

func (k *checker) jobsGuard(g *JobsGuard, path string) {
	if g == nil {
		return
	}
	if len(g.Names) == 0 {
		k.fault(path, "empty_guard", "This guard looks at no job: list names.")
	}
	k.twice(path+".names", g.Names)
	each(path+".names", g.Names, func(path, name string) { k.known(path, "The job", name, k.jobNames()) })
	k.known(path+".status", "The outcome", g.Status, []string{"done", "dead", "skipped"})
}

func (k *checker) effectNames(e *Effect, path string) {
	if n := len(given(e)); n != 1 {
		k.fault(path, "one_thing", "An effect does exactly one thing: write another entry for each more.")
	}
	places := append(k.sectionKeys(), k.itemKeys()...)
	word := func(member, value, what string, list []string) {
		if value != "" {
			k.known(path+"."+member, what, value, list)
		}
	}
	word("job", e.Job, "The job", k.jobNames())
	word("retry_jobs", e.RetryJobs, "The outcome", []string{"dead"})
	word("snapshot", e.Snapshot, "The snapshot", []string{"submission"})
	word("batch", e.Batch, "The batch", []string{"all_open_questions"})
	word("start_clock", e.StartClock, "The clock", clocks)
	word("stop_clock", e.StopClock, "The clock", clocks)
	word("claim", e.Claim, "The duty", k.Roles.Staff)
	word("invite_members", e.InviteMembers, "The client role", append(slices.Clone([]string(k.Roles.Client)), clientRoles...))
	word("lock_items", e.LockItems, "The item status or section", append(slices.Clone(statuses), places...))
	word("unlock_items", e.UnlockItems, "The item status or section", append(slices.Clone(statuses), places...))
	for _, name := range []string{e.Increment, e.ApplyWall} {
		if name != "" && k.Field(name) == nil {
			k.fault(path, "unknown_name", fmt.Sprintf("%q is not a field.%s", name, didYouMean(name, k.fieldKeys())))
		}
	}
	if f := k.Field(e.Increment); f != nil && f.Type != "number" {
		k.fault(path, "not_a_number", fmt.Sprintf("Only a number can be counted up; %q is a %s.", e.Increment, f.Type))
	}
	for _, name := range []string{e.PublishFile, e.WithdrawFile, e.Waive, e.Invalidate, e.FreezeVersion} {
		if name != "" && !slices.Contains(places, name) {
			k.fault(path, "unknown_name", fmt.Sprintf("%q is neither a section nor an item.%s", name, didYouMean(name, places)))
		}
	}
	if name, accepts := strings.CutSuffix(e.RecordAcceptance, "_sha256"); accepts && !slices.Contains(places, name) {
		k.fault(path, "unknown_name", fmt.Sprintf("%q is neither a section nor an item.%s", name, didYouMean(name, places)))
	}
	for _, name := range []string{e.PublishFile, e.WithdrawFile} {
		if name != "" && slices.Contains(places, name) && !k.carriesFiles(name) {
			k.fault(path, "no_file", fmt.Sprintf("No item of %q carries a file of staff: give it kind: file in a section that staff provide, or attaches: staff_file.", name))
		}
	}
	if e.SetItems != nil {
		k.setItems(e.SetItems, path+".set_items")
	}
}

// carriesFiles says whether staff can put a file on an item of that name.
func (k *checker) carriesFiles(name string) bool {
	return slices.ContainsFunc(k.Sections, func(s Section) bool {
		return slices.ContainsFunc(s.Items, func(i ItemSpec) bool {
			takes := i.Kind == "file" && s.provider() == "staff" || i.Attaches != ""
			return (name == s.Key || name == i.Key) && takes
		})
	})
}

func (k *checker) setItems(s *SetItems, path string) {
	if s.Section != "" {
		k.known(path+".section", "The section", s.Section, k.sectionKeys())
	}
	if s.Item != "" {
		k.known(path+".item", "The item", s.Item, k.itemKeys())
	}
	sets := false
	for i, member := range []string{"chosen", "missing", "provided", "accepted", "rejected", "waived", "not_applicable"} {
		if status := s.targets()[i]; status != "" {
			sets = true
			k.known(path+"."+member, "The item status", status, statuses)
		}
	}
	if !sets {
		k.fault(path, "empty_guard", "This effect sets nothing: say which status which items get, such as chosen: rejected.")
	}
}
