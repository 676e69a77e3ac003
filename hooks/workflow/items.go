package workflow

import (
	"slices"
	"strings"
	"time"

	"gatehouse/hooks/schema"
)

// expected lists the items that the definition asks for, given the data: one
// for each element of a for_each list, those whose condition holds. Templates
// are not among them; they are added by hand.
func (c *Compiled) expected(f *Facts) []*Item {
	var list []*Item
	for si := range c.Sections {
		s := &c.Sections[si]
		if !s.When.holds(f) {
			continue
		}
		outer := []element{{}}
		if s.ForEach != "" {
			outer = elements(f.Data[s.ForEach])
		}
		for _, group := range outer {
			for ii := range s.Items {
				spec := &s.Items[ii]
				if spec.Template || !spec.When.holds(f) || (spec.SkipIf != nil && spec.SkipIf.holds(f)) {
					continue
				}
				inner := []element{{}}
				if spec.ForEach != "" {
					inner = elements(f.Data[spec.ForEach])
				}
				for _, each := range inner {
					i := c.instantiate(s, spec, group, each, len(list))
					i.Due = c.itemDue(f, spec)
					list = append(list, i)
				}
			}
		}
	}
	return list
}

func (c *Compiled) instantiate(s *Section, spec *ItemSpec, group, each element, position int) *Item {
	label, instance := group.label, group.id
	if each.id != "" {
		label = each.label
		instance = strings.Trim(instance+"/"+each.id, "/")
	}
	title := spec.Title.String()
	if label != "" {
		filledIn := fill(title, eachNames(s, spec, label))
		if filledIn == title {
			filledIn = title + ": " + label
		}
		title = filledIn
	}
	return &Item{
		Section: s.Key, Key: spec.Key, Instance: instance, Position: position, Kind: spec.Kind,
		Title: title, Hint: spec.Help, Status: Missing, EnteredStatus: Missing, Required: spec.IsRequired(), Active: true, Answers: map[string]any{},
	}
}

// eachNames are the placeholders of a repeated item: {each}, and the singular of
// the list's name ({account} of bank_accounts, {channel} of channels).
func eachNames(s *Section, spec *ItemSpec, label string) map[string]string {
	names := map[string]string{"each": label}
	for _, list := range []string{s.ForEach, spec.ForEach} {
		if list == "" {
			continue
		}
		word := list[strings.LastIndexByte(list, '_')+1:]
		names[strings.TrimSuffix(word, "s")] = label
		names[strings.TrimSuffix(list, "s")] = label
	}
	return names
}

// follows says whether the set of a section's items follows the data now: until
// the section was first given, and wherever it can be given again. In between it
// stays as it was sent.
func (c *Compiled) follows(f *Facts, section string) bool {
	gives := func(state string) bool {
		s := c.states[state]
		return s != nil && slices.Contains(s.Can.Provide, section)
	}
	return gives(f.State) || !slices.ContainsFunc(f.Steps, func(s Step) bool { return gives(s.From) })
}

// sync compares the expected items with those that exist. Existing ones whose
// condition no longer holds become inactive and keep their answers; they come
// back as they were. It returns the items that are new or changed.
func (c *Compiled) sync(f *Facts) []*Item {
	byPlace := map[string]*Item{}
	for _, i := range f.Items {
		byPlace[place(i)] = i
	}
	var changed, added []*Item
	wanted := map[string]*Item{}
	for _, want := range c.expected(f) {
		if !c.follows(f, want.Section) {
			continue
		}
		wanted[place(want)] = want
		have := byPlace[place(want)]
		if have == nil {
			want.ID = schema.NewID()
			added = append(added, want)
			continue
		}
		if !have.Active || have.Title != want.Title || have.Position != want.Position {
			have.moved = have.moved || have.Position != want.Position
			have.Active, have.Title, have.Position = true, want.Title, want.Position
			changed = append(changed, have)
		}
	}
	for _, i := range f.Items {
		if spec := c.Spec(i.Section, i.Key); spec != nil && spec.Template {
			continue // added by hand: nothing makes it go away
		}
		if wanted[place(i)] == nil && i.Active && c.follows(f, i.Section) {
			i.Active = false
			changed = append(changed, i)
		}
	}
	f.Items = append(f.Items, added...)
	slices.SortStableFunc(f.Items, func(a, b *Item) int { return a.Position - b.Position })
	return append(changed, added...)
}

func place(i *Item) string { return i.Section + "\x00" + i.Key + "\x00" + i.Instance }

// complete says whether an item has everything that its kind asks for, and if
// not, what is missing in a sentence. Checks that fail without anything missing
// (an expired passport) are a sentence only: the reviewer decides.
func (c *Compiled) complete(i *Item, now time.Time) (bool, string) {
	spec := c.Spec(i.Section, i.Key)
	if spec == nil {
		return false, ""
	}
	if i.Answers["none"] == true && spec.AllowNone != "" {
		return true, ""
	}
	switch i.Kind {
	case "file":
		return c.filesComplete(spec, i, now)
	case "acknowledge":
		return i.Answers["accepted"] == true, ""
	case "form":
		return c.formComplete(spec, i)
	case "long_text":
		return filled(i.Answers["text"], 0), ""
	}
	for _, key := range answerNames {
		if filled(i.Answers[key], 0) {
			return true, ""
		}
	}
	return i.Files.Ready > 0, "" // an answer may be a file where answer_types allow it
}

