package workflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Names is one name or a list of names; it is stored as a list.
type Names []string

// UnmarshalJSON reads a text or a list of texts.
func (n *Names) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*n = Names{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return errors.New("a name or a list of names is expected")
	}
	*n = list
	return nil
}

// Label is a text, or texts by language.
type Label struct {
	plain    string
	byLocale map[string]string
}

// Text makes a label of one language.
func Text(s string) Label { return Label{plain: s} }

// In is the text in a language such as "de-AT", else in its base "de", else in
// English, else in the first language there is.
func (l Label) In(locale string) string {
	if l.byLocale == nil {
		return l.plain
	}
	base, _, _ := strings.Cut(locale, "-")
	for _, key := range []string{locale, base, "en"} {
		if s, ok := l.byLocale[key]; ok {
			return s
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.byLocale)) {
		return l.byLocale[key]
	}
	return ""
}

// String is the text in English.
func (l Label) String() string { return l.In("en") }

// IsZero lets omitzero leave an empty label out.
func (l Label) IsZero() bool { return l.plain == "" && l.byLocale == nil }

// MarshalJSON writes what was read.
func (l Label) MarshalJSON() ([]byte, error) {
	if l.byLocale != nil {
		return json.Marshal(l.byLocale)
	}
	return json.Marshal(l.plain)
}

// UnmarshalJSON reads a text or an object of texts by language.
func (l *Label) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &l.plain) == nil {
		return nil
	}
	if err := json.Unmarshal(b, &l.byLocale); err != nil {
		return errors.New("a text or texts by language are expected")
	}
	return nil
}

// Flexible keeps a value whose shape the engine only passes on.
type Flexible struct{ Value any }

// IsZero lets omitzero leave it out.
func (f Flexible) IsZero() bool { return f.Value == nil }

// MarshalJSON writes the value as it is.
func (f Flexible) MarshalJSON() ([]byte, error) { return json.Marshal(f.Value) }

// UnmarshalJSON reads any value.
func (f *Flexible) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &f.Value) }

// strict decodes JSON and refuses unknown keys.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
