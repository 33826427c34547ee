package tidy

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Pure is the rule that a component has nothing to wait with.
var Pure = &analysis.Analyzer{
	Name:     "pure",
	Doc:      "a component has nothing to wait with and nothing to be surprised by (L1, L10)",
	Requires: []*analysis.Analyzer{verdicts},
	Run:      runPure,
}

// purity is the check of one file.
type purity struct {
	*judge
	pass  *analysis.Pass
	file  *ast.File
	notes *notes
}

func runPure(pass *analysis.Pass) (any, error) {
	pkg := pkgOf(pass.Pkg.Path())
	if pkg == "" {
		return nil, nil
	}
	vars(pass)
	if !isComponent(pkg) {
		return nil, nil
	}
	j := pass.ResultOf[verdicts].(*judge)
	for _, f := range sources(pass) {
		p := purity{judge: j, pass: pass, file: f, notes: j.notes[f]}
		p.imports()
		eachWait(pass.TypesInfo, f, func(path []ast.Node, why string) { p.flag(path[len(path)-1], "a component "+why) })
		eachNode(f, p.node)
		p.notes.reportIdle(pass)
	}
	return nil, nil
}

func (p purity) flag(n ast.Node, what string) { p.pass.Reportf(n.Pos(), "%s", what) }

// imports flags packages that a component may not import. Layers looks at those of
// this module, and the verdicts look at what a component calls.
func (p purity) imports() {
	for _, s := range p.file.Imports {
		path, _ := strconv.Unquote(s.Path.Value)
		switch {
		case isStd(path) && !slices.Contains(pureStd, path):
			p.flag(s, "a component imports "+path+", which is not in the table of packages that only calculate")
		case !isStd(path) && pkgOf(path) == "" && !strings.HasPrefix(path, "github.com/btcsuite/btcd/"):
			p.flag(s, "a component imports "+path)
		}
	}
}

func (p purity) node(path []ast.Node) {
	info := p.pass.TypesInfo
	switch n := path[len(path)-1].(type) {
	case *ast.GoStmt:
		p.flag(n, "a component starts a goroutine")
	case *ast.ChanType:
		p.flag(n, "a component has a channel")
	case *ast.RangeStmt:
		if isMap(info.TypeOf(n.X)) && !p.notes.except("order", n.Pos()) {
			p.flag(n, "a component ranges over a map; sort the keys, or say //tidy:order and why their order has no effect")
		}
	case *ast.StructType:
		for _, field := range n.Fields.List {
			if what := partOf(info.TypeOf(field.Type), false, notData); what != "" && !p.notes.except("outside", field.Pos()) {
				p.flag(field, "a component keeps "+what+"; machines are plain data")
			}
		}
	case *ast.FuncDecl:
		p.params(n)
	case *ast.TypeAssertExpr:
		if n.Type != nil {
			p.taken(n.Type)
		}
	case *ast.CaseClause:
		for _, e := range n.List {
			p.taken(e)
		}
	case *ast.CallExpr:
		p.printed(n)
	case *ast.Ident:
		p.ident(path, n)
	}
}

// params flags parameters that hold what has no verdict: readers and writers and,
// if the function is exported, functions.
func (p purity) params(d *ast.FuncDecl) {
	for _, field := range d.Type.Params.List {
		given := field.Type
		if dots, ok := given.(*ast.Ellipsis); ok {
			given = dots.Elt
		}
		t := p.pass.TypesInfo.TypeOf(given)
		what := partOf(t, false, stream)
		if what == "" && d.Name.IsExported() {
			what = partOf(t, false, function)
		}
		if what != "" && !p.notes.except("outside", d.Pos()) {
			kind := "a function"
			if d.Name.IsExported() {
				kind = "an exported function"
			}
			p.flag(field, kind+" of a component takes "+what+" from outside")
		}
	}
}

// taken flags functions and streams that come out of an interface. Any package may
// have put them there.
func (p purity) taken(e ast.Expr) {
	tv := p.pass.TypesInfo.Types[e]
	if !tv.IsType() {
		return // a case that compares values, or nil
	}
	if what := cmp.Or(partOf(tv.Type, false, function), partOf(tv.Type, false, stream)); what != "" && !p.notes.except("outside", e.Pos()) {
		p.flag(e, "a component takes "+what+" out of an interface, where any package may have put it")
	}
}

