package workflow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	stopWords    = []string{"state_left", "all_required_provided", "all_answered", "no_rejected_items", "person_decided", "paused"}
	channelWords = []string{"email", "in_app", "task"}
	listWords    = []string{"outstanding_items", "rejected_items_with_reasons", "open_questions"}

	spanPattern     = regexp.MustCompile(`^[1-9]\d{0,3}(bd|bh|d|h)$`)
	ordinalPattern  = regexp.MustCompile(`^(\d{1,2}(st|nd|rd|th)|last) (business )?day$`)
	openingPattern  = regexp.MustCompile(`^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))? (\d\d:\d\d)-(\d\d:\d\d)$`)
	quietPattern    = regexp.MustCompile(`^(\d\d:\d\d)-(\d\d:\d\d)$`)
	holidayPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]+)*$`)
	schedulingWords = []string{"business_days_after_entry", "business_days_before_due", "business_days_after_due", "business_days_before", "business_hours_after_entry", "business_hours", "sla_percent"}
)

// times checks the words of time: the calendar, reminders, recurrence, targets.
func (k *checker) times() {
	k.calendar()
	for i := range k.Reminders {
		k.reminder(&k.Reminders[i], fmt.Sprintf("reminders[%d]", i))
	}
	if k.Recurrence != nil {
		k.recurs(k.Recurrence)
	}
	if k.Reports == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(k.Reports.Targets)) {
		if !spanPattern.MatchString(k.Reports.Targets[name]) {
			k.fault("reports.targets."+name, "target", fmt.Sprintf("%q is no length of time: write one such as 5bd or 8bh.", k.Reports.Targets[name]))
		}
	}
}

func (k *checker) calendar() {
	c := &k.Definition.Calendar
	if c.Timezone != "" && c.Timezone != "firm" {
		if _, err := time.LoadLocation(c.Timezone); err != nil {
			k.fault("calendar.timezone", "calendar", fmt.Sprintf("%q is not a time zone: write one such as Europe/Dublin, or firm.", c.Timezone))
		}
	}
	for part := range strings.SplitSeq(c.Hours, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		m := openingPattern.FindStringSubmatch(part)
		if m == nil || !clockTime(m[4]) || !clockTime(m[5]) || m[4] >= m[5] {
			k.fault("calendar.hours", "calendar", fmt.Sprintf("%q is not when you work: write it such as mon-fri 09:00-17:30.", part))
		}
	}
	for part := range strings.SplitSeq(c.Holidays, ",") {
		part = strings.TrimSpace(part)
		if part == "" || part == "firm" || part == "none" {
			continue
		}
		if _, known := holidays[part]; !known && !holidayPattern.MatchString(part) {
			k.fault("calendar.holidays", "calendar", fmt.Sprintf("%q is not a calendar of holidays: write one such as ie, gb-eng, us-federal, or firm.", part))
		}
	}
	if m := quietPattern.FindStringSubmatch(c.ClientQuietHours); c.ClientQuietHours != "" && (m == nil || !clockTime(m[1]) || !clockTime(m[2])) {
		k.fault("calendar.client_quiet_hours", "calendar", fmt.Sprintf("%q are no hours of quiet: write them such as 20:00-08:00.", c.ClientQuietHours))
	}
}

func clockTime(text string) bool {
	_, err := time.Parse("15:04", text)
	return err == nil
}

func (k *checker) reminder(r *Reminder, path string) {
	if len(r.To) == 0 {
		k.fault(path, "reminder", "A reminder needs somebody to remind: list roles or duties under to.")
	}
	if len(r.Schedule) == 0 {
		k.fault(path, "schedule", "Say when the reminder is due, such as schedule: {business_days_after_entry: [3]}.")
	}
	for _, word := range slices.Sorted(maps.Keys(r.Schedule)) {
		at := path + ".schedule." + word
		if !slices.Contains(schedulingWords, word) {
			k.fault(at, "schedule", fmt.Sprintf("%q is not a word for when.%s", word, didYouMean(word, slices.Clone(schedulingWords))))
			continue
		}
		days := r.Schedule[word]
		if m, ok := days.(map[string]any); ok && word == "business_days_before" {
			name, _ := m["field"].(string)
			if f := k.Field(name); f == nil || f.Type != "date" {
				k.fault(at+".field", "unknown_name", fmt.Sprintf("%q is not a field of type date.", name))
			}
			days = m["days"]
		}
		if !wholeNumbers(days) {
			k.fault(at, "schedule", fmt.Sprintf("%s needs whole numbers from 0, such as [1, 3].", word))
		}
	}
	each(path+".stop_when", r.StopWhen, func(path, word string) { k.known(path, "The reason to stop", word, stopWords) })
	each(path+".channel", r.Channel, func(path, word string) { k.known(path, "The channel", word, channelWords) })
	if r.Lists != "" {
		k.known(path+".lists", "The list", r.Lists, listWords)
	}
	if r.Combine != "" {
		k.known(path+".combine", "The way to combine", r.Combine, []string{"one_email_per_person_per_day"})
	}
}

// wholeNumbers says whether a value is a whole number from 0, or a list of them.
func wholeNumbers(value any) bool {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		if n, ok := v.(float64); !ok || n != float64(int(n)) || n < 0 || n > 10_000 {
			return false
		}
	}
	return len(list) > 0
}

func (k *checker) recurs(r *Recurrence) {
	k.known("recurrence.every", "The rhythm", r.Every, []string{"week", "month", "quarter", "year"})
	if !ordinalPattern.MatchString(r.Create) {
		k.fault("recurrence.create", "recurrence", fmt.Sprintf("%q is not a day: write when it is opened, such as 1st business day.", r.Create))
	}
	if r.Due != "" && !ordinalPattern.MatchString(r.Due) {
		k.fault("recurrence.due", "recurrence", fmt.Sprintf("%q is not a day: write when it is due, such as 10th business day.", r.Due))
	}
	if r.Period != "" {
		k.known("recurrence.period", "The period", r.Period, []string{r.Every, "previous_" + r.Every, "this_" + r.Every, "next_" + r.Every})
	}
	if r.SkipIf != nil {
		k.condition("recurrence.skip_if", r.SkipIf)
	}
	each("recurrence.carry_forward", r.CarryForward, func(path, name string) { k.known(path, "The field", name, k.fieldKeys()) })
}
