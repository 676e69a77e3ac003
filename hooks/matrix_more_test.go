package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/console"
)

// hiddenFrom are rows of a collection that a person does not see, one of each of
// the first kinds, which ones depends on the person.
func (m *matrix) hiddenFrom(person string, c *core.Collection, most int) []row {
	wanted, tried := m.wanted(person, c), map[string]bool{}
	var list []row
	at := slices.Index(m.sees.people, person)
	for n := range m.rows[c.Name] {
		r := m.rows[c.Name][(n+at)%len(m.rows[c.Name])]
		if kind := fmt.Sprint(r.column, r.staff); !wanted[r.id] && !tried[kind] && len(list) < most {
			tried[kind] = true
			list = append(list, r)
		}
	}
	return list
}

// batch tries to write what is not shown in one go with something that is allowed:
// nothing of it is written.
func (m *matrix) batch(t testing.TB, person string, c *core.Collection) {
	t.Helper()
	self := m.who[person]
	if person == "s.future" || person == "s.ended" {
		self = nil // a change of staff derives their rights again, which this world has set by hand
	}
	for _, r := range m.hiddenFrom(person, c, 1) {
		for _, foreign := range []map[string]any{
			{"method": "PATCH", "url": records(c.Name, r.id), "body": map[string]any{"name": "x", "title": "x", "body": "x"}},
			{"method": "DELETE", "url": records(c.Name, r.id)},
			{"method": "PUT", "url": records(c.Name), "body": map[string]any{"id": r.id, "name": "x"}},
			{"method": "POST", "url": records(c.Name), "body": map[string]any{"request": m.requests["restricted"], "organization": m.organizations["other"], "body": "x", "user": m.whoID(person), "role": "admin"}},
		} {
			if foreign["method"] == "POST" && (m.sees.cells[person]["restricted"] != "-" || m.sees.cells[person]["other"] != "-") {
				continue
			}
			orders := []map[string]any{foreign}
			if self != nil {
				orders = []map[string]any{{"method": "PATCH", "url": records(self.Collection().Name, self.Id), "body": map[string]any{"name": "Batched"}}, foreign}
			}
			if a := m.ask(t, person, http.MethodPost, "/api/batch", map[string]any{"requests": orders}); a.Status < 400 {
				m.wrong("%s writes by a batch: %v", person, foreign)
			}
			if self == nil {
				continue
			}
			if now, err := m.FindRecordById(self.Collection().Name, self.Id); err != nil || now.GetString("name") == "Batched" {
				m.wrong("%s: half of a batch was written beside %v", person, foreign)
			}
		}
	}
}

// finds are the addresses that take a text to look for.
var finds = []string{"/api/portal/queue?view=all&q=", "/api/portal/requests?show=all&q=", "/api/portal/clients?q="}

// search looks for words that only hidden records hold: the answer is the one for
// a word that is nowhere.
func (m *matrix) search(t testing.TB, person string) (found int) {
	t.Helper()
	for _, path := range finds {
		nowhere := m.ask(t, person, http.MethodGet, path+"canarynowhere", nil)
		for _, column := range m.sees.columns {
			a := m.ask(t, person, http.MethodGet, path+canary(column, false), nil)
			hidden := m.sees.cells[person][column] == "-" && (column != "own" || person != "delegate.request") // whose name is on what was lent
			switch {
			case hidden && (a.Status != nowhere.Status || canonical(a.Raw) != strings.ReplaceAll(canonical(nowhere.Raw), "canarynowhere", canary(column, false))):
				m.wrong("%s finds something of %s by %s: %s", person, column, path, a.Raw)
			case !hidden && canonical(a.Raw) != canonical(nowhere.Raw):
				found++
			}
		}
	}
	return found
}

// texts are the fields that have a word in them.
var texts = []string{"title", "name", "body", "reason", "email", "text", "note"}

