package workflow

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// mutant is a shipped definition with one fault planted.
type mutant struct {
	kind, what string
	plant      func(*Definition)
	named      bool // the fault is a name or a missing part: the walk has no say
}

// mutants plants every fault of every kind, one by one.
func mutants(d *Definition) []mutant {
	var list []mutant
	add := func(kind, what string, plant func(*Definition)) {
		list = append(list, mutant{kind: kind, what: what, plant: plant})
	}
	part := func(kind, what string, plant func(*Definition)) {
		list = append(list, mutant{kind: kind, what: what, plant: plant, named: true})
	}
	for i, t := range d.Transitions {
		add("transition dropped", t.Key, func(d *Definition) {
			d.Transitions = slices.Delete(d.Transitions, i, i+1)
			withoutEvent(d, "request."+t.Key)
		})
		for j, from := range t.From {
			if len(t.From) > 1 {
				add("from dropped", t.Key+" from "+from, func(d *Definition) { d.Transitions[i].From = slices.Delete(d.Transitions[i].From, j, j+1) })
			}
		}
		for j, by := range t.By {
			if len(t.By) > 1 {
				add("by dropped", t.Key+" by "+by, func(d *Definition) { d.Transitions[i].By = slices.Delete(d.Transitions[i].By, j, j+1) })
			}
		}
		for j := range t.Guard {
			add("guard dropped", fmt.Sprintf("%s guard %d", t.Key, j), func(d *Definition) { d.Transitions[i].Guard = slices.Delete(d.Transitions[i].Guard, j, j+1) })
		}
		for j := range t.Effects {
			add("effect dropped", fmt.Sprintf("%s effect %d", t.Key, j), func(d *Definition) { d.Transitions[i].Effects = slices.Delete(d.Transitions[i].Effects, j, j+1) })
		}
		at := slices.IndexFunc(d.States, func(s State) bool { return s.Key == t.To })
		for _, n := range []int{at - 1, at + 1} {
			if n >= 0 && n < len(d.States) && !slices.Contains(t.From, d.States[n].Key) {
				add("to changed", t.Key+" to "+d.States[n].Key, func(d *Definition) { d.Transitions[i].To = d.States[n].Key })
			}
		}
		part("name changed", t.Key+" to", func(d *Definition) { d.Transitions[i].To += "x" })
		part("name changed", t.Key+" by", func(d *Definition) { d.Transitions[i].By[0] += "x" })
		part("name changed", t.Key+" from", func(d *Definition) { d.Transitions[i].From[0] += "x" })
	}
	for i, s := range d.States {
		for _, turn := range turns {
			if turn != s.Turn {
				add("turn changed", s.Key+" "+turn, func(d *Definition) { d.States[i].Turn = turn })
			}
		}
		for j, name := range s.Can.Provide {
			add("provide dropped", s.Key+" "+name, func(d *Definition) { d.States[i].Can.Provide = slices.Delete(d.States[i].Can.Provide, j, j+1) })
			part("name changed", s.Key+" provide "+name, func(d *Definition) { d.States[i].Can.Provide[j] += "x" })
		}
		for j, name := range s.Can.Review {
			add("review dropped", s.Key+" "+name, func(d *Definition) { d.States[i].Can.Review = slices.Delete(d.States[i].Can.Review, j, j+1) })
		}
		for j, name := range s.Can.Add {
			add("add dropped", s.Key+" "+name, func(d *Definition) { d.States[i].Can.Add = slices.Delete(d.States[i].Can.Add, j, j+1) })
		}
		if len(s.Can.OnlyStatus) > 0 {
			add("only_status dropped", s.Key, func(d *Definition) { d.States[i].Can.OnlyStatus = nil })
		}
		if len(s.Can.OnlyStatus) > 1 {
			for j, status := range s.Can.OnlyStatus {
				add("only_status narrowed", s.Key+" "+status, func(d *Definition) { d.States[i].Can.OnlyStatus = slices.Delete(d.States[i].Can.OnlyStatus, j, j+1) })
			}
		}
		if s.Outcome != "" {
			add("outcome dropped", s.Key, func(d *Definition) { d.States[i].Outcome = "" })
		}
		if s.Terminal {
			add("terminal dropped", s.Key, func(d *Definition) { d.States[i].Terminal = false })
		}
		if s.Category == "done" {
			part("end made open", s.Key, func(d *Definition) { d.States[i].Category = "open" })
		}
		if s.Owner != "" && s.Category != "done" {
			part("owner dropped", s.Key, func(d *Definition) { d.States[i].Owner = "" })
			part("name changed", s.Key+" owner", func(d *Definition) { d.States[i].Owner += "x" })
		}
		if s.TippingOffSafe {
			part("label of a hidden state changed", s.Key, func(d *Definition) { l := Text("Compliance hold"); d.States[i].ClientLabel = &l })
		}
		if s.Visible() {
			part("client_label dropped", s.Key, func(d *Definition) { d.States[i].ClientLabel = nil })
		}
	}
	for i, n := range d.Notifications {
		part("to dropped", n.Event, func(d *Definition) { d.Notifications[i].To = nil })
		part("dedupe dropped", n.Event, func(d *Definition) { d.Notifications[i].Dedupe = "" })
		part("why dropped", n.Event, func(d *Definition) { d.Notifications[i].Why = "" })
		part("name changed", n.Event, func(d *Definition) { d.Notifications[i].Event += "x" })
	}
	for i, r := range d.Reminders {
		part("stop_when dropped", r.Key, func(d *Definition) { d.Reminders[i].StopWhen = nil })
		part("max dropped", r.Key, func(d *Definition) { d.Reminders[i].Max = 0 })
	}
	for i, x := range d.Integrations {
		part("idempotency_key dropped", x.Job, func(d *Definition) { d.Integrations[i].IdempotencyKey = "" })
		part("name changed", x.Job+" job", func(d *Definition) { d.Integrations[i].Job += "x" })
		if x.OnDead != "" {
			add("on_dead dropped", x.Job, func(d *Definition) { d.Integrations[i].OnDead = "" })
			part("name changed", x.Job+" on_dead", func(d *Definition) { d.Integrations[i].OnDead += "x" })
		}
	}
	for i := range d.AI {
		part("ai acts", d.AI[i].Task, func(d *Definition) { d.AI[i].Suggests = append(d.AI[i].Suggests, "change_state") })
	}
	return list
}

