package transport

import "time"

// bounds are this package's. In this file a field is a name, and the comment
// beside it is its reason.
type bounds struct {
	Queue        int
	Dial, Write  time.Duration
	Claim, Drain time.Duration
}

func defaultBounds() bounds {
	b := bounds{
		Queue: 100,         // as many as there are
		Dial:  time.Second, // a line is that long

		// want +1 "a bound without a name"
		Write: time.Second,
		// want +1 "a bound without a name"
		Claim: time.Second,
	}
	b.Drain = time.Minute // as long as a song
	// want +1 "a bound without a name"
	b.Drain = time.Minute
	return b
}

func inbox(b bounds) chan int { return make(chan int, b.Queue) }
