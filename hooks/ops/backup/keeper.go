package backup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// Keeper takes a backup each night, proves the newest each week, and lets old
// ones go. One thing at a time, in all processes on the folder.
type Keeper struct {
	App   core.App
	Clock schema.Clock
	Store *Store

	// Zone is the firm's: nights are its nights.
	Zone func() *time.Location
	// Examine looks at a restored data folder and says what is wrong with it.
	Examine func(data string) ([]string, error)

	mu     sync.Mutex
	work   string // making, proving; empty: nothing
	failed string // why the last try failed; empty: it did not
}

// What a keeper may be doing.
const (
	Making  = "making"
	Proving = "proving"
)

// ErrBusy means that a backup is being made or proved already.
var ErrBusy = errors.New("a backup is being made or proved already")

// Tick does what is due: it is called every minute.
func (k *Keeper) Tick(ctx context.Context) error {
	all, err := k.Store.List()
	if err != nil {
		return err
	}
	if len(all) == 0 || Due(all[0].Made, k.Clock(), k.Zone()) {
		_, err := k.Make(ctx)
		return ignoreBusy(err)
	}
	proved, err := k.lastProof(all)
	if err != nil || (proved != nil && k.Clock().Sub(proved.At) < ProveAfter) {
		return err
	}
	_, err = k.Prove(all[0].Name)
	return ignoreBusy(err)
}

func ignoreBusy(err error) error {
	if errors.Is(err, ErrBusy) {
		return nil
	}
	return err
}

// lastProof is the newest proof of any backup; nil if none was proved.
func (k *Keeper) lastProof(all []Manifest) (*Proof, error) {
	var last *Proof
	for _, m := range all {
		p, err := k.Store.Proved(m.Name)
		if err != nil {
			return nil, err
		}
		if p != nil && (last == nil || p.At.After(last.At)) {
			last = p
		}
	}
	return last, nil
}

// Make takes a backup now, and lets go what the rule does not keep.
func (k *Keeper) Make(ctx context.Context) (m Manifest, err error) {
	err = k.alone(Making, func() error {
		if m, err = k.Store.Make(ctx, k.App, k.Clock()); err != nil {
			return err
		}
		return k.Store.Prune(k.Zone())
	})
	return m, err
}

// Prove restores a backup on trial.
func (k *Keeper) Prove(name string) (p Proof, err error) {
	err = k.alone(Proving, func() error {
		p, err = k.Store.Prove(name, k.Clock(), k.Examine)
		return err
	})
	return p, err
}

func (k *Keeper) alone(work string, do func() error) error {
	if !k.begin(work) {
		return ErrBusy
	}
	err := k.locked(do)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.work, k.failed = "", ""
	if err != nil && !errors.Is(err, ErrBusy) {
		k.failed = err.Error()
	}
	return err
}

func (k *Keeper) begin(work string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.work != "" {
		return false
	}
	k.work = work
	return true
}

// locked keeps other processes away: a command beside a running server.
func (k *Keeper) locked(do func() error) error {
	if err := k.Store.sure(); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(k.Store.Dir, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the folder of backups: %w", err)
	}
	if !held {
		return ErrBusy
	}
	return errors.Join(do(), lock.Unlock())
}

// Standing is how safe the portal is: what its owner has to know.
type Standing struct {
	Newest  *Manifest
	Proof   *Proof // the last one
	Working string
	Failed  string
}

// Standing tells it.
func (k *Keeper) Standing() (Standing, error) {
	all, err := k.Store.List()
	if err != nil {
		return Standing{}, err
	}
	k.mu.Lock()
	s := Standing{Working: k.work, Failed: k.failed}
	k.mu.Unlock()
	if len(all) > 0 {
		s.Newest = &all[0]
	}
	s.Proof, err = k.lastProof(all)
	return s, err
}

// late is how old the newest backup may be before somebody is warned: a night
// that was missed.
const late = 26 * time.Hour

// Worry says in one sentence what is wrong, and what to do; empty if all is well.
func (s Standing) Worry(now time.Time) string {
	switch {
	case s.Failed != "":
		return "The last try to make or prove a backup failed: " + s.Failed + ". Is the disk full, or the folder not writable?"
	case s.Newest == nil:
		return "There is no backup yet. Start the portal and leave it running: it makes one within a minute, and one each night."
	case now.Sub(s.Newest.Made) > late:
		return fmt.Sprintf("The newest backup is %d hours old. The portal makes one each night while it runs: is it stopped at night, or the disk full?", int(now.Sub(s.Newest.Made).Hours()))
	case s.Proof != nil && len(s.Proof.Faults) > 0:
		return "The last backup that was restored on trial is not good: " + s.Proof.Faults[0]
	}
	return ""
}
