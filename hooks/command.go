package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"gatehouse/hooks/access"
	"gatehouse/hooks/audit"
	"gatehouse/hooks/ops"
	"gatehouse/hooks/workflow"
)

// ErrNo is how a command says no (exit status 1) after it has printed why.
var ErrNo = errors.New("no")

// UsageError is wrong use of a command (exit status 2).
type UsageError struct{ Message string }

func (u UsageError) Error() string { return u.Message }

// Commands are what "gatehouse" does besides PocketBase's own: each takes --dir,
// exits 0 for yes, 1 for no or failure, 2 for wrong use.
func (h *House) Commands() []*cobra.Command {
	return []*cobra.Command{h.serveCommand(), h.workflowCommand(), h.hooksCommand(), h.doctorCommand(), h.auditCommand(), h.accessCommand(), h.demoCommand(), h.backupCommand(), h.restoreCommand(), healthCommand()}
}

func (h *House) serveCommand() *cobra.Command {
	var addr, tls string
	var origins []string
	c := &cobra.Command{
		Use: "serve [domain]", Short: "Starts the portal", Args: cobra.ArbitraryArgs, SilenceUsage: true,
		Example: "  gatehouse serve\n  gatehouse serve --http 127.0.0.1:9000 --dir /srv/portal\n  gatehouse serve portal.example.com\n  gatehouse serve --demo --dir demo_data",
		RunE: func(_ *cobra.Command, domains []string) error {
			if len(domains) > 0 {
				addr, tls = orElse(addr, "0.0.0.0:80"), orElse(tls, "0.0.0.0:443")
			}
			addr = orElse(addr, "127.0.0.1:8090")
			err := apis.Serve(h.App, apis.ServeConfig{HttpAddr: addr, HttpsAddr: tls, AllowedOrigins: origins, CertificateDomains: domains})
			if h.restarting.Load() {
				// The process is about to replace itself: ending it first would
				// leave nothing to replace.
				time.Sleep(10 * time.Second)
			}
			if err == nil || errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("the address %s is in use: another program listens there. Stop it, or choose another with --http", addr)
			}
			return err
		},
	}
	c.Flags().StringVar(&addr, "http", "", "address to listen on (127.0.0.1:8090; with a domain 0.0.0.0:80)")
	c.Flags().StringVar(&tls, "https", "", "address to listen on with TLS (with a domain 0.0.0.0:443)")
	c.Flags().StringSliceVar(&origins, "origins", []string{"*"}, "origins that other pages may call from")
	c.Flags().Bool("demo", false, "an invented firm, open to everybody, in a folder of its own")
	return c
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Announce prints where the portal is, once it listens.
func (h *House) Announce(e *core.ServeEvent, out io.Writer) error {
	if err := e.Next(); err != nil {
		return err
	}
	base := "http://" + reachable(e.Server.Addr)
	if h.baseURL() == "" || strings.HasPrefix(h.baseURL(), "http://localhost") {
		settings := h.App.Settings()
		settings.Meta.AppURL = base
		if err := h.App.Save(settings); err != nil {
			return fmt.Errorf("keep the address: %w", err)
		}
	}
	lines := []string{"", "  Gatehouse is running.", "", "  Clients   " + base + "/", "  Staff     " + base + "/_/", "  Data      " + h.App.DataDir()}
	if h.App.Settings().SMTP.Enabled {
		lines = append(lines, "  Mail      "+h.App.Settings().SMTP.Host)
	} else {
		lines = append(lines, "  Mail      not configured: mails are kept and can be read in the console")
	}
	for _, name := range []string{"GATEHOUSE_STAFF_SECOND_FACTOR", "GATEHOUSE_RATE_LIMITS"} {
		if v := os.Getenv(name); v != "" {
			lines = append(lines, "  WARNING   "+name+"="+v+": for tests only")
		}
	}
	if h.Options.Folder.Note != "" {
		lines = append(lines, "", "  "+h.Options.Folder.Note)
	}
	if h.Options.Folder.Demo {
		lines = append(lines, "", "  This is the demo: open "+base+"/ and choose whom to look as.")
	} else {
		link, needed, err := access.EnsureSetupLink(h.App, base, h.Options.Folder.Token)
		if err != nil {
			return err
		}
		if needed {
			lines = append(lines, "", "  Set up your firm here (the link works once):", "  "+link)
		}
	}
	_, err := fmt.Fprintln(out, strings.Join(append(lines, ""), "\n"))
	return err
}

