package audit

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Report is the outcome of Verify. Bad is the seq of the first entry that does
// not fit, 0 if all fit; Head is the hash of the last entry.
type Report struct {
	Entries int64  `json:"entries"`
	Bad     int64  `json:"bad"`
	Why     string `json:"why,omitempty"`
	Head    string `json:"head"`
}

// Verify reads the whole trail in blocks and recomputes the chain.
func Verify(app core.App) (Report, error) {
	report := Report{}
	previous, seq := "", int64(0)
	for {
		var rows []row
		err := app.DB().NewQuery(`SELECT seq, at, actor_kind, actor, actor_name, action, collection, record, organization, request, change, ip, hash
			FROM audit_log WHERE seq > {:seq} ORDER BY seq LIMIT 2000`).Bind(dbx.Params{"seq": seq}).All(&rows)
		if err != nil {
			return report, fmt.Errorf("read audit log: %w", err)
		}
		if len(rows) == 0 {
			report.Head = previous
			return report, nil
		}
		for _, r := range rows {
			switch {
			case r.Seq != seq+1:
				report.Bad, report.Why = seq+1, "an entry is missing"
				return report, nil
			case r.chain(previous) != r.Hash:
				report.Bad, report.Why = r.Seq, "the entry was changed, or one before it"
				return report, nil
			}
			previous, seq = r.Hash, r.Seq
			report.Entries++
		}
	}
}
