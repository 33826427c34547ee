package harness

import (
	"testing"
	"time"
)

// Patience is how long tests wait for what takes seconds on an idle machine. It
// is only ever spent by a test that fails.
const Patience = 60 * time.Second

// Eventually polls until done, and fails the test when that takes longer than
// the deadline: with what was awaited and the state that was seen last.
func Eventually(t testing.TB, deadline time.Duration, what string, f func() (done bool, state string)) {
	t.Helper()
	const least, most = 5 * time.Millisecond, 100 * time.Millisecond
	end := time.Now().Add(deadline)
	for pause := least; ; pause = min(pause*3/2, most) {
		done, state := f()
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s\nlast seen: %s", deadline, what, state)
		}
		time.Sleep(pause)
	}
}
