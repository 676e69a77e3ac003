package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/hooks/schema"
)

// text reads a text of a JSON object; empty for anything else.
func text(d map[string]any, key string) string {
	s, _ := d[key].(string)
	return s
}

// sentences puts parts together, each with its full stop.
func sentences(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(part)
		if last, _ := utf8.DecodeLastRuneInString(part); !strings.ContainsRune(".!?…", last) {
			b.WriteByte('.')
		}
	}
	return b.String()
}

const longestDetail = 500

// short cuts a text that would fill the page.
func short(s string) string {
	s = strings.TrimSpace(s)
	if letters := []rune(s); len(letters) > longestDetail {
		return strings.TrimSpace(string(letters[:longestDetail])) + "…"
	}
	return s
}

// human turns a key into words: "address_proof" → "Address proof".
func human(key string) string {
	s := strings.TrimSpace(strings.ReplaceAll(key, "_", " "))
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// things counts in words: "1 item", "3 items".
func things(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// object reads a JSON object; an empty one for anything else.
func object(stored string) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(stored), &m); err != nil || m == nil {
		return map[string]any{}
	}
	return m
}

// list reads a JSON list of strings; an empty one for anything else.
func list(stored string) []string {
	if l := schema.Strings(stored); l != nil {
		return l
	}
	return []string{}
}
