package hooks_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// Everybody × every collection × every way of looking, against the table in
// testdata/sees.txt.
func TestMatrix_everybodySeesWhatTheTableSays(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for n, person := range m.sees.people {
		if n%askEvery != 0 {
			continue
		}
		for _, c := range m.names {
			m.look1(t, person, c)
		}
		m.pages(t, person)
	}
	for _, person := range m.sees.people { // last, since each download is a line in the audit log
		m.files(t, person)
	}
	for n, b := range m.bad {
		if n == 40 {
			t.Errorf("and %d more", len(m.bad)-n)
			break
		}
		t.Error(b)
	}
	t.Logf("%d people, %d collections, %d questions", len(m.sees.people), len(m.names), m.cells)
	if m.cells < 50_000/askEvery {
		t.Error("that is too few")
	}
}

// look1 looks at a collection in every way that the record API has.
func (m *matrix) look1(t testing.TB, person string, c *core.Collection) {
	t.Helper()
	wanted := m.wanted(person, c)
	closed := m.list(t, person, c, wanted)
	m.view(t, person, c, wanted, closed)
	m.touch(t, person, c, wanted)
	if !closed {
		m.probe(t, person, c, wanted)
	}
}

// wanted are the rows of a collection that a person sees.
func (m *matrix) wanted(person string, c *core.Collection) map[string]bool {
	wanted := map[string]bool{}
	for _, r := range m.rows[c.Name] {
		if m.sees.may(person, c.Name, r) {
			wanted[r.id] = true
		}
	}
	return wanted
}

// list lists and counts a collection, and says whether it is closed to a person.
func (m *matrix) list(t testing.TB, person string, c *core.Collection, wanted map[string]bool) (closed bool) {
	t.Helper()
	list := m.ask(t, person, http.MethodGet, records(c.Name)+"?perPage=1000", nil)
	switch {
	case list.Status == http.StatusUnauthorized && person == "s.inactive": // whoever has left is not even signed in
		if len(wanted) > 0 {
			m.wrong("%s should see %d of %s", person, len(wanted), c.Name)
		}
		return true
	case c.ListRule == nil && person != "superuser":
		if list.Status != http.StatusForbidden || len(wanted) > 0 {
			m.wrong("%s lists %s: %d, and should see %d", person, c.Name, list.Status, len(wanted))
		}
		return true
	default:
		ids := idsOf(list.Body["items"])
		m.same(person, c.Name+", listed", m.known(c.Name, ids), wanted)
		if total, _ := list.Body["totalItems"].(float64); int(total) != len(ids) {
			m.wrong("%s counts %v of %s, and is shown %d", person, list.Body["totalItems"], c.Name, len(ids))
		}
		return false
	}
}

// view opens a record of each kind, each person another one.
func (m *matrix) view(t testing.TB, person string, c *core.Collection, wanted map[string]bool, closed bool) {
	t.Helper()
	for _, alike := range kinds(m.rows[c.Name]) {
		r := alike[slices.Index(m.sees.people, person)%len(alike)]
		status := m.ask(t, person, http.MethodGet, records(c.Name, r.id), nil).Status
		if expected := map[bool]int{true: 200, false: 404}[wanted[r.id]]; status != expected && (!closed || status != http.StatusForbidden && status != http.StatusUnauthorized) {
			m.wrong("%s views %s of %s (%s): %d, wanted %d", person, r.id, c.Name, r.column, status, expected)
		}
	}
}

// kinds puts rows together that nothing but their content tells apart.
func kinds(rows []row) map[string][]row {
	list := map[string][]row{}
	for _, r := range rows {
		kind := fmt.Sprint(r.column, r.staff, r.owners)
		list[kind] = append(list[kind], r)
	}
	return list
}

// touch tries to change, to delete and to add to what is not shown: the answer is
// that there is no such thing, or that nobody of one's kind ever may.
func (m *matrix) touch(t testing.TB, person string, c *core.Collection, wanted map[string]bool) {
	t.Helper()
	tried := map[string]bool{}
	for _, r := range m.rows[c.Name] {
		kind := fmt.Sprint(r.column, r.staff)
		if wanted[r.id] || tried[kind] {
			continue
		}
		tried[kind] = true
		for _, method := range []string{http.MethodPatch, http.MethodDelete} {
			if a := m.ask(t, person, method, records(c.Name, r.id), map[string]any{}); a.Status != http.StatusNotFound && a.Status != http.StatusForbidden && a.Status != http.StatusUnauthorized {
				m.wrong("%s tries to %s %s of %s (%s) and is answered %d: %s", person, method, r.id, c.Name, r.column, a.Status, a.Raw)
			}
		}
	}
	for _, column := range m.sees.columns {
		if m.sees.cells[person][column] != "-" || person == "superuser" {
			continue
		}
		body := map[string]any{"request": m.requests[column], "organization": m.organizations[column], "body": "x", "user": m.whoID(person), "role": "admin", "status": "active"}
		if a := m.ask(t, person, http.MethodPost, records(c.Name), body); a.Status == http.StatusOK {
			m.wrong("%s adds to %s of %s", person, c.Name, column)
		}
	}
}

