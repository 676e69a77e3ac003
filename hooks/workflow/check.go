package workflow

import (
	"fmt"
	"slices"
	"strings"
)

// The checker finds what must not be published. It looks at the definition as it
// stands, part by part, and then walks through what can happen in it:
//
//	check.go          the findings, the head, roles
//	check_codes.go    every code with what it means
//	check_fields.go   fields, conditions on them
//	check_items.go    sections and items
//	check_states.go   states, what the client must not notice
//	check_steps.go    transitions, guards, effects
//	check_notices.go  notifications, reminders, jobs, models, reports
//	check_time.go     words of time
//	check_paths.go    what leads where, whatever the guards say
//	explore.go        the walk; see there

// The words that a definition may choose from.
var (
	categories = []string{"open", "waiting", "review", "blocked", "done"}
	turns      = []string{"client", "staff", "system", "nobody"}
	outcomes   = []string{"success", "void"}
	kinds      = []string{"file", "form", "long_text", "answer", "acknowledge"}
	fieldTypes = []string{"text", "long_text", "number", "money", "bool", "choice", "multi_choice", "date", "month", "month_day", "list", "people_list"}
	statuses   = []string{Missing, Provided, Accepted, Rejected, MoreNeeded, Waived, NotApplicable, Expired}
	requires   = []string{"internal_note", "client_comment", "client_comment_per_rejected_item", "choose_items", "client_comment_per_reopened_item", "external_reference", "client_template"}
	clocks     = []string{"client", "firm", "staff", "system"}
)

// clientRoles are the roles that every membership has; any other name under
// roles.client is a duty.
var clientRoles = []string{"client_admin", "client_member", "client_viewer", "client_delegate"}

// reserved are names with a meaning of their own, which no role may take.
var reserved = []string{"system", "admin", "owner", "submitter", "last_uploader", "approvers_who_have_not_decided", "nobody"}

// checker collects findings about a compiled definition.
type checker struct {
	*Compiled
	findings []Finding
	onPath   map[string]bool // states that the steps lead to
	canEnd   map[string]bool // states from which the steps lead to an end
}

// Check finds what must not be published, all of it at once: names that lead
// nowhere, words that the language does not have, and what can go wrong on the
// way of a request. Where a name or a key is wrong what is meant is not clear,
// so the walk through what can happen waits until that is put right.
func (c *Compiled) Check() []Finding {
	k := &checker{Compiled: c}
	k.head()
	k.roleList()
	k.fieldList()
	k.sectionList()
	k.stateList()
	k.transitionList()
	k.notices()
	k.times()
	k.paths()
	k.forestalled()
	for _, p := range c.problems {
		k.fault(p.path, "bad_condition", p.message)
		if last := &k.findings[len(k.findings)-1]; c.place != nil {
			last.Line, last.Column = c.place(p.path, p.at)
		}
	}
	if !slices.ContainsFunc(k.findings, unclear) {
		k.explore()
	}
	slices.SortStableFunc(k.findings, func(a, b Finding) int { return a.Line - b.Line })
	return k.findings
}

// unclear says whether a finding leaves open what is meant, so that walking the
// model would report consequences of it instead of faults.
func unclear(f Finding) bool {
	return f.Level == "error" && slices.Contains([]string{"unknown_name", "duplicate_key", "bad_key", "to_itself", "nobody"}, f.Code)
}

func (k *checker) fault(path, code, message string) { k.add("error", path, code, message) }

func (k *checker) warn(path, code, message string) { k.add("warning", path, code, message) }

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
	if slices.Contains(list, word) {
		return
	}
	hint := didYouMean(word, slices.Clone(list))
	if hint == "" && len(list) > 0 && len(list) <= 12 {
		hint = fmt.Sprintf(" Use one of: %s.", strings.Join(list, ", "))
	}
	k.fault(path, "unknown_name", fmt.Sprintf("%s %q is not known.%s", what, word, hint))
}

