package workflow

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// NewItems are items that staff add to a live request: one, a list of rows, or
// rows of a table as text. With preview nothing is saved.
type NewItems struct {
	NewItem
	Rows    []NewItem `json:"rows"`
	CSV     string    `json:"csv"`
	Preview bool      `json:"preview"`
}

// RowCheck is what became, or would become, of one row.
type RowCheck struct {
	Title   string `json:"title"`
	OK      bool   `json:"ok"`
	Message string `json:"message"`
}

// maxItems bounds the items of a request.
const maxItems = 500

// rows are the items that are meant, each with the section and template that
// stand beside the list.
func (n *NewItems) rows() ([]NewItem, error) {
	rows := n.Rows
	switch {
	case n.CSV != "":
		var err error
		if rows, err = readRows(n.CSV); err != nil {
			return nil, err
		}
	case rows == nil:
		return []NewItem{n.NewItem}, nil
	}
	if len(rows) == 0 || len(rows) > maxItems {
		return nil, problem.Field("rows", problem.BadInput, fmt.Sprintf("1 to %d rows are expected.", maxItems))
	}
	list := make([]NewItem, len(rows))
	for at, row := range rows {
		if row.Section == "" {
			row.Section = n.Section
		}
		if row.Template == "" {
			row.Template = n.Template
		}
		list[at] = row
	}
	return list, nil
}

// readRows reads a table with a head: title, hint, required, due and choices are
// what they say, every other column fills a place in the template's title.
func readRows(text string) ([]NewItem, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if !utf8.ValidString(text) {
		return nil, problem.Field("csv", problem.BadInput, "This is not text in UTF-8. Save the table as CSV in UTF-8 and try again.")
	}
	head, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(bytes.NewBufferString(text))
	for _, comma := range []rune{';', '\t'} {
		if strings.Count(head, string(comma)) > strings.Count(head, string(r.Comma)) {
			r.Comma = comma
		}
	}
	r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = -1, true, true
	columns, err := r.Read()
	if err != nil || len(columns) > 50 {
		return nil, problem.Field("csv", problem.BadInput, "A table with a head line of at most 50 columns is expected.").Because(err)
	}
	for at := range columns {
		columns[at] = strings.ToLower(strings.TrimSpace(columns[at]))
	}
	var rows []NewItem
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, problem.Field("csv", problem.BadInput, "The table cannot be read: "+err.Error()+".")
		}
		if len(rows) == maxItems {
			return nil, problem.Field("csv", problem.BadInput, fmt.Sprintf("At most %d rows can be added.", maxItems))
		}
		rows = append(rows, rowOf(columns, cells))
	}
}

func rowOf(columns, cells []string) NewItem {
	row := NewItem{Values: map[string]string{}}
	for at, cell := range cells {
		cell = strings.TrimSpace(cell)
		if at >= len(columns) || cell == "" {
			continue
		}
		switch columns[at] {
		case "title":
			row.Title = cell
		case "hint":
			row.Hint = cell
		case "due":
			row.Due = cell
		case "required":
			needed := !slices.Contains([]string{"no", "false", "0", "n"}, strings.ToLower(cell))
			row.Required = &needed
		case "choices":
			row.Options.Choices = strings.FieldsFunc(cell, func(c rune) bool { return c == '|' })
		default:
			row.Values[columns[at]] = cell
		}
	}
	return row
}

// AddItems adds items to dynamic sections of a live request, all or none, and
// says of each row what it becomes or what is wrong with it.
func (e *Engine) AddItems(_ context.Context, app core.App, id string, actor schema.Actor, in NewItems) ([]RowCheck, error) {
	var checks []RowCheck
	err := e.within(app, func(tx core.App) error {
		l, err := e.load(tx, id, actor)
		if err != nil {
			return err
		}
		if err := staffOnly(actor); err != nil {
			return err
		}
		rows, err := in.rows()
		if err != nil {
			return err
		}
		var items []*Item
		var refused error
		for _, row := range rows {
			i, err := l.addItem(row, false)
			var refusal *problem.Error
			switch {
			case err == nil:
				items = append(items, i)
				checks = append(checks, RowCheck{Title: i.Title, OK: true})
			case errors.As(err, &refusal):
				refused = errors.Join(refused, err)
				checks = append(checks, RowCheck{Title: row.Title, Message: refusal.Message})
			default:
				return err
			}
		}
		if in.Preview {
			return nil
		}
		if refused != nil {
			return refuseRows(refused, checks)
		}
		return e.added(tx, l, items)
	})
	return checks, err
}

// refuseRows names the rows that cannot be added; of a single one just why.
func refuseRows(refused error, checks []RowCheck) error {
	var refusal *problem.Error
	if !errors.As(refused, &refusal) || len(checks) == 1 {
		return refused
	}
	for at, check := range checks {
		if !check.OK {
			refusal = problem.Field("rows", refusal.Code, fmt.Sprintf("Row %d: %s Nothing was added.", at+1, check.Message)).Fact("rows", checks)
			break
		}
	}
	return refusal
}

