package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

// seed is what a load needs to know of a filled server.
type seed struct {
	staff, client string   // tokens
	requests      []string // ids, in the order in which they were made
	clients       []string // ids of requests that the client may see
}

const (
	organizations = 20
	email         = "bench@example.test"
	password      = "a long enough sentence"
)

// workflow is a request that goes to and fro: the smallest in which every step
// is checked, recorded, and shown to the client under another label.
const workflow = `schema: gatehouse/workflow/v1
key: bench_to_and_fro
version: 1
title: To and fro
subject: {collection: organizations}
numbering: "BEN-{yyyy}-{seq:6}"
initial: left
roles:
  client: [client_admin]
  staff: [handler]
calendar: {timezone: firm, hours: "mon-fri 09:00-17:00", holidays: firm}
fields: []
sections:
  - key: papers
    title: Papers
    provider: client
    reviewer: handler
    items:
      - {key: statement, title: Statement, kind: file, accept: [pdf], max_mb: 5, files: {min: 1, max: 3}, required: false, reject_reasons: [unreadable], retention: client_file}
      - {key: question, title: Anything new, kind: answer, answer_types: [text], required: false, retention: client_file}
      - {key: confirmed, title: All of it is right, kind: acknowledge, records: [name], required: false, retention: client_file}
states:
  - {key: left, label: Left, client_label: We look at the left, category: review, turn: staff, owner: handler, can: {review: [papers]}}
  - {key: right, label: Right, client_label: We look at the right, category: review, turn: staff, owner: handler, can: {review: [papers]}}
  - {key: finished, label: Finished, client_label: Finished, category: done, outcome: void, turn: nobody, owner: handler, terminal: true, can: {}}
transitions:
  - {key: go_right, label: To the right, from: [left], to: right, by: [handler]}
  - {key: go_left, label: To the left, from: [right], to: left, by: [handler]}
  - {key: finish, label: Finish, from: [left, right], to: finished, by: [handler]}
reminders: []
notifications: []
integrations: []
ai: []
reports: {targets: {end_to_end: 12bd}, split_clock: [client, firm, system]}
`

func seedGatehouse(ctx context.Context, s *server, work string, requests int) (seed, error) {
	definition := filepath.Join(work, "to-and-fro.yaml")
	if err := os.WriteFile(definition, []byte(workflow), 0o600); err != nil {
		return seed{}, fmt.Errorf("write the workflow: %w", err)
	}
	if err := s.command(ctx, "workflow", "import", "--publish", definition, "--dir", s.dir); err != nil {
		return seed{}, err
	}
	if err := s.command(ctx, "superuser", "upsert", email, password, "--dir", s.dir); err != nil {
		return seed{}, err
	}
	if _, err := s.start(ctx); err != nil {
		return seed{}, err
	}
	c := &caller{url: s.url}
	c.token = c.signIn(ctx, "_superusers")
	c.create(ctx, "staff", object{"name": "Sam", "email": email, "role": "operator", "duties": []string{"handler"}, "active": true, "password": password, "passwordConfirm": password})
	first := fillOrganizations(ctx, c)

	result := seed{staff: c.signIn(ctx, "staff"), client: c.signIn(ctx, "users")}
	c.token = result.staff
	for n := range requests {
		organization := first[n%organizations]
		view := c.post(ctx, "/api/portal/requests", object{"workflow": "bench_to_and_fro", "organization": organization, "title": title(n)})
		result.add(view.text("id"), n)
	}
	return result, c.err
}

func seedReference(ctx context.Context, s *server, requests int) (seed, error) {
	if err := s.command(ctx, referenceCommand, "superuser", "upsert", email, password, "--dir", s.dir); err != nil {
		return seed{}, err
	}
	if _, err := s.start(ctx); err != nil {
		return seed{}, err
	}
	c := &caller{url: s.url}
	c.token = c.signIn(ctx, "_superusers")
	staff := c.create(ctx, "staff", object{"name": "Sam", "email": email, "role": "operator", "active": true, "password": password, "passwordConfirm": password})
	workflow := c.create(ctx, "workflows", object{"key": "bench_to_and_fro", "title": "To and fro"})
	first := fillOrganizations(ctx, c)
	client := c.text(ctx, "/api/collections/users/records?perPage=1", "items", "0", "id")
	grant := func(principal, scope string) {
		c.create(ctx, "access", object{"principal": principal, "scope": scope, "since": "2020-01-01 00:00:00.000Z", "until": "9999-12-31 23:59:59.999Z", "source": "staff", "source_id": principal})
	}
	grant(client, first[0])
	for _, organization := range first {
		grant(staff, "staff:"+organization)
		grant(staff, organization)
	}

	result := seed{staff: c.signIn(ctx, "staff"), client: c.signIn(ctx, "users")}
	for n := range requests {
		organization := first[n%organizations]
		common := object{
			"number": "BEN-" + strconv.Itoa(n), "organization": organization, "title": title(n), "state": "left", "category": "review", "turn": "staff",
			"state_since": "2026-01-01 00:00:00.000Z", "data": object{}, "progress": object{"total": 3, "left": 3}, "revision": 1,
		}
		record := object{"workflow": workflow, "workflow_key": "bench_to_and_fro", "entry": 1, "visibility": "organization", "priority": "normal", "scope": "staff:" + organization}
		shown := object{"label": "We look at the left", "contact": object{}, "scope": organization}
		for key, value := range common {
			record[key], shown[key] = value, value
		}
		id := c.create(ctx, "requests", record)
		shown["id"] = id
		c.create(ctx, "client_requests", shown)
		result.add(id, n)
	}
	return result, c.err
}

