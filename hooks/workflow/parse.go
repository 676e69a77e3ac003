package workflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Finding is what the checker has to say about a definition. Level is "error"
// (it cannot be published) or "warning". Line and Column count from 1, 0 where
// the finding is about the whole.
type Finding struct {
	Level   string `json:"level"`
	Code    string `json:"code"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`

	Trace []TraceStep `json:"trace,omitempty"` // the shortest path that shows it
}

// Bounds of a source: a definition is a page or two, not a program.
const (
	maxSource = 1 << 20
	maxDepth  = 24
	maxValues = 50_000
)

// Parse reads a definition from YAML. The findings are about its form: unknown
// keys with the nearest known name, keys given twice, wrong types. The
// definition is nil when there is an error among them.
func Parse(source []byte) (*Compiled, []Finding) {
	r := &reader{}
	if len(source) > maxSource {
		r.fault(nil, "too_large", fmt.Sprintf("The definition is larger than %d kB.", maxSource>>10))
		return nil, r.findings
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(source, &doc); err != nil {
		r.fault(nil, "not_yaml", "This is not YAML: "+strings.TrimPrefix(err.Error(), "yaml: "))
		return nil, r.findings
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.fault(nil, "not_a_definition", "A definition is a mapping that begins with schema: "+Schema+".")
		return nil, r.findings
	}
	joinCommas(doc.Content[0], 0)
	value := r.value(doc.Content[0], "", 0)
	r.keys(doc.Content[0], reflect.TypeFor[Definition](), "")
	if len(r.findings) > 0 {
		return nil, r.findings
	}
	stored, err := json.Marshal(value)
	if err != nil {
		r.fault(nil, "not_a_definition", err.Error())
		return nil, r.findings
	}
	def, err := Decode(stored)
	if err != nil {
		r.typeFault(err)
		return nil, r.findings
	}
	def.lines = r.lines
	return def, nil
}

// Decode reads a definition from its stored JSON and compiles it.
func Decode(stored []byte) (*Compiled, error) {
	def := &Definition{}
	if err := json.Unmarshal(stored, def); err != nil {
		return nil, err
	}
	return Compile(def)
}

type reader struct {
	findings []Finding
	lines    map[string][2]int
	values   int
}

func (r *reader) fault(n *yaml.Node, code, message string) {
	f := Finding{Level: "error", Code: code, Message: message}
	if n != nil {
		f.Line, f.Column = n.Line, n.Column
	}
	r.findings = append(r.findings, f)
}

func (r *reader) typeFault(err error) {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		r.fault(nil, "wrong_type", err.Error())
		return
	}
	f := Finding{Level: "error", Code: "wrong_type", Path: wrong.Field, Message: fmt.Sprintf("%s: a %s cannot stand here.", wrong.Field, wrong.Value)}
	r.findings = append(r.findings, f)
}

// value turns a node into plain values and remembers where each path stands.
// Aliases are refused: a definition says what it means where it stands, and
// nested aliases could unfold without end.
func (r *reader) value(n *yaml.Node, path string, depth int) any {
	if r.lines == nil {
		r.lines = map[string][2]int{}
	}
	r.lines[path] = [2]int{n.Line, n.Column}
	if r.values++; r.values > maxValues || depth > maxDepth {
		if r.values == maxValues+1 || depth == maxDepth+1 {
			r.fault(n, "too_large", "The definition is too large or nested too deeply.")
		}
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.fault(n, "alias", "Aliases (*name) are not allowed: write the value out.")
		return nil
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
				r.fault(key, "bad_key", "A key is a plain word.")
				continue
			}
			if _, twice := m[key.Value]; twice {
				r.fault(key, "duplicate_key", fmt.Sprintf("%q is given twice.", key.Value))
			}
			m[key.Value] = r.value(n.Content[i+1], join(path, key.Value), depth+1)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, c := range n.Content {
			list = append(list, r.value(c, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
		return list
	case yaml.ScalarNode:
		return r.scalar(n)
	}
	return nil
}

func (r *reader) scalar(n *yaml.Node) any {
	var v any
	if err := n.Decode(&v); err != nil {
		r.fault(n, "wrong_type", "This value cannot be read.")
		return nil
	}
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			r.fault(n, "wrong_type", "A number is expected.")
			return nil
		}
	case string, bool, int, nil:
	default:
		return n.Value // dates and the like are texts here
	}
	if s, ok := v.(string); ok {
		if i := strings.IndexFunc(s, hidden); i >= 0 {
			r.fault(n, "hidden_character", "The text holds a character that cannot be seen.")
		}
	}
	return v
}

// hidden are control and direction characters, with which a text can look like
// another.
func hidden(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return false
	case c < 0x20, c >= 0x7f && c <= 0x9f, c >= 0x200b && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2060 && c <= 0x2069, c == 0xfeff:
		return true
	}
	return false
}

// joinCommas puts unquoted texts with commas together again. In a flow mapping
// such as {title: Starters, leavers and hours, kind: form} YAML reads "leavers
// and hours" as a key without a value; no key of the language has a blank in
// it, so what was meant is plain.
func joinCommas(n *yaml.Node, depth int) {
	if depth > maxDepth {
		return
	}
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
		kept := n.Content[:0:0]
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			continues := key.Kind == yaml.ScalarNode && key.Style == 0 && strings.Contains(key.Value, " ") && value.Kind == yaml.ScalarNode && value.Tag == "!!null" && value.Value == ""
			if last := len(kept) - 1; continues && last > 0 && kept[last].Kind == yaml.ScalarNode && kept[last].Style == 0 {
				kept[last].Value += ", " + key.Value
				kept[last].Tag = "!!str"
				continue
			}
			kept = append(kept, key, value)
		}
		n.Content = kept
	}
	for _, c := range n.Content {
		joinCommas(c, depth+1)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// keys compares the keys of a node with the members of the type that it will
// be read into.
func (r *reader) keys(n *yaml.Node, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, c := range n.Content {
			r.keys(c, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		known := members(t)
		if known == nil {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, ok := known[key.Value]
			if !ok {
				names := make([]string, 0, len(known))
				for name := range known {
					names = append(names, name)
				}
				r.findings = append(r.findings, Finding{
					Level: "error", Code: "unknown_key", Path: join(path, key.Value), Line: key.Line, Column: key.Column,
					Message: fmt.Sprintf("%q is not known here.%s", key.Value, didYouMean(key.Value, names)),
				})
				continue
			}
			r.keys(n.Content[i+1], field, join(path, key.Value))
		}
	}
}

// members are the JSON names of a struct; nil for types that read themselves in
// a way that keys cannot describe.
func members(t reflect.Type) map[string]reflect.Type {
	switch t {
	case reflect.TypeFor[Label](), reflect.TypeFor[Flexible]():
		return nil
	case reflect.TypeFor[Condition]():
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

// didYouMean names the nearest known word, if one is near.
func didYouMean(word string, known []string) string {
	slices.Sort(known)
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// distance is Levenshtein's: how many letters to add, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost = min(previous, row[j], row[j-1]) + 1
			}
			previous, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
