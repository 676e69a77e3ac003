package console

import (
	"testing"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// A connection is found by its person from the moment that it listens until it
// ends, however it ends.
func TestConnection_isFoundWhileItListens(t *testing.T) {
	anna := core.NewRecord(core.NewAuthCollection("users"))
	anna.Id = "anna"
	live := &Live{}
	found := func(what string, want int) {
		t.Helper()
		list, kind := live.lines.to("anna")
		if len(list) != want || (want > 0 && kind != "users") || live.lines.open() != (want > 0) {
			t.Errorf("%s: %d connections of %q, want %d", what, len(list), kind, want)
		}
	}
	connect := func() *Connection {
		c := live.NewConnection()
		c.Set(apis.RealtimeClientAuthKey, anna)
		c.Subscribe("person/anna?options={}")
		return c
	}
	found("nobody is there", 0)
	first, second := connect(), connect()
	found("two pages", 2)
	first.Unsubscribe()
	found("one listens no more", 1)
	first.Subscribe("person/anna")
	found("and again", 2)
	second.Discard()
	found("one is closed", 1)
	second.Subscribe("person/anna")
	found("what is closed stays closed", 1)
	first.Discard()
	found("both are closed", 0)

	other := core.NewRecord(core.NewAuthCollection("users"))
	other.Id = "other"
	third := connect()
	third.Set(apis.RealtimeClientAuthKey, other)
	if list, _ := live.lines.to("anna"); len(list) != 0 {
		t.Error("a connection of somebody else is taken for hers")
	}
}

func TestConnection_saysAtOnceThatItHearsOfNoRecords(t *testing.T) {
	live := &Live{}
	person, dashboard := live.NewConnection(), live.NewConnection()
	person.Subscribe("person/anna")
	dashboard.Subscribe("person/sol", "requests/*")
	if n := len(person.Subscriptions("requests/*?", "person/")); n != 0 {
		t.Errorf("a person's page hears of %d records", n)
	}
	if n := len(person.Subscriptions()); n != 1 {
		t.Errorf("a person's page has %d topics, want its own", n)
	}
	if n := len(dashboard.Subscriptions("requests/*?")); n != 1 {
		t.Errorf("a superuser's dashboard hears of %d records, want one", n)
	}
}
