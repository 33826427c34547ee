package tidy

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Analyzers are all rules.
var Analyzers = []*analysis.Analyzer{Pure, Contract, Layers, Correctness, Bounds, Grows}

// Contract is the rule that other packages name a component's types from its
// contract.go alone. Adapters may name those in its ports.go too.
var Contract = &analysis.Analyzer{
	Name: "contract",
	Doc:  "other packages know a component by its contract.go, adapters by its ports.go too, the wiring by all of it",
	Run: func(pass *analysis.Pass) (any, error) {
		pkg := pkgOf(pass.Pkg.Path())
		if pkg == "" || below(pkg, wiring) {
			return nil, nil
		}
		for _, f := range sources(pass) {
			for n := range ast.Preorder(f) {
				id, _ := n.(*ast.Ident)
				obj := pass.TypesInfo.Uses[id]
				if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
					continue
				}
				owner := pkgOf(obj.Pkg().Path())
				files := append([]string{"contract.go"}, contracts[owner]...)
				if isAdapter(pkg) {
					files = append(files, adapterContracts[owner]...)
				}
				file := filepath.Base(pass.Fset.Position(obj.Pos()).Filename)
				if slices.Contains(floors[componentFloor], owner) && !below(pkg, []string{owner}) && !slices.Contains(files, file) {
					pass.Reportf(id.Pos(), "%s.%s is of %s, not of the contract", obj.Pkg().Name(), obj.Name(), file)
				}
			}
		}
		return nil, nil
	},
}

// Layers is the rule that imports point downwards.
var Layers = &analysis.Analyzer{
	Name: "layers",
	Doc:  "imports point downwards",
	Run: func(pass *analysis.Pass) (any, error) {
		pkg := pkgOf(pass.Pkg.Path())
		if pkg == "" {
			return nil, nil
		}
		for _, f := range sources(pass) {
			for _, s := range f.Imports {
				path, _ := strconv.Unquote(s.Path.Value)
				if to := pkgOf(path); to != "" && !mayKnow(pkg, to) {
					pass.Reportf(s.Pos(), "%s may not import %s", pkg, to)
				}
			}
		}
		return nil, nil
	},
}

// Correctness is the rule that an adapter that waits says why it may.
var Correctness = &analysis.Analyzer{
	Name: "correctness",
	Doc:  `where an adapter waits, a comment "correctness:" says why it may`,
	Run: func(pass *analysis.Pass) (any, error) {
		if !isAdapter(pkgOf(pass.Pkg.Path())) {
			return nil, nil
		}
		for _, f := range sources(pass) {
			said := commented(pass, f, "correctness:")
			flag := func(path []ast.Node, why string) {
				if !explained(pass, path, said) {
					pass.Reportf(path[len(path)-1].Pos(), "an adapter %s and no comment \"correctness:\" says why it may", why)
				}
			}
			eachWait(pass.TypesInfo, f, flag)
			eachCall(pass.TypesInfo, f, flag)
		}
		return nil, nil
	},
}

// explained says whether a correctness comment stands at the function, at the
// statement, or at one that contains it: on its line or above it.
func explained(pass *analysis.Pass, path []ast.Node, said map[int]bool) bool {
	return slices.ContainsFunc(path[1:], func(n ast.Node) bool { // the file itself has no such comment
		line := pass.Fset.Position(n.Pos()).Line
		return said[line] || said[line-1]
	})
}

// commented are the lines of a file on which a comment with a word in it ends.
func commented(pass *analysis.Pass, f *ast.File, word string) map[int]bool {
	lines := map[int]bool{}
	for _, g := range f.Comments {
		if slices.ContainsFunc(g.List, func(c *ast.Comment) bool { return strings.Contains(c.Text, word) }) {
			lines[pass.Fset.Position(g.End()).Line] = true
		}
	}
	return lines
}
