// Package demo makes an invented firm with four months of history, for
// everybody who wants to look at a portal before having one.
//
// Nothing is put into the tables that the rules would not allow: a story of
// commands is played through the workflow engine with a clock that moves
// through the past, so that history, trail, events and client rows are as true
// as in a portal that was really used.
//
//	demo.go        Options and Build
//	cast.go        demo.yaml: the firm, its clients, the people
//	errands.go     errands.yaml: what is asked for, in both sides' words
//	days.go        business time, counted back from now
//	stage.go       the clock, and the order in which things happen
//	people.go      the firm, its staff, clients, members and delegations
//	acts.go        what people do on a request
//	hand_over.go   files, messages and notes
//	files.go       the files that clients send: papers and tables
//	scan.go        and pictures of pages
//	simple.go      stories of requests for documents and answers
//	onboarding.go  stories of identity checks, each up to its own end
//	trouble.go     the outside jobs that die
//	program.go     which stories are played
//	folder.go      which data folders the demo may use
//	mode.go        HTTP: who can be looked as, enter, start empty
package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/event"
	"gatehouse/hooks/schema"
	"gatehouse/hooks/workflow"
)

// Password opens the account of everybody in the demo.
const Password = "gatehouse-demo"

// Options are what Build needs. The same Seed and Clock make the same portal,
// but for the ids.
type Options struct {
	Seed      uint64                                    // 0 means 1
	Clock     schema.Clock                              // what time it really is; nil: time.Now
	NewEngine func(clock schema.Clock) *workflow.Engine // an engine of our own, with a clock that we move
	Notify    func(clock schema.Clock) event.Handle     // writes to people about the last days; nil: nobody is written to
	Consumers []string                                  // of events: they begin after the history
}

var errNotEmpty = errors.New("the demo is made in an empty portal only: there are staff already")

// Build makes the demo in an empty, migrated portal whose library is installed.
// It is one transaction: when it fails, nothing but files is left behind.
func Build(ctx context.Context, app core.App, o Options) error {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	err := app.RunInTransaction(func(tx core.App) error {
		var staff int
		if err := tx.DB().NewQuery(`SELECT COUNT(*) FROM staff`).Row(&staff); err != nil {
			return fmt.Errorf("look for staff: %w", err)
		}
		if staff > 0 {
			return errNotEmpty
		}
		s, err := newStage(ctx, tx, o)
		if err != nil {
			return err
		}
		defer s.close()
		if err := s.program(); err != nil {
			return err
		}
		if err := s.play(); err != nil {
			return err
		}
		// Rights that have ended since are derived away.
		if err := access.Rebuild(tx, o.Clock()); err != nil {
			return err
		}
		return s.caughtUp(o.Consumers)
	})
	if err != nil {
		return fmt.Errorf("make the demo: %w", err)
	}
	// One large transaction leaves a large log beside the database.
	if _, err := app.DB().NewQuery(`PRAGMA wal_checkpoint(TRUNCATE)`).Execute(); err != nil {
		return fmt.Errorf("fold the database log: %w", err)
	}
	return nil
}
