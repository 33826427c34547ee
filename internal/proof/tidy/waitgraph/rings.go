package waitgraph

import "slices"

// rings finds the loops that may wait for each other: all pairs and, where a larger
// ring holds no pair, the shortest ring through each of its loops. Two loops that do
// so at one place only are no ring: one of them would go on.
func (g *Graph) rings() (all [][]*loop) {
	at := map[[2]*loop][]*place{}
	next := map[*loop][]*loop{}
	for _, e := range g.edges {
		if !slices.Contains(next[e.from], e.to) {
			next[e.from] = append(next[e.from], e.to)
		}
		at[[2]*loop{e.from, e.to}] = union(at[[2]*loop{e.from, e.to}], e.wait.at)
	}
	in := map[*loop]bool{}
	for _, a := range g.loops {
		for _, b := range next[a] {
			if a == b {
				all = append(all, []*loop{a})
			} else if back := at[[2]*loop{b, a}]; a.name < b.name && back != nil && len(union(slices.Clone(back), at[[2]*loop{a, b}])) > 1 {
				all = append(all, []*loop{a, b})
				in[a], in[b] = true, true
			}
		}
	}
	for _, a := range g.loops {
		if ring := shortest(a, next); len(ring) > 2 && !slices.ContainsFunc(ring, func(l *loop) bool { return in[l] }) {
			for _, l := range ring {
				in[l] = true
			}
			all = append(all, ring)
		}
	}
	return all
}

// shortest is the shortest way from a loop back to itself, or nil.
func shortest(a *loop, next map[*loop][]*loop) []*loop {
	before := map[*loop]*loop{}
	for queue := []*loop{a}; len(queue) > 0; queue = queue[1:] {
		for _, l := range next[queue[0]] {
			if l == a {
				ring := []*loop{}
				for x := queue[0]; x != a; x = before[x] {
					ring = append(ring, x)
				}
				ring = append(ring, a)
				slices.Reverse(ring)
				return ring
			}
			if before[l] == nil {
				before[l] = queue[0]
				queue = append(queue, l)
			}
		}
	}
	return nil
}
