package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// statements drops each statement of a block that can be dropped, and swaps neighbours.
func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		if f.droppable(s) {
			n := f.add("drop", s)
			f.edits.wrap(f.at(s.Pos()), f.at(s.End()), fmt.Sprintf("if !mutant.On(%d) { ", n), " }")
		}
	}
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && f.swappable(list[j-1], list[j]) {
			j++
		}
		if j-i > 1 {
			f.swaps(list[i:j])
		}
		i = j
	}
}

func (f *finder) droppable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt:
		_, call := s.X.(*ast.CallExpr)
		return call && !f.onlySays(s)
	case *ast.AssignStmt:
		blank, ok := s.Lhs[0].(*ast.Ident)
		return s.Tok != token.DEFINE && !(ok && blank.Name == "_" && len(s.Lhs) == 1)
	case *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.BREAK || s.Tok == token.CONTINUE
	case *ast.ReturnStmt:
		return len(s.Results) == 0 && f.results == nil
	}
	return false
}

// swappable says whether the order of two neighbours may matter: one calls something, the
// other calls something or changes a field, and both are about the same thing.
func (f *finder) swappable(a, b ast.Stmt) bool {
	x, aCalls := f.about(a)
	y, bCalls := f.about(b)
	if x == "" || y == "" || !(aCalls || bCalls) || !f.short(a) || !f.short(b) {
		return false
	}
	return x == y || strings.HasPrefix(x, y+".") || strings.HasPrefix(y, x+".")
}

// about is the path of what a statement calls a method of, or of the field that it
// changes: m.table for m.table.add(x) and for m.table = x.
func (f *finder) about(s ast.Stmt) (path string, calls bool) {
	switch s := s.(type) {
	case *ast.ExprStmt:
		if fun, ok := s.X.(*ast.CallExpr); ok && f.droppable(s) {
			if method, ok := fun.Fun.(*ast.SelectorExpr); ok {
				return f.text(method.X), true
			}
		}
	case *ast.AssignStmt:
		if field, ok := s.Lhs[0].(*ast.SelectorExpr); ok && s.Tok != token.DEFINE {
			return f.text(field), false
		}
	case *ast.IncDecStmt:
		if field, ok := s.X.(*ast.SelectorExpr); ok {
			return f.text(field), false
		}
	}
	return "", false
}

// short says whether a statement is one line of code without a function in it.
func (f *finder) short(s ast.Stmt) bool { return !strings.ContainsAny(f.text(s), "\n{") }

// swaps puts a copy of a run of statements before it for each pair, with the pair in
// the other order.
func (f *finder) swaps(run []ast.Stmt) {
	var open strings.Builder
	for i := range run[1:] {
		n := f.add("swap", head{run[i].Pos(), run[i+1].End()})
		fmt.Fprintf(&open, "if mutant.On(%d) { ", n)
		for k, s := range run {
			switch k {
			case i:
				s = run[i+1]
			case i + 1:
				s = run[i]
			}
			open.WriteString(f.text(s) + "; ")
		}
		open.WriteString("} else ")
	}
	open.WriteString("{ ")
	f.edits.wrap(f.at(run[0].Pos()), f.at(run[len(run)-1].End()), open.String(), " }")
}
