package hooks

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/hooks/problem"
)

// resetFactorCommand lets somebody in again who lost the phone and the codes,
// where no two people of the firm can do it.
func (h *House) resetFactorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reset-second-factor EMAIL", Short: "Takes a lost authenticator app, and the passkeys, away from an account", SilenceUsage: true,
		Example: "  gatehouse access reset-second-factor helen@example.com --dir /var/lib/gatehouse",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return UsageError{"say whose: gatehouse access reset-second-factor EMAIL"}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			err := h.Sessions.ResetAtServer(args[0])
			var refusal *problem.Error
			if errors.As(err, &refusal) {
				_, err := fmt.Fprintln(c.OutOrStdout(), refusal.Message)
				return errors.Join(err, ErrNo)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "The authenticator app and the passkeys are taken away, and every device is signed out.")
			return err
		},
	}
}
