package ops_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"gatehouse/hooks/ops"
)

func TestOpen_oneServerAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	first, err := ops.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Open(dir); err == nil || !strings.Contains(err.Error(), "another Gatehouse is running") {
		t.Fatalf("a second server on the folder: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := ops.Open(dir)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_aFileIsNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Open(file); err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Fatalf("a file as data folder: %v", err)
	}
}

// What was acknowledged is on the disk; the log database need not be.
func TestConnect_syncsEveryCommit(t *testing.T) {
	for name, synchronous := range map[string]int{"data.db": 2, "auxiliary.db": 1} {
		db, err := ops.Connect(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		var got int
		if err := db.NewQuery("PRAGMA synchronous").Row(&got); err != nil {
			t.Fatal(err)
		}
		if got != synchronous {
			t.Errorf("%s: synchronous is %d, not %d", name, got, synchronous)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Statements stay prepared and give the same as before, also while the rows of
// one are still open and after the table has changed.
func TestConnect_keptStatements(t *testing.T) {
	db, err := ops.Connect(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.DB().SetMaxOpenConns(1)
	run := func(query string) {
		t.Helper()
		if _, err := db.NewQuery(query).Execute(); err != nil {
			t.Fatal(query, err)
		}
	}
	run("CREATE TABLE a (n INTEGER)")
	run("INSERT INTO a VALUES (1), (2), (3)")
	for range 3 {
		var n []int
		if err := db.NewQuery("SELECT n FROM a WHERE n > {:n} ORDER BY n").Bind(map[string]any{"n": 1}).Column(&n); err != nil || len(n) != 2 {
			t.Fatal(n, err)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tx.NewQuery("SELECT n FROM a").Rows()
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	var inner []int
	if err := tx.NewQuery("SELECT n FROM a").Column(&inner); err != nil || len(inner) != 3 {
		t.Fatal("the same statement within its own rows:", inner, err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	row := func() int {
		t.Helper()
		rows, err := db.NewQuery("SELECT * FROM a").Rows()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return len(columns)
	}
	before := row()
	run("ALTER TABLE a ADD COLUMN m INTEGER")
	if after := row(); before != 1 || after != 2 {
		t.Fatalf("%d and %d columns", before, after)
	}
}

func TestLimit_isOnUnlessTestsTurnItOff(t *testing.T) {
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer app.Cleanup()
	if err := ops.Limit(app); err != nil || !app.Settings().RateLimits.Enabled {
		t.Fatal("rate limits are off:", err)
	}
	t.Setenv("GATEHOUSE_RATE_LIMITS", "off")
	if err := ops.Limit(app); err != nil || app.Settings().RateLimits.Enabled {
		t.Fatal("rate limits are on:", err)
	}
}

// A request that is under way when the server is stopped is answered.
func TestShutdown_letsRequestsEnd(t *testing.T) {
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer app.Cleanup()
	begun, release := make(chan struct{}), make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		_, _ = io.WriteString(w, "saved")
	})}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	answer := make(chan string, 1)
	go func() {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err != nil {
			answer <- err.Error()
			return
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answer <- err.Error()
			return
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- string(body)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- ops.Shutdown(app, server)(&core.TerminateEvent{}) }()
	select {
	case err := <-stopped:
		t.Fatal(err, "the server stopped while a request was under way")
	default:
	}
	close(release)
	if got := <-answer; got != "saved" {
		t.Fatalf("the request was answered with %q", got)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}
