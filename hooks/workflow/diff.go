package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/hooks/schema"
)

// Difference is one thing in which two definitions differ, in words.
type Difference struct {
	Kind string `json:"kind"` // added removed changed
	Area string `json:"area"` // head state transition section item field reminder notification job
	Key  string `json:"key"`
	Text string `json:"text"`
}

// Diff says in words what the second definition has otherwise than the first.
// Nothing is left out: it is empty only if both say the same, versions and
// sources aside.
func Diff(a, b *Definition) []Difference {
	d := &differ{list: []Difference{}}
	before, after := plainMembers(a), plainMembers(b)
	for _, area := range diffAreas {
		d.area(area, takeList(before, area.member), takeList(after, area.member))
	}
	delete(before, "version")
	delete(after, "version")
	for _, key := range diffKeys(before, after) {
		d.member("head", key, "The workflow", key, before[key], after[key])
	}
	return d.list
}

// diffArea is a keyed list of a definition.
type diffArea struct {
	member, name, word string
	key                func(m map[string]any) string
}

func memberNamed(name string) func(map[string]any) string {
	return func(m map[string]any) string { s, _ := m[name].(string); return s }
}

var diffAreas = []diffArea{
	{"states", "state", "State", memberNamed("key")},
	{"transitions", "transition", "Step", memberNamed("key")},
	{"sections", "section", "Section", memberNamed("key")},
	{"fields", "field", "Field", memberNamed("key")},
	{"reminders", "reminder", "Reminder", memberNamed("key")},
	{"notifications", "notification", "Notification", func(m map[string]any) string {
		return memberNamed("event")(m) + " to " + anyOf(m["to"])
	}},
	{"integrations", "job", "Job", memberNamed("job")},
}

var diffItems = diffArea{"items", "item", "Item", memberNamed("key")}

type differ struct{ list []Difference }

func (d *differ) say(kind, area, key, format string, args ...any) {
	d.list = append(d.list, Difference{Kind: kind, Area: area, Key: key, Text: fmt.Sprintf(format, args...)})
}

// area compares two keyed lists: what went, what came, what changed, and whether
// the order did. Keys that are there twice are told apart by their number.
func (d *differ) area(a diffArea, before, after []any) {
	old, oldKeys := keyedBy(a, before)
	now, nowKeys := keyedBy(a, after)
	for _, key := range oldKeys {
		if now[key] == nil {
			d.say("removed", a.name, key, "%s %q is gone.", a.word, key)
		}
	}
	for _, key := range nowKeys {
		switch {
		case old[key] == nil:
			d.say("added", a.name, key, "%s %q is new%s.", a.word, key, newly(a, now[key]))
			if a.name == "section" {
				d.area(diffItems, nil, listOf(now[key]["items"]))
			}
		case a.name == "section":
			d.area(diffItems, takeList(old[key], "items"), takeList(now[key], "items"))
			fallthrough
		default:
			for _, member := range diffKeys(old[key], now[key]) {
				d.member(a.name, key, fmt.Sprintf("%s %q", a.word, key), member, old[key][member], now[key][member])
			}
		}
	}
	both := func(key string) bool { return old[key] == nil || now[key] == nil }
	if !slices.Equal(slices.DeleteFunc(oldKeys, both), slices.DeleteFunc(nowKeys, both)) {
		d.say("changed", a.name, "", "The order of the %ss is another.", a.name)
	}
}

// newly says of something new what one asks first.
func newly(a diffArea, m map[string]any) string {
	switch a.name {
	case "item":
		if m["template"] == true {
			return ", a kind that staff may add"
		}
		if m["required"] == false {
			return " and may be left out"
		}
		return " and required"
	case "transition":
		return fmt.Sprintf(": from %s to %q, by %s", anyOf(m["from"]), m["to"], anyOf(m["by"]))
	case "field":
		if before, _ := m["required_before"].(string); before != "" {
			return fmt.Sprintf(" and required before %q", before)
		}
	}
	return ""
}

// diffPhrase are the words for one member: of a list, for what went and what came;
// of a single value, for the change.
type diffPhrase struct{ gone, come, changed string }

var diffPhrases = map[string]diffPhrase{
	"transition.by":       {gone: "a %s may no longer take it", come: "a %s may take it now"},
	"transition.from":     {gone: "it no longer leads out of %s", come: "it leads out of %s now"},
	"transition.to":       {changed: "it leads to %[2]s, no longer to %[1]s"},
	"transition.requires": {gone: "it no longer asks for %s", come: "it asks for %s now"},
	"transition.guard":    {gone: "this is no longer a condition: %s", come: "this is a condition now: %s"},
	"transition.effects":  {gone: "it no longer does this: %s", come: "it does this now: %s"},
	"state.turn":          {changed: "it is the turn of %[2]s, no longer of %[1]s"},
	"state.restricted_to": {gone: "it is no longer kept for the duty %s", come: "it is kept for the duty %s now"},
	"state.can.provide":   {gone: "section %s can no longer be given there", come: "section %s can be given there now"},
	"state.can.review":    {gone: "section %s is no longer reviewed there", come: "section %s is reviewed there now"},
	"state.can.add":       {gone: "nothing can be added to section %s there any more", come: "items can be added to section %s there now"},
	"section.reviewer":    {changed: "it is reviewed by %[2]s, no longer by %[1]s"},
	"item.text_ref":       {changed: "it refers to the text %[2]s, no longer to %[1]s: what was accepted has to be accepted again"},
	"item.accept":         {gone: "%s files are no longer taken", come: "%s files are taken now"},
	"field.options":       {gone: "%s can no longer be chosen", come: "%s can be chosen now"},
	"field.type":          {changed: "it is a %[2]s, no longer a %[1]s"},
	"reminder.to":         {gone: "%s is no longer reminded", come: "%s is reminded now"},
}

