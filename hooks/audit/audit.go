// Package audit keeps the append-only trail: who did what to which record, when.
//
//	audit.go   Append, inside the transaction of the change
//	record.go  changes of ordinary records
//	signin.go  sign-ins, and what the SQL console is asked
//	verify.go  walks the chain of hashes and names the first bad entry
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Entry is one line of the trail. Change holds before and after of the changed
// fields, secrets masked. Scope is whose staff may read it.
type Entry struct {
	Actor        schema.Actor
	Action       string
	Collection   string
	Record       string
	Organization string
	Request      string
	Change       map[string]any
	Scope        string
	At           time.Time
}

// Append writes an entry inside the transaction tx, chained to the one before:
// hash = SHA-256(previous hash, seq and every field of the entry).
func Append(tx core.App, e Entry) error {
	var last struct {
		Seq  int64  `db:"seq"`
		Hash string `db:"hash"`

		Scope string `db:"scope"` // of the request that the entry is about: its trail is seen by whoever sees it
	}
	err := tx.DB().NewQuery(`SELECT seq, hash, COALESCE((SELECT r.scope FROM requests r WHERE r.id = {:request}), '') AS scope FROM audit_log ORDER BY seq DESC LIMIT 1`).
		Bind(dbx.Params{"request": e.Request}).One(&last)
	if err != nil && !isNoRows(err) {
		return fmt.Errorf("read end of audit log: %w", err)
	}
	if e.Actor.OnBehalfOf != "" {
		change := maps.Clone(e.Change)
		if change == nil {
			change = map[string]any{}
		}
		change["on_behalf_of"] = e.Actor.OnBehalfOf
		e.Change = change
	}
	r := row{
		Seq: last.Seq + 1, At: schema.Stamp(e.At), ActorKind: string(e.Actor.Kind), Actor: e.Actor.ID, ActorName: e.Actor.By(),
		Action: e.Action, Collection: e.Collection, Record: e.Record, Organization: e.Organization, Request: e.Request,
		Change: schema.JSON(e.Change), IP: e.Actor.IP,
	}
	r.Hash = r.chain(last.Hash)
	if e.Scope != "" && last.Scope != "" {
		e.Scope = last.Scope
	}
	_, err = tx.DB().Insert("audit_log", dbx.Params{
		"id": schema.NewID(), "seq": r.Seq, "at": r.At, "actor_kind": r.ActorKind, "actor": r.Actor, "actor_name": r.ActorName, "action": r.Action,
		"collection": r.Collection, "record": r.Record, "organization": r.Organization, "request": r.Request, "change": r.Change,
		"ip": r.IP, "hash": r.Hash, "scope": e.Scope, "created": r.At, "updated": r.At,
	}).Execute()
	if err != nil {
		return fmt.Errorf("append to audit log: %w", err)
	}
	return nil
}

// row is an entry as stored and hashed.
type row struct {
	Seq          int64  `db:"seq"`
	At           string `db:"at"`
	ActorKind    string `db:"actor_kind"`
	Actor        string `db:"actor"`
	ActorName    string `db:"actor_name"`
	Action       string `db:"action"`
	Collection   string `db:"collection"`
	Record       string `db:"record"`
	Organization string `db:"organization"`
	Request      string `db:"request"`
	Change       string `db:"change"`
	IP           string `db:"ip"`
	Hash         string `db:"hash"`
}

func (r row) chain(previous string) string {
	h := sha256.New()
	for _, part := range []string{
		previous, strconv.FormatInt(r.Seq, 10), r.At, r.ActorKind, r.Actor, r.ActorName, r.Action,
		r.Collection, r.Record, r.Organization, r.Request, r.Change, r.IP,
	} {
		// Length before text: no two different entries give the same bytes.
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}
