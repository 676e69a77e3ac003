package report

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Blocked names what keeps a request from going on, and where that is put right:
// the request itself, one of its items, the firm's people, the client's.
type Blocked struct {
	Text string `json:"text"`
	Cure string `json:"cure"` // request item firm client
	ID   string `json:"id"`   // of the item or the client, where one is the cure
}

// obstacles is what is known of the rows of a page, read at once.
type obstacles struct {
	zone     *time.Location
	jobs     map[string]jobRow
	staff    []access.StaffMember
	peopled  map[string]bool // clients where somebody can act
	hopeless map[string]workflow.Hopeless
}

type jobRow struct {
	Request string `db:"request"`
	Name    string `db:"name"`
	System  string `db:"system"`
	Status  string `db:"status"`
	Error   string `db:"last_error"`
}

const (
	// The newest last, what is dead after what still goes on.
	readOpenJobs = `SELECT request, name, system, status, last_error FROM jobs WHERE request IN (SELECT value FROM json_each({:ids})) AND status IN ('queued','running','retrying','dead')
	ORDER BY status = 'dead', revision, created`

	// Somebody of an organization above can act as well.
	readPeopled = `SELECT o.id FROM organizations o WHERE o.id IN (SELECT value FROM json_each({:ids})) AND EXISTS (SELECT 1 FROM json_each('["' || replace(trim(o.path, '/'), '/', '","') || '"]') p
	JOIN memberships m ON m.organization = p.value WHERE m.status = 'active' AND m.role IN ('admin','member'))`
)

// obstaclesOf reads what may stand in the way of rows. Rows that are the client's
// face tell of nothing but the hold that the client knows of.
func (r *Reports) obstaclesOf(app core.App, a asker, rows []queueRow) (obstacles, error) {
	o := obstacles{jobs: map[string]jobRow{}, peopled: map[string]bool{}}
	var ids, organizations, sentBack []string
	held := false
	for _, row := range rows {
		held = held || row.PausedUntil > a.now()
		if row.Face || row.Category == "done" {
			continue
		}
		ids = append(ids, row.ID)
		organizations = append(organizations, row.Organization)
		if row.progress().SentBack > 0 {
			sentBack = append(sentBack, row.ID)
		}
	}
	var err error
	if held {
		if o.zone, err = location(app, a); err != nil {
			return o, err
		}
	}
	var jobs []jobRow
	if err := app.DB().NewQuery(readOpenJobs).Bind(dbx.Params{"ids": schema.JSON(ids)}).All(&jobs); err != nil {
		return o, fmt.Errorf("read open jobs: %w", err)
	}
	for _, j := range jobs {
		o.jobs[j.Request] = j
	}
	var peopled []string
	if err := app.DB().NewQuery(readPeopled).Bind(dbx.Params{"ids": schema.JSON(organizations)}).Column(&peopled); err != nil {
		return o, fmt.Errorf("read who can act for clients: %w", err)
	}
	for _, id := range peopled {
		o.peopled[id] = true
	}
	if o.staff, err = workflow.Colleagues(app); err != nil {
		return o, err
	}
	o.hopeless, err = r.Engine.Hopeless(app, sentBack, a.Actor)
	return o, err
}

// blocks says in one sentence what keeps a row from going on; nil if nothing does.
// def is nil for the client's face.
func (o obstacles) blocks(row queueRow, def *workflow.Compiled, now string) *Blocked {
	if row.PausedUntil > now {
		return &Blocked{"On hold until " + schema.Time(row.PausedUntil).In(o.zone).Format("Mon 2 Jan 2006") + ".", "request", ""}
	}
	if def == nil || row.Category == "done" {
		return nil
	}
	state, job := def.State(row.State), o.jobs[row.ID]
	if job.Status == "dead" && row.Category == "blocked" {
		return &Blocked{told(human(job.System)+" did not do this: "+workflow.JobWords(job.Name)+".", job.Error), "request", ""}
	}
	if i, there := o.hopeless[row.ID]; there {
		return &Blocked{fmt.Sprintf("%q was sent back, and nobody can put it right where this request is.", i.Title), "item", i.Item}
	}
	if duties := def.Lacks(row.State, o.staff); len(duties) > 0 {
		return &Blocked{"This waits for " + def.DutyWords(duties) + ", and nobody of the firm has that duty.", "firm", ""}
	}
	if row.Turn == "client" && !o.peopled[row.Organization] {
		return &Blocked{"Nobody of " + row.OrganizationName + " can act: no admin or member has joined.", "client", row.Organization}
	}
	if state != nil {
		if outside, _ := state.ExternalAction.Value.(string); outside != "" && row.Category == "blocked" {
			return &Blocked{outside, "request", ""}
		}
	}
	if job.Status != "" && job.Status != "dead" && (row.Turn == "system" || row.Category == "blocked") {
		return &Blocked{told("Waiting for "+human(job.System)+": "+workflow.JobWords(job.Name)+".", job.Error), "request", ""}
	}
	return nil
}

// told adds what the other system said last.
func told(sentence, why string) string {
	if why == "" {
		return sentence
	}
	return sentence + " It says: " + why
}
