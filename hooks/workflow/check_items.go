package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	extensionPattern = regexp.MustCompile(`^[a-z0-9]{1,8}$`)
	recordWords      = []string{"name", "ip", "user_agent", "text_sha256", "file_sha256", "time"}
	answerWords      = []string{"text", "choice", "date", "number", "file"}
)

func (k *checker) sectionList() {
	seen := map[string]bool{}
	for i := range k.Sections {
		s, path := &k.Sections[i], fmt.Sprintf("sections[%d]", i)
		k.unique(path+".key", "section", seen, s.Key)
		if s.Title.IsZero() {
			k.fault(path, "title", fmt.Sprintf("Give the section %q a title: people read it.", s.Key))
		}
		k.known(path+".provider", "The provider", s.Provider, []string{"client", "staff"})
		if s.ProviderRole != "" {
			k.role(path+".provider_role", s.ProviderRole)
			if slices.Contains(k.allRoles(), s.ProviderRole) && (s.provider() == "client") != k.IsClientRole(s.ProviderRole) {
				k.fault(path+".provider_role", "wrong_side", fmt.Sprintf("%s provides %q, but %q is a role of the other side.", human(s.provider()), s.Key, s.ProviderRole))
			}
		}
		if s.Reviewer != "" {
			k.role(path+".reviewer", s.Reviewer)
		}
		k.forEach(path, s.ForEach)
		if s.When != nil {
			k.condition(path+".when", s.When)
		}
		if len(s.Items) == 0 {
			k.warn(path, "unused", fmt.Sprintf("The section %q has no items.", s.Key))
		}
		if s.Dynamic && !slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return i.Template }) {
			k.warn(path+".dynamic", "unused", fmt.Sprintf("Nothing can be added to %q: mark an item as template.", s.Key))
		}
		items := map[string]bool{}
		for j := range s.Items {
			k.item(s, &s.Items[j], fmt.Sprintf("%s.items[%d]", path, j), items)
		}
		k.provided(s, path)
	}
}

// forEach refuses to repeat for each element of what is no list.
func (k *checker) forEach(path, name string) {
	if name == "" {
		return
	}
	switch f := k.Field(name); {
	case f == nil:
		k.fault(path+".for_each", "unknown_name", fmt.Sprintf("%q is not a field.%s", name, didYouMean(name, k.fieldKeys())))
	case !isList(f.Type):
		k.fault(path+".for_each", "not_a_list", fmt.Sprintf("for_each repeats for each entry of a list; %q is a %s.", name, f.Type))
	}
}

// provided refuses a section that asks for something and that no state lets
// anybody give.
func (k *checker) provided(s *Section, path string) {
	asks := slices.ContainsFunc(s.Items, func(i ItemSpec) bool { return i.IsRequired() })
	given := slices.ContainsFunc(k.States, func(x State) bool { return slices.Contains(x.Can.Provide, s.Key) })
	if len(s.Items) == 0 || given {
		return
	}
	if asks {
		k.fault(path, "never_provided", fmt.Sprintf("No state lets anybody provide %q, though it has required items: list it under can.provide of a state.", s.Key))
		return
	}
	k.warn(path, "unused", fmt.Sprintf("No state lets anybody provide %q.", s.Key))
}

func (k *checker) item(s *Section, i *ItemSpec, path string, seen map[string]bool) {
	k.unique(path+".key", "item", seen, i.Key)
	k.known(path+".kind", "The kind", i.Kind, kinds)
	if i.Title.IsZero() {
		k.fault(path, "title", fmt.Sprintf("Give the item %q a title: people read it.", i.Key))
	}
	k.forEach(path, i.ForEach)
	for _, c := range []struct {
		name string
		is   *Condition
	}{{"when", i.When}, {"skip_if", i.SkipIf}} {
		if c.is != nil {
			k.condition(path+"."+c.name, c.is)
		}
	}
	if i.Template && !s.Dynamic {
		k.fault(path+".template", "template", fmt.Sprintf("A template is for adding items, but %q is not dynamic: set dynamic: true on the section, or drop template.", s.Key))
	}
	if i.Reviewer != "" {
		k.role(path+".reviewer", i.Reviewer)
	}
	if i.Fills != "" && k.Field(i.Fills) == nil {
		k.fault(path+".fills", "unknown_name", fmt.Sprintf("%q is not a field.%s", i.Fills, didYouMean(i.Fills, k.fieldKeys())))
	}
	if i.LockedUntilState != "" && k.State(i.LockedUntilState) == nil {
		k.fault(path+".locked_until_state", "unknown_name", fmt.Sprintf("%q is not a state.%s", i.LockedUntilState, didYouMean(i.LockedUntilState, k.stateKeys())))
	}
	k.itemFiles(i, path)
	k.itemReview(i, path)
	k.itemWords(i, path)
}