// withoutEvent drops what is told of a step that is gone, so that the fault is
// the missing step and not a name that leads nowhere.
func withoutEvent(d *Definition, event string) {
	d.Notifications = slices.DeleteFunc(d.Notifications, func(n Notification) bool { return n.Event == event })
	d.AI = slices.DeleteFunc(d.AI, func(a Assist) bool { return a.On == event })
}

// verdict is what became of a mutant.
type verdict struct {
	file string
	mutant
	refused, warned bool
	judged          bool
	bad             []string
	findings        []Finding
	news            string // the first warning that the shipped definition does not have
}

// Every one-line fault in the shipped definitions: the second walker decides
// which are bad, and the checker must refuse each of those. Of those that the
// checker refuses it looks at every fourth, to say how many it finds bad too.
func TestCheck_plantedFaults(t *testing.T) {
	var mu sync.Mutex
	var verdicts []verdict
	t.Run("plant", func(t *testing.T) {
		for _, file := range []string{"simple-request.yaml", "accounting-onboarding-kyc.yaml", "accounting-monthly-close.yaml", "agency-creative-approval.yaml"} {
			base, first := CheckSource(libraryFile(t, file))
			stored := jsonOf(t, base.Definition)
			list := mutants(base.Definition)
			for lane := range 4 {
				t.Run(fmt.Sprint(file, lane), func(t *testing.T) {
					t.Parallel()
					for n := lane * plantEvery; n < len(list); n += 4 * plantEvery {
						v := tryMutant(t, stored, list[n], first, n/4%4 == 0)
						v.file = file
						mu.Lock()
						verdicts = append(verdicts, v)
						mu.Unlock()
					}
				})
			}
		}
	})
	report(t, verdicts)
}

