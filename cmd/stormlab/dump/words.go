package dump

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Wait is one edge of the wait-for graph between loops.
type Wait struct {
	Who   string   `json:"who"`   // the loop that waits
	In    string   `json:"in"`    // the function
	Line  string   `json:"line"`  // server.go:2341
	State string   `json:"state"` // chan send
	Whom  string   `json:"whom"`  // the loop that must act first
	Via   []string `json:"via"`   // the calls from the loop to the function
}

// Group counts the goroutines that wait in one function.
type Group struct {
	Count int    `json:"count"`
	In    string `json:"in"`
	Whom  string `json:"whom,omitempty"` // the loop that they wait for; "": unknown
	State string `json:"state"`
}

// Story is a dump in words.
type Story struct {
	Goroutines int     `json:"goroutines"`
	Sentence   string  `json:"sentence"`
	Main       string  `json:"main"`             // what the main goroutine does
	Cycle      []Wait  `json:"cycle,omitempty"`  // empty: none
	Others     []Group `json:"others,omitempty"` // waits for the loops, most first
	Places     []Group `json:"places,omitempty"` // where most goroutines are, most first
}

// Explain finds out which loops wait for which.
func Explain(all []Goroutine) Story {
	s := Story{Goroutines: len(all), Places: places(all)}
	waits, busy := map[string]Wait{}, map[string]string{}
	others := map[Group]int{}
	for _, g := range all {
		who := g.loop()
		w, waiting := g.wait()
		switch {
		case who == "" && waiting:
			others[Group{In: w.In, Whom: w.Whom, State: w.State}]++
		case who != "" && waiting && w.Whom != who:
			w.Who = who
			waits[who] = w
		case who != "":
			busy[who] = g.doing()
		}
		if g.ID == 1 {
			s.Main = g.doing()
		}
	}
	s.Others = sorted(others, 8)
	s.Cycle = cycle(waits)
	s.Sentence = sentence(s.Cycle, waits, busy)
	return s
}

// loop names the loop that this goroutine runs, or returns "".
func (g Goroutine) loop() string {
	for _, f := range g.Frames {
		for _, l := range loops {
			if f.short() == l.fn {
				return l.name
			}
		}
	}
	return ""
}

// wait says which loop the goroutine waits for. It returns false if the
// innermost call is not a door.
func (g Goroutine) wait() (w Wait, ok bool) {
	if !strings.HasPrefix(g.State, "chan ") {
		return w, false
	}
	i := g.innermost()
	if i < 0 {
		return w, false
	}
	f := g.Frames[i]
	whom, ok := doors[f.short()]
	if !ok {
		return w, false
	}
	w = Wait{In: f.Name(), Line: f.Line, State: g.State, Whom: whom}
	for _, caller := range g.Frames[i+1:] {
		w.Via = append(w.Via, caller.Name()+" ("+caller.Line+")")
	}
	slices.Reverse(w.Via)
	return w, true
}

// innermost is the index of the innermost call outside the runtime, or -1.
func (g Goroutine) innermost() int {
	return slices.IndexFunc(g.Frames, func(f Frame) bool {
		pkg, _, _ := strings.Cut(f.Func, ".")
		return pkg != "runtime" && pkg != "sync" && !strings.HasPrefix(pkg, "internal/")
	})
}

// doing says what the goroutine does.
func (g Goroutine) doing() string {
	i := g.innermost()
	if i < 0 {
		return g.State
	}
	return fmt.Sprintf("%s, %s (%s)", g.State, g.Frames[i].Name(), g.Frames[i].Line)
}

// cycle follows the waits from each loop until one repeats. A loop waits for at
// most one other.
func cycle(waits map[string]Wait) []Wait {
	for _, first := range slices.Sorted(maps.Keys(waits)) {
		path := []Wait{}
		for who := first; ; {
			w, ok := waits[who]
			if !ok || len(path) == len(waits) {
				break
			}
			path = append(path, w)
			if w.Whom == first {
				if i := slices.IndexFunc(path, func(w Wait) bool { return w.Who == loops[0].name }); i > 0 {
					path = append(path[i:], path[:i]...)
				}
				return path
			}
			who = w.Whom
		}
	}
	return nil
}

func sentence(cycle []Wait, waits map[string]Wait, busy map[string]string) string {
	var parts []string
	for _, w := range cycle {
		parts = append(parts, w.String())
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ") + "."
	}
	for _, who := range slices.Sorted(maps.Keys(waits)) {
		parts = append(parts, waits[who].String())
	}
	for _, who := range slices.Sorted(maps.Keys(busy)) {
		parts = append(parts, who+" is in "+busy[who])
	}
	if len(parts) == 0 {
		return "This program has no known loop that others wait for."
	}
	return "No cycle: " + strings.Join(parts, "; ") + "."
}

// String puts the wait into words.
func (w Wait) String() string {
	return fmt.Sprintf("%s waits in %s for %s", w.Who, w.In, w.Whom)
}

// places groups all goroutines by their innermost function outside the runtime.
func places(all []Goroutine) []Group {
	counts := map[Group]int{}
	for _, g := range all {
		in := "the runtime"
		if i := g.innermost(); i >= 0 {
			in = g.Frames[i].short()
		}
		counts[Group{In: in, State: g.State}]++
	}
	return sorted(counts, 6)
}

func sorted(counts map[Group]int, most int) (groups []Group) {
	for g, n := range counts {
		g.Count = n
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.In, b.In), strings.Compare(a.State, b.State))
	})
	return groups[:min(most, len(groups))]
}
