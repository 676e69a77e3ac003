package workflow

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files again")

const (
	schemaFile = "../../docs/workflow.schema.json"
	guideFile  = "../../docs/workflows.md"
)

// languageTypes are all the structs that a definition is made of.
func languageTypes() []reflect.Type {
	var all []reflect.Type
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t == reflect.TypeFor[Label]() || t == reflect.TypeFor[Flexible]() || slices.Contains(all, t) {
			return
		}
		all = append(all, t)
		for _, member := range members(t) {
			visit(member)
		}
	}
	visit(reflect.TypeFor[Definition]())
	return all
}

func TestLanguage_everyMemberHasAMeaning(t *testing.T) {
	known := map[string]bool{}
	for _, typ := range languageTypes() {
		for name := range members(typ) {
			property := typ.Name() + "." + name
			known[property] = true
			if m := meanings[property]; !strings.HasSuffix(m, ".") {
				t.Errorf("%s: no sentence says what it means: %q", property, m)
			}
		}
		for _, name := range needed[typ.Name()] {
			if !known[typ.Name()+"."+name] {
				t.Errorf("%s needs %s, which it does not have", typ.Name(), name)
			}
		}
	}
	for property := range meanings {
		if !known[property] {
			t.Errorf("%s has a meaning, but does not exist", property)
		}
	}
	for property := range closed {
		if !known[property] {
			t.Errorf("%s has words, but does not exist", property)
		}
	}
	for property := range leastOf {
		if !known[property] {
			t.Errorf("%s has a least number, but does not exist", property)
		}
	}
}

// golden compares a file with what the code makes of it now.
func golden(t *testing.T, file string, made []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, made, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, made) {
		t.Errorf("%s is not what the code says now; run go test ./hooks/workflow -run TestLanguage -update", file)
	}
}

func TestLanguage_schemaFile(t *testing.T) {
	made, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, made)
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	made, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(made))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("workflow.schema.json", plain); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("workflow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// asJSON reads YAML as an editor would.
func asJSON(t *testing.T, source string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(source), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// quoted is a shipped definition as one would write it in an editor: with quotes
// around the two texts that hold a comma, which the portal reads without.
func quoted(t *testing.T, name string) string {
	t.Helper()
	source, err := LibraryFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return unquotedCommas.ReplaceAllString(string(source), `$1: "$2"$3`)
}

var unquotedCommas = regexp.MustCompile(`(title|label|client_label): ([A-Z][A-Za-z ]*, [a-zA-Z ]*)(, (?:kind|client_label|category|provider):?)`)

func TestLanguage_schemaTakesWhatIsSound(t *testing.T) {
	s := compiledSchema(t)
	for _, name := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
		if err := s.Validate(asJSON(t, quoted(t, name))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, source := range map[string]string{"sample": sample, "odd steps": oddSteps, "asked": asked} {
		if err := s.Validate(asJSON(t, source)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLanguage_schemaRefusesWhatIsBroken(t *testing.T) {
	s := compiledSchema(t)
	for name, c := range map[string]struct{ old, new string }{
		"an unknown key":              {"initial: draft", "initail: draft"},
		"an unknown key inside":       {"files: {min: 1, max: 2}", "files: {min: 1, maxx: 2}"},
		"a key that is left out":      {"title: Sample\n", ""},
		"another language":            {"gatehouse/workflow/v1", "gatehouse/workflow/v9"},
		"version zero":                {"version: 1", "version: 0"},
		"a version that is no number": {"version: 1", "version: one"},
		"a title that is a number":    {"title: Sample", "title: 2026"},
		"a list where a text belongs": {"title: Sample", "title: [Sample]"},
		"a type that is not known":    {"type: people_list", "type: peoples_list"},
		"a kind that is not known":    {"title: Deed, kind: file", "title: Deed, kind: flie"},
		"a turn that is not known":    {"turn: nobody", "turn: noone"},
		"a category not known":        {"category: waiting", "category: wating"},
		"a provider of neither side":  {"provider: client", "provider: clients"},
		"a status that is not known":  {"status_in: [provided]", "status_in: [given]"},
		"an unknown guard":            {"{fields_complete: submit}", "{field_complete: submit}"},
		"an empty guard":              {"{fields_complete: submit}", "{}"},
		"an unknown effect":           {"by: [handler]", "by: [handler], effects: [{jobs: crm.tell}]"},
		"an unknown requirement":      {"by: [handler]", "by: [handler], requires: [internal_notes]"},
		"a yes that is a text":        {"terminal: true", "terminal: certainly"},
		"fewer than no files":         {"min: 1, max: 2", "min: -1, max: 2"},
		"a job without a key":         {`, idempotency_key: "sample/{request}"`, ""},
	} {
		if !strings.Contains(sample, c.old) {
			t.Fatalf("the sample does not hold %q", c.old)
		}
		if err := s.Validate(asJSON(t, strings.Replace(sample, c.old, c.new, 1))); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

var (
	madeBlock = regexp.MustCompile(`(?s)<!-- made: (\S+) -->\n.*?<!-- end -->`)
	yamlBlock = regexp.MustCompile("(?s)```yaml\n(schema: .*?)```")
)

// The tables of the guide are made from the code.
func TestLanguage_guideTables(t *testing.T) {
	stored, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{"request": factTable("request", requestFacts), "time": factTable("time", timeFacts), "organization": factTable("organization", organizationFacts), "sections": factTable("sections.KEY", countsOf)}
	for _, typ := range languageTypes() {
		tables[typ.Name()] = propertyTable(typ)
	}
	seen := map[string]bool{}
	made := madeBlock.ReplaceAllStringFunc(string(stored), func(block string) string {
		name := madeBlock.FindStringSubmatch(block)[1]
		if tables[name] == "" {
			t.Errorf("there is no table %s", name)
		}
		seen[name] = true
		return fmt.Sprintf("<!-- made: %s -->\n%s<!-- end -->", name, tables[name])
	})
	for name := range tables {
		if !seen[name] {
			t.Errorf("the guide lacks the table %s", name)
		}
	}
	golden(t, guideFile, []byte(made))
}

// Every example of the guide is sound.
func TestLanguage_guideExamples(t *testing.T) {
	guide, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	s := compiledSchema(t)
	examples := yamlBlock.FindAllSubmatch(guide, -1)
	if len(examples) < 7 {
		t.Fatalf("only %d examples", len(examples))
	}
	for _, example := range examples {
		name, _, _ := strings.Cut(strings.SplitN(string(example[1]), "\n", 3)[1], "\n")
		if def, findings := CheckSource(example[1]); def == nil || hasErrors(findings) {
			t.Errorf("%s: %s", name, lines(findings))
		}
		if err := s.Validate(asJSON(t, string(example[1]))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