// match asks by a part of the words: it finds, and counts, what is shown and no
// more.
func (m *matrix) match(t testing.TB, person string, c *core.Collection) {
	t.Helper()
	wanted := m.wanted(person, c)
	for _, field := range texts {
		if c.ListRule == nil || c.Fields.GetByName(field) == nil {
			continue
		}
		a := m.ask(t, person, http.MethodGet, records(c.Name)+"?perPage=1000&filter="+url.QueryEscape(field+"~'canary'"), nil)
		ids := idsOf(a.Body["items"])
		total, _ := a.Body["totalItems"].(float64)
		if int(total) != len(ids) || slices.ContainsFunc(ids, func(id string) bool { return !wanted[id] }) {
			m.wrong("%s finds %v of %s by the %s, and is shown %d", person, total, c.Name, field, len(wanted))
		}
	}
}

// listen subscribes to everything that has a topic: only one's own is open.
func (m *matrix) listen(t testing.TB, person string, c *core.Collection) {
	t.Helper()
	topics := []string{c.Name, c.Name + "/*", c.Name + `/*?options={"query":{"filter":"id!=''","expand":"request,organization"}}`}
	if rows := m.rows[c.Name]; len(rows) > 0 {
		topics = append(topics, c.Name+"/"+rows[0].id, c.Name+"/"+rows[len(rows)-1].id+`?options={"query":{"expand":"request"}}`)
	}
	for _, topic := range topics {
		m.subscribe(t, person, topic, person == "superuser")
	}
}

func (m *matrix) subscribe(t testing.TB, person, topic string, may bool) {
	t.Helper()
	client := m.House.Live.NewConnection()
	m.SubscriptionsBroker().Register(client)
	defer m.SubscriptionsBroker().Unregister(client.Id())
	a := m.ask(t, person, http.MethodPost, "/api/realtime", map[string]any{"clientId": client.Id(), "subscriptions": []string{topic}})
	if hears := len(client.Subscriptions()) > 0; hears != may || (a.Status == http.StatusNoContent) != may {
		m.wrong("%s subscribes to %s: %d", person, topic, a.Status)
	}
}

// own subscribes to the topics of people: one's own, and those of others.
func (m *matrix) own(t testing.TB, person string) {
	t.Helper()
	for _, other := range []string{person, "own.admin", "s.owner"} {
		if m.who[other] == nil {
			continue
		}
		m.subscribe(t, person, "person/"+m.whoID(other), person == "superuser" || person == other && person != "s.inactive")
	}
}

// pings lets something happen to every request while everybody listens: nobody
// hears of what is not shown, and no word of it.
func (m *matrix) pings(t testing.TB) (heard int) {
	t.Helper()
	clients := map[string]*console.Connection{}
	for _, person := range m.sees.people {
		if m.who[person] == nil || person == "s.inactive" {
			continue
		}
		c := m.House.Live.NewConnection()
		m.SubscriptionsBroker().Register(c)
		if a := m.ask(t, person, http.MethodPost, "/api/realtime", map[string]any{"clientId": c.Id(), "subscriptions": []string{"person/" + m.whoID(person)}}); a.Status != http.StatusNoContent {
			m.wrong("%s does not hear: %d %s", person, a.Status, a.Raw)
		}
		clients[person] = c
	}
	for _, column := range m.sees.columns {
		writer := m.who["s.operator"]
		if column == "held" {
			writer = m.who["s.compliance"]
		}
		done(t, m.Ask(t, writer, http.MethodPost, records("internal_notes"), map[string]any{"request": m.requests[column], "body": "More " + canary(column, true)}), http.StatusOK)
		done(t, m.Ask(t, writer, http.MethodPost, records("messages"), map[string]any{"request": m.requests[column], "body": "More " + canary(column, false)}), http.StatusOK)
		m.Deliver(t)
		for person, c := range clients {
			for len(c.Channel()) > 0 {
				heard++
				message := <-c.Channel()
				m.scan(person, "a ping", message.Data)
				if m.sees.cells[person][column] == "-" && strings.Contains(string(message.Data), m.requests[column]) {
					m.wrong("%s hears of %s: %s", person, column, message.Data)
				}
			}
		}
	}
	return heard
}

