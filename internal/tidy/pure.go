package tidy

import (
	"go/ast"
	"go/token"
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
			if isFunc(info.TypeOf(field.Type)) && !p.notes.except("outside", field.Pos()) {
				p.flag(field, "a component keeps a function; machines are plain data")
			}
		}
	case *ast.FuncDecl:
		p.params(n)
	case *ast.Ident:
		p.named(path, n)
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

// named judges what an identifier stands for.
func (p purity) named(path []ast.Node, id *ast.Ident) {
	switch obj := p.pass.TypesInfo.Uses[id].(type) {
	case *types.Func:
		if obj.Pkg() == p.pass.Pkg && !isMethodOfInterface(obj) {
			return // flagged where it does it
		}
		why := p.foreign(obj)
		if why == "" || p.notes.except("outside", id.Pos()) {
			return
		}
		if why == orderWhy && (ordered(path, p.pass.TypesInfo) || p.notes.except("order", id.Pos())) {
			return
		}
		p.flag(id, "a component calls "+through(obj, why))
	case *types.Var:
		if obj.IsField() && isFunc(obj.Type()) && obj.Pkg() != p.pass.Pkg && !p.notes.except("outside", id.Pos()) {
			p.flag(id, "a component uses the function in "+obj.Name()+", which comes from outside")
		}
		if obj.Pkg() != nil && obj.Pkg().Path() == "time" && obj.Name() == "Local" {
			p.flag(id, "a component uses time.Local, which depends on this machine")
		}
	}
}

// vars flags package variables that change.
func (p purity) vars(written map[types.Object]token.Pos) {
	for _, d := range p.file.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok || d.Tok != token.VAR {
			continue
		}
		for _, s := range d.Specs {
			for _, name := range s.(*ast.ValueSpec).Names {
				if pos := written[p.pass.TypesInfo.Defs[name]]; pos.IsValid() {
					p.pass.Reportf(pos, "a component changes its package variable %s", name.Name)
				}
			}
		}
	}
}

func isPackageVar(v *types.Var) bool { return v.Pkg() != nil && v.Parent() == v.Pkg().Scope() }

// writtenVars are the variables that are assigned to after their declaration,
// wholly or in part, or whose address is taken; and where.
func writtenVars(pass *analysis.Pass) map[types.Object]token.Pos {
	written := map[types.Object]token.Pos{}
	write := func(e ast.Expr) {
		if id := root(pass.TypesInfo, e); id != nil && !written[pass.TypesInfo.Uses[id]].IsValid() {
			written[pass.TypesInfo.Uses[id]] = id.Pos()
		}
	}
	for _, f := range sources(pass) {
		eachNode(f, func(path []ast.Node) {
			switch n := path[len(path)-1].(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					write(e)
				}
			case *ast.IncDecStmt:
				write(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					write(n.X)
				}
			case *ast.RangeStmt:
				write(n.Key)
				write(n.Value)
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && slices.Contains([]string{"delete", "clear", "copy"}, id.Name) && len(n.Args) > 0 {
					write(n.Args[0])
				}
			case *ast.SelectorExpr: // a method with a pointer receiver takes the address
				if s := pass.TypesInfo.Selections[n]; s != nil && s.Kind() == types.MethodVal {
					_, pointer := s.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
					_, through := s.Recv().(*types.Pointer)
					if pointer && !through {
						write(n.X)
					}
				}
			}
		})
	}
	return written
}

// root is the variable that e is a part of.
func root(info *types.Info, e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, ok := info.Uses[id].(*types.PkgName); ok {
					return x.Sel
				}
			}
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		default:
			return nil
		}
	}
}
