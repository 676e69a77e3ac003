package report

import (
	"fmt"
	"strings"

	"gatehouse/hooks/workflow"
)

// words turn lines into sentences. For a client's face there is no definition:
// what is not in the client's rows cannot get into a sentence.
type words struct {
	def       *workflow.Compiled
	people    map[string]string // id → name of staff
	staffSide bool
}

func (w *words) entry(s *subject, l line) Entry {
	if s.Truth {
		return w.forStaff(l)
	}
	return l.forClient()
}

// forClient says what the client may know, in a sentence.
func (l line) forClient() Entry {
	e := Entry{ID: l.ID, At: l.At, Kind: l.Kind, ActorName: l.ActorName, OnBehalfOf: l.OnBehalfOf}
	who := e.who("")
	switch l.Kind {
	case "message":
		e.Text, e.Detail = somebody(who)+" wrote a message.", short(l.Detail)
	case "document":
		e.document(l)
	case "review":
		d := object(l.Detail)
		_, title, _ := strings.Cut(l.Text, ": ")
		e.Text, e.Detail = decision(somebody(who), text(d, "status"), title), reasons(d)
	default:
		d := object(l.Detail)
		e.Text = step(who, l.Text, text(d, "key"))
		if now := text(d, "label"); now != "" {
			e.Detail = "Now: " + now + "."
		}
	}
	return e
}

// forStaff says what happened, in a sentence.
func (w *words) forStaff(l line) Entry {
	d := object(l.Detail)
	e := Entry{ID: l.ID, At: l.At, Kind: l.Kind, ActorName: l.ActorName, OnBehalfOf: l.OnBehalfOf}
	who := e.who(text(d, "actor_kind"))
	switch l.Kind {
	case "transition":
		e.Text = step(who, w.stepLabel(l.Text), l.Text)
		if l.Text == workflow.Migrate {
			e.Text = moved(who, d)
			delete(d, "reason")
		}
		e.Detail = sentences(fmt.Sprintf("%s → %s", w.stateLabel(text(d, "from")), w.stateLabel(text(d, "to"))), short(text(d, "reason")), directly(d))
	case "message":
		e.Text, e.Detail = somebody(who)+" wrote a message.", short(l.Detail)
	case "note":
		e.Text, e.Detail = somebody(who)+" wrote an internal note.", short(l.Detail)
	case "document":
		e.document(l)
	case "notification":
		e.notification(l, d)
	case "job":
		e.job(l, d)
	default:
		w.audited(&e, who, l.Text, d)
	}
	return e
}

// who acted, and for whom; the portal itself for the system, nobody if unknown.
func (e *Entry) who(kind string) string {
	if kind == "system" {
		e.ActorName = ""
		return "The portal"
	}
	if e.ActorName != "" && e.OnBehalfOf != "" {
		return e.ActorName + " for " + e.OnBehalfOf
	}
	return e.ActorName
}

func somebody(who string) string {
	if who == "" {
		return "The portal"
	}
	return who
}

// step tells a transition: `Ana Petrova did "Send".` A client is not told the
// label of a step that staff or the portal took, only that it moved.
func step(who, label, key string) string {
	switch {
	case key == "" && label == "Opened":
		return somebody(who) + " opened this request."
	case label == "" && (who == "" || who == "The portal"):
		return "This moved on by itself."
	case label == "":
		return who + " moved this on."
	case who == "" || who == "The portal":
		return `"` + label + `" happened by itself.`
	}
	return who + ` did "` + label + `".`
}

// moved tells a move to another version: "Mia Ode moved this request from version 2
// to version 3 of its workflow." Its reason says which versions.
func moved(who string, d map[string]any) string {
	versions := strings.TrimSuffix(strings.TrimPrefix(text(d, "reason"), "Moved "), ".")
	if versions == "" {
		versions = "to another version"
	}
	return somebody(who) + " moved this request " + versions + " of its workflow."
}

var decisions = map[string]string{"accepted": "accepted", "rejected": "sent back", "more_needed": "asked for more of", "waived": "no longer needs", "expired": "found out of date", "provided": "took back a decision on"}

// decision tells a review: `Oda Lind sent back "Bank statement".`, say.
func decision(who, status, title string) string {
	verb := decisions[status]
	if verb == "" {
		verb = "decided on"
	}
	return who + " " + verb + ` "` + title + `".`
}

func reasons(d map[string]any) string {
	return sentences(human(text(d, "reason")), short(text(d, "comment")))
}

func (e *Entry) document(l line) {
	d := object(l.Detail)
	e.Text = somebody(e.ActorName) + ` added the file "` + l.Text + `"`
	if item := text(d, "item"); item != "" {
		e.Text += ` to "` + item + `"`
	}
	e.Text += "."
	if version, ok := d["version"].(float64); ok && version > 1 {
		e.Detail = fmt.Sprintf("Version %d.", int(version))
	}
	switch text(d, "state") {
	case "scanning":
		e.Detail = sentences(e.Detail, "It is being checked for safety.")
	case "quarantined":
		e.Detail = sentences(e.Detail, "It did not pass the safety check.")
	}
}

var channels = map[string]string{"email": "Email", "in_app": "Notice", "task": "Task", "reminder": "Reminder"}

func (e *Entry) notification(l line, d map[string]any) {
	what := channels[text(d, "channel")]
	if what == "" {
		what = "Notification"
	}
	if person := text(d, "person"); person != "" {
		what += " to " + person
	}
	switch text(d, "status") {
	case "sent":
		e.Text = what + " sent"
	case "waiting":
		e.Text = what + " will be sent"
	case "failed":
		e.Text = what + " failed"
	default:
		e.Text = what + " not sent"
	}
	if l.Text != "" {
		e.Text += ": " + strings.TrimRight(l.Text, ".")
	}
	e.Text += "."
	because := text(d, "why")
	if because != "" {
		because = "Because: " + because
	}
	e.Detail = sentences(because, short(text(d, "error")))
}

func (e *Entry) job(l line, d map[string]any) {
	status := text(d, "status")
	e.Text = workflow.JobLine(l.Text, text(d, "system"), status)
	if status != "done" {
		e.Detail = short(text(d, "error"))
	}
	if n, ok := d["attempts"].(float64); ok && n > 1 {
		e.Detail = sentences(things(int(n), "attempt", "attempts"), e.Detail)
	}
}

func (w *words) stepLabel(key string) string {
	if t := w.def.Transition(key); t != nil {
		return t.Label.String()
	}
	return human(key)
}

func (w *words) stateLabel(key string) string {
	if s := w.def.State(key); s != nil {
		return s.Label.String()
	}
	return human(key)
}

func directly(d map[string]any) string {
	if text(d, "actor_kind") == "superuser" {
		return "Changed directly, by a superuser"
	}
	return ""
}
