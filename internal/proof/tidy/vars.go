package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// vars flags the package variables of components that are changed, by themselves or
// by others.
func vars(pass *analysis.Pass) {
	written := writtenVars(pass)
	for _, obj := range slices.SortedFunc(maps.Keys(written), func(a, b types.Object) int { return int(written[a] - written[b]) }) {
		v, ok := obj.(*types.Var)
		switch {
		case !ok || !isPackageVar(v) || !isComponent(pkgOf(v.Pkg().Path())):
		case v.Pkg() == pass.Pkg:
			pass.Reportf(written[v], "a component changes its package variable %s", v.Name())
		default:
			pass.Reportf(written[v], "changes %s.%s, the package variable of a component", v.Pkg().Name(), v.Name())
		}
	}
}

func isPackageVar(v *types.Var) bool { return v.Pkg() != nil && v.Parent() == v.Pkg().Scope() }

// writtenVars are the variables that change after their declaration, with the first
// position at which each does: it is assigned to, wholly or in part, or its address
// is taken.
func writtenVars(pass *analysis.Pass) map[types.Object]token.Pos {
	written := map[types.Object]token.Pos{}
	write := func(e ast.Expr) {
		if id := root(pass.TypesInfo, e); id != nil && !written[pass.TypesInfo.Uses[id]].IsValid() {
			written[pass.TypesInfo.Uses[id]] = id.Pos()
		}
	}
	for _, f := range sources(pass) {
		for n := range ast.Preorder(f) {
			switch n := n.(type) {
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
		}
	}
	return written
}

// root is the variable of which e is a part.
func root(info *types.Info, e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, ok := info.Uses[id].(*types.PkgName); ok {
					return x.Sel
				}
			}
			e = x.X
		case *ast.IndexExpr:
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
