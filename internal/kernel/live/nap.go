package live

import "time"

// sleeper is the wake-up of one goroutine, or of an adapter's workers, with a slot
// for each. A signal that comes while the goroutine is awake is kept in its slot, so
// none is lost.
type sleeper struct {
	wake  chan struct{}
	timer *time.Timer
}

// far is when a new timer goes off. Nobody looks at it before a nap has set it.
const far = time.Hour

func newSleeper(slots int) *sleeper {
	return &sleeper{wake: make(chan struct{}, slots), timer: time.NewTimer(far)}
}

// signal wakes the sleeper, or lets its next nap end at once. It never waits.
func (s *sleeper) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // a signal is kept already
	}
}

// napEnd says why a nap was over.
type napEnd uint8

const (
	woken   napEnd = iota // signal
	elapsed               // until has come
	stopped               // stop was closed
)

// nap sleeps until signal, until (zero: for ever), or the close of stop.
//
// correctness: a cell's goroutine waits here and nowhere else. It waits for its own
// inbox and holds nothing. Whatever is put there signals, and putting needs nothing
// of this goroutine. So there is no wait-for edge from one cell to another.
func (s *sleeper) nap(until time.Time, stop <-chan struct{}) napEnd {
	var timeout <-chan time.Time
	if !until.IsZero() {
		s.timer.Reset(time.Until(until)) // and forgets what it was set to
		timeout = s.timer.C
	}
	select {
	case <-s.wake:
		return woken
	case <-timeout:
		return elapsed
	case <-stop:
		return stopped
	}
}
