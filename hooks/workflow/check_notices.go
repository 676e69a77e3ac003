package workflow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	jobPattern     = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	systemPattern  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	backoffPattern = regexp.MustCompile(`^(\d+)([smhd])\.\.(\d+)([smhd])$`)
	timings        = []string{"now", "digest_hourly", "digest_daily"}
	personWords    = []string{"admin", "owner", "submitter", "last_uploader", "approvers_who_have_not_decided"}
)

// pastFacts are the events that rooms tell of, beside the steps of requests.
var pastFacts = []string{
	"item.provided", "item.accepted", "item.rejected", "item.more_needed", "item.waived", "item.missing", "item.not_applicable", "item.expired", "item.added", "item.removed", "item.decision_taken_back", "item.confirmed",
	"document.added", "document.ready", "document.removed", "document.replaced", "document.quarantined", "message.posted",
	"request.opened", "request.changed", "request.paused", "request.resumed", "request.overdue",
	"invoice.issued", "invoice.paid", "invoice.overdue",
	"job.done", "job.dead", "job.skipped", "connection.failing", "connection.recovered", "connection.paused", "conflict.found",
	"invitation.created", "invitation.resent", "invitation.accepted", "invitation.renewal_asked", "task.created",
}

func (k *checker) notices() {
	for i := range k.Notifications {
		k.notification(&k.Notifications[i], fmt.Sprintf("notifications[%d]", i))
	}
	keys := map[string]bool{}
	for i := range k.Reminders {
		r, path := &k.Reminders[i], fmt.Sprintf("reminders[%d]", i)
		k.unique(path+".key", "reminder", keys, r.Key)
		k.reminds(r, path)
	}
	k.jobList()
	k.assists()
	k.reports()
	k.tellings()
}

func (k *checker) notification(n *Notification, path string) {
	if len(n.To) == 0 || blank(n.Dedupe) || blank(n.Why) {
		k.fault(path, "notice", "A notification needs a recipient (to), a dedupe key and a reason (why).")
	}
	if len(n.Channel) == 0 {
		k.fault(path, "notice", "A notification needs a channel: email or in_app.")
	}
	k.event(path+".event", n.Event, false)
	each(path+".to", n.To, k.recipient)
	each(path+".channel", n.Channel, func(path, word string) { k.known(path, "The channel", word, channelWords) })
	if n.Timing != "" {
		k.known(path+".timing", "The timing", n.Timing, timings)
	}
	names := append([]string{"request", "org", "organization", "event", "day", "person", "entry", "period", "count", "message", "job", "error_class"}, k.fieldKeys()...)
	for member, template := range map[string]string{"dedupe": n.Dedupe, "why": n.Why} {
		k.template(path+"."+member, template, names)
	}
}

// template refuses placeholders that nothing fills.
func (k *checker) template(path, template string, names []string) {
	for _, name := range placeholders(template) {
		if !slices.Contains(names, name) {
			k.fault(path, "unknown_placeholder", fmt.Sprintf("Nothing fills {%s} here.%s", name, didYouMean(name, slices.Clone(names))))
		}
	}
}

func (k *checker) recipient(path, name string) {
	if name == "ai" {
		k.fault(path, "ai_acts", "A model cannot be told anything; name a role.")
		return
	}
	k.known(path, "The recipient", name, append(append(k.allRoles(), personWords...), clientRoles...))
}

// event checks the name of one: a step, an entered state, or a past fact.
func (k *checker) event(path, name string, model bool) {
	if state, ok := strings.CutPrefix(name, "request.entered."); ok {
		k.known(path, "The state", state, k.stateKeys())
		return
	}
	if state, ok := strings.CutPrefix(name, "enter."); ok && model {
		k.known(path, "The state", state, k.stateKeys())
		return
	}
	if slices.Contains(pastFacts, name) || model && name == "file.added" {
		return
	}
	if key, ok := strings.CutPrefix(name, "request."); ok {
		if k.Transition(key) == nil {
			k.fault(path, "unknown_name", fmt.Sprintf("%q is not a transition.%s", key, didYouMean(key, k.stepKeys())))
		}
		return
	}
	k.known(path, "The event", name, pastFacts)
}

