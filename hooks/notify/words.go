package notify

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// fill replaces {name} by what value gives for it.
func fill(template string, value func(name string) string) string {
	return placeholder.ReplaceAllStringFunc(template, func(found string) string { return value(found[1 : len(found)-1]) })
}

// dedupe is the key under which a notice is stored once. Whatever the rule
// writes, it carries the entry and the person, and the channel with it.
func (p *planner) dedupe(rule Rule, slot string) string {
	key := fill(rule.Dedupe, func(name string) string {
		switch name {
		case "request":
			return p.Request.ID
		case "org", "organization":
			return p.Request.Organization
		case "event":
			return rule.Event
		case "day":
			return p.Event.At.In(zone(Person{}, p.Location)).Format(time.DateOnly)
		case "id":
			return p.Event.ID
		case "person":
			return strings.SplitN(slot, "/", 2)[0]
		}
		return p.fact(name)
	})
	return fmt.Sprintf("%s/%d/%s", key, p.entry(), slot)
}

// sentence fills a rule's reason with words for the person.
func (f Facts) sentence(template string, person Person) string {
	filled := fill(template, func(name string) string {
		switch name {
		case "request":
			return f.Request.titleFor(person)
		case "org", "organization":
			return f.Request.OrganizationName
		}
		return f.fact(name)
	})
	return strings.Join(strings.Fields(filled), " ")
}

// fact finds a placeholder's value in the event, then in the request's data.
func (f Facts) fact(name string) string {
	switch name {
	case "entry":
		return strconv.Itoa(f.entry())
	case "period":
		return f.Request.Period
	case "count":
		return strconv.Itoa(f.count())
	case "message":
		return f.Payload.Message
	case "job":
		return f.Payload.Job
	case "error_class":
		return f.Payload.ErrorClass
	case "event":
		return f.Event.Type
	}
	switch value := f.Payload.Data[name].(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return fmt.Sprint(value)
	}
}

func (f Facts) entry() int {
	if f.Payload.Entry > 0 {
		return f.Payload.Entry
	}
	return f.Request.Entry
}

// count is of the things that an event is about: those sent back, else those
// that are asked for.
func (f Facts) count() int {
	return cmp.Or(f.Payload.Count, len(f.Payload.SentBack), len(f.Payload.Missing))
}

// because makes the reason line of a mail from a rule's sentence: "You own it."
// becomes "You get this because you own it.", a sentence.
func because(why string) string {
	why = strings.TrimSpace(why)
	if why == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(why)
	word, _, _ := strings.Cut(why, " ")
	// Only words that can stand inside a sentence lose their capital; a name keeps it.
	if lowered[strings.ToLower(strings.Trim(word, ".,:;"))] {
		why = string(unicode.ToLower(first)) + why[size:]
	}
	if !strings.ContainsAny(why[len(why)-1:], ".!?") {
		why += "."
	}
	return "You get this because " + why
}

var lowered = map[string]bool{"you": true, "your": true, "we": true, "it": true, "the": true, "a": true, "an": true, "only": true, "this": true, "there": true, "somebody": true}

// day writes a date as people say it: "Fri 12 Dec", with the year if it is not
// this one.
func day(t time.Time, in *time.Location, now time.Time) string {
	local := t.In(in)
	if local.Year() != now.In(in).Year() {
		return local.Format("Mon 2 Jan 2006")
	}
	return local.Format("Mon 2 Jan")
}

// moment writes a date and time: "Tue 9 Dec, 14:05".
func moment(t time.Time, in *time.Location, now time.Time) string {
	return day(t, in, now) + ", " + t.In(in).Format("15:04")
}

// oneLine makes a header-safe line of a text, and shortens it.
func oneLine(text string, most int) string {
	line := strings.Join(strings.Fields(text), " ")
	if utf8.RuneCountInString(line) > most {
		line = string([]rune(line)[:most-1]) + "…"
	}
	return line
}

// plural is "1 item" or "3 items".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
