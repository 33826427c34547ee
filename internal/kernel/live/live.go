package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Logger takes the records of the cells. It must not wait.
type Logger interface {
	Record(subsystem string, id actor.ID, rec actor.Record)
}

// Node is a running plan. It is an adapter.Cells.
type Node struct {
	sys    *cell.System
	plan   *cell.Plan
	log    Logger
	ctx    context.Context // ends when the adapters have to stop
	cancel context.CancelFunc
	wg     sync.WaitGroup // of workers

	// mu guards what follows. It is a leaf.
	mu     sync.Mutex
	err    error
	halted chan struct{}
}

// local is what the driver keeps with a cell.
type local struct {
	*sleeper
	credit *sleeper      // of the connection's read pump
	done   chan struct{} // closed when the goroutine has returned
}

// New returns a node without cells. It may be the adapter.Cells of adapters in the
// plan.
func New(log Logger) *Node {
	n := &Node{log: log, halted: make(chan struct{})}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// Wire makes the cells of a plan. Start runs them.
func (n *Node) Wire(plan *cell.Plan) *Node {
	n.plan = plan
	n.sys = cell.New(plan, n)
	return n
}

// System gives access to the cells' figures.
func (n *Node) System() *cell.System { return n.sys }

// Context ends when the adapters have to stop.
func (n *Node) Context() context.Context { return n.ctx }

// Start runs every cell and every adapter's workers.
func (n *Node) Start() {
	for _, c := range n.sys.Cells() {
		n.Adopt(c)
	}
	for _, e := range n.plan.Adapters {
		if e.Handler != nil {
			c := n.sys.Lookup(e.ID)
			c.Local.(*local).sleeper = newSleeper(e.Workers)
			for hand := range e.Workers {
				// goroutines: as many as the plan gives the adapter workers.
				n.wg.Go(func() { n.work(c, hand, e.Handler) })
			}
		}
	}
	n.sys.Start(time.Now())
	for _, c := range n.sys.Cells() {
		if c.Runs() {
			// goroutines: one for each cell.
			go n.run(c)
		}
	}
}

// run is the life of a cell's goroutine.
func (n *Node) run(c *cell.Cell) {
	l := c.Local.(*local)
	defer close(l.done)
	label(c)
	var buf []mailbox.Envelope
	for {
		now := time.Now()
		batch, next, what := c.Mail.Take(now, buf[:0])
		if what == mailbox.Over {
			return
		}
		if due := c.Deadline(); what == mailbox.Asleep && (due.IsZero() || due.After(now)) {
			l.nap(earlier(due, next, now), nil)
		} else {
			n.sys.Run(c, now, batch)
			clear(batch) // the inputs may be freed
			buf = batch
		}
	}
}

// label marks the goroutine of a cell, or of an adapter's worker, in profiles and
// tracebacks (law L12). It costs nothing per message.
func label(c *cell.Cell) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("cell", c.Name, "id", c.ID.String())))
}

// earlier is the first of a deadline and a mailbox's stamp, at now. Zero means never.
func earlier(t time.Time, stamp int64, now time.Time) time.Time {
	if stamp == 0 {
		return t
	}
	if u := mailbox.Until(stamp, now); t.IsZero() || u.Before(t) {
		return u
	}
	return t
}

// Wake wakes a cell's goroutine.
func (n *Node) Wake(c *cell.Cell) { c.Local.(*local).signal() }

// Adopt gives a cell what its goroutine needs.
func (n *Node) Adopt(c *cell.Cell) {
	c.Local = &local{sleeper: newSleeper(1), credit: newSleeper(1), done: make(chan struct{})}
}

// Spawned runs a new cell.
//
// goroutines: one for each connection. Seats bound these.
func (n *Node) Spawned(c *cell.Cell) { go n.run(c) }

// Ended lets the connection's read pump see that its cell is gone.
func (n *Node) Ended(c *cell.Cell, reason string) { n.Credited(c) }

// Credited lets the connection's read pump read again.
func (n *Node) Credited(c *cell.Cell) { c.Local.(*local).credit.signal() }

