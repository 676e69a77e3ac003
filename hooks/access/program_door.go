package access

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// requestProgram is where a request keeps the program that asks.
const requestProgram = "access.program"

// ProgramOf is the program that asks; nil if a person does.
func ProgramOf(e *core.RequestEvent) *Program {
	p, _ := e.Get(requestProgram).(*Program)
	return p
}

// programBusiness are the addresses that a token opens: the firm's business with
// its clients. Sign-ins, tokens, security, other people's accounts and looking
// as a client are not among them, and neither is what is added later until
// somebody decides.
var programBusiness = []string{
	"/api/portal/firm", "/api/portal/me", "/api/portal/requests", "/api/portal/items/", "/api/portal/workflows", "/api/portal/definitions", "/api/portal/bulk",
	"/api/portal/runs", "/api/portal/home", "/api/portal/queue", "/api/portal/clients", "/api/portal/staff", "/api/portal/team",
	"/api/portal/invitations", "/api/portal/delegations", "/api/portal/access/", "/api/collections/{collection}/records", "/api/batch", "/api/files/", "/api/realtime",
	"/healthz", "/readyz", "/api/health",
}

// Check stands behind the check of sessions. A program's token makes the caller
// the program's account; whatever it does not open is refused.
func (s *Programs) Check(e *core.RequestEvent) error {
	token := bearer(e.Request)
	if !IsProgramToken(token) {
		return e.Next()
	}
	p, err := s.enter(e, token)
	if err != nil {
		return problem.Reply(e, err)
	}
	e.Set(requestProgram, p)
	e.Set(requestSession, p.Session)
	s.Sessions.saw(p.Session, e.RealIP())
	if p.DryRun && writes(e.Request) {
		return s.dryRun(e, p)
	}
	return e.Next()
}

// enter finds the program of a token, and signs its account in.
func (s *Programs) enter(e *core.RequestEvent, token string) (*Program, error) {
	unknown := problem.New(problem.SignIn, "This token is not known here.")
	if !wellFormed(token) {
		return nil, unknown
	}
	p, err := findProgram(e.App, `p.token_hash = {:hash}`, dbx.Params{"hash": digest(token)})
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, unknown
	}
	if why := p.over(s.Clock()); why != "" {
		return nil, problem.New(problem.SignIn, programOver[why])
	}
	if !p.from(e.RealIP()) {
		return nil, problem.New(problem.Forbidden, "This token may not be used from this address.")
	}
	if !opens(e.Request.Pattern) {
		return nil, personNeeded()
	}
	if e.Auth, err = e.App.FindRecordById(schema.Staff, p.ID); err != nil {
		return nil, fmt.Errorf("find the account of a program: %w", err)
	}
	return p, nil
}

// programNever are the addresses among those of the business that stay closed:
// the link of an invitation proves a mailbox, which is nobody's but its owner's,
// and whom a client's request is hidden from is for a person to say, as walls are.
var programNever = []string{"/api/portal/invitations/{id}/link", "/api/portal/requests/{id}/exclusions", "/api/portal/requests/{id}/exclusions/{user}"}

// opens says whether a token opens an address, by its pattern.
func opens(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return !slices.Contains(programNever, path) && slices.ContainsFunc(programBusiness, func(start string) bool { return strings.HasPrefix(path, start) })
}

var programOver = map[string]string{
	programRevoked: "This token was revoked.",
	programExpired: "This token has expired. Ask for a new one.",
	programMaker:   "Whoever made this token may not have programs any more, so it has ended.",
}

func personNeeded() *problem.Error {
	return problem.New(problem.Forbidden, "A program cannot do this. A person has to, signed in to the console.")
}

// writes says whether a request is more than reading. Listening and file tokens
// leave nothing behind.
func writes(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	return !reads && r.URL.Path != "/api/realtime" && r.URL.Path != "/api/files/token"
}

// dryRunHeader says in the answer that nothing was kept.
const dryRunHeader = "Gatehouse-Dry-Run"

// most that a dry run takes in, in bytes: it is read before anything is locked.
const largestDryRun = 32 << 20

var errDryRun = errors.New("rolled back on purpose")

// dryRun answers a write as if it were done, and rolls it back: by every rule
// and guard, in the same transaction that would have kept it. Only the attempt
// is on the trail.
func (s *Programs) dryRun(e *core.RequestEvent, p *Program) error {
	e.Response.Header().Set(dryRunHeader, "true")
	n, err := io.Copy(io.Discard, io.LimitReader(e.Request.Body, largestDryRun+1))
	if err != nil || n > largestDryRun {
		return problem.Reply(e, problem.New(problem.FileSize, "This is too large for a dry run.").Because(err))
	}
	if again, ok := e.Request.Body.(router.Rereader); ok {
		again.Reread()
	}
	app, response := e.App, e.Response
	answer := httptest.NewRecorder()
	var refused error
	err = app.RunInTransaction(func(tx core.App) error {
		e.App, e.Response = tx, &router.ResponseWriter{ResponseWriter: answer}
		defer func() { e.App, e.Response = app, response }()
		refused = e.Next()
		return errDryRun
	})
	if !errors.Is(err, errDryRun) {
		return problem.Reply(e, fmt.Errorf("roll a dry run back: %w", err))
	}
	status := answer.Code
	var known *router.ApiError
	if refused != nil && errors.As(refused, &known) {
		status = known.Status
	}
	err = app.RunInTransaction(func(tx core.App) error {
		return s.Audit(tx, Trace{
			Actor: schema.ActorOf(e.Auth, e.RealIP()), Action: "dry_run", Collection: schema.Programs, Record: p.ID, At: s.Clock(),
			Change: map[string]any{"method": e.Request.Method, "path": e.Request.URL.Path, "status": status},
		})
	})
	if err != nil {
		return problem.Reply(e, err)
	}
	if refused != nil {
		return refused
	}
	return pass(e.Response, answer)
}

// DryRun says whether what a request writes is rolled back.
func DryRun(e *core.RequestEvent) bool { return e.App.IsTransactional() && ProgramOf(e) != nil }

func pass(to http.ResponseWriter, answer *httptest.ResponseRecorder) error {
	for name, values := range answer.Header() {
		to.Header()[name] = values
	}
	to.WriteHeader(answer.Code)
	if _, err := to.Write(answer.Body.Bytes()); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
