package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// badSources are definitions that must not get in, with what is said of each:
// the code, line and column of one finding, and words of its sentence.
var badSources = []struct {
	name, source string
	code         string
	line, column int
	says         string
}{
	{"an empty file", "", "not_a_definition", 1, 1, "empty"},
	{"blanks alone", "  \n\n", "not_a_definition", 1, 1, "empty"},
	{"a comment alone", "# nothing\n", "not_a_definition", 1, 1, "empty"},
	{"a text", "hello", "not_a_definition", 1, 1, "mapping"},
	{"five megabytes", "title: " + strings.Repeat("x", 5<<20), "too_large", 1, 1, "1024 kB"},
	{"UTF-16", utf16Of(sample), "encoding", 1, 1, "UTF-8"},
	{"UTF-16 without a mark", utf16Of(sample)[2:], "encoding", 1, 2, "UTF-8"},
	{"Latin-1", strings.Replace(sample, "Papers", "Pap\xe9rs", 1), "encoding", 13, 15, "UTF-8"},
	{"several documents", sample + "---\n" + sample, "several_documents", 32, 1, "a file of its own"},
	{"a second document that is no YAML", sample + "---\na: [", "not_yaml", 34, 1, "not YAML"},
	{"a tab as indentation", strings.Replace(sample, "    title: Papers", "\ttitle: Papers", 1), "not_yaml", 13, 1, "not with tabs"},
	{"a bracket that is not closed", strings.Replace(sample, "roles: {client: [client_admin], staff: [handler]}", "roles: {client: [client_admin, staff: [handler]}", 1), "not_yaml", 7, 1, "not YAML"},
	{"an alias", edited("initial: draft", "initial: &x draft\nnote: *x"), "alias", 7, 7, "Aliases"},
	{"aliases that unfold without end", bomb(), "alias", 2, 8, "Aliases"},
	{"a merge", edited("roles: {client", "roles: {<<: {client: [a]}, client"), "bad_key", 7, 9, "plain word"},
	{"a tag", edited("title: Sample", "title: !!str 2026"), "tag", 4, 8, "Tags"},
	{"a tag of another language", edited("title: Sample", "title: !ruby/object:Gem {}"), "tag", 4, 8, "Tags"},
	{"a deep nest", edited("title: Sample", "title: "+strings.Repeat("[", 99)+strings.Repeat("]", 99)), "too_large", 4, 32, "nested"},
	{"a great many values", edited("title: Sample", "title: ["+strings.Repeat("1,", 60_000)+"1]"), "too_large", 4, 99999, "too large"},
	{"a key given twice", edited("title: Sample", "title: Sample\ntitle: Other"), "duplicate_key", 5, 1, "given twice"},
	{"a key that is a list", edited("title: Sample", "[title]: Sample"), "bad_key", 4, 1, "plain word"},
	{"a key with a Cyrillic letter", edited("title: Sample", "titl\u0435: Sample"), "bad_key", 4, 1, `"titl\u0435"`},
	{"a key with nothing to see in it", edited("title: Sample", "\"title\u200b\": Sample"), "bad_key", 4, 1, `"title\u200b"`},
	{"a name with a Cyrillic letter", edited("key: sample", "key: s\u0430mple"), "mixed_alphabets", 2, 6, `"s\u0430mple"`},
	{"a title with a Greek letter", edited("title: Sample", "title: Sampl\u03bf"), "mixed_alphabets", 4, 8, "two alphabets"},
	{"a text with nothing to see in it", edited("title: Sample", "title: \"Sam\u00adple\""), "hidden_character", 4, 8, "cannot be seen"},
	{"a text that runs backwards", edited("title: Sample", "title: \"Sam\u202eple\""), "hidden_character", 4, 8, "cannot be seen"},
	{"a text of tags", edited("title: Sample", "title: \"Sample\U000e0041\""), "hidden_character", 4, 8, "cannot be seen"},
	{"an unknown key", edited("initial: draft", "initail: draft"), "unknown_key", 6, 1, `Did you mean "initial"?`},
	{"a title that is a number", edited("title: Sample", "title: 2026"), "wrong_type", 4, 8, `in quotes: "2026"`},
	{"a title that is a yes", edited("title: Sample", "title: true"), "wrong_type", 4, 8, "in quotes"},
	{"a title that is not there", edited("title: Sample", "title:"), "wrong_type", 4, 7, "nothing stands here"},
	{"options that are numbers", edited("options: [small, large]", "options: [2025, large]"), "wrong_type", 9, 41, `in quotes: "2025"`},
	{"a version that is a text", edited("version: 1", "version: one"), "wrong_type", 3, 10, "whole number"},
	{"a version beyond all bounds", edited("version: 1", "version: 1e99"), "wrong_type", 3, 10, "whole number"},
	{"a version with too many digits", edited("version: 1", "version: 99999999999999999999"), "wrong_type", 3, 10, "whole number"},
	{"half a version", edited("version: 1", "version: 1.5"), "wrong_type", 3, 10, "whole number"},
	{"a version before the first", edited("version: 1", "version: -1"), "out_of_range", 3, 10, "less than 1"},
	{"a number that YAML reads as another", edited("version: 1", "version: 010"), "wrong_type", 3, 10, "plain digits"},
	{"a number in another base", edited("version: 1", "version: 0x10"), "wrong_type", 3, 10, "plain digits"},
	{"files of less than nothing", edited("kind: file, files: {min: 1", "kind: file, max_mb: -1, files: {min: 1"), "out_of_range", 17, 56, "less than 1"},
	{"fewer days than none", edited("by: [handler]}", "by: [handler], after: {days_in_state: -3}}"), "out_of_range", 24, 99, "less than 1"},
	{"a yes that is a text", edited("terminal: true", "terminal: yes"), "wrong_type", 22, 94, "true or false"},
	{"a list that is a text", edited("roles: {client: [client_admin], staff: [handler]}", "roles: {client: {a: b}, staff: [handler]}"), "wrong_type", 7, 17, "list of names"},
	{"a mapping that is a list", edited("subject: {collection: organizations}", "subject: [organizations]"), "wrong_type", 5, 10, "{key: value}"},
	{"steps that are no list", edited("reminders:\n", "reminders: 3\nnote:\n"), "wrong_type", 26, 12, "A list is expected"},
}

