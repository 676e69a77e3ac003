package workflow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	placeholderPattern = regexp.MustCompile(`\{([^{}]*)\}`)
	seqPattern         = regexp.MustCompile(`^seq:[1-9]$`)
	readPattern        = regexp.MustCompile(`\bdata\.([a-z0-9_]+)`)
)

// placeholders are the names in braces in a template.
func placeholders(template string) []string {
	var names []string
	for _, m := range placeholderPattern.FindAllStringSubmatch(template, -1) {
		names = append(names, m[1])
	}
	return names
}

func isList(fieldType string) bool {
	return fieldType == "list" || fieldType == "people_list" || fieldType == "multi_choice"
}

func (k *checker) fieldList() {
	seen := map[string]bool{}
	for i := range k.Fields {
		f, path := &k.Fields[i], fmt.Sprintf("fields[%d]", i)
		k.unique(path+".key", "field", seen, f.Key)
		k.known(path+".type", "The type", f.Type, fieldTypes)
		if f.Visibility != "" {
			k.known(path+".visibility", "The visibility", f.Visibility, []string{"staff", "both", "client"})
		}
		if f.WrittenBy != "" {
			k.known(path+".written_by", "The writer", f.WrittenBy, []string{"job", "workflow", "system", "portal"})
		}
		if f.Mask != "" {
			k.known(path+".mask", "The mask", f.Mask, []string{"last4"})
		}
		k.options(f, path)
		if f.When != nil {
			k.condition(path+".when", f.When)
		}
		if f.RequiredBefore != "" && !k.asked(f.RequiredBefore) {
			k.warn(path+".required_before", "never_asked", fmt.Sprintf("No step has the guard {fields_complete: %s}, so nothing ever asks for %q.", f.RequiredBefore, f.Key))
		}
	}
	k.cyclicConditions()
}

func (k *checker) asked(label string) bool {
	return slices.ContainsFunc(k.Transitions, func(t Transition) bool {
		return slices.ContainsFunc(t.Guard, func(g Guard) bool { return g.FieldsComplete == label })
	})
}

func (k *checker) options(f *Field, path string) {
	choice := f.Type == "choice" || f.Type == "multi_choice"
	switch {
	case choice && len(f.Options) == 0:
		k.fault(path, "options", fmt.Sprintf("Say under options what can be chosen for %q.", f.Key))
	case !choice && len(f.Options) > 0:
		k.fault(path+".options", "options", fmt.Sprintf("Only a choice has options; %q is a %s.", f.Key, f.Type))
	}
	k.twice(path+".options", f.Options)
	if f.Default != nil && slices.Contains(fieldTypes, f.Type) {
		if why := f.unfit(f.Default); why != "" {
			k.fault(path+".default", "default", fmt.Sprintf("The default of %q does not fit: %s", f.Key, why))
		}
	}
	if f.Min != 0 && !isList(f.Type) {
		k.fault(path+".min", "options", fmt.Sprintf("min counts the entries of a list; %q is a %s.", f.Key, f.Type))
	}
}

// unfit says why the field can never hold a value; empty if it can.
func (f *Field) unfit(value any) string {
	_, isText := value.(string)
	_, isBool := value.(bool)
	_, isNumber := value.(float64)
	list, many := value.([]any)
	switch f.Type {
	case "bool":
		if !isBool {
			return "true or false is expected."
		}
	case "number", "money":
		if !isNumber {
			return "a number is expected."
		}
	case "choice":
		if len(f.Options) > 0 && !slices.Contains(f.Options, fmt.Sprint(value)) {
			return fmt.Sprintf("%q is not among the options %s.%s", fmt.Sprint(value), strings.Join(f.Options, ", "), didYouMean(fmt.Sprint(value), slices.Clone([]string(f.Options))))
		}
	case "multi_choice":
		if !many {
			return "a list is expected."
		}
		for _, v := range list {
			if !slices.Contains(f.Options, fmt.Sprint(v)) {
				return fmt.Sprintf("%q is not among the options %s.", fmt.Sprint(v), strings.Join(f.Options, ", "))
			}
		}
	case "list", "people_list":
		if !many {
			return "a list is expected."
		}
	default:
		if !isText {
			return "a text is expected."
		}
	}
	return ""
}

