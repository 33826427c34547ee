package mailbox

import (
	"acyclic/internal/kernel/actor"
)

func (b *Box) takenLedger(e *Envelope) {
	id := e.In.From
	switch {
	case !e.Last:
		b.open[id] = true
	case b.queued[id] == 0:
		delete(b.open, id)
		b.done = append(b.done, id)
	default:
		b.open[id] = false // what is left of its traffic is dropped as it comes
	}
}

// takenTraffic says whether the publisher is between Open and Close. A subscriber
// sees no message of a peer before its Ready or after its Gone (law L7).
func (b *Box) takenTraffic(e *Envelope) bool {
	id := e.In.From
	left := b.queued[id] - 1
	if left > 0 {
		b.queued[id] = left
	} else {
		delete(b.queued, id)
	}
	open, known := b.open[id]
	if open {
		return true
	}
	b.counts.Dropped++
	if known && left == 0 {
		delete(b.open, id)
		b.done = append(b.done, id)
	}
	return false
}

// Done returns the publishers of ledgers of which nothing is left in the box,
// and forgets them.
func (b *Box) Done() []actor.ID {
	d := b.done
	b.done = nil
	return d
}