func edited(old, new string) string {
	if !strings.Contains(sample, old) {
		panic("the sample does not hold " + old)
	}
	return strings.Replace(sample, old, new, 1)
}

func utf16Of(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x]\n")
	for n := 'b'; n < 'm'; n++ {
		fmt.Fprintf(&b, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", n, n, n-1, n-1, n-1, n-1, n-1, n-1, n-1, n-1, n-1)
	}
	return b.String()
}

func TestParse_badInput(t *testing.T) {
	for _, c := range badSources {
		t.Run(c.name, func(t *testing.T) {
			def, findings := Parse([]byte(c.source))
			if def != nil {
				t.Fatal("was read")
			}
			if len(findings) > maxFindings {
				t.Errorf("%d findings", len(findings))
			}
			found := slices.ContainsFunc(findings, func(f Finding) bool {
				return f.Level == "error" && f.Code == c.code && f.Line == c.line && f.Column == c.column && strings.Contains(f.Message, c.says)
			})
			if !found {
				t.Errorf("want %s at %d:%d saying %q, got %+v", c.code, c.line, c.column, c.says, findings[:min(3, len(findings))])
			}
		})
	}
}

// What looks odd and is meant well goes in.
func TestParse_oddButGood(t *testing.T) {
	for name, c := range map[string]struct{ source, title string }{
		"a byte order mark":         {"\ufeff" + sample, "Sample"},
		"lines of Windows":          {strings.ReplaceAll(sample, "\n", "\r\n"), "Sample"},
		"a date as a title":         {edited("title: Sample", "title: 2026-01-01"), "2026-01-01"},
		"a title in Cyrillic":       {edited("title: Sample", "title: \u041f\u0430\u043f\u043a\u0430 No 1"), "\u041f\u0430\u043f\u043a\u0430 No 1"},
		"a title with an accent":    {edited("title: Sample", "title: Déjà vu, 10 µm"), "Déjà vu, 10 µm"},
		"a document that is marked": {"---\n" + sample, "Sample"},
		"yes and no as words":       {edited("options: [small, large]", "options: [yes, no, on, off]"), "Sample"},
		"a version with a comment":  {edited("version: 1", "version: 1 # first"), "Sample"},
	} {
		def, findings := Parse([]byte(c.source))
		if def == nil {
			t.Errorf("%s: %s", name, lines(findings))
		} else if def.Title != c.title {
			t.Errorf("%s: the title is %q", name, def.Title)
		}
	}
	def, findings := Parse([]byte(edited("options: [small, large]", "options: [yes, no]") + "ai:\n  - {task: read, on: file.added}\n"))
	if def == nil || def.AI[0].On != "file.added" || def.Fields[0].Options[1] != "no" {
		t.Errorf("on, yes and no are words: %s", lines(findings))
	}
}

// FuzzParse: any bytes are refused with a place, or read, and what is read can be
// checked, stored and read again.
func FuzzParse(f *testing.F) {
	for _, c := range badSources {
		if len(c.source) < 4000 {
			f.Add([]byte(c.source))
		}
	}
	for _, source := range []string{sample, asked, oddSteps, edited("{fields_complete: submit}", `"data.size in [1..3]"`)} {
		f.Add([]byte(source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		def, findings := Parse(source)
		if def == nil {
			if len(findings) == 0 || len(findings) > maxFindings {
				t.Fatalf("%d findings", len(findings))
			}
			for _, f := range findings {
				if f.Line < 1 || f.Column < 1 || f.Message == "" {
					t.Fatalf("nowhere: %+v", f)
				}
			}
			return
		}
		for _, f := range def.Check() {
			if f.Message == "" {
				t.Fatalf("nothing said: %+v", f)
			}
		}
		if _, err := Decode([]byte(jsonOf(t, def.Definition))); err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
	})
}
