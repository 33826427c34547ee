package cell

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// BenchmarkStamp is what it costs each step that one can see what a cell is busy
// with.
func BenchmarkStamp(b *testing.B) {
	h := make([]hand, 1)
	now := time.Now()
	var body any = actor.Tick{}
	for b.Loop() {
		h[0].begin(body, now)
	}
}
