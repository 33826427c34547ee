package cell

import (
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/mailbox"
)

// Snapshot is a cell between two batches, for the explorer, which keeps copies
// of whole nodes. It shares the cell's memory.
type Snapshot struct {
	ID       actor.ID
	Machine  actor.Machine // nil: an adapter or an asker
	Box      mailbox.Box
	Closed   bool
	Gen      uint32
	Ended    bool
	Stopping bool
	EndSent  bool
	Msgs     int64 // inbound traffic on its account
	Bytes    int64
	kind     *Kind
}

// Save returns the cell as it is.
func (c *Cell) Save() Snapshot {
	box, closed := c.Mail.Save()
	return Snapshot{
		ID: c.ID, Machine: c.machine, Box: *box, Closed: closed, Gen: c.gen,
		Ended: c.ended.Load(), Stopping: c.stopping.Load(), EndSent: c.endSent.Load(),
		Msgs: c.msgs.Load(), Bytes: c.bytes.Load(), kind: c.kind,
	}
}

// Load makes the cell of a snapshot what it was and takes over the snapshot's
// memory. A spawned cell that is not there is made.
func (s *System) Load(sn Snapshot) *Cell {
	c := s.Lookup(sn.ID)
	if c == nil {
		c = s.spawned(sn.kind, sn.ID, sn.Machine)
		s.mu.Lock()
		s.dynamic[sn.ID] = c
		s.mu.Unlock()
	}
	c.machine, c.gen = sn.Machine, sn.Gen
	c.Mail.Load(sn.Box, sn.Closed)
	c.ended.Store(sn.Ended)
	c.stopping.Store(sn.Stopping)
	c.endSent.Store(sn.EndSent)
	c.msgs.Store(sn.Msgs)
	c.bytes.Store(sn.Bytes)
	return c
}

// Rewind makes now the time of the cell's last step, although it may have seen a
// later one in another state, and its taker asleep, so that the first Put wakes
// it.
func (c *Cell) Rewind(now time.Time) {
	c.now = now
	c.Mail.Rewind()
}

// Forget removes a spawned cell that is not in the state to be loaded.
func (s *System) Forget(id actor.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.dynamic, id)
}

// Bus gives access to the topics and seats.
func (s *System) Bus() *bus.Bus { return s.bus }
