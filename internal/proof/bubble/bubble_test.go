package bubble

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A bubble that is busy for ever is named, with what it is busy with.
func TestABusyBubbleIsNamed(t *testing.T) {
	var said string
	var over atomic.Bool
	hung := func(what string) { said = what; over.Store(true) }
	run(t, time.Millisecond, hung, func(*testing.T) {
		for !over.Load() {
			runtime.Gosched()
		}
	})
	if !strings.HasPrefix(said, t.Name()+": ") || !strings.Contains(said, "bubble.run(") {
		t.Errorf("it says %q, want the test's name and stacks", said)
	}
}

// Virtual time does not count.
func TestABubbleThatSleepsIsNotBusy(t *testing.T) {
	run(t, time.Minute, func(what string) { t.Error(what) }, func(*testing.T) { time.Sleep(24 * time.Hour) })
}
