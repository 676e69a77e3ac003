package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/ops/backup"
	"gatehouse/hooks/schema"
)

// backups wires what keeps copies of the portal.
func (h *House) backups() (*backup.Keeper, *backup.Desk) {
	keeper := &backup.Keeper{
		App: h.App, Clock: h.Options.Clock, Store: backup.Of(h.App.DataDir(), Version), Examine: examineRestored,
		Zone: func() *time.Location {
			firm, err := access.FirmOf(h.App)
			if err != nil {
				return time.UTC
			}
			zone, err := time.LoadLocation(firm.Timezone)
			if err != nil {
				return time.UTC
			}
			return zone
		},
	}
	return keeper, &backup.Desk{
		Keeper: keeper, May: access.Owner, Proved: h.Sessions.Proved, Restart: h.App.Restart, Demo: h.Options.Folder.Demo,
		Begin: func(work func(ctx context.Context)) { h.done.Go(func() { work(h.life) }) },
		Audit: func(app core.App, actor schema.Actor, action, name string) error {
			return app.RunInTransaction(func(tx core.App) error {
				return audit.Append(tx, audit.Entry{Actor: actor, Action: action, Collection: schema.Backups, Record: name, At: h.Options.Clock()})
			})
		},
	}
}

// examineRestored opens a restored data folder and looks at what only a running
// portal would notice: the walls, and the chain of the audit log.
func examineRestored(data string) (faults []string, err error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: data, DBConnect: ops.Connect})
	if err := app.Bootstrap(); err != nil {
		return []string{"The restored folder cannot be opened: " + err.Error() + "."}, nil
	}
	defer func() { err = errors.Join(err, app.ClearBootstrap()) }()
	breaches, err := ops.Breaches(app)
	if err != nil {
		return nil, err
	}
	for _, b := range breaches {
		faults = append(faults, strings.ToUpper(b[:1])+b[1:]+".")
	}
	report, err := audit.Verify(app)
	if err != nil {
		return nil, err
	}
	if report.Bad > 0 {
		faults = append(faults, fmt.Sprintf("The audit log does not fit from entry %d on: %s.", report.Bad, report.Why))
	}
	return faults, nil
}

// Cold says whether a command line asks for what must happen before anything
// opens the data folder.
func Cold(args []string) bool {
	return InMemory(args) || slices.Contains(args, "restore")
}

func (h *House) backupCommand() *cobra.Command {
	parent := &cobra.Command{
		Use: "backup", Short: "Makes a backup now, also beside a running portal", Args: cobra.NoArgs, SilenceUsage: true,
		Example: "  gatehouse backup --dir /var/lib/gatehouse\n  gatehouse backup list\n  gatehouse backup prove",
		RunE: func(c *cobra.Command, _ []string) error {
			began := time.Now()
			m, err := h.Backups.Make(c.Context())
			if err != nil {
				return inPlain(err)
			}
			return tell(c.OutOrStdout(), "%s: %s in %d files, made in %s. It lies in %s.", m.Name, bytesOf(m.Size()), len(m.Files)+1, time.Since(began).Round(time.Millisecond), h.Backups.Store.Dir)
		},
	}
	parent.AddCommand(&cobra.Command{
		Use: "list", Short: "Lists the backups, the newest first", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return h.listBackups(c.OutOrStdout()) },
	})
	parent.AddCommand(&cobra.Command{
		Use: "prove [NAME]", Short: "Restores a backup on trial, and says whether it is good; the newest if none is named", Args: cobra.MaximumNArgs(1), SilenceUsage: true,
		RunE: func(c *cobra.Command, args []string) error {
			name, err := named(h.Backups.Store, args)
			if err != nil {
				return err
			}
			p, err := h.Backups.Prove(name)
			if err != nil {
				return inPlain(err)
			}
			if len(p.Faults) > 0 {
				return errors.Join(tell(c.OutOrStdout(), "%s is not good:\n  %s", name, strings.Join(p.Faults, "\n  ")), ErrNo)
			}
			return tell(c.OutOrStdout(), "%s is good: restored and looked through in %s.", name, p.Took.Round(time.Millisecond))
		},
	})
	return parent
}

func (h *House) listBackups(out io.Writer) error {
	all, err := h.Backups.Store.List()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return tell(out, "There is no backup in %s.", h.Backups.Store.Dir)
	}
	for _, m := range all {
		p, err := h.Backups.Store.Proved(m.Name)
		if err != nil {
			return err
		}
		proved := "not tried"
		switch {
		case p != nil && len(p.Faults) > 0:
			proved = "NOT GOOD: " + p.Faults[0]
		case p != nil:
			proved = "good, tried " + p.At.Format(time.DateOnly)
		}
		if err := tell(out, "%s  %9s  %s  %s", m.Name, bytesOf(m.Size()), m.Version, proved); err != nil {
			return err
		}
	}
	return tell(out, "%s", backup.Rule)
}

// restoreCommand runs without the data folder being open.
func (h *House) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore [NAME]", Short: "Puts a backup in the place of the data, the newest if none is named; what was there is kept", Args: cobra.MaximumNArgs(1), SilenceUsage: true,
		Example: "  gatehouse restore --dir /var/lib/gatehouse\n  gatehouse restore 20261201T020000Z --dir /var/lib/gatehouse",
		RunE: func(c *cobra.Command, args []string) (err error) {
			held, err := ops.Open(h.App.DataDir())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, held.Close()) }()
			store := backup.Of(h.App.DataDir(), Version)
			name, err := named(store, args)
			if err != nil {
				return err
			}
			began := time.Now()
			kept, err := store.Restore(name, began)
			if err != nil {
				return err
			}
			if err := tell(c.OutOrStdout(), "%s is restored, in %s. Start the portal.", name, time.Since(began).Round(time.Millisecond)); err != nil || kept == "" {
				return err
			}
			return tell(c.OutOrStdout(), "What was there before is kept in %s; remove it when you no longer need it.", kept)
		},
	}
}

// named is the backup that is meant: the newest if none is named.
func named(store *backup.Store, args []string) (string, error) {
	if len(args) > 0 {
		if _, err := store.Get(args[0]); err != nil {
			return "", fmt.Errorf("there is no backup %s in %s: gatehouse backup list names them", args[0], store.Dir)
		}
		return args[0], nil
	}
	all, err := store.List()
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("there is no backup in %s. If backups lie elsewhere, name their folder in GATEHOUSE_BACKUPS", store.Dir)
	}
	return all[0].Name, nil
}

func inPlain(err error) error {
	if errors.Is(err, backup.ErrBusy) {
		return errors.New("a backup is being made or tried already, by the portal itself perhaps. Wait a little and try again")
	}
	return err
}

func tell(out io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(out, format+"\n", args...)
	return err
}

// bytesOf writes a size for people.
func bytesOf(n int64) string {
	size, unit := float64(n), "bytes"
	for _, unit = range []string{"kB", "MB", "GB", "TB"} {
		if size /= 1000; size < 1000 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

// examineBackups is what doctor says about them.
func (h *House) examineBackups() ([]string, error) {
	standing, err := h.Backups.Standing()
	if err != nil {
		return nil, err
	}
	if worry := standing.Worry(h.Options.Clock()); worry != "" {
		return []string{"warn  " + worry}, nil
	}
	line := fmt.Sprintf("ok    the newest backup is of %s", standing.Newest.Made.Format("2006-01-02 15:04 UTC"))
	if standing.Proof == nil {
		return []string{line + "; none was tried yet"}, nil
	}
	return []string{line + "; one was restored on trial on " + standing.Proof.At.Format(time.DateOnly) + ", and is good"}, nil
}
