package report

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/access"
	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// mark is where a page ends: the sort keys of its last row. It travels as
// "after"; At is the moment of the first page, so that an order by what is
// overdue stays the same while somebody turns pages.
type mark struct {
	List string `json:"l"`
	At   string `json:"t,omitempty"`
	Rank int    `json:"r,omitempty"`
	Key  string `json:"k,omitempty"`
	Then string `json:"s,omitempty"`
	ID   string `json:"i"`
}

func (m mark) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(schema.JSON(m)))
}

// markOf reads "after"; nil for a first page. A mark of another list is refused.
func markOf(query url.Values, list string) (*mark, error) {
	after := query.Get("after")
	if after == "" {
		return nil, nil
	}
	refusal := problem.Field("after", problem.BadInput, "This is not where a page of this list ends. Start again from its first page.")
	text, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil {
		return nil, refusal.Because(err)
	}
	var m mark
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, refusal.Because(err)
	}
	if m.List != list {
		return nil, refusal
	}
	return &m, nil
}

// cut takes the row that was read beyond the page away, and says where the page
// ends; empty if nothing follows.
func cut[T any](rows []T, perPage int, end func(T) mark) ([]T, string) {
	if len(rows) <= perPage {
		return rows, ""
	}
	rows = rows[:perPage]
	return rows, end(rows[perPage-1]).String()
}

// size reads how many rows a page has.
func size(query url.Values, usual, most int) int {
	n, err := strconv.Atoi(query.Get("perPage"))
	if err != nil || n < 1 {
		return usual
	}
	return min(n, most)
}

// longestSearch bounds search words: LIKE looks at each letter.
const longestSearch = 100

// like makes a pattern that finds the words anywhere, taken as they are; empty
// for no words. It goes with ESCAPE '\'.
func like(words string) string {
	words = strings.TrimSpace(words)
	if letters := []rune(words); len(letters) > longestSearch {
		words = string(letters[:longestSearch])
	}
	if words == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(words) + "%"
}

// location is the time zone that times are written in: the person's own, else
// the firm's.
func location(app core.App, a asker) (*time.Location, error) {
	if a.zone != "" {
		if zone, err := time.LoadLocation(a.zone); err == nil {
			return zone, nil
		}
	}
	firm, err := access.FirmOf(app)
	if err != nil {
		return nil, err
	}
	return firm.Location(), nil
}
