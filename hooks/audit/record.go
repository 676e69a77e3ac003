package audit

import (
	"encoding/json"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Recorder writes an entry for every change of an ordinary record, whoever
// makes it: the record API, the dashboard, a batch, Go code. Records that
// commands write tell the trail themselves.
type Recorder struct {
	Clock schema.Clock
}

// secret fields never reach the trail.
var secret = []string{"password", "tokenKey", "token_hash", "created", "updated"}

// NameActor puts who is signed in on the record, for the hooks that follow:
// PocketBase does not tell them.
func NameActor(e *core.RecordRequestEvent) error {
	schema.SetActor(e.Record, schema.ActorOf(e.Auth, e.RealIP()))
	return e.Next()
}

// Created records a new record, in the transaction that writes it.
func (r Recorder) Created(e *core.RecordEvent) error { return r.record(e, "create") }

// Updated records the fields that changed.
func (r Recorder) Updated(e *core.RecordEvent) error { return r.record(e, "update") }

// Deleted records what went away.
func (r Recorder) Deleted(e *core.RecordEvent) error { return r.record(e, "delete") }

func (r Recorder) record(e *core.RecordEvent, action string) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		if err := e.Next(); err != nil {
			return err
		}
		// Only now: PocketBase renews the sign-ins of a new password while it saves.
		change := changes(e.Record, action)
		if action == "update" && len(change) == 0 {
			return nil
		}
		organization := e.Record.GetString("organization")
		if e.Record.Collection().Name == schema.Organizations {
			organization = e.Record.Id
		}
		scope := ""
		if organization != "" {
			scope = schema.StaffScope(organization)
		}
		return Append(tx, Entry{
			Actor: schema.ActorOn(e.Context, e.Record), Action: action, Collection: e.Record.Collection().Name, Record: e.Record.Id,
			Organization: organization, Request: e.Record.GetString("request"), Change: change, Scope: scope, At: r.Clock(),
		})
	})
}

// changes are before and after of every field that differs.
func changes(record *core.Record, action string) map[string]any {
	change := map[string]any{}
	before := record.Original()
	for _, f := range record.Collection().Fields {
		name := f.GetName()
		if slices.Contains(secret, name) {
			continue
		}
		was, is := value(before, name, action != "create"), value(record, name, action != "delete")
		if was != is {
			change[name] = []json.RawMessage{json.RawMessage(was), json.RawMessage(is)}
		}
	}
	if action == "update" && record.GetString("tokenKey") != before.GetString("tokenKey") {
		change["sign_in"] = "password or sessions renewed"
	}
	return change
}

func value(record *core.Record, name string, there bool) string {
	if !there {
		return "null"
	}
	return schema.JSON(record.Get(name))
}
