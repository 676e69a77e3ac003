package report

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

const (
	lastStep = `SELECT t.id, t.at, 'transition' AS kind, t.actor_name, COALESCE(u.name, '') AS on_behalf_of, t.key AS text, json_object('actor_kind', t.actor_kind) AS detail
	FROM transitions t LEFT JOIN users u ON u.id = t.on_behalf_of WHERE t.request = {:id} ORDER BY t.revision DESC LIMIT 1`
	lastShown = `SELECT h.id, h.at, h.kind, h.actor_name, h.on_behalf_of, h.text, COALESCE(h.detail, '{}') AS detail
	FROM client_history h WHERE h.request = {:id} AND h.kind = 'transition' ORDER BY h.at DESC, h.id LIMIT 1`
)

// summary says whose turn it is, since when, why, and what comes next:
// `Waiting on us since Thu 19 Nov 16:20, because Ana Petrova did "Send". Next: check 2 of 3 items.`, in one line.
func summary(app core.App, a asker, s *subject, w *words) (string, error) {
	zone, err := location(app, a)
	if err != nil {
		return "", err
	}
	statement := lastShown
	if s.Truth {
		statement = lastStep
	}
	var last line
	err = app.DB().NewQuery(statement).Bind(dbx.Params{"id": s.ID}).One(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read last step of request %s: %w", s.ID, err)
	}
	told := w.turn(s) + " since " + when(schema.Time(s.StateSince).In(zone), a.at.In(zone))
	if why := w.why(s, last); why != "" {
		told += ", because " + why
	}
	told += "."
	if next := w.next(s); next != "" {
		told += " " + next
	}
	return told, nil
}

// turn says who must act, as the caller's side calls it.
func (w *words) turn(s *subject) string {
	switch {
	case s.Category == "done":
		return "Finished (" + s.Label + ")"
	case s.Category == "blocked" && w.staffSide:
		return "Blocked (" + s.Label + ")"
	case s.Turn == "client" && w.staffSide:
		return "Waiting on the client"
	case s.Turn == "client":
		return "Your turn"
	case s.Turn == "system" && s.Truth:
		return "With the portal, which goes on by itself,"
	case w.staffSide:
		return "Waiting on us"
	}
	return "With us"
}

// itWords fit a sentence behind "because".
var itWords = strings.NewReplacer("opened this request", "opened it", "moved this on", "moved it on", "This moved on", "it moved on")

func (w *words) why(s *subject, last line) string {
	if last.ID == "" {
		if s.Opener == "" {
			return ""
		}
		return s.Opener + " opened it"
	}
	label, key := last.Text, text(object(last.Detail), "key")
	if s.Truth {
		label, key = w.stepLabel(last.Text), last.Text
	}
	e := Entry{ActorName: last.ActorName, OnBehalfOf: last.OnBehalfOf}
	if d := object(last.Detail); s.Truth && key == workflow.Migrate {
		return strings.TrimSuffix(moved(e.who(text(d, "actor_kind")), d), ".")
	}
	return strings.TrimSuffix(itWords.Replace(step(e.who(text(object(last.Detail), "actor_kind")), label, key)), ".")
}

// next says what is to be done, if more is known than the state's name.
func (w *words) next(s *subject) string {
	p := s.progress()
	switch {
	case s.Category == "done" || s.Category == "blocked" || s.Turn == "system" || s.Turn == "nobody":
		return ""
	case s.Turn == "client" && p.Decide > 0 && p.Left == 0 && w.staffSide:
		return "Next: the client looks at it and decides."
	case s.Turn == "client" && p.Decide > 0 && p.Left == 0:
		return "Next: look at it and decide."
	case s.Turn == "client" && p.Total == 0:
		return ""
	case s.Turn == "client" && p.Left == 0 && w.staffSide:
		return "Everything is ready; the client has to send it."
	case s.Turn == "client" && p.Left == 0:
		return "Next: check it and send it to us."
	case s.Turn == "client" && w.staffSide:
		return "Next: the client gives " + things(p.Left, "more item", "more items") + "."
	case s.Turn == "client":
		return "Next: " + things(p.Left, "item", "items") + " to give."
	case !w.staffSide:
		return "You do not need to do anything now."
	}
	next := workflow.NextStep(s.Category, s.Turn, p, s.Label)
	if next == s.Label {
		return "Now: " + next + "."
	}
	r, size := utf8.DecodeRuneInString(next)
	return "Next: " + string(unicode.ToLower(r)) + next[size:] + "."
}

// when writes a time as people say it; the year only if it is another one.
func when(t, now time.Time) string {
	if t.IsZero() || t.Year() <= 1 {
		return "the start"
	}
	if t.Year() != now.Year() {
		return t.Format("Mon 2 Jan 2006 15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}
