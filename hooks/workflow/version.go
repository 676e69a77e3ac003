package workflow

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"go.yaml.in/yaml/v3"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// manages refuses whoever may not change workflows: that is for managers and
// owners of the firm, and for superusers.
func manages(app core.App, actor schema.Actor) error {
	if err := staffOnly(actor); err != nil {
		return err
	}
	if actor.Kind != schema.ActorStaff {
		return nil
	}
	member, err := access.StaffOf(app, actor.ID)
	if err != nil {
		return err
	}
	if !member.AtLeast("manager") {
		return problem.New(problem.Role, "Your role does not allow this. Ask a colleague with the role manager.")
	}
	return nil
}

// seen is the condition that counts only what the actor may see: how many
// requests are in a state that some must not know of is told to nobody else.
// It binds {:me} and {:now}.
func seen(actor schema.Actor) string {
	if actor.Kind != schema.ActorStaff {
		return ""
	}
	return ` AND r.scope IN (SELECT a.scope FROM access a WHERE a.principal = {:me} AND a.since <= {:now} AND a.until > {:now})`
}

func (e *Engine) bindSeen(actor schema.Actor, params dbx.Params) dbx.Params {
	if actor.Kind == schema.ActorStaff {
		params["me"], params["now"] = actor.ID, schema.Stamp(e.Clock())
	}
	return params
}

// VersionLine is one version in the list of definitions.
type VersionLine struct {
	ID          string `json:"id" db:"id"`
	Version     int    `json:"version" db:"version"`
	Status      string `json:"status" db:"status"`
	PublishedAt string `json:"published_at" db:"published_at"`
	Live        int    `json:"live" db:"live"`
	Total       int    `json:"total" db:"total"`
	Errors      int    `json:"errors" db:"errors"`
	Warnings    int    `json:"warnings" db:"warnings"`
	Key         string `json:"-" db:"key"`
	Title       string `json:"-" db:"title"`
	Vertical    string `json:"-" db:"vertical"`
}

// DefinitionLine is one workflow with all its versions, the newest first.
type DefinitionLine struct {
	Key      string        `json:"key"`
	Title    string        `json:"title"`
	Vertical string        `json:"vertical"`
	Versions []VersionLine `json:"versions"`
}

// Definitions lists every workflow of the firm, with how many requests of those
// that the actor may see are on each version.
func (e *Engine) Definitions(app core.App, actor schema.Actor) ([]DefinitionLine, error) {
	var versions []VersionLine
	err := app.DB().NewQuery(`SELECT w.id, w.key, w.version, w.title, w.status, w.published_at, COALESCE(json_extract(w.definition, '$.vertical'), '') AS vertical,
		COALESCE(n.live, 0) AS live, COALESCE(n.total, 0) AS total,
		(SELECT COUNT(*) FROM json_each(COALESCE(w.findings, '[]')) f WHERE f.value->>'level' = 'error') AS errors,
		(SELECT COUNT(*) FROM json_each(COALESCE(w.findings, '[]')) f WHERE f.value->>'level' = 'warning') AS warnings
		FROM workflows w LEFT JOIN (SELECT r.workflow, COUNT(*) AS total, SUM(r.category != 'done') AS live FROM requests r WHERE true` + seen(actor) + ` GROUP BY r.workflow) n ON n.workflow = w.id
		ORDER BY w.key, w.version DESC`).Bind(e.bindSeen(actor, dbx.Params{})).All(&versions)
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	staff, err := colleagues(app)
	if err != nil {
		return nil, err
	}
	lines := []DefinitionLine{}
	for _, v := range versions {
		if v.Status == "published" {
			def, err := e.Definition(app, v.ID)
			if err != nil {
				return nil, err
			}
			v.Warnings += len(def.staffing(staff))
		}
		if len(lines) == 0 || lines[len(lines)-1].Key != v.Key {
			lines = append(lines, DefinitionLine{Key: v.Key, Title: v.Title, Vertical: v.Vertical})
		}
		last := &lines[len(lines)-1]
		last.Versions = append(last.Versions, v)
	}
	return lines, nil
}

// LibraryLine is a definition that the binary brings along.
type LibraryLine struct {
	File      string `json:"file"`
	Key       string `json:"key"`
	Title     string `json:"title"`
	Version   int    `json:"version"`
	Vertical  string `json:"vertical"`
	Installed bool   `json:"installed"`
}

