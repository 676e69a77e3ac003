package workflow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// A version without a source is exported as YAML that says the same.
func TestSource_writtenFromWhatIsStoredSaysTheSame(t *testing.T) {
	s := gatetest.New(t)
	for _, file := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
		out, err := s.House.Engine.Import(s.TestApp, []byte(edited(t, file, "version: 1\n", "version: 9\n")), false, false)
		if err != nil || out.ID == "" {
			t.Fatal(file, err, out.Findings)
		}
		source, err := s.House.Engine.Source(s.TestApp, out.ID)
		if err != nil {
			t.Fatal(err)
		}
		record, err := s.FindRecordById("workflows", out.ID)
		if err != nil {
			t.Fatal(err)
		}
		record.Set("source", "")
		if err := s.Save(record); err != nil {
			t.Fatal(err)
		}
		written, err := s.House.Engine.Source(s.TestApp, out.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := workflow.Diff(parsed(t, string(source)), parsed(t, string(written))); len(d) > 0 {
			t.Errorf("%s: %v\n%s", file, d, written)
		}
		if strings.HasPrefix(string(written), "{") {
			t.Errorf("%s is still JSON", file)
		}
	}
}

func TestImport_aVersionNumberIsNotUsedTwice(t *testing.T) {
	s := gatetest.New(t)
	changed := edited(t, "simple-request.yaml", "title: Request for documents", "title: Ask for documents")
	for _, publish := range []bool{false, true} {
		out, err := s.House.Engine.Import(s.TestApp, []byte(changed), publish, false)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(out.Findings, func(f workflow.Finding) bool { return f.Code == "version_taken" })
		if out.OK() || out.Saved || at < 0 || out.Findings[at].Line != 3 || out.Findings[at].Column != 10 {
			t.Errorf("%+v", out)
		}
	}
}

func TestCheck_theKeyOfMovesIsReserved(t *testing.T) {
	for _, key := range []string{"migrate", "migrated"} {
		_, findings := workflow.CheckSource([]byte(edited(t, "simple-request.yaml", "{key: send, label", "{key: "+key+", label", "event: request.send", "event: request."+key)))
		if !slices.ContainsFunc(findings, func(f workflow.Finding) bool { return f.Code == "reserved_key" && f.Line > 0 }) {
			t.Errorf("%s: %v", key, findings)
		}
	}
}

// Publishing warns where the firm itself lacks people, which no checker knows.
func TestStaffing_warnsOfOnePersonAndOfNobody(t *testing.T) {
	s := gatetest.New(t)
	source := edited(t, "accounting-onboarding-kyc.yaml", "version: 1\n", "version: 2\n")
	warnings := func() []string {
		t.Helper()
		out, err := s.House.Engine.CheckHere(s.TestApp, []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, f := range out.Findings {
			if f.Code == "one_person" || f.Code == "nobody" {
				if f.Level != "warning" || f.Line == 0 {
					t.Errorf("%+v", f)
				}
				list = append(list, f.Code+": "+f.Message)
			}
		}
		return list
	}
	want := []string{`one_person: Only Pat has the duty "partner", and "Reopen" must be done by another person than "Decline to act" was. Give the duty to a second person.`}
	if got := warnings(); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	s.Ruth.Set("duties", []string{"compliance", "partner"})
	if err := s.Save(s.Ruth); err != nil {
		t.Fatal(err)
	}
	if got := warnings(); len(got) != 0 {
		t.Errorf("two partners: %q", got)
	}
	s.Sam.Set("active", false)
	if err := s.Save(s.Sam); err != nil {
		t.Fatal(err)
	}
	// Ines has the duty, but her role only lets her look.
	if got := warnings(); len(got) != 1 || !strings.HasPrefix(got[0], `nobody: No active member of staff has the duty "handler".`) {
		t.Errorf("no handler: %q", got)
	}
	lines, err := s.House.Engine.Staffing(s.TestApp)
	if err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0], "workflow acct_onboarding_kyc version 1: ") {
		t.Errorf("%q %v", lines, err)
	}
}

