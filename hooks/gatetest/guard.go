package gatetest

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Off takes the hook or middleware with an id away, as if it did nothing but let
// pass, until on is called. It says whether there is one.
func (s *Stage) Off(t testing.TB, id string) (on func(), found bool) {
	t.Helper()
	s.Handler(t)
	var undo []func()
	for _, h := range s.bound[id] {
		before := reflect.ValueOf(h.Func.Interface())
		h.Func.Set(reflect.MakeFunc(h.Func.Type(), func(args []reflect.Value) []reflect.Value {
			return args[0].MethodByName("Next").Call(nil)
		}))
		undo = append(undo, func() { h.Func.Set(before) })
	}
	return func() {
		for _, u := range undo {
			u()
		}
	}, len(undo) > 0
}

// Bound are the ids of all hooks and middlewares.
func (s *Stage) Bound(t testing.TB) []string {
	t.Helper()
	s.Handler(t)
	ids := make([]string, 0, len(s.bound))
	for id := range s.bound {
		ids = append(ids, id)
	}
	return ids
}

// Routes are the patterns of everything that is served beyond PocketBase's own.
func (s *Stage) Routes(t testing.TB) []string {
	t.Helper()
	s.Handler(t)
	return s.routes
}

// patterns are what a group of routes serves, as "GET /path".
func patterns(group *router.RouterGroup[*core.RequestEvent]) []string {
	var list []string
	children := reflect.ValueOf(group).Elem().FieldByName("children")
	children = reflect.NewAt(children.Type(), unsafe.Pointer(children.UnsafeAddr())).Elem()
	for n := range children.Len() {
		switch child := children.Index(n).Interface().(type) {
		case *router.Route[*core.RequestEvent]:
			list = append(list, strings.TrimSpace(child.Method+" "+group.Prefix+child.Path))
		case *router.RouterGroup[*core.RequestEvent]:
			for _, p := range patterns(child) {
				method, path, _ := strings.Cut(p, " ")
				list = append(list, method+" "+group.Prefix+path)
			}
		}
	}
	return list
}

// handler is one of PocketBase's, of whatever event.
type handler struct{ Func reflect.Value }

// findHooks notes every hook of the app. PocketBase can take a hook away, but
// not put it back, so that the tests look for it themselves.
func (s *Stage) findHooks() {
	app := reflect.ValueOf(s.BaseApp).Elem()
	for n := range app.NumField() {
		if f := app.Field(n); strings.HasPrefix(app.Type().Field(n).Name, "on") && f.Kind() == reflect.Pointer && !f.IsNil() {
			list := f.Elem().FieldByName("handlers")
			s.note(reflect.NewAt(list.Type(), unsafe.Pointer(list.UnsafeAddr())).Elem())
		}
	}
}

// note keeps a list of handlers by their ids.
func (s *Stage) note(handlers reflect.Value) {
	for n := range handlers.Len() {
		h := handlers.Index(n).Elem()
		id := h.FieldByName("Id").String()
		s.bound[id] = append(s.bound[id], handler{h.FieldByName("Func")})
	}
}
