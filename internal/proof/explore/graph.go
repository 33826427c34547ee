package explore

import "slices"

// graph is what a search has seen of the moves between states, by their numbers:
// four bytes a move.
type graph struct {
	first []int32 // where in to the moves from each state begin
	to    []int32 // the states they lead to, in the order of the state's moves
}

// state begins the moves of the next state.
func (g *graph) state() { g.first = append(g.first, int32(len(g.to))) }

// move is its next move.
func (g *graph) move(to int32) { g.to = append(g.to, to) }

// from returns the states that the moves from a state lead to. A search that was
// cut short has made none from its last states.
func (g *graph) from(s int32) []int32 {
	switch n := int32(len(g.first)); {
	case s >= n:
		return nil
	case s == n-1:
		return g.to[g.first[s]:]
	}
	return g.to[g.first[s]:g.first[s+1]]
}

// ring returns the first state that it finds on a ring of moves, which may be
// repeated for ever. Without a ring it returns -1. It walks down from the beginning.
// A move to a state that the walk has passed and not left closes a ring.
func (g *graph) ring(states int) int32 {
	const (
		unseen = iota
		passed
		left
	)
	type walk struct {
		at   int32
		rest []int32
	}
	colour := make([]uint8, states)
	colour[0] = passed
	path := []walk{{0, g.from(0)}}
	for len(path) > 0 {
		w := &path[len(path)-1]
		if len(w.rest) == 0 {
			colour[w.at] = left
			path = path[:len(path)-1]
			continue
		}
		to := w.rest[0]
		w.rest = w.rest[1:]
		switch colour[to] {
		case passed:
			return to
		case unseen:
			colour[to] = passed
			path = append(path, walk{to, g.from(to)})
		}
	}
	return -1
}

// around returns the shortest way from a state back to it, each move by its
// position among those of its state.
func (g *graph) around(s int32) (by []int) {
	type arrival struct {
		from int32
		by   int
	}
	came := map[int32]arrival{}
	for next := []int32{s}; len(next) > 0; next = next[1:] {
		for i, to := range g.from(next[0]) {
			if _, old := came[to]; !old {
				came[to] = arrival{next[0], i}
				next = append(next, to)
			}
		}
		if _, back := came[s]; back {
			break
		}
	}
	for at := came[s]; ; at = came[at.from] {
		if by = append(by, at.by); at.from == s {
			slices.Reverse(by)
			return by
		}
	}
}
