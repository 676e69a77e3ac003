package workflow

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Coming is one thing that time will bring to a request, if nothing changes.
type Coming struct {
	At    string   `json:"at"`   // empty: as soon as nothing stands against it
	Kind  string   `json:"kind"` // reminder escalation step due wake
	Text  string   `json:"text"`
	To    []string `json:"to"`
	Stops string   `json:"stops"`
}

// PlanView is what will come to a request, soonest first.
type PlanView struct {
	Items  []Coming   `json:"items"`
	Clocks Clocks     `json:"clocks"`
	SLA    *Sla       `json:"sla"`
	Paused *PauseView `json:"paused"`
}

// Plan says what will come to a request: by the very functions that make it
// come.
func (e *Engine) Plan(app core.App, id string, actor schema.Actor) (PlanView, error) {
	v := PlanView{Items: []Coming{}}
	if err := staffOnly(actor); err != nil {
		return v, err
	}
	l, err := e.load(app, id, actor)
	if err != nil {
		return v, err
	}
	if l.who.Shown {
		return v, problem.New(problem.Forbidden, "Only those who work on this state can see what will come.")
	}
	crowd, told, err := e.remindersOf(app, l)
	if err != nil {
		return v, err
	}
	var staff StaffView
	if err := e.timeView(app, l, &staff); err != nil {
		return v, err
	}
	v.Clocks, v.SLA, v.Paused = staff.Clocks, staff.SLA, staff.Paused
	v.Items = l.def.coming(l.facts, crowd, told)
	return v, nil
}

// coming lists what will come, soonest first; what waits for something else than
// time stands at the end.
func (c *Compiled) coming(f *Facts, crowd Crowd, told []Told) []Coming {
	list := []Coming{}
	if p, held := f.paused(f.Now); held {
		list = append(list, Coming{At: schema.Stamp(p.end()), Kind: "wake", Text: "The hold ends, and everything goes on.", To: []string{}, Stops: "Ends sooner when somebody takes the request off hold."})
	}
	if due := schema.Time(f.Due); due.After(f.Now) && c.states[f.State].Category != "done" {
		list = append(list, Coming{At: schema.Stamp(due), Kind: "due", Text: "It is due.", To: []string{}, Stops: "Ends when the request is finished or moves on."})
	}
	list = append(list, c.steps(f)...)
	for _, r := range c.remindersOf(f.State) {
		list = append(list, c.comingReminders(f, r, crowd, told)...)
	}
	slices.SortStableFunc(list, func(a, b Coming) int {
		if (a.At == "") != (b.At == "") {
			return strings.Compare(b.At, a.At)
		}
		return strings.Compare(a.At, b.At)
	})
	return list
}

// steps are those that the request will take by itself.
func (c *Compiled) steps(f *Facts) []Coming {
	var list []Coming
	for _, t := range c.From(f.State) {
		if !t.Automatic() {
			continue
		}
		at := ""
		if t.After != nil {
			at = schema.Stamp(later(c.afterTime(t, f), f.Now))
		}
		text := fmt.Sprintf("Moves by itself: %s.", t.Label)
		stops := "Stops when somebody moves the request on."
		if waits := c.waitsFor(f, t); waits != "" {
			stops = "Waits for this: " + waits
		}
		list = append(list, Coming{At: at, Kind: "step", Text: text, To: []string{}, Stops: stops})
	}
	return list
}

// waitsFor says in words what stands against an automatic step beside time.
func (c *Compiled) waitsFor(f *Facts, t *Transition) string {
	var words []string
	for _, b := range c.Decide(f, t.Key, Who{Actor: schema.System(), System: true}, nil).Blockers {
		if b.Code != problem.TooEarly {
			words = append(words, b.Message)
		}
	}
	return strings.Join(words, " ")
}

// comingReminders are the occurrences of a reminder that are ahead: people who
// are reached at the same moment stand together.
func (c *Compiled) comingReminders(f *Facts, r *Reminder, crowd Crowd, told []Told) []Coming {
	k := reminding{Compiled: c, f: f, told: told}
	var list []Coming
	for _, o := range c.occurrences(f, r) {
		for _, p := range c.people(f, r, crowd) {
			at := c.at(o, p.Receiver)
			if hold, held := f.paused(f.Now); held {
				at = later(at, hold.end())
			}
			if !p.Sees || !at.After(f.Now) || at.Before(f.StateSince) || k.handled(r, o, p, at) {
				continue
			}
			stamp, name := schema.Stamp(at), p.Name
			if i := slices.IndexFunc(list, func(x Coming) bool { return x.At == stamp && x.Kind == kindFor(p) }); i >= 0 {
				// Two that meet for one person reach him as one.
				if !slices.Contains(list[i].To, name) {
					list[i].To = append(list[i].To, name)
				}
				continue
			}
			list = append(list, Coming{At: stamp, Kind: kindFor(p), Text: reminderText(r, o), To: []string{name}, Stops: stopsText(r)})
		}
	}
	return list
}

func kindFor(p receiver) string {
	if p.client() {
		return "reminder"
	}
	return "escalation"
}

// reminderText says what a reminder is about.
func reminderText(r *Reminder, o occurrence) string {
	if r.Text != "" {
		return r.Text
	}
	parts := strings.Split(o.key, "/")
	n, _ := strconv.Atoi(parts[2]) // written by occurrences
	days := things(n, "business day", "business days")
	switch parts[1] {
	case "business_days_after_entry":
		return "Reminder after " + days + "."
	case "business_days_before_due":
		if n == 0 {
			return "Reminder on the day it is due."
		}
		return "Reminder " + days + " before it is due."
	case "business_days_after_due":
		return "Reminder " + days + " after it was due."
	case "business_hours_after_entry":
		return "Reminder after " + things(n, "business hour", "business hours") + "."
	case "sla_percent":
		return fmt.Sprintf("Reminder at %d %% of the time for this.", n)
	}
	return "Reminder before " + strings.ToLower(human(r.when.beforeField)) + "."
}

var stopText = map[string]string{
	"state_left": "the request moves on", "all_required_provided": "everything required is provided", "all_answered": "everything is answered",
	"no_rejected_items": "nothing is sent back any more", "person_decided": "the person has decided", "paused": "it is put on hold",
}

// stopsText says what ends a reminder.
func stopsText(r *Reminder) string {
	words := make([]string, 0, len(r.StopWhen))
	for _, stop := range r.StopWhen {
		if text := stopText[stop]; text != "" {
			words = append(words, text)
		}
	}
	return "Stops when " + strings.Join(words, ", or ") + "."
}

// GetPlan says what will come.
//
//	GET /api/portal/requests/{id}/plan → 200 {items: [{at, kind, text, to, stops}], clocks, sla, paused}
func (e *Engine) GetPlan(re *core.RequestEvent) error {
	v, err := e.Plan(re.App, re.Request.PathValue("id"), actor(re))
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, v)
}
