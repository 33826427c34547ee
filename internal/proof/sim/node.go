package sim

import (
	"fmt"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

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
	plan     *cell.Plan
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
	n := &Node{Name: name, w: w, plan: plan, index: w.nodes}
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
		n.Records = append(n.Records, Record{n.w.Now, c.Subsystem(), rec})
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

// Twin makes another system of the node's plan. It has begun nothing.
func (n *Node) Twin() *cell.System { return cell.New(n.plan, n) }

// Move puts what the node's cells and its bus remember into a twin, and goes on there.
func (n *Node) Move(to *cell.System) {
	from := n.Sys
	n.Sys = to
	to.Bus().Load(from.Bus().Save())
	for _, old := range from.Cells() {
		c := to.Load(old.Save())
		c.Mail.Rest() // asleep, if the mailbox is empty
		r := old.Local.(*runner)
		r.cell, c.Local = c, r
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
