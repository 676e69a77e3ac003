package workflow

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

var (
	stopWords    = []string{"state_left", "all_required_provided", "all_answered", "no_rejected_items", "person_decided", "paused"}
	channelWords = []string{"email", "in_app", "task"}
	listWords    = []string{"outstanding_items", "rejected_items_with_reasons", "open_questions"}
)

// times checks the words of time: the calendar, reminders, recurrence, targets.
func (k *checker) times() {
	problems := k.Definition.Calendar.problems()
	for _, member := range slices.Sorted(maps.Keys(problems)) {
		k.fault("calendar."+member, "calendar", problems[member])
	}
	for i := range k.Reminders {
		k.reminder(&k.Reminders[i], fmt.Sprintf("reminders[%d]", i))
	}
	for i := range k.Sections {
		for j, item := range k.Sections[i].Items {
			if _, err := k.dueText(time.Time{}, item.Due); item.Due != "" && err != nil {
				k.fault(fmt.Sprintf("sections[%d].items[%d].due", i, j), "due", "The due date cannot be read: "+err.Error()+".")
			}
		}
	}
	if k.Recurrence != nil {
		if _, err := k.Recurrence.rule(); err != nil {
			k.fault("recurrence", "recurrence", "The recurrence cannot be read: "+err.Error()+".")
		}
		for _, field := range k.Recurrence.CarryForward {
			if k.Field(field) == nil {
				k.fault("recurrence.carry_forward", "unknown_name", fmt.Sprintf("%q is not a field.", field))
			}
		}
	}
	if k.Reports == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(k.Reports.Targets)) {
		if _, err := k.Compiled.Calendar.AddText(time.Time{}, k.Reports.Targets[name]); err != nil {
			k.fault("reports.targets."+name, "target", "The target cannot be read: "+err.Error()+".")
		}
	}
}

func (k *checker) reminder(r *Reminder, path string) {
	if len(r.To) == 0 {
		k.fault(path, "reminder", "A reminder needs somebody to remind: list roles or duties under to.")
	}
	when, err := r.schedule()
	if err != nil {
		k.fault(path+".schedule", "schedule", "The schedule cannot be read: "+err.Error()+".")
	}
	if err == nil && len(r.Schedule) == 0 {
		k.fault(path+".schedule", "schedule", "Say when the reminder is due, such as business_days_after_entry: [3].")
	}
	if f := k.Field(when.beforeField); when.beforeField != "" && (f == nil || f.Type != "date") {
		k.fault(path+".schedule", "unknown_name", fmt.Sprintf("%q is not a field of type date.", when.beforeField))
	}
	for _, word := range r.StopWhen {
		k.known(path+".stop_when", "The reason to stop", word, stopWords)
	}
	for _, word := range r.Channel {
		k.known(path+".channel", "The channel", word, channelWords)
	}
	if r.Lists != "" {
		k.known(path+".lists", "The list", r.Lists, listWords)
	}
	if r.Combine != "" {
		k.known(path+".combine", "The way to combine", r.Combine, []string{"one_email_per_person_per_day"})
	}
}
