package workflow

import "time"

// isOpen says whether t lies in the business hours of a working day.
func (c Calendar) isOpen(t time.Time) bool {
	return c.IsWorkday(t) && !t.Before(c.at(t, c.from)) && t.Before(c.at(t, c.to))
}

// BusinessDays counts the working days after the day of from, up to the day of to.
func (c Calendar) BusinessDays(from, to time.Time) int {
	y, m, d := from.In(c.zone).Date()
	n := 0
	for day := time.Date(y, m, d+1, 0, 0, 0, 0, c.zone); !day.After(to); day = day.AddDate(0, 0, 1) {
		if c.IsWorkday(day) {
			n++
		}
	}
	return n
}
