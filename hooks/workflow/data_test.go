package workflow

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gatehouse/hooks/schema"
)

func TestField_clean(t *testing.T) {
	colours := []string{"red", "green"}
	long := strings.Repeat("x", maxText)
	for _, c := range []struct {
		name string
		kind string
		in   any
		want string // as JSON; empty means refused
	}{
		{"nothing clears", "text", nil, `null`},
		{"a text", "text", "Bluebell", `"Bluebell"`},
		{"a text of blanks is kept as typed", "text", "  ", `"  "`},
		{"a number where a text belongs is its digits", "text", 12.5, `"12.5"`},
		{"a list is no text", "text", []any{"x"}, ``},
		{"an object is no text", "long_text", map[string]any{}, ``},
		{"a yes is no text", "text", true, ``},
		{"the longest text", "long_text", long, `"` + long + `"`},
		{"a longer one", "long_text", long + "x", ``},

		{"a number", "number", 3.5, `3.5`},
		{"a number as text, with blanks between thousands", "number", "1 250.50", `1250.5`},
		{"an empty number clears", "number", "", `null`},
		{"words are no number", "number", "three", ``},
		{"a comma is not guessed at", "money", "1,5", ``},
		{"infinity is no number", "number", "Inf", ``},
		{"what is not a number is none", "number", math.NaN(), ``},
		{"a yes is no number", "number", true, ``},
		{"money in digits", "money", 99.0, `99`},
		{"less than nothing", "money", "-5", `-5`},

		{"a yes", "bool", true, `true`},
		{"a no", "bool", false, `false`},
		{"yes as a text", "bool", "yes", ``},
		{"one is not yes", "bool", 1.0, ``},

		{"a day", "date", "2026-03-31", `"2026-03-31"`},
		{"a day with a time is its day", "date", "2026-03-31 10:00:00.000Z", `"2026-03-31"`},
		{"a day that does not exist", "date", "2026-02-30", ``},
		{"a day of another country", "date", "31.03.2026", ``},
		{"an empty day clears", "date", " ", `null`},
		{"a number is no day", "date", 20260331.0, ``},
		{"the 29th of a leap year", "date", "2028-02-29", `"2028-02-29"`},
		{"a month", "month", "2026-03", `"2026-03"`},
		{"a thirteenth month", "month", "2026-13", ``},
		{"a day is no month", "month", "2026-03-31", ``},
		{"a day of the year", "month_day", "03-31", `"03-31"`},
		{"a day of the year that does not exist", "month_day", "02-30", ``},
		{"a day of the year the other way round", "month_day", "31-03", ``},

		{"a choice", "choice", "red", `"red"`},
		{"no choice", "choice", "", `""`},
		{"a choice that is not offered", "choice", "blue", ``},
		{"a list is no choice", "choice", []any{"red"}, ``},
		{"several choices", "multi_choice", []any{"red", "green"}, `["red","green"]`},
		{"one choice as a text", "multi_choice", "red", `["red"]`},
		{"a choice among several that is not offered", "multi_choice", []any{"red", "blue"}, ``},
		{"a number among the choices", "multi_choice", []any{1.0}, ``},

		{"a list", "list", []any{"one", "two"}, `["one","two"]`},
		{"an empty list", "list", []any{}, `[]`},
		{"one text is a list of one", "list", "one", `["one"]`},
		{"lists in lists", "list", []any{[]any{"x"}}, ``},
		{"nothing in a list", "list", []any{nil}, ``},
		{"a list without end", "list", make([]any, 501), ``},

		{"people keep their ids", "people_list", []any{map[string]any{"id": "ada", "name": "Ada", "share": 25.0}}, `[{"id":"ada","name":"Ada","share":25}]`},
		{"a person without a name", "people_list", []any{map[string]any{"id": "ada", "name": " "}}, ``},
		{"a person with too long a name", "people_list", []any{strings.Repeat("x", 301)}, ``},
		{"a number is nobody", "people_list", []any{1.0}, ``},
		{"a text is no list of people", "people_list", "Ada", ``},
		{"too many people", "people_list", make([]any, 101), ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := colours
			if c.kind != "choice" && c.kind != "multi_choice" {
				options = nil
			}
			field := Field{Key: "f", Type: c.kind, Options: options}
			got, err := field.clean(c.in)
			if c.want == "" {
				if err == nil {
					t.Fatalf("%#v was taken as %#v", c.in, got)
				}
				if strings.Contains(err.Error(), "%!") || len(err.Error()) > 200 {
					t.Errorf("the words are not for people: %s", err)
				}
				return
			}
			if err != nil || schema.JSON(got) != c.want {
				t.Errorf("%#v became %s (%v), want %s", c.in, schema.JSON(got), err, c.want)
			}
		})
	}
}

