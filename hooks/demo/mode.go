package demo

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Mode is what a running demo offers besides the portal itself: to look as
// somebody, and to begin in earnest. Its routes answer 404 unless it is on.
type Mode struct {
	App     core.App
	On      bool
	Restart func() error // nil: the process starts itself again

	mu    sync.Mutex
	token string // of the set-up link, once somebody chose "Start empty"
}

// pause lets the answer reach the browser before the process restarts.
const pause = 500 * time.Millisecond

// Persona is somebody to look as.
type Persona struct {
	Key   string `json:"key"`
	Name  string `json:"name"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Kind  string `json:"kind"` // client or staff

	email string
}

// personas are who there is to look as, in the order of the page.
var personas = []Persona{
	{"client", "Ana Petrova", "A client", "Runs Bluebell Bakery. One thing is overdue, one was sent back, two are with the accountants.", "client", "ana@bluebell.example"},
	{"second_client", "Dev Rao", "Another client", "Kestrel Joinery, one person. Lives in another time zone and lets Ana act for him.", "client", "dev@kestrel.example"},
	{"staff", "Priya Nair", "Staff", "Looks after most clients. Her queue has things to check, things nobody took, and one that is blocked.", "staff", "priya@harbour.example"},
	{"compliance", "Ruth Adeyemi", "Compliance", "Checks identities. Sees the one request that others may not know about.", "staff", "ruth@harbour.example"},
	{"partner", "Helen Finch", "Partner and owner", "Decides whom the firm acts for, and manages staff and settings.", "staff", "helen@harbour.example"},
}

// home is the page that somebody begins on.
func (p Persona) home() string {
	if p.Kind == "staff" {
		return "/_/#/gatehouse/queue"
	}
	return "/"
}

func (p Persona) collection() string {
	if p.Kind == "staff" {
		return schema.Staff
	}
	return schema.Users
}

// ShowRoute says whom one can look as.
//
//	GET /api/portal/demo → 200 {"firm", "personas": [{"key","name","title","text","kind"}]}; 404 no demo
func (m *Mode) ShowRoute(e *core.RequestEvent) error {
	if err := m.on(e); err != nil {
		return problem.Reply(e, err)
	}
	firm, err := access.FirmOf(e.App)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"firm": firm.Name, "personas": personas})
}

// EnterRoute signs the visitor in as somebody.
//
//	POST /api/portal/demo/enter {"persona"} → 200 {"token","record","go"}; 404 no demo, nobody of that name
func (m *Mode) EnterRoute(e *core.RequestEvent) error {
	if err := m.on(e); err != nil {
		return problem.Reply(e, err)
	}
	var in struct {
		Persona string `json:"persona"`
	}
	if err := e.BindBody(&in); err != nil {
		return problem.Reply(e, problem.New(problem.BadInput, "The request could not be read.").Because(err))
	}
	for _, p := range personas {
		if p.Key == in.Persona {
			return problem.Reply(e, enter(e, p))
		}
	}
	return problem.Reply(e, problem.Field("persona", problem.NotFound, "There is nobody of that name to look as."))
}

// enter is a sign-in as any other: whoever listens to sign-ins hears of it.
func enter(e *core.RequestEvent, p Persona) error {
	record, err := e.App.FindAuthRecordByEmail(p.collection(), p.email)
	if err != nil {
		return problem.New(problem.NotFound, p.Name+" is not in the demo any more.").Because(err)
	}
	token, err := record.NewAuthToken()
	if err != nil {
		return fmt.Errorf("sign in as %s: %w", p.Key, err)
	}
	event := &core.RecordAuthRequestEvent{RequestEvent: e, Record: record, Token: token}
	event.Collection = record.Collection()
	return e.App.OnRecordAuthRequest().Trigger(event, func(event *core.RecordAuthRequestEvent) error {
		if event.Written() {
			return nil
		}
		event.Record.IgnoreEmailVisibility(true)
		if err := apis.EnrichRecord(event.RequestEvent, event.Record); err != nil {
			return fmt.Errorf("enrich %s: %w", p.Key, err)
		}
		return event.JSON(http.StatusOK, map[string]any{"token": event.Token, "record": event.Record, "go": p.home()})
	})
}

// EmptyRoute marks the folder to be emptied and starts the process again. The
// set-up link works once "wait" answers again.
//
//	POST /api/portal/demo/empty → 200 {"link","wait"}; 404 no demo
func (m *Mode) EmptyRoute(e *core.RequestEvent) error {
	if err := m.on(e); err != nil {
		return problem.Reply(e, err)
	}
	token, err := m.empty(e.App)
	if err != nil {
		return problem.Reply(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"link": "/setup/" + token, "wait": "/healthz"})
}

// empty leaves the token for the next start and begins it, once however often it
// is asked.
func (m *Mode) empty(app core.App) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.token != "" {
		return m.token, nil
	}
	if _, err := os.Stat(filepath.Join(app.DataDir(), demoMark)); err != nil {
		return "", problem.New(problem.Unavailable, "This folder is not one of the demo's, so it is not emptied.").Because(err)
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	token := hex.EncodeToString(random)
	if err := mark(app.DataDir(), emptyMark, token); err != nil {
		return "", err
	}
	m.token = token
	restart := m.Restart
	if restart == nil {
		restart = m.App.Restart
	}
	routine.FireAndForget(func() {
		time.Sleep(pause)
		if err := restart(); err != nil {
			// Where a process cannot start itself again: the mark waits.
			app.Logger().Error("stop the server and start it again: it begins empty then", slog.Any("error", err))
		}
	})
	return token, nil
}

// on refuses unless the demo is on, and refuses other sites' pages: anybody may
// look, but nobody is to be signed in, or robbed of the demo, by a page that
// they happen to visit.
func (m *Mode) on(e *core.RequestEvent) error {
	if !m.On {
		return problem.New(problem.NotFound, "This portal is not a demo.")
	}
	origin := e.Request.Header.Get("Origin")
	if e.Request.Method == http.MethodGet || origin == "" {
		return nil
	}
	from, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(from.Host, e.Request.Host) {
		return problem.New(problem.Forbidden, "Open the demo's own page for this.").Because(err)
	}
	return nil
}