// answerNames are the names that the answer of a question may be given under.
var answerNames = []string{"text", "choice", "date", "number", "value"}

func (c *Compiled) filesComplete(spec *ItemSpec, i *Item, now time.Time) (bool, string) {
	least := 1
	if spec.Files != nil && spec.Files.Min > 0 {
		least = spec.Files.Min
	}
	if i.Files.Ready < least || (sentBack(i.EnteredStatus) && i.Files.Fresh == 0) {
		if i.Files.Scanning > 0 {
			return false, "We are checking the file. You can go on, we will tell you."
		}
		return false, ""
	}
	warning := ""
	for _, m := range metadataOf(spec) {
		value := i.metadata(m.Key)
		if value == "" {
			return false, "Add this: " + strings.ToLower(metadataLabel(m)) + "."
		}
		if w := checkMetadata(spec, m, value, i.cameAt(now)); w != "" {
			warning = w
		}
	}
	if w := i.coversNot(); w != "" {
		warning = w
	}
	return true, warning
}

// periodKeys are the facts by which a document may tell which time it covers.
var periodKeys = []Metadata{{Key: "period_from", Type: "date", Label: Text("First day it covers")}, {Key: "period_to", Type: "date", Label: Text("Last day it covers")}}

// coversNot says that a document does not cover the wanted month. Whoever tells
// no days is not asked for them: the reviewer looks.
func (i *Item) coversNot() string {
	from, errFrom := time.Parse("2006-01-02", i.metadata(periodKeys[0].Key))
	to, errTo := time.Parse("2006-01-02", i.metadata(periodKeys[1].Key))
	month, errMonth := time.Parse("2006-01", i.Covers)
	if errFrom != nil || errTo != nil || errMonth != nil {
		return ""
	}
	if from.After(month) || to.Before(month.AddDate(0, 1, -1)) {
		return "This does not cover all of " + month.Format("January 2006") + ". We may ask for another one."
	}
	return ""
}

// metadataOf lists the dates that must be told: those that a rule reads.
func metadataOf(spec *ItemSpec) []Metadata {
	var list []Metadata
	for _, m := range spec.Metadata {
		if m.MustBe != "" || (spec.Freshness != nil && spec.Freshness.Field == m.Key) {
			list = append(list, m)
		}
	}
	return list
}

// cameAt is when the newest file came: a sentence about its dates speaks of that
// moment, and stays true as days go by. Without a file it is now.
func (i *Item) cameAt(now time.Time) time.Time {
	if i.Files.Newest.IsZero() {
		return now
	}
	return i.Files.Newest
}

func metadataLabel(m Metadata) string {
	if !m.Label.IsZero() {
		return m.Label.String()
	}
	return human(m.Key)
}

// metadata is a fact about the item's newest document, or told on the item.
func (i *Item) metadata(key string) string {
	for n := len(i.Files.Metadata) - 1; n >= 0; n-- {
		if s, ok := i.Files.Metadata[n][key].(string); ok && s != "" {
			return s
		}
	}
	s, _ := i.Answers[key].(string)
	return s
}

func checkMetadata(spec *ItemSpec, m Metadata, value string, now time.Time) string {
	day, err := time.Parse("2006-01-02", value)
	if err != nil {
		return metadataLabel(m) + ": a date such as 2026-03-31 is expected."
	}
	if m.MustBe == "after_today" && !day.After(now) {
		return metadataLabel(m) + " was in the past when this came. We may ask for a newer one."
	}
	if m.MustBe == "before_today" && !day.Before(now) {
		return metadataLabel(m) + " was in the future when this came. Is that right?"
	}
	if f := spec.Freshness; f != nil && f.Field == m.Key && day.AddDate(0, f.MaxAgeMonths, 0).Before(now) {
		return "This was older than " + things(f.MaxAgeMonths, "month", "months") + " when it came. We may ask for a newer one."
	}
	return ""
}

func (c *Compiled) formComplete(spec *ItemSpec, i *Item) (bool, string) {
	begun := false
	for key, value := range i.Answers {
		if !strings.HasPrefix(key, "_") && filled(value, 0) {
			begun = true
		}
	}
	form := c.Forms[spec.Form]
	if form == nil {
		return begun, ""
	}
	for _, q := range form.Questions {
		if q.Required && !filled(i.Answers[q.Key], 0) {
			return false, ""
		}
	}
	return begun, ""
}

// settle gives an item the status that its content asks for, after the provider
// changed something. An accepted or waived item is left alone.
func (c *Compiled) settle(i *Item, now time.Time) {
	switch i.Status {
	case Accepted, Waived:
		return
	}
	done, _ := c.complete(i, now)
	if done && sentBack(i.Status) {
		i.newVersion()
	}
	switch {
	case done && i.Answers["none"] == true:
		i.Status = NotApplicable
	case done:
		i.Status = Provided
	case sentBack(i.EnteredStatus):
		i.Status = i.EnteredStatus
	default:
		i.Status = Missing
	}
}

// begun says whether something was given, though not all.
func (i *Item) begun() bool {
	if i.Files.Ready > 0 || i.Files.Scanning > 0 {
		return true
	}
	for key, value := range i.Answers {
		if !strings.HasPrefix(key, "_") && filled(value, 0) && value != false {
			return true
		}
	}
	return false
}
