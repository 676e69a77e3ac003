package workflow

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gatehouse/hooks/schema"
)

// The vocabulary of expressions: every fact that one may read, with its type.
// docs/workflows.md has the same tables, made from these.
//
// Two things are left out on purpose. The state of the request: a client is
// judged by the state that he is shown, and a condition that read the true one
// would tell him of a state that he must not learn of; a transition names its
// states under from. And everything outside the request and its organization:
// an expression gets values, never functions of ours, so there is no way to a
// file, the network, the environment, chance, or the clock (time is Facts.Now).

// valueKind is the type of a value in an expression.
type valueKind int

// The types. An open value (organization data, which has no declared fields)
// takes the type of what it is compared with.
const (
	yesNoValue valueKind = iota
	textValue
	numberValue
	listValue
	openValue
)

func (k valueKind) String() string {
	return [...]string{"a yes or no", "a text", "a number", "a list", "a value"}[k]
}

// zero is what a missing value reads as.
func (k valueKind) zero() any {
	return [...]any{false, "", 0.0, []any{}, nil}[k]
}

// moment is what an expression is asked about: a request, and whether only what
// the client may know of its items counts.
type moment struct {
	def   *Compiled
	facts *Facts
	shown bool
}

// fact is one thing that an expression may read.
type fact struct {
	name    string
	kind    valueKind
	means   string
	options []string    // the only words that it can be; nil for any
	look    *lookOfText // how its texts look; nil for any
	status  bool        // an item status: rejected and waived include their kin
	moving  bool        // changes as time passes, or as the request moves
	read    func(m moment) any
}

// lookOfText is the form of a date or the like.
type lookOfText struct {
	pattern *regexp.Regexp
	example string
}

var looks = map[string]*lookOfText{
	"date":      {regexp.MustCompile(`^\d{4}-\d\d-\d\d$`), "2026-03-31"},
	"month":     {regexp.MustCompile(`^\d{4}-\d\d$`), "2026-03"},
	"month_day": {regexp.MustCompile(`^\d\d-\d\d$`), "03-31"},
}

// group is a set of facts under one name: data, request, time.
type group map[string]*fact

func groupOf(facts []fact) group {
	g := group{}
	for i := range facts {
		g[facts[i].name] = &facts[i]
	}
	return g
}

var requestFacts = []fact{
	{name: "number", kind: textValue, means: "the request's number", read: func(m moment) any { return m.facts.Number }},
	{name: "title", kind: textValue, means: "the request's title", read: func(m moment) any { return m.facts.Title }},
	{name: "period", kind: textValue, means: "the period of a recurring request, such as `2026-03`; empty for others", look: looks["month"], read: func(m moment) any { return m.facts.Period }},
	{name: "priority", kind: textValue, means: "how urgent it is", options: []string{"low", "normal", "high", "urgent"}, read: func(m moment) any { return m.facts.Priority }},
	{name: "entry", kind: numberValue, means: "how many times the request has entered its present state, this time included", moving: true, read: func(m moment) any { return float64(m.facts.Entry) }},
	{name: "days_in_state", kind: numberValue, means: "whole days since it entered its present state", moving: true, read: func(m moment) any { return float64(int(m.facts.Now.Sub(m.facts.StateSince).Hours() / 24)) }},
	{name: "business_days_in_state", kind: numberValue, means: "working days since it entered its present state, that day not counted", moving: true, read: func(m moment) any {
		return float64(m.def.Calendar.BusinessDays(m.facts.StateSince, m.facts.Now))
	}},
	{name: "due", kind: textValue, means: "the day when it is due, such as `2026-03-31`; empty without one", look: looks["date"], moving: true, read: func(m moment) any { return m.dueDay() }},
	{name: "overdue", kind: yesNoValue, means: "its due time is over", moving: true, read: func(m moment) any { return m.overdue() }},
}

var timeFacts = []fact{
	{name: "today", kind: textValue, means: "the day, such as `2026-03-31`", look: looks["date"], moving: true, read: func(m moment) any { return m.now().Format(time.DateOnly) }},
	{name: "weekday", kind: textValue, means: "the day of the week", moving: true, options: []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}, read: func(m moment) any {
		return strings.ToLower(m.now().Weekday().String())
	}},
	{name: "month", kind: numberValue, means: "the month, 1 to 12", moving: true, read: func(m moment) any { return float64(m.now().Month()) }},
	{name: "day", kind: numberValue, means: "the day of the month, 1 to 31", moving: true, read: func(m moment) any { return float64(m.now().Day()) }},
	{name: "hour", kind: numberValue, means: "the hour, 0 to 23", moving: true, read: func(m moment) any { return float64(m.now().Hour()) }},
	{name: "business", kind: yesNoValue, means: "it is within business hours now", moving: true, read: func(m moment) any { return m.def.Calendar.isOpen(m.facts.Now) }},
	{name: "business_day", kind: yesNoValue, means: "today is a working day", moving: true, read: func(m moment) any { return m.def.Calendar.IsWorkday(m.facts.Now) }},
}

