package hooks

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"gatehouse/hooks/ops"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/simulate"
	"gatehouse/hooks/workflow"
)

// InMemory says whether a command line asks for what needs no data folder, so
// that none is made.
func InMemory(args []string) bool {
	at := slices.Index(args, "workflow")
	return at >= 0 && slices.Contains(args[at:], "simulate")
}

func simulateCommand() *cobra.Command {
	o := simulate.Options{Replays: 400}
	var asJSON, quiet bool
	c := &cobra.Command{
		Use: "simulate FILE", Short: "Walks a definition at random through the real engine, in memory, and checks every act", Args: cobra.ExactArgs(1), SilenceUsage: true,
		Example: "  gatehouse workflow simulate onboarding.yaml\n  gatehouse workflow simulate onboarding.yaml --runs 200 --seed 7 --json",
		RunE: func(c *cobra.Command, files []string) error {
			if o.Runs < 1 || o.Steps < 1 {
				return UsageError{"gatehouse: --runs and --steps are numbers above zero."}
			}
			source, err := os.ReadFile(files[0])
			if os.IsNotExist(err) {
				return UsageError{"gatehouse: there is no file " + files[0] + "."}
			}
			if err != nil {
				return fmt.Errorf("read %s: %w", files[0], err)
			}
			if !quiet {
				o.Progress = os.Stderr
			}
			return simulateFile(c.OutOrStdout(), os.Stderr, files[0], source, o, asJSON)
		},
	}
	c.Flags().IntVar(&o.Runs, "runs", 10_000, "how many requests to walk")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "where the random numbers begin: the same seed gives the same walks")
	c.Flags().IntVar(&o.Steps, "steps", 120, "acts on one request, at most")
	c.Flags().IntVar(&o.Acts, "acts", 0, "stop after about so many acts (0: when all runs are done)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the statistics as JSON")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	return c
}

func simulateFile(out, progress io.Writer, file string, source []byte, o simulate.Options, asJSON bool) error {
	debug.SetGCPercent(400) // short-lived garbage, and a process that ends soon
	began := time.Now()
	result, err := simulate.Simulate(SimulateRig(), source, o)
	if err != nil {
		return err
	}
	if result.Statistics == nil {
		if err := printFindings(out, file, workflow.Imported{Findings: result.Findings}, false); err != nil {
			return err
		}
		return ErrNo
	}
	if err := result.Print(out, asJSON); err != nil {
		return err
	}
	if o.Progress != nil {
		seconds := time.Since(began).Seconds()
		if _, err := fmt.Fprintf(progress, "%d acts in %.1f s: %.0f acts per second\n", result.Statistics.Acts, seconds, float64(result.Statistics.Acts)/seconds); err != nil {
			return err
		}
	}
	if result.Found != nil {
		return ErrNo
	}
	return nil
}

// SimulateRig hands the simulator the whole house on a database in memory.
func SimulateRig() simulate.Rig {
	return simulate.Rig{Memory: ops.Memory, Build: func(app core.App, clock schema.Clock) *workflow.Engine {
		return Register(app, Options{Clock: clock}).Engine
	}}
}