func TestField_people(t *testing.T) {
	field := Field{Key: "owners", Type: "people_list"}
	got, err := field.clean([]any{"Ada", map[string]any{"name": "Bo"}, map[string]any{"id": "bo", "name": "Bo"}, map[string]any{"id": "bo", "name": "Another Bo"}, map[string]any{"id": strings.Repeat("x", 61), "name": "Cy"}})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[any]bool{}
	for _, p := range got.([]any) {
		id := p.(map[string]any)["id"]
		if id == "" || len(id.(string)) > 60 || ids[id] {
			t.Errorf("id %v is empty, too long or there twice", id)
		}
		ids[id] = true
	}
	if !ids["bo"] || len(ids) != 5 {
		t.Errorf("a given id is kept, the others are new: %v", ids)
	}
}

func TestFilled(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		least int
		want  bool
	}{
		{"nothing", nil, 0, false},
		{"an empty text", "", 0, false},
		{"blanks", " \n", 0, false},
		{"a text", "x", 0, true},
		{"no", false, 0, true},
		{"zero", 0.0, 0, true},
		{"an empty list", []any{}, 0, false},
		{"one of two", []any{"x"}, 2, false},
		{"two of two", []any{"x", "y"}, 2, true},
		{"an empty object", map[string]any{}, 0, false},
		{"an object", map[string]any{"a": 1}, 0, true},
	} {
		if got := filled(c.value, c.least); got != c.want {
			t.Errorf("%s is filled: %t", c.name, got)
		}
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{"": "", "123": "•••", "1234": "••••", "12345": "•2345", "ÄÖÜß1234": "••••1234"} {
		if got := masked(in); got != want {
			t.Errorf("%q is masked as %q, not %q", in, got, want)
		}
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{"Main account": "main-account", " HSBC / GBP ": "hsbc---gbp", "Großkunde": "großkunde", "---": ""} {
		if got := slug(in); got != want {
			t.Errorf("%q has the id %q, not %q", in, got, want)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nil, "", true},
		{nil, []any{}, true},
		{3.0, 3, true},
		{"3", 3, false},
		{false, nil, false},
		{map[string]any{"a": 1, "b": 2}, map[string]any{"b": 2.0, "a": 1.0}, true},
		{[]any{"x", "y"}, []any{"y", "x"}, false},
	} {
		if got := equal(c.a, c.b); got != c.want {
			t.Errorf("%#v and %#v are equal: %t", c.a, c.b, got)
		}
	}
}

func TestLabel_inTheReadersLanguage(t *testing.T) {
	var l Label
	if err := json.Unmarshal([]byte(`{"en": "Send", "de": "Senden", "pt-BR": "Enviar"}`), &l); err != nil {
		t.Fatal(err)
	}
	for locale, want := range map[string]string{"": "Send", "en-GB": "Send", "de": "Senden", "de-AT": "Senden", "pt-BR": "Enviar", "pt-PT": "Send", "ja": "Send"} {
		if got := l.In(locale); got != want {
			t.Errorf("%q: %q, want %q", locale, got, want)
		}
	}
	var foreign Label
	if err := json.Unmarshal([]byte(`{"sv": "Skicka", "fi": "Lähetä"}`), &foreign); err != nil {
		t.Fatal(err)
	}
	if got := foreign.In("de"); got != "Lähetä" {
		t.Errorf("without English the first one: %q", got)
	}
}
