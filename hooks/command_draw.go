package hooks

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/hooks/workflow"
)

// drawCommand prints the picture of a definition, sound or not.
func drawCommand() *cobra.Command {
	return &cobra.Command{
		Use: "draw FILE", Short: "Prints a picture of a definition, as SVG", Args: cobra.ExactArgs(1), SilenceUsage: true,
		Example: "  gatehouse workflow draw onboarding.yaml > onboarding.svg",
		RunE: func(c *cobra.Command, files []string) error {
			source, err := os.ReadFile(files[0])
			if err != nil {
				return fmt.Errorf("read %s: %w", files[0], err)
			}
			def, findings := workflow.Parse(source)
			if def == nil {
				return errors.Join(ErrNo, printFindings(c.ErrOrStderr(), files[0], workflow.Imported{Findings: findings}, false))
			}
			_, err = fmt.Fprint(c.OutOrStdout(), def.Picture().SVG(def.Title))
			return err
		},
	}
}
