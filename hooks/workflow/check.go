package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// The words that a definition may choose from.
var (
	categories = []string{"open", "waiting", "review", "blocked", "done"}
	turns      = []string{"client", "staff", "system", "nobody"}
	kinds      = []string{"file", "form", "long_text", "answer", "acknowledge"}
	fieldTypes = []string{"text", "long_text", "number", "money", "bool", "choice", "multi_choice", "date", "month", "month_day", "list", "people_list"}
	statuses   = []string{Missing, Provided, Accepted, Rejected, MoreNeeded, Waived, NotApplicable, Expired}
	requires   = []string{"internal_note", "client_comment", "client_comment_per_rejected_item", "choose_items", "client_comment_per_reopened_item", "external_reference", "client_template"}
)

// checker collects findings about a compiled definition.
type checker struct {
	*Compiled
	findings []Finding
}

// Check finds what must not be published: names that lead nowhere, states that
// nobody can reach or leave, words that the language does not have.
func (c *Compiled) Check() []Finding {
	k := &checker{Compiled: c}
	k.head()
	k.fieldList()
	k.sectionList()
	k.stateList()
	k.transitionList()
	k.notices()
	k.paths()
	for _, p := range c.problems {
		k.fault(p.path, "bad_condition", p.message)
		if last := &k.findings[len(k.findings)-1]; c.place != nil && p.at >= 0 {
			last.Line, last.Column = c.place(p.path, p.at)
		}
	}
	return k.findings
}

func (k *checker) fault(path, code, message string) { k.add("error", path, code, message) }

func (k *checker) add(level, path, code, message string) {
	f := Finding{Level: level, Code: code, Path: path, Message: message}
	for p := path; ; {
		if at, ok := k.lines[p]; ok {
			f.Line, f.Column = at[0], at[1]
			break
		}
		i := strings.LastIndexAny(p, ".[")
		if i < 0 {
			break
		}
		p = p[:i]
	}
	k.findings = append(k.findings, f)
}

// known refuses a word that is not in the list.
func (k *checker) known(path, what, word string, list []string) {
	if !slices.Contains(list, word) {
		k.fault(path, "unknown_name", fmt.Sprintf("%s %q is not known.%s", what, word, didYouMean(word, slices.Clone(list))))
	}
}

func (k *checker) head() {
	if k.Schema != Schema {
		k.fault("schema", "schema", fmt.Sprintf("The definition must begin with schema: %s.", Schema))
	}
	if k.Key == "" || strings.TrimFunc(k.Key, plainKey) != "" {
		k.fault("key", "bad_key", "A key has small letters, digits and _ only.")
	}
	if k.Version < 1 {
		k.fault("version", "version", "A version is a whole number from 1.")
	}
	if blank(k.Title) {
		k.fault("title", "title", "Give the workflow a title.")
	}
	if k.State(k.Initial) == nil {
		k.fault("initial", "unknown_name", fmt.Sprintf("The initial state %q is not among the states.%s", k.Initial, didYouMean(k.Initial, k.stateKeys())))
	}
}