func (m *matrix) whoID(person string) string {
	if r := m.who[person]; r != nil {
		return r.Id
	}
	return ""
}

// probe asks about what is not shown: hidden fields, and what rows point to.
func (m *matrix) probe(t testing.TB, person string, c *core.Collection, wanted map[string]bool) {
	t.Helper()
	base := records(c.Name)
	query := func(key, value string) (int, []string) {
		a := m.ask(t, person, http.MethodGet, base+"?perPage=1000&"+key+"="+url.QueryEscape(value), nil)
		return a.Status, idsOf(a.Body["items"])
	}
	for _, f := range c.Fields {
		name := f.GetName()
		if m.sees.hidden[c.Name+"."+name] {
			m.peek(t, person, c, name)
			continue
		}
		relation, ok := f.(*core.RelationField)
		if !ok {
			continue
		}
		target, err := m.FindCollectionByNameOrId(relation.CollectionId)
		if err != nil {
			t.Fatal(err)
		}
		visible := map[string]bool{}
		for _, r := range m.rows[target.Name] {
			visible[r.id] = m.sees.may(person, target.Name, r)
		}
		m.through(t, person, c, base, name, target, visible)
	}
	for _, other := range m.names {
		for _, f := range other.Fields {
			if relation, ok := f.(*core.RelationField); ok && relation.CollectionId == c.Id {
				m.back(t, person, c, other, f.GetName(), query)
			}
		}
	}
	if status, ids := query("sort", "-created"); status == http.StatusOK {
		m.same(person, c.Name+", sorted", m.known(c.Name, ids), wanted)
	}
}

// peek asks by a field that nobody but superusers reads.
func (m *matrix) peek(t testing.TB, person string, c *core.Collection, field string) {
	t.Helper()
	if person == "superuser" {
		return
	}
	for _, q := range []string{"filter=" + url.QueryEscape(field+" != 'x'"), "sort=" + field} {
		if a := m.ask(t, person, http.MethodGet, records(c.Name)+"?perPage=1000&"+q, nil); a.Status == http.StatusOK && len(idsOf(a.Body["items"])) > 0 {
			m.wrong("%s asks %s by the hidden %s", person, c.Name, field)
		}
	}
}

// through follows a relation: what it leads to may be expanded, filtered and
// sorted by only as far as it may be seen.
func (m *matrix) through(t testing.TB, person string, c *core.Collection, base, field string, target *core.Collection, visible map[string]bool) {
	t.Helper()
	a := m.ask(t, person, http.MethodGet, base+"?perPage=1000&expand="+field, nil)
	leads := map[string][]string{}
	items, _ := a.Body["items"].([]any)
	for _, i := range items {
		item, _ := i.(map[string]any)
		id, _ := item["id"].(string)
		leads[id] = stringsOf(item[field])
		expanded, _ := item["expand"].(map[string]any)
		for _, x := range idsOf(expanded[field]) {
			if !visible[x] {
				m.wrong("%s expands %s of %s to %s of %s", person, field, c.Name, x, target.Name)
			}
		}
	}
	for _, text := range []string{"name", "title", "email", "state", "body", "turn"} {
		if target.Fields.GetByName(text) == nil {
			continue
		}
		for _, sort := range []string{"sort=" + field + "." + text, "filter=" + url.QueryEscape(field+"."+text+" > ' '")} {
			a := m.ask(t, person, http.MethodGet, base+"?perPage=1000&"+sort, nil)
			if a.Status != http.StatusOK || strings.HasPrefix(sort, "sort") {
				continue
			}
			for _, id := range idsOf(a.Body["items"]) {
				if !slices.ContainsFunc(leads[id], func(to string) bool { return visible[to] }) {
					m.wrong("%s finds %s of %s by the %s of its %s, which is not shown", person, id, c.Name, text, field)
				}
			}
		}
	}
}

// back asks by what points here.
func (m *matrix) back(t testing.TB, person string, c, other *core.Collection, field string, query func(string, string) (int, []string)) {
	t.Helper()
	status, ids := query("filter", other.Name+"_via_"+field+".id ?> ' '")
	if status != http.StatusOK || len(ids) == 0 {
		return
	}
	records, err := m.FindAllRecords(other.Name)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range records {
		for _, x := range m.rows[other.Name] {
			if x.id == r.Id && m.sees.may(person, other.Name, x) {
				for _, to := range r.GetStringSlice(field) {
					known[to] = true
				}
			}
		}
	}
	for _, id := range ids {
		if !known[id] {
			m.wrong("%s finds %s of %s by %s_via_%s, which is not shown", person, id, c.Name, other.Name, field)
		}
	}
}

