package waitgraph

import (
	"maps"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// idle finds the inbox of a goroutine: the receive or select that comes first among
// the waits in every round of an outer loop of its function. There the goroutine
// waits for any sender and holds up none. A function without a loop may call the one
// that has it.
func (g *Graph) idle(fn *ssa.Function, depth int) map[ssa.Instruction]bool {
	found := map[ssa.Instruction]bool{}
	rounds := rounds(fn)
	for head, ends := range rounds {
		var first *op
		for _, o := range g.bodies[fn].ops {
			b := o.in.Block()
			every := o.waits && head.Dominates(b) && !slices.ContainsFunc(ends, func(end *ssa.BasicBlock) bool { return !b.Dominates(end) })
			if every && (first == nil || b != first.in.Block() && b.Dominates(first.in.Block())) {
				first = o
			}
		}
		if first != nil {
			found[first.in] = true
		}
	}
	if len(rounds) == 0 && depth < 3 {
		for _, c := range g.bodies[fn].calls {
			for _, to := range c.to {
				if g.bodies[to] != nil {
					maps.Copy(found, g.idle(to, depth+1))
				}
			}
		}
	}
	return found
}

// rounds are the outer loops of a function: the block with which each begins, and
// the blocks after which it begins again.
func rounds(fn *ssa.Function) map[*ssa.BasicBlock][]*ssa.BasicBlock {
	all := map[*ssa.BasicBlock][]*ssa.BasicBlock{}
	for _, b := range fn.Blocks {
		for _, head := range b.Succs {
			if head.Dominates(b) {
				all[head] = append(all[head], b)
			}
		}
	}
	outer := map[*ssa.BasicBlock][]*ssa.BasicBlock{}
	for head, ends := range all {
		within := false
		for other, ends := range all {
			within = within || other != head && other.Dominates(head) && slices.ContainsFunc(ends, func(end *ssa.BasicBlock) bool {
				return leadsTo(head, end)
			})
		}
		if !within {
			outer[head] = ends
		}
	}
	return outer
}

// leadsTo says whether control can get from a to b.
func leadsTo(a, b *ssa.BasicBlock) bool {
	seen := map[*ssa.BasicBlock]bool{a: true}
	for work := []*ssa.BasicBlock{a}; len(work) > 0; work = work[1:] {
		if work[0] == b {
			return true
		}
		for _, next := range work[0].Succs {
			if !seen[next] {
				seen[next] = true
				work = append(work, next)
			}
		}
	}
	return false
}
