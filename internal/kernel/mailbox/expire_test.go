package mailbox

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// The first question of all ports gives the time to wake, and all whose time is up end in
// the same batch.
func TestL2AllPortsHaveTheirClock(t *testing.T) {
	b := NewBox(1, Spec{Ports: append(port(2), append(port(1), port(1)...)...)})
	for p, at := range []int64{2, 1, 3} {
		b.Reserve(p, 2, 0, time.Unix(0, at*second), "none")
	}
	b.Reserve(0, 2, 0, time.Unix(0, 2*second), "none")
	if b.Next() != second {
		t.Errorf("the first clock is at %d, want one second", b.Next())
	}
	ends := 0
	for _, e := range b.Take(2*second, nil) {
		if e.In.Err == actor.ErrTimeout {
			ends++
		}
	}
	if ends != 3 || b.Next() != 3*second {
		t.Errorf("%d questions have ended, the next clock is at %d", ends, b.Next())
	}
}
