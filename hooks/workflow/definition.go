package workflow

import (
	"encoding/json"
	"slices"
)

// Schema is the version of the language that definitions are written in.
const Schema = "gatehouse/workflow/v1"

// Definition is one version of a workflow: everything the engine decides by. A
// published one never changes. docs/workflows.md explains each word.
type Definition struct {
	Schema        string         `json:"schema"`
	Key           string         `json:"key"`
	Version       int            `json:"version"`
	Title         string         `json:"title"`
	Vertical      string         `json:"vertical,omitempty"`
	Note          string         `json:"note,omitempty"`
	Subject       Subject        `json:"subject"`
	Numbering     string         `json:"numbering,omitempty"`
	Initial       string         `json:"initial"`
	Recurrence    *Recurrence    `json:"recurrence,omitempty"`
	Roles         Roles          `json:"roles"`
	Calendar      CalendarSpec   `json:"calendar"`
	Fields        []Field        `json:"fields"`
	Sections      []Section      `json:"sections"`
	States        []State        `json:"states"`
	Transitions   []Transition   `json:"transitions"`
	Reminders     []Reminder     `json:"reminders,omitempty"`
	Notifications []Notification `json:"notifications,omitempty"`
	Integrations  []Integration  `json:"integrations,omitempty"`
	AI            []Assist       `json:"ai,omitempty"`
	Reports       *Reports       `json:"reports,omitempty"`
}

// Subject is what a request is about. One live request per any of the named
// keys (organization, period).
type Subject struct {
	Collection        string `json:"collection"`
	OneLiveRequestPer Names  `json:"one_live_request_per,omitempty"`
	Note              string `json:"note,omitempty"`
}

// Recurrence opens a request for each organization and period.
type Recurrence struct {
	Every        string     `json:"every"`
	Create       string     `json:"create"`
	Period       string     `json:"period,omitempty"`
	Due          string     `json:"due,omitempty"`
	SkipIf       *Condition `json:"skip_if,omitempty"`
	CarryForward Names      `json:"carry_forward,omitempty"`
}

// Roles are the roles and duties that the workflow names, by side.
type Roles struct {
	Client Names `json:"client"`
	Staff  Names `json:"staff"`
}

// CalendarSpec is the workflow's business time.
type CalendarSpec struct {
	Timezone         string `json:"timezone,omitempty"`
	Hours            string `json:"hours,omitempty"`
	Holidays         string `json:"holidays,omitempty"`
	ClientQuietHours string `json:"client_quiet_hours,omitempty"`
}

// Field is one value of a request's data.
type Field struct {
	Key            string     `json:"key"`
	Type           string     `json:"type"`
	Label          Label      `json:"label,omitzero"`
	Help           string     `json:"help,omitempty"`
	Note           string     `json:"note,omitempty"`
	Options        Names      `json:"options,omitempty"`
	Default        any        `json:"default,omitempty"`
	Min            int        `json:"min,omitempty"`
	Visibility     string     `json:"visibility,omitempty"`
	When           *Condition `json:"when,omitempty"`
	RequiredBefore string     `json:"required_before,omitempty"`
	Owner          string     `json:"owner,omitempty"`
	OnConflict     string     `json:"on_conflict,omitempty"`
	Immutable      bool       `json:"immutable,omitempty"`
	WrittenBy      string     `json:"written_by,omitempty"`
	Mask           string     `json:"mask,omitempty"`
}

// Staff says whether only staff may see the field.
func (f *Field) Staff() bool { return f.Visibility == "staff" }

// Section is a group of items with one provider and one reviewer.
type Section struct {
	Key          string     `json:"key"`
	Title        Label      `json:"title"`
	Help         string     `json:"help,omitempty"`
	Note         string     `json:"note,omitempty"`
	Provider     string     `json:"provider"`
	ProviderRole string     `json:"provider_role,omitempty"`
	Reviewer     string     `json:"reviewer,omitempty"`
	ForEach      string     `json:"for_each,omitempty"`
	When         *Condition `json:"when,omitempty"`
	Dynamic      bool       `json:"dynamic,omitempty"`
	Versioned    bool       `json:"versioned,omitempty"`
	Items        []ItemSpec `json:"items"`
}

