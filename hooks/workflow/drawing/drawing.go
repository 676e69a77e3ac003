// Package drawing lays out a workflow as a picture: states as boxes on layers,
// steps as lines between them. It knows nothing of definitions.
//
//	drawing.go  the picture, and how to make one
//	graph.go    boxes, signs and lines as nodes on layers
//	layout.go   their order on each layer, and their places
//	svg.go      the picture as a file
package drawing

import (
	"strings"
	"unicode/utf8"
)

// Picture is a workflow as a drawing: states as boxes, steps as arrows, all
// places in pixels. What is drawn follows from the definition alone.
type Picture struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	States []Box  `json:"states"`
	Steps  []Step `json:"steps"`
}

// Box is a state. Lines are its label, broken to fit the box.
type Box struct {
	Key         string   `json:"key"`
	Label       string   `json:"label"`
	Lines       []string `json:"lines"`
	ClientLabel string   `json:"client_label"`
	Category    string   `json:"category"`
	Turn        string   `json:"turn"`
	Outcome     string   `json:"outcome"`
	Tone        string   `json:"tone"`
	Tag         string   `json:"tag"`
	Initial     bool     `json:"initial"`
	Terminal    bool     `json:"terminal"`
	X           int      `json:"x"`
	Y           int      `json:"y"`
	W           int      `json:"w"`
	H           int      `json:"h"`

	// What is in it now, for the picture of a version in use.
	Live       *int `json:"live,omitempty"`
	Overdue    *int `json:"overdue,omitempty"`
	OldestDays *int `json:"oldest_days,omitempty"`
}

// Step is a transition from one state. Points are the line from the edge
// of one box to the edge of the other; a step that leads nowhere has none.
// Transitions of the same name to the same state share a line and its sign.
type Step struct {
	Key       string   `json:"key"`
	Label     string   `json:"label"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	By        string   `json:"by"`
	Sides     []string `json:"sides"`
	Automatic bool     `json:"automatic"`
	Points    [][2]int `json:"points"`
	Sign      *Sign    `json:"sign"`
}

// Sign is where a line's label stands; only the first step of those that
// share one has it.
type Sign struct {
	Lines []string `json:"lines"`
	X     int      `json:"x"`
	Y     int      `json:"y"`
	W     int      `json:"w"`
	H     int      `json:"h"`
}

// Sizes in pixels, for letters of 13 (boxes) and 12 (signs).
const (
	boxWidth   = 172
	boxLetters = 22
	boxPadding = 10
	lineHeight = 17

	signLetters = 24
	letterWidth = 7
	signPadding = 7
	signHeight  = 15
)

// Make lays out boxes and steps, with room for so many more lines in each box.
func Make(boxes []Box, steps []Step, more int) Picture {
	p := Picture{States: boxes, Steps: steps}
	for i := range p.States {
		b := &p.States[i]
		b.Lines, b.W = wrap(b.Label, boxLetters), boxWidth
		b.H = 2*boxPadding + lineHeight*(len(b.Lines)+1+more)
	}
	for i := range p.Steps {
		p.Steps[i].Points = [][2]int{}
	}
	layOut(&p)
	return p
}

// wrap breaks a text between its words into lines of at most so many letters; a
// longer word is cut.
func wrap(text string, letters int) []string {
	lines := []string{}
	for _, word := range strings.Fields(text) {
		if utf8.RuneCountInString(word) > letters {
			word = string([]rune(word)[:letters-1]) + "…"
		}
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= letters {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}