// ident flags the use of what a component may not call or name.
func (p purity) ident(path []ast.Node, id *ast.Ident) {
	if _, why := p.named(p.file, path, id); why != "" {
		p.flag(id, "a component "+why)
	}
	switch obj := p.pass.TypesInfo.Uses[id].(type) {
	case *types.Var:
		if obj.Pkg() != nil && obj.Pkg().Path() == "time" && obj.Name() == "Local" {
			p.flag(id, "a component uses time.Local, which depends on this machine")
		}
	case *types.Builtin:
		switch obj.Name() {
		case "print", "println":
			p.flag(id, "a component writes to standard error")
		case "recover":
			p.flag(id, "a component recovers; a step that panics must die (L11)")
		}
	}
}

// held are the types of which a machine keeps no value: the Outbox is lent for one
// step, and the others stand for a goroutine or a timer of the runtime.
var held = []string{module + "/internal/kernel/actor.Outbox", "time.Timer", "time.Ticker", "context.Context"}

// notData says what a type is, unless it is plain data: a function, a channel, a
// lock, a timer, a context, the Outbox that was lent for one step, or an interface that
// may wait. What else stands behind an interface is not seen.
func notData(t types.Type) string {
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		switch path := n.Obj().Pkg().Path(); {
		case path == "sync", path == "sync/atomic", slices.Contains(held, path+"."+n.Obj().Name()):
			return "a " + n.Obj().Pkg().Name() + "." + n.Obj().Name()
		}
	}
	if isChan(t) {
		return "a channel"
	}
	return cmp.Or(function(t), stream(t))
}

// function says whether a type is one of functions.
func function(t types.Type) string {
	if isFunc(t) {
		return "a function"
	}
	return ""
}

// stream says whether a type is an interface that reads, writes or closes, and so
// may wait.
func stream(t types.Type) string {
	i, ok := under(t).(*types.Interface)
	if !ok || interfaces[typeName(t)] != "" && !strings.HasPrefix(typeName(t), "io.") {
		return ""
	}
	for m := range i.Methods() {
		if slices.Contains([]string{"Read", "Write", "ReadByte", "WriteByte", "ReadFrom", "WriteTo", "ReadAt", "WriteAt", "Close", "Flush"}, m.Name()) {
			return "what may wait (" + cmp.Or(typeName(t), "an interface") + ")"
		}
	}
	return ""
}

// typeName is the full name of a type; "" if it has none.
func typeName(t types.Type) string {
	n, ok := types.Unalias(t).(*types.Named)
	switch {
	case !ok:
		return ""
	case n.Obj().Pkg() == nil:
		return n.Obj().Name() // error
	}
	return n.Obj().Pkg().Path() + "." + n.Obj().Name()
}

// partOf says what a type is, or a part of it. It does not look into a type of the
// standard library (time.Time has its Location), nor, unless deep, into a component's
// struct, which is flagged where it is declared.
func partOf(t types.Type, deep bool, is func(types.Type) string) string {
	return partBelow(t, nil, deep, is)
}

func partBelow(t types.Type, seen []types.Type, deep bool, is func(types.Type) string) string {
	if slices.Contains(seen, t) {
		return ""
	}
	seen = append(seen, t)
	if what := is(t); what != "" {
		return what
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		_, isStruct := n.Underlying().(*types.Struct)
		if path := n.Obj().Pkg().Path(); isStd(path) || !deep && isStruct && isComponent(pkgOf(path)) {
			return ""
		}
	}
	switch t := under(t).(type) {
	case *types.Map:
		return cmp.Or(partBelow(t.Key(), seen, deep, is), partBelow(t.Elem(), seen, deep, is))
	case *types.Struct:
		for f := range t.Fields() {
			if what := partBelow(f.Type(), seen, deep, is); what != "" {
				return what
			}
		}
	case interface{ Elem() types.Type }: // pointer, slice, array
		return partBelow(t.Elem(), seen, deep, is)
	}
	return ""
}
