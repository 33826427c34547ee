package bus

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// What a rebuilt subscriber is told must be atomic with what it is sent: State values and
// ledger entries are sent, and a mailbox is emptied, while the bus is locked. Otherwise an
// event could be told twice, or lost.
func TestL11ARebuildIsAtomicWithTheBus(t *testing.T) {
	b := newBench()
	locked := func() bool {
		free := b.mu.TryLock()
		if free {
			b.mu.Unlock()
		}
		return !free
	}
	send, sent := b.post, 0
	b.post = func(to actor.ID, e mailbox.Envelope) {
		sent++
		if lane := e.Lane; lane != actor.Inbound && !locked() {
			t.Errorf("%T is sent to %v in %v while the bus is not locked", e.In.Body, to, lane)
		}
		send(to, e)
	}
	id, _ := b.Seat(parent, 1)
	b.Spawned(id, nil)
	b.publish(id, lifeline, ready{id}, false)
	b.publish(9, weather, "sun", false)
	for _, cell := range []actor.ID{watcher, parent} {
		b.Rebuild(time.Time{}, cell, func() {
			if !locked() {
				t.Errorf("the mailbox of %v is emptied while the bus is not locked", cell)
			}
			b.boxes[cell].Reset()
		})
	}
	b.Died(time.Time{}, id, "left")
	if sent != 2+2+1+2 { // the events; told again; Alive; Gone and Ended
		t.Errorf("%d envelopes were sent", sent)
	}
}

// A seat is taken until both the subscribers and the parent have seen the cell's end,
// whoever sleeps longer.
func TestL4ASleepingParentKeepsTheSeat(t *testing.T) {
	for name, order := range map[string][]actor.ID{
		"the parent sleeps": {watcher, parent}, "the subscriber sleeps": {parent, watcher},
	} {
		b := newBench()
		id, _ := b.Seat(parent, 1)
		b.Spawned(id, nil)
		b.publish(id, lifeline, ready{id}, false)
		b.publish(id, lifeline, gone{id, "left"}, true)
		if b.publish(id, lifeline, gone{id, "left"}, true) == nil {
			t.Errorf("%s: the ledger is closed twice", name)
		}
		b.Died(time.Time{}, id, "left")
		b.Died(time.Time{}, id, "left") // counts once
		seen := len(b.take(order[0]))
		if n := b.Seats(1); n != seats-1 {
			t.Errorf("%s: %d seats are free", name, n)
		}
		if seen += len(b.take(order[1])); seen != 3 {
			t.Errorf("%s: %d events, want Ready, Gone and Ended", name, seen)
		}
		if n := b.Seats(1); n != seats || b.Check() != nil {
			t.Errorf("%s: all have seen the end, and %d seats are free: %v", name, n, b.Check())
		}
	}
}

// A tombstone is the last that is heard of a key. A rebuilt subscriber is not told of it,
// but of the other keys.
func TestL11ATombstoneIsNotToldAgain(t *testing.T) {
	b := newBench()
	b.Publish(time.Time{}, 9, actor.Effect{Topic: weather, Key: 7, Body: "snow in the north"}, mailbox.Charge{})
	b.take(watcher)
	b.publish(9, weather, "sun", false)
	b.publish(9, weather, "none", true)
	if got := b.take(watcher); len(got) != 1 || got[0] != "none" {
		t.Errorf("the subscriber is told %v, want the tombstone", got)
	}
	b.Rebuild(time.Time{}, watcher, func() { b.boxes[watcher].Reset() })
	if got := b.take(watcher); len(got) != 1 || got[0] != "snow in the north" {
		t.Errorf("the rebuilt subscriber is told %v, want what stands", got)
	}
}
