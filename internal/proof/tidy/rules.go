package tidy

import (
	"go/ast"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Analyzers are all rules.
var Analyzers = []*analysis.Analyzer{Pure, Contract, Layers, Correctness, Bounds}

// Contract is the rule that a component is known by its contract.go, and to its
// adapters by its ports.go too.
var Contract = &analysis.Analyzer{
	Name: "contract",
	Doc:  "a component is known by its contract.go, and to adapters by its ports.go, but for the wiring",
	Run: func(pass *analysis.Pass) (any, error) {
		pkg := pkgOf(pass.Pkg.Path())
		if pkg == "" || below(pkg, wiring) {
			return nil, nil
		}
		eachUse(pass, func(path []ast.Node, id *ast.Ident, obj types.Object) {
			if obj.Pkg() == nil || obj.Pkg() == pass.Pkg || obj.Parent() != obj.Pkg().Scope() {
				return
			}
			owner := pkgOf(obj.Pkg().Path())
			files, ok := contracts[owner]
			file := filepath.Base(pass.Fset.Position(obj.Pos()).Filename)
			if slices.Contains(adapters, pkg) {
				files = append(slices.Clone(files), adapterContracts[owner]...)
			}
			if ok && !below(pkg, []string{owner}) && !slices.Contains(files, file) {
				pass.Reportf(id.Pos(), "%s.%s is of %s, not of the contract", obj.Pkg().Name(), obj.Name(), file)
			}
		})
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

// mayKnow says whether one package may import another.
func mayKnow(pkg, to string) bool {
	if from := floorOf(pkg); from >= 0 && floorOf(to) > from {
		return false
	}
	if may, ok := mayImport[pkg]; ok && !slices.Contains(may, to) {
		return false
	}
	for folder, by := range importedOnlyBy {
		if below(to, []string{folder}) && !below(pkg, append(by, folder)) {
			return false
		}
	}
	return true
}

// Correctness is the rule that an adapter that waits says why it may.
var Correctness = &analysis.Analyzer{
	Name: "correctness",
	Doc:  `where an adapter waits, a comment "correctness:" says why it may`,
	Run: func(pass *analysis.Pass) (any, error) {
		if !slices.Contains(adapters, pkgOf(pass.Pkg.Path())) {
			return nil, nil
		}
		for _, f := range sources(pass) {
			said := map[int]bool{} // the lines that such a comment stands on or above
			for _, g := range f.Comments {
				if strings.Contains(g.Text()+directives(g), "correctness:") {
					end := pass.Fset.Position(g.End()).Line
					said[end], said[end+1] = true, true
				}
			}
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
// statement, or at one that contains it.
func explained(pass *analysis.Pass, path []ast.Node, said map[int]bool) bool {
	for _, n := range path {
		if _, isFile := n.(*ast.File); !isFile && said[pass.Fset.Position(n.Pos()).Line] {
			return true
		}
	}
	return false
}

// directives are the comments without a space after the slashes, which
// CommentGroup.Text leaves out.
func directives(g *ast.CommentGroup) string {
	var s strings.Builder
	for _, c := range g.List {
		s.WriteString(c.Text)
	}
	return s.String()
}

// eachUse calls f for each identifier outside of tests that stands for
// something declared elsewhere.
func eachUse(pass *analysis.Pass, f func(path []ast.Node, id *ast.Ident, obj types.Object)) {
	for _, file := range sources(pass) {
		eachNode(file, func(path []ast.Node) {
			if id, ok := path[len(path)-1].(*ast.Ident); ok {
				if obj := pass.TypesInfo.Uses[id]; obj != nil {
					f(path, id, obj)
				}
			}
		})
	}
}