// Crashed logs a death.
func (n *Node) Crashed(c *cell.Cell, trace string) {
	n.Log(c, actor.Record{Level: actor.Error, Msg: "a step panicked: " + trace})
}

// Log passes a record to the logger.
func (n *Node) Log(c *cell.Cell, rec actor.Record) { n.log.Record(c.Subsystem(), c.ID, rec) }

// Now is the wall clock.
func (n *Node) Now() time.Time { return time.Now() }

// Halt asks for the node to stop. The first reason counts.
func (n *Node) Halt(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.err = err
		close(n.halted)
	}
}

// Halted is closed when something asked for the node to stop. Err says why.
func (n *Node) Halted() <-chan struct{} { return n.halted }

// Err is why the node was halted.
func (n *Node) Err() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// Deliver hands something to a cell, see adapter.Cells.
func (n *Node) Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) bool {
	return n.sys.Deliver(from, to, lane, body, bytes)
}

// AwaitCredit waits until a cell's connection may be read, see adapter.Cells.
//
// correctness: only the connection's read pump waits here, holding nothing. Credit comes
// back when a step is done, which needs nothing of the pump. When the cell has ended, it is
// not found any more, and then Ended signals. stop ends the wait in any case.
func (n *Node) AwaitCredit(to actor.ID, stop <-chan struct{}) bool {
	for {
		c := n.sys.Lookup(to)
		if c == nil {
			return false
		}
		if msgs, bytes := c.CreditLeft(); msgs > 0 && bytes > 0 {
			return true
		}
		if c.Local.(*local).credit.nap(time.Time{}, stop) == stopped {
			return false
		}
	}
}

// ErrStuck is in the error of a Stop whose bound was not kept.
var ErrStuck = errors.New("did not stop in time")

// Stop ends the cells in their stop order, then the adapters, within a bound. The error
// names what has not ended by then. It is left behind.
func (n *Node) Stop(bound time.Duration) error {
	deadline := time.Now().Add(bound)
	var stuck []string
	for _, group := range n.stopOrder() {
		stuck = append(stuck, n.stopGroup(group, deadline)...)
	}
	n.cancel()
	for _, e := range n.plan.Adapters {
		if e.Handler != nil {
			n.sys.Lookup(e.ID).Mail.Close()
		}
	}
	for _, sub := range n.plan.Subscribers {
		n.sys.Lookup(sub.ID).Mail.Close()
	}
	if !n.awaitWorkers(deadline) {
		stuck = append(stuck, "an adapter's worker")
	}
	if len(stuck) > 0 {
		return fmt.Errorf("%w (%v): %v", ErrStuck, bound, stuck)
	}
	return nil
}

// stopOrder lists the groups in which the cells stop, the first one first.
func (n *Node) stopOrder() []int {
	var groups []int
	for _, c := range n.plan.Cells {
		groups = append(groups, c.Stop)
	}
	for _, k := range n.plan.Kinds {
		groups = append(groups, k.Stop)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// stopGroup stops the cells of one group and names those that do not end.
func (n *Node) stopGroup(group int, deadline time.Time) (stuck []string) {
	var cells []*cell.Cell
	for _, c := range n.sys.Cells() {
		if c.Runs() && c.Stop() == group {
			cells = append(cells, c)
			n.sys.RequestStop(c, time.Now())
		}
	}
	s := newSleeper(0)
	for _, c := range cells {
		// correctness: bounded by deadline. The stopping goroutine holds nothing.
		if s.nap(deadline, c.Local.(*local).done) == elapsed {
			st := c.Stats()
			stuck = append(stuck, fmt.Sprintf("%s (busy with %s)", c.Name, st.BusyWith))
		}
	}
	return stuck
}

// awaitWorkers waits for the adapters' workers. It returns false if not all ended in time.
func (n *Node) awaitWorkers(deadline time.Time) bool {
	done := make(chan struct{})
	// goroutines: one: the node stops once.
	go func() {
		// correctness: left behind if a worker never returns: the process is
		// about to end.
		n.wg.Wait()
		close(done)
	}()
	return newSleeper(0).nap(deadline, done) == stopped
}
