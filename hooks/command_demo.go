package hooks

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/hooks/demo"
)

// demoCommand fills an empty folder with the demo and, where a size is given, a
// crowd around it.
func (h *House) demoCommand() *cobra.Command {
	var size demo.Size
	c := &cobra.Command{
		Use: "demo", Short: "Fills an empty folder with an invented firm of any size, to look at or to measure", Args: cobra.NoArgs, SilenceUsage: true,
		Example: "  gatehouse demo --dir demo_data\n  gatehouse demo --organizations 5000 --requests 1000000 --dir large_data\n  gatehouse serve --dir large_data",
		RunE: func(c *cobra.Command, _ []string) error {
			if size.Organizations < 0 || size.Requests < 0 || size.Requests > 0 && size.Organizations == 0 {
				return UsageError{"gatehouse: --organizations and --requests are numbers; requests need organizations."}
			}
			if !h.Options.Folder.Fresh {
				return fmt.Errorf("the folder %s holds a demo already. Remove it, or choose another with --dir", h.App.DataDir())
			}
			return h.fill(c, size)
		},
	}
	c.Flags().IntVar(&size.Organizations, "organizations", 0, "how many clients to add to the firm's own")
	c.Flags().IntVar(&size.Requests, "requests", 0, "how many requests to deal out among them")
	return c
}

func (h *House) fill(c *cobra.Command, size demo.Size) error {
	if err := h.App.RunAllMigrations(); err != nil {
		return fmt.Errorf("prepare the folder: %w", err)
	}
	if err := h.Prepare(); err != nil {
		return err
	}
	if size.Organizations == 0 {
		return h.makeDemo(c.OutOrStdout())
	}
	if err := demo.Build(context.Background(), h.App, h.demoOptions()); err != nil {
		return err
	}
	if err := demo.Crowd(context.Background(), h.App, h.demoOptions(), size, os.Stderr); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), `The folder is filled. Start it with: gatehouse serve --dir %s
Everybody's password is %s. Some of the people:
  %-22s a client with one organization
  %-22s a client with none
  %-22s a client with very many
  %-22s staff who see every client
  %-22s staff kept away from some
`, h.App.DataDir(), demo.Password, demo.CrowdOne, demo.CrowdNone, demo.CrowdMany, demo.CrowdStaff, demo.CrowdWalled)
	if err != nil {
		return err
	}
	return demo.FinishCrowd(h.App.DataDir())
}
