package gatetest

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Raw    []byte
	Body   map[string]any // empty when the answer is a list
	List   []any
}

// Handler is the real router with everything bound, without a port. It is built
// once for a stage.
func (s *Stage) Handler(t testing.TB) http.Handler {
	t.Helper()
	s.once.Do(func() { s.handler, s.built = s.build() })
	if s.built != nil {
		t.Fatal(s.built)
	}
	return s.handler
}

func (s *Stage) build() (built http.Handler, err error) {
	router, err := apis.NewRouter(s.TestApp)
	if err != nil {
		return nil, err
	}
	theirs := patterns(router.RouterGroup)
	event := &core.ServeEvent{App: s.TestApp, Router: router, Server: &http.Server{}}
	err = s.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		mux, err := e.Router.BuildMux()
		built = mux
		s.bound = map[string][]handler{}
		s.note(reflect.ValueOf(e.Router.Middlewares))
		s.findHooks()
		s.routes = slices.DeleteFunc(patterns(e.Router.RouterGroup), func(p string) bool { return slices.Contains(theirs, p) })
		return err
	})
	return built, err
}

// Token signs a person in and gives the token, the same one while it holds; nil
// is a stranger.
func (s *Stage) Token(t testing.TB, who *core.Record) string {
	t.Helper()
	if who == nil {
		return ""
	}
	s.signingIn.Lock()
	defer s.signingIn.Unlock()
	key := who.Id + who.TokenKey()
	if token := s.tokens[key]; token != "" {
		if access.IsProgramToken(token) {
			return token
		}
		alive, err := access.Alive(s.TestApp, access.SessionIn(token), who.Id)
		if err != nil {
			t.Fatal(err)
		}
		if alive {
			return token
		}
	}
	token, err := access.Open(s.TestApp, who, access.Origin{IP: "192.0.2.1"}, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.tokens[key] = token
	return token
}

// Program makes a program for somebody of the firm, and gives its account, with
// which it can be asked for like a person.
func (s *Stage) Program(t testing.TB, maker *core.Record, in access.NewProgram) *core.Record {
	t.Helper()
	if in.Expires == "" {
		in.Expires = schema.Stamp(s.Clock.Now().AddDate(0, 1, 0))
	}
	member, err := access.StaffOf(s.TestApp, maker.Id)
	if err != nil {
		t.Fatal(err)
	}
	made, token, err := s.House.Programs.Make(member, Actor(maker), in)
	if err != nil {
		t.Fatal(err)
	}
	account, err := s.FindRecordById(schema.Staff, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.signingIn.Lock()
	defer s.signingIn.Unlock()
	s.tokens[account.Id+account.TokenKey()] = token
	return account
}

// FileToken is a file token of a person's session.
func (s *Stage) FileToken(t testing.TB, who *core.Record) string {
	t.Helper()
	if who.GetString("maker") != "" {
		token, _ := s.Ask(t, who, http.MethodPost, "/api/files/token", nil).Body["token"].(string)
		return token
	}
	token, err := access.FileToken(who, access.SessionIn(s.Token(t, who)))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Peer stands among the headers of Ask for the address that the request comes
// from, "192.0.2.1:1234" unless said otherwise.
const Peer = "X-Test-Peer"

// Ask sends a request as a person. body is nil, a string, or anything JSON.
func (s *Stage) Ask(t testing.TB, who *core.Record, method, path string, body any, headers ...string) Answer {
	t.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	default:
		var err error
		if b, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(b))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case Peer:
			r.RemoteAddr = headers[i+1]
		case "Host":
			r.Host = headers[i+1]
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return s.send(t, who, r)
}

// Send uploads a file with fields, as a browser does.
func (s *Stage) Send(t testing.TB, who *core.Record, fields map[string]string, name string, content []byte, headers ...string) Answer {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/collections/documents/records", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.send(t, who, r)
}

func (s *Stage) send(t testing.TB, who *core.Record, r *http.Request) Answer {
	t.Helper()
	if token := s.Token(t, who); token != "" {
		r.Header.Set("Authorization", token)
	}
	if s.Address != "" {
		r.RemoteAddr = s.Address
	}
	w := httptest.NewRecorder()
	s.Handler(t).ServeHTTP(w, r)
	a := Answer{Status: w.Code, Header: w.Header(), Raw: w.Body.Bytes(), Body: map[string]any{}}
	var v any
	if json.Unmarshal(a.Raw, &v) == nil {
		switch x := v.(type) {
		case map[string]any:
			a.Body = x
		case []any:
			a.List = x
		}
	}
	return a
}

// Code is the code of a refused field.
func (a Answer) Code(field string) string {
	data, _ := a.Body["data"].(map[string]any)
	f, _ := data[field].(map[string]any)
	code, _ := f["code"].(string)
	return code
}

// Message is the sentence of a refusal.
func (a Answer) Message() string {
	m, _ := a.Body["message"].(string)
	return m
}
