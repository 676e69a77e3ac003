package workflow

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fit compares a node with the type that it will be read into: its keys with
// the members of the type, its values with theirs. Each difference is a finding
// where it stands. property is the member's name in the descriptions.
func (r *reader) fit(n *yaml.Node, t reflect.Type, path, property string) {
	if t.Kind() == reflect.Pointer {
		if n.ShortTag() == "!!null" && t == reflect.TypeFor[*Label]() {
			return // client_label: null says that there is none
		}
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Flexible](), reflect.TypeFor[any]():
		return
	case reflect.TypeFor[Names]():
		r.fitNames(n, path)
		return
	case reflect.TypeFor[Label]():
		if n.Kind == yaml.MappingNode {
			r.fitValues(n, reflect.TypeFor[string](), path)
			return
		}
		t = reflect.TypeFor[string]()
	case reflect.TypeFor[Condition](), reflect.TypeFor[Guard]():
		if n.Kind == yaml.ScalarNode {
			t = reflect.TypeFor[string]()
		}
	}
	switch t.Kind() {
	case reflect.String:
		r.fitText(n, path)
	case reflect.Int:
		r.fitNumber(n, path, property)
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			r.fault(n, path, "wrong_type", "Write true or false.")
		}
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			r.fault(n, path, "wrong_type", "A list is expected: [one, two], or lines that begin with a dash.")
			return
		}
		for i, c := range n.Content {
			r.fit(c, t.Elem(), fmt.Sprintf("%s[%d]", path, i), property)
		}
	case reflect.Map:
		r.fitValues(n, t.Elem(), path)
	case reflect.Struct:
		r.fitMembers(n, t, path)
	}
}

func (r *reader) fitText(n *yaml.Node, path string) {
	tag := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode:
		r.fault(n, path, "wrong_type", "A text is expected here.")
	case tag == "!!null":
		r.fault(n, path, "wrong_type", "A text is expected, and nothing stands here. Give one, or leave the key out.")
	case tag != "!!str" && tag != "!!timestamp":
		r.fault(n, path, "wrong_type", fmt.Sprintf("A text is expected. Put it in quotes: %q.", n.Value))
	}
}

func (r *reader) fitNames(n *yaml.Node, path string) {
	switch n.Kind {
	case yaml.ScalarNode:
		r.fitText(n, path)
	case yaml.SequenceNode:
		for i, c := range n.Content {
			r.fitText(c, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		r.fault(n, path, "wrong_type", "A name or a list of names is expected.")
	}
}

// wholeNumber leaves out what YAML reads as something else than one thinks: 010
// is eight, 1_000 a thousand.
var wholeNumber = regexp.MustCompile(`^-?(0|[1-9]\d{0,6})$`)

func (r *reader) fitNumber(n *yaml.Node, path, property string) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || !wholeNumber.MatchString(n.Value) {
		r.fault(n, path, "wrong_type", "A whole number is expected, in plain digits and below ten million.")
		return
	}
	var value int
	if err := n.Decode(&value); err != nil {
		r.fault(n, path, "wrong_type", "A whole number is expected.")
		return
	}
	if least := leastOf[property]; value < least {
		r.fault(n, path, "out_of_range", fmt.Sprintf("This cannot be less than %d.", least))
	}
}

func (r *reader) fitValues(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "wrong_type", "Keys with values are expected: {key: value}.")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		r.fit(n.Content[i+1], t, join(path, n.Content[i].Value), "")
	}
}

func (r *reader) fitMembers(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "wrong_type", "Keys with values are expected: {key: value}.")
		return
	}
	known := members(t)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		field, ok := known[key.Value]
		if !ok {
			r.fault(key, join(path, key.Value), "unknown_key", fmt.Sprintf("%q is not known here.%s", key.Value, didYouMean(key.Value, slices.Collect(maps.Keys(known)))))
			continue
		}
		r.fit(n.Content[i+1], field, join(path, key.Value), t.Name()+"."+key.Value)
	}
}

// members are the JSON names of a struct and their types.
func members(t reflect.Type) map[string]reflect.Type {
	if t == reflect.TypeFor[Condition]() {
		t = reflect.TypeFor[conditionJSON]()
	}
	known := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			known[name] = f.Type
		}
	}
	if t == reflect.TypeFor[conditionJSON]() {
		for _, fact := range facts {
			known[fact] = reflect.TypeFor[bool]()
		}
	}
	return known
}

// leastOf are the smallest numbers where it is not 0.
var leastOf = map[string]int{
	"Definition.version": 1, "ItemSpec.max_mb": 1, "FileCount.max": 1, "Freshness.max_age_months": 1, "Quorum.count": 1, "Reminder.max": 1, "Retries.max": 1,
	"Integration.alert_after": 1, "SLA.business_days": 1, "SLA.business_hours": 1, "After.days_in_state": 1, "After.business_days_in_state": 1,
}
