package tidy

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// Bounds is the rule that every bound has a name and a reason.
var Bounds = &analysis.Analyzer{
	Name: "bounds",
	Doc:  "a queue's capacity comes from the bounds, every time and each size that bounds has a name with a reason",
	Run: func(pass *analysis.Pass) (any, error) {
		pkg := pkgOf(pass.Pkg.Path())
		if !slices.Contains(adapters, pkg) && !slices.Contains(components, pkg) || below(pkg, simulation) {
			return nil, nil
		}
		b := bounds{pass: pass, info: pass.TypesInfo, told: tellers(pass), values: valuesOf(pass), fielded: fielded(pass)}
		for _, f := range sources(pass) {
			eachNode(f, b.node)
		}
		return nil, nil
	},
}

// capacityArgs are the arguments, counted from zero, that say how much may be
// outstanding.
var capacityArgs = map[string]int{
	module + "/internal/kernel/actor.Connect":      3,
	"(*golang.org/x/sync/errgroup.Group).SetLimit": 0,
	"golang.org/x/sync/semaphore.NewWeighted":      0,
	"(*database/sql.DB).SetMaxOpenConns":           0,
	"(*database/sql.DB).SetMaxIdleConns":           0,
}

// sizeArgs are the arguments with which calls bound a size.
var sizeArgs = map[string]int{
	"io.LimitReader": 1, "io.CopyN": 2, "io.NewSectionReader": 2, "net/http.MaxBytesReader": 2,
	"(*bufio.Scanner).Buffer": 1, "runtime/debug.SetMemoryLimit": 0,
}

// sizeFields are the fields of types of the standard library that bound a size.
var sizeFields = map[string]bool{
	"net/http.Server.MaxHeaderBytes": true, "io.LimitedReader.N": true,
	"net/http.Transport.MaxConnsPerHost": true, "net/http.Transport.MaxIdleConns": true,
	"net/http.Transport.MaxIdleConnsPerHost": true, "net/http.Transport.MaxResponseHeaderBytes": true,
}

// few is how large a literal may be that multiplies or divides a bound: twice
// and a half say how bounds relate, a thousand times is another bound.
const few = 12

// bounds is the check of one package.
type bounds struct {
	pass    *analysis.Pass
	info    *types.Info
	told    map[types.Object]bool
	values  map[types.Object][]ast.Expr
	fielded map[ast.Expr]bool
}

func (b bounds) node(path []ast.Node) {
	switch n := path[len(path)-1].(type) {
	case *ast.CallExpr:
		b.call(n)
	case *ast.CompositeLit:
		b.fields(n)
	case *ast.AssignStmt:
		b.assigned(n)
	}
	if e, ok := path[len(path)-1].(ast.Expr); ok {
		b.duration(path, e)
	}
}

// duration wants a name with a reason for each constant duration: all times
// that bound are made of these, however they get to where they bound.
func (b bounds) duration(path []ast.Node, e ast.Expr) {
	if !b.isDuration(e) || b.inConst(path) {
		return
	}
	parent := above(path)
	if p, ok := parent.(ast.Expr); ok && b.isDuration(p) || b.isUnit(parent, e) {
		return // a part of one, or what something is counted in
	}
	b.wantName(e)
}

// isDuration says whether e is a constant duration, and not zero, which is none.
func (b bounds) isDuration(e ast.Expr) bool {
	tv := b.info.Types[e]
	return tv.Value != nil && isNamed(tv.Type, "time", "Duration") && constant.Sign(tv.Value) != 0
}

// inConst says whether the last of path is in the declaration of a constant: the
// name is looked at where it is used.
func (b bounds) inConst(path []ast.Node) bool {
	return slices.ContainsFunc(path, func(n ast.Node) bool {
		d, ok := n.(*ast.GenDecl)
		return ok && d.Tok == token.CONST
	})
}

// isUnit says whether e only tells in p what something else is counted in, or
// rounded to, or is how many times a computed value is taken.
func (b bounds) isUnit(p ast.Node, e ast.Expr) bool {
	c := b.constant(e)
	unit := c != nil && c.Pkg() != nil && c.Pkg().Path() == "time"
	switch p := p.(type) {
	case *ast.BinaryExpr:
		by := ast.Unparen(p.Y) == ast.Unparen(e)
		return p.Op == token.MUL && (unit || b.isFew(e)) || p.Op == token.QUO && by && (unit || b.isFew(e)) || p.Op == token.REM && by && unit
	case *ast.AssignStmt:
		return (p.Tok == token.MUL_ASSIGN || p.Tok == token.QUO_ASSIGN) && b.isFew(e)
	case *ast.CallExpr:
		switch fn := b.info.Uses[identOf(p.Fun)].(type) {
		case *types.Builtin: // min, max: some nanoseconds are a number that is not zero
			return b.isFew(e)
		case *types.TypeName: // a number of units
			return unit
		case *types.Func:
			return unit && rounds[fn.FullName()]
		}
	}
	return false
}

