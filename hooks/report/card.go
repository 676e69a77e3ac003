package report

import (
	"fmt"

	"gatehouse/hooks/workflow"
)

// Card is a request as the client's lists show it (docs/api.md).
type Card struct {
	ID               string            `json:"id"`
	Number           string            `json:"number"`
	Title            string            `json:"title"`
	Organization     string            `json:"organization"`
	OrganizationName string            `json:"organization_name"`
	State            string            `json:"state"`
	Label            string            `json:"label"`
	Category         string            `json:"category"`
	Turn             string            `json:"turn"`
	Outcome          string            `json:"outcome"`
	Due              string            `json:"due"`
	Overdue          bool              `json:"overdue"`
	StateSince       string            `json:"state_since"`
	Progress         workflow.Progress `json:"progress"`
	Tag              string            `json:"tag"`
	Tone             string            `json:"tone"`
	TagIcon          string            `json:"tag_icon"`
	Line             string            `json:"line"`
	Button           string            `json:"button"`
}

// words puts the tag, the line and the button on a card. begun says that an
// answer is half done.
func (c *Card) words(begun bool) {
	switch {
	case c.Category == "done":
		c.finished()
	case c.Category == "blocked":
		c.tag("With us", "block", "bang", "We are sorting out a problem on our side.", "View")
	case c.Turn == "client":
		c.yours(begun)
	case c.Category == "review":
		c.tag("In review", "us", "eye", c.Label, "View")
	default:
		c.tag("With us", "us", "eye", c.Label, "View")
	}
}

func (c *Card) yours(begun bool) {
	p := c.Progress
	switch {
	case p.SentBack > 0:
		c.tag(fmt.Sprintf("%d sent back", p.SentBack), "bad", "back", things(p.SentBack, "item needs", "items need")+" another look.", "Fix and continue")
	case p.ToDecide > 0 && p.Left == 0:
		c.tag("Your decision", "need", "eye", "Look at what we sent you, then say whether it is right.", "Look and decide")
	case p.Decide > 0 && p.Left == 0:
		c.tag("Your decision", "need", "pen", "Everything is decided. Tell us with the last step.", "Open")
	case p.Total == 0:
		c.tag("Your turn", "need", "pen", c.Label, "Open")
	case p.Left == 0:
		c.tag("Ready to send", "need", "pen", "Everything is ready. Check it and send it to us.", "Check and send")
	case p.Ready == 0 && !begun:
		c.tag("Not started", "need", "pen", c.Label, "Start")
	default:
		c.tag(things(p.Left, "item left", "items left"), "need", "pen", c.Label, "Continue")
	}
}

func (c *Card) finished() {
	switch c.Outcome {
	case "success":
		c.tag(c.Label, "ok", "check", "", "View")
	case "void":
		c.tag(c.Label, "bad", "back", "", "View")
	default:
		c.tag("Finished", "todo", "box", "", "View")
	}
}

func (c *Card) tag(words, tone, icon, line, button string) {
	c.Tag, c.Tone, c.TagIcon, c.Line, c.Button = words, tone, icon, line, button
}
