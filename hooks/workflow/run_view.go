package workflow

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// runRow is a run as stored.
type runRow struct {
	ID         string `db:"id" json:"id"`
	Kind       string `db:"kind" json:"kind"`
	DryRun     bool   `db:"dry_run" json:"dry_run"`
	Status     string `db:"status" json:"status"`
	Total      int    `db:"total" json:"total"`
	Done       int    `db:"done" json:"done"`
	Changed    int    `db:"changed" json:"changed"`
	Skipped    int    `db:"skipped" json:"skipped"`
	Failed     int    `db:"failed" json:"failed"`
	ByName     string `db:"by_name" json:"by_name"`
	Workflow   string `db:"workflow" json:"workflow"`
	Created    string `db:"created" json:"created"`
	StartAt    string `db:"start_at" json:"start_at"`
	FinishedAt string `db:"finished_at" json:"finished_at"`
	Error      string `db:"error" json:"error"`
	By         string `db:"by" json:"-"`
	ByKind     string `db:"by_kind" json:"-"`
	Params     string `db:"params" json:"-"`
}

const selectRun = `SELECT id, kind, dry_run, status, total, done, changed, skipped, failed, by_name, workflow, created, start_at, finished_at, error, "by", by_kind, params FROM runs`

func readRun(app core.App, id string) (*runRow, error) {
	run := &runRow{}
	err := app.DB().NewQuery(selectRun + ` WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(run)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "There is no such run, or you do not have access to it.").Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", id, err)
	}
	return run, nil
}

// find reads a run for an actor: one's own, for managers and owners everybody's.
func (r *Runs) find(app core.App, id string, actor schema.Actor) (*runRow, error) {
	all, err := seesAllRuns(app, actor)
	if err != nil {
		return nil, err
	}
	run, err := readRun(app, id)
	if err == nil && !all && run.By != actor.ID {
		return nil, problem.New(problem.NotFound, "There is no such run, or you do not have access to it.")
	}
	return run, err
}

func seesAllRuns(app core.App, actor schema.Actor) (bool, error) {
	if err := staffOnly(actor); err != nil {
		return false, err
	}
	if actor.Kind != schema.ActorStaff {
		return true, nil
	}
	member, err := access.StaffOf(app, actor.ID)
	return member.AtLeast("manager"), err
}

// RunPage is a page of runs, the newest first.
type RunPage struct {
	Items []runRow `json:"items"`
	Next  string   `json:"next"`
}

const perRunPage = 50

// List pages through the runs that the actor may see; after is the id of the
// last one seen.
func (r *Runs) List(app core.App, actor schema.Actor, after string) (*RunPage, error) {
	all, err := seesAllRuns(app, actor)
	if err != nil {
		return nil, err
	}
	where, params := "true", dbx.Params{"n": perRunPage + 1}
	if !all {
		where, params["me"] = `"by" = {:me}`, actor.ID
	}
	if after != "" {
		where, params["after"] = where+` AND (created, id) < (SELECT created, id FROM runs WHERE id = {:after})`, after
	}
	page := &RunPage{Items: []runRow{}}
	if err := app.DB().NewQuery(selectRun + ` WHERE ` + where + ` ORDER BY created DESC, id DESC LIMIT {:n}`).Bind(params).All(&page.Items); err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	if len(page.Items) > perRunPage {
		page.Items = page.Items[:perRunPage]
		page.Next = page.Items[perRunPage-1].ID
	}
	return page, nil
}

// RunItem is the line of one request.
type RunItem struct {
	Request          string `json:"request" db:"request"`
	Number           string `json:"number" db:"number"`
	Title            string `json:"title" db:"title"`
	OrganizationName string `json:"organization_name" db:"organization_name"`
	Status           string `json:"status" db:"status"`
	Text             string `json:"text" db:"text"`
	Position         int    `json:"-" db:"position"`
}

// RunView is a run with its sums in words and a page of its lines.
type RunView struct {
	runRow
	Summary []string  `json:"summary"`
	Items   []RunItem `json:"items"`
	Next    string    `json:"next"`
}

// View shows a run: the sums are of all requests, the lines of those that the
// actor may see.
func (r *Runs) View(app core.App, id string, actor schema.Actor, status, after string) (*RunView, error) {
	run, err := r.find(app, id, actor)
	if err != nil {
		return nil, err
	}
	v := &RunView{runRow: *run, Items: []RunItem{}}
	if v.Summary, err = r.summary(app, run); err != nil {
		return nil, err
	}
	where, params := "", dbx.Params{"run": id, "after": -1, "n": perRunPage + 1}
	if status != "" {
		where, params["status"] = " AND i.status = {:status}", status
	}
	if after != "" {
		position, err := strconv.Atoi(after)
		if err != nil {
			return nil, problem.Field("after", problem.BadInput, "This is not where a page of this list ends. Start again from its first page.").Because(err)
		}
		params["after"] = position
	}
	err = app.DB().NewQuery(`SELECT i.request, r.number, r.title, o.name AS organization_name, i.status, i.text, i.position
		FROM run_items i JOIN requests r ON r.id = i.request JOIN organizations o ON o.id = r.organization
		WHERE i.run = {:run} AND i.position > {:after}` + where + seen(actor) + ` ORDER BY i.position LIMIT {:n}`).Bind(r.Engine.bindSeen(actor, params)).All(&v.Items)
	if err != nil {
		return nil, fmt.Errorf("read lines of run %s: %w", id, err)
	}
	if len(v.Items) > perRunPage {
		v.Items = v.Items[:perRunPage]
		v.Next = strconv.Itoa(v.Items[perRunPage-1].Position)
	}
	return v, nil
}

// Whole shows a run with all its lines.
func (r *Runs) Whole(app core.App, id string, actor schema.Actor) (*RunView, error) {
	whole, err := r.View(app, id, actor, "", "")
	if err != nil {
		return nil, err
	}
	for whole.Next != "" {
		page, err := r.View(app, id, actor, "", whole.Next)
		if err != nil {
			return nil, err
		}
		whole.Items, whole.Next = append(whole.Items, page.Items...), page.Next
	}
	return whole, nil
}

// sums are the words for what is counted, in the order in which they are told:
// what happened, then why nothing did. %s is "1 request" or "3 requests".
var sums = []struct{ tag, words string }{
	{"step", "%s: the step"},
	{"assign", "%s: in other hands"},
	{"priority", "%s: another priority"},
	{"tags", "%s: other tags"},
	{"unaffected", "%s: nothing changes but the version"},
	{"shown", "%s: the client is shown other words"},
	{"state", "%s: another state"},
	{"items_new", "%s: new items"},
	{"items_gone", "%s: items less, their answers are kept"},
	{"items", "%s: items asked for in another way"},
	{"text", "%s: something to confirm again"},
	{"turn", "%s: another side's turn"},
	{"due", "%s: another due date"},
	{"value", "%s: values kept in another form"},
	{"idle", "%s: nothing to do"},
	{"failed", "%s: failed for a reason of our own"},
	{"blocked:" + string(problem.StateGone), "%s cannot move: the state is gone, say where they go"},
	{"blocked:" + string(problem.StateUnfit), "%s cannot move: the new state does not fit"},
	{"blocked:" + string(problem.ValueUnfit), "%s cannot move: what was given does not fit"},
	{"blocked:" + string(problem.NobodyActs), "%s cannot move: nobody could go on from there"},
	{"blocked:" + string(problem.OpenRequest), "%s cannot move: another one is open"},
	{"blocked:" + string(problem.UnknownTransition), "%s: no such step from where they are"},
	{"blocked:" + string(problem.NotYours), "%s: somebody else has to do this"},
	{"blocked:" + string(problem.SamePerson), "%s: another person has to do this"},
	{"blocked:" + string(problem.ItemMissing), "%s: something is missing"},
	{"blocked:" + string(problem.ItemOpen), "%s: something is not checked yet"},
	{"blocked:" + string(problem.NotFound), "%s: not there any more, or not for you"},
}

// summary counts the lines by what became of them.
func (r *Runs) summary(app core.App, run *runRow) ([]string, error) {
	var counts []struct {
		Tag string `db:"tag"`
		N   int    `db:"n"`
	}
	err := app.DB().NewQuery(`SELECT t.value AS tag, COUNT(*) AS n FROM run_items i, json_each(i.detail, '$.tags') t WHERE i.run = {:run} GROUP BY t.value ORDER BY n DESC, t.value`).
		Bind(dbx.Params{"run": run.ID}).All(&counts)
	if err != nil {
		return nil, fmt.Errorf("count lines of run %s: %w", run.ID, err)
	}
	byTag, told := map[string]int{}, map[string]bool{}
	for _, c := range counts {
		byTag[c.Tag] = c.N
	}
	lines := []string{}
	for _, s := range sums {
		told[s.tag] = true
		if n := byTag[s.tag]; n > 0 {
			lines = append(lines, fmt.Sprintf(s.words, things(n, "request", "requests")))
		}
	}
	for _, c := range counts {
		if !told[c.Tag] {
			lines = append(lines, fmt.Sprintf("%s: not possible (%s)", things(c.N, "request", "requests"), strings.TrimPrefix(c.Tag, "blocked:")))
		}
	}
	if left := run.Total - run.Done; left > 0 {
		word := map[string]string{"cancelled": "not touched"}[run.Status]
		if word == "" {
			word = "still to come"
		}
		lines = append(lines, fmt.Sprintf("%s: %s", things(left, "request", "requests"), word))
	}
	return lines, nil
}
