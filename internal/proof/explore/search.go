package explore

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Result is what an exploration found.
type Result struct {
	States    int
	Moves     int // transitions
	Rests     int // states in which nothing can happen any more
	Depth     int // of the deepest state
	Parts     int // different cells, buses and environments
	Took      time.Duration
	Complete  bool   // every state was visited
	Violation string // the first law that is broken; "": none is
	Trace     []string
	Steps     int // moves to the violation
}

// String is one line.
func (r Result) String() string {
	s := fmt.Sprintf("%d states, %d moves, %d at rest, depth %d, %v", r.States, r.Moves, r.Rests, r.Depth, r.Took.Round(time.Millisecond))
	if !r.Complete && r.Violation == "" {
		s += " (not all: the bound was reached)"
	}
	return s
}

// Write prints the result with the trace, if there is one.
func (r Result) Write(w io.Writer) {
	fmt.Fprintln(w, r)
	if r.Violation != "" {
		fmt.Fprintf(w, "%s:\n", r.Violation)
	}
	for _, line := range r.Trace {
		fmt.Fprintln(w, line)
	}
}

// Bounds end an exploration that would take too long. Zero: no bound.
type Bounds struct {
	States int
	Time   time.Duration
}

// model is what can be searched: states of one kind, and moves between them.
type model[S any] interface {
	// moves appends what may happen in a state. open says that somebody
	// inside has something to do; otherwise the state is at rest.
	moves(s S, buf []Move) (all []Move, open bool)
	// step makes a move; violation says which law it breaks.
	step(s S, m Move) (next S, violation string)
	// hash is a state's name.
	hash(s S) [2]uint64
	// judge looks at a state at rest.
	judge(s S) error
}

// visit is a state in the tree of first visits.
type visit struct {
	from  int32
	depth int32
	move  Move
}

// Explore visits every state of a scenario, breadth first, so that the trace to
// a violation is a shortest one.
func Explore(sc *Scenario, b Bounds) Result {
	w, root := newWorld(sc)
	r, path := search(w, root, b)
	r.Parts = len(w.known)
	if r.Violation != "" {
		r.Trace = sc.tell(path)
	}
	return r
}

// search is the search itself; path leads to the violation.
func search[S any](m model[S], root S, b Bounds) (r Result, path []Move) {
	h := hunt[S]{
		model: m, began: time.Now(),
		visits: []visit{{from: -1}}, visited: map[[2]uint64]int32{m.hash(root): 0},
	}
	violation, at, last := h.run(root, b)
	path = append(h.path(at), last...)
	if violation == "" {
		violation, path = h.judgeAll(root)
	}
	r = h.found
	r.States, r.Depth = len(h.visits), int(h.visits[len(h.visits)-1].depth)
	r.Violation, r.Steps, r.Took = violation, len(path), time.Since(h.began)
	return r, path
}

// hunt is one search under way.
type hunt[S any] struct {
	model[S]
	began   time.Time
	visits  []visit
	visited map[[2]uint64]int32 // which visit a state had
	made    graph
	buf     []Move
	found   Result
}

// run visits every state, level by level. A violation comes with the state it was
// found at, and the move from there, if it takes one.
func (h *hunt[S]) run(root S, b Bounds) (violation string, at int32, last []Move) {
	first := int32(0) // the visit of level[0]
	for level := []S{root}; len(level) > 0; {
		var next []S
		for i, s := range level {
			at := first + int32(i)
			if violation, last = h.expand(s, at, &next); violation != "" {
				return violation, at, last
			}
			if b.States > 0 && len(h.visits) >= b.States || b.Time > 0 && i%256 == 0 && time.Since(h.began) > b.Time {
				return "", 0, nil
			}
		}
		first += int32(len(level))
		level = next
	}
	h.found.Complete = true
	return "", 0, nil
}

// expand makes every move from a state; states that are new are appended to next.
func (h *hunt[S]) expand(s S, me int32, next *[]S) (violation string, last []Move) {
	h.made.state()
	var open bool
	if h.buf, open = h.moves(s, h.buf[:0]); !open {
		h.found.Rests++
		if err := h.judge(s); err != nil {
			return err.Error(), nil
		}
	}
	own := h.hash(s)
	for _, mv := range h.buf {
		t, violation := h.step(s, mv)
		h.found.Moves++
		if violation != "" {
			return violation, []Move{mv}
		}
		name := h.hash(t)
		if name == own {
			return "law L9: a move changes nothing, and may be repeated for ever", []Move{mv}
		}
		to, old := h.visited[name]
		if !old {
			to = int32(len(h.visits))
			h.visited[name] = to
			h.visits = append(h.visits, visit{me, h.visits[me].depth + 1, mv})
			*next = append(*next, t)
		}
		h.made.move(to)
	}
	return "", nil
}

