package tidy

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strconv"

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
