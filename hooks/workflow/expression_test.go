package workflow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// asked is a workflow with a field of every type, for expressions about it.
const asked = `schema: gatehouse/workflow/v1
key: asked
version: 1
title: Asked
subject: {collection: organizations}
initial: draft
roles: {client: [client_admin], staff: [handler]}
calendar: {timezone: Europe/London, hours: "mon-fri 09:00-17:30", holidays: gb-eng}
fields:
  - {key: name, type: text}
  - {key: story, type: long_text}
  - {key: people, type: number}
  - {key: fee, type: money}
  - {key: vat, type: bool}
  - {key: size, type: choice, options: [small, large]}
  - {key: services, type: multi_choice, options: [vat, payroll]}
  - {key: starts, type: date}
  - {key: month, type: month}
  - {key: year_end, type: month_day}
  - {key: accounts, type: list}
  - {key: owners, type: people_list}
sections:
  - key: papers
    title: Papers
    provider: staff
    reviewer: handler
    items:
      - {key: proof, title: Proof, kind: file}
      - {key: extra, title: Extra, kind: file, required: false}
states:
  - {key: draft, label: Draft, client_label: Draft, category: open, turn: staff, owner: handler, can: {provide: [papers]}}
  - {key: done, label: Done, client_label: Done, category: done, turn: nobody}
transitions:
  - {key: finish, label: Finish, from: [draft], to: done, by: [handler]}
`

func askedDefinition(t testing.TB) *Compiled {
	t.Helper()
	def, findings := CheckSource([]byte(asked))
	if def == nil || len(findings) > 0 {
		t.Fatal(lines(findings))
	}
	return def
}

// askedFacts are those of a Friday morning; everything is there.
func askedFacts() *Facts {
	return &Facts{
		Now: morning, StateSince: morning.AddDate(0, 0, -7), Number: "REQ-1", Title: "Papers", Period: "2026-10", Priority: "high", Entry: 2, Due: "2026-11-19 17:30:00.000Z",
		State: "draft", OrgCode: "BLU", OrgName: "Bluebell", OrgData: map[string]any{"vip": true, "staff": 12.0, "city": "Leeds", "tags": []any{"old"}},
		Data: map[string]any{
			"name": "Ann", "story": "Long", "people": 3.0, "fee": 99.5, "vat": true, "size": "large", "services": []any{"vat"}, "starts": "2026-12-01", "month": "2026-10",
			"year_end": "03-31", "accounts": []any{"Main", map[string]any{"id": "e", "label": "Euro"}}, "owners": []any{map[string]any{"id": "1", "name": "Ann Smith"}},
		},
		Items: []*Item{
			{Section: "papers", Key: "proof", Status: MoreNeeded, Shown: &ShownDecision{Status: Provided}, Active: true, Required: true},
			{Section: "papers", Key: "extra", Status: Waived, Active: true},
			{Section: "papers", Key: "extra", Instance: "2", Status: Missing, Active: true},
			{Section: "papers", Key: "proof", Instance: "old", Status: Missing},
		},
	}
}

