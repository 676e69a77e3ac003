package simulate_test

import (
	"testing"

	"gatehouse/hooks"
	"gatehouse/hooks/simulate"
	"gatehouse/hooks/workflow"
	_ "gatehouse/pb_migrations"
)

func TestX(t *testing.T) {
	src, _ := workflow.LibraryFile("accounting-onboarding-kyc.yaml")
	out, err := simulate.Simulate(hooks.SimulateRig(), src, simulate.Options{Runs: 20, Steps: 120, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out.Statistics.Acts)
}
