package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Mutant is one small fault that can be switched on.
type Mutant struct {
	Package string // its path below the module: "netsync"
	File    string // with the package: "netsync/span.go"
	Line    int
	Name    string // stays the same when other code moves: what the list of survivors says
}

// finder collects the mutants of one file with the edits that switch them.
type finder struct {
	source []byte
	file   *token.File
	info   *types.Info
	types  *types.Package
	pkg    string
	path   string

	edits   edits
	mutants *[]Mutant
	same    map[string]int // how many mutants of a file have a name already

	uses    uses
	fn      string            // the function around
	results *ast.FieldList    // of the function around, or nil
	final   map[ast.Node]bool // the statements with which it may end
}

// find appends the mutants of a package and returns the edits of each of its files.
// names has how many mutants have a name so far.
func find(pkg *packages.Package, dir string, read func(string) ([]byte, error), mutants *[]Mutant) (map[string]edits, error) {
	all := map[string]edits{}
	for _, syntax := range pkg.Syntax {
		file := pkg.Fset.File(syntax.Pos())
		source, err := read(file.Name())
		if err != nil {
			return nil, err
		}
		f := &finder{
			source: source, file: file, info: pkg.TypesInfo, types: pkg.Types, mutants: mutants,
			same: map[string]int{}, uses: uses{}, pkg: dir, path: path.Join(dir, path.Base(file.Name())),
		}
		for _, decl := range syntax.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Body != nil && !exempt(d.Name.Name) {
				f.fn = funcName(d)
				f.function(d.Type.Results, d.Body)
			}
		}
		if len(f.edits) > 0 {
			f.edits.insert(f.at(syntax.Name.End()), `; import mutant "acyclic/internal/proof/mutate/mutant"`)
			all[file.Name()] = f.edits
		}
	}
	return all, nil
}

// exempt says whether a function is part of the proof (invariants) or only says
// something: a mutant there is no fault of the node.
func exempt(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "check") || name == "String"
}

func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	switch x := t.(type) {
	case *ast.IndexExpr:
		t = x.X
	case *ast.IndexListExpr:
		t = x.X
	}
	return types.ExprString(t) + "." + d.Name.Name
}

func (f *finder) at(p token.Pos) int { return f.file.Offset(p) }

func (f *finder) text(n ast.Node) string { return string(f.source[f.at(n.Pos()):f.at(n.End())]) }

// add makes a mutant and returns its number.
func (f *finder) add(kind string, n ast.Node) int {
	text := strings.Join(strings.Fields(f.text(n)), " ")
	if r := []rune(text); len(r) > 70 {
		text = string(r[:69]) + "…"
	}
	name := fmt.Sprintf("%s %s: %s %s", f.path, f.fn, kind, text)
	f.same[name]++
	if again := f.same[name]; again > 1 {
		name += fmt.Sprintf(" (%d)", again)
	}
	*f.mutants = append(*f.mutants, Mutant{Package: f.pkg, File: f.path, Line: f.file.Line(n.Pos()), Name: name})
	return len(*f.mutants) - 1
}

// wrap puts a call of package mutant around an expression.
func (f *finder) wrap(kind, with string, e ast.Expr) {
	n := f.add(kind, e)
	f.edits.wrap(f.at(e.Pos()), f.at(e.End()), fmt.Sprintf("mutant.%s(%d, ", with, n), ")")
}

func (f *finder) function(results *ast.FieldList, body *ast.BlockStmt) {
	outer, final := f.results, f.final
	f.results, f.final = results, map[ast.Node]bool{}
	if results != nil {
		f.ends(body.List)
	}
	f.visit(body)
	f.results, f.final = outer, final
}

// ends notes the statements with which a function may end after a list. In one of these
// each case must return something.
func (f *finder) ends(list []ast.Stmt) {
	if len(list) == 0 {
		return
	}
	last := list[len(list)-1]
	f.final[last] = true
	switch s := last.(type) {
	case *ast.BlockStmt:
		f.ends(s.List)
	case *ast.IfStmt:
		f.ends(s.Body.List)
		if s.Else != nil {
			f.ends([]ast.Stmt{s.Else})
		}
	case *ast.SwitchStmt:
		f.endsOf(s.Body)
	case *ast.TypeSwitchStmt:
		f.endsOf(s.Body)
	case *ast.SelectStmt:
		f.endsOf(s.Body)
	}
}

func (f *finder) endsOf(clauses *ast.BlockStmt) {
	for _, c := range clauses.List {
		switch c := c.(type) {
		case *ast.CaseClause:
			f.ends(c.Body)
		case *ast.CommClause:
			f.ends(c.Body)
		}
	}
}