func TestExpression_readsFacts(t *testing.T) {
	def := askedDefinition(t)
	for _, c := range []struct {
		source       string
		there, empty bool // with all facts, and with none
	}{
		{`data.name == "Ann"`, true, false},
		{`data.name == ""`, false, true},
		{`data.name startsWith "A" and lower(data.name) contains "nn"`, true, false},
		{`data.people > 2`, true, false},
		{`data.people == 0`, false, true},
		{`data.people * 2 + 1 == 7`, true, false},
		{`data.fee / data.people > 33`, true, false},
		{`1 < data.people < 5`, true, false},
		{`data.vat`, true, false},
		{`not data.vat`, false, true},
		{`data.vat == false`, false, true},
		{`data.size == "large"`, true, false},
		{`data.size != "large"`, false, true},
		{`data.size in ["small", "large"]`, true, false},
		{`data.size not in ["small", "large"]`, false, true},
		{`"vat" in data.services`, true, false},
		{`len(data.services) == 0`, false, true},
		{`any(data.accounts, # == "Euro")`, true, false},
		{`all(data.accounts, # == "Euro")`, false, true},
		{`count(data.accounts, # != "") == 2`, true, false},
		{`"Ann Smith" in data.owners`, true, false},
		{`data.starts > time.today`, true, false},
		{`data.starts >= "2026-01-01" ? data.vat : data.people == 0`, true, true},
		{`data.month == request.period and data.month == "2026-10"`, true, false},
		{`data.year_end == "03-31"`, true, false},
		{`given.name and given.people and given.vat and given.owners`, true, false},
		{`given.name or given.people or given.vat or given.owners`, true, false},
		{`(data.people ?? 7) == 7`, false, false}, // a missing number is 0, so there is nothing to replace
		{`len(data.accounts ?? []) > 1`, true, false},

		{`items.proof == "more_needed"`, true, false},
		{`items.proof == "rejected"`, true, false}, // which includes more_needed
		{`"rejected" == items.proof`, true, false},
		{`items.proof != "rejected"`, false, true},
		{`items.proof in ["accepted", "rejected"]`, true, false},
		{`items.extra == "missing"`, true, false}, // of several the one that holds up most
		{`items.proof == ""`, false, true},
		{`sections.papers.total == 3 and sections.papers.rejected == 1 and sections.papers.waived == 1 and sections.papers.missing == 1`, true, false},
		{`sections.papers.accepted == sections.papers.total`, false, true},

		{`organization.code == "BLU" and organization.name == "Bluebell"`, true, false},
		{`organization.data.vip`, true, false},
		{`organization.data.vip == false`, false, true},
		{`organization.data.staff > 10`, true, false},
		{`organization.data.city == "Leeds"`, true, false},
		{`organization.data.city in ["Leeds", "York"]`, true, false},
		{`"old" in organization.data.tags`, true, false},
		{`organization.data.city > 10`, false, false}, // of another type than asked: missing
		{`organization.data.city == organization.data.city`, true, true},

		{`request.number == "REQ-1" and request.title == "Papers" and request.priority == "high"`, true, false},
		{`request.entry == 2 and request.days_in_state == 7 and request.business_days_in_state == 5`, true, false},
		{`request.overdue and request.due < time.today`, true, false},
		{`request.due == ""`, false, true},

		{`time.business and time.business_day`, true, true},
		{`time.today == "2026-11-20" and time.weekday == "friday" and time.hour == 10 and time.month == 11 and time.day == 20`, true, true},
	} {
		x, misfits := def.compileExpression(c.source, false)
		if len(misfits) > 0 {
			t.Errorf("%s: %+v", c.source, misfits)
			continue
		}
		if got := x.holds(askedFacts()); got != c.there {
			t.Errorf("%s is %v", c.source, got)
		}
		if got := x.holds(&Facts{Now: morning, StateSince: morning}); got != c.empty {
			t.Errorf("%s is %v where nothing is there", c.source, got)
		}
	}
}

// A business-time window is a guard.
func TestExpression_businessTime(t *testing.T) {
	x, _ := askedDefinition(t).compileExpression("time.business", false)
	for at, want := range map[string]bool{
		"2026-11-20T08:59:59Z": false, "2026-11-20T09:00:00Z": true, "2026-11-20T17:29:59Z": true, "2026-11-20T17:30:00Z": false, // a Friday
		"2026-11-21T12:00:00Z": false, "2026-12-25T12:00:00Z": false, "2026-06-19T08:00:00Z": true, // a Saturday, Christmas, and summer time
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.holds(&Facts{Now: now}); got != want {
			t.Errorf("at %s: %v", at, got)
		}
	}
}

// What a client is asked for must not tell him of a decision that is not out.
func TestExpression_appliesByWhatTheClientIsShown(t *testing.T) {
	def := askedDefinition(t)
	for applies, want := range map[bool]bool{false: true, true: false} {
		x, misfits := def.compileExpression(`items.proof == "rejected" or sections.papers.rejected > 0`, applies)
		if len(misfits) > 0 {
			t.Fatal(misfits)
		}
		if got := x.holds(askedFacts()); got != want {
			t.Errorf("applies %v: %v", applies, got)
		}
	}
}