// fillOrganizations makes the organizations, and one client in the first.
func fillOrganizations(ctx context.Context, c *caller) []string {
	var ids []string
	for n := range organizations {
		ids = append(ids, c.create(ctx, "organizations", object{"name": "Organization " + strconv.Itoa(n), "kind": "client", "status": "active", "code": "C" + strconv.Itoa(n)}))
	}
	user := c.create(ctx, "users", object{"name": "Anna", "email": email, "password": password, "passwordConfirm": password, "verified": true})
	c.create(ctx, "memberships", object{"user": user, "organization": ids[0], "role": "admin", "status": "active"})
	return ids
}

func title(n int) string { return "Papers, part " + strconv.Itoa(n) }

func (s *seed) add(id string, n int) {
	s.requests = append(s.requests, id)
	if n%organizations == 0 {
		s.clients = append(s.clients, id)
	}
}

// turn is whose turn it is at the n-th call of a worker: every worker goes round
// its own requests, so that none waits for another because of the data and no
// history grows as it never would; and each count of workers has its own half,
// so that every run finds them as the one before left them. With each round the
// request goes the other way.
func (s seed) turn(workers, worker, n int) (id string, way int) {
	half := len(s.requests) / 2
	share := max(1, half/workers)
	first := worker * share
	if workers > 1 {
		first += half
	}
	return s.requests[first+n%share], n / share % 2
}

// pairs are the operations that both sides can do, for so many workers.
func pairs(bare, ours seed, workers int) []pair {
	list := "/api/collections/client_requests/records?perPage=30&sort=-created&skipTotal=1"
	withTotal := "/api/collections/client_requests/records?perPage=30&sort=-created"
	get := func(token, path string) operation {
		return operation{token: token, next: func(int, int) (string, string, string) { return http.MethodGet, path, "" }}
	}
	return []pair{
		{
			name: "a step of a request | PATCH of one field",
			bare: operation{token: bare.staff, next: func(worker, n int) (string, string, string) {
				id, way := bare.turn(workers, worker, n)
				return http.MethodPatch, "/api/collections/requests/records/" + id, `{"state":"` + [2]string{"right", "left"}[way] + `"}`
			}},
			ours: operation{token: ours.staff, next: func(worker, n int) (string, string, string) {
				id, way := ours.turn(workers, worker, n)
				return http.MethodPost, "/api/portal/requests/" + id + "/transition", `{"transition":"` + [2]string{"go_right", "go_left"}[way] + `"}`
			}},
		},
		{name: "the client's list of 30", bare: get(bare.client, list), ours: get(ours.client, list)},
		{name: "the same with the total", bare: get(bare.client, withTotal), ours: get(ours.client, withTotal)},
		{
			name: "one request with its items and steps | view of one record",
			bare: operation{token: bare.client, next: func(worker, n int) (string, string, string) {
				return http.MethodGet, "/api/collections/client_requests/records/" + bare.clients[(worker+n)%len(bare.clients)], ""
			}},
			ours: operation{token: ours.client, next: func(worker, n int) (string, string, string) {
				return http.MethodGet, "/api/portal/requests/" + ours.clients[(worker+n)%len(ours.clients)], ""
			}},
		},
	}
}

type object map[string]any

func (o object) text(key string) string {
	value, _ := o[key].(string)
	return value
}

// caller makes calls one after the other and keeps the first fault, so that
// seeding reads as a list.
type caller struct {
	url, token string
	err        error
}

func (c *caller) create(ctx context.Context, collection string, record object) string {
	return c.post(ctx, "/api/collections/"+collection+"/records", record).text("id")
}

func (c *caller) signIn(ctx context.Context, collection string) string {
	return c.post(ctx, "/api/collections/"+collection+"/auth-with-password", object{"identity": email, "password": password}).text("token")
}

func (c *caller) post(ctx context.Context, path string, body object) object {
	return c.call(ctx, http.MethodPost, path, body)
}

// text reads one value deep in an answer.
func (c *caller) text(ctx context.Context, path string, at ...string) string {
	var value any = map[string]any(c.call(ctx, http.MethodGet, path, nil))
	for _, key := range at {
		switch inside := value.(type) {
		case map[string]any:
			value = inside[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(inside) {
				return ""
			}
			value = inside[i]
		}
	}
	text, _ := value.(string)
	return text
}

func (c *caller) call(ctx context.Context, method, path string, body object) object {
	if c.err != nil {
		return nil
	}
	answer, err := c.try(ctx, method, path, body)
	if err != nil {
		c.err = fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer
}

func (c *caller) try(ctx context.Context, method, path string, body object) (object, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", c.token)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %d: %.500s", reply.StatusCode, text)
	}
	var answer object
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return answer, nil
}
