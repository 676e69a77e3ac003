package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/hooks/demo"
)

// sizes are two folders of `gatehouse demo --organizations N --requests M`: what
// a list costs in the large one, against the small one.
type sizes struct {
	small, large string
}

// reader is somebody of a crowd and the lists that the interfaces show to such a
// person.
type reader struct {
	name, collection, email string
	lists                   []list
	alike                   bool // sees as much in both folders, so that growth means something
}

type list struct{ name, path string }

// records is a page of PocketBase's own list, with the total or without.
func records(collection, sort string, total bool) list {
	query := url.Values{"perPage": {"30"}, "sort": {sort}}
	name := collection + " by " + sort
	if total {
		name += ", with total"
	} else {
		query.Set("skipTotal", "1")
	}
	return list{name, "/api/collections/" + collection + "/records?" + query.Encode()}
}

func clientLists() []list {
	lists := ownLists()
	for _, sort := range []string{"-created", "due", "-state_since"} {
		lists = append(lists, records("client_requests", sort, false), records("client_requests", sort, true))
	}
	return append(lists, records("documents", "-created", true), records("messages", "-created", true))
}

// ownLists are those that people who see very much use: none of them is
// PocketBase's, whose DISTINCT sorts everything that one may see.
func ownLists() []list {
	lists := []list{{"home", "/api/portal/home"}, {"the own organizations", "/api/portal/me"}}
	for _, show := range []string{"needs_you", "with_us", "finished", "all"} {
		lists = append(lists, sorted("requests: "+strings.ReplaceAll(show, "_", " "), "/api/portal/requests?show="+show)...)
	}
	return lists
}

// sorted is a list in its usual order and by whose turn it is.
func sorted(name, path string) []list {
	return []list{{name, path}, {name + ", by turn", path + "&sort=turn"}}
}

func staffLists() []list {
	lists := []list{{"home", "/api/portal/home"}, {"clients", "/api/portal/clients"}}
	for _, view := range []string{"waiting_on_us", "waiting_on_client", "blocked", "overdue", "unassigned", "mine", "all"} {
		lists = append(lists, sorted("queue: "+strings.ReplaceAll(view, "_", " "), "/api/portal/queue?view="+view)...)
	}
	return lists
}

func readers() []reader {
	return []reader{
		{"a client of one organization", "users", demo.CrowdOne, clientLists(), true},
		{"a client of none", "users", demo.CrowdNone, clientLists(), true},
		{"a bookkeeper of 300 organizations", "users", demo.CrowdMany, ownLists(), false},
		{"staff", "staff", demo.CrowdStaff, staffLists(), false},
		{"staff behind walls", "staff", demo.CrowdWalled, staffLists(), false},
	}
}

// compareSizes measures every list of every reader, the small folder against the
// large one, one caller at a time.
func compareSizes(ctx context.Context, o options, small, large *server) ([]line, error) {
	for _, s := range []*server{small, large} {
		if _, err := s.start(ctx); err != nil {
			return nil, err
		}
	}
	var lines []line
	for _, who := range readers() {
		tokens := map[*server]string{}
		for _, s := range []*server{small, large} {
			c := &caller{url: s.url}
			if tokens[s] = c.enter(ctx, who.collection, who.email); c.err != nil {
				return nil, fmt.Errorf("sign %s in: %w", who.name, c.err)
			}
		}
		for _, l := range who.lists {
			if !o.picks(who.name + ": " + l.name) {
				continue
			}
			say("%s: %s", who.name, l.name)
			get := func(int, int) (string, string, string) { return http.MethodGet, l.path, "" }
			p := pair{name: who.name + ": " + l.name, bare: operation{tokens[small], get}, ours: operation{tokens[large], get}, alike: who.alike}
			line, err := compare(ctx, o, p, small, large, 1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

func (c *caller) enter(ctx context.Context, collection, email string) string {
	return c.post(ctx, "/api/collections/"+collection+"/auth-with-password", object{"identity": email, "password": demo.Password}).text("token")
}

// sizeReport is the table of the lists: growth for those who see as much in both
// folders, and what a page takes in the large one.
func sizeReport(m machine, o options, lines []line, fans []fan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Taken on %s: %d cores (%s), %s of memory; %d rounds of A B B A, %s each, one caller. Growth is the time of a call in the large folder over that in the small one.\n\n", m.day, m.cores, m.model, m.memory, o.rounds, o.length)
	b.WriteString("| who: which list | growth | p50 ms, large | p95 ms, large | p95 ms, small | rounds |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, l := range lines {
		growth := "sees more"
		if l.pair.alike {
			growth = fmt.Sprintf("%.2f", 1/l.throughput.middle)
		}
		rounds := fmt.Sprint(l.rounds)
		if l.busy {
			rounds += ", on a busy machine"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", escape(l.pair.name), growth, ms(l.ours.p50), ms(l.ours.p95), ms(l.bare.p95), rounds)
	}
	if fans == nil {
		return b.String()
	}
	b.WriteString("\n| people connected | answer to a writer, p50 ms | against nobody connected |\n| --- | --- | --- |\n")
	for _, f := range fans {
		fmt.Fprintf(&b, "| %d | %s | %.2f |\n", f.connected, ms(f.p50), float64(f.p50)/float64(fans[0].p50))
	}
	return b.String()
}

// fan is how long a writer waits while people are connected.
type fan struct {
	connected int
	p50       time.Duration
}
