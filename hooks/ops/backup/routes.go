package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Desk is where an owner looks after the backups.
type Desk struct {
	Keeper *Keeper
	// May refuses everybody but owners and superusers; Proved also those who have
	// not shown of late that it is they.
	May    func(e *core.RequestEvent) error
	Proved func(e *core.RequestEvent) error
	// Audit writes the trail.
	Audit func(app core.App, actor schema.Actor, action, name string) error
	// Begin does work in the background, until the portal stops.
	Begin func(work func(ctx context.Context))
	// Restart starts the program again, which ends a restore.
	Restart func() error
	Demo    bool // anybody may be the owner there: nothing is restored
}

type row struct {
	Name    string   `json:"name"`
	Made    string   `json:"made"`
	Size    int64    `json:"size"` // bytes once restored
	Files   int      `json:"files"`
	Version string   `json:"version"`
	Proved  string   `json:"proved"` // when; empty: not yet
	Faults  []string `json:"faults"` // that the proof found
}

// List answers with the backups, the newest first.
//
//	GET /api/portal/backups (owner) → 200 {"items": [{"name","made","size","files","version","proved","faults"}], "rule", "folder", "working": making|proving|"", "worry"}; 400 role; 401; 403 clients
func (d *Desk) List(e *core.RequestEvent) error {
	if err := d.May(e); err != nil {
		return err
	}
	all, err := d.Keeper.Store.List()
	if err != nil {
		return err
	}
	rows := make([]row, 0, len(all))
	for _, m := range all {
		one := row{Name: m.Name, Made: schema.Stamp(m.Made), Size: m.Size(), Files: len(m.Files), Version: m.Version, Faults: []string{}}
		p, err := d.Keeper.Store.Proved(m.Name)
		if err != nil {
			return err
		}
		if p != nil {
			one.Proved, one.Faults = schema.Stamp(p.At), p.Faults
		}
		rows = append(rows, one)
	}
	standing, err := d.Keeper.Standing()
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"items": rows, "rule": Rule, "folder": d.Keeper.Store.Dir, "working": standing.Working, "worry": standing.Worry(d.Keeper.Clock())})
}

// Make begins a backup; the list tells how it goes.
//
//	POST /api/portal/backups (owner) → 202 {"working": "making"}; 400 role; 401; 403 clients; 409 one is being made or proved
func (d *Desk) Make(e *core.RequestEvent) error {
	return d.begin(e, Making, "", func(ctx context.Context) error {
		_, err := d.Keeper.Make(ctx)
		return err
	})
}

// Prove begins to restore a backup on trial.
//
//	POST /api/portal/backups/{name}/prove (owner) → 202 {"working": "proving"}; 400 role; 401; 403 clients; 404; 409 one is being made or proved
func (d *Desk) Prove(e *core.RequestEvent) error {
	name := e.Request.PathValue("name")
	return d.begin(e, Proving, name, func(context.Context) error {
		_, err := d.Keeper.Prove(name)
		return err
	})
}

func (d *Desk) begin(e *core.RequestEvent, work, name string, do func(ctx context.Context) error) error {
	if err := d.May(e); err != nil {
		return err
	}
	if name != "" {
		if _, err := d.find(name); err != nil {
			return err
		}
	}
	standing, err := d.Keeper.Standing()
	if err != nil {
		return err
	}
	if standing.Working != "" {
		return problem.New(problem.Busy, "A backup is being made or tried already. Wait until that is done.")
	}
	if err := d.Audit(e.App, schema.ActorOf(e.Auth, e.RealIP()), "backup_"+work, name); err != nil {
		return err
	}
	d.Begin(func(ctx context.Context) {
		if err := do(ctx); err != nil {
			d.Keeper.App.Logger().Error("backup failed", slog.String("work", work), slog.Any("error", err))
		}
	})
	return e.JSON(http.StatusAccepted, map[string]string{"working": work})
}

func (d *Desk) find(name string) (Manifest, error) {
	m, err := d.Keeper.Store.Get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return m, problem.New(problem.NotFound, "There is no such backup.").Because(err)
	}
	return m, err
}

// pause lets the answer reach the browser before the program starts again.
const pause = 500 * time.Millisecond

// Restore lays a backup out and starts the program again, which puts it in the
// place of the data. What is there now is kept in a folder of its own.
//
//	POST /api/portal/backups/{name}/restore (owner) → 202 {"wait": "/healthz"}; 400 role, prove_again; 401; 403 clients; 404; 409 one is being made or proved; 400 bad_input: it is damaged, or of a newer version; 503 demo
func (d *Desk) Restore(e *core.RequestEvent) error {
	if err := d.May(e); err != nil {
		return err
	}
	if err := d.Proved(e); err != nil {
		return err
	}
	if d.Demo {
		return problem.New(problem.Unavailable, "This is the demo: nothing is restored here.")
	}
	m, err := d.find(e.Request.PathValue("name"))
	if err != nil {
		return err
	}
	if err := d.Audit(e.App, schema.ActorOf(e.Auth, e.RealIP()), "restore", m.Name); err != nil {
		return err
	}
	err = d.Keeper.alone(Proving, func() error { return d.Keeper.Store.Lay(m.Name, d.Keeper.Clock()) })
	if errors.Is(err, ErrBusy) {
		return problem.New(problem.Busy, "A backup is being made or tried already. Wait until that is done.")
	}
	if err != nil {
		return problem.New(problem.BadInput, fmt.Sprintf("This backup cannot be restored: %s.", err)).Because(err)
	}
	time.AfterFunc(pause, func() {
		if err := d.Restart(); err != nil {
			d.Keeper.App.Logger().Error("stop the server and start it again: the restore ends then", slog.Any("error", err))
		}
	})
	return e.JSON(http.StatusAccepted, map[string]string{"wait": "/healthz"})
}
