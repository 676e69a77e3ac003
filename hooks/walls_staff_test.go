package hooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
)

// Acceptance story 10: a client's opponent turns out to be a client of another
// member of staff. Once the wall stands, the queue, the client list, mails,
// notices, reports, live updates and explain know nothing of it, at once; old
// links say the same as what never was. It comes down again just so.
func TestStory_aWallHidesEverything(t *testing.T) {
	for _, kind := range []string{"organization", "request"} {
		t.Run(kind, func(t *testing.T) {
			s := gatetest.New(t)
			id := s.Simple(t)
			s.Move(t, s.Sam, id, "send")
			s.AllProvided(t, id)
			s.Deliver(t)
			item := s.Item(t, id, "Any loans?").Id
			marks := []string{id, "Year-end papers"}
			paths := []string{
				request(id), request(id, "/actions"), request(id, "/timeline"), request(id, "/picture"), request(id, "/plan"),
				"/api/collections/requests/records/" + id, "/api/collections/client_requests/records/" + id, "/api/collections/items/records/" + item,
				"/api/portal/access/explain?collection=requests&record=" + id + "&principal=" + s.Anna.Id, "/api/portal/access/people?collection=requests&record=" + id,
			}
			lists := []string{
				"/api/portal/home", "/api/portal/queue?view=all", "/api/portal/queue?view=mine", "/api/portal/access/reach?principal=" + s.Anna.Id,
				"/api/collections/requests/records", "/api/collections/items/records", "/api/collections/documents/records", "/api/collections/transitions/records",
				"/api/collections/audit_log/records", "/api/collections/client_requests/records", "/api/collections/messages/records",
			}
			if kind == "organization" {
				marks = append(marks, "Bluebell", s.Bluebell.Id)
				paths = append(paths, "/api/portal/clients/"+s.Bluebell.Id, "/api/collections/organizations/records/"+s.Bluebell.Id)
				lists = append(lists, "/api/portal/clients", "/api/collections/organizations/records", "/api/collections/memberships/records")
			}
			reads := func(hidden bool) {
				t.Helper()
				for _, path := range paths {
					if a := s.Ask(t, s.Sam, "GET", path, nil); (a.Status == 404) != hidden {
						t.Errorf("hidden %v: %s answers %d", hidden, path, a.Status)
					}
				}
				found := false
				for _, path := range lists {
					a := s.Ask(t, s.Sam, "GET", path, nil)
					want(t, a, 200)
					for _, mark := range marks {
						if strings.Contains(string(a.Raw), mark) {
							found = true
							if hidden {
								t.Errorf("%s still names %s: %s", path, mark, a.Raw)
							}
						}
					}
				}
				if !hidden && !found {
					t.Error("nothing was there to hide")
				}
			}
			reads(false)
			body := map[string]any{"staff": s.Sam.Id, "reason": "His sister sues them"}
			body[kind] = map[string]string{"organization": s.Bluebell.Id, "request": id}[kind]
			wall := mustBe(t, s.Ask(t, s.Mia, "POST", "/api/collections/walls/records", body))
			reads(true)
			want(t, s.Ask(t, s.Sam, "POST", "/api/collections/messages/records", map[string]any{"request": id, "body": "x"}), 404)

			// What happens now is told to others, not to Sam.
			s.Move(t, s.Anna, id, "submit")
			s.Deliver(t)
			var told int
			scan(t, s, `SELECT COUNT(*) FROM notifications WHERE staff = {:id} AND status IN ('waiting','sent') AND created > (SELECT created FROM walls LIMIT 1)`, s.Sam.Id, &told)
			if told != 0 {
				t.Errorf("Sam is told %d times of what a wall hides", told)
			}
			reads(true)
			want(t, s.Ask(t, s.Mia, "DELETE", "/api/collections/walls/records/"+wall, nil), 204)
			reads(false)
		})
	}
}

// Who builds and lifts walls: managers and owners, but nobody those around oneself,
// who does not even learn that one stands.
func TestWalls_whoDecides(t *testing.T) {
	s := gatetest.New(t)
	const walls = "/api/collections/walls/records"
	body := func(who *core.Record) map[string]any {
		return map[string]any{"staff": who.Id, "organization": s.Bluebell.Id, "reason": "Related"}
	}
	for _, who := range []*core.Record{s.Ines, s.Sam} {
		if a := s.Ask(t, who, "POST", walls, body(s.Ruth)); a.Status == 200 {
			t.Errorf("%s builds a wall", who.GetString("name"))
		}
	}
	mine := mustBe(t, s.Ask(t, s.Pat, "POST", walls, body(s.Mia)))
	if a := s.Ask(t, s.Mia, "DELETE", walls+"/"+mine, nil); a.Status != 404 {
		t.Errorf("Mia lifts the wall around herself: %d", a.Status)
	}
	if a := s.Ask(t, s.Mia, "GET", walls, nil); a.Body["totalItems"] != 0.0 {
		t.Errorf("Mia reads of it: %s", a.Raw)
	}
	if a := s.Ask(t, s.Mia, "POST", walls, body(s.Mia)); a.Status == 200 {
		t.Error("Mia decides on a wall around herself")
	}
	want(t, s.Ask(t, s.Pat, "POST", walls, map[string]any{"staff": s.Ruth.Id, "reason": "None"}), 400)
	want(t, s.Ask(t, s.Pat, "PATCH", walls+"/"+mine, map[string]any{"staff": s.Ruth.Id}), 403)
	want(t, s.Ask(t, s.Pat, "DELETE", walls+"/"+mine, nil), 204)
}

