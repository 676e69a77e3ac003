package hooks_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// sees is testdata/sees.txt: who sees what.
type sees struct {
	columns     []string
	people      []string
	cells       map[string]map[string]string // person → column → "-", "c" or "t"
	collections map[string][]string          // those whose rows carry no scope → who sees them
	hidden      map[string]bool              // collection.field: what only superusers read
}

func readSees(t testing.TB) *sees {
	t.Helper()
	source, err := os.ReadFile("testdata/sees.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := &sees{cells: map[string]map[string]string{}, collections: map[string][]string{}, hidden: map[string]bool{}}
	part := 0
	for line := range strings.Lines(string(source)) {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "#"):
			if len(s.people) > 0 {
				part = 2
			}
		case len(words) == 0:
		case part == 0:
			s.columns, part = words, 1
		case part == 1:
			if len(words) != len(s.columns)+1 {
				t.Fatalf("sees.txt: %d cells in %q", len(words)-1, line)
			}
			s.people = append(s.people, words[0])
			s.cells[words[0]] = map[string]string{}
			for n, column := range s.columns {
				s.cells[words[0]][column] = words[n+1]
			}
		case words[0] == "hidden":
			for _, field := range words[1:] {
				s.hidden[field] = true
			}
		default:
			s.collections[words[0]] = words[1:]
		}
	}
	return s
}

// row says what a row of a collection is about: the column of the table, and
// whether it is for staff only.
type row struct {
	id, column string
	staff      bool
	owners     []string // of rows without a scope: the people whose they are
}

// may says what the table answers.
func (s *sees) may(person, collection string, r row) bool {
	if person == "s.inactive" {
		return false
	}
	cell := s.cells[person][r.column]
	if who, ok := s.collections[collection]; ok {
		kind, _, _ := strings.Cut(person, ".")
		if slices.Contains(who, "seeing") && r.column != "" && cell != "t" && (cell != "c" || kind == "s") || slices.Contains(who, "others") && slices.Contains(r.owners, person) {
			return false
		}
		return slices.Contains(who, person) || slices.Contains(who, "signed") && person != "stranger" ||
			slices.Contains(who, "staff") && kind == "s" ||
			slices.Contains(who, "self") && slices.Contains(r.owners, person)
	}
	if person == "superuser" {
		return true
	}
	return cell == "t" || cell == "c" && !r.staff
}

// matrix is the world of the matrix test: everybody in the table, a request in
// each column with something of every kind, and a word on each that must not
// come up where the table says that it is not seen.
type matrix struct {
	*gatetest.Stage
	sees          *sees
	who           map[string]*core.Record
	organizations map[string]string // column → id
	requests      map[string]string // column → id
	rows          map[string][]row  // collection → its rows
	names         []*core.Collection

	cells int      // questions asked
	bad   []string // answers that differ from the table
}

func (m *matrix) wrong(format string, args ...any) {
	m.bad = append(m.bad, fmt.Sprintf(format, args...))
}

// canary is the word on what a column shows to clients, or to staff only.
func canary(column string, staff bool) string {
	side := "open"
	if staff {
		side = "inner"
	}
	return "canary" + side + strings.ReplaceAll(column, "_", "")
}

func newMatrix(t testing.TB) *matrix {
	t.Helper()
	s := gatetest.New(t)
	m := &matrix{Stage: s, sees: readSees(t), who: map[string]*core.Record{"stranger": nil, "superuser": s.Sol}, organizations: map[string]string{}, requests: map[string]string{}, rows: map[string][]row{}}
	m.build(t)
	m.look(t)
	return m
}

func (m *matrix) person(t testing.TB, collection, name string, more map[string]any) *core.Record {
	t.Helper()
	fields := map[string]any{"active": true, "role": "owner", "email": strings.ReplaceAll(name, "_", "-") + "@matrix.example", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "Person " + name, "verified": true}
	for k, v := range more {
		fields[k] = v
	}
	r := m.Add(t, collection, fields)
	m.who[name] = r
	return r
}

