package notify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The workflows that come along must be readable as they stand, and every name
// they tell somebody by must be one that recipients knows.
func TestReadScript_library(t *testing.T) {
	files, err := filepath.Glob("../workflow/library/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no workflows found", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(raw, []byte("schema: gatehouse/workflow/")) {
			continue // forms and texts lie beside the workflows
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			var tree map[string]any
			if err := yaml.Unmarshal(raw, &tree); err != nil {
				t.Fatal(err)
			}
			stored, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			script, err := ReadScript(string(stored))
			if err != nil {
				t.Fatal(err)
			}
			if len(script.Notifications) == 0 || len(script.States) == 0 {
				t.Fatal("nothing was read")
			}
			known := append([]string{"client_admin", "client_member", "client_viewer", "client_delegate", "submitter", "last_uploader", "admin", "owner"}, script.Roles.Client...)
			known = append(known, script.Roles.Staff...)
			for _, rule := range script.Notifications {
				for _, name := range rule.To {
					if !slices.Contains(known, name) {
						t.Errorf("%s: nobody is %q", rule.Event, name)
					}
				}
				if len(rule.To) == 0 || len(rule.Channel) == 0 || rule.Why == "" || rule.Dedupe == "" {
					t.Errorf("%s: incomplete", rule.Event)
				}
			}
		})
	}
}
