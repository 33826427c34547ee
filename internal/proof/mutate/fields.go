package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// uses says of expressions how what is around them uses them. What is around a node is
// visited before it.
type uses map[ast.Expr]use

type use int

const (
	looked  use = iota // its value is looked at
	place              // its address is taken: by &, by a method that changes it, by a slice of an array
	written            // it is assigned to
	callee             // it is called
)

// note notes how a node uses the expressions in it.
func (f *finder) note(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, e := range n.Lhs {
				f.uses[e] = written
			}
		}
	case *ast.IncDecStmt:
		f.uses[n.X] = written
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			f.uses[n.Key], f.uses[n.Value] = written, written
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			f.uses[n.X] = place
		}
	case *ast.SliceExpr:
		if isArray(f.info.TypeOf(n.X)) {
			f.uses[n.X] = place
		}
	case *ast.ParenExpr:
		f.uses[n.X] = f.uses[n]
	case *ast.IndexExpr:
		if isArray(f.info.TypeOf(n.X)) {
			f.uses[n.X] = f.uses[n]
		}
	case *ast.CallExpr:
		f.uses[n.Fun] = callee
		for _, arg := range n.Args {
			if f.isBuiltin(n, "len", "cap") && isArray(f.info.TypeOf(arg)) {
				f.uses[arg] = written // its length is a constant, and stays one
			}
		}
	case *ast.SelectorExpr:
		of := f.info.Selections[n]
		switch {
		case of == nil || isPointer(f.info.TypeOf(n.X)):
		case of.Kind() == types.FieldVal && f.uses[n] != callee:
			f.uses[n.X] = f.uses[n]
		case of.Kind() == types.MethodVal && isPointer(of.Obj().(*types.Func).Signature().Recv().Type()):
			f.uses[n.X] = place
		}
	}
}

// field takes another field of the same type for one that is looked at. The one that is
// taken is the next one of its struct, and after the last one the first.
func (f *finder) field(e *ast.SelectorExpr) {
	of := f.info.Selections[e]
	if of == nil || of.Kind() != types.FieldVal || f.uses[e] == written || !f.isPath(e.X) || isSync(of.Type()) {
		return
	}
	other := f.sibling(of)
	if other == "" {
		return
	}
	before, between, behind := "mutant.Other(%d, ", ", ", ")"
	if f.uses[e] == place {
		if !f.info.Types[e].Addressable() {
			return
		}
		before, between, behind = "(*mutant.Other(%d, &", ", &", "))"
	}
	n := f.add("wrong field "+other+" for", e)
	f.edits.wrap(f.at(e.Pos()), f.at(e.End()), fmt.Sprintf(before, n), between+f.text(e.X)+"."+other+behind)
}

// sibling is the name of the field that may be taken for a selected one, or "".
func (f *finder) sibling(of *types.Selection) string {
	index := of.Index()
	last := index[len(index)-1]
	t := of.Recv()
	for _, i := range index[:len(index)-1] {
		t = structOf(t).Field(i).Type()
	}
	s := structOf(t)
	for i := range s.NumFields() - 1 {
		other := s.Field((last + 1 + i) % s.NumFields())
		if other.Name() == "_" || !types.Identical(other.Type(), of.Type()) {
			continue
		}
		seen, at, _ := types.LookupFieldOrMethod(of.Recv(), true, f.types, other.Name())
		if seen != nil && len(at) == len(index) && slices.Equal(at[:len(at)-1], index[:len(index)-1]) {
			return other.Name()
		}
	}
	return ""
}

// arguments swaps each two neighbouring arguments of the same type.
func (f *finder) arguments(c *ast.CallExpr) {
	sig, ok := f.info.TypeOf(c.Fun).(*types.Signature)
	if !ok || c.Ellipsis.IsValid() || f.tells(c) || f.isBuiltin(c, "min", "max") {
		return
	}
	fixed := len(c.Args)
	if sig.Variadic() {
		fixed = min(fixed, sig.Params().Len()-1) // the others are a list
	}
	for i := range max(fixed, 1) - 1 {
		a, b := c.Args[i], c.Args[i+1]
		x, y := f.info.Types[a], f.info.Types[b]
		if x.Type == nil || y.Type == nil || !types.Identical(x.Type, y.Type) || x.Value != nil || y.Value != nil ||
			x.IsNil() || y.IsNil() || !f.isPath(a) || !f.isPath(b) || f.text(a) == f.text(b) {
			continue
		}
		n := f.add("swap arguments", head{a.Pos(), b.End()})
		f.edits.wrap(f.at(a.Pos()), f.at(a.End()), fmt.Sprintf("mutant.Other(%d, ", n), ", "+f.text(b)+")")
		f.edits.wrap(f.at(b.Pos()), f.at(b.End()), fmt.Sprintf("mutant.Other(%d, ", n), ", "+f.text(a)+")")
	}
}

// tells says whether a call only makes a text for somebody.
func (f *finder) tells(c *ast.CallExpr) bool {
	fun, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	obj := f.info.Uses[fun.Sel]
	return obj != nil && obj.Pkg() != nil && obj.Pkg().Path() == "fmt"
}

// isPath says whether an expression can be evaluated twice: it calls nothing and
// receives nothing.
func (f *finder) isPath(e ast.Expr) bool {
	path := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr, *ast.FuncLit, *ast.CompositeLit:
			path = false
		case *ast.UnaryExpr:
			path = path && n.Op != token.ARROW
		}
		return path
	})
	return path
}

func (f *finder) isBuiltin(c *ast.CallExpr, names ...string) bool {
	fun, ok := c.Fun.(*ast.Ident)
	if !ok {
		return false
	}
	_, builtin := f.info.Uses[fun].(*types.Builtin)
	return builtin && slices.Contains(names, fun.Name)
}

func isArray(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Array)
	return ok
}

func isPointer(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// isSync says whether a type is one of the locks and the like, which must not be copied.
func isSync(t types.Type) bool {
	name := strings.TrimPrefix(t.String(), "*")
	return strings.HasPrefix(name, "sync.") || strings.HasPrefix(name, "sync/atomic.")
}

func structOf(t types.Type) *types.Struct {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, _ := t.Underlying().(*types.Struct)
	return s
}
