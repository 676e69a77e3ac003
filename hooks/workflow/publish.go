package workflow

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Imported is the outcome of Import. Saved is false when the same definition is
// there already, or when there are errors among the findings.
type Imported struct {
	ID       string    `json:"id,omitempty"`
	Key      string    `json:"key,omitempty"`
	Version  int       `json:"version,omitempty"`
	Status   string    `json:"status,omitempty"`
	Saved    bool      `json:"saved"`
	Findings []Finding `json:"findings"`
}

// OK says whether nothing forbids publishing.
func (i Imported) OK() bool { return !hasErrors(i.Findings) }

func hasErrors(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == "error" {
			return true
		}
	}
	return false
}

// CheckSource reads and checks a definition without saving anything.
func CheckSource(source []byte) (*Compiled, []Finding) {
	def, findings := Parse(source)
	if def == nil {
		return nil, findings
	}
	return def, append(findings, def.Check()...)
}

// Import saves a definition as a draft, or published. Publishing what is
// published already with the same content changes nothing; other content under
// the same version number is refused. With keep, a version that is there stays
// whatever it says: that is how the shipped library is installed.
func (e *Engine) Import(app core.App, source []byte, publish, keep bool) (Imported, error) {
	def, findings := CheckSource(source)
	out := Imported{Findings: findings}
	if def == nil || (publish && hasErrors(findings)) {
		return out, nil
	}
	out.Key, out.Version = def.Key, def.Version
	err := app.RunInTransaction(func(tx core.App) error {
		record, err := tx.FindFirstRecordByFilter(schema.Workflows, "key = {:key} && version = {:version}", dbx.Params{"key": def.Key, "version": def.Version})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("look for workflow %s: %w", def.Key, err)
		}
		if record != nil && record.GetString("status") != "draft" {
			out.ID, out.Status = record.Id, record.GetString("status")
			if !keep && !sameDefinition(record, def) {
				out.Findings = append(out.Findings, Finding{
					Level: "error", Code: "version_taken", Path: "version", Line: def.lines["version"][0], Column: def.lines["version"][1],
					Message: fmt.Sprintf("Version %d of %q is published with other content. Give this one the next number.", def.Version, def.Key),
				})
			}
			return nil
		}
		return e.saveDefinition(tx, record, def, source, publish, &out)
	})
	return out, err
}

func (e *Engine) saveDefinition(tx core.App, record *core.Record, def *Compiled, source []byte, publish bool, out *Imported) error {
	if record == nil {
		c, err := tx.FindCachedCollectionByNameOrId(schema.Workflows)
		if err != nil {
			return fmt.Errorf("find workflows: %w", err)
		}
		record = core.NewRecord(c)
	}
	record.Load(map[string]any{"key": def.Key, "version": def.Version, "title": def.Title, "definition": def.Definition, "source": string(source), "findings": out.Findings, "status": "draft"})
	if publish {
		record.Set("status", "published")
		record.Set("published_at", e.Clock())
	}
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("save workflow %s: %w", def.Key, err)
	}
	out.ID, out.Status, out.Saved = record.Id, record.GetString("status"), true
	return nil
}

func sameDefinition(record *core.Record, def *Compiled) bool {
	stored, err := Decode([]byte(record.GetString("definition")))
	return err == nil && schema.JSON(stored.Definition) == schema.JSON(def.Definition)
}
