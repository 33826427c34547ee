package cell

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// Cell is a machine with its mailbox. Its fields belong to the goroutine that runs it,
// except for the atomic ones and the mailbox.
type Cell struct {
	ID   actor.ID
	Name string
	Mail *mailbox.Mailbox

	sys      *System
	machine  actor.Machine
	out      *actor.Outbox
	gen      uint32
	now      time.Time    // of the last step; never goes back
	seated   []actor.ID   // seats taken by the step that runs
	static   *Static      // nil: spawned
	kind     *Kind        // nil: static
	ended    atomic.Bool  // it takes no more inputs
	stopping atomic.Bool  // it was told to stop
	msgs     atomic.Int64 // inbound traffic queued anywhere on its account
	bytes    atomic.Int64

	// hands are what it is doing (law L12). A machine has one, an adapter one per
	// worker, an asker or subscriber none.
	hands   []hand
	deaths  atomic.Uint32
	endSent atomic.Bool // it was ordered to end

	// Local is what the driver keeps with the cell. It is set before the
	// first Take.
	Local any

	ports []actor.PortSpec
}

// Ports describes what the cell may ask.
func (c *Cell) Ports() []actor.PortSpec { return c.ports }

// Runs says whether the cell has a machine. Adapters and askers have none.
func (c *Cell) Runs() bool { return c.static != nil || c.kind != nil }

// Machine returns the machine as it is now. Only the goroutine that runs the cell
// may call it.
func (c *Cell) Machine() actor.Machine { return c.machine }

// Ended says whether the cell is no more.
func (c *Cell) Ended() bool { return c.ended.Load() }

// Stop is the cell's number in the stop order.
func (c *Cell) Stop() int {
	if c.static != nil {
		return c.static.Stop
	}
	if c.kind != nil {
		return c.kind.Stop
	}
	return 0
}

// Subsystem is the name under which the cell logs.
func (c *Cell) Subsystem() string {
	if c.kind != nil {
		return c.kind.Name
	}
	return c.Name
}

// Deadline is when the machine wants a Tick. Zero means never.
func (c *Cell) Deadline() time.Time {
	d, panicked := c.due()
	if panicked != "" {
		return time.Unix(0, 1) // long past: Run meets the same panic and contains it
	}
	return d
}

// due asks the machine for its deadline.
func (c *Cell) due() (d time.Time, panicked string) {
	panicked = contain(func() { d = c.machine.Deadline() })
	return d, panicked
}

// Reserve, Free, Seat and Seats are the machine's actor.Host.
func (c *Cell) Reserve(port int, to actor.ID, key uint64, deadline time.Time, none any) (actor.RawCall, bool) {
	return c.Mail.Reserve(port, to, key, deadline, none)
}

// Free counts the free slots of a port.
func (c *Cell) Free(port int) int { return c.Mail.Free(port) }

// Seat takes a seat for a new cell.
func (c *Cell) Seat(kind actor.Kind) (actor.ID, bool) {
	id, ok := c.sys.bus.Seat(c.ID, kind)
	if ok {
		c.seated = append(c.seated, id)
	}
	return id, ok
}

// Seats counts the free seats of a kind.
func (c *Cell) Seats(kind actor.Kind) int { return c.sys.bus.Seats(kind) }

// CreditLeft says how much inbound traffic the connection of this cell may
// still bring. One message may overdraw the bytes.
func (c *Cell) CreditLeft() (msgs, bytes int) {
	if c.kind == nil {
		return 0, 0
	}
	return c.kind.Credit.Msgs - int(c.msgs.Load()), c.kind.Credit.Bytes - int(c.bytes.Load())
}

// contain calls f. It returns a panic with its stack (law L11), or "".
func contain(f func()) (panicked string) {
	defer func() {
		if r := recover(); r != nil {
			panicked = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	f()
	return ""
}
