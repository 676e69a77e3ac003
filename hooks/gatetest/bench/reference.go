package main

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// referenceCommand as the first argument makes this program the bare PocketBase.
const referenceCommand = "reference"

// visible is the rule by which Gatehouse shows records: the comparison is about
// what stands around PocketBase, not about a lighter rule.
const visible = "@collection.access.principal ?= @request.auth.id && @collection.access.scope ?= scope && " +
	"@collection.access.since ?<= @now && @collection.access.until ?> @now"

// serveReference is PocketBase as it comes, with collections of the same
// columns, rules and indexes, and no hook.
func serveReference(args []string) error {
	// PocketBase looks for its command in os.Args itself.
	os.Args = append(os.Args[:1], args...)
	app := pocketbase.NewWithConfig(pocketbase.Config{})
	app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		if _, err := e.App.FindCollectionByNameOrId("requests"); err == nil {
			return nil
		}
		if err := e.App.RunAllMigrations(); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return e.App.RunInTransaction(makeCollections)
	})
	return app.Start()
}

func makeCollections(tx core.App) error {
	b := &maker{tx: tx}
	b.base("access", "",
		text("principal"), text("scope"), date("since"), date("until"), text("source"), text("source_id")).
		index(true, "principal, scope, since, until, source, source_id").index(false, "scope, principal").save()
	organizations := b.base("organizations", visible,
		text("name"), text("code"), text("kind"), text("status"), text("scope")).index(false, "name").save()
	staff := b.auth("staff", text("name"), text("role"), &core.BoolField{Name: "active"}).save()
	workflows := b.base("workflows", "", text("key"), text("title")).save()
	users, err := tx.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	b.base("memberships", "", one("user", users), one("organization", organizations), text("role"), text("status")).
		index(true, "user, organization").save()

	b.base("requests", visible,
		text("number"), one("workflow", workflows), text("workflow_key"), one("organization", organizations), text("period"),
		text("title"), text("state"), text("category"), text("turn"), number("entry"), one("assignee", staff), text("requester"),
		text("visibility"), text("priority"), jsonObject("tags"), date("due"), date("state_since"), date("paused_until"), date("wake_at"),
		jsonObject("data"), jsonObject("progress"), jsonObject("restricted_to"), number("revision"), date("closed_at"), text("scope")).
		index(true, "number").index(false, "organization, workflow_key, category").index(false, "workflow, state").
		index(false, "turn, category, due, id").index(false, "assignee, category, due, id").index(false, "category, due, id").
		scoped("created", "due", "state_since", "updated", "number").save()
	b.base("client_requests", visible,
		text("number"), one("organization", organizations), text("title"), text("state"), text("label"), text("category"), text("turn"),
		text("outcome"), date("due"), date("state_since"), jsonObject("contact"), jsonObject("data"), jsonObject("progress"), number("revision"), text("scope")).
		index(false, "organization, category, due").
		scoped("created", "due", "state_since", "updated", "category, due").save()
	return b.err
}

// maker keeps the first error, so that the list of collections reads as a list.
type maker struct {
	tx  core.App
	c   *core.Collection
	err error
}

func (m *maker) base(name, rule string, fields ...core.Field) *maker {
	return m.begin(core.NewBaseCollection(name), rule, fields)
}

func (m *maker) auth(name string, fields ...core.Field) *maker {
	return m.begin(core.NewAuthCollection(name), "", fields)
}

func (m *maker) begin(c *core.Collection, rule string, fields []core.Field) *maker {
	c.Fields.Add(fields...)
	c.Fields.Add(&core.AutodateField{Name: "created", OnCreate: true}, &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
	if rule != "" {
		c.ListRule, c.ViewRule, c.UpdateRule = types.Pointer(rule), types.Pointer(rule), types.Pointer(rule)
	}
	m.c = c
	return m
}

func (m *maker) index(unique bool, columns string) *maker {
	m.c.AddIndex(fmt.Sprintf("idx_%s_%d", m.c.Name, len(m.c.Indexes)), unique, columns, "")
	return m
}

func (m *maker) scoped(orders ...string) *maker {
	for _, order := range orders {
		m.index(false, "COALESCE(scope,''), "+order)
	}
	return m
}

func (m *maker) save() *core.Collection {
	if m.err == nil {
		if err := m.tx.Save(m.c); err != nil {
			m.err = fmt.Errorf("save collection %s: %w", m.c.Name, err)
		}
	}
	return m.c
}

func text(name string) core.Field       { return &core.TextField{Name: name, Max: 2000} }
func number(name string) core.Field     { return &core.NumberField{Name: name, OnlyInt: true} }
func date(name string) core.Field       { return &core.DateField{Name: name} }
func jsonObject(name string) core.Field { return &core.JSONField{Name: name, MaxSize: 5 << 20} }

func one(name string, to *core.Collection) core.Field {
	return &core.RelationField{Name: name, CollectionId: to.Id, MaxSelect: 1}
}
