package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// MoveOrder asks to move the live requests of some versions to another one. No
// versions named means all older ones. States says where requests go whose state
// the new version does not have, or that shall go elsewhere.
type MoveOrder struct {
	To     string            `json:"to"`
	From   []string          `json:"from"`
	States map[string]string `json:"states"`
	DryRun bool              `json:"dry_run,omitempty"`
}

// Migrate starts the run of a move. Looking ahead is possible to a draft too.
func (r *Runs) Migrate(app core.App, actor schema.Actor, in MoveOrder) (string, error) {
	if err := manages(app, actor); err != nil {
		return "", err
	}
	record, to, err := r.Engine.version(app, in.To)
	if err != nil {
		return "", err
	}
	if !in.DryRun && record.GetString("status") == "draft" {
		return "", problem.New(problem.BadInput, "This version is a draft. Publish it first; until then you can look ahead.")
	}
	if in.From, err = r.sources(app, to, in); err != nil {
		return "", err
	}
	if err := r.Engine.mapping(app, to, in); err != nil {
		return "", err
	}
	var requests []string
	err = app.DB().NewQuery(`SELECT id FROM requests WHERE workflow IN (SELECT value FROM json_each({:from})) AND category != 'done' ORDER BY created, id`).
		Bind(map[string]any{"from": schema.JSON(in.From)}).Column(&requests)
	if err != nil {
		return "", fmt.Errorf("find live requests: %w", err)
	}
	return r.start(app, actor, order{Kind: "migrate", DryRun: in.DryRun, Params: in, Workflow: in.To, Requests: requests, At: r.Engine.Clock().Add(Grace)})
}

// sources are the versions to move from: those named, else all older ones.
func (r *Runs) sources(app core.App, to *Compiled, in MoveOrder) ([]string, error) {
	var rows []struct {
		ID      string `db:"id"`
		Version int    `db:"version"`
	}
	err := app.DB().NewQuery(`SELECT id, version FROM workflows WHERE key = {:key} AND status != 'draft' AND id != {:to}`).Bind(map[string]any{"key": to.Key, "to": to.ID}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read versions of %s: %w", to.Key, err)
	}
	var all, older []string
	for _, row := range rows {
		all = append(all, row.ID)
		if row.Version < to.Version {
			older = append(older, row.ID)
		}
	}
	if len(in.From) == 0 {
		return older, nil
	}
	for _, id := range in.From {
		if !slices.Contains(all, id) {
			return nil, problem.Field("from", problem.BadInput, "Name other published versions of the same workflow.")
		}
	}
	return in.From, nil
}

// mapping refuses a state that neither version knows.
func (e *Engine) mapping(app core.App, to *Compiled, in MoveOrder) error {
	known := map[string]bool{}
	for _, id := range in.From {
		def, err := e.Definition(app, id)
		if err != nil {
			return err
		}
		for _, s := range def.States {
			known[s.Key] = true
		}
	}
	for _, old := range slices.Sorted(maps.Keys(in.States)) {
		if !known[old] {
			return problem.Field("states", problem.BadInput, fmt.Sprintf("There is no state %q to move from.", old))
		}
		if to.State(in.States[old]) == nil {
			return problem.Field("states", problem.BadInput, fmt.Sprintf("There is no state %q in version %d.", in.States[old], to.Version))
		}
	}
	return nil
}

// migration is what a run of a move does to each request.
func (r *Runs) migration(app core.App, run *runRow) (deed, error) {
	var in MoveOrder
	if err := json.Unmarshal([]byte(run.Params), &in); err != nil {
		return deed{}, fmt.Errorf("read what the run is to do: %w", err)
	}
	_, to, err := r.Engine.version(app, in.To)
	if err != nil {
		return deed{}, err
	}
	staff, err := colleagues(app)
	if err != nil {
		return deed{}, err
	}
	from := func(workflow string) (*Move, error) {
		def, err := r.Engine.Definition(app, workflow)
		return &Move{From: def, To: to, States: in.States, Staff: staff}, err
	}
	// Looking ahead, what stands in the way of all is read once.
	others := sync.OnceValues(func() (map[string]bool, error) { return crowded(app, to, "") })
	if _, err := r.Engine.personOf(app, run); err != nil {
		return deed{}, err
	}
	return deed{
		as: schema.System(), // none is left behind because somebody does not see it
		foresee: func(_ core.App, l *live) (outcome, error) {
			m, err := from(l.Workflow)
			if err != nil {
				return outcome{}, err
			}
			if m.Crowded, err = others(); err != nil {
				return outcome{}, err
			}
			if out, ended := notMoving(l, in); ended {
				return out, nil
			}
			return m.plan(l).outcome()
		},
		do: func(tx core.App, request string) (outcome, error) {
			person, err := r.Engine.personOf(tx, run)
			if err != nil {
				return outcome{}, err
			}
			if err := manages(tx, person); err != nil {
				return outcome{}, err
			}
			l, err := r.Engine.load(tx, request, schema.System())
			if err != nil {
				return outcome{}, err
			}
			if out, ended := notMoving(l, in); ended {
				return out, nil
			}
			m, err := from(l.Workflow)
			if err != nil {
				return outcome{}, err
			}
			if m.Crowded, err = crowded(tx, to, request); err != nil {
				return outcome{}, err
			}
			p, err := r.Engine.migrate(tx, l, m, person, run.ID)
			if err != nil {
				return outcome{}, err
			}
			return p.outcome()
		},
	}, nil
}

// notMoving leaves alone what has ended or moved since the run was started.
func notMoving(l *live, in MoveOrder) (outcome, bool) {
	switch {
	case !slices.Contains(in.From, l.Workflow):
		return outcome{Text: "It is on another version already.", Idle: true, Tags: []string{"idle"}}, true
	case l.Category == "done":
		return outcome{Text: "It has ended meanwhile, and stays on its version.", Idle: true, Tags: []string{"idle"}}, true
	}
	return outcome{}, false
}

func (p *moved) outcome() (outcome, error) {
	if len(p.blockers) > 0 {
		return outcome{}, problem.Blocked(p.blockers)
	}
	if len(p.notes) == 0 {
		return outcome{Text: "Nothing changes for it but the version.", Tags: []string{"unaffected"}}, nil
	}
	out, texts := outcome{}, make([]string, 0, len(p.notes))
	for _, n := range p.notes {
		texts = append(texts, n.text)
		if !slices.Contains(out.Tags, n.tag) {
			out.Tags = append(out.Tags, n.tag)
		}
	}
	out.Text = strings.Join(texts, " ")
	return out, nil
}