func TestExpression_misfits(t *testing.T) {
	def := askedDefinition(t)
	for _, c := range []struct {
		source string
		at     int
		says   string
	}{
		{`data.nmae == "Ann"`, 0, `Did you mean "name"?`},
		{`data.vat and data.peopel > 1`, 13, `Did you mean "people"?`},
		{`dta.vat`, 0, `Did you mean "data"?`},
		{`size == "large"`, 0, "Did you mean data.size?"},
		{`data.size == large`, 13, "quotes"},
		{`data`, 0, "name one"},
		{`data.people`, 0, "a yes or no is needed here, and data.people is a number"},
		{`data.people == "three"`, 0, "they cannot be compared"},
		{`data.name > 3`, 0, "they cannot be compared"},
		{`data.vat and data.name`, 13, "a yes or no is needed here"},
		{`data.vat > false`, 0, "neither more nor less"},
		{`data.size == "larg"`, 13, `Did you mean "large"?`},
		{`data.size in ["small", "huge"]`, 23, "Possible are: small, large"},
		{`"pay" in data.services`, 0, "Possible are: vat, payroll"},
		{`any(data.services, # == "pay")`, 24, "Possible are: vat, payroll"},
		{`data.services contains "vat"`, 0, `"word" in data.services`},
		{`data.services == "vat"`, 0, "they cannot be compared"},
		{`data.services == data.accounts`, 0, "lists are not compared"},
		{`data.starts > "soon"`, 14, "2026-03-31"},
		{`data.name in ["a", 3]`, 19, "a text is needed here"},
		{`data.name == nil`, 13, "given.name"},
		{`data.name + "x" == "Annx"`, 0, "they cannot be compared"},
		{`data.name + 1 == 2`, 0, "a number is needed here"},
		{`items.prof == "missing"`, 0, `Did you mean "proof"?`},
		{`items.proof == "acepted"`, 15, `Did you mean "accepted"?`},
		{`sections.paper.missing > 0`, 0, `Did you mean "papers"?`},
		{`sections.papers.lost > 0`, 0, "a section has counts"},
		{`sections.papers > 0`, 0, "a section has counts"},
		{`request.state == "draft"`, 0, "names its states under from"},
		{`time.weekday == "freitag"`, 16, "monday"},
		{`organization.data == "x"`, 0, "organization.data.name"},
		{`organization.data.a.b == "x"`, 0, "organization.data.name"},
		{`now() > 3`, 0, "no function now"},
		{`env("HOME") == "x"`, 0, "no function env"},
		{`$env.data.vat`, 0, "not known"},
		{`data["name"] == ` + "`Ann`" + ` and data.name.size`, 26, "no parts"},
		{`data.name matches "^A"`, 0, "matches is not part"},
		{`data.people in 1..1000000000`, 15, ".. is not part"},
		{`len(1..1000000000) > 1`, 4, ".. is not part"},
		{`data.people ** 9 > 1`, 0, "is not part"},
		{`any(data.services, any(data.accounts, # == "x"))`, 19, "cannot stand inside"},
		{`filter(data.services, # == "vat")`, 0, "no function filter"},
		{`let x = data.vat; x`, 4, "not part"},
		{`data.vat; data.vat`, 5, "not part"},
		{`{"a": 1}`, 0, "not part"},
		{`data?.vat`, 0, "not part"},
		{`data.name[0:1] == "A"`, 0, "not part"},
		{`#`, 0, "not expected here"},
		{`data.size = "large"`, 10, "=="},
		{`data.size ==`, 11, "missing at its end"},
		{`data.vat data.vat`, 9, "not expected here"},
		{`"unclosed`, 9, "literal not terminated"},
		{strings.Repeat("!", 1001), 0, "longer than"},
		{strings.Repeat("data.vat and ", 70) + "true", -1, "too long"},
		{``, 0, "missing at its end"},
	} {
		_, misfits := def.compileExpression(c.source, false)
		if !slices.ContainsFunc(misfits, func(m misfit) bool { return (c.at < 0 || m.at == c.at) && strings.Contains(m.message, c.says) }) {
			t.Errorf("%s: want %q at %d, got %+v", c.source, c.says, c.at, misfits)
		}
	}
}

