package workflow

import (
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"go.yaml.in/yaml/v3"

	"gatehouse/hooks/schema"
)

// The library that every portal starts with.
//
//go:embed library
var library embed.FS

// shipped are the workflows that a new portal has published.
var shipped = []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml"}

// LibraryFile gives a shipped definition's YAML by its file name.
func LibraryFile(name string) ([]byte, error) { return library.ReadFile("library/" + name) }

// InstallLibrary brings the shipped forms, texts and workflows into a portal
// that does not have them yet. What a firm has already stays as it is.
func (e *Engine) InstallLibrary(app core.App) error {
	return app.RunInTransaction(func(tx core.App) error {
		if err := installForms(tx); err != nil {
			return err
		}
		if err := installTexts(tx); err != nil {
			return err
		}
		for _, name := range shipped {
			source, err := LibraryFile(name)
			if err != nil {
				return fmt.Errorf("read shipped workflow: %w", err)
			}
			if _, err := e.Import(tx, source, true, true); err != nil {
				return fmt.Errorf("install %s: %w", name, err)
			}
		}
		return nil
	})
}

func installForms(tx core.App) error {
	source, err := LibraryFile("forms.yaml")
	if err != nil {
		return fmt.Errorf("read shipped forms: %w", err)
	}
	var plain []any
	if err := yaml.Unmarshal(source, &plain); err != nil {
		return fmt.Errorf("read shipped forms: %w", err)
	}
	var forms []Form
	if err := json.Unmarshal([]byte(schema.JSON(plain)), &forms); err != nil {
		return fmt.Errorf("read shipped forms: %w", err)
	}
	for _, f := range forms {
		if err := installOne(tx, schema.Forms, f.Key, f.Version, f.Title, map[string]any{"definition": f}); err != nil {
			return err
		}
	}
	return nil
}

func installTexts(tx core.App) error {
	source, err := LibraryFile("texts.yaml")
	if err != nil {
		return fmt.Errorf("read shipped texts: %w", err)
	}
	var texts []LegalText
	if err := yaml.Unmarshal(source, &texts); err != nil {
		return fmt.Errorf("read shipped texts: %w", err)
	}
	for _, t := range texts {
		if err := installOne(tx, schema.Texts, t.Key, t.Version, t.Title, map[string]any{"body": t.Body}); err != nil {
			return err
		}
	}
	return nil
}

func installOne(tx core.App, collection, key string, version int, title string, fields map[string]any) error {
	_, err := tx.FindFirstRecordByFilter(collection, "key = {:key} && version = {:version}", dbx.Params{"key": key, "version": version})
	if err == nil {
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for %s %s: %w", collection, key, err)
	}
	c, err := tx.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return fmt.Errorf("find collection %s: %w", collection, err)
	}
	r := core.NewRecord(c)
	r.Load(map[string]any{"key": key, "version": version, "title": title, "status": "published"})
	r.Load(fields)
	if err := tx.Save(r); err != nil {
		return fmt.Errorf("save %s %s: %w", collection, key, err)
	}
	return nil
}

// findPinned finds a form or text by a name such as "ownership_v1"; without a
// version the newest. nil if there is none.
func findPinned(app core.App, collection, name string) (*core.Record, error) {
	key, version := splitVersion(name)
	where := "key = {:key} && status != 'draft'"
	if version > 0 {
		where += " && version = {:version}"
	}
	records, err := app.FindRecordsByFilter(collection, where, "-version", 1, 0, dbx.Params{"key": key, "version": version})
	if err != nil {
		return nil, fmt.Errorf("find %s %s: %w", collection, name, err)
	}
	if len(records) == 0 {
		return nil, nil
	}
	return records[0], nil
}

func findForm(app core.App, name string) (*Form, error) {
	record, err := findPinned(app, schema.Forms, name)
	if err != nil || record == nil {
		return nil, err
	}
	form := &Form{}
	if err := json.Unmarshal([]byte(record.GetString("definition")), form); err != nil {
		return nil, fmt.Errorf("read form %s: %w", name, err)
	}
	return form, nil
}

func findText(app core.App, name string) (*LegalText, error) {
	record, err := findPinned(app, schema.Texts, name)
	if err != nil || record == nil {
		return nil, err
	}
	return &LegalText{Key: record.GetString("key"), Version: record.GetInt("version"), Title: record.GetString("title"), Body: record.GetString("body")}, nil
}

// textDigest is the SHA-256 of the text that was accepted: the library's, or
// the item's own words where there is none.
func textDigest(t *LegalText, otherwise string) string {
	body := otherwise
	if t != nil {
		body = t.Body
	}
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
