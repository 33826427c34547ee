package live

import (
	"context"
	"time"
)

/* want "a comment .correctness:. that does not say what it must" */ //correctness:
func (d *driver) empty()                                             { <-d.wake }

/* want "a comment .correctness:. that does not say what it must" */ //correctness: this is fine and has been for years.
func (d *driver) fine()                                              { <-d.wake }

// correctness: the worker is asleep at most
// a second.
func (d *driver) told() { <-d.wake }

// correctness: as told.
func (d *driver) asTold() { <-d.wake }

func (d *driver) starts(conns []int) {
	// goroutines: one, until the driver ends.
	go d.empty()
	go d.empty() // goroutines: two for each driver.

	for range conns {
		go d.empty() // want "starts a goroutine and no comment"
	}
	d.wg.Go(d.empty)                                 // want "starts a goroutine and no comment"
	time.AfterFunc(1, d.empty)                       // want "starts a goroutine and no comment"
	context.AfterFunc(context.Background(), d.empty) // want "starts a goroutine and no comment"
	/* want "a comment .goroutines:. that does not say what it must" */ // goroutines: some.
	go d.empty()
}