// In a workflow with a state that the client must not learn of, what he is asked
// for does not depend on time or on how often and how long a state was entered.
func TestExpression_nothingMovesByItselfWhereStatesAreSecret(t *testing.T) {
	secret := strings.Replace(asked, "category: done, turn: nobody", "category: done, turn: nobody, tipping_off_safe: true", 1)
	def, _ := Parse([]byte(secret))
	for _, source := range []string{"request.entry > 1", "time.business", "request.days_in_state > 3"} {
		if _, misfits := def.compileExpression(source, true); len(misfits) != 1 || !strings.Contains(misfits[0].message, "must not learn of") {
			t.Errorf("%s: %+v", source, misfits)
		}
		if _, misfits := def.compileExpression(source, false); len(misfits) != 0 {
			t.Errorf("%s as a guard: %+v", source, misfits)
		}
		if _, misfits := askedDefinition(t).compileExpression(source, true); len(misfits) != 0 {
			t.Errorf("%s without such a state: %+v", source, misfits)
		}
	}
}

// A finding points at the very place in the source, however the text is written.
func TestExpression_findingsPointIntoTheSource(t *testing.T) {
	for name, c := range map[string]struct{ guard, mark string }{
		"single quotes":        {`guard: ['data.vat and data.nmae == "x"']`, "data.nmae"},
		"quotes in quotes":     {`guard: ['data.name == ''a'' and data.nmae == "x"']`, "data.nmae"},
		"double quotes":        {`guard: ["data.name == \"\u00e9\" and data.nmae == ''"]`, "data.nmae"},
		"plain":                {`guard: [data.vat and data.nmae]`, "data.nmae"},
		"as a member":          {`guard: [{expr: data.vat and data.nmae}]`, "data.nmae"},
		"as a quoted member":   {`guard: [{expr: "data.vat and data.nmae", message: Not now.}]`, "data.nmae"},
		"a block":              {"guard:\n      - |\n        data.vat and\n        data.nmae\n", "data.nmae"},
		"a folded block":       {"guard:\n      - >-\n        data.vat and\n        not data.nmae\n", "data.nmae"},
		"over two plain lines": {"guard:\n      - data.vat and\n        not data.nmae\n", "data.nmae"},
		"a value":              {`guard: ['data.size == "larg"']`, `"larg"`},
	} {
		source := strings.Replace(asked, "  - {key: finish, label: Finish, from: [draft], to: done, by: [handler]}", "  - key: finish\n    label: Finish\n    from: [draft]\n    to: done\n    by: [handler]\n    "+c.guard, 1)
		_, findings := CheckSource([]byte(source))
		before, _, _ := strings.Cut(source, c.mark)
		line := strings.Count(before, "\n") + 1
		column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
		if len(findings) != 1 || findings[0].Code != "bad_condition" || findings[0].Line != line || findings[0].Column != column {
			t.Errorf("%s: want %d:%d, got %+v", name, line, column, findings)
		}
	}
}

// People read a guard's message, or a plain sentence; never the expression.
func TestDecide_anExpressionExplainsItself(t *testing.T) {
	for guard, want := range map[string]string{
		`{expr: "time.hour > 20", message: "Only in the evening."}`:                "Only in the evening.",
		`{expr: "time.hour > 20", message: {en: "Only late.", de: "Nur abends."}}`: "Only late.",
		`"time.hour > 20"`: "This is not possible at the moment. It depends on other details of the request.",
	} {
		def, findings := CheckSource([]byte(strings.Replace(asked, "by: [handler]}", "by: [handler], guard: ["+guard+"]}", 1)))
		if def == nil || len(findings) > 0 {
			t.Fatal(lines(findings))
		}
		verdict := def.Decide(askedFacts(), "finish", sam, &Input{})
		if len(verdict.Blockers) != 1 || verdict.Blockers[0].Message != want {
			t.Errorf("%s: %+v", guard, verdict.Blockers)
		}
	}
}

