package notify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
)

// Reminders come as events "reminder.<key>": the workflow has decided who is due
// to be reminded. Here they become notices; what has changed since is looked at
// once more, so that an answer that came a second before is not asked for.

// reminderPrefix begins the type of a reminder's event, and the rule of its notices.
const reminderPrefix = "reminder."

// Reminder is what is read of a workflow's reminder.
type Reminder struct {
	Key     string `json:"key"`
	Channel names  `json:"channel"`
	Combine string `json:"combine"`
	Text    string `json:"text"`
}

// Reminded is somebody to be reminded, by the name under which the definition
// means him.
type Reminded struct {
	ID         string `json:"id"`
	Role       string `json:"role"`
	Occurrence string `json:"occurrence"`
}

// Crowd finds the people of a request as of now by the names that a definition
// uses. sentBack are the items whose last uploaders may be meant.
func Crowd(tx core.App, request string, sentBack []string, now time.Time) (func(name string) []Person, error) {
	things := make([]any, len(sentBack))
	for n, id := range sentBack {
		things[n] = map[string]any{"item": id}
	}
	firm, err := access.FirmOf(tx)
	if err != nil {
		return nil, err
	}
	e := event.Event{Type: reminderPrefix, Request: request, Actor: schema.System(), At: now, Payload: map[string]any{"sent_back": things}}
	facts, found, err := load(tx, e, firm, now)
	if err != nil {
		return nil, err
	}
	if !found {
		return func(string) []Person { return nil }, nil
	}
	return facts.recipients, facts.readMailed(tx)
}

func (f Facts) isReminder() bool { return strings.HasPrefix(f.Event.Type, reminderPrefix) }

// reminders plans the notices of a reminder.
func (p *planner) reminders() {
	i := slices.IndexFunc(p.Script.Reminders, func(r Reminder) bool { return reminderPrefix+r.Key == p.Event.Type })
	if i < 0 {
		return
	}
	reminder := p.Script.Reminders[i]
	channels := reminder.Channel
	if len(channels) == 0 {
		channels = names{"email"}
	}
	for _, to := range p.Payload.Receivers {
		for _, person := range p.named(to.ID) {
			for _, channel := range channels {
				p.remind(reminder, to, person, channel)
			}
		}
	}
}

func (p *planner) remind(r Reminder, to Reminded, person Person, channel string) {
	if person.client() && p.silent() {
		return
	}
	n := Notice{
		Person: person, Channel: channel, Kind: "reminder", Rule: reminderPrefix + r.Key + " to " + to.Role,
		Dedupe: fmt.Sprintf("%s/%s%s/%d/%s/%s/%s", p.Request.ID, reminderPrefix, r.Key, p.Payload.Entry, to.Occurrence, person.ID, channel),
		Why:    p.reminderWhy(to.Role, person), SendAt: p.Now, Digest: channel == "email" && r.Combine != "",
	}
	if !person.client() {
		n.Kind = "escalation"
	}
	n.Suppressed = p.obstacle(n)
	if n.Suppressed == "" && (p.Request.State != p.Payload.State || p.Request.Entry != p.Payload.Entry) {
		n.Suppressed = "The request has moved on."
	}
	p.list = append(p.list, n)
}

// reminderWhy is why a reminder is for this person.
func (p *planner) reminderWhy(role string, person Person) string {
	switch {
	case role == "last_uploader":
		return "You sent what needs another look."
	case person.client():
		return "Your side has the turn on " + p.Request.titleFor(person) + "."
	case role == "owner":
		return "The turn on " + p.Request.titleFor(person) + " is yours."
	case role == "admin":
		return "You are an owner of this portal."
	}
	return "You are the " + strings.ReplaceAll(role, "_", " ") + " on " + p.Request.titleFor(person) + "."
}