func (k *checker) reminds(r *Reminder, path string) {
	if len(r.StopWhen) == 0 {
		k.fault(path, "reminder", "A reminder needs stop_when: it must stop by itself.")
	}
	if r.Max < 1 {
		k.fault(path, "reminder", "A reminder needs max: how often at most, from 1.")
	}
	if len(r.WhenState) == 0 {
		k.fault(path, "reminder", "A reminder needs when_state: the states in which it is sent.")
	}
	_, percent := r.Schedule["sla_percent"]
	each(path+".when_state", r.WhenState, func(path, name string) {
		k.known(path, "The state", name, k.stateKeys())
		switch s := k.State(name); {
		case s == nil:
		case s.Category == "done":
			k.warn(path, "reminder_in_end", fmt.Sprintf("%q is an end: nobody has to act there.", name))
		case percent && s.SLA == nil:
			k.warn(path, "no_limit", fmt.Sprintf("The reminder counts from the time limit, and %q has none: say sla.", name))
		}
	})
	each(path+".to", r.To, k.recipient)
}

func (k *checker) jobList() {
	seen := map[string]bool{}
	parents := map[string][]string{}
	for i := range k.Integrations {
		x, path := &k.Integrations[i], fmt.Sprintf("integrations[%d]", i)
		if !jobPattern.MatchString(x.Job) {
			k.fault(path+".job", "bad_key", fmt.Sprintf("The name of job %q is words of small letters with dots between, such as crm.tell.", x.Job))
		}
		if seen[x.Job] {
			k.fault(path+".job", "duplicate_key", fmt.Sprintf("The job %q is there twice.", x.Job))
		}
		seen[x.Job], parents[x.Job] = true, x.DependsOn
		if !systemPattern.MatchString(x.System) {
			k.fault(path, "system", fmt.Sprintf("Say under system where job %q is done, such as crm or accounting.", x.Job))
		}
		each(path+".depends_on", x.DependsOn, func(path, name string) { k.known(path, "The job", name, k.jobNames()) })
		each(path+".fields", x.Fields, func(path, name string) { k.known(path, "The field", name, k.fieldKeys()) })
		each(path+".writes_back", x.WritesBack, func(path, name string) { k.known(path, "The field", name, k.fieldKeys()) })
		k.jobKey(x, path)
		k.retries(x, path)
		k.onDead(x, path)
		if !slices.ContainsFunc(k.Transitions, func(t Transition) bool {
			return slices.ContainsFunc(t.Effects, func(e Effect) bool { return e.Job == x.Job })
		}) {
			k.warn(path, "unused", fmt.Sprintf("No step starts the job %q.", x.Job))
		}
	}
	for i := range k.Integrations {
		if circle := circleFrom(parents, k.Integrations[i].Job); circle != nil {
			k.fault(fmt.Sprintf("integrations[%d].depends_on", i), "cyclic_jobs", fmt.Sprintf("Job %q waits for itself: %s. Neither can ever begin.", k.Integrations[i].Job, strings.Join(append(circle, k.Integrations[i].Job), " → ")))
		}
	}
}

func (k *checker) jobKey(x *Integration, path string) {
	if blank(x.IdempotencyKey) {
		k.fault(path, "idempotency", fmt.Sprintf("Job %q needs an idempotency_key.", x.Job))
		return
	}
	names := append([]string{"request", "org", "organization", "period", "number", "revision", "entry"}, k.fieldKeys()...)
	k.template(path+".idempotency_key", x.IdempotencyKey, names)
	used := placeholders(x.IdempotencyKey)
	if !slices.ContainsFunc(used, func(name string) bool {
		return name == "request" || name == "number" || name == "org" || name == "organization" || k.Field(name) != nil
	}) {
		k.fault(path+".idempotency_key", "idempotency", fmt.Sprintf("The key of job %q is the same for every request, so only the first would be done: put {request} in it.", x.Job))
	}
}

var units = map[string]int{"s": 1, "m": 60, "h": 3600, "d": 86400}

func (k *checker) retries(x *Integration, path string) {
	r := x.Retries
	if r == nil {
		return
	}
	if r.Max < 0 || r.Max > 100 {
		k.fault(path+".retries.max", "retries", "A number of retries is 0 to 100.")
	}
	if r.Backoff != "" {
		m := backoffPattern.FindStringSubmatch(r.Backoff)
		if m == nil {
			k.fault(path+".retries.backoff", "duration", fmt.Sprintf("%q is no range of waiting times: write one such as 30s..6h.", r.Backoff))
		} else if from, to := seconds(m[1], m[2]), seconds(m[3], m[4]); from > to || from == 0 {
			k.fault(path+".retries.backoff", "duration", "Waiting grows from the first time to the second: write the shorter one first.")
		}
	}
	if x.AlertAfter < 0 || r.Max > 0 && x.AlertAfter > r.Max {
		k.fault(path+".alert_after", "retries", fmt.Sprintf("The alert comes after 1 to %d failed tries.", r.Max))
	}
}

func seconds(n, unit string) int {
	v, err := strconv.Atoi(n)
	if err != nil {
		return 0
	}
	return v * units[unit]
}

