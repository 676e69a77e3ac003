package workflow

import (
	"testing"
	"time"
)

func TestStillFits(t *testing.T) {
	now := time.Date(2031, 3, 3, 10, 0, 0, 0, time.UTC)
	bill := &ItemSpec{Accept: []string{"pdf", "jpg"}, MaxMB: 1, Freshness: &Freshness{MaxAgeMonths: 3, Field: "document_date"}, Metadata: []Metadata{{Key: "document_date", Type: "date"}}}
	passport := &ItemSpec{Metadata: []Metadata{{Key: "document_expiry", Type: "date", MustBe: "after_today"}}}
	for _, c := range []struct {
		name   string
		spec   *ItemSpec
		covers string
		d      Earlier
		want   bool
	}{
		{"of the type, small and fresh", bill, "", Earlier{Title: "Bill.PDF", Size: 1 << 20, Metadata: `{"document_date": "2031-01-15"}`}, true},
		{"of another type", bill, "", Earlier{Title: "bill.zip", Metadata: `{"document_date": "2031-01-15"}`}, false},
		{"too large", bill, "", Earlier{Title: "bill.pdf", Size: 1<<20 + 1, Metadata: `{"document_date": "2031-01-15"}`}, false},
		{"too old by now", bill, "", Earlier{Title: "bill.pdf", Metadata: `{"document_date": "2030-11-15"}`}, false},
		{"of no known date", bill, "", Earlier{Title: "bill.pdf", Metadata: `{}`}, false},
		{"still valid", passport, "", Earlier{Title: "passport.pdf", Metadata: `{"document_expiry": "2031-03-04"}`}, true},
		{"ran out", passport, "", Earlier{Title: "passport.pdf", Metadata: `{"document_expiry": "2031-03-02"}`}, false},
		{"covers another month", &ItemSpec{}, "2031-02", Earlier{Title: "x.pdf", Metadata: `{"period_from": "2031-01-01", "period_to": "2031-01-31"}`}, false},
		{"covers the month", &ItemSpec{}, "2031-02", Earlier{Title: "x.pdf", Metadata: `{"period_from": "2031-02-01", "period_to": "2031-02-28"}`}, true},
	} {
		if got := stillFits(now, &Item{Covers: c.covers}, c.spec, c.d); got != c.want {
			t.Errorf("%s: fits = %v, want %v", c.name, got, c.want)
		}
	}
}
