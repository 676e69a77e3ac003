package pb_migrations

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// visible is the one rule for seeing a record: somebody's live row in access
// for the record's scope. Written as PocketBase compares it, so that an
// expression index on COALESCE(scope,”) serves the join.
const visible = "@collection.access.principal ?= @request.auth.id && @collection.access.scope ?= scope && " +
	"@collection.access.since ?<= @now && @collection.access.until ?> @now"

func text(name string, required bool) core.Field {
	return &core.TextField{Name: name, Required: required, Max: 2000}
}

func long(name string) core.Field {
	return &core.TextField{Name: name, Max: 200_000}
}

func hiddenText(name string) core.Field {
	return &core.TextField{Name: name, Max: 2000, Hidden: true}
}

func number(name string) core.Field {
	return &core.NumberField{Name: name, OnlyInt: true}
}

func flag(name string) core.Field {
	return &core.BoolField{Name: name}
}

func date(name string) core.Field {
	return &core.DateField{Name: name}
}

func object(name string) core.Field {
	return &core.JSONField{Name: name, MaxSize: 5 << 20}
}

func choice(name string, required bool, values ...string) core.Field {
	return &core.SelectField{Name: name, Required: required, Values: values, MaxSelect: 1}
}

func created() core.Field {
	return &core.AutodateField{Name: "created", OnCreate: true}
}

func updated() core.Field {
	return &core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true}
}

// one relates to a single record of collection, many to several.
func one(name string, required bool, collection *core.Collection) core.Field {
	return &core.RelationField{Name: name, Required: required, CollectionId: collection.Id, MaxSelect: 1}
}

func many(name string, collection *core.Collection) core.Field {
	return &core.RelationField{Name: name, CollectionId: collection.Id, MaxSelect: 200}
}

func rule(expression string) *string { return types.Pointer(expression) }

// index adds a plain index; columns as SQL.
func index(c *core.Collection, unique bool, columns string) {
	indexWhere(c, unique, columns, "")
}

func indexWhere(c *core.Collection, unique bool, columns, where string) {
	name := strings.NewReplacer("COALESCE(scope,'')", "scope", "(", "", ")", "", "'", "", ",", "_", " ", "_", "`", "").Replace(columns)
	name = "idx_" + c.Name + "_" + strings.ReplaceAll(name, "__", "_")
	if where != "" {
		name += "_some"
	}
	c.AddIndex(name, unique, columns, where)
}

// scoped adds the expression index for each order in which a list is offered.
func scoped(c *core.Collection, orders ...string) {
	for _, order := range orders {
		index(c, false, "COALESCE(scope,''), "+order)
	}
}
