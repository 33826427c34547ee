package waitgraph

import (
	"regexp"
	"slices"

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
