package workflow

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/hooks/schema"
)

// maxText bounds a text in request data and answers, in characters.
const maxText = 20_000

// clean checks a value for a field's type and gives it in the stored form. The
// error is a sentence for the person. nil clears.
func (f *Field) clean(value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	return cleanValue(f.Type, value, f.Options)
}

func cleanValue(kind string, value any, options []string) (any, error) {
	switch kind {
	case "bool":
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("a yes or a no is expected")
	case "number", "money":
		return cleanNumber(value)
	case "date":
		return cleanDate(value, "2006-01-02", "a date such as 2026-03-31")
	case "month":
		return cleanDate(value, "2006-01", "a month such as 2026-03")
	case "month_day":
		return cleanDate(value, "01-02", "a day such as 03-31")
	case "choice":
		s, ok := value.(string)
		if !ok || (s != "" && len(options) > 0 && !slices.Contains(options, s)) {
			return nil, fmt.Errorf("one of these is expected: %s", strings.Join(options, ", "))
		}
		return s, nil
	case "multi_choice":
		return cleanChoices(value, options)
	case "list":
		return cleanList(value)
	case "people_list":
		return cleanPeople(value)
	}
	s, ok := value.(string)
	if !ok {
		if n, isNumber := value.(float64); isNumber {
			return strconv.FormatFloat(n, 'f', -1, 64), nil
		}
		return nil, fmt.Errorf("a text is expected")
	}
	if len(s) > maxText {
		return nil, fmt.Errorf("the text is too long (at most %d characters)", maxText)
	}
	return s, nil
}

func cleanNumber(value any) (any, error) {
	switch n := value.(type) {
	case float64:
		if !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n, nil
		}
	case int:
		return float64(n), nil
	case string:
		if n == "" {
			return nil, nil
		}
		parsed, err := strconv.ParseFloat(strings.ReplaceAll(n, " ", ""), 64)
		if err == nil && !math.IsNaN(parsed) && !math.IsInf(parsed, 0) {
			return parsed, nil
		}
	}
	return nil, fmt.Errorf("a number is expected")
}

func cleanDate(value any, layout, example string) (any, error) {
	s, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%s is expected", example)
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	if len(s) > len(layout) && layout == "2006-01-02" {
		s = s[:len(layout)] // a date with a time is meant as its day
	}
	if _, err := time.Parse(layout, strings.TrimPrefix(s, "--")); err != nil {
		return nil, fmt.Errorf("%s is expected", example)
	}
	return s, nil
}

func cleanChoices(value any, options []string) (any, error) {
	list, err := cleanList(value)
	if err != nil {
		return nil, err
	}
	for _, x := range list.([]any) {
		if s, _ := x.(string); len(options) > 0 && !slices.Contains(options, s) {
			return nil, fmt.Errorf("some of these are expected: %s", strings.Join(options, ", "))
		}
	}
	return list, nil
}

// cleanList takes texts, or objects with a label; every element of an object
// list keeps its own id.
func cleanList(value any) (any, error) {
	list, ok := value.([]any)
	if s, isText := value.(string); isText && s != "" {
		list, ok = []any{s}, true
	}
	if !ok {
		return nil, fmt.Errorf("a list is expected")
	}
	if len(list) > 500 {
		return nil, fmt.Errorf("the list is too long (at most 500)")
	}
	for _, x := range list {
		switch x.(type) {
		case string, float64, map[string]any:
		default:
			return nil, fmt.Errorf("a list of texts is expected")
		}
	}
	return list, nil
}

// cleanPeople takes names or objects with a name; each gets a stable id, by
// which its items are found again when the list changes.
func cleanPeople(value any) (any, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("a list of people is expected")
	}
	if len(list) > 100 {
		return nil, fmt.Errorf("the list is too long (at most 100 people)")
	}
	seen := map[string]bool{}
	people := make([]any, 0, len(list))
	for _, x := range list {
		person, isObject := x.(map[string]any)
		if name, isText := x.(string); isText {
			person, isObject = map[string]any{"name": name}, true
		}
		name, _ := person["name"].(string)
		if !isObject || blank(name) || len(name) > 300 {
			return nil, fmt.Errorf("every person needs a name")
		}
		id, _ := person["id"].(string)
		if id == "" || len(id) > 60 || seen[id] {
			id = schema.NewID()
		}
		seen[id] = true
		person["id"] = id
		people = append(people, person)
	}
	return people, nil
}

// filled says whether a value is there; least is the smallest length of a list.
func filled(value any, least int) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return !blank(v)
	case []any:
		return len(v) >= max(1, least)
	case map[string]any:
		return len(v) > 0
	}
	return true // a number or a bool is an answer, also 0 and false
}

func toFloat(value any) float64 {
	switch n := value.(type) {
	case float64:
		return n
	case int:
		return float64(n)
	}
	return 0
}

// element is one instance of a for_each list.
type element struct{ id, label string }

// elements reads a list as instances: objects by their id and name, texts by
// themselves.
func elements(value any) []element {
	list, _ := value.([]any)
	all := make([]element, 0, len(list))
	for _, x := range list {
		switch v := x.(type) {
		case string:
			all = append(all, element{id: slug(v), label: v})
		case map[string]any:
			label := firstText(v, "name", "label", "title")
			id := firstText(v, "id", "key")
			if id == "" {
				id = slug(label)
			}
			all = append(all, element{id: id, label: label})
		}
	}
	return all
}

func firstText(m map[string]any, keys ...string) string {
	for _, key := range keys {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// slug is a stable id for an element that is a plain text.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 {
			b.WriteRune(r)
		} else if b.Len() > 0 {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// equal compares two plain values as JSON does.
func equal(a, b any) bool {
	if !filled(a, 0) && !filled(b, 0) {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// masked hides all but the last four characters.
func masked(s string) string {
	runes := []rune(s)
	if len(runes) <= 4 {
		return strings.Repeat("•", len(runes))
	}
	return strings.Repeat("•", len(runes)-4) + string(runes[len(runes)-4:])
}
