package explore

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Epoch is when every exploration begins.
var Epoch = time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC)

// Env is the environment of a node: all that may happen to it from outside, bounded.
// It is part of the state, so it must be plain data, like a machine.
type Env interface {
	// Moves lists what may happen now, always in the same order.
	Moves(w *World) []Move
	// Do makes one of them happen.
	Do(w *World, m Move)
	// Tell takes what a cell tells an adapter. It must not wait.
	Tell(w *World, adapter, from actor.ID, body any)
	// Serve answers a question that a cell asks an adapter.
	Serve(w *World, adapter actor.ID, q any) (answer any)
	// Answered gives an adapter the end of its question.
	Answered(w *World, asker actor.ID, in actor.Input)
	// Name says in words what a move is.
	Name(m Move) string
}

// Host is an environment that can be kind: it does what others wait for. A run-up is
// made of its kind moves, and so is what comes after a state at rest.
type Host interface {
	Env
	// Kind returns the next kind move, if there is one. The node is at rest.
	Kind(w *World) (m Move, ok bool)
}

// Reader is an environment with remote peers that take at once what a cell writes to them,
// and whose socket says so at once. It is asked after each move, and calls World.Give.
type Reader interface {
	Env
	Read(w *World)
}

// Scenario is a small configuration whose every interleaving is explored.
type Scenario struct {
	Name string
	// Plan is the wiring. Env serves the adapters that have a Handler.
	Plan func(w *World) *cell.Plan
	Env  func() Env
	// Begun ends the run-up: the one way of kind moves from the start to the state
	// from which all ways are explored. It is asked in states at rest. Nil: there is
	// no run-up.
	Begun func(w *World) bool

	Jumps   int           // how often the clock may jump to a deadline
	Horizon time.Duration // later deadlines after Epoch do not come; zero: all come
	Leap    time.Duration // the clock jumps at least so far; what is due before comes late
	Crashes int           // how many steps may die
	Message int           // bytes of the largest message that a connection brings
	Stop    bool          // the node may be told to stop at any time
	Whole   bool          // a cell takes and handles a production batch in one move
	Hands   bool          // a cell takes a batch in one move and handles each input in a further one
	Fine    bool          // each effect of a step is performed in a separate move
	Twice   bool          // every move is made twice, and must come out the same (law L10)
	Halts   bool          // the node may halt. It is then told to stop

	// MustSee names what must happen in some state. Without it the exploration would be
	// about nothing.
	MustSee []string

	// Rest checks a state at rest, besides the laws.
	Rest func(w *World) error
	// Settle is how many deadlines come, one after the other, before a state at
	// rest is checked. What is to be retried is then retried.
	Settle int

	// Mutate and Deliver are for negative controls. Mutate breaks the kernel
	// after each run of a cell. Deliver changes what a cell is given.
	Mutate  func(w *World, c *cell.Cell)
	Deliver func(w *World, c *cell.Cell, batch []mailbox.Envelope) []mailbox.Envelope
}

// World is one node that is put into one state after the other. It is the
// driver of its cells.
type World struct {
	*outside
	Sys  *cell.System
	sc   *Scenario
	plan *cell.Plan

	parts   map[name]*part
	loaded  map[actor.ID]*part // the parts that the cells are copies of; nil: none
	bus     *part              // the same for the bus
	touched map[actor.ID]bool  // cells that may have changed in this move
	// busTouched says the same of the bus.
	busTouched bool
	buf        []byte
	dying      actor.ID // the cell whose next step dies
	early      bool     // no Tick yet: it is a move apart from the input
	said       []string // what happened, for a trace
	listen     bool     // there is a trace to write
	playing    bool     // no exploring: a run-up, or what follows a state at rest
	names      names
	settled    map[name]bool // states at rest that pass
}

