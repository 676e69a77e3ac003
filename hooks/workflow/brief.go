package workflow

import "strings"

// brief is an item in the payload of an event, for those who write to people.
type brief struct {
	Item       string `json:"item"`
	Key        string `json:"key"`
	Title      string `json:"title"`
	Reason     string `json:"reason,omitempty"`
	ReasonText string `json:"reason_text,omitempty"`
	Comment    string `json:"comment,omitempty"`
}

type briefs []brief

// or gives the list, or the other one if it is empty.
func (b briefs) or(other briefs) briefs {
	if len(other) > 0 {
		return other
	}
	return b
}

func (l *live) sentBackList() briefs {
	list := briefs{}
	for _, i := range l.facts.applicable() {
		if sentBack(i.Status) {
			list = append(list, brief{i.ID, i.Key, i.Title, i.Reason, human(i.Reason), i.Comment})
		}
	}
	return list
}

func (l *live) missingList() briefs {
	list := briefs{}
	for _, i := range l.facts.applicable() {
		s := l.def.Section(i.Section)
		if i.Status == Missing && i.Required && s != nil && s.provider() == "client" && l.def.clientSees(l.facts, s, i) {
			list = append(list, brief{Item: i.ID, Key: i.Key, Title: i.Title})
		}
	}
	return list
}

// submitter is who did the last submit step.
func (l *live) submitter() string {
	for n := len(l.facts.Steps) - 1; n >= 0; n-- {
		if strings.HasPrefix(l.facts.Steps[n].Key, "submit") {
			return l.facts.Steps[n].Actor
		}
	}
	return ""
}

// touched collects the items that a command changed, each once, in order.
type touched struct {
	items []*Item
	seen  map[string]bool
}

func newTouched() *touched { return &touched{seen: map[string]bool{}} }

func (t *touched) add(i *Item) {
	if !t.seen[i.ID] {
		t.seen[i.ID] = true
		t.items = append(t.items, i)
	}
}

func (t *touched) list() []*Item { return t.items }
