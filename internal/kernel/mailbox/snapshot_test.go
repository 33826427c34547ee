package mailbox

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// What the explorer saves of a mailbox it gets back, and it sees what is in it.
func TestASavedMailboxComesBack(t *testing.T) {
	spec := Spec{Control: 2, Questions: 2, Ports: port(7)}
	m := New(1, spec, func() {})
	m.Put(Envelope{Lane: actor.Questions, In: actor.Input{Body: "first"}})
	m.Put(Envelope{Lane: actor.Questions, In: actor.Input{Body: "second"}})
	m.Put(Envelope{Lane: actor.Control, In: actor.Input{Body: "urgent"}})
	box, closed := m.Save()
	if closed {
		t.Error("it is closed")
	}
	woken := 0
	other := New(1, Spec{}, func() { woken++ })
	other.Rewind()
	other.Load(*box, closed)
	for lane, want := range map[actor.Lane]string{actor.Questions: "[first second]", actor.Control: "[urgent]", actor.Inbound: "[]"} {
		var got []any
		for _, e := range box.Queued(lane) {
			got = append(got, e.In.Body)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%v holds %v, want %v", lane, got, want)
		}
	}
	if got := other.Stats(); got != m.Stats() || got.Depth[actor.Questions] != 2 {
		t.Errorf("the other one holds %+v", got)
	}
	if other.Put(Envelope{Lane: actor.Control}) != Queued || woken != 1 {
		t.Errorf("its taker slept, and has been woken %d times", woken)
	}
	m.Close()
	box, closed = m.Save()
	if other.Load(*box, closed); !closed || other.Put(Envelope{Lane: actor.Control}) != Closed {
		t.Error("a closed one is saved, and an open one comes back")
	}
}

// The questions that must still have their end are seen, and one of them can be ended.
func TestL2TheExplorerSeesOpenTickets(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(7)})
	ask := func() actor.RawCall {
		call, _ := b.Reserve(0, 2, 0, time.Unix(9, 0), "none")
		return call
	}
	freed, zombie := ask(), ask()
	b.Expire(freed, 1)
	b.Expire(zombie, 1)
	b.Take(1, nil)
	b.Answer(freed, "late", nil, 1)
	ask() // open
	answered, late, settled := ask(), ask(), ask()
	b.Answer(answered, "answer", nil, 1)
	b.Expire(answered, 1) // it has its answer
	b.Expire(late, 1)
	b.Expire(settled, 1)
	b.Answer(settled, "late", nil, 1)
	b.Expire(actor.RawCall{Slot: 99}, 1)

	tickets, last := b.Tickets(nil)
	seen := map[actor.Ticket]bool{}
	for _, ticket := range tickets {
		seen[ticket] = true
	}
	if len(seen) != 4 || !seen[3] || !seen[4] || !seen[5] || !seen[6] || last != 6 {
		t.Errorf("the tickets %v await their end, the last one is %d", tickets, last)
	}
	ends := map[actor.Ticket]error{}
	for _, e := range b.Take(1, nil) {
		ends[e.In.Ticket] = e.In.Err
	}
	if len(ends) != 4 || ends[4] != nil || ends[5] != actor.ErrTimeout || ends[6] != actor.ErrTimeout { // and Freed
		t.Errorf("they end with %v", ends)
	}
}

// A publisher has left, and Done has not told of it yet.
func TestTheExplorerSeesWhoLeaves(t *testing.T) {
	b := NewBox(1, Spec{Control: 2})
	b.Put(ledger(7, false))
	b.Put(ledger(7, true))
	if b.Leaving() {
		t.Error("its Close has not been taken")
	}
	b.Take(0, nil)
	if !b.Leaving() {
		t.Error("its Close has been taken")
	}
	if b.Done(); b.Leaving() {
		t.Error("it has been told")
	}
}