// ItemSpec is one thing that a request needs.
type ItemSpec struct {
	Key              string            `json:"key"`
	Title            Label             `json:"title"`
	Kind             string            `json:"kind"`
	Help             string            `json:"help,omitempty"`
	Note             string            `json:"note,omitempty"`
	Template         bool              `json:"template,omitempty"`
	ForEach          string            `json:"for_each,omitempty"`
	When             *Condition        `json:"when,omitempty"`
	SkipIf           *Condition        `json:"skip_if,omitempty"`
	Required         *bool             `json:"required,omitempty"`
	Reviewer         string            `json:"reviewer,omitempty"`
	Accept           Names             `json:"accept,omitempty"`
	MaxMB            int               `json:"max_mb,omitempty"`
	Files            *FileCount        `json:"files,omitempty"`
	Camera           bool              `json:"camera,omitempty"`
	MultiCapture     bool              `json:"multi_capture,omitempty"`
	Resumable        bool              `json:"resumable,omitempty"`
	Autosave         bool              `json:"autosave,omitempty"`
	Checksum         string            `json:"checksum,omitempty"`
	AllowNone        string            `json:"allow_none,omitempty"`
	Metadata         []Metadata        `json:"metadata,omitempty"`
	Freshness        *Freshness        `json:"freshness,omitempty"`
	Check            map[string]string `json:"check,omitempty"`
	RejectReasons    Names             `json:"reject_reasons,omitempty"`
	Retention        string            `json:"retention,omitempty"`
	Form             string            `json:"form,omitempty"`
	Fills            string            `json:"fills,omitempty"`
	TextRef          string            `json:"text_ref,omitempty"`
	Records          Names             `json:"records,omitempty"`
	Attaches         string            `json:"attaches,omitempty"`
	LockedUntilState string            `json:"locked_until_state,omitempty"`
	AnswerTypes      Names             `json:"answer_types,omitempty"`
	ChoicesFrom      string            `json:"choices_from,omitempty"`
	BulkFrom         string            `json:"bulk_from,omitempty"`
	ReuseFrom        string            `json:"reuse_from,omitempty"`
	Review           *Review           `json:"review,omitempty"`
	Due              string            `json:"due,omitempty"`
}

// IsRequired is true unless the definition says otherwise.
func (i *ItemSpec) IsRequired() bool { return i.Required == nil || *i.Required }

// FileCount bounds the number of files of an item.
type FileCount struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Metadata is a fact about a document that its provider tells.
type Metadata struct {
	Key    string `json:"key"`
	Type   string `json:"type"`
	Label  Label  `json:"label,omitzero"`
	MustBe string `json:"must_be,omitempty"`
}

// Freshness bounds the age of a document by one of its dates.
type Freshness struct {
	Field        string `json:"field"`
	MaxAgeMonths int    `json:"max_age_months"`
}

// Review by more than one person: so many of a role, and who may veto.
type Review struct {
	Quorum          *Quorum `json:"quorum,omitempty"`
	Veto            Names   `json:"veto,omitempty"`
	PinComments     bool    `json:"pin_comments,omitempty"`
	CompareVersions bool    `json:"compare_versions,omitempty"`
}

// Quorum is how many of a role must accept.
type Quorum struct {
	Role  string `json:"role"`
	Count int    `json:"count"`
}

// State is one state of a request.
type State struct {
	Key             string   `json:"key"`
	Label           Label    `json:"label"`
	ClientLabel     *Label   `json:"client_label"`
	Category        string   `json:"category"`
	Outcome         string   `json:"outcome,omitempty"`
	Turn            string   `json:"turn"`
	Owner           string   `json:"owner,omitempty"`
	ClientVisible   *bool    `json:"client_visible,omitempty"`
	Terminal        bool     `json:"terminal,omitempty"`
	SLA             *SLA     `json:"sla,omitempty"`
	Can             Can      `json:"can,omitzero"`
	RestrictedTo    Names    `json:"restricted_to,omitempty"`
	TippingOffSafe  bool     `json:"tipping_off_safe,omitempty"`
	ExternalAction  Flexible `json:"external_action,omitzero"`
	Note            string   `json:"note,omitempty"`
	Help            string   `json:"help,omitempty"`
	Text            string   `json:"text,omitempty"`
	transitionsFrom []int    // indexes of the transitions out of it
}

