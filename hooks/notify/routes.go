package notify

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Mails are the routes on kept and sent mails. In the demo every member of staff
// may read them, since there they are the only way to see what was written.
type Mails struct {
	App   core.App
	Clock schema.Clock
	Demo  bool
}

// MailRow is a mail as managers read it; text and html only one by one.
type MailRow struct {
	ID      string `json:"id" db:"id"`
	Kind    string `json:"kind" db:"kind"`
	To      string `json:"to" db:"to"`
	ToName  string `json:"to_name" db:"to_name"`
	Subject string `json:"subject" db:"subject"`
	Status  string `json:"status" db:"status"` // waiting sent kept failed
	Why     string `json:"why" db:"why"`
	Created string `json:"created" db:"created"`
	SentAt  string `json:"sent_at" db:"sent_at"`
	Request string `json:"request" db:"request"`
	Error   string `json:"error" db:"error"`
	Text    string `json:"text,omitempty" db:"text"`
	HTML    string `json:"html,omitempty" db:"html"`
}

// Nobody reads a mail about what the reader may not see: a request, an
// organization, or any of the requests in a summary.
const mailSight = `(m.request = '' OR EXISTS (SELECT 1 FROM requests r JOIN access a ON a.scope = r.scope
		WHERE r.id = m.request AND a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}))
	AND (m.organization = '' OR m.request != '' OR EXISTS (SELECT 1 FROM access a
		WHERE a.scope = 'staff:' || m.organization AND a.principal = {:me} AND a.since <= {:now} AND a.until > {:now}))
	AND (m.kind != 'digest' OR NOT EXISTS (SELECT 1 FROM notifications f JOIN notifications n ON n.user = f.user AND n.staff = f.staff AND n.mail = m.id
		LEFT JOIN requests r ON r.id = n.request
		WHERE f.id = m.notification AND NOT EXISTS (SELECT 1 FROM access a
			WHERE a.scope = r.scope AND a.principal = {:me} AND a.since <= {:now} AND a.until > {:now})))`

const mailColumns = `m.id, m.kind, m.[[to]], m.to_name, m.subject, m.status,
	CASE WHEN m.why != '' THEN m.why ELSE COALESCE((SELECT n.why FROM notifications n WHERE n.id = m.notification), '') END AS why,
	m.created, m.sent_at, m.request, m.error`

const (
	mostMails    = 200
	defaultMails = 30
)

// ListRoute lists mails, newest first.
//
//	GET /api/portal/mails?after=&status=&perPage= (manager, owner; in the demo all staff)
//	→ 200 {"items":[MailRow],"next"}; next is empty at the end. 400 bad_input, role; 401; 403 clients
func (m Mails) ListRoute(e *core.RequestEvent) error {
	sight, params, err := m.reader(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	query := e.Request.URL.Query()
	where := []string{sight}
	if status := query.Get("status"); status != "" {
		if !slices.Contains([]string{"waiting", "sent", "kept", "failed"}, status) {
			return problem.Reply(e, problem.Field("status", problem.BadInput, "The status is waiting, sent, kept or failed."))
		}
		where = append(where, "m.status = {:status}")
		params["status"] = status
	}
	if after := query.Get("after"); after != "" {
		created, id, ok := readCursor(after)
		if !ok {
			return problem.Reply(e, problem.Field("after", problem.BadInput, "This page is not known. Start from the beginning."))
		}
		where = append(where, "(m.created, m.id) < ({:created}, {:id})")
		params["created"], params["id"] = created, id
	}
	perPage, err := strconv.Atoi(query.Get("perPage"))
	if err != nil || perPage < 1 || perPage > mostMails {
		perPage = defaultMails
	}
	items := []MailRow{}
	sql := fmt.Sprintf("SELECT %s FROM mails m WHERE %s ORDER BY m.created DESC, m.id DESC LIMIT %d", mailColumns, strings.Join(where, " AND "), perPage+1)
	if err := e.App.DB().NewQuery(sql).Bind(params).All(&items); err != nil {
		return problem.Reply(e, fmt.Errorf("list mails: %w", err))
	}
	next := ""
	if len(items) > perPage {
		items = items[:perPage]
		next = cursor(items[perPage-1])
	}
	return e.JSON(http.StatusOK, map[string]any{"items": items, "next": next})
}

// ViewRoute answers one mail with its text.
//
//	GET /api/portal/mails/{id} (manager, owner; in the demo all staff) → 200 MailRow with "text","html"; 404
func (m Mails) ViewRoute(e *core.RequestEvent) error {
	sight, params, err := m.reader(e)
	if err != nil {
		return problem.Reply(e, err)
	}
	params["id"] = e.Request.PathValue("id")
	var row MailRow
	err = e.App.DB().NewQuery("SELECT " + mailColumns + ", m.text, m.html FROM mails m WHERE m.id = {:id} AND " + sight).Bind(params).One(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return problem.Reply(e, problem.New(problem.NotFound, "There is no such mail."))
	}
	if err != nil {
		return problem.Reply(e, fmt.Errorf("read mail: %w", err))
	}
	return e.JSON(http.StatusOK, row)
}

// reader refuses who may not read mails, and gives what narrows the list for
// who may. Superusers read all.
func (m Mails) reader(e *core.RequestEvent) (sight string, params dbx.Params, err error) {
	actor := schema.ActorOf(e.Auth, e.RealIP())
	switch actor.Kind {
	case schema.ActorSuperuser:
		return "1 = 1", dbx.Params{}, nil
	case schema.ActorStaff:
	case schema.ActorGuest:
		return "", nil, problem.New(problem.SignIn, "Sign in first.")
	default:
		return "", nil, problem.New(problem.Forbidden, "Only the firm's staff read mails here.")
	}
	member, err := access.StaffOf(e.App, actor.ID)
	if err != nil {
		return "", nil, err
	}
	if !member.AtLeast("manager") && (!m.Demo || !member.Active) {
		return "", nil, problem.New(problem.Role, "Only a manager or an owner may read mails.")
	}
	return mailSight, dbx.Params{"me": actor.ID, "now": schema.Stamp(m.Clock())}, nil
}

func cursor(last MailRow) string {
	return base64.RawURLEncoding.EncodeToString([]byte(last.Created + "|" + last.ID))
}

func readCursor(after string) (created, id string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), "|")
}
