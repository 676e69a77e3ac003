package hooks_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
)

// lock is something that keeps somebody out, and what becomes of it when a part
// of it goes.
type lock struct {
	kind, name string
	break1     func() (mend func())
	noticed    func() bool
}

// strong is the matrix, with the doors before and behind the rules open: whoever
// has left still holds a session, and no hook refuses to write. A rule has to
// hold by itself.
type strong struct {
	*matrix
	moment *gatetest.Moment
	said   map[string]string
	whole  map[string]bool // the rules that everybody was asked about before they were broken
}

// first are those whose right is not there yet, or not any more: they notice most.
var first = []string{"stranger", "nobody", "delegate.future", "delegate.ended", "s.future", "s.ended", "s.walled", "s.walled_manager", "own.viewer", "s.inactive", "own.admin", "s.operator", "s.manager", "s.owner", "p.all"}

// Locks that nothing notices when they go, and why: parts of their names.
var excusedLocks = map[string]string{
	"Rule of run_items as \"@request.auth.active = true":                                                   "only staff have a right to a request's staff scope",
	"Rule of run_items as \"@request.auth.collectionName = 'staff' && @request.auth.maker = '' && (run.by": "whoever has left has no right to any scope",
}

// A rule that lacks any one of its clauses turns the matrix red, and so does a
// hidden field that is not: it would find whatever somebody forgets. (The rules
// of PocketBase's own collections are not ours.)
func TestMatrix_isStrong(t *testing.T) {
	t.Parallel()
	m := &strong{matrix: newMatrix(t), said: map[string]string{}, whole: map[string]bool{}}
	m.openDoors(t)
	m.moment = m.Keep(t)
	planted, red := map[string]int{}, map[string]int{}
	count, excuses := 0, 0
	for _, l := range m.locks(t) {
		if count++; count%askEvery != 0 {
			continue
		}
		planted[l.kind]++
		m.bad = nil
		mend := l.break1()
		noticed := l.noticed()
		mend()
		reason := excuse(l.name)
		switch {
		case noticed && reason != "":
			t.Errorf("%s needs no excuse any more", l.name)
		case noticed:
			red[l.kind]++
		case reason != "":
			excuses++
			t.Logf("excused: %s, since %s", l.name, reason)
		default:
			t.Errorf("nobody misses %s", l.name)
		}
	}
	t.Logf("%d locks broken: %v; noticed: %v; excused: %d; questions: %d", count, planted, red, excuses, m.cells)
	if count < 300 || excuses*50 > count {
		t.Errorf("%d locks, %d excused: too few, or too many", count, excuses)
	}
}

func excuse(name string) string {
	for part, reason := range excusedLocks {
		if strings.Contains(name, part) {
			return reason
		}
	}
	return ""
}

// openDoors takes the session check and every hook before a write away.
func (m *strong) openDoors(t *testing.T) {
	t.Helper()
	for _, person := range m.sees.people {
		m.Token(t, m.who[person])
	}
	for _, r := range m.House.Rows {
		if strings.HasSuffix(r.When, " request") && r.When != "every request" || r.ID == "access.check_session" {
			m.Off(t, r.ID)
		}
	}
}

// locks are all clauses of all rules, and all hidden fields.
func (m *strong) locks(t *testing.T) []lock {
	t.Helper()
	var list []lock
	for _, c := range m.names {
		if strings.HasPrefix(c.Name, "_") {
			continue
		}
		for _, rule := range []string{"listRule", "viewRule", "createRule", "updateRule", "deleteRule"} {
			before := ruleOf(c, rule)
			if before == nil {
				continue
			}
			for _, mutant := range mutants(*before) {
				list = append(list, lock{
					kind: rule, name: fmt.Sprintf("%s of %s as %q", rule, c.Name, mutant),
					break1:  func() func() { return m.replace(t, c.Name, rule, *before, mutant) },
					noticed: func() bool { return m.notices(t, c, rule) },
				})
			}
		}
		for _, f := range c.Fields {
			if name := f.GetName(); f.GetHidden() {
				list = append(list, lock{
					kind: "hidden", name: c.Name + "." + name,
					break1:  func() func() { return m.show(t, c.Name, name) },
					noticed: func() bool { return m.shown(t, c, name) },
				})
			}
		}
	}
	return list
}

// replace gives a collection another rule.
func (m *strong) replace(t *testing.T, collection, rule, before, after string) func() {
	t.Helper()
	if rule != "listRule" && rule != "viewRule" {
		c, err := m.FindCollectionByNameOrId(collection)
		if err != nil {
			t.Fatal(err)
		}
		if key := rule + collection; !m.whole[key] {
			m.whole[key] = true
			m.writes(t, c, rule) // what is answered while the rule is whole
		}
	}
	m.setRule(t, collection, rule, after)
	return func() {
		m.setRule(t, collection, rule, before)
	}
}

