package chain

import "time"

// Bounds are what chain may have outstanding at the engine's worker. The callers'
// windows bound what waits in chain itself.
type Bounds struct {
	// Worker is how many submissions of each kind (headers, blocks) may wait
	// at the worker: enough that it never idles between two.
	Worker int
	// Templates is how many templates may wait there. A template at the worker
	// delays blocks.
	Templates int
	// WorkerTimeout is how long chain waits for an answer before it asks again.
	// It is longer than any honest block or flush takes.
	WorkerTimeout time.Duration
}

// DefaultBounds are the node's.
func DefaultBounds() Bounds {
	return Bounds{
		Worker:        8,                // some milliseconds of small blocks, which is longer than a trip to chain and back
		Templates:     1,                // a miner makes one block at a time
		WorkerTimeout: 10 * time.Minute, // longer than the flush of a large cache
	}
}
