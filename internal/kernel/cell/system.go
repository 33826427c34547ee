package cell

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/mailbox"
)

// Driver runs the cells of a system. None of its methods may wait.
type Driver interface {
	// Wake says that a sleeping cell has something to take. The cell's
	// mailbox is locked.
	Wake(c *Cell)
	// Adopt is called with a new cell before others can find it, and Spawned
	// when it has to be run.
	Adopt(c *Cell)
	Spawned(c *Cell)
	// Ended says that a cell is no more.
	Ended(c *Cell, reason string)
	// Crashed says that a step or an adapter's worker panicked. A static cell is
	// then rebuilt.
	Crashed(c *Cell, trace string)
	// Credited says that a cell's connection may be read again, perhaps.
	Credited(c *Cell)
	// Log passes on a record.
	Log(c *Cell, rec actor.Record)
	// Halt asks for the node to stop.
	Halt(err error)
	// Now is the time at which an adapter delivers.
	Now() time.Time
}

// System is the cells of one node and what connects them.
type System struct {
	plan   *Plan
	driver Driver
	bus    *bus.Bus
	static []*Cell // by ID; nil: none

	// mu guards what follows. It is a leaf: nothing is called while it is held.
	mu      sync.RWMutex
	dynamic map[actor.ID]*Cell
	deaths  []time.Time // fewer than Deaths.Max, each within Deaths.Within

	tellers map[actor.ID]adapter.Teller
	bugs    atomic.Uint64
}

// New makes the cells of a plan. Nothing runs yet: Start gives each its first
// input.
func New(plan *Plan, driver Driver) *System {
	s := &System{plan: plan, driver: driver, dynamic: map[actor.ID]*Cell{}, tellers: map[actor.ID]adapter.Teller{}}
	var kinds []bus.Kind
	for _, k := range plan.Kinds {
		kinds = append(kinds, k.Kind)
	}
	s.bus = bus.New(plan.Topics, kinds, s.post)
	for i := range plan.Cells {
		st := &plan.Cells[i]
		c := s.add(st.ID, st.Name, st.Ports)
		c.hands = make([]hand, 1)
		c.static, c.machine = st, build(func() actor.Machine { return st.Build(0) })
	}
	for i := range plan.Adapters {
		a := &plan.Adapters[i]
		if a.Handler != nil {
			s.add(a.ID, a.Name, nil).hands = make([]hand, a.Workers)
		}
		if a.Teller != nil {
			s.tellers[a.ID] = a.Teller
		}
	}
	for _, a := range plan.Askers {
		s.add(a.ID, a.Name, a.Ports)
	}
	for _, sub := range plan.Subscribers {
		s.add(sub.ID, sub.Name, nil)
	}
	return s
}

func (s *System) add(id actor.ID, name string, ports []actor.PortSpec) *Cell {
	c := &Cell{ID: id, Name: name, sys: s, ports: ports}
	c.Mail = mailbox.New(id, s.plan.Spec(id, ports), func() { s.driver.Wake(c) })
	c.out = actor.NewOutbox(c)
	for int(id) >= len(s.static) {
		s.static = append(s.static, nil)
	}
	if s.static[id] != nil {
		panic(fmt.Sprintf("cell: %s and %s have the same ID", name, s.static[id].Name))
	}
	s.static[id] = c
	return c
}

// Start gives every static cell its Start.
func (s *System) Start(now time.Time) {
	for _, c := range s.static {
		if c != nil && c.machine != nil {
			c.Mail.Put(mailbox.Envelope{In: actor.Input{Body: actor.Start{}}, Lane: actor.Control, Queued: mailbox.Stamp(now)})
		}
	}
}

// Lookup finds a live cell, adapter, asker or subscriber. Nil means that it is gone.
func (s *System) Lookup(id actor.ID) *Cell {
	if id.Parent() == 0 {
		if int(id) < len(s.static) {
			return s.static[id]
		}
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.dynamic[id]
}

// Cells lists the cells that are alive, in order of ID.
func (s *System) Cells() []*Cell {
	var all []*Cell
	for _, c := range s.static {
		if c != nil {
			all = append(all, c)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := len(all)
	for _, c := range s.dynamic {
		all = append(all, c)
	}
	slices.SortFunc(all[n:], func(x, y *Cell) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

// post puts an envelope where its lane is sized for it. A full lane is a wrong
// sum in the limits.
func (s *System) post(to actor.ID, e mailbox.Envelope) {
	c := s.Lookup(to)
	if c == nil {
		s.uncharge(e.Charge)
		return
	}
	switch c.Mail.Put(e) {
	case mailbox.Full:
		s.uncharge(e.Charge)
		s.bug(c, fmt.Sprintf("the %v lane has no room for %T", e.Lane, e.In.Body))
	case mailbox.Closed:
		s.uncharge(e.Charge)
	}
}

// bug reports what the design excludes. Going on would hide it.
func (s *System) bug(c *Cell, what string) {
	s.bugs.Add(1)
	s.driver.Halt(fmt.Errorf("bug in %s: %s", c.Name, what))
}

// Bugs counts the reports of what the design excludes.
func (s *System) Bugs() uint64 { return s.bugs.Load() }

// Deliver hands something to a cell for an adapter, see adapter.Cells.
func (s *System) Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) bool {
	c := s.Lookup(to)
	if c == nil {
		return false
	}
	e := mailbox.Envelope{
		In:   actor.Input{Body: body, From: from, Key: uint64(from)}, // in Events, the latest of each adapter
		Lane: lane, Queued: mailbox.Stamp(s.driver.Now()),
	}
	if lane == actor.Inbound {
		e.Charge = mailbox.Charge{Account: to, Bytes: bytes}
		s.charge(e.Charge)
	}
	if c.Mail.Put(e) != mailbox.Queued {
		s.uncharge(e.Charge)
		return false
	}
	return true
}

func (s *System) charge(ch mailbox.Charge) {
	if c := s.account(ch); c != nil {
		c.msgs.Add(1)
		c.bytes.Add(int64(ch.Bytes))
	}
}

func (s *System) uncharge(ch mailbox.Charge) {
	if c := s.account(ch); c != nil {
		c.msgs.Add(-1)
		c.bytes.Add(int64(-ch.Bytes))
		s.driver.Credited(c)
	}
}

func (s *System) account(ch mailbox.Charge) *Cell {
	if ch.Account == 0 {
		return nil
	}
	return s.Lookup(ch.Account)
}

// RequestStop puts Stop into a cell's control lane. A cell that dies before it
// has taken it ends all the same.
func (s *System) RequestStop(c *Cell, now time.Time) {
	c.stopping.Store(true) // before the Put: see crash
	c.Mail.Put(mailbox.Envelope{In: actor.Input{Body: actor.Stop{}}, Lane: actor.Control, Queued: mailbox.Stamp(now)})
}
