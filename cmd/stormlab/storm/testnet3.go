package storm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"acyclic/cmd/stormlab/p2p"
	"acyclic/integration/script"
)

// Testnet3 is the pattern of the storms that testnet3 has seen.
type Testnet3 struct{}

// Name is "testnet3".
func (Testnet3) Name() string { return "testnet3" }

// About says what it does.
func (Testnet3) About() string {
	return "Blocks, six to a timestamp second, announced by twelve peers, by headers and by inv; competing branches " +
		"and reorganisations of up to 100 blocks; some peers stay behind on a stale branch; eight connect and leave."
}

// Missing says what regtest does not have.
func (Testnet3) Missing() string {
	return "Reorganisations to a lower height with more work: regtest has one difficulty, so more work is always " +
		"more blocks. They need a private network with testnet3's rules (the simulator and the tests on real " +
		"testnet3 headers have them)."
}

// Args are the defaults.
func (Testnet3) Args() []string { return nil }

// Base is long enough for the deepest branch.
func (Testnet3) Base() Base { return Base{Blocks: 300, PerSecond: 6} }

const (
	announcers  = 12
	deepest     = 100
	longestRun  = 30
	changeEvery = 700 * time.Millisecond
)

// Run drives the load.
func (Testnet3) Run(ctx context.Context, r *Rig) {
	peers := make([]*script.Peer, announcers)
	for i := range peers {
		peers[i] = script.New(script.Config{
			Net: p2p.Net, Chain: r.Feed.Served(), Name: fmt.Sprint("announcer", i),
			Behaviour: script.Behaviour{SendHeaders: i%2 == 0},
		})
	}
	crew := crew{r: r}
	crew.churn(ctx, 8, 20*time.Millisecond)
	crew.stay(ctx, peers, 300*time.Millisecond)
	crew.add(1, func(rng *rand.Rand) {
		for sleep(ctx, changeEvery) {
			served := nextChain(r, rng)
			var all sync.WaitGroup
			for _, p := range peers {
				if rng.IntN(4) > 0 { // the others stay with what they have
					all.Go(func() { p.Switch(served) })
				}
			}
			all.Wait()
		}
	})
	<-ctx.Done()
	for _, p := range peers {
		p.Close()
	}
	crew.Wait()
}

// nextChain lets the chain grow, or branch off.
func nextChain(r *Rig, rng *rand.Rand) *script.Chain {
	more := 1 + rng.IntN(longestRun)
	if rng.IntN(3) > 0 {
		r.Feed.Extend(more)
		r.Load.Blocks.Add(int64(more))
		return r.Feed.Served()
	}
	depth := 1 + rng.IntN(deepest)
	if rng.IntN(2) == 0 {
		depth = 1 + rng.IntN(6) // most are shallow
	}
	r.Load.Blocks.Add(int64(depth + more))
	r.Load.Reorgs.Add(1)
	return r.Feed.Branch(depth, depth+more)
}

// stay dials for scripted peers that have no connection, at most every pause.
func (c *crew) stay(ctx context.Context, peers []*script.Peer, pause time.Duration) {
	for _, p := range peers {
		c.add(1, func(*rand.Rand) {
			for ; ctx.Err() == nil; sleep(ctx, pause) {
				if p.Stats().Open > 0 {
					continue
				}
				c.r.Load.Dials.Add(1)
				if p.Dial(c.r.Addr) != nil {
					c.r.Load.Refused.Add(1)
				}
			}
		})
	}
}
