package chain

import "time"

// Bounds are what chain holds at most, and its times.
type Bounds struct {
	// Window is how many submissions may wait at the worker: enough that it
	// never idles between two, few so that they keep their order. At most
	// Windows.Worker.
	Window int
	// Retry is how long chain waits before it looks again for a free slot at
	// the worker when none of its questions is outstanding.
	Retry time.Duration
}

// DefaultBounds are the node's.
func DefaultBounds() Bounds {
	return Bounds{
		Window: 8,           // some milliseconds of small blocks, which is longer than a trip to chain and back
		Retry:  time.Second, // an engine that fails is not asked more often than that
	}
}