// visit finds the mutants in a node and in what it contains.
func (f *finder) visit(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		f.note(n)
		switch n := n.(type) {
		case *ast.FuncLit:
			f.function(n.Type.Results, n.Body)
			return false
		case *ast.ExprStmt:
			return !f.onlySays(n)
		case *ast.BlockStmt:
			f.statements(n.List)
		case *ast.SwitchStmt:
			f.arms(n, n.Body)
		case *ast.TypeSwitchStmt:
			f.arms(n, n.Body)
		case *ast.SelectStmt:
			f.arms(n, n.Body)
		case *ast.IfStmt:
			f.condition(n.Cond)
		case *ast.ForStmt:
			f.loop(n, n.Body, f.final[n])
		case *ast.RangeStmt:
			f.loop(n, n.Body, false)
		case *ast.BinaryExpr:
			f.binary(n)
		case *ast.CallExpr:
			if f.tells(n) {
				return false
			}
			f.call(n)
			f.arguments(n)
		case *ast.SelectorExpr:
			f.field(n)
		case *ast.ReturnStmt:
			f.returns(n)
		}
		return true
	})
}

// onlySays says whether a statement only tells an operator or a maintainer something.
func (f *finder) onlySays(s *ast.ExprStmt) bool {
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		return fun.Sel.Name == "Log"
	case *ast.Ident:
		return fun.Name == "panic"
	}
	return false
}

// head is what a message shows of a clause or a loop: its first line.
type head struct{ from, to token.Pos }

func (h head) Pos() token.Pos { return h.from }
func (h head) End() token.Pos { return h.to }

// arms drops each case of a switch.
func (f *finder) arms(s ast.Node, body *ast.BlockStmt) {
	for _, c := range body.List {
		switch c := c.(type) {
		case *ast.CaseClause:
			if tagless, ok := s.(*ast.SwitchStmt); ok && tagless.Tag == nil && c.List != nil {
				f.conditionalArm(c)
			} else {
				f.arm(c.Colon, c.Body, c, f.final[s])
			}
			f.statements(c.Body)
		case *ast.CommClause:
			f.arm(c.Colon, c.Body, c, f.final[s])
			f.statements(c.Body)
		}
	}
}

// conditionalArm drops a case that has conditions, so that a later one may hold, and
// negates it if it has one condition.
func (f *finder) conditionalArm(c *ast.CaseClause) {
	n := f.add("drop", head{c.Pos(), c.Colon})
	for _, cond := range c.List {
		f.edits.wrap(f.at(cond.Pos()), f.at(cond.End()), fmt.Sprintf("mutant.False(%d, ", n), ")")
	}
	if len(c.List) == 1 && f.isBool(c.List[0]) {
		f.wrap("negate case", "Not", c.List[0])
	}
}

// arm drops a case of any other switch: its body is not run.
func (f *finder) arm(colon token.Pos, body []ast.Stmt, clause ast.Node, final bool) {
	if !slices.ContainsFunc(body, func(s ast.Stmt) bool { e, ok := s.(*ast.ExprStmt); return !ok || !f.onlySays(e) }) {
		return // it is empty, or only says something
	}
	n := f.add("drop", head{clause.Pos(), colon})
	f.edits.insert(f.at(colon)+1, fmt.Sprintf(" if mutant.On(%d) { %s }; ", n, f.leave(final)))
}

// loop never runs the body of a loop.
func (f *finder) loop(loop ast.Node, body *ast.BlockStmt, final bool) {
	if len(body.List) == 0 {
		return
	}
	n := f.add("skip", head{loop.Pos(), body.Lbrace})
	f.edits.insert(f.at(body.Lbrace)+1, fmt.Sprintf(" if mutant.On(%d) { %s }; ", n, f.leave(final)))
}

// leave is how to leave a case or a loop. A function with results that ends with it must
// return some.
func (f *finder) leave(final bool) string {
	if !final || f.results == nil {
		return "break"
	}
	var zeros []string
	for _, field := range f.results.List {
		for range max(1, len(field.Names)) {
			zeros = append(zeros, "*new("+f.text(field.Type)+")")
		}
	}
	return "return " + strings.Join(zeros, ", ")
}

func (f *finder) condition(cond ast.Expr) {
	if !f.isBool(cond) {
		return
	}
	f.wrap("negate", "Not", cond)
	switch c := cond.(type) {
	case *ast.BinaryExpr:
		if c.Op == token.NEQ && f.isError(c.X) && f.isNil(c.Y) {
			f.wrap("skip if", "False", cond)
		}
	case *ast.UnaryExpr:
		if c.Op == token.NOT {
			f.wrap("skip if", "False", cond)
		}
	}
}

