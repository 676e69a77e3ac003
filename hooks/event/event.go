// Package event is the outbox: facts are written in the transaction of the
// change that they report, and delivered after it.
//
//	event.go     Emit and the shape of an event
//	consumer.go  one cursor a consumer, in order, at least once
package event

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Event is one fact. Type is "request.<transition key>" or a past fact such as
// "item.rejected". Seq orders all events without gaps in what a reader sees.
type Event struct {
	Seq          int64
	ID           string
	Type         string
	Request      string
	Organization string
	Actor        schema.Actor
	Payload      map[string]any
	At           time.Time
}

// A single statement numbers and writes: SQLite has one writer, so the number
// is free of races.
const insertEvent = `INSERT INTO events (id, seq, type, request, organization, actor_kind, actor, payload, at, created, updated)
VALUES ({:id}, (SELECT COALESCE(MAX(seq), 0) + 1 FROM events), {:type}, {:request}, {:organization}, {:kind}, {:actor}, {:payload}, {:at}, {:at}, {:at})`

// Emit writes a fact inside the transaction tx.
func Emit(tx core.App, e Event) error {
	if e.ID == "" {
		e.ID = schema.NewID()
	}
	if e.Actor.Kind == "" || e.Actor.Kind == schema.ActorGuest {
		e.Actor = schema.System()
	}
	if e.Payload == nil {
		e.Payload = map[string]any{}
	}
	_, err := tx.DB().NewQuery(insertEvent).Bind(dbx.Params{
		"id": e.ID, "type": e.Type, "request": e.Request, "organization": e.Organization,
		"kind": string(e.Actor.Kind), "actor": e.Actor.ID, "payload": schema.JSON(e.Payload), "at": schema.Stamp(e.At),
	}).Execute()
	if err != nil {
		return fmt.Errorf("emit %s: %w", e.Type, err)
	}
	return nil
}

// row is an event as stored.
type row struct {
	ID           string `db:"id"`
	Seq          int64  `db:"seq"`
	Type         string `db:"type"`
	Request      string `db:"request"`
	Organization string `db:"organization"`
	ActorKind    string `db:"actor_kind"`
	Actor        string `db:"actor"`
	Payload      string `db:"payload"`
	At           string `db:"at"`
}

func (r row) event() Event {
	e := Event{
		ID: r.ID, Seq: r.Seq, Type: r.Type, Request: r.Request, Organization: r.Organization,
		Actor: schema.Actor{Kind: schema.ActorKind(r.ActorKind), ID: r.Actor}, At: schema.Time(r.At), Payload: map[string]any{},
	}
	// A payload that cannot be read is an empty one: the fact itself stands.
	_ = json.Unmarshal([]byte(r.Payload), &e.Payload)
	return e
}
