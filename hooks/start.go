package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/demo"
	"gatehouse/hooks/event"
	"gatehouse/hooks/notify"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/ops/backup"
	"gatehouse/hooks/schema"
)

// Version is the release; the linker sets it.
var Version = "dev"

// Hold opens the data folder for a server: one process at a time, and never a
// demo as if it were real. It is called before PocketBase opens anything.
func Hold(dir string, wantDemo bool) (*ops.Folder, demo.Folder, error) {
	held, err := ops.Open(dir)
	if err != nil {
		return nil, demo.Folder{}, err
	}
	if _, err := backup.Finish(dir); err != nil {
		return nil, demo.Folder{}, errors.Join(fmt.Errorf("a restore was begun and cannot be ended: %w", err), held.Close())
	}
	folder, err := demo.Prepare(dir, wantDemo)
	return held, folder, err
}

// Start binds what only a running server does: prepare the folder once the
// migrations ran, say where we are once we listen, give the folder free.
func (h *House) Start(held *ops.Folder, out io.Writer) {
	on(&h.Rows, "serve", "library, address", 5, "house.prepare", h.App.OnServe(), func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // our own set-up link takes its place
		if err := h.Prepare(); err != nil {
			return err
		}
		if err := h.makeDemo(out); err != nil {
			return err
		}
		return h.Announce(e, out)
	})
	on(&h.Rows, "terminate", "data folder", 9999, "ops.close_folder", h.App.OnTerminate(), func(e *core.TerminateEvent) error {
		err := e.Next()
		if closing := held.Close(); closing != nil {
			return fmt.Errorf("unlock the data folder: %w", closing)
		}
		return err
	})
}

// makeDemo fills a fresh demo folder.
func (h *House) makeDemo(out io.Writer) error {
	if !h.Options.Folder.Fresh {
		return nil
	}
	if _, err := fmt.Fprintln(out, "Making the demo: a firm with four months of history…"); err != nil {
		return err
	}
	if err := demo.Build(context.Background(), h.App, h.demoOptions()); err != nil {
		return err
	}
	return demo.Finish(h.App.DataDir())
}

func (h *House) demoOptions() demo.Options {
	return demo.Options{
		Clock: h.Options.Clock, NewEngine: h.NewEngine, Consumers: h.Bus.Names(),
		Notify: func(clock schema.Clock) event.Handle {
			post := &notify.Post{Addresses: h.Post.Addresses, App: h.App, Clock: clock, Link: h.Invitations.Link}
			return post.Handle
		},
	}
}
