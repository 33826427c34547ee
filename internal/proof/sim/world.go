package sim

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Epoch is when every world begins.
var Epoch = time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC)

// World is a run: nodes, a clock, a seed.
type World struct {
	Now   time.Time
	Steps uint64 // inputs handled

	// Check says whether the invariants of machine and mailbox are verified
	// after each batch.
	Check bool
	// Even gives all cells the same delay, for tests that are not about
	// schedules.
	Even bool

	nodes int
	rng   *rand.Rand
	queue events
	batch []mailbox.Envelope
	seq   uint64
	hash  hash.Hash64
	buf   []byte
	err   error
}

// Node is one node of a world.
type Node struct {
	Name    string
	Sys     *cell.System
	Halted  error
	Records []Record // log records of level Warn and above
	Deaths  int
	Death   string // the trace of the last death
	// Ahead is how far this node's clock is ahead of the world's. Its adapters
	// go by the world's: the network between the nodes has one clock.
	Ahead time.Duration

	w        *World
	index    int
	stopping bool
	group    int // of the stop order: the cells that are stopping
}

// Record is a log record with its time and cell.
type Record struct {
	At   time.Time
	Cell string
	actor.Record
}

// runner is what the driver keeps with a cell.
type runner struct {
	node   *Node
	cell   *cell.Cell
	due    time.Time // when its next event stands in the queue; zero: none
	speed  int64     // nanoseconds that a batch takes, about
	change time.Time // when the next speed is drawn
}

// event lets a cell run.
type event struct {
	at  time.Time
	seq uint64
	r   *runner
}

// events is a heap, the first event on top.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return cmp.Or(q[i].at.Compare(q[j].at), cmp.Compare(q[i].seq, q[j].seq)) < 0
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

// New returns an empty world.
func New(seed uint64) *World {
	return &World{Now: Epoch, rng: rand.New(rand.NewPCG(seed, 0x5eed)), hash: fnv.New64a()}
}

// Part is a machine that plays one of a node's adapters.
type Part struct {
	ID    actor.ID
	Name  string
	Build func() actor.Machine
	Ports []actor.PortSpec // of the machine
}

const (
	// partsLast is where parts stand in the stop order: after all cells.
	partsLast = 1 << 20
	// told is the room for what cells tell a part. The peer cells bound what
	// they write.
	told = 1 << 16
)

// teller hands what cells tell an adapter to the machine that plays it.
type teller struct {
	node *Node
	id   actor.ID
}

func (t teller) Tell(from actor.ID, body any) {
	if !t.node.Sys.Deliver(from, t.id, actor.Control, body, 0) && !t.node.Sys.Lookup(t.id).Ended() {
		t.node.w.fail(fmt.Errorf("%s: no room for what adapter %v is told", t.node.Name, t.id))
	}
}

// Add starts a node whose adapters are played by parts.
func (w *World) Add(name string, plan *cell.Plan, parts ...Part) *Node {
	n := &Node{Name: name, w: w, index: w.nodes}
	plan.Adapters = nil
	for _, p := range parts {
		plan.Adapters = append(plan.Adapters, cell.Adapter{ID: p.ID, Name: p.Name, Teller: teller{n, p.ID}})
		plan.Cells = append(plan.Cells, cell.Static{
			ID: p.ID, Name: p.Name, Ports: p.Ports, Control: told, Stop: partsLast,
			Build: func(uint32) actor.Machine { return p.Build() },
		})
	}
	n.Sys = cell.New(plan, n)
	w.nodes++
	for _, c := range n.Sys.Cells() {
		n.Adopt(c)
		n.Spawned(c)
	}
	n.Sys.Start(w.Now)
	return n
}

// Adopt gives a cell its runner.
func (n *Node) Adopt(c *cell.Cell) { c.Local = &runner{node: n, cell: c} }

// Spawned lets a new cell run.
func (n *Node) Spawned(c *cell.Cell) { n.Wake(c) }

// ahead is how far the cell's clock is ahead.
func (r *runner) ahead() time.Duration {
	if r.cell.Stop() == partsLast {
		return 0
	}
	return r.node.Ahead
}

// delay is how long a cell's next batch has to wait.
func (w *World) delay(r *runner) time.Duration {
	if w.Even {
		return time.Microsecond
	}
	if !w.Now.Before(r.change) {
		// From 10^9 to 10^3 batches a second, for 1 ms to 10 s.
		r.speed = int64(math.Pow10(w.rng.IntN(7)))
		r.change = w.Now.Add(time.Duration(math.Pow10(w.rng.IntN(5))) * time.Millisecond)
	}
	return time.Duration(1 + w.rng.Int64N(2*r.speed))
}

// schedule lets a cell run at a time, unless it runs earlier.
func (w *World) schedule(r *runner, at time.Time) {
	if r.due.IsZero() || at.Before(r.due) {
		r.due = at
		w.seq++
		heap.Push(&w.queue, event{at, w.seq, r})
	}
}

// Run handles inputs until the condition until holds, the bound of virtual time is
// reached, nothing is left to do, or something is wrong.
func (w *World) Run(bound time.Duration, until func() bool) error {
	end := w.Now.Add(bound)
	for len(w.queue) > 0 && w.err == nil {
		if w.queue[0].at.After(end) {
			w.Now = end
			break
		}
		e := heap.Pop(&w.queue).(event)
		if !e.at.Equal(e.r.due) {
			continue // the cell ran earlier
		}
		e.r.due = time.Time{}
		if e.at.After(w.Now) {
			w.Now = e.at
		}
		w.run(e.r)
		if until != nil && until() {
			break
		}
	}
	return w.err
}

