package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
)

// waitingCalls are calls that wait, besides the operations on channels.
var waitingCalls = map[string]bool{
	"time.Sleep":                                       true,
	"(*sync.Cond).Wait":                                true,
	"(*sync.WaitGroup).Wait":                           true,
	"(*golang.org/x/sync/errgroup.Group).Wait":         true,
	"(" + module + "/internal/edge.Cells).AwaitCredit": true,
}

// eachWait calls f for each operation below root that may wait on a channel: a
// send, a receive or a range, and a select without a default. path is the node's
// ancestors, root first, and the node.
func eachWait(info *types.Info, root ast.Node, f func(path []ast.Node, why string)) {
	tried := map[ast.Node]bool{} // the operations that a select tries
	eachNode(root, func(path []ast.Node) {
		switch n := path[len(path)-1].(type) {
		case *ast.SelectStmt:
			if !tryAll(n, tried) {
				f(path, "waits in a select")
			}
		case *ast.SendStmt:
			if !tried[n] {
				f(path, "sends on a channel")
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW && !tried[n] {
				f(path, "receives from a channel")
			}
		case *ast.RangeStmt:
			if isChan(info.TypeOf(n.X)) {
				f(path, "ranges over a channel")
			}
		}
	})
}

// tryAll notes the operations of a select and says whether it has a default.
func tryAll(s *ast.SelectStmt, tried map[ast.Node]bool) (hasDefault bool) {
	for _, c := range s.Body.List {
		switch op := c.(*ast.CommClause).Comm.(type) {
		case nil:
			hasDefault = true
		case *ast.SendStmt:
			tried[op] = true
		case *ast.ExprStmt:
			tried[ast.Unparen(op.X)] = true
		case *ast.AssignStmt:
			tried[ast.Unparen(op.Rhs[0])] = true
		}
	}
	return hasDefault
}

// eachNode calls f for each node below root with the path to it.
func eachNode(root ast.Node, f func(path []ast.Node)) {
	var path []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		f(path)
		return true
	})
}

func isChan(t types.Type) bool { _, ok := under(t).(*types.Chan); return ok }
func isMap(t types.Type) bool  { _, ok := under(t).(*types.Map); return ok }
func isFunc(t types.Type) bool { _, ok := under(t).(*types.Signature); return ok }

// under is the underlying type; of a type parameter, its core's.
func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	if p, ok := t.(*types.TypeParam); ok {
		if i, ok := p.Constraint().Underlying().(*types.Interface); ok && i.NumEmbeddeds() == 1 {
			if u, ok := i.EmbeddedType(0).(*types.Union); ok && u.Len() == 1 {
				return u.Term(0).Type().Underlying()
			}
			return i.EmbeddedType(0).Underlying()
		}
	}
	return t.Underlying()
}
