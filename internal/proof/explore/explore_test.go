package explore

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
)

var howLong = flag.String("explore", "", `"long": also the larger explorations, which take minutes each`)

// fault is what may happen besides what the environment does.
type fault func(*Scenario)

func jumps(n int) fault   { return func(sc *Scenario) { sc.Jumps = n } }
func crashes(n int) fault { return func(sc *Scenario) { sc.Crashes = n } }
func stop(sc *Scenario)   { sc.Stop = true }
func calm(sc *Scenario)   { sc.Jumps, sc.Crashes, sc.Stop = 0, 0, false }
func fine(sc *Scenario)   { sc.Fine = true }
func hands(sc *Scenario)  { sc.Hands = true }
func twice(sc *Scenario)  { sc.Twice = true }

// says lets each remote peer say something after its handshake.
func says(words ...string) fault {
	return func(sc *Scenario) {
		o := sc.Env().(*outsideWorld)
		for i := range o.Conns {
			o.Conns[i].Script = words
		}
		sc.Name += "; each says " + strings.Join(words, ", ")
	}
}

// with adds faults to a scenario, and their names to its name.
func with(sc *Scenario, names string, faults ...fault) *Scenario {
	for _, f := range faults {
		f(sc)
	}
	if names != "" {
		sc.Name += "; " + names
	}
	return sc
}

// lifecycle and accept are the two scenarios of a node. In lifecycle connections come,
// shake hands and hang up. In accept a block is mined and accepted meanwhile.
func lifecycle(conns, seats int, without ...actor.ID) *Scenario {
	name := cells(without)
	return nodeScenario("node, lifecycle: "+name+"; "+scale(conns, seats), conns, seats, 0, nil, without...)
}

func accept(conns, seats, mine int, tune func(*node.Settings), without ...actor.ID) *Scenario {
	name := cells(without)
	sc := nodeScenario("node, a block accepted: "+name+"; "+scale(conns, seats), conns, seats, mine, tune, without...)
	if mine > 1 {
		sc.Name += ", two blocks"
	}
	return sc
}

func cells(without []actor.ID) string {
	var names []string
	for id := node.Server; id <= node.Relay; id++ {
		if !slices.Contains(without, id) {
			names = append(names, [...]string{"", "server", "netsync", "chain", "relay"}[id])
		}
	}
	return strings.Join(names, ", ")
}

func scale(conns, seats int) string {
	return [...]string{"", "one peer", "two peers"}[conns] + ", " + [...]string{"", "one seat", "two seats"}[seats]
}

func explorations() []*Scenario {
	return []*Scenario{
		with(asking(false, 2, nil), "a crash, a timeout, stop; effects one by one", jumps(1), fine),
		with(asking(true, 2, nil), "a crash, a timeout, stop", jumps(1)),
		with(asking(true, 2, nil), "a timeout; inputs out of batches, effects one by one", calm, jumps(1), fine, hands),
		with(coming(2, 1, 2), "a crash, stop; effects one by one; all twice", fine, twice),
		with(coming(2, 1, 2), "stop; inputs out of batches", calm, stop, hands),
		with(coming(2, 2, 1), "a crash, stop"),

		with(lifecycle(2, 2, node.Chain, node.Relay), ""),
		with(lifecycle(2, 1, node.Chain), "effects one by one", fine),
		with(lifecycle(2, 1, node.Chain), "a crash", crashes(1)),
		with(lifecycle(2, 1, node.Chain), "stop; all twice", stop, twice),
		with(lifecycle(2, 1, node.Chain), "effects one by one", says("headers"), fine),
		with(lifecycle(1, 1, node.Chain), "a timeout", jumps(1)),
		with(lifecycle(1, 1), "all twice", twice),
		with(accept(1, 1, 1, nil, node.Netsync), "stop", stop),
		with(slowReader(accept(1, 1, 1, impatient, node.Netsync)), "a slow reader"),
	}
}

// longExplorations are those that take more than a few seconds each.
func longExplorations() []*Scenario {
	return []*Scenario{
		with(lifecycle(2, 2, node.Chain), ""),
		with(lifecycle(2, 1), ""),
		with(lifecycle(2, 1, node.Chain), "inputs out of batches", hands),
		with(lifecycle(2, 1, node.Chain), "a timeout", jumps(1)),
		with(accept(2, 1, 1, nil, node.Netsync), ""),
		with(accept(1, 1, 2, nil, node.Netsync), ""),
		with(accept(1, 1, 1, nil, node.Netsync), "a crash", crashes(1)),
		with(accept(1, 1, 1, nil, node.Netsync), "", says("getheaders")),
		with(coming(2, 2, 2), "a crash, stop"),
		with(asking(true, 3, nil), "a crash, two timeouts, stop", jumps(2)),
		with(accept(1, 1, 1, nil), ""),
		with(slowReader(accept(1, 1, 1, impatient, node.Netsync)), "a slow reader, a timeout", jumps(1)),
	}
}

