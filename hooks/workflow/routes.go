package workflow

import (
	"errors"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// read decodes a JSON body. Wrong types and oversize bodies are refused in
// words; unknown members are left alone, so that newer clients can talk to us.
func read(e *core.RequestEvent, into any) error {
	err := e.BindBody(into)
	if err == nil {
		return nil
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problem.New(problem.FileSize, "The request is too large.").Because(err)
	}
	return problem.New(problem.BadInput, "This is not what is expected here: send JSON with the members that the documentation names.").Because(err)
}

func actor(e *core.RequestEvent) schema.Actor {
	a := schema.ActorIn(e)
	a.UserAgent = e.Request.UserAgent()
	return a
}

// show answers with the request as the caller's side is shown it.
func (e *Engine) show(re *core.RequestEvent, id string) error {
	view, err := e.View(re.App, id, actor(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, view)
}

// PostRequest opens a request.
//
//	POST /api/portal/requests {workflow, organization, title?, due?, data?, items?} → 200 the view
func (e *Engine) PostRequest(re *core.RequestEvent) error {
	var in NewRequest
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	id, err := e.Open(re.Request.Context(), re.App, actor(re), in)
	if err != nil {
		return problem.Reply(re, err)
	}
	return e.show(re, id)
}

// GetRequest shows a request.
//
//	GET /api/portal/requests/{id} → 200 the view
func (e *Engine) GetRequest(re *core.RequestEvent) error {
	return e.show(re, re.Request.PathValue("id"))
}

// PatchRequestRoute changes what is not the state.
//
//	PATCH /api/portal/requests/{id} {data?, title?, due?, assignee?, priority?, tags?, expected_revision?} → 200 the view
func (e *Engine) PatchRequestRoute(re *core.RequestEvent) error {
	var in RequestPatch
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	id := re.Request.PathValue("id")
	if err := e.PatchRequest(re.Request.Context(), re.App, id, actor(re), in); err != nil {
		return problem.Reply(re, err)
	}
	return e.show(re, id)
}

// PostTransition takes a step.
//
//	POST /api/portal/requests/{id}/transition {transition, expected_revision?, …} → 200 the view
func (e *Engine) PostTransition(re *core.RequestEvent) error {
	var in Input
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	answer, err := e.Once(re.Request.Context(), re.App, re.Request.PathValue("id"), actor(re), in, re.Request.Header.Get("Idempotency-Key"))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, answer)
}

// GetActions lists the steps.
//
//	GET /api/portal/requests/{id}/actions → 200 [action]
func (e *Engine) GetActions(re *core.RequestEvent) error {
	actions, err := e.Actions(re.App, re.Request.PathValue("id"), actor(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, actions)
}

// PostItems adds items: one, rows, or a table. A preview saves nothing.
//
//	POST /api/portal/requests/{id}/items {section, template, title | values, hint?, required?, due?, options?} → 200 the view
//	POST /api/portal/requests/{id}/items {section, template, rows: [{…}] | csv} → 200 the view
//	POST /api/portal/requests/{id}/items {…, preview: true} → 200 {rows: [{title, ok, message}]}
func (e *Engine) PostItems(re *core.RequestEvent) error {
	var in NewItems
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	id := re.Request.PathValue("id")
	checks, err := e.AddItems(re.Request.Context(), re.App, id, actor(re), in)
	if err != nil {
		return problem.Reply(re, err)
	}
	if in.Preview {
		return re.JSON(http.StatusOK, map[string]any{"rows": checks})
	}
	return e.show(re, id)
}

// PatchItemRoute takes an answer or a decision.
//
//	PATCH /api/portal/items/{id} {answers | none | status, reason?, comment? | confirmed: true} → 200 the view of the request
func (e *Engine) PatchItemRoute(re *core.RequestEvent) error {
	var in ItemPatch
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	request, err := e.PatchItem(re.Request.Context(), re.App, re.Request.PathValue("id"), actor(re), in)
	if err != nil {
		return problem.Reply(re, err)
	}
	return e.show(re, request)
}

// DeleteItem takes an added item away that the client was never shown.
//
//	DELETE /api/portal/items/{id} → 200 the view of the request
func (e *Engine) DeleteItem(re *core.RequestEvent) error {
	request, err := e.RemoveItem(re.Request.Context(), re.App, re.Request.PathValue("id"), actor(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	return e.show(re, request)
}

// GetWorkflows lists what can be opened now.
//
//	GET /api/portal/workflows → 200 [{key, title, version, needs_items}]
func (e *Engine) GetWorkflows(re *core.RequestEvent) error {
	if err := staffOnly(actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	var ids []string
	err := re.App.DB().NewQuery(`SELECT id FROM workflows w WHERE status = 'published' AND version = (SELECT MAX(version) FROM workflows n WHERE n.key = w.key AND n.status = 'published') ORDER BY title`).Column(&ids)
	if err != nil {
		return problem.Reply(re, err)
	}
	list := []map[string]any{}
	for _, id := range ids {
		def, err := e.Definition(re.App, id)
		if err != nil {
			return problem.Reply(re, err)
		}
		list = append(list, map[string]any{"key": def.Key, "title": def.Title, "version": def.Version, "needs_items": len(def.expected(&Facts{Data: map[string]any{}})) == 0, "sections": sectionTemplates(def)})
	}
	return re.JSON(http.StatusOK, list)
}

// sectionTemplates are the sections that take added items, with their kinds.
func sectionTemplates(def *Compiled) []map[string]any {
	list := []map[string]any{}
	for i := range def.Sections {
		s := &def.Sections[i]
		if !s.Dynamic {
			continue
		}
		kinds := []TemplateView{}
		for _, spec := range s.Items {
			if spec.Template {
				kinds = append(kinds, TemplateView{spec.Key, human(spec.Key), spec.Kind})
			}
		}
		list = append(list, map[string]any{"key": s.Key, "title": s.Title.String(), "templates": kinds})
	}
	return list
}
