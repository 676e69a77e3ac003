// Package problem holds the refusals that a person may read.
//
// A refusal is a *Error: a code for programs, a sentence for the person, the
// cause for the log only. Everything else that goes wrong is an ordinary
// wrapped error and becomes a 500 at the door, since PocketBase's router would
// answer it with 400.
//
//	problem.go  codes, Error, Blocker
//	reply.go    what leaves the house: routes and record hooks
package problem

import "net/http"

// Code names a kind of refusal; docs/api.md lists them for programs.
type Code string

// The codes.
const (
	BadInput           Code = "bad_input"
	NotFound           Code = "not_found"
	Forbidden          Code = "forbidden"
	SignIn             Code = "sign_in"
	Unique             Code = "already_there"
	UnknownTransition  Code = "unknown_transition"
	UnknownField       Code = "unknown_field"
	UnknownItem        Code = "unknown_item"
	NotYours           Code = "not_yours"
	ItemMissing        Code = "item_missing"
	ItemOpen           Code = "item_open"
	NoItem             Code = "no_item"
	ItemLocked         Code = "item_locked"
	FieldMissing       Code = "field_missing"
	FieldInvalid       Code = "field_invalid"
	FieldLocked        Code = "field_locked"
	SamePerson         Code = "same_person"
	CommentRequired    Code = "comment_required"
	NoteRequired       Code = "note_required"
	ReasonRequired     Code = "reason_required"
	ItemsRequired      Code = "items_required"
	ReferenceRequired  Code = "reference_required"
	TemplateRequired   Code = "template_required"
	JobsOpen           Code = "jobs_open"
	TooEarly           Code = "too_early"
	Condition          Code = "condition"
	Rounds             Code = "rounds"
	VetoOpen           Code = "veto_open"
	LegalHold          Code = "legal_hold"
	NobodyInvited      Code = "nobody_invited"
	NothingToPublish   Code = "nothing_to_publish"
	OpenRequest        Code = "open_request"
	FileType           Code = "file_type"
	FileSize           Code = "file_size"
	FileCount          Code = "file_count"
	FileContent        Code = "file_content"
	FileEmpty          Code = "file_empty"
	Stale              Code = "stale"
	KeyReused          Code = "key_reused"
	TooMany            Code = "too_many"
	Role               Code = "role"
	Unavailable        Code = "unavailable"
	StorageFull        Code = "storage_full"
	InvitationEnded    Code = "invitation_ended"
	InvitationAccepted Code = "invitation_accepted"
	StateGone          Code = "state_gone"
	StateUnfit         Code = "state_unfit"
	ValueUnfit         Code = "value_unfit"
	NobodyActs         Code = "nobody_acts"
	TooLate            Code = "too_late"
	VersionInUse       Code = "version_in_use"
	ProofNeeded        Code = "proof_needed"
	ProveAgain         Code = "prove_again"
	ProofWrong         Code = "proof_wrong"
	LastAdmin          Code = "last_admin"
	Busy               Code = "busy"
)

// status is the HTTP status of a code; 400 where it is not listed.
var status = map[Code]int{
	NotFound:    http.StatusNotFound,
	Forbidden:   http.StatusForbidden,
	ProveAgain:  http.StatusForbidden,
	SignIn:      http.StatusUnauthorized,
	Stale:       http.StatusConflict,
	KeyReused:   http.StatusConflict,
	Busy:        http.StatusConflict,
	TooMany:     http.StatusTooManyRequests,
	FileSize:    http.StatusRequestEntityTooLarge,
	Unavailable: http.StatusServiceUnavailable,
	StorageFull: http.StatusInsufficientStorage,
}

// Blocker is one reason why a step is not possible now, and where to cure it:
// Item is an item's id, Field a request field's key, both may be empty.
type Blocker struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Item    string `json:"item,omitempty"`
	Field   string `json:"field,omitempty"`
}

// Error is a refusal that the person may read.
type Error struct {
	Code     Code
	Message  string
	Fields   map[string]Blocker // by field name, for forms
	Blockers []Blocker          // all of them, for a step that is not possible
	Facts    map[string]any     // who changed what, for 409
	cause    error
}

// New makes a refusal.
func New(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// Field makes a refusal about one field of the input.
func Field(field string, code Code, message string) *Error {
	return New(code, message).With(field, code, message)
}

// Error is the sentence for the log: with the cause, which the person never sees.
func (e *Error) Error() string {
	if e.cause == nil {
		return string(e.Code) + ": " + e.Message
	}
	return string(e.Code) + ": " + e.Message + ": " + e.cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Because adds the cause for the log.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// With adds what is wrong with one field of the input.
func (e *Error) With(field string, code Code, message string) *Error {
	if e.Fields == nil {
		e.Fields = map[string]Blocker{}
	}
	e.Fields[field] = Blocker{Code: code, Message: message, Field: field}
	return e
}

// Fact adds something that a program may use, such as who was faster.
func (e *Error) Fact(key string, value any) *Error {
	if e.Facts == nil {
		e.Facts = map[string]any{}
	}
	e.Facts[key] = value
	return e
}

// Status is the HTTP status of the refusal.
func (e *Error) Status() int {
	if s, ok := status[e.Code]; ok {
		return s
	}
	return http.StatusBadRequest
}

// Blocked makes the refusal of a step from everything that stands in its way.
func Blocked(blockers []Blocker) *Error {
	e := &Error{Code: Condition, Message: "This is not possible now.", Blockers: blockers}
	if len(blockers) > 0 {
		e.Code, e.Message = blockers[0].Code, blockers[0].Message
	}
	for _, b := range blockers {
		key := string(b.Code)
		if b.Item != "" {
			key = b.Item
		} else if b.Field != "" {
			key = b.Field
		}
		if e.Fields == nil {
			e.Fields = map[string]Blocker{}
		}
		e.Fields[key] = b
	}
	return e
}