// onDead checks the step that is to follow when a job is dead.
func (k *checker) onDead(x *Integration, path string) {
	if x.OnDead == "" {
		return
	}
	t := k.Transition(x.OnDead)
	if t == nil {
		k.fault(path+".on_dead", "unknown_name", fmt.Sprintf("%q is not a transition.%s", x.OnDead, didYouMean(x.OnDead, k.stepKeys())))
		return
	}
	if !t.Automatic() {
		k.fault(path+".on_dead", "on_dead", fmt.Sprintf("Step %q is to follow when job %q is dead, but no system takes it: add system to its by.", t.Key, x.Job))
	}
	waits := slices.ContainsFunc(t.Guard, func(g Guard) bool {
		return slices.ContainsFunc([]*JobsGuard{g.Jobs, g.AnyJob}, func(j *JobsGuard) bool {
			return j != nil && j.Status == "dead" && slices.Contains(j.Names, x.Job)
		})
	})
	if !waits {
		k.fault(path+".on_dead", "on_dead", fmt.Sprintf("Step %q is to follow when job %q is dead, but does not wait for that: give it the guard any_job: {names: [%s], status: dead}.", t.Key, x.Job, x.Job))
	}
}

// acting are the deeds that a model must not do.
var acting = []string{"accept_item", "reject_item", "waive_item", "provide_item", "change_state", "post", "send", "send_message", "transition", "approve", "reject"}

func (k *checker) assists() {
	for i := range k.AI {
		a, path := &k.AI[i], fmt.Sprintf("ai[%d]", i)
		if blank(a.Task) {
			k.fault(path, "assist", "Say under task what the model does.")
		}
		k.event(path+".on", a.On, true)
		if a.Section != "" {
			k.known(path+".section", "The section", a.Section, k.sectionKeys())
		}
		if a.Visibility != "" {
			k.known(path+".visibility", "The visibility", a.Visibility, []string{"staff", "both", "client"})
		}
		if a.ConfirmBy != "" {
			k.known(path+".confirm_by", "The role", a.ConfirmBy, append(k.allRoles(), "reviewer", "owner"))
		}
		each(path+".suggests", a.Suggests, func(path, word string) {
			if slices.Contains(acting, word) {
				k.fault(path, "ai_acts", fmt.Sprintf("A model proposes; it never does %q. Let it suggest a text or a value that a person confirms.", word))
			}
		})
		if a.ConfirmBy == "" && a.Visibility != "staff" {
			k.fault(path, "ai_acts", fmt.Sprintf("What the model proposes in %q would count without a person: say confirm_by, or visibility: staff.", a.Task))
		}
	}
}

func (k *checker) reports() {
	if k.Reports == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(k.Reports.Targets)) {
		if name != "end_to_end" {
			k.known("reports.targets."+name, "The state", name, append(k.stateKeys(), "end_to_end"))
		}
	}
	each("reports.split_clock", k.Reports.SplitClock, func(path, word string) { k.known(path, "The clock", word, clocks) })
}

// tellings warns where somebody gets the turn without a rule that tells, and where
// the client is never reminded.
func (k *checker) tellings() {
	for i := range k.States {
		s := &k.States[i]
		reminded := slices.ContainsFunc(k.Reminders, func(r Reminder) bool { return slices.Contains(r.WhenState, s.Key) })
		if s.Turn == "client" && s.Category != "done" && !reminded {
			k.warn(fmt.Sprintf("states[%d]", i), "no_reminder", fmt.Sprintf("Nobody is reminded while the request waits for the client in %q.", s.Key))
		}
	}
	for i := range k.Transitions {
		t := &k.Transitions[i]
		to := k.State(t.To)
		if to == nil || to.Category == "done" || to.TippingOffSafe || to.Turn != "client" && to.Turn != "staff" || !k.otherSide(t, to.Turn) {
			continue
		}
		told := slices.ContainsFunc(k.Notifications, func(n Notification) bool {
			return n.Event == "request."+t.Key || n.Event == "request.entered."+t.To
		})
		if !told {
			k.warn(fmt.Sprintf("transitions[%d]", i), "turn_untold", fmt.Sprintf("After %q it is the %s's turn in %q, and no notification says so: the portal sends its own.", t.Key, to.Turn, t.To))
		}
	}
}

// otherSide says whether somebody else than the side that gets the turn takes
// the step.
func (k *checker) otherSide(t *Transition, turn string) bool {
	return slices.ContainsFunc(t.By, func(name string) bool {
		return name == "system" || k.IsClientRole(name) != (turn == "client")
	})
}
