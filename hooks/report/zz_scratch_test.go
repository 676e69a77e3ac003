package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"gatehouse/hooks/schema"
)

func TestScratch(t *testing.T) {
	s := newStage(t)
	ex := func(q string) {
		start := time.Now()
		_, err := s.NonconcurrentDB().NewQuery(q).Execute()
		if err != nil { t.Fatal(err, q) }
		if d := time.Since(start); d > time.Second { t.Log(d, q[:60]) }
	}
	for _, n := range []string{"wall_requests_insert"} { ex("DROP TRIGGER " + n) }
	ex(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<599) INSERT INTO organizations (id,name,path,status,kind,scope,code,parent,data,created,updated,merged_into) SELECT 'org'||printf('%012d',i), 'Client '||i, '/org'||printf('%012d',i)||'/', 'active','client','org'||printf('%012d',i),'','','{}','2026-01-01','2026-01-01','' FROM n`)
	var flow string
	s.must(s.DB().NewQuery(`SELECT id FROM workflows WHERE key='hold_flow'`).Row(&flow))
	ex(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<119999) INSERT INTO requests (id,number,workflow,workflow_key,organization,title,state,category,turn,entry,assignee,visibility,priority,due,state_since,data,progress,face,restricted_to,revision,scope,created,updated)
	SELECT 'req'||printf('%012d',i), 'N-'||i, '`+flow+`','hold_flow','org'||printf('%012d',i%600),'Paper '||i,'in_review', CASE WHEN i%15>0 THEN 'done' WHEN i%4=0 THEN 'waiting' WHEN i%37=0 THEN 'blocked' ELSE 'review' END, CASE WHEN i%15>0 THEN 'nobody' WHEN i%4=0 THEN 'client' ELSE 'staff' END, 1, CASE WHEN i%3=0 THEN '' WHEN i%60=7 THEN '`+s.sam.ID+`' ELSE 'xx'||i%40 END,'organization','normal',
	CASE WHEN i%5=0 THEN '' ELSE strftime('%Y-%m-%d %H:%M:%f','2026-11-19','+'||(abs(random())%4000)||' minutes') ||'Z' END, strftime('%Y-%m-%d %H:%M:%f','2026-10-19','+'||(abs(random())%4000)||' minutes') ||'Z', '{"text":"'||hex(randomblob(300))||'"}','{"total":2}','{}', CASE WHEN i%3001=0 THEN '["compliance"]' ELSE '[]' END, 1, CASE WHEN i%3001=0 THEN 'staff:req'||printf('%012d',i) ELSE 'staff:org'||printf('%012d',i%600) END,'2026-01-01','2026-01-01 00:00:'||i%60 FROM n`)
	ex(`INSERT INTO client_requests (id,number,organization,title,state,label,category,turn,outcome,due,state_since,contact,data,progress,revision,scope,created,updated) SELECT id,number,organization,title,state,'We check',category,turn,'',due,state_since,'{}',data,progress,1,organization,created,updated FROM requests`)
	s.rebuild()
	a := asker{Actor: s.sam, at: s.now}
	much, err := staffReach(s, a)
	s.must(err)
	var blind = a
	blind.ID = s.anna.ID
	none, _ := staffReach(s, blind)
	run := func() {
		for _, v := range []struct{ n string; r reach; a asker }{{"all", much, a}, {"one org", none, blind}} {
			best := func(f func()) time.Duration {
				m := time.Hour
				for range 4 { st := time.Now(); f(); m = min(m, time.Since(st)) }
				return m.Round(10 * time.Microsecond)
			}
			t.Log(v.n, "counts", best(func() { _, err := queueCounts(s, v.a, v.r); s.must(err) }))
			for _, view := range []string{"waiting_on_us", "waiting_on_client", "overdue", "blocked", "unassigned", "mine", "all"} {
				t.Log(v.n, view, best(func() { _, err := queueRows(s, v.a, v.r, queueWanted{view: view, limit: 50}); s.must(err) }),
					"p2", best(func() { _, err := queueRows(s, v.a, v.r, queueWanted{view: view, limit: 50, after: &mark{Rank: 0, Key: "2026-11-20"}}); s.must(err) }),
					"q", best(func() { _, err := queueRows(s, v.a, v.r, queueWanted{view: view, limit: 50, q: "nothing like it"}); s.must(err) }))
			}
			t.Log(v.n, "clients", best(func() { _, err := clients(s, v.a, v.r, "", nil, 50); s.must(err) }))
			t.Log(v.n, "client", best(func() { _, err := queueRows(s, v.a, v.r, queueWanted{organization: "org000000000003", limit: 100}); s.must(err) }))
		}
		for _, v := range []reach{much, none} { for _, view := range []string{"waiting_on_us", "waiting_on_client", "overdue", "blocked", "unassigned", "mine", "all"} { t.Log("PLAN", view, v.condition == byScope)
		params := v.bind(dbx.Params{"limit": 51})
		st := queueStatement(v, queueWanted{view: view, after: &mark{Key: "~"}}, params)
		var rows []struct{ Detail string `db:"detail"` }
		s.must(s.DB().NewQuery("EXPLAIN QUERY PLAN " + st).Bind(params).All(&rows))
		for _, r := range rows { if strings.Contains(r.Detail, " r ") || strings.Contains(r.Detail, " c ") || strings.HasSuffix(r.Detail, " c") || strings.Contains(r.Detail, "TEMP") { t.Log("   ", r.Detail) } }
	}}}
	s.bringIndexes()
	run()
	_ = fmt.Sprint
	_ = schema.Forever
}