// path leads to a state, by the moves of the first visits.
func (h *hunt[S]) path(to int32) (path []Move) {
	for ; to > 0; to = h.visits[to].from {
		path = append(path, h.visits[to].move)
	}
	slices.Reverse(path)
	return path
}

// judgeAll looks at all moves together: each must lead nearer to a state at rest.
// (A finite graph without a ring has one; that there is none would be a fault of
// the search.)
func (h *hunt[S]) judgeAll(root S) (violation string, path []Move) {
	if at := h.made.ring(len(h.visits)); at >= 0 {
		by := h.made.around(at)
		return fmt.Sprintf("law L9: %d moves lead back to where they began, and may be repeated for ever", len(by)),
			follow(h.model, root, h.path(at), by)
	}
	if h.found.Complete && h.found.Rests == 0 {
		return "law L9: no state is at rest", nil
	}
	return "", nil
}

// follow goes along a path and then on by moves that are known by their
// positions.
func follow[S any](m model[S], s S, path []Move, by []int) []Move {
	for _, mv := range path {
		s, _ = m.step(s, mv)
	}
	for _, n := range by {
		moves, _ := m.moves(s, nil)
		path = append(path, moves[n])
		s, _ = m.step(s, moves[n])
	}
	return path
}

// judge looks at a state in which no cell has anything to do, whatever the
// environment may still do: it lets some deadlines come, as they do when nothing
// else happens, and then nothing may be open.
func (w *World) judge(s state) error {
	passed := map[[2]uint64]bool{}
	for left := w.sc.Settle; ; {
		key := w.hash(s)
		key[0] += uint64(left)
		if passed[key] {
			return errors.New("law L9: when deadlines come, what follows is repeated for ever")
		}
		if w.settled[key] {
			return nil
		}
		passed[key], w.settled[key] = true, true
		m, ok := w.internal(s)
		if !ok {
			at := w.deadlines(s)
			if left == 0 || len(at) == 0 {
				break
			}
			left--
			m = Move{Kind: Wait}
		}
		next, violation := w.step(s, m)
		if violation != "" {
			return errors.New(violation)
		}
		s = next
	}
	w.look(s)
	if err := w.atRest(); err != nil {
		return err
	}
	if w.sc.Rest != nil && !w.Stopped {
		return w.sc.Rest(w)
	}
	return nil
}

// internal returns a move that a cell or an edge makes by itself.
func (w *World) internal(s state) (Move, bool) {
	w.look(s)
	for _, m := range w.possible(s, nil) {
		if m.inside() {
			return m, true
		}
	}
	return Move{}, false
}

func (w *World) moves(s state, buf []Move) (all []Move, open bool) {
	w.look(s)
	all = w.possible(s, buf)
	return all, slices.ContainsFunc(all, Move.inside)
}

func (w *World) step(s state, m Move) (next state, violation string) {
	w.load(s)
	w.do(s, m)
	next = w.save(s)
	if w.sc.Twice && w.Violated == "" {
		for _, c := range w.Sys.Cells() {
			w.touched[c.ID] = true
		}
		w.busTouched = true
		if w.hash(w.save(s)) != w.hash(next) {
			panic("explore: a cell or the bus changed and was not noticed")
		}
		w.load(s)
		w.do(s, m)
		if w.hash(w.save(s)) != w.hash(next) {
			w.Violate("law L10: the same step of the same state came out differently")
		}
	}
	return next, w.Violated
}

// tell makes the moves of a path once more and says what happens.
func (sc *Scenario) tell(path []Move) (lines []string) {
	w, s := newWorld(sc)
	for n, m := range path {
		w.load(s)
		w.listen, w.said = true, nil
		w.do(s, m)
		s = w.save(s)
		for i, line := range w.said {
			if i == 0 {
				line = fmt.Sprintf("%3d  %s", n+1, line)
			} else {
				line = "     " + line
			}
			lines = append(lines, line)
		}
	}
	return lines
}
