package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

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
