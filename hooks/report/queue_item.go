package report

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/dbx"
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
	BlockedBy        string            `json:"blocked_by"` // the work outside that failed, in words; staff who see the truth only
	Progress         workflow.Progress `json:"progress"`
}

// queueItems puts the words of their workflows on rows.
func (r *Reports) queueItems(app core.App, rows []queueRow, now string) ([]QueueItem, error) {
	items := make([]QueueItem, 0, len(rows))
	causes, err := blockedBy(app, rows)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		i := QueueItem{
			ID: row.ID, Number: row.Number, Title: row.Title, Organization: row.Organization, OrganizationName: row.OrganizationName, Workflow: row.WorkflowKey,
			State: row.State, Label: row.Label, Category: row.Category, Turn: row.Turn, Assignee: row.Assignee, AssigneeName: row.AssigneeName, StateSince: row.StateSince, Due: row.Due,
			Overdue: row.Due != "" && row.Due < now && row.Category != "done", Priority: row.Priority, Tags: append([]string{}, schema.Strings(row.Tags)...), Revision: row.Revision,
		}
		if err := json.Unmarshal([]byte(row.Progress), &i.Progress); err != nil {
			return nil, fmt.Errorf("read progress of request %s: %w", row.ID, err)
		}
		outcome, shown, outside := row.Outcome, true, ""
		if !row.Face {
			def, err := r.Engine.Definition(app, row.Workflow)
			if err != nil {
				return nil, err
			}
			if s := def.State(row.State); s != nil {
				i.Label, outcome, shown = s.Label.String(), s.Outcome, s.Visible()
				outside, _ = s.ExternalAction.Value.(string)
			}
		}
		i.Tag, i.Tone = whoActs(i, outcome, shown)
		i.NextStep = workflow.NextStep(i.Category, i.Turn, i.Progress, i.Label)
		i.BlockedBy = causes[i.ID]
		if i.BlockedBy == "" && i.Category == "blocked" {
			i.BlockedBy = outside
		}
		if i.BlockedBy != "" {
			i.NextStep = i.BlockedBy
		}
		items = append(items, i)
	}
	return items, nil
}

// blockedBy says in words what holds the blocked ones of the rows: the newest
// dead job of each. Rows that are the client's face name nothing.
func blockedBy(app core.App, rows []queueRow) (map[string]string, error) {
	var ids []string
	for _, row := range rows {
		if row.Category == "blocked" && !row.Face {
			ids = append(ids, row.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var dead []struct {
		Request string `db:"request"`
		Name    string `db:"name"`
		System  string `db:"system"`
		Error   string `db:"last_error"`
	}
	err := app.DB().NewQuery(`SELECT request, name, system, last_error FROM jobs WHERE request IN (SELECT value FROM json_each({:ids})) AND status = 'dead' ORDER BY revision, created`).
		Bind(dbx.Params{"ids": schema.JSON(ids)}).All(&dead)
	if err != nil {
		return nil, fmt.Errorf("read dead jobs: %w", err)
	}
	causes := map[string]string{}
	for _, j := range dead {
		causes[j.Request] = human(j.System) + " did not do this: " + workflow.JobWords(j.Name) + "."
		if j.Error != "" {
			causes[j.Request] += " It says: " + j.Error
		}
	}
	return causes, nil
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