func plainKey(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' }

func (k *checker) stateKeys() []string {
	keys := make([]string, 0, len(k.States))
	for _, s := range k.States {
		keys = append(keys, s.Key)
	}
	return keys
}

func (k *checker) sectionKeys() []string {
	keys := make([]string, 0, len(k.Sections))
	for _, s := range k.Sections {
		keys = append(keys, s.Key)
	}
	return keys
}

func (k *checker) unique(path, what string, seen map[string]bool, key string) {
	if key == "" || strings.TrimFunc(key, plainKey) != "" {
		k.fault(path, "bad_key", fmt.Sprintf("The %s key %q has small letters, digits and _ only.", what, key))
	}
	if seen[key] {
		k.fault(path, "duplicate_key", fmt.Sprintf("The %s %q is there twice.", what, key))
	}
	seen[key] = true
}

func (k *checker) fieldList() {
	seen := map[string]bool{}
	for i := range k.Fields {
		f, path := &k.Fields[i], fmt.Sprintf("fields[%d]", i)
		k.unique(path+".key", "field", seen, f.Key)
		k.known(path+".type", "The type", f.Type, fieldTypes)
		if f.When != nil && f.When.Field != "" && k.Field(f.When.Field) == nil {
			k.fault(path+".when", "unknown_name", fmt.Sprintf("The condition reads %q, which is not a field.", f.When.Field))
		}
	}
}

func (k *checker) sectionList() {
	seen := map[string]bool{}
	for i := range k.Sections {
		s, path := &k.Sections[i], fmt.Sprintf("sections[%d]", i)
		k.unique(path+".key", "section", seen, s.Key)
		k.known(path+".provider", "The provider", s.Provider, []string{"client", "staff"})
		if s.ForEach != "" && k.Field(s.ForEach) == nil {
			k.fault(path+".for_each", "unknown_name", fmt.Sprintf("%q is not a field.", s.ForEach))
		}
		items := map[string]bool{}
		for j := range s.Items {
			k.item(&s.Items[j], fmt.Sprintf("%s.items[%d]", path, j), items)
		}
	}
}

func (k *checker) item(i *ItemSpec, path string, seen map[string]bool) {
	k.unique(path+".key", "item", seen, i.Key)
	k.known(path+".kind", "The kind", i.Kind, kinds)
	if i.ForEach != "" && k.Field(i.ForEach) == nil {
		k.fault(path+".for_each", "unknown_name", fmt.Sprintf("%q is not a field.", i.ForEach))
	}
	for name, c := range map[string]*Condition{"when": i.When, "skip_if": i.SkipIf} {
		if c != nil && c.Field != "" && k.Field(c.Field) == nil {
			k.fault(path+"."+name, "unknown_name", fmt.Sprintf("The condition reads %q, which is not a field.", c.Field))
		}
	}
	if i.Fills != "" && k.Field(i.Fills) == nil {
		k.fault(path+".fills", "unknown_name", fmt.Sprintf("%q is not a field.", i.Fills))
	}
	if i.LockedUntilState != "" && k.State(i.LockedUntilState) == nil {
		k.fault(path+".locked_until_state", "unknown_name", fmt.Sprintf("%q is not a state.", i.LockedUntilState))
	}
	if i.Files != nil && i.Files.Max > 0 && i.Files.Min > i.Files.Max {
		k.fault(path+".files", "files", "More files are needed than are allowed.")
	}
}

func (k *checker) stateList() {
	seen := map[string]bool{}
	for i := range k.States {
		s, path := &k.States[i], fmt.Sprintf("states[%d]", i)
		k.unique(path+".key", "state", seen, s.Key)
		k.known(path+".category", "The category", s.Category, categories)
		k.known(path+".turn", "The turn", s.Turn, turns)
		for right, names := range map[string]Names{"provide": s.Can.Provide, "review": s.Can.Review, "add": s.Can.Add} {
			for _, name := range names {
				k.known(path+".can."+right, "The section", name, k.sectionKeys())
			}
		}
		for _, status := range s.Can.OnlyStatus {
			k.known(path+".can.only_status", "The item status", status, statuses)
		}
		if s.Visible() && s.Category != "done" && !s.TippingOffSafe && s.ClientLabel == nil {
			k.fault(path+".client_label", "client_label", fmt.Sprintf("The client sees state %q, so it needs a client_label, or client_visible: false.", s.Key))
		}
	}
}

func (k *checker) transitionList() {
	seen := map[string]bool{}
	for i := range k.Transitions {
		t, path := &k.Transitions[i], fmt.Sprintf("transitions[%d]", i)
		k.unique(path+".key", "transition", seen, t.Key)
		for _, from := range t.From {
			k.known(path+".from", "The state", from, k.stateKeys())
			if s := k.State(from); s != nil && s.Terminal {
				k.fault(path+".from", "leaves_terminal", fmt.Sprintf("State %q is terminal: nothing leads out of it.", from))
			}
		}
		k.known(path+".to", "The state", t.To, k.stateKeys())
		if slices.Contains(t.From, t.To) {
			k.fault(path+".to", "to_itself", fmt.Sprintf("Transition %q leads from %q to itself.", t.Key, t.To))
		}
		k.roleNames(path+".by", t.By)
		for _, r := range t.Requires {
			k.known(path+".requires", "What is required", r, requires)
		}
		for j := range t.Guard {
			k.guardNames(&t.Guard[j], fmt.Sprintf("%s.guard[%d]", path, j))
		}
		for j := range t.Effects {
			k.effectNames(&t.Effects[j], fmt.Sprintf("%s.effects[%d]", path, j))
		}
	}
}

func (k *checker) roleNames(path string, names Names) {
	if len(names) == 0 {
		k.fault(path, "nobody", "Nobody may take this step: list roles or duties under by.")
	}
	for _, name := range names {
		if name == "ai" {
			k.fault(path, "ai_acts", "A model proposes; it never takes a step.")
			continue
		}
		all := append([]string{"system"}, append(slices.Clone([]string(k.Roles.Client)), k.Roles.Staff...)...)
		k.known(path, "The role", name, all)
	}
}

func (k *checker) guardNames(g *Guard, path string) {
	for _, items := range []*ItemsGuard{g.Items, g.AnyItem} {
		if items == nil {
			continue
		}
		for _, name := range items.Sections {
			k.known(path, "The section", name, k.sectionKeys())
		}
		for _, status := range items.StatusIn {
			k.known(path, "The item status", status, statuses)
		}
	}
	for _, jobs := range []*JobsGuard{g.Jobs, g.AnyJob} {
		if jobs == nil {
			continue
		}
		for _, name := range jobs.Names {
			k.known(path, "The job", name, k.jobNames())
		}
		k.known(path, "The outcome", jobs.Status, []string{"done", "dead", "skipped"})
	}
	if g.NotSamePersonAs != "" && k.Transition(g.NotSamePersonAs) == nil {
		k.fault(path, "unknown_name", fmt.Sprintf("%q is not a transition.", g.NotSamePersonAs))
	}
	if g.FieldsComplete != "" && !slices.ContainsFunc(k.Fields, func(f Field) bool { return f.RequiredBefore == g.FieldsComplete }) {
		k.fault(path, "unknown_name", fmt.Sprintf("No field is required_before %q.", g.FieldsComplete))
	}
}

func (k *checker) jobNames() []string {
	names := make([]string, 0, len(k.Integrations))
	for _, i := range k.Integrations {
		names = append(names, i.Job)
	}
	return names
}

func (k *checker) effectNames(e *Effect, path string) {
	if e.Job != "" {
		k.known(path, "The job", e.Job, k.jobNames())
	}
	if e.Increment != "" && k.Field(e.Increment) == nil {
		k.fault(path, "unknown_name", fmt.Sprintf("%q is not a field.", e.Increment))
	}
	for _, name := range []string{e.PublishFile, e.WithdrawFile, e.Waive, e.Invalidate, e.FreezeVersion} {
		if name != "" && k.Section(name) == nil && !k.hasItem(name) {
			k.fault(path, "unknown_name", fmt.Sprintf("%q is neither a section nor an item.", name))
		}
	}
}

func (k *checker) hasItem(key string) bool {
	return slices.ContainsFunc(k.Sections, func(s Section) bool {
		return slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return i.Key == key })
	})
}

