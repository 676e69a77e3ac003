package workflow

import (
	"context"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Reminding is the command beside reminder.go: it writes down what is due and
// tells the outbox, each occurrence once, whatever happens to the process.

const readTold = `SELECT key AS reminder, kind, entry, occurrence, person, status, why, at, created FROM timers WHERE request = {:id} AND entry = {:entry}`

type toldRow struct {
	Reminder   string `db:"reminder"`
	Kind       string `db:"kind"`
	Entry      int    `db:"entry"`
	Occurrence string `db:"occurrence"`
	Person     string `db:"person"`
	Status     string `db:"status"`
	Why        string `db:"why"`
	At         string `db:"at"`
	Created    string `db:"created"`
}

func readToldOf(tx core.App, id string, entry int) ([]Told, error) {
	var rows []toldRow
	if err := tx.DB().NewQuery(readTold).Bind(dbx.Params{"id": id, "entry": entry}).All(&rows); err != nil {
		return nil, fmt.Errorf("read reminders of request %s: %w", id, err)
	}
	told := make([]Told, 0, len(rows))
	for _, r := range rows {
		told = append(told, Told{
			Reminder: r.Reminder, Kind: r.Kind, Entry: r.Entry, Occurrence: r.Occurrence, Person: r.Person, Status: r.Status, Why: r.Why,
			At: schema.Time(r.At), Created: schema.Time(r.Created),
		})
	}
	return told, nil
}

// A row that is there already means that somebody was faster: another engine on
// the same folder, or this one before it was killed.
const insertTold = `INSERT INTO timers (id, request, key, kind, entry, occurrence, person, status, why, at, scope, created, updated)
SELECT {:id}, {:request}, {:key}, {:kind}, {:entry}, {:occurrence}, {:person}, {:status}, {:why}, {:at}, {:scope}, {:now}, {:now}
WHERE NOT EXISTS (SELECT 1 FROM timers WHERE request = {:request} AND key = {:key} AND entry = {:entry} AND occurrence = {:occurrence} AND person = {:person})`

// Remind fires what is due on a request. It is one transaction: what is due by
// the facts as of now, a row for each, an event for each reminder, and when to
// look again.
func (e *Engine) Remind(_ context.Context, app core.App, id string) error {
	return e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, schema.System())
		if err != nil {
			return err
		}
		crowd, told, err := e.remindersOf(tx, l)
		if err != nil {
			return err
		}
		due, next := l.def.Remind(l.facts, crowd, told)
		fired := map[string][]Told{}
		for _, d := range due {
			if err := e.writeTold(tx, l, d, fired); err != nil {
				return err
			}
		}
		for _, r := range l.def.remindersOf(l.State) {
			if err := e.announce(tx, l, r, fired[r.Key]); err != nil {
				return err
			}
		}
		_, err = tx.DB().NewQuery(`UPDATE requests SET remind_at = {:at} WHERE id = {:id}`).Bind(dbx.Params{"id": id, "at": stampOrEmpty(lookAgain(next, l.facts.Now))}).Execute()
		if err != nil {
			return fmt.Errorf("note when to look at request %s again: %w", id, err)
		}
		return nil
	})
}

// remindersOf reads who may be reminded, and what became of earlier occurrences.
func (e *Engine) remindersOf(tx core.App, l *live) (Crowd, []Told, error) {
	var back []string
	for _, b := range l.sentBackList() {
		back = append(back, b.Item)
	}
	crowd, err := e.People(tx, l.ID, back)
	if err != nil {
		return nil, nil, fmt.Errorf("find people of request %s: %w", l.ID, err)
	}
	told, err := readToldOf(tx, l.ID, l.Entry)
	return crowd, told, err
}

func (e *Engine) writeTold(tx core.App, l *live, d Told, fired map[string][]Told) error {
	result, err := tx.DB().NewQuery(insertTold).Bind(dbx.Params{
		"id": schema.NewID(), "request": l.ID, "key": d.Reminder, "kind": d.Kind, "entry": d.Entry, "occurrence": d.Occurrence, "person": d.Person,
		"status": d.Status, "why": d.Why, "at": schema.Stamp(d.At), "scope": l.Scope, "now": schema.Stamp(l.facts.Now),
	}).Execute()
	if err != nil {
		return fmt.Errorf("write reminder %s of request %s: %w", d.Reminder, l.ID, err)
	}
	added, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("write reminder %s of request %s: %w", d.Reminder, l.ID, err)
	}
	if added == 1 && d.Status == Fired {
		fired[d.Reminder] = append(fired[d.Reminder], d)
	}
	return nil
}

// announce tells the outbox of a reminder that fired, with what it lists: what
// the client is shown, and nothing else.
func (e *Engine) announce(tx core.App, l *live, r *Reminder, fired []Told) error {
	if len(fired) == 0 {
		return nil
	}
	receivers := make([]map[string]any, 0, len(fired))
	for _, d := range fired {
		receivers = append(receivers, map[string]any{"id": d.Person, "role": d.Role, "occurrence": d.Occurrence})
	}
	missing, back := l.outstanding(r.Lists)
	return e.Emit(tx, Fact{
		Type: "reminder." + r.Key, Request: l.ID, Organization: l.Organization, Actor: schema.System(), At: l.facts.Now,
		Payload: map[string]any{"reminder": r.Key, "state": l.State, "label": l.def.State(l.State).Label.String(), "entry": l.Entry, "receivers": receivers, "missing": missing, "sent_back": back, "count": len(missing) + len(back)},
	})
}

// outstanding lists what the client has still to give, as the client is shown
// it: what is missing, and what was sent back with its reasons.
func (l *live) outstanding(which string) (missing, back briefs) {
	missing, back = briefs{}, briefs{}
	if l.before == nil || which == "" {
		return missing, back
	}
	for _, i := range l.before.Items {
		b := brief{Item: i.ID, Key: i.Key, Title: i.Title}
		switch {
		case !i.Required || !i.Editable:
		case sentBack(i.Status):
			b.Reason, b.ReasonText, b.Comment = i.Reason, human(i.Reason), i.Comment
			back = append(back, b)
		case i.Status == Missing && which != "rejected_items_with_reasons":
			missing = append(missing, b)
		}
	}
	return missing, back
}
