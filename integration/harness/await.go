package harness

import (
	"context"
	"testing"
	"time"

	"acyclic/integration/wait"
)

// Patience is how long a test waits for an event that takes seconds on an idle
// machine. Only a failing test spends all of it.
const Patience = 60 * time.Second

// Eventually polls until f is done. If the deadline passes first, the test
// fails with what it waited for and the state that f saw last.
func Eventually(t testing.TB, deadline time.Duration, what string, f func() (done bool, state string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := wait.Until(ctx, f); err != nil {
		t.Fatalf("not within %v: %s\n%v", deadline, what, err)
	}
}