// Roles change by owners alone, by no door; the last owner stays one.
func TestStaff_nobodyRaisesOneself(t *testing.T) {
	s := gatetest.New(t)
	for _, who := range []*core.Record{s.Ines, s.Sam, s.Mia} {
		for _, change := range []map[string]any{{"role": "owner"}, {"duties": []string{"partner"}}, {"active": false}} {
			for _, whom := range []*core.Record{who, s.Ruth} {
				path := "/api/collections/staff/records/" + whom.Id
				if a := s.Ask(t, who, "PATCH", path, change); a.Status == 200 {
					t.Errorf("%s changes %v of %s", who.GetString("name"), change, whom.GetString("name"))
				}
				batch := map[string]any{"requests": []any{map[string]any{"method": "PATCH", "url": path, "body": change}}}
				if a := s.Ask(t, who, "POST", "/api/batch", batch); a.Status == 200 {
					t.Errorf("%s changes %v of %s in a batch", who.GetString("name"), change, whom.GetString("name"))
				}
			}
		}
		if a := s.Ask(t, who, "POST", "/api/collections/staff/records", map[string]any{"email": "x@example.com", "password": gatetest.Password, "passwordConfirm": gatetest.Password, "name": "X", "role": "owner", "active": true}); a.Status == 200 {
			t.Errorf("%s makes an owner", who.GetString("name"))
		}
	}
	for _, change := range []map[string]any{{"role": "manager"}, {"active": false}} {
		if a := s.Ask(t, s.Pat, "PATCH", "/api/collections/staff/records/"+s.Pat.Id, change); a.Status != 400 {
			t.Errorf("the last owner may %v: %d", change, a.Status)
		}
	}
	want(t, s.Ask(t, s.Pat, "PATCH", "/api/collections/staff/records/"+s.Sam.Id, map[string]any{"role": "manager"}), 200)
}

// Past ten minutes after the sign-in, what matters asks for the password again;
// a proof holds for ten minutes, for that session.
func TestProveAgain(t *testing.T) {
	s := gatetest.New(t)
	role := func(to string) gatetest.Answer {
		return s.Ask(t, s.Pat, "PATCH", "/api/collections/staff/records/"+s.Sam.Id, map[string]any{"role": to})
	}
	want(t, role("manager"), 200)
	s.Clock.Move(11 * time.Minute)
	m, err := s.FindFirstRecordByFilter("memberships", "user = {:u}", map[string]any{"u": s.Vera.Id})
	if err != nil {
		t.Fatal(err)
	}
	guarded := map[string]func() gatetest.Answer{
		"a role": func() gatetest.Answer { return role("operator") },
		"a wall": func() gatetest.Answer {
			return s.Ask(t, s.Pat, "POST", "/api/collections/walls/records", map[string]any{"staff": s.Ruth.Id, "organization": s.Kestrel.Id, "reason": "Related"})
		},
		"an admin": func() gatetest.Answer {
			return s.Ask(t, s.Pat, "PATCH", "/api/collections/memberships/records/"+m.Id, map[string]any{"role": "admin"})
		},
	}
	for name, act := range guarded {
		if a := act(); a.Status != 403 || a.Code("prove") != "prove_again" {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
	want(t, s.Ask(t, s.Pat, "PATCH", "/api/collections/staff/records/"+s.Pat.Id, map[string]any{"name": "Patricia"}), 200)
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/prove", map[string]any{"password": "wrong"}), 400)
	want(t, role("operator"), 403)
	want(t, s.Ask(t, s.Pat, "POST", "/api/portal/prove", map[string]any{"password": gatetest.Password}), 200)
	for name, act := range guarded {
		if a := act(); a.Status != 200 {
			t.Errorf("%s after the proof: %d %s", name, a.Status, a.Raw)
		}
	}
	s.Clock.Move(11 * time.Minute)
	want(t, role("viewer"), 403)
}
