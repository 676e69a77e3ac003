package workflow

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// place says where a character of an expression stands in the source. It walks
// the source beside the text that YAML read from it: through quotes and their
// escapes, over the indentation of a block, over line breaks that became blanks.
func (r *reader) place(path string, at int) (line, column int) {
	n := r.nodes[path]
	if inner := r.nodes[join(path, "expr")]; n != nil && n.Kind == yaml.MappingNode && inner != nil {
		n = inner
	}
	if n == nil {
		return 0, 0
	}
	w := &cursor{rest: r.source, line: 1, column: 1}
	for w.line < n.Line || (w.line == n.Line && w.column < n.Column) {
		if len(w.rest) == 0 {
			return n.Line, n.Column
		}
		w.step()
	}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		for len(w.rest) > 0 && w.line == n.Line {
			w.step()
		}
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		w.step()
	}
	runes := []rune(n.Value)
	for _, c := range runes[:min(at, len(runes))] {
		w.read(c, n.Style)
	}
	if at < len(runes) && runes[at] != ' ' && runes[at] != '\n' {
		w.skipBlanks(runes[at])
	}
	return w.line, w.column
}

// cursor is a place in the source.
type cursor struct {
	rest         []byte
	line, column int
}

func (w *cursor) step() {
	c, size := utf8.DecodeRune(w.rest)
	w.rest = w.rest[size:]
	w.column++
	if c == '\n' {
		w.line, w.column = w.line+1, 1
	}
}

// read passes what stands in the source for one character of the value.
func (w *cursor) read(c rune, style yaml.Style) {
	w.skipBlanks(c)
	switch {
	case len(w.rest) == 0:
	case style&yaml.DoubleQuotedStyle != 0 && w.rest[0] == '\\' && len(w.rest) > 1:
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[w.rest[1]]
		for range min(2+digits, len(w.rest)) {
			w.step()
		}
	case style&yaml.SingleQuotedStyle != 0 && bytes.HasPrefix(w.rest, []byte("''")):
		w.step()
		w.step()
	default:
		w.step()
	}
}

// skipBlanks passes indentation and line breaks that are not part of the value.
func (w *cursor) skipBlanks(next rune) {
	if next == ' ' || next == '\n' || next == '\t' {
		return
	}
	for len(w.rest) > 0 && strings.IndexByte(" \t\r\n", w.rest[0]) >= 0 {
		w.step()
	}
}
