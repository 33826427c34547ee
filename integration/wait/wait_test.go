package wait

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestSleepEndsWithItsContext(t *testing.T) {
	if !Sleep(t.Context(), 0) {
		t.Error("a context that goes on has ended")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if Sleep(ctx, time.Hour) {
		t.Error("an ended context goes on")
	}
}

func TestUntilSaysWhatItSawLast(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	polls := 0
	poll := func() (bool, string) { polls++; return polls == 3, strings.Repeat("x", polls) }
	if err := Until(ctx, poll); err != nil || polls != 3 {
		t.Errorf("%v after %d polls", err, polls)
	}
	cancel()
	if err := Until(ctx, poll); err == nil || !strings.HasSuffix(err.Error(), ": xxxx") {
		t.Errorf("got %v, want the state of the fourth poll", err)
	}
}
