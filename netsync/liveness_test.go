package netsync

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
)

// breaker wraps the machine of a world to break it on purpose.
type breaker func(*Machine) actor.Machine

// horizon is how long the world may take. The honest peers come within the
// first ten minutes.
const horizon = 4 * time.Hour

// runWorld plays the world of a seed and says what went wrong. It returns "" if
// the tip of the honest peers was reached.
func runWorld(t testing.TB, seed uint64, broken breaker) string {
	w := newWorld(t, seed, broken)
	end := w.Now.Add(horizon)
	grown := 0
	for range 2_000_000 {
		if w.c.best == w.tip {
			if grown == 3 {
				return w.finish(broken != nil)
			}
			grown++
			w.growTip()
		}
		if !w.next(end) {
			return fmt.Sprintf("stuck at %d of %d", w.c.best.Height, w.tip.Height)
		}
		if w.problem != "" {
			return w.problem
		}
	}
	return "too many events"
}

// finish takes all peers away and looks for what has leaked.
func (w *world) finish(broken bool) string {
	if broken {
		return ""
	}
	for _, id := range slices.Sorted(maps.Keys(w.peers)) {
		w.peers[id].rejoins = 0
		w.leave(w.peers[id])
	}
	m := w.m.(*Machine)
	// Those that were on their way come, and leave at once.
	for end := w.Now.Add(time.Hour); w.next(end); m = w.m.(*Machine) {
		for _, p := range w.peers {
			p.rejoins = 0
			w.leave(p)
			break
		}
	}
	if m.orders.inFlight() != 0 || w.Open() != 0 || len(m.submits.list) != 0 || m.span.held+m.span.ordered != 0 || len(m.headers.queue) != 0 {
		return fmt.Sprintf("leaked: %d orders, %d questions, %d submissions, %d held", m.orders.inFlight(), w.Open(), len(m.submits.list), m.span.held)
	}
	return ""
}

// TestL9OneHonestPeerIsEnough: whatever the other peers do, and whatever fails
// inside (chain, or the machine itself), the tip of one honest peer is reached. It
// is reached again each time that the tip grows, and nothing stays in flight.
func TestL9OneHonestPeerIsEnough(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		if why := runWorld(t, seed, nil); why != "" {
			r.Fatalf("seed %d: %s", seed, why)
		}
	})
}

// TestL10SameSeedSameRun: the world of a seed is the same each time, and so is
// what the machine does in it.
func TestL10SameSeedSameRun(t *testing.T) {
	trace := func(seed uint64) (s string) {
		w := newWorld(t, seed, nil)
		for range 3000 {
			if !w.next(w.Now.Add(horizon)) {
				break
			}
			m := w.m.(*Machine)
			s += fmt.Sprintln(w.Now.UnixNano(), m.orders.inFlight(), m.span.len(), w.Open(), w.seq)
		}
		return s
	}
	for seed := range uint64(5) {
		if trace(seed) != trace(seed) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}