// reachable is an address that a browser on this machine can open: one that
// means every interface is none.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// Prepare brings a migrated folder to where a portal can run on it.
func (h *House) Prepare() error {
	if err := h.Engine.InstallLibrary(h.App); err != nil {
		return fmt.Errorf("install the library: %w", err)
	}
	if err := ops.Limit(h.App); err != nil {
		return err
	}
	breaches, err := ops.Breaches(h.App)
	if err != nil {
		return err
	}
	if len(breaches) > 0 {
		h.App.Logger().Error("database walls are not as they were built: run gatehouse doctor", slog.Any("walls", breaches))
	}
	return nil
}

func (h *House) hooksCommand() *cobra.Command {
	return &cobra.Command{
		Use: "hooks", Short: "Prints every hook, route and worker, in order", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error { return h.Print(c.OutOrStdout()) },
	}
}

func (h *House) workflowCommand() *cobra.Command {
	parent := &cobra.Command{
		Use: "workflow", Short: "Checks, imports, compares and moves between workflow definitions",
		Long:    "A workflow definition is a YAML file; docs/workflows.md explains the language.\nA published version never changes: a change takes the next version number.",
		Example: "  gatehouse workflow check close.yaml              says what is wrong with it\n  gatehouse workflow import close.yaml --publish   checks, saves and publishes it\n  gatehouse workflow export simple_request         prints the newest version\n  gatehouse workflow diff close@1 close@2          says in words what differs\n  gatehouse workflow schema                        prints the JSON Schema, for editors",
	}
	var asJSON, publish bool
	parent.AddCommand(drawCommand())
	check := &cobra.Command{
		Use: "check FILE...", Short: "Says what is wrong with a definition, without saving it", Example: "  gatehouse workflow check *.yaml\n  gatehouse workflow check --json close.yaml", Args: cobra.MinimumNArgs(1), SilenceUsage: true,
		RunE: func(c *cobra.Command, files []string) error {
			return eachFile(c, files, asJSON, func(source []byte) (workflow.Imported, error) {
				def, findings := workflow.CheckSource(source)
				out := workflow.Imported{Findings: findings}
				if def != nil {
					out.Key, out.Version = def.Key, def.Version
				}
				return out, nil
			})
		},
	}
	load := &cobra.Command{
		Use: "import FILE...", Short: "Saves a definition as a draft, or publishes it", Args: cobra.MinimumNArgs(1), SilenceUsage: true,
		RunE: func(c *cobra.Command, files []string) error {
			if err := h.ready(); err != nil {
				return err
			}
			return eachFile(c, files, asJSON, func(source []byte) (workflow.Imported, error) { return h.Engine.Import(h.App, source, publish, false) })
		},
	}
	load.Flags().BoolVar(&publish, "publish", false, "publish it: from then on this version never changes")
	describe := &cobra.Command{
		Use: "schema", Short: "Prints the JSON Schema of the language, for editors", Args: cobra.NoArgs, SilenceUsage: true,
		Example: "  gatehouse workflow schema > workflow.schema.json",
		RunE: func(c *cobra.Command, _ []string) error {
			schema, err := workflow.JSONSchema()
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(schema)
			return err
		},
	}
	for _, c := range []*cobra.Command{check, load} {
		c.Flags().BoolVar(&asJSON, "json", false, "print findings as JSON")
	}
	parent.AddCommand(check, load, h.exportCommand(), h.diffCommand(), h.migrateCommand(), h.retireCommand(), simulateCommand(), describe)
	return parent
}

// eachFile runs a command on every file and says no when one has errors.
func eachFile(c *cobra.Command, files []string, asJSON bool, run func(source []byte) (workflow.Imported, error)) error {
	ok := true
	for _, file := range files {
		source, err := os.ReadFile(file) //nolint:gosec // the operator names the file
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		out, err := run(source)
		if err != nil {
			return err
		}
		ok = ok && out.OK()
		if err := printFindings(c.OutOrStdout(), file, out, asJSON); err != nil {
			return err
		}
	}
	if !ok {
		return ErrNo
	}
	return nil
}

func printFindings(w io.Writer, file string, out workflow.Imported, asJSON bool) error {
	if asJSON {
		if out.Findings == nil {
			out.Findings = []workflow.Finding{}
		}
		return json.NewEncoder(w).Encode(struct {
			File string `json:"file"`
			OK   bool   `json:"ok"`
			workflow.Imported
		}{file, out.OK(), out})
	}
	for _, f := range out.Findings {
		if _, err := fmt.Fprintf(w, "%s:%d:%d: %s: %s (%s)\n", file, f.Line, f.Column, f.Level, f.Message, f.Code); err != nil {
			return err
		}
	}
	if !out.OK() {
		return nil
	}
	verdict := "is sound"
	if out.Status != "" {
		verdict = "is " + out.Status
	}
	_, err := fmt.Fprintf(w, "%s: %s version %d %s\n", file, out.Key, out.Version, verdict)
	return err
}

