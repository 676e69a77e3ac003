package demo

import (
	"testing"
	"time"
)

func TestBuild_try(t *testing.T) {
	start := time.Now()
	app := build(t, noon, 1)
	t.Log(time.Since(start))
	var rows []struct {
		Number, Title, State, Category, Turn, Org, Created string
	}
	if err := app.DB().NewQuery(`SELECT r.number,r.title,r.state,r.category,r.turn,o.name as org,r.created FROM requests r JOIN organizations o ON o.id=r.organization ORDER BY r.created`).All(&rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		t.Log(r)
	}
}