// member compares one member of one thing.
func (d *differ) member(area, key, subject, member string, before, after any) {
	if schema.JSON(before) == schema.JSON(after) {
		return
	}
	p := diffPhrases[area+"."+member]
	was, wasList := before.([]any)
	is, isList := after.([]any)
	if (wasList || before == nil) && (isList || after == nil) {
		if len(was)+len(is) == 0 {
			return
		}
		d.elements(area, key, subject, member, p, was, is)
		return
	}
	oldObject, wasObject := before.(map[string]any)
	newObject, isObject := after.(map[string]any)
	if (wasObject || before == nil) && (isObject || after == nil) {
		for _, inner := range diffKeys(oldObject, newObject) {
			d.member(area, key, subject, member+"."+inner, oldObject[inner], newObject[inner])
		}
		return
	}
	if flag, ok := diffSwitches[area+"."+member]; ok {
		if value, isBool := after.(bool); isBool || after == nil {
			d.say("changed", area, key, "%s: %s.", subject, flag[fmt.Sprint(value || (after == nil && before == false))])
			return
		}
	}
	if p.changed != "" && before != nil && after != nil {
		d.say("changed", area, key, "%s: %s.", subject, fmt.Sprintf(p.changed, plainValue(before), plainValue(after)))
		return
	}
	name := strings.ReplaceAll(member, "_", " ")
	switch {
	case before == nil:
		d.say("changed", area, key, "%s: %s is %s now.", subject, name, plainValue(after))
	case after == nil:
		d.say("changed", area, key, "%s: %s is no longer set (it was %s).", subject, name, plainValue(before))
	default:
		d.say("changed", area, key, "%s: %s is %s, no longer %s.", subject, name, plainValue(after), plainValue(before))
	}
}

// diffSwitches are the members that are yes or no.
var diffSwitches = map[string]map[string]string{
	"item.required":          {"true": "it is required now", "false": "it may be left out now"},
	"state.client_visible":   {"true": "the client sees it now", "false": "the client no longer sees it"},
	"state.tipping_off_safe": {"true": "the client must not learn of it now", "false": "the client may learn of it now"},
	"transition.confirm":     {"true": "the page asks first now", "false": "the page no longer asks first"},
}

// elements compares two lists of values: one line for each that went or came.
func (d *differ) elements(area, key, subject, member string, p diffPhrase, before, after []any) {
	name := strings.ReplaceAll(member, "_", " ")
	if p.gone == "" {
		p = diffPhrase{gone: name + " no longer has %s", come: name + " has %s now"}
	}
	old, now := tallyOf(before), tallyOf(after)
	same := true
	for _, x := range before {
		if text := schema.JSON(x); now[text] < old[text] {
			old[text], same = old[text]-1, false
			d.say("changed", area, key, "%s: "+p.gone+".", subject, plainValue(x))
		}
	}
	old = tallyOf(before)
	for _, x := range after {
		if text := schema.JSON(x); old[text] < now[text] {
			now[text], same = now[text]-1, false
			d.say("changed", area, key, "%s: "+p.come+".", subject, plainValue(x))
		}
	}
	if same {
		d.say("changed", area, key, "%s: %s are in another order.", subject, name)
	}
}

func tallyOf(list []any) map[string]int {
	n := map[string]int{}
	for _, x := range list {
		n[schema.JSON(x)]++
	}
	return n
}

// plainMembers is a definition as plain values.
func plainMembers(d *Definition) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(schema.JSON(d)), &m); err != nil {
		return map[string]any{}
	}
	return m
}

// takeList removes a list from an object and gives it.
func takeList(m map[string]any, member string) []any {
	found := listOf(m[member])
	delete(m, member)
	return found
}

func listOf(v any) []any {
	l, _ := v.([]any)
	return l
}

func keyedBy(a diffArea, elements []any) (map[string]map[string]any, []string) {
	byKey, keys := map[string]map[string]any{}, make([]string, 0, len(elements))
	for _, x := range elements {
		m, _ := x.(map[string]any)
		name := a.key(m)
		key := name
		for n := 2; byKey[key] != nil; n++ {
			key = fmt.Sprintf("%s (%d)", name, n)
		}
		byKey[key] = m
		keys = append(keys, key)
	}
	return byKey, keys
}

func diffKeys(a, b map[string]any) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// plainValue is a value inside a sentence: names as they are, texts in quotes, the
// rest as short JSON.
func plainValue(v any) string {
	switch x := v.(type) {
	case string:
		if x != "" && strings.TrimFunc(x, plainKey) == "" {
			return x
		}
		return fmt.Sprintf("%q", x)
	case nil:
		return "nothing"
	case bool:
		return map[bool]string{true: "yes", false: "no"}[x]
	}
	return strings.NewReplacer(`"`, "", ",", ", ", ":", ": ").Replace(schema.JSON(v))
}

// anyOf joins names: "draft, collecting or fixing".
func anyOf(v any) string {
	var names []string
	for _, x := range listOf(v) {
		names = append(names, fmt.Sprint(x))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
