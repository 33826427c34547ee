package watch

import "time"

// Patience says when a cell or an adapter counts as stuck.
type Patience struct {
	// Run is how long a batch of a cell may take, or one question at an
	// adapter's worker.
	Run time.Duration
	// Queue is how old a queued input may become.
	Queue time.Duration
	// Owe is how long an answer may be owed after its asker's patience, the
	// port's timeout, has ended.
	Owe time.Duration
}

// Bounds are when cells count as stuck, and what the watchdog itself may take.
type Bounds struct {
	Cells Patience // with everything that is not in Config.Of

	Every       time.Duration // between two looks
	LogEvery    time.Duration // between two log entries, at least
	RecordEvery time.Duration // between two recordings, at least
	Keep        int           // recordings kept
	TraceBytes  int           // memory of the flight recorder while it runs; zero: there is none
	TraceAge    time.Duration // how far it reaches back, memory allowing
}

// DefaultBounds are the node's. Cells only calculate, so a second is very long.
func DefaultBounds() Bounds {
	return Bounds{
		Cells: Patience{
			Run:   5 * time.Second,  // a batch takes milliseconds; Stop is obeyed behind it
			Queue: 10 * time.Second, // every batch takes a share of each lane
			Owe:   30 * time.Second, // what a machine was to do at its deadline, and has not
		},
		Every:       250 * time.Millisecond, // a look at all mailboxes takes less than one
		LogEvery:    10 * time.Second,       // a stall deserves a line then, not at each look
		RecordEvery: time.Minute,            // the disk may need some of it for a recording
		Keep:        10,                     // recordings, of at most TraceBytes and a profile each
		TraceBytes:  8 << 20,                // some seconds of a storm
		TraceAge:    10 * time.Second,       // the bounds of cells, and a little before
	}
}
