package waitgraph

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Report prints which loops may wait for which, with the calls that lead there, and
// the rings. It leaves out loops whose names do not match between. It takes the
// shortest way to a wait; with ways, the shortest one from each call in the loop's
// own function.
func (g *Graph) Report(w io.Writer, between *regexp.Regexp, ways bool) {
	var from, to *loop
	for _, e := range g.edges {
		if !between.MatchString(e.from.name) || !between.MatchString(e.to.name) {
			continue
		}
		if e.from != from || e.to != to {
			from, to = e.from, e.to
			fmt.Fprintf(w, "%s may wait for %s\n\n", from.name, to.name)
		}
		for i, way := range g.ways(e.from, e.wait, ways) {
			if i > 0 {
				fmt.Fprintln(w, "  or")
			}
			g.chain(w, way, e.wait)
		}
		fmt.Fprintln(w, "  ended by")
		g.chain(w, e.to.way, e.by)
		fmt.Fprintln(w)
	}
	n := 0
	for _, ring := range g.rings() {
		if slices.ContainsFunc(ring, func(l *loop) bool { return !between.MatchString(l.name) }) {
			continue
		}
		n++
		var names []string
		for _, l := range append(ring, ring[0]) {
			names = append(names, l.name)
		}
		fmt.Fprintln(w, "ring:", strings.Join(names, " -> "))
	}
	if n == 0 {
		fmt.Fprintln(w, "no ring")
	}
}

// ways lists the shortest way of a loop to a wait. With all, and unless the wait is
// for a lock, it lists the shortest way from each call in the loop's own function.
func (g *Graph) ways(l *loop, wait *op, all bool) []map[*ssa.Function]*step {
	to := wait.fn
	if !all || l.fn == to || wait.kind == lock {
		return []map[*ssa.Function]*step{l.way}
	}
	var found []map[*ssa.Function]*step
	for _, c := range g.bodies[l.fn].calls {
		_, way := g.reach(c.to, func(fn *ssa.Function) bool { return fn == l.fn })
		if way[to] != nil {
			for _, fn := range c.to {
				way[fn] = &step{from: l.fn, pos: c.pos}
			}
			way[l.fn] = &step{}
			found = append(found, way)
		}
	}
	return found
}

// chain prints the calls that lead a loop to an operation, and the operation.
func (g *Graph) chain(w io.Writer, way map[*ssa.Function]*step, o *op) {
	for _, line := range g.calls(way, o.fn) {
		fmt.Fprintln(w, "    "+line)
	}
	fmt.Fprintf(w, "    %s  %s %s\n", g.where(o.pos), nameOf(o.fn), o)
	for ; o.while != nil; o = o.while {
		fmt.Fprintf(w, "    %s  while %s %s\n", g.where(o.while.pos), nameOf(o.while.fn), o.while)
	}
}

// calls are the calls on a way to a function, each with its position.
func (g *Graph) calls(way map[*ssa.Function]*step, to *ssa.Function) (lines []string) {
	for st := way[to]; st.from != nil; st = way[st.from] {
		if st.from.Synthetic == "" {
			lines = append(lines, fmt.Sprintf("%s  %s", g.where(st.pos), nameOf(st.from)))
		}
	}
	slices.Reverse(lines)
	return lines
}

func (o *op) String() string {
	s := string(o.kind) + " " + o.what
	if o.choice && o.waits {
		s += " (or another arm of its select)"
	}
	return s
}