// shelf reads the library's definitions once.
var shelf = sync.OnceValues(func() ([]LibraryLine, error) {
	files, err := fs.Glob(library, "library/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("read library: %w", err)
	}
	var lines []LibraryLine
	for _, path := range files {
		name := strings.TrimPrefix(path, "library/")
		if name == "forms.yaml" || name == "texts.yaml" {
			continue
		}
		source, err := LibraryFile(name)
		if err != nil {
			return nil, fmt.Errorf("read library: %w", err)
		}
		if def, _ := Parse(source); def != nil {
			lines = append(lines, LibraryLine{File: name, Key: def.Key, Title: def.Title, Version: def.Version, Vertical: def.Vertical})
		}
	}
	return lines, nil
})

// Shelf lists what the library has, and whether the firm has it already.
func (e *Engine) Shelf(app core.App) ([]LibraryLine, error) {
	lines, err := shelf()
	if err != nil {
		return nil, err
	}
	var there []string
	if err := app.DB().NewQuery(`SELECT key || '@' || version FROM workflows WHERE status != 'draft'`).Column(&there); err != nil {
		return nil, fmt.Errorf("read installed workflows: %w", err)
	}
	lines = slices.Clone(lines)
	for i := range lines {
		lines[i].Installed = slices.Contains(there, fmt.Sprintf("%s@%d", lines[i].Key, lines[i].Version))
	}
	return lines, nil
}

// StateLine is a state of a version, with the live requests in it.
type StateLine struct {
	Key            string  `json:"key"`
	Label          string  `json:"label"`
	ClientLabel    string  `json:"client_label"`
	Category       string  `json:"category"`
	Turn           string  `json:"turn"`
	Owner          string  `json:"owner"`
	Live           int     `json:"live"`
	OldestSince    string  `json:"oldest_since"`
	MedianAgeHours float64 `json:"median_age_hours"`
	Overdue        int     `json:"overdue"`
}

// VersionView is one version in full.
type VersionView struct {
	ID          string      `json:"id"`
	Key         string      `json:"key"`
	Version     int         `json:"version"`
	Title       string      `json:"title"`
	Status      string      `json:"status"`
	Source      string      `json:"source"`
	Findings    []Finding   `json:"findings"`
	States      []StateLine `json:"states"`
	NextVersion int         `json:"next_version"`
	PublishedAt string      `json:"published_at"`
}

// Version shows one version, with the counts and ages of its live requests by
// state, of those that the actor may see.
func (e *Engine) Version(app core.App, id string, actor schema.Actor) (*VersionView, error) {
	record, def, err := e.version(app, id)
	if err != nil {
		return nil, err
	}
	source, err := sourceOf(record)
	if err != nil {
		return nil, err
	}
	v := &VersionView{ID: id, Key: def.Key, Version: def.Version, Title: def.Title, Status: record.GetString("status"), Source: string(source), PublishedAt: record.GetString("published_at"), Findings: []Finding{}}
	if err := json.Unmarshal([]byte(record.GetString("findings")), &v.Findings); err != nil || v.Findings == nil {
		v.Findings = []Finding{}
	}
	if v.Status == "published" {
		staff, err := colleagues(app)
		if err != nil {
			return nil, err
		}
		v.Findings = append(v.Findings, def.staffing(staff)...)
	}
	if err := app.DB().NewQuery(`SELECT MAX(version) + 1 FROM workflows WHERE key = {:key}`).Bind(dbx.Params{"key": def.Key}).Row(&v.NextVersion); err != nil {
		return nil, fmt.Errorf("read next version: %w", err)
	}
	v.States, err = e.stateLines(app, def, id, actor)
	return v, err
}