func TestRetire_whenTheLastLiveRequestHasLeft(t *testing.T) {
	s := gatetest.New(t)
	id := s.Simple(t)
	v1 := versionOf(t, s, "simple_request", 1)
	status := func(id string) string {
		t.Helper()
		if err := s.House.Engine.RetireLeft(t.Context(), s.TestApp); err != nil {
			t.Fatal(err)
		}
		r, err := s.FindRecordById("workflows", id)
		if err != nil {
			t.Fatal(err)
		}
		return r.GetString("status")
	}
	retire := func() gatetest.Answer {
		t.Helper()
		return s.Ask(t, s.Mia, "POST", "/api/portal/definitions/"+v1+"/retire", nil)
	}
	if a := retire(); a.Status != 400 || a.Message() != "1 live request is on this version, and no newer one is published. Publish a newer version first, or wait until they have ended." {
		t.Errorf("%d %s", a.Status, a.Message())
	}
	v2 := publish(t, s, edited(t, "simple-request.yaml", "version: 1\n", "version: 2\n"))
	if got := status(v1); got != "published" {
		t.Errorf("with a live request version 1 is %s", got)
	}
	s.Move(t, s.Sam, id, "reject", workflow.Input{ClientComment: "Not needed"})
	if got := status(v1); got != "retired" {
		t.Errorf("after its last request has ended version 1 is %s", got)
	}
	if got := status(v2); got != "published" {
		t.Errorf("the newest version is %s", got)
	}
	if a := retire(); a.Status != 400 || a.Message() != "This version is retired already." {
		t.Errorf("%d %s", a.Status, a.Message())
	}
	s.Move(t, s.Sam, id, "reopen", workflow.Input{InternalNote: "They called"})
	if got := field(t, s, s.Simple(t), "workflow"); got != v2 {
		t.Error("a new request is on the retired version")
	}
	if n := count(t, s, `SELECT COUNT(*) FROM audit_log WHERE collection = 'workflows' AND record = {:id} AND action = 'update'`, dbx.Params{"id": v1}); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}