func (e *Engine) added(tx core.App, l *live, items []*Item) error {
	if err := e.saveItems(tx, l, items); err != nil {
		return err
	}
	if err := e.save(tx, l, l.State); err != nil {
		return err
	}
	list := briefs{}
	for _, i := range items {
		list = append(list, brief{Item: i.ID, Key: i.Key, Title: i.Title})
		err := e.Audit(tx, Change{Actor: l.who.Actor, Action: "create", Collection: schema.Items, Record: i.ID, Organization: l.Organization, Request: l.ID, Change: map[string]any{"title": i.Title}, Scope: l.Scope, At: l.facts.Now})
		if err != nil {
			return err
		}
	}
	return e.Emit(tx, Fact{
		Type: "item.added", Request: l.ID, Organization: l.Organization, Actor: l.who.Actor, At: l.facts.Now,
		Payload: map[string]any{"item": items[0].ID, "key": items[0].Key, "title": items[0].Title, "missing": list, "count": len(list)},
	})
}

// addItem checks and makes an item; opening says that the request is not open
// yet, so that its state grants nothing.
func (l *live) addItem(in NewItem, opening bool) (*Item, error) {
	s := l.def.Section(in.Section)
	if s == nil && in.Section == "" && len(l.def.Sections) == 1 {
		s = &l.def.Sections[0]
	}
	if s == nil || !s.Dynamic {
		return nil, problem.Field("section", problem.BadInput, "Items can be added to a section of the firm's own list only.")
	}
	if !opening && !l.def.mayAdd(l.facts, s, l.who) {
		return nil, problem.New(problem.NotYours, "Items cannot be added now, or not by you.")
	}
	spec := l.def.Spec(s.Key, in.Template)
	if spec == nil || !spec.Template {
		return nil, problem.Field("template", problem.BadInput, "Choose what kind of item this is: "+templates(s)+".")
	}
	title := strings.TrimSpace(in.Title)
	if title == "" {
		title = titleOf(spec, in.Values)
	}
	if title == "" || utf8.RuneCountInString(title) > 300 {
		return nil, problem.Field("title", problem.FieldMissing, "Give the item a title (at most 300 characters).")
	}
	if len(in.Hint) > 2000 || len(l.facts.Items) >= maxItems {
		return nil, problem.Field("hint", problem.FieldInvalid, "The hint is too long, or there are too many items.")
	}
	due, err := l.itemDue(in.Due)
	if err != nil {
		return nil, err
	}
	i := l.def.instantiate(s, spec, element{}, element{}, len(l.facts.Items))
	i.ID, i.Title, i.Hint, i.Options, i.Due, i.EnteredStatus = schema.NewID(), title, in.Hint, in.Options, due, Missing
	i.Instance = l.nextInstance(s.Key, spec.Key)
	if in.Required != nil {
		i.Required = *in.Required
	}
	if i.Hint == "" {
		i.Hint = spec.Help
	}
	l.facts.Items = append(l.facts.Items, i)
	return i, nil
}

var placeholder = regexp.MustCompile(`\{[a-z0-9_]+\}`)

// titleOf fills the places in a template's title: "What was {payee} on {date}?".
// Empty if one of them is left open, or if the title is nothing but a place.
func titleOf(spec *ItemSpec, values map[string]string) string {
	title := fill(spec.Title.String(), values)
	if placeholder.MatchString(title) {
		return ""
	}
	return strings.TrimSpace(title)
}

// itemDue reads the day until which an added item is wanted.
func (l *live) itemDue(due string) (string, error) {
	if blank(due) {
		return "", nil
	}
	at, err := l.dueAt(due)
	if err != nil {
		return "", err
	}
	return schema.Stamp(at), nil
}

func (l *live) nextInstance(section, key string) string {
	n := 1
	for _, i := range l.facts.Items {
		if i.Section == section && i.Key == key {
			n++
		}
	}
	return strconv.Itoa(n)
}

func templates(s *Section) string {
	var names []string
	for _, spec := range s.Items {
		if spec.Template {
			names = append(names, spec.Key)
		}
	}
	return strings.Join(names, ", ")
}

// RemoveItem takes an added item away that the client was never shown.
func (e *Engine) RemoveItem(_ context.Context, app core.App, id string, actor schema.Actor) (string, error) {
	var request string
	err := e.within(app, func(tx core.App) error {
		l, i, err := e.loadItem(tx, id, actor)
		if err != nil {
			return err
		}
		if err := staffOnly(actor); err != nil {
			return err
		}
		request = l.ID
		s, spec := l.def.Section(i.Section), l.def.Spec(i.Section, i.Key)
		if s == nil || spec == nil || !spec.Template || !l.def.mayAdd(l.facts, s, l.who) || l.showsItem(i.ID) {
			return problem.New(problem.ItemLocked, "The client knows this item already. Waive it instead.")
		}
		if err := e.begin(tx, l); err != nil {
			return err
		}
		if _, err := tx.DB().Delete(schema.Items, dbx.HashExp{"id": i.ID}).Execute(); err != nil {
			return fmt.Errorf("remove item %s: %w", i.ID, err)
		}
		l.facts.Items = slices.DeleteFunc(l.facts.Items, func(x *Item) bool { return x.ID == i.ID })
		if err := e.save(tx, l, l.State); err != nil {
			return err
		}
		return e.tell(tx, l, "delete", schema.Items, i.ID, map[string]any{"title": i.Title}, "item.removed", map[string]any{"item": i.ID, "title": i.Title})
	})
	return request, err
}
