package simulate

import (
	"fmt"

	"gatehouse/hooks/workflow"
)

// value is something valid for a type of field or question.
func (r *run) value(kind string, options []string, word string) any {
	switch kind {
	case "bool":
		return r.dice.n(2) == 0
	case "number", "money":
		return float64(r.dice.n(4))
	case "date":
		return r.now.AddDate(0, 0, r.dice.n(60)-20).Format("2006-01-02")
	case "month":
		return one(r.dice, []string{"2025-11", "2025-12"})
	case "month_day":
		return one(r.dice, []string{"03-31", "12-31"})
	case "choice":
		if len(options) > 0 {
			return one(r.dice, options)
		}
	case "multi_choice":
		if len(options) > 0 {
			list := []any{}
			for _, o := range options {
				if often(r.dice, 40) {
					list = append(list, o)
				}
			}
			if len(list) == 0 {
				list = append(list, one(r.dice, options))
			}
			return list
		}
		return []any{"one"}
	case "list":
		return []any{"Current", "Savings"}[:1+r.dice.n(2)]
	case "people_list":
		people := []any{}
		for n := range 1 + r.dice.n(2) {
			people = append(people, map[string]any{"id": fmt.Sprintf("p%d", n+r.dice.n(2)*2), "name": fmt.Sprintf("Person %d", n)})
		}
		return people
	}
	return fmt.Sprintf("%s %d", word, r.dice.n(50))
}

// fieldValue is a valid value of a field: staff's own carry a word that no client
// may read, masked ones a word that stands in one place only.
func (r *run) fieldValue(f *workflow.Field) any {
	switch {
	case f.Mask != "":
		return fmt.Sprintf("%s-%d-0000", secretWord, r.dice.n(50))
	case f.Staff():
		return r.value(f.Type, f.Options, staffWord)
	}
	return r.value(f.Type, f.Options, "Words")
}

// wrongValue is one that hardly any type takes.
func (r *run) wrongValue() any {
	return one(r.dice, []any{map[string]any{"a": 1.0}, []any{[]any{"x"}}, true, "32-13", -1.5})
}

// gift is the act of somebody who gives an item: a file, an answer, a none.
func (r *run) gift(p *person, t *thing) *Act {
	a := &Act{Who: p.name, Do: doAnswer, Item: t.place()}
	spec := r.def.Spec(t.Section, t.Key)
	if spec == nil {
		a.Answers = map[string]any{"text": "x"}
		return a
	}
	if spec.AllowNone != "" && often(r.dice, 25) {
		a.None = true
		return a
	}
	switch t.Kind {
	case "file":
		a.Do, a.Metadata = doUpload, map[string]any{}
		for _, m := range spec.Metadata {
			a.Metadata[m.Key] = r.now.AddDate(0, r.dice.n(14)-6, 0).Format("2006-01-02")
		}
	case "acknowledge":
		a.Answers = map[string]any{"accepted": true}
		if spec.Attaches != "" && !p.client() {
			a.Do, a.Answers, a.Metadata = doUpload, nil, map[string]any{}
		}
	case "form":
		a.Answers = map[string]any{}
		form := r.def.Forms[spec.Form]
		if form == nil {
			a.Answers["text"] = r.value("text", nil, "Answer")
			break
		}
		for _, q := range form.Questions {
			if q.Required || often(r.dice, 40) {
				a.Answers[q.Key] = r.value(q.Type, q.Options, "Answer")
			}
		}
	default:
		a.Answers = map[string]any{"text": r.value("text", nil, "Answer")}
	}
	return a
}
