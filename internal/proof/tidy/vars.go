package tidy

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// vars flags package variables of components and of the kernel that can change. Such a
// variable is a value: no part of it is shared by a copy. Or it is a table: a literal
// without calls, whose elements are values or functions, and which is only indexed,
// ranged over and measured.
func vars(pass *analysis.Pass) {
	for _, f := range sources(pass) {
		for _, d := range f.Decls {
			decl, ok := d.(*ast.GenDecl)
			for i := 0; ok && decl.Tok == token.VAR && i < len(decl.Specs); i++ {
				declaredVars(pass, decl.Specs[i].(*ast.ValueSpec))
			}
		}
		eachNode(f, func(path []ast.Node) { usedVar(pass, path) })
	}
}

func declaredVars(pass *analysis.Pass, spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		v, ok := pass.TypesInfo.Defs[name].(*types.Var)
		if !ok || !isFixed(v) || shared(v.Type()) == "" || i < len(spec.Values) && isTable(pass.TypesInfo, spec.Values[i]) {
			continue
		}
		pass.Reportf(name.Pos(), "the package variable %s has %s in it and is no table", v.Name(), shared(v.Type()))
	}
}

// isFixed says whether v is a package variable that nobody may change.
func isFixed(v *types.Var) bool {
	return isPackageVar(v) && v.Name() != "_" && (isComponent(pkgOf(v.Pkg().Path())) || floorOf(pkgOf(v.Pkg().Path())) == kernelFloor)
}

func isPackageVar(v *types.Var) bool { return v.Pkg() != nil && v.Parent() == v.Pkg().Scope() }

// shared says what a type has in it by which a copy of its value leads to the same
// memory; "" if nothing. Errors, and what the standard library keeps in its structs,
// are taken for values.
func shared(t types.Type) string {
	switch u := under(t).(type) {
	case *types.Map:
		return "a map"
	case *types.Slice:
		return "a slice"
	case *types.Pointer:
		return "a pointer"
	case *types.Chan:
		return "a channel"
	case *types.Signature:
		return "a function"
	case *types.Interface:
		if typeName(t) != "error" {
			return "an interface"
		}
	case *types.Array:
		return shared(u.Elem())
	case *types.Struct:
		if n, ok := types.Unalias(t).(*types.Named); ok && isStd(n.Obj().Pkg().Path()) {
			return ""
		}
		for f := range u.Fields() {
			if what := shared(f.Type()); what != "" {
				return what
			}
		}
	}
	return ""
}

// isTable says whether e is a literal of a map, a slice or an array that calls
// nothing, and has elements that are values or functions.
func isTable(info *types.Info, e ast.Expr) bool {
	elem, ok := under(info.TypeOf(e)).(interface{ Elem() types.Type })
	if !ok || !isFunc(elem.Elem()) && shared(elem.Elem()) != "" {
		return false
	}
	for n := range ast.Preorder(e) {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if !info.Types[n.Fun].IsType() {
				return false
			}
		}
	}
	_, ok = e.(*ast.CompositeLit)
	return ok
}

// usedVar flags what may change a package variable at the end of the path: an
// assignment to it or to a part, an address, and for a table whatever is no reading.
func usedVar(pass *analysis.Pass, path []ast.Node) {
	id, ok := path[len(path)-1].(*ast.Ident)
	if !ok {
		return
	}
	v, ok := pass.TypesInfo.Uses[id].(*types.Var)
	if !ok || !isFixed(v) {
		return
	}
	switch {
	case changes(pass.TypesInfo, path):
		pass.Reportf(id.Pos(), "changes the package variable %s.%s", v.Pkg().Name(), v.Name())
	case shared(v.Type()) != "" && !reads(whole(pass.TypesInfo, path)):
		pass.Reportf(id.Pos(), "passes on the package variable %s.%s, which can then change", v.Pkg().Name(), v.Name())
	}
}

// whole is the path without its last name, if that is the end of a name with its
// package.
func whole(info *types.Info, path []ast.Node) []ast.Node {
	if sel, ok := path[len(path)-2].(*ast.SelectorExpr); ok {
		if id, ok := sel.X.(*ast.Ident); ok {
			if _, ok := info.Uses[id].(*types.PkgName); ok {
				return path[:len(path)-1]
			}
		}
	}
	return path
}

// reads says whether the end of the path is indexed, ranged over or measured.
func reads(path []ast.Node) bool {
	e := path[len(path)-1]
	switch n := path[len(path)-2].(type) {
	case *ast.IndexExpr:
		return n.X == e
	case *ast.RangeStmt:
		return n.X == e
	case *ast.CallExpr:
		id, ok := n.Fun.(*ast.Ident)
		return ok && id.Name == "len"
	}
	return false
}

// changes says whether the end of the path, or a part of it, is assigned to, or has its
// address taken: by &, by slicing an array, or by a method with a pointer receiver.
func changes(info *types.Info, path []ast.Node) bool {
	path = whole(info, path)
	for i := len(path) - 1; i > 0; i-- {
		e := path[i]
		switch n := path[i-1].(type) {
		case *ast.IndexExpr:
			if n.X != e {
				return false
			}
		case *ast.ParenExpr, *ast.StarExpr:
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s.Kind() == types.MethodVal {
				_, pointer := s.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
				return pointer
			}
		case *ast.SliceExpr:
			_, array := under(info.TypeOf(n.X)).(*types.Array)
			return array
		case *ast.AssignStmt:
			for _, to := range n.Lhs {
				if to == e {
					return true
				}
			}
			return false
		case *ast.RangeStmt:
			return n.Key == e || n.Value == e
		case *ast.IncDecStmt:
			return true
		case *ast.UnaryExpr:
			return n.Op == token.AND
		case *ast.CallExpr:
			id, ok := n.Fun.(*ast.Ident)
			return ok && (id.Name == "delete" || id.Name == "clear" || id.Name == "copy") && n.Args[0] == e
		default:
			return false
		}
	}
	return false
}
