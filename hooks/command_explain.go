package hooks

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"gatehouse/hooks/access"
	"gatehouse/hooks/schema"
)

// explainCommand answers at the server what the console's "Who can see this?"
// answers: 0 may see, 1 may not, 2 wrong use.
func (h *House) explainCommand() *cobra.Command {
	var person, record string
	var asJSON bool
	c := &cobra.Command{
		Use: "explain", Short: "Says whether a person may see, change and move a record, and why", Args: cobra.NoArgs, SilenceUsage: true,
		Long:    "Says whether a person may see, change and move a record, and the facts that say so, or the first one that is missing.\nExit status 0: the person may see it; 1: may not; 2: wrong use.",
		Example: "  gatehouse access explain --person anna@bluebell.example --record requests/k3j2h1g0f9e8d7c\n  gatehouse access explain --person staff:sam@firm.example --record documents/a1b2c3d4e5f6g7h --json",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := h.explained(person, record)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(out)
			} else {
				err = printExplanation(c.OutOrStdout(), out)
			}
			if err == nil && !out.See {
				err = ErrNo
			}
			return err
		},
	}
	c.Flags().StringVar(&person, "person", "", "e-mail address; staff:ADDRESS or users:ADDRESS where both sides know it")
	c.Flags().StringVar(&record, "record", "", "COLLECTION/ID")
	c.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return c
}

func (h *House) explained(person, name string) (*access.Explanation, error) {
	collection, id, cut := strings.Cut(name, "/")
	if person == "" || !cut || collection == "" || id == "" {
		return nil, UsageError{"name both: --person EMAIL --record COLLECTION/ID"}
	}
	if err := h.App.RunAllMigrations(); err != nil {
		return nil, err
	}
	who, err := h.personNamed(person)
	if err != nil {
		return nil, err
	}
	c, err := h.App.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, UsageError{fmt.Sprintf("there is no collection %q", collection)}
	}
	r, err := h.App.FindRecordById(c, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, UsageError{fmt.Sprintf("there is no record %q in %s", id, collection)}
	}
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	return h.Explain.Of(h.App, r, who, true)
}

// personNamed finds who has an address: clients, staff and superusers may share
// one.
func (h *House) personNamed(address string) (*core.Record, error) {
	collections := []string{schema.Users, schema.Staff, core.CollectionNameSuperusers}
	if kind, rest, cut := strings.Cut(address, ":"); cut {
		collections, address = []string{kind}, rest
	}
	var found []*core.Record
	for _, name := range collections {
		c, err := h.App.FindCachedCollectionByNameOrId(name)
		if err != nil || !c.IsAuth() {
			return nil, UsageError{fmt.Sprintf("%q is no kind of person: users, staff", name)}
		}
		var ids []string
		err = h.App.DB().NewQuery("SELECT id FROM [[" + c.Name + "]] WHERE email = {:email} COLLATE NOCASE").Bind(dbx.Params{"email": strings.TrimSpace(address)}).Column(&ids)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", address, err)
		}
		for _, id := range ids {
			r, err := h.App.FindRecordById(c, id)
			if err != nil {
				return nil, fmt.Errorf("find %s: %w", address, err)
			}
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return nil, UsageError{"nobody has the address " + address}
	case 1:
		return found[0], nil
	}
	return nil, UsageError{fmt.Sprintf("several have the address %s: say --person %s:%s", address, found[1].Collection().Name, address)}
}

func printExplanation(w io.Writer, x *access.Explanation) error {
	yes := map[bool]string{true: "yes", false: "no"}
	lines := []string{
		fmt.Sprintf("%s (%s) and %s/%s (%s)", x.Principal.Name, x.Principal.Kind, x.Record.Collection, x.Record.ID, x.Record.Title),
		"  may see     " + yes[x.See], "  may change  " + yes[x.Change],
	}
	if x.ChangeWhy != "" && x.See {
		lines[2] += ": " + x.ChangeWhy
	}
	for _, m := range x.Move {
		parts := []string{fmt.Sprintf("  may move    %s: %s", m.Transition, yes[m.Allowed])}
		for _, b := range m.Blockers {
			parts = append(parts, b.Message)
		}
		lines = append(lines, strings.Join(parts, "; "))
	}
	for _, f := range x.Facts {
		lines = append(lines, "  "+f.Effect+strings.Repeat(" ", max(1, 12-len(f.Effect)))+f.Text)
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
