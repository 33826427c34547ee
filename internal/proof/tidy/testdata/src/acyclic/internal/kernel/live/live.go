// Package live waits, and says why it may, or does not.
package live

import (
	"sync"
	"time"

	"acyclic/internal/kernel/adapter"
)

type driver struct {
	wake chan int
	wg   sync.WaitGroup
	cond *sync.Cond
}

func (d *driver) silent(cells adapter.Cells) {
	d.wake <- 1            // want "sends on a channel"
	v := <-d.wake          // want "receives from a channel"
	for v = range d.wake { // want "ranges over a channel"
		_ = v
	}
	select { // want "waits in a select"
	case <-d.wake:
	}
	select {
	case <-d.wake:
	default:
	}
	select {
	case d.wake <- <-d.wake: // want "receives from a channel"
	default:
	}
	d.wg.Wait()           // want "calls .*WaitGroup..Wait"
	d.cond.Wait()         // want "calls .*Cond..Wait"
	time.Sleep(time.Hour) // want "calls time.Sleep" "a bound without a name"
	cells.AwaitCredit(1)  // want "AwaitCredit"
	go func() {           // want "starts a goroutine"
		<-d.wake // want "receives from a channel"
	}()
	close(d.wake)
}

// explained waits.
//
// correctness: nothing depends on it.
func (d *driver) explained() { <-d.wake }

// directive waits.
//
// correctness: nothing depends on it.
func (d *driver) directive() {
	for {
		<-d.wake
	}
}

func (d *driver) inside() {
	//correctness: this one ends.
	<-d.wake
	<-d.wake // want "receives from a channel"

	// correctness: the whole loop is explained,
	// and ends.
	for range 3 {
		d.wg.Wait()
		<-d.wake
	}
	//correctness: ends, but too far above.

	<-d.wake // want "receives from a channel"
	<-d.wake //correctness: ends, on the line itself.
}
