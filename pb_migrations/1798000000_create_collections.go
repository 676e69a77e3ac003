package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	register("1798000000_create_collections.go", createCollections)
}

const (
	isStaff   = "@request.auth.collectionName = 'staff' && @request.auth.active = true"
	isManager = isStaff + " && (@request.auth.role = 'manager' || @request.auth.role = 'owner')"
	isOwner   = isStaff + " && @request.auth.role = 'owner'"
	signedIn  = "@request.auth.id != ''"
)

// builder keeps the first error, so that the list of collections reads as a list.
type builder struct {
	app core.App
	err error
}

func (b *builder) base(name string, fields ...core.Field) *core.Collection {
	c := core.NewBaseCollection(name)
	c.Fields.Add(fields...)
	c.Fields.Add(created(), updated())
	return c
}

func (b *builder) save(c *core.Collection) {
	if b.err != nil {
		return
	}
	if err := b.app.Save(c); err != nil {
		b.err = fmt.Errorf("save collection %s: %w", c.Name, err)
	}
}

// seen gives a collection the one rule for seeing.
func seen(c *core.Collection) *core.Collection {
	c.ListRule, c.ViewRule = rule(visible), rule(visible)
	return c
}

func createCollections(app core.App) error {
	b := &builder{app: app}

	// access comes first: every rule reads it. Nobody reads it but superusers
	// and "explain".
	access := b.base("access",
		text("principal", true), text("scope", true), &core.DateField{Name: "since", Required: true}, &core.DateField{Name: "until", Required: true},
		choice("source", true, "membership", "delegation", "participant", "staff"), text("source_id", true))
	index(access, true, "principal, scope, since, until, source, source_id")
	index(access, false, "scope, principal")
	index(access, false, "source, source_id")
	b.save(access)

	organizations := b.base("organizations",
		text("name", true), text("code", false), text("path", false),
		choice("kind", false, "client", "office", "department", "brand", "partner", "vendor"),
		choice("status", false, "active", "suspended", "archived"),
		object("data"), text("scope", false))
	b.save(organizations)
	organizations.Fields.Add(one("parent", false, organizations), one("merged_into", false, organizations))
	indexWhere(organizations, true, "code", "code != ''")
	index(organizations, false, "parent")
	index(organizations, false, "path")
	index(organizations, false, "name")
	scoped(organizations, "name", "created")
	seen(organizations)
	organizations.CreateRule = rule(isManager)
	organizations.UpdateRule = rule(visible)
	b.save(organizations)

	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return fmt.Errorf("find users: %w", err)
	}
	users.Fields.RemoveByName("avatar")
	users.OAuth2.MappedFields.AvatarURL = ""
	users.Fields.Add(text("locale", false), text("timezone", false))
	users.ListRule = rule("id = @request.auth.id || (" + isStaff + ")")
	users.ViewRule = users.ListRule
	users.CreateRule = nil
	users.UpdateRule = rule("id = @request.auth.id")
	users.DeleteRule = nil
	users.OTP.Enabled, users.OTP.Length, users.OTP.Duration = true, 6, 600
	users.AuthAlert.Enabled = false
	setPassword(users)
	index(users, false, "name")
	b.save(users)

	staff := core.NewAuthCollection("staff")
	staff.Fields.Add(text("name", true), choice("role", true, "viewer", "operator", "manager", "owner"),
		object("duties"), flag("active"), text("locale", false), text("timezone", false), created(), updated())
	staff.ListRule, staff.ViewRule = rule(isStaff), rule(isStaff)
	staff.CreateRule = rule(isOwner)
	staff.UpdateRule = rule(isStaff)
	staff.AuthRule = rule("active = true")
	staff.OTP.Enabled, staff.OTP.Length, staff.OTP.Duration = true, 6, 600
	staff.AuthAlert.Enabled = false
	setPassword(staff)
	index(staff, false, "name")
	b.save(staff)

	memberships := b.base("memberships",
		one("user", true, users), one("organization", true, organizations),
		choice("role", true, "admin", "member", "viewer"), object("duties"),
		choice("status", false, "invited", "active", "suspended"), text("scope", false))
	index(memberships, true, "user, organization")
	index(memberships, false, "organization, status, role")
	scoped(memberships, "created")
	seen(memberships)
	memberships.CreateRule = rule(isManager)
	memberships.UpdateRule, memberships.DeleteRule = rule(visible), rule(visible)
	b.save(memberships)

	invitations := b.base("invitations",
		&core.EmailField{Name: "email", Required: true}, text("name", false), one("organization", true, organizations),
		choice("role", true, "admin", "member", "viewer"), object("duties"), one("invited_by", false, staff),
		choice("status", true, "queued", "sent", "bounced", "opened", "accepted", "expired", "revoked"),
		number("sent_count"), date("sent_at"), date("opened_at"), date("accepted_at"), date("expires"),
		hiddenText("token_hash"), text("scope", false))
	index(invitations, true, "token_hash")
	index(invitations, false, "organization, email")
	scoped(invitations, "created")
	seen(invitations)
	b.save(invitations)

	workflows := b.base("workflows",
		text("key", true), number("version"), text("title", true), object("definition"), long("source"),
		choice("status", true, "draft", "published", "retired"), object("findings"), date("published_at"))
	index(workflows, true, "key, version")
	workflows.ListRule, workflows.ViewRule = rule(isStaff), rule(isStaff)
	b.save(workflows)

	for _, name := range []string{"forms", "texts"} {
		c := b.base(name, text("key", true), number("version"), text("title", true), object("definition"), long("body"),
			choice("status", true, "draft", "published", "retired"))
		index(c, true, "key, version")
		c.ListRule, c.ViewRule = rule(signedIn), rule(signedIn)
		b.save(c)
	}

	requests := b.base("requests",
		text("number", true), one("workflow", true, workflows), text("workflow_key", true), one("organization", true, organizations), text("period", false),
		text("title", true), text("state", true), choice("category", true, "open", "waiting", "review", "blocked", "done"),
		choice("turn", true, "client", "staff", "system", "nobody"), number("entry"), one("assignee", false, staff), text("requester", false),
		choice("visibility", true, "organization", "restricted"), many("participants", users),
		choice("priority", false, "low", "normal", "high", "urgent"), object("tags"), date("due"), flag("due_set"), date("state_since"), date("paused_until"),
		date("wake_at"), object("data"), object("progress"), object("face"), object("restricted_to"), number("revision"), date("closed_at"), text("scope", false))
	index(requests, true, "number")
	index(requests, false, "organization, workflow_key, category")
	index(requests, false, "workflow, state")
	indexWhere(requests, false, "wake_at", "wake_at != ''")
	// For the work queue: with us first, then what is due, then what waits.
	requests.AddIndex("idx_requests_queue", false, "(turn != 'staff' AND category != 'blocked'), COALESCE(NULLIF(due, ''), '~'), state_since, id", "category != 'done'")
	requests.AddIndex("idx_requests_open", false, "COALESCE(scope,''), turn, category, due, assignee", "category != 'done'")
	requests.AddIndex("idx_requests_hidden", false, "id", "restricted_to != '[]'")
	index(requests, false, "assignee, category, due, id")
	index(requests, false, "category, due, id")
	scoped(requests, "created", "due")
	seen(requests)
	requests.UpdateRule = rule(visible)
	b.save(requests)

	delegations := b.base("delegations",
		one("from", true, users), one("to", true, users), one("organization", true, organizations), one("request", false, requests),
		object("powers"), &core.DateField{Name: "starts", Required: true}, &core.DateField{Name: "ends", Required: true}, text("reason", false), flag("revoked"), text("scope", false))
	index(delegations, false, "`to`, organization")
	index(delegations, false, "`from`, organization")
	index(delegations, false, "request")
	scoped(delegations, "created")
	seen(delegations)
	b.save(delegations)

	walls := b.base("walls", one("staff", true, staff), one("organization", false, organizations), one("request", false, requests), text("reason", true))
	index(walls, false, "staff, organization")
	index(walls, false, "organization")
	index(walls, false, "request")
	walls.ListRule, walls.ViewRule, walls.CreateRule, walls.UpdateRule, walls.DeleteRule = rule(isManager), rule(isManager), rule(isManager), nil, rule(isManager)
	b.save(walls)

	people := b.base("request_people", one("request", true, requests), text("duty", true), text("person", true), text("scope", false))
	index(people, true, "request, duty")
	index(people, false, "person")
	scoped(people, "created")
	b.save(seen(people))

	items := b.base("items",
		one("request", true, requests), text("section", true), text("key", true), text("instance", false), number("position"),
		choice("kind", true, "file", "form", "long_text", "answer", "acknowledge"), text("title", true), long("hint"), object("options"),
		choice("status", true, "missing", "provided", "accepted", "rejected", "more_needed", "waived", "not_applicable", "expired"),
		text("entered_status", false), choice("turn", true, "client", "staff", "system", "nobody"), flag("required"), flag("active"),
		text("reason", false), long("comment"), object("shown"), date("due"), text("provided_by", false), date("provided_at"), text("reviewer", false), date("reviewed_at"),
		object("answers"), number("tries"), text("scope", false))
	index(items, true, "request, section, `key`, instance")
	scoped(items, "created", "position")
	b.save(seen(items))

	clientRequests := b.base("client_requests",
		text("number", true), one("organization", true, organizations), text("title", true), text("state", true), text("label", true),
		choice("category", true, "open", "waiting", "review", "blocked", "done"), choice("turn", true, "client", "staff", "system", "nobody"),
		text("outcome", false), date("due"), date("state_since"), object("contact"), object("data"), object("progress"), number("revision"), text("scope", false))
	index(clientRequests, false, "organization, category, due")
	scoped(clientRequests, "created", "due", "category, due")
	b.save(seen(clientRequests))

	clientItems := b.base("client_items",
		one("request", true, clientRequests), text("section", true), text("key", true), text("instance", false), number("position"), text("title", true), long("hint"),
		text("kind", true), text("status", true), text("label", true), flag("required"), flag("editable"), text("why", false),
		text("reason", false), long("comment"), object("options"), object("answers"), date("due"), text("scope", false))
	index(clientItems, false, "request, position")
	scoped(clientItems, "created", "position")
	b.save(seen(clientItems))

	history := b.base("client_history",
		one("request", true, clientRequests), text("kind", true), text("actor_name", false), text("on_behalf_of", false), text("text", false), object("detail"), date("at"), text("scope", false))
	index(history, false, "request, at")
	scoped(history, "created")
	b.save(seen(history))

	documents := b.base("documents",
		one("organization", true, organizations), one("request", false, requests), one("item", false, items),
		&core.FileField{Name: "file", Required: true, Protected: true, MaxSize: 5 << 30, MaxSelect: 1},
		text("title", true), number("version"), text("sha256", false), &core.NumberField{Name: "size", OnlyInt: true}, text("mime", false),
		choice("state", true, "scanning", "ready", "quarantined"), one("uploader_user", false, users), one("uploader_staff", false, staff), text("author_name", false),
		object("metadata"), flag("reviewed"), flag("superseded"), date("sent_at"), date("published_at"), date("retain_until"), flag("hold"), text("scope", false))
	b.save(documents)
	documents.Fields.Add(one("replaces", false, documents))
	index(documents, false, "request, created")
	index(documents, false, "item, created")
	index(documents, false, "organization, sha256")
	scoped(documents, "created", "title")
	seen(documents)
	documents.CreateRule = rule(signedIn)
	documents.DeleteRule = rule(visible)
	b.save(documents)

	messages := b.base("messages",
		one("request", true, requests), one("organization", false, organizations), one("author_user", false, users), one("author_staff", false, staff), text("author_name", false),
		&core.TextField{Name: "body", Required: true, Max: 20_000}, many("documents", documents), text("scope", false))
	index(messages, false, "request, created")
	scoped(messages, "created")
	seen(messages)
	messages.CreateRule = rule(signedIn)
	b.save(messages)

	notes := b.base("internal_notes",
		one("request", true, requests), one("author", false, staff), text("author_name", false), &core.TextField{Name: "body", Required: true, Max: 20_000}, text("scope", false))
	index(notes, false, "request, created")
	scoped(notes, "created")
	seen(notes)
	notes.CreateRule = rule(signedIn)
	b.save(notes)

	transitions := b.base("transitions",
		one("request", true, requests), text("key", true), text("from", true), text("to", true), number("entry"),
		choice("actor_kind", true, "user", "staff", "superuser", "system", "connection"), text("actor", false), text("actor_name", false), text("on_behalf_of", false),
		text("reason", false), number("revision"), &core.DateField{Name: "at", Required: true}, text("scope", false))
	index(transitions, true, "request, revision")
	scoped(transitions, "created", "at")
	b.save(seen(transitions))

	events := b.base("events",
		number("seq"), text("type", true), text("request", false), text("organization", false),
		choice("actor_kind", true, "user", "staff", "superuser", "system", "connection"), text("actor", false), object("payload"), &core.DateField{Name: "at", Required: true})
	index(events, true, "seq")
	index(events, false, "request, seq")
	b.save(events)

	audit := b.base("audit_log",
		number("seq"), &core.DateField{Name: "at", Required: true}, choice("actor_kind", true, "user", "staff", "superuser", "system", "connection", "guest"),
		text("actor", false), text("actor_name", false), text("action", true), text("collection", false), text("record", false), text("organization", false), text("request", false),
		object("change"), text("ip", false), text("hash", true), text("scope", false))
	index(audit, true, "seq")
	index(audit, false, "request, seq")
	index(audit, false, "record, seq")
	scoped(audit, "seq")
	b.save(seen(audit))

	notifications := b.base("notifications",
		text("event", true), text("rule", false), one("user", false, users), one("staff", false, staff), text("email", false), text("request", false), text("organization", false),
		choice("channel", true, "email", "in_app", "task"), choice("status", true, "waiting", "sent", "suppressed", "failed"), text("why", true), text("title", false),
		&core.TextField{Name: "dedupe", Required: true, Max: 500}, date("send_at"), date("sent_at"), date("read_at"), number("attempts"), long("error"), text("link", false), text("mail", false), text("scope", false))
	index(notifications, true, "dedupe")
	index(notifications, false, "user, created")
	index(notifications, false, "staff, created")
	index(notifications, false, "request, created")
	indexWhere(notifications, false, "send_at", "status = 'waiting'")
	notifications.ListRule = rule(signedIn + " && (user = @request.auth.id || staff = @request.auth.id)")
	notifications.ViewRule = notifications.ListRule
	b.save(notifications)

	// mails keeps what was, or would have been, put on the wire.
	mails := b.base("mails",
		text("kind", true), text("to", true), text("to_name", false), text("subject", true), long("text"), long("html"), text("message_id", true), text("notification", false),
		choice("status", true, "waiting", "sent", "kept", "failed"), text("why", false), number("attempts"), date("next_at"), date("sent_at"), long("error"), text("request", false), text("organization", false))
	index(mails, true, "message_id")
	index(mails, false, "created")
	indexWhere(mails, false, "next_at", "status = 'waiting'")
	b.save(mails)

	jobs := b.base("jobs",
		text("connection", false), text("name", true), text("system", true), text("request", false), text("collection", false), text("record", false), text("organization", false),
		choice("status", true, "queued", "running", "done", "retrying", "dead", "skipped", "cancelled"), number("attempts"), date("next_at"),
		text("idempotency_key", true), long("last_error"), number("revision"), text("scope", false))
	index(jobs, true, "idempotency_key")
	index(jobs, false, "request, name, revision")
	indexWhere(jobs, false, "next_at", "status = 'queued' OR status = 'retrying'")
	scoped(jobs, "created")
	b.save(seen(jobs))

	// The whole values of masked fields: no rule lets anybody read them.
	secrets := b.base("field_secrets", one("request", true, requests), text("field", true), text("value", true))
	index(secrets, true, "request, field")
	b.save(secrets)

	keys := b.base("idempotency_keys", text("principal", true), text("key", true), text("digest", true), number("status"), long("answer"), date("expires"))
	index(keys, true, "principal, `key`")
	index(keys, false, "expires")
	b.save(keys)

	settings := b.base("settings", text("key", true), object("value"), number("version"), text("changed_by", false))
	index(settings, true, "`key`")
	b.save(settings)

	reads := b.base("reads", text("person", true), text("request", true), date("at"))
	index(reads, true, "person, request")
	b.save(reads)

	return b.err
}

// setPassword asks for length, not for composition: a long sentence is better
// than a short riddle (NIST SP 800-63B, 5.1.1.2).
func setPassword(c *core.Collection) {
	if f, ok := c.Fields.GetByName("password").(*core.PasswordField); ok {
		f.Min = 10
		f.Max = 71
	}
}
