package waitgraph

import (
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Wait is what a goroutine may wait for, or a call of code that is not loaded and
// does more than calculate.
type Wait struct {
	What  string   // what is done at what place: "locks bus.Bus.mu"
	Calls []string // the calls that lead there, and the statement
}

// Below lists the waits in the functions whose names match, and in all functions that
// they may call on the same goroutine. It returns the names of all these too. It
// leaves out the functions where loops rest.
func (g *Graph) Below(from *regexp.Regexp) (waits []Wait, reached []string) {
	var begin []*ssa.Function
	for _, fn := range g.funcs {
		if from.MatchString(nameOf(fn)) && fn.Synthetic == "" {
			begin = append(begin, fn)
		}
	}
	order, way := g.reach(begin, g.rests)
	// Other callers may give a codec a file.
	g.among = way
	defer func() { g.among = nil }()
	for _, fn := range order {
		if g.bodies[fn] == nil || g.rests(fn) {
			continue
		}
		reached = append(reached, nameOf(fn))
		for _, o := range g.bodies[fn].ops {
			if o.waits && o.fn == fn && (!o.stream || g.streams(o.in.(ssa.CallInstruction))) {
				at := g.where(o.pos) + "  " + nameOf(fn) + " " + o.String()
				waits = append(waits, Wait{string(o.kind) + " " + o.what, append(g.calls(way, fn), at)})
			}
		}
	}
	slices.Sort(reached)
	return waits, slices.Compact(reached)
}

// Under lists the waits, and the calls of code that is not loaded, under a lock.
func (g *Graph) Under(lock string) (all []string) {
	for p, ops := range g.under {
		if p.name != lock {
			continue
		}
		for _, o := range ops {
			if o.while.waits {
				all = append(all, string(o.while.kind)+" "+o.while.what)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Locks lists the locks of a module under which anything is done.
func (g *Graph) Locks(module string) (names []string) {
	for p := range g.under {
		if pkg := p.pkg(); pkg != nil && strings.HasPrefix(pkg.Path(), module+"/") {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// pkg is the package that declares a lock; nil if it is not known.
func (p *place) pkg() *types.Package {
	switch id := p.id.(type) {
	case *types.Var:
		return id.Pkg()
	case *ssa.Global:
		return id.Pkg.Pkg
	case *ssa.Alloc:
		return pkgOf(id.Parent())
	}
	return nil
}
