package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// Grows is the rule that what a component adds to, it also takes from.
var Grows = &analysis.Analyzer{
	Name: "grows",
	Doc:  "a list or map that a component keeps and adds to is measured first, or cut, cleared or replaced somewhere (L4)",
	Run: func(pass *analysis.Pass) (any, error) {
		if floorOf(pkgOf(pass.Pkg.Path())) != componentFloor {
			return nil, nil
		}
		g := growth{pass, map[*types.Var]token.Pos{}, map[*types.Var]bool{}}
		for _, f := range sources(pass) {
			eachNode(f, g.node)
		}
		for _, f := range slices.SortedFunc(maps.Keys(g.added), func(a, b *types.Var) int { return int(g.added[a] - g.added[b]) }) {
			if !g.cut[f] {
				pass.Reportf(g.added[f], "%s only grows: nothing in this package takes from it", f.Name())
			}
		}
		return nil, nil
	},
}

// growth is what a package does with the fields of what its functions are given.
type growth struct {
	*analysis.Pass
	added map[*types.Var]token.Pos
	cut   map[*types.Var]bool // replaced, deleted from, or out of sight: its address is taken
}

func (g growth) node(path []ast.Node) {
	switch n := path[len(path)-1].(type) {
	case *ast.AssignStmt:
		for i, to := range n.Lhs {
			f := g.field(to)
			key, ok := to.(*ast.IndexExpr)
			switch {
			case f != nil && len(n.Rhs) == len(n.Lhs) && g.adds(n.Rhs[i], f):
				g.add(path, to, f)
			case ok && isMap(g.TypesInfo.TypeOf(key.X)):
				g.add(path, key.X, g.field(key.X))
			default:
				g.replaced(f, g.TypesInfo.TypeOf(to))
			}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			g.cut[g.field(n.X)] = true
		}
	case *ast.CallExpr:
		if name := calledName(g.TypesInfo, n); name == "delete" || name == "clear" || name == "maps.DeleteFunc" {
			g.cut[g.field(n.Args[0])] = true
		}
	}
}

// replaced notes that a field, or a value of type t, gets a new value, and so each
// field in it.
func (g growth) replaced(f *types.Var, t types.Type) {
	g.cut[f] = true
	if s, ok := under(t).(*types.Struct); ok {
		for f := range s.Fields() {
			g.replaced(f.Origin(), f.Type())
		}
	}
}

// field is the field that e is; nil if it is something else.
func (g growth) field(e ast.Expr) *types.Var {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	f, _ := g.TypesInfo.Uses[sel.Sel].(*types.Var)
	if f == nil || !f.IsField() {
		return nil
	}
	return f.Origin()
}

// adds says whether e is append of the field itself and more.
func (g growth) adds(e ast.Expr, f *types.Var) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && calledName(g.TypesInfo, call) == "append" && g.field(call.Args[0]) == f
}

// add notes an addition to what the function has been given, unless a condition around
// it measures the list. What the function makes itself, such as a message, is not kept.
func (g growth) add(path []ast.Node, e ast.Expr, f *types.Var) {
	v, _ := g.TypesInfo.Uses[base(e)].(*types.Var)
	given := v != nil && (v.Kind() == types.ParamVar || v.Kind() == types.RecvVar)
	measured := slices.ContainsFunc(path, func(n ast.Node) bool {
		cond, ok := n.(*ast.IfStmt)
		return ok && g.measures(cond.Cond, f)
	})
	if f != nil && given && !measured && !g.added[f].IsValid() {
		g.added[f] = e.Pos()
	}
}

// measures says whether an expression has the length of a field in it.
func (g growth) measures(e ast.Expr, f *types.Var) bool {
	for n := range ast.Preorder(e) {
		if call, ok := n.(*ast.CallExpr); ok && calledName(g.TypesInfo, call) == "len" && g.field(call.Args[0]) == f {
			return true
		}
	}
	return false
}

// base is the name with which a.b.c begins; nil if it begins with something else.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.Ident:
			return x
		default:
			return nil
		}
	}
}
