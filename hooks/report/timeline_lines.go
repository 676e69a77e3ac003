package report

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// line is one thing that happened, as read. What text and detail hold depends on
// the source; detail is JSON for all but messages and notes.
type line struct {
	ID         string `db:"id"`
	At         string `db:"at"`
	Kind       string `db:"kind"`
	ActorName  string `db:"actor_name"`
	OnBehalfOf string `db:"on_behalf_of"`
	Text       string `db:"text"`
	Detail     string `db:"detail"`
}

// What the client is told: the history kept for the client, documents in the
// client's scope, from when they were published, and messages. Nothing else may
// ever be read for this side.
const clientLines = `
SELECT h.id, h.at, h.kind, h.actor_name, h.on_behalf_of, h.text, COALESCE(h.detail, '{}') AS detail, CASE h.kind WHEN 'transition' THEN 1 ELSE 2 END AS place FROM client_history h WHERE h.request = {:id}
UNION ALL
SELECT d.id, COALESCE(NULLIF(d.published_at, ''), d.created), 'document', d.author_name, '', d.title, json_object('state', d.state, 'version', d.version, 'item', COALESCE(i.title, '')), 3
	FROM documents d LEFT JOIN client_items i ON i.id = d.item WHERE d.request = {:id} AND d.scope = {:scope}
UNION ALL
SELECT m.id, m.created, 'message', m.author_name, '', '', m.body, 4 FROM messages m WHERE m.request = {:id} AND m.scope = {:scope}`

// What staff who see the truth are told. Of the audit log: what no other source
// tells. Place orders what happened in one moment: the step stands above what
// came with it.
const staffLines = `
SELECT t.id, t.at, 'transition' AS kind, t.actor_name, COALESCE(u.name, '') AS on_behalf_of, t.key AS text, json_object('from', t."from", 'to', t."to", 'reason', t.reason, 'actor_kind', t.actor_kind) AS detail, 1 AS place
	FROM transitions t LEFT JOIN users u ON u.id = t.on_behalf_of WHERE t.request = {:id}
UNION ALL
SELECT a.id, a.at, CASE a.action WHEN 'review' THEN 'review' WHEN 'create' THEN 'change' WHEN 'update' THEN 'change' WHEN 'delete' THEN 'change' ELSE 'view' END, a.actor_name, '', a.action,
	json_object('collection', a.collection, 'actor_kind', a.actor_kind, 'item', COALESCE(i.title, ''), 'change', CASE WHEN json_valid(a.change) THEN json(a.change) END), 2
	FROM audit_log a LEFT JOIN items i ON i.id = a.record WHERE a.request = {:id} AND (a.action IN ('review','update','delete','view_as','preview','download','export')
	OR (a.action = 'create' AND a.collection NOT IN ('documents','messages','internal_notes')))
UNION ALL
SELECT d.id, d.created, 'document', d.author_name, '', d.title, json_object('state', d.state, 'version', d.version, 'item', COALESCE(i.title, '')), 3
	FROM documents d LEFT JOIN items i ON i.id = d.item WHERE d.request = {:id}
UNION ALL
SELECT m.id, m.created, 'message', m.author_name, '', '', m.body, 4 FROM messages m WHERE m.request = {:id}
UNION ALL
SELECT n.id, n.created, 'note', n.author_name, '', '', n.body, 5 FROM internal_notes n WHERE n.request = {:id}
UNION ALL
SELECT n.id, COALESCE(NULLIF(n.sent_at, ''), n.created), 'notification', '', '', n.title,
	json_object('status', n.status, 'channel', n.channel, 'why', n.why, 'error', n.error, 'person', COALESCE(u.name, s.name, n.email), 'send_at', n.send_at), 6
	FROM notifications n LEFT JOIN users u ON u.id = n.user LEFT JOIN staff s ON s.id = n.staff WHERE n.request = {:id}
UNION ALL
SELECT t.id, t.created, 'notification', '', '', '', json_object('status', t.status, 'channel', 'reminder', 'why', t.why, 'person', COALESCE(u.name, s.name, '')), 6
	FROM timers t LEFT JOIN users u ON u.id = t.person LEFT JOIN staff s ON s.id = t.person WHERE t.request = {:id} AND t.status != 'fired'
UNION ALL
SELECT j.id, j.updated, 'job', '', '', j.name, json_object('system', j.system, 'status', j.status, 'attempts', j.attempts, 'error', j.last_error), 7 FROM jobs j WHERE j.request = {:id}`

// sources are the lines that the caller's side may know, and their parameters.
func (s *subject) sources() (string, dbx.Params) {
	if s.Truth {
		return staffLines, dbx.Params{"id": s.ID}
	}
	return clientLines, dbx.Params{"id": s.ID, "scope": s.ClientScope}
}

func readLines(app core.App, s *subject, limit, offset int) ([]line, error) {
	statement, params := s.sources()
	params["limit"], params["offset"] = limit, offset
	var lines []line
	err := app.DB().NewQuery(statement + ` ORDER BY at DESC, place, id LIMIT {:limit} OFFSET {:offset}`).Bind(params).All(&lines)
	if err != nil {
		return nil, fmt.Errorf("read what happened to request %s: %w", s.ID, err)
	}
	return lines, nil
}

func countLines(app core.App, s *subject) (int, error) {
	statement, params := s.sources()
	var n int
	if err := app.DB().NewQuery(`SELECT COUNT(*) FROM (` + statement + `)`).Bind(params).Row(&n); err != nil {
		return 0, fmt.Errorf("count what happened to request %s: %w", s.ID, err)
	}
	return n, nil
}
