// Package bubble runs tests in bubbles of virtual time (testing/synctest). A test that
// hangs ends with a message.
//
// If all goroutines of a bubble wait for ever, synctest says so. If one of them is busy for
// ever, the clock of the bubble stands still, so no deadline in it can come. Then a clock
// outside ends the test.
package bubble

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// patience is how long a bubble may be busy. It is no measure: bubbles take
// milliseconds.
const patience = time.Minute

// Run runs a test in a bubble, for at most a minute of real time. If it takes longer, the
// program ends, with the stacks of its goroutines.
func Run(t *testing.T, test func(*testing.T)) {
	t.Helper()
	run(t, patience, func(what string) { panic(what) }, test)
}

// run calls hung with a message if the test takes longer than bound.
func run(t *testing.T, bound time.Duration, hung func(what string), test func(*testing.T)) {
	t.Helper()
	clock := time.AfterFunc(bound, func() {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		hung(fmt.Sprintf("%s: the bubble has been busy for %v\n%s", t.Name(), bound, stacks))
	})
	defer clock.Stop()
	synctest.Test(t, test)
}