// pages opens every page of the portal's own API that only reads.
func (m *matrix) pages(t testing.TB, person string) {
	t.Helper()
	for _, r := range m.House.Rows {
		if r.When != http.MethodGet || !strings.HasPrefix(r.What, "/api/portal/") {
			continue
		}
		if !strings.Contains(r.What, "{id}") {
			m.ask(t, person, r.When, r.What, nil)
			continue
		}
		ids := m.requests
		if strings.HasPrefix(r.What, "/api/portal/clients/") {
			ids = m.organizations
		}
		nowhere := m.ask(t, person, r.When, strings.ReplaceAll(r.What, "{id}", nowhereID), nil)
		for column, id := range ids {
			a := m.ask(t, person, r.When, strings.ReplaceAll(r.What, "{id}", id), nil)
			if strings.Contains(r.What, "/requests/") || strings.Contains(r.What, "/clients/") {
				if m.sees.cells[person][column] == "-" && canonical(a.Raw) != canonical(nowhere.Raw) {
					m.wrong("%s tells %s of %s from what is not there: %s, %s", person, r.What, column, a.Raw, nowhere.Raw)
				}
			}
			if cell := m.sees.cells[person][column]; cell == "-" && a.Status == http.StatusOK {
				m.wrong("%s opens %s of %s", person, r.What, column)
			} else if strings.HasSuffix(r.What, "/requests/{id}") && cell != "-" && a.Status != http.StatusOK {
				m.wrong("%s may not open %s of %s: %d", person, r.What, column, a.Status)
			}
		}
	}
	for _, query := range []string{"/api/portal/queue?view=all", "/api/portal/requests?view=all", "/api/portal/queue?view=all&q=canary", "/api/portal/clients?q=canary"} {
		m.ask(t, person, http.MethodGet, query, nil)
	}
}

// files fetches every document, with a token and without.
func (m *matrix) files(t testing.TB, person string) {
	t.Helper()
	documents, err := m.FindAllRecords("documents")
	if err != nil {
		t.Fatal(err)
	}
	token := ""
	if who := m.who[person]; who != nil {
		token = m.FileToken(t, who)
	}
	for _, d := range documents {
		at := slices.IndexFunc(m.rows["documents"], func(r row) bool { return r.id == d.Id })
		path := "/api/files/documents/" + d.Id + "/" + d.GetString("file")
		if a := m.ask(t, person, http.MethodGet, path, nil); a.Status == http.StatusOK {
			m.wrong("%s fetches a file without a token", person)
		}
		a := m.ask(t, person, http.MethodGet, path+"?token="+token, nil)
		if expected := map[bool]int{true: 200, false: 404}[m.sees.may(person, "documents", m.rows["documents"][at])]; a.Status != expected && (expected == http.StatusOK || a.Status != http.StatusUnauthorized) {
			m.wrong("%s fetches a file of %s: %d, wanted %d", person, m.rows["documents"][at].column, a.Status, expected)
		}
	}
}

// known leaves out what the questions themselves have added.
func (m *matrix) known(collection string, ids []string) []string {
	if !slices.Contains([]string{"audit_log", "reads", "sessions"}, collection) {
		return ids
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(m.rows[collection], func(r row) bool { return r.id == id })
	})
}

func (m *matrix) same(person, what string, got []string, wanted map[string]bool) {
	slices.Sort(got)
	want := slices.Sorted(maps.Keys(wanted))
	if slices.Equal(got, want) {
		return
	}
	var lines []string
	for _, id := range got {
		if !wanted[id] {
			lines = append(lines, "+"+id+" "+m.about(id))
		}
	}
	for _, id := range want {
		if !slices.Contains(got, id) {
			lines = append(lines, "-"+id+" "+m.about(id))
		}
	}
	m.wrong("%s, %s: %s", person, what, strings.Join(lines[:min(4, len(lines))], ", "))
}

func (m *matrix) about(id string) string {
	for collection, rows := range m.rows {
		for _, r := range rows {
			if r.id == id {
				return fmt.Sprintf("(%s of %s, staff only: %v)", collection, r.column, r.staff)
			}
		}
	}
	return ""
}

// idsOf are the ids in a list of records, or in one record.
func idsOf(v any) []string {
	var ids []string
	switch x := v.(type) {
	case []any:
		for _, i := range x {
			ids = append(ids, idsOf(i)...)
		}
	case map[string]any:
		if id, ok := x["id"].(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func stringsOf(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var list []string
		for _, i := range x {
			list = append(list, stringsOf(i)...)
		}
		return list
	}
	return nil
}