// condition checks one that compares a field with values.
func (k *checker) condition(path string, c *Condition) {
	if c.Expr == "" && c.Fact == "" {
		k.comparison(path, c.Field, c.Is, c.In, c.Contains)
	}
}

func (k *checker) comparison(path, name string, is any, in []any, contains any) {
	if name == "" {
		k.fault(path, "condition", "A condition names a field, a fact, or is an expression in quotes.")
		return
	}
	f := k.Field(name)
	if f == nil {
		k.fault(path+".field", "unknown_name", fmt.Sprintf("The condition reads %q, which is not a field.%s", name, didYouMean(name, k.fieldKeys())))
		return
	}
	given := 0
	for _, there := range []bool{is != nil, in != nil, contains != nil} {
		given += b2i(there)
	}
	if given != 1 {
		k.fault(path, "condition", fmt.Sprintf("Compare %q with exactly one of is, in, contains.", name))
		return
	}
	if !slices.Contains(fieldTypes, f.Type) {
		return
	}
	if contains != nil {
		switch {
		case !isList(f.Type):
			k.fault(path+".contains", "condition", fmt.Sprintf("contains looks into a list; %q is a %s. Compare it with is or in.", name, f.Type))
		case f.Type == "multi_choice" && !slices.Contains(f.Options, fmt.Sprint(contains)):
			k.fault(path+".contains", "condition", fmt.Sprintf("%q is not among the options of %q.%s", fmt.Sprint(contains), name, didYouMean(fmt.Sprint(contains), slices.Clone([]string(f.Options)))))
		}
		return
	}
	if isList(f.Type) {
		k.fault(path, "condition", fmt.Sprintf("%q is a list: ask with contains whether something is in it.", name))
		return
	}
	if is != nil {
		in, path = []any{is}, path+".is"
	} else {
		path += ".in"
	}
	for _, v := range in {
		if why := f.unfit(v); why != "" {
			k.fault(path, "condition", fmt.Sprintf("%q can never be %q: %s", name, fmt.Sprint(v), why))
		}
	}
}

// cyclicConditions finds fields whose condition depends on themselves.
func (k *checker) cyclicConditions() {
	reads := map[string][]string{}
	for i := range k.Fields {
		if c := k.Fields[i].When; c != nil {
			if c.Field != "" {
				reads[k.Fields[i].Key] = append(reads[k.Fields[i].Key], c.Field)
			}
			for _, m := range readPattern.FindAllStringSubmatch(c.Expr, -1) {
				reads[k.Fields[i].Key] = append(reads[k.Fields[i].Key], m[1])
			}
		}
	}
	told := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(reads)) {
		circle := circleFrom(reads, key)
		if circle == nil || told[key] {
			continue
		}
		for _, name := range circle {
			told[name] = true
		}
		i := slices.IndexFunc(k.Fields, func(f Field) bool { return f.Key == key })
		k.fault(fmt.Sprintf("fields[%d].when", i), "cyclic_condition", fmt.Sprintf("Whether %q applies depends on itself: %s. Take one of these conditions away.", key, strings.Join(append(circle, key), " → ")))
	}
}

// circleFrom is a way from a name back to itself; nil if there is none.
func circleFrom(edges map[string][]string, start string) []string {
	before := map[string]string{}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, next := range edges[queue[0]] {
			if next == start {
				way := []string{}
				for at := queue[0]; at != start; at = before[at] {
					way = append(way, at)
				}
				way = append(way, start)
				slices.Reverse(way)
				return way
			}
			if _, seen := before[next]; !seen {
				before[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}
