package explore

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"
)

// Result is what an exploration found.
type Result struct {
	States    int
	Moves     int // transitions
	Rests     int // states at rest: no cell has anything to do
	Depth     int // of the deepest state
	Took      time.Duration
	Complete  bool   // every state was visited
	Violation string // the first law that is broken; "": none
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

// Bounds end an exploration that would take too long. Zero: no bound.
type Bounds struct {
	States int
	Time   time.Duration
}

// model is what can be searched: states of one kind, and moves between them.
type model[S any] interface {
	// moves appends what may happen in a state. It is open if a cell has
	// something to do, and at rest otherwise.
	moves(s S, buf []Move) (all []Move, open bool)
	// step makes a move. violation says which law it breaks.
	step(s S, m Move) (next S, violation string)
	// hash names a state.
	hash(s S) name
	// judge looks at a state at rest.
	judge(s S) error
}

// name stands for an encoding: 128 bits.
type name [2]uint64

// names gives names. Two differ by their seeds.
type names [2]maphash.Seed

func newNames() names { return names{maphash.MakeSeed(), maphash.MakeSeed()} }

func (n *names) of(code []byte) name {
	return name{maphash.Bytes(n[0], code), maphash.Bytes(n[1], code)}
}

// visit is a state in the tree of first visits.
type visit struct {
	from  int32
	depth int32
	move  Move
}

// Explore visits every state of a scenario. It searches breadth first, so that the
// trace to a violation is a shortest one.
func Explore(sc *Scenario, b Bounds) Result {
	w, root := newWorld(sc)
	r, path := search(w, root, b)
	if r.Violation != "" {
		r.Trace = sc.tell(path)
	}
	return r
}

// search is the search itself. path leads to the violation.
func search[S any](m model[S], root S, b Bounds) (r Result, path []Move) {
	h := hunt[S]{
		model: m, began: time.Now(),
		visits: []visit{{from: -1}}, visited: map[name]int32{m.hash(root): 0},
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
	visited map[name]int32 // the visit of each state
	made    graph
	buf     []Move
	found   Result
}

// run visits every state, level by level. A violation comes with its state, and with
// the move from there if it takes one.
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

// expand makes every move from a state. New states are appended to next.
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
		its := h.hash(t)
		if its == own {
			return "law L9: a move changes nothing, and may be repeated for ever", []Move{mv}
		}
		to, old := h.visited[its]
		if !old {
			to = int32(len(h.visits))
			h.visited[its] = to
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

// judgeAll looks at all moves together. Each must lead nearer to a state at rest. A
// finite graph without a ring has such a state. The search is at fault if it found
// none.
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

// follow goes along a path, and then on by moves known by their positions.
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

// judge looks at a state at rest, whatever the environment may still do. It lets the
// environment be kind and some deadlines come, as they do when nothing else happens.
// Then nothing may be open.
func (w *World) judge(s state) error {
	w.playing = true
	defer func() { w.playing = false }()
	passed := map[name]bool{}
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
		w.look(s)
		m, ok := w.next(w.possible(s, nil))
		if !ok {
			if left == 0 || len(w.deadlines(s)) == 0 {
				break
			}
			m = Move{Kind: Wait}
			left--
		}
		next, violation := w.step(s, m)
		if violation != "" {
			return errors.New(violation)
		}
		s = next
	}
	if err := w.atRest(); err != nil {
		return err
	}
	if w.sc.Rest != nil && !w.Stopped {
		return w.sc.Rest(w)
	}
	return nil
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
		number := fmt.Sprintf("%3d", n+1)
		for _, line := range w.said {
			lines = append(lines, number+"  "+line)
			number = "   "
		}
	}
	return lines
}
