package mailbox

import (
	"acyclic/internal/kernel/actor"
)

// slotState is where a slot is in its life, see doc.go.
type slotState uint8

const (
	slotFree     slotState = iota
	slotOpen               // the question is asked, no answer yet
	slotAnswered           // the answer is queued
	slotLate               // timed out; ErrTimeout is queued, the target still owes
	slotZombie             // timed out and seen; the target still owes
	slotSettled            // timed out, ErrTimeout is queued, the target has answered
	slotFreed              // timed out and seen, the target has answered; Freed is queued
)

// slot is reserved for one answer.
type slot struct {
	state      slotState
	port       int32
	prev, next int32 // among the open slots of its port, in the order asked; -1: none
	seq        uint64
	to         actor.ID
	key        uint64 // what the question is about
	deadline   int64  // a Stamp
	none       any    // the answer of a failed question
}

// portState is one port's share of the slots.
type portState struct {
	free       []int32 // unused slots
	head, tail int32   // open slots, oldest first: all have the same timeout, so the head ends first
}

// slots is the table of a cell's outstanding questions.
type slots struct {
	all   []slot
	ports []portState
	seq   uint64
}

func newSlots(specs []actor.PortSpec) slots {
	var s slots
	for p, spec := range specs {
		ps := portState{head: -1, tail: -1}
		for range spec.Window {
			ps.free = append(ps.free, int32(len(s.all)))
			s.all = append(s.all, slot{port: int32(p)})
		}
		s.ports = append(s.ports, ps)
	}
	return s
}

// reserve takes a slot on a port.
func (s *slots) reserve(port int, to actor.ID, key uint64, deadline int64, none any) (idx int32, ok bool) {
	p := &s.ports[port]
	if len(p.free) == 0 {
		return 0, false
	}
	idx = p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	s.seq++
	s.all[idx] = slot{
		state: slotOpen, port: int32(port), prev: p.tail, next: -1,
		seq: s.seq, to: to, key: key, deadline: deadline, none: none,
	}
	if p.tail >= 0 {
		s.all[p.tail].next = idx
	} else {
		p.head = idx
	}
	p.tail = idx
	return idx, true
}

// unlink takes an open slot out of its port's list.
func (s *slots) unlink(idx int32) {
	sl := &s.all[idx]
	p := &s.ports[sl.port]
	if sl.prev >= 0 {
		s.all[sl.prev].next = sl.next
	} else {
		p.head = sl.next
	}
	if sl.next >= 0 {
		s.all[sl.next].prev = sl.prev
	} else {
		p.tail = sl.prev
	}
}

// release makes a slot free again.
func (s *slots) release(idx int32) {
	port := s.all[idx].port
	s.all[idx] = slot{port: port}
	p := &s.ports[port]
	p.free = append(p.free, idx)
}

// find returns the slot that call names if it is still that question's.
func (s *slots) find(call actor.RawCall) *slot {
	if int(call.Slot) >= len(s.all) {
		return nil
	}
	sl := &s.all[call.Slot]
	if sl.state == slotFree || sl.seq != call.Seq {
		return nil
	}
	return sl
}

// next is the earliest deadline of an open question. Zero means none.
func (s *slots) next() int64 {
	var at int64
	for i := range s.ports {
		if h := s.ports[i].head; h >= 0 {
			if d := s.all[h].deadline; at == 0 || d < at {
				at = d
			}
		}
	}
	return at
}

// count returns how many questions are open, and how many the cell has given up
// while the target still owes their answers.
func (s *slots) count() (open, zombies int) {
	for i := range s.all {
		switch s.all[i].state {
		case slotOpen:
			open++
		case slotLate, slotZombie:
			zombies++
		}
	}
	return open, zombies
}
