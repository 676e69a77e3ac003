package simulate

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
	_ "gatehouse/pb_migrations"
)

func rig() Rig {
	return Rig{Memory: ops.Memory, Build: func(app core.App, clock schema.Clock) *workflow.Engine {
		return hooks.Register(app, hooks.Options{Clock: clock}).Engine
	}}
}

func TestX(t *testing.T) {
	src, _ := workflow.LibraryFile("simple-request.yaml")
	def, f := workflow.CheckSource(src)
	_ = f
	t0 := time.Now()
	s, ff, err := plant(rig(), def, src)
	if err != nil {
		t.Fatal(err, ff)
	}
	t.Log("plant", time.Since(t0))
	t0 = time.Now()
	w, err := s.grow()
	if err != nil {
		t.Fatal(err)
	}
	t.Log("grow", time.Since(t0))
	t0 = time.Now()
	org, err := w.found(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("found", time.Since(t0))
	v, err := w.version()
	t.Log(v, err)
	t0 = time.Now()
	for range 100 {
		if _, err := w.engine.Open(t.Context(), w.app, s.people.byName["handler 1"].actor, workflow.NewRequest{Workflow: def.Key, Organization: org}); err != nil {
			t.Fatal(err)
		}
	}
	t.Log("open", time.Since(t0)/100)
	t0 = time.Now()
	for range 100 {
	v, err = w.version()
	}
	t.Log(v, err, time.Since(t0)/100)
}
