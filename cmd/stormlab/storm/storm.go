// Package storm has the loads. Each is bounded in its connections, in its rate
// and in time. Each ends with its context: nothing of it runs after Run has
// returned.
//
// All storms share one honest peer, the Feed. It serves the chain, and extends
// it by a block every two seconds if the storm itself makes no blocks. So the
// tip of a working node moves in every storm.
package storm

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Storm is one experiment.
type Storm struct {
	Name  string
	About string   // what it does and what it is known for
	Args  []string // the node's additional arguments
	Base  Base     // the chain that the node has when the storm begins
	// Honest is true if listeners check that every valid transaction reaches them.
	Honest bool
	Run    func(context.Context, *Rig) // drives the load until the context ends
}

// All are the storms in the order of their runs.
var All = []Storm{Blocks, Txs, Pool, Testnet3, SlowReaders, Handshakes, Liars, Bombs}

// Rig is what a storm works with.
type Rig struct {
	Node   p2p.Node
	Seed   uint64
	Feed   *Feed
	Ledger *Ledger // nil: a storm without listeners
	// Life ends after the grace period. Until then connections stay open that have
	// sent what listeners are to hear of: a closed one could take with it what the
	// node has not read. Nil: it ends with the storm.
	Life   context.Context
	linger sync.WaitGroup
	Grace  time.Duration // how long the listeners stay after the storm
	Load   Load
}

// NewRig makes the rig of a storm at a node.
func NewRig(s Storm, node p2p.Node, feed *Feed, seed uint64) *Rig {
	r := &Rig{Node: node, Seed: seed, Feed: feed}
	if s.Honest {
		r.Ledger = newLedger()
	}
	return r
}

// Beat extends the chain at every heartbeat until ctx ends. The blocks confirm
// the transactions of the ledger.
func (r *Rig) Beat(ctx context.Context) {
	for wait.Sleep(ctx, heartbeat) {
		txs, entries := r.Ledger.due(time.Now())
		r.Feed.extendWith(txs, func(block *wire.MsgBlock, height int32) {
			r.Ledger.confirm(block.BlockHash(), height, entries)
		})
	}
}

// Load counts what a storm has done.
type Load struct {
	Dials, Refused, Messages, Blocks, Txs, Reorgs, Lower atomic.Int64
}

// Counts is Load at one moment.
type Counts struct {
	Dials    int64 `json:"dials"`    // connections begun
	Refused  int64 `json:"refused"`  // of these: failed, or ended in the handshake
	Messages int64 `json:"messages"` // sent, without blocks and transactions
	Blocks   int64 `json:"blocks"`   // sent or offered
	Txs      int64 `json:"txs"`      // sent
	Reorgs   int64 `json:"reorgs"`   // offered
	Lower    int64 `json:"lower"`    // of these: to a lower height with more work
}

// Counts returns the current figures.
func (l *Load) Counts() Counts {
	return Counts{
		Dials: l.Dials.Load(), Refused: l.Refused.Load(), Messages: l.Messages.Load(),
		Blocks: l.Blocks.Load(), Txs: l.Txs.Load(), Reorgs: l.Reorgs.Load(), Lower: l.Lower.Load(),
	}
}

// Wait waits for the connections that live on after the storm.
func (r *Rig) Wait() { r.linger.Wait() }

// rng gives each worker a different random source, made from the seed.
func (r *Rig) rng(worker uint64) *rand.Rand { return rand.New(rand.NewPCG(r.Seed, worker)) }

// crew runs workers and waits for them.
type crew struct {
	sync.WaitGroup
	r    *Rig
	next uint64 // the number of the next worker
}

// add has n workers run f.
func (c *crew) add(n int, f func(rng *rand.Rand)) {
	for range n {
		c.next++
		rng := c.r.rng(c.next)
		c.Go(func() { f(rng) })
	}
}

// visit has n workers dial and run f with the connection, again and again, with
// a pause between.
func (c *crew) visit(ctx context.Context, n int, pause time.Duration, dial func() (*p2p.Conn, error), f func(*p2p.Conn, *rand.Rand)) {
	c.add(n, func(rng *rand.Rand) {
		for ; ctx.Err() == nil; wait.Sleep(ctx, pause) {
			c.r.Load.Dials.Add(1)
			conn, err := dial()
			if err != nil {
				c.r.Load.Refused.Add(1)
				continue
			}
			f(conn, rng)
			conn.Close()
		}
	})
}

// connected has n workers shake hands, drain what arrives, and run f, again and
// again, with a pause between.
func (c *crew) connected(ctx context.Context, n int, pause time.Duration, name string, f func(*p2p.Conn, *rand.Rand)) {
	dial := func() (*p2p.Conn, error) { return c.r.Node.Dial(ctx, name) }
	c.visit(ctx, n, pause, dial, func(conn *p2p.Conn, rng *rand.Rand) {
		var drain sync.WaitGroup
		drain.Go(conn.Drain)
		f(conn, rng)
		conn.Close()
		drain.Wait()
	})
}

// stays has a worker shake hands and run f, again and again, with a pause between.
// hear gets what arrives; nil: nobody does. When ctx ends, the last connection
// stays open for the life of the rig.
func (c *crew) stays(ctx context.Context, name string, hear func(*p2p.Conn), f func(*p2p.Conn, *rand.Rand)) {
	const pause = 100 * time.Millisecond
	life := c.r.Life
	if life == nil {
		life = ctx
	}
	if hear == nil {
		hear = (*p2p.Conn).Drain
	}
	c.add(1, func(rng *rand.Rand) {
		for ; ctx.Err() == nil; wait.Sleep(ctx, pause) {
			c.r.Load.Dials.Add(1)
			dialling, end := context.WithCancel(life)
			stop := context.AfterFunc(ctx, end)
			conn, err := c.r.Node.Dial(dialling, name)
			stop()
			if err != nil {
				end()
				c.r.Load.Refused.Add(1)
				continue
			}
			heard := make(chan struct{})
			c.r.linger.Go(func() {
				hear(conn)
				conn.Close()
				end()
				close(heard)
			})
			f(conn, rng)
			if ctx.Err() == nil {
				conn.Close()
				<-heard
			}
		}
	})
}

// churn has n workers connect and leave: at once, or within 50 ms.
func (c *crew) churn(ctx context.Context, n int, pause time.Duration) {
	c.connected(ctx, n, pause, "churn", func(_ *p2p.Conn, rng *rand.Rand) {
		wait.Sleep(ctx, time.Duration(rng.Int64N(int64(50*time.Millisecond))))
	})
}
