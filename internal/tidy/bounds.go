package tidy

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// Bounds is the rule that every bound has a name and a reason.
var Bounds = &analysis.Analyzer{
	Name: "bounds",
	Doc:  "a queue's capacity comes from the limits, a time or size that bounds has a name with a reason",
	Run: func(pass *analysis.Pass) (any, error) {
		pkg := pkgOf(pass.Pkg.Path())
		// What else a component could bound, the rule pure forbids.
		if !slices.Contains(edges, pkg) && !slices.Contains(withPorts, pkg) || below(pkg, simulation) {
			return nil, nil
		}
		told := tellers(pass)
		for _, f := range sources(pass) {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					checkCall(pass, n, told)
				case *ast.CompositeLit:
					checkFields(pass, n, told)
				}
				return true
			})
		}
		return nil, nil
	},
}

// boundArgs are the arguments, counted from zero, with which calls bound a time
// or a size.
var boundArgs = map[string][]int{
	"time.After": {0}, "time.Tick": {0}, "time.NewTimer": {0}, "time.NewTicker": {0}, "time.Sleep": {0},
	"time.AfterFunc": {0}, "(*time.Timer).Reset": {0}, "(*time.Ticker).Reset": {0},
	"context.WithTimeout": {1}, "context.WithDeadline": {1},
	"(net.Conn).SetDeadline": {0}, "(net.Conn).SetReadDeadline": {0}, "(net.Conn).SetWriteDeadline": {0},
	"(*net/http.ResponseController).SetReadDeadline":  {0},
	"(*net/http.ResponseController).SetWriteDeadline": {0},
	"io.LimitReader": {1}, "net/http.MaxBytesReader": {2}, "net.DialTimeout": {2},
	module + "/internal/actor.Connect": {4},
}

// capacityArgs are the arguments that say how much may be outstanding.
var capacityArgs = map[string]int{module + "/internal/actor.Connect": 3}

// boundFields are the fields of types of the standard library that bound.
var boundFields = map[string]bool{
	"net.Dialer.Timeout": true, "net.Dialer.KeepAlive": true, "net.ListenConfig.KeepAlive": true,
	"net/http.Server.ReadTimeout": true, "net/http.Server.ReadHeaderTimeout": true, "net/http.Server.WriteTimeout": true,
	"net/http.Server.IdleTimeout": true, "net/http.Server.MaxHeaderBytes": true,
}

// checkCall looks at the bounds that a call is given.
func checkCall(pass *analysis.Pass, call *ast.CallExpr, told map[types.Object]bool) {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && len(call.Args) == 2 {
		if b, ok := pass.TypesInfo.Uses[id].(*types.Builtin); ok && b.Name() == "make" && isChan(pass.TypesInfo.TypeOf(call.Args[0])) {
			checkCapacity(pass, call.Args[1])
			return
		}
	}
	fn := calledFunc(pass.TypesInfo, call)
	if fn == nil {
		return
	}
	if i, ok := capacityArgs[fn.FullName()]; ok && i < len(call.Args) {
		checkCapacity(pass, call.Args[i])
	}
	for _, i := range boundArgs[fn.FullName()] {
		if i < len(call.Args) {
			checkBound(pass, call.Args[i], told)
		}
	}
}

// calledFunc is the function or method that a call names; nil: none, or one of a
// variable.
func calledFunc(info *types.Info, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch x := fun.(type) {
	case *ast.Ident:
		fn, _ := info.Uses[x].(*types.Func)
		return fn
	case *ast.SelectorExpr:
		fn, _ := info.Uses[x.Sel].(*types.Func)
		return fn
	}
	return nil
}

// checkFields looks at the bounds in a literal of a type of the standard library.
func checkFields(pass *analysis.Pass, lit *ast.CompositeLit, told map[types.Object]bool) {
	named, ok := types.Unalias(pass.TypesInfo.TypeOf(lit)).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := kv.Key.(*ast.Ident); ok && boundFields[named.Obj().Pkg().Path()+"."+named.Obj().Name()+"."+key.Name] {
			checkBound(pass, kv.Value, told)
		}
	}
}

// checkCapacity: one is a wake-up, or one at a time, which is how a thing works
// and no knob; the capacity of a queue is a limit of the node.
func checkCapacity(pass *analysis.Pass, arg ast.Expr) {
	v := pass.TypesInfo.Types[arg].Value
	if v == nil || v.Kind() != constant.Int {
		return
	}
	if n, _ := constant.Int64Val(v); n > 1 {
		pass.Reportf(arg.Pos(), "the capacity of a queue is not from the limits: see config/limits.go")
	}
}

// checkBound wants a name with a reason where the value is constant. What is
// computed comes from somewhere that has been given it.
func checkBound(pass *analysis.Pass, arg ast.Expr, told map[types.Object]bool) {
	ast.Inspect(arg, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		v := pass.TypesInfo.Types[e].Value
		if v == nil {
			return true
		}
		if n := constant.ToFloat(v); n.Kind() == constant.Unknown || constant.Sign(n) == 0 {
			return false // no number: an argument of what computes the bound; or none
		}
		if c := namedConst(pass.TypesInfo, e); c == nil || pkgOf(c.Pkg().Path()) == "" {
			pass.Reportf(e.Pos(), "a bound without a name: take it from the limits, or name it beside its reason")
		} else if c.Pkg() == pass.Pkg && !told[c] {
			pass.Reportf(e.Pos(), "the bound %s has no comment that says why it is what it is", c.Name())
		}
		return false
	})
}

// namedConst is the constant that an expression names, a factor before it left
// out: 2*bound is as good as bound.
func namedConst(info *types.Info, e ast.Expr) *types.Const {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		c, _ := info.Uses[x].(*types.Const)
		return c
	case *ast.SelectorExpr:
		c, _ := info.Uses[x.Sel].(*types.Const)
		return c
	case *ast.BinaryExpr:
		if c := namedConst(info, x.Y); c != nil && pkgOf(c.Pkg().Path()) != "" {
			return c
		}
		return namedConst(info, x.X)
	}
	return nil
}

// tellers are the constants of the package that have a comment of their own, or
// share one with their group.
func tellers(pass *analysis.Pass) map[types.Object]bool {
	told := map[types.Object]bool{}
	for _, f := range sources(pass) {
		ast.Inspect(f, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				return true
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				for _, name := range spec.Names {
					told[pass.TypesInfo.Defs[name]] = decl.Doc != nil || spec.Doc != nil || spec.Comment != nil
				}
			}
			return true
		})
	}
	return told
}
