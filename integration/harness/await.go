package harness

import (
	"context"
	"testing"
	"time"

	"acyclic/integration/wait"
)

// Patience is how long tests wait for what takes seconds on an idle machine. It
// is only ever spent by a test that fails.
const Patience = 60 * time.Second

// Eventually polls until done, and fails the test when that takes longer than
// the deadline: with what was awaited and the state that was seen last.
func Eventually(t testing.TB, deadline time.Duration, what string, f func() (done bool, state string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := wait.Until(ctx, f); err != nil {
		t.Fatalf("not within %v: %s\n%v", deadline, what, err)
	}
}
