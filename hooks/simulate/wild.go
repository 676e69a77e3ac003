package simulate

import (
	"fmt"
	"slices"

	"gatehouse/hooks/workflow"
)

// anything is any act by anybody, right or wrong.
func (r *run) anything() *Act {
	p := r.anybody()
	if p.system {
		return &Act{Who: p.name, Do: doPass}
	}
	item := one(r.dice, r.seen.items)
	switch n := r.dice.n(20); {
	case n < 6:
		return r.anyStep(p)
	case n < 9 && item != nil:
		a := r.gift(p, item)
		if often(r.dice, 15) {
			a.Do, a.Metadata, a.Answers = doAnswer, nil, map[string]any{one(r.dice, []string{"text", "accepted", "choice", "_veto", "number"}): r.wrongValue()}
		}
		return a
	case n < 12 && item != nil:
		a := &Act{Who: p.name, Do: doReview, Item: item.place(), Status: one(r.dice, append([]string{workflow.Accepted, "nonsense"}, statuses...))}
		if often(r.dice, 70) {
			a.Comment = r.heldWord()
		}
		if often(r.dice, 10) {
			a.Reason = one(r.dice, []string{"other", "unreadable", "nonsense"})
		}
		a.Stale = r.staleness()
		return a
	case n < 14:
		return r.anyData(p)
	case n < 15:
		return r.anyHead(p)
	case n < 16:
		return &Act{Who: p.name, Do: doMessage, Comment: "A message"}
	case n < 17:
		return &Act{Who: p.name, Do: doNote, Comment: staffWord + " a note"}
	case n < 18 && item != nil:
		return &Act{Who: p.name, Do: doRemove, Item: item.place()}
	case n < 19 && len(r.def.Sections) > 0:
		s := &r.def.Sections[r.dice.n(len(r.def.Sections))]
		return &Act{Who: p.name, Do: doAdd, Section: s.Key, Template: r.template(s), Title: one(r.dice, []string{"", fmt.Sprintf("Thing %d", len(r.acts))})}
	}
	if len(r.def.Integrations) > 0 {
		return &Act{Who: "system", Do: doJob, Job: r.def.Integrations[r.dice.n(len(r.def.Integrations))].Job, Status: one(r.dice, []string{"done", "dead", "skipped"})}
	}
	return r.anyStep(p)
}

// staleness is how far a page lies behind, mostly not at all.
func (r *run) staleness() int {
	if often(r.dice, 85) {
		return 0
	}
	return 1 + r.dice.n(2)
}

// anyStep is any step, with what its form asks for, without, with something
// wrong, or the same once more.
func (r *run) anyStep(p *person) *Act {
	if n := len(r.acts); n > 0 && r.acts[n-1].Do == doStep && r.acts[n-1].Key != "" && often(r.dice, 60) {
		again := r.acts[n-1]
		if often(r.dice, 20) {
			again.Comment += " changed"
		}
		return &again
	}
	out := r.def.From(r.seen.state)
	t := one(r.dice, out)
	if t == nil || often(r.dice, 30) {
		t = &r.def.Transitions[r.dice.n(len(r.def.Transitions))]
	}
	a := r.ready(t, p)
	a.Stale = r.staleness()
	switch r.dice.n(8) {
	case 0:
		a.Note = ""
	case 1:
		a.Comment, a.Comments = "", nil
	case 2:
		a.Ref = ""
	case 3:
		a.Items = []string{"nowhere/at/all"}
	case 4:
		a.Step = "no_such_step"
	}
	return a
}

func (r *run) anyData(p *person) *Act {
	a := &Act{Who: p.name, Do: doData, Data: map[string]any{}, Stale: r.staleness()}
	if len(r.def.Fields) == 0 || often(r.dice, 5) {
		a.Data["no_such_field"] = "x"
		return a
	}
	for range 1 + r.dice.n(2) {
		f := &r.def.Fields[r.dice.n(len(r.def.Fields))]
		switch r.dice.n(8) {
		case 0:
			a.Data[f.Key] = nil
		case 1:
			a.Data[f.Key] = r.wrongValue()
		default:
			a.Data[f.Key] = r.fieldValue(f)
		}
	}
	return a
}

