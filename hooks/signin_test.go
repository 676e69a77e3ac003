package hooks_test

import (
	"slices"
	"testing"

	"gatehouse/hooks/gatetest"
)

func TestSignIn_isOnTheTrail(t *testing.T) {
	s := gatetest.New(t)
	path := "/api/collections/users/auth-with-password"
	want(t, s.Ask(t, nil, "POST", path, map[string]any{"identity": "Anna@example.com", "password": "not hers at all"}), 400)
	want(t, s.Ask(t, nil, "POST", path, map[string]any{"identity": "Anna@example.com", "password": gatetest.Password}), 200)
	want(t, s.Ask(t, s.Anna, "POST", "/api/collections/users/auth-refresh", nil), 200) // no sign-in
	var failed, signed int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in_failed' AND record = {:id}`, s.Anna.Id, &failed)
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in' AND record = {:id}`, s.Anna.Id, &signed)
	if failed != 1 || signed != 1 {
		t.Fatalf("the trail has %d failed and %d sign-ins", failed, signed)
	}
}

func TestSQLConsole_isOnTheTrail(t *testing.T) {
	s := gatetest.New(t)
	want(t, s.Ask(t, s.Sol, "POST", "/api/sql", map[string]any{"query": "SELECT 1"}), 200)
	want(t, s.Ask(t, s.Pat, "POST", "/api/sql", map[string]any{"query": "SELECT 2"}), 403) // an owner is no superuser
	var one, two int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sql' AND change LIKE '%SELECT 1%' AND actor = {:id}`, s.Sol.Id, &one)
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sql' AND change LIKE '%SELECT 2%' AND actor = {:id}`, s.Pat.Id, &two)
	if one != 1 || two != 0 {
		t.Fatalf("the trail has %d and %d", one, two)
	}
}

// Flows that no page offers are refused alike for accounts that exist and not.
func TestAccountFlows_areNotOffered(t *testing.T) {
	s := gatetest.New(t)
	for _, email := range []string{"Anna@example.com", "nobody@example.com"} {
		for _, collection := range []string{"users", "staff", s.Anna.Collection().Id} {
			a := s.Ask(t, nil, "POST", "/api/collections/"+collection+"/request-password-reset", map[string]any{"email": email})
			want(t, a, 403)
		}
	}
	want(t, s.Ask(t, nil, "POST", "/api/collections/_superusers/request-password-reset", map[string]any{"email": "sol@example.com"}), 204)
}

// The dashboard opens for staff, and tells them nothing of the installation.
func TestDashboardStart_holdsNothingForStaff(t *testing.T) {
	s := gatetest.New(t)
	for _, path := range []string{"/api/collections", "/api/collections/meta/scaffolds", "/api/collections/meta/oauth2-providers", "/api/settings"} {
		a := s.Ask(t, s.Pat, "GET", path+"?perPage=500", nil)
		want(t, a, 200)
		if path != "/api/collections" && len(a.Raw) > 120 {
			t.Errorf("%s tells an owner %s", path, a.Raw)
		}
		want(t, s.Ask(t, s.Anna, "GET", path, nil), 403)
		want(t, s.Ask(t, nil, "GET", path, nil), 401)
	}
	// Records needs the names and fields of what staff may list, and nothing of how they are kept.
	list, _ := s.Ask(t, s.Pat, "GET", "/api/collections?perPage=500", nil).Body["items"].([]any)
	if len(list) == 0 {
		t.Error("Records lists nothing")
	}
	for _, i := range list {
		c, _ := i.(map[string]any)
		if slices.Contains([]string{"_superusers", "access", "settings", "sessions", "second_factors", "field_secrets", "mails", "events"}, c["name"].(string)) {
			t.Errorf("Records lists %v", c["name"])
		}
		for _, key := range []string{"listRule", "viewRule", "createRule", "updateRule", "deleteRule", "authRule", "manageRule"} {
			if rule, _ := c[key].(string); rule != "" {
				t.Errorf("the %s of %v is told", key, c["name"])
			}
		}
		if indexes, _ := c["indexes"].([]any); len(indexes) > 0 {
			t.Errorf("the indexes of %v are told", c["name"])
		}
		fields, _ := c["fields"].([]any)
		for _, f := range fields {
			if field, _ := f.(map[string]any); field["hidden"] == true {
				t.Errorf("the hidden %v of %v is told", field["name"], c["name"])
			}
		}
	}
	want(t, s.Ask(t, s.Pat, "GET", "/api/collections/requests", nil), 403)
	want(t, s.Ask(t, s.Pat, "PATCH", "/api/settings", map[string]any{}), 403)
}

// What browsers may keep: nothing of the console without asking, no answer of
// ours at all; and an address that is none answers a program as such.
func TestHeaders_whatBrowsersMayKeep(t *testing.T) {
	s := gatetest.New(t)
	for path, kept := range map[string]string{"/_/extensions.js": "no-cache", "/api/portal/firm": "no-store"} {
		a := s.Ask(t, nil, "GET", path, nil)
		want(t, a, 200)
		if got := a.Header.Get("Cache-Control"); got != kept {
			t.Errorf("%s: Cache-Control is %q, not %q", path, got, kept)
		}
	}
	want(t, s.Ask(t, nil, "GET", "/api/nothing/here", nil), 404)
}
