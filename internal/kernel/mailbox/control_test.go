package mailbox

import (
	"testing"

	"acyclic/internal/kernel/actor"
)

// Control comes first in every batch, however long all other lanes have been full.
func TestL8ControlIsFirstInEveryBatch(t *testing.T) {
	const rounds = 100
	b := NewBox(1, Spec{Ports: port(200), Control: 3, Questions: 200, Inbound: 200})
	for round := range rounds {
		for b.Free(0) > 0 {
			call, _ := b.Reserve(0, 2, 0, begin, "")
			b.Answer(call, "a", nil, 0)
		}
		for b.Put(Envelope{Lane: actor.Questions}) {
		}
		for b.Put(Envelope{Lane: actor.Inbound}) {
		}
		for range 3 {
			b.Put(Envelope{Lane: actor.Control})
		}
		batch := b.Take(0, nil)
		for i, e := range batch[:4] {
			if control := e.Lane == actor.Control; control != (i < 3) {
				t.Fatalf("batch %d: input %d is of %v", round, i, e.Lane)
			}
		}
	}
}