// watched shows that an exploration is not about nothing.
type watched struct{ conns, ready, mine, told int }

// watch notes how many peers of a node were ready at the same time, and how many blocks
// were announced to one of them.
func watch(sc *Scenario) *watched {
	w := &watched{}
	o, ok := sc.Env().(*outsideWorld)
	if !ok {
		return w
	}
	seats := 0
	for _, k := range sc.Plan(nil).Kinds {
		seats += k.Seats
	}
	if sc.Begun == nil && !o.Seeks {
		w.conns = min(seats, len(o.Conns))
	}
	w.mine = min(o.Blocks, 1)
	rest := sc.Rest
	sc.Rest = func(world *World) error {
		ready := 0
		for _, l := range world.Sys.Bus().Lives() {
			if l.Opened {
				ready++
			}
		}
		w.ready = max(w.ready, ready)
		for _, r := range world.Env.(*outsideWorld).Conns {
			w.told = max(w.told, r.Told)
		}
		return rest(world)
	}
	return w
}

// found is what one exploration found.
type found struct {
	Result
	w *watched
}

// exploreAll explores scenarios, which have nothing in common, on all processors.
func exploreAll(t *testing.T, all []*Scenario, bounds Bounds) []found {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	list := make([]found, len(all))
	var next atomic.Int64
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(all); i = int(next.Add(1)) - 1 {
				w := watch(all[i])
				list[i] = found{Explore(all[i], bounds), w}
				t.Logf("%s: %v", all[i].Name, list[i])
			}
		})
	}
	done.Wait()
	return list
}

// explore runs scenarios, which must all hold. A search that needs more states than the
// bound shows nothing about the rest. It fails unless partly says that this is known.
func explore(t *testing.T, all []*Scenario, bounds Bounds, partly bool) {
	var states, deepest, complete int
	began := time.Now()
	for i, r := range exploreAll(t, all, bounds) {
		sc := all[i]
		states, deepest = states+r.States, max(deepest, r.Depth)
		if r.Violation != "" {
			t.Errorf("%s: %s\n%s", sc.Name, r.Violation, strings.Join(r.Trace, "\n"))
		}
		switch {
		case r.Complete:
			complete++
			for _, what := range r.w.missing(sc) {
				t.Errorf("%s: %s", sc.Name, what)
			}
		case !partly && r.Violation == "":
			t.Errorf("%s: not all states were visited", sc.Name)
		}
	}
	t.Logf("%d of %d scenarios complete, %d states in all, the deepest trace has %d moves, %v",
		complete, len(all), states, deepest, time.Since(began).Round(time.Millisecond))
}

// missing says what an exploration was to show and did not.
func (w *watched) missing(sc *Scenario) (all []string) {
	if w.ready < w.conns || w.told < w.mine {
		all = append(all, fmt.Sprintf("never more than %d of %d peers were ready, nor %d of %d blocks announced", w.ready, w.conns, w.told, w.mine))
	}
	for _, what := range sc.MustSee {
		if o := sc.Env().(*outsideWorld); o.Sights[what] == 0 {
			all = append(all, fmt.Sprintf("%q is never seen; seen are %v", what, o.Sights))
		}
	}
	return all
}

// A scenario that shows nothing of what it is about is found.
func TestAScenarioAboutNothingIsFound(t *testing.T) {
	sc := blocksScenario("", a1, []manner{honest(a1)}, []string{"write headers", "BlockConnected"})
	w := watch(sc)
	if r := Explore(sc, Bounds{}); !r.Complete || r.Violation != "" || len(w.missing(sc)) != 2 {
		t.Errorf("%v %q; missing are %q, want two", r, r.Violation, w.missing(sc))
	}
}

// Every interleaving of small configurations keeps the laws: no deadlock, no lost or
// double answer, no event out of order. All seats come free again, and a node that is
// told to stop stops.
func TestEveryInterleavingKeepsTheLaws(t *testing.T) {
	all := slices.Concat(explorations(), blockScenarios(), dialScenarios(), txScenarios())
	if slow {
		explore(t, all, Bounds{States: 1000}, true)
		return
	}
	explore(t, all, Bounds{States: 100_000}, false)
}

func TestLongExplorationsKeepTheLaws(t *testing.T) {
	if *howLong != "long" {
		t.Skip("run with -explore=long")
	}
	explore(t, slices.Concat(longExplorations(), longBlockScenarios(), longTxScenarios()), Bounds{States: 2_000_000}, false)
}
