package simulate

import (
	"os"
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
	for _, name := range []string{"simple-request", "accounting-monthly-close", "accounting-onboarding-kyc", "agency-creative-approval"} {
		src, _ := workflow.LibraryFile(name + ".yaml")
		t0 := time.Now()
		out, err := Simulate(rig(), src, src, Options{Runs: 100, Steps: 120, Seed: 1})
		if err != nil {
			t.Fatal(err, out.Findings)
		}
		d := time.Since(t0)
		if err := out.Print(os.Stdout, false); err != nil {
			t.Fatal(err)
		}
		t.Log(name, d, out.Statistics.Acts, d/time.Duration(out.Statistics.Acts))
	}
}
