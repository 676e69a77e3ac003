package workflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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
	maxSource   = 1 << 20
	maxDepth    = 24
	maxValues   = 50_000
	maxFindings = 100
)

// Parse reads a definition from YAML. The findings are about its form: what is
// no YAML, unknown keys with the nearest known name, keys given twice, values of
// a wrong type. The definition is nil when there is an error among them.
func Parse(source []byte) (*Compiled, []Finding) {
	r := &reader{lines: map[string][2]int{}, nodes: map[string]*yaml.Node{}}
	root := r.root(source)
	if root == nil {
		return nil, r.findings
	}
	joinCommas(root, 0)
	value := r.value(root, "", 0)
	if len(r.findings) == 0 {
		r.fit(root, reflect.TypeFor[Definition](), "", "")
	}
	if len(r.findings) > 0 {
		return nil, r.findings
	}
	stored, err := json.Marshal(value)
	if err != nil {
		r.fault(root, "", "not_a_definition", err.Error())
		return nil, r.findings
	}
	def, err := Decode(stored)
	if err != nil {
		r.typeFault(root, err)
		return nil, r.findings
	}
	def.lines, def.place = r.lines, r.place
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
	source   []byte
	findings []Finding
	lines    map[string][2]int
	nodes    map[string]*yaml.Node
	values   int
}

func (r *reader) fault(n *yaml.Node, path, code, message string) {
	r.faultAt(n.Line, n.Column, path, code, message)
}

// faultAt adds a finding, up to a number that a person would read.
func (r *reader) faultAt(line, column int, path, code, message string) {
	if len(r.findings) < maxFindings {
		r.findings = append(r.findings, Finding{Level: "error", Code: code, Path: path, Line: line, Column: column, Message: message})
	}
}

// typeFault is the last resort: fit has named what is wrong with a value, so
// nothing that cannot be read should come here.
func (r *reader) typeFault(root *yaml.Node, err error) {
	path := ""
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		path = wrong.Field
	}
	r.fault(root, path, "wrong_type", "A value has the wrong type: "+err.Error()+".")
}

// root reads the source as one YAML mapping; nil if it is something else.
func (r *reader) root(source []byte) *yaml.Node {
	if len(source) > maxSource {
		r.faultAt(1, 1, "", "too_large", fmt.Sprintf("The definition is larger than %d kB.", maxSource>>10))
		return nil
	}
	if !r.isText(source) {
		return nil
	}
	r.source = bytes.TrimPrefix(source, []byte("\ufeff"))
	decoder := yaml.NewDecoder(bytes.NewReader(r.source))
	var doc, more yaml.Node
	switch err := decoder.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.faultAt(1, 1, "", "not_a_definition", "The file is empty. A definition begins with schema: "+Schema+".")
		return nil
	case err != nil:
		r.noYAML(err)
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.faultAt(max(1, doc.Line), max(1, doc.Column), "", "not_a_definition", "A definition is a mapping that begins with schema: "+Schema+".")
		return nil
	}
	switch err := decoder.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.noYAML(err)
		return nil
	default:
		r.fault(&more, "", "several_documents", "A second document begins here (---). Give each definition a file of its own.")
		return nil
	}
	return doc.Content[0]
}

// isText refuses what is not UTF-8.
func (r *reader) isText(source []byte) bool {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(source, []byte(mark)) {
			r.faultAt(1, 1, "", "encoding", "The file is UTF-16 or UTF-32. Save it as UTF-8.")
			return false
		}
	}
	line, column := 1, 1
	for rest := source; len(rest) > 0; column++ {
		c, size := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && size == 1:
			r.faultAt(line, column, "", "encoding", "The file is not UTF-8 from here on. Save it as UTF-8.")
			return false
		case c == 0:
			r.faultAt(line, column, "", "encoding", "Here is a zero byte: the file is not a text, or not UTF-8.")
			return false
		case c == '\n':
			line, column = line+1, 0
		}
		rest = rest[size:]
	}
	return true
}

var (
	lineOfError = regexp.MustCompile(`line (\d+): (.*)`)
	ofGrammar   = regexp.MustCompile(`^did not find expected (<|node content|key|'-' indicator|',' or)`)
)

