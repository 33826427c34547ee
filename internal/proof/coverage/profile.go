package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/cover"
)

// module is what the names in a profile begin with.
const module = "acyclic/"

// runner is who runs the code.
type runner int

const (
	simulator runner = iota
	explorer
	runners
)

func (r runner) String() string { return [...]string{"simulator", "explorer"}[r] }

// named are the runners that a flag means.
func named(name string) ([]runner, error) {
	switch name {
	case "none":
		return nil, nil
	case "both":
		return []runner{simulator, explorer}, nil
	case simulator.String():
		return []runner{simulator}, nil
	case explorer.String():
		return []runner{explorer}, nil
	}
	return nil, fmt.Errorf("-missing=%s: it is simulator, explorer, both or none", name)
}

// block is a piece of code without a branch.
type block struct {
	file       string // below the module
	start, end int    // lines
	from, to   int    // columns
}

// reach says how many statements a block has, and who has run it.
type reach struct {
	statements int
	by         [runners]bool
}

// any says whether one of some runners has run the block.
func (r reach) any(by []runner) bool {
	return slices.ContainsFunc(by, func(x runner) bool { return r.by[x] })
}

// coverage is what both have run.
type coverage map[block]reach

// read adds a profile.
func (c coverage) read(by runner, file string) error {
	profiles, err := cover.ParseProfiles(file)
	if err != nil {
		return fmt.Errorf("the profile of the %s: %w", by, err)
	}
	for _, p := range profiles {
		for _, b := range p.Blocks {
			at := block{strings.TrimPrefix(p.FileName, module), b.StartLine, b.EndLine, b.StartCol, b.EndCol}
			r := c[at]
			r.statements = b.NumStmt
			r.by[by] = r.by[by] || b.Count > 0
			c[at] = r
		}
	}
	return nil
}

// percent is how many of a hundred statements of some packages were run by one of some
// runners. Without statements it is 0: no package is covered because it has moved.
func (c coverage) percent(pkgs []string, by ...runner) float64 {
	all, ran := 0, 0
	for at, r := range c {
		if slices.Contains(pkgs, path.Dir(at.file)) {
			all += r.statements
			if r.any(by) {
				ran += r.statements
			}
		}
	}
	return 100 * float64(ran) / float64(max(1, all))
}

// unreached lists, function by function, the lines that none of some runners has run.
func (c coverage) unreached(dir string, by []runner) (string, error) {
	byFile := map[string][]block{}
	for at, r := range c {
		if r.statements > 0 && !r.any(by) {
			byFile[at.file] = append(byFile[at.file], at)
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "lines that are not reached by %v\n", by)
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		funcs, err := functions(filepath.Join(dir, file))
		if err != nil {
			return "", err
		}
		for _, f := range funcs {
			if lines := f.lines(byFile[file]); lines != "" {
				fmt.Fprintf(&out, "  %s %s: %s\n", file, f.name, lines)
			}
		}
	}
	return out.String(), nil
}

// function is one of a file.
type function struct {
	name       string
	start, end int // lines
}

func functions(file string) (all []function, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			all = append(all, function{fn.Name.Name, fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line})
		}
	}
	return all, nil
}

// lines are those of some blocks that lie in a function: "3, 7-9".
func (f function) lines(blocks []block) string {
	slices.SortFunc(blocks, func(a, b block) int { return cmp.Or(a.start-b.start, a.end-b.end) })
	var spans [][2]int
	for _, b := range blocks {
		if b.start < f.start || b.end > f.end {
			continue
		}
		if k := len(spans) - 1; k >= 0 && b.start <= spans[k][1]+1 {
			spans[k][1] = max(spans[k][1], b.end)
		} else {
			spans = append(spans, [2]int{b.start, b.end})
		}
	}
	var list []string
	for _, s := range spans {
		if s[0] == s[1] {
			list = append(list, fmt.Sprint(s[0]))
		} else {
			list = append(list, fmt.Sprintf("%d-%d", s[0], s[1]))
		}
	}
	return strings.Join(list, ", ")
}
