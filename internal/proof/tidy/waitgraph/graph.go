package waitgraph

import (
	"cmp"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Graph says which goroutines of a program may wait for which others.
type Graph struct {
	*places
	rests  func(*ssa.Function) bool // whether loops rest in a function
	bodies map[*ssa.Function]*body
	ops    []*op
	under  map[*place][]*op // what is done under each lock
	loops  []*loop
	edges  []*edge
}

// loop is what a goroutine runs, named after its first function. All goroutines that
// start with the same function are one loop.
type loop struct {
	name string
	fn   *ssa.Function
	way  map[*ssa.Function]*step // how each function is reached
}

// step is the last call on the shortest way to a function.
type step struct {
	from  *ssa.Function // nil: the way begins here
	pos   token.Pos
	depth int // calls on the way
}

// edge says that one loop may wait for another.
type edge struct {
	from, to *loop
	wait     *op // what from does
	by       *op // what to does, which ends the wait
}

// Config says what is read, and how.
type Config struct {
	Dir string // the folder in which the patterns are read

	// Rest matches the names of functions in which loops wait for their own
	// inbox, beside those that are found; nil: none.
	Rest *regexp.Regexp

	// Overlay has text that replaces that of files, by their full names.
	Overlay map[string][]byte
}

// Load reads the packages that the patterns name, with the modules that they use, and
// finds which loops may wait for which.
func Load(cfg Config, patterns ...string) (*Graph, error) {
	p, err := load(cfg, patterns)
	if err != nil {
		return nil, err
	}
	g := &Graph{places: newPlaces(p)}
	g.rests = func(fn *ssa.Function) bool { return cfg.Rest != nil && cfg.Rest.MatchString(nameOf(fn)) }
	g.bodies = g.read()
	for _, fn := range g.funcs {
		g.ops = append(g.ops, g.bodies[fn].ops...)
	}
	g.findUnder()
	g.ops = append(g.ops, g.slowLocks()...)
	g.findLoops()
	g.findEdges()
	return g, nil
}

// reach finds the functions that may be called from others, nearest first. It goes
// into none of which stop is true.
func (g *Graph) reach(from []*ssa.Function, stop func(*ssa.Function) bool) (order []*ssa.Function, way map[*ssa.Function]*step) {
	way = map[*ssa.Function]*step{}
	for _, fn := range from {
		if _, ok := way[fn]; !ok {
			way[fn] = &step{}
			order = append(order, fn)
		}
	}
	for i := 0; i < len(order); i++ {
		fn := order[i]
		if b := g.bodies[fn]; b != nil && (stop == nil || !stop(fn)) {
			for _, c := range b.calls {
				for _, to := range c.to {
					if _, ok := way[to]; !ok {
						way[to] = &step{fn, c.pos, way[fn].depth + 1}
						order = append(order, to)
					}
				}
			}
		}
	}
	return order, way
}

// findUnder finds what may be done under locks.
func (g *Graph) findUnder() {
	g.under = map[*place][]*op{}
	add := func(held []*place, fn *ssa.Function, pos token.Pos, while *op) {
		for _, p := range held {
			g.under[p] = append(g.under[p], &op{kind: holds, what: p.name, at: []*place{p}, fn: fn, pos: pos, while: while})
		}
	}
	for _, fn := range g.funcs {
		for _, o := range g.bodies[fn].ops {
			add(o.held, fn, o.pos, o)
		}
		for _, c := range g.bodies[fn].calls {
			if len(c.held) == 0 {
				continue
			}
			order, _ := g.reach(c.to, nil)
			for _, below := range order {
				if b := g.bodies[below]; b != nil {
					for _, o := range b.ops {
						add(c.held, fn, c.pos, o)
					}
				}
			}
		}
	}
}

// slowLocks finds the locks whose holder may wait for anything but a quick lock, and
// those that are taken in a circle. A goroutine that locks one of these waits for the
// holder. slowLocks returns what the holders do.
func (g *Graph) slowLocks() (all []*op) {
	slow := map[*place]bool{}
	// reaches says whether the holder of a may come to wait for the lock goal,
	// through other locks; with goal nil, for anything that is no lock.
	var reaches func(a, goal *place, seen map[*place]bool) bool
	reaches = func(a, goal *place, seen map[*place]bool) bool {
		seen[a] = true
		return slices.ContainsFunc(g.under[a], func(h *op) bool {
			switch o := h.while; {
			case !o.waits:
				return false
			case o.kind != lock:
				return goal == nil && len(partners[o.kind]) > 0
			default:
				return slices.ContainsFunc(o.at, func(b *place) bool { return b == goal || !seen[b] && reaches(b, goal, seen) })
			}
		})
	}
	for p := range g.under {
		slow[p] = reaches(p, nil, map[*place]bool{}) || reaches(p, p, map[*place]bool{})
	}
	for p, hs := range g.under {
		for _, h := range hs {
			waits := h.while.waits && len(partners[h.while.kind]) > 0
			if h.while.kind == lock {
				waits = waits && slices.ContainsFunc(h.while.at, func(b *place) bool { return slow[b] })
			}
			if slow[p] && waits {
				all = append(all, h)
			}
		}
	}
	return all
}

// findLoops finds all goroutines that may run: those of main, of init, and of what
// serves HTTP. In packages without a main, any function may start them.
func (g *Graph) findLoops() {
	known := map[*ssa.Function]bool{}
	var queue []*ssa.Function
	add := func(fns ...*ssa.Function) {
		for _, fn := range fns {
			if !known[fn] && fn.Blocks != nil {
				known[fn] = true
				queue = append(queue, fn)
			}
		}
	}
	for _, pkg := range g.roots {
		if main := pkg.Func("main"); main != nil && pkg.Pkg.Name() == "main" {
			add(main, pkg.Func("init"))
		}
	}
	library := len(queue) == 0
	for _, fn := range g.funcs {
		if fn.Name() == "ServeHTTP" {
			add(fn)
		}
		if library && slices.Contains(g.roots, fn.Pkg) {
			add(g.bodies[fn].starts...)
		}
	}
	for len(queue) > 0 {
		l := &loop{name: nameOf(queue[0]), fn: queue[0]}
		order, way := g.reach(queue[:1], nil)
		l.way = way
		queue = queue[1:]
		g.loops = append(g.loops, l)
		for _, fn := range order {
			if b := g.bodies[fn]; b != nil {
				add(b.starts...)
			}
		}
	}
	slices.SortStableFunc(g.loops, func(a, b *loop) int { return strings.Compare(a.name, b.name) })
}

// findEdges finds for each wait what other loops do at the same places to end it.
func (g *Graph) findEdges() {
	doing := map[*place][]*op{}
	for _, o := range g.ops {
		for _, p := range o.at {
			doing[p] = append(doing[p], o)
		}
	}
	for _, from := range g.loops {
		idle := g.idle(from.fn, 0)
		for _, w := range g.ops {
			if from.way[w.fn] != nil && w.waits && !(idle[w.in] && w.kind == receive) && !g.rests(w.fn) {
				g.edges = append(g.edges, g.edgesOf(from, w, doing)...)
			}
		}
	}
	slices.SortStableFunc(g.edges, func(a, b *edge) int {
		return cmp.Or(strings.Compare(a.from.name, b.from.name), strings.Compare(a.to.name, b.to.name),
			g.compare(a.wait.pos, b.wait.pos))
	})
	g.edges = slices.CompactFunc(g.edges, func(a, b *edge) bool { // a deferred call is made at each return
		return a.from == b.from && a.to == b.to && a.wait.pos == b.wait.pos && a.wait.kind == b.wait.kind
	})
}

// edgesOf lists the loops for which a loop waits in one operation. The loop itself is
// among them if no other loop can end the wait. For a lock it never is: its goroutine
// cannot hold the lock and wait for it.
func (g *Graph) edgesOf(from *loop, w *op, doing map[*place][]*op) (edges []*edge) {
	var self []*edge
	for _, to := range g.loops {
		by := g.firstIn(to, w, doing)
		switch e := (&edge{from, to, w, by}); {
		case by == nil:
		case to != from:
			edges = append(edges, e)
		case w.kind != lock:
			self = []*edge{e}
		}
	}
	if len(edges) == 0 {
		return self
	}
	return edges
}

// firstIn is what a loop does to end a wait, by the fewest calls.
func (g *Graph) firstIn(l *loop, wait *op, doing map[*place][]*op) (first *op) {
	for _, p := range wait.at {
		sent := slices.ContainsFunc(doing[p], func(o *op) bool { return o.kind == send })
		if wait.kind == receive && wait.choice && !sent {
			continue // a channel that is only closed: the arm ends with the program
		}
		for _, o := range doing[p] {
			if l.way[o.fn] != nil && slices.Contains(partners[wait.kind], o.kind) && !awaited(p, o) &&
				(first == nil || g.nearer(l, o, first)) {
				first = o
			}
		}
	}
	return first
}

func (g *Graph) nearer(l *loop, a, b *op) bool {
	order := cmp.Or(cmp.Compare(l.way[a.fn].depth, l.way[b.fn].depth), g.compare(a.pos, b.pos))
	if order == 0 && a.while != nil && b.while != nil {
		order = g.compare(a.while.pos, b.while.pos)
	}
	return order < 0
}

// awaited says whether a receive is that of an answer: the function that made the
// channel waits there for nothing else. So the sender need not wait.
func awaited(p *place, o *op) bool {
	made, ok := p.id.(*ssa.MakeChan)
	return ok && o.kind == receive && !o.choice && o.fn == made.Parent()
}