func (e *Engine) stateLines(app core.App, def *Compiled, id string, actor schema.Actor) ([]StateLine, error) {
	var rows []struct {
		State string `db:"state"`
		Since string `db:"state_since"`
		Due   string `db:"due"`
	}
	err := app.DB().NewQuery(`SELECT r.state, r.state_since, r.due FROM requests r WHERE r.workflow = {:id} AND r.category != 'done'` + seen(actor) + ` ORDER BY r.state_since`).
		Bind(e.bindSeen(actor, dbx.Params{"id": id})).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read live requests: %w", err)
	}
	now := e.Clock()
	ages, lines := map[string][]time.Duration{}, make([]StateLine, 0, len(def.States))
	oldest, overdue := map[string]string{}, map[string]int{}
	for _, r := range rows {
		ages[r.State] = append(ages[r.State], now.Sub(schema.Time(r.Since)))
		if oldest[r.State] == "" {
			oldest[r.State] = r.Since
		}
		if r.Due != "" && r.Due < schema.Stamp(now) {
			overdue[r.State]++
		}
	}
	for i := range def.States {
		s := &def.States[i]
		line := StateLine{Key: s.Key, Label: s.Label.String(), Category: s.Category, Turn: s.Turn, Owner: s.Owner, Live: len(ages[s.Key]), OldestSince: oldest[s.Key], Overdue: overdue[s.Key]}
		if s.ClientLabel != nil {
			line.ClientLabel = s.ClientLabel.String()
		}
		if list := ages[s.Key]; len(list) > 0 {
			slices.Sort(list)
			median := (list[(len(list)-1)/2] + list[len(list)/2]) / 2
			line.MedianAgeHours = median.Round(6 * time.Minute).Hours()
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// version reads a version; one that may still change is compiled anew.
func (e *Engine) version(app core.App, id string) (*core.Record, *Compiled, error) {
	record, err := app.FindRecordById(schema.Workflows, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, problem.New(problem.NotFound, "There is no such workflow version.").Because(err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find workflow %s: %w", id, err)
	}
	if record.GetString("status") != "draft" {
		def, err := e.Definition(app, id)
		return record, def, err
	}
	def, err := loadDefinition(app, id)
	return record, def, err
}

// VersionNamed finds a version by key and number; 0 means the newest that is
// not a draft.
func (e *Engine) VersionNamed(app core.App, key string, number int) (string, error) {
	var id string
	err := app.DB().NewQuery(`SELECT id FROM workflows WHERE key = {:key} AND (version = {:version} OR ({:version} = 0 AND status != 'draft')) ORDER BY version DESC LIMIT 1`).
		Bind(dbx.Params{"key": key, "version": number}).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		if number == 0 {
			return "", problem.New(problem.NotFound, fmt.Sprintf("There is no published workflow %q.", key))
		}
		return "", problem.New(problem.NotFound, fmt.Sprintf("There is no version %d of a workflow %q.", number, key))
	}
	if err != nil {
		return "", fmt.Errorf("find workflow %s: %w", key, err)
	}
	return id, nil
}

// Source is a version as YAML: what was imported, else written from what is
// stored.
func (e *Engine) Source(app core.App, id string) ([]byte, error) {
	record, _, err := e.version(app, id)
	if err != nil {
		return nil, err
	}
	return sourceOf(record)
}

func sourceOf(record *core.Record) ([]byte, error) {
	if source := record.GetString("source"); source != "" {
		return []byte(source), nil
	}
	def, err := Decode([]byte(record.GetString("definition")))
	if err != nil {
		return nil, fmt.Errorf("read stored definition: %w", err)
	}
	return toYAML([]byte(schema.JSON(def.Definition)))
}

// toYAML writes stored JSON as YAML. JSON is YAML in another dress: it is read
// as such, and written again without the braces, in the same order.
func toYAML(stored []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(stored, &doc); err != nil {
		return nil, fmt.Errorf("read stored definition: %w", err)
	}
	undress(&doc, 0)
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return nil, fmt.Errorf("write definition: %w", err)
	}
	return b.Bytes(), nil
}

// undress takes quotes and braces away where they are not needed. What lies
// deep, such as a state or a step, stays on a line of its own.
func undress(n *yaml.Node, depth int) {
	n.Style = 0
	if depth > 2 && (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) {
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		undress(c, depth+1)
	}
}

// DiffVersions compares two versions.
func (e *Engine) DiffVersions(app core.App, from, to string) ([]Difference, error) {
	_, a, err := e.version(app, from)
	if err != nil {
		return nil, err
	}
	_, b, err := e.version(app, to)
	if err != nil {
		return nil, err
	}
	return Diff(a.Definition, b.Definition), nil
}

// CheckHere checks a source as publishing it here and now would: the checker's
// findings, whether its number is taken, and for whom the firm lacks people.
func (e *Engine) CheckHere(app core.App, source []byte) (Imported, error) {
	def, findings := CheckSource(source)
	out := Imported{Findings: findings}
	if def == nil {
		return out, nil
	}
	out.Key, out.Version, out.Title = def.Key, def.Version, def.Title
	record, err := app.FindFirstRecordByFilter(schema.Workflows, "key = {:key} && version = {:version} && status != 'draft'", dbx.Params{"key": def.Key, "version": def.Version})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return out, fmt.Errorf("look for workflow %s: %w", def.Key, err)
	}
	if record != nil && !sameDefinition(record, def) {
		out.Findings = append(out.Findings, versionTaken(def))
	}
	staff, err := colleagues(app)
	if err != nil {
		return out, err
	}
	out.Findings = append(out.Findings, def.staffing(staff)...)
	return out, nil
}

// PublishDraft publishes a saved draft as it stands.
func (e *Engine) PublishDraft(ctx context.Context, app core.App, id string) (Imported, error) {
	source, err := e.Source(app, id)
	if err != nil {
		return Imported{}, err
	}
	return e.importAs(ctx, app, source, true, false)
}