func (k *checker) notices() {
	for i, n := range k.Notifications {
		path := fmt.Sprintf("notifications[%d]", i)
		if len(n.To) == 0 || n.Dedupe == "" || n.Why == "" {
			k.fault(path, "notice", "A notification needs a recipient (to), a dedupe key and a reason (why).")
		}
		key, isStep := strings.CutPrefix(n.Event, "request.")
		if isStep && !strings.HasPrefix(key, "entered.") && key != "opened" && k.Transition(key) == nil {
			k.fault(path+".event", "unknown_name", fmt.Sprintf("%q is not a transition.", key))
		}
	}
	for i, r := range k.Reminders {
		path := fmt.Sprintf("reminders[%d]", i)
		if len(r.StopWhen) == 0 {
			k.fault(path, "reminder", "A reminder needs stop_when: it must stop by itself.")
		}
		for _, s := range r.WhenState {
			k.known(path+".when_state", "The state", s, k.stateKeys())
		}
	}
	for i, x := range k.Integrations {
		if x.IdempotencyKey == "" {
			k.fault(fmt.Sprintf("integrations[%d]", i), "idempotency", fmt.Sprintf("Job %q needs an idempotency_key.", x.Job))
		}
	}
}

// paths finds states that nobody can reach, and states from which no end can
// be reached.
func (k *checker) paths() {
	if k.State(k.Initial) == nil {
		return
	}
	forward, backward := map[string][]string{}, map[string][]string{}
	for _, t := range k.Transitions {
		for _, from := range t.From {
			forward[from] = append(forward[from], t.To)
			backward[t.To] = append(backward[t.To], from)
		}
	}
	var ends []string
	for _, s := range k.States {
		if s.Category == "done" {
			ends = append(ends, s.Key)
		}
	}
	if len(ends) == 0 {
		k.fault("states", "no_end", "No state is an end: give at least one state category: done.")
	}
	reached, ending := closure(forward, k.Initial), closure(backward, ends...)
	for i, s := range k.States {
		path := fmt.Sprintf("states[%d]", i)
		switch {
		case !reached[s.Key]:
			k.fault(path, "unreachable", fmt.Sprintf("No way leads from the initial state to %q.", s.Key))
		case !ending[s.Key]:
			k.fault(path, "no_end", fmt.Sprintf("From %q no end can be reached.", s.Key))
		}
	}
}

func closure(edges map[string][]string, from ...string) map[string]bool {
	seen := map[string]bool{}
	for queue := from; len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		queue = append(queue, edges[queue[0]]...)
	}
	return seen
}
