package hooks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// The stories of time play in March 2031, that begins on a Saturday: the third is
// a Monday.

// put puts the clock to a moment in UTC.
func put(t *testing.T, s *gatetest.Stage, moment string) {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", moment)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Set(at)
}

// minute does what happens every minute: time brings its things, they are told,
// mails go out.
func minute(t *testing.T, s *gatetest.Stage) {
	t.Helper()
	if err := s.House.Engine.Tick(context.Background()); err != nil {
		t.Fatal(err)
	}
	deliverMail(t, s)
}

func deliverMail(t *testing.T, s *gatetest.Stage) {
	t.Helper()
	s.Deliver(t)
	if err := s.House.Mailer.Pass(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// nudged is a simple request that Anna got on Monday 3 March 2031 at ten; the
// mail of that day has gone out.
func nudged(t *testing.T, s *gatetest.Stage) string {
	t.Helper()
	put(t, s, "2031-03-03 10:00:00")
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	minute(t, s)
	return id
}

// lines reads a list of texts.
func lines(t *testing.T, s *gatetest.Stage, query string, params dbx.Params) []string {
	t.Helper()
	list := []string{}
	if err := s.DB().NewQuery(query).Bind(params).Column(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// reminderMails lists the mails of reminders: "day who: subject".
func reminderMails(t *testing.T, s *gatetest.Stage) []string {
	t.Helper()
	return lines(t, s, `SELECT substr(created, 6, 11) || ' ' || to_name || ': ' || subject FROM mails WHERE kind IN ('reminder','reminders','escalation') ORDER BY created, "to", id`, nil)
}

// fates lists what became of each reminder of a request.
func fates(t *testing.T, s *gatetest.Stage, id string) []string {
	t.Helper()
	return lines(t, s, `SELECT key || ' ' || occurrence || ' ' || status FROM timers WHERE request = {:id} ORDER BY at, key, person`, dbx.Params{"id": id})
}

func TestReminders_atNineAndOnce(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	other := s.House.NewEngine(s.Clock.Now) // a second process on the same folder
	for _, moment := range []string{
		"2031-03-05 09:00:00", "2031-03-06 08:59:59", "2031-03-06 09:00:00", "2031-03-06 09:00:00", "2031-03-06 09:01:00", "2031-03-06 18:00:00",
		"2031-03-04 09:00:00", "2031-03-06 09:30:00", // the clock is put back, and right again
		"2031-03-11 09:00:00", "2031-03-14 09:00:00", "2031-03-19 09:00:00", "2031-03-24 09:00:00",
	} {
		put(t, s, moment)
		minute(t, s)
		if err := other.Tick(context.Background()); err != nil {
			t.Fatal(err)
		}
		deliverMail(t, s)
	}
	equalLists(t, "Anna's mails", reminderMails(t, s), []string{
		"03-06 09:00 Anna: Year-end papers is due on Wed 12 Mar. 3 items are left",
		"03-11 09:00 Anna: Year-end papers is due on Wed 12 Mar. 3 items are left",
		"03-14 09:00 Anna: Year-end papers was due on Wed 12 Mar. 3 items are left",
	})
	equalLists(t, "what became of each", fates(t, s, id), []string{
		"client_nudge waiting_for_client/business_days_after_entry/3 fired", "client_nudge waiting_for_client/business_days_after_entry/6 fired",
		"client_nudge waiting_for_client/business_days_after_entry/9 fired", "gone_quiet waiting_for_client/business_days_after_entry/12 fired",
	})
	tasks := lines(t, s, `SELECT COALESCE(s.name, '') || ': ' || n.title FROM notifications n LEFT JOIN staff s ON s.id = n.staff WHERE n.channel = 'task' AND n.status = 'sent'`, nil)
	equalLists(t, "Sam's task", tasks, []string{"Sam: Year-end papers (Bluebell Bakery): Client has gone quiet - call them."})
	body := lines(t, s, `SELECT text FROM mails WHERE kind = 'reminder' ORDER BY created LIMIT 1`, nil)[0]
	for _, part := range []string{"Bank statement", "Any loans?", "All is complete", "/r/" + id + "#item-file", "You get this because your side has the turn on Year-end papers."} {
		if !strings.Contains(body, part) {
			t.Errorf("the mail does not say %q:\n%s", part, body)
		}
	}
	if timeline := string(s.Ask(t, s.Sam, "GET", request(id, "/timeline"), nil).Raw); !strings.Contains(timeline, "Email to Anna not sent: Year-end papers is due on Wed 12 Mar") {
		t.Errorf("the timeline does not tell of it: %s", timeline)
	}
}

// The late reply wins: nothing is asked for that came a second before.
func TestReminders_theLateReplyWins(t *testing.T) {
	s := gatetest.New(t)
	early, late := nudged(t, s), nudged(t, s)
	for _, id := range []string{early, late} {
		s.AllProvided(t, id)
	}
	// Ben's side of it: what is provided but not sent is not asked for either.
	put(t, s, "2031-03-06 08:59:59")
	s.Move(t, s.Anna, early, "submit")
	put(t, s, "2031-03-06 09:00:00")
	minute(t, s)
	equalLists(t, "mails", reminderMails(t, s), []string{})
	equalLists(t, "of the one that was sent", fates(t, s, early), []string{})
	equalLists(t, "of the one where all is there", fates(t, s, late), []string{"client_nudge waiting_for_client/business_days_after_entry/3 skipped"})

	// Even between the decision and the mail.
	third := nudged(t, s)
	put(t, s, "2031-03-06 09:00:00")
	if err := s.House.Engine.Tick(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.AllProvided(t, third)
	s.Move(t, s.Anna, third, "submit")
	deliverMail(t, s)
	equalLists(t, "mails after all", reminderMails(t, s), []string{})
	equalLists(t, "it says why", lines(t, s, `SELECT status || ': ' || why FROM notifications WHERE request = {:id} AND rule LIKE 'reminder.%'`, dbx.Params{"id": third}), []string{"suppressed: The request has moved on."})
}

func TestReminders_theServerWasDownForAWeek(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	put(t, s, "2031-03-15 12:00:00") // a Saturday
	minute(t, s)
	equalLists(t, "nobody is written to on a Saturday", reminderMails(t, s), []string{})
	put(t, s, "2031-03-17 09:00:00")
	minute(t, s)
	equalLists(t, "one mail for all that was missed", reminderMails(t, s), []string{"03-17 09:00 Anna: Year-end papers was due on Wed 12 Mar. 3 items are left"})
	equalLists(t, "and each says what became of it", fates(t, s, id), []string{
		"client_nudge waiting_for_client/business_days_after_entry/3 collapsed", "client_nudge waiting_for_client/business_days_after_entry/6 collapsed", "client_nudge waiting_for_client/business_days_after_entry/9 fired",
	})
	timeline := string(s.Ask(t, s.Sam, "GET", request(id, "/timeline"), nil).Raw)
	if !strings.Contains(timeline, "Reminder to Anna not sent.") || !strings.Contains(timeline, "A later one of the same reminder stands for it.") {
		t.Errorf("the timeline does not say so: %s", timeline)
	}
}

func TestReminders_oneMailADay(t *testing.T) {
	s := gatetest.New(t)
	first, second := nudged(t, s), nudged(t, s)
	put(t, s, "2031-03-06 09:00:00")
	// One was looked at, the other not yet: its mail waits.
	if err := s.House.Engine.Remind(context.Background(), s.App(), first); err != nil {
		t.Fatal(err)
	}
	deliverMail(t, s)
	equalLists(t, "too early", reminderMails(t, s), []string{})
	minute(t, s)
	equalLists(t, "both in one", reminderMails(t, s), []string{"03-06 09:00 Anna: Gatehouse: 2 things wait for you"})
	// A third that becomes due on the same day waits for the next.
	third := nudged(t, s)
	put(t, s, "2031-03-06 09:30:00")
	minute(t, s)
	equalLists(t, "not a second one", reminderMails(t, s), []string{"03-06 09:00 Anna: Gatehouse: 2 things wait for you"})
	put(t, s, "2031-03-07 09:00:00")
	minute(t, s)
	equalLists(t, "but the next morning", reminderMails(t, s), []string{"03-06 09:00 Anna: Gatehouse: 2 things wait for you", "03-07 09:00 Anna: Year-end papers is due on Wed 12 Mar. 3 items are left"})
	for _, id := range []string{first, second, third} {
		equalLists(t, "each fired once", fates(t, s, id), []string{"client_nudge waiting_for_client/business_days_after_entry/3 fired"})
	}
}

// What is killed before it is committed has not been, and is done once after it.
func TestReminders_killedInBetween(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	put(t, s, "2031-03-06 09:00:00")
	killed := errors.New("killed")
	err := s.RunInTransaction(func(tx core.App) error {
		if err := s.House.Engine.Remind(context.Background(), tx, id); err != nil {
			return err
		}
		return killed
	})
	if !errors.Is(err, killed) {
		t.Fatal(err)
	}
	deliverMail(t, s)
	equalLists(t, "nothing of it is left", append(fates(t, s, id), reminderMails(t, s)...), []string{})
	minute(t, s)
	if mails := reminderMails(t, s); len(mails) != 1 {
		t.Errorf("%v", mails)
	}
	// Killed after the commit, before the notice: the outbox has it.
	if n := lines(t, s, `SELECT COUNT(*) FROM events WHERE type = 'reminder.client_nudge'`, nil); n[0] != "1" {
		t.Errorf("%s events", n[0])
	}
}

func TestReminders_whereThePersonLives(t *testing.T) {
	s := gatetest.New(t)
	if _, err := s.DB().NewQuery(`UPDATE users SET timezone = 'Asia/Kolkata' WHERE id = {:id}`).Bind(dbx.Params{"id": s.Anna.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	nudged(t, s)
	for _, moment := range []string{"2031-03-06 03:29:00", "2031-03-06 03:30:00", "2031-03-06 09:00:00"} {
		put(t, s, moment)
		minute(t, s)
	}
	equalLists(t, "nine in Kolkata", reminderMails(t, s), []string{"03-06 03:30 Anna: Year-end papers is due on Wed 12 Mar. 3 items are left"})
}

func TestReminders_followTheFirmsCalendar(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	firm := s.Add(t, "settings", map[string]any{"key": "firm", "value": map[string]any{"name": "Firm", "timezone": "America/New_York"}})
	firm.Set("value", map[string]any{"name": "Firm", "timezone": "America/New_York", "closed": []string{"2031-03-06"}})
	if err := s.Save(firm); err != nil {
		t.Fatal(err)
	}
	for _, moment := range []string{"2031-03-06 09:00:00", "2031-03-06 14:00:00", "2031-03-07 13:59:00", "2031-03-07 14:00:00"} {
		put(t, s, moment)
		minute(t, s)
	}
	equalLists(t, "nine in New York, a day later", fates(t, s, id), []string{"client_nudge waiting_for_client/business_days_after_entry/3 fired"})
	if mails := reminderMails(t, s); len(mails) != 1 || !strings.HasPrefix(mails[0], "03-07 14:00") {
		t.Errorf("%v", mails)
	}
}

func pauseBody(until string) map[string]any {
	return map[string]any{"until": until, "reason": "The owner is in hospital"}
}

func TestPause(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	due := func() string {
		var at string
		scan(t, s.App(), `SELECT due FROM requests WHERE id = {:id}`, id, &at)
		return at
	}
	if due() != "2031-03-12 17:00:00.000Z" {
		t.Fatal(due())
	}
	put(t, s, "2031-03-05 12:00:00")
	for _, c := range []struct {
		name   string
		who    *core.Record
		body   map[string]any
		status int
	}{
		{"a client", s.Anna, pauseBody("2031-03-12"), 403},
		{"staff who only look", s.Ines, pauseBody("2031-03-12"), 400},
		{"a client of another firm", s.Cleo, pauseBody("2031-03-12"), 403},
		{"a day that has been", s.Sam, pauseBody("2031-03-05"), 400},
		{"in three years", s.Sam, pauseBody("2034-03-05"), 400},
		{"no day", s.Sam, pauseBody("soon"), 400},
		{"no reason", s.Sam, map[string]any{"until": "2031-03-12"}, 400},
	} {
		if a := s.Ask(t, c.who, "POST", request(id, "/pause"), c.body); a.Status != c.status {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Raw)
		}
	}
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/resume"), nil), 400)
	view := s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-03-12"))
	want(t, view, 200)
	if held := toJSON(view.Body["paused"]); held != `{"by_name":"Sam","reason":"The owner is in hospital","until":"2031-03-12 00:00:00.000Z"}` {
		t.Errorf("staff are shown %s", held)
	}
	if clocks := view.Body["clocks"].(map[string]any); clocks["running"] != "" || clocks["client_seconds"] != float64((7+8+3)*3600) {
		t.Errorf("the clocks stand: %v", clocks)
	}
	if sla := view.Body["sla"].(map[string]any); sla["paused"] != true || due() != "2031-03-18 17:00:00.000Z" {
		t.Errorf("the limit moves by four business days: %v, %s", sla, due())
	}
	if shown := s.Ask(t, s.Anna, "GET", request(id), nil); shown.Body["turn_text"] != "On hold until 12 Mar" || shown.Body["label"] != "We need some things from you" || strings.Contains(string(shown.Raw), "hospital") {
		t.Errorf("Anna is shown %v, %v", shown.Body["turn_text"], shown.Body["label"])
	}
	for _, moment := range []string{"2031-03-06 09:00:00", "2031-03-11 09:00:00", "2031-03-11 23:59:00"} {
		put(t, s, moment)
		minute(t, s)
	}
	equalLists(t, "on hold nobody is reminded", reminderMails(t, s), []string{})

	// It wakes by itself, once, and goes on where it was.
	for _, moment := range []string{"2031-03-12 00:00:00", "2031-03-12 00:01:00", "2031-03-12 00:00:00", "2031-03-12 09:00:00", "2031-03-13 09:00:00"} {
		put(t, s, moment)
		minute(t, s)
	}
	equalLists(t, "events", lines(t, s, `SELECT type FROM events WHERE type IN ('request.paused','request.resumed') ORDER BY seq`, nil), []string{"request.paused", "request.resumed"})
	equalLists(t, "the third business day that is no hold", reminderMails(t, s), []string{"03-12 09:00 Anna: Year-end papers is due on Tue 18 Mar. 3 items are left"})
	after := s.Ask(t, s.Anna, "GET", request(id), nil)
	if after.Body["turn_text"] == "On hold until 12 Mar" {
		t.Error("Anna is still told of the hold")
	}
	if timeline := string(s.Ask(t, s.Sam, "GET", request(id, "/timeline"), nil).Raw); !strings.Contains(timeline, "Sam put this on hold until 12 Mar 2031.") || !strings.Contains(timeline, "The portal took this off hold.") {
		t.Errorf("the timeline tells: %s", timeline)
	}
	faceIsRebuilt(t, s, id)
}

// faceIsRebuilt compares the client's row with what the truth makes of it.
func faceIsRebuilt(t *testing.T, s *gatetest.Stage, id string) {
	t.Helper()
	face, err := s.House.Engine.Rebuild(s.App(), id)
	if err != nil {
		t.Fatal(err)
	}
	row, err := s.FindRecordById("client_requests", id)
	if err != nil {
		t.Fatal(err)
	}
	if row.GetString("due") != face.Due || row.GetString("label") != face.Label {
		t.Errorf("the client's row says due %s, the truth %s", row.GetString("due"), face.Due)
	}
}

func TestPause_endedByAPerson(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	put(t, s, "2031-03-04 12:00:00")
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-06-01")), 200)
	put(t, s, "2031-03-05 12:00:00")
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-07-01")), 200) // longer
	// The client is told until when, in the view and in the row, and not why.
	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); toJSON(seen.Body["paused"]) != `{"until":"2031-07-01 00:00:00.000Z"}` || strings.Contains(string(seen.Raw), "hospital") {
		t.Errorf("the client is told of the hold: %s", seen.Raw)
	}
	equalLists(t, "the client's row", lines(t, s, `SELECT paused_until FROM client_requests`, nil), []string{"2031-07-01 00:00:00.000Z"})
	put(t, s, "2031-03-06 12:00:00")
	view := s.Ask(t, s.Mia, "POST", request(id, "/resume"), nil)
	want(t, view, 200)
	if clocks := view.Body["clocks"].(map[string]any); view.Body["paused"] != nil || clocks["running"] != "client" || clocks["client_seconds"] != float64((7+3)*3600) {
		t.Errorf("the clocks go on: %v", clocks)
	}
	var due string
	scan(t, s.App(), `SELECT due FROM requests WHERE id = {:id}`, id, &due)
	if seen := s.Ask(t, s.Anna, "GET", request(id), nil); !strings.Contains(string(seen.Raw), `"paused":null`) {
		t.Errorf("the client is told that it goes on: %s", seen.Raw)
	}
	equalLists(t, "the client's row after it", lines(t, s, `SELECT paused_until FROM client_requests`, nil), []string{""})
	if due != "2031-03-14 17:00:00.000Z" {
		t.Errorf("due %s: moved by two business days", due)
	}
	// A step into an end ends the hold with it.
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-06-01")), 200)
	s.Move(t, s.Sam, id, "reject", workflow.Input{ClientComment: "We close this."})
	equalLists(t, "no hold lasts", lines(t, s, `SELECT id FROM pauses WHERE ended = '' UNION SELECT id FROM requests WHERE paused_until != ''`, nil), []string{})
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-06-01")), 400)
}

func TestPause_stopsStepsThatWaitForTime(t *testing.T) {
	s := gatetest.New(t)
	put(t, s, "2031-03-03 10:00:00")
	source := strings.NewReplacer("key: simple_request", "key: with_timer", "transitions:", "transitions:\n  - {key: give_up, label: Give up, from: [waiting_for_client], to: rejected, by: [system], after: {days_in_state: 3}}").Replace(library(t, "simple-request.yaml"))
	if out, err := s.House.Engine.Import(s.App(), []byte(source), true, false); err != nil || !out.OK() {
		t.Fatal(out, err)
	}
	id := s.Open(t, s.Sam, workflow.NewRequest{Workflow: "with_timer", Organization: s.Bluebell.Id, Items: []workflow.NewItem{{Section: "things", Template: "question", Title: "Any loans?"}}})
	s.Move(t, s.Sam, id, "send")
	put(t, s, "2031-03-04 10:00:00")
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-03-10")), 200)
	for moment, state := range map[string]string{"2031-03-06 10:00:00": "waiting_for_client", "2031-03-09 10:00:00": "waiting_for_client"} {
		put(t, s, moment)
		minute(t, s)
		isIn(t, s, id, state)
	}
	for _, c := range [][2]string{{"2031-03-10 00:00:00", "waiting_for_client"}, {"2031-03-11 23:59:00", "waiting_for_client"}, {"2031-03-12 00:00:00", "rejected"}} {
		put(t, s, c[0])
		minute(t, s)
		isIn(t, s, id, c[1])
	}
}

// library reads a shipped definition.
func library(t *testing.T, file string) string {
	t.Helper()
	source, err := workflow.LibraryFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// Putting a request on hold that must not show leaves no trace, nor does its end.
func TestPause_leavesNoTraceOfAHiddenState(t *testing.T) {
	s := gatetest.New(t)
	id := inReview(t, s)
	s.Clock.Move(time.Minute)
	s.Move(t, s.Sam, id, "escalate", workflow.Input{InternalNote: "Name on a list"})
	deliverMail(t, s)
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/home", nil), 200) // notes her visit, at most once a minute
	before := everything(t, s, s.Anna, id)
	rows := func() []string {
		return lines(t, s, `SELECT json_array(c.due, c.revision, c.updated, c.state, c.label, (SELECT COUNT(*) FROM client_history h WHERE h.request = c.id), (SELECT MAX(i.updated) FROM client_items i WHERE i.request = c.id)) FROM client_requests c WHERE c.id = {:id}`, dbx.Params{"id": id})
	}
	shown := rows()
	s.Clock.Move(5 * time.Second)
	until := s.Clock.Now().AddDate(0, 0, 30).Format("2006-01-02")
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody(until)), 400) // Sam does not see this state
	want(t, s.Ask(t, s.Ruth, "POST", request(id, "/pause"), pauseBody(until)), 200)
	deliverMail(t, s)
	same := func(when string) {
		t.Helper()
		equalLists(t, "the client's rows "+when, rows(), shown)
		after := everything(t, s, s.Anna, id)
		for name, was := range before {
			if after[name] != was {
				t.Errorf("%s, %s differs: %s", when, name, difference(was, after[name]))
			}
		}
	}
	same("on hold")
	want(t, s.Ask(t, s.Ruth, "POST", request(id, "/resume"), nil), 200)
	deliverMail(t, s)
	same("after it")
}

func TestPlan(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	for who, status := range map[*core.Record]int{s.Anna: 403, s.Cleo: 403, s.Ines: 200, s.Sam: 200} {
		want(t, s.Ask(t, who, "GET", request(id, "/plan"), nil), status)
	}
	plan := func() []string {
		t.Helper()
		a := s.Ask(t, s.Sam, "GET", request(id, "/plan"), nil)
		var list []string
		for _, i := range a.Body["items"].([]any) {
			m := i.(map[string]any)
			list = append(list, fmt.Sprintf("%.16s %s %v %s", m["at"], m["kind"], m["to"], m["text"]))
			if m["stops"] == "" {
				t.Errorf("%v does not say what ends it", m)
			}
		}
		return list
	}
	equalLists(t, "what will come", plan(), []string{
		"2031-03-06 09:00 reminder [Anna] Reminder after 3 business days.", "2031-03-11 09:00 reminder [Anna] Reminder after 6 business days.",
		"2031-03-12 17:00 due [] It is due.", "2031-03-14 09:00 reminder [Anna] Reminder after 9 business days.",
		"2031-03-19 09:00 escalation [Sam] Client has gone quiet - call them.",
	})
	put(t, s, "2031-03-05 12:00:00")
	want(t, s.Ask(t, s.Sam, "POST", request(id, "/pause"), pauseBody("2031-03-12")), 200)
	equalLists(t, "on hold", plan()[:2], []string{"2031-03-12 00:00 wake [] The hold ends, and everything goes on.", "2031-03-12 09:00 reminder [Anna] Reminder after 3 business days."})
	s.Move(t, s.Sam, id, "reject", workflow.Input{ClientComment: "We close this."})
	equalLists(t, "of an end, only its own way on", plan(), []string{"2031-05-04 12:00 step [] Moves by itself: Archive."})
}

// What is said before a request is opened is what comes once it was: the dates are
// the same, and until then nothing is there.
func TestRehearse_isThePlanOfTheRequestOnceSent(t *testing.T) {
	s := gatetest.New(t)
	put(t, s, "2031-03-03 10:00:00")
	anna := s.Anna.Fresh()
	anna.Set("timezone", "America/New_York")
	if err := s.Save(anna); err != nil {
		t.Fatal(err)
	}
	body := map[string]any{"workflow": "simple_request", "organization": s.Bluebell.Id, "title": "Papers", "items": []any{map[string]any{"section": "things", "template": "file", "title": "Bank statement", "due": "2031-03-10 12:00:00.000Z"}}}
	counts := func() []string {
		return lines(t, s, `SELECT (SELECT COUNT(*) FROM requests) || ' ' || (SELECT COUNT(*) FROM events) || ' ' || (SELECT COUNT(*) FROM audit_log) || ' ' || (SELECT COUNT(*) FROM sequences) || ' ' || (SELECT COUNT(*) FROM transitions)`, nil)
	}
	before := counts()
	for who, status := range map[*core.Record]int{s.Anna: 403, s.Cleo: 403, s.Sam: 200} {
		want(t, s.Ask(t, who, "POST", "/api/portal/requests/plan", body), status)
	}
	a := s.Ask(t, s.Sam, "POST", "/api/portal/requests/plan", body)
	equalLists(t, "nothing is written", counts(), before)
	stages := a.Body["stages"].([]any)
	if len(stages) != 2 || stages[0].(map[string]any)["state"] != "draft" || stages[1].(map[string]any)["state"] != "waiting_for_client" {
		t.Fatalf("%s", a.Raw)
	}
	if items := toJSON(a.Body["items"]); items != `[{"due":"2031-03-10 12:00:00.000Z","title":"Bank statement"}]` {
		t.Error(items)
	}
	promised := toJSON(stages[1].(map[string]any)["items"])
	if !strings.Contains(promised, `"at":"2031-03-06 14:00:00.000Z"`) {
		t.Errorf("not at nine in New York: %s", promised)
	}
	opened := s.Ask(t, s.Sam, "POST", "/api/portal/requests", body)
	want(t, opened, 200)
	id := opened.Body["id"].(string)
	plan := func() string { return toJSON(s.Ask(t, s.Sam, "GET", request(id, "/plan"), nil).Body["items"]) }
	if first := toJSON(stages[0].(map[string]any)["items"]); first != plan() {
		t.Errorf("promised of the draft: %s\nis: %s", first, plan())
	}
	s.Move(t, s.Sam, id, "send")
	if promised != plan() {
		t.Errorf("promised: %s\nis: %s", promised, plan())
	}
	if due := s.Ask(t, s.Sam, "GET", request(id), nil).Body["due"]; due != stages[1].(map[string]any)["due"] {
		t.Errorf("due %v, promised %v", due, stages[1])
	}
	want(t, s.Ask(t, s.Sam, "POST", "/api/portal/requests/plan", map[string]any{"workflow": "nothing", "organization": s.Bluebell.Id}), 400)
}

// Of every workflow of the library the dates are known before anybody opens it.
func TestForecast_ofTheLibrary(t *testing.T) {
	s := gatetest.New(t)
	put(t, s, "2031-03-03 10:00:00")
	var b strings.Builder
	b.WriteString("# What each workflow of the library would bring if a request was opened on Monday, 3 March 2031, at ten. Written by: go test ./hooks -run TestForecast -update\n")
	for _, file := range []string{"accounting-monthly-close.yaml", "accounting-onboarding-kyc.yaml", "agency-creative-approval.yaml", "simple-request.yaml"} {
		out, err := s.House.Engine.Import(s.App(), []byte(library(t, file)), true, false)
		if err != nil {
			t.Fatal(err)
		}
		a := s.Ask(t, s.Sam, "GET", "/api/portal/definitions/"+out.ID+"/plan", nil)
		want(t, a, 200)
		fmt.Fprintf(&b, "\n== %s\n", file)
		for _, stage := range a.Body["stages"].([]any) {
			m := stage.(map[string]any)
			fmt.Fprintf(&b, "%s (%s), due %.16s\n", m["label"], m["turn"], m["due"])
			for _, item := range m["items"].([]any) {
				i := item.(map[string]any)
				fmt.Fprintf(&b, "  %-16.16s %s %v %s\n", i["at"], i["kind"], i["to"], i["text"])
			}
		}
		for _, item := range a.Body["items"].([]any) {
			fmt.Fprintf(&b, "item %.16s %s\n", item.(map[string]any)["due"], item.(map[string]any)["title"])
		}
	}
	golden(t, "forecast.golden", b.String())
	want(t, s.Ask(t, s.Sam, "GET", "/api/portal/definitions/nothing/plan", nil), 404)
	want(t, s.Ask(t, s.Anna, "GET", "/api/portal/definitions/nothing/plan", nil), 403)
}

// The plan is what happens: each reminder fires when it said.
func TestPlan_isWhatHappens(t *testing.T) {
	s := gatetest.New(t)
	id := nudged(t, s)
	var promised []string
	for _, i := range s.Ask(t, s.Sam, "GET", request(id, "/plan"), nil).Body["items"].([]any) {
		if m := i.(map[string]any); m["kind"] == "reminder" || m["kind"] == "escalation" {
			promised = append(promised, m["at"].(string))
		}
	}
	for at := s.Clock.Now(); at.Before(s.Clock.Now().AddDate(0, 0, 30)) && len(fates(t, s, id)) < len(promised); {
		at = at.Add(30 * time.Minute)
		s.Clock.Set(at)
		minute(t, s)
	}
	equalLists(t, "what came", lines(t, s, `SELECT created FROM timers WHERE request = {:id} ORDER BY created`, dbx.Params{"id": id}), promised)
}

func TestRecurrence(t *testing.T) {
	s := gatetest.New(t)
	put(t, s, "2031-01-10 12:00:00")
	if out, err := s.House.Engine.Import(s.App(), []byte(library(t, "accounting-monthly-close.yaml")), true, false); err != nil || !out.OK() {
		t.Fatal(out, err)
	}
	exec := func(query string, params dbx.Params) {
		t.Helper()
		if _, err := s.DB().NewQuery(query).Bind(params).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	exec(`UPDATE organizations SET data = {:data} WHERE id = {:id}`, dbx.Params{"data": `{"bank_accounts": ["AIB 1234"], "standing_notes": "Ask twice"}`, "id": s.Bluebell.Id})
	exec(`UPDATE organizations SET data = {:data} WHERE id = {:id}`, dbx.Params{"data": `{"dormant": true}`, "id": s.Kestrel.Id})
	add := func(name, status, created string) string {
		r := s.Add(t, "organizations", map[string]any{"name": name, "code": strings.ToUpper(name[:3]), "status": status})
		exec(`UPDATE organizations SET created = {:at} WHERE id = {:id}`, dbx.Params{"at": created, "id": r.Id})
		return r.Id
	}
	late := add("Latecomer", "active", "2031-06-15 12:00:00.000Z")
	add("Sleeper", "suspended", "2031-01-01 12:00:00.000Z")
	other := s.House.NewEngine(s.Clock.Now)
	tick := func() {
		t.Helper()
		minute(t, s)
		if err := other.Tick(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for day := s.Clock.Now(); day.Before(time.Date(2032, 3, 31, 0, 0, 0, 0, time.UTC)); day = day.AddDate(0, 0, 1) {
		if day.After(time.Date(2031, 8, 20, 0, 0, 0, 0, time.UTC)) && day.Before(time.Date(2031, 11, 20, 0, 0, 0, 0, time.UTC)) {
			continue // the server is down for three months
		}
		if day.Day() > 4 && day.Day() != 20 {
			continue // nothing is due
		}
		s.Clock.Set(day)
		tick()
	}
	put(t, s, "2031-05-05 12:00:00") // and the clock is put back
	tick()
	periods := func(org, is string) []string {
		return lines(t, s, `SELECT period FROM recurrences WHERE organization = {:org} AND request `+is+` '' ORDER BY period`, dbx.Params{"org": org})
	}
	all := []string{"2031-01", "2031-02", "2031-03", "2031-04", "2031-05", "2031-06", "2031-07", "2031-08", "2031-09", "2031-10", "2031-11", "2031-12", "2032-01", "2032-02"}
	equalLists(t, "Bluebell's months", periods(s.Bluebell.Id, "!="), all)
	equalLists(t, "and none twice", lines(t, s, `SELECT period FROM requests WHERE organization = {:org} AND workflow_key = 'acct_monthly_close' ORDER BY period`, dbx.Params{"org": s.Bluebell.Id}), all)
	equalLists(t, "Kestrel sleeps", periods(s.Kestrel.Id, "="), all)
	equalLists(t, "who came in June", periods(late, "!="), all[5:])
	equalLists(t, "an office is no client of its own", periods(s.Leeds.Id, "!="), []string{})
	equalLists(t, "why not", lines(t, s, `SELECT DISTINCT o.name || ': ' || r.why FROM recurrences r JOIN organizations o ON o.id = r.organization WHERE r.request = '' ORDER BY 1`, nil),
		[]string{"Kestrel Joinery: Not opened: dormant is true.", "Sleeper: Not opened: the client is suspended."})
	carried := lines(t, s, `SELECT DISTINCT json_extract(data, '$.bank_accounts') || ', ' || json_extract(data, '$.standing_notes') FROM requests WHERE organization = {:org} AND workflow_key = 'acct_monthly_close'`, dbx.Params{"org": s.Bluebell.Id})
	if len(carried) != 1 || !strings.Contains(carried[0], "AIB 1234") || !strings.HasSuffix(carried[0], "Ask twice") {
		t.Errorf("what is carried on: %v", carried)
	}
	row := lines(t, s, `SELECT id FROM requests WHERE organization = {:org} AND period = '2031-02'`, dbx.Params{"org": s.Bluebell.Id})
	view := s.Ask(t, s.Sam, "GET", request(row[0]), nil)
	because := `Created because "Monthly bookkeeping close" is opened for each client every month, on the 1st business day. This one is for February 2031.`
	if view.Body["created_because"] != because || view.Body["title"] != "Monthly bookkeeping close, February 2031" || view.Body["number"] != "CLO-2031-02-BLU" || view.Body["due"] != "2031-03-14 17:30:00.000Z" {
		t.Errorf("%v %v %v %v", view.Body["created_because"], view.Body["title"], view.Body["number"], view.Body["due"])
	}
	timeline := s.Ask(t, s.Sam, "GET", request(row[0], "/timeline?perPage=200"), nil)
	if !strings.Contains(toJSON(timeline.Body["items"]), "This one is for February 2031.") {
		t.Errorf("the timeline does not say why it is there: %s", timeline.Raw)
	}
}

// An idle tick asks a few questions and writes nothing.
func TestTick_idle(t *testing.T) {
	s := gatetest.New(t)
	nudged(t, s)
	minute(t, s)
	stop := recordSQL(t, s.App())
	if err := s.House.Engine.Tick(context.Background()); err != nil {
		t.Fatal(err)
	}
	statements := stop()
	if len(statements) != 3 || slices.ContainsFunc(statements, func(q string) bool { return !strings.HasPrefix(q, "SELECT") }) {
		t.Errorf("%d: %s", len(statements), strings.Join(statements, "\n"))
	}
}