func (m *matrix) build(t testing.TB) {
	t.Helper()
	m.liken(t)
	m.plant(t)
	for _, s := range []struct {
		name, role string
		duties     []string
		inactive   bool
	}{
		{"s.viewer", "viewer", []string{"handler"}, false},
		{"s.operator", "operator", []string{"handler"}, false},
		{"s.no_duty", "operator", nil, false},
		{"s.compliance", "operator", []string{"compliance"}, false},
		{"s.manager", "manager", nil, false},
		{"s.owner", "owner", []string{"partner"}, false},
		{"s.inactive", "owner", []string{"handler", "partner"}, true},
		{"s.walled", "operator", []string{"handler"}, false},
		{"s.walled_manager", "manager", nil, false},
		{"s.walled_one", "operator", []string{"handler"}, false},
		{"s.walled_compliance", "operator", []string{"compliance"}, false},
		{"s.future", "manager", nil, false},
		{"s.ended", "manager", nil, false},
	} {
		m.person(t, "staff", s.name, map[string]any{"role": s.role, "duties": s.duties, "active": !s.inactive})
	}
	own := m.organizations["own"]
	for _, place := range []string{"parent", "own", "child", "sibling", "other"} {
		for _, role := range []string{"admin", "member", "viewer"} {
			m.join(t, m.person(t, "users", place+"."+role, nil), m.organizations[place], role, "active")
		}
	}
	m.person(t, "users", "nobody", nil)
	m.join(t, m.person(t, "users", "own.participant", nil), own, "member", "active")
	m.join(t, m.person(t, "users", "own.excluded", nil), own, "admin", "active")
	m.join(t, m.person(t, "users", "own.suspended", nil), own, "admin", "suspended")
	m.join(t, m.person(t, "users", "own.invited", nil), own, "admin", "invited")
	two := m.person(t, "users", "two.places", nil)
	m.join(t, two, m.organizations["child"], "viewer", "active")
	m.join(t, two, m.organizations["sibling"], "admin", "active")
	m.work(t)
	done(t, m.Ask(t, m.who["s.operator"], "POST", request(m.requests["walled"], "/exclusions"), map[string]any{"user": m.who["own.excluded"].Id, "reason": "Related"}), 200)
	m.lend(t)
	for name, p := range map[string]struct {
		maker string
		in    access.NewProgram
	}{
		"p.all":    {"s.owner", access.NewProgram{Name: "All", Role: "manager", Duties: []string{"partner"}}},
		"p.own":    {"s.owner", access.NewProgram{Name: "Own", Role: "operator", Organizations: []string{own}}},
		"p.walled": {"s.walled_manager", access.NewProgram{Name: "Walled", Role: "manager"}},
	} {
		m.who[name] = m.Program(t, m.who[p.maker], p.in)
	}
	for name, at := range map[string]map[string]any{"s.walled": {"organization": own}, "s.walled_manager": {"organization": own}, "s.walled_one": {"request": m.requests["walled"]}, "s.walled_compliance": {"organization": own}} {
		at["staff"], at["reason"] = m.who[name].Id, "Related"
		m.Add(t, "walls", at)
	}
	// Rights that have ended since, or have not begun, of both sides.
	for name, set := range map[string]string{"delegate.ended": "until = '2020-01-02 00:00:00.000Z'", "s.ended": "until = '2020-01-02 00:00:00.000Z'", "s.future": "since = '2090-01-01 00:00:00.000Z'"} {
		if _, err := m.DB().NewQuery(`UPDATE access SET ` + set + ` WHERE principal = {:who}`).Bind(dbx.Params{"who": m.who[name].Id}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.DB().NewQuery(`UPDATE delegations SET ends = '2020-01-02 00:00:00.000Z' WHERE [[to]] = {:who}`).Bind(dbx.Params{"who": m.who["delegate.ended"].Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	// The stage's clock runs ahead of the record API's: what it made has begun.
	if _, err := m.DB().NewQuery(`UPDATE access SET since = '2020-01-01 00:00:00.000Z' WHERE source = 'participant'`).Execute(); err != nil {
		t.Fatal(err)
	}
	for name, scope := range map[string]string{"own.admin": "", "s.future": "staff:" + own, "s.ended": "staff:" + own} {
		notice := dbx.Params{"id": schema.NewID(), "event": "x", "channel": "in_app", "status": "sent", "why": "It happened.", "dedupe": name, "scope": scope}
		if scope == "" {
			notice["user"] = m.who[name].Id
		} else {
			notice["staff"], notice["organization"] = m.who[name].Id, own
		}
		if err := schema.Insert(m.TestApp, schema.Notifications, notice); err != nil {
			t.Fatal(err)
		}
	}
	for _, staff := range []string{"s.operator", "s.inactive", "p.all", "own.viewer"} { // the last two by no command: the rule has to hold by itself
		viewing := dbx.Params{"id": schema.NewID(), "user": m.who["own.admin"].Id, "staff": m.who[staff].Id, "until": "2026-01-01 00:00:00.000Z", "ended": "2026-01-01 00:00:00.000Z", "token_hash": "x" + staff}
		if err := schema.Insert(m.TestApp, schema.Viewings, viewing); err != nil {
			t.Fatal(err)
		}
	}
	if err := schema.Insert(m.TestApp, schema.SecondFactors, dbx.Params{"id": schema.NewID(), "principal": m.who["s.viewer"].Id, "secret": "x"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"own.admin", "s.operator"} {
		passkey := passkeyOf(m.who[name])
		passkey["id"] = schema.NewID()
		if err := schema.Insert(m.TestApp, schema.Passkeys, passkey); err != nil {
			t.Fatal(err)
		}
	}
	for _, column := range m.sees.columns {
		for _, table := range []string{schema.Jobs, schema.Recurrences, schema.Timers, schema.Pauses} {
			more := dbx.Params{"name": "crm.tell", "system": "crm", "status": "done", "idempotency_key": column, "revision": 1}
			switch table {
			case schema.Timers:
				more = dbx.Params{"key": "nudge", "kind": "reminder", "entry": 1, "occurrence": "1", "person": "", "status": "fired", "why": "It was due.", "at": "2026-01-01 00:00:00.000Z"}
			case schema.Pauses:
				more = dbx.Params{"started": "2026-01-01 00:00:00.000Z", "until": "2026-01-02 00:00:00.000Z", "ended": "2026-01-02 00:00:00.000Z", "reason": "Away"}
			case schema.Recurrences:
				more = dbx.Params{"workflow_key": "simple_request", "period": column, "why": "Monthly", "at": "2026-01-01 00:00:00.000Z"}
			}
			more["id"], more["request"], more["scope"] = schema.NewID(), m.requests[column], m.scopeOf(t, m.requests[column])
			if err := schema.Insert(m.TestApp, table, more); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.Clock.Move(time.Second)
	m.Deliver(t)
}

// scopeOf is whose staff may see a request.
func (m *matrix) scopeOf(t testing.TB, id string) string {
	t.Helper()
	r, err := m.FindRecordById("requests", id)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetString("scope")
}

// liken gives clients the words by which the rules know staff: only the kind of
// person may make the difference.
func (m *matrix) liken(t testing.TB) {
	t.Helper()
	users, err := m.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	users.Fields.Add(&core.BoolField{Name: "active"}, &core.TextField{Name: "role"}, &core.TextField{Name: "maker"})
	if err := m.Save(users); err != nil {
		t.Fatal(err)
	}
}

// plant makes the tree of organizations.
func (m *matrix) plant(t testing.TB) {
	t.Helper()
	parent := m.Add(t, "organizations", map[string]any{"name": "Group " + canary("parent", false), "code": "GRP"})
	m.organizations = map[string]string{"parent": parent.Id, "own": m.Bluebell.Id, "child": m.Leeds.Id, "other": m.Kestrel.Id}
	m.organizations["sibling"] = m.Add(t, "organizations", map[string]any{"name": "Sister " + canary("sibling", false), "parent": parent.Id, "code": "SIS"}).Id
	for column, change := range map[string]map[string]any{"own": {"parent": parent.Id}, "child": {}, "other": {}} {
		change["name"] = "Client " + canary(column, false)
		done(t, m.Ask(t, m.Sol, "PATCH", "/api/collections/organizations/records/"+m.organizations[column], change), 200)
	}
}

func (m *matrix) join(t testing.TB, user *core.Record, organization, role, status string) {
	t.Helper()
	m.Add(t, "memberships", map[string]any{"user": user.Id, "organization": organization, "role": role, "status": status})
}

// lend makes the delegations.
func (m *matrix) lend(t testing.TB) {
	t.Helper()
	now := m.Clock.Now()
	own := m.organizations["own"]
	giver := m.person(t, "users", "giver", nil)
	m.join(t, giver, own, "admin", "active")
	for name, d := range map[string]map[string]any{
		"delegate.own":          {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour)},
		"delegate.request":      {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour), "request": m.requests["granted"]},
		"delegate.expired":      {"starts": now.Add(-2 * time.Hour), "ends": now.Add(-time.Hour)},
		"delegate.future":       {"starts": now.Add(time.Hour), "ends": now.Add(2 * time.Hour)},
		"delegate.revoked":      {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour), "revoked": true},
		"delegate.ended":        {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour)}, // over since, see below
		"delegate.of_suspended": {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour), "from": giver.Id},
		"delegate.of_excluded":  {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour), "from": m.who["own.excluded"].Id},
		"own.excluded":          {"starts": now.Add(-time.Hour), "ends": now.Add(time.Hour), "request": m.requests["walled"]}, // in vain
	} {
		to := m.who[name]
		if to == nil {
			to = m.person(t, "users", name, nil)
		}
		fields := map[string]any{"from": m.who["own.admin"].Id, "to": to.Id, "organization": own, "reason": "Away " + canary("own", false)}
		for key, v := range d {
			if at, ok := v.(time.Time); ok {
				v = schema.Stamp(at)
			}
			fields[key] = v
		}
		for column, id := range m.requests {
			if d["request"] == id {
				fields["reason"] = "Away " + canary(column, false)
			}
		}
		m.Add(t, "delegations", fields)
	}
	membership, err := m.FindFirstRecordByFilter("memberships", "user = {:u}", dbx.Params{"u": giver.Id})
	if err != nil {
		t.Fatal(err)
	}
	done(t, m.Ask(t, m.Sol, "PATCH", "/api/collections/memberships/records/"+membership.Id, map[string]any{"status": "suspended"}), 200)
	delete(m.who, "giver")
}

// work opens a request for each column, with something of every kind on it.
func (m *matrix) work(t testing.TB) {
	t.Helper()
	operator, admin := m.who["s.operator"], map[string]*core.Record{}
	for _, column := range m.sees.columns {
		place := column
		if m.organizations[column] == "" {
			place = "own"
		}
		admin[column] = m.who[place+".admin"]
		in := workflow.NewRequest{Workflow: "simple_request", Organization: m.organizations[place], Title: "Papers " + canary(column, false), Items: []workflow.NewItem{
			{Section: "things", Template: "file", Title: "File " + canary(column, false)}, {Section: "things", Template: "question", Title: "Question"},
		}}
		if column == "held" {
			in = workflow.NewRequest{Workflow: "acct_onboarding_kyc", Organization: m.organizations[place], Title: "Welcome " + canary(column, false)}
		}
		m.Clock.Move(time.Second)
		m.requests[column] = m.Open(t, operator, in)
		if column == "restricted" {
			admin[column] = m.who["own.participant"]
			m.restrict(t, m.requests[column], m.who["own.participant"].Id)
		}
	}
	for _, column := range m.sees.columns {
		id := m.requests[column]
		if column == "held" {
			m.hold(t, id)
		} else {
			m.Move(t, operator, id, "send")
			m.Upload(t, admin[column], m.Item(t, id, "File "+canary(column, false)).Id, "statement.pdf", nil)
			m.Answer(t, admin[column], m.Item(t, id, "Question").Id, map[string]any{"text": canary(column, false)})
		}
		writer := operator
		if column == "held" {
			writer = m.who["s.compliance"]
		}
		done(t, m.Ask(t, admin[column], "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "Good morning " + canary(column, false)}), 200)
		done(t, m.Ask(t, writer, "POST", "/api/collections/internal_notes/records", map[string]any{"request": id, "body": "Between us " + canary(column, true)}), 200)
	}
	for place, id := range m.organizations {
		done(t, m.Ask(t, m.who["s.manager"], "POST", "/api/portal/invitations", map[string]any{"email": "invited@" + canary(place, false) + ".example", "organization": id, "role": "viewer"}), 200)
	}
	done(t, m.Ask(t, operator, "POST", "/api/portal/bulk", map[string]any{"action": "priority", "priority": "high", "requests": []string{m.requests["own"], m.requests["other"]}, "dry_run": true}), 200)
	m.Deliver(t)
}

// restrict shows a request to one participant alone.
func (m *matrix) restrict(t testing.TB, id, participant string) {
	t.Helper()
	err := m.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().NewQuery(`UPDATE requests SET visibility = 'restricted', participants = {:p} WHERE id = {:id}`).Bind(dbx.Params{"p": schema.JSON([]string{participant}), "id": id}).Execute()
		if err != nil {
			return err
		}
		return access.Request(tx, id, m.Clock.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hold brings a request of the identity check into the state that only some
// duties may see.
func (m *matrix) hold(t testing.TB, id string) {
	t.Helper()
	operator, admin := m.who["s.operator"], m.who["own.admin"]
	m.Move(t, operator, id, "invite")
	done(t, m.Ask(t, admin, "PATCH", request(id), map[string]any{"data": kycData()}), 200)
	m.Anna = admin
	for _, i := range openItemsOf(t, m.Stage, id) {
		m.give(t, admin, i)
	}
	m.Move(t, admin, id, "submit")
	m.Move(t, operator, id, "start_review")
	m.Move(t, operator, id, "escalate", workflow.Input{InternalNote: "Odd money " + canary("held", true)})
}

func (m *matrix) give(t testing.TB, who, item *core.Record) {
	t.Helper()
	day := func(years, months int) string { return m.Clock.Now().AddDate(years, months, 0).Format(time.DateOnly) }
	metadata := map[string]map[string]any{"photo_id": {"document_expiry": day(3, 0)}, "address_proof": {"issued_on": day(0, -1)}}
	answers := map[string]map[string]any{
		"ownership_chart": {"structure": "Ada owns all of it."}, "previous_accountant": {"none_before": true}, "authority_to_act": {"accepted": true}, "pep_details": {"text": "None."},
	}
	if key := item.GetString("key"); item.GetString("kind") == "file" {
		m.Clock.Move(time.Second)
		m.Upload(t, who, item.Id, key+".pdf", metadata[key])
	} else {
		m.Answer(t, who, item.Id, answers[key])
	}
}

// openItemsOf are the items that the client has to give.
func openItemsOf(t testing.TB, s *gatetest.Stage, id string) []*core.Record {
	t.Helper()
	list, err := s.FindRecordsByFilter("items", "request = {:r} && active = true && required = true && section != 'engagement' && status = 'missing'", "position", 0, 0, dbx.Params{"r": id})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// look says of every row in the database what it is about.
func (m *matrix) look(t testing.TB) {
	t.Helper()
	all, err := m.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b *core.Collection) int { return strings.Compare(a.Name, b.Name) })
	m.names = all
	people := map[string]string{}
	for name, r := range m.who {
		if r != nil {
			people[r.Id] = name
		}
	}
	columnOf := map[string]string{}
	for column, id := range m.organizations {
		columnOf[id] = column
	}
	for column, id := range m.requests {
		columnOf[id] = column
	}
	for _, c := range all {
		records, err := m.FindAllRecords(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			x := row{id: r.Id, staff: strings.HasPrefix(r.GetString("scope"), "staff:")}
			for _, id := range []string{r.Id, r.GetString("request"), r.GetString("organization")} {
				if x.column == "" {
					x.column = columnOf[id]
				}
			}
			if c.Fields.GetByName("scope") != nil && r.GetString("scope") == "" {
				x.column = "" // for nobody
			}
			for _, field := range []string{"id", "user", "staff", "by", "recordRef"} {
				name := people[r.GetString(field)]
				if field == "staff" && name != "" && !strings.HasPrefix(name, "s.") {
					name = "as staff: " + name // no owner, yet another kind of row
				}
				if name != "" {
					x.owners = append(x.owners, name)
				}
			}
			if c.Name == "run_items" {
				x.owners = []string{"s.operator"} // who asked for the only run
			}
			m.rows[c.Name] = append(m.rows[c.Name], x)
		}
		for _, u := range m.sees.undecided(c) {
			t.Error(u)
		}
	}
}

// undecided says what the table lacks about a collection.
func (s *sees) undecided(c *core.Collection) []string {
	var list []string
	if _, listed := s.collections[c.Name]; !listed && c.Fields.GetByName("scope") == nil {
		list = append(list, fmt.Sprintf("nobody has decided who sees %s: it carries no scope, and testdata/sees.txt does not speak of it", c.Name))
	}
	for _, f := range c.Fields {
		if name := c.Name + "." + f.GetName(); !strings.HasPrefix(name, "_") && f.GetHidden() != s.hidden[name] {
			list = append(list, fmt.Sprintf("%s is hidden: %v, and testdata/sees.txt says otherwise", name, f.GetHidden()))
		}
	}
	return list
}

// ask sends a request as somebody, and looks for words in the answer that this
// person must not read.
func (m *matrix) ask(t testing.TB, person, method, path string, body any) gatetest.Answer {
	t.Helper()
	m.cells++
	// Each from elsewhere: PocketBase lets an address that finds nothing wait.
	m.Address = fmt.Sprintf("10.%d.%d.%d:1234", m.cells>>16&255, m.cells>>8&255, m.cells&255)
	a := m.Ask(t, m.who[person], method, path, body)
	m.scan(person, method+" "+path, a.Raw)
	if a.Status >= http.StatusInternalServerError {
		m.wrong("%s: %s %s is our own fault: %d %s", person, method, path, a.Status, a.Raw)
	}
	return a
}

func (m *matrix) scan(person, what string, answer []byte) {
	if !bytes.Contains(answer, []byte("canary")) {
		return
	}
	for _, column := range m.sees.columns {
		for _, staff := range []bool{false, true} {
			if cell := m.sees.cells[person][column]; cell == "t" || cell == "c" && !staff {
				continue
			}
			// The organization's own name is on what is lent, too.
			if person == "delegate.request" && column == "own" && !staff {
				continue
			}
			if at := bytes.Index(answer, []byte(canary(column, staff))); at >= 0 {
				m.wrong("%s reads of %s by %s: …%s…", person, canary(column, staff), what, answer[max(0, at-80):min(len(answer), at+60)])
			}
		}
	}
}

// done is a step of the world's making that must have worked.
func done(t testing.TB, a gatetest.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("%d, wanted %d: %s", a.Status, status, a.Raw)
	}
}
