package report

import (
	"encoding/json"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// QueueItem is a row of the queue (docs/api.md).
type QueueItem struct {
	ID               string            `json:"id"`
	Number           string            `json:"number"`
	Title            string            `json:"title"`
	Organization     string            `json:"organization"`
	OrganizationName string            `json:"organization_name"`
	Workflow         string            `json:"workflow"`
	State            string            `json:"state"`
	Label            string            `json:"label"`
	Category         string            `json:"category"`
	Turn             string            `json:"turn"`
	Tag              string            `json:"tag"`
	Tone             string            `json:"tone"`
	NextStep         string            `json:"next_step"`
	Assignee         string            `json:"assignee"`
	AssigneeName     string            `json:"assignee_name"`
	StateSince       string            `json:"state_since"`
	Due              string            `json:"due"`
	Overdue          bool              `json:"overdue"`
	Priority         string            `json:"priority"`
	Tags             []string          `json:"tags"`
	Revision         int               `json:"revision"`
	Blocked          *Blocked          `json:"blocked"` // what keeps it from going on; null if nothing does
	Progress         workflow.Progress `json:"progress"`
}

// queueItems puts the words of their workflows on rows.
func (r *Reports) queueItems(app core.App, a asker, rows []queueRow) ([]QueueItem, error) {
	items, now := make([]QueueItem, 0, len(rows)), a.now()
	obstacles, err := r.obstaclesOf(app, a, rows)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		i := QueueItem{
			ID: row.ID, Number: row.Number, Title: row.Title, Organization: row.Organization, OrganizationName: row.OrganizationName, Workflow: row.WorkflowKey,
			State: row.State, Label: row.Label, Category: row.Category, Turn: row.Turn, Assignee: row.Assignee, AssigneeName: row.AssigneeName, StateSince: row.StateSince, Due: row.Due,
			Overdue: row.Due != "" && row.Due < now && row.Category != "done", Priority: row.Priority, Tags: append([]string{}, schema.Strings(row.Tags)...), Revision: row.Revision,
		}
		i.Progress = row.progress()
		outcome, shown := row.Outcome, true
		var def *workflow.Compiled
		if !row.Face {
			if def, err = r.Engine.Definition(app, row.Workflow); err != nil {
				return nil, err
			}
			if s := def.State(row.State); s != nil {
				i.Label, outcome, shown = s.Label.String(), s.Outcome, s.Visible()
			}
		}
		i.Tag, i.Tone = whoActs(i, outcome, shown)
		i.NextStep = workflow.NextStep(i.Category, i.Turn, i.Progress, i.Label)
		if i.Blocked = obstacles.blocks(row, def, now); i.Blocked != nil {
			i.NextStep = i.Blocked.Text
		}
		items = append(items, i)
	}
	return items, nil
}

// progress reads the counts of a row; what cannot be read counts nothing.
func (r queueRow) progress() (p workflow.Progress) {
	_ = json.Unmarshal([]byte(r.Progress), &p)
	return p
}

// whoActs are the words and the tone of a row's tag (UX: one table of words).
// shown says whether the client knows of the state.
func whoActs(i QueueItem, outcome string, shown bool) (tag, tone string) {
	switch {
	case i.Category == "done" && outcome == "success":
		return "Done", "ok"
	case i.Category == "done" && outcome == "void":
		return "Closed", "bad"
	case i.Category == "done":
		return "Archived", "todo"
	case i.Category == "blocked":
		return "Blocked", "block"
	case i.Turn == "client":
		return "With client", "need"
	case i.Turn == "system":
		return "System", "us"
	case i.Turn == "staff" && i.Assignee == "":
		return "Nobody", "us"
	case !shown:
		return i.Label, "todo"
	}
	return "With us", "us"
}