func (h *House) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Looks whether all is well, and says what to do", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error {
			lines, ok, err := h.examine()
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(c.OutOrStdout(), strings.Join(lines, "\n")); err != nil {
				return err
			}
			if !ok {
				return ErrNo
			}
			return nil
		},
	}
}

// examine is what doctor says: ok, warn or fail, each with what to do.
func (h *House) examine() (lines []string, ok bool, err error) {
	ok = true
	breaches, err := ops.Breaches(h.App)
	if err != nil {
		return nil, false, err
	}
	for _, b := range breaches {
		ok = false
		lines = append(lines, "fail  "+b+". Restore the folder from a backup; somebody changed the database itself.")
	}
	if len(breaches) == 0 {
		lines = append(lines, "ok    every database wall stands as it was built")
	}
	report, err := audit.Verify(h.App)
	if err != nil {
		return nil, false, err
	}
	if report.Bad > 0 {
		ok = false
		lines = append(lines, fmt.Sprintf("fail  the audit log does not fit from entry %d on: %s. Compare with a backup.", report.Bad, report.Why))
	} else {
		lines = append(lines, fmt.Sprintf("ok    the audit log fits (%d entries)", report.Entries))
	}
	if h.App.Settings().SMTP.Enabled {
		lines = append(lines, "ok    a mail server is set up: "+h.App.Settings().SMTP.Host)
	} else {
		lines = append(lines, "warn  no mail server is set up: mails are kept, nobody gets them. A superuser sets it up under Settings, Mail settings.")
	}
	lacking, err := h.Engine.Staffing(h.App)
	if err != nil {
		return nil, false, err
	}
	for _, line := range lacking {
		lines = append(lines, "warn  "+line+". Give the duty to somebody under Staff.")
	}
	behind, err := h.Bus.Behind(h.App)
	if err != nil {
		return nil, false, err
	}
	for name, n := range behind {
		if n > 1000 {
			lines = append(lines, fmt.Sprintf("warn  the worker %s is %d events behind. Is the server running?", name, n))
		}
	}
	identity, err := h.examineIdentity()
	if err != nil {
		return nil, false, err
	}
	backups, err := h.examineBackups()
	if err != nil {
		return nil, false, err
	}
	lines = append(append(lines, identity...), backups...)
	for _, name := range []string{"GATEHOUSE_STAFF_SECOND_FACTOR", "GATEHOUSE_RATE_LIMITS"} {
		if v := os.Getenv(name); v != "" {
			lines = append(lines, "warn  "+name+"="+v+" is for tests only. Take it out of the environment.")
		}
	}
	return lines, ok, nil
}

func (h *House) auditCommand() *cobra.Command {
	parent := &cobra.Command{Use: "audit", Short: "Looks into the audit log"}
	parent.AddCommand(&cobra.Command{
		Use: "verify", Short: "Recomputes the chain of the audit log", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error {
			report, err := audit.Verify(h.App)
			if err != nil {
				return err
			}
			if err := json.NewEncoder(c.OutOrStdout()).Encode(report); err != nil {
				return err
			}
			if report.Bad > 0 {
				return ErrNo
			}
			return nil
		},
	})
	return parent
}

func (h *House) accessCommand() *cobra.Command {
	parent := &cobra.Command{Use: "access", Short: "Looks after who may see what"}
	parent.AddCommand(&cobra.Command{
		Use: "rebuild", Short: "Derives the access table again from its sources", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := access.RebuildInSteps(h.App, h.Options.Clock); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "The access table is rebuilt.")
			return err
		},
	})
	parent.AddCommand(h.explainCommand())
	parent.AddCommand(h.resetFactorCommand())
	return parent
}

// healthCommand asks a running server, for container health checks.
func healthCommand() *cobra.Command {
	var addr string
	c := &cobra.Command{
		Use: "health", Short: "Asks a running portal whether it is ready", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(c *cobra.Command, _ []string) error {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return UsageError{"--http takes host:port"}
			}
			if host == "" || host == "0.0.0.0" {
				host = "127.0.0.1"
			}
			client := http.Client{Timeout: 5 * time.Second}
			answer, err := client.Get("http://" + net.JoinHostPort(host, port) + "/readyz") //nolint:noctx // the client has a time limit
			if err != nil {
				return fmt.Errorf("no portal answers at %s", addr)
			}
			defer func() { _ = answer.Body.Close() }() // nothing was written
			if _, err := io.Copy(c.OutOrStdout(), answer.Body); err != nil {
				return err
			}
			if answer.StatusCode != http.StatusOK {
				return ErrNo
			}
			return nil
		},
	}
	c.Flags().StringVar(&addr, "http", "127.0.0.1:8090", "address of the portal")
	return c
}