// absent compares the answer for what is not shown with that for what does not
// exist: they are the same, to the letter.
func (m *matrix) absent(t testing.TB, person string, c *core.Collection) {
	t.Helper()
	for n, r := range m.hiddenFrom(person, c, 3) {
		for _, method := range []string{http.MethodGet, http.MethodPatch, http.MethodDelete}[:max(1, 3-2*n)] {
			there := m.ask(t, person, method, records(c.Name, r.id), map[string]any{})
			nowhere := m.ask(t, person, method, records(c.Name, nowhereID), map[string]any{})
			if there.Status != nowhere.Status || canonical(there.Raw) != canonical(nowhere.Raw) {
				m.wrong("%s: %s of %s is told from what is not there: %d %s, and %d %s", person, method, c.Name, there.Status, there.Raw, nowhere.Status, nowhere.Raw)
			}
		}
	}
}

// pointing are collections that a client or staff add to, and what a new record
// points to.
var pointing = map[string][]string{"messages": {"request"}, "internal_notes": {"request"}, "memberships": {"organization"}, "delegations": {"organization"}}

// absentBehind compares what is answered to a new record that points to what is
// not shown with one that points to nothing.
func (m *matrix) absentBehind(t testing.TB, person string, c *core.Collection) {
	t.Helper()
	for _, field := range pointing[c.Name] {
		for _, column := range m.sees.columns {
			id := map[string]string{"request": m.requests[column], "organization": m.organizations[column]}[field]
			if m.sees.cells[person][column] != "-" || id == "" {
				continue
			}
			body := map[string]any{
				"body": "x", "user": m.who["nobody"].Id, "role": "viewer", "to": m.who["nobody"].Id, "starts": "2026-01-01 00:00:00.000Z", "ends": "2090-01-01 00:00:00.000Z", field: id,
			}
			there := m.ask(t, person, http.MethodPost, records(c.Name), body)
			body[field] = nowhereID
			nowhere := m.ask(t, person, http.MethodPost, records(c.Name), body)
			if there.Status != nowhere.Status || canonical(there.Raw) != canonical(nowhere.Raw) {
				m.wrong("%s adds to %s and learns of %s: %d %s, and of nothing %d %s", person, c.Name, column, there.Status, there.Raw, nowhere.Status, nowhere.Raw)
			}
		}
	}
}

// nowhereID is the id of nothing.
const nowhereID = "nowhere00000000"

// What is not shown can neither be written by a batch, nor found by a word, nor
// listened to, nor told from what does not exist.
func TestMatrix_everyOtherDoor(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.Settings().Batch.Enabled = true
	found := 0
	for n, person := range m.sees.people {
		if n%askEvery != 0 {
			continue
		}
		found += m.search(t, person)
		m.own(t, person)
		if !slices.Contains(first, person) {
			continue
		}
		for _, c := range m.names {
			m.listen(t, person, c)
			m.match(t, person, c)
			m.absent(t, person, c)
			m.absentBehind(t, person, c)
			m.batch(t, person, c)
		}
	}
	heard := m.pings(t)
	for n, b := range m.bad {
		if n == 40 {
			t.Errorf("and %d more", len(m.bad)-n)
			break
		}
		t.Error(b)
	}
	if found == 0 || heard == 0 {
		t.Errorf("found %d, heard %d: the questions ask nothing", found, heard)
	}
	t.Logf("%d questions; %d searches found what one may see, %d pings", m.cells, found, heard)
}

// canonical is an answer with its keys in order.
func canonical(raw []byte) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, _ := json.Marshal(v)
	return string(b)
}
