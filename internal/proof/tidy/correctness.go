package tidy

import (
	"go/ast"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Correctness is the rule that an adapter that waits says why it may, and one that
// starts a goroutine says how many there are.
var Correctness = &analysis.Analyzer{
	Name: "correctness",
	Doc:  `where an adapter waits, a comment "correctness:" says why it may; where it starts a goroutine, "goroutines:" says how many there are`,
	Run: func(pass *analysis.Pass) (any, error) {
		pkg := pkgOf(pass.Pkg.Path())
		if !isAdapter(pkg) {
			return nil, nil
		}
		for _, f := range sources(pass) {
			said, counted := noted(pass, f, "correctness:", endsWait), noted(pass, f, "goroutines:", howMany)
			flag := func(path []ast.Node, why string) {
				switch at := path[len(path)-1].Pos(); {
				case neverWaits(pkg):
					pass.Reportf(at, "%s %s, and may not wait at all", pkg, why)
				case !explained(pass, path, said):
					pass.Reportf(at, "an adapter %s and no comment \"correctness:\" says why it may", why)
				}
			}
			eachWait(pass.TypesInfo, f, flag)
			eachCall(pass.TypesInfo, f, flag)
			if floorOf(pkg) == configFloor {
				eachLock(pass.TypesInfo, f, flag)
			}
			eachStart(pass.TypesInfo, f, func(path []ast.Node) {
				if !explained(pass, path, counted) {
					pass.Reportf(path[len(path)-1].Pos(), "an adapter starts a goroutine and no comment \"goroutines:\" says how many there are")
				}
			})
		}
		return nil, nil
	},
}

var (
	// endsWait is what a correctness comment must say: what ends or bounds the
	// wait, who does not wait or is not held up, or which function's comment holds.
	endsWait = regexp.MustCompile(`(?i)\b(ends?|ended|bounds?|bounded|until|no longer than|at most|within|room|nothing|nobody|no cell|only|alone|leaf|(as|at) [a-z]\w+)\b`)

	// howMany is how a comment on goroutines begins: with a number.
	howMany = regexp.MustCompile(`^(one|two|at most|as many)\b`)
)

// neverWaits says whether a package on an adapter's floor is held to no wait at all: the
// configuration and, but for the driver, the kernel.
func neverWaits(pkg string) bool {
	return floorOf(pkg) == configFloor || floorOf(pkg) == kernelFloor && !below(pkg, []string{"internal/kernel/live"})
}

// eachLock calls f for each name below root of a function that waits for a lock.
func eachLock(info *types.Info, root ast.Node, f func(path []ast.Node, why string)) {
	eachNode(root, func(path []ast.Node) {
		if id, ok := path[len(path)-1].(*ast.Ident); ok {
			if fn, ok := info.Uses[id].(*types.Func); ok && strings.HasSuffix(fn.FullName(), "Lock") && denied[fn.FullName()] == "waits" {
				f(path, "calls "+fn.FullName())
			}
		}
	})
}

// starters run what they are given on a goroutine of its own.
var starters = []string{"(*sync.WaitGroup).Go", "(*golang.org/x/sync/errgroup.Group).Go", "time.AfterFunc", "context.AfterFunc"}

// eachStart calls f for each statement or name below root that starts a goroutine.
func eachStart(info *types.Info, root ast.Node, f func(path []ast.Node)) {
	eachNode(root, func(path []ast.Node) {
		switch n := path[len(path)-1].(type) {
		case *ast.GoStmt:
			f(path)
		case *ast.Ident:
			if fn, ok := info.Uses[n].(*types.Func); ok && slices.Contains(starters, fn.FullName()) {
				f(path)
			}
		}
	})
}

// noted are the lines of a file on which a comment with a word ends. What follows the
// word must say what the rule wants.
func noted(pass *analysis.Pass, f *ast.File, word string, wanted *regexp.Regexp) map[int]bool {
	lines := map[int]bool{}
	for _, g := range f.Comments {
		if text, ok := following(g, word); ok {
			lines[pass.Fset.Position(g.End()).Line] = true
			if !wanted.MatchString(text) {
				pass.Reportf(g.Pos(), "a comment %q that does not say what it must, see package tidy", word)
			}
		}
	}
	return lines
}

// following is what follows a word in a comment, as one line.
func following(g *ast.CommentGroup, word string) (text string, ok bool) {
	for _, c := range g.List {
		line := strings.Trim(c.Text, "/* \t")
		if ok {
			text += " " + line
		} else if _, after, found := strings.Cut(line, word); found {
			text, ok = strings.TrimSpace(after), true
		}
	}
	return text, ok
}

// explained says whether a comment stands at the function, at the statement, or at one
// that contains it: on its line or above it.
func explained(pass *analysis.Pass, path []ast.Node, said map[int]bool) bool {
	return slices.ContainsFunc(path[1:], func(n ast.Node) bool { // the file itself has no such comment
		line := pass.Fset.Position(n.Pos()).Line
		return said[line] || said[line-1]
	})
}
