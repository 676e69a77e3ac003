package workflow

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Earlier is a document that the client gave before and that an item with
// reuse_from would take as it is.
type Earlier struct {
	ID           string `json:"id" db:"id"`
	Title        string `json:"title" db:"title"`
	Size         int64  `json:"size" db:"size"`
	AuthorName   string `json:"author_name" db:"author_name"`
	Mine         bool   `json:"mine" db:"mine"`
	Given        string `json:"given" db:"given"`
	RequestTitle string `json:"request_title" db:"request_title"` // empty: from the organization's own documents

	SHA256   string `db:"sha256" json:"-"`
	Metadata string `db:"metadata" json:"-"`
}

// orgLibrary is the reuse_from that also looks at the documents which belong to
// the organization and to no request, whoever put them there.
const orgLibrary = "organization_library"

// mostEarlier is how many earlier documents are offered for one item.
const mostEarlier = 5

// Documents that this very person may see, of this very organization, that were
// sent or accepted and not sent back since. What the client may not know yet, a
// decision that is not out, changes nothing here: that would tell.
const selectEarlier = `SELECT d.id, d.title, d.size, d.author_name, d.uploader_user = {:me} AS mine, d.created AS given, COALESCE(c.title, '') AS request_title, d.sha256, COALESCE(d.metadata, '{}') AS metadata
	FROM documents d LEFT JOIN items i ON i.id = d.item LEFT JOIN requests r ON r.id = d.request LEFT JOIN client_requests c ON c.id = d.request
	WHERE d.organization = {:organization} AND d.request != {:request} AND d.state = 'ready' AND d.superseded = 0 AND (d.uploader_user != '' OR d.request = '') AND d.scope NOT LIKE 'staff:%%' AND %s
	AND (({:library} AND d.request = '') OR (r.workflow_key = {:workflow} AND i.key IN (SELECT value FROM json_each({:keys}))
		AND COALESCE(json_extract(i.shown, '$.status'), i.status) IN ('provided', 'accepted') AND (d.sent_at != '' OR COALESCE(json_extract(i.shown, '$.status'), i.status) = 'accepted')))
	ORDER BY d.created DESC, d.id LIMIT 100`

// earlier lists what may be used again for an item, newest first: what fits its
// rules now, and is not on it already.
func (e *Engine) earlier(app core.App, l *live, i *Item) ([]Earlier, error) {
	spec := l.def.Spec(i.Section, i.Key)
	if spec == nil || spec.ReuseFrom == "" || i.Kind != "file" || l.who.Actor.Kind != schema.ActorUser {
		return nil, nil
	}
	if spec.Files != nil && spec.Files.Max > 0 && i.Files.Ready+i.Files.Scanning >= spec.Files.Max {
		return nil, nil
	}
	var rows []Earlier
	err := app.DB().NewQuery(fmt.Sprintf(selectEarlier, fmt.Sprintf(access.Visible, "d"))).Bind(dbx.Params{
		"me": l.who.Actor.ID, "now": schema.Stamp(l.facts.Now), "organization": l.Organization, "request": l.ID, "workflow": l.def.Key,
		"library": spec.ReuseFrom == orgLibrary, "keys": schema.JSON([]string{i.Key, spec.ReuseFrom}),
	}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read earlier documents for item %s: %w", i.ID, err)
	}
	var here []string
	if err := app.DB().NewQuery(`SELECT sha256 FROM documents WHERE item = {:item}`).Bind(dbx.Params{"item": i.ID}).Column(&here); err != nil {
		return nil, fmt.Errorf("read documents of item %s: %w", i.ID, err)
	}
	var list []Earlier
	for _, d := range rows {
		if len(list) < mostEarlier && !slices.Contains(here, d.SHA256) && stillFits(l.facts.Now, i, spec, d) {
			list, here = append(list, d), append(here, d.SHA256)
		}
	}
	return list, nil
}

// stillFits says whether an earlier document keeps the item's rules as of now:
// its type, its size, and the dates that were told with it.
func stillFits(now time.Time, i *Item, spec *ItemSpec, d Earlier) bool {
	ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(d.Title), "."))
	if len(spec.Accept) > 0 && !slices.Contains(spec.Accept, ending) {
		return false
	}
	if spec.MaxMB > 0 && d.Size > int64(spec.MaxMB)<<20 {
		return false
	}
	with := &Item{Section: i.Section, Key: i.Key, Kind: i.Kind, Covers: i.Covers, Answers: map[string]any{}, Files: Files{Metadata: []map[string]any{object(d.Metadata)}}}
	for _, m := range metadataOf(spec) {
		if value := with.metadata(m.Key); value == "" || checkMetadata(spec, m, value, now) != "" {
			return false
		}
	}
	return with.coversNot() == ""
}

// offerEarlier puts on a view what the person may use again.
func (e *Engine) offerEarlier(app core.App, l *live, v *View) error {
	for s := range v.Sections {
		for n := range v.Sections[s].Items {
			shown := &v.Sections[s].Items[n]
			if !shown.Editable {
				continue
			}
			list, err := e.earlier(app, l, l.facts.item(shown.ID))
			if err != nil {
				return err
			}
			shown.Reuse = append(shown.Reuse, list...)
		}
	}
	return nil
}

// Reusable refuses unless the actor may use the earlier document for the item
// now; it asks the very list that the actor is shown.
func (e *Engine) Reusable(tx core.App, item, document string, actor schema.Actor) error {
	l, i, err := e.loadItem(tx, item, actor)
	if err != nil {
		return err
	}
	list, err := e.earlier(tx, l, i)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(d Earlier) bool { return d.ID == document }) {
		return problem.New(problem.NotFound, "This file cannot be used again here. Choose a file instead.")
	}
	return nil
}
