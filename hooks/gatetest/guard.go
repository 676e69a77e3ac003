package gatetest

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"
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

// handler is one of PocketBase's, of whatever event.
type handler struct{ Func reflect.Value }

// findHooks notes every hook of the app. PocketBase can take a hook away, but
// not put it back, so that the tests look for it themselves.
func (s *Stage) findHooks() {
	app := reflect.ValueOf(s.BaseApp).Elem()
	for n := range app.NumField() {
		if f := app.Field(n); strings.HasPrefix(app.Type().Field(n).Name, "on") && f.Kind() == reflect.Pointer && !f.IsNil() {
			list := f.Elem().FieldByName("handlers")
			s.note(reflect.NewAt(list.Type(), unsafe.Pointer(list.UnsafeAddr())).Elem()) //nolint:gosec // a field that only tests look at
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
