package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// The versions of a workflow at the command line.

// ready brings the folder to where its definitions can be read.
func (h *House) ready() error {
	if err := h.App.RunAllMigrations(); err != nil {
		return err
	}
	return h.Prepare()
}

// commandLine is who acts here: the portal itself, for whoever may use its
// folder.
func commandLine() schema.Actor {
	return schema.Actor{Kind: schema.ActorSystem, Name: "Command line"}
}

// plainly turns a refusal into its sentence.
func plainly(err error) error {
	var refusal *problem.Error
	if errors.As(err, &refusal) {
		return errors.New(refusal.Message)
	}
	return err
}

// splitKey reads KEY or KEY@VERSION.
func splitKey(name string) (key string, version int, err error) {
	key, number, named := strings.Cut(name, "@")
	if !named {
		return key, 0, nil
	}
	if version, err = strconv.Atoi(number); err != nil || version < 1 {
		return "", 0, UsageError{fmt.Sprintf("%q is not KEY@VERSION, such as simple_request@2", name)}
	}
	return key, version, nil
}

// named finds a version in the folder.
func (h *House) named(name string) (string, error) {
	key, version, err := splitKey(name)
	if err != nil {
		return "", err
	}
	id, err := h.Engine.VersionNamed(h.App, key, version)
	return id, plainly(err)
}

func (h *House) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export KEY[@VERSION]", Short: "Prints a definition, the newest published one unless a version is named", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(c *cobra.Command, args []string) error {
			if err := h.ready(); err != nil {
				return err
			}
			id, err := h.named(args[0])
			if err != nil {
				return err
			}
			source, err := h.Engine.Source(h.App, id)
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(source)
			return err
		},
	}
}

func (h *House) retireCommand() *cobra.Command {
	return &cobra.Command{
		Use: "retire KEY@VERSION", Short: "Opens no new requests on a version", Args: cobra.ExactArgs(1), SilenceUsage: true,
		RunE: func(c *cobra.Command, args []string) error {
			if !strings.Contains(args[0], "@") {
				return UsageError{"name the version: KEY@VERSION"}
			}
			if err := h.ready(); err != nil {
				return err
			}
			id, err := h.named(args[0])
			if err != nil {
				return err
			}
			if err := h.Engine.Retire(schema.WithActor(context.Background(), commandLine()), h.App, id); err != nil {
				return plainly(err)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is retired\n", args[0])
			return err
		},
	}
}

func (h *House) diffCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "diff A B", Short: "Says in words what B has otherwise than A", Args: cobra.ExactArgs(2), SilenceUsage: true,
		Example: "  gatehouse workflow diff simple_request@1 simple_request@2\n  gatehouse workflow diff simple_request@1 mine.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			a, err := h.definition(args[0])
			if err != nil {
				return err
			}
			b, err := h.definition(args[1])
			if err != nil {
				return err
			}
			lines := workflow.Diff(a, b)
			if err := printDiff(c.OutOrStdout(), lines, asJSON); err != nil {
				return err
			}
			if len(lines) > 0 {
				return ErrNo
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the lines as JSON")
	return c
}

// definition reads a file, or a version of the folder.
func (h *House) definition(name string) (*workflow.Definition, error) {
	source, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		if !strings.Contains(name, "@") {
			return nil, UsageError{fmt.Sprintf("%s is neither a file nor KEY@VERSION", name)}
		}
		if err := h.ready(); err != nil {
			return nil, err
		}
		id, err := h.named(name)
		if err != nil {
			return nil, UsageError{err.Error()}
		}
		if source, err = h.Engine.Source(h.App, id); err != nil {
			return nil, err
		}
	}
	def, findings := workflow.Parse(source)
	if def == nil {
		return nil, UsageError{fmt.Sprintf("%s:%d:%d: %s", name, findings[0].Line, findings[0].Column, findings[0].Message)}
	}
	return def.Definition, nil
}

func printDiff(w io.Writer, lines []workflow.Difference, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"equal": len(lines) == 0, "lines": lines})
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(w, "%s %s\n", map[string]string{"added": "+", "removed": "-", "changed": "~"}[line.Kind], line.Text); err != nil {
			return err
		}
	}
	return nil
}

func (h *House) migrateCommand() *cobra.Command {
	var from, to int
	var dry, asJSON bool
	var mapped []string
	c := &cobra.Command{
		Use: "migrate KEY --to VERSION", Short: "Moves live requests to another version of their workflow", Args: cobra.ExactArgs(1), SilenceUsage: true,
		Example: "  gatehouse workflow migrate simple_request --from 1 --to 2 --map waiting=with_client --dry-run",
		RunE: func(c *cobra.Command, args []string) error {
			states := map[string]string{}
			for _, pair := range mapped {
				old, state, ok := strings.Cut(pair, "=")
				if !ok || old == "" || state == "" {
					return UsageError{fmt.Sprintf("--map takes old=new, not %q", pair)}
				}
				states[old] = state
			}
			if to < 1 {
				return UsageError{"--to takes the version to move to"}
			}
			if err := h.ready(); err != nil {
				return err
			}
			return h.migrate(c, args[0], from, to, states, dry, asJSON)
		},
	}
	c.Flags().IntVar(&from, "from", 0, "version to move from (all older ones)")
	c.Flags().IntVar(&to, "to", 0, "version to move to")
	c.Flags().StringArrayVar(&mapped, "map", nil, "old=new: where requests in a state go")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what would happen")
	c.Flags().BoolVar(&asJSON, "json", false, "print the run as JSON")
	return c
}

func (h *House) migrate(c *cobra.Command, key string, from, to int, states map[string]string, dry, asJSON bool) error {
	order := workflow.MoveOrder{States: states, DryRun: dry}
	var err error
	if order.To, err = h.Engine.VersionNamed(h.App, key, to); err != nil {
		return plainly(err)
	}
	if from > 0 {
		id, err := h.Engine.VersionNamed(h.App, key, from)
		if err != nil {
			return plainly(err)
		}
		order.From = []string{id}
	}
	id, err := h.Runs.Migrate(h.App, commandLine(), order)
	if err != nil {
		return plainly(err)
	}
	run, err := h.await(c, id, asJSON)
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(c.OutOrStdout()).Encode(run)
	} else {
		err = printRun(c.OutOrStdout(), run)
	}
	if err == nil && (run.Status != "done" || run.Skipped+run.Failed > 0) {
		return ErrNo
	}
	return err
}

// await works on a run until it has ended, and shows how far it is. Interrupting
// it loses nothing: a server on the folder goes on with it.
func (h *House) await(c *cobra.Command, id string, asJSON bool) (*workflow.RunView, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	worked := make(chan error, 1)
	go func() { worked <- h.Runs.Finish(ctx, id) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-worked:
			if err != nil {
				return nil, err
			}
			return h.Runs.Whole(h.App, id, commandLine())
		case <-tick.C:
			run, err := h.Runs.View(h.App, id, commandLine(), "", "")
			if err == nil && !asJSON {
				_, err = fmt.Fprintf(c.ErrOrStderr(), "%d of %d\n", run.Done, run.Total)
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

func printRun(w io.Writer, run *workflow.RunView) error {
	for _, i := range run.Items {
		if _, err := fmt.Fprintf(w, "%-8s %-16s %s: %s\n", i.Status, i.Number, i.OrganizationName, i.Text); err != nil {
			return err
		}
	}
	for _, line := range run.Summary {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
