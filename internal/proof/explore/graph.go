package explore

// graph is what a search has seen of the moves between states, by their numbers:
// four bytes a move.
type graph struct {
	first []int32 // where in to the moves from each state begin
	to    []int32 // where they lead, in the order of the state's moves
}

// state begins the moves of the next state.
func (g *graph) state() { g.first = append(g.first, int32(len(g.to))) }

// edge is its next move.
func (g *graph) edge(to int32) { g.to = append(g.to, to) }

// from returns the moves from a state; none were made from the last ones of a
// search that was cut short.
func (g *graph) from(s int32) (begin, end int32) {
	switch n := int32(len(g.first)); {
	case s >= n:
		return 0, 0
	case s == n-1:
		return g.first[s], int32(len(g.to))
	}
	return g.first[s], g.first[s+1]
}

// ring returns the first state that it finds on a ring of moves, which may be
// repeated for ever; -1: there is none. It walks down from the beginning, and a
// move to a state that the walk has passed and not left closes a ring.
func (g *graph) ring(states int) int32 {
	const (
		unseen = iota
		passed
		left
	)
	type walk struct{ at, next, end int32 }
	colour := make([]uint8, states)
	begin, end := g.from(0)
	path := []walk{{0, begin, end}}
	colour[0] = passed
	for len(path) > 0 {
		w := &path[len(path)-1]
		if w.next == w.end {
			colour[w.at] = left
			path = path[:len(path)-1]
			continue
		}
		to := g.to[w.next]
		w.next++
		switch colour[to] {
		case passed:
			return to
		case unseen:
			colour[to] = passed
			begin, end := g.from(to)
			path = append(path, walk{to, begin, end})
		}
	}
	return -1
}

// around returns the shortest way from a state back to it, each move by its
// position among those of its state.
func (g *graph) around(s int32) (by []int32) {
	type arrival struct{ from, by int32 }
	came := map[int32]arrival{}
	for level := []int32{s}; len(level) > 0; {
		var next []int32
		for _, at := range level {
			begin, end := g.from(at)
			for i := begin; i < end; i++ {
				to := g.to[i]
				if _, old := came[to]; old {
					continue
				}
				came[to] = arrival{at, i - begin}
				next = append(next, to)
				if to != s {
					continue
				}
				for at := came[s]; ; at = came[at.from] {
					by = append([]int32{at.by}, by...)
					if at.from == s {
						return by
					}
				}
			}
		}
		level = next
	}
	return nil
}
