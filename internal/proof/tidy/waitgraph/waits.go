package waitgraph

import (
	"regexp"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// Wait is something that a goroutine may wait for, or a call of code that is not
// there and does more than calculate.
type Wait struct {
	What  string   // what is done and at what place: "locks bus.Bus.mu"
	Calls []string // the calls that lead there, and the statement
}

// Below lists what may be waited for in the functions whose names match and in
// all that they may call, on the same goroutine; and the names of these. What is
// done where loops rest is left out.
func (g *Graph) Below(from *regexp.Regexp) (waits []Wait, reached []string) {
	var begin []*ssa.Function
	for _, fn := range g.funcs {
		if from.MatchString(nameOf(fn)) && fn.Synthetic == "" {
			begin = append(begin, fn)
		}
	}
	order, way := g.reach(begin, g.rests)
	// A codec may be given a file by others.
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

// Under lists what may be waited for, or called outside, while a lock is held.
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
