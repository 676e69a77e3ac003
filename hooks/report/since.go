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
// index of (scope, created), from the last back to where as many scopes as there
// are lines have something later.
const (
	selectNews = `WITH mine AS MATERIALIZED (%[1]s)
	SELECT n.id, n.at, n.kind, n.actor_name, n.on_behalf_of, n.text, n.detail, c.id AS request, c.title AS request_title FROM (%[2]s UNION ALL %[3]s
	) n CROSS JOIN client_requests c ON c.id = n.request WHERE COALESCE(c.scope,'') IN (SELECT scope FROM mine) ORDER BY n.at DESC, n.id LIMIT {:limit}`
	selectNewsPart = `SELECT * FROM (SELECT %[1]s FROM mine CROSS JOIN %[2]s WHERE COALESCE(c.scope,'') = mine.scope AND %[3]s AND +c.created > {:since} AND c.created >= COALESCE(%[4]s, {:since}) ORDER BY c.created DESC, c.id LIMIT {:limit})`

	newSteps    = `c.id, c.created AS at, c.kind, c.actor_name, c.on_behalf_of, c.text, COALESCE(c.detail, '') AS detail, c.request`
	newMessages = `c.id, c.created AS at, 'message' AS kind, c.author_name, '', '', c.body, c.request`
)

// news reads what is new for a client since the last visit.
func news(app core.App, a asker, organization, visit string) ([]News, error) {
	scopes, params := mine(a, organization)
	params["since"], params["name"], params["limit"] = visit, a.Name, mostNews
	part := func(columns, from, where string) string {
		return fmt.Sprintf(selectNewsPart, columns, from, where, fmt.Sprintf(firstOf, `c.created`, from, where+` AND c.created > {:since}`, `DESC`))
	}
	statement := fmt.Sprintf(selectNews, scopes,
		part(newSteps, `client_history c INDEXED BY idx_client_history_scope_created`, `c.actor_name != {:name}`),
		part(newMessages, `messages c INDEXED BY idx_messages_scope_created`, `c.author_user != {:me}`))
	var rows []struct {
		line
		Request      string `db:"request"`
		RequestTitle string `db:"request_title"`
	}
	err := app.DB().NewQuery(statement).Bind(params).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read news of %s: %w", a.ID, err)
	}
	list := make([]News, 0, mostNews)
	for _, row := range rows {
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