// run runs one batch of a cell and schedules the next.
func (w *World) run(r *runner) {
	c := r.cell
	if !c.Runs() || c.Ended() {
		return
	}
	now := w.Now.Add(r.ahead())
	next := w.take(r, now)
	w.mix(uint64(w.Now.UnixNano()), uint64(r.node.index), uint64(c.ID), uint64(len(w.batch)))
	for _, e := range w.batch {
		w.Steps++
		w.Mix([]byte(reflect.TypeOf(e.In.Body).String()))
		w.mix(uint64(e.In.From), uint64(e.In.Ticket))
	}
	r.node.Sys.Run(c, now, w.batch)
	if c.Ended() {
		return
	}
	if w.Check {
		w.check(r)
	}
	if !c.Mail.Rest() {
		w.schedule(r, w.Now.Add(w.delay(r)))
	}
	if next != 0 {
		w.schedule(r, w.later(time.Unix(0, next).UTC().Add(-r.ahead()), r))
	}
	if d := c.Deadline(); !d.IsZero() {
		w.schedule(r, w.later(d.Add(-r.ahead()), r))
	}
}

// take fills batch: as the live driver does, or with one input, which is the finest
// interleaving. It returns when the next question times out.
func (w *World) take(r *runner, now time.Time) (next int64) {
	w.batch = w.batch[:0]
	if w.Even || w.rng.IntN(2) == 0 {
		w.batch, next, _ = r.cell.Mail.Take(now, w.batch)
		return next
	}
	e, next, ok := r.cell.Mail.TakeFirst(now)
	if ok {
		w.batch = append(w.batch, e)
	}
	return next
}

// later is a deadline, or a little after now if the deadline has passed.
func (w *World) later(d time.Time, r *runner) time.Time {
	if d.After(w.Now) {
		return d
	}
	return w.Now.Add(w.delay(r))
}

// mix adds numbers to the hash.
func (w *World) mix(values ...uint64) {
	for _, v := range values {
		w.buf = binary.LittleEndian.AppendUint64(w.buf[:0], v)
		w.Mix(w.buf)
	}
}

// Mix adds bytes to the hash. A test adds what the world cannot see: what nodes
// write to each other.
func (w *World) Mix(data []byte) { w.hash.Write(data) }

// Hash sums up the run so far.
func (w *World) Hash() uint64 { return w.hash.Sum64() }

func (w *World) check(r *runner) {
	if err := r.cell.Machine().Check(); err != nil {
		w.fail(fmt.Errorf("%s %s at %v: %w", r.node.Name, r.cell.Name, w.Now.Sub(Epoch), err))
	}
	if err := r.cell.Mail.Check(); err != nil {
		w.fail(fmt.Errorf("%s mailbox of %s: %w", r.node.Name, r.cell.Name, err))
	}
}

func (w *World) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Wake schedules a cell that has something to take.
func (n *Node) Wake(c *cell.Cell) {
	if r, ok := c.Local.(*runner); ok {
		n.w.schedule(r, n.w.Now.Add(n.w.delay(r)))
	}
}

// Stop tells the node's cells to stop in their stop order, as the live driver
// does. A group stops when the one before has ended. The parts come last.
func (n *Node) Stop() {
	if !n.stopping {
		n.stopping = true
		n.nextGroup()
	}
}

// Stopped says whether all cells have ended after Stop.
func (n *Node) Stopped() bool { return n.stopping && len(n.Living()) == 0 }

// Living lists, in order of ID, the cells that have not ended.
func (n *Node) Living() []*cell.Cell {
	return slices.DeleteFunc(n.Sys.Cells(), func(c *cell.Cell) bool { return !c.Runs() || c.Ended() })
}

func (n *Node) nextGroup() {
	living := n.Living()
	if len(living) == 0 {
		return
	}
	n.group = slices.MinFunc(living, func(a, b *cell.Cell) int { return a.Stop() - b.Stop() }).Stop()
	for _, c := range living {
		if c.Stop() == n.group {
			n.Sys.RequestStop(c, n.w.Now)
		}
	}
}

// Ended stops the next group of a stopping node when the last cell of this group
// has ended.
func (n *Node) Ended(c *cell.Cell, reason string) {
	if n.stopping && !slices.ContainsFunc(n.Living(), func(c *cell.Cell) bool { return c.Stop() <= n.group }) {
		n.nextGroup()
	}
}

// Credited does nothing: the simulated network looks at the credit itself.
func (n *Node) Credited(c *cell.Cell) {}

// Crashed notes a death. The tests compare the deaths with those that they made.
func (n *Node) Crashed(c *cell.Cell, trace string) {
	n.Deaths++
	n.Death = c.Name + ": " + trace
}

// Log keeps the records that matter.
func (n *Node) Log(c *cell.Cell, rec actor.Record) {
	if rec.Level <= actor.Warn {
		n.Records = append(n.Records, Record{n.w.Now, c.Name, rec})
	}
}

// Halt notes why the node wanted to stop.
func (n *Node) Halt(err error) {
	if n.Halted == nil {
		n.Halted = err
	}
	if n.Sys != nil && n.Sys.Bugs() > 0 {
		n.w.fail(fmt.Errorf("%s: %w", n.Name, err))
	}
}

// Deliver hands something to a cell for a part.
func (n *Node) Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) bool {
	return n.Sys.Deliver(from, to, lane, body, bytes)
}

// Credit says how much may still be delivered to a cell's Inbound lane.
func (n *Node) Credit(to actor.ID) (msgs, bytes int) {
	if c := n.Sys.Lookup(to); c != nil {
		return c.CreditLeft()
	}
	return 0, 0
}

// Now is the virtual time.
func (n *Node) Now() time.Time { return n.w.Now }
