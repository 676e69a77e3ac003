package simulate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"modernc.org/sqlite"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Rig is what the simulator cannot reach from its floor: a database in memory,
// and the house with every hook bound on it.
type Rig struct {
	Memory func(name string) (*dbx.DB, error)
	Build  func(app core.App, clock schema.Clock) *workflow.Engine
}

// opening is when every run begins: a Monday morning.
var opening = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// worlds numbers the databases of this process, so that no two share one.
var worlds atomic.Int64

// world is a portal in memory: the migrated database, the house, a clock that
// the walker moves.
type world struct {
	app     *core.BaseApp
	engine  *workflow.Engine
	handler http.Handler
	now     time.Time
	name    string
	witness *sql.Conn // sees what others commit
	pool    *sql.DB
	people  *cast
	runs    int
}

// Ground is a world that the others are copies of, and what they are judged by.
type Ground struct {
	rig    Rig
	def    *workflow.Compiled // what the walk is judged by
	people *cast
	first  *world
}

// Prepare makes the ground: migrated, with the definition of source published,
// the library's forms and texts, and the cast. judge is what the walks are judged
// by: the same definition, unless a test gives the engine another one. There is
// no ground for a definition that the checker refuses; the findings say why.
func Prepare(rig Rig, source, judge []byte) (*Ground, []workflow.Finding, error) {
	def, findings := workflow.CheckSource(judge)
	if def == nil {
		return nil, findings, nil
	}
	s := &Ground{rig: rig, def: def, people: newCast(def)}
	w, err := s.boot("")
	if err != nil {
		return nil, nil, err
	}
	s.first = w
	if err := w.app.RunAllMigrations(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("migrate: %w", err), w.close())
	}
	// Before the library, whose version of the same workflow would stand in its way.
	imported, err := w.engine.Import(w.app, source, true, false)
	if err != nil || !imported.OK() {
		return nil, imported.Findings, errors.Join(err, w.close())
	}
	if err := w.engine.InstallLibrary(w.app); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("install the library: %w", err), w.close())
	}
	published, err := w.engine.Definition(w.app, imported.ID)
	if err != nil {
		return nil, nil, errors.Join(err, w.close())
	}
	def.Forms, def.Texts, def.Calendar = published.Forms, published.Texts, published.Calendar
	w.app.Settings().Logs.MaxDays = 0
	w.app.Settings().Batch.Enabled = true
	if err := w.app.Save(w.app.Settings()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("save settings: %w", err), w.close())
	}
	if err := s.people.hire(w.app); err != nil {
		return nil, nil, errors.Join(err, w.close())
	}
	return s, imported.Findings, nil
}

// boot makes a world; from names the database that it is a copy of, "" begins
// with nothing.
func (s *Ground) boot(from string) (*world, error) {
	w := &world{name: fmt.Sprintf("gatehouse-simulate-%d", worlds.Add(1)), now: opening, people: s.people}
	var err error
	if w.pool, err = sql.Open("sqlite", w.dsn()); err != nil {
		return nil, fmt.Errorf("open memory: %w", err)
	}
	if w.witness, err = w.pool.Conn(context.Background()); err != nil {
		return nil, fmt.Errorf("open memory: %w", err)
	}
	if from != "" {
		if err := restore(w.witness, from); err != nil {
			return nil, err
		}
	}
	// PocketBase wants a folder, though everything that it would keep there is in
	// memory. It is gone as soon as the app stands.
	dir, err := os.MkdirTemp("", "gatehouse-simulate-*")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	w.app = core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "gatehouse_simulate", DBConnect: func(file string) (*dbx.DB, error) {
		if filepath.Base(file) == "data.db" {
			return s.rig.Memory(w.name)
		}
		return s.rig.Memory(w.name + "-" + path.Base(file))
	}})
	w.engine = s.rig.Build(w.app, w.clock)
	if err := w.app.Bootstrap(); err != nil {
		return nil, fmt.Errorf("start the portal in memory: %w", err)
	}
	return w, nil
}

func (w *world) dsn() string { return "file:/" + w.name + "?vfs=memdb" }

// restore copies a database page by page.
func restore(into *sql.Conn, from string) error {
	return into.Raw(func(conn any) error {
		b, err := conn.(interface {
			NewRestore(from string) (*sqlite.Backup, error)
		}).NewRestore(from)
		if err != nil {
			return fmt.Errorf("copy the ground: %w", err)
		}
		if _, err := b.Step(-1); err != nil {
			return errors.Join(fmt.Errorf("copy the ground: %w", err), b.Finish())
		}
		return b.Finish()
	})
}

// grow makes a fresh copy of the ground.
func (s *Ground) grow() (*world, error) { return s.boot(s.first.dsn()) }

// Close gives the memory back.
func (s *Ground) Close() error { return s.first.close() }

func (w *world) clock() time.Time { return w.now }

// router is the real router with everything bound; few acts need it, so it is
// built when the first one does.
func (w *world) router() (http.Handler, error) {
	if w.handler != nil {
		return w.handler, nil
	}
	router, err := apis.NewRouter(w.app)
	if err != nil {
		return nil, fmt.Errorf("make the router: %w", err)
	}
	event := &core.ServeEvent{App: w.app, Router: router, Server: &http.Server{}} //nolint:gosec // it never listens
	err = w.app.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		mux, err := e.Router.BuildMux()
		w.handler = mux
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bind the routes: %w", err)
	}
	return w.handler, nil
}

func (w *world) close() error {
	var err error
	if w.app != nil {
		err = w.app.ClearBootstrap()
	}
	return errors.Join(err, w.witness.Close(), w.pool.Close())
}

// writer is the one connection that writes.
func (w *world) writer() *sql.DB { return w.app.NonconcurrentDB().(*dbx.DB).DB() }

// version grows with every commit of anybody: equal versions mean that not one
// byte of the database has changed.
func (w *world) version() (int64, error) {
	var v int64
	if err := w.witness.QueryRowContext(context.Background(), "PRAGMA data_version").Scan(&v); err != nil {
		return 0, fmt.Errorf("read data version: %w", err)
	}
	return v, nil
}

// found makes the organization of a run: everybody of the cast belongs to it, so
// that runs share nothing but the people.
func (w *world) found(run int) (string, error) {
	w.runs++
	w.now = opening
	id := fmt.Sprintf("org%012d", w.runs)
	err := w.app.RunInTransaction(func(tx core.App) error {
		if err := w.people.join(tx, id, fmt.Sprintf("Client %d", run)); err != nil {
			return err
		}
		return access.Subtree(tx, "/"+id+"/", w.now)
	})
	if err != nil {
		return "", fmt.Errorf("found the organization of run %d: %w", run, err)
	}
	return id, nil
}