// rounds are the methods that are given a unit.
var rounds = map[string]bool{
	"(time.Duration).Round": true, "(time.Duration).Truncate": true, "(time.Time).Round": true, "(time.Time).Truncate": true,
}

// isFew says whether e is a small literal, or less than none.
func (b bounds) isFew(e ast.Expr) bool {
	e = ast.Unparen(e)
	if minus, ok := e.(*ast.UnaryExpr); ok && minus.Op == token.SUB {
		e = ast.Unparen(minus.X)
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.INT {
		return false
	}
	n, exact := constant.Int64Val(constant.ToInt(b.info.Types[lit].Value))
	return exact && n <= few
}

// boundsFiles are where bounds stand: a part's own, and those that span parts.
var boundsFiles = []string{"bounds.go", "limits.go"}

// fielded are the values of fields in these files with a comment on their line:
// the field is the name, the comment is the reason.
func fielded(pass *analysis.Pass) map[ast.Expr]bool {
	all := map[ast.Expr]bool{}
	for _, f := range sources(pass) {
		line := func(p token.Pos) int { return pass.Fset.Position(p).Line }
		if !slices.Contains(boundsFiles, filepath.Base(pass.Fset.Position(f.Pos()).Filename)) {
			continue
		}
		said := map[int]bool{}
		for _, g := range f.Comments {
			said[line(g.Pos())] = true
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if kv, ok := n.(*ast.KeyValueExpr); ok && said[line(kv.End())] {
				all[kv.Value] = true
			}
			return true
		})
	}
	return all
}

// wantName flags a constant that has no name, or no reason beside its name.
func (b bounds) wantName(e ast.Expr) {
	if b.fielded[e] {
		return
	}
	if c := b.bound(e); c == nil || pkgOf(c.Pkg().Path()) == "" {
		b.pass.Reportf(e.Pos(), "a bound without a name: take it from the limits, or name it beside its reason")
	} else if c.Pkg() == b.pass.Pkg && !b.told[c] {
		b.pass.Reportf(e.Pos(), "the bound %s has no comment that says why it is what it is", c.Name())
	}
}

// bound is the constant that an expression names, or takes a few times.
func (b bounds) bound(e ast.Expr) *types.Const {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.SUB {
			return b.bound(x.X)
		}
	case *ast.BinaryExpr:
		switch {
		case x.Op == token.MUL && b.isFew(x.X):
			return b.bound(x.Y)
		case x.Op == token.MUL && b.isFew(x.Y):
			return b.bound(x.X)
		}
	}
	return b.constant(e)
}

// constant is the constant that an expression is the name of.
func (b bounds) constant(e ast.Expr) *types.Const {
	var id *ast.Ident
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	}
	c, _ := b.info.Uses[id].(*types.Const)
	return c
}

// call looks at the capacities and sizes that a call is given.
func (b bounds) call(call *ast.CallExpr) {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && len(call.Args) == 2 {
		if built, ok := b.info.Uses[id].(*types.Builtin); ok && built.Name() == "make" && isChan(b.info.TypeOf(call.Args[0])) {
			b.capacity(call.Args[1])
			return
		}
	}
	if len(call.Args) == 1 && b.info.Types[call.Fun].IsType() && identOf(call.Args[0]) != nil {
		if to := b.info.TypeOf(call.Fun); isNamed(to, "time", "Duration") && b.info.Types[call].Value == nil {
			b.size(call.Args[0]) // a number that becomes a duration
		}
	}
	fn := calledFunc(b.info, call)
	if fn == nil {
		return
	}
	if i, ok := capacityArgs[fn.FullName()]; ok && i < len(call.Args) {
		b.capacity(call.Args[i])
	}
	if i, ok := sizeArgs[fn.FullName()]; ok && i < len(call.Args) {
		b.size(call.Args[i])
	}
}

// fields looks at the sizes in a literal of a type of the standard library.
func (b bounds) fields(lit *ast.CompositeLit) {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && sizeFields[fieldName(b.info.TypeOf(lit), key.Name)] {
				b.size(kv.Value)
			}
		}
	}
}

// assigned looks at the sizes that are put into a value of such a type.
func (b bounds) assigned(a *ast.AssignStmt) {
	for i, to := range a.Lhs {
		sel, ok := to.(*ast.SelectorExpr)
		if ok && len(a.Lhs) == len(a.Rhs) && sizeFields[fieldName(b.info.TypeOf(sel.X), sel.Sel.Name)] {
			b.size(a.Rhs[i])
		}
	}
}

