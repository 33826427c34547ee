// Package netsync waits through what it calls.
package netsync

import "github.com/btcsuite/btcd/lib"

func calls(c *lib.Chain, d lib.Doer, b *lib.Box[int]) {
	lib.Locks()    // want `calls github.com/btcsuite/btcd/lib.Locks, .*one, .*two, which calls \(\*sync.Mutex\).Lock, which waits`
	f := lib.Locks // want "lib.Locks"
	f()
	lib.Even(1) // want "time.Sleep"
	c.Best()    // want "receives from a channel"
	g := c.Best // want "receives from a channel"
	_ = g
	lib.Select(nil, nil) // want "waits in a select"
	lib.Range(nil)       // want "ranges over a channel"
	lib.Go()             // want "starts a goroutine"
	lib.Order(nil)       // want "ranges over a map"
	lib.Dynamic(d)       // want "method of an interface"
	b.Locked()           // want "sync.Mutex"
	b.Empty()
	lib.ByVar()      // want "what is kept in hook"
	lib.ByField(nil) // want "what is kept in F"
	lib.Hook()       // want "what is kept in Hook"
	lib.Pure()
	lib.Borrow()
	lib.Hash(1)
}
