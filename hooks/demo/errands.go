package demo

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed errands.yaml
var errandSource []byte

// errand is something that the firm asks its clients for again and again.
type errand struct {
	Key    string  `yaml:"key"`
	Title  string  `yaml:"title"`
	Items  []asked `yaml:"items"`
	Client string  `yaml:"client"` // what the client writes meanwhile
	Staff  string  `yaml:"staff"`  // what the firm answers
	Note   string  `yaml:"note"`   // what only staff read
}

// asked is one item; exactly one of File, Question and Confirm is set.
type asked struct {
	File     string   `yaml:"file"`
	Question string   `yaml:"question"`
	Confirm  string   `yaml:"confirm"`
	Name     string   `yaml:"name"` // of the file that the client sends
	Hint     string   `yaml:"hint"`
	Optional bool     `yaml:"optional"`
	Type     string   `yaml:"type"` // of the answer: text, number, date
	Choices  []string `yaml:"choices"`
	Answer   any      `yaml:"answer"`
	Back     *back    `yaml:"back"`
}

// back is why an item is sent back, when it is.
type back struct {
	Reason  string `yaml:"reason"`
	Comment string `yaml:"comment"`
}

func readErrands() ([]errand, error) {
	var list []errand
	if err := strictly(errandSource, &list); err != nil {
		return nil, fmt.Errorf("read errands.yaml: %w", err)
	}
	return list, nil
}

func (a asked) title() string {
	switch {
	case a.File != "":
		return a.File
	case a.Question != "":
		return a.Question
	}
	return a.Confirm
}

func (a asked) template() string {
	switch {
	case a.File != "":
		return "file"
	case a.Question != "":
		return "question"
	}
	return "confirm"
}

// answers is what the client fills in, as the item's kind stores it.
func (a asked) answers(at time.Time) map[string]any {
	switch {
	case a.Confirm != "":
		return map[string]any{"accepted": true}
	case len(a.Choices) > 0:
		return map[string]any{"choice": a.Answer}
	case a.Type != "":
		if text, ok := a.Answer.(string); ok {
			return map[string]any{a.Type: dated(text, at)}
		}
		return map[string]any{a.Type: a.Answer}
	}
	return map[string]any{"text": a.Answer}
}

// sendable is an item's file that can be sent back: the first with a reason.
func (e *errand) sendable() (asked, bool) {
	for _, a := range e.Items {
		if a.File != "" && a.Back != nil {
			return a, true
		}
	}
	return asked{}, false
}

// dated fills in the time words of a text, as seen from the day at.
func dated(text string, at time.Time) string {
	if !strings.Contains(text, "{") {
		return text
	}
	year := at.Year()
	taxYear := year - 1 // it ends on 5 April
	if at.Month() < time.April || (at.Month() == time.April && at.Day() < 6) {
		taxYear--
	}
	quarterYear, quarter := year, (int(at.Month())-1)/3
	if quarter == 0 {
		quarterYear, quarter = year-1, 4
	}
	return strings.NewReplacer(
		"{year}", strconv.Itoa(year), "{last_year}", strconv.Itoa(year-1),
		"{tax_year}", fmt.Sprintf("%d/%02d", taxYear, (taxYear+1)%100),
		"{quarter}", fmt.Sprintf("Q%d %d", quarter, quarterYear),
		"{month}", at.AddDate(0, 0, -at.Day()).Format("January 2006"),
		"{recent}", at.AddDate(0, 0, -12).Format(time.DateOnly), "{soon}", at.AddDate(0, 0, 30).Format(time.DateOnly),
	).Replace(text)
}

// fileName is a text with time words as the name of a file.
func fileName(text string, at time.Time) string {
	return strings.ToLower(strings.NewReplacer(" ", "-", "/", "-").Replace(dated(text, at)))
}
