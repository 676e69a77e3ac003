package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/hooks/schema"
)

// audited tells an entry of the audit log: who did what, and what changed from
// what to what.
func (w *words) audited(e *Entry, who, action string, d map[string]any) {
	who = somebody(who)
	change, _ := d["change"].(map[string]any)
	item, collection := text(d, "item"), text(d, "collection")
	if title := text(change, "title"); item == "" && title != "" {
		item = title
	}
	thing := objects[collection]
	if thing == "" {
		thing = "this request"
	}
	switch {
	case e.Kind == "view":
		e.Text = who + " " + viewed[action] + "."
		if item != "" && collection == schema.Documents {
			e.Text = who + " " + viewed[action] + ` "` + item + `".`
		}
		if as := text(change, "as"); as != "" && action == "view_as" {
			e.Text = who + " looked at this as " + as + " sees it."
		}
	case action == "review" && text(change, "accepted") != "":
		e.Text = who + " accepted: " + human(strings.TrimSuffix(text(change, "accepted"), "_sha256")) + "."
	case action == "review" && text(change, "confirmed") != "":
		e.Text = who + ` confirmed "` + item + `" after "` + text(change, "confirmed") + `" was opened again.`
	case action == "review":
		_, now := pair(change["status"])
		status, _ := now.(string)
		e.Text, e.Detail = decision(who, status, item), reasons(change)
	case action == "create" && collection == schema.Requests:
		e.Text, e.Detail = who+" opened this request.", text(change, "because")
	case text(change, "hold") == "begun":
		e.Text, e.Detail = who+" put this on hold until "+w.value("until", change["until"])+".", text(change, "reason")
	case text(change, "hold") != "":
		e.Text = who + " took this off hold."
	case action == "update" && item != "":
		e.Text, e.Detail = who+` changed "`+item+`".`, w.changes(change)
	case action == "update":
		e.Text, e.Detail = who+" changed "+thing+".", w.changes(change)
	case item != "":
		e.Text = who + " " + did[action] + " " + thing + ` "` + item + `".`
	default:
		e.Text = who + " " + did[action] + " " + thing + "."
	}
	e.Detail = sentences(e.Detail, directly(d))
}

var (
	viewed  = map[string]string{"view_as": "looked at this as the client sees it", "preview": "looked at a file", "download": "downloaded a file", "export": "exported this request"}
	did     = map[string]string{"create": "added", "delete": "removed"}
	objects = map[string]string{
		schema.Items: "the item", schema.Documents: "the file", schema.Messages: "a message", schema.InternalNotes: "an internal note",
		schema.RequestPeople: "a person on this request", schema.Delegations: "a delegation", schema.Walls: "a wall", schema.Jobs: "a job",
	}
)

// changes tells the changed fields: "Due: 1 Dec 2026 → 8 Dec 2026; Priority: normal → high".
func (w *words) changes(change map[string]any) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(change)) {
		if key == "answers" {
			if answers, ok := change[key].(map[string]any); ok {
				parts = append(parts, w.changes(answers))
			}
			continue
		}
		before, after := pair(change[key])
		if before == nil && after == nil {
			continue
		}
		parts = append(parts, w.field(key)+": "+w.value(key, before)+" → "+w.value(key, after))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// pair reads a change: [before, after], {"before", "after"}, or a bare new value.
func pair(v any) (before, after any) {
	switch v := v.(type) {
	case []any:
		if len(v) == 2 {
			return v[0], v[1]
		}
	case map[string]any:
		return v["before"], v["after"]
	case string, float64, bool:
		return nil, v
	}
	return nil, nil
}

// field is the name of a field as its definition has it.
func (w *words) field(key string) string {
	name := strings.TrimPrefix(key, "data.")
	if f := w.def.Field(name); f != nil && !f.Label.IsZero() {
		return f.Label.String()
	}
	return human(name)
}

const longestValue = 80

// value is what a field holds, in words.
func (w *words) value(key string, v any) string {
	s := ""
	switch v := v.(type) {
	case nil:
	case bool:
		s = map[bool]string{true: "yes", false: "no"}[v]
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		s = v
		if list := schema.Strings(v); key == "tags" {
			s = strings.Join(list, ", ")
		}
		if name := w.people[v]; name != "" {
			s = name
		}
		if at := schema.Time(v); len(v) > 18 && !at.IsZero() {
			s = at.Format("2 Jan 2006")
		}
	case []any:
		names := make([]string, 0, len(v))
		for _, one := range v {
			names = append(names, w.value(key, one))
		}
		s = strings.Join(names, ", ")
	case map[string]any:
		s = things(len(v), "entry", "entries")
		if name := text(v, "name"); name != "" {
			s = name
		}
	}
	if letters := []rune(s); len(letters) > longestValue {
		s = string(letters[:longestValue]) + "…"
	}
	if s == "" {
		return "nothing"
	}
	return s
}
