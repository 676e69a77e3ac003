package workflow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	typecheck "github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// Expressions are those of expr-lang, less everything that a condition does not
// need. What is left always ends and costs little: at most maxNodes steps, of
// which those over a list (any, all, none, one, count) are not nested and lists
// are bounded by what is stored; no ranges, no building of texts or lists, no
// functions of ours. Types are checked before, missing values have a meaning, so
// nothing fails while a condition runs; if it did, the condition does not hold.
const (
	maxExpression = 1000 // characters
	maxNodes      = 200
	memoryBudget  = 10_000
)

// expression is a compiled condition with the facts that it reads.
type expression struct {
	def     *Compiled
	program *vm.Program
	reads   map[string]*fact
	shown   bool
}

// holds evaluates the expression. Facts are worked out here and only those that
// the expression reads. One that could not be compiled never holds: the checker
// has refused it.
func (x *expression) holds(f *Facts) bool {
	if x == nil {
		return false
	}
	out, err := x.run(f)
	return err == nil && out == true
}

func (x *expression) run(f *Facts) (any, error) {
	env, m := make(map[string]any, len(x.reads)), moment{x.def, f, x.shown}
	for name, fact := range x.reads {
		env[name] = fact.read(m)
	}
	machine := vm.VM{MemoryBudget: memoryBudget}
	return machine.Run(x.program, env)
}

// misfit is what is wrong with an expression, and at which of its characters.
type misfit struct {
	at      int
	message string
}

// compileExpression checks an expression and compiles it. applies says that it
// decides what a request asks for (when, skip_if), not whether a step may be
// taken.
func (c *Compiled) compileExpression(source string, applies bool) (*expression, []misfit) {
	if utf8.RuneCountInString(source) > maxExpression {
		return nil, []misfit{{0, fmt.Sprintf("it is longer than %d characters. Split it into several guards.", maxExpression)}}
	}
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil, []misfit{unreadable(err)}
	}
	a := &analysis{def: c, applies: applies, reads: map[string]*fact{}}
	a.check(&tree.Node, yesNoValue)
	if len(a.misfits) > 0 {
		return nil, a.misfits
	}
	env := types.Map{}
	for name, fact := range a.reads {
		env[name] = [...]types.Type{types.Bool, types.String, types.Float64, types.Array(types.String), types.Any}[fact.kind]
	}
	config.WithEnv(env)
	if _, err := typecheck.Check(tree, config); err != nil {
		return nil, []misfit{unreadable(err)}
	}
	program, err := compiler.Compile(tree, config)
	if err != nil {
		return nil, []misfit{unreadable(err)}
	}
	return &expression{def: c, program: program, reads: a.reads, shown: applies}, nil
}

