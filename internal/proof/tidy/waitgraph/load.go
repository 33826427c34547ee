package waitgraph

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph/cha"
	"golang.org/x/tools/go/callgraph/vta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// program is the code of packages and of the modules that they use. Of the standard
// library it has the types alone.
type program struct {
	fset    *token.FileSet
	roots   []*ssa.Package // those that the patterns name
	funcs   []*ssa.Function
	callees map[ssa.CallInstruction][]*ssa.Function
	callers map[*ssa.Function][]ssa.CallInstruction
	loaded  map[string]bool   // the paths of the packages with code
	dirs    map[string]string // of each module, with what is put before the names of its files
}

func load(cfg Config, patterns []string) (*program, error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-f",
		"{{if not .Standard}}{{.ImportPath}} {{.DepOnly}}{{end}}"}, patterns...)...)
	list.Dir = cfg.Dir
	out, err := list.Output()
	if err != nil {
		if e, ok := err.(*exec.ExitError); ok {
			err = fmt.Errorf("%w: %s", err, e.Stderr)
		}
		return nil, fmt.Errorf("go list %s: %w", strings.Join(patterns, " "), err)
	}
	fields := strings.Fields(string(out))
	asked := map[string]bool{}
	var paths []string
	for i := 0; i < len(fields); i += 2 {
		paths = append(paths, fields[i])
		asked[fields[i]] = fields[i+1] == "false"
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no packages of a module in %q", patterns)
	}
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.LoadSyntax | packages.NeedModule, Dir: cfg.Dir, Overlay: cfg.Overlay,
	}, paths...)
	if err != nil {
		return nil, err
	}
	p := &program{
		callees: map[ssa.CallInstruction][]*ssa.Function{}, callers: map[*ssa.Function][]ssa.CallInstruction{},
		loaded: map[string]bool{}, dirs: map[string]string{},
	}
	for _, pkg := range pkgs {
		if len(pkg.Errors) > 0 {
			return nil, pkg.Errors[0]
		}
		p.loaded[pkg.PkgPath] = true
		if m := pkg.Module; asked[pkg.PkgPath] {
			p.dirs[m.Dir] = ""
		} else if _, ok := p.dirs[m.Dir]; !ok {
			p.dirs[m.Dir] = m.Path + "/"
		}
	}
	prog, built := ssautil.Packages(pkgs, ssa.InstantiateGenerics)
	prog.Build()
	p.fset = prog.Fset
	for _, pkg := range built {
		if asked[pkg.Pkg.Path()] {
			p.roots = append(p.roots, pkg)
		}
	}
	p.callGraph(prog)
	return p, nil
}

// callGraph finds what each call may call: by the types and functions that can get
// there (VTA). If that finds no target for a method of an interface, the value may
// have gone through the standard library. Every implementation is then a target.
func (p *program) callGraph(prog *ssa.Program) {
	all := ssautil.AllFunctions(prog)
	byTypes := cha.CallGraph(prog)
	for _, n := range vta.CallGraph(all, byTypes).Nodes {
		for _, e := range n.Out {
			p.callees[e.Site] = append(p.callees[e.Site], e.Callee.Func)
		}
	}
	missed := map[ssa.CallInstruction][]*ssa.Function{}
	for fn := range all {
		for _, e := range byTypes.CreateNode(fn).Out {
			if c := e.Site.Common(); c.IsInvoke() && !p.isStd(c.Method.Pkg()) && p.callees[e.Site] == nil {
				missed[e.Site] = append(missed[e.Site], e.Callee.Func)
			}
		}
		if fn.Blocks != nil {
			p.funcs = append(p.funcs, fn)
		}
	}
	maps.Copy(p.callees, missed)
	for _, fns := range p.callees {
		p.sort(fns)
	}
	p.sort(p.funcs)
	p.countCallers()
}

// countCallers finds the callers from the callees.
func (p *program) countCallers() {
	clear(p.callers)
	for site, fns := range p.callees {
		for _, fn := range fns {
			p.callers[fn] = append(p.callers[fn], site)
		}
	}
	for _, sites := range p.callers {
		slices.SortFunc(sites, func(a, b ssa.CallInstruction) int { return p.compare(a.Pos(), b.Pos()) })
	}
}

// sort orders functions by their names, and then by their positions.
func (p *program) sort(fns []*ssa.Function) {
	slices.SortFunc(fns, func(a, b *ssa.Function) int {
		return cmp.Or(cmp.Compare(a.String(), b.String()), p.compare(a.Pos(), b.Pos()))
	})
}

// compare orders positions by file and offset. The numbers of positions have no fixed
// order, since files are read in any order.
func (p *program) compare(a, b token.Pos) int {
	x, y := p.fset.Position(a), p.fset.Position(b)
	return cmp.Or(cmp.Compare(x.Filename, y.Filename), cmp.Compare(x.Offset, y.Offset))
}

// isStd says whether a package is of the standard library. The package of error's
// method is nil.
func (p *program) isStd(pkg *types.Package) bool { return pkg == nil || !p.loaded[pkg.Path()] }

// where prints a position: the file within its module, and the line.
func (p *program) where(pos token.Pos) string {
	at := p.fset.Position(pos)
	for dir, prefix := range p.dirs {
		if rel, err := filepath.Rel(dir, at.Filename); err == nil && !strings.HasPrefix(rel, "..") {
			return fmt.Sprintf("%s%s:%d", prefix, filepath.ToSlash(rel), at.Line)
		}
	}
	return fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
}
