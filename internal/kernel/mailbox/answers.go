package mailbox

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// Reserve takes a slot for an answer. ok is false when the port has none.
func (b *Box) Reserve(port int, to actor.ID, key uint64, deadline time.Time, none any) (actor.RawCall, bool) {
	idx, ok := b.slots.reserve(port, to, key, Stamp(deadline), none)
	if !ok {
		return actor.RawCall{}, false
	}
	return actor.RawCall{Asker: b.id, To: to, Slot: uint32(idx), Seq: b.slots.all[idx].seq}, true
}

// Free counts a port's free slots.
func (b *Box) Free(port int) int { return len(b.slots.ports[port].free) }

// Answer puts an answer into its reserved slot. It cannot be refused (law L3).
// When the question has timed out, the answer is counted and dropped (law L2), and
// the asker is told that the slot is free. queued says whether there is something
// new to take.
func (b *Box) Answer(call actor.RawCall, body any, err error, now int64) (queued bool) {
	s := b.slots.find(call)
	if s == nil {
		b.counts.Stray++
		return false
	}
	switch s.state {
	case slotOpen:
		b.slots.unlink(int32(call.Slot))
		s.state = slotAnswered
		if err != nil {
			body = s.none
		}
		b.push(int32(call.Slot), body, actor.Ticket(s.seq), err, now)
		return true
	case slotLate:
		s.state = slotSettled
		b.counts.Late++
	case slotZombie:
		s.state = slotFreed
		b.counts.Late++
		b.push(int32(call.Slot), actor.Freed{}, 0, nil, now)
		return true
	default:
		b.counts.Stray++
	}
	return false
}

// push queues an answer, or Freed, in the slot that it is about. Freed has no ticket:
// the question has had its end.
func (b *Box) push(idx int32, body any, t actor.Ticket, err error, now int64) {
	s := &b.slots.all[idx]
	room := b.lanes[actor.Answers].push()
	if room == nil {
		panic("mailbox: an answer found no room in its reserved slot")
	}
	*room = Envelope{
		In:   actor.Input{Body: body, From: s.to, Ticket: t, Key: s.key, Err: err},
		Lane: actor.Answers, Queued: now, slot: idx,
	}
}

// expire ends the open questions whose time is up.
func (b *Box) expire(now int64) {
	for p := range b.slots.ports {
		for {
			idx := b.slots.ports[p].head
			if idx < 0 || b.slots.all[idx].deadline > now {
				break
			}
			b.timeOut(idx, now)
		}
	}
}

func (b *Box) timeOut(idx int32, now int64) {
	b.slots.unlink(idx)
	s := &b.slots.all[idx]
	s.state = slotLate
	b.counts.Expired++
	b.push(idx, s.none, actor.Ticket(s.seq), actor.ErrTimeout, now)
}

func (b *Box) takenAnswer(idx int32) {
	switch s := &b.slots.all[idx]; s.state {
	case slotAnswered, slotSettled, slotFreed:
		b.slots.release(idx)
	case slotLate:
		s.state = slotZombie
	}
}

// Settle strikes a question from the ledger of owed answers. It returns false if the
// question has been answered before.
func (b *Box) Settle(call actor.RawCall) bool {
	if _, ok := b.owed[call]; !ok {
		return false
	}
	delete(b.owed, call)
	return true
}

// Owed lists the unanswered questions of others, in a fixed order.
func (b *Box) Owed() []actor.RawCall {
	return slices.SortedFunc(maps.Keys(b.owed), func(x, y actor.RawCall) int {
		return cmp.Or(cmp.Compare(x.Asker, y.Asker), cmp.Compare(x.Seq, y.Seq))
	})
}
