package mailbox

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// A connection has gone, and its last message is dropped in a batch with nothing else in
// it. The taker must learn that before it sleeps. Otherwise it would keep the
// connection's seat until something else came.
func TestTheLastDroppedMessageIsSeen(t *testing.T) {
	const gone actor.ID = 9
	m := New(1, Spec{Control: 4, Inbound: 4, Share: Shares{Answers: 1, Events: 1, Questions: 1, Inbound: 1}}, func() {})
	ledger := Envelope{In: actor.Input{From: gone}, Lane: actor.Control, Topic: 1, Ledger: true}
	m.Put(ledger)
	for range 2 {
		m.Put(Envelope{In: actor.Input{From: gone}, Lane: actor.Inbound, Topic: 2})
	}
	ledger.Last = true
	m.Put(ledger)

	batch, _, what := m.Take(time.Unix(0, 0), nil)
	if len(batch) != 2 || what != Awake || len(m.Done()) != 0 {
		t.Fatalf("first the open and the close: %d inputs, %v", len(batch), what)
	}
	batch, _, what = m.Take(time.Unix(0, 0), nil)
	if len(batch) != 0 || what != Awake {
		t.Errorf("the last message is dropped: %d inputs, %v, want none and awake", len(batch), what)
	}
	if done := m.Done(); len(done) != 1 || done[0] != gone {
		t.Errorf("nothing is left of %v, want %v", done, gone)
	}
	if _, _, what = m.Take(time.Unix(0, 0), nil); what != Asleep {
		t.Errorf("and then there is nothing: %v, want asleep", what)
	}
}

// A machine that found no slot sleeps until one is free. Freed wakes it, and says
// what the question was about.
func TestL9FreedWakes(t *testing.T) {
	woken := 0
	m := New(1, Spec{Ports: port(1)}, func() { woken++ })
	now := time.Unix(1, 0)
	call, _ := m.Reserve(0, 2, 7, now, "none")
	if batch, _, _ := m.Take(now, nil); len(batch) != 1 || batch[0].In.Err != actor.ErrTimeout {
		t.Fatalf("its time is up: %+v", batch)
	}
	if _, _, what := m.Take(now, nil); what != Asleep {
		t.Fatalf("nothing is left, and the taker is %v", what)
	}
	if !m.Answer(call, "late", nil, now) || woken != 1 {
		t.Errorf("the late answer wakes the taker %d times, want once", woken)
	}
	batch, _, _ := m.Take(now, nil)
	want := actor.Input{Body: actor.Freed{}, From: 2, Key: 7}
	if len(batch) != 1 || batch[0].In != want {
		t.Errorf("it is given %+v, want %+v", batch, want)
	}
}

// A cell dies while Freed is queued for it. Its successor has the slot.
func TestL11ResetKeepsAFreedSlot(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(1)})
	call, _ := b.Reserve(0, 2, 0, time.Unix(0, 1), "none")
	b.Take(1, nil)
	b.Answer(call, "late", nil, 1)
	b.Reset()
	if err := b.Check(); err != nil || b.Free(0) != 1 {
		t.Errorf("%d slots are free, want 1; %v", b.Free(0), err)
	}
}
