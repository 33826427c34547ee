package tidy

import (
	"cmp"
	"go/ast"
	"go/types"
	"maps"
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
	written := writtenVars(pass)
	for _, obj := range slices.SortedFunc(maps.Keys(written), func(a, b types.Object) int { return int(written[a] - written[b]) }) {
		if v, ok := obj.(*types.Var); ok && isPackageVar(v) && v.Pkg() != pass.Pkg && slices.Contains(components, pkgOf(v.Pkg().Path())) {
			pass.Reportf(written[obj], "changes %s.%s, the package variable of a component", v.Pkg().Name(), v.Name())
		}
	}
	if !slices.Contains(components, pkg) {
		return nil, nil
	}
	j := pass.ResultOf[verdicts].(*judge)
	for _, f := range sources(pass) {
		p := purity{judge: j, pass: pass, file: f, notes: j.notes[f]}
		p.imports()
		eachWait(pass.TypesInfo, f, func(path []ast.Node, why string) { p.flag(path[len(path)-1], "a component "+why) })
		eachNode(f, p.node)
		p.vars(written)
		p.notes.reportIdle(pass)
	}
	return nil, nil
}

func (p purity) flag(n ast.Node, what string) { p.pass.Reportf(n.Pos(), "%s", what) }

// imports flags what a component has no use for. What it may import of this
// module is for Layers, and what it may call is for the verdicts.
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
			if what := notData(info.TypeOf(field.Type), nil); what != "" && !p.notes.except("outside", field.Pos()) {
				p.flag(field, "a component keeps "+what+"; machines are plain data")
			}
		}
	case *ast.FuncDecl:
		p.params(n)
	case *ast.Ident:
		p.ident(path, n)
	}
}

// params flags functions that an exported function is given: nobody has judged
// them.
func (p purity) params(d *ast.FuncDecl) {
	if !d.Name.IsExported() {
		return
	}
	for _, field := range d.Type.Params.List {
		if isFunc(p.pass.TypesInfo.TypeOf(field.Type)) && !p.notes.except("outside", d.Pos()) {
			p.flag(field, "an exported function of a component takes a function from outside")
		}
	}
}

// ident flags what an identifier stands for.
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
		if obj.Name() == "print" || obj.Name() == "println" {
			p.flag(id, "a component writes to standard error")
		}
	}
}

// notData says what in t is not plain data: a function, a channel, a lock, or
// the Outbox that was lent for one step. What stands behind an interface is not
// seen.
func notData(t types.Type, seen []types.Type) string {
	if slices.Contains(seen, t) {
		return ""
	}
	seen = append(seen, t)
	if n, ok := t.(*types.Named); ok && n.Obj().Pkg() != nil {
		switch path := n.Obj().Pkg().Path(); {
		case path == "sync", path == "sync/atomic", path == module+"/internal/actor" && n.Obj().Name() == "Outbox":
			return "a " + n.Obj().Pkg().Name() + "." + n.Obj().Name()
		case isStd(path): // time.Time has its Location
			return ""
		case slices.Contains(components, pkgOf(path)): // flagged where it is declared
			return ""
		}
	}
	switch t := t.Underlying().(type) {
	case *types.Signature:
		return "a function"
	case *types.Chan:
		return "a channel"
	case *types.Map:
		return cmp.Or(notData(t.Key(), seen), notData(t.Elem(), seen))
	case *types.Struct:
		for f := range t.Fields() {
			if what := notData(f.Type(), seen); what != "" {
				return what
			}
		}
	case interface{ Elem() types.Type }: // pointer, slice, array
		return notData(t.Elem(), seen)
	}
	return ""
}
