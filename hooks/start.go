package hooks

import (
	"fmt"
	"io"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/ops"
)

// Version is the release; the linker sets it.
var Version = "dev"

// Start binds what only a running program does: before PocketBase opens the
// folder, make sure that it is ours; once the migrations ran, prepare it; once
// we listen, say where.
func (h *House) Start(serving bool, out io.Writer) {
	var folder *ops.Folder
	on(&h.Rows, "bootstrap", "data folder", -100, "ops.open_folder", h.App.OnBootstrap(), func(e *core.BootstrapEvent) error {
		if !serving {
			return e.Next()
		}
		var err error
		if folder, err = ops.Open(h.App.DataDir()); err != nil {
			return err
		}
		return e.Next()
	})
	on(&h.Rows, "serve", "library, address", 5, "house.prepare", h.App.OnServe(), func(e *core.ServeEvent) error {
		e.InstallerFunc = nil // our own set-up link takes its place
		if err := h.Prepare(); err != nil {
			return err
		}
		return h.Announce(e, out)
	})
	on(&h.Rows, "terminate", "data folder", 9999, "ops.close_folder", h.App.OnTerminate(), func(e *core.TerminateEvent) error {
		err := e.Next()
		if folder == nil {
			return err
		}
		if closing := folder.Close(); closing != nil {
			return fmt.Errorf("unlock the data folder: %w", closing)
		}
		return err
	})
}
