package hooks_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks"
	"gatehouse/hooks/access"
	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/schema"
)

func explain(t *testing.T, s *gatetest.Stage, asker *core.Record, collection, record string, who *core.Record) access.Explanation {
	t.Helper()
	a := s.Ask(t, asker, "GET", "/api/portal/access/explain?collection="+collection+"&record="+record+"&principal="+who.Id, nil)
	want(t, a, 200)
	var out access.Explanation
	if err := json.Unmarshal(a.Raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func says(out access.Explanation) string {
	var texts []string
	for _, f := range out.Facts {
		texts = append(texts, f.Text)
	}
	return strings.Join(texts, " ")
}

// Every kind of fact has its sentence, and the first one that is missing too.
func TestExplain_chain(t *testing.T) {
	s := gatetest.New(t)
	s.Clock.Set(time.Now().UTC()) // rules go by the real time
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	leeds := s.Leeds.Id
	now := s.Clock.Now()
	lend := func(to *core.Record, from, until int, fields map[string]any) *core.Record {
		all := map[string]any{"from": s.Anna.Id, "to": to.Id, "organization": s.Bluebell.Id, "starts": schema.Stamp(now.AddDate(0, 0, from)), "ends": schema.Stamp(now.AddDate(0, 0, until))}
		for k, v := range fields {
			all[k] = v
		}
		return s.Add(t, "delegations", all)
	}
	check := func(name string, out access.Explanation, see bool, kind, words string) {
		t.Helper()
		if out.See != see {
			t.Errorf("%s: see is %v: %s", name, out.See, says(out))
		}
		if text := says(out); !strings.Contains(text, words) || out.Facts[0].Kind != kind {
			t.Errorf("%s: wanted %s, %q; got %v", name, kind, words, out.Facts)
		}
	}
	check("own organization", explain(t, s, s.Sam, "requests", id, s.Anna), true, "membership", "Anna is an admin of Bluebell Bakery.")
	check("parent's membership", explain(t, s, s.Sam, "organizations", leeds, s.Vera), true, "membership", "Vera is a viewer of Bluebell Bakery, which stands above Leeds shop.")
	check("the office below sees nothing above", explain(t, s, s.Sam, "requests", id, s.Ben), false, "membership", "Ben has no membership of Bluebell Bakery or an organization above it")
	check("another client", explain(t, s, s.Sam, "requests", id, s.Cleo), false, "membership", "Cleo has no membership of Bluebell Bakery")
	check("what only staff see", explain(t, s, s.Sam, "transitions", anyOf(t, s, "transitions", id), s.Anna), false, "scope", "Only staff ever see this")
	check("staff", explain(t, s, s.Sam, "requests", id, s.Ruth), true, "staff", "Ruth is active staff (operator), and no wall stands")
	check("a viewer of the firm", explain(t, s, s.Sam, "requests", id, s.Ines), true, "staff", "lets Ines look, not change")
	check("superuser", explain(t, s, s.Sol, "requests", id, s.Sol), true, "superuser", "Superusers pass every rule")

	lent := lend(s.Cleo, -2, 3, nil)
	out := explain(t, s, s.Sam, "requests", id, s.Cleo)
	check("delegate", out, true, "delegation", "Anna lets Cleo act on Bluebell Bakery until")
	if out.Facts[0].Until == "" || out.Facts[0].SourceID != lent.Id || !strings.Contains(says(out), "acts here for Anna") {
		t.Errorf("a delegate's facts name the row, its end and the giver: %+v", out.Facts)
	}
	lent.Set("revoked", true)
	if err := s.Save(lent); err != nil {
		t.Fatal(err)
	}
	check("taken back", explain(t, s, s.Sam, "requests", id, s.Cleo), false, "delegation", "What Anna lent Cleo was taken back.")
	lend(s.Ben, -9, -1, nil)
	check("ended", explain(t, s, s.Sam, "requests", id, s.Ben), false, "delegation", "What Anna lent Ben ended on")

	membership, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", map[string]any{"u": s.Vera.Id})
	if err != nil {
		t.Fatal(err)
	}
	membership.Set("status", "suspended")
	if err := s.Save(membership); err != nil {
		t.Fatal(err)
	}
	check("suspended", explain(t, s, s.Sam, "requests", id, s.Vera), false, "membership", "The membership of Vera in Bluebell Bakery is suspended.")

	s.Add(t, "walls", map[string]any{"staff": s.Ruth.Id, "organization": s.Bluebell.Id, "reason": "Her brother owns it"})
	check("walled, to a manager", explain(t, s, s.Mia, "requests", id, s.Ruth), false, "wall", "A wall keeps Ruth away from Bluebell Bakery: Her brother owns it.")
	if text := says(explain(t, s, s.Sam, "requests", id, s.Ruth)); strings.Contains(text, "brother") || !strings.Contains(text, "A wall keeps Ruth away") {
		t.Errorf("why a wall stands is a manager's business: %s", text)
	}
	s.Ines.Set("active", false)
	if err := s.Save(s.Ines); err != nil {
		t.Fatal(err)
	}
	check("left", explain(t, s, s.Sam, "requests", id, s.Ines), false, "inactive", "The account of Ines is not active.")

	if _, err := s.DB().NewQuery(`UPDATE requests SET visibility = 'restricted', participants = {:p} WHERE id = {:id}`).Bind(map[string]any{"p": schema.JSON([]string{s.Anna.Id}), "id": id}).Execute(); err != nil {
		t.Fatal(err)
	}
	lend(s.Vera, -9, 9, nil)
	if err := s.RunInTransaction(func(tx core.App) error { return access.Request(tx, id, now) }); err != nil {
		t.Fatal(err)
	}
	check("restricted, and named", explain(t, s, s.Sam, "requests", id, s.Anna), true, "participant", "Anna is named as a participant")
	check("restricted, and not named", explain(t, s, s.Sam, "requests", id, s.Vera), false, "participant", "Vera is not one of them")
}

func anyOf(t *testing.T, s *gatetest.Stage, table, request string) string {
	t.Helper()
	var id string
	scan(t, s, `SELECT id FROM `+table+` WHERE request = {:id} LIMIT 1`, request, &id)
	return id
}

// Who may ask, and about what: never about what the asker may not see.
func TestExplain_whoMayAsk(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	paths := []string{
		"/api/portal/access/explain?collection=requests&record=" + id + "&principal=" + s.Anna.Id,
		"/api/portal/access/people?collection=requests&record=" + id,
		"/api/portal/access/reach?principal=" + s.Anna.Id,
	}
	for _, path := range paths {
		want(t, s.Ask(t, nil, "GET", path, nil), 401)
		want(t, s.Ask(t, s.Anna, "GET", path, nil), 403)
		want(t, s.Ask(t, s.Ines, "GET", path, nil), 403)
		want(t, s.Ask(t, s.Sam, "GET", path, nil), 200)
	}
	s.Add(t, "walls", map[string]any{"staff": s.Sam.Id, "organization": s.Bluebell.Id, "reason": "Related"})
	walled := s.Ask(t, s.Sam, "GET", paths[0], nil)
	absent := s.Ask(t, s.Sam, "GET", strings.Replace(paths[0], id, "nosuchrecord000", 1), nil)
	want(t, walled, 404)
	if walled.Status != absent.Status || walled.Message() != absent.Message() {
		t.Errorf("behind a wall: %s; not there: %s", walled.Raw, absent.Raw)
	}
	want(t, s.Ask(t, s.Sam, "GET", paths[1], nil), 404)
	reach := s.Ask(t, s.Sam, "GET", paths[2], nil)
	want(t, reach, 200)
	if strings.Contains(string(reach.Raw), "Bluebell") || strings.Contains(string(reach.Raw), id) {
		t.Errorf("what Anna sees tells Sam of what a wall hides from him: %s", reach.Raw)
	}
	for _, bad := range []string{"?collection=requests&record=" + id, "?collection=&record=x&principal=y"} {
		want(t, s.Ask(t, s.Mia, "GET", "/api/portal/access/explain"+bad, nil), 400)
	}
	for _, hidden := range []string{"_superusers", "access", "events", "nope", "_mfas"} {
		a := s.Ask(t, s.Pat, "GET", "/api/portal/access/explain?collection="+hidden+"&record="+s.Sol.Id+"&principal="+s.Anna.Id, nil)
		want(t, a, 404)
	}
	want(t, s.Ask(t, s.Pat, "GET", "/api/portal/access/explain?collection=requests&record="+id+"&principal="+s.Sol.Id, nil), 404)
}

// The list of who sees a request, and of what somebody sees.
func TestExplain_bothWays(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	a := s.Ask(t, s.Mia, "GET", "/api/portal/access/people?collection=requests&record="+id, nil)
	want(t, a, 200)
	var names []string
	for _, one := range a.Body["items"].([]any) {
		v := one.(map[string]any)
		names = append(names, v["name"].(string)+" "+v["as"].(string))
		if facts := v["facts"].([]any); len(facts) == 0 {
			t.Errorf("no fact says why %v sees it", v["name"])
		}
	}
	sameNames(t, names, []string{"Anna face", "Vera face", "Sam truth", "Ruth truth", "Pat truth", "Mia truth", "Ines truth"})

	b := s.Ask(t, s.Mia, "GET", "/api/portal/access/reach?principal="+s.Ben.Id, nil)
	want(t, b, 200)
	if text := string(b.Raw); !strings.Contains(text, "Leeds shop") || strings.Contains(text, "Bluebell Bakery\"") || strings.Contains(text, id) {
		t.Errorf("Ben sees Leeds and nothing above: %s", text)
	}
	c := s.Ask(t, s.Mia, "GET", "/api/portal/access/reach?principal="+s.Anna.Id, nil)
	want(t, c, 200)
	if counts := c.Body["counts"].(map[string]any); counts["organizations"] != 2.0 || counts["client_requests"] != 1.0 || !strings.Contains(string(c.Raw), "Anna is an admin of Bluebell Bakery") {
		t.Errorf("what Anna sees: %s", c.Raw)
	}
	// Who may look after somebody's sign-ins is told as it is enforced.
	for _, asker := range []*core.Record{s.Sam, s.Mia, s.Pat, s.Sol} {
		for _, who := range []*core.Record{s.Anna, s.Ruth} {
			told := s.Ask(t, asker, "GET", "/api/portal/access/reach?principal="+who.Id, nil).Body["sign_ins"]
			if may := s.Ask(t, asker, "GET", "/api/portal/people/"+who.Id+"/sessions", nil).Status == 200; told != may {
				t.Errorf("%s is told %v about the sign-ins of %s, and may: %v", asker.Email(), told, who.Email(), may)
			}
		}
	}
}

func sameNames(t *testing.T, got, wanted []string) {
	t.Helper()
	missing := map[string]int{}
	for _, n := range wanted {
		missing[n]++
	}
	for _, n := range got {
		missing[n]--
	}
	for n, count := range missing {
		if count != 0 {
			t.Errorf("%s: %+d; got %v", n, -count, got)
		}
	}
}

// "May change" is what a write by the record API, or the engine, would answer.
func TestExplain_changeIsWhatAWriteAnswers(t *testing.T) {
	w := newWorld(t)
	same := map[string]map[string]any{"organizations": {"name": "Changed"}, "memberships": {"role": "member"}, "users": {"name": "Changed"}, "staff": {"name": "Changed"}, "requests": {"title": "Changed"}, "messages": {"body": "Changed"}}
	for collection, body := range same {
		id := w.record(t, collection)
		if collection == "organizations" {
			id = w.Bluebell.Id
		}
		for _, who := range []*core.Record{w.Anna, w.Vera, w.Cleo, w.Sam, w.Mia, w.Pat, w.Ines} {
			record, err := w.FindRecordById(collection, id)
			if err != nil {
				t.Fatal(err)
			}
			out, err := w.House.Explain.Of(w.TestApp, record, who, true)
			if err != nil {
				t.Fatal(err)
			}
			if who.Collection().Name == "users" && collection == "requests" {
				continue // clients write items and fields, not the firm's row
			}
			for name, value := range body {
				if text, ok := value.(string); ok && strings.HasPrefix(text, "Changed") {
					body = map[string]any{name: "Changed by " + who.GetString("name")} // what is there already would be no change
				}
			}
			if status := w.Ask(t, who, "PATCH", "/api/collections/"+collection+"/records/"+id, body).Status; (status == 200) != out.Change {
				t.Errorf("%s and %s: explain says change=%v (%s), writing answers %d", collection, who.GetString("name"), out.Change, out.ChangeWhy, status)
			}
		}
	}
	item, err := w.FindRecordById("items", w.item)
	if err != nil {
		t.Fatal(err)
	}
	for who, may := range map[*core.Record]bool{w.Anna: true, w.Vera: false, w.Cleo: false} {
		if out, err := w.House.Explain.Of(w.TestApp, item, who, true); err != nil || out.Change != may {
			t.Errorf("%s may answer: %v, %v", who.GetString("name"), out, err)
		}
	}
	var before, after int
	scan(t, w.TestApp, `SELECT COUNT(*) FROM audit_log WHERE id != {:id}`, "", &before)
	if _, err := w.House.Explain.Of(w.TestApp, item, w.Anna, true); err != nil {
		t.Fatal(err)
	}
	scan(t, w.TestApp, `SELECT COUNT(*) FROM audit_log WHERE id != {:id}`, "", &after)
	if before != after {
		t.Error("explaining wrote something")
	}
}

// The command answers as the console does: 0 may see, 1 may not, 2 wrong use.
func TestExplain_command(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	s.Move(t, s.Sam, id, "send")
	run := func(args ...string) (string, error) {
		for _, c := range s.House.Commands() {
			if c.Name() == "access" {
				var out bytes.Buffer
				c.SetOut(&out)
				c.SetErr(io.Discard)
				c.SetArgs(append([]string{"explain"}, args...))
				err := c.Execute()
				return out.String(), err
			}
		}
		return "", errors.New("no such command")
	}
	out, err := run("--person", "ANNA@example.com", "--record", "requests/"+id)
	if err != nil || !strings.Contains(out, "may see     yes") || !strings.Contains(out, "Anna is an admin of Bluebell Bakery.") || !strings.Contains(out, "may move    submit: no") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = run("--person", "cleo@example.com", "--record", "requests/"+id, "--json")
	var x access.Explanation
	if !errors.Is(err, hooks.ErrNo) || json.Unmarshal([]byte(out), &x) != nil || x.See || len(x.Facts) == 0 {
		t.Errorf("%v\n%s", err, out)
	}
	for _, bad := range [][]string{{}, {"--person", "anna@example.com"}, {"--person", "nobody@example.com", "--record", "requests/" + id}, {"--person", "anna@example.com", "--record", "requests/nope"}, {"--person", "anna@example.com", "--record", "nope/" + id}, {"--person", "events:anna@example.com", "--record", "requests/" + id}} {
		var usage hooks.UsageError
		if _, err := run(bad...); !errors.As(err, &usage) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