func (f *finder) binary(e *ast.BinaryExpr) {
	if f.info.Types[e].Value != nil {
		return
	}
	with := ""
	kind := "off by one"
	switch e.Op {
	case token.LAND, token.LOR:
		wrap := map[token.Token]string{token.LAND: "True", token.LOR: "False"}[e.Op]
		for _, side := range []ast.Expr{e.X, e.Y} {
			if f.isBool(side) {
				f.wrap("leave out", wrap, side)
			}
		}
		return
	case token.LSS:
		with = "Less"
	case token.LEQ:
		with = "LessEqual"
	case token.GTR:
		with = "Greater"
	case token.GEQ:
		with = "GreaterEqual"
	case token.ADD:
		with, kind = "Plus", "leave out the second of"
	case token.SUB:
		with, kind = "Minus", "leave out the second of"
	default:
		return
	}
	if !f.isNumber(e.X) || !f.isNumber(e.Y) {
		return
	}
	n := f.add(kind, e)
	f.edits.wrap(f.at(e.Pos()), f.at(e.End()), fmt.Sprintf("mutant.%s(%d, ", with, n), ")")
	f.edits.replace(f.at(e.OpPos), f.at(e.OpPos)+len(e.Op.String()), ",")
}

func (f *finder) call(c *ast.CallExpr) {
	switch fun := c.Fun.(type) {
	case *ast.Ident:
		_, builtin := f.info.Uses[fun].(*types.Builtin)
		if builtin && (fun.Name == "min" || fun.Name == "max") && len(c.Args) == 2 && f.info.Types[c].Value == nil {
			n := f.add("leave out the second of", c)
			f.edits.replace(f.at(c.Pos()), f.at(c.Lparen)+1, fmt.Sprintf("mutant.M%s(%d, ", fun.Name[1:], n))
		}
	case *ast.SelectorExpr:
		of := f.info.TypeOf(fun.X)
		switch {
		case of == nil:
		case (fun.Sel.Name == "Before" || fun.Sel.Name == "After") && isTime(of):
			n := f.add("off by one", c)
			f.edits.wrap(f.at(c.Pos()), f.at(c.End()), fmt.Sprintf("mutant.%s(%d, ", fun.Sel.Name, n), "")
			f.edits.replace(f.at(fun.X.End()), f.at(c.Args[0].Pos()), ", ")
		case fun.Sel.Name == "Add" && strings.HasSuffix(of.String(), "actor.Earliest"):
			for _, arg := range c.Args {
				if isTime(f.info.TypeOf(arg)) {
					f.wrap("forget the clock", "Zero", arg)
				}
			}
		}
	}
}

func (f *finder) returns(s *ast.ReturnStmt) {
	for _, e := range s.Results {
		t := f.info.TypeOf(e)
		switch {
		case t == nil || f.isNil(e):
		case f.returnsBool(len(s.Results)) && f.isBool(e):
			f.wrap("negate", "Not", e)
		case f.isError(e):
			f.wrap("return no error for", "Zero[error]", e)
		case isTime(t) && f.text(e) != "time.Time{}":
			f.wrap("return no time for", "Zero", e)
		}
	}
}

// returnsBool says whether the function's results are of the plain type bool where
// they are bools at all.
func (f *finder) returnsBool(n int) bool {
	if f.results == nil || f.results.NumFields() != n {
		return false
	}
	return !slices.ContainsFunc(f.results.List, func(field *ast.Field) bool {
		t := f.info.TypeOf(field.Type)
		_, named := t.(*types.Named)
		b, basic := t.Underlying().(*types.Basic)
		return named && basic && b.Info()&types.IsBoolean != 0
	})
}

func (f *finder) isBool(e ast.Expr) bool {
	b, ok := f.info.TypeOf(e).(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

func (f *finder) isNil(e ast.Expr) bool { return f.info.Types[e].IsNil() }

func (f *finder) isError(e ast.Expr) bool {
	t := f.info.TypeOf(e)
	return t != nil && types.AssignableTo(t, types.Universe.Lookup("error").Type()) && !f.isNil(e)
}

func (f *finder) isNumber(e ast.Expr) bool {
	b, ok := f.info.TypeOf(e).Underlying().(*types.Basic)
	if v := f.info.Types[e].Value; v != nil && v.Kind() == constant.Float {
		return false
	}
	return ok && b.Info()&types.IsNumeric != 0 && b.Info()&types.IsComplex == 0
}

func isTime(t types.Type) bool { return t != nil && t.String() == "time.Time" }
