package explore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"acyclic/internal/actor"
	"acyclic/internal/bus"
	"acyclic/internal/cell"
	"acyclic/internal/mailbox"
)

// Epoch is when every exploration begins.
var Epoch = time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC)

// Env is the environment of a node: everything that may happen to it from
// outside, bounded. It must be plain data, like a machine: it is part of the
// state.
type Env interface {
	// Moves lists what may happen now, each time in the same order.
	Moves(w *World) []Move
	// Do makes one of them happen.
	Do(w *World, m Move)
	// Tell takes what a cell tells an edge; it must not wait.
	Tell(w *World, edge, from actor.ID, body any)
	// Serve answers a question that a cell asks an edge.
	Serve(w *World, edge actor.ID, q any) (answer any)
	// Answered gives an edge the end of a question that it asked.
	Answered(w *World, asker actor.ID, in actor.Input)
	// Name says in words what a move is.
	Name(m Move) string
}

// Scenario is a small configuration whose every interleaving is explored.
type Scenario struct {
	Name string
	// Plan is the wiring; edges with a Handler are served by Env.
	Plan func(w *World) *cell.Plan
	Env  func() Env

	Jumps   int           // how often the clock may jump to a deadline
	Horizon time.Duration // deadlines later than this after Epoch are left alone; zero: none are
	Crashes int           // how many steps may die
	Mortal  []actor.ID    // which cells; nil: all
	Stop    bool          // the node may be told to stop at any time
	Whole   bool          // a cell takes and handles a production batch in one move instead of one input
	Hands   bool          // a cell takes a batch in one move and handles each input in a further one
	Fine    bool          // each effect of a step is performed in a move of its own
	Twice   bool          // every move is made twice, and must come out the same (law L10)

	// Rest checks a state in which nothing can happen any more, besides
	// the laws.
	Rest func(w *World) error
	// Settle is how many deadlines are let come, one after the other, at a
	// state at rest before Rest looks at it: what is to be retried is.
	Settle int

	// For negative controls: Mutate breaks the kernel after each run of a
	// cell, Deliver what the kernel hands to a cell.
	Mutate  func(w *World, c *cell.Cell)
	Deliver func(w *World, c *cell.Cell, batch []mailbox.Envelope) []mailbox.Envelope
}

// part is one component of a state: a cell, the bus, or the environment. It is
// made once for each content and shared by all states that have it.
type part struct {
	number uint32
	cell   cell.Snapshot
	bus    *bus.Snapshot
	rest   *outside

	ready   bool      // the cell has something to take
	due     time.Time // its next deadline or timeout; zero: none
	tickets []actor.Ticket
	last    actor.Ticket
	askers  []actor.ID // to whom it owes answers
	edge    bool       // it has no machine: Env serves it
	held    bool       // effects of its last step are still to be performed
}

// outside is what is neither a cell nor the bus.
type outside struct {
	Env      Env
	Clock    time.Time
	Jumps    int
	Crashes  int
	Stopped  bool // the node has been told to stop
	Turn     int  // of the cells that are stopping
	Halted   string
	Lives    map[life]phase                  // what each cell has seen of each peer
	Hands    map[actor.ID][]mailbox.Envelope // taken and not handled
	Violated string                          // a law that was broken in the step
}

// life is one cell's view of one publisher of a ledger.
type life struct{ Cell, Of actor.ID }

type phase uint8

const (
	_ phase = iota
	opened
	closed
)

// state is a whole node: the environment, the bus, and the cells in order.
type state []*part

// World is one node that is put into one state after the other. It is the
// driver of its cells.
type World struct {
	*outside
	Sys  *cell.System
	sc   *Scenario
	plan *cell.Plan

	parts   map[[2]uint64]*part
	known   []*part            // by number
	loaded  map[actor.ID]*part // what the cells are copies of; nil: to be loaded anew
	bus     *part              // the same for the bus
	touched map[actor.ID]bool  // cells that may have changed in this move
	buf     []byte
	dying   actor.ID // whose next step dies
	said    []string // what happened, for a trace; nil: nobody listens
	listen  bool
	seeds   [2]maphash.Seed
	settled map[[2]uint64]bool // states at rest that come in order
}

