package workflow

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
)

// PostBulk starts the same act on many requests.
//
//	POST /api/portal/bulk {action, transition? | assignee? | priority? | tags?, remove_tags?, …what the step asks, requests: [id], dry_run} → 200 the run
func (r *Runs) PostBulk(re *core.RequestEvent) error {
	var in Bulk
	if err := staffOnly(actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	id, err := r.Bulk(re.App, actor(re), in)
	return r.show(re, id, err)
}

// PostMigrate starts the move of live requests to a version.
//
//	POST /api/portal/definitions/{id}/migrate {from?: [id], states?: {old: new}, dry_run} → 200 the run
func (r *Runs) PostMigrate(re *core.RequestEvent) error {
	var in MoveOrder
	if err := manages(re.App, actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	in.To = re.Request.PathValue("id")
	id, err := r.Migrate(re.App, actor(re), in)
	return r.show(re, id, err)
}

// GetRuns lists runs.
//
//	GET /api/portal/runs?after= → 200 {items: [{id, kind, dry_run, status, total, done, …}], next}
func (r *Runs) GetRuns(re *core.RequestEvent) error {
	page, err := r.List(re.App, actor(re), re.Request.URL.Query().Get("after"))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, page)
}

// GetRun shows a run.
//
//	GET /api/portal/runs/{id}?status=&after= → 200 {…, summary: [words], items: [{request, number, title, organization_name, status, text}], next}
func (r *Runs) GetRun(re *core.RequestEvent) error {
	return r.show(re, re.Request.PathValue("id"), nil)
}

// PostCancel calls a run off.
//
//	POST /api/portal/runs/{id}/cancel → 200 the run; 400 when it has ended
func (r *Runs) PostCancel(re *core.RequestEvent) error {
	id := re.Request.PathValue("id")
	return r.show(re, id, r.Cancel(re.App, id, actor(re)))
}

func (r *Runs) show(re *core.RequestEvent, id string, err error) error {
	if err != nil {
		return problem.Reply(re, err)
	}
	query := re.Request.URL.Query()
	view, err := r.View(re.App, id, actor(re), query.Get("status"), query.Get("after"))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, view)
}