// capacity: one is a wake-up, or one at a time, which is how a thing works and
// no knob; the capacity of a queue is a limit of the node, and what is computed
// from it adds no more than a few.
func (b bounds) capacity(arg ast.Expr) {
	most := int64(few)
	if b.info.Types[arg].Value != nil {
		most = 1
	}
	for _, n := range b.constants(arg) {
		v, exact := constant.Int64Val(constant.ToInt(b.info.Types[n.Expr].Value))
		if exact && v <= most {
			continue
		}
		if n.kept {
			b.wantName(n.Expr)
		} else {
			b.pass.Reportf(arg.Pos(), "the capacity of a queue is not from the limits: see bounds.go of the package and internal/node/limits.go")
		}
	}
}

// size wants a name with a reason for what a size is made of.
func (b bounds) size(arg ast.Expr) {
	for _, n := range b.constants(arg) {
		if constant.Sign(constant.ToInt(b.info.Types[n.Expr].Value)) != 0 {
			b.wantName(n.Expr)
		}
	}
}

// number is a constant that a number is made of.
type number struct {
	ast.Expr
	kept bool // it comes from a field: the default of what is configured
}

// constants are those that a number is made of, in this package: variables,
// fields and parameters stand for all that they are seen to be given. What else
// is computed comes from somewhere that has been given it.
func (b bounds) constants(e ast.Expr) (all []number) {
	seen := map[types.Object]bool{}
	var walk func(e ast.Expr, kept bool)
	walk = func(e ast.Expr, kept bool) {
		if v := b.info.Types[e].Value; v != nil {
			if constant.ToInt(v).Kind() == constant.Int {
				all = append(all, number{e, kept})
			}
			return
		}
		switch x := ast.Unparen(e).(type) {
		case *ast.BinaryExpr:
			walk(x.X, kept)
			walk(x.Y, kept)
		case *ast.CallExpr:
			if fun := b.info.Types[x.Fun]; fun.IsBuiltin() || fun.IsType() { // min, max, a conversion
				for _, a := range x.Args {
					walk(a, kept)
				}
			}
		case *ast.Ident, *ast.SelectorExpr:
			obj, _ := b.info.Uses[identOf(x)].(*types.Var)
			if obj != nil && !seen[obj.Origin()] {
				seen[obj.Origin()] = true
				for _, v := range b.values[obj.Origin()] {
					walk(v, kept || obj.IsField())
				}
			}
		}
	}
	walk(e, false)
	return all
}

// valuesOf lists what variables, fields and parameters of the package are given.
func valuesOf(pass *analysis.Pass) map[types.Object][]ast.Expr {
	info, values := pass.TypesInfo, map[types.Object][]ast.Expr{}
	give := func(to ast.Expr, v ast.Expr) {
		if obj, ok := info.ObjectOf(identOf(to)).(*types.Var); ok {
			values[obj.Origin()] = append(values[obj.Origin()], v)
		}
	}
	for _, f := range sources(pass) {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i := range n.Lhs {
					if len(n.Lhs) == len(n.Rhs) {
						give(n.Lhs[i], n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				for i := range n.Values {
					if len(n.Names) == len(n.Values) {
						give(n.Names[i], n.Values[i])
					}
				}
			case *ast.KeyValueExpr:
				give(n.Key, n.Value)
			case *ast.CallExpr:
				if fn := calledFunc(info, n); fn != nil && fn.Pkg() == pass.Pkg {
					for i := range min(len(n.Args), fn.Signature().Params().Len()) {
						p := fn.Origin().Signature().Params().At(i)
						values[p] = append(values[p], n.Args[i])
					}
				}
			}
			return true
		})
	}
	return values
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
	fn, _ := info.Uses[identOf(fun)].(*types.Func)
	return fn
}

// identOf is the name that e is, or ends with; nil: it is something else.
func identOf(e ast.Expr) *ast.Ident {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	}
	return nil
}

// above is what the last of path stands in, parentheses left out.
func above(path []ast.Node) ast.Node {
	for i := len(path) - 2; i >= 0; i-- {
		if _, ok := path[i].(*ast.ParenExpr); !ok {
			return path[i]
		}
	}
	return nil
}

// fieldName is the full name of a field of the type that t is or points to.
func fieldName(t types.Type, field string) string {
	if ptr, ok := t.(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name() + "." + field
}

// isNamed says whether t is the type of that name.
func isNamed(t types.Type, pkg, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg && named.Obj().Name() == name
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