func (r *run) anyHead(p *person) *Act {
	a := &Act{Who: p.name, Do: doHead, Head: map[string]any{}, Stale: r.staleness()}
	switch r.dice.n(5) {
	case 0:
		a.Head["title"] = one(r.dice, []string{"Another title", "", "A title"})
	case 1:
		a.Head["due"] = one(r.dice, []string{"2026-03-31", "", "tomorrow"})
	case 2:
		a.Head["priority"] = one(r.dice, []string{"high", "low", "nonsense"})
	case 3:
		a.Head["tags"] = []string{staffWord + "-tag"}
	case 4:
		a.Title = r.anybody().name
	}
	return a
}

// walls are statements that the database itself must refuse, whoever sends them.
// {:id} is the request.
var walls = []string{
	`UPDATE requests SET state = 'x' WHERE id = {:id}`,
	`UPDATE requests SET state = 'x', revision = revision + 1 WHERE id = {:id}`,
	`UPDATE requests SET entry = entry + 1 WHERE id = {:id}`,
	`UPDATE requests SET number = 'x' WHERE id = {:id}`,
	`UPDATE requests SET organization = 'orgstrangers000' WHERE id = {:id}`,
	`UPDATE requests SET workflow = 'x' WHERE id = {:id}`,
	`DELETE FROM requests WHERE id = {:id}`,
	`INSERT INTO transitions (id, request, key, "from", "to", entry, actor_kind, at, revision) SELECT 'forged', id, 'x', state, 'x', 1, 'staff', state_since, revision + 1 FROM requests WHERE id = {:id}`,
	`INSERT INTO transitions (id, request, key, "from", "to", entry, actor_kind, at, revision) SELECT 'forged', t.request, t.key, t."from", t."to", t.entry, 'staff', t.at, 1 FROM (SELECT 1) LEFT JOIN transitions t ON t.request = {:id} LIMIT 1`,
	`UPDATE events SET type = 'x' WHERE request = {:id}`,
	`DELETE FROM events WHERE request = {:id}`,
	`UPDATE audit_log SET actor_name = 'x' WHERE request = {:id}`,
	`DELETE FROM audit_log WHERE request = {:id}`,
	`UPDATE requests SET turn = 'x' WHERE id = {:id}`,
	`INSERT INTO client_history (id, request, kind, text) SELECT 'forged', id, 'transition', 'x' FROM requests WHERE id = {:id}`,
	`UPDATE workflows SET definition = '{}'`,
	`DELETE FROM workflows`,
}

// Items, the client's rows and history can be attacked only once there are some.
var itemWalls = []string{
	`UPDATE items SET status = 'x' WHERE request = {:id}`,
	`DELETE FROM items WHERE request = {:id}`,
}

var clientWalls = []string{
	`UPDATE client_requests SET label = 'x', revision = revision + 1 WHERE id = {:id}`,
	`DELETE FROM client_requests WHERE id = {:id}`,
}

var historyWalls = []string{
	`UPDATE transitions SET actor = 'x' WHERE request = {:id}`,
	`UPDATE transitions SET key = 'x' WHERE request = {:id}`,
	`DELETE FROM transitions WHERE request = {:id}`,
}

// raw is somebody with the SQL console; another state of the workflow is tried
// as well as one that is none.
func (r *run) raw() *Act {
	list := walls
	if len(r.seen.steps) > 0 {
		list = slices.Concat(historyWalls, walls)
	}
	if len(r.seen.items) > 0 {
		list = slices.Concat(itemWalls, list)
	}
	if r.seen.shown.State != "" {
		list = slices.Concat(clientWalls, list)
	}
	for _, s := range r.def.States {
		if s.Key != r.seen.state {
			list = append(list[:len(list):len(list)], `UPDATE requests SET state = '`+s.Key+`', revision = revision + 1 WHERE id = {:id}`)
		}
	}
	return &Act{Who: "superuser", Do: doRaw, SQL: one(r.dice, list)}
}

// record is a write by the record API that nobody may make.
func (r *run) record() *Act {
	p := r.anybody()
	paths := []string{"/api/collections/requests/records/%s", "/api/collections/client_requests/records/%s"}
	data := one(r.dice, []map[string]any{{"state": "no_such_state"}, {"entry": 99}, {"number": "forged"}, {"turn": "nobody"}, {"category": "done"}, {"revision": 0}, {"organization": strangers}})
	return &Act{Who: p.name, Do: doRecord, Path: one(r.dice, paths), Data: data}
}