var organizationFacts = []fact{
	{name: "code", kind: textValue, means: "the organization's short code", read: func(m moment) any { return m.facts.OrgCode }},
	{name: "name", kind: textValue, means: "the organization's name", read: func(m moment) any { return m.facts.OrgName }},
}

// countsOf are what sections.<key> counts, of the items that apply now.
var countsOf = []fact{
	{name: "total", kind: numberValue, means: "all items"},
	{name: Missing, kind: numberValue, means: "not given yet"},
	{name: Provided, kind: numberValue, means: "given, not decided on"},
	{name: Accepted, kind: numberValue, means: "accepted"},
	{name: Rejected, kind: numberValue, means: "sent back: rejected, more needed, or expired"},
	{name: Waived, kind: numberValue, means: "not needed: waived, or not applicable"},
}

func (m moment) now() time.Time { return m.facts.Now.In(m.def.Calendar.zone) }

func (m moment) dueDay() string {
	at := schema.Time(m.facts.Due)
	if at.IsZero() {
		return ""
	}
	return at.In(m.def.Calendar.zone).Format(time.DateOnly)
}

func (m moment) overdue() bool {
	at := schema.Time(m.facts.Due)
	return !at.IsZero() && at.Before(m.facts.Now)
}

// vocabulary makes the groups of a definition.
func (c *Compiled) vocabulary() map[string]group {
	data, given := group{}, group{}
	for i := range c.Fields {
		f := &c.Fields[i]
		data[f.Key], given[f.Key] = dataFact(f), &fact{kind: yesNoValue, read: func(m moment) any { return filled(m.facts.Data[f.Key], f.Min) }}
	}
	items := group{}
	for i := range c.Sections {
		for _, spec := range c.Sections[i].Items {
			items[spec.Key] = &fact{kind: textValue, options: statuses, status: true, read: func(m moment) any { return m.itemStatus(spec.Key) }}
		}
	}
	return map[string]group{
		"data": data, "given": given, "items": items,
		"request": groupOf(requestFacts), "time": groupOf(timeFacts), "organization": groupOf(organizationFacts),
	}
}

func dataFact(f *Field) *fact {
	kind := textValue
	switch f.Type {
	case "number", "money":
		kind = numberValue
	case "bool":
		kind = yesNoValue
	case "multi_choice", "list", "people_list":
		kind = listValue
	}
	return &fact{kind: kind, options: f.Options, look: looks[f.Type], read: func(m moment) any { return kind.of(m.facts.Data[f.Key]) }}
}

// sectionFact counts the items of a section by status.
func sectionFact(section, count string) *fact {
	return &fact{kind: numberValue, read: func(m moment) any {
		n := 0
		for _, i := range m.facts.Items {
			if i.Active && i.Section == section && (count == "total" || inList([]string{count}, m.statusOf(i))) {
				n++
			}
		}
		return float64(n)
	}}
}

// organizationData is a value of the organization's data, which has no declared
// fields: it is read as the type that the expression needs.
func organizationData(key string, kind valueKind) *fact {
	return &fact{kind: kind, read: func(m moment) any { return kind.of(m.facts.OrgData[key]) }}
}

// of reads a stored value as the type; one that is missing, or of another type
// after all, reads as the type's zero. So nothing fails while a condition runs.
func (k valueKind) of(value any) any {
	switch k {
	case yesNoValue:
		return value == true
	case numberValue:
		return toFloat(value)
	case listValue:
		return labels(value)
	}
	if s, ok := value.(string); ok {
		return s
	}
	return ""
}

// labels are the elements of a list as texts; people count by their names.
func labels(value any) []any {
	list, _ := value.([]any)
	texts := make([]any, 0, len(list))
	for _, x := range list {
		switch v := x.(type) {
		case string:
			texts = append(texts, v)
		case map[string]any:
			texts = append(texts, firstText(v, "name", "label", "title"))
		case float64:
			texts = append(texts, fmt.Sprint(v))
		}
	}
	return texts
}

// unsettled are the statuses in the order in which they hold up a request.
var unsettled = []string{Missing, Expired, Rejected, MoreNeeded, Provided, Accepted, Waived, NotApplicable}

// itemStatus is the status of the applicable items of a key; of several that
// which holds up the request most. Empty if there is none.
func (m moment) itemStatus(key string) string {
	least := len(unsettled)
	for _, i := range m.facts.Items {
		if i.Active && i.Key == key {
			if at := slices.Index(unsettled, m.statusOf(i)); at >= 0 {
				least = min(least, at)
			}
		}
	}
	if least == len(unsettled) {
		return ""
	}
	return unsettled[least]
}

// statusOf is an item's status, or what the client is shown of it: what he is
// asked for must not tell him of a decision that is not out yet.
func (m moment) statusOf(i *Item) string {
	if m.shown {
		return shownOf(i).Status
	}
	return i.Status
}
