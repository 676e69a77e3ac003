package workflow

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// human turns a key into words: "address_proof" → "Address proof".
func human(key string) string {
	s := strings.TrimSpace(strings.ReplaceAll(key, "_", " "))
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func fieldLabel(f *Field) string { return fieldLabelIn(f, "") }

func fieldLabelIn(f *Field, locale string) string {
	if !f.Label.IsZero() {
		return f.Label.In(locale)
	}
	return human(f.Key)
}

// roleWords names who may take a step: "An admin or a member".
func (c *Compiled) roleWords(names []string, client bool) string {
	words := make([]string, 0, len(names))
	for _, name := range names {
		switch {
		case name == "system" || c.IsClientRole(name) != client:
		case name == "client_admin":
			words = append(words, "an admin")
		case name == "client_member":
			words = append(words, "a member")
		case name == "client_viewer":
			words = append(words, "a viewer")
		case name == "client_delegate":
			words = append(words, "a delegate")
		default:
			words = append(words, "the "+strings.ToLower(human(strings.TrimPrefix(name, "client_"))))
		}
	}
	if len(words) == 0 {
		return "Nobody of your side"
	}
	s := words[0]
	if len(words) > 1 {
		s = strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	}
	if client {
		return human(s)
	}
	return s
}

// fill replaces {name} by its value; unknown names stay as they are.
func fill(template string, values map[string]string) string {
	if !strings.Contains(template, "{") {
		return template
	}
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}

// things counts in words: "1 item", "3 items".
func things(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// JobWords reads "crm.create_client" as "create client": the system that a job is
// for stands in its name alone.
func JobWords(name string) string {
	if _, job, ok := strings.Cut(name, "."); ok {
		name = job
	}
	return strings.ToLower(human(name))
}

var jobStatus = map[string]string{"queued": "waiting", "running": "running", "done": "done", "retrying": "failed, will be tried again", "dead": "stopped, needs a person", "skipped": "skipped", "cancelled": "cancelled"}

// JobLine is the sentence on how a job stands: what is done, where, and whether.
func JobLine(name, system, status string) string {
	return fmt.Sprintf("%s (%s): %s.", human(JobWords(name)), human(system), jobStatus[status])
}