// Who reads German is told in German, everybody else in English.
func TestDecide_anExpressionSpeaksTheReadersLanguage(t *testing.T) {
	guard := `{expr: "time.hour > 20", message: {en: "Only late.", de: "Nur abends."}}`
	def, findings := CheckSource([]byte(strings.Replace(asked, "by: [handler]}", "by: [handler], guard: ["+guard+"]}", 1)))
	if def == nil || len(findings) > 0 {
		t.Fatal(lines(findings))
	}
	for locale, want := range map[string]string{"": "Only late.", "en": "Only late.", "de": "Nur abends.", "de-AT": "Nur abends.", "fr": "Only late."} {
		who := sam
		who.Actor.Locale = locale
		verdict := def.Decide(askedFacts(), "finish", who, &Input{})
		if len(verdict.Blockers) != 1 || verdict.Blockers[0].Message != want {
			t.Errorf("%q: %+v", locale, verdict.Blockers)
		}
	}
}

// FuzzCondition: whatever is accepted as a condition can be asked about any
// facts, gives a yes or no, and gives the same again.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		`data.vat and data.people > 2`, `any(data.services, # == "vat")`, `items.proof in ["accepted", "rejected"]`, `time.business ? data.vat : given.owners`,
		`organization.data.x == organization.data.y`, `sections.papers.missing / 0 > -1 ?? false`, `len(data.name) == len(data.owners)`, `1..9`, `data.name matches "("`,
		`not (data.size not in [])`, `count(data.accounts, true) == 0x10`, `(data.vat ? data.accounts : data.services) == []`, `"a" in (data.vat ? data.accounts : data.services)`,
	} {
		f.Add(seed, uint64(1))
	}
	def := askedDefinition(f)
	f.Fuzz(func(t *testing.T, source string, seed uint64) {
		for _, applies := range []bool{false, true} {
			x, misfits := def.compileExpression(source, applies)
			if (x == nil) != (len(misfits) > 0) {
				t.Fatalf("neither refused nor accepted: %+v", misfits)
			}
			if x == nil {
				continue
			}
			facts := randomFacts(rand.New(rand.NewPCG(seed, 7)))
			first := x.outcome(facts)
			if again := x.outcome(facts); first != again || strings.HasPrefix(first, "!") {
				t.Fatalf("%q gives %s, then %s", source, first, again)
			}
		}
	})
}

// outcome is the answer, or the failure that holds would have hidden.
func (x *expression) outcome(f *Facts) string {
	out, err := x.run(f)
	if err != nil {
		return "!" + err.Error()
	}
	if _, ok := out.(bool); !ok {
		return fmt.Sprintf("!%T", out)
	}
	return fmt.Sprint(out)
}

// randomFacts hold values of every type under every name: also those that no
// field of the type should hold.
func randomFacts(r *rand.Rand) *Facts {
	value := func() any {
		return []any{nil, true, false, 0.0, -1.5, 1e300, "", "vat", "2026-03-31", "é\x00", []any{}, []any{"vat", 3.0, nil, map[string]any{"name": "Ann"}, []any{}}, map[string]any{"a": 1}}[r.IntN(13)]
	}
	f := &Facts{Now: morning, StateSince: morning.Add(-time.Duration(r.IntN(1e9)) * time.Millisecond), Entry: r.IntN(9), Due: []string{"", "nonsense", "2026-11-19 17:30:00.000Z"}[r.IntN(3)], Data: map[string]any{}, OrgData: map[string]any{}}
	for _, key := range []string{"name", "story", "people", "fee", "vat", "size", "services", "starts", "month", "year_end", "accounts", "owners", "x", "y"} {
		f.Data[key], f.OrgData[key] = value(), value()
	}
	for range r.IntN(5) {
		f.Items = append(f.Items, &Item{Section: "papers", Key: []string{"proof", "extra"}[r.IntN(2)], Status: append(slices.Clone(statuses), "nonsense")[r.IntN(9)], Active: r.IntN(2) == 0})
	}
	return f
}