// Visible says whether the client may know of the state.
func (s *State) Visible() bool { return s.ClientVisible == nil || *s.ClientVisible }

// SLA is how long a state may take in business time.
type SLA struct {
	BusinessDays  int    `json:"business_days,omitempty"`
	BusinessHours int    `json:"business_hours,omitempty"`
	Clock         string `json:"clock,omitempty"`
}

// Can lists item rights by section while a request is in the state.
type Can struct {
	Provide    Names `json:"provide,omitempty"`
	Review     Names `json:"review,omitempty"`
	Add        Names `json:"add,omitempty"`
	OnlyStatus Names `json:"only_status,omitempty"`
}

// Transition is one step between states.
type Transition struct {
	Key           string   `json:"key"`
	Label         Label    `json:"label"`
	From          Names    `json:"from"`
	To            string   `json:"to"`
	By            Names    `json:"by"`
	Guard         []Guard  `json:"guard,omitempty"`
	Requires      Names    `json:"requires,omitempty"`
	Confirm       bool     `json:"confirm,omitempty"`
	After         *After   `json:"after,omitempty"`
	AlsoAutomatic bool     `json:"also_automatic,omitempty"`
	Effects       []Effect `json:"effects,omitempty"`
	Note          string   `json:"note,omitempty"`
	Help          string   `json:"help,omitempty"`
	Text          string   `json:"text,omitempty"`
}

// Automatic says whether the system takes the step by itself.
func (t *Transition) Automatic() bool { return t.AlsoAutomatic || slices.Contains(t.By, "system") }

// After is how long the state must have lasted.
type After struct {
	DaysInState         int `json:"days_in_state,omitempty"`
	BusinessDaysInState int `json:"business_days_in_state,omitempty"`
}

// Guard is one condition of a transition; exactly one of its members is set.
type Guard struct {
	Items           *ItemsGuard `json:"items,omitempty"`
	AnyItem         *ItemsGuard `json:"any_item,omitempty"`
	Jobs            *JobsGuard  `json:"jobs,omitempty"`
	AnyJob          *JobsGuard  `json:"any_job,omitempty"`
	NotSamePersonAs string      `json:"not_same_person_as,omitempty"`
	FieldsComplete  string      `json:"fields_complete,omitempty"`
	RoundsLeft      *bool       `json:"rounds_left,omitempty"`
	NoLegalHold     *bool       `json:"no_legal_hold,omitempty"`
	NoVetoOpen      Names       `json:"no_veto_open,omitempty"`
	Field           string      `json:"field,omitempty"`
	Is              any         `json:"is,omitempty"`
	In              []any       `json:"in,omitempty"`
	Contains        any         `json:"contains,omitempty"`
	Expr            string      `json:"expr,omitempty"`
	Message         Label       `json:"message,omitzero"` // what people read while the expression does not hold

	compiled *expression
}

// UnmarshalJSON reads an object, or a text as an expression.
func (g *Guard) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*g = Guard{Expr: text}
		return nil
	}
	type plain Guard
	return strict(b, (*plain)(g))
}

// ItemsGuard selects items and the statuses they must have.
type ItemsGuard struct {
	Sections Names `json:"sections"`
	Required bool  `json:"required,omitempty"`
	StatusIn Names `json:"status_in"`
}

// JobsGuard selects jobs and the outcome they must have.
type JobsGuard struct {
	Names  Names  `json:"names"`
	Status string `json:"status"`
}

