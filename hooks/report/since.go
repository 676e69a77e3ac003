package report

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// News is something that others did since the person's last visit.
type News struct {
	At           string `json:"at"`
	Text         string `json:"text"`
	ActorName    string `json:"actor_name"`
	Request      string `json:"request"`
	RequestTitle string `json:"request_title"`
}

const (
	mostNews   = 10
	visitFrame = time.Minute // a visit is noted at most so often
)

// What the client may know of the history, and messages, by others. Both walk an
// index of (scope, created).
const selectNews = `SELECT n.id, n.at, n.kind, n.actor_name, n.on_behalf_of, n.text, n.detail, c.id AS request, c.title AS request_title FROM (
	SELECT * FROM (SELECT h.id, h.created AS at, h.kind, h.actor_name, h.on_behalf_of, h.text, COALESCE(h.detail, '') AS detail, h.request FROM client_history h
		WHERE %[1]s AND h.created > {:since} AND h.actor_name != {:name} ORDER BY h.created DESC, h.id LIMIT {:limit})
	UNION ALL
	SELECT * FROM (SELECT m.id, m.created AS at, 'message' AS kind, m.author_name, '', '', m.body, m.request FROM messages m
		WHERE %[2]s AND m.created > {:since} AND m.author_user != {:me} ORDER BY m.created DESC, m.id LIMIT {:limit})
) n CROSS JOIN client_requests c ON c.id = n.request WHERE %[3]s %[4]s ORDER BY n.at DESC, n.id LIMIT {:limit}`

// news reads what is new for a client since the last visit.
func news(app core.App, a asker, organization, visit string) ([]News, error) {
	v := clientReach(a)
	params := v.bind(dbx.Params{"since": visit, "name": a.Name})
	narrow, most := "", mostNews
	if organization != "" {
		// The organization is known only behind the join: look further back.
		narrow, most = within, 20*mostNews
		params["organization"] = organization
	}
	params["limit"] = most
	var rows []struct {
		line
		Request      string `db:"request"`
		RequestTitle string `db:"request_title"`
	}
	err := app.DB().NewQuery(fmt.Sprintf(selectNews, v.sees("h"), v.sees("m"), v.sees("c"), narrow)).Bind(params).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read news of %s: %w", a.ID, err)
	}
	list := make([]News, 0, mostNews)
	for _, row := range rows[:min(len(rows), mostNews)] {
		told := row.forClient()
		list = append(list, News{At: row.At, Text: told.Text, ActorName: told.ActorName, Request: row.Request, RequestTitle: row.RequestTitle})
	}
	return list, nil
}

// lastVisit is when the person last opened home; empty if never.
func lastVisit(app core.App, a asker) (string, error) {
	var at string
	err := app.DB().NewQuery(`SELECT at FROM reads WHERE person = {:me} AND request = ''`).Bind(dbx.Params{"me": a.ID}).Row(&at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read last visit of %s: %w", a.ID, err)
	}
	return at, nil
}

const noteVisit = `INSERT INTO reads (id, person, request, at, created, updated) VALUES ({:id}, {:me}, '', {:now}, {:now}, {:now})
	ON CONFLICT(person, request) DO UPDATE SET at = excluded.at, updated = excluded.updated WHERE reads.at < excluded.at`

// visit notes that the person was here. Reading goes on where that cannot be
// written, such as on a full disk.
func visit(app core.App, a asker, last string) {
	if last != "" && a.at.Sub(schema.Time(last)) < visitFrame {
		return
	}
	_, err := app.DB().NewQuery(noteVisit).Bind(dbx.Params{"id": schema.NewID(), "me": a.ID, "now": a.now()}).Execute()
	if err != nil {
		app.Logger().Warn("visit not noted", slog.String("user_id", a.ID), slog.Any("error", err))
	}
}
