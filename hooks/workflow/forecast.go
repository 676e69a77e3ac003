package workflow

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Forecast is the calendar of a request that is not there: what its dates would
// be if it was opened, and given to the client, now.
type Forecast struct {
	Stages []Stage   `json:"stages"`
	Items  []ItemDue `json:"items"` // those with a date of their own
	Note   string    `json:"note"`  // why there is no stage for the client, if that stands in its way
}

// Stage is a state that the request would be in, and what would come there.
type Stage struct {
	State string   `json:"state"`
	Label string   `json:"label"`
	Turn  string   `json:"turn"`
	Due   string   `json:"due"`
	Items []Coming `json:"items"`
}

// ItemDue is when one item would be due.
type ItemDue struct {
	Title string `json:"title"`
	Due   string `json:"due"`
}

// errRehearsed takes everything back that was done to see what follows.
var errRehearsed = errors.New("only rehearsed")

// Rehearse says what the dates of a new request would be. The request is opened
// and handed to the client by the commands that do so, in a transaction that is
// taken back: nothing is written and nobody is told. What opening refuses is
// refused here.
func (e *Engine) Rehearse(ctx context.Context, app core.App, actor schema.Actor, in NewRequest) (Forecast, error) {
	var v Forecast
	err := app.RunInTransaction(func(tx core.App) error {
		id, err := e.Open(ctx, tx, actor, in)
		if err != nil {
			return err
		}
		if v, err = e.rehearse(tx, id, actor); err != nil {
			return err
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		err = nil
	}
	return v, err
}

func (e *Engine) rehearse(tx core.App, id string, actor schema.Actor) (Forecast, error) {
	l, err := e.load(tx, id, actor)
	if err != nil {
		return Forecast{}, err
	}
	v := forecastOf(l.facts)
	if err := e.addStage(tx, l, &v); err != nil {
		return v, err
	}
	way := l.def.wayToClient()
	for _, t := range way {
		err := e.take(tx, l, t, Input{})
		if err == nil {
			l, err = e.load(tx, id, actor)
		}
		var refusal *problem.Error
		if errors.As(err, &refusal) {
			v.Note = refusal.Message
			return v, nil
		}
		if err != nil {
			return v, err
		}
	}
	if len(way) == 0 {
		return v, nil
	}
	return v, e.addStage(tx, l, &v)
}

func (e *Engine) addStage(tx core.App, l *live, v *Forecast) error {
	crowd, told, err := e.remindersOf(tx, l)
	if err == nil {
		v.Stages = append(v.Stages, l.def.stage(l.facts, crowd, told))
	}
	return err
}

func forecastOf(f *Facts) Forecast {
	v := Forecast{Stages: []Stage{}, Items: []ItemDue{}}
	for _, i := range f.applicable() {
		if i.Due != "" {
			v.Items = append(v.Items, ItemDue{i.Title, i.Due})
		}
	}
	return v
}

func (c *Compiled) stage(f *Facts, crowd Crowd, told []Told) Stage {
	s := c.states[f.State]
	return Stage{State: s.Key, Label: s.Label.String(), Turn: s.Turn, Due: f.Due, Items: c.coming(f, crowd, told)}
}

// wayToClient are the steps, as few as possible, from the initial state to one in
// which it is the client's turn; none if the request begins there.
func (c *Compiled) wayToClient() []*Transition {
	type place struct {
		state string
		way   []*Transition
	}
	seen := map[string]bool{c.Initial: true}
	for queue := []place{{state: c.Initial}}; len(queue) > 0; queue = queue[1:] {
		here := queue[0]
		if s := c.states[here.state]; s != nil && s.Turn == "client" {
			return here.way
		}
		for _, t := range c.From(here.state) {
			if !seen[t.To] {
				seen[t.To] = true
				queue = append(queue, place{t.To, append(slices.Clone(here.way), t)})
			}
		}
	}
	return nil
}

// Forecast says what the dates would be if a request was opened now. There is no
// client yet: people stand for their roles, and live in the workflow's zone.
func (c *Compiled) Forecast(f *Facts) Forecast {
	c.followDue(f)
	c.sync(f)
	v := forecastOf(f)
	v.Stages = append(v.Stages, c.stage(f, c.standIns, nil))
	way := c.wayToClient()
	for _, t := range way {
		f.Steps = append(f.Steps, Step{Key: t.Key, From: f.State, To: t.To, At: f.Now})
		f.State = t.To
		c.followDue(f)
	}
	if len(way) > 0 {
		v.Stages = append(v.Stages, c.stage(f, c.standIns, nil))
	}
	return v
}

// standIns are one person for each name, called by it.
func (c *Compiled) standIns(name string) []Receiver {
	kind := "staff"
	state := c.states[c.Initial]
	if c.IsClientRole(name) || slices.Contains([]string{"submitter", "last_uploader"}, name) || (name == "owner" && state.Turn == "client") {
		kind = "user"
	}
	return []Receiver{{ID: name, Kind: kind, Name: nameWords(name), Sees: true}}
}

// followDue makes the due date follow the state's time limit, unless a person
// chose one.
func (c *Compiled) followDue(f *Facts) {
	if !f.DueSet {
		f.Due = stampOrEmpty(c.slaDue(c.states[f.State], f))
	}
}

// PostPlan says what the dates of a new request would be, and writes nothing.
//
//	POST /api/portal/requests/plan {as for opening} → 200 {stages: [{state, label, turn, due, items: as in a plan}], items: [{title, due}], note}
func (e *Engine) PostPlan(re *core.RequestEvent) error {
	var in NewRequest
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	v, err := e.Rehearse(re.Request.Context(), re.App, actor(re), in)
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, v)
}

// GetForecast says what the dates would be if a request was opened on a version
// today.
//
//	GET /api/portal/definitions/{id}/plan → 200 {stages, items, note} as above
func (e *Engine) GetForecast(re *core.RequestEvent) error {
	return looking(re, func() (Forecast, error) {
		def, err := versionNow(re.App, re.Request.PathValue("id"))
		if err != nil {
			return Forecast{}, err
		}
		now := e.Clock()
		return def.Forecast(&Facts{Now: now, Opened: now, State: def.Initial, Entry: 1, StateSince: now, Data: map[string]any{}, OrgData: map[string]any{}, Systems: map[string]bool{}, Known: map[string]bool{}, People: map[string]string{}, Jobs: map[string]JobState{}}), nil
	})
}