// escalated are the words of a reminder to staff: the definition's own, else
// what has come to pass.
func (f Facts) escalated(person Person) string {
	i := slices.IndexFunc(f.Script.Reminders, func(r Reminder) bool { return reminderPrefix+r.Key == f.Event.Type })
	if i >= 0 && f.Script.Reminders[i].Text != "" {
		return f.sentence(f.Script.Reminders[i].Text, person)
	}
	for _, to := range f.Payload.Receivers {
		if to.ID != person.ID {
			continue
		}
		parts := strings.Split(to.Occurrence, "/")
		if len(parts) < 3 {
			break
		}
		n, err := strconv.Atoi(parts[2])
		switch {
		case err != nil:
		case parts[1] == "sla_percent" && n >= 100:
			return "The time for this is up."
		case parts[1] == "sla_percent":
			return fmt.Sprintf("%d %% of the time for this is used.", n)
		case parts[1] == "business_days_after_due":
			return "This is late: it was due " + plural(n, "business day", "business days") + " ago."
		case parts[1] == "business_days_after_entry":
			return "This has waited for " + plural(n, "business day", "business days") + "."
		}
	}
	return "This waits."
}

// reminder fills in what a reminder's letter says beside every other.
func (p *Post) reminder(l *Letter, f Facts, n Notice) {
	in := zone(n.Person, f.Location)
	l.Late = !f.Request.Due.IsZero() && f.Now.After(f.Request.Due)
	if n.Kind == "escalation" {
		l.Quote, l.What, l.YourTurn = "", f.escalated(n.Person), false
		return
	}
	l.SentBack, l.Missing = p.points(f, f.Payload.SentBack), p.points(f, f.Payload.Missing)
	l.Count = len(l.SentBack) + len(l.Missing)
	if l.By != "" {
		l.By = day(f.Request.Due, in, f.Now)
	}
	first := ""
	for _, things := range [][]Thing{f.Payload.Missing, f.Payload.SentBack} {
		if len(things) > 0 {
			first = things[0].Key
		}
	}
	l.Link, l.Button = p.client(f.Request.ID, first), "Open what is needed"
}

const (
	// Reminders that are still to come at this moment belong into the same mail.
	remindersAhead = `SELECT EXISTS (SELECT 1 FROM requests WHERE remind_at != '' AND remind_at <= {:now})
OR EXISTS (SELECT 1 FROM events WHERE type >= 'reminder.' AND type < 'reminder/' AND seq > COALESCE((SELECT seq FROM event_cursors WHERE consumer = 'notify'), 0))`

	mailedSince = `SELECT n.user || n.staff AS person, MAX(m.created) AS at FROM notifications n JOIN mails m ON m.id = n.mail
WHERE n.%s IN (SELECT value FROM json_each({:ids})) AND n.created >= {:since} AND n.rule >= 'reminder.' AND n.rule < 'reminder/' GROUP BY person`
)

// readMailed notes when each person last got a mail of reminders, if that was of late.
func (f *Facts) readMailed(tx core.App) error {
	const lately = 7 * 24 * time.Hour // a notice may have waited for its mail over days off
	for side, list := range map[string][][]Person{"user": {f.Clients, f.Others}, "staff": {f.Staff}} {
		at := map[string]*Person{}
		for _, people := range list {
			for i := range people {
				at[people[i].ID] = &people[i]
			}
		}
		var rows []struct {
			Person string `db:"person"`
			At     string `db:"at"`
		}
		err := tx.DB().NewQuery(fmt.Sprintf(mailedSince, side)).Bind(dbx.Params{"ids": schema.JSON(slices.Collect(maps.Keys(at))), "since": schema.Stamp(f.Now.Add(-lately))}).All(&rows)
		if err != nil {
			return fmt.Errorf("read when people were reminded: %w", err)
		}
		for _, r := range rows {
			at[r.Person].Mailed = schema.Time(r.At)
		}
	}
	return nil
}

// patience is how long reminders wait for others of the same moment.
const patience = 10 * time.Minute

// heldBack is the moment up to which reminders may be mailed now: all that are
// due, or only those that have waited long enough for others.
func (p *Post) heldBack() (time.Time, error) {
	now, ahead := p.Clock(), false
	if err := p.App.DB().NewQuery(remindersAhead).Bind(dbx.Params{"now": schema.Stamp(now)}).Row(&ahead); err != nil {
		return now, fmt.Errorf("look for reminders ahead: %w", err)
	}
	if ahead {
		return now.Add(-patience), nil
	}
	return now, nil
}

func isReminder(n Notice) bool { return strings.HasPrefix(n.Rule, reminderPrefix) }

// apart parts reminders from other notices.
func apart(due []dueNotice) (reminders, others []dueNotice) {
	for _, d := range due {
		if isReminder(d.notice) {
			reminders = append(reminders, d)
		} else {
			others = append(others, d)
		}
	}
	return reminders, others
}