// noYAML says where the source stops being YAML. The library gives a line; the
// column is that of a tab, the usual culprit, or where the line begins.
func (r *reader) noYAML(err error) {
	line, message := 1, strings.TrimPrefix(firstLine(err.Error()), "yaml: ")
	if m := lineOfError.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits
		message = m[2]
	}
	if ofGrammar.MatchString(message) {
		line++ // the library counts these from 0
	}
	lines := strings.Split(string(r.source), "\n")
	for n := line; n <= min(line+1, len(lines)); n++ { // a tab counts to the line before
		if indent := len(lines[n-1]) - len(strings.TrimLeft(lines[n-1], " ")); strings.HasPrefix(lines[n-1][indent:], "\t") {
			r.faultAt(n, indent+1, "", "not_yaml", "This is not YAML: lines are indented with spaces, not with tabs.")
			return
		}
	}
	column := 1
	if line <= len(lines) {
		column += len(lines[line-1]) - len(strings.TrimLeft(lines[line-1], " "))
	}
	r.faultAt(line, column, "", "not_yaml", "This is not YAML: "+message+".")
}

// value turns a node into plain values and remembers where each path stands.
// Aliases are refused: a definition says what it means where it stands, and
// nested aliases could unfold without end.
func (r *reader) value(n *yaml.Node, path string, depth int) any {
	r.lines[path], r.nodes[path] = [2]int{n.Line, n.Column}, n
	if r.values++; r.values > maxValues || depth > maxDepth {
		if r.values == maxValues+1 || depth == maxDepth+1 {
			r.fault(n, path, "too_large", "The definition is too large or nested too deeply.")
		}
		return nil
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.fault(n, path, "tag", "Tags (!name) are not allowed: write the value alone.")
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.fault(n, path, "alias", "Aliases (*name) are not allowed: write the value out.")
		return nil
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || key.Style&yaml.TaggedStyle != 0 {
				r.fault(key, path, "bad_key", "A key is a plain word.")
				continue
			}
			if strings.IndexFunc(key.Value, func(c rune) bool { return c > 0x7e || c < 0x20 }) >= 0 {
				r.fault(key, path, "bad_key", fmt.Sprintf("The key %+q has a character other than the letters of the English alphabet, digits and _; it may look like one.", key.Value))
			}
			if _, twice := m[key.Value]; twice {
				r.fault(key, join(path, key.Value), "duplicate_key", fmt.Sprintf("%q is given twice.", key.Value))
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
		return r.scalar(n, path)
	}
	return nil
}

func (r *reader) scalar(n *yaml.Node, path string) any {
	var v any
	if err := n.Decode(&v); err != nil {
		r.fault(n, path, "wrong_type", "This value cannot be read. If it is a text, put it in quotes.")
		return nil
	}
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			r.fault(n, path, "wrong_type", "A number is expected.")
			return nil
		}
	case bool, int, nil:
	case string:
		if strings.ContainsFunc(x, hidden) {
			r.fault(n, path, "hidden_character", "The text holds a character that cannot be seen.")
		}
		if word := mixed(x); word != "" {
			r.fault(n, path, "mixed_alphabets", fmt.Sprintf("The word %+q mixes letters of two alphabets that look alike.", word))
		}
	default:
		return n.Value // dates and the like are texts here
	}
	return v
}

// hidden are characters that cannot be seen: control and format characters,
// among them those that turn the direction of writing, and letters that are
// drawn as nothing. With them a text can look like another.
func hidden(c rune) bool {
	switch {
	case c == '\n' || c == '\t':
		return false
	case c == 0x034f, c == 0x115f, c == 0x1160, c == 0x17b4, c == 0x17b5, c == 0x2028, c == 0x2029, c == 0x3164, c == 0xffa0:
		return true
	}
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Co) || unicode.Is(unicode.Noncharacter_Code_Point, c)
}

// greekTwins are the Greek letters that look like Latin ones.
const greekTwins = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧνορικ"

// mixed finds a word that has Latin letters beside Cyrillic or Greek ones which
// look like them; empty if there is none.
func mixed(s string) string {
	if strings.IndexFunc(s, func(c rune) bool { return c > 0x36f }) < 0 {
		return ""
	}
	for _, word := range strings.FieldsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) }) {
		latin := strings.ContainsFunc(word, func(c rune) bool { return unicode.Is(unicode.Latin, c) })
		other := strings.ContainsFunc(word, func(c rune) bool { return unicode.Is(unicode.Cyrillic, c) || strings.ContainsRune(greekTwins, c) })
		if latin && other {
			return word
		}
	}
	return ""
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