// newWorld starts the node of a scenario.
func newWorld(sc *Scenario) (*World, state) {
	w := &World{
		outside: &outside{Env: sc.Env(), Clock: Epoch, Jumps: sc.Jumps, Crashes: sc.Crashes, Lives: map[life]phase{}, Hands: map[actor.ID][]mailbox.Envelope{}},
		sc:      sc, parts: map[[2]uint64]*part{}, loaded: map[actor.ID]*part{}, touched: map[actor.ID]bool{}, settled: map[[2]uint64]bool{},
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
	}
	plan := *sc.Plan(w)
	plan.Cells = slices.Clone(plan.Cells)
	for i := range plan.Cells {
		id, build := plan.Cells[i].ID, plan.Cells[i].Build
		plan.Cells[i].Build = func(gen uint32) actor.Machine { return &mortal{id: id, Machine: build(gen), w: shared{w}} }
	}
	plan.Kinds = slices.Clone(plan.Kinds)
	for i := range plan.Kinds {
		build := plan.Kinds[i].Build
		plan.Kinds[i].Build = func(id actor.ID, arg any) actor.Machine {
			return &mortal{id: id, Machine: build(id, arg), w: shared{w}}
		}
	}
	plan.Edges = slices.Clone(plan.Edges)
	for i := range plan.Edges {
		plan.Edges[i].Teller = teller{w, plan.Edges[i].ID}
	}
	w.plan = &plan
	w.Sys = cell.New(&plan, w)
	w.Sys.Start(w.Clock)
	for _, c := range w.Sys.Cells() {
		w.touched[c.ID] = true
	}
	return w, w.save(nil)
}

// mortal is a machine whose step can be made to die when it is done: nothing of
// it has then happened (law L11). With Fine it hands out the effects of a step
// one by one; until it has, it takes no other input.
type mortal struct {
	id actor.ID
	actor.Machine
	w    shared
	Held []actor.Effect
}

// further asks a machine for its next effect.
type further struct{}

func (m *mortal) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	effects := outboxEffects(out)
	if _, ok := in.Body.(further); ok {
		*effects = append(*effects, m.Held[0])
		m.Held = m.Held[1:]
		return
	}
	m.Machine.Step(now, in, out)
	if m.w.dying == m.id {
		m.w.dying = 0
		panic(intent)
	}
	if m.w.sc.Fine && len(*effects) > 1 && !m.w.carries(*effects) {
		// A cell ends after all effects of its last step.
		all := slices.Clone(*effects)
		slices.SortStableFunc(all, func(a, b actor.Effect) int { return last(a) - last(b) })
		m.Held = slices.DeleteFunc(all[1:], func(e actor.Effect) bool { return e.Kind == actor.Log })
		*effects = append((*effects)[:0], all[0])
	}
}

func last(e actor.Effect) int {
	if e.Kind == actor.Finish {
		return 1
	}
	return 0
}

// carries says whether effects pass on the credit of the step's input, which is
// given back after the step.
func (w *World) carries(effects []actor.Effect) bool {
	return slices.ContainsFunc(effects, func(e actor.Effect) bool {
		return e.Kind == actor.Publish && w.Sys.Bus().IsTraffic(e.Topic)
	})
}

// Deadline is none while effects are to be performed.
func (m *mortal) Deadline() time.Time {
	if len(m.Held) > 0 {
		return time.Time{}
	}
	return m.Machine.Deadline()
}

// Check is left until then, too: an invariant may span an effect.
func (m *mortal) Check() error {
	if len(m.Held) > 0 {
		return nil
	}
	return m.Machine.Check()
}

// outboxEffects reaches the effects recorded in an outbox.
func outboxEffects(out *actor.Outbox) *[]actor.Effect {
	f := reflect.ValueOf(out).Elem().FieldByName("effects")
	return (*[]actor.Effect)(unsafe.Pointer(f.UnsafeAddr()))
}

// intent is why a step dies that was told to.
const intent = "a death by intent"

// shared is a pointer that is no part of the state.
type shared struct{ *World }

// teller hands what cells tell an edge to the environment.
type teller struct {
	w  *World
	id actor.ID
}

func (t teller) Tell(from actor.ID, body any) { t.w.Env.Tell(t.w, t.id, from, body) }

// Machine returns the machine of a cell as it is now; nil when it is gone.
func (w *World) Machine(id actor.ID) actor.Machine {
	c := w.Sys.Lookup(id)
	if c == nil || c.Machine() == nil {
		return nil
	}
	return c.Machine().(*mortal).Machine
}

