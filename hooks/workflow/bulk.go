package workflow

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Bulk is the same act on many requests: a step with what its form asks, a new
// assignee or priority, tags that come and go.
type Bulk struct {
	Input
	Action     string   `json:"action"`
	Assignee   *string  `json:"assignee,omitempty"`
	Priority   string   `json:"priority,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	RemoveTags []string `json:"remove_tags,omitempty"`
	Requests   []string `json:"requests,omitempty"`
	DryRun     bool     `json:"dry_run,omitempty"`
}

// Bulk starts a run that acts as the person who asks. A dry run says of each
// request what would happen, or why it would be passed over.
func (r *Runs) Bulk(app core.App, actor schema.Actor, in Bulk) (string, error) {
	if err := staffOnly(actor); err != nil {
		return "", err
	}
	if actor.Kind == schema.ActorStaff {
		member, err := access.StaffOf(app, actor.ID)
		if err != nil {
			return "", err
		}
		if !member.AtLeast("operator") {
			return "", problem.New(problem.Role, "Your role lets you look, not change.")
		}
	}
	if err := in.check(); err != nil {
		return "", err
	}
	requests, err := r.Engine.visible(app, actor, in.Requests)
	if err != nil {
		return "", err
	}
	params := in
	params.Requests, params.ExpectedRevision = nil, nil
	return r.start(app, actor, order{Kind: in.Action, DryRun: in.DryRun, Params: params, Requests: requests, At: r.Engine.Clock().Add(Grace)})
}

func (b *Bulk) check() error {
	switch b.Action {
	case "transition":
		if b.Transition == "" {
			return problem.Field("transition", problem.BadInput, "Say which step to take.")
		}
	case "assign":
		if b.Assignee == nil {
			return problem.Field("assignee", problem.BadInput, "Say who gets the requests; an empty text means nobody.")
		}
	case "priority":
		if !slices.Contains([]string{"low", "normal", "high", "urgent"}, b.Priority) {
			return problem.Field("priority", problem.FieldInvalid, "One of these is expected: low, normal, high, urgent.")
		}
	case "tags":
		if len(b.Tags)+len(b.RemoveTags) == 0 {
			return problem.Field("tags", problem.BadInput, "Say which tags to add, or to remove.")
		}
		if len(b.Tags) > 20 || slices.ContainsFunc(b.Tags, func(t string) bool { return blank(t) || len(t) > 60 }) {
			return problem.Field("tags", problem.FieldInvalid, "At most 20 tags at once, each of 1 to 60 characters.")
		}
	default:
		return problem.Field("action", problem.BadInput, "One of these is expected: transition, assign, priority, tags.")
	}
	if len(b.Requests) == 0 {
		return problem.Field("requests", problem.BadInput, "Choose at least one request.")
	}
	return nil
}

// visible gives the requests once each, in the order named, and refuses all if
// one is not there for the actor: which one is not told apart from one that does
// not exist.
func (e *Engine) visible(app core.App, actor schema.Actor, ids []string) ([]string, error) {
	var found []string
	err := app.DB().NewQuery(`SELECT r.id FROM json_each({:ids}) j JOIN requests r ON r.id = j.value WHERE true` + seen(actor) + ` GROUP BY r.id ORDER BY MIN(j.key)`).
		Bind(e.bindSeen(actor, dbx.Params{"ids": schema.JSON(ids)})).Column(&found)
	if err != nil {
		return nil, fmt.Errorf("find requests: %w", err)
	}
	once := slices.Clone(ids)
	slices.Sort(once)
	if len(found) != len(slices.Compact(once)) {
		return nil, problem.Field("requests", problem.NotFound, "One of these requests does not exist, or you do not have access to it.")
	}
	return found, nil
}

// deedOf is what a run does to each request.
func (r *Runs) deedOf(app core.App, run *runRow) (deed, error) {
	if run.Kind == "migrate" {
		return r.migration(app, run)
	}
	var in Bulk
	if err := json.Unmarshal([]byte(run.Params), &in); err != nil {
		return deed{}, fmt.Errorf("read what the run is to do: %w", err)
	}
	d := r.patches(run, in)
	if in.Action == "transition" {
		d = r.steps(run, in)
	}
	var err error
	d.as, err = r.Engine.personOf(app, run)
	return d, err
}

// steps takes the same step on each request.
func (r *Runs) steps(run *runRow, in Bulk) deed {
	e := r.Engine
	said := func(l *live, t *Transition, format string) outcome {
		text := fmt.Sprintf(format, l.stateLabel(t), t.Label)
		if more := l.consequence(t); more != "" && run.DryRun {
			text += " " + more
		}
		return outcome{Text: text, Tags: []string{"step"}}
	}
	return deed{
		foresee: func(_ core.App, l *live) (outcome, error) {
			verdict := l.def.Decide(l.facts, in.Transition, l.who, &in.Input)
			if !verdict.Allowed {
				return outcome{}, problem.Blocked(verdict.Blockers)
			}
			return said(l, verdict.Transition, "It would go to %[1]q by %[2]q."), nil
		},
		do: func(tx core.App, request string) (outcome, error) {
			l, err := e.loadFor(tx, run, request)
			if err != nil {
				return outcome{}, err
			}
			if err := e.apply(tx, l, in.Input); err != nil {
				return outcome{}, err
			}
			return said(l, l.def.Transition(in.Transition), "It went to %[1]q by %[2]q."), nil
		},
	}
}

func (l *live) stateLabel(t *Transition) string {
	if s := l.def.State(t.To); s != nil {
		return s.Label.String()
	}
	return t.To
}

// loadFor reads a request for whoever started the run, as that person is now.
func (e *Engine) loadFor(app core.App, run *runRow, request string) (*live, error) {
	person, err := e.personOf(app, run)
	if err != nil {
		return nil, err
	}
	return e.load(app, request, person)
}

// patches makes the same change to the head of each request.
func (r *Runs) patches(run *runRow, in Bulk) deed {
	e := r.Engine
	try := func(app core.App, l *live, apply bool) (outcome, error) {
		if l.clientSide() {
			return outcome{}, problem.New(problem.NotYours, "You see what the client sees. This is in other hands now.")
		}
		patch := in.patch(l)
		before := []string{l.Assignee, l.facts.Priority, l.Tags}
		var err error
		if apply {
			err = e.patch(app, l, patch)
		} else {
			err = e.patchHead(app, l, patch) // decides, and writes nothing
		}
		if err != nil {
			return outcome{}, err
		}
		if slices.Equal(before, []string{l.Assignee, l.facts.Priority, l.Tags}) {
			return outcome{Text: "It is so already.", Idle: true, Tags: []string{"idle"}}, nil
		}
		return outcome{Text: in.said(l, apply), Tags: []string{in.Action}}, nil
	}
	return deed{
		foresee: func(app core.App, l *live) (outcome, error) { return try(app, l, false) },
		do: func(tx core.App, request string) (outcome, error) {
			l, err := e.loadFor(tx, run, request)
			if err != nil {
				return outcome{}, err
			}
			return try(tx, l, true)
		},
	}
}

func (b *Bulk) patch(l *live) RequestPatch {
	switch b.Action {
	case "assign":
		return RequestPatch{Assignee: b.Assignee}
	case "priority":
		return RequestPatch{Priority: &b.Priority}
	}
	tags := slices.DeleteFunc(schema.Strings(l.Tags), func(t string) bool { return slices.Contains(b.RemoveTags, t) })
	for _, t := range b.Tags {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	if tags == nil {
		tags = []string{}
	}
	return RequestPatch{Tags: tags}
}

func (b *Bulk) said(l *live, done bool) string {
	verb := map[bool]string{true: "It has", false: "It would have"}[done]
	switch {
	case b.Action == "assign" && l.Assignee == "":
		return verb + " nobody in charge."
	case b.Action == "assign":
		return verb + " " + l.AssigneeName + " in charge."
	case b.Action == "priority":
		return verb + " the priority " + l.facts.Priority + "."
	}
	tags := schema.Strings(l.Tags)
	if len(tags) == 0 {
		return verb + " no tags."
	}
	return verb + " the tags " + strings.Join(tags, ", ") + "."
}
