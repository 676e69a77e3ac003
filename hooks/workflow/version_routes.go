package workflow

import (
	"context"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Definitions over HTTP: staff look, managers and owners write.

// managing carries the actor to the hooks that write the trail.
func managing(re *core.RequestEvent) context.Context {
	return schema.WithActor(re.Request.Context(), actor(re))
}

// looking answers what staff may look at.
func looking[T any](re *core.RequestEvent, find func() (T, error)) error {
	if err := staffOnly(actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	found, err := find()
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, found)
}

// GetDefinitions lists the firm's workflows with their versions, and the library.
//
//	GET /api/portal/definitions → 200 {items: [{key, title, vertical, versions: […]}], library: […]}
func (e *Engine) GetDefinitions(re *core.RequestEvent) error {
	return looking(re, func() (map[string]any, error) {
		items, err := e.Definitions(re.App, actor(re))
		if err != nil {
			return nil, err
		}
		shelf, err := e.Shelf(re.App)
		return map[string]any{"items": items, "library": shelf}, err
	})
}

// GetDefinition shows one version.
//
//	GET /api/portal/definitions/{id} → 200 {id, key, version, title, status, source, findings, states: […], next_version, published_at}
func (e *Engine) GetDefinition(re *core.RequestEvent) error {
	return looking(re, func() (*VersionView, error) { return e.Version(re.App, re.Request.PathValue("id"), actor(re)) })
}

// GetDiff says in words what one version has otherwise than another.
//
//	GET /api/portal/definitions/{from}/diff/{to} → 200 {lines: [{kind, area, key, text}]}
func (e *Engine) GetDiff(re *core.RequestEvent) error {
	return looking(re, func() (map[string]any, error) {
		lines, err := e.DiffVersions(re.App, re.Request.PathValue("from"), re.Request.PathValue("to"))
		return map[string]any{"lines": lines}, err
	})
}

// GetExport gives a version as YAML.
//
//	GET /api/portal/definitions/{id}/export → 200 YAML
func (e *Engine) GetExport(re *core.RequestEvent) error {
	if err := staffOnly(actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	source, err := e.Source(re.App, re.Request.PathValue("id"))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.Blob(http.StatusOK, "application/yaml; charset=utf-8", source)
}

// PostCheck says what is wrong with a definition, without saving it.
//
//	POST /api/portal/definitions/check {source} → 200 {ok, key, version, title, findings}
func (e *Engine) PostCheck(re *core.RequestEvent) error {
	return looking(re, func() (map[string]any, error) {
		var in struct {
			Source string `json:"source"`
		}
		if err := read(re, &in); err != nil {
			return nil, err
		}
		out, err := e.CheckHere(re.App, []byte(in.Source))
		return map[string]any{"ok": out.OK(), "key": out.Key, "version": out.Version, "title": out.Title, "findings": findingsOf(out)}, err
	})
}

// PostDefinition saves a definition as a draft, or publishes it. A draft may
// have errors, as long as it can be read at all.
//
//	POST /api/portal/definitions {source, publish} → 200 {id, key, version, status, saved, findings}; 400 with the findings
func (e *Engine) PostDefinition(re *core.RequestEvent) error {
	var in struct {
		Source  string `json:"source"`
		Publish bool   `json:"publish"`
	}
	return e.managed(re, &in, func(ctx context.Context) (Imported, error) {
		return e.importAs(ctx, re.App, []byte(in.Source), in.Publish, false)
	})
}

// PostPublish publishes a draft.
//
//	POST /api/portal/definitions/{id}/publish → 200 as above; 400 with the findings
func (e *Engine) PostPublish(re *core.RequestEvent) error {
	return e.managed(re, nil, func(ctx context.Context) (Imported, error) {
		return e.PublishDraft(ctx, re.App, re.Request.PathValue("id"))
	})
}

// PostLibrary publishes a definition that the binary brings along.
//
//	POST /api/portal/definitions/library {file} → 200 as above
func (e *Engine) PostLibrary(re *core.RequestEvent) error {
	var in struct {
		File string `json:"file"`
	}
	return e.managed(re, &in, func(ctx context.Context) (Imported, error) {
		lines, err := e.Shelf(re.App)
		if err != nil {
			return Imported{}, err
		}
		for _, line := range lines {
			if line.File != in.File {
				continue
			}
			source, err := LibraryFile(line.File)
			if err != nil {
				return Imported{}, err
			}
			return e.importAs(ctx, re.App, source, true, false)
		}
		return Imported{}, problem.Field("file", problem.NotFound, "The library has no such workflow.")
	})
}

// managed answers a write of a definition: what was refused has its findings in
// the body.
func (e *Engine) managed(re *core.RequestEvent, body any, write func(ctx context.Context) (Imported, error)) error {
	if err := manages(re.App, actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	if body != nil {
		if err := read(re, body); err != nil {
			return problem.Reply(re, err)
		}
	}
	out, err := write(managing(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	out.Findings = findingsOf(out)
	if !out.Saved && !out.OK() {
		return re.JSON(http.StatusBadRequest, map[string]any{"status": http.StatusBadRequest, "message": refusalOf(out), "data": map[string]any{}, "findings": out.Findings})
	}
	return re.JSON(http.StatusOK, out)
}

func refusalOf(out Imported) string {
	n, first := 0, ""
	for _, f := range out.Findings {
		if f.Level == "error" {
			if n++; n == 1 {
				first = f.Message
			}
		}
	}
	if n == 1 {
		return first
	}
	return things(n, "thing is", "things are") + " wrong with this definition. Nothing was saved."
}

func findingsOf(out Imported) []Finding {
	if out.Findings == nil {
		return []Finding{}
	}
	return out.Findings
}

// PostRetire retires a version.
//
//	POST /api/portal/definitions/{id}/retire → 200 the version; 400 says why not
func (e *Engine) PostRetire(re *core.RequestEvent) error {
	if err := manages(re.App, actor(re)); err != nil {
		return problem.Reply(re, err)
	}
	id := re.Request.PathValue("id")
	if err := e.Retire(managing(re), re.App, id); err != nil {
		return problem.Reply(re, err)
	}
	return looking(re, func() (*VersionView, error) { return e.Version(re.App, id, actor(re)) })
}