// notices says whether somebody sees or writes something else.
func (m *strong) notices(t *testing.T, c *core.Collection, rule string) bool {
	t.Helper()
	if rule != "listRule" && rule != "viewRule" {
		return m.writes(t, c, rule)
	}
	changed, err := m.FindCollectionByNameOrId(c.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range append(slices.Clone(first), m.sees.people...) {
		if person == "s.inactive" && slices.Contains(m.sees.collections[c.Name], "signed") {
			continue // whoever has left is signed in here
		}
		wanted := m.wanted(person, c)
		if rule == "listRule" {
			m.list(t, person, changed, wanted)
		} else {
			m.view(t, person, changed, wanted, false)
		}
		if len(m.bad) > 0 {
			return true
		}
	}
	return false
}

// writes tries to write as everybody who would notice, and says whether an answer
// is another one than the first time. Nobody writes what is not shown.
func (m *strong) writes(t *testing.T, c *core.Collection, rule string) bool {
	t.Helper()
	for _, person := range first {
		var log []string
		switch rule {
		case "createRule":
			log = append(log, fmt.Sprint(m.create(t, person, c.Name)))
		default:
			wanted := m.wanted(person, c)
			method := map[string]string{"updateRule": http.MethodPatch, "deleteRule": http.MethodDelete}[rule]
			for _, kind := range sortedKinds(m.rows[c.Name]) {
				r := kind[0]
				status := m.try(t, person, method, records(c.Name, r.id), map[string]any{}).Status
				log = append(log, fmt.Sprint(r.column, r.staff, status))
				if status < 300 && !wanted[r.id] {
					m.wrong("%s may %s %s of %s", person, method, r.id, c.Name)
				}
			}
		}
		key := rule + c.Name + person
		if before, known := m.said[key]; !known {
			m.said[key] = strings.Join(log, " ")
		} else if before != strings.Join(log, " ") {
			return true
		}
	}
	return false
}

func sortedKinds(rows []row) [][]row {
	list := slices.Collect(maps.Values(kinds(rows)))
	slices.SortFunc(list, func(a, b []row) int { return strings.Compare(a[0].id, b[0].id) })
	return list
}

// try asks, and undoes what came of it.
func (m *strong) try(t *testing.T, person, method, path string, body any) gatetest.Answer {
	t.Helper()
	a := m.ask(t, person, method, path, body)
	if a.Status < 300 {
		m.Back(t, m.moment)
	}
	return a
}

// create adds a record that has everything which any collection asks for.
func (m *strong) create(t *testing.T, person, collection string) int {
	t.Helper()
	own, request := m.organizations["own"], m.requests["own"]
	if collection == "documents" {
		a := m.Send(t, m.who[person], map[string]string{"organization": own, "request": request, "title": "New", "state": "ready", "scope": own, "version": "1"}, "new.pdf", gatetest.PDF("new"))
		if a.Status < 300 {
			m.Back(t, m.moment)
		}
		return a.Status
	}
	body := map[string]any{
		"organization": own, "body": "x", "user": m.who["nobody"].Id, "role": "viewer", "status": "active", "name": "New", "reason": "Related", "active": true,
		"email": "new@matrix.example", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "staff": m.who["s.viewer"].Id, "scope": own,
		"from": m.who["own.admin"].Id, "to": m.who["nobody"].Id, "starts": "2020-01-01 00:00:00.000Z", "ends": "2090-01-01 00:00:00.000Z", "author_name": "x",
	}
	if collection != "walls" && collection != "delegations" {
		body["request"] = request
	}
	return m.try(t, person, http.MethodPost, records(collection), body).Status
}

// show makes a field visible, and lets everybody list its collection.
func (m *strong) show(t *testing.T, collection, field string) func() {
	t.Helper()
	_, err := m.DB().NewQuery(`UPDATE _collections SET listRule = '', fields = (SELECT json_group_array(CASE WHEN value ->> 'name' = {:field} THEN json_set(value, '$.hidden', json('false')) ELSE json(value) END)
		FROM json_each(fields)) WHERE name = {:name}`).Bind(dbx.Params{"field": field, "name": collection}).Execute()
	if err == nil {
		err = m.ReloadCachedCollections()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		m.Back(t, m.moment)
		if err := m.ReloadCachedCollections(); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *strong) shown(t *testing.T, c *core.Collection, field string) bool {
	t.Helper()
	m.peek(t, "own.viewer", c, field)
	return len(m.bad) > 0
}

func (m *matrix) setRule(t testing.TB, collection, rule, to string) {
	t.Helper()
	_, err := m.DB().NewQuery("UPDATE _collections SET " + rule + " = {:to} WHERE name = {:name}").Bind(map[string]any{"to": to, "name": collection}).Execute()
	if err == nil {
		err = m.ReloadCachedCollections()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func ruleOf(c *core.Collection, rule string) *string {
	return map[string]*string{"listRule": c.ListRule, "viewRule": c.ViewRule, "createRule": c.CreateRule, "updateRule": c.UpdateRule, "deleteRule": c.DeleteRule}[rule]
}

// mutants are a rule without one clause each: a term of a conjunction is gone, a
// term of an alternative is gone, at any depth.
func mutants(rule string) []string {
	terms, joint := split(rule)
	if len(terms) == 1 {
		if inner, ok := strings.CutPrefix(rule, "("); ok && strings.HasSuffix(inner, ")") {
			var list []string
			for _, m := range mutants(strings.TrimSuffix(inner, ")")) {
				list = append(list, "("+m+")")
			}
			return list
		}
		return []string{""}
	}
	var list []string
	for n, term := range terms {
		list = append(list, strings.Join(slices.Delete(slices.Clone(terms), n, n+1), joint))
		if strings.HasPrefix(term, "(") {
			for _, m := range mutants(term) {
				if m != "" && m != "()" {
					with := slices.Clone(terms)
					with[n] = m
					list = append(list, strings.Join(with, joint))
				}
			}
		}
	}
	return list
}

// split takes a rule apart at its outermost || or, if there is none, &&.
func split(rule string) (terms []string, joint string) {
	for _, joint := range []string{" || ", " && "} {
		depth, start := 0, 0
		terms = nil
		for n, r := range rule {
			switch {
			case r == '(':
				depth++
			case r == ')':
				depth--
			case depth == 0 && strings.HasPrefix(rule[n:], joint):
				terms, start = append(terms, rule[start:n]), n+len(joint)
			}
		}
		if terms = append(terms, rule[start:]); len(terms) > 1 {
			return terms, joint
		}
	}
	return terms, ""
}
