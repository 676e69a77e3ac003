// Package schema holds the words that every room shares: the names of
// collections, the actor of a change, and how times and ids are written.
//
//	schema.go  collections, scopes, ids, times
//	actor.go   who acts, and for whom
//	sql.go     the few forms of raw SQL that commands use beside records
package schema

import (
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Collections whose names are used in more than one room.
const (
	Access         = "access"
	Organizations  = "organizations"
	Users          = "users"
	Staff          = "staff"
	Memberships    = "memberships"
	Invitations    = "invitations"
	Delegations    = "delegations"
	Walls          = "walls"
	Workflows      = "workflows"
	Forms          = "forms"
	Texts          = "texts"
	Requests       = "requests"
	RequestPeople  = "request_people"
	Items          = "items"
	ClientRequests = "client_requests"
	ClientItems    = "client_items"
	ClientHistory  = "client_history"
	Documents      = "documents"
	Messages       = "messages"
	InternalNotes  = "internal_notes"
	Transitions    = "transitions"
	Events         = "events"
	AuditLog       = "audit_log"
	Notifications  = "notifications"
	Mails          = "mails"
	Jobs           = "jobs"
	Settings       = "settings"

	// Backups are files, not a collection: the name stands in the trail.
	Backups       = "backups"
	Viewings      = "viewings"
	Timers        = "timers"
	Pauses        = "pauses"
	Recurrences   = "recurrences"
	Sessions      = "sessions"
	SecondFactors = "second_factors"
	Programs      = "programs"
	Passkeys      = "passkeys"
	Exclusions    = "exclusions"
)

// StaffScope is the scope of what only staff may see, beside the scope that
// clients may see too.
func StaffScope(scope string) string { return "staff:" + scope }

// ClientScope takes the staff mark off a scope.
func ClientScope(scope string) string { return strings.TrimPrefix(scope, "staff:") }

// Forever is the end of what has no end: rules compare it, so it is never empty.
const Forever = "9999-12-31 23:59:59.999Z"

// Clock tells the time; tests bring their own.
type Clock func() time.Time

// Stamp writes a time as PocketBase stores it: UTC, with milliseconds.
func Stamp(t time.Time) string {
	return t.UTC().Format(types.DefaultDateLayout)
}

// Time reads a stored time; the zero time for an empty one.
func Time(stamp string) time.Time {
	if stamp == "" {
		return time.Time{}
	}
	t, err := types.ParseDateTime(stamp)
	if err != nil {
		return time.Time{}
	}
	return t.Time()
}

// NewID is a record id as PocketBase makes them.
func NewID() string { return core.GenerateDefaultRandomId() }