func (k *checker) itemFiles(i *ItemSpec, path string) {
	takes := i.Kind == "file" || i.Attaches != "" || slices.Contains(i.AnswerTypes, "file") || !slices.Contains(kinds, i.Kind)
	switch f := i.Files; {
	case f == nil:
	case f.Max > 0 && f.Min > f.Max:
		k.fault(path+".files", "files", "More files are needed than are allowed.")
	case f.Min < 0 || f.Max < 0:
		k.fault(path+".files", "files", "A number of files is not negative.")
	case !takes:
		k.fault(path+".files", "files", fmt.Sprintf("An item of kind %s takes no files.", i.Kind))
	}
	if i.MaxMB < 0 {
		k.fault(path+".max_mb", "files", "A size is not negative.")
	}
	each(path+".accept", i.Accept, func(path, ending string) {
		if !extensionPattern.MatchString(ending) {
			k.fault(path, "files", fmt.Sprintf("%q is not the ending of a file name, such as pdf.", ending))
		}
	})
	keys := keysOf(i.Metadata, func(m *Metadata) string { return m.Key })
	seen := map[string]bool{}
	for n, m := range i.Metadata {
		at := fmt.Sprintf("%s.metadata[%d]", path, n)
		k.unique(at+".key", "metadata", seen, m.Key)
		k.known(at+".type", "The type", m.Type, fieldTypes)
		if m.MustBe != "" {
			k.known(at+".must_be", "The rule", m.MustBe, []string{"after_today", "before_today"})
		}
	}
	if f := i.Freshness; f != nil {
		k.known(path+".freshness.field", "The date", f.Field, keys)
		if f.MaxAgeMonths < 1 {
			k.fault(path+".freshness", "files", "Say under max_age_months how many months old it may be, from 1.")
		}
	}
	for name, field := range i.Check {
		at := path + ".check." + name
		k.known(at, "The check", name, []string{"period_covers"})
		f := k.Field(field)
		switch {
		case f == nil:
			k.fault(at, "unknown_name", fmt.Sprintf("%q is not a field.%s", field, didYouMean(field, k.fieldKeys())))
		case name == "period_covers" && f.Type != "month" && f.Type != "date" && f.Type != "text":
			k.fault(at, "condition", fmt.Sprintf("A period is a month or a date; %q is a %s.", field, f.Type))
		}
	}
}

func (k *checker) itemReview(i *ItemSpec, path string) {
	r := i.Review
	if r == nil {
		return
	}
	each(path+".review.veto", r.Veto, k.role)
	q := r.Quorum
	if q == nil {
		return
	}
	k.role(path+".review.quorum.role", q.Role)
	most := 2 * len(peopleOf(q.Role))
	switch {
	case q.Count < 1:
		k.fault(path+".review.quorum.count", "quorum", "A quorum is a whole number from 1.")
	case q.Count > most:
		k.fault(path+".review.quorum.count", "quorum", fmt.Sprintf("%d of %s must accept %q, but only %d people are certain to be there: ask for fewer, or another role.", q.Count, q.Role, i.Key, most))
	}
}

func (k *checker) itemWords(i *ItemSpec, path string) {
	each(path+".records", i.Records, func(path, word string) { k.known(path, "What is recorded,", word, recordWords) })
	each(path+".answer_types", i.AnswerTypes, func(path, word string) { k.known(path, "The type of answer", word, answerWords) })
	k.twice(path+".reject_reasons", i.RejectReasons)
	if i.Attaches != "" {
		k.known(path+".attaches", "What is attached,", i.Attaches, []string{"staff_file"})
	}
	if i.BulkFrom != "" {
		k.known(path+".bulk_from", "The format", i.BulkFrom, []string{"csv"})
	}
	if i.Checksum != "" {
		k.known(path+".checksum", "The checksum", i.Checksum, []string{"sha256"})
	}
	if i.Form != "" && i.Kind != "form" && slices.Contains(kinds, i.Kind) {
		k.fault(path+".form", "form", fmt.Sprintf("%q names a form, so its kind is form, not %s.", i.Key, i.Kind))
	}
	if i.Due != "" && !ordinalPattern.MatchString(i.Due) && !spanPattern.MatchString(i.Due) {
		k.fault(path+".due", "duration", fmt.Sprintf("%q is not a time that the portal knows: write 3rd business day, or 5bd.", i.Due))
	}
}

// reviewed says whether somebody decides on every item of a section.
func (k *checker) reviewed(s *Section) bool {
	return !slices.ContainsFunc(s.Items, func(i ItemSpec) bool {
		return strings.Join(k.reviewers(s, &i), "") == ""
	})
}
