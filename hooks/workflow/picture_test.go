package workflow_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"gatehouse/hooks/workflow"
)

// Everything that a definition says of who moves on stands in its picture.
func TestPicture_library(t *testing.T) {
	for _, name := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
		t.Run(name, func(t *testing.T) {
			source, err := workflow.LibraryFile(name)
			if err != nil {
				t.Fatal(err)
			}
			def, _ := workflow.Parse(source)
			p := def.Picture()
			if len(p.States) != len(def.States) {
				t.Errorf("%d of %d states are drawn", len(p.States), len(def.States))
			}
			n := 0
			for _, tr := range def.Transitions {
				n += len(tr.From)
			}
			if len(p.Steps) != n {
				t.Errorf("%d of %d steps are drawn", len(p.Steps), n)
			}
			for _, s := range p.Steps {
				if len(s.Points) < 3 || s.By == "" || len(s.Sides) == 0 {
					t.Errorf("%s from %s lacks its line or who takes it: %+v", s.Key, s.From, s)
				}
			}
			decoder := xml.NewDecoder(strings.NewReader(p.SVG(`<"&`)))
			for {
				if _, err := decoder.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("the SVG is not well-formed: %v", err)
				}
			}
		})
	}
}

func TestPicture_words(t *testing.T) {
	source, err := workflow.LibraryFile("simple-request.yaml")
	if err != nil {
		t.Fatal(err)
	}
	def, _ := workflow.Parse(source)
	p := def.Picture()
	tones := map[string]string{}
	for _, s := range p.States {
		tones[s.Key] = s.Tone + " " + s.Tag
		if s.Key == "draft" && s.ClientLabel != "" {
			t.Errorf("the client is said to see a draft as %q", s.ClientLabel)
		}
	}
	for key, want := range map[string]string{
		"draft": "todo With us · hidden", "waiting_for_client": "need With client", "in_review": "us With us",
		"approved": "ok Done", "rejected": "bad Closed", "archived": "todo Archived",
	} {
		if tones[key] != want {
			t.Errorf("%s is %q, not %q", key, tones[key], want)
		}
	}
	by := map[string]string{}
	for _, s := range p.Steps {
		by[s.Key] = s.By
	}
	for key, want := range map[string]string{"send": "handler", "submit": "client", "archive": "handler or by itself after 60 days"} {
		if by[key] != want {
			t.Errorf("%s is taken by %q, not %q", key, by[key], want)
		}
	}
}