// Deliver is how the environment hands something to a cell.
func (w *World) Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) bool {
	return w.Sys.Deliver(from, to, lane, body, bytes)
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

// load puts the node into a state.
func (w *World) load(s state) {
	w.look(s)
	w.outside = clone(s[0].rest)
}

// look puts the node into a state to look at: what is outside must not be
// changed. Only what is not so already is copied.
func (w *World) look(s state) {
	w.outside = s[0].rest
	if w.bus != s[1] {
		w.bus = s[1]
		w.Sys.Bus().Load(clone(s[1].bus))
	}
	for _, p := range s[2:] {
		if w.loaded[p.cell.ID] != p || w.Sys.Lookup(p.cell.ID) == nil {
			w.Sys.Load(clone(p.cell))
			w.loaded[p.cell.ID] = p
		}
	}
	for _, c := range w.Sys.Cells() {
		if c.ID.Parent() != 0 && !slices.ContainsFunc(s[2:], func(p *part) bool { return p.cell.ID == c.ID }) {
			w.Sys.Forget(c.ID)
			delete(w.loaded, c.ID)
			continue
		}
		c.Rewind(w.Clock)
	}
	clear(w.touched)
}

// save returns the state that the node is in after a move from the state from.
// What has not been touched is taken from there.
func (w *World) save(from state) state {
	was := map[actor.ID]*part{}
	for i, p := range from {
		if i >= 2 {
			was[p.cell.ID] = p
		}
	}
	s := make(state, 2, len(from)+3)
	for _, c := range w.Sys.Cells() {
		if p := was[c.ID]; p != nil && !w.touched[c.ID] {
			s = append(s, p)
			continue
		}
		s = append(s, w.saveCell(c))
	}
	s[1] = w.saveBus()
	out := w.outside
	s[0] = w.intern(encode(w.buf[:0], out), func() *part { return &part{rest: out} }, nil)
	return s
}

func (w *World) saveCell(c *cell.Cell) *part {
	sn := c.Save()
	w.loaded[c.ID] = nil
	p := w.intern(encode(w.buf[:0], &sn), func() *part {
		p := &part{cell: sn, edge: sn.Machine == nil}
		next := sn.Box.Next()
		if next != 0 {
			p.due = time.Unix(0, next).UTC()
		}
		if sn.Machine != nil && !sn.Ended {
			if err := errors.Join(sn.Machine.Check(), sn.Box.Check()); err != nil {
				w.Violate("%s: %v", c.Name, err)
			}
			if d := sn.Machine.Deadline(); !d.IsZero() && (p.due.IsZero() || d.Before(p.due)) {
				p.due = d.UTC()
			}
		}
		p.ready = !sn.Box.Empty() && !sn.Ended
		if m, ok := sn.Machine.(*mortal); ok && len(m.Held) > 0 {
			p.held = true
		}
		p.tickets, p.last = sn.Box.Tickets(nil)
		for _, call := range sn.Box.Owed() {
			p.askers = append(p.askers, call.Asker)
		}
		return p
	}, func(p *part) { w.loaded[c.ID] = p })
	return p
}

func (w *World) saveBus() *part {
	sn := w.Sys.Bus().Save()
	w.bus = nil
	return w.intern(encode(w.buf[:0], sn), func() *part {
		if err := w.Sys.Bus().Check(); err != nil {
			w.Violate("bus: %v", err)
		}
		return &part{bus: sn}
	}, func(p *part) { w.bus = p })
}

// intern returns the part with an encoding. A new one takes over the memory of
// the node; an old one is what the node still is a copy of.
func (w *World) intern(code []byte, fresh func() *part, old func(*part)) *part {
	w.buf = code
	key := [2]uint64{maphash.Bytes(w.seeds[0], code), maphash.Bytes(w.seeds[1], code)}
	p := w.parts[key]
	if p == nil {
		p = fresh()
		p.number = uint32(len(w.known))
		w.parts[key] = p
		w.known = append(w.known, p)
	} else if old != nil {
		old(p)
	}
	return p
}

// hash is a state's name: 128 bits.
func (w *World) hash(s state) [2]uint64 {
	w.buf = w.buf[:0]
	for _, p := range s {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, p.number)
	}
	return [2]uint64{maphash.Bytes(w.seeds[0], w.buf), maphash.Bytes(w.seeds[1], w.buf)}
}

// Wake and Credited note that a cell was changed by another's step.
func (w *World) Wake(c *cell.Cell) { w.touched[c.ID] = true }

// Credited: see Wake.
func (w *World) Credited(c *cell.Cell) { w.touched[c.ID] = true }

// Adopt needs nothing: a new cell is no part of any state yet.
func (w *World) Adopt(*cell.Cell) {}

// Spawned needs nothing.
func (w *World) Spawned(*cell.Cell) {}

// Crashed forgets what the cell had seen.
func (w *World) Crashed(c *cell.Cell, trace string) {
	if !strings.HasPrefix(trace, intent) {
		w.Violate("%s died: %s", c.Name, trace)
	}
	for l := range w.Lives {
		if l.Cell == c.ID {
			delete(w.Lives, l)
		}
	}
}

// Ended lets the next turn stop when the node is stopping.
func (w *World) Ended(c *cell.Cell, reason string) {
	w.Say("    %s ends: %s", c.Name, reason)
	if w.Stopped {
		w.stopTurn()
	}
}

// Log tells the trace.
func (w *World) Log(c *cell.Cell, rec actor.Record) {
	w.Say("    %s says: %s %v", c.Name, rec.Msg, rec.Fields)
}

// Halt breaks a law: nothing in these scenarios is a reason to stop the node,
// and the kernel calls it when it recognises what the design excludes.
func (w *World) Halt(err error) {
	w.Violate("%v", err)
	w.Halted = err.Error()
}

// Now is the state's time.
func (w *World) Now() time.Time { return w.Clock }

func (w *World) living() []*cell.Cell {
	return slices.DeleteFunc(w.Sys.Cells(), func(c *cell.Cell) bool { return !c.Runs() || c.Ended() })
}