func libraryFile(t testing.TB, name string) []byte {
	t.Helper()
	source, err := LibraryFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func tryMutant(t *testing.T, stored string, m mutant, first []Finding, sample bool) verdict {
	t.Helper()
	changed, err := Decode([]byte(stored))
	if err != nil {
		t.Fatal(err)
	}
	m.plant(changed.Definition)
	broken, err := Decode([]byte(jsonOf(t, changed.Definition)))
	if err != nil {
		t.Fatal(err)
	}
	v := verdict{mutant: m, findings: broken.Check()}
	v.refused = hasErrors(v.findings)
	for _, f := range v.findings {
		if !v.warned && !slices.ContainsFunc(first, func(x Finding) bool { return x.Message == f.Message }) {
			v.warned, v.news = true, f.Message
		}
	}
	if !m.named && (sample || !v.refused) {
		v.bad, v.judged = judge(broken)
	}
	return v
}

// report prints the share found by kind and each one that was not, and fails
// for a bad one that was let pass.
func report(t *testing.T, verdicts []verdict) {
	t.Helper()
	type tally struct{ planted, refused, warned, bad, unjudged int }
	kinds := map[string]*tally{}
	var order []string
	var passed []string
	var total tally
	slices.SortFunc(verdicts, func(a, b verdict) int { return strings.Compare(a.file+a.kind+a.what, b.file+b.kind+b.what) })
	for _, v := range verdicts {
		k := kinds[v.kind]
		if k == nil {
			k = &tally{}
			kinds[v.kind] = k
			order = append(order, v.kind)
		}
		for _, x := range []*tally{k, &total} {
			x.planted++
			x.refused += b2i(v.refused)
			x.warned += b2i(!v.refused && v.warned)
			x.bad += b2i(len(v.bad) > 0)
			x.unjudged += b2i(!v.named && !v.judged && !v.refused)
		}
		switch {
		case v.refused:
		case len(v.bad) > 0:
			t.Errorf("%s, %s (%s) was let pass, and is bad: %s", v.file, v.kind, v.what, joined(v.bad))
		default:
			passed = append(passed, fmt.Sprintf("%s: %s, %s: %s", v.file, v.kind, v.what, whySound(v)))
		}
	}
	slices.Sort(order)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-34s %8s %8s %8s %8s\n", "planted", "faults", "refused", "warned", "bad*")
	for _, kind := range order {
		k := kinds[kind]
		fmt.Fprintf(&b, "%-34s %8d %8d %8d %8d\n", kind, k.planted, k.refused, k.warned, k.bad)
	}
	fmt.Fprintf(&b, "%-34s %8d %8d %8d %8d   (* by the second walker, of those let pass and of every fourth refused; too many situations: %d)\n", "all", total.planted, total.refused, total.warned, total.bad, total.unjudged)
	fmt.Fprintf(&b, "\nlet pass, and why they are sound:\n%s", strings.Join(passed, "\n"))
	t.Log(b.String())
	if total.planted < 900/plantEvery || total.unjudged > total.planted/20 {
		t.Errorf("%d planted, %d too large to judge", total.planted, total.unjudged)
	}
}

// whySound says why a mutant that was let pass may be published.
func whySound(v verdict) string {
	if v.warned {
		return "warned: " + v.news
	}
	return map[string]string{
		"transition dropped":   "another way leads on from each state it left",
		"from dropped":         "another way leads on from that state",
		"by dropped":           "others may take the step",
		"guard dropped":        "a later guard, or nothing, depends on it",
		"effect dropped":       "nothing waits for the effect",
		"to changed":           "from there the request can go on, and no state is cut off",
		"turn changed":         "that side can move the request on too",
		"provide dropped":      "another way leads on, or the items come from elsewhere",
		"review dropped":       "nothing asks for a decision on them there",
		"add dropped":          "items can be added elsewhere",
		"only_status dropped":  "more may be changed, and every guard is asked again",
		"only_status narrowed": "no item comes there with that status, or another way leads on",
		"outcome dropped":      "an end without an outcome promises nothing",
		"terminal dropped":     "nothing leads out of it all the same",
		"on_dead dropped":      "the step that follows has the guard itself",
	}[v.kind]
}
