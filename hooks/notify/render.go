package notify

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"regexp"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
)

//go:embed templates
var templateFiles embed.FS

// Kinds are the letters there are, each with a pair of templates.
var Kinds = []string{
	"another_look", "attacked", "closed", "digest", "email_change", "escalation", "finished", "invitation", "message", "notice", "passkey_added", "passkey_copied", "passkey_removed", "password_reset",
	"reminder", "reminders", "renewal", "sign_in_code", "staff", "submitted", "verification", "your_turn",
}

// Rendered is a letter ready to be sent. Text is as complete as HTML.
type Rendered struct {
	Subject string
	Text    string
	HTML    string
}

type pair struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

var pairs = sync.OnceValues(func() (map[string]pair, error) {
	functions := map[string]any{"plural": plural, "indent": indent, "paragraphs": paragraphs, "ink": ink}
	set := map[string]pair{}
	for _, kind := range Kinds {
		text, err := texttemplate.New("layout.txt").Funcs(functions).ParseFS(templateFiles, "templates/layout.txt", "templates/"+kind+".txt")
		if err != nil {
			return nil, fmt.Errorf("parse text of %s: %w", kind, err)
		}
		html, err := htmltemplate.New("layout.html").Funcs(functions).ParseFS(templateFiles, "templates/layout.html", "templates/"+kind+".html")
		if err != nil {
			return nil, fmt.Errorf("parse HTML of %s: %w", kind, err)
		}
		set[kind] = pair{text, html}
	}
	return set, nil
})

const longestSubject = 160

// Render puts a letter into words. Everything that people typed is escaped in
// HTML, and cannot break a header.
func Render(kind string, l Letter) (Rendered, error) {
	set, err := pairs()
	if err != nil {
		return Rendered{}, err
	}
	templates, known := set[kind]
	if !known {
		return Rendered{}, fmt.Errorf("no templates for kind %q", kind)
	}
	var subject, text, html bytes.Buffer
	if err := templates.text.ExecuteTemplate(&subject, "subject", l); err != nil {
		return Rendered{}, fmt.Errorf("render subject of %s: %w", kind, err)
	}
	if err := templates.text.ExecuteTemplate(&text, "layout.txt", l); err != nil {
		return Rendered{}, fmt.Errorf("render text of %s: %w", kind, err)
	}
	rendered := Rendered{Subject: oneLine(subject.String(), longestSubject), Text: tidy(text.String())}
	page := struct {
		Letter
		Subject string
	}{l, rendered.Subject}
	if err := templates.html.ExecuteTemplate(&html, "layout.html", page); err != nil {
		return Rendered{}, fmt.Errorf("render HTML of %s: %w", kind, err)
	}
	rendered.HTML = tidy(html.String())
	return rendered, nil
}

var blankLines = regexp.MustCompile(`\n[ \t]*\n(?:[ \t]*\n)+`)

// tidy leaves no run of empty lines behind what a template did not say.
func tidy(s string) string {
	return strings.TrimSpace(blankLines.ReplaceAllString(s, "\n\n")) + "\n"
}

// indent sets every line of a person's words off from ours.
func indent(prefix, text string) string {
	return prefix + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+prefix)
}

// paragraphs are the lines of a person's words.
func paragraphs(text string) []string {
	return strings.Split(strings.TrimSpace(text), "\n")
}

// ink is the colour of words on the accent: white, or near black where white
// would have less contrast (WCAG 2.2, relative luminance).
func ink(accent string) string {
	value, err := strconv.ParseUint(strings.TrimPrefix(accent, "#"), 16, 32)
	if err != nil || len(accent) != 7 {
		return "#ffffff"
	}
	linear := func(shift uint) float64 {
		c := float64(value>>shift&0xff) / 255
		return c * c // near enough to the sRGB curve to choose between two inks
	}
	if 0.2126*linear(16)+0.7152*linear(8)+0.0722*linear(0) > 0.18 {
		return "#10211f"
	}
	return "#ffffff"
}
