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
