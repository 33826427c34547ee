package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// waitingCalls matches the full names of functions that wait: for goroutines of this
// program, the network, other processes, the other end of a reader or writer, or
// the disk when a cache is flushed.
var waitingCalls = regexp.MustCompile(`^(` + strings.Join([]string{
	`time\.Sleep`,
	`\(\*sync\.(Cond|WaitGroup)\)\.Wait`, `\(\*sync\.Once\)\.Do`,
	`\(\*golang\.org/x/sync/errgroup\.Group\)\.(Wait|Go)`,
	`\(\*golang\.org/x/sync/semaphore\.Weighted\)\.Acquire`, `\(\*golang\.org/x/sync/singleflight\.Group\)\.Do`,
	`\(` + module + `/internal/kernel/adapter\.Cells\)\.AwaitCredit`,

	`net\.(Dial|Lookup|Resolve)\w*`, `\(\*net\.(Dialer|Resolver)\)\.(Dial|Lookup)\w*`,
	`\(\*?net\.\w+\)\.(Accept|Read|Write)\w*`,
	`crypto/tls\.Dial\w*`, `\(\*crypto/tls\.\w+\)\.(Dial|Handshake|Read|Write)\w*`,
	`net/http\.(Get|Post|PostForm|Head|Error|Redirect|(ListenAnd)?Serve\w*)`, `\(\*net/http\.Client\)\.(Do|Get|Head|Post|PostForm)`,
	`\(\*net/http\.Server\)\.((ListenAnd)?Serve\w*|Shutdown)`, `\(\*?net/http\.\w+\)\.(RoundTrip|Write|Flush)`,
	`\(\*os/exec\.Cmd\)\.(Run|Wait|Output|CombinedOutput)`, `\(\*os\.Process\)\.Wait`,
	`\(\*os\.File\)\.(Read|Write|Sync)\w*`,

	`io\.(Copy|Read|Write)\w*`, `\(\*?io\.\w+\)\.(Read|Write)\w*`,
	`fmt\.(Fprint|Fscan|Print|Scan)\w*`,
	`\(\*bufio\.\w+\)\.(Read|Write|Peek|Discard|Scan|Flush)\w*`,

	`\(github\.com/btcsuite/btcd/database\.\w+\)\.(Update|View|Begin|Commit|Close|Flush)`,
	`\(\*github\.com/btcsuite/btcd/blockchain\.BlockChain\)\.FlushUtxoCache`,
	`\(\*github\.com/syndtr/goleveldb/leveldb\.DB\)\.(Write|Put|Delete|CompactRange|Close)`,
}, "|") + `)$`)

// inMemory are the readers and writers that never make a caller wait.
var inMemory = []string{"bytes.Buffer", "bytes.Reader", "strings.Builder", "strings.Reader", "hash.Hash", "hash.Hash32", "hash.Hash64",
	"io.Discard"}

// eachCall calls f for each name of a waiting function below root.
func eachCall(info *types.Info, root ast.Node, f func(path []ast.Node, why string)) {
	eachNode(root, func(path []ast.Node) {
		id, ok := path[len(path)-1].(*ast.Ident)
		if !ok {
			return
		}
		if fn, ok := info.Uses[id].(*types.Func); ok && waitingCalls.MatchString(fn.Origin().FullName()) && !movesBytes(info, path) {
			f(path, "calls "+fn.FullName())
		}
	})
}

// movesBytes says whether the end of the path is called with readers and writers in
// memory alone.
func movesBytes(info *types.Info, path []ast.Node) bool {
	var args []ast.Expr
	at := len(path) - 2
	if sel, ok := path[at].(*ast.SelectorExpr); ok {
		if info.Selections[sel] != nil {
			args = append(args, sel.X)
		}
		at--
	}
	call, ok := path[at].(*ast.CallExpr)
	if !ok || identOf(call.Fun) != path[len(path)-1] {
		return false
	}
	found := false
	for _, a := range append(args, call.Args...) {
		t := info.TypeOf(a)
		if ptr, ok := t.(*types.Pointer); ok {
			t = ptr.Elem()
		}
		methods := types.NewMethodSet(t)
		if !types.IsInterface(t) {
			methods = types.NewMethodSet(types.NewPointer(t))
		}
		if methods.Lookup(nil, "Read") == nil && methods.Lookup(nil, "Write") == nil {
			continue
		}
		name := typeName(t)
		if id := identOf(a); id != nil && id.Name == "Discard" && name == "io.Writer" {
			name = "io.Discard"
		}
		if found = slices.Contains(inMemory, name); !found {
			return false
		}
	}
	return found
}

// eachWait calls f for each operation below root that may wait on a channel: a
// send, a receive, a range, or a select without a default.
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

// tryAll notes the operations of a select as tried. It says whether the select has a
// default.
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

// eachNode calls f for each node below root with the path to it, root first.
func eachNode(root ast.Node, f func(path []ast.Node)) {
	ast.PreorderStack(root, nil, func(n ast.Node, above []ast.Node) bool {
		f(append(above, n))
		return true
	})
}

func isChan(t types.Type) bool { _, ok := under(t).(*types.Chan); return ok }
func isMap(t types.Type) bool  { _, ok := under(t).(*types.Map); return ok }
func isFunc(t types.Type) bool { _, ok := under(t).(*types.Signature); return ok }

// under is the underlying type. For a type parameter it is that of its core type.
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

// identOf is the name that e is, or with which it ends; nil if it is something else.
func identOf(e ast.Expr) *ast.Ident {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return x.Sel
	}
	return nil
}

// calledName is the full name of the function or builtin that a call names; "" if
// it names none.
func calledName(info *types.Info, call *ast.CallExpr) string {
	switch fn := typeutil.Callee(info, call).(type) {
	case *types.Func:
		return fn.FullName()
	case *types.Builtin:
		if fn.Name() == "make" && isChan(info.TypeOf(call)) {
			return "make chan"
		}
		return fn.Name()
	}
	return ""
}
