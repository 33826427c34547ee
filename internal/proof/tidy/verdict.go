package tidy

import (
	"cmp"
	"go/ast"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// verdict is the fact about a function: why a component must not call it, or ""
// if it only calculates.
type verdict struct{ Why string }

func (*verdict) AFact()           {}
func (v *verdict) String() string { return "pure: " + v.Why }

// judge gives each function of a package its verdict.
type judge struct {
	pass  *analysis.Pass
	notes map[*ast.File]*notes
	why   map[*types.Func]string        // verdicts of this package so far
	calls map[*types.Func][]*types.Func // what each function names of this package
}

// verdicts judges the functions of a package for the packages that import it. It
// leaves out the standard library.
var verdicts = &analysis.Analyzer{
	Name:       "verdicts",
	Doc:        "gives each function a verdict: does it only calculate?",
	Run:        func(pass *analysis.Pass) (any, error) { return judgePackage(pass), nil },
	ResultType: reflect.TypeFor[*judge](),
	FactTypes:  []analysis.Fact{new(verdict)},
}

func judgePackage(pass *analysis.Pass) *judge {
	j := &judge{pass: pass, notes: map[*ast.File]*notes{}, why: map[*types.Func]string{}, calls: map[*types.Func][]*types.Func{}}
	if isStd(pass.Pkg.Path()) {
		return j
	}
	var all []*types.Func
	for _, f := range sources(pass) {
		j.notes[f] = notesOf(pass.Fset, f)
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				fn := pass.TypesInfo.Defs[d.Name].(*types.Func)
				all = append(all, fn)
				j.why[fn] = j.direct(f, fn, d)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, fn := range all {
			for _, callee := range j.calls[fn] {
				if j.why[fn] == "" && j.why[callee] != "" {
					j.why[fn] = through(callee, j.why[callee])
					changed = true
				}
			}
		}
	}
	for _, fn := range all {
		pass.ExportObjectFact(fn, &verdict{j.why[fn]})
	}
	return j
}

// direct says why a function must not be called, judged by its body alone. It notes
// which functions of this package the body names.
func (j *judge) direct(f *ast.File, fn *types.Func, d *ast.FuncDecl) (why string) {
	if allowed[fn.FullName()] != "" {
		return ""
	}
	if d.Body == nil {
		return "has no body that could be read"
	}
	blame := func(s string) {
		if why == "" {
			why = s
		}
	}
	eachWait(j.pass.TypesInfo, d, func(_ []ast.Node, s string) { blame(s) })
	eachNode(d, func(path []ast.Node) {
		switch n := path[len(path)-1].(type) {
		case *ast.GoStmt:
			blame("starts a goroutine")
		case *ast.RangeStmt:
			if isMap(j.pass.TypesInfo.TypeOf(n.X)) && !j.notes[f].except("order", n.Pos()) {
				blame(orderWhy)
			}
		case *ast.Ident:
			own, s := j.named(f, path, n)
			if own != nil {
				j.calls[fn] = append(j.calls[fn], own)
			} else if s != "" {
				blame(s)
			}
		}
	})
	return why
}

// named judges what an identifier stands for. A function of this package is not
// judged yet: named returns it as own.
func (j *judge) named(f *ast.File, path []ast.Node, id *ast.Ident) (own *types.Func, why string) {
	switch obj := j.pass.TypesInfo.Uses[id].(type) {
	case *types.Var:
		switch {
		case holdsFunc(obj):
			why = "calls what is kept in " + obj.Name()
		case isPackageVar(obj) && !isFixed(obj) && notData(obj.Type()) == "" && changes(j.pass.TypesInfo, path):
			why = "changes the package variable " + obj.Name()
		case isPackageVar(obj) && isStd(obj.Pkg().Path()) && !slices.Contains(pureStd, obj.Pkg().Path()):
			why = "uses " + obj.Pkg().Path() + "." + obj.Name()
		}
	case *types.Func:
		if obj.Pkg() == j.pass.Pkg && !isMethodOfInterface(obj) {
			return obj.Origin(), ""
		}
		why = cmp.Or(j.foreign(obj), zoneVerdict(j.pass.TypesInfo, path, obj))
		if why == orderWhy && (ordered(path, j.pass.TypesInfo) || j.notes[f].except("order", id.Pos())) {
			why = ""
		}
		if why != "" {
			why = through(obj, why)
		}
	}
	if why != "" && j.notes[f].except("outside", id.Pos()) {
		why = ""
	}
	return nil, why
}

// foreign is the verdict on a function of another package, or on a method of an
// interface.
func (j *judge) foreign(fn *types.Func) string {
	fn = fn.Origin()
	switch {
	case allowed[fn.FullName()] != "":
		return ""
	case isMethodOfInterface(fn):
		if interfaces[typeName(fn.Signature().Recv().Type())] != "" {
			return ""
		}
		return "is a method of an interface that anything may stand behind"
	case isStd(fn.Pkg().Path()):
		return stdVerdict(fn)
	}
	var v verdict
	if !j.pass.ImportObjectFact(fn, &v) {
		return "has not been judged"
	}
	return v.Why
}

// through puts a call before the reason to which it leads.
func through(callee *types.Func, why string) string {
	if len(why) > 300 {
		return why // long enough to find the rest by hand
	}
	return "calls " + callee.FullName() + ", which " + why
}

// holdsFunc says whether v is a field or a package variable that keeps a function.
// Any package may have put it there.
func holdsFunc(v *types.Var) bool {
	return isFunc(v.Type()) && (v.IsField() || isPackageVar(v))
}

func isMethodOfInterface(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	return recv != nil && types.IsInterface(recv.Type())
}

// ordered says whether the end of the path is called inside slices.Sorted,
// SortedFunc or SortedStableFunc, as in slices.Sorted(maps.Keys(m)).
func ordered(path []ast.Node, info *types.Info) bool {
	for i := len(path) - 1; i >= 0 && i > len(path)-5; i-- {
		if call, ok := path[i].(*ast.CallExpr); ok && strings.HasPrefix(calledName(info, call), "slices.Sorted") {
			return true
		}
	}
	return false
}
