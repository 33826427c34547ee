package mailbox

import "acyclic/internal/kernel/actor"

// Save returns the box as it is, sharing its memory, and whether the mailbox is
// closed. The explorer keeps copies of whole nodes. The mailbox must not be in use.
func (m *Mailbox) Save() (box *Box, closed bool) { return &m.box, m.closed }

// Load replaces the box with a saved one and shares its memory.
func (m *Mailbox) Load(box Box, closed bool) { m.box, m.closed = box, closed }

// Rewind makes the taker count as asleep: the next Put wakes it.
func (m *Mailbox) Rewind() { m.sleepers = 1 }

// Tickets appends, in the order of the table, the questions of the cell whose
// end has not been taken yet: for them an answer, a timeout or the target's death
// must still come, once (law L2). last is the latest ticket given.
func (b *Box) Tickets(buf []actor.Ticket) (undelivered []actor.Ticket, last actor.Ticket) {
	for i := range b.slots.all {
		switch b.slots.all[i].state {
		case slotOpen, slotAnswered, slotLate, slotSettled:
			buf = append(buf, actor.Ticket(b.slots.all[i].seq))
		}
	}
	return buf, actor.Ticket(b.slots.seq)
}

// Leaving says whether Done has something to return.
func (b *Box) Leaving() bool { return len(b.done) > 0 }

// Queued returns the envelopes of a lane, in order.
func (b *Box) Queued(lane actor.Lane) []Envelope {
	r := &b.lanes[lane]
	all := make([]Envelope, r.n)
	for i := range all {
		all[i] = *r.at(i)
	}
	return all
}

// Expire ends one open question as if its time were up. It is for tests that
// choose which question times out.
func (b *Box) Expire(call actor.RawCall, now int64) {
	if s := b.slots.find(call); s != nil && s.state == slotOpen {
		b.timeOut(int32(call.Slot), now)
	}
}
