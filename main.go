// Gatehouse: a self-hosted client portal for small firms, in one binary.
package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/cmd"
	"github.com/spf13/cobra"

	"gatehouse/hooks"
	"gatehouse/hooks/ops"
	_ "gatehouse/pb_migrations"
)

//go:embed all:pb_public
var portal embed.FS

//go:embed ui/console/*.js ui/console/*.css ui/console/*.svg ui/console/pages ui/console/parts ui/console/shell
var console embed.FS

func main() {
	if err := run(); err != nil {
		var usage hooks.UsageError
		switch {
		case errors.As(err, &usage):
			_, _ = fmt.Fprintln(os.Stderr, usage.Message)
			os.Exit(2)
		case wrongUse(err):
			_, _ = fmt.Fprintln(os.Stderr, "gatehouse: "+err.Error()+"\nTry gatehouse --help.")
			os.Exit(2)
		case !errors.Is(err, hooks.ErrNo):
			_, _ = fmt.Fprintln(os.Stderr, "gatehouse: "+err.Error())
		}
		os.Exit(1)
	}
}

// wrongUse tells cobra's own complaints, which have no type, from failures.
func wrongUse(err error) bool {
	for _, start := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires at least", "invalid argument", "flag needs"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

func run() error {
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: "pb_data", HideStartBanner: true, DBConnect: ops.Connect})
	portalFS, err := fs.Sub(portal, "pb_public")
	if err != nil {
		return err
	}
	consoleFS, err := fs.Sub(console, "ui/console")
	if err != nil {
		return err
	}
	options := hooks.Options{Portal: portalFS, Console: consoleFS, Workers: true}
	var held *ops.Folder
	asked := func(word string) bool { return slices.Contains(os.Args[1:], word) }
	help := asked("--help") || asked("-h")
	serving, filling := asked("serve") && !help, asked("demo") && !help
	if serving || filling {
		if held, options.Folder, err = hooks.Hold(app.DataDir(), filling || asked("--demo")); err != nil {
			return err
		}
	}
	house := hooks.Register(app, options)
	if serving || filling {
		house.Start(held, os.Stdout)
	}
	app.RootCmd.Use, app.RootCmd.Short, app.RootCmd.Version = "gatehouse", "A client portal for small firms", hooks.Version
	superuser := cmd.NewSuperuserCommand(app)
	superuser.PersistentPreRunE = func(*cobra.Command, []string) error { return app.RunAllMigrations() } // the folder may be new
	app.RootCmd.AddCommand(superuser)
	app.RootCmd.AddCommand(house.Commands()...)
	if hooks.Cold(os.Args[1:]) {
		return app.RootCmd.Execute() // without opening a data folder
	}
	return app.Execute()
}