// Effect is one thing that a transition does; exactly one member is set.
type Effect struct {
	Job                         string    `json:"job,omitempty"`
	RetryJobs                   string    `json:"retry_jobs,omitempty"`
	PublishFile                 string    `json:"publish_file,omitempty"`
	WithdrawFile                string    `json:"withdraw_file,omitempty"`
	FreezeVersion               string    `json:"freeze_version,omitempty"`
	Waive                       string    `json:"waive,omitempty"`
	SetItems                    *SetItems `json:"set_items,omitempty"`
	Invalidate                  string    `json:"invalidate,omitempty"`
	Increment                   string    `json:"increment,omitempty"`
	RecordAcceptance            string    `json:"record_acceptance,omitempty"`
	Snapshot                    string    `json:"snapshot,omitempty"`
	InviteMembers               string    `json:"invite_members,omitempty"`
	Claim                       string    `json:"claim,omitempty"`
	Batch                       string    `json:"batch,omitempty"`
	ApplyWall                   string    `json:"apply_wall,omitempty"`
	SendTemplate                Flexible  `json:"send_template,omitzero"`
	StartRetention              *bool     `json:"start_retention,omitempty"`
	StartClock                  string    `json:"start_clock,omitempty"`
	StopClock                   string    `json:"stop_clock,omitempty"`
	LockItems                   string    `json:"lock_items,omitempty"`
	UnlockItems                 string    `json:"unlock_items,omitempty"`
	SuppressClientNotifications *bool     `json:"suppress_client_notifications,omitempty"`
}

// SetItems gives items a new status: the chosen ones, or those that have one of
// the named statuses now.
type SetItems struct {
	Section       string `json:"section,omitempty"`
	Item          string `json:"item,omitempty"`
	Chosen        string `json:"chosen,omitempty"`
	Missing       string `json:"missing,omitempty"`
	Provided      string `json:"provided,omitempty"`
	Accepted      string `json:"accepted,omitempty"`
	Rejected      string `json:"rejected,omitempty"`
	Waived        string `json:"waived,omitempty"`
	NotApplicable string `json:"not_applicable,omitempty"`
}

// Reminder is a message that repeats while a state lasts.
type Reminder struct {
	Key       string         `json:"key"`
	WhenState Names          `json:"when_state"`
	Schedule  map[string]any `json:"schedule"`
	To        Names          `json:"to"`
	Channel   Names          `json:"channel,omitempty"`
	StopWhen  Names          `json:"stop_when"`
	Combine   string         `json:"combine,omitempty"`
	Lists     string         `json:"lists,omitempty"`
	Max       int            `json:"max,omitempty"`
	Text      string         `json:"text,omitempty"`
	Note      string         `json:"note,omitempty"`
}

// Notification tells somebody of an event.
type Notification struct {
	Event   string `json:"event"`
	To      Names  `json:"to"`
	Channel Names  `json:"channel"`
	Timing  string `json:"timing"`
	Dedupe  string `json:"dedupe"`
	Why     string `json:"why"`
	Attach  string `json:"attach,omitempty"`
	Text    string `json:"text,omitempty"`
	Note    string `json:"note,omitempty"`
}

// Integration is a job that the workflow may start.
type Integration struct {
	Job            string   `json:"job"`
	System         string   `json:"system"`
	DependsOn      Names    `json:"depends_on,omitempty"`
	IdempotencyKey string   `json:"idempotency_key"`
	Fields         Names    `json:"fields,omitempty"`
	WritesBack     Names    `json:"writes_back,omitempty"`
	Retries        *Retries `json:"retries,omitempty"`
	AlertAfter     int      `json:"alert_after,omitempty"`
	OnDead         string   `json:"on_dead,omitempty"`
	Note           string   `json:"note,omitempty"`
}

// Retries bounds the attempts of a job.
type Retries struct {
	Max     int    `json:"max"`
	Backoff string `json:"backoff"`
}

// Assist is a task for a model: it proposes, a person decides.
type Assist struct {
	Task       string `json:"task"`
	On         string `json:"on"`
	Section    string `json:"section,omitempty"`
	Suggests   Names  `json:"suggests,omitempty"`
	Visibility string `json:"visibility,omitempty"`
	ConfirmBy  string `json:"confirm_by,omitempty"`
	Fallback   string `json:"fallback,omitempty"`
	Never      Names  `json:"never,omitempty"`
	Note       string `json:"note,omitempty"`
}

// Reports are the targets that reports compare with.
type Reports struct {
	Targets    map[string]string `json:"targets,omitempty"`
	Cohort     string            `json:"cohort,omitempty"`
	SplitClock Names             `json:"split_clock,omitempty"`
	Measures   Names             `json:"measures,omitempty"`
}
