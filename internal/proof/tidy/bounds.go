package tidy

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Bounds is the rule that every bound has a name and a reason.
var Bounds = &analysis.Analyzer{
	Name: "bounds",
	Doc:  "a constant time, capacity or size is a named constant with a reason, or stands in bounds.go or limits.go with one",
	Run: func(pass *analysis.Pass) (any, error) {
		if pkg := pkgOf(pass.Pkg.Path()); !isComponent(pkg) && !isAdapter(pkg) || floorOf(pkg) == proofFloor {
			return nil, nil
		}
		b := bounds{pass, map[types.Object]bool{}, map[ast.Expr]bool{}, nil}
		for _, f := range sources(pass) {
			ast.Inspect(f, b.declared)
		}
		for _, f := range sources(pass) {
			b.told = nil
			if name := filepath.Base(pass.Fset.Position(f.Pos()).Filename); name == "bounds.go" || name == "limits.go" {
				b.told = noted(pass, f, "", anything)
			}
			ast.Inspect(f, b.used)
		}
		return nil, nil
	},
}

// sizeArgs are the arguments, counted from zero, that bound a queue or a size.
var sizeArgs = map[string]int{
	module + "/internal/kernel/actor.Connect": 3, module + "/internal/kernel/actor.ConnectOf": 2, "make chan": 1, "make": 2,
	"bufio.NewReaderSize": 1, "bufio.NewWriterSize": 1, "io.CopyN": 2, "io.LimitReader": 1, "net/http.MaxBytesReader": 2,
}

var anything = regexp.MustCompile("")

const few = 8 // the largest number that needs no name: 2*Seats relates bounds, 1000*Seats is another bound

type bounds struct {
	*analysis.Pass
	reason map[types.Object]bool // the constants with a comment
	scale  map[ast.Expr]bool     // units and factors: n*time.Second, d.Round(time.Second)
	told   map[int]bool          // in bounds.go and limits.go, the lines with a comment
}

// declared notes which constants have a reason. A time must have one.
func (b bounds) declared(n ast.Node) bool {
	decl, ok := n.(*ast.GenDecl)
	for i := 0; ok && decl.Tok == token.CONST && i < len(decl.Specs); i++ {
		spec := decl.Specs[i].(*ast.ValueSpec)
		for _, name := range spec.Names {
			c := b.TypesInfo.Defs[name]
			b.reason[c] = decl.Doc != nil || spec.Doc != nil || spec.Comment != nil
			if !b.reason[c] && typeName(c.Type()) == "time.Duration" {
				b.reason[c] = true // say so here alone
				b.Reportf(name.Pos(), "the bound %s has no comment that says why it is what it is", name.Name)
			}
		}
	}
	return true
}

// used looks at sizes and constant times outside of the declarations of constants.
func (b bounds) used(n ast.Node) bool {
	bound, most := ast.Expr(nil), int64(few)
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok != token.CONST
	case *ast.BinaryExpr:
		b.scale[n.X] = n.Op == token.MUL || n.Op == token.QUO || n.Op == token.REM
		b.scale[n.Y] = b.scale[n.X]
	case *ast.CallExpr:
		name := calledName(b.TypesInfo, n)
		if i, ok := sizeArgs[name]; ok && i < len(n.Args) {
			bound = n.Args[i]
		} else if strings.HasSuffix(name, ").Round") || strings.HasSuffix(name, ").Truncate") || b.TypesInfo.Types[n.Fun].IsType() {
			b.scale[n.Args[0]] = true
		}
		if name == "make chan" {
			most = 1
		}
	}
	e, ok := n.(ast.Expr)
	isTime := ok && b.TypesInfo.Types[e].Value != nil && typeName(b.TypesInfo.TypeOf(e)) == "time.Duration"
	if isTime && !(b.scale[e] && identOf(e) != nil) {
		bound = e
	}
	if bound != nil && !b.told[b.Fset.Position(bound.End()).Line] && !b.named(bound, most) {
		b.Reportf(bound.Pos(), "a bound without a name: take it from the limits, or name it beside its reason")
	}
	return !isTime
}

// named says whether each number in a bound has a name or is at most most. For a
// queue, whose most is one, a variable is no name: it hides a number.
func (b bounds) named(e ast.Expr, most int64) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		return constant.Compare(constant.ToInt(b.TypesInfo.Types[x].Value), token.LEQ, constant.MakeInt64(most))
	case *ast.UnaryExpr:
		return b.named(x.X, most)
	case *ast.BinaryExpr:
		return x.Op != token.SHL && b.named(x.X, most) && b.named(x.Y, most)
	case *ast.CallExpr: // a conversion, or a function, whose result has its name there
		return !b.TypesInfo.Types[x.Fun].IsType() || b.named(x.Args[0], most)
	}
	switch obj := b.TypesInfo.Uses[identOf(e)].(type) {
	case *types.Const:
		return b.reason[obj] || obj.Pkg() != b.Pkg && pkgOf(obj.Pkg().Path()) != ""
	case *types.Var:
		return most > 1 || obj.IsField() || obj.Kind() == types.ParamVar
	}
	return true
}
