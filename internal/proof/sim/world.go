package sim

import (
	"container/heap"
	"fmt"
	"hash/fnv"
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
	Nodes []*Node
	Steps uint64 // inputs handled

	// Trace, if set, is called with each input before it is handled.
	Trace func(n *Node, c *cell.Cell, e *mailbox.Envelope)
	// Check says whether every machine's and mailbox's invariants are
	// verified after each batch.
	Check bool
	// Even draws all delays alike, for tests that are not about schedules.
	Even bool

	rng   *rand.Rand
	queue events
	batch []mailbox.Envelope
	seq   uint64
	hash  uint64
	names map[reflect.Type]uint64
	err   error
}

// Node is one node of a world.
type Node struct {
	Name    string
	Sys     *cell.System
	Halted  error
	Records []Record // log records of level Warn and above, and all with Verbose
	Verbose bool
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
	part   bool
	due    time.Time // when its next event stands in the queue; zero: none
	speed  int64     // nanoseconds a batch takes, about
	change time.Time // when the speed is drawn anew
}

// event is a cell's turn.
type event struct {
	at  time.Time
	seq uint64
	r   *runner
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

// New returns an empty world.
func New(seed uint64) *World {
	return &World{
		Now: Epoch, rng: rand.New(rand.NewPCG(seed, 0x5eed)),
		hash: 14695981039346656037, names: map[reflect.Type]uint64{},
	}
}

// Rand is the world's source of chance, for whoever sets it up.
func (w *World) Rand() *rand.Rand { return w.rng }

// Part is a machine that plays one of a node's adapters.
type Part struct {
	ID    actor.ID
	Name  string
	Build func() actor.Machine
	Ports []actor.PortSpec // of the machine
}

const (
	// partsLast is the place of the parts in the stop order: after all cells.
	partsLast = 1 << 20
	// told is the room for what cells tell a part. The peers bound their write
	// queues.
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
	n := &Node{Name: name, w: w, index: len(w.Nodes)}
	plan.Adapters = nil
	for _, p := range parts {
		plan.Adapters = append(plan.Adapters, cell.Adapter{ID: p.ID, Name: p.Name, Teller: teller{n, p.ID}})
		plan.Cells = append(plan.Cells, cell.Static{
			ID: p.ID, Name: p.Name, Ports: p.Ports, Control: told, Stop: partsLast,
			Build: func(uint32) actor.Machine { return p.Build() },
		})
	}
	n.Sys = cell.New(plan, n)
	w.Nodes = append(w.Nodes, n)
	for _, c := range n.Sys.Cells() {
		n.Adopt(c)
		n.Spawned(c)
	}
	n.Sys.Start(w.Now)
	return n
}

// Adopt gives a cell its place in the schedule.
func (n *Node) Adopt(c *cell.Cell) {
	c.Local = &runner{node: n, cell: c, part: c.Stop() == partsLast}
}

// Spawned gives a new cell its first turn.
func (n *Node) Spawned(c *cell.Cell) { n.Wake(c) }

// ahead is how far the cell's clock is ahead.
func (r *runner) ahead() time.Duration {
	if r.part {
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
		// Speeds from 10^9 to 10^3 batches a second, for 1 ms to 10 s.
		exp := w.rng.IntN(7)
		r.speed = 1
		for range exp {
			r.speed *= 10
		}
		stretch := time.Millisecond
		for range w.rng.IntN(5) {
			stretch *= 10
		}
		r.change = w.Now.Add(stretch)
	}
	return time.Duration(1 + w.rng.Int64N(2*r.speed))
}

// schedule gives a cell a turn at a time, unless it has an earlier one.
func (w *World) schedule(r *runner, at time.Time) {
	if !r.due.IsZero() && !at.Before(r.due) {
		return
	}
	r.due = at
	w.seq++
	heap.Push(&w.queue, event{at, w.seq, r})
}

// Run handles inputs until until says so, the bound of virtual time is reached,
// nothing is left to do, or something is wrong.
func (w *World) Run(bound time.Duration, until func() bool) error {
	end := w.Now.Add(bound)
	for len(w.queue) > 0 && w.err == nil {
		if w.queue[0].at.After(end) {
			w.Now = end
			return w.err
		}
		e := heap.Pop(&w.queue).(event)
		if !e.at.Equal(e.r.due) {
			continue // it had an earlier turn
		}
		e.r.due = time.Time{}
		if e.at.After(w.Now) {
			w.Now = e.at
		}
		w.turn(e.r)
		if until != nil && until() {
			return w.err
		}
	}
	return w.err
}

// turn runs one batch of a cell and gives it its next turn.
func (w *World) turn(r *runner) {
	c := r.cell
	if !c.Runs() || c.Ended() {
		return
	}
	now := w.Now.Add(r.ahead())
	next := w.take(r, now)
	w.mix(uint64(w.Now.UnixNano()), uint64(r.node.index), uint64(c.ID), uint64(len(w.batch)))
	for i := range w.batch {
		w.note(r, &w.batch[i])
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

// take fills batch: as the live driver does, or with a single input, which is
// the finest interleaving. It returns when the next question times out.
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

// later is a deadline, or a little after now when it has passed.
func (w *World) later(d time.Time, r *runner) time.Time {
	if d.After(w.Now) {
		return d
	}
	return w.Now.Add(w.delay(r))
}

// note counts an input and adds it to the hash.
func (w *World) note(r *runner, e *mailbox.Envelope) {
	w.Steps++
	t := reflect.TypeOf(e.In.Body)
	name, ok := w.names[t]
	if !ok {
		h := fnv.New64a()
		h.Write([]byte(t.String()))
		name = h.Sum64()
		w.names[t] = name
	}
	w.mix(name, uint64(e.In.From), uint64(e.In.Ticket))
	if w.Trace != nil {
		w.Trace(r.node, r.cell, e)
	}
}

// mix adds numbers to the hash.
func (w *World) mix(values ...uint64) {
	for _, v := range values {
		w.hash = (w.hash ^ v) * 1099511628211
	}
}

// Mix adds what the world cannot see by itself to the hash: the bytes that nodes
// write to each other.
func (w *World) Mix(data []byte) {
	h := fnv.New64a()
	h.Write(data)
	w.mix(h.Sum64())
}

// Hash sums up the run so far.
func (w *World) Hash() uint64 { return w.hash }

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

// Wake gives a cell a turn: it has something to take.
func (n *Node) Wake(c *cell.Cell) {
	if r, ok := c.Local.(*runner); ok {
		n.w.schedule(r, n.w.Now.Add(n.w.delay(r)))
	}
}

// Stop tells the node's cells to stop in their stop order, as the live driver
// does: a group when all of the one before have ended. Its parts come last.
func (n *Node) Stop() {
	if !n.stopping {
		n.stopping = true
		n.nextGroup()
	}
}

// Stopped says whether all cells have ended after Stop.
func (n *Node) Stopped() bool { return n.stopping && len(n.Living()) == 0 }

// Living lists the cells that run, in order of ID.
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

// Ended stops the next group of a node that is stopping when the last cell of
// this one has ended.
func (n *Node) Ended(c *cell.Cell, reason string) {
	if !n.stopping {
		return
	}
	for _, other := range n.Living() {
		if other.Stop() <= n.group {
			return
		}
	}
	n.nextGroup()
}

// Credited needs nothing: the simulated network looks for itself.
func (n *Node) Credited(c *cell.Cell) {}

// Crashed notes a death; worlds without crashes by intent fail.
func (n *Node) Crashed(c *cell.Cell, trace string) {
	n.Deaths++
	n.Death = c.Name + ": " + trace
}

// Log keeps the records that matter.
func (n *Node) Log(c *cell.Cell, rec actor.Record) {
	if n.Verbose || rec.Level <= actor.Warn {
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

// Deliver hands something to a cell for a part; see adapter.Cells.
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