func TestRetire_byHandWhenANewerVersionIsThere(t *testing.T) {
	s := gatetest.New(t)
	s.Simple(t)
	v1 := versionOf(t, s, "simple_request", 1)
	publish(t, s, edited(t, "simple-request.yaml", "version: 1\n", "version: 2\n"))
	if a := s.Ask(t, s.Sam, "POST", "/api/portal/definitions/"+v1+"/retire", nil); a.Status != 400 || a.Message() != "Your role does not allow this. Ask a colleague with the role manager." {
		t.Errorf("an operator: %d %s", a.Status, a.Message())
	}
	if a := s.Ask(t, s.Mia, "POST", "/api/portal/definitions/"+v1+"/retire", nil); a.Status != 200 || a.Body["status"] != "retired" {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM audit_log WHERE collection = 'workflows' AND record = {:id} AND actor = {:mia}`, dbx.Params{"id": v1, "mia": s.Mia.Id}); n != 1 {
		t.Errorf("%d audit entries name the manager", n)
	}
}

// The console's way with definitions, over HTTP.
func TestDefinitions_overHTTP(t *testing.T) {
	s := gatetest.New(t)
	s.Move(t, s.Sam, s.Simple(t), "send")
	s.Simple(t)
	s.Clock.Move(48 * time.Hour)
	ask := func(method, path string, body any, status int) gatetest.Answer {
		t.Helper()
		a := s.Ask(t, s.Mia, method, "/api/portal/definitions"+path, body)
		if a.Status != status {
			t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Raw)
		}
		return a
	}
	list := ask("GET", "", nil, 200)
	items := list.Body["items"].([]any)
	simple := items[1].(map[string]any)
	version := simple["versions"].([]any)[0].(map[string]any)
	if len(items) != 2 || simple["key"] != "simple_request" || version["live"] != 2.0 || version["total"] != 2.0 || version["errors"] != 0.0 || version["status"] != "published" {
		t.Errorf("%s", list.Raw)
	}
	library := list.Body["library"].([]any)
	if n := len(library); n != 4 {
		t.Errorf("the library has %d", n)
	}
	one := ask("GET", "/"+version["id"].(string), nil, 200)
	states := one.Body["states"].([]any)
	draft := states[0].(map[string]any)
	if one.Body["next_version"] != 2.0 || draft["key"] != "draft" || draft["live"] != 1.0 || draft["median_age_hours"] != 48.0 || draft["oldest_since"] == "" || draft["owner"] != "handler" {
		t.Errorf("%s", one.Raw)
	}

	broken := edited(t, "simple-request.yaml", "version: 1\n", "version: 2\n", "initial: draft", "initial: nowhere")
	check := ask("POST", "/check", map[string]any{"source": broken}, 200)
	if check.Body["ok"] != false || check.Body["version"] != 2.0 || len(check.Body["findings"].([]any)) == 0 {
		t.Errorf("%s", check.Raw)
	}
	if a := ask("POST", "", map[string]any{"source": broken, "publish": true}, 400); len(a.Body["findings"].([]any)) == 0 || a.Message() == "" {
		t.Errorf("%s", a.Raw)
	}
	ask("POST", "", map[string]any{"source": "title: [", "publish": false}, 400)
	saved := ask("POST", "", map[string]any{"source": broken}, 200) // a draft may have errors
	id := saved.Body["id"].(string)
	if saved.Body["status"] != "draft" || saved.Body["saved"] != true {
		t.Errorf("%s", saved.Raw)
	}
	ask("POST", "/"+id+"/publish", nil, 400)
	ask("POST", "", map[string]any{"source": edited(t, "simple-request.yaml", "version: 1\n", "version: 2\n", "business_days: 7", "business_days: 8")}, 200)
	if a := ask("POST", "/"+id+"/publish", nil, 200); a.Body["status"] != "published" || a.Body["id"] != id {
		t.Errorf("%s", a.Raw)
	}
	diff := ask("GET", "/"+version["id"].(string)+"/diff/"+id, nil, 200)
	if lines := diff.Body["lines"].([]any); len(lines) != 1 || lines[0].(map[string]any)["area"] != "state" {
		t.Errorf("%s", diff.Raw)
	}
	if a := ask("GET", "/"+id+"/export", nil, 200); !strings.HasPrefix(string(a.Raw), "schema: gatehouse/workflow/v1\n") {
		t.Errorf("%s", a.Raw)
	}
	if a := ask("POST", "/library", map[string]any{"file": "agency-creative-approval.yaml"}, 200); a.Body["status"] != "published" {
		t.Errorf("%s", a.Raw)
	}
	ask("POST", "/library", map[string]any{"file": "../texts.yaml"}, 404)
	ask("GET", "/nope", nil, 404)
}

// Who may not know of a state is not told how many requests are in it.
func TestDefinitions_countOnlyWhatOneMaySee(t *testing.T) {
	s := gatetest.New(t)
	held := onboarding(t, s, 1)
	s.Move(t, s.Sam, held, "invite")
	provideAll(t, s, held)
	s.Move(t, s.Anna, held, "submit")
	s.Move(t, s.Sam, held, "start_review")
	s.Move(t, s.Ruth, held, "escalate", workflow.Input{InternalNote: "Odd"})
	id := versionOf(t, s, "acct_onboarding_kyc", 1)
	for who, live := range map[*core.Record]int{s.Ruth: 1, s.Sam: 0} {
		v, err := s.House.Engine.Version(s.TestApp, id, gatetest.Actor(who))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range v.States {
			if line.Key == "compliance_hold" && line.Live != live {
				t.Errorf("%s is told of %d", who.GetString("name"), line.Live)
			}
		}
	}
}
