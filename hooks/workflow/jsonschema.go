package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// JSONSchema describes the language for editors, which complete and check by it
// while one writes. It is made from the types that definitions are read into and
// from their meanings, so it cannot say anything else than the reader does.
func JSONSchema() ([]byte, error) {
	s := &schemer{defs: map[string]any{}}
	root := s.object(reflect.TypeFor[Definition]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "A workflow of Gatehouse (" + Schema + ")"
	root["$defs"] = s.defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON Schema: %w", err)
	}
	return append(out, '\n'), nil
}

type schemer struct{ defs map[string]any }

// object describes a struct by its members.
func (s *schemer) object(t reflect.Type) map[string]any {
	properties, known := map[string]any{}, members(t)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		property := t.Name() + "." + name
		described := s.value(known[name], property)
		described["description"] = meanings[property]
		properties[name] = described
	}
	o := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if names := needed[t.Name()]; names != nil {
		o["required"] = names
	}
	return o
}

// value describes what may stand for a member.
func (s *schemer) value(t reflect.Type, property string) map[string]any {
	if t == reflect.TypeFor[*Label]() {
		return map[string]any{"anyOf": []any{map[string]any{"type": "null"}, label()}}
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Names]():
		one := s.text(property)
		return map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}}
	case reflect.TypeFor[Label]():
		return label()
	case reflect.TypeFor[Condition](), reflect.TypeFor[Guard]():
		return map[string]any{"anyOf": []any{map[string]any{"type": "string", "description": "An expression that is a yes or no."}, s.reference(t)}}
	case reflect.TypeFor[Flexible](), reflect.TypeFor[any]():
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.String:
		return s.text(property)
	case reflect.Int:
		return map[string]any{"type": "integer", "minimum": leastOf[property], "maximum": 9_999_999}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.value(t.Elem(), property)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.value(t.Elem(), "")}
	}
	return s.reference(t)
}

func (s *schemer) text(property string) map[string]any {
	one := map[string]any{"type": "string"}
	if words := closed[property]; words != nil {
		one["enum"] = words
	}
	return one
}

func label() map[string]any {
	return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}}}}
}

// reference names a struct that is described once.
func (s *schemer) reference(t reflect.Type) map[string]any {
	name := strings.ToLower(t.Name()[:1]) + t.Name()[1:]
	if _, done := s.defs[name]; !done {
		s.defs[name] = nil // so that a type within itself ends
		o := s.object(t)
		if t == reflect.TypeFor[Guard]() || t == reflect.TypeFor[Condition]() || t == reflect.TypeFor[Effect]() {
			o["minProperties"] = 1
		}
		s.defs[name] = o
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

// propertyTable is the table of a type's members for docs/workflows.md.
func propertyTable(t reflect.Type) string {
	var b strings.Builder
	b.WriteString("| key | takes | meaning |\n| --- | --- | --- |\n")
	known := members(t)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		property := t.Name() + "." + name
		mark := ""
		if slices.Contains(needed[t.Name()], name) {
			mark = " *"
		}
		fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", name, mark, takes(known[name], property), meanings[property])
	}
	return b.String()
}

// takes says in words what may stand for a member.
func takes(t reflect.Type, property string) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	words := ""
	if list := closed[property]; list != nil {
		words = ": `" + strings.Join(list, "`, `") + "`"
	}
	switch t {
	case reflect.TypeFor[Names]():
		return "one or a list" + words
	case reflect.TypeFor[Label]():
		return "text, or texts by language"
	case reflect.TypeFor[Condition]():
		return "condition"
	case reflect.TypeFor[Flexible](), reflect.TypeFor[any]():
		return "any value"
	}
	switch t.Kind() {
	case reflect.String:
		return "text" + words
	case reflect.Int:
		return fmt.Sprintf("whole number from %d", leastOf[property])
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "list of " + anchor(t.Elem())
		}
		return "list"
	case reflect.Map:
		return "keys with values"
	}
	return anchor(t)
}

// anchor links to the part of the page that explains a type.
func anchor(t reflect.Type) string {
	name := map[string]string{
		"ItemSpec": "item", "CalendarSpec": "calendar", "FileCount": "files", "ItemsGuard": "items guard", "JobsGuard": "jobs guard", "SetItems": "set_items", "Assist": "ai",
	}[t.Name()]
	if name == "" {
		name = strings.ToLower(t.Name())
	}
	return fmt.Sprintf("[%s](#%s)", name, strings.ReplaceAll(name, " ", "-"))
}

// factTable is the table of a group of facts for docs/workflows.md.
func factTable(prefix string, facts []fact) string {
	var b strings.Builder
	b.WriteString("| fact | is | meaning |\n| --- | --- | --- |\n")
	for _, f := range facts {
		words := ""
		if f.options != nil {
			words = ": `" + strings.Join(f.options, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s.%s` | %s%s | %s |\n", prefix, f.name, f.kind, words, f.means)
	}
	return b.String()
}
