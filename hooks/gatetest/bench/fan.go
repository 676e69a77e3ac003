package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/hooks/demo"
)

// listeners are how many people of the crowd sign in; each has several pages
// open, until all connections are there.
const listeners = 100

// writersPlace is the writer's organization: not the first, whose lists are measured.
const writersPlace = 1

// fanOut measures what a client's message costs its writer while nobody, 500 and
// 2,000 pages are connected to live updates.
func fanOut(ctx context.Context, o options, s *server) ([]fan, error) {
	c := &caller{url: s.url}
	writer := c.enter(ctx, "users", demo.CrowdMember(writersPlace))
	c.token = writer
	request := c.text(ctx, "/api/collections/client_requests/records?perPage=1&sort=-created", "items", "0", "id")
	if c.err != nil || request == "" {
		return nil, fmt.Errorf("find a request to write to: %w", c.err)
	}
	people, err := signedIn(ctx, s)
	if err != nil {
		return nil, err
	}
	post := operation{token: writer, next: func(_, n int) (string, string, string) {
		return http.MethodPost, "/api/collections/messages/records", fmt.Sprintf(`{"request":%q,"body":"Message %d"}`, request, n)
	}}
	live, cancel := context.WithCancel(ctx)
	defer cancel()
	var fans []fan
	connected := 0
	for _, want := range []int{0, 500, 2000} {
		say("a message while %d are connected", want)
		for ; connected < want; connected++ {
			if err := listen(live, s.url, people[connected%len(people)]); err != nil {
				return nil, fmt.Errorf("connect number %d: %w", connected, err)
			}
		}
		var all []time.Duration
		at := make(counters, 1)
		for range o.rounds {
			got, err := load(ctx, s, post, at, o.length)
			if err != nil {
				return nil, err
			}
			all = append(all, got.latencies...)
		}
		slices.Sort(all)
		fans = append(fans, fan{connected: want, p50: all[len(all)/2]})
	}
	return fans, nil
}

// person is somebody who listens.
type person struct{ id, token string }

// signedIn are people of the crowd; the first is the writer's own bookkeeper,
// who is told of every message.
func signedIn(ctx context.Context, s *server) ([]person, error) {
	var people []person
	for n := range listeners {
		c := &caller{url: s.url}
		email := demo.CrowdMember(n)
		if n == 0 {
			email = demo.CrowdMany
		}
		answer := c.post(ctx, "/api/collections/users/auth-with-password", object{"identity": email, "password": demo.Password})
		if c.err != nil {
			return nil, fmt.Errorf("sign %s in: %w", email, c.err)
		}
		record, _ := answer["record"].(map[string]any)
		people = append(people, person{id: object(record).text("id"), token: answer.text("token")})
	}
	return people, nil
}

// listen opens a line for live updates and subscribes to the person's topic; it
// is read until ctx ends.
func listen(ctx context.Context, url string, who person) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/realtime", nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("open a line: %w", err)
	}
	lines := bufio.NewScanner(answer.Body)
	id := ""
	for id == "" && lines.Scan() {
		id, _ = strings.CutPrefix(lines.Text(), "id:")
		if id == lines.Text() {
			id = ""
		}
	}
	go func() {
		defer answer.Body.Close()
		for lines.Scan() { // what comes is read and forgotten
		}
	}()
	return subscribe(ctx, url, who, id)
}

func subscribe(ctx context.Context, url string, who person, client string) error {
	body := fmt.Sprintf(`{"clientId":%q,"subscriptions":["person/%s"]}`, client, who.id)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/realtime", strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Authorization", who.token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("subscribe: answered %d", answer.StatusCode)
	}
	return nil
}
