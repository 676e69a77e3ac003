package workflow

import "time"

// isOpen says whether t lies in the business hours of a working day.
func (c Calendar) isOpen(t time.Time) bool {
	from, to, ok := c.open(t)
	return ok && !t.Before(from) && t.Before(to)
}
