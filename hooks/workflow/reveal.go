package workflow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Reveal gives the whole value of a masked field to staff who work on the
// request. Every look is on the trail.
func (e *Engine) Reveal(_ context.Context, app core.App, id string, actor schema.Actor, field string) (string, error) {
	if err := staffOnly(actor); err != nil {
		return "", err
	}
	var value string
	err := e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if l.who.Shown || (!l.who.Superuser && !access.MemberOf(actor).AtLeast("operator")) {
			return problem.New(problem.Role, "Your role lets you look at the masked value only.")
		}
		if f := l.def.Field(field); f == nil || f.Mask == "" {
			return problem.Field("field", problem.UnknownField, fmt.Sprintf("%q is not a masked field.", field))
		}
		err = tx.DB().NewQuery(`SELECT value FROM field_secrets WHERE request = {:id} AND field = {:field}`).Bind(dbx.Params{"id": id, "field": field}).Row(&value)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read masked field %s: %w", field, err)
		}
		return e.Audit(tx, Change{Actor: actor, Action: "preview", Collection: schema.Requests, Record: id, Organization: l.Organization, Request: id, Change: map[string]any{"field": field}, Scope: l.Scope, At: l.facts.Now})
	})
	return value, err
}

// PostReveal shows a masked value whole.
//
//	POST /api/portal/requests/{id}/reveal {field} → 200 {value}
func (e *Engine) PostReveal(re *core.RequestEvent) error {
	var in struct {
		Field string `json:"field"`
	}
	if err := read(re, &in); err != nil {
		return problem.Reply(re, err)
	}
	value, err := e.Reveal(re.Request.Context(), re.App, re.Request.PathValue("id"), actor(re), in.Field)
	if err != nil {
		return problem.Reply(re, err)
	}
	return re.JSON(http.StatusOK, map[string]string{"value": value})
}