// unreadable puts the parser's words into a sentence.
func unreadable(err error) misfit {
	var at *file.Error
	if !errors.As(err, &at) {
		return misfit{0, sentence(firstLine(err.Error()))}
	}
	what := at.Message
	switch {
	case strings.Contains(what, "token EOF"):
		what = "something is missing at its end"
	case strings.Contains(what, `Operator("=")`):
		what = "compare with ==, not ="
	case strings.Contains(what, "maximum allowed nodes"):
		what = "it is too long. Split it into several guards"
	case strings.HasPrefix(what, "unexpected token"):
		what = "this is not expected here: " + strings.TrimSuffix(what[strings.IndexByte(what, '(')+1:], ")")
	}
	return misfit{at.From, sentence(firstLine(what))}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// analysis checks a parsed expression against the vocabulary, and turns every
// fact into a plain variable.
type analysis struct {
	def     *Compiled
	applies bool
	element *fact // inside any(list, …): what # is
	reads   map[string]*fact
	misfits []misfit
}

func (a *analysis) fault(n ast.Node, format string, args ...any) {
	a.misfits = append(a.misfits, misfit{start(n), sentence(fmt.Sprintf(format, args...))})
}

func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// start is where a node begins in the source; that of an operator is where its
// left side does.
func start(n ast.Node) int {
	switch x := n.(type) {
	case *ast.MemberNode:
		return start(x.Node)
	case *ast.BinaryNode:
		return start(x.Left)
	case *ast.ConditionalNode:
		return start(x.Cond)
	case *ast.SliceNode:
		return start(x.Node)
	case *ast.ChainNode:
		return start(x.Node)
	}
	return n.Location().From
}

var (
	logic      = []string{"and", "or", "&&", "||"}
	equality   = []string{"==", "!="}
	ordering   = []string{"<", "<=", ">", ">="}
	arithmetic = []string{"+", "-", "*", "/"}
	textual    = []string{"contains", "startsWith", "endsWith"}
	answering  = slices.Concat(logic, equality, ordering, textual, []string{"in"})
)

// functions are those that may be used, with the type of their result.
var functions = map[string]valueKind{
	"len": numberValue, "lower": textValue, "upper": textValue, "trim": textValue,
	"any": yesNoValue, "all": yesNoValue, "none": yesNoValue, "one": yesNoValue, "count": numberValue,
}

// kindOf is the type of a node, openValue if it has none of its own.
func (a *analysis) kindOf(n ast.Node) valueKind {
	switch x := n.(type) {
	case *ast.BoolNode:
		return yesNoValue
	case *ast.StringNode, *ast.PointerNode:
		return textValue
	case *ast.IntegerNode, *ast.FloatNode:
		return numberValue
	case *ast.ArrayNode:
		return listValue
	case *ast.UnaryNode:
		if x.Operator == "-" || x.Operator == "+" {
			return numberValue
		}
		return yesNoValue
	case *ast.BinaryNode:
		switch {
		case slices.Contains(arithmetic, x.Operator):
			return numberValue
		case x.Operator == "??":
			return a.agreed(x.Left, x.Right)
		case slices.Contains(answering, x.Operator):
			return yesNoValue
		}
	case *ast.ConditionalNode:
		return a.agreed(x.Exp1, x.Exp2)
	case *ast.BuiltinNode:
		if kind, ok := functions[x.Name]; ok {
			return kind
		}
	case *ast.MemberNode:
		if f := a.factOf(x); f != nil {
			return f.kind
		}
	}
	return openValue
}

// agreed is the type that two sides are compared as: that of the first that has
// one.
func (a *analysis) agreed(left, right ast.Node) valueKind {
	if kind := a.kindOf(left); kind != openValue {
		return kind
	}
	return a.kindOf(right)
}

// check makes sure that a node is understood and has the wanted type (openValue:
// any), and names each fault once.
func (a *analysis) check(n *ast.Node, want valueKind) {
	if kind := a.kindOf(*n); want != openValue && kind != openValue && kind != want {
		a.fault(*n, "%s is needed here, and %s is %s", want, (*n).String(), kind)
		return
	}
	switch x := (*n).(type) {
	case *ast.BoolNode, *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
	case *ast.NilNode:
		a.fault(x, "ask given.name whether a value is there, instead of comparing with nil")
	case *ast.MemberNode:
		a.member(n, x, want)
	case *ast.IdentifierNode:
		a.fault(x, "%s", a.loneName(x.Value))
	case *ast.PointerNode:
		if a.element == nil || x.Name != "" {
			a.fault(x, "# stands for an element, inside any(list, …) and the like only")
		}
	case *ast.UnaryNode:
		a.check(&x.Node, a.kindOf(x))
	case *ast.BinaryNode:
		a.binary(n, x, want)
	case *ast.ConditionalNode:
		a.check(&x.Cond, yesNoValue)
		if want == openValue {
			want = a.agreed(x.Exp1, x.Exp2)
		}
		a.check(&x.Exp1, want)
		a.check(&x.Exp2, want)
	case *ast.ArrayNode:
		for i := range x.Nodes {
			a.check(&x.Nodes[i], a.kindOf(x.Nodes[0]))
		}
	case *ast.BuiltinNode:
		a.call(x)
	case *ast.CallNode:
		a.fault(x, "there is no function %s. There are %s", x.Callee.String(), functionNames())
	default:
		a.fault(x, "this is not part of the language of conditions")
	}
}

func functionNames() string { return strings.Join(slices.Sorted(maps.Keys(functions)), ", ") }

func (a *analysis) call(x *ast.BuiltinNode) {
	kind, ok := functions[x.Name]
	switch {
	case !ok:
		a.fault(x, "there is no function %s. There are %s", x.Name, functionNames())
	case kind == textValue || x.Name == "len":
		if len(x.Arguments) != 1 {
			a.fault(x, "%s takes one value", x.Name)
			return
		}
		want := textValue
		if x.Name == "len" && a.kindOf(x.Arguments[0]) != textValue {
			want = listValue
		}
		a.check(&x.Arguments[0], want)
	case a.element != nil:
		a.fault(x, "%s cannot stand inside another one of its kind", x.Name)
	case len(x.Arguments) != 2:
		a.fault(x, `%s takes a list and a condition on its elements, such as # == "vat"`, x.Name)
	default:
		list := a.factOf(x.Arguments[0])
		a.check(&x.Arguments[0], listValue)
		a.element = &fact{kind: textValue}
		if list != nil {
			a.element.options = list.options
		}
		if p, ok := x.Arguments[1].(*ast.PredicateNode); ok {
			a.check(&p.Node, yesNoValue)
		} else {
			a.fault(x.Arguments[1], "a condition on the elements is expected")
		}
		a.element = nil
	}
}

func (a *analysis) binary(n *ast.Node, x *ast.BinaryNode, want valueKind) {
	switch {
	case x.Operator == "??":
		// Missing values have a meaning already, so the right side is never used.
		if want == openValue {
			want = a.kindOf(x)
		}
		a.check(&x.Left, want)
		a.check(&x.Right, want)
		*n = x.Left
	case slices.Contains(logic, x.Operator):
		a.check(&x.Left, yesNoValue)
		a.check(&x.Right, yesNoValue)
	case slices.Contains(arithmetic, x.Operator):
		a.check(&x.Left, numberValue)
		a.check(&x.Right, numberValue)
	case slices.Contains(textual, x.Operator):
		if a.kindOf(x.Left) == listValue {
			a.fault(x, `a list is asked the other way round: "word" in %s`, x.Left.String())
			return
		}
		a.check(&x.Left, textValue)
		a.check(&x.Right, textValue)
	case x.Operator == "in":
		a.membership(x)
	case slices.Contains(equality, x.Operator), slices.Contains(ordering, x.Operator):
		a.comparison(n, x)
	default:
		a.fault(x, "%s is not part of the language of conditions", x.Operator)
	}
}

func (a *analysis) comparison(n *ast.Node, x *ast.BinaryNode) {
	left, right := a.kindOf(x.Left), a.kindOf(x.Right)
	kind := a.agreed(x.Left, x.Right)
	switch {
	case left != openValue && right != openValue && left != right:
		a.fault(x, "%s is %s and %s is %s: they cannot be compared", x.Left.String(), left, x.Right.String(), right)
		return
	case kind == listValue:
		a.fault(x, `lists are not compared. Ask "word" in a list, or len(list) for its length`)
		return
	case slices.Contains(ordering, x.Operator) && kind == yesNoValue:
		a.fault(x, "a yes or no is neither more nor less than another")
		return
	case kind == openValue:
		kind = textValue
	}
	a.word(a.factOf(x.Left), x.Right)
	a.word(a.factOf(x.Right), x.Left)
	kin := a.kin(x)
	a.check(&x.Left, kind)
	a.check(&x.Right, kind)
	if len(kin) > 1 {
		var in ast.Node = &ast.BinaryNode{Operator: "in", Left: x.Left, Right: texts(kin, x)}
		in.SetLocation(x.Location())
		if x.Operator == "!=" {
			not := &ast.UnaryNode{Operator: "not", Node: in}
			not.SetLocation(x.Location())
			in = not
		}
		ast.Patch(n, in)
	}
}

// kin are the statuses that the word of a comparison with an item's status
// stands for: rejected includes more_needed and expired, as in every list.
func (a *analysis) kin(x *ast.BinaryNode) []string {
	if !slices.Contains(equality, x.Operator) {
		return nil
	}
	if f := a.factOf(x.Right); f != nil && f.status {
		x.Left, x.Right = x.Right, x.Left
	}
	f := a.factOf(x.Left)
	word, ok := x.Right.(*ast.StringNode)
	if f == nil || !f.status || !ok {
		return nil
	}
	return withKin(word.Value)
}

func withKin(status string) []string {
	var list []string
	for _, s := range statuses {
		if inList([]string{status}, s) {
			list = append(list, s)
		}
	}
	return list
}

func texts(list []string, at ast.Node) *ast.ArrayNode {
	array := &ast.ArrayNode{}
	array.SetLocation(at.Location())
	for _, s := range list {
		n := &ast.StringNode{Value: s}
		n.SetLocation(at.Location())
		array.Nodes = append(array.Nodes, n)
	}
	return array
}

func (a *analysis) membership(x *ast.BinaryNode) {
	f := a.factOf(x.Left)
	list, literal := x.Right.(*ast.ArrayNode)
	if !literal {
		a.word(a.factOf(x.Right), x.Left)
		a.check(&x.Left, textValue)
		a.check(&x.Right, listValue)
		return
	}
	kind := a.kindOf(x.Left)
	if kind == openValue && len(list.Nodes) > 0 {
		kind = a.kindOf(list.Nodes[0])
	}
	if kind == openValue {
		kind = textValue
	}
	a.check(&x.Left, kind)
	more := &ast.ArrayNode{}
	for i := range list.Nodes {
		a.word(f, list.Nodes[i])
		a.check(&list.Nodes[i], kind)
		if s, ok := list.Nodes[i].(*ast.StringNode); ok && f != nil && f.status {
			more.Nodes = append(more.Nodes, texts(withKin(s.Value), s).Nodes...)
		}
	}
	list.Nodes = append(list.Nodes, more.Nodes...)
}

// word refuses a text that the fact can never be.
func (a *analysis) word(f *fact, n ast.Node) {
	s, ok := n.(*ast.StringNode)
	switch {
	case f == nil || !ok || s.Value == "":
	case len(f.options) > 0 && !slices.Contains(f.options, s.Value):
		a.fault(n, "it can never be %q.%s Possible are: %s", s.Value, didYouMean(s.Value, slices.Clone(f.options)), strings.Join(f.options, ", "))
	case f.look != nil && !f.look.pattern.MatchString(s.Value):
		a.fault(n, "%q is not written like %s", s.Value, f.look.example)
	}
}

// path reads a.b.c; nil for anything else.
func path(n ast.Node) []string {
	switch x := n.(type) {
	case *ast.IdentifierNode:
		return []string{x.Value}
	case *ast.MemberNode:
		key, ok := x.Property.(*ast.StringNode)
		if before := path(x.Node); ok && before != nil && !x.Optional && !x.Method {
			return append(before, key.Value)
		}
	}
	return nil
}

// factOf is the fact that a node reads; nil if it reads none that is known.
func (a *analysis) factOf(n ast.Node) *fact {
	if _, ok := n.(*ast.PointerNode); ok {
		return a.element
	}
	f, _ := a.find(path(n))
	return f
}

// find looks a path up; if there is no such fact, the sentence says what there is.
func (a *analysis) find(path []string) (*fact, string) {
	if len(path) < 2 {
		return nil, "this is not a fact that conditions can read"
	}
	root, name := path[0], path[1]
	switch {
	case root == "sections":
		return a.findCount(path)
	case root == "organization" && name == "data":
		if len(path) != 3 {
			return nil, "name one value of the organization's data: organization.data.name"
		}
		return organizationData(path[2], openValue), ""
	case a.def.words[root] == nil:
		return nil, fmt.Sprintf("%q is not known.%s Conditions can read %s", root, didYouMean(root, a.roots()), strings.Join(a.roots(), ", "))
	case len(path) > 2 && a.def.words[root][name] != nil:
		return nil, fmt.Sprintf("%s.%s has no parts", root, name)
	}
	if f := a.def.words[root][name]; f != nil && len(path) == 2 {
		return f, ""
	}
	if root == "request" && name == "state" {
		return nil, "conditions do not read the state. A transition names its states under from; write one transition for each case"
	}
	return nil, fmt.Sprintf("%s.%s is not known.%s", root, name, didYouMean(name, slices.Collect(maps.Keys(a.def.words[root]))))
}

func (a *analysis) findCount(path []string) (*fact, string) {
	if a.def.Section(path[1]) == nil {
		return nil, fmt.Sprintf("there is no section %q.%s", path[1], didYouMean(path[1], slices.Collect(maps.Keys(a.def.sections))))
	}
	names := make([]string, 0, len(countsOf))
	for _, c := range countsOf {
		names = append(names, c.name)
	}
	if len(path) != 3 || !slices.Contains(names, path[2]) {
		return nil, "a section has counts: " + strings.Join(names, ", ")
	}
	return sectionFact(path[1], path[2]), ""
}

func (a *analysis) roots() []string {
	return append(slices.Sorted(maps.Keys(a.def.words)), "sections")
}

// loneName says what is wrong with a name that stands alone.
func (a *analysis) loneName(name string) string {
	for _, root := range slices.Sorted(maps.Keys(a.def.words)) {
		if name == root {
			return name + " has parts: name one, as in " + name + ".name"
		}
		if a.def.words[root][name] != nil {
			return fmt.Sprintf("%q is not known. Did you mean %s.%s?", name, root, name)
		}
	}
	return fmt.Sprintf("%q is not known. Put texts in quotes; facts begin with %s", name, strings.Join(a.roots(), ", "))
}

// member turns a.b.c into one variable.
func (a *analysis) member(n *ast.Node, x *ast.MemberNode, want valueKind) {
	parts := path(x)
	f, why := a.find(parts)
	if f == nil {
		a.fault(x, "%s", strings.TrimSuffix(why, "."))
		return
	}
	name := strings.Join(parts, ".")
	if f.kind == openValue {
		if want == openValue {
			want = textValue
		}
		f, name = organizationData(parts[2], want), name+" as "+want.String()
	}
	if f.moving && a.applies && slices.ContainsFunc(a.def.States, func(s State) bool { return s.TippingOffSafe }) {
		a.fault(x, "%s changes by itself, and this workflow has a state that the client must not learn of: what he is asked for would change when it is entered. Ask it in a guard", name)
		return
	}
	a.reads[name] = f
	ast.Patch(n, &ast.IdentifierNode{Value: name})
}