// each calls fn for every name with the path of its own place.
func each(path string, names []string, fn func(path, name string)) {
	for i, name := range names {
		fn(fmt.Sprintf("%s[%d]", path, i), name)
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
	if s := k.State(k.Initial); s == nil {
		k.fault("initial", "unknown_name", fmt.Sprintf("The initial state %q is not among the states.%s", k.Initial, didYouMean(k.Initial, k.stateKeys())))
	} else if s.Category == "done" || s.TippingOffSafe {
		k.fault("initial", "initial", fmt.Sprintf("A request cannot begin in %q: begin in a state that is neither an end nor hidden behind another.", k.Initial))
	}
	each("subject.one_live_request_per", k.Subject.OneLiveRequestPer, func(path, name string) {
		if k.Field(name) == nil {
			k.known(path, "What there is one live request per,", name, append([]string{"organization", "period"}, k.fieldKeys()...))
		}
	})
	k.numbering()
}

func (k *checker) numbering() {
	if k.Numbering == "" {
		return
	}
	names := placeholders(k.Numbering)
	for _, name := range names {
		if _, counted := strings.CutPrefix(name, "seq:"); counted && seqPattern.MatchString(name) {
			continue
		}
		if !slices.Contains([]string{"yyyy", "yy", "seq", "period", "org_code"}, name) {
			k.fault("numbering", "unknown_placeholder", fmt.Sprintf("A number cannot hold {%s}: use {yyyy}, {yy}, {seq:4}, {period}, {org_code}.", name))
		}
	}
	counts := slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, "seq") })
	if !counts && (!slices.Contains(names, "period") || !slices.Contains(names, "org_code")) {
		k.warn("numbering", "numbering", "Two requests can get the same number: add {seq:4}.")
	}
}

// roleList checks the names of roles and says which nobody ever names.
func (k *checker) roleList() {
	seen := map[string]bool{}
	used := k.rolesUsed()
	for _, side := range []struct {
		path  string
		names Names
	}{{"roles.client", k.Roles.Client}, {"roles.staff", k.Roles.Staff}} {
		each(side.path, side.names, func(path, name string) {
			k.unique(path, "role", seen, name)
			switch {
			case name == "ai":
				k.fault(path, "ai_acts", "A model proposes; it has no role.")
			case slices.Contains(reserved, name):
				k.fault(path, "reserved_name", fmt.Sprintf("%q has a meaning of its own. Name the role otherwise.", name))
			case side.path == "roles.staff" && slices.Contains(clientRoles, name):
				k.fault(path, "reserved_name", fmt.Sprintf("%q is a role of the client's side: list it under roles.client.", name))
			case !used[name] && !slices.Contains(clientRoles, name):
				k.warn(path, "unused", fmt.Sprintf("Nothing in the workflow names the role %q.", name))
			}
		})
	}
}

func (k *checker) rolesUsed() map[string]bool {
	used := map[string]bool{}
	add := func(names ...string) {
		for _, name := range names {
			used[name] = true
		}
	}
	for _, s := range k.Sections {
		add(s.ProviderRole, s.Reviewer)
		for _, i := range s.Items {
			add(i.Reviewer)
			if i.Review != nil {
				add(i.Review.Veto...)
				if i.Review.Quorum != nil {
					add(i.Review.Quorum.Role)
				}
			}
		}
	}
	for _, s := range k.States {
		add(s.Owner)
		add(s.RestrictedTo...)
	}
	for _, t := range k.Transitions {
		add(t.By...)
		for _, e := range t.Effects {
			add(e.Claim, e.InviteMembers)
		}
	}
	for _, r := range k.Reminders {
		add(r.To...)
	}
	for _, n := range k.Notifications {
		add(n.To...)
	}
	for _, a := range k.AI {
		add(a.ConfirmBy)
	}
	return used
}

func plainKey(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' }

func keysOf[T any](list []T, key func(*T) string) []string {
	keys := make([]string, 0, len(list))
	for i := range list {
		keys = append(keys, key(&list[i]))
	}
	return keys
}

func (k *checker) stateKeys() []string {
	return keysOf(k.States, func(s *State) string { return s.Key })
}

func (k *checker) sectionKeys() []string {
	return keysOf(k.Sections, func(s *Section) string { return s.Key })
}

func (k *checker) fieldKeys() []string {
	return keysOf(k.Fields, func(f *Field) string { return f.Key })
}

func (k *checker) jobNames() []string {
	return keysOf(k.Integrations, func(i *Integration) string { return i.Job })
}

func (k *checker) stepKeys() []string {
	return keysOf(k.Transitions, func(t *Transition) string { return t.Key })
}

func (k *checker) itemKeys() []string {
	var keys []string
	for i := range k.Sections {
		keys = append(keys, keysOf(k.Sections[i].Items, func(x *ItemSpec) string { return x.Key })...)
	}
	return keys
}

func (k *checker) allRoles() []string {
	return append(slices.Clone([]string(k.Roles.Client)), k.Roles.Staff...)
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

// role refuses a name that is not a role of the workflow.
func (k *checker) role(path, name string) {
	if name == "ai" {
		k.fault(path, "ai_acts", "A model proposes; it never takes a step.")
		return
	}
	k.known(path, "The role", name, k.allRoles())
}

// twice refuses names that stand in a list twice.
func (k *checker) twice(path string, names []string) {
	seen := map[string]bool{}
	each(path, names, func(path, name string) {
		if seen[name] {
			k.fault(path, "duplicate_key", fmt.Sprintf("%q is there twice.", name))
		}
		seen[name] = true
	})
}