// newWorld starts the node of a scenario.
func newWorld(sc *Scenario) (*World, state) {
	w := &World{
		outside: &outside{Env: sc.Env(), Clock: Epoch, Jumps: sc.Jumps, Crashes: sc.Crashes, Lives: map[life]phase{}, Hands: map[actor.ID][]mailbox.Envelope{}, Asked: map[asked]bool{}},
		sc:      sc, parts: map[name]*part{}, loaded: map[actor.ID]*part{}, touched: map[actor.ID]bool{}, settled: map[name]bool{},
		names: newNames(),
	}
	plan := *sc.Plan(w)
	mortally := func(id actor.ID, m actor.Machine) actor.Machine { return &mortal{id: id, Machine: m, w: shared{w}} }
	plan.Cells = slices.Clone(plan.Cells)
	for i := range plan.Cells {
		id, build := plan.Cells[i].ID, plan.Cells[i].Build
		plan.Cells[i].Build = func(gen uint32) actor.Machine { return mortally(id, build(gen)) }
	}
	plan.Kinds = slices.Clone(plan.Kinds)
	for i := range plan.Kinds {
		build := plan.Kinds[i].Build
		plan.Kinds[i].Build = func(id actor.ID, arg any) actor.Machine { return mortally(id, build(id, arg)) }
	}
	plan.Adapters = slices.Clone(plan.Adapters)
	for i := range plan.Adapters {
		plan.Adapters[i].Teller = teller{w, plan.Adapters[i].ID}
	}
	w.plan = &plan
	w.Sys = cell.New(&plan, w)
	w.Sys.Start(w.Clock)
	return w, w.runUp(w.save(nil))
}

// runUp returns the state in which the exploration begins. A law that is broken on the
// way there shows in the first move.
func (w *World) runUp(s state) state {
	w.playing = true
	defer func() { w.playing = false }()
	for w.sc.Begun != nil {
		all, open := w.moves(s, nil)
		if !open && w.sc.Begun(w) || w.Violated != "" {
			break
		}
		m, ok := w.next(all)
		if !ok {
			panic("explore: the run-up leads nowhere")
		}
		s, _ = w.step(s, m)
	}
	return s
}

// next is the move that the node makes by itself, or else the kind one.
func (w *World) next(all []Move) (m Move, ok bool) {
	if i := slices.IndexFunc(all, Move.inside); i >= 0 {
		return all[i], true
	}
	if w.Halted && !w.Stopped {
		return Move{Kind: Stop}, true
	}
	if h, is := w.Env.(Host); is && !w.Stopped {
		return h.Kind(w)
	}
	return Move{}, false
}

// teller hands what cells tell an adapter to the environment.
type teller struct {
	w  *World
	id actor.ID
}

func (t teller) Tell(from actor.ID, body any) { t.w.Env.Tell(t.w, t.id, from, body) }

// Machine returns the machine of a cell as it is now, or nil if the cell is gone.
func (w *World) Machine(id actor.ID) actor.Machine {
	c := w.Sys.Lookup(id)
	if c == nil || c.Machine() == nil {
		return nil
	}
	return c.Machine().(*mortal).Machine
}

// Violate reports that a law is broken.
func (w *World) Violate(format string, args ...any) {
	if w.Violated == "" {
		w.Violated = fmt.Sprintf(format, args...)
	}
}

// Say adds a line to the trace.
func (w *World) Say(format string, args ...any) {
	if w.listen {
		w.said = append(w.said, fmt.Sprintf(format, args...))
	}
}

// Wake and Credited note that the step of one cell changed another.
func (w *World) Wake(c *cell.Cell) { w.touched[c.ID] = true }

// Credited: see Wake.
func (w *World) Credited(c *cell.Cell) { w.touched[c.ID] = true }

// Adopt does nothing: a new cell is no part of a state yet.
func (w *World) Adopt(*cell.Cell) {}

// Spawned does nothing.
func (w *World) Spawned(*cell.Cell) {}

// Crashed forgets what the cell had seen.
func (w *World) Crashed(c *cell.Cell, trace string) {
	w.busTouched = true
	if !strings.HasPrefix(trace, intent) {
		w.Violate("%s died: %s", c.Name, trace)
	}
	maps.DeleteFunc(w.Lives, func(l life, _ phase) bool { return l.Cell == c.ID })
}

// Ended lets the next cells in the stop order stop if the node is stopping.
func (w *World) Ended(c *cell.Cell, reason string) {
	w.Say("    %s ends: %s", c.Name, reason)
	if w.Stopped {
		w.stopGroup()
	}
}

// Log tells the trace.
func (w *World) Log(c *cell.Cell, rec actor.Record) {
	w.Say("    %s says: %s %v", c.Name, rec.Msg, rec.Fields)
}

// Halt breaks a law. Few scenarios have a reason to stop the node, and the kernel halts
// when it sees what the design excludes.
func (w *World) Halt(err error) {
	if !w.sc.Halts || strings.HasPrefix(err.Error(), "bug") {
		w.Violate("%v", err)
	}
	w.Halted = true
}

// Now is the state's time.
func (w *World) Now() time.Time { return w.Clock }

func (w *World) living() []*cell.Cell {
	return slices.DeleteFunc(w.Sys.Cells(), func(c *cell.Cell) bool { return !c.Runs() || c.Ended() })
}
